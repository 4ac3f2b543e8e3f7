/*
 * Every file of the archive and the keyring as they are: what should not be there, and
 * what stands in them in clear.  Segments are not read whole: they are ciphertext under
 * keys that are looked for elsewhere, and may be terabytes.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/adversary/attack.h"
#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/base/text.h"

#define PIECE (1u << 20)
#define OVERLAP 64		/* no trace is longer */
#define DEPTH_MAX 8

static bool has_suffix(const char *name, const char *suffix)
{
	size_t n = strlen(name), m = strlen(suffix);

	return n >= m && strcmp(name + n - m, suffix) == 0;
}

/* A catalogue, or what SQLite keeps beside one, of another epoch than the present. */
static bool is_dead_catalogue(const struct attack *a, const char *name)
{
	char now[64];
	size_t n;

	if (strncmp(name, "catalogue.", 10) != 0)
		return false;
	n = (size_t)snprintf(now, sizeof now, "catalogue.%" PRIu64, a->request->epoch);
	return strncmp(name, now, n) != 0 || (name[n] != '\0' && name[n] != '-');
}

static bool is_leftover(const char *name)
{
	return has_suffix(name, ".tmp") || strncmp(name, ".put-", 5) == 0 ||
	       strcmp(name, "repair.new") == 0 || has_suffix(name, "-journal");
}

static bool is_sealed_pack(const char *name)
{
	return has_suffix(name, ".seg") || has_suffix(name, ".par");
}

static int search_file(struct attack *a, int fd, const char *where, struct err *e)
{
	uint8_t *piece = malloc(PIECE + OVERLAP);
	size_t kept = 0;
	int rc = -1;

	if (piece == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory to look into %s", where);
	for (;;) {
		ssize_t n = read(fd, piece + kept, PIECE);
		size_t all;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			err_errno(e, "reading %s", where);
			goto out;
		}
		if (n == 0)
			break;
		a->bytes += (uint64_t)n;
		all = kept + (size_t)n;
		attack_search(a, piece, all, where);
		kept = all < OVERLAP ? all : OVERLAP;
		memmove(piece, piece + all - kept, kept);
	}
	rc = 0;
out:
	free(piece);
	return rc;
}

static int look_at(struct attack *a, int dir, const char *name, const char *where,
		   struct err *e)
{
	int fd, rc;

	a->files++;
	if (is_sealed_pack(name))
		return 0;
	fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT)
		return 0;	/* a mount came or went */
	if (fd < 0)
		return err_errno(e, "opening %s", where);
	rc = search_file(a, fd, where, e);
	close(fd);
	return rc;
}

static int walk(struct attack *a, int dir, const char *prefix, unsigned depth, struct err *e);

static int enter(struct attack *a, int dir, const char *name, const char *where,
		 unsigned depth, struct err *e)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return err_errno(e, "opening the folder %s", where);
	if (depth >= DEPTH_MAX) {
		close(fd);
		attack_found(a, "%s lies too deep for an archive's folder", where);
		return 0;
	}
	return walk(a, fd, where, depth + 1, e);
}

static int visit(struct attack *a, int dir, const char *name, const char *prefix,
		 unsigned depth, struct err *e)
{
	char where[400];
	struct stat st;

	snprintf(where, sizeof where, "%s%s%s", prefix, *prefix ? "/" : "", text_printable(name));
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_errno(e, "looking at %s", where);
	if (depth == 0 && is_dead_catalogue(a, name))
		attack_found(a, "%s is a catalogue of another epoch", where);
	if (is_leftover(name))
		attack_found(a, "%s is left over from work that did not end", where);
	if (S_ISDIR(st.st_mode))
		return enter(a, dir, name, where, depth, e);
	return S_ISREG(st.st_mode) ? look_at(a, dir, name, where, e) : 0;
}

/* Takes dir. */
static int walk(struct attack *a, int dir, const char *prefix, unsigned depth, struct err *e)
{
	DIR *d = fdopendir(dir);
	int rc = 0;

	if (d == NULL) {
		close(dir);
		return err_errno(e, "reading the folder %s", prefix);
	}
	for (struct dirent *entry; rc == 0 && (entry = readdir(d)) != NULL;)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			rc = visit(a, dirfd(d), entry->d_name, prefix, depth, e);
	closedir(d);
	return rc;
}

int attack_folder(struct attack *a, struct err *e)
{
	int dir = openat(a->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return err_errno(e, "opening the archive's folder");
	if (walk(a, dir, "", 0, e) < 0)
		return -1;
	return look_at(a, AT_FDCWD, a->request->keyring, "the keyring", e);
}
