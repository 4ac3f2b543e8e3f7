/*
 * The child: prepare, close the door, then read entry after entry.
 *
 * libarchive is believed in nothing that can be checked beside it: sizes are
 * compared, holes have to fit the data, an end has to be one.
 */
#include "fs/vault/foreign_child.h"

#include <archive.h>
#include <archive_entry.h>
#include <iconv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fs/vault/foreign_child_inside.h"
#include "fs/vault/foreign_jail.h"
#include "fs/vault/foreign_pax.h"
#include "fs/vault/foreign_short.h"

#define RESTARTS_MAX 64
#define STALLED_MAX 100

/* ---- entries ------------------------------------------------------------------------ */

static struct stamp archive_changed(const struct child *c)
{
	return (struct stamp){ c->input.st_mtim.tv_sec, (uint32_t)c->input.st_mtim.tv_nsec };
}

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
	f->mtime = archive_changed(c);
}

/* The index of a library is no file of anybody's. */
static bool is_ar_index(struct child *c, struct archive_entry *ae)
{
	const char *name = archive_entry_pathname(ae);

	if (child_format(c) != ARCHIVE_FORMAT_AR || !name ||
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

	if (child_format(c) != ARCHIVE_FORMAT_ZIP || !c->source.is_direct ||
	    c->source.failure.code != MUNI_OK || c->restarts++ == RESTARTS_MAX)
		return false;
	fresh = child_new_reader(c->options);
	if (!fresh)
		return false;
	archive_read_free(c->a);
	c->a = fresh;
	if (source_seek(&c->source, 0, SEEK_SET) != 0 || child_open_reader(c) != ARCHIVE_OK)
		return false;
	for (uint64_t i = 0; i < c->entries; i++)
		if (archive_read_next_header(c->a, &ae) < ARCHIVE_WARN)
			return false;
	return true;
}

/* Where each entry has a header of its own in the stream, one that took no byte of it is
 * none: a parser that goes round in circles (libarchive 3.6 in a RAR 5) would do so for ever. */
static void check_progress(struct child *c)
{
	int64_t at = archive_read_header_position(c->a);
	int format = child_format(c);
	bool is_streamed = format == ARCHIVE_FORMAT_TAR || format == ARCHIVE_FORMAT_CPIO ||
			   format == ARCHIVE_FORMAT_AR || format == ARCHIVE_FORMAT_LHA ||
			   format == ARCHIVE_FORMAT_WARC || format == ARCHIVE_FORMAT_RAR ||
			   format == ARCHIVE_FORMAT_RAR_V5;

	c->stalled = is_streamed && c->entries > 0 && at == c->header_at ? c->stalled + 1 : 0;
	c->header_at = at;
	if (c->stalled == STALLED_MAX)
		child_broken(c, MUNI_DAMAGED, "its entries come to no end, though nothing more of "
			     "it is read; it is damaged or hostile");
}

static void one_entry(struct child *c, struct archive_entry *ae, int rc)
{
	const char *warning = rc == ARCHIVE_OK ? NULL : child_why(c);
	char raw_path[4096];
	struct wire_entry w;

	check_progress(c);
	c->entries++;
	if (is_ar_index(c, ae))
		return;
	/* tar names come as they are (no encoding was asked for): nothing was lost
	 * by not converting them. */
	if (c->is_tar && !c->options->name_encoding && warning &&
	    strstr(warning, "can't be converted"))
		warning = NULL;
	entry_convert(ae, child_format(c), warning, &c->scratch, &w);
	if (rc == ARCHIVE_FAILED && !w.f.problem) {
		w.f.problem = child_why(c);
		w.f.has_data = false;
	}
	if (child_format(c) == ARCHIVE_FORMAT_RAW)
		describe_raw(c, &w.f, raw_path, sizeof raw_path);
	else if (child_format(c) == ARCHIVE_FORMAT_TAR)
		pax_correct_times(&c->source, (uint64_t)archive_read_header_position(c->a),
				  &w.f);
	if (!w.f.has_mtime)
		w.f.mtime = archive_changed(c);
	voice_entry(&c->voice, &w);
	if (w.f.has_data && child_send_data(c, ae, &w.f) == ARCHIVE_FATAL) {
		/* The entry goes with the reader that restart() lets go. */
		char path[201], text[WIRE_TEXT_MAX];

		snprintf(path, sizeof path, "%s", w.f.path);
		if (restart(c))
			return;
		snprintf(text, sizeof text, "nothing after \"%s\" could be read: %s", path,
			 child_why(c));
		child_broken(c, child_code(c), text);
	}
}

static _Noreturn void no_header(struct child *c)
{
	/* Asked where it settled on no format, libarchive 3.6.2 jumps to anywhere. */
	if (archive_format(c->a) != 0 && archive_read_has_encrypted_entries(c->a) > 0 &&
	    c->entries == 0)
		child_broken(c, MUNI_UNSUPPORTED, "even its list of entries is encrypted; "
			     "decrypt the archive first");
	if (!c->source.is_direct && child_format(c) == ARCHIVE_FORMAT_7ZIP)
		child_broken(c, MUNI_UNSUPPORTED, "7z keeps its list at its end, so it can "
			     "only be read from a file; save the stream, or unpack the file, "
			     "first");
	child_broken(c, child_code(c), child_why(c));
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
	child_leave(c, 0);
}

static _Noreturn void read_all(struct child *c)
{
	for (;;) {
		struct archive_entry *ae;
		int rc;

		short_forget();		/* with what became of the entry before */
		rc = archive_read_next_header(c->a, &ae);
		if (rc == ARCHIVE_RETRY || rc == ARCHIVE_FATAL)
			no_header(c);
		if (rc == ARCHIVE_EOF)
			child_finish(c);
		child_say_kind(c);
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

/*
 * An archive may say itself in which code page its names are (lha does), and what converts
 * them is loaded from files when it is first asked for: behind the door that fails.  glibc
 * keeps what is in use, so those that are met stay open.
 */
static void load_converters(struct child *c)
{
	static const char *const pages[] = { "CP932", "CP936", "CP949", "CP950", "CP437", "CP1252" };

	_Static_assert(sizeof pages / sizeof *pages == CONVERTERS, "one for each");
	for (size_t i = 0; i < CONVERTERS; i++)
		c->converters[i] = iconv_open("UTF-8", pages[i]);
}

int child_prepare(struct child *c, int input, struct err *e)
{
	load_converters(c);
	c->utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	c->bytes = newlocale(LC_CTYPE_MASK, "C", (locale_t)0);
	tzset();
	c->scratch.acls = calloc(WIRE_ACL_MAX, sizeof *c->scratch.acls);
	if (!c->scratch.acls || !c->utf8 || !c->bytes)
		return err_set(e, MUNI_NO_MEMORY, "no memory to read an archive");
	uselocale(c->utf8);
	if (fstat(input, &c->input) < 0)
		return err_errno(e, "looking at the archive");
	c->source.pulse = pulse;
	c->source.idle = idle;
	c->source.arg = c;
	if (source_prepare(&c->source, input, c->options->bomb_limit, e) < 0)
		return -1;
	c->a = child_new_reader(c->options);
	if (!c->a)
		return err_set(e, MUNI_UNSUPPORTED, "libarchive lacks a format that is needed, "
			       "or does not know the encoding");
	return 0;
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
	if (child_open_reader(c) != ARCHIVE_OK)
		return err_set(e, child_code(c), "%s", child_why(c));
	return 0;
}

_Noreturn void child_read(struct child *c)
{
	struct err e = ERR_NONE;

	if (begin(c, &e) < 0)
		child_broken(c, e.code, e.text);
	read_all(c);
}

static int close_door(struct child *c, int input, int output, struct err *e)
{
	unsigned long long memory = c->options->memory ? c->options->memory : JAIL_MEMORY;

	if (jail_descriptors(input, output, e) < 0)
		return -1;
	c->voice.fd = JAIL_OUTPUT;
	if (child_prepare(c, JAIL_INPUT, e) < 0)
		return -1;
	return jail_close(memory, e);
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
	if (close_door(c, input, output, &e) < 0)
		child_broken(c, e.code, e.text);
	/* Heard at once: who dies from here on may have died of the archive. */
	voice_number(&c->voice, WIRE_PULSE, 0);
	voice_flush(&c->voice);
	if (!short_begin(JAIL_OUTPUT))
		child_broken(c, MUNI_NO_MEMORY, "no memory to prepare for reading an archive; this "
			     "says nothing of the archive");
	child_read(c);
}
