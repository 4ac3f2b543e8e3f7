/*
 * Two turns of input_next() stay readable (more where it reads ahead), and so do two
 * buffers of decoded text; of older pieces nothing is asked.
 */
#include "fs/content/text_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/content/encoding.h"
#include "fs/content/input.h"
#include "fs/content/input_ahead.h"
#include "policy/detect/detect.h"

#define MARK_EVERY 1024u
#define PIECES 12u
/* No encoding gives more than three bytes of UTF-8 for one. */
#define DECODED_MAX(size) (3 * (size) + 64)
#define REFUSED_MAX 16u		/* then nobody is asked any more */
#define DOUBT_MIN 16u		/* a few stray bytes are in many an old file */

_Static_assert(AHEAD_KEPT >= DETECT_SHARED, "what may be asked for stays");
/* A turn may be parted in two where its encoding changes. */
_Static_assert(PIECES >= 2 * (AHEAD_KEPT / AHEAD_PIECE + 1), "and is known");

struct mark {			/* where a stretch of decoded bytes came from */
	uint32_t made;		/* in the decoded piece */
	int32_t used;		/* in the stored one; below 0: it began in the one before */
};

struct piece {
	const uint8_t *data;	/* UTF-8 */
	size_t size;
	uint64_t start;		/* in the text */
	uint64_t line;		/* number of the line that its first byte stands in */
	uint64_t stored_start;	/* in the file */
	/* Where it was decoded: from what, and how far at each mark. */
	const uint8_t *stored;	/* NULL: it was not */
	size_t stored_size;
	const struct mark *marks;
	size_t mark_count;
	char encoding[ENCODING_NAME_MAX];
};

struct decoded {
	uint8_t *text;		/* owned */
	struct mark *marks;	/* owned */
	size_t room;		/* stored bytes that it is made for */
	size_t size, mark_count;
	uint64_t invalid;
};

struct text_reader {
	struct input *in;	/* borrowed */
	char encoding[ENCODING_NAME_MAX];	/* of what comes next */
	char said[ENCODING_NAME_MAX];		/* of the text as a whole */
	struct decoder *decoder;	/* NULL: it is UTF-8 */
	struct piece pieces[PIECES];	/* [count % PIECES] comes next */
	uint64_t count;
	struct decoded decoded[2];
	unsigned turn;
	const uint8_t *rest;	/* of the stored piece: not given yet */
	size_t rest_size;
	uint64_t position;	/* of rest in the file */
	unsigned missing;	/* bytes of a character that the last piece began */
	bool is_ended;
	uint64_t text_size, stray;	/* given so far; of it, invalid */
	unsigned refused;	/* how often bytes that are no UTF-8 were nothing else */
	uint64_t asked, line;	/* the line of the offset that was asked for last */
};

int text_reader_new(struct input *in, const char *encoding, struct text_reader **out,
		    struct err *e)
{
	struct text_reader *r = calloc(1, sizeof *r);

