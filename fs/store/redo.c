#include "fs/store/redo.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/base/team.h"
#include "fs/base/text.h"
#include "fs/store/pagevfs.h"
#include "fs/store/redo_chain.h"
#include "fs/store/redo_pack.h"
#include "fs/store/redo_replay.h"

/* ---- appending -------------------------------------------------------------- */

#define PARTS_AT_ONCE 4u	/* some 20 MiB of memory each */
#define PART_LEAST 128u		/* pages: less is not worth an object of its own */

/* One set, as it is written. */
struct append {
	struct objects *objects;
	struct sqlite3 *db;
	struct redo_head head;		/* what all its parts share */
	const uint64_t *pages;		/* changes: which; borrowed */
	uint64_t count;			/* changes: how many of them; base: all */
	uint64_t share;			/* pages of a part, but of the last */
	unsigned threads;		/* for the pieces of each part */
	pthread_mutex_t lock;		/* db is for one thread at a time */
	bool has_failed;		/* protected by lock, as what follows */
	struct err why;
};

static int take_pages(struct append *a, struct redo_pages *p, uint64_t from, unsigned *key_id,
		      struct err *e)
{
	bool is_base = a->head.kind == REDO_BASE;
	uint32_t i = 0;

	pthread_mutex_lock(&a->lock);
	int rc = pagevfs_key_of(a->db, key_id, e);
	if (rc == 0)
		rc = redo_pages_begin(p, a->db, e);
	for (; rc == 0 && i < p->count; i++)
		rc = redo_pages_take(p, i, is_base ? from + i + 1 : a->pages[from + i], a->db,
				     e);
	pthread_mutex_unlock(&a->lock);
	return rc < 0 ? err_wrap(e, "copying the catalogue") : 0;
}

static int put_part(struct append *a, uint32_t part, struct err *e)
{
	uint64_t from = part * a->share;
	uint64_t left = a->count - from;
	struct redo_head head = a->head;
	struct redo_object r = { 0 };
	struct redo_pages pages = { 0 };
	unsigned key_id;
	int rc = -1;

	head.part = part;
	head.pages = (uint32_t)(left < a->share ? left : a->share);
	head.first = head.kind == REDO_BASE ? (uint32_t)from + 1 : 0;
	if (random_bytes(head.uid, sizeof head.uid, e) < 0 ||
	    redo_pages_new(head.pages, &pages, e) < 0)
		goto out;
	if (take_pages(a, &pages, from, &key_id, e) < 0 ||
	    redo_pack(&head, &pages, key_id, a->threads, &r, e) < 0)
		goto out;
	redo_pages_free(&pages);
	rc = redo_object_put(a->objects, &r, e);
out:
	redo_pages_free(&pages);
	redo_object_free(&r);
	return rc;
}

/* A set that is not whole is of no use and may fill a full disk: best effort. */
static void remove_set(const struct append *a)
{
	struct object_name name = { .kind = OBJECTS_CATALOGUE };
	struct err ignored = ERR_NONE;
	struct redo_chain c;

	if (redo_chain_load(a->objects, a->head.archive_id, a->head.epoch, &c, &ignored) < 0)
		return;
	for (size_t i = 0; i < c.head_count; i++) {
		memcpy(name.uid, c.heads[i].uid, sizeof name.uid);
		if (c.heads[i].sequence == a->head.sequence)
			(void)objects_delete(a->objects, &name, &ignored);
	}
	redo_chain_free(&c);
}

static void try_part(void *arg, size_t part)
{
	struct append *a = arg;
	struct err e = ERR_NONE;
	bool is_over;

	pthread_mutex_lock(&a->lock);
	is_over = a->has_failed;
	pthread_mutex_unlock(&a->lock);
	if (is_over || put_part(a, (uint32_t)part, &e) == 0)
		return;
	pthread_mutex_lock(&a->lock);
	if (!a->has_failed)
		a->why = e;
	a->has_failed = true;
	pthread_mutex_unlock(&a->lock);
}

/* A small set is shared out too: who waits for it has nothing else to do. */
static uint64_t share_of(uint64_t pages, unsigned processors)
{
	uint64_t share = (pages + processors - 1) / processors;

	if (share < PART_LEAST)
		share = PART_LEAST;
	return share < REDO_OBJECT_WRITES ? share : REDO_OBJECT_WRITES;
}

/* One part is read while others are compressed, and others on their way to the disk. */
static int put_set(struct append *a, struct err *e)
{
	unsigned processors = team_processors();

	if (processors > PARTS_AT_ONCE)
		processors = PARTS_AT_ONCE;
	a->share = share_of(a->count, processors);
	a->head.parts = (uint32_t)((a->count + a->share - 1) / a->share);
	a->threads = a->head.parts < processors ? processors / a->head.parts : 1;
	team_run(processors, a->head.parts, try_part, a);
	if (!a->has_failed)
		return 0;
	remove_set(a);
	*e = a->why;
	return -1;
}

