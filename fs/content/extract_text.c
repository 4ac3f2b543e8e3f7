/*
 * Plain text: UTF-8 goes to the detector as it was read, the buffer that the
 * digest was made of; all else through the decoder first.
 *
 * The detector asks for places and offsets of what it was fed a little earlier, so
 * the piece before the present one stays: its bytes, the number of its first
 * line, and, where it was decoded, marks that lead back to the stored bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/content/encoding.h"
#include "fs/content/look_inside.h"

/* Decoded from one piece of input_next(): no encoding gives more than three bytes
 * of UTF-8 for one; what does not fit all the same is a piece of its own. */
#define DECODED_SIZE (3u * (256u << 10) + 64)
#define MARK_EVERY 1024u
#define MARKS_MAX (DECODED_SIZE / MARK_EVERY + 2)
#define SCRIPT_SAMPLE (64u << 10)

struct text_mark {		/* where a stretch of MARK_EVERY decoded bytes came from */
	uint32_t made, used;	/* in the decoded piece, in the stored one */
};

struct piece {
	const uint8_t *data;	/* UTF-8 */
	size_t size;
	uint64_t start;		/* in the stretch */
	uint64_t line;		/* number of the line that its first byte stands in */
	const uint8_t *stored;	/* decoded: what it came from ... */
	size_t stored_size;
	uint64_t stored_start;	/* ... and where that stands in the file */
	const struct text_mark *marks;
	size_t mark_count;
};

struct text {
	struct look *look;
	struct piece now, before;
	struct decoder *decoder;	/* NULL: it is UTF-8 */
	uint64_t asked, line;	/* the line of the offset that was asked for last */
};

void text_buffers_free(struct text_buffers *b)
{
	for (unsigned i = 0; i < 2; i++) {
		free(b->decoded[i]);
		free(b->marks[i]);
		b->decoded[i] = NULL;
		b->marks[i] = NULL;
	}
}

/* ---- places ------------------------------------------------------------------------------ */

static uint64_t count_lines(const uint8_t *data, size_t size)
{
	uint64_t lines = 0;

	/* Runs of a fixed size, which compilers make wide. */
	for (; size >= 128; data += 128, size -= 128) {
		uint8_t run = 0;

		for (unsigned i = 0; i < 128; i++)
			run = (uint8_t)(run + (data[i] == '\n'));
		lines += run;
	}
	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n';
	return lines;
}

static const struct piece *piece_of(const struct text *t, uint64_t offset)
{
	return offset >= t->now.start ? &t->now : &t->before;
}

static uint64_t line_of(struct text *t, uint64_t offset)
{
	const struct piece *p = piece_of(t, offset);
	uint64_t from = p->start, line = p->line;

	if (offset < p->start || offset - p->start > p->size)
		return p->line;
	/* Questions come nearly in order: count on from the last one. */
	if (t->asked >= from && t->asked <= offset) {
		from = t->asked;
		line = t->line;
	}
	line += count_lines(p->data + (from - p->start), (size_t)(offset - from));
	t->asked = offset;
	t->line = line;
	return line;
}

static void place(void *arg, uint64_t offset, char out[SAMPLE_WHERE_MAX])
{
	struct text *t = arg;

	look_place(t->look, out, "line %llu", (unsigned long long)line_of(t, offset));
}

static const struct text_mark *mark_of(const struct piece *p, uint64_t made)
{
	size_t low = 0, high = p->mark_count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (p->marks[middle].made <= made)
			low = middle;
		else
			high = middle;
	}
	return &p->marks[low];
}

/* The offset in the stored bytes: decoded once more, from the mark before it. */
static uint64_t told(void *arg, uint64_t offset)
{
	struct text *t = arg;
	const struct piece *p = piece_of(t, offset);
	struct err ignored = ERR_NONE;
	struct decoder *again = NULL;
	const struct text_mark *mark;
	uint8_t dropped[MARK_EVERY + 64];
	size_t used = 0, made = 0, want;

	if (offset < p->start || p->mark_count == 0)
		return p->stored_start;
	mark = mark_of(p, offset - p->start);
	want = (size_t)(offset - p->start) - mark->made;
	if (want > 0 && want <= sizeof dropped &&
	    decoder_new(look_encoding(t->look), &again, &ignored) == 0)
		decoder_run(again, p->stored + mark->used, p->stored_size - mark->used, false,
			    dropped, want, &used, &made);
	decoder_free(again);
	return p->stored_start + mark->used + used;
}

/* ---- reading ----------------------------------------------------------------------------- */