	*out = NULL;
	if (r == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory to read text");
	r->in = in;
	snprintf(r->encoding, sizeof r->encoding, "%s",
		 encoding[0] == '\0' ? "us-ascii" : encoding);
	snprintf(r->said, sizeof r->said, "%s", r->encoding);
	if (!encoding_is_utf8(r->encoding) && decoder_new(r->encoding, &r->decoder, e) < 0) {
		text_reader_free(r);
		return -1;
	}
	*out = r;
	return 0;
}

void text_reader_free(struct text_reader *r)
{
	if (r == NULL)
		return;
	for (unsigned i = 0; i < 2; i++) {
		free(r->decoded[i].text);
		free(r->decoded[i].marks);
	}
	decoder_free(r->decoder);
	free(r);
}

const char *text_reader_encoding(const struct text_reader *r)
{
	return r->said;
}

bool text_reader_reaches_far(const struct text_reader *r)
{
	return input_reads_ahead(r->in) &&
	       (r->count == 0 || r->pieces[(r->count - 1) % PIECES].stored == NULL);
}

bool text_reader_is_doubtful(const struct text_reader *r)
{
	return r->stray > DOUBT_MIN && r->stray > r->text_size / 50;
}

/* ---- lines and offsets ------------------------------------------------------------- */

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

/* The newest piece that does not begin past it; NULL: forgotten, or nothing yet. */
static const struct piece *piece_of(const struct text_reader *r, uint64_t offset)
{
	for (unsigned back = 1; back <= PIECES && back <= r->count; back++) {
		const struct piece *p = &r->pieces[(r->count - back) % PIECES];

		if (p->data != NULL && offset >= p->start)
			return offset - p->start <= p->size ? p : NULL;
	}
	return NULL;
}

uint64_t text_reader_line(struct text_reader *r, uint64_t offset)
{
	const struct piece *p = piece_of(r, offset);
	uint64_t from, line;

	if (p == NULL)
		return r->line > 0 ? r->line : 1;
	from = p->start;
	line = p->line;
	/* Questions come nearly in order: count on from the last one. */
	if (r->line > 0 && r->asked >= from && r->asked <= offset) {
		from = r->asked;
		line = r->line;
	}
	line += count_lines(p->data + (from - p->start), (size_t)(offset - from));
	r->asked = offset;
	r->line = line;
	return line;
}

static const struct mark *mark_of(const struct piece *p, uint64_t made)
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

uint64_t text_reader_told(struct text_reader *r, uint64_t offset)
{
	const struct piece *p = piece_of(r, offset);
	const struct mark *mark;
	int64_t size;
	size_t made;

	if (p == NULL)
		return r->position;
	if (p->stored == NULL)
		return p->stored_start + (offset - p->start);
	if (p->mark_count == 0)
		return p->stored_start;
	mark = mark_of(p, offset - p->start);
	made = (size_t)(offset - p->start) - mark->made;
	/* What stands between, as it would be stored. */
	size = encoding_stored_size(p->encoding, p->data + mark->made, made);
	return p->stored_start + (uint64_t)mark->used + (size > 0 ? (uint64_t)size : 0);
}

/* ---- pieces -------------------------------------------------------------------------- */

/* stored_size of rest becomes the next piece; for decoded text d says where. */
static ssize_t give(struct text_reader *r, size_t stored_size, const struct decoded *d,
		    const uint8_t **utf8)
{
	const struct piece *last = r->count == 0 ? NULL : &r->pieces[(r->count - 1) % PIECES];
	struct piece *p = &r->pieces[r->count % PIECES];
	struct piece next = { .data = r->rest, .size = stored_size, .line = 1,
			      .stored_start = r->position };

	if (last != NULL) {
		next.start = last->start + last->size;
		next.line = last->line + count_lines(last->data, last->size);
	}
	if (d != NULL) {
		next.data = d->text;
		next.size = d->size;
		next.stored = r->rest;
		next.stored_size = stored_size;
		next.marks = d->marks;
		next.mark_count = d->mark_count;
		memcpy(next.encoding, r->encoding, sizeof next.encoding);
	}
	if (next.size > 0) {
		*p = next;
		r->count++;
	}
	r->rest += stored_size;
	r->rest_size -= stored_size;
	r->position += stored_size;
	r->text_size += next.size;
	*utf8 = next.data;
	return (ssize_t)next.size;
}

/* What the bytes beyond ASCII say; the text is called by what they say first. */
static void name_encoding(struct text_reader *r, const char *encoding)
{
	snprintf(r->encoding, sizeof r->encoding, "%s", encoding);
	if (strcmp(r->said, "us-ascii") == 0)
		snprintf(r->said, sizeof r->said, "%s", encoding);
}

/* ---- UTF-8 ---------------------------------------------------------------------------- */

/* The continuation of a character that the last piece began. */
static size_t skip_missing(struct text_reader *r)
{
	size_t n = 0;

	while (n < r->rest_size && r->missing > 0 && (r->rest[n] & 0xc0) == 0x80) {
		n++;
		r->missing--;
	}
	if (n < r->rest_size)
		r->missing = 0;
	return n;
}

static unsigned missing_of(const uint8_t *p, size_t size)
{
	unsigned whole = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

	return whole - (unsigned)size;
}

/* Where the word begins that the byte at `at` stands in. */
static size_t word_start(const uint8_t *p, size_t at)
{
	size_t start = at;

	while (start > 0 && at - start < 64 && p[start - 1] >= 0x30)
		start--;
	return at - start < 64 ? start : at;
}

/* What the bytes look like, and its decoder: 1; 0: nothing that is known; -1: no memory. */
static int guess(const uint8_t *data, size_t size, bool is_all, const char *not,
		 char encoding[ENCODING_NAME_MAX], struct decoder **out, struct err *e)
{
	struct err unknown = ERR_NONE;

	if (encoding_detect(data, size, is_all, encoding, e) < 0)
		return -1;
	if (encoding[0] == '\0' || strcmp(encoding, not) == 0)
		return 0;
	if (decoder_new(encoding, out, &unknown) == 0)
		return 1;
	if (unknown.code != MUNI_NO_MEMORY)
		return 0;
	*e = unknown;
	return -1;
}

/* From `at` on it is no UTF-8.  1: it is to be decoded from *from on. */
static int is_otherwise(struct text_reader *r, size_t at, size_t *from, struct err *e)
{
	char encoding[ENCODING_NAME_MAX];
	struct decoder *d = NULL;
	int rc;

	*from = word_start(r->rest, at);
	if (r->refused == REFUSED_MAX)
		return 0;
	r->refused++;
	rc = guess(r->rest + *from, r->rest_size - *from, false, "utf-8", encoding, &d, e);
	if (rc <= 0 || encoding_is_utf8(encoding)) {
		decoder_free(d);
		return rc < 0 ? -1 : 0;
	}
	r->decoder = d;
	r->refused--;
	name_encoding(r, encoding);
	return 1;
}

static ssize_t next_utf8(struct text_reader *r, const uint8_t **utf8, struct err *e)
{
	size_t at = skip_missing(r), valid, from;
	int rc = 0;

	valid = at + encoding_utf8_prefix(r->rest + at, r->rest_size - at);
	if (valid < r->rest_size) {
		size_t left = r->rest_size - valid;
		/* The first characters may be UTF-8 by chance. */
		size_t first = strcmp(r->said, "us-ascii") != 0 ? valid :
			       encoding_ascii_prefix(r->rest, r->rest_size);

		if (encoding_is_utf8_start(r->rest + valid, left)) {
			r->missing = missing_of(r->rest + valid, left);
		} else {
			rc = is_otherwise(r, first, &from, e);
			r->stray += rc == 0;
		}
		if (rc < 0)
			return -1;
		if (rc > 0)
			return from == 0 ? 0 : give(r, from, NULL, utf8);
	}
	if (strcmp(r->said, "us-ascii") == 0 &&
	    encoding_ascii_prefix(r->rest, r->rest_size) < valid)
		name_encoding(r, "utf-8");
	return give(r, r->rest_size, NULL, utf8);
}

/* ---- everything else --------------------------------------------------------------------- */

static int make_room(struct decoded *d, size_t size, struct err *e)
{
	if (d->room >= size && d->text != NULL)
		return 0;
	free(d->text);
	free(d->marks);
	d->room = 0;
	d->text = malloc(DECODED_MAX(size));
	d->marks = malloc((DECODED_MAX(size) / (MARK_EVERY - 64) + 4) * sizeof *d->marks);
	if (d->text == NULL || d->marks == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory to decode text");
	d->room = size;
	return 0;
}

/* How much of rest became text: all of it, unless it is made of what no encoding
 * has. */
static size_t decode(struct text_reader *r, struct decoded *d)
{
	uint64_t invalid = decoder_invalid(r->decoder);
	size_t from = 0, room = DECODED_MAX(d->room);

	d->size = d->mark_count = 0;
	while (room - d->size >= MARK_EVERY || room - d->size >= 64) {
		size_t used = 0, made = 0, piece = room - d->size;

		if (piece > MARK_EVERY)
			piece = MARK_EVERY;
		d->marks[d->mark_count++] = (struct mark){
			.made = (uint32_t)d->size,
			.used = (int32_t)from - (int32_t)decoder_carried(r->decoder) };
		decoder_run(r->decoder, r->rest + from, r->rest_size - from, r->is_ended,
			    d->text + d->size, piece, &used, &made);
		from += used;
		d->size += made;
		if (used == 0 && made == 0)
			break;
	}
	d->invalid = decoder_invalid(r->decoder) - invalid;
	return from;
}

/* A piece that is UTF-8 after all, and more than by chance. */
static bool is_utf8_again(const struct text_reader *r)
{
	size_t ascii = encoding_ascii_prefix(r->rest, r->rest_size), valid;

	if (strncmp(r->encoding, "utf-", 4) == 0 || strncmp(r->encoding, "iso-2022", 8) == 0 ||
	    ascii == r->rest_size)
		return false;
	valid = encoding_utf8_prefix(r->rest, r->rest_size);
	return valid == r->rest_size ||
	       (valid > ascii + 64 &&
		encoding_is_utf8_start(r->rest + valid, r->rest_size - valid));
}

/* Too much of the piece was invalid: what is it then? */
static int decode_again(struct text_reader *r, struct decoded *d, size_t *used, struct err *e)
{
	char encoding[ENCODING_NAME_MAX];
	struct decoder *other = NULL;
	int rc;

	if (d->invalid <= DOUBT_MIN || d->invalid < d->size / 50)
		return 0;
	rc = guess(r->rest, r->rest_size, r->is_ended, r->encoding, encoding, &other, e);
	if (rc <= 0)
		return rc;
	decoder_free(r->decoder);
	r->decoder = other;
	name_encoding(r, encoding);
	*used = decode(r, d);
	return 0;
}

static ssize_t next_decoded(struct text_reader *r, const uint8_t **utf8, struct err *e)
{
	struct decoded *d = &r->decoded[r->turn];
	size_t used;

	if (decoder_carried(r->decoder) == 0 && is_utf8_again(r)) {
		decoder_free(r->decoder);
		r->decoder = NULL;
		r->missing = 0;
		name_encoding(r, "utf-8");
		return next_utf8(r, utf8, e);
	}
	if (make_room(d, r->rest_size, e) < 0)
		return -1;
	used = decode(r, d);
	if (decode_again(r, d, &used, e) < 0)
		return -1;
	r->stray += d->invalid;
	r->turn ^= d->size > 0;
	return give(r, used, d, utf8);
}

/* ---- all together -------------------------------------------------------------------------- */

/* Bytes of the mark at the start, which is no text. */
static size_t mark_size(const struct text_reader *r)
{
	static const struct {
		const char *encoding, *bytes;
		size_t size;
	} marks[] = {
		{ "utf-8", "\xef\xbb\xbf", 3 },
		{ "utf-16le", "\xff\xfe", 2 }, { "utf-16be", "\xfe\xff", 2 },
		{ "utf-32le", "\xff\xfe\0\0", 4 }, { "utf-32be", "\0\0\xfe\xff", 4 },
		{ "gb18030", "\x84\x31\x95\x33", 4 },
	};

	for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
		if (strcmp(r->encoding, marks[i].encoding) == 0 &&
		    r->rest_size >= marks[i].size &&
		    memcmp(r->rest, marks[i].bytes, marks[i].size) == 0)
			return marks[i].size;
	return 0;
}

static int fetch(struct text_reader *r, struct err *e)
{
	const void *data;
	ssize_t n = input_next(r->in, &data, e);

	if (n < 0)
		return -1;
	r->rest = n == 0 ? (const uint8_t *)"" : data;
	r->rest_size = (size_t)n;
	r->is_ended = n == 0;
	if (r->position == 0) {
		size_t mark = mark_size(r);

		r->rest += mark;
		r->rest_size -= mark;
		r->position = mark;
	}
	return 0;
}

ssize_t text_reader_next(struct text_reader *r, const uint8_t **utf8, struct err *e)
{
	ssize_t n;

	*utf8 = NULL;
	do {
		bool was_ended = r->is_ended;

		if (r->rest_size == 0 && !was_ended && fetch(r, e) < 0)
			return -1;
		if (r->decoder != NULL)
			n = next_decoded(r, utf8, e);
		else
			n = r->rest_size > 0 ? next_utf8(r, utf8, e) : 0;
		if (n == 0 && was_ended)
			return 0;
	} while (n == 0);
	return n;
}
