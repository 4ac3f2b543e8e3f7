#include "fs/crypt/keyring_inside.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/base/text.h"
#include "fs/crypt/secret.h"
#include "fs/crypt/sign.h"

#define LOCK_WAIT_MS 10000
#define EXCESS_NOISE_MAX (1u << 20)

struct keyring *keyring_new(const char *path, const uint8_t id[KEYRING_ID_SIZE],
			    struct err *e)
{
	struct keyring *k = calloc(1, sizeof *k);

	if (k) {
		k->path = strdup(path);
		k->body = secret_new(sizeof *k->body);
		memcpy(k->id, id, KEYRING_ID_SIZE);
	}
	if (k && k->path && k->body)
		return k;
	keyring_close(k);
	err_set(e, MUNI_NO_MEMORY, "no memory for the keyring");
	return NULL;
}

void keyring_close(struct keyring *k)
{
	if (!k)
		return;
	slots_free(&k->slots);
	signer_free(k->signer);
	signer_free(k->next_signer);
	secret_free(k->body);
	free(k->path);
	free(k);
}

/* One half with the next generation; then it counts (K2). */
static int store_half(struct keyring *k, int fd, const struct body *b,
		      const struct slots *s, uint64_t generation, struct err *e)
{
	unsigned half = k->newest == 0;		/* K1: never the newest */
	uint8_t payload[PAYLOAD_SIZE];

	if (payload_build(b, s, k->id, generation, half, payload, e) < 0 ||
	    (k->generation > 0 && keyring_scrub_half(fd, half, e) < 0) ||	/* K6 */
	    keyring_put_half(fd, k->id, half, payload, e) < 0)
		return -1;
	k->newest = (int)half;
	k->generation = generation;
	return 0;
}

/* K5: an odd generation first, then the even one after it, so that a newest half
 * of odd generation tells of a crash between the two. */
/* Overwritten first, as far as a copy of a keyring could reach: it may hold keys that are to
 * be gone. */
static int cut_excess(int fd, struct err *e)
{
	uint8_t noise[4096];
	struct stat st;
	uint64_t at = KEYRING_SIZE;

	if (fstat(fd, &st) < 0)
		return err_errno(e, "looking at it");
	if (st.st_size <= KEYRING_SIZE)
		return 0;
	for (; at < (uint64_t)st.st_size && at < EXCESS_NOISE_MAX; at += sizeof noise)
		if (random_bytes(noise, sizeof noise, e) < 0 ||
		    file_write_at(fd, at, noise, sizeof noise, e) < 0)
			return -1;
	if (file_sync(fd, e) < 0)
		return -1;
	if (ftruncate(fd, KEYRING_SIZE) < 0)
		return err_errno(e, "cutting off what follows the keyring");
	return file_sync(fd, e);
}

int keyring_store(struct keyring *k, const struct body *b, const struct slots *s,
		 bool *is_in_force, struct err *e)
{
	int fd, rc = -1;

	*is_in_force = false;
	fd = file_open_user(k->path, O_RDWR, 0, e);
	if (fd < 0)
		goto out;
	if (file_lock(fd, true, LOCK_WAIT_MS, e) < 0)
		goto out;
	k->is_settled = false;
	if (store_half(k, fd, b, s, k->generation + 1 + k->generation % 2, e) < 0)
		goto out;
	*is_in_force = true;
	if (store_half(k, fd, b, s, k->generation + 1, e) < 0 || cut_excess(fd, e) < 0)
		goto out;
	k->is_settled = true;
	rc = 0;
out:
	file_close(&fd);
	return rc < 0 ? err_wrap(e, "writing the keyring %s", text_printable(k->path)) : 0;
}

/* Takes b and s over, stored or not: *k moves only once the disk has. */
int keyring_commit(struct keyring *k, struct body *b, struct slots *s, struct err *e)
{
	bool is_in_force;
	int rc = keyring_store(k, b, s, &is_in_force, e);

	if (is_in_force) {
		if (rc < 0)
			err_wrap(e, "the change is in force, but one half still holds what was "
				 "before; the next command that writes puts it right");

		struct slots old_slots = k->slots;
		struct body *old_body = k->body;

		k->slots = *s;
		k->body = b;
		*s = old_slots;
		b = old_body;
	}
	slots_free(s);
	secret_free(b);
	return rc;
}

/* Copies to change, for keyring_commit(). */
int keyring_draft(const struct keyring *k, struct body **b, struct slots *s, struct err *e)
{
	*b = secret_new(sizeof **b);
	if (!*b)
		return err_set(e, MUNI_NO_MEMORY, "no memory to change the keyring");
	memcpy(*b, k->body, sizeof **b);
	if (slots_copy(&k->slots, s, e) < 0) {
		secret_free(*b);
		*b = NULL;
		return -1;
	}
	return 0;
}

/* A draft that came to nothing. */
int keyring_drop(struct body *b, struct slots *s)
{
	slots_free(s);
	secret_free(b);
	return -1;
}

bool keyring_is_settled(const struct keyring *k)
{
	return k->is_settled;
}

int keyring_rewrite(struct keyring *k, struct err *e)
{
	bool is_in_force;

	return keyring_store(k, k->body, &k->slots, &is_in_force, e);
}

/* ---- keys ------------------------------------------------------------------- */

uint64_t keyring_epoch(const struct keyring *k)
{
	return k->body->epoch;
}

uint64_t keyring_successor_epoch(const struct keyring *k)
{
	return k->body->successor;
}

const uint8_t *keyring_catalogue_key(const struct keyring *k, uint64_t epoch)
{
	if (epoch == 0)
		return NULL;
	if (epoch == k->body->epoch)
		return k->body->catalogue;
	return epoch == k->body->successor ? k->body->next_catalogue : NULL;
}

const uint8_t *keyring_dedupe_key(const struct keyring *k)
{
	return k->body->dedupe;
}

const uint8_t *keyring_chunker_key(const struct keyring *k)
{
	return k->body->chunker;
}

const uint8_t *keyring_certificate(const struct keyring *k, size_t *size)
{
	*size = k->body->certificate_size;
	return k->body->certificate;
}

const struct signer *keyring_signer(struct keyring *k, struct err *e)
{
	if (!k->signer && signer_import(k->body->signing_key, k->body->signing_key_size,
					k->body->certificate, k->body->certificate_size,
					&k->signer, e) < 0)
		err_wrap(e, "keyring %s", text_printable(k->path));
	return k->signer;
}

