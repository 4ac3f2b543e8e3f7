/*
 * What the formats of export share: the source's entries in order, prepared
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
#define EXPORT_HANDFUL 256		/* entries */

/* ---- one entry, with everything that is known of it --------------------------- */

struct live_file;

struct export_item {		/* owned; export_item_free() */
	char *path;		/* bytes, NUL ended; "" is the root */
	size_t path_size;
	const char *name;	/* its last component, in path */
	unsigned depth;		/* 0: the root */
	struct node node;	/* with its digest; names of one file have one id */
	bool has_plain_digest;	/* node.sha256 is of its bytes, holes as zeros */
	char *symlink;		/* NULL unless it is one */
	uint8_t *xattrs;	/* NULL: none */
	size_t xattrs_size;
	char owner[256], group[256];	/* "" unknown */
	size_t charge;		/* bytes that were prefetched for it */
	const void *made;	/* all of it as the format has it; NULL: it is to be made; borrowed */
	size_t made_size;	/* good until the next entry is taken */
	/* Of a live source: */
	struct live_file *file;	/* open, while its content may be asked for; owned */
	bool is_dropped;	/* its content could not be had: it does not stay */
	char *problem;		/* no entry at all, but why there is none; owned */
};

struct export_item *export_item_new(const char *path, size_t size);	/* NULL: no memory */
void export_item_free(struct export_item *item);	/* NULL is allowed */

/* ---- the run ------------------------------------------------------------------- */

enum export_loss {
	LOSS_BTIME, LOSS_CTIME, LOSS_OWNER, LOSS_XATTR, LOSS_TRUSTED, LOSS_ACL, LOSS_MODE,
	LOSS_TIME, LOSS_TIME_RANGE, LOSS_HOLES, LOSS_LINK, LOSS_SYMLINK, LOSS_DEVICE,
	LOSS_FIFO, LOSS_SOCKET, LOSS_NAME, LOSS_EMPTY_DIRECTORY, LOSS_COUNT
};

struct export_source;
struct export_content;
struct buffer;

