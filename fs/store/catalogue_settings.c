#include "fs/store/catalogue_dispositions.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fs/store/catalogue_inside.h"

static const char meta_get[] = "SELECT value FROM meta WHERE key = ?";
static const char meta_put[] =
	"INSERT INTO meta(key, value) VALUES(?, ?)"
	" ON CONFLICT(key) DO UPDATE SET value = excluded.value";

/* ---- single values ------------------------------------------------------------ */

/* 1 found, 0 absent, -1. */
static int get_start(struct query *q, struct catalogue *c, const char *key, struct err *e)
{
	if (query_open(q, c, STATEMENT_META_GET, meta_get, e) < 0)
		return -1;
	query_text(q, key);
	return query_step(q, e);
}

static int get_int(struct catalogue *c, const char *key, uint64_t max, uint64_t *out,
		   struct err *e)
{
	struct query q;
	int rc = -1;
	int got = get_start(&q, c, key, e);

	if (got > 0) {
		*out = (uint64_t)query_column(&q, 0, 0, max > INT64_MAX ? INT64_MAX :
					      (int64_t)max);
		rc = q.is_bad ? catalogue_damaged(c, e, "setting %s does not read", key) : 0;
	} else if (got == 0) {
		catalogue_damaged(c, e, "setting %s is missing", key);
	}
	query_close(&q);
	return rc;
}

static int get_bytes(struct catalogue *c, const char *key, void *out, size_t size,
		     struct err *e)
{
	struct query q;
	int rc = -1;
	int got = get_start(&q, c, key, e);

	if (got > 0) {
		query_column_bytes(&q, 0, out, size);
		rc = q.is_bad ? catalogue_damaged(c, e, "setting %s does not read", key) : 0;
	} else if (got == 0) {
		catalogue_damaged(c, e, "setting %s is missing", key);
	}
	query_close(&q);
	return rc;
}

static int put_int(struct catalogue *c, const char *key, uint64_t v, struct err *e)
{
	struct query q;

	if (query_open_write(&q, c, STATEMENT_META_PUT, meta_put, e) < 0)
		return -1;
	query_text(&q, key);
	query_unsigned(&q, v);
	return query_run(&q, e);
}

static int put_bytes(struct catalogue *c, const char *key, const void *data, size_t size,
		     struct err *e)
{
	struct query q;

	if (query_open_write(&q, c, STATEMENT_META_PUT, meta_put, e) < 0)
		return -1;
	query_text(&q, key);
	query_blob(&q, data, size);
	return query_run(&q, e);
}

/* ---- what the adversarial check looks for ------------------------------------------ */

int catalogue_traces_put(struct catalogue *c, const void *data, size_t size, struct err *e)
{
	return put_bytes(c, "traces", data, size, e);
}

int catalogue_traces_get(struct catalogue *c, uint8_t **out, size_t *size, struct err *e)
{
	struct query q;
	int got = get_start(&q, c, "traces", e), rc = got < 0 ? -1 : 0;

	*out = NULL;
	*size = 0;
	if (got > 0) {
		const void *blob = sqlite3_column_blob(q.stmt, 0);

		*size = (size_t)sqlite3_column_bytes(q.stmt, 0);
		*out = blob != NULL ? malloc(*size) : NULL;
		if (*out != NULL)
			memcpy(*out, blob, *size);
		else
			rc = blob == NULL ? catalogue_damaged(c, e, "setting traces does not read") :
			     err_set(e, MUNI_NO_MEMORY, "no memory for the traces");
	}
	query_close(&q);
	return rc;
}

/* ---- what was restricted ---------------------------------------------------------- */

int catalogue_restriction_count(struct catalogue *c, uint64_t *out, struct err *e)
{
	struct query q;
	int got = get_start(&q, c, "restrictions", e);

	*out = 0;		/* absent: there were none yet */
	if (got > 0) {
		*out = (uint64_t)query_column(&q, 0, 0, INT64_MAX - 1);
		if (q.is_bad)
			got = catalogue_damaged(c, e, "setting restrictions does not read");
	}
	query_close(&q);
	return got < 0 ? -1 : 0;
}

int catalogue_restriction_count_raise(struct catalogue *c, struct err *e)
{
	uint64_t count;

	if (catalogue_restriction_count(c, &count, e) < 0)
		return -1;
	return put_int(c, "restrictions", count + 1, e);
}

