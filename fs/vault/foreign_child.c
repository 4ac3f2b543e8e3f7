/*
 * The child: prepare, close the door, then read entry after entry.
 *
 * libarchive is believed in nothing that can be checked beside it: sizes are
 * compared, holes have to fit the data, an end has to be one.
 */
#include "fs/vault/foreign_child.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fs/vault/foreign_entry.h"
#include "fs/vault/foreign_jail.h"
#include "fs/vault/foreign_pax.h"
#include "fs/vault/foreign_source.h"
#include "fs/vault/foreign_voice.h"

#define TAR_BLOCK 512
#define TAR_RECORD 10240	/* tar's usual blocking */
#define RESTARTS_MAX 64
#define ISO_VOLUME (32768 + 80)	/* ECMA-119 8.4: the primary descriptor's sizes */

struct child {
	const struct foreign_options *options;
	const char *name;
	struct source source;
	struct voice voice;
	struct archive *a;
	struct entry_scratch scratch;
	struct stat input;
	locale_t utf8, bytes;
	bool is_tar;		/* by its first block */
	bool said_kind;
	uint64_t entries;	/* headers passed, also of a reader before a restart */
	uint64_t delivered;
	unsigned restarts;
	bool said_index;
};

/* ---- libarchive's reader --------------------------------------------------- */

static la_ssize_t read_plain(struct archive *a, void *arg, const void **block)
{
	struct source *s = arg;
	ssize_t n = source_read(s, block);

	if (n < 0)
		archive_set_error(a, EIO, "%s", s->failure.text);
	return n;
}

static la_int64_t seek_plain(struct archive *a, void *arg, la_int64_t offset, int whence)
{
	int64_t at = source_seek(arg, offset, whence);

	if (at < 0)
		archive_set_error(a, EINVAL, "it points outside itself");
	return at < 0 ? ARCHIVE_FATAL : at;
}

/* Each by name: "all" would bring mtree, which opens files of the host. */
static struct archive *new_reader(const struct foreign_options *o)
{
	struct archive *a = archive_read_new();

	if (!a)
		return NULL;
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
	    archive_read_support_format_raw(a) < ARCHIVE_WARN ||
	    (o->allow_rar && (archive_read_support_format_rar(a) < ARCHIVE_WARN ||
			      archive_read_support_format_rar5(a) < ARCHIVE_WARN)) ||
	    (o->name_encoding && archive_read_set_option(a, NULL, "hdrcharset",
							 o->name_encoding) < ARCHIVE_WARN)) {
		archive_read_free(a);
		return NULL;
	}
	return a;
}

static int open_reader(struct child *c)
{
	archive_read_set_read_callback(c->a, read_plain);
	if (c->source.is_direct)
		archive_read_set_seek_callback(c->a, seek_plain);
	archive_read_set_callback_data(c->a, &c->source);
	return archive_read_open1(c->a);
}

static const char *why(struct child *c)
{
	const char *text = archive_error_string(c->a);

	if (c->source.failure.code != MUNI_OK)
		return c->source.failure.text;
	return text ? text : "something in its header was not understood";
}

static enum muni_code code_now(struct child *c)
{
	if (c->source.failure.code != MUNI_OK)
		return c->source.failure.code;
	return archive_errno(c->a) == ENOMEM ? MUNI_NO_MEMORY : MUNI_DAMAGED;
}

static _Noreturn void leave(struct child *c, int status)
{
	voice_flush(&c->voice);
	_exit(status);
}

static _Noreturn void broken(struct child *c, enum muni_code code, const char *text)
{
	voice_failure(&c->voice, WIRE_BROKEN, code, text);
	leave(c, 1);
}

static int format_of(struct child *c)
{
	return archive_format(c->a) & ARCHIVE_FORMAT_BASE_MASK;
}

/* ---- kinds -------------------------------------------------------------------- */