/* R2: only once the new base is durable.  What cannot be read is of no use to
 * anybody, whatever it was. */
static int remove_superseded(struct objects *o, const struct redo_chain *c, struct err *e)
{
	struct object_name name = { .kind = OBJECTS_CATALOGUE };

	for (size_t i = 0; i < c->head_count; i++) {
		memcpy(name.uid, c->heads[i].uid, sizeof name.uid);
		if (objects_delete(o, &name, e) < 0)
			return -1;
	}
	for (size_t i = 0; i < c->unreadable_count; i++)
		if (objects_delete(o, &c->unreadable[i], e) < 0)
			return -1;
	return 0;
}

/* Pages that were written and then cut off again are no part of it. */
static uint64_t *pages_within(const uint64_t *pages, uint64_t *count, uint64_t page_count,
			      struct err *e)
{
	uint64_t *kept = malloc((*count ? *count : 1) * sizeof *kept);
	uint64_t n = 0;

	if (!kept) {
		err_set(e, MUNI_NO_MEMORY, "no memory for the list of written pages");
		return NULL;
	}
	for (uint64_t i = 0; i < *count; i++)
		if (pages[i] >= 1 && pages[i] <= page_count)
			kept[n++] = pages[i];
	*count = n;
	return kept;
}

static bool needs_base(const struct redo_chain *c, const struct digest *before,
		       uint64_t changes, uint64_t page_count)
{
	struct digest end = redo_chain_after(c);

	if (redo_chain_is_empty(c) || c->end < c->set_count || c->unreadable_count > 0)
		return true;
	return !digest_equal(&end, before) ||
	       redo_chain_changed_pages(c) + changes > page_count / 2;
}

static int append_changes(struct append *a, const struct redo_chain *c,
			  const struct digest *before, struct err *e)
{
	a->head.kind = REDO_CHANGES;
	a->head.sequence = c->last_sequence + 1;
	a->head.before = *before;
	return put_set(a, e);
}

static int append_base(struct append *a, const struct redo_chain *c, struct err *e)
{
	struct digest now;
	uint64_t pages;

	a->head.kind = REDO_BASE;
	a->head.sequence = c->last_sequence + 1;
	a->count = a->head.page_count;
	if (put_set(a, e) < 0 || pagevfs_digest(a->db, &now, &pages, e) < 0)
		return -1;
	if (!digest_equal(&now, &a->head.after))
		return err_set(e, MUNI_BUSY, "the catalogue changed while it was copied");
	return remove_superseded(a->objects, c, e);
}

int redo_append(struct objects *o, struct sqlite3 *db, const uint8_t archive_id[16],
		uint64_t epoch, const struct digest *before, const struct digest *after,
		const uint64_t *pages, uint64_t count, struct err *e)
{
	struct append a = { .objects = o, .db = db, .count = count,
			    .lock = PTHREAD_MUTEX_INITIALIZER };
	struct redo_chain c = { 0 };
	struct digest now;
	uint64_t *kept = NULL;
	int rc = -1;

	memcpy(a.head.archive_id, archive_id, 16);
	a.head.epoch = epoch;
	a.head.after = *after;
	if (pagevfs_digest(db, &now, &a.head.page_count, e) < 0)
		goto out;
	if (!digest_equal(&now, after)) {
		err_set(e, MUNI_BUSY, "the catalogue changed before it could be copied");
		goto out;
	}
	a.pages = kept = pages_within(pages, &a.count, a.head.page_count, e);
	if (!kept || redo_chain_load(o, archive_id, epoch, &c, e) < 0)
		goto out;
	if (needs_base(&c, before, a.count, a.head.page_count))
		rc = append_base(&a, &c, e);
	else if (digest_equal(before, after))
		rc = 0;
	else
		rc = append_changes(&a, &c, before, e);
out:
	redo_chain_free(&c);
	free(kept);
	return rc < 0 ? err_wrap(e, "securing the catalogue by base and redo") : 0;
}

/* ---- rebuilding --------------------------------------------------------------- */

/* The WAL of what stood there belongs to pages that are now others. */
static int remove_beside(int dirfd, const char *name, const char *suffix, struct err *e)
{
	char beside[256];

	if ((size_t)snprintf(beside, sizeof beside, "%s%s", name, suffix) >= sizeof beside)
		return err_set(e, MUNI_LIMIT, "the name %s is too long", text_printable(name));
	return file_remove(dirfd, beside, e);
}

