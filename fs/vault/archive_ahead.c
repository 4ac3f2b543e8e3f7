#include "fs/vault/archive_ahead.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/crypt/sign.h"
#include "fs/vault/archive_inside.h"

static int read_certificate(struct archive_ahead *a, struct err *e)
{
	int folder = file_open_dir(a->dirfd, ARCHIVE_CERTIFICATES, e);
	uint8_t *pem;
	size_t size;
	int rc;

	if (folder < 0)
		return -1;
	rc = file_load(folder, ARCHIVE_PEM, ARCHIVE_PEM_MAX, &pem, &size, e);
	file_close(&folder);
	if (rc < 0)
		return -1;
	rc = sign_certificate_der(pem, size, &a->cert, &a->cert_size, e);
	free(pem);
	return rc;
}

/* Whatever goes wrong, the head is verified later, and that says why. */
static void *work(void *arg)
{
	struct archive_ahead *a = arg;
	struct err ignored = ERR_NONE;
	struct signatories it_alone;
	struct log_head unused;

	if (read_certificate(a, &ignored) < 0)
		return NULL;
	signatories_one(&it_alone, a->cert, a->cert_size);
	(void)log_peek_head(a->auditfd, &it_alone, &a->checked, &unused, &ignored);
	return NULL;
}

void archive_ahead_start(struct archive_ahead *a, const struct vault *v)
{
	sigset_t all, before;

	*a = (struct archive_ahead){ .dirfd = v->dirfd, .auditfd = v->auditfd };
	sigfillset(&all);	/* signals are the main thread's business */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	a->has_thread = pthread_create(&a->thread, NULL, work, a) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void archive_ahead_finish(struct archive_ahead *a, struct vault *v)
{
	uint64_t entry;

	if (!a->has_thread)
		return;
	pthread_join(a->thread, NULL);
	a->has_thread = false;
	/* In the midst of a renewal the present key has a bound, which was not looked at. */
	if (a->cert && v->certificate && !keyring_signing_next(v->keyring, &entry) &&
	    a->cert_size == v->certificate_size &&
	    memcmp(a->cert, v->certificate, a->cert_size) == 0)
		v->head_checked = a->checked;
	free(a->cert);
	a->cert = NULL;
}