static const char *format_name(int format)
{
	switch (format) {
	case ARCHIVE_FORMAT_TAR:
		return "tar";
	case ARCHIVE_FORMAT_ZIP:
		return "zip";
	case ARCHIVE_FORMAT_7ZIP:
		return "7z";
	case ARCHIVE_FORMAT_ISO9660:
		return "iso9660";
	case ARCHIVE_FORMAT_CPIO:
		return "cpio";
	case ARCHIVE_FORMAT_AR:
		return "ar";
	case ARCHIVE_FORMAT_CAB:
		return "cab";
	case ARCHIVE_FORMAT_LHA:
		return "lha";
	case ARCHIVE_FORMAT_XAR:
		return "xar";
	case ARCHIVE_FORMAT_WARC:
		return "warc";
	case ARCHIVE_FORMAT_RAR:
	case ARCHIVE_FORMAT_RAR_V5:
		return "rar";
	default:
		return "raw";
	}
}

static _Noreturn void refuse_unknown(struct child *c)
{
	const uint8_t *at = c->source.raw;
	char text[WIRE_TEXT_MAX];

	if (!c->options->allow_rar && c->source.consumed >= 6 && !memcmp(at, "Rar!\x1a\x07", 6))
		broken(c, MUNI_FORMAT, "it is a RAR archive, which is read only when asked "
		       "for (--rar)");
	if (*c->source.packing)
		snprintf(text, sizeof text, "it is packed (%s), but what is inside is not an "
			 "archive; with --raw it is taken in as a single file.  Archives that "
			 "are read: %s", c->source.packing, FOREIGN_FORMATS);
	else
		snprintf(text, sizeof text, "it is not an archive of a kind that is read: %s",
			 FOREIGN_FORMATS);
	broken(c, MUNI_FORMAT, text);
}

static void say_kind(struct child *c)
{
	char text[128];
	int format = format_of(c);

	if (c->said_kind)
		return;
	if (format == ARCHIVE_FORMAT_RAW && (!c->options->allow_raw || !*c->source.packing))
		refuse_unknown(c);
	c->source.is_remembering = format == ARCHIVE_FORMAT_TAR;
	snprintf(text, sizeof text, "%s%s%s", format_name(format), *c->source.packing ? "+" : "",
		 c->source.packing);
	voice_text(&c->voice, WIRE_KIND, text);
	c->said_kind = true;
}

/* ---- data ---------------------------------------------------------------------- */

static uint64_t mapped_bytes(struct archive_entry *ae, bool *is_sparse)
{
	la_int64_t offset, length;
	uint64_t total = 0;

	*is_sparse = archive_entry_sparse_reset(ae) > 0;
	while (*is_sparse && archive_entry_sparse_next(ae, &offset, &length) == ARCHIVE_OK)
		total += length > 0 ? (uint64_t)length : 0;
	return total;
}

/* NULL: the data that came is what was declared. */
static const char *misfit(struct archive_entry *ae, const struct foreign_entry *f,
			  uint64_t position, uint64_t sum)
{
	bool is_sparse;
	uint64_t mapped = mapped_bytes(ae, &is_sparse);

	if (!is_sparse && sum != position)
		return "there are gaps in its data";
	if (is_sparse && sum != mapped)
		return "its map of holes does not fit its data";
	if (!is_sparse && f->has_size && position != f->size)
		return "it holds less data than it declares";
	return NULL;
}

static _Noreturn void bomb(struct child *c)
{
	broken(c, MUNI_LIMIT, "more comes out of it than a limit allows (a \"bomb\"); raise the "
	       "limit with --bomb-limit if you trust it");
}

/*
 * One entry's data, to WIRE_DONE or WIRE_FAILED.  Returns libarchive's last
 * word; ARCHIVE_FATAL: the reader is of no more use.
 */
static int send_data(struct child *c, struct archive_entry *ae, const struct foreign_entry *f)
{
	uint64_t position = 0, sum = 0;
	const char *what = NULL;
	int rc;

	for (;;) {
		const void *data = NULL;
		size_t size = 0;
		la_int64_t at = 0;

		rc = archive_read_data_block(c->a, &data, &size, &at);
		if (rc != ARCHIVE_OK)
			break;
		if (size == 0)
			continue;
		if (at < 0 || (uint64_t)at < position)
			what = "its map of holes goes back or overlaps";
		else if ((uint64_t)at > INT64_MAX - size ||
			 (f->has_size && (uint64_t)at + size > f->size))
			what = "it holds more data than it declares";
		if (what)
			break;
		voice_data(&c->voice, (uint64_t)at, data, size);
		position = (uint64_t)at + size;
		sum += size;
		c->delivered += size;
		if (source_is_bomb(&c->source, c->delivered))
			bomb(c);
	}
	if (rc == ARCHIVE_EOF)
		what = misfit(ae, f, position, sum);
	if (what)
		voice_failure(&c->voice, WIRE_FAILED, MUNI_DAMAGED, what);
	else if (rc != ARCHIVE_EOF)
		voice_failure(&c->voice, WIRE_FAILED, code_now(c), why(c));
	else
		voice_number(&c->voice, WIRE_DONE, f->has_size ? f->size : position);
	return rc;
}

