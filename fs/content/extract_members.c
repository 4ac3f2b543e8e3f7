#include "fs/content/extract_members.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/base/zip_end.h"
#include "fs/content/look.h"

#define BLOCK_SIZE (64u << 10)
#define TAR_END 1024	/* two blocks of zeros */
#define RESTARTS_MAX 64	/* each costs a walk over the directory */

struct members {
	struct look *look;
	struct input *in;
	struct archive *a;
	struct archive_entry *entry;	/* the present one; libarchive's */
	bool can_seek;
	struct zip_end end;		/* of a zip, if it has one */
	bool has_end;
	bool is_zip_as_it_comes;	/* its directory is damaged: tried from the front */
	uint64_t position;		/* where the next byte is read */
	uint64_t nonzero_end;		/* of what was read in order */
	uint64_t count;
	struct err failure;		/* of the input, or a limit: to stop altogether */
	bool is_over;
	bool is_damaged;		/* the present member */
	bool is_stuck;			/* by it: libarchive goes on no further */
	unsigned restarts;
	/* What libarchive gave last, and how far the member was read: between the two
	 * may be a hole. */
	const uint8_t *piece;
	size_t piece_size;
	uint64_t piece_at, read_to;
	char damage[160];
	char name[32];			/* of a member that has none */
	uint8_t block[BLOCK_SIZE];
};

/* ---- the input ------------------------------------------------------------------------ */

static void note_nonzero(struct members *m, size_t n)
{
	size_t last = n;

	while (last > 0 && m->block[last - 1] == 0)
		last--;
	if (last > 0)
		m->nonzero_end = m->position + last;
}

static ssize_t read_block(struct members *m)
{
	ssize_t n = m->can_seek
		? input_at(m->in, m->position, m->block, sizeof m->block, &m->failure)
		: input_read(m->in, m->block, sizeof m->block, &m->failure);

	if (n > 0) {
		note_nonzero(m, (size_t)n);
		m->position += (uint64_t)n;
	}
	return n;
}

static la_ssize_t on_read(struct archive *a, void *arg, const void **block)
{
	struct members *m = arg;
	ssize_t n = read_block(m);

	*block = m->block;
	if (n < 0)
		archive_set_error(a, EIO, "%s", m->failure.text);
	return n;
}

static la_int64_t on_seek(struct archive *a, void *arg, la_int64_t offset, int whence)
{
	struct members *m = arg;
	uint64_t size = 0;
	int64_t base;

	(void)input_size(m->in, &size);
	base = whence == SEEK_SET ? 0 : (int64_t)(whence == SEEK_CUR ? m->position : size);
	if (size > INT64_MAX || (offset > 0 && base > INT64_MAX - offset) || base + offset < 0) {
		archive_set_error(a, EINVAL, "it points outside itself");
		return ARCHIVE_FATAL;
	}
	m->position = (uint64_t)(base + offset);
	return (la_int64_t)m->position;
}

static la_int64_t on_skip(struct archive *a, void *arg, la_int64_t request)
{
	struct members *m = arg;

	(void)a;
	if (!m->can_seek || request <= 0 || m->position > INT64_MAX - (uint64_t)request)
		return 0;
	m->position += (uint64_t)request;
	return request;
}

/* ---- opening ---------------------------------------------------------------------------- */

/* Those whose directory stands elsewhere than where they are read from. */
static bool wants_seek(const uint8_t *head, size_t size)
{
	return (size > 4 && (!memcmp(head, "PK", 2) || !memcmp(head, "7z\xbc\xaf", 4) ||
			     !memcmp(head, "Rar!", 4))) ||
	       (size > 32774 && !memcmp(head + 32769, "CD001", 5));
}

bool members_is_stream(const void *head, size_t size)
{
	const uint8_t *at = head;
	unsigned sum = 0, told = 0;

	if (size > 6 && (!memcmp(at, "07070", 5) || !memcmp(at, "\xc7\x71", 2) ||
			 !memcmp(at, "\x71\xc7", 2)))
		return true;
	if (size < 512)
		return false;
	/* POSIX 1003.1, ustar: the sum of the header's bytes, its own as blanks; the
	 * oldest tars have nothing else to be known by. */
	for (size_t i = 0; i < 512; i++)
		sum += i >= 148 && i < 156 ? ' ' : at[i];
	for (size_t i = 148; i < 156; i++)
		if (at[i] >= '0' && at[i] <= '7')
			told = told * 8 + (unsigned)(at[i] - '0');
	return told == sum && at[0] != 0;
}

