/*
 * An archive made by hand: blocks with and without bases, one content whose
 * bytes are known, and readers of every kind upon it.
 */
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "fs/base/err.h"
#include "fs/crypt/keyed_hash.h"
#include "fs/store/segment.h"
#include "fs/vault/block_cache.h"
#include "fs/vault/inside.h"
#include "fs/vault/reader.h"
#include "fs/vault/reader_helpers.h"
#include "fs/vault/reader_rows.h"

#define BLOCK 65536u
#define CHAIN (READER_DEPTH_MAX + 2)	/* blocks, each the base of the next */
#define FILE_SIZE (6u << 20)
#define ROW_BLOCK 16384u
#define ROW 48				/* blocks one behind the other, each alone */
#define LED 40				/* blocks that have one of two bases, by turns of four */
#define LED_SIZE (LED * 40000u)

struct fixture {
	char folder[64], path[96], keyring[96], key[96];
	struct vault *vault;
	struct catalogue *c;
	struct block_encoder *encoder;
	struct segment_builder *segment;
	struct keyed_hash *sums;
	int64_t segment_id, first_block;
	uint8_t *raw[CHAIN];	/* of each block of the chain */
	uint8_t *model;		/* what the file's bytes are */
	int64_t content;
	int64_t chain[CHAIN];	/* content ids */
	uint8_t *row;		/* ROW * ROW_BLOCK bytes of the content below */
	int64_t row_content, row_first;	/* its blocks */
	uint8_t *led;		/* LED_SIZE bytes of the content below */
	int64_t led_content;
};

#define OK(call) do { if ((call) < 0) fail_msg("%s: %s", #call, e.text); } while (0)

static uint32_t state_of_chance = 12345;

static uint32_t chance(void)
{
	state_of_chance = state_of_chance * 1664525u + 1013904223u;
	return state_of_chance >> 8;
}

