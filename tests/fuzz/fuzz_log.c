/*
 * The audit log of somebody who knows docs/format.md, and may have the archive's key: a
 * log of a few entries and heads, then a list of acts that change its files, put sums
 * right, add entries and signed heads that say anything.  Whatever is opened is read,
 * verified and mended; the log that the catalogue knows is never lost by that.
 */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/crypt/sign.h"
#include "fs/store/log_inside.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/scratch.h"

#define ENTRIES 5
#define FILE_MAX (64u << 10)
#define FILES 4

struct held {			/* a file of audit/ */
	uint8_t data[FILE_MAX];
	size_t size;
};

static int folder;
static struct signer *signer;
static uint8_t *cert;
static size_t cert_size;
static struct signatories who;
static struct log_position known;
static struct held fresh[FILES], now[FILES];

static const char *name_of(unsigned i)
{
	return log_file_names[i / LOG_COPIES][i % LOG_COPIES];
}

static void read_files(struct held *out)
{
	struct err e = ERR_NONE;

	for (unsigned i = 0; i < FILES; i++) {
		uint8_t *data;

		MUST(file_load(folder, name_of(i), FILE_MAX, &data, &out[i].size, &e) == 0);
		memcpy(out[i].data, data, out[i].size);
		free(data);
	}
}

static void write_files(const struct held *files)
{
	for (unsigned i = 0; i < FILES; i++)
		scratch_put(folder, name_of(i), files[i].data, files[i].size);
}

static void close_all(void)
{
	signer_free(signer);
	free(cert);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct digest pages = digest_of("pages", 5), actor = digest_of("", 0);
	struct err e = ERR_NONE;
	uint8_t salt[16];
	struct log *l;

	(void)argc;
	(void)argv;
	folder = scratch_folder();
	MUST(signer_generate("0123", SIGNER_P256, 1700000000, &signer, &e) == 0);
	MUST(signer_certificate(signer, &cert, &cert_size, &e) == 0);
	signatories_one(&who, cert, cert_size);
	MUST(log_create(folder, &l, &e) == 0);
	for (int i = 0; i < ENTRIES; i++) {
		MUST(log_append(l, LOG_INGEST, 1700000000 + i, &actor, "{}", salt, &e) == 0);
		if (i > 1)
			MUST(log_sign_head(l, signer, (uint64_t)i, &pages, 1, 1700000000 + i,
					   &e) == 0);
	}
	known = *log_position(l);
	log_close(l);
	read_files(fresh);
	MUST(atexit(close_all) == 0);
	return 0;
}

/* ---- changes ---------------------------------------------------------------------------- */

static void sum(uint8_t *data, size_t size)
{
	struct digest d = digest_of(data, size);

	memcpy(data + size, d.bytes, LOG_SUM);
}

static void append(struct held *f, const void *data, size_t size)
{
	if (size > FILE_MAX - f->size)
		return;
	if (size)
		memcpy(f->data + f->size, data, size);
	f->size += size;
}

static void add_entry(struct reader *r, struct held *f)
{
	struct log_entry entry = { .sequence = log_entries_in(f->size) + reader_u8(r) % 3,
				   .act = (enum log_act)reader_u8(r),
				   .time = (int64_t)reader_u64(r) };
	uint8_t raw[LOG_ENTRY];

	reader_bytes(r, entry.commitment.bytes, 4);
	log_entry_write(&entry, raw);
	append(f, raw, sizeof raw);
}

/* Signed, and so believed: with the root of the log as it is, or with any. */
static void add_head(struct reader *r, struct held *f)
{
	uint8_t how = reader_u8(r), *cms = NULL, *record = NULL;
	struct log_head head = { .count = reader_u8(r), .generation = reader_u8(r), .epoch = 1,
				 .time = (int64_t)reader_u32(r), .root = known.frontier.peaks[0] };
	char statement[LOG_STATEMENT_MAX + 1];
	struct err e = ERR_NONE;
	size_t size = log_statement(&head, statement), cms_size, record_size;

	if (how & 1)
		head.root = merkle_frontier_root(&known.frontier);
	if (how & 2)
		head.count = reader_u64(r);
	size = log_statement(&head, statement);
	if (how & 4)
		statement[reader_u16(r) % size] = (char)reader_u8(r);
	MUST(sign_detached(signer, statement, size, 1700000000, &cms, &cms_size, &e) == 0);
	if (how & 8)
		cms[reader_u16(r) % cms_size] ^= 1;
	MUST(log_record_write(statement, size, cms, cms_size, &record, &record_size, &e) == 0);
	append(f, record, record_size);
	free(cms);
	free(record);
}

