/*
 * Mending each file of the audit log from its copy.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/store/log_inside.h"

struct mender {
	int fds[LOG_COPIES];
	uint64_t sizes[LOG_COPIES];
	uint64_t *mended;
	uint8_t raw[LOG_COPIES][LOG_RECORD_MAX];
	struct log_record record;
};

/* What is no file (a link, a fifo) makes room for one. */
static int open_to_mend(int auditfd, const char *name, struct err *e)
{
	int fd = file_open(auditfd, name, O_RDWR | O_CREAT, 0600, e);

	if (fd >= 0 || e->code != MUNI_DAMAGED)
		return fd;
	if (file_remove(auditfd, name, e) < 0)
		return -1;
	return file_open(auditfd, name, O_RDWR | O_CREAT, 0600, e);
}

static int mender_open(struct mender *m, int auditfd, enum log_file f, struct err *e)
{
	uint8_t head[LOG_FILE_HEAD];

	log_file_head(f, head);
	for (int c = 0; c < LOG_COPIES; c++) {
		m->fds[c] = open_to_mend(auditfd, log_file_names[f][c], e);
		if (m->fds[c] < 0)
			return -1;
		if (log_check_file_head(m->fds[c], f, e) < 0) {
			if (e->code != MUNI_DAMAGED)
				return -1;
			if (file_write_at(m->fds[c], 0, head, sizeof head, e) < 0)
				return -1;
			(*m->mended)++;
		}
		if (file_size(m->fds[c], &m->sizes[c], e) < 0)
			return -1;
	}
	return 0;
}

/* Writes `size` bytes at `at` into copy c, for the other has them whole. */
static int put_right(struct mender *m, int c, uint64_t at, const void *raw, size_t size,
		     struct err *e)
{
	if (file_write_at(m->fds[c], at, raw, size, e) < 0)
		return -1;
	if (m->sizes[c] < at + size)
		m->sizes[c] = at + size;
	(*m->mended)++;
	return 0;
}

static int mend_entries(struct mender *m, struct err *e)
{
	uint64_t a = log_entries_in(m->sizes[0]), b = log_entries_in(m->sizes[1]);
	uint64_t total = a > b ? a : b;

	for (uint64_t i = 0; i < total; i++) {
		uint64_t at = log_entry_offset(i);
		bool is_good[LOG_COPIES];

		for (int c = 0; c < LOG_COPIES; c++) {
			struct log_entry entry;

			is_good[c] = m->sizes[c] >= at + LOG_ENTRY &&
				     file_read_at(m->fds[c], at, m->raw[c], LOG_ENTRY,
						  e) == 0 &&
				     log_entry_parse(m->raw[c], i, &entry, e) == 0;
		}
		for (int c = 0; c < LOG_COPIES; c++)
			if (!is_good[c] && is_good[1 - c] &&
			    put_right(m, c, at, m->raw[1 - c], LOG_ENTRY, e) < 0)
				return -1;
	}
	/* A part of an entry is of use to nobody. */
	for (int c = 0; c < LOG_COPIES; c++) {
		if (m->sizes[c] <= log_entry_offset(total))
			continue;
		if (ftruncate(m->fds[c], (off_t)log_entry_offset(total)) < 0)
			return err_errno(e, "cutting the audit log");
		(*m->mended)++;
	}
	return 0;
}

static int mend_heads(struct mender *m, struct err *e)
{
	uint64_t at = LOG_FILE_HEAD;

	for (;;) {
		bool is_good[LOG_COPIES];
		uint64_t size = 0;

		for (int c = LOG_COPIES - 1; c >= 0; c--) {
			is_good[c] = log_record_read(m->fds[c], m->sizes[c], at, m->raw[c],
						     &m->record, e) == 0;
			if (is_good[c])
				size = m->record.size;
		}
		if (size == 0)
			return 0;
		for (int c = 0; c < LOG_COPIES; c++)
			if (!is_good[c] &&
			    put_right(m, c, at, m->raw[1 - c], (size_t)size, e) < 0)
				return -1;
		at += size;
	}
}

int log_mend(int auditfd, uint64_t *mended, struct err *e)
{
	struct mender *m = calloc(1, sizeof *m);
	int rc = -1;

	*mended = 0;
	if (m == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory to mend the audit log");
	m->mended = mended;
	for (int f = 0; f < LOG_FILE_COUNT; f++) {
		m->fds[0] = m->fds[1] = -1;
		if (mender_open(m, auditfd, (enum log_file)f, e) == 0)
			rc = f == LOG_FILE_ENTRIES ? mend_entries(m, e) : mend_heads(m, e);
		else
			rc = -1;
		for (int c = 0; c < LOG_COPIES && rc == 0; c++)
			rc = file_sync(m->fds[c], e);
		for (int c = 0; c < LOG_COPIES; c++)
			file_close(&m->fds[c]);
		if (rc < 0)
			break;
	}
	if (rc == 0)
		rc = file_sync_dir(auditfd, e);
	free(m);
	if (rc < 0)
		return err_wrap(e, "mending the audit log");
	*e = ERR_NONE;
	return 0;
}
