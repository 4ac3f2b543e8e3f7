/*
 * Our side of the pipe: the state of the talk, and the checks of F2 to F4.
 */
#include "fs/vault/foreign.h"

#include <fcntl.h>
#include <iconv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/vault/foreign_attr.h"
#include "fs/vault/foreign_frames.h"
#include "fs/vault/foreign_spawn.h"

#define NOTICES_MAX 16
#define PIPE_SIZE (1 << 20)

enum talk {
	TALK_BEFORE,		/* no WIRE_KIND yet */
	TALK_BETWEEN,		/* the next frame is an entry, or the end */
	TALK_IN_DATA,		/* runs, then WIRE_DONE or WIRE_FAILED */
	TALK_OVER,
};

struct foreign {
	struct frames frames;
	enum talk talk;
	char kind[64];
	bool is_whole;		/* WIRE_END came */
	struct err failure;	/* why it is over, if not whole */
	uint64_t consumed, expanded, bomb_limit, entries;
	struct wire_entry wire;	/* points into `entry_bytes` */
	struct buffer entry_bytes;
	uint8_t *xattrs;
	char remark[600], problem[600];	/* printable */
	uint64_t position;	/* in the present entry's data */
	struct accounts accounts;
	char *notices[NOTICES_MAX];
	unsigned notice_count;
};

/* ---- starting the child --------------------------------------------------- */

/* The child loads the converter before it closes the door; here it is only
 * asked whether there is one, while the user can still be told simply. */
static int check_encoding(const char *encoding, struct err *e)
{
	iconv_t found;

	if (!encoding)
		return 0;
	found = strchr(encoding, '/') ? (iconv_t)-1 : iconv_open("UTF-8", encoding);
	if (found == (iconv_t)-1)
		return err_set(e, MUNI_USAGE, "\"%s\" is not an encoding that this system knows; "
			       "iconv -l lists them", text_printable(encoding));
	iconv_close(found);
	return 0;
}

static int start_child(int fd, const char *name, const struct foreign_options *o, int *out,
		       pid_t *child, struct err *e)
{
	int ends[2], rc;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_errno(e, "making a pipe");
	(void)fcntl(ends[1], F_SETPIPE_SZ, PIPE_SIZE);	/* for speed: may fail */
	rc = foreign_spawn(fd, ends[1], name, o, child, e);
	close(ends[1]);
	if (rc < 0) {
		close(ends[0]);
		return -1;
	}
	*out = ends[0];
	return 0;
}

/* ---- hearing ---------------------------------------------------------------- */

static int over(struct foreign *f, struct err *e)
{
	f->failure = *e;
	f->talk = TALK_OVER;
	return -1;
}

static int nonsense(struct foreign *f, const char *what, struct err *e)
{
	err_set(e, MUNI_DAMAGED, "the process that reads the archive talks nonsense (%s); the "
		"archive may be hostile", what);
	return over(f, e);
}

/* Codes that the child may give; all else is damage. */
static enum muni_code code_of(uint8_t code)
{
	switch (code) {
	case MUNI_IO:
	case MUNI_NO_MEMORY:
	case MUNI_FORMAT:
	case MUNI_LIMIT:
	case MUNI_UNSUPPORTED:
		return (enum muni_code)code;
	default:
		return MUNI_DAMAGED;
	}
}

static void take_failure(const uint8_t *payload, size_t size, struct err *e)
{
	if (size < 2)
		err_set(e, MUNI_DAMAGED, "it could not be read");
	else
		err_set(e, code_of(payload[0]), "%s", text_printable_n(payload + 1, size - 1));
}

static void take_notice(struct foreign *f, const uint8_t *payload, size_t size)
{
	if (f->notice_count == NOTICES_MAX)
		return;
	f->notices[f->notice_count] = text_printable_dup(payload, size);
	if (f->notices[f->notice_count])
		f->notice_count++;
}

/*
 * The next frame that is not news by the way.  WIRE_BROKEN has become an error.
 */
static int hear(struct foreign *f, enum wire_type *type, const uint8_t **payload,
		size_t *size, struct err *e)
{
	for (;;) {
		struct reader r;

		if (frames_next(&f->frames, type, payload, size, e) < 0)
			return over(f, e);
		switch (*type) {
		case WIRE_PULSE:
			r = reader_over(*payload, *size);
			f->consumed = reader_u64(&r);
			break;
		case WIRE_NOTICE:
			take_notice(f, *payload, *size);
			break;
		case WIRE_BROKEN:
			take_failure(*payload, *size, e);
			return over(f, e);
		default:
			return 0;
		}
	}
}