static int feed(struct text *t, const struct piece *next, struct err *e)
{
	uint64_t line = 1;

	if (t->now.data)
		line = t->now.line + count_lines(t->now.data, t->now.size);
	t->before = t->now;
	t->now = *next;
	t->now.start = t->before.start + t->before.size;
	t->now.line = line;
	return detector_feed(look_detector(t->look), next->data, next->size, e);
}

static int feed_stored(struct text *t, struct input *in, struct err *e)
{
	const void *data;
	ssize_t n;

	while ((n = input_next(in, &data, e)) > 0) {
		const struct piece next = { .data = data, .size = (size_t)n };

		if (feed(t, &next, e) < 0)
			return -1;
	}
	return n < 0 ? -1 : 0;
}

static int prepare_buffers(struct text_buffers *b, struct err *e)
{
	for (unsigned i = 0; i < 2; i++) {
		if (!b->decoded[i])
			b->decoded[i] = malloc(DECODED_SIZE);
		if (!b->marks[i])
			b->marks[i] = malloc(MARKS_MAX * sizeof *b->marks[i]);
		if (!b->decoded[i] || !b->marks[i])
			return err_set(e, MUNI_NO_MEMORY, "no memory to decode text");
	}
	return 0;
}

/* As much of the stored bytes as fits one piece of decoded ones. */
static size_t decode_piece(struct decoder *d, const uint8_t *stored, size_t size, bool is_end,
			   uint8_t *out, struct text_mark *marks, struct piece *next)
{
	size_t from = 0, to = 0, count = 0;

	while (count < MARKS_MAX && DECODED_SIZE - to >= MARK_EVERY) {
		size_t used = 0, made = 0;

		marks[count++] = (struct text_mark){ .made = (uint32_t)to,
						     .used = (uint32_t)from };
		decoder_run(d, stored + from, size - from, is_end, out + to, MARK_EVERY, &used,
			    &made);
		from += used;
		to += made;
		if (used == 0 && made == 0)
			break;
	}
	*next = (struct piece){ .data = out, .size = to, .stored = stored, .stored_size = size,
				.marks = marks, .mark_count = count };
	return from;
}

static int feed_decoded(struct text *t, struct input *in, struct err *e)
{
	struct text_buffers *b = &t->look->k->text;
	uint64_t start = 0;
	unsigned turn = 0;
	const void *data;
	ssize_t n;

	if (prepare_buffers(b, e) < 0)
		return -1;
	do {
		size_t from = 0;

		n = input_next(in, &data, e);
		if (n < 0)
			return -1;
		if (n == 0)
			data = "";
		for (;;) {
			struct piece next;
			size_t used = decode_piece(t->decoder, (const uint8_t *)data + from,
						   (size_t)n - from, n == 0, b->decoded[turn],
						   b->marks[turn], &next);

			next.stored_start = start + from;
			if (next.size > 0 && feed(t, &next, e) < 0)
				return -1;
			if (next.size > 0)
				turn ^= 1;
			from += used;
			if (used == 0 && next.size == 0)
				break;
		}
		start += (uint64_t)n;
	} while (n > 0);
	return 0;
}

/* A few stray bytes are in many an old file; where they are many it is not what it
 * was taken for. */
static void judge_invalid(struct text *t)
{
	uint64_t invalid = t->decoder ? decoder_invalid(t->decoder) : 0;
	uint64_t total = t->now.start + t->now.size;

	if (invalid > 16 && invalid > total / 50)
		look_opaque(t->look, "much of it is not valid %s", look_encoding(t->look));
}

int extract_text(struct look *l, struct input *in, struct err *e)
{
	struct text t = { .look = l };
	const struct passage passage = { .place = place, .told = told, .arg = &t };
	const struct passage as_stored = { .place = place, .arg = &t };
	struct err ignored = ERR_NONE;
	int rc;

	if (!*look_encoding(l)) {
		look_opaque(l, "the encoding of its text cannot be told");
		return 0;
	}
	if (!encoding_is_utf8(look_encoding(l)) &&
	    decoder_new(look_encoding(l), &t.decoder, e) < 0)
		return -1;
	detector_begin(look_detector(l), t.decoder ? &passage : &as_stored);
	rc = t.decoder ? feed_decoded(&t, in, e) : feed_stored(&t, in, e);
	/* What came before a failure counts. */
	if (detector_end(look_detector(l), rc == 0 ? e : &ignored) < 0)
		rc = -1;
	judge_invalid(&t);
	decoder_free(t.decoder);
	return rc;
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