static void make_archive(struct fixture *f)
{
	struct vault_options options = { .keys = { .keyring = f->keyring, .key_file = f->key } };
	struct vault_init_options o = { .keys = options.keys };
	struct err e = ERR_NONE;
	char id[33], *keyring;
	bool is_inside;
	FILE *key;

	strcpy(f->folder, "/tmp/muniment-reader.XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof f->path, "%s/a", f->folder);
	snprintf(f->keyring, sizeof f->keyring, "%s/k", f->folder);
	snprintf(f->key, sizeof f->key, "%s/key", f->folder);
	key = fopen(f->key, "w");
	fprintf(key, "%064d", 7);
	fclose(key);
	OK(vault_init(f->path, &o, id, &keyring, &is_inside, &e));
	free(keyring);
	OK(vault_open(f->path, &options, VAULT_WRITE, &f->vault, &e));
	f->c = vault_catalogue(f->vault);
}

static void add_block(struct fixture *f, int64_t id, const uint8_t *raw, uint32_t size,
		      const uint8_t *base, int64_t base_id)
{
	struct block b = { .id = id, .segment = f->segment_id, .class_id = 1 };
	const uint8_t *sealed;
	uint8_t sum[16];
	struct err e = ERR_NONE;

	b.bases[0] = base_id;
	OK(block_encode(f->encoder, raw, size, base, base ? BLOCK : 0, &b, &sealed, &e));
	OK(segment_sum(f->sums, sealed, b.stored, sum, &e));
	OK(segment_builder_add(f->segment, b.uid, sealed, b.stored, sum, &b.offset, &e));
	OK(catalogue_block_add(f->c, &b, &e));
}

/* Each block is the one before with a few bytes changed, and based upon it. */
static void make_chain(struct fixture *f)
{
	for (unsigned i = 0; i < CHAIN; i++) {
		f->raw[i] = malloc(BLOCK);
		for (unsigned n = 0; n < BLOCK; n++)
			f->raw[i][n] = i ? f->raw[i - 1][n] : (uint8_t)(chance() % 7 ? n / 13 : chance());
		for (unsigned n = 0; i > 0 && n < 200; n++)
			f->raw[i][chance() % BLOCK] = (uint8_t)chance();
		add_block(f, f->first_block + i, f->raw[i], BLOCK, i ? f->raw[i - 1] : NULL,
			  i ? f->first_block + i - 1 : 0);
	}
}

/* Extents of every shape over the first blocks of the chain, with holes. */
static void make_contents(struct fixture *f)
{
	static struct extent list[4096];
	size_t count = 0;
	struct digest sha = { { 1 } };
	struct err e = ERR_NONE;
	int64_t id;

	f->model = calloc(1, FILE_SIZE);
	for (uint64_t at = 0; at < FILE_SIZE - 2 * BLOCK;) {
		uint32_t size = chance() % 5 ? 1 + chance() % 3000 : BLOCK / 2;
		uint32_t from = chance() % (BLOCK - size), block = chance() % 3;
		if (chance() % 4 == 0)
			at += chance() % 9000;	/* a hole before it */
		list[count++] = (struct extent){ at, size, f->first_block + block, from };
		memcpy(f->model + at, f->raw[block] + from, size);
		at += size;
	}
	assert_true(count > 2 * EXTENTS_A_PAGE && count < 4096);
	OK(catalogue_reserve(f->c, SEQUENCE_CONTENT, 1 + CHAIN, &id, &e));
	f->content = id++;
	OK(catalogue_content_add(f->c, f->content, &sha, list, count, &e));
	for (unsigned i = 0; i < CHAIN; i++) {
		struct extent whole = { 0, BLOCK, f->first_block + i, 0 };
		f->chain[i] = id++;
		OK(catalogue_content_add(f->c, f->chain[i], &sha, &whole, 1, &e));
	}
}

/* One file in many blocks, as large files are. */
static void make_row(struct fixture *f)
{
	struct extent list[ROW];
	struct digest sha = { { 2 } };
	struct err e = ERR_NONE;

	f->row = malloc(ROW * ROW_BLOCK);
	for (unsigned n = 0; n < ROW * ROW_BLOCK; n++)
		f->row[n] = (uint8_t)(chance() % 5 ? n / 11 : chance());
	OK(catalogue_reserve(f->c, SEQUENCE_BLOCK, ROW, &f->row_first, &e));
	for (unsigned i = 0; i < ROW; i++) {
		add_block(f, f->row_first + i, f->row + i * ROW_BLOCK, ROW_BLOCK, NULL, 0);
		list[i] = (struct extent){ i * ROW_BLOCK, ROW_BLOCK, f->row_first + i, 0 };
	}
	OK(catalogue_reserve(f->c, SEQUENCE_CONTENT, 1, &f->row_content, &e));
	OK(catalogue_content_add(f->c, f->row_content, &sha, list, ROW, &e));
}

static void make_led(struct fixture *f)
{
	struct extent list[LED];
	struct digest sha = { { 3 } };
	struct err e = ERR_NONE;
	int64_t first;

	f->led = malloc(LED_SIZE);
	OK(catalogue_reserve(f->c, SEQUENCE_BLOCK, LED, &first, &e));
	for (unsigned i = 0; i < LED; i++) {
		unsigned base = i / 4 % 2;
		uint8_t *raw = f->led + i * 40000;
		memcpy(raw, f->raw[base] + i * 100, 40000);
		for (unsigned n = 0; n < 500; n++)
			raw[chance() % 40000] = (uint8_t)chance();
		add_block(f, first + i, raw, 40000, f->raw[base], f->first_block + base);
		list[i] = (struct extent){ i * 40000, 40000, first + i, 0 };
	}
	OK(catalogue_reserve(f->c, SEQUENCE_CONTENT, 1, &f->led_content, &e));
	OK(catalogue_content_add(f->c, f->led_content, &sha, list, LED, &e));
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct version v = { .label = "1", .at = 1, .ingested = 1, .source_kind = "test" };
	struct system system;
	struct err e = ERR_NONE;

	make_archive(f);
	OK(block_encoder_new(vault_id(f->vault), 3, &f->encoder, &e));
	OK(segment_builder_new(vault_id(f->vault), 8 << 20, &f->segment, &e));
	OK(segment_sums_new(&f->sums, &e));
	OK(catalogue_begin(f->c, &e));
	OK(catalogue_system_intern(f->c, "s", &system, &e));
	v.system = system.id;
	OK(catalogue_version_begin(f->c, &v, &e));
	OK(catalogue_reserve(f->c, SEQUENCE_SEGMENT, 1, &f->segment_id, &e));
	OK(catalogue_segment_add(f->c, f->segment_id, segment_builder_uid(f->segment), &e));
	OK(catalogue_reserve(f->c, SEQUENCE_BLOCK, CHAIN, &f->first_block, &e));
	make_chain(f);
	make_contents(f);
	make_row(f);
	make_led(f);
	OK(segment_builder_put(f->segment, f->vault->objects, &e));
	OK(catalogue_commit(f->c, &e));
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char command[128];

	segment_builder_free(f->segment);
	keyed_hash_free(f->sums);
	block_encoder_free(f->encoder);
	vault_close(f->vault);
	for (unsigned i = 0; i < CHAIN; i++)
		free(f->raw[i]);
	free(f->model);
	free(f->row);
	free(f->led);
	snprintf(command, sizeof command, "rm -rf '%s'", f->folder);
	free(f);
	return system(command) == 0 ? 0 : -1;
}

static struct vault_reader *reader(struct fixture *f, struct block_cache *cache)
{
	struct vault_reader *r;
	struct err e = ERR_NONE;

	OK(vault_reader_open(f->vault, cache, 512 * 1024, &r, &e));
	return r;
}

/* ---- reading ------------------------------------------------------------------------- */

static void check_range(struct fixture *f, struct vault_reader *r, uint64_t at, size_t size,
			bool as_parts)
{
	uint8_t *out = malloc(size + 1);
	size_t got = 0, want = at >= FILE_SIZE ? 0 : size < FILE_SIZE - at ? size : (size_t)(FILE_SIZE - at);
	struct vault_parts p;
	struct err e = ERR_NONE;

	if (as_parts) {
		OK(vault_read_parts(r, f->content, FILE_SIZE, at, size, chance() % 2, &p, &e));
		for (unsigned i = 0; i < p.count; got += p.parts[i++].iov_len)
			memcpy(out + got, p.parts[i].iov_base, p.parts[i].iov_len);
		assert_int_equal(got, p.size);
		vault_parts_release(r, &p);
	} else {
		OK(vault_read(r, f->content, FILE_SIZE, at, out, size, &got, &e));
	}
	assert_int_equal(got, want);
	assert_memory_equal(out, f->model + (want ? at : 0), want);
	free(out);
}

static void check_many_ranges(struct fixture *f, struct vault_reader *r, unsigned rounds)
{
	for (unsigned i = 0; i < rounds; i++) {
		uint64_t at = chance() % (FILE_SIZE + 1000);
		check_range(f, r, at, chance() % 3 ? chance() % 5000 : chance() % (1 << 20), i % 2);
	}
	check_range(f, r, 0, FILE_SIZE, true);
	check_range(f, r, 0, FILE_SIZE, false);
	check_range(f, r, FILE_SIZE - 1, 2, true);
}

static void any_range_reads_as_it_was_written(void **state)
{
	struct fixture *f = *state;
	static const size_t limits[] = { 0, 100 * 1024, 64 << 20 };

	for (unsigned i = 0; i < 3; i++) {
		struct block_cache *cache = block_cache_new(limits[i]);
		struct vault_reader *r = reader(f, cache);
		check_many_ranges(f, r, 300);
		vault_reader_close(r);
		block_cache_free(cache);
	}
}

static void holes_and_data_are_found_where_they_are(void **state)
{
	struct fixture *f = *state;
	struct block_cache *cache = block_cache_new(1 << 20);
	struct vault_reader *r = reader(f, cache);
	struct err e = ERR_NONE;
	uint64_t at = 0, data, hole;

	while (at < FILE_SIZE) {
		OK(vault_seek(r, f->content, FILE_SIZE, at, true, &data, &e));
		assert_true(data >= at && data <= FILE_SIZE);
		for (uint64_t i = at; i < data; i++)
			assert_int_equal(f->model[i], 0);
		if (data == FILE_SIZE)
			break;
		OK(vault_seek(r, f->content, FILE_SIZE, data, false, &hole, &e));
		assert_true(hole > data);
		OK(vault_seek(r, f->content, FILE_SIZE, hole - 1, true, &at, &e));
		assert_int_equal(at, hole - 1);
		at = hole;
	}
	OK(vault_seek(r, 0, 1000, 10, true, &data, &e));
	OK(vault_seek(r, 0, 1000, 10, false, &hole, &e));
	assert_int_equal(data, 1000);
	assert_int_equal(hole, 10);
	vault_reader_close(r);
	block_cache_free(cache);
}

static void a_block_is_decoded_through_its_bases(void **state)
{
	struct fixture *f = *state;
	struct block_cache *cache = block_cache_new(0);
	struct vault_reader *r = reader(f, cache);
	uint8_t *out = malloc(BLOCK);
	struct err e = ERR_NONE;
	size_t got;

	for (unsigned i = 0; i <= READER_DEPTH_MAX; i++) {
		OK(vault_read(r, f->chain[i], BLOCK, 0, out, BLOCK, &got, &e));
		assert_memory_equal(out, f->raw[i], BLOCK);
	}
	/* D5, for one whose room has not the base from before */
	vault_reader_close(r);
	r = reader(f, cache);
	assert_int_equal(vault_read(r, f->chain[CHAIN - 1], BLOCK, 0, out, BLOCK, &got, &e), -1);
	assert_int_equal(e.code, MUNI_DAMAGED);
	free(out);
	vault_reader_close(r);
	block_cache_free(cache);
}

/* ---- damage --------------------------------------------------------------------------- */

static void flip(struct fixture *f, const struct block *b, const uint8_t uid[16])
{
	struct object_name name = { .kind = OBJECTS_SEGMENT };
	char text[OBJECT_TEXT_MAX], path[256];
	uint8_t byte;

	memcpy(name.uid, uid, 16);
	object_text(&name, text);
	snprintf(path, sizeof path, "%s/segments/%.2s/%s.seg", f->path, text + 4, text + 4);
	chmod(path, 0600);
	int fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, (off_t)b->offset + 100), 1);
	byte ^= 1;
	assert_int_equal(pwrite(fd, &byte, 1, (off_t)b->offset + 100), 1);
	close(fd);
	chmod(path, 0400);
}

