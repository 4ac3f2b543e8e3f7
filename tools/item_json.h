/*
 * One item of the inventory as JSON: docs/man/muni.1, "JSON", `item`.
 */
#ifndef TOOLS_ITEM_JSON_H
#define TOOLS_ITEM_JSON_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "fs/store/catalogue_items.h"

struct err;

/*
 * Adds r to o.  duplicate_path: of the item that it is a copy of, or NULL.  at: the
 * moment that its age is told for.  MUNI_DAMAGED where its samples do not read.
 */
int item_json(json_t *o, const struct item_row *r, const char *duplicate_path,
	      size_t duplicate_size, int64_t at, struct err *e);

/* Whole days since it was modified; 0 where that lies ahead. */
uint64_t item_age_days(const struct item_row *r, int64_t at);

#endif