/* ---- the end ---------------------------------------------------------------------- */

static void check_tar_end(struct child *c)
{
	struct source *s = &c->source;
	uint64_t at = (uint64_t)archive_read_header_position(c->a);
	char text[200];

	if (s->plain <= at)
		broken(c, MUNI_DAMAGED, "it stops without the mark of its end: it was cut off "
		       "between two entries, or was never finished");
	/* An empty tar is two blocks, or a record, of zeros; so is the beginning of
	 * many other things. */
	if (c->entries == 0 && s->plain != TAR_RECORD && s->plain != 2 * TAR_BLOCK)
		broken(c, MUNI_FORMAT, "there is nothing in it but zeros: no archive, or one "
		       "of which only a stretch of zeros is left");
	if (s->nonzero_end > at) {
		snprintf(text, sizeof text, "something follows the end of the archive (at byte "
			 "%llu, up to byte %llu) and was not read", (unsigned long long)at,
			 (unsigned long long)s->nonzero_end);
		voice_text(&c->voice, WIRE_NOTICE, text);
	}
}

/* ar has no end mark, but a header that is there in part is none. */
static void check_ar_end(struct child *c)
{
	uint64_t at = (uint64_t)archive_read_header_position(c->a);

	if (c->source.plain > at + 1)
		broken(c, MUNI_DAMAGED, "it was cut off within the header of an entry");
}

/* A volume that says it is longer than what is there. */
static void check_iso_end(struct child *c)
{
	uint8_t at[52];
	uint64_t blocks, size;
	char text[200];

	if (!c->source.is_direct ||
	    pread(JAIL_INPUT, at, sizeof at, ISO_VOLUME) != (ssize_t)sizeof at)
		return;
	blocks = (uint64_t)at[0] | (uint64_t)at[1] << 8 | (uint64_t)at[2] << 16 |
		 (uint64_t)at[3] << 24;
	size = blocks * ((uint64_t)at[48] | (uint64_t)at[49] << 8);
	if (size <= c->source.size)
		return;
	snprintf(text, sizeof text, "it says that it is %llu bytes long and is %llu: it was cut "
		 "off", (unsigned long long)size, (unsigned long long)c->source.size);
	broken(c, MUNI_DAMAGED, text);
}

static _Noreturn void finish(struct child *c)
{
	int format = format_of(c);

	/* To the last byte, for the packing's checksums and what follows the end;
	 * a parser that seeks has read what it wanted. */
	if ((!c->source.is_direct || format == ARCHIVE_FORMAT_TAR ||
	     format == ARCHIVE_FORMAT_AR) &&
	    source_drain(&c->source) < 0)
		broken(c, c->source.failure.code, c->source.failure.text);
	if (format == ARCHIVE_FORMAT_TAR)
		check_tar_end(c);
	else if (format == ARCHIVE_FORMAT_AR)
		check_ar_end(c);
	else if (format == ARCHIVE_FORMAT_ISO9660)
		check_iso_end(c);
	if (c->source.gzip && gunzip_has_trailing(c->source.gzip))
		voice_text(&c->voice, WIRE_NOTICE, "bytes that are not gzip follow the end of "
			   "the packed data and were not read");
	say_kind(c);
	if (c->entries == 0)
		voice_text(&c->voice, WIRE_NOTICE, "there is no entry in the archive");
	voice_number(&c->voice, WIRE_PULSE, c->source.consumed);
	voice_say(&c->voice, WIRE_END, NULL, 0);
	leave(c, 0);
}

/* ---- entries ------------------------------------------------------------------------ */

