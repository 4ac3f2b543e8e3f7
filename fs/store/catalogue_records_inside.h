/*
 * What the files of the walk over all records share: a directory's rows a page at a
 * time, the way down to it, the paths that it had before.
 */
#ifndef FS_STORE_CATALOGUE_RECORDS_INSIDE_H
#define FS_STORE_CATALOGUE_RECORDS_INSIDE_H

#include "fs/store/catalogue_inside.h"
#include "fs/store/catalogue_retention.h"

struct record_row {		/* of a directory, as it is read */
	char name[CATALOGUE_NAME_MAX + 1];
	uint16_t name_size;
	int64_t first, last;
	enum node_kind kind;
	int64_t target;
	uint8_t salt[16];
	struct node node;	/* not of a directory */
};

struct record_pending {		/* a directory whose turn comes when names pass "NAME/" */
	struct record_pending *below;	/* of a stack */
	int64_t id, lo, hi;
	uint16_t name_size;
	char name[];
};

struct record_earlier {		/* a path that the directory had before */
	char *path;		/* owned */
	size_t size;
	int64_t last;
};

struct record_frame {		/* a directory, in versions lo..hi */
	int64_t id, lo, hi;
	int64_t mark;		/* as in catalogue_paths.c */
	size_t path_size;	/* of the walk's path */
	struct record_row *rows;	/* a page; owned */
	size_t count, at, room;
	char after[CATALOGUE_NAME_MAX + 1];	/* the last name of the page before */
	uint16_t after_size;
	int64_t after_first;
	bool is_last_page;
	struct record_pending *pending;	/* owned */
	bool has_earlier;	/* was looked up */
	struct record_earlier *earlier;	/* owned */
	size_t earlier_count;
};

struct record_walk {
	struct catalogue *c;
	int64_t system, newest;
	struct record_frame *frames;	/* owned; a stack */
	size_t count, room;
	char *path;		/* owned: of the frame on top, then of the row */
	size_t path_room;
	char **others;		/* owned, as are its texts */
	size_t other_count;
	int (*row)(void *arg, const struct record *r);
	void *arg;
	bool is_stopped;
	struct err *e;
};

int records_no_memory(struct err *e);

/* ---- reading (catalogue_records_read.c) --------------------------------------------- */

/* Columns from 0: name, first, last, kind, target, salt, content, class, attrs. */
int records_row(struct query *q, int64_t directory, struct record_row *r, struct err *e);
/* The next page of a directory. */
int records_page(struct record_walk *w, struct record_frame *f, struct err *e);
/* Into w->others: the paths that a row had before the frame's versions. */
int records_others(struct record_walk *w, struct record_frame *f, const struct record_row *r,
		   struct err *e);
void records_drop_others(struct record_walk *w);
/* Nothing stood in it while it had this name: it was archived for its own sake. */
int records_is_empty(struct record_walk *w, const struct record_row *r, bool *out,
		     struct err *e);
/* The newest version in which the row stands. */
int64_t records_newest(const struct record_walk *w, const struct record_row *r);

/* ---- telling (catalogue_records_tell.c) --------------------------------------------- */

/* The walk's path, with a name behind the first `size` bytes. */
int records_path(struct record_walk *w, size_t size, const char *name, size_t name_size,
		 size_t *out, struct err *e);
int records_push(struct record_walk *w, int64_t id, int64_t lo, int64_t hi, size_t path_size,
		 struct err *e);
void records_pop(struct record_walk *w);
int records_tell(struct record_walk *w, struct record_frame *f, const struct record_row *r,
		 const struct node *n, struct err *e);
int records_tell_directory(struct record_walk *w, struct record_frame *f,
			   const struct record_row *r, struct err *e);
void records_end(struct record_walk *w);

#endif