static void damage_fails_the_read_and_is_not_remembered(void **state)
{
	struct fixture *f = *state;
	struct block_cache *cache = block_cache_new(1 << 20);
	struct vault_reader *r = reader(f, cache);
	uint8_t *out = malloc(BLOCK), uid[16];
	struct block b;
	struct err e = ERR_NONE;
	size_t got;

	OK(catalogue_block(f->c, f->first_block, &b, uid, &e));
	flip(f, &b, uid);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(vault_read(r, f->chain[i], BLOCK, 0, out, BLOCK, &got, &e), -1);
		assert_int_equal(e.code, MUNI_DAMAGED);
	}
	flip(f, &b, uid);
	OK(vault_read(r, f->chain[2], BLOCK, 0, out, BLOCK, &got, &e));
	assert_memory_equal(out, f->raw[2], BLOCK);
	free(out);
	vault_reader_close(r);
	block_cache_free(cache);
}

/* ---- threads --------------------------------------------------------------------------- */

struct worker {
	struct fixture *f;
	struct block_cache *cache;
	pthread_barrier_t *start;
	bool only_one_block;
	bool is_right;
};

static void *work(void *arg)
{
	struct worker *w = arg;
	struct vault_reader *r = NULL;
	uint8_t *out = malloc(1 << 20);
	struct err e = ERR_NONE;
	uint32_t seed = (uint32_t)(uintptr_t)w;
	size_t got;

	w->is_right = vault_reader_open(w->f->vault, w->cache, 256 * 1024, &r, &e) == 0;
	pthread_barrier_wait(w->start);
	for (unsigned i = 0; w->is_right && i < (w->only_one_block ? 1 : 300); i++) {
		seed = seed * 1664525u + 1013904223u;
		uint64_t at = (seed >> 8) % FILE_SIZE;
		size_t size = seed % 3 ? 4096 : 300000;
		if (w->only_one_block) {
			w->is_right = vault_read(r, w->f->chain[1], BLOCK, 0, out, BLOCK, &got, &e) == 0 &&
				      memcmp(out, w->f->raw[1], BLOCK) == 0;
			continue;
		}
		vault_prefetch(r, w->f->content, at, size);
		w->is_right = vault_read(r, w->f->content, FILE_SIZE, at, out, size, &got, &e) == 0 &&
			      memcmp(out, w->f->model + at, got) == 0;
	}
	vault_reader_close(r);
	free(out);
	return NULL;
}