/* Of a packed file that is no archive: the file's own name, date and owner. */
static void describe_raw(struct child *c, struct foreign_entry *f, char *path, size_t size)
{
	static const char *const suffixes[] = { ".gz", ".bz2", ".xz", ".lzma", ".zst", ".lz4",
						".Z", ".lz" };
	const char *base = strrchr(c->name, '/') ? strrchr(c->name, '/') + 1 : c->name;

	snprintf(path, size, "%s", *base && strcmp(base, "-") ? base : "data");
	for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
		size_t length = strlen(path), cut = strlen(suffixes[i]);

		if (length > cut && !strcmp(path + length - cut, suffixes[i]))
			path[length - cut] = 0;
	}
	f->path = path;
	f->path_size = strlen(path);
	f->mode = 0644;
	f->has_size = false;
	if (!S_ISREG(c->input.st_mode))
		return;
	f->mode = c->input.st_mode & 0777;
	f->uid = c->input.st_uid;
	f->gid = c->input.st_gid;
	f->has_mtime = true;
	f->mtime = (struct stamp){ c->input.st_mtim.tv_sec, (uint32_t)c->input.st_mtim.tv_nsec };
}

/* The index of a library is no file of anybody's. */
static bool is_ar_index(struct child *c, struct archive_entry *ae)
{
	const char *name = archive_entry_pathname(ae);

	if (format_of(c) != ARCHIVE_FORMAT_AR || !name ||
	    (strcmp(name, "/") && strcmp(name, "//") && strcmp(name, "/SYM64/")))
		return false;
	if (!c->said_index)
		voice_text(&c->voice, WIRE_NOTICE, "the library's index, which its tools make "
			   "anew, was left out");
	c->said_index = true;
	return true;
}

/* A second reader that has gone past the entries that the first gave. */
static bool restart(struct child *c)
{
	struct archive *fresh;
	struct archive_entry *ae;

	if (format_of(c) != ARCHIVE_FORMAT_ZIP || !c->source.is_direct ||
	    c->source.failure.code != MUNI_OK || c->restarts++ == RESTARTS_MAX)
		return false;
	fresh = new_reader(c->options);
	if (!fresh)
		return false;
	archive_read_free(c->a);
	c->a = fresh;
	if (source_seek(&c->source, 0, SEEK_SET) != 0 || open_reader(c) != ARCHIVE_OK)
		return false;
	for (uint64_t i = 0; i < c->entries; i++)
		if (archive_read_next_header(c->a, &ae) < ARCHIVE_WARN)
			return false;
	return true;
}

static void one_entry(struct child *c, struct archive_entry *ae, int rc)
{
	const char *warning = rc == ARCHIVE_OK ? NULL : why(c);
	char raw_path[4096];
	struct wire_entry w;

	c->entries++;
	if (is_ar_index(c, ae))
		return;
	/* tar names come as they are (no encoding was asked for): nothing was lost
	 * by not converting them. */
	if (c->is_tar && !c->options->name_encoding && warning &&
	    strstr(warning, "can't be converted"))
		warning = NULL;
	entry_convert(ae, format_of(c), warning, &c->scratch, &w);
	if (rc == ARCHIVE_FAILED && !w.f.problem) {
		w.f.problem = why(c);
		w.f.has_data = false;
	}
	if (format_of(c) == ARCHIVE_FORMAT_RAW)
		describe_raw(c, &w.f, raw_path, sizeof raw_path);
	else if (format_of(c) == ARCHIVE_FORMAT_TAR)
		pax_correct_times(&c->source, (uint64_t)archive_read_header_position(c->a),
				  &w.f);
	voice_entry(&c->voice, &w);
	if (w.f.has_data && send_data(c, ae, &w.f) == ARCHIVE_FATAL && !restart(c)) {
		char text[WIRE_TEXT_MAX];

		snprintf(text, sizeof text, "nothing after \"%.200s\" could be read: %s",
			 w.f.path, why(c));
		broken(c, code_now(c), text);
	}
}

static _Noreturn void no_header(struct child *c)
{
	if (archive_read_has_encrypted_entries(c->a) > 0 && c->entries == 0)
		broken(c, MUNI_UNSUPPORTED, "even its list of entries is encrypted; decrypt the "
		       "archive first");
	if (!c->source.is_direct && format_of(c) == ARCHIVE_FORMAT_7ZIP)
		broken(c, MUNI_UNSUPPORTED, "7z keeps its list at its end, so it can only be "
		       "read from a file; save the stream, or unpack the file, first");
	broken(c, code_now(c), why(c));
}

