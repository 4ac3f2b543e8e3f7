/*
 * Export: the migration path.  Exact in every attribute that the target can
 * carry, with a list of what it could not carry; resumable; read back and
 * compared as written.
 */
#ifndef FS_VAULT_EXPORT_H
#define FS_VAULT_EXPORT_H

#include "fs/vault/vault.h"

struct barred;

enum export_format { EXPORT_DIR, EXPORT_TAR, EXPORT_ZIP, EXPORT_BAGIT };

struct export_options {
	enum export_format format;
	const char *to;		/* "-" for tar on standard output (then not read back) */
	unsigned threads;
	const struct barred *barred;	/* of a version: left out, and counted; NULL: nothing */
};

struct export_result {
	uint64_t files, directories, others, bytes;
	uint64_t resumed;	/* files found whole from an earlier run */
	uint64_t losses;	/* attributes that the target could not carry */
	uint64_t barred;	/* records left out, for their use is restricted */
	uint64_t problems;	/* items that were left out, or of a live source not had whole */
};

/* Who hears what could not be carried (path: printable), and which items were left out. */
struct export_listener {
	void (*loss)(void *arg, const char *path, const char *what);
	void (*problem)(void *arg, const void *path, size_t path_size, const char *what);
	void *arg;
};

/* MUNI_INCOMPLETE: items were left out (out->problems); all else is there. */
int vault_export(struct vault *v, const struct version *version,
		 const struct export_options *o, const struct vault_monitor *m,
		 const struct export_listener *listener, struct export_result *out,
		 struct err *e);

#endif