/* Each by name: "all" would bring mtree, which opens files of the host. */
static int add_formats(struct archive *a, bool zip_as_it_comes)
{
	if (zip_as_it_comes)
		return archive_read_support_format_zip_streamable(a);
	if (archive_read_support_format_tar(a) < ARCHIVE_WARN ||
	    archive_read_support_format_zip_streamable(a) < ARCHIVE_WARN ||
	    archive_read_support_format_zip_seekable(a) < ARCHIVE_WARN ||
	    archive_read_support_format_7zip(a) < ARCHIVE_WARN ||
	    archive_read_support_format_iso9660(a) < ARCHIVE_WARN ||
	    archive_read_support_format_cpio(a) < ARCHIVE_WARN ||
	    archive_read_support_format_ar(a) < ARCHIVE_WARN ||
	    archive_read_support_format_cab(a) < ARCHIVE_WARN ||
	    archive_read_support_format_lha(a) < ARCHIVE_WARN ||
	    archive_read_support_format_xar(a) < ARCHIVE_WARN ||
	    archive_read_support_format_warc(a) < ARCHIVE_WARN ||
	    archive_read_support_format_rar(a) < ARCHIVE_WARN ||
	    archive_read_support_format_rar5(a) < ARCHIVE_WARN)
		return ARCHIVE_FATAL;
	/* Tapes hold one tar behind the other. */
	return archive_read_set_option(a, "tar", "read_concatenated_archives", "1");
}

static int begin(struct members *m, struct err *e)
{
	m->a = archive_read_new();
	if (!m->a || add_formats(m->a, m->is_zip_as_it_comes) < ARCHIVE_WARN)
		return err_set(e, MUNI_NO_MEMORY, "no memory to read an archive");
	archive_read_set_read_callback(m->a, on_read);
	archive_read_set_skip_callback(m->a, on_skip);
	if (m->can_seek && !m->is_zip_as_it_comes)
		archive_read_set_seek_callback(m->a, on_seek);
	archive_read_set_callback_data(m->a, m);
	m->position = 0;
	/* What it thinks of the first bytes is asked again by the first header. */
	(void)archive_read_open1(m->a);
	return 0;
}

/*
 * A zip ends with the record of its directory, and a comment that no writer makes
 * (APPNOTE 4.3.16).  Without it libarchive reads the members from the front, and
 * what is cut off behind the last of them it does not miss.
 */
static int check_zip_end(struct members *m, const uint8_t *head, size_t size, struct err *e)
{
	uint64_t whole = 0;
	uint8_t *tail;
	ssize_t n;

	if (!m->can_seek || size < 4 || memcmp(head, "PK\3\4", 4) != 0)
		return 0;
	(void)input_size(m->in, &whole);
	tail = malloc(ZIP_END_TAIL);
	if (!tail)
		return err_set(e, MUNI_NO_MEMORY, "no memory to read a zip");
	n = input_at(m->in, whole > ZIP_END_TAIL ? whole - ZIP_END_TAIL : 0, tail, ZIP_END_TAIL, e);
	m->has_end = n > 0 && zip_end_find(tail, (size_t)n, &m->end);
	if (n >= 0 && !m->has_end)
		look_opaque(m->look, "it was cut off: the end of its directory is missing");
	free(tail);
	return n < 0 ? -1 : 0;
}

int members_open(struct look *l, struct input *in, struct members **out, struct err *e)
{
	struct members *m = calloc(1, sizeof *m);
	struct err why = ERR_NONE;
	const void *head;
	size_t size;

	*out = NULL;
	if (!m)
		return err_set(e, MUNI_NO_MEMORY, "no memory to read an archive");
	m->look = l;
	m->in = in;
	if (input_head(in, &head, &size, e) < 0)
		goto bad;
	if (wants_seek(head, size)) {
		m->can_seek = input_seekable(in, &why) == 0;
		if (!m->can_seek && why.code != MUNI_LIMIT) {
			*e = why;
			goto bad;
		}
	}
	if (check_zip_end(m, head, size, e) < 0 || begin(m, e) < 0)
		goto bad;
	*out = m;
	return 0;
bad:
	members_close(m);
	return -1;
}

void members_close(struct members *m)
{
	if (!m)
		return;
	if (m->a)
		archive_read_free(m->a);
	free(m);
}

/* ---- damage -------------------------------------------------------------------------------- */

