#include "fs/content/extract_unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/gunzip.h"
#include "fs/base/text.h"
#include "fs/content/look.h"

#define BLOCK_SIZE (64u << 10)

struct unpack {
	struct look *look;
	struct input *in;
	const char *packing;
	struct gunzip *gzip;	/* gzip alone: libarchive's skips its checksums */
	struct archive *a;	/* the others */
	struct err failure;	/* of the input, or a limit: to stop altogether */
	bool is_over;
	const uint8_t *plain;	/* what came out and was not asked for yet */
	size_t plain_size;
	char damage[200];
	char stored_name[256];
	uint8_t block[BLOCK_SIZE];
};

/* ---- which packing ---------------------------------------------------------------- */

static bool begins(const void *head, size_t size, const char *magic, size_t magic_size)
{
	return size >= magic_size && memcmp(head, magic, magic_size) == 0;
}

/* LZMA alone has no magic: properties of the usual kind, a dictionary that is a
 * power of two or nearly, a size that is unknown or could be. */
static bool is_lzma(const uint8_t *head, size_t size)
{
	return size > 13 && head[0] == 0x5d && head[1] == 0 && head[2] == 0 && head[13] == 0 &&
	       ((head[5] == 0xff && head[12] == 0xff) || (head[10] == 0 && head[12] == 0));
}

const char *unpack_name(const void *head, size_t size)
{
	static const struct {
		const char *magic;
		size_t size;
		const char *name;
	} known[] = {
		{ "\x1f\x8b\x08", 3, "gzip" },
		{ "BZh", 3, "bzip2" },
		{ "\xfd" "7zXZ\0", 6, "xz" },
		{ "\x28\xb5\x2f\xfd", 4, "zstd" },
		{ "\x04\x22\x4d\x18", 4, "lz4" },
		{ "\x1f\x9d", 2, "compress" },
		{ "LZIP", 4, "lzip" },
		{ "\xed\xab\xee\xdb", 4, "rpm" },
	};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (begins(head, size, known[i].magic, known[i].size))
			return known[i].name;
	/* zstd and lz4 may begin with a frame to be skipped: then zstd is the likelier. */
	if (size >= 4 && (((const uint8_t *)head)[0] & 0xf0) == 0x50 &&
	    begins((const uint8_t *)head + 1, size - 1, "\x2a\x4d\x18", 3))
		return "zstd";
	return is_lzma(head, size) ? "lzma" : NULL;
}

/* RFC 1952, 2.3: after ten bytes an extra field, then the name. */
static void take_stored_name(struct unpack *u, const uint8_t *head, size_t size)
{
	size_t at = 10, length = 0;

	if (size < 12 || !(head[3] & 8))
		return;
	if (head[3] & 4)
		at += 2 + ((size_t)head[10] | (size_t)head[11] << 8);
	while (at + length < size && length < sizeof u->stored_name - 1 && head[at + length])
		length++;
	if (at + length >= size || head[at + length])
		return;
	memcpy(u->stored_name, head + at, length);
	u->stored_name[length] = '\0';
}

/* ---- the two decoders ---------------------------------------------------------------- */

static ssize_t fetch_for_gzip(void *arg, const void **data, struct err *e)
{
	struct unpack *u = arg;
	ssize_t n = input_read(u->in, u->block, sizeof u->block, e);

	*data = u->block;
	if (n < 0)
		u->failure = *e;
	return n;
}

static la_ssize_t fetch_for_filter(struct archive *a, void *arg, const void **data)
{
	struct unpack *u = arg;
	ssize_t n = input_read(u->in, u->block, sizeof u->block, &u->failure);

	*data = u->block;
	if (n < 0)
		archive_set_error(a, EIO, "%s", u->failure.text);
	return n;
}

/* The one that is wanted: each more would be tried on what comes out of it. */
static int add_filter(struct archive *a, const char *packing)
{
	if (!strcmp(packing, "bzip2"))
		return archive_read_support_filter_bzip2(a);
	if (!strcmp(packing, "xz"))
		return archive_read_support_filter_xz(a);
	if (!strcmp(packing, "lzma"))
		return archive_read_support_filter_lzma(a);
	if (!strcmp(packing, "lzip"))
		return archive_read_support_filter_lzip(a);
	if (!strcmp(packing, "zstd"))
		return archive_read_support_filter_zstd(a);
	if (!strcmp(packing, "lz4"))
		return archive_read_support_filter_lz4(a);
	if (!strcmp(packing, "compress"))
		return archive_read_support_filter_compress(a);
	/* An rpm is a cpio, packed, behind two headers. */
	if (archive_read_support_filter_rpm(a) < ARCHIVE_WARN ||
	    archive_read_support_filter_gzip(a) < ARCHIVE_WARN ||
	    archive_read_support_filter_bzip2(a) < ARCHIVE_WARN ||
	    archive_read_support_filter_xz(a) < ARCHIVE_WARN ||
	    archive_read_support_filter_lzma(a) < ARCHIVE_WARN)
		return ARCHIVE_FATAL;
	return archive_read_support_filter_zstd(a);
}

