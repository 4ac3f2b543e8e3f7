#include "fs/vault/foreign_rest.h"

#include <archive.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fs/base/zip_end.h"
#include "fs/vault/foreign_child_inside.h"
#include "fs/vault/foreign_pax.h"

#define SEVEN_HEAD 32		/* 7zFormat.txt: SignatureHeader */
#define CAB_HEAD 36		/* [MS-CAB] 2.1 */
#define ISO_VOLUME (32768 + 80)	/* ECMA-119 8.4: the primary descriptor's sizes */
#define TRAILER 10		/* cpio's "TRAILER!!!" */

static uint64_t little(const uint8_t *at, size_t size)
{
	uint64_t value = 0;

	while (size-- > 0)
		value = value << 8 | at[size];
	return value;
}

bool rest_is_archive(const uint8_t *head, size_t size)
{
	static const struct {
		const char *bytes;
		size_t size;
	} magics[] = {
		{ "070701", 6 }, { "070702", 6 }, { "070707", 6 }, { "PK\3\4", 4 },
		{ "7z\xbc\xaf\x27\x1c", 6 }, { "\x1f\x8b\x08", 3 }, { "xar!", 4 }, { "BZh", 3 },
		{ "\xfd" "7zXZ", 5 }, { "\x28\xb5\x2f\xfd", 4 }, { "!<arch>\n", 8 },
		{ "Rar!\x1a\x07", 6 }, { "MSCF", 4 }, { "LZIP", 4 }, { "WARC/", 5 },
		{ "\x04\x22\x4d\x18", 4 }, { "\1CD001", 6 },
	};

	for (size_t i = 0; i < sizeof magics / sizeof *magics; i++)
		if (size >= magics[i].size && !memcmp(head, magics[i].bytes, magics[i].size))
			return true;
	return pax_is_tar(head, size);
}

/* ---- bytes ---------------------------------------------------------------------- */

/* Of what was read already, or of the file. */
static bool get(const struct source *s, uint64_t at, void *out, size_t size)
{
	return s->is_direct ? pread(s->fd, out, size, (off_t)at) == (ssize_t)size :
			      source_recall(s, at, out, size);
}

/* What is there by now; a stream is read on for more.  False: that was all. */
static bool more(struct child *c, uint64_t *end)
{
	const void *block;
	ssize_t n;

	if (c->source.is_direct)
		return false;
	n = source_read(&c->source, &block);
	if (n < 0)
		child_broken(c, c->source.failure.code, c->source.failure.text);
	*end = c->source.plain;
	return n > 0;
}

/* False: nothing but zeros, or of a stream what is no longer known. */
static bool find(struct child *c, uint64_t at, struct rest *r)
{
	uint64_t end = c->source.is_direct ? c->source.size : c->source.plain;

	do
		while (at < end) {
			size_t part = end - at < REST_HEAD ? (size_t)(end - at) : REST_HEAD, i = 0;

			if (!get(&c->source, at, r->head, part))
				return false;
			while (i < part && r->head[i] == 0)
				i++;
			at += i;
			if (i == part)
				continue;
			while (end - at < REST_HEAD && more(c, &end))
				;
			r->at = at;
			r->size = end - at < REST_HEAD ? (size_t)(end - at) : REST_HEAD;
			return get(&c->source, at, r->head, r->size);
		}
	while (more(c, &end));
	return false;
}

/* ---- what is said ------------------------------------------------------------------- */

static _Noreturn void two(struct child *c, const char *where, uint64_t at)
{
	char text[WIRE_TEXT_MAX];

	snprintf(text, sizeof text, "it is two archives in one file: %s byte %llu, and only one of them "
		 "was read. Take them apart there (head -c, tail -c), and take in each", where,
		 (unsigned long long)at);
	child_broken(c, MUNI_DAMAGED, text);
}

static void say(struct child *c, const struct rest *r)
{
	char text[200];

	if (rest_is_archive(r->head, r->size))
		two(c, "the second begins at", r->at);
	snprintf(text, sizeof text, "something follows the end of the archive (at byte %llu) and was "
		 "not read", (unsigned long long)r->at);
	voice_text(&c->voice, WIRE_NOTICE, text);
}

