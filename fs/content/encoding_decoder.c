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

struct decoder {
	iconv_t with;
	unsigned step;		/* bytes to pass over where one is invalid */
	bool has_begun;		/* the byte order mark is behind */
	uint8_t carry[CARRY_MAX];	/* an unfinished character */
	size_t carried;
	uint64_t invalid;
};

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
	d->with = iconv_open("UTF-8", name);
	if (d->with == NO_ICONV) {
		free(d);
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

/* Converts until out is full (false) or in is used up but for an unfinished
 * character (true). */
static bool convert(struct decoder *d, struct span *s, bool is_end)
{
	while (s->size > 0) {
		size_t step = d->step;

		if (iconv(d->with, &s->in, &s->size, &s->out, &s->room) != (size_t)-1)
			continue;
		if (errno == E2BIG)
			return false;
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