static const char *why(struct members *m)
{
	const char *text = archive_error_string(m->a);

	if (archive_errno(m->a) == ENOMEM)
		return "it needs more memory than is allowed for one file";
	return text && *text ? text_said(text) : "it was cut off";
}

/* A record of a zip's directory that it does not know is the end for libarchive. */
static bool misses_members(const struct members *m)
{
	return m->has_end && !m->is_zip_as_it_comes && zip_end_misses(&m->end, m->count);
}

/* Starts again from the front, where a zip's members stand too. */
static bool zip_without_directory(struct members *m, struct err *e)
{
	const void *head;
	size_t size;

	if (m->count > 0 || m->is_zip_as_it_comes || !m->can_seek ||
	    input_head(m->in, &head, &size, e) < 0 || size < 4 || memcmp(head, "PK\3\4", 4) != 0)
		return false;
	look_opaque(m->look, "its directory is damaged%s%.120s", misses_members(m) ? "" : ": ",
		    misses_members(m) ? "" : why(m));
	archive_read_free(m->a);
	m->a = NULL;
	m->is_zip_as_it_comes = true;
	return begin(m, e) == 0;
}

/* The archive cannot be read on. */
static int broken(struct members *m, struct err *e)
{
	bool is_known;

	if (m->failure.code != MUNI_OK) {
		*e = m->failure;
		return -1;
	}
	m->is_over = true;
	is_known = archive_format(m->a) != 0;
	/* Asked where it settled on no format, libarchive 3.6.2 jumps to anywhere. */
	if (is_known && archive_read_has_encrypted_entries(m->a) == 1) {
		look_opaque(m->look, "encrypted: even the names of its members");
		return 0;
	}
	if (!is_known)
		look_opaque(m->look, "damaged, or no archive of a kind that can be read");
	else
		look_opaque(m->look, "damaged after %llu members: %.120s",
			    (unsigned long long)m->count, why(m));
	return 0;
}

/* A tar or ar that was cut off between two members looks whole to libarchive. */
static int check_end(struct members *m, struct err *e)
{
	int format = archive_format(m->a) & ARCHIVE_FORMAT_BASE_MASK;
	ssize_t n;

	m->is_over = true;
	if (misses_members(m))
		look_opaque(m->look, "its directory is damaged: it tells of %llu members, and %llu "
			    "could be read", (unsigned long long)m->end.entries,
			    (unsigned long long)m->count);
	if (m->can_seek || (format != ARCHIVE_FORMAT_TAR && format != ARCHIVE_FORMAT_AR))
		return 0;
	do
		n = read_block(m);
	while (n > 0);
	if (n < 0)
		*e = m->failure;
	else if (format == ARCHIVE_FORMAT_TAR && m->position - m->nonzero_end < TAR_END)
		look_opaque(m->look, "it stops without the mark of its end: it was cut off "
			    "between two members, or never finished");
	else if (format == ARCHIVE_FORMAT_AR &&
		 m->position > (uint64_t)archive_read_header_position(m->a) + 1)
		look_opaque(m->look, "it was cut off within the header of a member");
	return n < 0 ? -1 : 0;
}

/* ---- members --------------------------------------------------------------------------------- */

static const char *name_of(struct members *m)
{
	const char *name = archive_entry_pathname(m->entry);

	if (!name)
		name = archive_entry_pathname_utf8(m->entry);
	if (name && *name)
		return name;
	snprintf(m->name, sizeof m->name, "member %llu", (unsigned long long)m->count);
	return m->name;
}

static bool has_bytes(struct archive_entry *entry)
{
	/* A zip's member may have no type at all. */
	return (archive_entry_filetype(entry) == AE_IFREG || archive_entry_filetype(entry) == 0) &&
	       !archive_entry_hardlink(entry) && !archive_entry_symlink(entry);
}

/* Of a zip's member that is said to be a pipe or a directory libarchive gives no data; who
 * opens the document goes by its name, and gets it. */
static bool hides_bytes(struct members *m)
{
	return (archive_format(m->a) & ARCHIVE_FORMAT_BASE_MASK) == ARCHIVE_FORMAT_ZIP &&
	       !archive_entry_symlink(m->entry) && archive_entry_size_is_set(m->entry) &&
	       archive_entry_size(m->entry) > 0;
}

/* One member that cannot be unpacked ends libarchive's reading; a zip's other
 * members are none the worse. */
