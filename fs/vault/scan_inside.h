/*
 * What the parts of a scan share.
 *
 *	walker ──batches of items──► workers ──batches──► caller's thread: the
 *	   └─────────── problems, empty directories ────► catalogue's only writer
 *
 * The walker goes through the source in one order; a worker holds each item against
 * its row of the scan before, and has it looked into where that differs; the
 * caller's thread writes rows and commits every few thousand.  For an archive the
 * reader of its entries is in the walker's place.
 *
 * What is known of an inode (struct content) is shared by its names, read under the
 * name that the walker met first: so rows do not depend on who was faster (S5).
 */
#ifndef FS_VAULT_SCAN_INSIDE_H
#define FS_VAULT_SCAN_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>

#include "fs/store/catalogue_items.h"
#include "fs/vault/foreign.h"
#include "fs/vault/scan.h"
#include "fs/vault/seen.h"
#include "fs/vault/walk.h"

#define SCAN_BATCH_ITEMS 64
#define SCAN_BATCH_BYTES (1u << 20)	/* of files, about: a larger one goes alone */
#define SCAN_READ_TRIES 3		/* of a file that changes while it is read */

/* ---- what is known of an inode's bytes ------------------------------------------ */

struct content {
	atomic_uint refs;
	bool has_sha256;
	struct digest sha256;
	char *format, *claimed, *encoding, *script, *opaque;	/* owned; NULL: none */
	struct stored_finding *findings;			/* owned */
	size_t finding_count;
	bool is_unsettled;	/* to be looked at again next time */
};

/* All NULL without memory; one reference. */
struct content *content_of_examination(const struct examination *x);
struct content *content_of_row(struct item_row *r);	/* takes r's texts */
struct content *content_of_format(const char *format);	/* nothing to look into */
/* It could not be looked into: why; it is tried again next time. */
struct content *content_unread(const char *why);
bool content_add_reason(struct content *c, const char *why);	/* false: no memory */
/* The same under a name whose extension claims something else ("": nothing). */
struct content *content_claimed(const struct content *c, const char *claimed);
struct content *content_ref(struct content *c);
void content_unref(struct content *c);	/* NULL is allowed */

/* ---- items ------------------------------------------------------------------------ */

enum scan_outcome {
	SCAN_ITEM,		/* to be written */
	SCAN_UNCHANGED,		/* row: its id */
	SCAN_PROBLEM,		/* no item: path and text */
	SCAN_NOTICE,		/* text */
	SCAN_FORGET,		/* its row, if there is one, is of something else */
	SCAN_LINK,		/* another name of the archive's entry whose path is text */
};

/* The bytes of an archive's entry, on their way through a pipe.  They may end
 * because all came or because the rest could not be read (foreign.h, F3): who read
 * them asks here before it believes them. */
#define SCAN_FAILURE_MAX 512
struct pour {
	atomic_uint refs;
	pthread_mutex_t lock;
	pthread_cond_t is_over;
	bool has_ended, is_whole;	/* protected by lock, as is failure */
	char failure[SCAN_FAILURE_MAX];	/* why the bytes are not all */
};

struct scan_item {
	struct scan_item *next;	/* in its batch, or among its group's waiters */
	enum scan_outcome outcome;
	char *path;		/* bytes, NUL ended; owned; NULL: the source itself */
	size_t path_size;
	const char *name;	/* the last part, in path */
	struct meta meta;
	struct handle *dir;	/* live: of the directory it stands in */
	struct scan_group *group;	/* of an inode with several names; or NULL */
	bool is_leader;		/* its name is the one that the group is read under */
	/* An archive's entry: its bytes in memory, or in a pipe. */
	bool is_entry;
	uint8_t *data;		/* owned */
	size_t data_size;
	int fd;			/* the pipe, else -1; owned */
	uint64_t will_come;	/* through it; UINT64_MAX: nobody knows */
	struct pour *pour;	/* where fd is a pipe */
	struct content *content;	/* one reference */
	char *text;		/* of a problem, notice or link; owned */
	int64_t row;
};
/* NULL without memory.  path: copied. */
struct scan_item *scan_item_new(enum scan_outcome outcome, const char *path, size_t size);
void scan_item_free(struct scan_item *i);

struct scan_batch {
	struct scan_batch *next;
	struct scan_item *first, **last;	/* owned */
	size_t count;
	uint64_t bytes;
};
struct scan_batch *scan_batch_new(void);	/* NULL without memory */
void scan_batch_add(struct scan_batch *b, struct scan_item *i);
void scan_batch_free(void *batch);

/* ---- names of one inode -------------------------------------------------------------- */

struct scan_group {
	atomic_uint refs;
	uint32_t seen;		/* walker: names met so far */
	pthread_mutex_t lock;
	/* protected by lock: */
	struct content *content;	/* NULL: not known yet */
	bool is_lost;		/* the leader is gone: who comes next leads */
	struct scan_item *waiters, **last_waiter;
};
struct scan_group *scan_group_new(void);	/* one reference; NULL without memory */
void scan_group_unref(struct scan_group *g);	/* NULL is allowed */
enum scan_place { SCAN_KNOWN, SCAN_WAITS, SCAN_LEADS };
/* What i, no leader so far, has to do.  SCAN_WAITS: it belongs to the group now.
 * SCAN_KNOWN: it has the group's content. */