struct export {
	struct vault *vault;
	const struct export_source *source;
	struct version version;	/* of a live source: its name and sums alone */
	struct live *live;	/* NULL: the version is the source */
	int workfd;		/* directories: where notes may be kept meanwhile; borrowed */
	const struct export_options *options;
	const struct vault_monitor *monitor;
	void (*loss)(void *arg, const char *path, const char *what);
	void (*problem)(void *arg, const void *path, size_t path_size, const char *what);
	void *arg;		/* of both */
	struct export_result *result;
	/* Of a stream's format, by several threads at once: appends what a small entry is in it, which
	 * depends on no other entry; nothing, or a piece to be cut off again (-1), where the
	 * writer has to make it himself, and to say why it cannot be.  NULL: no such thing. */
	int (*make)(const struct export_item *item, struct export_content *c, struct buffer *out);
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
/* An item of the source that could not be had (whole). */
void export_problem(struct export *x, const void *path, size_t path_size, const char *what);
/* A new stage with counts from zero. */
void export_stage(struct export *x, const char *stage);

int export_dir(struct export *x, struct err *e);	/* also EXPORT_BAGIT */
int export_tar(struct export *x, struct err *e);
int export_zip(struct export *x, struct err *e);

/* ---- entries in order --------------------------------------------------------------- */

/*
 * A thread that goes through the source, depth first, the root first; bounded in entries and
 * in bytes ahead.  What it meets others look up, by the handful, and prefetch its content;
 * of what is one stream they make the small entries, so that who writes has only to copy.
 */
struct export_walk;

enum export_pass {
	PASS_ONLY,		/* content will be read in this very order */
	PASS_FIRST,
	PASS_AGAIN,		/* the entries of PASS_FIRST, and no others */
};

int export_walk_start(struct export *x, enum export_pass pass, struct export_walk **out,
		      struct err *e);
/* The next entry (the caller's); NULL at the end. */
int export_walk_next(struct export_walk *w, struct export_item **out, struct err *e);
/* Its content is read: what was prefetched for it no longer counts. */
void export_walk_done(struct export_walk *w, const struct export_item *item);
void export_walk_stop(struct export_walk *w);	/* NULL is allowed */

/* For what is one stream: each entry goes to put(), in order, and is counted. */
int export_each(struct export *x,
		int (*put)(void *arg, const struct export_item *item, struct err *e), void *arg,
		struct err *e);

/* For a source's walk().  Takes the item.  0: go on; 1: all is stopping. */
int export_walk_give(struct export_walk *w, struct export_item *item);
/* Waits until its first bytes may be fetched ahead; then item->charge says how many.
 * false: all is stopping. */
bool export_walk_charge(struct export_walk *w, struct export_item *item);

/* ---- content -------------------------------------------------------------------------- */

/* struct export_content: of one thread. */
int export_content_open(struct export *x, struct export_content **out, struct err *e);
void export_content_close(struct export_content *c);	/* NULL is allowed */
/* What the source's walk has left open about these entries; their content is prefetched. */
int export_content_look_up(struct export_content *c, struct export_item *const *items,
			   size_t count, struct err *e);

/*
 * Gives a file's data in ascending order; gaps are holes.  On the way it is hashed
 * (fs/vault/leaf.h) and compared with the digest that is known: MUNI_DAMAGED if it
 * differs.  MUNI_INCOMPLETE: the live file cannot be read, or has changed.
 */
typedef int (*export_run)(void *arg, uint64_t offset, const void *data, size_t size,
			  struct err *e);
int export_content_each(struct export_content *c, const struct export_item *item,
			export_run run, void *arg, struct err *e);

/* From now on a file that differs may be told only when later ones are read: for who ends with
 * it in any case.  Of a version, not of a live source, where the file decides what is told. */
void export_content_behind(struct export_content *c);
/* Tells of those that were not told yet; before the target is finished. */
int export_content_settle(struct export_content *c, struct err *e);

/* The same for a target that cannot take back what it has written: it ends with the
 * file that cannot be read. */
int export_content_all(struct export_content *c, const struct export_item *item,
		       export_run run, void *arg, struct err *e);

struct export_hole_map {	/* owned; free(runs) */
	struct { uint64_t offset, size; } *runs;
	size_t count;
	uint64_t bytes;		/* of data */
};

/* Runs of data; count 0 and bytes 0 for a file that is all hole. */
int export_content_map(struct export_content *c, const struct export_item *item,
		       struct export_hole_map *out, struct err *e);
bool export_has_holes(const struct node *n);
/* Why the format takes no such file, a sentence without its name; NULL: it does.  Zip and BagIt
 * have no holes: a few bytes that say they are 2^63 long would be written as zeros for years. */
const char *export_refusal(const struct export *x, const struct node *n);

/* ---- where it all comes from ------------------------------------------------------------ */

/* A version of the archive, or a live directory. */
struct export_source {
	size_t ahead;		/* entries that may wait for the writer */
	size_t handful;		/* of them are handed to it at once; at most EXPORT_HANDFUL */
	/* In the walker's thread: every entry to export_walk_give(). */
	int (*walk)(struct export *x, struct export_walk *w, enum export_pass pass,
		    struct err *e);
	/* In any thread, with what open() gave it: all that walk() did not say of them, and
	 * prefetches what they are charged for.  NULL: it says all. */
	int (*look_up)(void *reader, struct export_item *const *items, size_t count,
		       struct err *e);
	/* After MUNI_INCOMPLETE from its content: no name of the item is to stay; in
	 * PASS_AGAIN they all are is_dropped.  NULL: there is no such failure. */
	int (*drop)(struct export *x, const struct export_item *item, struct err *e);
	/* What one thread reads content with. */
	int (*open)(struct export *x, void **reader, struct err *e);
	void (*close)(void *reader);	/* NULL is allowed */
	/* The run of data at or after `at`: [*from, *to); *from the size at the end. */
	int (*next_run)(void *reader, const struct export_item *item, uint64_t at,
			uint64_t *from, uint64_t *to, struct err *e);
	/* All of it, which is no hole. */
	int (*read)(void *reader, const struct export_item *item, uint64_t offset, void *out,
		    size_t size, struct err *e);
	/* It will be read soon; never fails. */
	void (*prefetch)(void *reader, const struct export_item *item, uint64_t offset,
			 size_t size);
	/* All was read, and is not what it should be: why. */
	/* item NULL: it is told later (export_content_behind()). */
	int (*differs)(const struct export_item *item, struct err *e);
	const char *unreadable, *remedy;	/* for "N files %s ...: %s" */
	/* Which export this is, in a line: only the same one goes on with what it left. */
	void (*mark)(const struct export *x, char *out, size_t size);
	/* Lines for a bag's list of tags. */
	void (*describe)(const struct export *x, char *out, size_t size);
};

extern const struct export_source export_version, export_live;

/* With x->source and all before it set: writes the whole of it. */
int export_run_all(struct export *x, struct err *e);

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
