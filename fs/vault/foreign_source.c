#include "fs/vault/foreign_source.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/base/text.h"
#include "fs/vault/foreign.h"

#define PULSE_EVERY (4u << 20)
#define LONGEST_MAGIC 8	/* of a gzip header, RAR's name */

/* ---- the input ------------------------------------------------------------- */

static int filters(struct archive *a)
{
	/* One by one: "all" would bring programs started from $PATH. */
	return archive_read_support_filter_bzip2(a) < ARCHIVE_WARN ||
	       archive_read_support_filter_xz(a) < ARCHIVE_WARN ||
	       archive_read_support_filter_lzma(a) < ARCHIVE_WARN ||
	       archive_read_support_filter_lzip(a) < ARCHIVE_WARN ||
	       archive_read_support_filter_zstd(a) < ARCHIVE_WARN ||
	       archive_read_support_filter_lz4(a) < ARCHIVE_WARN ||
	       archive_read_support_filter_compress(a) < ARCHIVE_WARN ||
	       archive_read_support_format_raw(a) < ARCHIVE_WARN ? -1 : 0;
}

int source_prepare(struct source *s, int fd, uint64_t bomb_limit, struct err *e)
{
	struct stat st;

	s->fd = fd;
	s->bomb_limit = bomb_limit;
	s->raw = malloc(SOURCE_BLOCK);
	s->memory = malloc(SOURCE_MEMORY);
	s->unpacker = archive_read_new();
	if (!s->raw || !s->memory || !s->unpacker || filters(s->unpacker) < 0)
		return err_set(e, MUNI_NO_MEMORY, "no memory to read an archive");
	if (fstat(fd, &st) < 0)
		return err_errno(e, "looking at the archive");
	/* A file that somebody has read from already is taken as a stream. */
	s->can_seek = (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode)) &&
		      lseek(fd, 0, SEEK_CUR) == 0;
	if (s->can_seek) {
		off_t end = lseek(fd, 0, SEEK_END);

		if (end < 0 || lseek(fd, 0, SEEK_SET) < 0)
			return err_errno(e, "looking at the archive");
		s->size = (uint64_t)end;
	}
	return 0;
}

static ssize_t input_read(struct source *s, uint8_t *into, size_t room)
{
	ssize_t n;

	if (!s->can_seek && s->idle)
		s->idle(s->arg);
	do
		n = s->can_seek ? pread(s->fd, into, room, (off_t)s->offset)
				: read(s->fd, into, room);
	while (n < 0 && errno == EINTR);
	if (n < 0) {
		err_errno(&s->failure, "reading it at byte %llu", (unsigned long long)s->offset);
		return -1;
	}
	s->offset += (uint64_t)n;
	if (n > 0 && s->offset > s->consumed) {
		bool is_due = s->offset / PULSE_EVERY != s->consumed / PULSE_EVERY;

		s->consumed = s->offset;
		if (is_due && s->pulse)
			s->pulse(s->arg);
	}
	return n;
}

/* The bytes that were peeked at first, then the input's. */
static ssize_t raw_read(struct source *s, const void **data)
{
	ssize_t n;

	if (s->raw_end > s->raw_start) {
		n = (ssize_t)(s->raw_end - s->raw_start);
		*data = s->raw + s->raw_start;
		s->raw_start = s->raw_end = 0;
		return n;
	}
	*data = s->raw;
	return input_read(s, s->raw, SOURCE_BLOCK);
}

static ssize_t fetch_for_gzip(void *arg, const void **data, struct err *e)
{
	struct source *s = arg;
	ssize_t n = raw_read(s, data);

	if (n < 0)
		*e = s->failure;
	return n;
}

/* ---- packing ------------------------------------------------------------------ */

static la_ssize_t fetch_for_filters(struct archive *a, void *arg, const void **data)
{
	struct source *s = arg;
	ssize_t n = s->gzip ? gunzip_read(s->gzip, data, &s->failure) : raw_read(s, data);

	if (n < 0)
		archive_set_error(a, EIO, "%s", s->failure.text);
	return n;
}

static void name_packing(struct source *s)
{
	int count = archive_filter_count(s->unpacker);
	size_t used = 0;

	/* Filter 0 is the innermost; "none" stands for the input itself. */
	for (int i = 0; i < count; i++) {
		const char *name = archive_filter_name(s->unpacker, i);

		if (archive_filter_code(s->unpacker, i) == ARCHIVE_FILTER_NONE || !name)
			continue;
		if (archive_filter_code(s->unpacker, i) == ARCHIVE_FILTER_COMPRESS)
			name = "compress";
		used += (size_t)snprintf(s->packing + used, sizeof s->packing - used, "%s%s",
					 used ? "+" : "", name);
		if (used >= sizeof s->packing)
			return;
	}
	if (s->gzip)
		snprintf(s->packing + used, sizeof s->packing - used, "%sgzip", used ? "+" : "");
}

bool source_lacks_memory(struct archive *a)
{
	return archive_errno(a) == ENOMEM || (!archive_error_string(a) && errno == ENOMEM);
}

static int unpacker_failed(struct source *s)
{
	const char *why = archive_error_string(s->unpacker);

	if (s->failure.code != MUNI_OK)
		return -1;
	if (source_lacks_memory(s->unpacker))
		return err_set(&s->failure, MUNI_NO_MEMORY, "no memory to unpack it");
	return err_set(&s->failure, MUNI_DAMAGED, "its packing%s%s%s is damaged or was cut off: %s",
		       *s->packing ? " (" : "", s->packing, *s->packing ? ")" : "", why ? text_said(why) : "no reason given");
}

