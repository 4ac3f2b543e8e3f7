/*
 * Segments and parity in a folder of their own, for tests.
 */
#ifndef TESTS_UNIT_STORE_PARITY_FIXTURE_H
#define TESTS_UNIT_STORE_PARITY_FIXTURE_H

#include "fs/base/text.h"
#include "fs/crypt/keyed_hash.h"
#include "fs/store/objects.h"
#include "fs/store/parity.h"
#include "fs/store/segment.h"
#include "tests/unit/store/folder.h"

#define KIB 1024

struct fixture {
	struct folder folder;
	struct objects *objects;
};

static const struct parity_strength one = { .data = 4, .parity = 1 };
static const struct parity_strength two = { .data = 5, .parity = 2 };

static inline int fixture_make(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct err e = ERR_NONE;

	assert_non_null(f);
	folder_make(&f->folder);
	assert_int_equal(objects_make_folder(f->folder.fd, &e), 0);
	assert_int_equal(objects_open_folder(f->folder.fd, true, &f->objects, &e), 0);
	*state = f;
	return 0;
}

static inline int fixture_drop(void **state)
{
	struct fixture *f = *state;

	objects_close(f->objects);
	folder_drop(&f->folder);
	free(f);
	return 0;
}

/* A segment of about `size` bytes in blocks of up to 100 KiB. */
static inline struct object_name put_segment(struct fixture *f, size_t size, unsigned seed)
{
	struct object_name name = { .kind = OBJECTS_SEGMENT };
	struct keyed_hash *sums = NULL;
	struct segment_builder *b;
	struct err e = ERR_NONE;
	uint8_t *data = malloc(100 * KIB);

	assert_non_null(data);
	assert_int_equal(segment_builder_new(test_archive_id, size + 4096, &b, &e), 0);
	assert_int_equal(segment_sums_new(&sums, &e), 0);
	memcpy(name.uid, segment_builder_uid(b), 16);
	while (size > 0) {
		uint32_t n = size < 100 * KIB ? (uint32_t)size : 100 * KIB;
		uint8_t uid[16], sum[16];
		uint64_t offset;

		fill(data, n, seed++);
		memcpy(uid, data, n < 16 ? n : 16);
		assert_int_equal(segment_sum(sums, data, n, sum, &e), 0);
		assert_int_equal(segment_builder_add(b, uid, data, n, sum, &offset, &e), 0);
		size -= n;
	}
	assert_int_equal(segment_builder_put(b, f->objects, &e), 0);
	segment_builder_free(b);
	keyed_hash_free(sums);
	free(data);
	return name;
}

static const char *path_of(const struct object_name *name, char out[80])
{
	static const char *const suffixes[] = { "seg", "par", "cat" };
	char hex[33];

	text_hex(name->uid, 16, hex);
	snprintf(out, 80, "segments/%.2s/%s.%s", hex, hex, suffixes[name->kind]);
	return out;
}

static inline void update(struct fixture *f, struct parity_strength strength)
{
	struct err e = ERR_NONE;

	if (parity_update(f->objects, test_archive_id, strength, &e) < 0)
		fail_msg("parity_update: %s", e.text);
}

static inline struct object_name *list(struct fixture *f, enum objects_kind kind, size_t *count)
{
	struct object_name *names;
	struct err e = ERR_NONE;

	assert_int_equal(objects_list(f->objects, kind, &names, count, NULL, &e), 0);
	return names;
}

struct seen {
	unsigned damages, mendable, missing, parity, whole;
	uint8_t uid[16];
	uint64_t offset, size;
};

static inline int see(void *arg, const struct parity_damage *d)
{
	struct seen *s = arg;

	s->damages++;
	s->mendable += d->can_mend;
	s->missing += d->is_missing;
	s->parity += d->is_parity;
	s->whole += d->is_whole;
	memcpy(s->uid, d->uid, 16);
	s->offset = d->offset;
	s->size = d->size;
	return 0;
}

static inline struct seen check(struct fixture *f, size_t *unprotected)
{
	struct seen s = { 0 };
	struct err e = ERR_NONE;

	struct object_name *uncovered;
	size_t count;

	if (parity_check(f->objects, test_archive_id, see, NULL, &s, NULL, &e) < 0)
		fail_msg("parity_check: %s", e.text);
	assert_int_equal(parity_uncovered(f->objects, test_archive_id, &uncovered, &count, &e),
			 0);
	free(uncovered);
	if (unprotected != NULL)
		*unprotected = count;
	return s;
}

static inline struct seen repair(struct fixture *f, struct parity_strength strength)
{
	struct seen s = { 0 };
	struct err e = ERR_NONE;

	if (parity_repair(f->objects, test_archive_id, strength, see, NULL, &s, NULL, &e) < 0)
		fail_msg("parity_repair: %s", e.text);
	return s;
}

static inline void assert_whole(struct fixture *f)
{
	size_t unprotected;
	struct seen s = check(f, &unprotected);

	assert_int_equal(s.damages, 0);
	assert_int_equal(unprotected, 0);
}

#endif
