/*
 * muniment.toml: what stands in clear about an archive.  docs/format.md,
 * "muniment.toml".
 *
 * The last line is a checksum over every byte before it, so that any flipped
 * bit is seen, and muniment.toml.2 is a copy to mend it from.
 */
#ifndef FS_VAULT_ARCHIVE_FILE_H
#define FS_VAULT_ARCHIVE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

#define ARCHIVE_FILE "muniment.toml"
#define ARCHIVE_FILE_COPY "muniment.toml.2"
/* The mark of an init that has not ended; the same content. */
#define ARCHIVE_MARK "init.unfinished"
#define ARCHIVE_KEYRING_MAX 4096

struct archive_file {
	uint8_t id[16];
	char id_hex[33];
	/* Where init put it: absolute, or relative to the archive's folder. */
	char keyring[ARCHIVE_KEYRING_MAX];
};

/* Both files, synced, 0400.  MUNI_USAGE for a keyring path that is not UTF-8 or
 * has control characters. */
int archive_file_write(int dirfd, const struct archive_file *a, struct err *e);
int archive_mark_write(int dirfd, const struct archive_file *a, struct err *e);
int archive_mark_read(int dirfd, struct archive_file *out, struct err *e);
/* MUNI_NOT_FOUND: no archive here; MUNI_FORMAT: made by a newer muniment;
 * MUNI_DAMAGED. */
int archive_file_read(int dirfd, struct archive_file *out, struct err *e);
/* For verify, which goes on where the first is damaged, and repair: fills *out
 * from whichever copy is whole.  *what (for people, NULL if nothing is wrong):
 * a static sentence.  is_mending: writes the damaged one anew. */
int archive_file_check(int dirfd, bool is_mending, struct archive_file *out,
		       const char **what, struct err *e);

#endif