static int hear_kind(struct foreign *f, struct err *e)
{
	const uint8_t *payload;
	enum wire_type type;
	size_t size;

	if (hear(f, &type, &payload, &size, e) < 0)
		return -1;
	if (type != WIRE_KIND || size == 0 || size >= sizeof f->kind)
		return nonsense(f, "no kind", e);
	snprintf(f->kind, sizeof f->kind, "%s", text_printable_n(payload, size));
	f->talk = TALK_BETWEEN;
	return 0;
}

int foreign_attach(int fd, pid_t child, const struct foreign_options *o,
		   struct foreign **out, struct err *e)
{
	struct foreign *f = calloc(1, sizeof *f);

	*out = NULL;
	if (!f) {
		struct frames unheard = { .fd = fd, .pid = child };

		frames_close(&unheard);
		return err_set(e, MUNI_NO_MEMORY, "no memory to read an archive");
	}
	f->frames.fd = fd;
	f->frames.pid = child;
	f->frames.is_cancelled = o->is_cancelled;
	f->frames.arg = o->arg;
	f->bomb_limit = o->bomb_limit;
	if (hear_kind(f, e) < 0) {
		foreign_close(f);
		return -1;
	}
	*out = f;
	return 0;
}

int foreign_open(int fd, const char *name, const struct foreign_options *o,
		 struct foreign **out, struct err *e)
{
	pid_t child = 0;
	int said = -1;

	*out = NULL;
	if (check_encoding(o->name_encoding, e) < 0 ||
	    start_child(fd, name, o, &said, &child, e) < 0)
		return -1;
	return foreign_attach(said, child, o, out, e);
}

void foreign_close(struct foreign *f)
{
	if (!f)
		return;
	frames_close(&f->frames);
	wire_entry_free(&f->wire);
	buffer_free(&f->entry_bytes);
	free(f->xattrs);
	accounts_free(&f->accounts);
	for (unsigned i = 0; i < f->notice_count; i++)
		free(f->notices[i]);
	free(f);
}

/* ---- entries ------------------------------------------------------------------ */

static size_t depth_of(const char *path)
{
	size_t depth = 1;

	for (; *path; path++)
		if (*path == '/')
			depth++;
	return depth;
}

/* Own copy: the frame's buffer is reused by the data that follows. */
static int take_entry(struct foreign *f, const uint8_t *payload, size_t size,
		      struct foreign_entry *entry, struct err *e)
{
	size_t xattrs_size;

	wire_entry_free(&f->wire);
	free(f->xattrs);
	f->xattrs = NULL;
	buffer_reset(&f->entry_bytes);
	buffer_append(&f->entry_bytes, payload, size);
	if (f->entry_bytes.failed) {
		err_set(e, MUNI_NO_MEMORY, "no memory for an entry of %zu bytes", size);
		return over(f, e);
	}
	if (wire_get_entry(f->entry_bytes.data, f->entry_bytes.size, &f->wire) < 0)
		return nonsense(f, "an entry that does not parse", e);
	if (++f->entries > FOREIGN_ENTRIES_MAX) {
		err_set(e, MUNI_LIMIT, "it has more than %u entries; unpack it, and ingest the "
			"directory", FOREIGN_ENTRIES_MAX);
		return over(f, e);
	}
	f->talk = f->wire.f.has_data ? TALK_IN_DATA : TALK_BETWEEN;
	f->position = 0;
	*entry = f->wire.f;
	accounts_learn(&f->accounts, entry);
	if (foreign_attributes(&f->wire, &f->accounts, &entry->mode, &f->xattrs, &xattrs_size,
			       f->remark, sizeof f->remark, e) < 0)
		return over(f, e);
	entry->xattrs = f->xattrs;
	entry->xattrs_size = xattrs_size;
	if (entry->remark)
		snprintf(f->remark, sizeof f->remark, "%s", text_printable(entry->remark));
	entry->remark = *f->remark ? f->remark : NULL;
	if (entry->problem)
		snprintf(f->problem, sizeof f->problem, "%s", text_printable(entry->problem));
	entry->problem = entry->problem ? f->problem : NULL;
	if (!entry->problem && depth_of(entry->path) > FOREIGN_DEPTH_MAX) {
		entry->problem = "its path is too deep";
		entry->has_data = false;	/* what comes of it is skipped */
	}
	return 0;
}

