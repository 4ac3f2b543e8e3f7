/*
 * What verify and repair share: an archive opened piece by piece, as far as each
 * piece allows, and what was found so far.  Only fs/vault/verify*.c and
 * repair*.c include this.
 *
 * found() and progress() are called on the caller's thread only; workers hand
 * over what they found when they end.
 */
#ifndef FS_VAULT_VERIFY_INSIDE_H
#define FS_VAULT_VERIFY_INSIDE_H

#include <stdarg.h>

#include "fs/base/err.h"
#include "fs/vault/archive_inside.h"
#include "fs/vault/verify.h"

/* A damaged run of a segment. */
struct verify_run {
	uint8_t uid[16];
	uint64_t offset, size;
	bool can_mend;		/* repair: was mended */
};

/* Blocks whose bytes are damaged. */
struct verify_blocks {
	int64_t *ids;		/* owned */
	size_t count, capacity;
};

/* Damage that is told later, when it is known whether it can be repaired. */
struct verify_held {
	char *where, *what;	/* owned */
	struct verify_held *next;
};

struct verify_hold {
	struct verify_held *first, **end;	/* owned */
};

struct verify_beside;
struct verify_reading;
struct verify_seen;

struct verify {
	const struct vault_options *options;
	const struct vault_monitor *monitor;	/* never NULL */
	void (*found)(void *arg, const struct verify_finding *f);
	void *arg;
	struct verify_summary *out;
	unsigned threads;
	bool is_repair;		/* can_repair then says: was mended */

	struct vault *v;	/* owned; opened as far as it goes */
	struct vault_progress progress;
	int64_t told_ns;	/* when it was told last, on the monotonic clock */
	uint64_t segment_bytes, parity_bytes;	/* of all segments; of all parity */
	struct err first;	/* the first damage: the caller's e in the end */
	struct verify_hold *hold;	/* borrowed; NULL: damage is told at once */
	struct verify_hold redo;	/* what is wrong with base and redo */

	struct verify_run *runs;	/* owned; sorted by uid and offset once all is in */
	size_t run_count, run_capacity;
	struct verify_blocks mendable, lost;	/* owned */

	struct verify_seen *seen;	/* owned; NULL: none */
	struct verify_beside *beside;	/* owned; NULL: none */
	struct verify_reading *reading;	/* owned; NULL: none */

	struct object_name *uncovered;	/* owned; sorted; segments without parity */
	size_t uncovered_count;

	bool has_head;
	struct log_head head;		/* the newest signed */
	bool is_redo_whole;		/* all its objects are */
	struct digest redo_end;		/* the pages it leads to; zeros: none */
	bool is_catalogue_open;
	bool is_catalogue_whole;	/* every page of it, and as signed */
	bool is_unsettled;		/* a crash left an act half done */
	bool is_behind;			/* an older copy than this host has seen */
};

/* ---- verify_tell.c ----------------------------------------------------------- */

void verify_damage(struct verify *k, bool can_repair, const char *where,
		   const char *format, ...) __attribute__((format(printf, 4, 5)));
