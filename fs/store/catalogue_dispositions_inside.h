/*
 * What the files about dispositions share.  Only fs/store/catalogue_disposition*.c
 * include this.
 */
#ifndef FS_STORE_CATALOGUE_DISPOSITIONS_INSIDE_H
#define FS_STORE_CATALOGUE_DISPOSITIONS_INSIDE_H

#include "fs/store/catalogue_dispositions.h"
#include "fs/store/catalogue_inside.h"

/* Of a statement, scope, result or item: more is damage. */
#define DISPOSITION_TEXT_MAX (64u << 20)

int disposition_need(struct catalogue *c, struct err *e);	/* the tables are there */
/* As it is, id included. */
int disposition_insert(struct catalogue *c, const struct disposition_row *d, struct err *e);

#endif
