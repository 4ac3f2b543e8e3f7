/*
 * The words in which a scope is given, the same for holds, extensions, restrictions.
 */
#ifndef TOOLS_SCOPE_H
#define TOOLS_SCOPE_H

#include <jansson.h>

#include "fs/vault/retain.h"
#include "tools/cli.h"

enum { SCOPE_SYSTEM = 's', SCOPE_PATH = 'p', SCOPE_CLASS = 'c', SCOPE_QUERY = 600,
       SCOPE_STANDING };

#define SCOPE_OPTIONS \
	{ SCOPE_SYSTEM, "system", "NAME", "only records of this system" }, \
	{ SCOPE_PATH, "path", "GLOB", "only these paths (** crosses folders), or what is " \
	  "below one" }, \
	{ SCOPE_CLASS, "class", "ID", "only records of this class" }, \
	{ SCOPE_QUERY, "query", "YAML", "only what meets this condition, as in a policy's when:" }
#define SCOPE_OPTION_STANDING \
	{ SCOPE_STANDING, "standing", NULL, "also what is taken in later" }

/* False: o is none of these. */
bool scope_option(struct scope_request *s, int o, const char *value);
/* In words, for a table: "hr, *.csv, class FIN"; "everything".  The whole is malloc'ed;
 * NULL, and e set, where the system's name or memory was not to be had. */
char *scope_words(struct catalogue *c, const struct scope_row *s, struct err *e);
/* Fields "system", "path", "class", "query", "standing" of o. */
int scope_json(json_t *o, struct catalogue *c, const struct scope_row *s, struct err *e);

/* "H1" or "1" with the letter 'H'.  MUNI_USAGE. */
int scope_id(const char *text, char letter, const char *what, int64_t *out, struct err *e);

#endif
