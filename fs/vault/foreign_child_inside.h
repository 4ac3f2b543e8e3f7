/*
 * What the parts of the reading child share.  Only fs/vault/foreign_* includes
 * this.
 */
#ifndef FS_VAULT_FOREIGN_CHILD_INSIDE_H
#define FS_VAULT_FOREIGN_CHILD_INSIDE_H

#include <iconv.h>
#include <locale.h>
#include <sys/stat.h>

#include "fs/vault/foreign_entry.h"
#include "fs/vault/foreign_source.h"
#include "fs/vault/foreign_voice.h"

struct archive;
struct archive_entry;

#define CONVERTERS 6

struct child {
	const struct foreign_options *options;
	const char *name;
	struct source source;
	struct voice voice;
	struct archive *a;
	struct entry_scratch scratch;
	struct stat input;
	locale_t utf8, bytes;
	iconv_t converters[CONVERTERS];	/* loaded; (iconv_t)-1: there is none */
	bool is_tar;		/* by its first block */
	bool said_kind;
	uint64_t entries;	/* headers passed, also of a reader before a restart */
	uint64_t delivered;
	unsigned restarts;
	int64_t header_at;	/* where the last header began ... */
	unsigned stalled;	/* ... and so many before it at the same place */
	bool said_index;
	char why[WIRE_TEXT_MAX];	/* child_why()'s */
};

/* All that must be loaded, asked or opened is, before the door closes; options, name
 * and voice.fd are set.  input: borrowed. */
int child_prepare(struct child *c, int input, struct err *e);
/* Reads the archive to its end, or to what stops it. */
_Noreturn void child_read(struct child *c);

/* libarchive's reader with the formats that are asked for; NULL: it lacks one. */
struct archive *child_new_reader(const struct foreign_options *o);
int child_open_reader(struct child *c);		/* an ARCHIVE_* code */
int child_format(struct child *c);		/* ARCHIVE_FORMAT_*, its base */
/* Says WIRE_KIND, once; what is not read is refused. */
void child_say_kind(struct child *c);

/* The present failure. */
const char *child_why(struct child *c);
enum muni_code child_code(struct child *c);
_Noreturn void child_broken(struct child *c, enum muni_code code, const char *text);
/* Ends the process.  Alone in its file: the fuzzer, which reads in its own process, has
 * one that does not. */
_Noreturn void child_leave(struct child *c, int status);

/*
 * One entry's data, to WIRE_DONE or WIRE_FAILED.  Returns libarchive's last
 * word; ARCHIVE_FATAL: the reader is of no more use.
 */
int child_send_data(struct child *c, struct archive_entry *ae,
		    const struct foreign_entry *f);
/* Nothing more is to come: was that the end? */
_Noreturn void child_finish(struct child *c);

#endif
