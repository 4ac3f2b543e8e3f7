/*
 * The bytes of the audit log, without any policy.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/base/text.h"
#include "fs/store/log_inside.h"

const char *const log_file_names[LOG_FILE_COUNT][LOG_COPIES] = {
	[LOG_FILE_ENTRIES] = { "log", "log.2" },
	[LOG_FILE_HEADS] = { "heads", "heads.2" },
};

static void sum_of(const void *data, size_t size, uint8_t out[LOG_SUM])
{
	struct digest d = digest_of(data, size);

	memcpy(out, d.bytes, LOG_SUM);
}

static bool sum_holds(const uint8_t *raw, size_t size)
{
	uint8_t sum[LOG_SUM];

	sum_of(raw, size, sum);
	return memcmp(raw + size, sum, sizeof sum) == 0;
}

void log_file_head(enum log_file file, uint8_t out[LOG_FILE_HEAD])
{
	struct writer w = writer_over(out, LOG_FILE_HEAD);

	writer_bytes(&w, file == LOG_FILE_ENTRIES ? "MUNILOGF" : "MUNIHEAD", 8);
	writer_u32(&w, LOG_FORMAT);
	writer_u32(&w, file == LOG_FILE_ENTRIES ? LOG_ENTRY : 0);
	writer_zeros(&w, LOG_SUMMED - w.used);
	sum_of(out, LOG_SUMMED, out + LOG_SUMMED);
}

int log_check_file_head(int fd, enum log_file file, struct err *e)
{
	uint8_t raw[LOG_FILE_HEAD], wanted[LOG_FILE_HEAD];
	struct reader r;
	uint32_t format;

	if (file_read_at(fd, 0, raw, sizeof raw, e) < 0)
		return -1;
	log_file_head(file, wanted);
	if (memcmp(raw, wanted, sizeof raw) == 0)
		return 0;
	r = reader_over(raw, sizeof raw);
	reader_view(&r, 8);
	format = reader_u32(&r);
	if (memcmp(raw, wanted, 8) == 0 && sum_holds(raw, LOG_SUMMED) &&
	    format != LOG_FORMAT)
		return err_set(e, MUNI_FORMAT, "it is of format %u, which this program "
			       "does not know: use a newer one", format);
	return err_set(e, MUNI_DAMAGED, "its first %d bytes are not what was written",
		       LOG_FILE_HEAD);
}

void log_entry_write(const struct log_entry *entry, uint8_t out[LOG_ENTRY])
{
	struct writer w = writer_over(out, LOG_ENTRY);

	writer_u64(&w, entry->sequence);
	writer_u32(&w, entry->act);
	writer_u32(&w, 0);
	writer_u64(&w, (uint64_t)entry->time);
	writer_bytes(&w, entry->actor.bytes, DIGEST_SIZE);
	writer_bytes(&w, entry->commitment.bytes, DIGEST_SIZE);
	writer_zeros(&w, 24);
	assert(w.used == LOG_SUMMED);
	sum_of(out, LOG_SUMMED, out + LOG_SUMMED);
}

int log_entry_parse(const uint8_t raw[LOG_ENTRY], uint64_t sequence,
		    struct log_entry *out, struct err *e)
{
	struct reader r = reader_over(raw, LOG_ENTRY);

	out->sequence = reader_u64(&r);
	out->act = (enum log_act)reader_u32(&r);
	reader_u32(&r);
	out->time = (int64_t)reader_u64(&r);
	reader_bytes(&r, out->actor.bytes, DIGEST_SIZE);
	reader_bytes(&r, out->commitment.bytes, DIGEST_SIZE);
	if (!sum_holds(raw, LOG_SUMMED) || out->sequence != sequence)
		return err_set(e, MUNI_DAMAGED, "entry %" PRIu64 " at byte %" PRIu64
			       " is not what was written", sequence,
			       log_entry_offset(sequence));
	return 0;
}

struct digest log_entry_leaf(const uint8_t raw[LOG_ENTRY])
{
	return merkle_leaf(raw, LOG_SUMMED);
}

uint64_t log_entry_offset(uint64_t sequence)
{
	return LOG_FILE_HEAD + sequence * LOG_ENTRY;
}

uint64_t log_entries_in(uint64_t file_size)
{
	return file_size > LOG_FILE_HEAD ? (file_size - LOG_FILE_HEAD) / LOG_ENTRY : 0;
}

size_t log_statement(const struct log_head *head, char out[LOG_STATEMENT_MAX + 1])
{
	char pages[DIGEST_HEX_SIZE], root[DIGEST_HEX_SIZE];
	int n;

	digest_hex(&head->pages, pages);
	digest_hex(&head->root, root);
	n = snprintf(out, LOG_STATEMENT_MAX + 1,
		     "{\"count\":%" PRIu64 ",\"epoch\":%" PRIu64 ",\"generation\":%" PRIu64
		     ",\"pages\":\"%s\",\"root\":\"%s\",\"time\":%" PRId64
		     ",\"type\":\"muniment.head.1\"}",
		     head->count, head->epoch, head->generation, pages, root, head->time);
	assert(n > 0 && n <= LOG_STATEMENT_MAX);
	return (size_t)n;
}

/* What log_statement() would not write byte for byte is none. */
static int parse_statement(const char *text, size_t size, struct log_head *out)
{
	char pages[DIGEST_HEX_SIZE], root[DIGEST_HEX_SIZE];
	char again[LOG_STATEMENT_MAX + 1];

	if (sscanf(text, "{\"count\":%" SCNu64 ",\"epoch\":%" SCNu64 ",\"generation\":%"
		   SCNu64 ",\"pages\":\"%64[0-9a-f]\",\"root\":\"%64[0-9a-f]\",\"time\":%"
		   SCNd64, &out->count, &out->epoch, &out->generation, pages, root,
		   &out->time) != 6 ||
	    text_unhex(pages, out->pages.bytes, DIGEST_SIZE) < 0 ||
	    text_unhex(root, out->root.bytes, DIGEST_SIZE) < 0)
		return -1;
	return log_statement(out, again) == size && memcmp(again, text, size) == 0 ? 0 : -1;
}