static void run_workers(struct fixture *f, struct block_cache *cache, bool only_one_block)
{
	struct worker w[6];
	pthread_t threads[6];
	pthread_barrier_t start;

	pthread_barrier_init(&start, NULL, 6);
	for (unsigned i = 0; i < 6; i++) {
		w[i] = (struct worker){ f, cache, &start, only_one_block, false };
		assert_int_equal(pthread_create(&threads[i], NULL, work, &w[i]), 0);
	}
	for (unsigned i = 0; i < 6; i++) {
		pthread_join(threads[i], NULL);
		assert_true(w[i].is_right);
	}
	pthread_barrier_destroy(&start);
}

static void many_who_want_one_block_wait_for_one_decode(void **state)
{
	struct block_cache *cache = block_cache_new(4 << 20);
	struct block_cache_figures figures;

	run_workers(*state, cache, true);
	block_cache_figures(cache, &figures);
	assert_int_equal(figures.misses, 2);	/* the block and its base */
	block_cache_free(cache);
}

static void readers_and_helpers_together_stay_right_and_within_the_limit(void **state)
{
	struct fixture *f = *state;
	static const size_t limits[] = { 1, 300 * 1024, 16 << 20 };
	struct block_cache_figures figures;
	struct err e = ERR_NONE;

	for (unsigned i = 0; i < 3; i++) {
		struct block_cache *cache = block_cache_new(limits[i]);
		OK(block_cache_start_helpers(cache, f->vault, 3, &e));
		run_workers(f, cache, false);
		usleep(50000);	/* the helpers' last block */
		block_cache_figures(cache, &figures);
		if (i > 0)	/* D3: a base and a block for each helper that has a reader open */
			assert_true(figures.used <= limits[i] + 3 * 2 * BLOCK);
		assert_int_equal(figures.failures, 0);
		block_cache_clear(cache);
		block_cache_free(cache);
	}
}

