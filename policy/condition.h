/*
 * A condition of a rule, compiled: a tree of tests over the facts of one item.
 */
#ifndef POLICY_CONDITION_H
#define POLICY_CONDITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/facts.h"
#include "policy/period.h"

struct buffer;
struct glob;
struct regex;
struct regex_scratch;
struct zone;

enum condition_kind {
	CONDITION_ALL, CONDITION_ANY, CONDITION_NOT,
	CONDITION_PATH, CONDITION_NAME, CONDITION_NAME_REGEX, CONDITION_EXTENSION,
	CONDITION_FORMAT, CONDITION_CLAIMED, CONDITION_EXTENSION_LIES,
	CONDITION_SIZE, CONDITION_EMPTY, CONDITION_DEPTH, CONDITION_AGE,
	CONDITION_OWNER, CONDITION_GROUP, CONDITION_MODE,
	CONDITION_DUPLICATE, CONDITION_DUPLICATE_OF,
	CONDITION_DETECT, CONDITION_SENSITIVITY, CONDITION_ENCODING, CONDITION_SCRIPT,
	CONDITION_OPAQUE, CONDITION_KIND,
};

enum stamp_kind { STAMP_MODIFIED, STAMP_CREATED, STAMP_CHANGED, STAMP_ACCESSED };

struct account {
	const char *text;	/* as it was given */
	struct glob *name;	/* NULL: by its number */
	uint32_t number;
};

struct condition {
	enum condition_kind kind;
	unsigned line;
	size_t count;		/* of what the pointer below points to */
	union {
		struct condition *children;	/* all, any; not has one */
		struct glob **globs;	/* path, name, format, claimed, duplicate-of,
					 * encoding, script: one of them is enough */
		char **texts;		/* extension: lower case; detect: ids, none: any */
		struct account *accounts;
		struct regex *regex;
	};
	uint64_t min, max;	/* size, depth: both inclusive; detect: min */
	uint8_t confidence;	/* detect: at least, percent */
	bool is_wanted;		/* empty, extension-lies, duplicate, opaque: true or false */
	bool is_older;		/* age: older-than; else newer-than */
	enum stamp_kind stamp;
	struct period period;
	uint32_t bits;		/* mode: one of them is enough; kind: 1 << enum facts_kind */
	enum sensitivity sensitivity;	/* at least */
};

bool condition_is_tree(const struct condition *c);	/* all, any, not */

/* What is looked up once for an item, however many rules ask. */
struct evaluation {
	const struct facts *facts;
	const struct zone *zone;
	struct civil today;
	size_t path_size;
	const char *name;	/* the path's last part */
	size_t name_size;
	bool has_date[4];	/* by enum stamp_kind */
	struct civil dates[4];
	struct regex_scratch *scratch;	/* NULL until it is needed */
};
void evaluation_begin(struct evaluation *v, const struct facts *f, const struct zone *z,
		      int64_t now);
void evaluation_end(struct evaluation *v);

struct truth {
	bool holds;		/* by what is known of the item */
	bool is_sure;		/* ... and would, whatever is not known of it */
	uint8_t confidence;	/* where it holds: of the weakest finding it needs */
};
struct truth condition_evaluate(const struct condition *c, struct evaluation *v);

/* The date of one of an item's time stamps; false where it is not known. */
bool evaluation_date(struct evaluation *v, enum stamp_kind stamp, struct civil *out);
/* The greatest sensitivity among an item's findings. */
enum sensitivity facts_sensitivity(const struct facts *f);

/* ---- in words (policy/describe.c) --------------------------------------------------- */

/* Appends "path \"payroll/\"", "a file over 10 MiB" ...: all of the condition but the
 * children of a tree; not NUL ended. */
void condition_describe(const struct condition *c, struct buffer *out);
/* Appends what the item has to set against it: "the file has 1.2 GiB"; nothing for
 * all, any, not. */
void condition_observe(const struct condition *c, struct evaluation *v, struct buffer *out);

/* ---- proofs (policy/imply.c) ------------------------------------------------------------ */

/* "false" only means that no proof was found within *steps, which runs down. */
bool condition_is_always(const struct condition *c, unsigned *steps);
bool condition_is_never(const struct condition *c, unsigned *steps);
bool condition_implies(const struct condition *a, const struct condition *b,
		       unsigned *steps);
bool condition_excludes(const struct condition *a, const struct condition *b,
			unsigned *steps);

#endif