static void behind(struct child *c, uint64_t end)
{
	struct rest r;

	if (end < c->source.size && find(c, end, &r))
		say(c, &r);
}

/* ---- where it ends ---------------------------------------------------------------------- */

/* Behind the trailer's header and name. */
static uint64_t cpio_end(struct child *c)
{
	uint64_t at = (uint64_t)archive_read_header_position(c->a);

	switch (archive_format(c->a)) {
	case ARCHIVE_FORMAT_CPIO_SVR4_NOCRC:
	case ARCHIVE_FORMAT_CPIO_SVR4_CRC:
		return at + 110 + TRAILER;
	case ARCHIVE_FORMAT_CPIO_POSIX:
		return at + 76 + TRAILER;
	case ARCHIVE_FORMAT_CPIO_AFIO_LARGE:
		return at + 116 + TRAILER;
	default:
		return at + 26 + TRAILER;
	}
}

static bool zip_before(struct child *c, uint64_t end, struct zip_end *z)
{
	size_t size = end < ZIP_END_TAIL ? (size_t)end : ZIP_END_TAIL;
	uint8_t *tail = c->source.raw;	/* the parser needs it no more */

	return get(&c->source, end - size, tail, size) && zip_end_find(tail, size, z) &&
	       (z->at += end - size, true);
}

/* A record that libarchive does not know ends the directory for it, and of two members of one
 * place it shows one; of a stream it passes over what does not look like a member. */
static void count_zip(struct child *c, const struct zip_end *z)
{
	char text[200];

	if (!zip_end_misses(z, c->entries))
		return;
	snprintf(text, sizeof text, "its directory says that there are %llu entries, and %llu could "
		 "be read: it is damaged or hostile", (unsigned long long)z->entries,
		 (unsigned long long)c->entries);
	child_broken(c, MUNI_DAMAGED, text);
}

static void check_zip(struct child *c)
{
	const struct source *s = &c->source;
	struct zip_end z, first;
	uint64_t begin;

	if (!zip_before(c, s->is_direct ? s->size : s->plain, &z))
		return;
	count_zip(c, &z);
	if (!s->is_direct)
		return;
	behind(c, z.at + z.size);
	if (z.is_large || z.directory >= z.at)
		return;
	/* Something stands in front: a program that unpacks itself, or another archive, whose
	 * own mark ends there. */
	begin = z.at - z.directory;
	if (zip_before(c, begin, &first) && first.at + first.size == begin)
		two(c, "the first ends at", begin);
}

static void check_file(struct child *c)
{
	uint8_t head[CAB_HEAD], volume[52];
	const struct source *s = &c->source;
	uint64_t end = 0;

	switch (child_format(c)) {
	case ARCHIVE_FORMAT_7ZIP:
		if (get(s, 0, head, SEVEN_HEAD) && !memcmp(head, "7z\xbc\xaf", 4))
			end = SEVEN_HEAD + little(head + 12, 8) + little(head + 20, 8);
		break;
	case ARCHIVE_FORMAT_CAB:
		if (get(s, 0, head, CAB_HEAD) && !memcmp(head, "MSCF", 4))
			end = little(head + 8, 4);
		break;
	case ARCHIVE_FORMAT_ISO9660:
		if (get(s, ISO_VOLUME, volume, sizeof volume))
			end = little(volume, 4) * little(volume + 48, 2);
		break;
	default:
		return;
	}
	if (end > 0)
		behind(c, end);
}

bool rest_look(struct child *c, struct rest *r)
{
	switch (child_format(c)) {
	case ARCHIVE_FORMAT_TAR:
		return find(c, (uint64_t)archive_read_header_position(c->a), r);
	case ARCHIVE_FORMAT_CPIO:
		return find(c, cpio_end(c), r);
	default:
		return false;
	}
}

void rest_check(struct child *c, const struct rest *found)
{
	_Static_assert(ZIP_END_TAIL <= SOURCE_BLOCK, "a tail fits into the source's buffer");
	if (found)
		say(c, found);
	else if (child_format(c) == ARCHIVE_FORMAT_ZIP)
		check_zip(c);
	else if (c->source.is_direct)
		check_file(c);
}
