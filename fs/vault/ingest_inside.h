/*
 * What the parts of an ingest share.  docs/architecture.md, "Ingest", says
 * why; in short:
 *
 *	walker ──items to read──► workers ──blocks──► segment writer
 *	   │  └──large files──► reader of large files ──chunks──► workers
 *	   └──────── events: runs, directories, segments, problems ────────┐
 *	                        the caller's thread: catalogue, progress ◄─┘
 *
 * A directory is cut into runs of entries.  A run is pushed as an event once all
 * its items were read; the catalogue's thread grafts it onto the tree of the
 * version before.  All state that spans runs (struct dir past its first part,
 * bodies' nodes) belongs to that one thread, so none of it is locked.
 *
 * No two locks of an ingest are held at once.
 */
#ifndef FS_VAULT_INGEST_INSIDE_H
#define FS_VAULT_INGEST_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fs/base/err.h"
#include "fs/base/queue.h"
#include "fs/vault/chunk.h"
#include "fs/vault/handle.h"
#include "fs/vault/ingest.h"
#include "fs/vault/ingest_map.h"
#include "fs/vault/inside.h"
#include "fs/vault/pack.h"
#include "fs/vault/selection.h"

#define RUN_ITEMS 1024		/* of a run, at most */
#define BATCH_ITEMS 128		/* small files that one worker reads at a time ... */
#define BATCH_BYTES (256u * 1024)	/* ... and about their bytes */
#define WHOLE_MAX (4u * 1024 * 1024)	/* larger files are cut by a thread of their own */
#define PIECE_SIZE (1024u * 1024)	/* of a large file, about */
#define READ_TRIES 3		/* of a file that changes while it is read */

struct run;
struct ingest;

/* ---- what the source says ---------------------------------------------------- */

struct meta {
	enum node_kind kind;
	uint32_t mode, uid, gid, links;
	uint32_t rdev_major, rdev_minor;
	uint64_t size;
	uint64_t held;		/* of it, about, by the file system: for progress */
	struct stamp mtime, ctime, atime, btime;
	/* What a source cannot say compares as equal to whatever stood before; mtime is
	 * then that of the archive which does not say it. */
	bool has_mtime, has_ctime, has_btime, has_source;
	bool is_partial;	/* an attribute could not be read: look again next time */
	uint64_t device, inode;
	const char *owner, *group;	/* interned; NULL: unknown */
	uint8_t *xattrs;		/* packed; owned; NULL: none */
	size_t xattrs_size;
	char *target;			/* of a symlink: size bytes; owned */
};
void meta_clear(struct meta *m);

/*
 * One inode's worth: what all names of a hard-link group share.  Filled by who
 * reads it; from body_done() on it belongs to the catalogue's thread.
 */
struct body {
	atomic_uint refs;
	struct meta meta;
	bool is_failed;		/* not to be stored: the problem has been told */
	bool is_unstable;
	bool is_counted;	/* catalogue's thread: its bytes are in the sums */
	bool wants_capture;	/* of meta there are the numbers alone: whoever opens it
				 * asks for the rest */
	int64_t class_id;
	/* Unchanged but for its class: the node whose content it keeps; 0: none. */
	int64_t keeps;
	/* Files with bytes: */
	struct digest digest;
	struct extent *extents;	/* owned */
	size_t extent_count, extent_capacity;
	uint64_t allocated;
	/* The node it became, or, unchanged, always was; 0: not settled yet. */
	int64_t node;
	bool is_known;		/* the walker found it unchanged: nothing was read */
	struct inode *inode;	/* of an archive's entry: takes the content; or NULL */
	/* Hard links: */
	bool is_shared;
	bool is_ready;		/* protected by links.lock, as is waiters */
	struct run **waiters;
	size_t waiter_count;
	uint32_t seen;		/* walker: names met so far */
};
struct body *body_new(void);	/* one reference, class 1; NULL without memory */
void body_unref(struct body *b);
/* Joins what continues the last extent.  false: out of memory. */
bool body_extend(struct body *b, uint64_t offset, const struct chunk_place *p);

/* ---- entries, runs, directories ------------------------------------------------- */

