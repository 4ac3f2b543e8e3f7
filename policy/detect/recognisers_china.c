#include "policy/detect/recogniser.h"

const struct recogniser_table recognisers_china = { .rows = NULL, .count = 0 };
