/*
 * What may be shown of a value: of its letters and digits a quarter at most, and
 * those that its recogniser's masking names.  Characters beyond ASCII count as
 * letters.
 */
#ifndef POLICY_DETECT_DETECT_MASK_H
#define POLICY_DETECT_DETECT_MASK_H

#include <stddef.h>

#include "policy/detect/detect.h"

void detect_mask(const struct recogniser *r, const char *value, size_t size,
		 char out[SAMPLE_TEXT_MAX]);

#endif
