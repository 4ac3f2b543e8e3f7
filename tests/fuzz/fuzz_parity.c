/*
 * Parity whose sums fit and which says anything: heads, directories and checksums of a
 * group of three small segments, changed by somebody who knows docs/format.md; no key is
 * needed for that.  Segments are lost or changed beside it.  All is checked, mended,
 * brought up to date, and checked again.
 */
#include <string.h>
#include <sys/uio.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/crypt/keyed_hash.h"
#include "fs/store/parity_inside.h"
#include "fs/store/segment.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/scratch.h"

#define MEMBERS 3
#define OBJECT_MAX (8u * PARITY_COLUMN)

struct held {
	struct object_name name;
	uint8_t *data;
	size_t size;
};

static const uint8_t archive[16] = "archive of fuzz";
static const struct parity_strength strength = { .data = 4, .parity = 2 };
static int folder;
static struct objects *objects;
static struct held segments[MEMBERS], parity[2];
static struct parity_head heads[2];

static void put(const struct held *h)
{
	struct iovec part = { h->data, h->size };
	struct err e = ERR_NONE;

	MUST(objects_delete(objects, &h->name, &e) == 0);
	MUST(objects_put(objects, &h->name, &part, 1, &e) == 0);
}

static void hold(struct held *h, const struct object_name *name)
{
	struct err e = ERR_NONE;
	uint64_t size;

	MUST(objects_size(objects, name, &size, &e) == 0 && size <= OBJECT_MAX);
	*h = (struct held){ .name = *name, .data = malloc(size), .size = size };
	MUST(h->data && objects_get(objects, name, 0, h->data, size, &e) == 0);
}

static void free_all(void)
{
	for (int i = 0; i < MEMBERS; i++)
		free(segments[i].data);
	for (int i = 0; i < 2; i++)
		free(parity[i].data);
	objects_close(objects);
}

static void make_segments(void)
{
	struct keyed_hash *sums;
	struct segment_builder *b;
	struct err e = ERR_NONE;

	MUST(segment_sums_new(&sums, &e) == 0);
	MUST(segment_builder_new(archive, 1u << 16, &b, &e) == 0);
	for (uint32_t i = 0; i < MEMBERS; i++) {
		uint8_t sealed[3000], uid[16] = { (uint8_t)i }, sum[16];
		uint64_t at;

		for (size_t k = 0; k < sizeof sealed; k++)
			sealed[k] = (uint8_t)(k * k / 7 + i);
		MUST(segment_sum(sums, sealed, 1000 + i * 900, sum, &e) == 0);
		MUST(segment_builder_add(b, uid, sealed, 1000 + i * 900, sum, &at, &e) == 0);
		MUST(segment_builder_put(b, objects, &e) == 0);
	}
	segment_builder_free(b);
	keyed_hash_free(sums);
}

static void hold_all(enum objects_kind kind, struct held *out, size_t wanted)
{
	struct object_name *list;
	struct err e = ERR_NONE;
	size_t count;

	MUST(objects_list(objects, kind, &list, &count, NULL, &e) == 0 && count == wanted);
	for (size_t i = 0; i < count; i++)
		hold(&out[i], &list[i]);
	free(list);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct err e = ERR_NONE;

	(void)argc;
	(void)argv;
	folder = scratch_folder();
	MUST(objects_make_folder(folder, &e) == 0);
	MUST(objects_open_folder(folder, true, &objects, &e) == 0);
	make_segments();
	MUST(parity_update(objects, archive, strength, &e) == 0);
	hold_all(OBJECTS_SEGMENT, segments, MEMBERS);
	hold_all(OBJECTS_PARITY, parity, 2);
	for (int i = 0; i < 2; i++)
		MUST(parity_head_parse(parity[i].data, archive, parity[i].name.uid, &heads[i],
				       &e) == 0);
	MUST(atexit(free_all) == 0);
	return 0;
}

/* ---- changes ----------------------------------------------------------------------------- */

static void change_head(struct parity_head *h, struct reader *r)
{
	uint8_t field = reader_u8(r) % 7;
	uint64_t value = field < 4 ? reader_u8(r) : reader_u64(r);

	switch (field) {
	case 0: h->data = (unsigned)value; break;
	case 1: h->parity = (unsigned)value; break;
	case 2: h->index = (unsigned)value; break;
	case 3: h->members = (unsigned)value; break;
	case 4: h->columns = value >> (value & 63); break;
	case 5: h->generation = value >> (value & 63); break;
	default: h->group[value % 16] ^= 1;
	}
}

/* A sum over the head and `size` bytes at `at`, put behind them. */
static void fit(uint8_t *o, size_t at, size_t size)
{
	uint8_t *all = malloc(PARITY_HEAD + size);

	MUST(all);
	memcpy(all, o, PARITY_HEAD);
	memcpy(all + PARITY_HEAD, o + at, size);
	parity_sum(all, PARITY_HEAD + size, o + at + size);
	free(all);
}

/* Both heads, and of both trailers the directory and the whole, wherever the head says
 * that they lie; outside the object nothing is done. */
static void fit_all(uint8_t *o, size_t size, const struct parity_head *h)
{
	uint64_t at = PARITY_HEAD + (h->columns < 16 ? h->columns : 16) * PARITY_COLUMN;
	size_t directory = h->members * 24u;

	parity_head_write(archive, h, o);
	parity_head_write(archive, h, o + size - PARITY_HEAD);
	if (at > size - PARITY_HEAD || (size - PARITY_HEAD - at) % 2 != 0)
		return;
	size_t trailer = (size_t)(size - PARITY_HEAD - at) / 2;
	if (trailer < directory + 2 * PARITY_SUM)
		return;
	for (int i = 0; i < 2; i++, at += trailer) {
		fit(o, at, directory);
		fit(o, at, trailer - PARITY_SUM);
	}
}

