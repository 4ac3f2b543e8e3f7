#include "policy/detect/recogniser.h"

const struct recogniser_table recognisers_secrets = { .rows = NULL, .count = 0 };
