/*
 * What retain*.c share.
 */
#ifndef FS_VAULT_RETAIN_INSIDE_H
#define FS_VAULT_RETAIN_INSIDE_H

#include "fs/vault/classify.h"
#include "fs/vault/inside.h"
#include "fs/vault/retain.h"
#include "policy/glob.h"
#include "policy/memory.h"
#include "policy/when.h"

#define RETIRED_EVENT "system-retired"

/* ---- classes and their definitions (retain_classes.c) -------------------------------- */

struct retain_policy {
	int64_t id;
	struct policy *policy;	/* owned */
	struct civil today;	/* in its zone */
};

struct retain_definition {	/* what one policy says of a class */
	const struct retain_policy *policy;
	const struct policy_class *class;
};

struct retain_class {
	struct record_class row;
	bool is_loaded;		/* the definitions are */
	struct retain_definition *definitions;	/* owned */
	size_t count;
};

struct retain_classes {
	struct catalogue *c;
	int64_t now;
	bool has_day;		/* it is this day everywhere */
	struct civil day;
	struct retain_class *list;	/* owned; by id */
	struct retain_class **by_code;	/* owned */
	size_t count;
	struct retain_policy **policies;	/* owned, each too */
	size_t policy_count;
	struct shortened {
		char code[68];
		int64_t policy, upto;
	} *shortened;		/* owned */
	size_t shortened_count;
	struct err *e;		/* of the call that is going on */
};

int retain_classes_open(struct retain_classes *k, struct catalogue *c, int64_t now,
			struct err *e);
void retain_classes_close(struct retain_classes *k);
/* Of a restricted twin its base; MUNI_DAMAGED without such a class. */
int retain_class_of(struct retain_classes *k, int64_t id, struct retain_class **out,
		    bool *is_restricted, struct err *e);
struct retain_class *retain_class_named(struct retain_classes *k, const char *code);
/* The definitions that count, loaded when first asked for. */
int retain_class_load(struct retain_classes *k, struct retain_class *class, struct err *e);

/* ---- classes of paths (retain_paths.c) ---------------------------------------------- */

/*
 * What the classification, or officers, say of a path.  Asked in order of paths it
 * costs a row each, else a seek: a page of them is kept.
 */
struct retain_paths {
	struct catalogue *c;
	enum path_class_by by;
	int64_t system;		/* of the page; 0: there is none */
	char *text;		/* owned: paths, one behind the other */
	size_t text_size, text_room;
	struct path_class {
		size_t at, size;
		const struct retain_class *class;
	} *list;		/* owned */
	size_t count, room;
	char *from;		/* owned: where the page begins */
	size_t from_size;
	unsigned limit;		/* rows asked for */
	bool is_last;		/* nothing comes behind it */
	unsigned hits;
	struct retain_classes *classes;
	struct err *e;
};
void retain_paths_close(struct retain_paths *p);
/* *out NULL: it says nothing of it. */
int retain_path_class(struct retain_paths *p, int64_t system, const char *path, size_t size,
		      const struct retain_class **out, struct err *e);

/* ---- moments (retain_moments.c) ----------------------------------------------------- */

struct retain_moments {
	struct retain_version {
		int64_t id, system, ingested;
		uint64_t number;	/* in its system, from 1 */
	} *versions;		/* owned; by id */
	size_t version_count;
	struct retain_system {
		struct system row;
		int64_t newest;		/* version */
		int64_t ingested;	/* that was */
		uint64_t versions;
	} *systems;		/* owned; by id */
	size_t system_count;
	struct retain_event {
		int64_t system;
		char *name;	/* owned */
		int64_t at;
		bool is_day;
	} *events;		/* owned; by system and name, the latest of each */
	size_t event_count;
	struct err *e;
};
int retain_moments_open(struct retain_moments *m, struct catalogue *c, struct err *e);
void retain_moments_close(struct retain_moments *m);
const struct retain_system *retain_system_of(const struct retain_moments *m, int64_t id);
const struct retain_version *retain_version_of(const struct retain_moments *m, int64_t id);
/* As policy/retention.h wants it, for a record or an item that is like one. */
struct retain_moment {
	const struct retain_moments *all;
	const struct zone *zone;
	int64_t system;
	int64_t modified, created, ingested;
	bool has_created;
	int64_t retired;	/* where no event says when */
};
bool retain_moment(void *arg, const char *word, int64_t *seconds);
/* Does the inventory speak of the very file that was archived? */
bool retain_is_as_scanned(const struct item_row *item, const struct node *n);

