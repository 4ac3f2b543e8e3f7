/*
 * What keeps a record: events, holds, extensions, restrictions, and the walk over all
 * records.  docs/decisions/0090 says what a record is; docs/format.md, "Tables", what
 * each column holds.
 *
 * Every function that writes is called between catalogue_begin() and _commit().  A
 * catalogue of an older format has no events, holds and the like: there are none.
 */
#ifndef FS_STORE_CATALOGUE_RETENTION_H
#define FS_STORE_CATALOGUE_RETENTION_H

#include "fs/store/catalogue.h"

/* ---- records ---------------------------------------------------------------------- */

struct record_key {		/* names a record for ever */
	int64_t directory;
	int64_t first;		/* version */
	uint16_t name_size;
	char name[CATALOGUE_NAME_MAX + 1];
};

struct record {
	struct record_key key;
	int64_t system;
	int64_t last;		/* version; CATALOGUE_OPEN_ENDED */
	const char *path;	/* in its newest version; bytes, NUL ended; borrowed */
	size_t path_size;
	const char *const *other_paths;	/* that it had before a directory above was renamed */
	size_t other_count;
	uint8_t salt[16];	/* of its leaf */
	const struct node *node;	/* sha256 is not filled */
};

/*
 * Every record that a sealed version of the system (0: of all) can see: systems by
 * name, within them by newest path in byte order, then by first.  (Where directories
 * took each other's place under one name, what is in them comes one after the other.)
 * A directory is a record where nothing stood in it under that name.
 * row(): 0 go on, 1 stop, -1 its own error; no statement stands open meanwhile.
 */
int catalogue_records(struct catalogue *c, int64_t system,
		      int (*row)(void *arg, const struct record *r), void *arg, struct err *e);
/* One of them; MUNI_NOT_FOUND.  row as above, called once. */
int catalogue_record(struct catalogue *c, const struct record_key *key,
		     int (*row)(void *arg, const struct record *r), void *arg, struct err *e);

/* Classes of a node besides its own (names of one inode in several classes). */
int catalogue_node_class_add(struct catalogue *c, int64_t node, int64_t class_id,
			     struct err *e);
int catalogue_node_classes(struct catalogue *c, int64_t node,
			   int (*row)(void *arg, int64_t class_id), void *arg, struct err *e);
int catalogue_node_class_any(struct catalogue *c, bool *out, struct err *e);
/* Every definition of a class (catalogue_decisions.h), oldest policy first. */
int catalogue_class_definitions(struct catalogue *c, int64_t class_id,
				int (*row)(void *arg, int64_t policy, const char *definition),
				void *arg, struct err *e);
/* What the newest classification, or an officer, says of paths: those with a class, from
 * `from` on in byte order, at most `limit`.  The code is borrowed for the call. */
enum path_class_by { BY_POLICY, BY_OFFICER };
int catalogue_path_classes(struct catalogue *c, int64_t system, enum path_class_by by,
			   const void *from, size_t from_size, unsigned limit,
			   int (*row)(void *arg, const void *path, size_t path_size,
				      const char *code), void *arg, struct err *e);
/* Of all definitions that there are now this one alone counts for the class; ones that
 * come later count beside it. */
int catalogue_shortening_put(struct catalogue *c, const char *code, int64_t policy,
			     int64_t disposition, int64_t now, struct err *e);
struct shortening_row {
	const char *code;	/* of the class */
	int64_t policy, upto;	/* the definition that counts; newest policy at that time */
	int64_t disposition, made;
};
int catalogue_shortenings(struct catalogue *c,
			  int (*row)(void *arg, const struct shortening_row *s), void *arg,
			  struct err *e);

/* ---- events ------------------------------------------------------------------------ */

struct event_row {
	int64_t system;
	const char *name;	/* "system-retired", "case-closed" */
	int64_t at;		/* seconds; of a day without a time its start in UTC */
	bool is_day;		/* no second, but that day, whatever the time zone */
	int64_t recorded;
	const char *reason;	/* "": none given */
};
/* MUNI_EXISTS: it is there. */
int catalogue_event_put(struct catalogue *c, const struct event_row *r, struct err *e);
/* By system, name, time; system 0: all. */
int catalogue_events(struct catalogue *c, int64_t system,
		     int (*row)(void *arg, const struct event_row *r), void *arg,
		     struct err *e);

/* ---- holds and extensions ------------------------------------------------------------ */

struct scope_row {		/* all that are given must match */
	int64_t system;		/* 0: any */
	const char *path;	/* glob (policy/glob.h); NULL: any */
	const char *class_code;	/* NULL: any */
	const char *query;	/* a policy's `when:` condition as YAML; NULL: any */
	int64_t upto;		/* records whose `first` is no newer; 0: also what comes */
};

struct hold_row {
	int64_t id;
	struct scope_row scope;
	const char *case_ref, *mandate, *reason;	/* mandate may be NULL */
	int64_t placed;
	int64_t released;	/* 0: it stands */
	const char *released_because;
};
int catalogue_hold_add(struct catalogue *c, struct hold_row *h, struct err *e);	/* fills id */
int catalogue_hold_release(struct catalogue *c, int64_t id, int64_t now, const char *reason,
			   struct err *e);	/* MUNI_NOT_FOUND; MUNI_EXISTS: it was */
/* By id; texts are borrowed for the call, in which the catalogue may be read. */
int catalogue_holds(struct catalogue *c, bool with_released,
		    int (*row)(void *arg, const struct hold_row *h), void *arg, struct err *e);

struct extension_row {
	int64_t id;
	struct scope_row scope;
	int64_t until;		/* civil_day(): the last day on which it must be kept */
	const char *reason;
	int64_t made;
};
int catalogue_extension_add(struct catalogue *c, struct extension_row *x, struct err *e);
int catalogue_extensions(struct catalogue *c,
			 int (*row)(void *arg, const struct extension_row *x), void *arg,
			 struct err *e);

/* ---- restriction -------------------------------------------------------------------- */

/* The node moves to the restricted twin of its class (made where there is none), or
 * back.  *changed: it was not there yet. */
int catalogue_node_restrict(struct catalogue *c, int64_t node, bool is_restricted,
			    bool *changed, struct err *e);
/* The class that retention goes by: of a restricted twin its base. */
int catalogue_class_base(struct catalogue *c, int64_t class_id, int64_t *base, struct err *e);

/* Raised by every act that restricts or lifts: where it moved, what may be seen did. */
int catalogue_restriction_count(struct catalogue *c, uint64_t *out, struct err *e);
int catalogue_restriction_count_raise(struct catalogue *c, struct err *e);

#endif
