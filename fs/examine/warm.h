/*
 * What libraries load only when they first need it (tables of encodings, modules,
 * caches) is loaded before the door closes: by doing once what workers will do.
 */
#ifndef FS_EXAMINE_WARM_H
#define FS_EXAMINE_WARM_H

struct err;
struct looker;

int warm_up(struct looker *k, struct err *e);

#endif
