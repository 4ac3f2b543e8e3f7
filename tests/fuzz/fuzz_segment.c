/*
 * A segment whose sums were made to fit: head, footer and tail say anything, as somebody
 * would write them who knows docs/format.md.  Whatever is believed lies inside the file.
 */
#include <string.h>
#include <unistd.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/crypt/digest.h"
#include "fs/store/objects.h"
#include "fs/store/segment.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/scratch.h"

#define SUMMED 48
#define ENDS 64

static int folder;
static const uint8_t archive[16] = "archive";
static const struct object_name name = { .kind = OBJECTS_SEGMENT, .uid = "segment" };

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct err e = ERR_NONE;

	(void)argc;
	(void)argv;
	folder = scratch_folder();
	MUST(objects_make_folder(folder, &e) == 0);
	return 0;
}

static void sum(const void *data, size_t size, uint8_t *out)
{
	struct digest d = digest_of(data, size);

	memcpy(out, d.bytes, 16);
}

/* The tail says where the footer begins; where that makes sense its sums are put right. */
static void fit(uint8_t *s, size_t size)
{
	uint8_t *tail = s + size - ENDS, both[1 << 16];
	struct reader r = reader_over(tail + 16, 8);
	uint64_t at = reader_u64(&r);
	size_t n = at >= ENDS && at <= size - ENDS ? size - ENDS - (size_t)at : 0;

	const uint8_t format = 1 + (s[8] & 1);

	memcpy(s, "MUNISEGM\0\0\0\0\0\0\0\0", 16);
	s[8] = format;
	memcpy(s + 16, archive, 16);
	memcpy(s + 32, name.uid, 16);
	sum(s, SUMMED, s + SUMMED);
	memcpy(tail, "MUNISEGT\0\0\0\0", 12);
	tail[8] = format;
	if (n > 0 && n + ENDS <= sizeof both) {
		memcpy(both, s, ENDS);
		memcpy(both + ENDS, s + at, n);
		sum(both, ENDS + n, tail + 32);
	}
	sum(tail, SUMMED, tail + SUMMED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct segment_entry *entries = NULL;
	struct objects *o = NULL;
	struct err e = ERR_NONE;
	uint8_t *s;
	size_t count = 0;

	if (size < 2 * ENDS || size > 60000)
		return 0;
	s = malloc(size);
	MUST(s);
	memcpy(s, data, size);
	fit(s, size);
	scratch_put(folder, "segments/73/7365676d656e74000000000000000000.seg", s, size);
	MUST(objects_open_folder(folder, false, &o, &e) == 0);
	if (segment_read_footer(o, &name, archive, &entries, &count, &e) == 0) {
		uint64_t next = ENDS;

		for (size_t i = 0; i < count; i++) {
			MUST(entries[i].offset == next);
			next += entries[i].stored;
		}
		MUST(next <= size - ENDS);
		free(entries);
	}
	objects_close(o);
	free(s);
	return 0;
}