/* ---- rows of blocks ------------------------------------------------------------------- */

/* Waits until so many blocks were decoded or given up. */
static void await(struct block_cache *cache, uint64_t misses)
{
	struct block_cache_figures figures;

	block_cache_figures(cache, &figures);
	for (unsigned i = 0; i < 500 && figures.misses < misses; i++) {
		usleep(10000);
		block_cache_figures(cache, &figures);
	}
	assert_int_equal(figures.misses, misses);
}

static void blocks_in_a_row_are_fetched_ahead_and_read_as_written(void **state)
{
	struct fixture *f = *state;
	struct block_cache *cache = block_cache_new(16 << 20);
	struct vault_reader *r = reader(f, cache);
	uint8_t *out = malloc(ROW * ROW_BLOCK);
	struct err e = ERR_NONE;
	size_t got;

	OK(block_cache_start_helpers(cache, f->vault, 2, &e));
	vault_prefetch(r, f->row_content, 0, ROW * ROW_BLOCK);
	await(cache, ROW);
	OK(vault_read(r, f->row_content, ROW * ROW_BLOCK, 0, out, ROW * ROW_BLOCK, &got, &e));
	assert_int_equal(got, ROW * ROW_BLOCK);
	assert_memory_equal(out, f->row, ROW * ROW_BLOCK);
	await(cache, ROW);	/* D2: not one of them twice */
	free(out);
	vault_reader_close(r);
	block_cache_free(cache);
}

/* More of them than threads, as many, and fewer; of threads that sleep, and that are at it. */
static void what_a_read_waits_for_is_decoded_whoever_of_the_helpers_sleeps(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;

	for (unsigned threads = 1; threads <= 3; threads++) {
		struct block_cache *cache = block_cache_new(16 << 20);
		struct helpers_errand list[5];
		unsigned done = 0;
		OK(block_cache_start_helpers(cache, f->vault, threads, &e));
		for (unsigned count = 1; count <= 5; count++) {
			for (unsigned i = 0; i < count; i++)
				list[i] = (struct helpers_errand){
					.block = f->row_first + done + i,
					.wanted = HELPERS_WHOLE,
					.is_series = done % 2 == 0 };
			helpers_hint(block_cache_helpers(cache), list, count, true);
			done += count;
			if (count % 2 == 1)
				await(cache, done);
		}
		block_cache_free(cache);
	}
}

static void one_bad_block_in_a_row_fails_alone(void **state)
{
	struct fixture *f = *state;
	struct block_cache *cache = block_cache_new(16 << 20);
	struct vault_reader *r = reader(f, cache);
	uint8_t out[ROW_BLOCK], uid[16];
	struct block_cache_figures figures;
	struct block b;
	struct err e = ERR_NONE;
	size_t got;

	OK(catalogue_block(f->c, f->row_first + 10, &b, uid, &e));
	flip(f, &b, uid);
	OK(block_cache_start_helpers(cache, f->vault, 2, &e));
	vault_prefetch(r, f->row_content, 0, ROW * ROW_BLOCK);
	await(cache, ROW);
	usleep(20000);		/* the last of them lands */
	block_cache_figures(cache, &figures);
	assert_int_equal(figures.failures, 1);
	for (unsigned i = 0; i < ROW; i++) {
		int rc = vault_read(r, f->row_content, ROW * ROW_BLOCK, i * ROW_BLOCK, out,
				    ROW_BLOCK, &got, &e);
		assert_int_equal(rc, i == 10 ? -1 : 0);
		if (rc == 0)
			assert_memory_equal(out, f->row + i * ROW_BLOCK, ROW_BLOCK);
	}
	assert_int_equal(e.code, MUNI_DAMAGED);
	flip(f, &b, uid);
	OK(vault_read(r, f->row_content, ROW * ROW_BLOCK, 10 * ROW_BLOCK, out, ROW_BLOCK, &got,
		      &e));
	assert_memory_equal(out, f->row + 10 * ROW_BLOCK, ROW_BLOCK);
	vault_reader_close(r);
	block_cache_free(cache);
}