/* Goes through the data of the present entry that nobody asked for. */
static int skip_data(struct foreign *f, struct err *e)
{
	while (f->talk == TALK_IN_DATA) {
		struct foreign_run run;
		struct err ignored = ERR_NONE;
		bool is_end;

		if (foreign_data(f, &run, &is_end, &ignored) < 0 && f->talk == TALK_OVER) {
			*e = ignored;
			return -1;
		}
	}
	return 0;
}

int foreign_next(struct foreign *f, struct foreign_entry *entry, bool *is_end,
		 struct err *e)
{
	const uint8_t *payload;
	enum wire_type type;
	size_t size;

	*entry = (struct foreign_entry){ .path = NULL };
	*is_end = false;
	if (f->talk == TALK_IN_DATA && skip_data(f, e) < 0)
		return -1;
	if (f->talk == TALK_OVER) {
		*is_end = f->is_whole;
		*e = f->failure;
		return f->is_whole ? 0 : -1;
	}
	if (hear(f, &type, &payload, &size, e) < 0)
		return -1;
	if (type == WIRE_ENTRY)
		return take_entry(f, payload, size, entry, e);
	if (type != WIRE_END)
		return nonsense(f, "data between entries", e);
	f->talk = TALK_OVER;
	f->is_whole = true;
	*is_end = true;
	return 0;
}

/* ---- data ------------------------------------------------------------------------ */

static int take_run(struct foreign *f, const uint8_t *payload, size_t size,
		    struct foreign_run *run, struct err *e)
{
	const struct foreign_entry *entry = &f->wire.f;
	struct reader r = reader_over(payload, size);

	run->offset = reader_u64(&r);
	run->size = reader_left(&r);
	run->data = payload + r.used;
	if (r.underflow || run->size == 0 || run->offset < f->position ||
	    run->offset > INT64_MAX - run->size ||
	    (entry->has_size && run->offset + run->size > entry->size))
		return nonsense(f, "data where none can be", e);
	f->position = run->offset + run->size;
	f->expanded += run->size;
	if (f->bomb_limit && f->expanded > f->bomb_limit) {
		err_set(e, MUNI_LIMIT, "more comes out of it than the limit allows");
		return over(f, e);
	}
	return 0;
}

int foreign_data(struct foreign *f, struct foreign_run *run, bool *is_end, struct err *e)
{
	const struct foreign_entry *entry = &f->wire.f;
	const uint8_t *payload;
	enum wire_type type;
	struct reader r;
	size_t size;

	*run = (struct foreign_run){ .data = NULL };
	*is_end = false;
	if (f->talk != TALK_IN_DATA) {
		*e = f->failure;
		return f->failure.code ? -1 : err_set(e, MUNI_USAGE, "no data is left to read");
	}
	if (hear(f, &type, &payload, &size, e) < 0)
		return -1;
	if (type == WIRE_DATA)
		return take_run(f, payload, size, run, e);
	if (type == WIRE_FAILED) {
		f->talk = TALK_BETWEEN;
		take_failure(payload, size, e);
		return -1;
	}
	if (type != WIRE_DONE)
		return nonsense(f, "an entry within an entry", e);
	r = reader_over(payload, size);
	run->offset = reader_u64(&r);
	if (r.underflow || run->offset < f->position || run->offset > INT64_MAX ||
	    (entry->has_size && run->offset != entry->size))
		return nonsense(f, "a size that cannot be", e);
	f->talk = TALK_BETWEEN;
	*is_end = true;
	return 0;
}

/* ---- queries ------------------------------------------------------------------------ */

const char *foreign_kind(const struct foreign *f)
{
	return f->kind;
}

bool foreign_is_over(const struct foreign *f)
{
	return f->talk == TALK_OVER;
}

uint64_t foreign_consumed(const struct foreign *f)
{
	return f->consumed;
}

const char *foreign_notice(const struct foreign *f, unsigned index)
{
	return index < f->notice_count ? f->notices[index] : NULL;
}
