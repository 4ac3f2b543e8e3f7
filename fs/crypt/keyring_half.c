#include "fs/crypt/keyring_inside.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/base/rs.h"
#include "fs/base/text.h"

#define LOCK_WAIT_MS 10000	/* a store takes milliseconds */

static const char magic[8] = "MUNIKEYS";

/* Bound to archive, half and place, so that no column passes for another. */
static void column_sum(const uint8_t *id, unsigned half, unsigned column,
		       const uint8_t *payload, uint8_t sum[COLUMN_SUM])
{
	uint8_t place[KEYRING_ID_SIZE + 2];
	struct digest d;

	memcpy(place, id, KEYRING_ID_SIZE);
	place[KEYRING_ID_SIZE] = (uint8_t)half;
	place[KEYRING_ID_SIZE + 1] = (uint8_t)column;
	d = digest_of_pair(place, sizeof place, payload, COLUMN_PAYLOAD);
	memcpy(sum, d.bytes, COLUMN_SUM);
}

static bool is_column_whole(const uint8_t *id, unsigned half, unsigned column,
			    const uint8_t *raw)
{
	uint8_t sum[COLUMN_SUM];

	column_sum(id, half, column, raw, sum);
	return memcmp(sum, raw + COLUMN_PAYLOAD, COLUMN_SUM) == 0;
}

/* Over the payload, its own field as zeros: a half whose columns are whole but
 * come from two stores (a torn write, a splice) is seen without a key. */
static struct digest payload_sum(unsigned half, const uint8_t payload[PAYLOAD_SIZE])
{
	uint8_t head[1 + PAYLOAD_HEAD];

	head[0] = (uint8_t)half;
	memcpy(head + 1, payload, PAYLOAD_HEAD);
	memset(head + 1 + PAYLOAD_SUM, 0, DIGEST_SIZE);
	return digest_of_pair(head, sizeof head, payload + PAYLOAD_HEAD,
			      PAYLOAD_SIZE - PAYLOAD_HEAD);
}

static void parse_head(const uint8_t *id, unsigned index, struct half *h)
{
	struct reader r = reader_over(h->payload, PAYLOAD_HEAD);
	uint8_t found[8], owner[KEYRING_ID_SIZE];
	struct digest sum, now = payload_sum(index, h->payload);

	reader_bytes(&r, found, sizeof found);
	h->format = reader_u32(&r);
	h->slot_count = reader_u32(&r);
	reader_bytes(&r, owner, sizeof owner);
	h->generation = reader_u64(&r);
	h->slots_size = reader_u32(&r);
	h->body_size = reader_u32(&r);
	reader_bytes(&r, sum.bytes, sizeof sum.bytes);
	h->is_whole = memcmp(found, magic, sizeof magic) == 0 &&
		      memcmp(owner, id, KEYRING_ID_SIZE) == 0 && digest_equal(&sum, &now) &&
		      h->generation > 0 && h->generation < UINT64_MAX - 2;
	if (!keyring_knows_format(h->format))
		return;		/* what follows may mean something else there */
	h->is_whole = h->is_whole && h->slots_size <= PAYLOAD_SIZE &&
		      h->body_size <= BODY_SIZE_MAX &&
		      PAYLOAD_HEAD + h->slots_size + SEAL_NONCE_SIZE + h->body_size +
				      SEAL_TAG_SIZE <= PAYLOAD_SIZE;
}

static int decode(const struct rs *rs, const uint8_t *id, unsigned index, uint8_t *raw,
		  struct half *h, struct err *e)
{
	uint8_t columns[COLUMN_COUNT][COLUMN_PAYLOAD];
	uint8_t *shards[COLUMN_COUNT];
	bool is_missing[COLUMN_COUNT];

	h->mended = 0;
	for (unsigned c = 0; c < COLUMN_COUNT; c++) {
		const uint8_t *column = raw + c * COLUMN_SIZE;

		shards[c] = columns[c];
		is_missing[c] = !is_column_whole(id, index, c, column);
		h->mended += is_missing[c];
		memcpy(columns[c], column, COLUMN_PAYLOAD);
	}
	h->is_whole = false;
	if (h->mended > COLUMN_PARITY)
		return 0;
	if (h->mended > 0 && rs_rebuild(rs, shards, is_missing, COLUMN_PAYLOAD, e) < 0)
		return -1;
	memcpy(h->payload, columns, PAYLOAD_SIZE);
	parse_head(id, index, h);
	return 0;
}

