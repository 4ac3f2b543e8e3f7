/*
 * certificates.2/: the files of each certificate of destruction once more, under the
 * same names.  Of a destruction there is no other proof in the archive.  A copy does not
 * speak for itself: it is judged as the first is before it takes that one's place.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/vault/archive_inside.h"
#include "fs/vault/certificate_inside.h"
#include "fs/vault/certificate_verify.h"

/* The names that a certificate has: its parts, then its time-stamps after the first. */
static bool name_at(int64_t id, unsigned i, char out[CERTIFICATE_NAME_SIZE])
{
	if (i < CERTIFICATE_FILES)
		certificate_name(id, (enum certificate_file)i, out);
	else
		certificate_stamp_name(id, i - CERTIFICATE_FILES + 2, out);
	return i < CERTIFICATE_FILES + TIMESTAMPS_MAX - 1;
}

static bool is_there(int fd, const char *name)
{
	struct stat st;

	return fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* *is_it: both are files, of the same bytes. */
static int compare(int one, int other, const char *name, bool *is_it, struct err *e)
{
	int a = file_open(one, name, O_RDONLY, 0, e);
	int b = a < 0 ? -1 : file_open(other, name, O_RDONLY, 0, e);
	uint8_t x[4096], y[sizeof x];
	uint64_t size = 0, its = 0;
	int rc = b < 0 || file_size(a, &size, e) < 0 || file_size(b, &its, e) < 0 ? -1 : 0;

	*is_it = rc == 0 && size == its;
	for (uint64_t at = 0; rc == 0 && *is_it && at < size; at += sizeof x) {
		size_t n = size - at < sizeof x ? (size_t)(size - at) : sizeof x;

		rc = file_read_at(a, at, x, n, e) < 0 || file_read_at(b, at, y, n, e) < 0 ? -1 : 0;
		*is_it = rc == 0 && memcmp(x, y, n) == 0;
	}
	file_close(&a);
	file_close(&b);
	if (rc == 0 || e->code == MUNI_NO_MEMORY)
		return rc;
	*e = ERR_NONE;	/* missing, no file, not to be read: not the same */
	return 0;
}

static int copy_bytes(int from, int to, struct err *e)
{
	uint8_t piece[4096];
	uint64_t size;

	if (file_size(from, &size, e) < 0)
		return -1;
	for (uint64_t at = 0; at < size; at += sizeof piece) {
		size_t n = size - at < sizeof piece ? (size_t)(size - at) : sizeof piece;

		if (file_read_at(from, at, piece, n, e) < 0 ||
		    file_write_at(to, at, piece, n, e) < 0)
			return -1;
	}
	return file_sync(to, e);
}

/* As file_replace_synced(), from a file. */
static int copy(int from, int to, const char *name, struct err *e)
{
	char draft[CERTIFICATE_NAME_SIZE + 4];
	int in = file_open(from, name, O_RDONLY, 0, e), out = -1, rc = -1;

	snprintf(draft, sizeof draft, "%s.tmp", name);
	if (in < 0 || file_remove(to, draft, e) < 0)
		goto out;
	out = file_open(to, draft, O_WRONLY | O_CREAT | O_EXCL, 0400, e);
	if (out < 0 || copy_bytes(in, out, e) < 0)
		goto out;
	if (fchmod(out, 0400) < 0) {	/* whatever the umask */
		err_errno(e, "setting the mode of the copy of %s", name);
		goto out;
	}
	/* An empty folder in its place is nobody's. */
	if (renameat(to, draft, to, name) < 0 &&
	    (errno != EISDIR || unlinkat(to, name, AT_REMOVEDIR) < 0 ||
	     renameat(to, draft, to, name) < 0))
		err_errno(e, "putting the copy of %s in place", name);
	else
		rc = file_sync_dir(to, e);
out:
	file_close(&in);
	file_close(&out);
	return rc;
}

/* only_lacking: what `to` has stays as it is. */
static int bring_over(int64_t id, int from, int to, bool only_lacking, struct err *e)
{
	char name[CERTIFICATE_NAME_SIZE];
	bool is_same;

	for (unsigned i = 0; name_at(id, i, name); i++) {
		if (!is_there(from, name) || (only_lacking && is_there(to, name)))
			continue;
		if (compare(from, to, name, &is_same, e) < 0 ||
		    (!is_same && copy(from, to, name, e) < 0))
			return -1;
	}
	return 0;
}

static int remove_lacking(int64_t id, int from, int to, struct err *e)
{
	char name[CERTIFICATE_NAME_SIZE];

	for (unsigned i = 0; name_at(id, i, name); i++)
		if (!is_there(from, name) && is_there(to, name) && file_remove(to, name, e) < 0)
			return -1;
	return 0;
}

static int open_both(struct vault *v, int *first, int *copies, struct err *e)
{
	*copies = -1;
	*first = file_open_dir(v->dirfd, ARCHIVE_CERTIFICATES, e);
	if (*first < 0)
		return -1;
	*copies = file_open_dir(v->dirfd, ARCHIVE_CERTIFICATE_COPIES, e);
	if (*copies >= 0)
		return 0;
	file_close(first);
	return -1;
}

int certificate_copies_make(struct vault *v, int64_t id, bool only_lacking, struct err *e)
{
	int first, copies, rc = -1;

	if (file_make_dir(v->dirfd, ARCHIVE_CERTIFICATE_COPIES, 0700, e) < 0 ||
	    open_both(v, &first, &copies, e) < 0)
		return err_wrap(e, "copying a certificate");
	rc = bring_over(id, first, copies, only_lacking, e);
	if (rc == 0 && !only_lacking)
		rc = remove_lacking(id, first, copies, e);
	file_close(&first);
	file_close(&copies);
	return rc < 0 ? err_wrap(e, "copying a certificate") : 0;
}

static int make_one(struct vault *v, int64_t id, enum certificate_file which, struct err *e)
{
	char name[CERTIFICATE_NAME_SIZE];
	int first, copies, rc;

	if (open_both(v, &first, &copies, e) < 0)
		return -1;
	certificate_name(id, which, name);
	rc = copy(first, copies, name, e);
	file_close(&first);
	file_close(&copies);
	return rc;
}

void certificate_copies_try(struct vault *v, int64_t id, enum certificate_made made)
{
	struct err why = ERR_NONE;

	/* What the act did not write may have rotted since: it goes over no copy. */
	if (certificate_copies_make(v, id, made != CERTIFICATE_MADE, &why) < 0 ||
	    (made == CERTIFICATE_SIGNED && make_one(v, id, CERTIFICATE_CMS, &why) < 0))
		vault_add_notice(v, "the certificate has no second copy in the archive yet (%s); "
				 "`muni repair` makes it", why.text);
}

int certificate_copies_put_back(struct vault *v, int64_t id, bool only_lacking, struct err *e)
{
	int first, copies, rc;

	if (file_make_dir(v->dirfd, ARCHIVE_CERTIFICATES, 0700, e) < 0 ||
	    open_both(v, &first, &copies, e) < 0)
		return -1;
	rc = bring_over(id, copies, first, only_lacking, e);
	file_close(&first);
	file_close(&copies);
	return rc < 0 ? err_wrap(e, "putting a certificate back from its copy") : 0;
}

int certificate_copies_compare(struct vault *v, int64_t id, enum certificate_copies *is,
			       struct err *e)
{
	char name[CERTIFICATE_NAME_SIZE];
	int first, copies, rc = 0;
	bool is_same;

	*is = CERTIFICATE_COPIES_LACK;
	if (open_both(v, &first, &copies, e) < 0) {
		if (e->code == MUNI_NO_MEMORY)
			return -1;
		*e = ERR_NONE;
		return 0;
	}
	*is = CERTIFICATE_COPIES_SAME;
	for (unsigned i = 0; rc == 0 && name_at(id, i, name); i++) {
		if (!is_there(first, name) && !is_there(copies, name))
			continue;
		if (!is_there(copies, name)) {
			*is = CERTIFICATE_COPIES_LACK;
			break;
		}
		if (!is_there(first, name)) {
			*is = CERTIFICATE_COPIES_MORE;
			continue;
		}
		rc = compare(first, copies, name, &is_same, e);
		if (rc == 0 && !is_same && *is == CERTIFICATE_COPIES_SAME)
			*is = CERTIFICATE_COPIES_DIFFER;
	}
	file_close(&first);
	file_close(&copies);
	return rc;
}