/* ---- scopes (retain_scope.c) -------------------------------------------------------- */

/* A glob; without any sign of one it is a name, and covers what is below it too. */
struct path_scope {
	const struct glob *glob;	/* NULL: any path */
	const char *name;	/* NULL: it is a glob */
	size_t name_size;
};
int path_scope_open(struct path_scope *p, struct memory *m, const char *text, struct err *e);
bool path_scope_covers(const struct path_scope *p, const char *path, size_t size);

struct scope {			/* compiled */
	int64_t system, upto;
	struct path_scope path;
	char *class_code;	/* owned; NULL: any */
	struct when *query;	/* owned; NULL: any */
};
/* The glob lives in m.  what: "the hold H1", for messages. */
int scope_open(struct scope *s, struct memory *m, const struct scope_row *row,
	       const char *what, struct err *e);
void scope_close(struct scope *s);

struct scope_facts {		/* of one record, made when a query first asks */
	struct catalogue *c;
	const struct record *record;
	int64_t now;
	bool is_filled;
	struct item_row item;
	bool has_item;
	struct item_facts facts;	/* kept for the next record */
	char owner[256], group[256];
};
void scope_facts_begin(struct scope_facts *f, const struct record *r);
void scope_facts_close(struct scope_facts *f);

/* classes: codes, the record's.  is_strict: what is not known does not match. */
int scope_covers(const struct scope *s, const struct record *r, const char *const *classes,
		 size_t class_count, struct scope_facts *f, bool is_strict, bool *out,
		 struct err *e);

/* What was asked for as a row: names found, words checked.  *system: id 0 where none was
 * named. */
int retain_scope_resolve(struct vault *v, const struct scope_request *s, struct scope_row *out,
			 struct system *system, struct err *e);

/* ---- the retainer ------------------------------------------------------------------- */

struct retain_hold {
	int64_t id;
	struct scope scope;
};
struct retain_extension {
	int64_t until;		/* civil_day() */
	struct scope scope;
};

struct retainer {
	struct catalogue *c;
	int64_t now;
	struct retain_classes classes;
	struct retain_paths by_policy, by_officer;
	struct retain_moments moments;
	bool has_node_classes;
	struct memory memory;	/* globs */
	struct retain_hold *holds;	/* owned */
	size_t hold_count;
	struct retain_extension *extensions;	/* owned */
	size_t extension_count;
	struct scope_facts facts;
	/* Of the record at hand: */
	struct retain_class **found;	/* owned; its classes */
	const char **codes;	/* owned; theirs */
	size_t found_count, found_room;
	bool is_restricted;
	struct record_term *terms;	/* owned */
	const struct retain_policy **term_policies;	/* owned; one a term */
	size_t term_count, term_room;
	int64_t *covering;	/* owned; room for every hold */
	struct err *e;
};

/* From now on it is this day, in every time zone. */
void retainer_set_day(struct retainer *r, struct civil day);
/* The classes of a record alone: r->found, r->codes. */
int retainer_classes(struct retainer *r, const struct record *record, struct err *e);
/* After that r->terms.  *lacks: a class that no policy describes, so that nobody can say
 * how long. */
int retainer_terms(struct retainer *r, const struct record *record, bool *lacks, struct err *e);

#endif
