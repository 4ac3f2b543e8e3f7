/*
 * Rebuilding the catalogue.
 *
 * The new file is built and checked in a folder of its own.  The old WAL goes
 * before the new file comes, so that no crash lets old frames meet new pages;
 * and nothing is moved while any process, here or in a mount, has the catalogue
 * open: it would go on with the old file under the new one's WAL.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/base/file.h"
#include "fs/store/pagevfs.h"
#include "fs/store/redo.h"
#include "fs/vault/presence.h"
#include "fs/vault/repair_inside.h"

#define FOLDER "repair.new"
#define NAME_MAX_SIZE 48
#define ANSWER_MS 2000
#define SQLITE_SHARED_FIRST 0x40000002	/* the bytes on which connections hold locks */
#define SQLITE_SHARED_SIZE 510

static void name_of(const struct verify *k, const char *end, char out[NAME_MAX_SIZE])
{
	snprintf(out, NAME_MAX_SIZE, "catalogue.%" PRIu64 "%s", k->v->epoch, end);
}

/* ---- who has it open ------------------------------------------------------------- */

static int refuse_mounts(struct verify *k, struct err *e)
{
	struct presence_ask ask = { .kind = PRESENCE_CHANGED, .epoch = k->v->epoch,
				    .timeout_ms = ANSWER_MS };
	struct presence_count mounts;
	unsigned open;
	int rundir = vault_run_dir(k->v, false, e), rc;

	if (rundir < 0) {
		*e = ERR_NONE;		/* no run folder: no mount of this host */
		return 0;
	}
	rc = presence_tell(rundir, &ask, &mounts, e);
	file_close(&rundir);
	if (rc < 0)
		return -1;
	open = mounts.done + mounts.not_done + mounts.silent;
	if (open > 0)
		return err_set(e, MUNI_BUSY, "the catalogue has to be rebuilt, and %u mount%s "
			       "of this archive has it open: unmount, then repair again",
			       open, open == 1 ? "" : "s");
	return 0;
}

/* An open connection holds a read lock on these bytes.  No connection of ours is
 * open: closing the descriptor would take its locks away. */
static int refuse_readers(struct verify *k, struct err *e)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET,
			      .l_start = SQLITE_SHARED_FIRST,
			      .l_len = SQLITE_SHARED_SIZE };
	char name[NAME_MAX_SIZE];
	int fd, rc;

	name_of(k, "", name);
	fd = file_open(k->v->dirfd, name, O_RDWR, 0, e);
	if (fd < 0) {
		/* A link or a fifo in its place: nobody of ours has opened that. */
		if (e->code != MUNI_NOT_FOUND && e->code != MUNI_DAMAGED)
			return -1;
		*e = ERR_NONE;
		return 0;
	}
	rc = fcntl(fd, F_GETLK, &lock);
	file_close(&fd);
	if (rc < 0)
		return err_errno(e, "asking who reads the catalogue");
	if (lock.l_type != F_UNLCK)
		return err_set(e, MUNI_BUSY, "the catalogue has to be rebuilt, and process %ld "
			       "has it open: end it, then repair again", (long)lock.l_pid);
	return 0;
}

/* ---- what nobody of ours made ------------------------------------------------------ */

static int remove_planted(struct verify *k, const char *end, bool is_any, struct err *e)
{
	char name[NAME_MAX_SIZE];
	struct stat st;

	name_of(k, end, name);
	if (fstatat(k->v->dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    (S_ISREG(st.st_mode) && !is_any))
		return 0;
	if (file_remove(k->v->dirfd, name, e) < 0)
		return -1;
	verify_damage(k, true, name, "muniment did not make it; it was taken away");
	return 0;
}

int repair_planted(struct verify *k, struct err *e)
{
	if (remove_planted(k, "-journal", true, e) < 0 ||
	    remove_planted(k, "-wal", false, e) < 0 || remove_planted(k, "-shm", false, e) < 0)
		return -1;
	return 0;
}

/* ---- building --------------------------------------------------------------------- */

int repair_sweep(struct verify *k, struct err *e)
{
	static const char *const ends[] = { "", "-wal", "-shm", ".rebuilt" };
	int fd = file_open_dir(k->v->dirfd, FOLDER, e);

	if (fd < 0) {
		if (e->code != MUNI_NOT_FOUND)
			return -1;
		*e = ERR_NONE;
		return 0;
	}
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		char name[NAME_MAX_SIZE];

		name_of(k, ends[i], name);
		if (file_remove(fd, name, e) < 0) {
			file_close(&fd);
			return -1;
		}
	}
	file_close(&fd);
	if (unlinkat(k->v->dirfd, FOLDER, AT_REMOVEDIR) < 0)
		return err_errno(e, "removing the folder " FOLDER);
	return file_sync_dir(k->v->dirfd, e);
}