struct prior {			/* the entry of this name in the version before */
	bool is_there;
	enum node_kind kind;
	int64_t first;
	int64_t node;
	int64_t directory;
};

struct item {			/* a new or changed entry that is no directory */
	char *name;		/* NUL ended; owned */
	uint16_t name_size;
	struct prior prior;
	struct body *body;	/* one reference */
	struct run *run;
	struct item *next;	/* in the run */
	bool is_reader;		/* its body's problems are told under this name */
	int64_t class_id;	/* that this name was given; 0: its body's */
	bool has_leaf;		/* salt and leaf: of this name with this body, as read */
	uint8_t salt[16];
	struct digest leaf;
};

struct removal {		/* an entry of the version before that is no more */
	char *name;		/* owned */
	uint16_t name_size;
	struct prior prior;
};

struct tally {			/* of entries */
	uint64_t directories, files, others;
	uint64_t bytes;
};

struct run {
	struct dir *dir;
	struct item *first, **last;	/* owned, in byte order of names */
	size_t item_count;
	struct removal *removals;	/* owned */
	size_t removal_count, removal_capacity;
	atomic_uint pending;	/* items to be read, and the walker's own hold */
	struct run *before, *after;	/* protected by ingest.alive_lock */
};

struct dir {
	struct dir *parent;	/* NULL: the top; outlives its children */
	char *name;		/* owned; "" for the top */
	uint16_t name_size;
	struct prior prior;	/* of its name */
	int64_t prior_id;	/* whose listing it is compared with: prior.directory,
				 * or where it was renamed from; 0: it is new */
	struct meta meta;
	bool is_meta_same;	/* the walker saw: as the version before has it */
	bool is_gone;		/* vanished before it could be opened */
	size_t run_total, child_total;	/* valid when is_listed, as what follows: */
	uint64_t unchanged;	/* entries that cost nothing ... */
	struct tally kept;	/* ... and what they are */
	bool has_numbers;	/* new ones, if nothing in it is uncertain */
	struct numbers numbers;
	struct dir *next_listed;	/* told of with the same event */
	/* From here on only the catalogue's thread: */
	bool is_listed;
	size_t runs, children;	/* done so far */
	int64_t id;		/* 0: not given yet */
	bool is_changed;	/* an entry came, went or changed */
	bool is_uncertain;	/* something in it is to be read again next time */
	bool has_kept;		/* entries whose leaves stand in the catalogue only */
	struct digest *leaves;	/* of entries that this version adds; owned */
	size_t leaf_count, leaf_capacity;
	struct dir *before, *after;	/* protected by ingest.alive_lock */
};

/* ---- events -------------------------------------------------------------------- */

enum event_kind {
	EVENT_RUN,		/* run: all its items are read */
	EVENT_LISTED,		/* dir, and those behind it: metadata and totals are final */
	EVENT_SEGMENT,		/* segment: on stable storage */
	EVENT_PROBLEM,		/* problem: path and sentence */
	EVENT_NOTICE,		/* text */
	EVENT_PACKED,		/* the last segment has come */
};

struct problem {
	size_t path_size;
	char *what;		/* owned */
	char path[];
};

struct event {
	enum event_kind kind;
	union {
		struct run *run;
		struct dir *dir;
		struct pack_segment *segment;
		struct problem *problem;
		char *text;
	};
};

struct events;
struct events *events_new(void);
void events_push(struct events *q, struct event event);	/* waits for room */
/* Waits up to timeout_ms; false: nothing came. */
bool events_pop(struct events *q, int timeout_ms, struct event *out);
/* From now on pushes free their load at once. */
void events_cancel(struct events *q);
void events_free(struct events *q);
void event_drop(struct event *event);

/* ---- account names -------------------------------------------------------------- */

/* Names beside numbers; what is handed out stays until ingest_accounts_free(). */
struct ingest_accounts {
	pthread_mutex_t lock;
	struct map users, groups;	/* protected by lock: (number + 1, 0) -> name */
	struct map names;		/* protected by lock: digest of a name -> it */
};
void ingest_accounts_init(struct ingest_accounts *a);
void ingest_accounts_free(struct ingest_accounts *a);
/* The owner's and the group's name beside their numbers; NULL: the system knows none. */
int ingest_accounts_name(struct ingest_accounts *a, struct meta *m, struct err *e);
const char *ingest_accounts_intern(struct ingest_accounts *a, const char *name);	/* NULL: no memory */

