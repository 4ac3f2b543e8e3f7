#include "fs/store/pagevfs_keys.h"

#include <pthread.h>
#include <string.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/crypt/digest.h"
#include "fs/crypt/secret.h"

#define KEYS_MAX 64
#define SEALS_MAX ((uint64_t)1 << 31)

struct slot {
	unsigned id;		/* 0: free */
	uint64_t epoch;
	uint64_t seals;
	uint8_t archive_id[16];
};

/* SQLite's URIs can name a key by number only, so the table is the process's. */
static struct {
	pthread_mutex_t lock;
	unsigned last_id;	/* protected by lock, as all below */
	struct slot slots[KEYS_MAX];
	uint8_t *keys;		/* secret memory, 32 bytes a slot; lives as long as the process */
} table = { .lock = PTHREAD_MUTEX_INITIALIZER };

static struct slot *find(unsigned id)
{
	for (unsigned i = 0; i < KEYS_MAX; i++)
		if (table.slots[i].id == id)
			return &table.slots[i];
	return NULL;
}

static uint8_t *key_of(const struct slot *s)
{
	return table.keys + 32 * (s - table.slots);
}

int pagevfs_key_add(const uint8_t *key, const uint8_t archive_id[16], uint64_t epoch,
		    unsigned *key_id, struct err *e)
{
	int rc = -1;

	*key_id = 0;
	pthread_mutex_lock(&table.lock);
	if (!table.keys)
		table.keys = secret_new(32 * KEYS_MAX);
	struct slot *s = find(0);
	if (!table.keys) {
		err_set(e, MUNI_NO_MEMORY, "no memory for the catalogue's key");
	} else if (!s) {
		err_set(e, MUNI_LIMIT, "this process holds %d catalogue keys already", KEYS_MAX);
	} else {
		*s = (struct slot){ .id = ++table.last_id, .epoch = epoch };
		memcpy(s->archive_id, archive_id, 16);
		memcpy(key_of(s), key, 32);
		*key_id = s->id;
		rc = 0;
	}
	pthread_mutex_unlock(&table.lock);
	return rc;
}

void pagevfs_key_drop(unsigned key_id)
{
	pthread_mutex_lock(&table.lock);
	struct slot *s = key_id ? find(key_id) : NULL;
	if (s) {
		secret_wipe(key_of(s), 32);
		*s = (struct slot){ 0 };
	}
	pthread_mutex_unlock(&table.lock);
}

uint64_t pagevfs_seals(unsigned key_id)
{
	pthread_mutex_lock(&table.lock);
	const struct slot *s = key_id ? find(key_id) : NULL;
	uint64_t seals = s ? s->seals : 0;
	pthread_mutex_unlock(&table.lock);
	return seals;
}

int pagevfs_keys_cipher(unsigned key_id, const uint8_t file_id[PAGEVFS_FILE_ID_SIZE],
			struct pagevfs_cipher **out, struct err *e)
{
	int rc = -1;

	*out = NULL;
	pthread_mutex_lock(&table.lock);
	const struct slot *s = key_id ? find(key_id) : NULL;
	if (!s)
		err_set(e, MUNI_CANNOT_UNLOCK, "this process holds no catalogue key number %u",
			key_id);
	else
		rc = pagevfs_cipher_new(key_of(s), s->archive_id, s->epoch, file_id, out, e);
	pthread_mutex_unlock(&table.lock);
	return rc;
}

int pagevfs_keys_of_copy(unsigned key_id, const uint8_t uid[16], uint8_t *out, struct err *e)
{
	uint8_t salt[16 + 8 + 16];
	struct writer w = writer_over(salt, sizeof salt);
	int rc = -1;

	pthread_mutex_lock(&table.lock);
	const struct slot *s = key_id ? find(key_id) : NULL;
	if (!s) {
		err_set(e, MUNI_CANNOT_UNLOCK, "this process holds no catalogue key number %u",
			key_id);
		goto out;
	}
	writer_bytes(&w, s->archive_id, sizeof s->archive_id);
	writer_u64(&w, s->epoch);
	writer_bytes(&w, uid, 16);
	rc = digest_hkdf(key_of(s), 32, salt, sizeof salt, "muniment catalogue copy", out, 32,
			 e);
out:
	pthread_mutex_unlock(&table.lock);
	return rc;
}

int pagevfs_keys_count_seal(unsigned key_id, struct err *e)
{
	int rc = 0;

	pthread_mutex_lock(&table.lock);
	struct slot *s = find(key_id);
	if (!s)
		rc = err_set(e, MUNI_CANNOT_UNLOCK, "catalogue key number %u was dropped while "
			     "its catalogue was open", key_id);
	else if (s->seals >= SEALS_MAX)
		rc = err_set(e, MUNI_LIMIT, "the catalogue's key has sealed as many pages as is "
			     "safe; start a new epoch with 'muni key rotate'");
	else
		s->seals++;
	pthread_mutex_unlock(&table.lock);
	return rc;
}