void keyring_look_at(struct keyring_look *l, uint64_t offset, const void *data, size_t size)
{
	_Static_assert(sizeof l->heads[0] == PAYLOAD_ID + KEYRING_ID_SIZE &&
		       sizeof l->heads == HALF_COUNT * sizeof l->heads[0], "heads of halves");

	for (unsigned half = 0; half < HALF_COUNT && offset < KEYRING_SIZE; half++) {
		uint64_t at = half * HALF_SIZE, end = at + sizeof l->heads[half];
		uint64_t from = offset > at ? offset : at;
		uint64_t to = size < end - offset ? offset + size : end;

		if (offset < end && from < to)
			memcpy(l->heads[half] + (from - at), (const uint8_t *)data + (from - offset),
			       (size_t)(to - from));
	}
}

bool keyring_look_is_of(const struct keyring_look *l,
			const uint8_t archive_id[KEYRING_ID_SIZE])
{
	for (unsigned half = 0; half < HALF_COUNT; half++)
		if (memcmp(l->heads[half], magic, sizeof magic) == 0 &&
		    memcmp(l->heads[half] + PAYLOAD_ID, archive_id, KEYRING_ID_SIZE) == 0)
			return true;
	return false;
}

/* A keyring of another archive would look like one that is wholly damaged. */
static bool is_anothers(const uint8_t *id, const uint8_t *raw)
{
	for (unsigned half = 0; half < HALF_COUNT; half++) {
		const uint8_t *start = raw + half * HALF_SIZE;
		const uint8_t *owner = start + PAYLOAD_ID;

		if (memcmp(start, magic, sizeof magic) == 0 &&
		    memcmp(owner, id, KEYRING_ID_SIZE) != 0 &&
		    is_column_whole(owner, half, 0, start))
			return true;
	}
	return false;
}

static void judge(struct keyring_state *s)
{
	const struct half *a = &s->halves[0], *b = &s->halves[1];

	s->newest = -1;
	if (a->is_whole)
		s->newest = 0;
	if (b->is_whole && (s->newest < 0 || b->generation > a->generation))
		s->newest = 1;
	if (s->newest < 0)
		return;
	/* A store writes an odd generation, then the even one after it. */
	const struct half *newest = &s->halves[s->newest], *other = &s->halves[!s->newest];

	s->is_settled = s->excess == 0 && a->is_whole && b->is_whole && a->mended + b->mended == 0 &&
			newest->generation % 2 == 0 &&
			other->generation == newest->generation - 1;
}

static int read_file(const char *path, uint8_t raw[KEYRING_SIZE], uint64_t *excess,
		     struct err *e)
{
	struct stat st;
	int rc = -1, fd = file_open_user(path, O_RDONLY | O_NONBLOCK, 0, e);

	if (fd < 0)
		return -1;
	/* What a shorter file lacks counts as zeros, and is mended like them. */
	memset(raw, 0, KEYRING_SIZE);
	if (fstat(fd, &st) < 0) {
		err_errno(e, "looking at it");
		goto out;
	}
	if (!S_ISREG(st.st_mode)) {
		err_set(e, MUNI_DAMAGED, "it is not a regular file");
		goto out;
	}
	if (file_lock(fd, false, LOCK_WAIT_MS, e) < 0)
		goto out;
	*excess = st.st_size > KEYRING_SIZE ? (uint64_t)st.st_size - KEYRING_SIZE : 0;
	if (file_read_at(fd, 0, raw, st.st_size < KEYRING_SIZE ? (size_t)st.st_size
							       : KEYRING_SIZE, e) < 0)
		goto out;
	rc = 0;
out:
	file_close(&fd);
	return rc;
}

int keyring_load(const char *path, const uint8_t id[KEYRING_ID_SIZE],
		 struct keyring_state **out, struct err *e)
{
	struct keyring_state *s = calloc(1, sizeof *s);
	uint8_t *raw = malloc(KEYRING_SIZE);
	struct rs *rs = NULL;
	int rc = -1;

