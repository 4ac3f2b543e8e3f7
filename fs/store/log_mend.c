/*
 * Mending each file of the audit log from its copy.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/store/log_inside.h"

/* What one pass mends may tell the next whom to trust: a copy that could not be read is a
 * witness once it can.  So until a pass finds nothing; bytes made to have no end have one. */
#define PASSES_MAX 8

struct mender {
	int fds[LOG_COPIES];
	uint64_t sizes[LOG_COPIES];
	uint64_t found[LOG_COPIES];	/* sizes before anything was mended */
	uint64_t *mended;
	int trust;		/* of struct log_trust, for this file */
	bool is_foreign;	/* the copy that is not trusted had something whole of its own */
	uint64_t covered;	/* of struct log_trust */
	uint64_t entries;	/* that there are, once the entries are mended */
	const struct signatories *who;	/* borrowed */
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
		if (file_size(m->fds[c], &m->found[c], e) < 0)
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

/* From which copy the other is to be put right; -1: nothing to do. */
static int source_of(struct mender *m, const bool is_good[LOG_COPIES], size_t size)
{
	if (is_good[0] != is_good[1])
		return is_good[1];
	if (!is_good[0] || m->trust < 0 || memcmp(m->raw[0], m->raw[1], size) == 0)
		return -1;
	m->is_foreign = true;
	return m->trust;
}

/* What follows in a copy that another log was put into is that log's. */
static int cut(struct mender *m, int c, uint64_t at, struct err *e)
{
	if (m->sizes[c] <= at)
		return 0;
	if (ftruncate(m->fds[c], (off_t)at) < 0)
		return err_errno(e, "cutting the audit log");
	m->sizes[c] = at;
	(*m->mended)++;
	return 0;
}

/* No entry lies in a hole: the number of the first one after i that may not, so that a file
 * which only seems long is not looked through for days. */
static uint64_t next_written(const struct mender *m, uint64_t i, uint64_t total)
{
	uint64_t at = log_entry_offset(i + 1), next = UINT64_MAX;

	for (int c = 0; c < LOG_COPIES; c++) {
		off_t data = m->sizes[c] > at ? lseek(m->fds[c], (off_t)at, SEEK_DATA) : -1;
		uint64_t from = data >= 0 ? (uint64_t)data : m->sizes[c] <= at || errno == ENXIO ?
				UINT64_MAX : at;

		next = from < next ? from : next;
	}
	return next == UINT64_MAX ? total : log_entries_in(next);
}

static int mend_entries(struct mender *m, struct err *e)
{
	uint64_t total = 0, good = 0;

	for (int c = 0; c < LOG_COPIES; c++)
		if (log_entries_in(m->sizes[c]) > total)
			total = log_entries_in(m->sizes[c]);
	for (uint64_t i = 0; i < total; i++) {
		uint64_t at = log_entry_offset(i);
		bool is_good[LOG_COPIES];
		int from;

		for (int c = 0; c < LOG_COPIES; c++) {
			struct log_entry entry;

			is_good[c] = m->sizes[c] >= at + LOG_ENTRY &&
				     file_read_at(m->fds[c], at, m->raw[c], LOG_ENTRY,
						  e) == 0 &&
				     log_entry_parse(m->raw[c], i, &entry, e) == 0;
		}
		if (m->is_foreign && !is_good[m->trust]) {
			total = i;
			break;
		}
		if (!is_good[0] && !is_good[1]) {
			i = next_written(m, i, total) - 1;
			continue;
		}
		good = i + 1;
		from = source_of(m, is_good, LOG_ENTRY);
		if (from >= 0 && put_right(m, 1 - from, at, m->raw[from], LOG_ENTRY, e) < 0)
			return -1;
	}
	/* What follows the last entry, and what a head covers, is none; nor is a part of one. */
	if (total > good && total > m->covered)
		total = good > m->covered ? good : m->covered;
	m->entries = good;
	for (int c = 0; c < LOG_COPIES; c++)
		if (cut(m, c, log_entry_offset(total), e) < 0)
			return -1;
	return 0;
}

/* Is any head of copy c, from `at` on, one that the archive signed?  The other copy has
 * none there, so its room is free. */
static bool has_signed(struct mender *m, int c, uint64_t at)
{
	struct err ignored = ERR_NONE;

	while (log_record_read(m->fds[c], m->sizes[c], at, m->raw[1 - c], &m->record,
			       &ignored) == 0) {
		if (log_record_check_signature(&m->record, m->who, &ignored) == 0)
			return true;
		at += m->record.size;
	}
	return false;
}

/* What only one copy has, and nobody signed, is no head to be copied: what was put behind
 * the newest one is taken away. */
static int cut_unsigned(struct mender *m, const bool is_good[LOG_COPIES], uint64_t at,
			bool *is_cut, struct err *e)
{
	int c = is_good[1];

	*is_cut = is_good[0] != is_good[1] && m->who->count > 0 && !has_signed(m, c, at);
	return *is_cut ? cut(m, c, at, e) : 0;
}

/* A copy that was short is no witness that nothing was written behind it, and once it is
 * mended nobody would know: what stays stands in both. */
static int keep_tail(struct mender *m, uint64_t at, struct err *e)
{
	uint64_t size = m->sizes[0] - at;

	if (m->found[1] >= at || m->sizes[0] <= at || size > LOG_RECORD_MAX)
		return 0;
	if (file_read_at(m->fds[0], at, m->raw[0], (size_t)size, e) < 0)
		return -1;
	return put_right(m, 1, at, m->raw[0], (size_t)size, e);
}

/* No copy has a head from `at` on.  Where all entries are under one, none is missing; nor is
 * one that the power went from under: the next writer signs it. */
static int cut_tails(struct mender *m, uint64_t covered, uint64_t at, struct err *e)
{
	if (covered != m->entries && !log_is_cut_off(m->found, at))
		return keep_tail(m, at, e);
	for (int c = 0; c < LOG_COPIES; c++)
		if (cut(m, c, at, e) < 0)
			return -1;
	return 0;
}

static int mend_heads(struct mender *m, struct err *e)
{
	uint64_t at = LOG_FILE_HEAD, covered = 0;

	for (;;) {
		uint64_t size[LOG_COPIES] = { 0 }, count[LOG_COPIES] = { 0 };
		bool is_good[LOG_COPIES], is_cut;
		int from;

		for (int c = 0; c < LOG_COPIES; c++) {
			is_good[c] = log_record_read(m->fds[c], m->sizes[c], at, m->raw[c],
						     &m->record, e) == 0;
			if (is_good[c]) {
				size[c] = m->record.size;
				count[c] = m->record.head.count;
			}
		}
		if (m->is_foreign && !is_good[m->trust]) {
			if (cut(m, 1 - m->trust, at, e) < 0)
				return -1;
			is_good[0] = is_good[1] = false;
		}
		if (!is_good[0] && !is_good[1])
			return cut_tails(m, covered, at, e);
		if (cut_unsigned(m, is_good, at, &is_cut, e) < 0)
			return -1;
		if (is_cut)
			return cut_tails(m, covered, at, e);
		from = source_of(m, is_good, (size_t)(size[0] < size[1] ? size[0] : size[1]));
		if (from >= 0 &&
		    put_right(m, 1 - from, at, m->raw[from], (size_t)size[from], e) < 0)
			return -1;
		at += from >= 0 ? size[from] : size[0];
		covered = from >= 0 ? count[from] : count[0];
	}
}

/* Before anything is written. */
static int whom_to_trust(int auditfd, const struct signatories *who,
			 struct log_trust *out, struct err *e)
{
	int fds[LOG_FILE_COUNT][LOG_COPIES], rc;
	uint64_t sizes[LOG_FILE_COUNT][LOG_COPIES] = { { 0 } };
	struct err ignored = ERR_NONE;