/* Sums as format 1 has them, of what stands there, in both trailers. */
static void sum_by_digest(uint8_t *o, size_t size)
{
	size_t trailer = (size - 2 * PARITY_HEAD - PARITY_COLUMN) / 2;

	for (int k = 0; k < 2; k++) {
		uint8_t *at = o + PARITY_HEAD + PARITY_COLUMN + (size_t)k * trailer;
		uint8_t *sums = at + MEMBERS * 24 + PARITY_SUM;
		struct err e = ERR_NONE;

		for (int m = 0; m < MEMBERS; m++)
			for (int s = 0; s < MEMBERS; s++)
				if (memcmp(at + m * 24, segments[s].name.uid, 16) == 0)
					MUST(parity_column_sum(NULL, segments[s].data,
							       segments[s].size,
							       sums + m * PARITY_SUM, &e) == 0);
		MUST(parity_column_sum(NULL, o + PARITY_HEAD, PARITY_COLUMN,
				       sums + MEMBERS * PARITY_SUM, &e) == 0);
	}
}

static void change_parity(unsigned i, struct reader *r)
{
	struct parity_head h = heads[i];
	struct held now = { .size = parity[i].size };
	uint8_t acts = reader_u8(r);
	size_t tail = parity[i].size - PARITY_HEAD - PARITY_COLUMN;
	struct err e = ERR_NONE;

	if (acts & 16)		/* it is lost */
		return;
	now.data = malloc(now.size);
	MUST(now.data);
	memcpy(now.data, parity[i].data, now.size);
	if (acts & 128) {
		h.format = PARITY_FORMAT_DIGESTS;
		sum_by_digest(now.data, now.size);
	}
	for (int k = 0; k < (acts & 3); k++)
		change_head(&h, r);
	for (int k = 0; k < (acts >> 2 & 3); k++) {	/* directory and sums, in both */
		size_t at = reader_u8(r), n = reader_u8(r) % 32;
		const uint8_t *bytes = reader_view(r, n);

		at %= (tail - PARITY_HEAD) / 2 - n;
		if (!bytes)
			break;
		memcpy(now.data + PARITY_HEAD + PARITY_COLUMN + at, bytes, n);
		memcpy(now.data + PARITY_HEAD + PARITY_COLUMN + (tail - PARITY_HEAD) / 2 + at, bytes, n);
	}
	if (acts & 32)
		now.data[PARITY_HEAD + reader_u16(r)] ^= 1;
	fit_all(now.data, now.size, &h);
	if (acts & 64)		/* cut, or longer than it was */
		now.size -= reader_u16(r) % now.size;
	now.name = parity_object_name(h.group, h.generation, h.index);
	memcpy(h.uid, now.name.uid, 16);
	fit_all(now.data, parity[i].size, &h);
	MUST(objects_delete(objects, &now.name, &e) == 0);
	put(&now);
	free(now.data);
}

static void change_segment(unsigned i, struct reader *r)
{
	struct held now = segments[i];
	uint8_t acts = reader_u8(r);

	if (acts & 1)
		return;
	now.data = malloc(now.size);
	MUST(now.data);
	memcpy(now.data, segments[i].data, now.size);
	if (acts & 2)
		now.data[reader_u16(r) % now.size] ^= 1;
	if (acts & 4)
		now.size -= reader_u16(r) % now.size;
	put(&now);
	free(now.data);
}

/* ---- what is made of it -------------------------------------------------------------------- */

static int on_damage(void *arg, const struct parity_damage *d)
{
	MUST(d->size > 0 || d->is_missing || d->is_parity);
	return ++*(unsigned *)arg > 1000;
}

static bool on_progress(void *arg, uint64_t bytes)
{
	(void)arg;
	(void)bytes;
	return true;
}

static void remove_all(void)
{
	struct object_name *list;
	struct err e = ERR_NONE;
	size_t count;

	for (int kind = 0; kind < OBJECTS_KIND_COUNT; kind++) {
		MUST(objects_list(objects, (enum objects_kind)kind, &list, &count, NULL, &e) == 0);
		for (size_t i = 0; i < count; i++)
			MUST(objects_delete(objects, &list[i], &e) == 0);
		free(list);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_over(data, size);
	struct object_name *bare = NULL;
	struct err e = ERR_NONE;
	unsigned found = 0;
	size_t count;

	remove_all();
	for (unsigned i = 0; i < MEMBERS; i++)
		change_segment(i, &r);
	for (unsigned i = 0; i < 2; i++)
		change_parity(i, &r);
	if (parity_uncovered(objects, archive, &bare, &count, &e) == 0)
		free(bare);
	e = ERR_NONE;
	if (parity_check(objects, archive, on_damage, on_progress, &found, NULL, &e) < 0)
		MUST(*e.text);
	e = ERR_NONE;
	found = 0;
	if (parity_repair(objects, archive, strength, on_damage, on_progress, &found, NULL, &e) <
	    0)
		MUST(*e.text);
	e = ERR_NONE;
	found = 0;
	parity_check(objects, archive, on_damage, on_progress, &found, NULL, &e);
	return 0;
}
