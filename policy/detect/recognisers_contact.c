#include "policy/detect/recogniser.h"

const struct recogniser_table recognisers_contact = { .rows = NULL, .count = 0 };