/* ---- who stamps times ------------------------------------------------------------- */

#define AUTHORITY_MAX (256u * 1024)

static int get_text(struct catalogue *c, const char *key, char **out, struct err *e)
{
	struct query q;
	int got = get_start(&q, c, key, e);

	*out = NULL;		/* absent: none */
	if (got > 0) {
		*out = query_column_copy(&q, 0, AUTHORITY_MAX);
		if (!*out)
			got = catalogue_damaged(c, e, "setting %s does not read", key);
	}
	query_close(&q);
	return got < 0 ? -1 : 0;
}

static int put_text(struct catalogue *c, const char *key, const char *text, struct err *e)
{
	struct query q;

	if (query_open_write(&q, c, STATEMENT_META_PUT, meta_put, e) < 0)
		return -1;
	query_text(&q, key);
	query_text(&q, text);
	return query_run(&q, e);
}

int catalogue_authority_get(struct catalogue *c, char **url, char **ca, struct err *e)
{
	int rc;

	*url = *ca = NULL;
	rc = get_text(c, "authority", url, e) < 0 || get_text(c, "authority_ca", ca, e) < 0 ? -1
											     : 0;
	if (rc == 0 && *url && **url && *ca)
		return 0;
	free(*url);
	free(*ca);
	*url = *ca = NULL;
	return rc;
}

int catalogue_authority_put(struct catalogue *c, const char *url, const char *ca, struct err *e)
{
	return put_text(c, "authority", url ? url : "", e) < 0 ||
	       put_text(c, "authority_ca", ca ? ca : "", e) < 0 ? -1 : 0;
}

/* ---- settings ------------------------------------------------------------------ */

/* What archives of before do not say. */
static int get_optional(struct catalogue *c, const char *key, uint32_t max, uint32_t absent,
			uint32_t *out, struct err *e)
{
	struct query q;
	int got = get_start(&q, c, key, e);

	*out = absent;
	if (got > 0) {
		*out = (uint32_t)query_column(&q, 0, 0, max);
		if (q.is_bad)
			got = catalogue_damaged(c, e, "setting %s does not read", key);
	}
	query_close(&q);
	return got < 0 ? -1 : 0;
}

int catalogue_settings_get(struct catalogue *c, struct catalogue_settings *out, struct err *e)
{
	uint64_t block_size, level, data, parity;
	uint32_t dense;

	*out = (struct catalogue_settings){ 0 };
	if (get_bytes(c, "archive_id", out->archive_id, sizeof out->archive_id, e) < 0 ||
	    get_int(c, "epoch", INT64_MAX, &out->epoch, e) < 0 ||
	    get_int(c, "generation", INT64_MAX, &out->generation, e) < 0 ||
	    get_int(c, "block_size", BLOCK_RAW_MAX, &block_size, e) < 0 ||
	    get_int(c, "level", 22, &level, e) < 0 ||
	    get_optional(c, "dense", 1, 0, &dense, e) < 0 ||
	    get_optional(c, "chunk_names", CHUNK_NAMES_HASHED, CHUNK_NAMES_DIGESTS,
			 &out->chunk_names, e) < 0 ||
	    get_int(c, "parity_data", 200, &data, e) < 0 ||
	    get_int(c, "parity_count", 20, &parity, e) < 0 ||
	    get_int(c, "page_seals", INT64_MAX, &out->page_seals, e) < 0 ||
	    get_bytes(c, "base_digest", out->base_digest.bytes, DIGEST_SIZE, e) < 0)
		return -1;
	out->block_size = (uint32_t)block_size;
	out->level = (uint32_t)level;
	out->is_dense = dense != 0;
	out->parity.data = (unsigned)data;
	out->parity.parity = (unsigned)parity;
	return 0;
}

