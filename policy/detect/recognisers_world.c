#include "policy/detect/recogniser.h"

const struct recogniser_table recognisers_world = { .rows = NULL, .count = 0 };