static int any_page(void *arg, uint64_t page)
{
	(void)page;
	*(bool *)arg = true;
	return 1;
}

/* Is it a whole catalogue of this archive, and no older one than was signed? */
static int check(struct verify *k, struct catalogue *c, const struct digest *reached,
		 struct err *e)
{
	struct catalogue_settings s;
	struct log_position position;
	struct digest root;
	bool is_bad = false;

	if (pagevfs_check(catalogue_sqlite(c), any_page, &is_bad, e) < 0 ||
	    catalogue_settings_get(c, &s, e) < 0 ||
	    catalogue_log_position_get(c, &position, e) < 0)
		return -1;
	root = merkle_frontier_root(&position.frontier);
	if (is_bad || memcmp(s.archive_id, k->v->id, sizeof s.archive_id) != 0 ||
	    s.epoch != k->v->epoch)
		return err_set(e, MUNI_DAMAGED, "what base and redo hold is no catalogue of "
			       "this archive");
	if (!k->has_head)
		return 0;
	if (position.frontier.count < k->head.count ||
	    (position.frontier.count == k->head.count &&
	     (!digest_equal(&root, &k->head.root) || !digest_equal(reached, &k->head.pages))))
		return err_set(e, MUNI_DAMAGED, "base and redo lead to another catalogue than "
			       "the one that was signed");
	return 0;
}

static int build(struct verify *k, int folder, struct err *e)
{
	struct catalogue *c = NULL;
	char name[NAME_MAX_SIZE];
	struct digest reached;
	int rc;

	name_of(k, "", name);
	if (redo_rebuild(k->v->objects, k->v->id, k->v->epoch, k->v->key_id, folder, name,
			 &reached, e) < 0)
		return -1;
	rc = catalogue_open(folder, k->v->epoch, k->v->key_id, CATALOGUE_READ_IMMUTABLE,
			    8u << 20, &c, e);
	if (rc == 0)
		rc = check(k, c, &reached, e);
	catalogue_close(c);
	return rc;
}

static int put_in_place(struct verify *k, int folder, struct err *e)
{
	char name[NAME_MAX_SIZE], wal[NAME_MAX_SIZE], shm[NAME_MAX_SIZE];

	name_of(k, "", name);
	name_of(k, "-wal", wal);
	name_of(k, "-shm", shm);
	if (file_remove(k->v->dirfd, wal, e) < 0 || file_remove(k->v->dirfd, shm, e) < 0 ||
	    file_sync_dir(k->v->dirfd, e) < 0)
		return -1;
	if (renameat(folder, name, k->v->dirfd, name) < 0)
		return err_errno(e, "putting the rebuilt catalogue in place");
	return file_sync_dir(k->v->dirfd, e);
}

int repair_catalogue(struct verify *k, struct err *e)
{
	struct vault *v = k->v;
	int folder = -1, rc = -1;

	catalogue_close(v->catalogue);
	v->catalogue = NULL;
	k->is_catalogue_open = false;
	verify_stage(k, "rebuilding the catalogue", 0, 0);
	if (refuse_mounts(k, e) < 0 || refuse_readers(k, e) < 0 || repair_sweep(k, e) < 0)
		goto out;
	if (file_make_dir(v->dirfd, FOLDER, 0700, e) < 0)
		goto out;
	folder = file_open_dir(v->dirfd, FOLDER, e);
	if (folder < 0 || build(k, folder, e) < 0 || put_in_place(k, folder, e) < 0)
		goto out;
	rc = 0;
out:
	file_close(&folder);
	if (rc < 0) {
		struct err ignored = ERR_NONE;

		repair_sweep(k, &ignored);
		return err_wrap(e, "rebuilding the catalogue");
	}
	return repair_sweep(k, e);
}