static int install(int dirfd, const char *from, const char *name, struct err *e)
{
	if (remove_beside(dirfd, name, "-wal", e) < 0 ||
	    remove_beside(dirfd, name, "-shm", e) < 0 || file_sync_dir(dirfd, e) < 0)
		return -1;
	if (renameat(dirfd, from, dirfd, name) < 0)
		return err_errno(e, "renaming %s to %s", text_printable(from),
				 text_printable(name));
	return file_sync_dir(dirfd, e);
}

static int rebuild_from(struct objects *o, const struct redo_chain *c, unsigned key_id,
			int dirfd, const char *name, struct digest *reached, struct err *e)
{
	char draft[256];
	int fd = -1;
	int rc = -1;

	if ((size_t)snprintf(draft, sizeof draft, "%s.rebuilt", name) >= sizeof draft)
		return err_set(e, MUNI_LIMIT, "the name %s is too long", text_printable(name));
	if (file_remove(dirfd, draft, e) < 0)
		return -1;
	fd = file_open(dirfd, draft, O_RDWR | O_CREAT | O_EXCL, 0600, e);
	if (fd < 0)
		return -1;
	if (redo_replay(o, c, key_id, fd, NULL, reached, e) < 0 || file_sync(fd, e) < 0)
		goto out;
	rc = install(dirfd, draft, name, e);
out:
	file_close(&fd);
	if (rc < 0) {
		struct err ignored = ERR_NONE;
		(void)file_remove(dirfd, draft, &ignored);
		*reached = (struct digest){ 0 };
	}
	return rc;
}

int redo_rebuild(struct objects *o, const uint8_t archive_id[16], uint64_t epoch,
		 unsigned key_id, int dirfd, const char *name, struct digest *reached,
		 struct err *e)
{
	struct redo_chain c;
	int rc = -1;

	*reached = (struct digest){ 0 };
	if (redo_chain_load(o, archive_id, epoch, &c, e) < 0)
		goto out;
	if (redo_chain_is_empty(&c))
		err_set(e, MUNI_DAMAGED, "there is no whole base copy of the catalogue");
	else if (redo_chain_has_gap(&c))
		err_set(e, MUNI_DAMAGED, "set %llu of base and redo is missing or not whole, and "
			"later ones are there",
			(unsigned long long)c.sets[c.end - 1].parts[0].sequence + 1);
	else
		rc = rebuild_from(o, &c, key_id, dirfd, name, reached, e);
	redo_chain_free(&c);
out:
	return rc < 0 ? err_wrap(e, "rebuilding the catalogue from base and redo") : 0;
}

/* ---- asking ---------------------------------------------------------------------- */

int redo_reaches(struct objects *o, const uint8_t archive_id[16], uint64_t epoch,
		 struct digest *after, uint64_t *later, struct err *e)
{
	struct redo_chain c;

	*after = (struct digest){ 0 };
	*later = 0;
	if (redo_chain_load(o, archive_id, epoch, &c, e) < 0)
		return -1;
	*after = redo_chain_after(&c);
	*later = c.newest_epoch > epoch ? c.newest_epoch : 0;
	redo_chain_free(&c);
	if (*later == 0)
		return 0;
	if (redo_chain_load(o, archive_id, *later, &c, e) < 0)
		return -1;
	if (redo_chain_is_empty(&c))
		*later = 0;
	redo_chain_free(&c);
	return 0;
}

/* ---- dropping ------------------------------------------------------------------- */

/* Removes the objects of epochs from..upto, and those whose head is lost if the caller
 * says so. */
static int drop(struct objects *o, const uint8_t archive_id[16], uint64_t from, uint64_t upto,
		bool with_unreadable, struct err *e)
{
	struct object_name *names = NULL;
	size_t count = 0;
	int rc = -1;

	if (objects_list(o, OBJECTS_CATALOGUE, &names, &count, NULL, e) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		struct redo_head h;
		struct err why = ERR_NONE;
		bool is_readable = redo_object_head(o, &names[i], &h, &why) == 0;

		if (!is_readable && why.code != MUNI_DAMAGED) {
			*e = why;
			goto out;
		}
		if (is_readable ? h.epoch < from || h.epoch > upto ||
				  memcmp(h.archive_id, archive_id, 16) != 0
				: !with_unreadable)
			continue;
		if (objects_delete(o, &names[i], e) < 0)
			goto out;
	}
	rc = 0;
out:
	free(names);
	return rc;
}

int redo_drop_before(struct objects *o, const uint8_t archive_id[16], uint64_t epoch,
		     struct err *e)
{
	return drop(o, archive_id, 0, epoch - 1, true, e);
}

int redo_drop_after(struct objects *o, const uint8_t archive_id[16], uint64_t epoch,
		    struct err *e)
{
	return drop(o, archive_id, epoch + 1, UINT64_MAX, false, e);
}
