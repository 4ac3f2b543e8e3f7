/*
 * Opening the audit log: the newest head, what the catalogue knows, and for a
 * writer what a crash left.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/store/log_inside.h"

static int damaged(struct err *e, const char *what)
{
	return err_set(e, MUNI_DAMAGED, "%s; \"muni repair\" mends it from its copy if "
		       "that is whole, else bring audit/ back from the newest backup", what);
}

/* MUNI_DAMAGED also where there is none. */
static int open_one(int auditfd, enum log_file f, int copy, bool is_writable, int *fd,
		    struct err *e)
{
	const char *name = log_file_names[f][copy];

	*fd = file_open(auditfd, name, is_writable ? O_RDWR : O_RDONLY, 0, e);
	if (*fd < 0 && e->code == MUNI_NOT_FOUND)
		return err_set(e, MUNI_DAMAGED, "audit/%s is missing", name);
	if (*fd < 0)
		return -1;
	if (log_check_file_head(*fd, f, e) == 0)
		return 0;
	file_close(fd);
	return err_wrap(e, "audit/%s", name);
}

/* A reader makes do with one copy of each; a writer keeps both. */
static int open_files(struct log *l, int auditfd, struct err *e)
{
	for (int f = 0; f < LOG_FILE_COUNT; f++) {
		for (int c = 0; c < LOG_COPIES; c++) {
			char what[sizeof e->text];

			if (open_one(auditfd, (enum log_file)f, c, l->is_writable,
				     &l->fds[f][c], e) == 0)
				continue;
			if (e->code != MUNI_DAMAGED)
				return -1;
			if (!l->is_writable)
				continue;
			memcpy(what, e->text, sizeof what);
			return damaged(e, what);
		}
		if (l->fds[f][0] < 0 && l->fds[f][1] < 0)
			return err_set(e, MUNI_DAMAGED, "audit/%s and its copy are lost: "
				       "bring one back from a backup", log_file_names[f][0]);
	}
	*e = ERR_NONE;
	return 0;
}

/* The newest whole head of one file and where it ends.  Walks from the start
 * only when the end is torn. */
