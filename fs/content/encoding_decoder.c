/*
 * iconv in pieces.  glibc loads the tables of an encoding when it is first asked
 * for: encoding_preload() asks for all of them, and keeps one conversion of each
 * open so that they stay.
 */
#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/content/encoding.h"
#include "fs/content/encoding_guess.h"

#define CARRY_MAX 16
#define NO_ICONV ((iconv_t)-1)
static const char replacement[] = "\xef\xbf\xbd";
static const char mark[] = "\xef\xbb\xbf";

/* What ASCII looks like in an encoding: iconv need not be asked about it. */
enum ascii { ASCII_HIDDEN, ASCII_BYTES, ASCII_LITTLE, ASCII_BIG };

struct decoder {
	iconv_t with;
	enum ascii ascii;
	unsigned step;		/* bytes to pass over where one is invalid */
	bool has_begun;		/* the byte order mark is behind */
	uint8_t carry[CARRY_MAX];	/* an unfinished character */
	size_t carried;
	uint64_t invalid;
};

static enum ascii ascii_of(const char *encoding)
{
	/* With shift states, with letters below 0x80, or of another make. */
	static const char *const hidden[] = { "utf-7", "utf-32le", "utf-32be", "iso-2022-jp",
		"iso-2022-kr", "iso-2022-cn", "johab", "viscii", "ibm037", "ibm1047" };

	for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++)
		if (strcasecmp(encoding, hidden[i]) == 0)
			return ASCII_HIDDEN;
	return strcasecmp(encoding, "utf-16le") == 0 ? ASCII_LITTLE :
	       strcasecmp(encoding, "utf-16be") == 0 ? ASCII_BIG : ASCII_BYTES;
}

