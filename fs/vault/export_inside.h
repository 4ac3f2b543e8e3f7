/*
 * What the formats of export share: the version's entries in order, prepared
 * by a thread of their own; reading content; what could not be carried.
 * Only fs/vault/export* includes this.
 */
#ifndef FS_VAULT_EXPORT_INSIDE_H
#define FS_VAULT_EXPORT_INSIDE_H

#include "fs/base/err.h"
#include "fs/vault/export.h"
#include "fs/vault/reader.h"

#define EXPORT_CACHE ((size_t)96 << 20)		/* of decoded blocks */
#define EXPORT_CATALOGUE_CACHE ((size_t)8 << 20)	/* of each connection */
#define EXPORT_PIECE ((size_t)1 << 20)		/* content is read so much at a time */

/* ---- one entry, with everything that the catalogue knows of it -------------- */

struct export_item {		/* owned; export_item_free() */
	char *path;		/* bytes, NUL ended; "" is the root */
	size_t path_size;
	const char *name;	/* its last component, in path */
	unsigned depth;		/* 0: the root */
	struct node node;	/* with its digest */
	char *symlink;		/* NULL unless it is one */
	uint8_t *xattrs;	/* NULL: none */
	size_t xattrs_size;
	char owner[256], group[256];	/* "" unknown */
	size_t charge;		/* bytes that were prefetched for it */
};

struct export_item *export_item_new(const char *path, size_t size);	/* NULL: no memory */
void export_item_free(struct export_item *item);	/* NULL is allowed */

/* ---- the run ------------------------------------------------------------------- */

enum export_loss {
	LOSS_BTIME, LOSS_CTIME, LOSS_OWNER, LOSS_XATTR, LOSS_TRUSTED, LOSS_ACL, LOSS_MODE,
	LOSS_TIME, LOSS_TIME_RANGE, LOSS_HOLES, LOSS_LINK, LOSS_SYMLINK, LOSS_DEVICE,
	LOSS_FIFO, LOSS_SOCKET, LOSS_NAME, LOSS_EMPTY_DIRECTORY, LOSS_COUNT
};

struct export {
	struct vault *vault;
	struct version version;
	const struct export_options *options;
	const struct vault_monitor *monitor;
	void (*loss)(void *arg, const char *path, const char *what);
	void *loss_arg;
	struct export_result *result;
	uint64_t losses[LOSS_COUNT];
	unsigned threads;
	struct block_cache *cache;
	struct vault_progress progress;
	int64_t told;		/* when progress was last told, in ms */
};

/* The caller's thread only.  Each kind is told one by one up to a limit, then
 * summed up by export_tell_rest(). */
void export_lose(struct export *x, enum export_loss kind, const struct export_item *item);
void export_tell_rest(struct export *x);
/* Counts items and bytes; tells progress now and then; MUNI_CANCELLED. */
int export_step(struct export *x, unsigned items, uint64_t bytes, struct err *e);
void export_count(struct export *x, const struct export_item *item);	/* in the result */
/* A new stage with counts from zero. */
void export_stage(struct export *x, const char *stage);

int export_dir(struct export *x, struct err *e);	/* also EXPORT_BAGIT */
int export_tar(struct export *x, struct err *e);
int export_zip(struct export *x, struct err *e);

/* ---- entries in order --------------------------------------------------------------- */

/*
 * A thread that walks the version, depth first, the root first, and prefetches
 * content ahead; bounded in entries and in bytes ahead.
 */
struct export_walk;

/* with_prefetch: content will be read in this very order. */
int export_walk_start(struct export *x, bool with_prefetch, struct export_walk **out,
		      struct err *e);
/* The next entry (the caller's); NULL at the end. */
int export_walk_next(struct export_walk *w, struct export_item **out, struct err *e);
/* Its content is read: what was prefetched for it no longer counts. */
void export_walk_done(struct export_walk *w, const struct export_item *item);
void export_walk_stop(struct export_walk *w);	/* NULL is allowed */

/* ---- content -------------------------------------------------------------------------- */

struct export_content;		/* of one thread */

int export_content_open(struct export *x, struct export_content **out, struct err *e);
void export_content_close(struct export_content *c);	/* NULL is allowed */

/*
 * Gives a file's data in ascending order; gaps are holes.  On the way it is
 * hashed as fs/vault/leaf.h says and compared with the catalogue's digest:
 * MUNI_DAMAGED if it differs.
 */
typedef int (*export_run)(void *arg, uint64_t offset, const void *data, size_t size,
			  struct err *e);
int export_content_each(struct export_content *c, const struct export_item *item,
			export_run run, void *arg, struct err *e);

struct export_hole_map {	/* owned; free(runs) */
	struct { uint64_t offset, size; } *runs;
	size_t count;
	uint64_t bytes;		/* of data */
};

/* Runs of data; count 0 and bytes 0 for a file that is all hole. */
int export_content_map(struct export_content *c, const struct node *n,
		       struct export_hole_map *out, struct err *e);
bool export_has_holes(const struct node *n);

/* ---- files with several names ------------------------------------------------------------ */

/* Node ids with the path under which each was written first. */
struct export_links {
	struct { int64_t node; char *path; } *slots;	/* open addressing; node 0: free */
	size_t size, used;
};

/* NULL: not seen yet. */
const char *export_links_find(const struct export_links *l, int64_t node);
int export_links_add(struct export_links *l, int64_t node, const char *path, struct err *e);
void export_links_free(struct export_links *l);

#endif