static int get_past(struct members *m, struct err *e)
{
	m->is_stuck = false;
	if (!m->can_seek || m->is_zip_as_it_comes ||
	    (archive_format(m->a) & ARCHIVE_FORMAT_BASE_MASK) != ARCHIVE_FORMAT_ZIP ||
	    m->restarts++ == RESTARTS_MAX) {
		m->is_over = true;
		look_opaque(m->look, "what follows member %s could not be read",
			    text_printable(name_of(m)));
		return 0;
	}
	archive_read_free(m->a);
	if (begin(m, e) < 0)
		return -1;
	for (uint64_t i = 0; i < m->count && m->failure.code == MUNI_OK; i++)
		(void)archive_read_next_header(m->a, &m->entry);
	return 0;
}

int members_next(struct members *m, const char **name, struct err *e)
{
	if (m->is_stuck && get_past(m, e) < 0)
		return -1;
	while (!m->is_over) {
		int rc = archive_read_next_header(m->a, &m->entry);

		if (rc == ARCHIVE_RETRY)
			continue;
		if (rc == ARCHIVE_EOF && m->failure.code == MUNI_OK) {
			if (misses_members(m) && zip_without_directory(m, e))
				continue;
			return check_end(m, e);
		}
		if (rc < ARCHIVE_WARN || m->failure.code != MUNI_OK) {
			if (m->failure.code == MUNI_OK && zip_without_directory(m, e))
				continue;
			return broken(m, e);
		}
		m->count++;
		*name = name_of(m);
		m->is_damaged = false;
		m->piece_size = 0;
		m->read_to = 0;
		if (archive_entry_is_encrypted(m->entry))
			look_opaque(m->look, "member %s is encrypted", text_printable(*name));
		else if (has_bytes(m->entry))
			return 1;
		else if (hides_bytes(m))
			look_opaque(m->look, "member %s has data, but is said to be no file",
				    text_printable(*name));
	}
	return 0;
}

/* Not archive_read_data(): where it meets damage it drops what came before. */
static int next_piece(struct members *m)
{
	const void *data = NULL;
	la_int64_t at = 0;
	size_t size = 0;
	int rc;

	do
		rc = archive_read_data_block(m->a, &data, &size, &at);
	while (rc == ARCHIVE_RETRY || (rc == ARCHIVE_OK && size == 0));
	if (rc != ARCHIVE_OK && rc != ARCHIVE_EOF) {
		m->is_damaged = true;
		m->is_stuck = rc == ARCHIVE_FATAL;
		snprintf(m->damage, sizeof m->damage, "%s", why(m));
		size = rc == ARCHIVE_WARN ? size : 0;
	}
	m->piece = data;
	m->piece_size = rc == ARCHIVE_EOF ? 0 : size;
	m->piece_at = (uint64_t)at;
	if (m->piece_size > 0 && (at < 0 || m->piece_at < m->read_to)) {
		m->is_damaged = true;
		snprintf(m->damage, sizeof m->damage, "its map of holes goes back");
		m->piece_size = 0;
	}
	return m->failure.code == MUNI_OK ? 0 : -1;
}

static ssize_t member_read(void *arg, void *out, size_t size, struct err *e)
{
	struct members *m = arg;
	uint64_t hole;

	if (m->piece_size == 0 && !m->is_damaged && next_piece(m) < 0) {
		*e = m->failure;
		return -1;
	}
	if (m->piece_size == 0)
		return 0;
	hole = m->piece_at - m->read_to;
	if (hole > 0) {
		size = hole < size ? (size_t)hole : size;
		memset(out, 0, size);
	} else {
		size = m->piece_size < size ? m->piece_size : size;
		memcpy(out, m->piece, size);
		m->piece += size;
		m->piece_size -= size;
		m->piece_at += size;
	}
	m->read_to += size;
	if (look_expanded(m->look, size, e) < 0) {
		m->failure = *e;
		return -1;
	}
	return (ssize_t)size;
}

struct input *members_input(struct members *m)
{
	return input_of_stream(member_read, m);
}

void members_check(struct members *m)
{
	if (m->is_damaged)
		look_opaque(m->look, "member %s could not be read: %s",
			    text_printable(name_of(m)), m->damage);
}

int members_look(struct members *m, struct err *e)
{
	struct input *in = members_input(m);
	int rc;

	if (!in)
		return err_set(e, MUNI_NO_MEMORY, "no memory to read a member");
	rc = look_into(m->look, in, name_of(m), e);
	input_free(in);
	if (rc == 0)
		members_check(m);
	return rc;
}
