/*
 * The blocks that went, where their ciphertext still lies in a segment that has others:
 * every key that the keyring and the catalogue hold is tried on them, up to a number of
 * blocks a segment.  A key of the catalogue is tried on the blocks of its own segment: it
 * was made for a block there, if for any.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fs/adversary/attack.h"
#include "fs/base/err.h"
#include "fs/crypt/secret.h"
#include "fs/store/catalogue.h"
#include "fs/store/objects.h"
#include "fs/store/pagevfs.h"

#define BLOCKS_TRIED_MAX 64	/* ciphertexts; each under all keys of its segment */
#define CACHE (4u << 20)

struct keys {
	const uint8_t *segment;	/* 16 bytes: whose blocks' keys are wanted */
	uint8_t (*list)[32];	/* secret memory is too small for a segment's; wiped */
	size_t count, capacity;
};

static int keep_key(void *arg, const struct block *b, const uint8_t segment_uid[16])
{
	struct keys *k = arg;

	if (memcmp(segment_uid, k->segment, 16) != 0)
		return 0;
	if (k->count == k->capacity) {
		size_t more = k->capacity > 0 ? k->capacity * 2 : 256;
		uint8_t (*list)[32] = malloc(more * sizeof *list);

		if (list == NULL)
			return -1;
		memcpy(list, k->list, k->count * sizeof *list);
		secret_wipe(k->list, k->count * sizeof *list);
		free(k->list);
		k->list = list;
		k->capacity = more;
	}
	memcpy(k->list[k->count++], b->key, 32);
	return 0;
}

static bool opens(struct block_decoder *dec, const struct trace_block *t, const uint8_t *sealed,
		  const uint8_t key[32])
{
	struct block b = { .stored = t->stored, .raw = 1, .codec = BLOCK_STORED };
	struct err ignored = ERR_NONE;
	bool is_open;

	memcpy(b.uid, t->uid, sizeof b.uid);
	memcpy(b.key, key, sizeof b.key);
	is_open = block_authenticate(dec, &b, sealed, &ignored) == 0;
	secret_wipe(&b, sizeof b);
	return is_open;
}

static void try_keys(struct attack *a, struct block_decoder *dec, const struct trace_block *t,
		     const uint8_t *sealed, const struct keys *k)
{
	static const uint8_t zeros[32];
	bool is_open = opens(dec, t, sealed, zeros) ||
		       opens(dec, t, sealed, a->request->catalogue_key);
	uint64_t tried = 2 + a->request->key_count + k->count;

	for (unsigned i = 0; !is_open && i < a->request->key_count; i++)
		is_open = opens(dec, t, sealed, a->request->keys[i]);
	for (size_t i = 0; !is_open && i < k->count; i++)
		is_open = opens(dec, t, sealed, k->list[i]);
	if (is_open)
		attack_found(a, "a destroyed block opens under a key that is still there");
	if (tried > a->keys_tried)
		a->keys_tried = tried;
}

static int attack_block(struct attack *a, struct objects *o, struct catalogue *c,
			struct block_decoder *dec, const struct trace_block *t, struct err *e)
{
	struct object_name name = { .kind = OBJECTS_SEGMENT };
	struct keys k = { .segment = t->segment };
	uint8_t *sealed;
	uint64_t size;
	int rc;

	memcpy(name.uid, t->segment, sizeof name.uid);
	if (objects_size(o, &name, &size, e) < 0) {
		rc = e->code == MUNI_NOT_FOUND ? 0 : -1;	/* gone with its segment */
		if (rc == 0)
			*e = ERR_NONE;
		return rc;
	}
	if (t->stored > BLOCK_STORED_MAX || t->stored < 17 || t->offset > size ||
	    t->stored > size - t->offset)
		return 0;
	sealed = malloc(t->stored);
	if (sealed == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a block");
	a->blocks_present++;
	rc = objects_get(o, &name, t->offset, sealed, t->stored, e);
	if (rc == 0)
		rc = catalogue_blocks(c, keep_key, &k, e);
	if (rc == 0)
		try_keys(a, dec, t, sealed, &k);
	if (k.list != NULL)
		secret_wipe(k.list, k.count * sizeof *k.list);
	free(k.list);
	free(sealed);
	return rc;
}

int attack_blocks(struct attack *a, struct err *e)
{
	const struct traces *t = &a->request->traces;
	size_t step = t->block_count > BLOCKS_TRIED_MAX ? t->block_count / BLOCKS_TRIED_MAX : 1;
	struct objects *o = NULL;
	struct catalogue *c = NULL;
	struct block_decoder *dec = NULL;
	unsigned key_id = 0;
	int rc = -1;

	if (pagevfs_register(e) < 0 ||
	    pagevfs_key_add(a->request->catalogue_key, a->request->archive_id, a->request->epoch,
			    &key_id, e) < 0 ||
	    objects_open_folder(a->dirfd, false, &o, e) < 0 ||
	    catalogue_open(a->dirfd, a->request->epoch, key_id, CATALOGUE_READ, CACHE, &c, e) < 0 ||
	    block_decoder_new(a->request->archive_id, &dec, e) < 0)
		goto out;
	rc = 0;
	for (size_t i = 0; rc == 0 && i < t->block_count; i += step)
		rc = attack_block(a, o, c, dec, &t->blocks[i], e);
out:
	block_decoder_free(dec);
	catalogue_close(c);
	objects_close(o);
	if (key_id != 0)
		pagevfs_key_drop(key_id);
	return rc;
}