/* A packed file with nothing inside: libarchive sees no format in it. */
static _Noreturn void read_empty_raw(struct child *c)
{
	struct wire_entry w = { .f = { .kind = NODE_FILE, .uid = -1, .gid = -1 } };
	char path[4096], kind[80];

	snprintf(kind, sizeof kind, "raw+%s", c->source.packing);
	voice_text(&c->voice, WIRE_KIND, kind);
	describe_raw(c, &w.f, path, sizeof path);
	w.f.has_data = true;
	voice_entry(&c->voice, &w);
	voice_number(&c->voice, WIRE_DONE, 0);
	voice_say(&c->voice, WIRE_END, NULL, 0);
	leave(c, 0);
}

static _Noreturn void read_all(struct child *c)
{
	for (;;) {
		struct archive_entry *ae;
		int rc = archive_read_next_header(c->a, &ae);

		if (rc == ARCHIVE_RETRY || rc == ARCHIVE_FATAL)
			no_header(c);
		if (rc == ARCHIVE_EOF)
			finish(c);
		say_kind(c);
		one_entry(c, ae, rc);
	}
}

/* ---- start ---------------------------------------------------------------------------- */

static void pulse(void *arg)
{
	struct child *c = arg;

	voice_number(&c->voice, WIRE_PULSE, c->source.consumed);
}

static void idle(void *arg)
{
	struct child *c = arg;

	voice_flush(&c->voice);
}

/* All that must be loaded, asked or opened is, before the door closes. */
static int prepare(struct child *c, int input, int output, struct err *e)
{
	if (jail_descriptors(input, output, e) < 0)
		return -1;
	c->voice.fd = JAIL_OUTPUT;
	c->utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	c->bytes = newlocale(LC_CTYPE_MASK, "C", (locale_t)0);
	tzset();
	c->scratch.acls = calloc(WIRE_ACL_MAX, sizeof *c->scratch.acls);
	if (!c->scratch.acls || !c->utf8 || !c->bytes)
		return err_set(e, MUNI_NO_MEMORY, "no memory to read an archive");
	uselocale(c->utf8);
	if (fstat(JAIL_INPUT, &c->input) < 0)
		return err_errno(e, "looking at the archive");
	c->source.pulse = pulse;
	c->source.idle = idle;
	c->source.arg = c;
	if (source_prepare(&c->source, JAIL_INPUT, c->options->bomb_limit, e) < 0)
		return -1;
	c->a = new_reader(c->options);
	if (!c->a)
		return err_set(e, MUNI_UNSUPPORTED, "libarchive lacks a format that is needed, "
			       "or does not know the encoding");
	return jail_close(e);
}

static int begin(struct child *c, struct err *e)
{
	const uint8_t *data;
	size_t size;

	if (source_begin(&c->source, e) < 0)
		return -1;
	c->source.is_remembering = true;
	if (source_peek(&c->source, &data, &size) < 0) {
		*e = c->source.failure;
		return -1;
	}
	/* In a UTF-8 locale libarchive would bring the names of a pax tar into
	 * normal form C: other bytes than the source's. */
	c->is_tar = pax_is_tar(data, size);
	if (c->is_tar && !c->options->name_encoding)
		uselocale(c->bytes);
	if (size == 0 && !c->options->allow_raw)
		return err_set(e, MUNI_FORMAT, "it is packed (%s) and there is nothing inside",
			       c->source.packing);
	if (size == 0)
		read_empty_raw(c);
	if (open_reader(c) != ARCHIVE_OK)
		return err_set(e, code_now(c), "%s", why(c));
	return 0;
}

_Noreturn void foreign_child(int input, int output, const char *name,
			     const struct foreign_options *o)
{
	struct err e = ERR_NONE;
	struct child *c = calloc(1, sizeof *c);

	if (!c)
		_exit(1);
	c->options = o;
	c->name = name;
	c->voice.fd = output;
	if (prepare(c, input, output, &e) < 0 || begin(c, &e) < 0)
		broken(c, e.code, e.text);
	read_all(c);
}
