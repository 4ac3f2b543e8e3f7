/*
 * The audit log: appending, signing, reading.  Opening is in log_open.c, bytes
 * in log_bytes.c, verification in log_verify.c, mending in log_mend.c.
 */
#include "fs/store/log.h"

#include <assert.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/crypt/sign.h"
#include "fs/store/log_inside.h"

struct log *log_new(struct err *e)
{
	struct log *l = calloc(1, sizeof *l);

	if (l == NULL) {
		err_set(e, MUNI_NO_MEMORY, "no memory for the audit log");
		return NULL;
	}
	for (int f = 0; f < LOG_FILE_COUNT; f++)
		for (int c = 0; c < LOG_COPIES; c++)
			l->fds[f][c] = -1;
	l->heads_end = LOG_FILE_HEAD;
	return l;
}

void log_close(struct log *l)
{
	if (l == NULL)
		return;
	for (int f = 0; f < LOG_FILE_COUNT; f++)
		for (int c = 0; c < LOG_COPIES; c++)
			file_close(&l->fds[f][c]);
	free(l);
}

int log_create(int auditfd, struct log **out, struct err *e)
{
	struct log *l = log_new(e);
	uint8_t head[LOG_FILE_HEAD];

	*out = NULL;
	if (l == NULL)
		return -1;
	l->is_writable = true;
	for (int f = 0; f < LOG_FILE_COUNT; f++) {
		log_file_head((enum log_file)f, head);
		for (int c = 0; c < LOG_COPIES; c++) {
			int *fd = &l->fds[f][c];

			*fd = file_open(auditfd, log_file_names[f][c],
					O_RDWR | O_CREAT | O_EXCL, 0600, e);
			if (*fd < 0 || file_write_synced(*fd, 0, head, sizeof head, e) < 0)
				goto fail;
		}
	}
	if (file_sync_dir(auditfd, e) < 0)
		goto fail;
	*out = l;
	return 0;
fail:
	log_close(l);
	return err_wrap(e, "making the audit log");
}

/* L5: the first file, then its copy. */
static int write_both(struct log *l, enum log_file f, uint64_t at, const void *data,
		      size_t size, struct err *e)
{
	assert(l->is_writable);
	for (int c = 0; c < LOG_COPIES; c++)
		if (file_write_synced(l->fds[f][c], at, data, size, e) < 0)
			return err_wrap(e, "writing audit/%s", log_file_names[f][c]);
	return 0;
}

