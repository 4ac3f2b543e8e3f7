/*
 * Where sealed bytes lie: put, get a range, list, delete.  The local folder is
 * the first of the stores; object stores come later behind the same five calls.
 *
 *   O1  objects_put() returns 0 only once the object, whole, is on stable
 *       storage under its name; before that no reader sees the name.
 *   O2  An object is never changed after it was put (files 0400).
 *   O3  What a crashed put left behind is invisible to list, and removed by
 *       objects_sweep().
 *
 * A get follows an object that was replaced or deleted by another process: the
 * cached descriptor of a file without a name is dropped, not read.
 *
 * Names: "KIND/HEX" with KIND one of seg, par, cat and HEX 32 lower-case hex
 * digits; the folder store keeps seg/abcd... as segments/ab/abcd....seg and so
 * on.  Thread-safe.
 */
#ifndef FS_STORE_OBJECTS_H
#define FS_STORE_OBJECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct err;
struct objects;

enum objects_kind {
	OBJECTS_SEGMENT,	/* sealed blocks */
	OBJECTS_PARITY,
	OBJECTS_CATALOGUE,	/* sealed catalogue pages: base copies and redo */
	OBJECTS_KIND_COUNT,
};

struct object_name {
	enum objects_kind kind;
	uint8_t uid[16];
};

#define OBJECT_TEXT_MAX 40
const char *object_text(const struct object_name *n, char out[OBJECT_TEXT_MAX]);	/* "seg/ab12..." */

/* The local folder: dirfd (borrowed, kept open by the caller) holds the
 * archive and its sub-folder segments/.  MUNI_DAMAGED where that is missing: a
 * writer that made it anew would build on segments that are lost. */
int objects_open_folder(int dirfd, bool is_writable, struct objects **out, struct err *e);
void objects_close(struct objects *o);
/* Lets go of every descriptor that nobody reads through at this moment: of a file that
 * was removed, the last thing that keeps its bytes on the disk. */
void objects_release(struct objects *o);
/* segments/, where it is absent: for init and repair. */
int objects_make_folder(int dirfd, struct err *e);

/* MUNI_EXISTS if the name is taken.  parts are borrowed and may be changed. */
int objects_put(struct objects *o, const struct object_name *name, struct iovec *parts,
		size_t count, struct err *e);

/* An object in the making, for what is too large to hold in memory; one thread.
 * Nothing shows under the name before the commit. */
struct objects_writer;
int objects_writer_open(struct objects *o, const struct object_name *name,
			struct objects_writer **out, struct err *e);
int objects_writer_append(struct objects_writer *w, const void *data, size_t size,
			  struct err *e);
/* Once it is durable its pages leave the kernel's memory: of a long run of objects that
 * nobody is about to read, each is written where the one before was. */
void objects_writer_let_go(struct objects_writer *w);
/*
 * O1; frees w, also on failure.  MUNI_EXISTS if the name is taken, unless
 * may_replace: then the object appears in place of the old one in one step.
 * Replacing is for repair alone, which puts back the very bytes of before.
 */
int objects_writer_commit(struct objects_writer *w, bool may_replace, struct err *e);
void objects_writer_abort(struct objects_writer *w);	/* NULL is allowed */

/* Exactly size bytes; short: MUNI_DAMAGED; absent: MUNI_DAMAGED too, for only
 * names that should be there are asked for. */
int objects_get(struct objects *o, const struct object_name *name, uint64_t offset,
		void *out, size_t size, struct err *e);
/* Asks the disk for these bytes, which will be got soon; waits for nothing, never fails. */
void objects_expect(struct objects *o, const struct object_name *name, uint64_t offset,
		    uint64_t size);
/* MUNI_NOT_FOUND if absent. */
int objects_size(struct objects *o, const struct object_name *name, uint64_t *out,
		 struct err *e);
/* Sorted by uid.  *out is malloc'ed.  Files that are no object of ours are
 * counted in *strangers (may be NULL) and left alone. */
int objects_list(struct objects *o, enum objects_kind kind, struct object_name **out,
		 size_t *count, size_t *strangers, struct err *e);
/* Of the files of each kind. */
int objects_bytes(struct objects *o, uint64_t out[OBJECTS_KIND_COUNT], struct err *e);
/* Calls row() with the printable path below the archive of every file that is
 * no object of ours; left-overs of crashed puts are passed over.  -1 stops. */
int objects_strangers(struct objects *o, int (*row)(void *arg, const char *path),
		      void *arg, struct err *e);
/* Durable when it returns; absent is fine. */
int objects_delete(struct objects *o, const struct object_name *name, struct err *e);
/* Removes left-overs of crashed puts.  Only under the writer's lock. */
int objects_sweep(struct objects *o, struct err *e);

#endif
