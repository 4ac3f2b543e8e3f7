/*
 * What a folder lies on, as far as the system tells: what NIST SP 800-88 asks a
 * certificate to say about media.  Nothing is guessed: what is not known is "".
 */
#ifndef FS_VAULT_MEDIA_H
#define FS_VAULT_MEDIA_H

#include <stdbool.h>

struct media {
	char host[65];
	char filesystem[24];	/* "ext4", "btrfs" ... */
	char device[64];	/* the kernel's name, "sda" */
	char vendor[64], model[64], serial[64];
	const char *kind;	/* "magnetic", "flash", "memory", "network", "virtual",
				 * "unknown" */
	/* A file written over in place lands where it lay, as far as software can tell;
	 * false also where that is not known. */
	bool overwrites_in_place;
};

void media_of(const char *path, struct media *out);

#endif