/* ---- hard links ------------------------------------------------------------------ */

struct links {
	pthread_mutex_t lock;
	struct map bodies;	/* walker only: (device, inode) -> struct body * */
};

/* ---- the whole -------------------------------------------------------------------- */

struct graft;

struct ingest {
	struct vault *vault;
	const struct ingest_options *options;
	const struct vault_monitor *monitor;
	const char *source;	/* as the user gave it, for messages */
	int source_fd;		/* the directory, file or stream; owned */
	unsigned workers;
	struct version version;
	int64_t class_id;	/* where no decision gives another */
	struct restricted_class {
		int64_t id, base;
	} *restricted;		/* owned; constant once it has begun */
	size_t restricted_count;
	struct selection *selection;	/* what was decided to be archived; NULL: all is
					 * taken in; owned */
	struct left_out left_out;	/* by the walker, or the archive's reader */
	int64_t started;	/* seconds */
	int64_t prior_ingested;	/* seconds; of the version before */

	struct chunker chunker;
	struct packer *packer;
	bool is_ordered;	/* blocks are filled in the order of the tree: others will lean on them */
	struct queue *tasks;	/* struct task, to workers */
	struct queue *large;	/* struct large_file, to its reader */
	struct events *events;	/* to the caller's thread */
	struct ingest_pool *pool;	/* of buffers for pieces */
	struct links links;
	struct ingest_accounts accounts;
	struct ingest_tree *tree;	/* of an archive; owned */
	struct foreign *foreign;	/* an archive that is the source, or NULL; owned */
	pthread_mutex_t loose_lock;
	pthread_cond_t loose_none;
	size_t loose;		/* protected by loose_lock */
	atomic_ullong input_done, input_total;	/* bytes of the archive itself */
	struct map claimed;	/* walker; later the caller's: directory ids in use */
	struct graft *graft;

	pthread_mutex_t alive_lock;
	struct run *runs;	/* protected by alive_lock: all there are, so that */
	struct dir *dirs;	/* an ingest that fails leaves none behind */

	pthread_t *threads;
	size_t thread_count;
	atomic_uint working;	/* workers that still run */

	atomic_bool is_stopped;
	pthread_mutex_t failure_lock;
	struct err failure;	/* protected by failure_lock: the first one */

	atomic_bool is_walked;	/* nothing is left to count ahead of */
	atomic_ullong items_done, bytes_done, problems;
	atomic_ullong bytes_kept;	/* of unchanged files, that nobody read */
	atomic_ullong items_total, bytes_total;	/* 0: not known yet */
};

/* The first failure wins; everybody is woken and stops. */
void ingest_fail(struct ingest *g, const struct err *e);
static inline bool ingest_is_stopped(struct ingest *g)
{
	return atomic_load_explicit(&g->is_stopped, memory_order_relaxed);
}

/* A problem of one item: told, kept in the version, and the ingest goes on.
 * what: why, a sentence without the name. */
void ingest_problem(struct ingest *g, const struct dir *d, const char *name,
		    const char *format, ...) __attribute__((format(printf, 4, 5)));
/* The same, where a call refused it with `why`; for want of descriptors or memory, which is
 * the process's own, the ingest ends: nothing is left out for that. */
void ingest_refused(struct ingest *g, const struct dir *d, const char *name, const char *what,
		    int why);
void ingest_problem_at(struct ingest *g, const void *path, size_t path_size,
		       const char *format, ...) __attribute__((format(printf, 4, 5)));