/* A read that belongs to no stream is decoded as far as it goes, and right. */
static void samples_of_a_row_read_as_written_with_helpers(void **state)
{
	struct fixture *f = *state;
	struct block_cache *cache = block_cache_new(256 * 1024);
	struct vault_reader *r = reader(f, cache);
	struct err e = ERR_NONE;

	OK(block_cache_start_helpers(cache, f->vault, 2, &e));
	for (unsigned i = 0; i < 400; i++) {
		size_t at = chance() % (ROW * ROW_BLOCK), size = 1 + chance() % (8 * ROW_BLOCK);
		struct vault_parts p;
		/* Said to be larger than it is: only large files are sampled. */
		OK(vault_read_parts(r, f->row_content, 4 << 20, at, size, false, &p, &e));
		for (unsigned n = 0; n < p.count && at < ROW * ROW_BLOCK; n++) {
			size_t part = p.parts[n].iov_len;
			if (part > ROW * ROW_BLOCK - at)
				part = ROW * ROW_BLOCK - at;
			assert_memory_equal(p.parts[n].iov_base, f->row + at, part);
			at += part;
		}
		vault_parts_release(r, &p);
	}
	vault_reader_close(r);
	block_cache_free(cache);
}

/* Four that read one after the other are four, though at most moments one alone decodes. */
static void who_reads_hears_how_many_do_of_late(void **state)
{
	struct block_cache *cache = block_cache_new(1 << 20);

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(block_cache_enter(cache), 1);
		block_cache_leave(cache);
	}
	assert_int_equal(block_cache_enter(cache), 1);
	for (unsigned now = 2; now <= 4; now++)
		assert_int_equal(block_cache_enter(cache), now);
	for (unsigned now = 4; now > 0; now--)
		block_cache_leave(cache);
	for (unsigned most = 4; most > 1; most--)
		for (unsigned i = 0; i < 16; i++) {
			assert_int_equal(block_cache_enter(cache), most);
			block_cache_leave(cache);
		}
	assert_int_equal(block_cache_enter(cache), 1);
	block_cache_leave(cache);
	block_cache_free(cache);
}

/* One alone, whose helpers look for his next read, and rest, and stop, while they do. */
static void samples_of_one_reader_with_helpers_read_as_written(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;

	for (unsigned threads = 1; threads <= 3; threads++) {
		struct block_cache *cache = block_cache_new(256 * 1024);
		struct vault_reader *r = reader(f, cache);
		OK(block_cache_start_helpers(cache, f->vault, threads, &e));
		for (unsigned i = 0; i < 400; i++) {
			bool is_led = chance() % 2;
			const uint8_t *model = is_led ? f->led : f->row;
			size_t whole = is_led ? LED_SIZE : ROW * ROW_BLOCK;
			size_t at = chance() % whole, size = 1 + chance() % (8 * ROW_BLOCK);
			struct vault_parts p;
			if (size > whole - at)
				size = whole - at;
			OK(vault_read_parts(r, is_led ? f->led_content : f->row_content, 4 << 20,
					    at, size, false, &p, &e));
			assert_int_equal(p.size, size);
			for (unsigned n = 0; n < p.count; at += p.parts[n++].iov_len)
				assert_memory_equal(p.parts[n].iov_base, model + at,
						    p.parts[n].iov_len);
			vault_parts_release(r, &p);
			if (i % 50 == 0) {
				block_cache_pause(cache);
				block_cache_resume(cache);
			}
		}
		vault_reader_close(r);
		block_cache_free(cache);
	}
}

/* With others at it a read gets its blocks from the disk in one piece, and is as right. */
static void samples_among_many_readers_read_as_written(void **state)
{
	struct fixture *f = *state;
	struct block_cache *cache = block_cache_new(256 * 1024);
	struct vault_reader *r = reader(f, cache);
	struct err e = ERR_NONE;

	for (unsigned i = 0; i < 3; i++)
		block_cache_enter(cache);
	for (unsigned i = 0; i < 400; i++) {
		bool is_led = chance() % 2;
		const uint8_t *model = is_led ? f->led : f->row;
		size_t whole = is_led ? LED_SIZE : ROW * ROW_BLOCK;
		size_t at = chance() % whole, size = 1 + chance() % (8 * ROW_BLOCK);
		struct vault_parts p;
		if (size > whole - at)
			size = whole - at;
		OK(vault_read_parts(r, is_led ? f->led_content : f->row_content, 4 << 20, at,
				    size, false, &p, &e));
		assert_int_equal(p.size, size);
		for (unsigned n = 0; n < p.count; at += p.parts[n++].iov_len)
			assert_memory_equal(p.parts[n].iov_base, model + at, p.parts[n].iov_len);
		vault_parts_release(r, &p);
	}
	for (unsigned i = 0; i < 3; i++)
		block_cache_leave(cache);
	vault_reader_close(r);
	block_cache_free(cache);
}