enum scan_place scan_group_join(struct scan_item *i);
/* What the leader read; those that waited for it (they have it now), as a list. */
struct scan_item *scan_group_lead(struct scan_group *g, struct content *c);
/* The leader found nothing: who leads in its stead, or NULL: who comes next will. */
struct scan_item *scan_group_hand_on(struct scan_group *g);

/* ---- results on their way to the caller's thread ---------------------------------------- */

struct flow;
struct flow *scan_flow_new(void);		/* NULL without memory */
void scan_flow_free(struct flow *f);		/* NULL is allowed */
/* One more batch is under way: before it is handed to anybody. */
void scan_flow_begin(struct flow *f);
void scan_flow_push(struct flow *f, struct scan_batch *b);	/* waits for room; takes b */
/* Waits up to timeout_ms; NULL: nothing came.  scan_flow_done() when it is written. */
struct scan_batch *scan_flow_pop(struct flow *f, int timeout_ms);
void scan_flow_done(struct flow *f);
bool scan_flow_is_over(struct flow *f);	/* nothing is under way */
/* Waits until no more than `left` are; false: stopped.  For who has one of them. */
bool scan_flow_wait(struct flow *f, size_t left);
void scan_flow_stop(struct flow *f);		/* pushes drop their load from now on */

/* ---- the whole -------------------------------------------------------------------------- */

struct scanning {
	struct vault *vault;
	const struct scan_options *options;
	const struct vault_monitor *monitor;
	const char *source;
	int source_fd;		/* owned */
	struct statx source_sx;
	struct ingest_options left_out;	/* for walk_is_excluded() */
	unsigned workers;
	struct scan scan;
	bool is_resumed, has_rows;
	struct ingest_accounts accounts;
	struct examiner *examiner;	/* owned */
	struct foreign *foreign;	/* an archive is the source; owned */
	struct queue *tasks;		/* struct scan_batch, to workers */
	struct flow *flow;
	struct map groups;		/* walker: (device, inode) -> struct scan_group */
	struct seen seen;		/* caller's thread: which items were there */
	struct scan_result *result;	/* caller's thread */
	bool is_open;			/* caller's thread: a transaction is, of so many */
	uint64_t uncommitted;		/* rows */

	pthread_t *threads;
	size_t thread_count;
	atomic_bool is_stopped, is_walked;
	pthread_mutex_t failure_lock;
	struct err failure;		/* protected by failure_lock: the first one */
	atomic_ullong items_done, bytes_done, read_bytes, problems;
	atomic_ullong items_total, bytes_total;
};

/* *out is to be freed also when it fails. */
int scanning_new(struct vault *v, const char *source, const struct scan_options *o,
		 const struct vault_monitor *m, struct scanning **out, struct err *e);
void scanning_free(struct scanning *s);	/* after all threads; NULL is allowed */
/* The first failure wins; everybody is woken and stops. */
void scan_fail(struct scanning *s, const struct err *e);
static inline bool scan_is_stopped(struct scanning *s)
{
	return atomic_load_explicit(&s->is_stopped, memory_order_relaxed);
}

/* From any thread, on its own way to the caller's.  path NULL: of the source. */
void scan_problem(struct scanning *s, const char *path, size_t path_size,
		  const char *format, ...) __attribute__((format(printf, 4, 5)));
/* Refused for want of descriptors or memory, which is this process's own: -1, and the scan is to
 * end.  0: it is a problem of the item. */
int scan_want(const char *path, size_t path_size, const char *what, int why, struct err *e);
void scan_notice(struct scanning *s, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* A batch without work for the workers; takes it. */
void scan_pass_on(struct scanning *s, struct scan_batch *b);
/* To the workers; takes it.  -1: stopped. */
int scan_send(struct scanning *s, struct scan_batch *b, struct err *e);

/* Threads; each gets struct scanning. */
void *scan_walk_thread(void *arg);
void *scan_foreign_thread(void *arg);
void *scan_census_thread(void *arg);
void *scan_worker(void *arg);

/*
 * One worker's: holds i against its row, looks into it where that is needed, and
 * puts it into b, with others that waited for it; or it waits itself for another
 * name of its inode.  Either way i is taken.  c: NULL where there are no rows.
 */
int scan_look(struct scanning *s, struct catalogue *c, struct scan_batch *b,
	      struct scan_item *i, struct err *e);
/* The bytes of a live file, or of an archive's entry: fills i->content. */
int scan_read(struct scanning *s, struct scan_item *i, struct err *e);
int scan_read_entry(struct scanning *s, struct scan_item *i, struct err *e);
/* In the examiner's stead, where there is more hole than LEAF_HOLE_MAX. */
bool scan_is_hollow(const struct statx *sx);
int scan_read_hollow(struct scanning *s, int fd, const struct statx *sx,
		     struct examination *out, struct err *e);

struct pour *pour_new(void);		/* two references: both ends' */
void pour_unref(struct pour *p);	/* NULL is allowed */
void pour_end(struct pour *p, const char *failure);	/* NULL: all of it came */
/* Waits for the end; false: why they are not all. */
bool pour_wait(struct pour *p, char failure[SCAN_FAILURE_MAX]);

/* Writes a batch's rows; commits from time to time. */
int scan_write(struct scanning *s, struct scan_batch *b, struct err *e);
int scan_transaction(struct scanning *s, struct err *e);	/* begins one if none is open */
int scan_commit(struct scanning *s, struct err *e);	/* ends it if one is */

#endif
