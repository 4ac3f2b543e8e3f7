#include "fs/vault/pack_name.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/crypt/digest.h"
#include "fs/crypt/keyed_hash.h"
#include "fs/crypt/secret.h"
#include "fs/store/catalogue.h"

#define HEAD_SIZE 16		/* 8 class, 8 size, or: */
#define IS_DIGEST UINT64_MAX	/* no chunk has that size: what follows stands for one */

struct pack_names {		/* in secret memory */
	const uint8_t *dedupe_key;	/* borrowed */
	unsigned how;
	uint8_t here[KEYED_HASH_KEY_SIZE];	/* N2: random, this ingest's */
	uint8_t kept[KEYED_HASH_KEY_SIZE];	/* from the dedupe key */
};

struct pack_namer {
	const struct pack_names *names;
	struct keyed_hash *here;
	struct keyed_hash *kept;	/* NULL: all names that are kept are digests' */
};

int pack_names_new(const uint8_t *dedupe_key, unsigned how, struct pack_names **out,
		   struct err *e)
{
	struct pack_names *n = secret_new(sizeof *n);

	*out = NULL;
	if (!n)
		return err_set(e, MUNI_NO_MEMORY, "out of memory for the names of chunks");
	n->dedupe_key = dedupe_key;
	n->how = how;
	if (random_bytes(n->here, sizeof n->here, e) < 0 ||
	    digest_hkdf(dedupe_key, 32, NULL, 0, "muniment chunk names 2", n->kept,
			sizeof n->kept, e) < 0) {
		pack_names_free(n);
		return err_wrap(e, "making keys for the names of chunks");
	}
	*out = n;
	return 0;
}

void pack_names_free(struct pack_names *n)
{
	secret_free(n);
}

int pack_namer_new(const struct pack_names *names, struct pack_namer **out, struct err *e)
{
	struct pack_namer *n = calloc(1, sizeof *n);

	*out = NULL;
	if (!n)
		return err_set(e, MUNI_NO_MEMORY, "out of memory for the names of chunks");
	n->names = names;
	if (keyed_hash_new(names->here, &n->here, e) < 0 ||
	    (names->how == CHUNK_NAMES_HASHED &&
	     keyed_hash_new(names->kept, &n->kept, e) < 0)) {
		pack_namer_free(n);
		return -1;
	}
	*out = n;
	return 0;
}

void pack_namer_free(struct pack_namer *n)
{
	if (!n)
		return;
	keyed_hash_free(n->here);
	keyed_hash_free(n->kept);
	free(n);
}

/* Under the dedupe key: class, then what stands for the bytes. */
static void name_by(const struct pack_namer *n, int64_t class_id, const uint8_t *of,
		    size_t size, uint8_t out[16])
{
	uint8_t raw[8 + DIGEST_SIZE];
	struct writer w = writer_over(raw, sizeof raw);
	struct digest full;

	writer_u64(&w, (uint64_t)class_id);
	writer_bytes(&w, of, size);
	assert(!w.overflow);
	full = digest_hmac(n->names->dedupe_key, 32, raw, w.used);
	memcpy(out, full.bytes, 16);
	secret_wipe(raw, sizeof raw);
}

static int hash(struct keyed_hash *h, int64_t class_id, uint64_t size_or_mark, const void *data,
		size_t size, uint8_t out[KEYED_HASH_SIZE], struct err *e)
{
	uint8_t head[HEAD_SIZE];
	struct writer w = writer_over(head, sizeof head);

	writer_u64(&w, (uint64_t)class_id);
	writer_u64(&w, size_or_mark);
	return keyed_hash_of(h, head, sizeof head, data, size, out, e);
}

int pack_namer_of(struct pack_namer *n, int64_t class_id, const void *data, size_t size,
		  const struct digest *digest, struct pack_names_of *out, struct err *e)
{
	uint8_t kept[KEYED_HASH_SIZE];

	if (digest || !n->kept) {
		struct digest own = digest ? *digest : digest_of(data, size);

		name_by(n, class_id, own.bytes, DIGEST_SIZE, out->kept);
		/* Not that name: cut to 16 bytes, two with one can be sought by who has the key. */
		return hash(n->here, class_id, IS_DIGEST, own.bytes, DIGEST_SIZE, out->here, e);
	}
	if (hash(n->here, class_id, size, data, size, out->here, e) < 0 ||
	    hash(n->kept, class_id, size, data, size, kept, e) < 0)
		return -1;
	name_by(n, class_id, kept, sizeof kept, out->kept);
	secret_wipe(kept, sizeof kept);
	return 0;
}