int catalogue_settings_put(struct catalogue *c, const struct catalogue_settings *s,
			   struct err *e)
{
	if (s->block_size > BLOCK_RAW_MAX || s->level > 22 || s->parity.data > 200 ||
	    s->parity.parity > 20)
		return err_set(e, MUNI_LIMIT, "a setting is out of range (block size %" PRIu32
			       ", level %" PRIu32 ", parity %u+%u)", s->block_size, s->level,
			       s->parity.data, s->parity.parity);
	if (put_bytes(c, "archive_id", s->archive_id, sizeof s->archive_id, e) < 0 ||
	    put_int(c, "epoch", s->epoch, e) < 0 ||
	    put_int(c, "generation", s->generation, e) < 0 ||
	    put_int(c, "block_size", s->block_size, e) < 0 ||
	    put_int(c, "level", s->level, e) < 0 ||
	    put_int(c, "dense", s->is_dense, e) < 0 ||
	    put_int(c, "chunk_names", s->chunk_names, e) < 0 ||
	    put_int(c, "parity_data", s->parity.data, e) < 0 ||
	    put_int(c, "parity_count", s->parity.parity, e) < 0 ||
	    put_int(c, "page_seals", s->page_seals, e) < 0)
		return -1;
	return put_bytes(c, "base_digest", s->base_digest.bytes, DIGEST_SIZE, e);
}

/* ---- the switch of epoch -------------------------------------------------------- */

/* u64 to, u64 disposition; absent: none is under way. */
int catalogue_switch_get(struct catalogue *c, uint64_t *to, int64_t *disposition,
			 struct err *e)
{
	struct query q;
	int got = get_start(&q, c, "switch", e);

	*to = 0;
	*disposition = 0;
	if (got > 0) {
		size_t size;
		const uint8_t *data = query_column_blob(&q, 0, 16, 16, &size);
		struct reader r = reader_over(data, data ? size : 0);

		*to = reader_u64(&r);
		*disposition = (int64_t)reader_u64(&r);
		if (r.underflow)
			got = catalogue_damaged(c, e, "setting switch does not read");
	}
	query_close(&q);
	return got < 0 ? -1 : 0;
}

int catalogue_switch_put(struct catalogue *c, uint64_t to, int64_t disposition,
			 struct err *e)
{
	uint8_t raw[16];
	struct writer w = writer_over(raw, sizeof raw);

	writer_u64(&w, to);
	writer_u64(&w, (uint64_t)disposition);
	return put_bytes(c, "switch", raw, sizeof raw, e);
}

/* ---- the log's position and details ---------------------------------------------- */

/* u64 count, then the peaks of its set bits, lowest first. */
int catalogue_log_position_get(struct catalogue *c, struct log_position *out, struct err *e)
{
	struct query q;
	int rc = -1;
	int got = get_start(&q, c, "log_position", e);

	*out = (struct log_position){ 0 };
	if (got > 0) {
		size_t size;
		const uint8_t *data = query_column_blob(&q, 0, 8, 8 + 64 * DIGEST_SIZE, &size);
		struct reader r = reader_over(data, size);

		out->frontier.count = reader_u64(&r);
		for (unsigned i = 0; i < 64; i++)
			if (out->frontier.count >> i & 1)
				reader_bytes(&r, out->frontier.peaks[i].bytes, DIGEST_SIZE);
		rc = !data || r.underflow || reader_left(&r)
			? catalogue_damaged(c, e, "the log's position does not read") : 0;
	} else if (got == 0) {
		rc = 0;		/* an empty log */
	}
	query_close(&q);
	if (rc < 0)
		*out = (struct log_position){ 0 };
	return rc;
}

int catalogue_log_position_put(struct catalogue *c, const struct log_position *p,
			       struct err *e)
{
	uint8_t raw[8 + 64 * DIGEST_SIZE];
	struct writer w = writer_over(raw, sizeof raw);

	writer_u64(&w, p->frontier.count);
	for (unsigned i = 0; i < 64; i++)
		if (p->frontier.count >> i & 1)
			writer_bytes(&w, p->frontier.peaks[i].bytes, DIGEST_SIZE);
	return put_bytes(c, "log_position", raw, w.used, e);
}

int catalogue_log_detail_add(struct catalogue *c, uint64_t sequence, const uint8_t salt[16],
			     const char *details, struct err *e)
{
	struct query q;

	if (query_open_write(&q, c, STATEMENT_LOG_DETAIL_ADD,
			     "INSERT INTO log_detail(seq, salt, details) VALUES(?, ?, ?)",
			     e) < 0)
		return -1;
	query_unsigned(&q, sequence);
	query_blob(&q, salt, 16);
	query_text(&q, details);
	return query_run(&q, e);
}