	for (int f = 0; f < LOG_FILE_COUNT; f++) {
		for (int c = 0; c < LOG_COPIES; c++) {
			fds[f][c] = file_open(auditfd, log_file_names[f][c], O_RDONLY, 0,
					      &ignored);
			if (fds[f][c] >= 0 && file_size(fds[f][c], &sizes[f][c], &ignored) < 0)
				file_close(&fds[f][c]);
		}
	}
	rc = log_trust(fds, sizes, who, out, e);
	for (int f = 0; f < LOG_FILE_COUNT; f++)
		for (int c = 0; c < LOG_COPIES; c++)
			file_close(&fds[f][c]);
	return rc;
}

static int mend_file(struct mender *m, int auditfd, enum log_file f, int trust,
		     struct err *e)
{
	int rc = -1;

	m->fds[0] = m->fds[1] = -1;
	m->trust = trust;
	m->is_foreign = false;
	if (mender_open(m, auditfd, f, e) < 0)
		goto out;
	if ((f == LOG_FILE_ENTRIES ? mend_entries(m, e) : mend_heads(m, e)) < 0)
		goto out;
	if (file_sync(m->fds[0], e) < 0 || file_sync(m->fds[1], e) < 0)
		goto out;
	rc = 0;
out:
	for (int c = 0; c < LOG_COPIES; c++)
		file_close(&m->fds[c]);
	return rc;
}

static int mend_once(struct mender *m, int auditfd, struct err *e)
{
	struct log_trust trust;

	if (whom_to_trust(auditfd, m->who, &trust, e) < 0)
		return -1;
	m->covered = trust.covered;
	if (mend_file(m, auditfd, LOG_FILE_ENTRIES, trust.entries, e) < 0 ||
	    mend_file(m, auditfd, LOG_FILE_HEADS, trust.heads, e) < 0)
		return -1;
	return file_sync_dir(auditfd, e);
}

int log_mend(int auditfd, const struct signatories *who, uint64_t *mended, struct err *e)
{
	struct mender *m = calloc(1, sizeof *m);
	uint64_t before;
	int rc = -1;

	*mended = 0;
	if (m == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory to mend the audit log");
	m->mended = mended;
	m->who = who;
	for (int pass = 0; pass < PASSES_MAX; pass++) {
		before = *mended;
		if (mend_once(m, auditfd, e) < 0)
			goto out;
		if (*mended == before)
			break;
	}
	*e = ERR_NONE;
	rc = 0;
out:
	free(m);
	return rc < 0 ? err_wrap(e, "mending the audit log") : 0;
}