static int newest_record(int fd, uint8_t *raw, struct log_record *record, bool *has,
			 uint64_t *end, uint64_t *size, struct err *e)
{
	struct log_record *walk;
	uint64_t at;

	*has = false;
	*end = LOG_FILE_HEAD;
	if (file_size(fd, size, e) < 0)
		return -1;
	at = log_record_last(fd, *size);
	if (at >= LOG_FILE_HEAD && log_record_read(fd, *size, at, raw, record, e) == 0) {
		*has = true;
		*end = *size;
		return 0;
	}
	walk = malloc(sizeof *walk);
	if (walk == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory for the audit log");
	while (*end < *size && log_record_read(fd, *size, *end, raw, walk, e) == 0) {
		*record = *walk;
		*has = true;
		*end += walk->size;
	}
	free(walk);
	if (*end < *size && e->code != MUNI_DAMAGED)
		return -1;
	return 0;
}

static int check_signature(struct log_record *r, const struct signatories *who,
			   struct log_checked *checked, struct err *e)
{
	/* The statement's NUL between them: it holds none itself. */
	struct digest both = digest_of_pair(r->statement, r->statement_size + 1, r->signature,
					    r->signature_size);

	if (checked && digest_equal(&checked->record, &both)) {
		r->head.signer = checked->signer;
		return 0;
	}
	if (log_record_check_signature(r, who, e) < 0) {
		char what[sizeof e->text];

		memcpy(what, e->text, sizeof what);
		return e->code == MUNI_DAMAGED ? damaged(e, what) : -1;
	}
	if (checked)
		*checked = (struct log_checked){ both, r->head.signer };
	return 0;
}

/* Finds the newest head in either copy; L5: the first file is never behind. */
static int load_heads(struct log *l, const struct signatories *who,
		      struct log_checked *checked, struct err *e)
{
	struct log_record *records = calloc(LOG_COPIES, sizeof *records);
	uint8_t *raw = malloc(LOG_RECORD_MAX);
	bool has[LOG_COPIES] = { false };
	uint64_t end[LOG_COPIES] = { 0 }, size[LOG_COPIES] = { 0 };
	int best = 0, rc = -1;

	if (records == NULL || raw == NULL) {
		err_set(e, MUNI_NO_MEMORY, "no memory for the audit log");
		goto out;
	}
	for (int c = 0; c < LOG_COPIES; c++) {
		if (l->fds[LOG_FILE_HEADS][c] >= 0 &&
		    newest_record(l->fds[LOG_FILE_HEADS][c], raw, &records[c], &has[c],
				  &end[c], &size[c], e) < 0)
			goto out;
	}
	*e = ERR_NONE;
	best = end[1] > end[0] ? 1 : 0;	/* 0 where the file is absent */
	if (l->is_writable && best == 1) {
		damaged(e, "audit/heads lacks heads that its copy has");
		goto out;
	}
	if (l->is_writable && size[0] - end[0] > LOG_RECORD_MAX) {
		/* More than a crash tears: cutting it would break L3. */
		damaged(e, "audit/heads is damaged before its end");
		goto out;
	}
	l->heads_end = end[best];
	l->has_head = has[best];
	if (l->has_head) {
		if (check_signature(&records[best], who, checked, e) < 0)
			goto out;
		l->head = records[best].head;
	}
	rc = 0;
out:
	free(records);
	free(raw);
	return rc;
}

/* L4, and that catalogue and head speak of the same log. */
static int compare(const struct log *l, const struct log_position *known, struct err *e)
{
	struct digest root = merkle_frontier_root(&known->frontier);

	if (!l->has_head)
		return 0;
	if (l->head.count > known->frontier.count)
		return err_set(e, MUNI_DAMAGED, "the catalogue knows %" PRIu64 " acts, the "
			       "audit log's newest signed head covers %" PRIu64 ": the "
			       "catalogue is an older copy.  Bring back the newest, or "
			       "let \"muni repair\" rebuild it",
			       known->frontier.count, l->head.count);
	if (l->head.count == known->frontier.count && !digest_equal(&root, &l->head.root))
		return err_set(e, MUNI_DAMAGED, "the catalogue and the audit log's newest "
			       "signed head disagree about the first %" PRIu64 " acts",
			       l->head.count);
	return 0;
}

/* Does any copy have the entries that the catalogue knows? */
static int check_entries(struct log *l, const struct log_position *known, struct err *e)
{
	uint64_t wanted = log_entry_offset(known->frontier.count), size;

	for (int c = 0; c < LOG_COPIES; c++) {
		int fd = l->fds[LOG_FILE_ENTRIES][c];

		if (fd < 0)
			continue;
		if (file_size(fd, &size, e) < 0)
			return -1;
		if (size >= wanted)
			return 0;
		if (l->is_writable)
			break;	/* L5: the first must have them */
	}
	return damaged(e, "audit/log lacks entries that the catalogue knows: it was cut, or is "
		       "an older copy");
}

/* L2: cuts file `f` of copy c to `end` if it is longer. */
static int cut(struct log *l, enum log_file f, int c, uint64_t end, struct err *e)
{
	int fd = l->fds[f][c];
	uint64_t size;

	if (file_size(fd, &size, e) < 0)
		return -1;
	if (size <= end)
		return 0;
	if (ftruncate(fd, (off_t)end) < 0)
		return err_errno(e, "cutting audit/%s", log_file_names[f][c]);
	return file_sync(fd, e);
}

/* Where the newest entry or head of the first file begins. */
static uint64_t newest_at(const struct log *l, enum log_file f, uint64_t end)
{
	uint64_t at = f == LOG_FILE_HEADS ? log_record_last(l->fds[f][0], end) :
		      end >= LOG_FILE_HEAD + LOG_ENTRY ? end - LOG_ENTRY : end;

	return at >= LOG_FILE_HEAD ? at : end;
}

/* What the catalogue knows was on stable storage here before: an entry that is not whole has
 * rotted, and the copy's may be the last. */
static int check_whole(const uint8_t *piece, size_t size, uint64_t at, struct err *e)
{
	uint64_t sequence = (at - LOG_FILE_HEAD) / LOG_ENTRY;
	struct log_entry entry;

	for (size_t i = 0; i + LOG_ENTRY <= size; i += LOG_ENTRY)
		if (log_entry_parse(piece + i, sequence++, &entry, e) < 0)
			return damaged(e, "one of the newest entries of audit/log is damaged");
	return 0;
}

/* The copy lacks at most the newest head (L5): where it lacks more, or something was added
 * that ends as a head does, what goes into it has to be one head after the other. */
static int check_heads(const struct log *l, uint64_t end, struct err *e)
{
	struct log_record *record = malloc(sizeof *record);
	uint8_t *raw = malloc(LOG_RECORD_MAX);
	uint64_t at = LOG_FILE_HEAD, count = 0;
	int rc = 0;

	if (record == NULL || raw == NULL)
		rc = err_set(e, MUNI_NO_MEMORY, "no memory for the audit log");
	while (rc == 0 && at < end) {
		rc = log_record_read(l->fds[LOG_FILE_HEADS][0], end, at, raw, record, e);
		if (rc == 0 && record->head.count < count)
			rc = err_set(e, MUNI_DAMAGED, "a head goes back");
		if (rc == 0) {
			count = record->head.count;
			at += record->size;
		}
	}
	free(record);
	free(raw);
	return rc < 0 && e->code == MUNI_DAMAGED ?
	       damaged(e, "audit/heads is damaged before its end") : rc;
}

/* L5: adds to the copy what only the first file has.  Of what was appended last a power cut
 * may have left the length and not the bytes. */
static int complete_copy(struct log *l, enum log_file f, uint64_t end, struct err *e)
{
	uint8_t piece[16 * LOG_ENTRY], there[sizeof piece];
	uint64_t have, at = newest_at(l, f, end);
	bool is_changed = false;

	if (file_size(l->fds[f][1], &have, e) < 0)
		return -1;
	if (at > have) {
		if (f == LOG_FILE_HEADS && check_heads(l, end, e) < 0)
			return -1;
		at = have;
	}
	while (at < end) {
		size_t size = end - at < sizeof piece ? (size_t)(end - at) : sizeof piece;

		if (file_read_at(l->fds[f][0], at, piece, size, e) < 0)
			return -1;
		if (f == LOG_FILE_ENTRIES && check_whole(piece, size, at, e) < 0)
			return -1;
		if (at + size > have || file_read_at(l->fds[f][1], at, there, size, e) < 0 ||
		    memcmp(piece, there, size) != 0) {
			if (file_write_at(l->fds[f][1], at, piece, size, e) < 0)
				return -1;
			is_changed = true;
		}
		at += size;
	}
	return is_changed ? file_sync(l->fds[f][1], e) : 0;
}

static int recover(struct log *l, const struct log_position *known, struct err *e)
{
	const uint64_t ends[LOG_FILE_COUNT] = {
		[LOG_FILE_ENTRIES] = log_entry_offset(known->frontier.count),
		[LOG_FILE_HEADS] = l->heads_end,
	};

	for (int f = 0; f < LOG_FILE_COUNT; f++) {
		for (int c = 0; c < LOG_COPIES; c++)
			if (cut(l, (enum log_file)f, c, ends[f], e) < 0)
				return -1;
		if (complete_copy(l, (enum log_file)f, ends[f], e) < 0)
			return -1;
	}
	return 0;
}

int log_open(int auditfd, bool is_writable, const struct log_position *known,
	     const struct signatories *who, struct log_checked *checked,
	     struct log **out, struct err *e)
{
	struct log *l = log_new(e);

	*out = NULL;
	if (l == NULL)
		return -1;
	l->is_writable = is_writable;
	l->position = *known;
	if (open_files(l, auditfd, e) < 0 ||
	    load_heads(l, who, checked, e) < 0 ||
	    compare(l, known, e) < 0 ||
	    check_entries(l, known, e) < 0 ||
	    (is_writable && recover(l, known, e) < 0)) {
		log_close(l);
		return err_wrap(e, "opening the audit log");
	}
	*out = l;
	return 0;
}

int log_peek_head(int auditfd, const struct signatories *who, struct log_checked *checked,
		  struct log_head *out, struct err *e)
{
	struct log *l = log_new(e);
	int rc = -1;

	if (l == NULL)
		return -1;
	if (open_files(l, auditfd, e) == 0 && load_heads(l, who, checked, e) == 0)
		rc = log_newest_head(l, out, e);
	log_close(l);
	return rc;
}