int source_begin(struct source *s, struct err *e)
{
	struct archive_entry *entry;
	int rc;

	/* A pipe may give less than a header at a time. */
	while (s->raw_end < LONGEST_MAGIC) {
		ssize_t n = input_read(s, s->raw + s->raw_end, SOURCE_BLOCK - s->raw_end);

		if (n < 0) {
			*e = s->failure;
			return -1;
		}
		if (n == 0)
			break;
		s->raw_end += (size_t)n;
	}
	if (s->raw_end == 0)
		return err_set(e, MUNI_FORMAT, "it is empty: no archive at all");
	if (s->raw_end > 2 && s->raw[0] == 0x1f && s->raw[1] == 0x8b && s->raw[2] == 8) {
		s->gzip = gunzip_new(fetch_for_gzip, s);
		if (!s->gzip)
			return err_set(e, MUNI_NO_MEMORY, "no memory to unpack gzip");
	}
	rc = archive_read_open(s->unpacker, s, NULL, fetch_for_filters, NULL);
	if (rc == ARCHIVE_OK) {
		name_packing(s);
		rc = archive_read_next_header(s->unpacker, &entry);
	} else if (s->failure.code == MUNI_OK &&
		   archive_errno(s->unpacker) == EILSEQ) {
		/* "Unrecognized": not even the first byte that "raw" wants came out. */
		name_packing(s);
		s->is_empty = true;
		return 0;
	}
	if (rc != ARCHIVE_OK && rc != ARCHIVE_EOF) {
		if (!*s->packing)
			name_packing(s);
		(void)unpacker_failed(s);
		*e = s->failure;
		return -1;
	}
	if (!*s->packing && s->can_seek) {
		archive_read_free(s->unpacker);
		s->unpacker = NULL;
		s->is_direct = true;
		s->offset = 0;
		s->raw_start = s->raw_end = 0;
	}
	return 0;
}

/* ---- plain bytes ------------------------------------------------------------------ */

/* Of a block that ends at `end` of the plain bytes. */
static void watch(struct source *s, const uint8_t *data, size_t size, uint64_t end)
{
	size_t kept = size < SOURCE_MEMORY ? size : SOURCE_MEMORY, place, first;
	uint64_t at = end - kept;

	if (!s->is_remembering)
		return;
	place = (size_t)(at % SOURCE_MEMORY);
	first = kept < SOURCE_MEMORY - place ? kept : SOURCE_MEMORY - place;
	memcpy(s->memory + place, data + size - kept, first);
	memcpy(s->memory, data + size - kept + first, kept - first);
}

bool source_is_bomb(const struct source *s, uint64_t out)
{
	uint64_t in = s->can_seek ? s->size : s->consumed;

	if (s->bomb_limit)
		return out > s->bomb_limit;
	return out > FOREIGN_BOMB_FREE && out / FOREIGN_BOMB_RATIO > in;
}

ssize_t source_read(struct source *s, const void **block)
{
	la_int64_t at;
	size_t size = 0;
	int rc;

	if (s->failure.code != MUNI_OK)
		return -1;
	if (s->held_size > 0) {
		*block = s->held;
		size = s->held_size;
		s->held_size = 0;
		return (ssize_t)size;
	}
	if (s->is_direct) {
		ssize_t n = input_read(s, s->raw, SOURCE_BLOCK);

		*block = s->raw;
		if (n > 0)
			watch(s, s->raw, (size_t)n, s->offset);
		if (n > 0 && s->offset > s->plain)
			s->plain = s->offset;
		return n;
	}
	if (s->is_empty)
		return 0;
	do
		rc = archive_read_data_block(s->unpacker, block, &size, &at);
	while (rc == ARCHIVE_OK && size == 0);
	if (rc == ARCHIVE_EOF)
		return 0;
	if (rc != ARCHIVE_OK)
		return unpacker_failed(s);
	s->plain += size;
	watch(s, *block, size, s->plain);
	if (*s->packing && source_is_bomb(s, s->plain)) {
		err_set(&s->failure, MUNI_LIMIT, "more comes out of it than a limit allows "
			"(a \"bomb\"); raise the limit with --bomb-limit if you trust it");
		return -1;
	}
	return (ssize_t)size;
}

int source_peek(struct source *s, const uint8_t **data, size_t *size)
{
	ssize_t n = source_read(s, &s->held);

	if (n < 0)
		return -1;
	s->held_size = (size_t)n;
	*data = s->held;
	*size = s->held_size;
	return 0;
}

int64_t source_seek(struct source *s, int64_t offset, int whence)
{
	int64_t base;

	s->offset -= s->is_direct ? s->held_size : 0;
	s->held_size = 0;
	base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? (int64_t)s->offset
								  : (int64_t)s->size;

	if (!s->is_direct || (offset > 0 && base > INT64_MAX - offset) || base + offset < 0)
		return -1;
	s->offset = (uint64_t)(base + offset);
	return (int64_t)s->offset;
}

int source_drain(struct source *s)
{
	const void *block;
	ssize_t n;

	do
		n = source_read(s, &block);
	while (n > 0);
	return n < 0 ? -1 : 0;
}

bool source_recall(const struct source *s, uint64_t at, void *out, size_t size)
{
	size_t place = (size_t)(at % SOURCE_MEMORY), first;

	if (!s->is_remembering || size > SOURCE_MEMORY || at > s->plain ||
	    s->plain - at < size || s->plain - at > SOURCE_MEMORY)
		return false;
	first = size < SOURCE_MEMORY - place ? size : SOURCE_MEMORY - place;
	memcpy(out, s->memory + place, first);
	memcpy((uint8_t *)out + first, s->memory, size - first);
	return true;
}

void source_end(struct source *s)
{
	if (s->unpacker)
		archive_read_free(s->unpacker);
	gunzip_free(s->gzip);
	free(s->raw);
	free(s->memory);
}
