#include "policy/detect/recogniser.h"

const struct recogniser_table recognisers_money = { .rows = NULL, .count = 0 };
