/*
 * Plain text: what is UTF-8 goes to the detector as it was read, the buffer that
 * the digest was made of; all else is decoded on the way (text_reader.h).
 */
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/content/encoding.h"
#include "fs/content/look_inside.h"
#include "fs/content/text_reader.h"

#define SCRIPT_SAMPLE (64u << 10)

struct text {
	struct look *look;
	struct text_reader *reader;
};

static void place(void *arg, uint64_t offset, char out[SAMPLE_WHERE_MAX])
{
	const struct text *t = arg;

	look_place(t->look, out, "line %llu",
		   (unsigned long long)text_reader_line(t->reader, offset));
}

static uint64_t told(void *arg, uint64_t offset)
{
	const struct text *t = arg;

	return text_reader_told(t->reader, offset);
}

int extract_text(struct look *l, struct input *in, struct err *e)
{
	struct text t = { .look = l };
	struct passage passage = { .place = place, .told = told, .arg = &t };
	struct detector *d = look_detector(l);
	struct err ignored = ERR_NONE;
	const uint8_t *utf8;
	ssize_t n = 0;

	if (!*look_encoding(l)) {
		look_opaque(l, "the encoding of its text cannot be told");
		return 0;
	}
	if (text_reader_new(in, look_encoding(l), &t.reader, e) < 0)
		return -1;
	detector_begin(d, &passage);
	while ((n = text_reader_next(t.reader, &utf8, e)) > 0) {
		passage.is_shared = text_reader_reaches_far(t.reader);
		if (detector_feed(d, utf8, (size_t)n, e) < 0) {
			n = -1;
			break;
		}
	}
	/* What came before a failure counts. */
	if (detector_end(d, n == 0 ? e : &ignored) < 0)
		n = -1;
	look_text_ends(l, t.reader);
	text_reader_free(t.reader);
	return n < 0 ? -1 : 0;
}

void look_text_ends(struct look *l, const struct text_reader *r)
{
	look_encoding_is(l, text_reader_encoding(r));
	if (text_reader_is_doubtful(r))
		look_opaque(l, "much of it is not valid %s", text_reader_encoding(r));
}

int text_script(const char *encoding, const void *head, size_t size, char script[32],
		struct err *e)
{
	struct decoder *d = NULL;
	size_t used, made;
	uint8_t *text;

	if (size > SCRIPT_SAMPLE)
		size = SCRIPT_SAMPLE;
	if (encoding_is_utf8(encoding)) {
		script_detect(head, size, script);
		return 0;
	}
	text = malloc(3 * SCRIPT_SAMPLE);
	if (!text)
		return err_set(e, MUNI_NO_MEMORY, "no memory to decode text");
	if (decoder_new(encoding, &d, e) < 0) {
		free(text);
		return -1;
	}
	decoder_run(d, head, size, false, text, 3 * SCRIPT_SAMPLE, &used, &made);
	script_detect(text, made, script);
	decoder_free(d);
	free(text);
	return 0;
}
