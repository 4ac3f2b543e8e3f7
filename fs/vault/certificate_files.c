/* The files of certificates/: by number and kind. */
#include <inttypes.h>
#include <stdio.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/vault/archive_inside.h"
#include "fs/vault/certificate_inside.h"

static const char *const suffixes[] = {
	[CERTIFICATE_CMS] = "p7m",
	[CERTIFICATE_ANNEX] = "annex.json",
	[CERTIFICATE_TIMESTAMP] = "tsr",
	[CERTIFICATE_ARCHIVE_SIGNATURE] = "p7s",
	[CERTIFICATE_MARKS] = "marks",
};

void certificate_name(int64_t id, enum certificate_file which, char out[CERTIFICATE_NAME_SIZE])
{
	snprintf(out, CERTIFICATE_NAME_SIZE, "C%" PRId64 ".%s", id, suffixes[which]);
}

void certificate_stamp_name(int64_t id, unsigned number, char out[CERTIFICATE_NAME_SIZE])
{
	if (number == 1)
		certificate_name(id, CERTIFICATE_TIMESTAMP, out);
	else
		snprintf(out, CERTIFICATE_NAME_SIZE, "C%" PRId64 ".%u.tsr", id, number);
}

int certificate_folder(struct vault *v, struct err *e)
{
	return file_open_dir(v->dirfd, v->reads_certificate_copies ? ARCHIVE_CERTIFICATE_COPIES
							   : ARCHIVE_CERTIFICATES, e);
}

int certificate_file(struct vault *v, int64_t id, enum certificate_file which, uint8_t **data,
		     size_t *size, struct err *e)
{
	char name[CERTIFICATE_NAME_SIZE];
	int fd = certificate_folder(v, e), rc;

	*data = NULL;
	*size = 0;
	if (fd < 0)
		return -1;
	certificate_name(id, which, name);
	rc = file_load(fd, name, which == CERTIFICATE_ANNEX || which == CERTIFICATE_MARKS ?
		       ANNEX_MAX : CERTIFICATE_MAX, data, size, e);
	file_close(&fd);
	return rc;
}

int certificate_read(struct vault *v, int64_t id, uint8_t **der, size_t *size, struct err *e)
{
	if (certificate_file(v, id, CERTIFICATE_CMS, der, size, e) == 0)
		return 0;
	if (e->code == MUNI_NOT_FOUND)
		return err_set(e, MUNI_NOT_FOUND, "there is no certificate C%" PRId64
			       "; `muni cert list` shows those that there are", id);
	return -1;
}

int certificate_put_in(int fd, int64_t id, enum certificate_file which, const void *data,
		       size_t size, struct err *e)
{
	char name[CERTIFICATE_NAME_SIZE];

	certificate_name(id, which, name);
	return file_replace_synced(fd, name, data, size, 0400, e);
}

int certificate_file_put(struct vault *v, int64_t id, enum certificate_file which,
			 const void *data, size_t size, struct err *e)
{
	int fd, rc;

	if (file_make_dir(v->dirfd, ARCHIVE_CERTIFICATES, 0700, e) < 0)
		return -1;
	fd = certificate_folder(v, e);
	if (fd < 0)
		return -1;
	rc = certificate_put_in(fd, id, which, data, size, e);
	file_close(&fd);
	return rc;
}

/* ---- marks ---------------------------------------------------------------------------------- */

void certificate_marks_name(int64_t disposition, char out[CERTIFICATE_NAME_SIZE])
{
	snprintf(out, CERTIFICATE_NAME_SIZE, "D%" PRId64 ".marks", disposition);
}

int certificate_marks_put(struct vault *v, int64_t disposition, const void *text, size_t size,
			  struct err *e)
{
	char name[CERTIFICATE_NAME_SIZE];
	int fd, rc;

	if (file_make_dir(v->dirfd, ARCHIVE_CERTIFICATES, 0700, e) < 0)
		return -1;
	fd = certificate_folder(v, e);
	if (fd < 0)
		return -1;
	certificate_marks_name(disposition, name);
	rc = file_replace_synced(fd, name, text, size, 0400, e);
	file_close(&fd);
	return rc;
}

int certificate_marks_remove(struct vault *v, int64_t disposition, struct err *e)
{
	char name[CERTIFICATE_NAME_SIZE];
	int fd = certificate_folder(v, e), rc;

	if (fd < 0)
		return -1;
	certificate_marks_name(disposition, name);
	rc = file_remove(fd, name, e);
	file_close(&fd);
	return rc;
}
