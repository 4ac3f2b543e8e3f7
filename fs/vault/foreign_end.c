/*
 * Whether the end that libarchive sees is one.
 */
#include <archive.h>
#include <stdio.h>
#include <unistd.h>

#include "fs/vault/foreign_child_inside.h"
#include "fs/vault/foreign_rest.h"

#define TAR_BLOCK 512
#define TAR_RECORD 10240	/* tar's usual blocking */
#define ISO_VOLUME (32768 + 80)	/* ECMA-119 8.4: the primary descriptor's sizes */

static void check_tar_end(struct child *c)
{
	struct source *s = &c->source;
	uint64_t at = (uint64_t)archive_read_header_position(c->a);

	if (s->plain <= at)
		child_broken(c, MUNI_DAMAGED, "it stops without the mark of its end: it was cut "
			     "off between two entries, or was never finished");
	/* An empty tar is two blocks, or a record, of zeros; so is the beginning of
	 * many other things. */
	if (c->entries == 0 && s->plain != TAR_RECORD && s->plain != 2 * TAR_BLOCK)
		child_broken(c, MUNI_FORMAT, "there is nothing in it but zeros: no archive, or "
			     "one of which only a stretch of zeros is left");
}

/* ar has no end mark, but a header that is there in part is none. */
static void check_ar_end(struct child *c)
{
	uint64_t at = (uint64_t)archive_read_header_position(c->a);

	if (c->source.plain > at + 1)
		child_broken(c, MUNI_DAMAGED, "it was cut off within the header of an entry");
}

/* A volume that says it is longer than what is there. */
static void check_iso_end(struct child *c)
{
	uint8_t at[52];
	uint64_t blocks, size;
	char text[200];

	if (!c->source.is_direct ||
	    pread(c->source.fd, at, sizeof at, ISO_VOLUME) != (ssize_t)sizeof at)
		return;
	blocks = (uint64_t)at[0] | (uint64_t)at[1] << 8 | (uint64_t)at[2] << 16 |
		 (uint64_t)at[3] << 24;
	size = blocks * ((uint64_t)at[48] | (uint64_t)at[49] << 8);
	if (size <= c->source.size)
		return;
	snprintf(text, sizeof text, "it says that it is %llu bytes long and is %llu: it was cut "
		 "off", (unsigned long long)size, (unsigned long long)c->source.size);
	child_broken(c, MUNI_DAMAGED, text);
}

_Noreturn void child_finish(struct child *c)
{
	int format = child_format(c);
	struct rest rest;
	bool is_more = rest_look(c, &rest);

	/* To the last byte, for the packing's checksums and what follows the end;
	 * a parser that seeks has read what it wanted. */
	if ((!c->source.is_direct || format == ARCHIVE_FORMAT_TAR ||
	     format == ARCHIVE_FORMAT_AR) &&
	    source_drain(&c->source) < 0)
		child_broken(c, c->source.failure.code, c->source.failure.text);
	if (format == ARCHIVE_FORMAT_TAR)
		check_tar_end(c);
	else if (format == ARCHIVE_FORMAT_AR)
		check_ar_end(c);
	else if (format == ARCHIVE_FORMAT_ISO9660)
		check_iso_end(c);
	rest_check(c, is_more ? &rest : NULL);
	if (c->source.gzip && gunzip_has_trailing(c->source.gzip))
		voice_text(&c->voice, WIRE_NOTICE, "bytes that are not gzip follow the end of "
			   "the packed data and were not read");
	child_say_kind(c);
	if (c->entries == 0)
		voice_text(&c->voice, WIRE_NOTICE, "there is no entry in the archive");
	voice_number(&c->voice, WIRE_PULSE, c->source.consumed);
	voice_say(&c->voice, WIRE_END, NULL, 0);
	child_leave(c, 0);
}