/* Numbers that follow each other, as a file's blocks have them, do not drive each other out. */
static void rows_that_have_room_stay(void **state)
{
	enum { COUNT = CHAIN + ROW + LED };
	struct fixture *f = *state;
	struct row_cache *rows = row_cache_new(COUNT * 175);	/* three quarters are for rows, of 112 each: few more */
	struct block b;
	uint8_t uid[16];
	struct err e = ERR_NONE;

	OK(catalogue_begin(f->c, &e));
	for (unsigned i = 0; i < COUNT; i++)
		OK(rows_block(rows, f->c, f->first_block + i, &b, uid, &e));
	assert_int_equal(sqlite3_exec(catalogue_sqlite(f->c), "DELETE FROM block", NULL, NULL,
				      NULL), SQLITE_OK);
	for (unsigned i = 0; i < COUNT; i++) {
		OK(rows_block(rows, f->c, f->first_block + i, &b, uid, &e));
		assert_int_equal(b.id, f->first_block + i);
	}
	catalogue_rollback(f->c);
	row_cache_free(rows);
}

/* ---- the room in front of which bases lie ----------------------------------------------- */

static void *read_led(void *arg)
{
	struct worker *w = arg;
	struct vault_reader *r = NULL;
	struct err e = ERR_NONE;
	uint32_t seed = (uint32_t)(uintptr_t)w;

	w->is_right = vault_reader_open(w->f->vault, w->cache, 256 * 1024, &r, &e) == 0;
	pthread_barrier_wait(w->start);
	for (unsigned i = 0; w->is_right && i < 300; i++) {
		seed = seed * 1664525u + 1013904223u;
		size_t at = (seed >> 8) % LED_SIZE, size = seed % 3 ? 4096 : 200000;
		struct vault_parts p;
		if (seed % 7 == 0)
			vault_prefetch(r, w->f->led_content, at, size);
		w->is_right = vault_read_parts(r, w->f->led_content, LED_SIZE, at, size, seed % 2,
					       &p, &e) == 0;
		for (unsigned n = 0; n < p.count && w->is_right; at += p.parts[n++].iov_len)
			w->is_right = memcmp(p.parts[n].iov_base, w->f->led + at,
					     p.parts[n].iov_len) == 0;
		vault_parts_release(r, &p);
	}
	vault_reader_close(r);
	return NULL;
}

static void blocks_with_bases_by_turns_are_right_for_many_readers_and_helpers(void **state)
{
	struct fixture *f = *state;
	static const size_t limits[] = { 0, 1 << 20, 16 << 20 };
	pthread_t threads[4];
	pthread_barrier_t start;
	struct err e = ERR_NONE;

	for (unsigned n = 0; n < 3; n++) {
		struct block_cache *cache = block_cache_new(limits[n]);
		struct worker w[4];
		OK(block_cache_start_helpers(cache, f->vault, 2, &e));
		pthread_barrier_init(&start, NULL, 4);
		for (unsigned i = 0; i < 4; i++) {
			w[i] = (struct worker){ f, cache, &start, false, false };
			assert_int_equal(pthread_create(&threads[i], NULL, read_led, &w[i]), 0);
		}
		for (unsigned i = 0; i < 4; i++) {
			pthread_join(threads[i], NULL);
			assert_true(w[i].is_right);
		}
		pthread_barrier_destroy(&start);
		block_cache_free(cache);
	}
}

static size_t used(struct block_cache *cache)
{
	struct block_cache_figures figures;

	block_cache_figures(cache, &figures);
	return figures.used;
}

static void a_room_counts_in_the_cache_as_long_as_its_reader_is_open(void **state)
{
	struct fixture *f = *state;
	struct block_cache *cache = block_cache_new(16 << 20);
	struct vault_reader *r = reader(f, cache);
	size_t empty = used(cache), open, cleared;
	uint8_t out[1000];
	struct err e = ERR_NONE;
	size_t got;

	OK(vault_read(r, f->led_content, LED_SIZE, 0, out, sizeof out, &got, &e));
	open = used(cache);
	block_cache_clear(cache);
	cleared = used(cache);
	assert_in_range(cleared, empty + BLOCK + 40000, open - 1);
	/* What lies there is as good as before. */
	OK(vault_read(r, f->led_content, LED_SIZE, 40000, out, sizeof out, &got, &e));
	assert_memory_equal(out, f->led + 40000, sizeof out);
	vault_reader_close(r);
	block_cache_clear(cache);
	assert_true(used(cache) <= empty + 8 * 1024);	/* a page of extents */
	block_cache_free(cache);
}

static void a_row_of_led_blocks_decodes_its_base_once_for_each_turn_at_most(void **state)
{
	struct fixture *f = *state;
	struct block_cache *cache = block_cache_new(1);	/* keeps nothing */
	struct vault_reader *r = reader(f, cache);
	struct block_cache_figures figures;
	uint8_t *out = malloc(LED_SIZE);
	struct err e = ERR_NONE;
	size_t got;

	OK(vault_read(r, f->led_content, LED_SIZE, 0, out, LED_SIZE, &got, &e));
	assert_int_equal(got, LED_SIZE);
	assert_memory_equal(out, f->led, LED_SIZE);
	block_cache_figures(cache, &figures);
	/* Each block, and in each of ten turns a base, the second of which has one itself. */
	assert_in_range(figures.misses, LED, LED + LED / 4 + LED / 8);
	free(out);
	vault_reader_close(r);
	block_cache_free(cache);
}