/* From now on damage goes into hold; NULL: it is told at once again. */
void verify_hold(struct verify *k, struct verify_hold *hold);
bool verify_is_held(const struct verify_hold *hold);	/* is anything in it? */
/* Tells what was held and empties it. */
void verify_release(struct verify *k, struct verify_hold *hold, bool can_repair);
void verify_release_as_notes(struct verify *k, struct verify_hold *hold);
void verify_drop(struct verify_hold *hold);
void verify_note(struct verify *k, const char *where, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void verify_file(struct verify *k, const struct verify_finding *f);
void verify_stage(struct verify *k, const char *stage, uint64_t items_total,
		  uint64_t bytes_total);
void verify_advance(struct verify *k, uint64_t items, uint64_t bytes);
/* -1 with MUNI_CANCELLED once the caller wants to stop. */
int verify_go_on(struct verify *k, struct err *e);
/* Damage told and 0 where e is damage or unreadable bytes; -1 for the rest. */
int verify_absorb(struct verify *k, bool can_repair, const char *where, struct err *e);
/* "segments/ab/ab12....seg at byte 65,536" */
#define VERIFY_PLACE_MAX 96
const char *verify_place(enum objects_kind kind, const uint8_t uid[16], uint64_t offset,
			 char out[VERIFY_PLACE_MAX]);

/* ---- verify_open.c ------------------------------------------------------------ */

/*
 * Folder, muniment.toml (told, and mended by repair), lock, keyring, store.
 * -1: nothing can be looked at (no archive, no key, a writer at work).
 */
int verify_open(struct verify *k, const char *path, struct err *e);
void verify_close(struct verify *k);
/* Keyring halves, certificate: told, and mended by repair. */
int verify_keyring(struct verify *k, struct err *e);
int verify_certificate(struct verify *k, struct err *e);
/* Names in the archive's folders that are not ours: notes. */
int verify_strangers(struct verify *k, struct err *e);

/* ---- segments and blocks ---------------------------------------------------------- */

/* Looks up segment_bytes and parity_bytes. */
int verify_total_size(struct verify *k, struct err *e);
/* Parity's checksums, which need no key; then every segment's own structure. */
int verify_segments(struct verify *k, struct err *e);
/* Blocks are authenticated on the way: what *out is given to parity_check() for; its slice
 * NULL: not to be had.  To be ended once that has returned. */
void verify_seen_start(struct verify *k, struct parity_seen *out);
void verify_seen_end(struct verify *k);
/* Were the blocks that begin there authenticated? */
bool verify_seen_has(struct verify *k, const uint8_t uid[16], uint64_t offset);
void verify_seen_free(struct verify *k);
int verify_take_run(struct verify *k, const struct parity_damage *d, struct err *e);
void verify_sort_runs(struct verify *k);
/* Does a damaged run touch these bytes?  *can_mend: all that do can be mended. */
bool verify_is_touched(const struct verify *k, const uint8_t uid[16], uint64_t offset,
		       uint64_t size, bool *can_mend);
/* Before anything changes: which segments have no parity. */
int verify_uncovered(struct verify *k, struct err *e);
/*
 * Segments against the catalogue: one that it needs and the folder does not have
 * is damage, also one whose parity is lost.  Segments that it does not know, or
 * that an interrupted act has not covered yet, are notes.
 */
int verify_known_segments(struct verify *k, struct err *e);
int verify_add_block(struct verify_blocks *b, int64_t id, struct err *e);
/* Every block of the catalogue: authenticated, or (is_reading false) only looked
 * up among the damaged runs. */
int verify_all_blocks(struct verify *k, bool is_reading, struct err *e);
/* Which files in which versions need the damaged blocks. */
int verify_touched_files(struct verify *k, struct err *e);
/* Which files have this content. */
int verify_files_of_content(struct verify *k, int64_t content, const char *what,
			    struct err *e);

/* ---- catalogue, log ------------------------------------------------------------------ */

int verify_audit(struct verify *k, struct err *e);
/* Base and redo: what is wrong is held in k->redo until the catalogue was looked
 * at, then told by verify_told_redo(). */
int verify_redo(struct verify *k, struct err *e);
/* The same beside what comes between the two; the second gives what the first found.  Where
 * it could not be begun, or found no memory, it is done then. */
int verify_expect_catalogue(struct verify *k, struct err *e);
int verify_redo_start(struct verify *k, struct err *e);
int verify_redo_finish(struct verify *k, struct err *e);
void verify_redo_drop(struct verify *k);	/* waits for it */
int verify_told_redo(struct verify *k, struct err *e);
int verify_catalogue(struct verify *k, struct err *e);
int verify_versions(struct verify *k, struct err *e);
int verify_renewals(struct verify *k, struct err *e);
/* Certificates of destruction against the catalogue's rows, and what lies beside each.  After
 * verify_anchor(). */
int verify_certificates(struct verify *k, struct err *e);
/* Could base and redo replace the catalogue? */
bool verify_redo_reaches(const struct verify *k);
int verify_anchor(struct verify *k, struct err *e);

/* ---- --deep ---------------------------------------------------------------------------- */

/* Every file's bytes read and hashed, beside what comes between the two; the second tells what
 * was found.  Where it could not be begun, or came to no end, it is done then. */
int verify_contents_start(struct verify *k, struct err *e);
int verify_contents(struct verify *k, struct err *e);
void verify_contents_drop(struct verify *k);	/* stops it, and waits for that */
int verify_trees(struct verify *k, struct err *e);

#endif