static void change(struct reader *r)
{
	uint8_t act = reader_u8(r);
	struct held *f = &now[reader_u8(r) % FILES];
	size_t at, n;
	const uint8_t *bytes;

	switch (act % 7) {
	case 0:		/* bytes over what is there */
		at = reader_u16(r);
		n = reader_u8(r);
		bytes = reader_view(r, n);
		if (bytes && at < f->size)
			memcpy(f->data + at, bytes, n < f->size - at ? n : f->size - at);
		break;
	case 1:
		at = reader_u16(r);
		f->size = at < f->size ? at : f->size;
		break;
	case 2:		/* the sum of an entry, or of the head, put right */
		at = (size_t)reader_u8(r) * LOG_ENTRY;
		if (at + LOG_ENTRY <= f->size)
			sum(f->data + at, LOG_SUMMED);
		break;
	case 3:
		add_entry(r, f);
		break;
	case 4:
		add_head(r, f);
		break;
	case 5:
		*f = now[reader_u8(r) % FILES];
		break;
	default:
		n = reader_u8(r);
		bytes = reader_view(r, n);
		if (bytes)
			append(f, bytes, n);
	}
}

/* ---- what is said of it -------------------------------------------------------------------- */

static void found(void *arg, bool is_damage, bool can_mend, const char *what)
{
	unsigned *count = arg;

	(void)can_mend;
	MUST(what && *what);
	*count += is_damage;
}

static void read_log(bool is_writable)
{
	struct log_entry entry;
	struct log_head head;
	struct digest leaf;
	struct err e = ERR_NONE;
	struct log *l;
	char *statement = NULL;
	uint8_t *cms = NULL;
	size_t cms_size;

	if (log_open(folder, is_writable, &known, &who, NULL, &l, &e) < 0) {
		MUST(e.code != MUNI_OK && *e.text);
		return;
	}
	MUST(log_count(l) == known.frontier.count);	/* L2, L4 */
	for (uint64_t i = 0; i < log_count(l) + 1; i++) {
		e = ERR_NONE;
		if (log_read(l, i, &entry, &e) == 0)
			MUST(i < log_count(l) && entry.sequence == i);
		log_leaf(l, i, &leaf, &e);
	}
	if (log_newest_head(l, &head, &e) == 0)
		MUST(head.count <= log_count(l));
	if (log_newest_statement(l, &statement, &cms, &cms_size, &e) == 0) {
		free(statement);
		free(cms);
	}
	log_close(l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_over(data, size);
	unsigned damages = 0, after = 0;
	uint64_t entries = 0, heads = 0, mended = 0;
	struct log_head head;
	struct err e = ERR_NONE;

	memcpy(now, fresh, sizeof now);
	for (int i = 0; i < 8 && reader_left(&r) > 0; i++)
		change(&r);
	write_files(now);
	log_peek_head(folder, &who, NULL, &head, &e);
	e = ERR_NONE;
	int rc = log_verify(folder, &who, &entries, &heads, found, &damages, &e);
	/* A file whose head says, by a right sum, that a newer program wrote it is not judged. */
	MUST((rc == 0) == (damages == 0) || e.code == MUNI_FORMAT);
	read_log(false);
	e = ERR_NONE;
	if (log_mend(folder, &who, &mended, &e) == 0) {
		/* Mended once is mended: nothing more is found to do. */
		MUST(log_mend(folder, &who, &mended, &e) == 0 && mended == 0);
		rc = log_verify(folder, &who, &entries, &heads, found, &after, &e);
		/* Of a file that can be read again more may be seen than before. */
		MUST(damages > 0 || after == 0);
	}
	read_log(true);
	return 0;
}
