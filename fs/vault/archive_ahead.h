/*
 * The newest head's signature, verified while the keyring is opened.
 *
 * Which certificate counts, the keyring says.  Until it does, the one in clear,
 * certificates/archive.pem, is taken; what was found under it counts only if the
 * keyring's is the same to the byte, else the head is verified anew as ever.
 */
#ifndef FS_VAULT_ARCHIVE_AHEAD_H
#define FS_VAULT_ARCHIVE_AHEAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fs/store/log.h"

struct vault;

struct archive_ahead {		/* the caller's; zeros: nothing was begun */
	pthread_t thread;
	bool has_thread;
	int dirfd, auditfd;	/* borrowed of the vault */
	uint8_t *cert;		/* owned; NULL: none was read */
	size_t cert_size;
	struct log_checked checked;	/* zeros: no head's signature held */
};

/* v's folders are open.  Nobody forks, but to run another program, before the end. */
void archive_ahead_start(struct archive_ahead *a, const struct vault *v);
/* Waits.  v has its certificate from the keyring, or never got it. */
void archive_ahead_finish(struct archive_ahead *a, struct vault *v);

#endif