/* text: of a column; malloc'ed copy.  NULL and is_bad if it is no text. */
static char *copy_text(struct query *q, int column)
{
	const unsigned char *text = NULL;
	char *copy = NULL;

	if (sqlite3_column_type(q->stmt, column) == SQLITE_TEXT)
		text = sqlite3_column_text(q->stmt, column);
	else
		q->is_bad = true;
	if (text)
		copy = strdup((const char *)text);
	if (!copy && !q->is_bad)
		query_lacks_memory(q);
	return copy;
}

int catalogue_log_detail_get(struct catalogue *c, uint64_t sequence, uint8_t salt[16],
			     char **details, struct err *e)
{
	struct query q;
	int rc = -1;

	*details = NULL;
	memset(salt, 0, 16);
	if (query_open(&q, c, STATEMENT_LOG_DETAIL_GET,
		       "SELECT salt, details FROM log_detail WHERE seq = ?", e) < 0)
		return -1;
	query_unsigned(&q, sequence);
	int got = query_step(&q, e);
	if (got < 0)
		goto out;
	if (got > 0 && sqlite3_column_type(q.stmt, 1) != SQLITE_NULL) {
		query_column_bytes(&q, 0, salt, 16);
		*details = copy_text(&q, 1);
		if (q.is_bad) {
			free(*details);
			*details = NULL;
			catalogue_damaged(c, e, "details of log entry %" PRIu64
					  " do not read", sequence);
			goto out;
		}
	}
	rc = 0;
out:
	query_close(&q);
	return rc;
}

/* ---- sequences ------------------------------------------------------------------- */

const char *const catalogue_sequence_names[SEQUENCE_ALL] = {
	[SEQUENCE_DIRECTORY] = "directory",
	[SEQUENCE_NODE] = "node",
	[SEQUENCE_CONTENT] = "content",
	[SEQUENCE_BLOCK] = "block",
	[SEQUENCE_SEGMENT] = "segment",
	[SEQUENCE_XATTRS] = "xattrs",
	[SEQUENCE_VERSION] = "version",
	[SEQUENCE_SYSTEM] = "system",
	[SEQUENCE_ACCOUNT] = "account",
	[SEQUENCE_CLASS] = "class",
	[SEQUENCE_SCAN] = "scan",
	[SEQUENCE_ITEM] = "item",
	[SEQUENCE_WORD] = "word",
	[SEQUENCE_POLICY] = "policy",
	[SEQUENCE_HOLD] = "hold",
	[SEQUENCE_EXTENSION] = "extension",
	[SEQUENCE_DISPOSITION] = "disposition",
	[SEQUENCE_CERTIFICATE] = "certificate",
	[SEQUENCE_COPY] = "copy",
};

int catalogue_sequence_next(struct catalogue *c, unsigned sequence, int64_t *next,
			    struct err *e)
{
	struct query q;
	int rc = -1;

	*next = 0;
	if (query_open(&q, c, STATEMENT_SEQUENCE_GET,
		       "SELECT next FROM sequence WHERE name = ?", e) < 0)
		return -1;
	query_text(&q, catalogue_sequence_names[sequence]);
	int got = query_step(&q, e);
	if (got > 0)
		*next = query_column_id(&q, 0);
	if (got == 0 || q.is_bad)
		catalogue_damaged(c, e, "the sequence of %s ids does not read",
				  catalogue_sequence_names[sequence]);
	else if (got > 0)
		rc = 0;
	query_close(&q);
	return rc;
}

int catalogue_sequence_take(struct catalogue *c, unsigned sequence, uint64_t count,
			    int64_t *first, struct err *e)
{
	struct query q;

	if (catalogue_sequence_next(c, sequence, first, e) < 0)
		return -1;
	if (count < 1 || count > (uint64_t)(INT64_MAX / 2 - *first / 2))
		return err_set(e, MUNI_LIMIT, "no %s ids are left",
			       catalogue_sequence_names[sequence]);
	if (query_open_write(&q, c, STATEMENT_SEQUENCE_MOVE,
			     "UPDATE sequence SET next = ? WHERE name = ?", e) < 0)
		return -1;
	query_int(&q, *first + (int64_t)count);
	query_text(&q, catalogue_sequence_names[sequence]);
	return query_run(&q, e);
}

int catalogue_reserve(struct catalogue *c, enum catalogue_sequence s, uint64_t count,
		      int64_t *first, struct err *e)
{
	return catalogue_sequence_take(c, s, count, first, e);
}
