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
	char *name;
	unsigned version;
	struct digest digest;	/* of the text */
	int64_t stored;		/* seconds */
	char *text;		/* as it was given; owned */
	size_t text_size;
};
void policy_row_clear(struct policy_row *p);

/* By digest; each text is kept once, for ever. */
int catalogue_policy_intern(struct catalogue *c, struct policy_row *p, struct err *e);
int catalogue_policy_get(struct catalogue *c, int64_t id, struct policy_row *out,
			 struct err *e);

struct decision_row {
	int64_t item;
	uint8_t decision;	/* policy's enum decision */
	char *class_code;	/* NULL: none */
	uint8_t sensitivity, importance, confidence;
	char *rule;		/* id; NULL: no rule matched */
	char *matched;		/* ids of all that matched, "," between; NULL: none */
	char *evidence;		/* a sentence or two: why */
	int64_t policy;
	int64_t decided;	/* seconds */
	uint64_t size;		/* of the item when it was decided, and ... */
	struct stamp mtime;	/* ... when it was modified: what is newer is undecided */
	bool has_sha256;
	struct digest sha256;
};

struct override_row {
	char *path;		/* bytes */
	size_t path_size;
	uint8_t decision;
	char *class_code;	/* NULL: the policy's own */
	char *officer, *reason;
	int64_t made;
};

/* The override stands by the path: it survives classification and scans. */
struct decided_row {		/* what inventory, policy and officers say, together */
	struct item_row item;
	bool has_decision, has_override;
	struct decision_row policy;	/* what the policy says */
	struct override_row override;	/* what an officer says instead */
};

/* Replaces all decisions of a system (the old ones go in the same transaction). */
int catalogue_decisions_clear(struct catalogue *c, int64_t system, struct err *e);
int catalogue_decision_put(struct catalogue *c, const struct decision_row *d,
			   struct err *e);
int catalogue_override_put(struct catalogue *c, int64_t system,
			   const struct override_row *o, struct err *e);
int catalogue_override_drop(struct catalogue *c, int64_t system, const void *path,
			    size_t path_size, struct err *e);	/* MUNI_NOT_FOUND */
/* By path, as catalogue_items(). */
int catalogue_decided(struct catalogue *c, int64_t system, const void *after,
		      size_t after_size,
		      int (*row)(void *arg, const struct decided_row *r,
				 const char *duplicate_path, size_t duplicate_size),
		      void *arg, struct err *e);
int catalogue_decided_find(struct catalogue *c, int64_t system, const void *path,
			   size_t path_size, struct decided_row *out, struct err *e);
void decided_row_clear(struct decided_row *r);

/* The class's own words, as the policy last classified with defines it; access is
 * kept in struct record_class. */
int catalogue_class_define(struct catalogue *c, const char *code, const char *access,
			   const char *definition, int64_t policy, struct err *e);

#endif