/* ---- the next files ------------------------------------------------------------------- */

static void files_met_out_of_order_fetch_nothing_ahead(void **state)
{
	struct fixture *f = *state;
	struct row_cache *rows = row_cache_new(1 << 20);
	struct extents *x;
	struct err e = ERR_NONE;
	int64_t blocks[4];

	for (unsigned i = 5; i > 1; i -= 2) {
		OK(rows_extents(rows, f->c, f->chain[i], 0, &x, &e));
		rows_drop(rows, x);
		assert_int_equal(rows_ahead(rows, f->c, f->chain[i], blocks, 4), 0);
	}
	row_cache_free(rows);
}

static void files_met_in_order_name_the_blocks_that_follow(void **state)
{
	struct fixture *f = *state;
	struct row_cache *rows = row_cache_new(1 << 20);
	struct extents *x;
	struct err e = ERR_NONE;
	int64_t blocks[4];

	for (unsigned i = 2; i < 4; i++) {
		OK(rows_extents(rows, f->c, f->chain[i], 0, &x, &e));
		rows_drop(rows, x);
	}
	assert_int_equal(rows_ahead(rows, f->c, f->chain[3], blocks, 4), 4);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(blocks[i], f->first_block + 4 + i);
	row_cache_free(rows);
}

static void the_next_files_are_decoded_before_they_are_asked_for(void **state)
{
	struct fixture *f = *state;
	struct block_cache *cache = block_cache_new(16 << 20);
	struct vault_reader *r = reader(f, cache);
	struct block_cache_figures before, after;
	uint8_t out[BLOCK];
	size_t got;
	struct err e = ERR_NONE;

	OK(block_cache_start_helpers(cache, f->vault, 2, &e));
	for (unsigned i = 0; i < 2; i++) {
		OK(vault_read(r, f->chain[i], BLOCK, 0, out, BLOCK, &got, &e));
		vault_prefetch_next(r, f->chain[i]);
	}
	/* The helpers take a moment; 8 blocks were named, the last needs all before it. */
	block_cache_figures(cache, &after);
	for (unsigned i = 0; i < 200 && after.misses < 10; i++) {
		usleep(10000);
		block_cache_figures(cache, &after);
	}
	before = after;
	for (unsigned i = 2; i < READER_DEPTH_MAX; i++) {
		OK(vault_read(r, f->chain[i], BLOCK, 0, out, BLOCK, &got, &e));
		assert_memory_equal(out, f->raw[i], BLOCK);
	}
	block_cache_figures(cache, &after);
	assert_int_equal(after.misses, before.misses);
	vault_reader_close(r);
	block_cache_free(cache);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_range_reads_as_it_was_written),
		cmocka_unit_test(holes_and_data_are_found_where_they_are),
		cmocka_unit_test(a_block_is_decoded_through_its_bases),
		cmocka_unit_test(damage_fails_the_read_and_is_not_remembered),
		cmocka_unit_test(many_who_want_one_block_wait_for_one_decode),
		cmocka_unit_test(readers_and_helpers_together_stay_right_and_within_the_limit),
		cmocka_unit_test(blocks_in_a_row_are_fetched_ahead_and_read_as_written),
		cmocka_unit_test(what_a_read_waits_for_is_decoded_whoever_of_the_helpers_sleeps),
		cmocka_unit_test(one_bad_block_in_a_row_fails_alone),
		cmocka_unit_test(samples_of_a_row_read_as_written_with_helpers),
		cmocka_unit_test(who_reads_hears_how_many_do_of_late),
		cmocka_unit_test(samples_of_one_reader_with_helpers_read_as_written),
		cmocka_unit_test(samples_among_many_readers_read_as_written),
		cmocka_unit_test(rows_that_have_room_stay),
		cmocka_unit_test(blocks_with_bases_by_turns_are_right_for_many_readers_and_helpers),
		cmocka_unit_test(a_room_counts_in_the_cache_as_long_as_its_reader_is_open),
		cmocka_unit_test(a_row_of_led_blocks_decodes_its_base_once_for_each_turn_at_most),
		cmocka_unit_test(files_met_out_of_order_fetch_nothing_ahead),
		cmocka_unit_test(files_met_in_order_name_the_blocks_that_follow),
		cmocka_unit_test(the_next_files_are_decoded_before_they_are_asked_for),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
