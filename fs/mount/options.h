/*
 * The command line of munifs; docs/man/munifs.8 is its manual.
 */
#ifndef FS_MOUNT_OPTIONS_H
#define FS_MOUNT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct err;

struct mount_options {		/* strings are owned; NULL: not given */
	char *archive, *mountpoint;
	char *keyring, *key_file, *passphrase_file;
	char *system, *version;
	char *classes;		/* codes, ':' between them, "-" is the unclassified */
	char *audience;
	char *fsname;
	char *pass_on;		/* mount options for libfuse and the kernel */
	bool has_uid, has_gid, has_umask;
	uid_t uid;
	gid_t gid;
	mode_t umask;
	size_t cache, readahead;
	size_t kernel_readahead;	/* 0: as the kernel has it */
	unsigned threads;
	bool allow_other, audit, dev, suid, nonempty;
	bool foreground, debug;
	bool wants_help, wants_version;
	bool is_fake;		/* mount.munifs -f: do all but mount */
};

/* MUNI_USAGE says which word is off. */
int options_parse(int argc, char **argv, struct mount_options *o, struct err *e);
bool options_group(const char *name, gid_t *out);
void options_free(struct mount_options *o);

#endif