int decoder_new(const char *encoding, struct decoder **out, struct err *e)
{
	const char *name = encoding_iconv_name(encoding);
	struct decoder *d;

	*out = NULL;
	if (name == NULL)
		return err_set(e, MUNI_UNSUPPORTED, "no encoding \"%s\" is known here",
			       text_printable(encoding));
	d = calloc(1, sizeof *d);
	if (d == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory to decode %s", encoding);
	d->step = strncmp(name, "UTF-16", 6) == 0 ? 2 : strncmp(name, "UTF-32", 6) == 0 ? 4 : 1;
	d->ascii = ascii_of(encoding);
	d->with = iconv_open("UTF-8", name);
	if (d->with == NO_ICONV) {
		free(d);
		if (errno == ENOMEM)
			return err_set(e, MUNI_NO_MEMORY, "no memory to decode %s", encoding);
		return err_set(e, MUNI_UNSUPPORTED, "this system cannot decode %s (iconv has "
			       "no table for it)", encoding);
	}
	*out = d;
	return 0;
}

void decoder_free(struct decoder *d)
{
	if (d == NULL)
		return;
	iconv_close(d->with);
	free(d);
}

uint64_t decoder_invalid(const struct decoder *d)
{
	return d->invalid;
}

size_t decoder_carried(const struct decoder *d)
{
	return d->carried;
}

struct span {
	char *in, *out;
	size_t size, room;
};

#define RUN 16u			/* characters of ASCII that are worth passing over */

static bool is_ascii_unit(enum ascii ascii, const uint8_t *p)
{
	return ascii == ASCII_LITTLE ? p[0] < 0x80 && p[1] == 0 : p[0] == 0 && p[1] < 0x80;
}

/* Bytes of ASCII characters from the start, as they are stored. */
static size_t ascii_run(const struct decoder *d, const uint8_t *p, size_t size)
{
	size_t n = 0;

	if (d->ascii == ASCII_BYTES)
		return encoding_ascii_prefix(p, size);
	while (n + 2 <= size && is_ascii_unit(d->ascii, p + n))
		n += 2;
	return n;
}

/* At the boundary of a character: copies the ASCII that stands there. */
static void pass_ascii(const struct decoder *d, struct span *s)
{
	const uint8_t *in = (const uint8_t *)s->in;
	size_t width = d->ascii == ASCII_BYTES ? 1 : 2, n = ascii_run(d, in, s->size) / width;

	if (n < RUN)
		return;
	if (n > s->room)
		n = s->room;
	if (width == 1)
		memcpy(s->out, in, n);
	else
		for (size_t i = 0; i < n; i++)
			s->out[i] = (char)in[2 * i + (d->ascii == ASCII_BIG)];
	s->in += n * width;
	s->size -= n * width;
	s->out += n;
	s->room -= n;
}

/* How much to give iconv: to where a run of ASCII begins.  No character of several
 * bytes has one below 0x30. */
static size_t chunk_of(const struct decoder *d, const struct span *s)
{
	const uint8_t *p = (const uint8_t *)s->in;
	size_t width = d->ascii == ASCII_BYTES ? 1 : 2, at = 0;

	while (at + width <= s->size) {
		size_t run;

		if (width == 1 ? p[at] >= 0x30 : !is_ascii_unit(d->ascii, p + at)) {
			at += width;
			continue;
		}
		at += width == 1;
		run = s->size - at < RUN * width ? 0 : ascii_run(d, p + at, RUN * width);
		if (run == RUN * width)
			return at;
		at += run > width ? run : width;
	}
	return s->size;
}

/* Converts until out is full (false) or in is used up but for an unfinished
 * character (true). */
static bool convert(struct decoder *d, struct span *s, bool is_end)
{
	bool is_whole = d->ascii == ASCII_HIDDEN;

	while (s->size > 0) {
		size_t step = d->step, chunk, rest;

		if (!is_whole)
			pass_ascii(d, s);
		chunk = is_whole ? s->size : chunk_of(d, s);
		rest = s->size - chunk;
		if (chunk > 0) {
			size_t result = iconv(d->with, &s->in, &chunk, &s->out, &s->room);

			s->size = chunk + rest;
			if (result != (size_t)-1)
				continue;
		} else if (s->room == 0) {
			return false;
		} else {
			continue;
		}
		if (errno == E2BIG)
			return false;
		if (errno == EINVAL && rest > 0) {
			is_whole = true;	/* what follows belongs to it */
			continue;
		}
		if (errno == EINVAL && !is_end)
			return true;
		/* EILSEQ, or unfinished at the end. */
		if (s->room < 3)
			return false;
		memcpy(s->out, replacement, 3);
		s->out += 3;
		s->room -= 3;
		d->invalid++;
		if (step > s->size || errno == EINVAL)
			step = s->size;
		s->in += step;
		s->size -= step;
	}
	return true;
}

/* Finishes the character that the last piece began.  False: out is full. */
static bool run_carry(struct decoder *d, const uint8_t **in, size_t *size, bool is_end,
		      struct span *s)
{
	while (d->carried > 0) {
		size_t old = d->carried, added = CARRY_MAX - old, left;
		bool is_done;

		if (added > *size)
			added = *size;
		memcpy(d->carry + old, *in, added);
		s->in = (char *)d->carry;
		s->size = old + added;
		is_done = convert(d, s, is_end && added == *size);
		left = s->size;
		if (left > added) {	/* not past what was carried yet */
			size_t used = old + added - left;

			memmove(d->carry, d->carry + used, left);
			if (is_done) {	/* all of in is too little */
				d->carried = left;
				*in += added;
				*size -= added;
				return true;
			}
			d->carried = left - added;
			return false;
		}
		d->carried = 0;
		*in += added - left;
		*size -= added - left;
		if (!is_done)
			return false;
	}
	return true;
}

void decoder_run(struct decoder *d, const void *in, size_t size, bool is_end, void *out,
		 size_t room, size_t *used, size_t *made)
{
	struct span s = { .out = out, .room = room };
	const uint8_t *p = in;
	size_t left = size;

	if (run_carry(d, &p, &left, is_end, &s) && left > 0) {
		s.in = (char *)p;	/* iconv() does not write there */
		s.size = left;
		if (convert(d, &s, is_end) && s.size <= CARRY_MAX / 2) {
			memcpy(d->carry, s.in, s.size);
			d->carried = s.size;
			s.size = 0;
		}
		left = s.size;
	}
	*used = size - left;
	*made = room - s.room;
	/* Shift states are closed at the end; nothing is written for UTF-8. */
	if (!d->has_begun && *made > 0) {
		d->has_begun = true;
		if (*made >= 3 && memcmp(out, mark, 3) == 0) {
			memmove(out, (char *)out + 3, *made - 3);
			*made -= 3;
		}
	}
}

int64_t encoding_stored_size(const char *encoding, const void *utf8, size_t size)
{
	const char *name = encoding_iconv_name(encoding);
	char out[1024], *in = (char *)utf8;
	int64_t total = 0;
	iconv_t with;

	if (name == NULL)
		return -1;
	if (encoding_is_utf8(encoding))
		return (int64_t)size;
	with = iconv_open(name, "UTF-8");
	if (with == NO_ICONV)
		return -1;
	while (size > 0) {
		char *to = out;
		size_t room = sizeof out;
		size_t result = iconv(with, &in, &size, &to, &room);

		total += to - out;
		if (result == (size_t)-1 && errno != E2BIG) {
			/* U+FFFD stands for one byte that was no character. */
			if (size >= 3 && memcmp(in, replacement, 3) == 0) {
				in += 3;
				size -= 3;
				total++;
				continue;
			}
			total = -1;
			break;
		}
	}
	iconv_close(with);
	return total;
}

/*
 * What libc has loaded is the process's, and it unloads what nobody has open: these
 * conversions are the process's too, to its end.
 */
static iconv_t kept[256];

static bool keep(const char *to, const char *from, size_t *count)
{
	iconv_t with = iconv_open(to, from);

	if (with == NO_ICONV)
		return false;
	if (*count < sizeof kept / sizeof kept[0])
		kept[(*count)++] = with;
	return true;
}

int encoding_preload(struct err *e)
{
	/* What mail names its text by. */
	static const char *const others[] = { "EUC-CN", "GBK", "EUC-KR", "EUC-JP", "SJIS",
		"ISO-2022-JP", "ISO-2022-JP-3", "ISO-2022-CN", "UTF-16", "UTF-32", "UCS-2",
		"US-ASCII", "GEORGIAN-PS", "ARMSCII-8", "TCVN", "ISO_6937", "CP1161" };
	size_t count = 0;
	const char *name;

	if (kept[0] != NULL)
		return 0;
	for (size_t i = 0; (name = encoding_known(i)) != NULL; i++)
		if (!keep("UTF-8", encoding_iconv_name(name), &count) ||
		    !keep(encoding_iconv_name(name), "UTF-8", &count))
			return err_set(e, MUNI_UNSUPPORTED, "this system cannot decode %s: "
				       "install the tables of iconv (Debian: libc6 brings "
				       "them)", name);
	/* One that this system lacks is said where it is met. */
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		if (keep("UTF-8", others[i], &count))
			keep(others[i], "UTF-8", &count);
	return 0;
}