void ingest_notice(struct ingest *g, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Whether a file is a copy of this archive's own keyring.
 * Taken in, it would come out of the archive after each switch of epoch, and open the older
 * copies of the archive that the switch has closed for ever: such a file is left out. */
bool ingest_is_keyring(const struct ingest *g, const struct keyring_look *l);
extern const char ingest_keyring_left_out[];	/* why, as a problem's sentence */
/* Path below the source, without a leading "/"; malloc'ed, NUL ended. */
char *ingest_path(const struct dir *d, const char *name, size_t *size);

/* The class that a stored node was given: of a restricted one that which it restricts. */
int64_t ingest_class_base(const struct ingest *g, int64_t class_id);
/* What was decided on it; counts it in out.  Only with a selection.  is_exact: size and
 * time are known, and must be those that were scanned. */
struct selected ingest_select(const struct ingest *g, const void *path, size_t path_size,
			      const struct meta *m, bool is_exact, struct left_out *out);
void left_out_add(struct left_out *sum, const struct left_out *more);

/* ---- parts ------------------------------------------------------------------------- */

struct run *run_new(struct ingest *g, struct dir *d);	/* with the caller's hold; NULL without memory */
/* A new item at the end; takes body, also on failure (NULL). */
struct item *run_add(struct run *r, const char *name, size_t name_size,
		     const struct prior *prior, struct body *body);
bool run_remove(struct run *r, const char *name, size_t name_size,
		const struct prior *prior);
/* One thing that the run waited for is there; the last one pushes it. */
void run_release(struct ingest *g, struct run *r);
void run_free(struct ingest *g, struct run *r);
struct dir *dir_new(struct ingest *g, struct dir *parent, const char *name,
		    size_t name_size);
void dir_free(struct ingest *g, struct dir *d);

/* body is filled: wakes its run, and the runs of its other names.  r NULL: it
 * belongs to an archive's entry, whose inode takes it; b is let go. */
void body_done(struct ingest *g, struct body *b, struct run *r);
/* Each directory id once a version: *is_first for the first claim.  -1: no memory to note it,
 * and a directory that is not claimed would be written beside what it was. */
int ingest_claim(struct ingest *g, int64_t id, bool *is_first, struct err *e);

/* What an archive's reader sent on its way, and what has come to its end. */
void loose_add(struct ingest *g);
void loose_done(struct ingest *g);
/* Waits until nothing is on its way; -1: the ingest was stopped. */
int loose_wait(struct ingest *g, struct err *e);

/* *out is to be freed also when it fails. */
int ingest_new(struct vault *v, const char *source, const struct ingest_options *o,
	       const struct vault_monitor *m, struct ingest **out, struct err *e);
void ingest_free(struct ingest *g);	/* after all threads have ended; NULL is allowed */
/* The directory, file or stream; *kind: what it is, until ingest_free(). */
int ingest_open_source(struct ingest *g, const char **kind, struct err *e);
/* Chunker and packer, once class and version are known. */
int ingest_make_parts(struct ingest *g, struct err *e);
/* Opens g->version, in a transaction that stays open. */
int ingest_begin(struct ingest *g, const char *source_kind, struct err *e);

/* Threads; each gets struct ingest. */
void *foreign_thread(void *arg);
void *ingest_worker(void *arg);
/* As pack_options.hand_over: to a worker that waits. */
bool ingest_hand_over(void *ingest, struct pack_filled *f);
void *ingest_large_reader(void *arg);
void *walk_thread(void *arg);
void *walk_census(void *arg);

/* Buffers that are used over and over; bounded by the queue they travel in. */
struct ingest_pool;
struct ingest_pool *ingest_pool_new(size_t size);	/* of each; NULL without memory */
void *ingest_pool_get(struct ingest_pool *p);		/* NULL without memory */
void ingest_pool_put(struct ingest_pool *p, void *buffer);	/* NULL is allowed */
void ingest_pool_free(struct ingest_pool *p);

struct piece;			/* a run of chunks of a large file */
struct inode;			/* of an archive's entry */

struct small_files {		/* whole files out of an archive, one after the other */
	struct ingest_pool *pool;
	uint8_t *data;		/* of the pool */
	size_t used, count;
	struct {
		struct inode *inode;
		uint32_t at, size;
	} files[BATCH_ITEMS];
};

struct task {			/* exactly one of the four */
	struct handle *handle;	/* of the items' directory */
	struct item *items[BATCH_ITEMS];
	size_t count;
	struct piece *piece;
	struct small_files *small;
	struct pack_filled *filled;	/* by another worker */
	struct task *next;	/* owned; for the same worker: neighbours share blocks */
};
struct large_file {
	struct handle *handle;
	struct item *item;
};
void task_free(void *task);	/* and those behind it */
void large_file_free(void *file);

#endif
