/*
 * Policies, decisions and overrides in the catalogue.  The policy's own types are
 * not known here: numbers and words as fs/vault hands them.
 */
#ifndef FS_STORE_CATALOGUE_DECISIONS_H
#define FS_STORE_CATALOGUE_DECISIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fs/store/catalogue_items.h"

struct policy_row {
	int64_t id;
	char *name;		/* owned, as is text */
	unsigned version;
	struct digest digest;	/* SHA-256 of the text */
	int64_t stored;		/* seconds */
	char *text;		/* as it was given */
	size_t text_size;
};
void policy_row_clear(struct policy_row *p);

/* Each text is kept once, for ever: fills id and, where it was there, stored. */
int catalogue_policy_intern(struct catalogue *c, struct policy_row *p, struct err *e);
int catalogue_policy_get(struct catalogue *c, int64_t id, struct policy_row *out,
			 struct err *e);

/* ---- what the policy says ------------------------------------------------------------ */

struct classification {		/* the newest of a system */
	int64_t policy;
	int64_t decided;	/* seconds */
	int64_t scan;		/* whose inventory it was over */
};
/* Replaces what was decided before; catalogue_decision_put() follows. */
int catalogue_classification_begin(struct catalogue *c, int64_t system,
				   const struct classification *k, struct err *e);
/* MUNI_NOT_FOUND says how to classify. */
int catalogue_classification_get(struct catalogue *c, int64_t system,
				 struct classification *out, struct err *e);

struct decision_row {
	uint8_t decision;	/* policy's enum decision */
	uint8_t sensitivity, importance, confidence;
	char *class_code;	/* NULL: none */
	char *rule;		/* id; NULL: no rule matched */
	char *matched;		/* ids of all that matched, "," between; NULL: none */
	char *evidence;		/* a sentence or two: why */
};
int catalogue_decision_put(struct catalogue *c, int64_t item, const struct decision_row *d,
			   struct err *e);

/* ---- what officers say instead ------------------------------------------------------- */

struct override_row {
	uint8_t decision;
	char *class_code;	/* NULL: the policy's own */
	char *officer, *reason;
	int64_t made;		/* seconds */
};
/* Stands by the path: it survives classifications and scans. */
int catalogue_override_put(struct catalogue *c, int64_t system, const void *path,
			   size_t path_size, const struct override_row *o, struct err *e);
/* MUNI_NOT_FOUND. */
int catalogue_override_drop(struct catalogue *c, int64_t system, const void *path,
			    size_t path_size, struct err *e);

/* ---- together --------------------------------------------------------------------------- */

struct decided_row {
	const struct item_row *item;	/* borrowed */
	const char *duplicate_path;	/* of item->duplicate_of; NULL: none; not NUL ended */
	size_t duplicate_size;
	bool has_decision, has_override;	/* neither: undecided */
	struct decision_row policy;
	struct override_row override;
};

/* Every item of the inventory, by path, as catalogue_items(). */
int catalogue_decided(struct catalogue *c, int64_t system, const void *after,
		      size_t after_size,
		      int (*row)(void *arg, const struct decided_row *r), void *arg,
		      struct err *e);
/* For one item; fills all but the three first fields.  decided_row_clear() it. */
int catalogue_decided_find(struct catalogue *c, const struct item_row *item,
			   struct decided_row *out, struct err *e);
void decided_row_clear(struct decided_row *r);

/* ---- classes ------------------------------------------------------------------------------ */

/*
 * A class's own words under one policy (JSON), and who may see its records from now
 * on (struct record_class.access).  A definition, once made, is not changed.
 */
int catalogue_class_define(struct catalogue *c, const char *code, const char *access,
			   int64_t policy, const char *definition, struct err *e);
/* malloc'ed; MUNI_NOT_FOUND. */
int catalogue_class_definition(struct catalogue *c, const char *code, int64_t policy,
			       char **out, struct err *e);

#endif