	*out = NULL;
	if (!s || !raw) {
		err_set(e, MUNI_NO_MEMORY, "no memory to read the keyring");
		goto out;
	}
	if (read_file(path, raw, &s->excess, e) < 0 || rs_new(COLUMN_DATA, COLUMN_PARITY, &rs, e) < 0)
		goto out;
	for (unsigned i = 0; i < HALF_COUNT; i++)
		if (decode(rs, id, i, raw + i * HALF_SIZE, &s->halves[i], e) < 0)
			goto out;
	judge(s);
	if (s->newest < 0 && is_anothers(id, raw)) {
		err_set(e, MUNI_CANNOT_UNLOCK, "it is the keyring of another archive: give "
			"this archive's with --keyring");
		goto out;
	}
	*out = s;
	s = NULL;
	rc = 0;
out:
	if (rc < 0)
		err_wrap(e, "keyring %s", text_printable(path));
	rs_free(rs);
	free(raw);
	free(s);
	return rc;
}

int keyring_usable(const struct keyring_state *s, struct err *e)
{
	if (s->newest < 0)
		return err_set(e, MUNI_DAMAGED, "both halves are damaged past mending: put "
			       "back a copy of the keyring, if one was kept");
	if (!keyring_knows_format(s->halves[s->newest].format))
		return err_set(e, MUNI_FORMAT, "it is of format %u, made by a newer muniment; "
			       "this one knows format %d", s->halves[s->newest].format,
			       KEYRING_FORMAT_RENEWED);
	return 0;
}

static void encode(const struct rs *rs, const uint8_t *id, unsigned index,
		   const uint8_t *payload, uint8_t raw[HALF_SIZE])
{
	uint8_t parity_bytes[COLUMN_PARITY][COLUMN_PAYLOAD];
	const uint8_t *data[COLUMN_DATA];
	uint8_t *parity[COLUMN_PARITY];

	for (unsigned c = 0; c < COLUMN_DATA; c++)
		data[c] = payload + c * COLUMN_PAYLOAD;
	for (unsigned c = 0; c < COLUMN_PARITY; c++)
		parity[c] = parity_bytes[c];
	rs_encode(rs, data, parity, COLUMN_PAYLOAD);
	for (unsigned c = 0; c < COLUMN_COUNT; c++) {
		uint8_t *column = raw + c * COLUMN_SIZE;

		memcpy(column, c < COLUMN_DATA ? data[c] : parity[c - COLUMN_DATA],
		       COLUMN_PAYLOAD);
		column_sum(id, index, c, column, column + COLUMN_PAYLOAD);
	}
}

int keyring_scrub_half(int fd, unsigned index, struct err *e)
{
	uint8_t noise[HALF_SIZE];

	if (random_bytes(noise, sizeof noise, e) < 0)
		return -1;
	return file_write_synced(fd, (uint64_t)index * HALF_SIZE, noise, sizeof noise, e);
}

int keyring_put_half(int fd, const uint8_t id[KEYRING_ID_SIZE], unsigned index,
		     uint8_t payload[PAYLOAD_SIZE], struct err *e)
{
	struct digest sum = payload_sum(index, payload);
	uint8_t raw[HALF_SIZE], back[HALF_SIZE];
	struct rs *rs = NULL;
	int rc = -1;

	memcpy(payload + PAYLOAD_SUM, sum.bytes, DIGEST_SIZE);
	if (rs_new(COLUMN_DATA, COLUMN_PARITY, &rs, e) < 0)
		return -1;
	encode(rs, id, index, payload, raw);
	if (file_write_synced(fd, (uint64_t)index * HALF_SIZE, raw, sizeof raw, e) < 0)
		goto out;
	/* The cache would give back what we hope; ask for what the disk has. */
	(void)posix_fadvise(fd, (off_t)index * HALF_SIZE, HALF_SIZE, POSIX_FADV_DONTNEED);
	if (file_read_at(fd, (uint64_t)index * HALF_SIZE, back, sizeof back, e) < 0)
		goto out;
	if (memcmp(raw, back, sizeof raw) != 0) {
		err_set(e, MUNI_IO, "what was written did not read back the same: the disk "
			"under it is failing");
		goto out;
	}
	rc = 0;
out:
	rs_free(rs);
	return rc;
}
