/* What a switch of epoch leaves behind, or a switch that was taken back. */
#include "fs/vault/epoch_inside.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/store/parity.h"

#define ASK_EVERY_MS 100
#define TELL_AFTER_MS 1000
#define SQLITE_SHARED_FIRST 0x40000002	/* the bytes on which connections hold locks */
#define SQLITE_SHARED_SIZE 510

/* ---- catalogues ------------------------------------------------------------------ */

/* No catalogue is a folder: somebody else put it there, and nothing stops for it. */
static bool is_folder(int dirfd, const char *name)
{
	struct stat st;

	return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

int epoch_remove_catalogues(struct vault *v, bool is_newer, struct err *e)
{
	int fd = file_open_dir(v->dirfd, ".", e), rc = 0;
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *d;

	if (!stream) {
		if (fd >= 0)
			err_errno(e, "listing the archive's folder");
		file_close(&fd);
		return -1;
	}
	while (rc == 0 && (d = readdir(stream)) != NULL) {
		uint64_t epoch = archive_catalogue_epoch(d->d_name);

		if (epoch != 0 && (is_newer ? epoch > v->epoch : epoch < v->epoch) &&
		    !is_folder(v->dirfd, d->d_name))
			rc = file_remove(v->dirfd, d->d_name, e);
	}
	closedir(stream);
	return rc < 0 ? -1 : file_sync_dir(v->dirfd, e);
}

/* ---- segments --------------------------------------------------------------------- */

struct uids {
	uint8_t (*list)[16];	/* owned */
	size_t count, capacity;
};

static bool add_uid(struct uids *u, const uint8_t uid[16])
{
	if (u->count == u->capacity) {
		size_t capacity = u->capacity ? 2 * u->capacity : 256;
		uint8_t (*list)[16] = realloc(u->list, capacity * sizeof *list);

		if (!list)
			return false;
		u->list = list;
		u->capacity = capacity;
	}
	memcpy(u->list[u->count++], uid, 16);
	return true;
}

static int by_uid(const void *a, const void *b)
{
	return memcmp(a, b, 16);
}

static int add_known(void *arg, int64_t id, const uint8_t uid[16])
{
	(void)id;
	return add_uid(arg, uid) ? 0 : -1;
}

/* The segments in the store that the catalogue does not name. */
static int find_unnamed(struct vault *v, struct uids *out, struct err *e)
{
	struct uids known = { .list = NULL };
	struct object_name *names = NULL;
	size_t count = 0;
	int rc = -1;

	if (catalogue_segments(v->catalogue, add_known, &known, e) < 0) {
		if (e->code == MUNI_OK)
			err_set(e, MUNI_NO_MEMORY, "no memory for the list of segments");
		goto out;
	}
	if (known.count > 0)
		qsort(known.list, known.count, sizeof *known.list, by_uid);
	if (objects_list(v->objects, OBJECTS_SEGMENT, &names, &count, NULL, e) < 0)
		goto out;
	for (size_t i = 0; i < count; i++) {
		if (known.count > 0 && bsearch(names[i].uid, known.list, known.count,
					       sizeof *known.list, by_uid))
			continue;
		if (!add_uid(out, names[i].uid)) {
			err_set(e, MUNI_NO_MEMORY, "no memory for the list of segments");
			goto out;
		}
	}
	rc = 0;
out:
	free(names);
	free(known.list);
	return rc;
}

int epoch_remove_segments(struct vault *v, uint64_t *count, struct err *e)
{
	struct object_name name = { .kind = OBJECTS_SEGMENT };
	struct uids dead = { .list = NULL };
	int rc = -1;

	*count = 0;
	if (find_unnamed(v, &dead, e) < 0)
		goto out;
	if (dead.count > 0 &&
	    parity_remove(v->objects, v->id, (const uint8_t (*)[16])dead.list, dead.count,
			  e) < 0)
		goto out;
	for (size_t i = 0; i < dead.count; i++) {
		memcpy(name.uid, dead.list[i], sizeof name.uid);
		if (objects_delete(v->objects, &name, e) < 0)
			goto out;
	}
	*count = dead.count;
	rc = 0;
out:
	free(dead.list);
	return rc;
}

/* ---- who still reads ---------------------------------------------------------------- */

/* The process that has the catalogue open; 0: none.  An open connection holds a read
 * lock on these bytes; none of ours is open, so that closing the descriptor takes no
 * lock of ours away. */
static int reader_of(struct vault *v, uint64_t epoch, pid_t *out, struct err *e)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET,
			      .l_start = SQLITE_SHARED_FIRST, .l_len = SQLITE_SHARED_SIZE };
	char name[48];
	int fd, rc;

	*out = 0;
	snprintf(name, sizeof name, "catalogue.%" PRIu64, epoch);
	fd = file_open(v->dirfd, name, O_RDWR, 0, e);
	if (fd < 0) {
		if (e->code != MUNI_NOT_FOUND && e->code != MUNI_DAMAGED)
			return -1;
		*e = ERR_NONE;	/* gone, or nothing that one of ours has opened */
		return 0;
	}
	rc = fcntl(fd, F_GETLK, &lock);
	file_close(&fd);
	if (rc < 0)
		return err_errno(e, "asking who reads the old catalogue");
	*out = lock.l_type == F_UNLCK ? 0 : lock.l_pid;
	return 0;
}

static void tell_of_reader(const struct vault_wait *wait, pid_t pid)
{
	char about[100];

	snprintf(about, sizeof about, "process %ld, which reads the archive as it was before,",
		 (long)pid);
	wait->waiting(wait->arg, about);
}

int epoch_await_readers(struct vault *v, uint64_t old, unsigned timeout_ms,
			const struct vault_wait *wait, struct err *e)
{
	const struct timespec pause = { .tv_nsec = ASK_EVERY_MS * 1000000L };
	pid_t pid, told = 0;

	for (unsigned waited = 0;; waited += ASK_EVERY_MS) {
		if (reader_of(v, old, &pid, e) < 0)
			return -1;
		if (pid == 0)
			return 0;
		if (waited >= timeout_ms)
			return err_set(e, MUNI_BUSY, "process %ld still reads the archive as it "
				       "was before: wait for it, or end it", (long)pid);
		if (wait && wait->is_cancelled && wait->is_cancelled(wait->arg))
			return err_set(e, MUNI_CANCELLED, "stopped while process %ld still reads "
				       "the archive as it was before", (long)pid);
		if (wait && wait->waiting && waited >= TELL_AFTER_MS && pid != told)
			tell_of_reader(wait, pid);
		told = waited >= TELL_AFTER_MS ? pid : 0;
		nanosleep(&pause, NULL);
	}
}