int log_record_write(const char *statement, size_t statement_size,
		     const uint8_t *signature, size_t signature_size, uint8_t **out,
		     size_t *size, struct err *e)
{
	struct writer w;
	uint8_t *raw;

	*out = NULL;
	*size = statement_size + signature_size + LOG_RECORD_FRAME;
	if (statement_size > LOG_STATEMENT_MAX || signature_size > LOG_SIGNATURE_MAX)
		return err_set(e, MUNI_LIMIT, "a signature of %zu bytes does not fit a head",
			       signature_size);
	raw = malloc(*size);
	if (raw == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a signed head");
	w = writer_over(raw, *size);
	writer_u32(&w, (uint32_t)statement_size);
	writer_u32(&w, (uint32_t)signature_size);
	writer_bytes(&w, statement, statement_size);
	writer_bytes(&w, signature, signature_size);
	writer_u32(&w, (uint32_t)*size);
	sum_of(raw, w.used, raw + w.used);
	*out = raw;
	return 0;
}

int log_record_read(int fd, uint64_t file_size, uint64_t offset,
		    uint8_t raw[LOG_RECORD_MAX], struct log_record *out, struct err *e)
{
	uint64_t left = offset < file_size ? file_size - offset : 0;
	size_t have = left < LOG_RECORD_MAX ? (size_t)left : LOG_RECORD_MAX;
	const uint8_t *statement, *signature;
	struct reader r;
	uint64_t size;

	if (file_read_at(fd, offset, raw, have, e) < 0)
		return -1;
	r = reader_over(raw, have);
	out->statement_size = reader_u32(&r);
	out->signature_size = reader_u32(&r);
	size = (uint64_t)out->statement_size + out->signature_size + LOG_RECORD_FRAME;
	statement = reader_view(&r, out->statement_size);
	signature = reader_view(&r, out->signature_size);
	if (r.underflow || out->statement_size > LOG_STATEMENT_MAX ||
	    out->signature_size > LOG_SIGNATURE_MAX || reader_u32(&r) != size ||
	    size > have || !sum_holds(raw, (size_t)size - LOG_SUM))
		goto damaged;
	out->size = size;
	memcpy(out->statement, statement, out->statement_size);
	out->statement[out->statement_size] = '\0';
	memcpy(out->signature, signature, out->signature_size);
	out->head.signer = (struct digest){{0}};
	if (parse_statement(out->statement, out->statement_size, &out->head) == 0)
		return 0;
damaged:
	return err_set(e, MUNI_DAMAGED, "the head at byte %" PRIu64 " is not what was "
		       "written", offset);
}

bool log_is_cut_off(const uint64_t sizes[LOG_COPIES], uint64_t at)
{
	return sizes[1] == at && sizes[0] > at && sizes[0] - at <= LOG_RECORD_MAX;
}

uint64_t log_record_last(int fd, uint64_t file_size)
{
	struct err e = ERR_NONE;
	uint8_t raw[4];
	struct reader r;
	uint32_t size;

	if (file_size < LOG_FILE_HEAD + LOG_RECORD_FRAME ||
	    file_read_at(fd, file_size - LOG_SUM - 4, raw, sizeof raw, &e) < 0)
		return 0;
	r = reader_over(raw, sizeof raw);
	size = reader_u32(&r);
	if (size < LOG_RECORD_FRAME || size > file_size - LOG_FILE_HEAD)
		return 0;
	return file_size - size;
}

int log_record_check_signature(struct log_record *r, const struct signatories *who,
			       struct err *e)
{
	if (signatories_verify(who, r->head.count, r->signature, r->signature_size,
			       r->statement, r->statement_size, &r->head.signer, e) < 0)
		return err_wrap(e, "the signature of the head over %" PRIu64 " entries",
				r->head.count);
	return 0;
}

struct digest log_leaf_of(const struct log_entry *entry)
{
	uint8_t raw[LOG_ENTRY];

	log_entry_write(entry, raw);
	return log_entry_leaf(raw);
}