int log_append(struct log *l, enum log_act act, int64_t time, const struct digest *actor,
	       const char *details, uint8_t salt[16], struct err *e)
{
	struct log_entry entry = { .sequence = l->position.frontier.count, .act = act,
				   .time = time, .actor = *actor };
	struct hasher *h = NULL;
	uint8_t raw[LOG_ENTRY];
	struct digest leaf;

	if (random_bytes(salt, 16, e) < 0)
		return -1;
	h = hasher_new();
	if (h == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a log entry");
	hasher_update(h, salt, 16);
	hasher_update(h, details, strlen(details));
	entry.commitment = hasher_finish(h);
	hasher_free(h);

	log_entry_write(&entry, raw);
	if (write_both(l, LOG_FILE_ENTRIES, log_entry_offset(entry.sequence), raw,
		       sizeof raw, e) < 0)
		return -1;
	leaf = log_entry_leaf(raw);
	merkle_frontier_add(&l->position.frontier, &leaf);
	return 0;
}

void log_rewind(struct log *l, const struct log_position *known)
{
	assert(known->frontier.count <= l->position.frontier.count);
	assert(!l->has_head || known->frontier.count >= l->head.count);	/* L3 */
	l->position = *known;
}

const struct log_position *log_position(const struct log *l)
{
	return &l->position;
}

uint64_t log_count(const struct log *l)
{
	return l->position.frontier.count;
}

int log_sign_head(struct log *l, const struct signer *s, uint64_t generation,
		  const struct digest *pages, uint64_t epoch, int64_t time,
		  struct err *e)
{
	struct log_head head = { .count = log_count(l), .time = time,
				 .generation = generation, .pages = *pages,
				 .epoch = epoch };
	char statement[LOG_STATEMENT_MAX + 1];
	uint8_t *signature = NULL, *record = NULL;
	size_t statement_size, signature_size, size;
	int rc = -1;

	head.root = merkle_frontier_root(&l->position.frontier);
	statement_size = log_statement(&head, statement);
	if (sign_detached(s, statement, statement_size, time, &signature, &signature_size,
			  e) < 0 ||
	    log_record_write(statement, statement_size, signature, signature_size, &record,
			     &size, e) < 0)
		goto out;
	if (write_both(l, LOG_FILE_HEADS, l->heads_end, record, size, e) < 0)
		goto out;
	l->heads_end += size;
	l->head = head;
	l->has_head = true;
	rc = 0;
out:
	free(signature);
	free(record);
	if (rc < 0)
		return err_wrap(e, "signing the audit log's head");
	return 0;
}

int log_sync(struct log *l, struct err *e)
{
	for (int f = 0; f < LOG_FILE_COUNT; f++)
		for (int c = 0; c < LOG_COPIES; c++)
			if (file_sync(l->fds[f][c], e) < 0)
				return err_wrap(e, "writing audit/%s", log_file_names[f][c]);
	return 0;
}

int log_newest_head(const struct log *l, struct log_head *out, struct err *e)
{
	if (!l->has_head)
		return err_set(e, MUNI_NOT_FOUND, "the audit log has no signed head yet");
	*out = l->head;
	return 0;
}

static int copy_record(const struct log_record *r, char **statement, uint8_t **cms,
		       size_t *cms_size, struct err *e)
{
	*statement = strdup(r->statement);
	*cms = malloc(r->signature_size);
	if (*statement == NULL || *cms == NULL) {
		free(*statement);
		free(*cms);
		*statement = NULL;
		*cms = NULL;
		return err_set(e, MUNI_NO_MEMORY, "no memory for the log's head");
	}
	memcpy(*cms, r->signature, r->signature_size);
	*cms_size = r->signature_size;
	return 0;
}

int log_newest_statement(const struct log *l, char **statement, uint8_t **cms,
			 size_t *cms_size, struct err *e)
{
	struct log_record *r = malloc(sizeof *r);
	uint8_t *raw = malloc(LOG_RECORD_MAX);
	int rc = -1;

	*statement = NULL;
	*cms = NULL;
	if (r == NULL || raw == NULL) {
		err_set(e, MUNI_NO_MEMORY, "no memory for the log's head");
		goto out;
	}
	err_set(e, MUNI_NOT_FOUND, "the audit log has no signed head yet");
	for (int c = 0; rc < 0 && l->has_head && c < LOG_COPIES; c++) {
		int fd = l->fds[LOG_FILE_HEADS][c];
		uint64_t at = fd >= 0 ? log_record_last(fd, l->heads_end) : 0;

		if (at >= LOG_FILE_HEAD &&
		    log_record_read(fd, l->heads_end, at, raw, r, e) == 0 &&
		    r->head.count == l->head.count &&
		    digest_equal(&r->head.root, &l->head.root))
			rc = copy_record(r, statement, cms, cms_size, e);
	}
	if (rc == 0)
		*e = ERR_NONE;
out:
	free(r);
	free(raw);
	return rc;
}

/* From whichever copy has it whole. */
static int read_entry(const struct log *l, uint64_t sequence, uint8_t raw[LOG_ENTRY],
		      struct log_entry *out, struct err *e)
{
	if (sequence >= log_count(l))
		return err_set(e, MUNI_NOT_FOUND, "the audit log has no entry %" PRIu64,
			       sequence);
	for (int c = 0; c < LOG_COPIES; c++) {
		int fd = l->fds[LOG_FILE_ENTRIES][c];

		if (fd >= 0 &&
		    file_read_at(fd, log_entry_offset(sequence), raw, LOG_ENTRY, e) == 0 &&
		    log_entry_parse(raw, sequence, out, e) == 0) {
			*e = ERR_NONE;
			return 0;
		}
	}
	return err_wrap(e, "reading the audit log");
}

int log_read(const struct log *l, uint64_t sequence, struct log_entry *out, struct err *e)
{
	uint8_t raw[LOG_ENTRY];

	return read_entry(l, sequence, raw, out, e);
}

int log_leaf(const struct log *l, uint64_t sequence, struct digest *out, struct err *e)
{
	uint8_t raw[LOG_ENTRY];
	struct log_entry entry;

	if (read_entry(l, sequence, raw, &entry, e) < 0)
		return -1;
	*out = log_entry_leaf(raw);
	return 0;
}