static void filter_failed(struct unpack *u)
{
	const char *why = archive_error_string(u->a);

	u->is_over = true;
	if (archive_errno(u->a) == ENOMEM)
		snprintf(u->damage, sizeof u->damage, "unpacking it (%s) needs more memory than "
			 "is allowed for one file", u->packing);
	else
		snprintf(u->damage, sizeof u->damage, "its %s packing is damaged or was cut off: "
			 "%.100s", u->packing, why ? text_said(why) : "no reason given");
}

static int open_filter(struct unpack *u, struct err *e)
{
	struct archive_entry *entry;
	int rc;

	u->a = archive_read_new();
	if (!u->a || add_filter(u->a, u->packing) < ARCHIVE_WARN ||
	    archive_read_support_format_raw(u->a) < ARCHIVE_WARN ||
	    archive_read_support_format_empty(u->a) < ARCHIVE_WARN)
		return err_set(e, MUNI_NO_MEMORY, "no memory to unpack %s", u->packing);
	rc = archive_read_open(u->a, u, NULL, fetch_for_filter, NULL);
	if (rc >= ARCHIVE_WARN)
		rc = archive_read_next_header(u->a, &entry);
	if (rc == ARCHIVE_EOF) {
		u->is_over = true;	/* nothing was packed */
	} else if (rc < ARCHIVE_WARN && u->failure.code == MUNI_OK) {
		filter_failed(u);
	} else if (archive_filter_code(u->a, 0) == ARCHIVE_FILTER_NONE) {
		u->is_over = true;
		snprintf(u->damage, sizeof u->damage, "it begins as %s does, but its header is "
			 "damaged", u->packing);
	}
	return 0;
}

int unpack_new(struct look *l, struct input *in, struct unpack **out, struct err *e)
{
	struct unpack *u = calloc(1, sizeof *u);
	const void *head;
	size_t size;

	*out = NULL;
	if (!u)
		return err_set(e, MUNI_NO_MEMORY, "no memory to unpack a file");
	u->look = l;
	u->in = in;
	if (input_head(in, &head, &size, e) < 0)
		goto bad;
	u->packing = unpack_name(head, size);
	if (!u->packing) {
		err_set(e, MUNI_FORMAT, "it is packed in no way that is known here");
		goto bad;
	}
	if (!strcmp(u->packing, "gzip")) {
		take_stored_name(u, head, size);
		u->gzip = gunzip_new(fetch_for_gzip, u);
		if (!u->gzip) {
			err_set(e, MUNI_NO_MEMORY, "no memory to unpack gzip");
			goto bad;
		}
	} else if (open_filter(u, e) < 0) {
		goto bad;
	}
	*out = u;
	return 0;
bad:
	unpack_free(u);
	return -1;
}

void unpack_free(struct unpack *u)
{
	if (!u)
		return;
	gunzip_free(u->gzip);
	if (u->a)
		archive_read_free(u->a);
	free(u);
}

/* ---- reading ---------------------------------------------------------------------------- */

static void refill_from_gzip(struct unpack *u)
{
	struct err e = ERR_NONE;
	const void *data = NULL;
	ssize_t n = gunzip_read(u->gzip, &data, &e);

	if (n > 0) {
		u->plain = data;
		u->plain_size = (size_t)n;
		return;
	}
	u->is_over = true;
	if (n < 0 && u->failure.code == MUNI_OK)
		snprintf(u->damage, sizeof u->damage, "%.190s", e.text);
	else if (n == 0 && gunzip_has_trailing(u->gzip))
		snprintf(u->damage, sizeof u->damage, "bytes that are not gzip follow the end of "
			 "the packed data and were not read");
}

static void refill_from_filter(struct unpack *u)
{
	const void *data = NULL;
	la_int64_t at;
	size_t size = 0;
	int rc;

	do
		rc = archive_read_data_block(u->a, &data, &size, &at);
	while (rc == ARCHIVE_OK && size == 0);
	if (rc == ARCHIVE_OK || (rc == ARCHIVE_WARN && size > 0)) {
		u->plain = data;
		u->plain_size = size;
	} else if (rc == ARCHIVE_EOF) {
		u->is_over = true;
	} else if (u->failure.code == MUNI_OK) {
		filter_failed(u);
	}
}

ssize_t unpack_read(void *arg, void *out, size_t size, struct err *e)
{
	struct unpack *u = arg;
	size_t n;

	if (u->plain_size == 0 && !u->is_over && u->failure.code == MUNI_OK) {
		if (u->gzip)
			refill_from_gzip(u);
		else
			refill_from_filter(u);
	}
	if (u->failure.code != MUNI_OK) {
		*e = u->failure;
		return -1;
	}
	n = size < u->plain_size ? size : u->plain_size;
	if (n == 0)
		return 0;
	if (look_expanded(u->look, n, e) < 0) {
		u->failure = *e;
		return -1;
	}
	memcpy(out, u->plain, n);
	u->plain += n;
	u->plain_size -= n;
	return (ssize_t)n;
}

const char *unpack_damage(const struct unpack *u)
{
	return u->damage;
}

const char *unpack_stored_name(const struct unpack *u)
{
	return u->stored_name;
}
