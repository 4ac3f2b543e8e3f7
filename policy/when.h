/*
 * A policy's `when:` conditions on their own: what a hold or an extension covers.
 * They count days in UTC and know the recognisers that are shipped.
 */
#ifndef POLICY_WHEN_H
#define POLICY_WHEN_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/facts.h"

struct err;
struct when;

/* text: YAML, as in "{path: \"hr/ **\", detect: email}" without the blank.  MUNI_USAGE
 * says what is wrong with it; name is what messages call it. */
int when_load(const char *text, const char *name, struct when **out, struct err *e);
void when_free(struct when *w);		/* NULL is allowed */
/* *is_sure: it would be the same, whatever is not known of the item. */
bool when_holds(const struct when *w, const struct facts *f, int64_t now, bool *is_sure);

#endif
