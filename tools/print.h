/*
 * How muni shows what it finds: nodes, versions, paths.
 */
#ifndef TOOLS_PRINT_H
#define TOOLS_PRINT_H

#include <jansson.h>
#include <stddef.h>

#include "fs/store/catalogue.h"
#include "fs/vault/tree.h"

struct err;

#define PRINT_MODE_MAX 12
/* "-rw-r--r--", as ls has it. */
const char *print_mode(const struct node *n, char out[PRINT_MODE_MAX]);
const char *print_kind(enum node_kind kind);	/* "file", "directory" ... */
const char *print_state(enum version_state state);
/* "2021-06-30 12:00:00": without the zone, which is UTC everywhere. */
const char *print_time(int64_t seconds, char out[48]);

/* Names of accounts, kept: one look-up each.  The number where there is none. */
struct print_names;
struct print_names *print_names_new(struct catalogue *c);	/* NULL: no memory */
/* Frees.  Returns rc; of 0 and more makes -1 where a name was not shown for want of memory or
 * because it could not be read. */
int print_names_end(struct print_names *names, int rc, struct err *e);
/* Printable; borrowed until the next call but one. */
const char *print_name(struct print_names *names, int64_t account, uint32_t number);

/* Fields of a node, and "target" of a symlink. */
int print_node_json(json_t *o, struct catalogue *c, struct print_names *names,
		    const struct node *n, struct err *e);
void print_version_json(json_t *o, const struct version *v);

/* Printable target of a symlink; *out malloc'ed. */
int print_target(struct catalogue *c, const struct node *n, char **out, struct err *e);

/* One line for a listing without columns: printable and a newline, or the bytes
 * and a NUL. */
void print_path(const char *path, size_t size, bool is_null_ended);

#endif
