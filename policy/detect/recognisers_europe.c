#include "policy/detect/recogniser.h"

const struct recogniser_table recognisers_europe = { .rows = NULL, .count = 0 };
