/*
 * The detector over any bytes: fed whole and in pieces it finds the same (D2), shows no
 * more of a value than a quarter (D3), and no check reads beyond what it is given.
 *
 *   make fuzz-detect && build/fuzz/detect -dict=tests/fuzz/detect.dict -max_len=8192
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "policy/detect/detect.h"

#define FINDINGS 128

static char *words[] = { "serial", "工号", NULL };
static const struct custom_recogniser custom[] = {
	{ .id = "x-one", .pattern = "Q[A-Z]{1,10}[0-9]+", .context = words, .alone = 40,
	  .in_context = 80 },
	{ .id = "x-two", .pattern = "号[一-丙]+.{0,8}x", .alone = 40 },
	{ .id = "x-three", .pattern = "[0-9a-f]{4,40}", .check = "luhn", .alone = 20 },
};

static struct detector *detector;

static void must(int is_so, const char *what)
{
	if (is_so)
		return;
	fprintf(stderr, "%s\n", what);
	abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct recognisers *set;
	struct err e = ERR_NONE;

	(void)argc;
	(void)argv;
	must(recognisers_new(custom, sizeof custom / sizeof custom[0], &set, &e) == 0 &&
	     detector_new(set, &detector, &e) == 0, e.text);
	return 0;
}

static const char *label_of(void *arg, uint64_t offset, struct passage_cursor *cursor)
{
	(void)cursor;
	static const char *const labels[] = { NULL, "db_password", "card no", "手机号", "" };

	return labels[(offset / 16 + (uintptr_t)arg) % 5];
}

static void place_of(void *arg, uint64_t offset, char out[SAMPLE_WHERE_MAX])
{
	(void)arg;
	snprintf(out, SAMPLE_WHERE_MAX, "at %u", (unsigned)(offset / 64));
}

/* Pieces of sizes that `seed` draws; 0: one piece. */
static size_t look(const uint8_t *data, size_t size, uint32_t seed, struct finding *out)
{
	struct passage passage = { .label = label_of, .place = place_of,
				   .names_secrets = size % 2, .arg = (void *)(uintptr_t)(size % 5) };
	struct err e = ERR_NONE;
	size_t count;
	const struct finding *found;

	detector_reset(detector);
	detector_begin(detector, size % 3 ? &passage : NULL);
	while (size > 0) {
		size_t take = size;

		if (seed != 0) {
			seed = seed * 1664525u + 1013904223u;
			take = 1 + (seed >> 20) % (seed & 1 ? 7 : 3000);
			take = take < size ? take : size;
		}
		must(detector_feed(detector, data, take, &e) == 0, e.text);
		data += take;
		size -= take;
	}
	must(detector_end(detector, &e) == 0, e.text);
	found = detector_findings(detector, &count);
	must(count <= FINDINGS, "too many findings");
	memcpy(out, found, count * sizeof *found);
	return count;
}

static void check_sample(const struct sample *s, size_t size)
{
	size_t shown = 0, all = 0;

	must(memchr(s->text, 0, sizeof s->text) != NULL, "a sample has no end");
	must(s->offset <= size, "a sample stands beyond the text");
	for (const char *c = s->text; *c != '\0'; c++) {
		int letter = (*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') ||
			     (*c >= 'A' && *c <= 'Z') || (unsigned char)*c >= 0xc0;

		shown += (size_t)letter;
		all += (size_t)(letter || *c == '*');
	}
	must(4 * shown <= all || strstr(s->text, "..."), "a sample shows too much");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct finding whole[FINDINGS], pieces[FINDINGS];
	static uint8_t *large;
	size_t count = look(data, size, 0, whole);

	must(look(data, size, 1 + (uint32_t)size * 77, pieces) == count &&
	     memcmp(whole, pieces, count * sizeof *whole) == 0, "pieces change what is found");
	for (size_t i = 0; i < count; i++)
		for (unsigned k = 0; k < whole[i].sample_count; k++)
			check_sample(&whole[i].samples[k], size);
	/* And across the ends of windows, now and then: it takes long. */
	if (size == 0 || size % 64 != 0)
		return 0;
	if (!large)
		large = malloc(200000);
	for (size_t at = 0; at < 200000; at++)
		large[at] = data[at % size];
	count = look(large, 200000, 0, whole);
	must(look(large, 200000, 99 + (uint32_t)size, pieces) == count &&
	     memcmp(whole, pieces, count * sizeof *whole) == 0, "pieces change a long text");
	return 0;
}
