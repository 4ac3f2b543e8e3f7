/* What the adversarial check is asked, as bytes on a pipe. */
#include <stdlib.h>
#include <string.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/crypt/arena.h"
#include "fs/crypt/secret.h"
#include "fs/vault/adversary.h"

#define MAGIC 0x4156444du	/* "MDVA" */
#define PATH_BYTES_MAX 65536u
#define KEYS_PART(count) (16 + 8 + 32 + 4 + 32 * (size_t)(count))

void adversary_request_clear(struct adversary_request *r)
{
	free(r->archive);
	free(r->keyring);
	traces_clear(&r->traces);
	secret_wipe(r, sizeof *r);
	r->archive = r->keyring = NULL;
}

static void put_block(struct buffer *b, const void *data, size_t size)
{
	buffer_u32(b, (uint32_t)size);
	buffer_append(b, data, size);
}

int adversary_request_pack(const struct adversary_request *r, uint8_t **out, size_t *size,
			   struct err *e)
{
	struct buffer b = { 0 };
	uint8_t *traces = NULL;
	struct writer w;
	size_t traces_size;

	*out = NULL;
	if (traces_pack(&r->traces, &traces, &traces_size, e) < 0)
		return -1;
	buffer_u32(&b, MAGIC);
	put_block(&b, r->archive, strlen(r->archive));
	put_block(&b, r->keyring, strlen(r->keyring));
	put_block(&b, traces, traces_size);
	free(traces);
	*size = b.size + KEYS_PART(r->key_count);
	*out = b.failed ? NULL : arena_key_new(*size);	/* once: keys leave no copies behind */
	if (*out == NULL) {
		buffer_free(&b);
		return err_set(e, MUNI_NO_MEMORY, "no memory for the adversarial check");
	}
	w = writer_over(*out, *size);
	writer_bytes(&w, b.data, b.size);
	writer_bytes(&w, r->archive_id, sizeof r->archive_id);
	writer_u64(&w, r->epoch);
	writer_bytes(&w, r->catalogue_key, sizeof r->catalogue_key);
	writer_u32(&w, r->key_count);
	for (unsigned i = 0; i < r->key_count; i++)
		writer_bytes(&w, r->keys[i], sizeof r->keys[i]);
	buffer_free(&b);
	return 0;
}

static char *get_text(struct reader *r)
{
	uint32_t size = reader_u32(r);
	const uint8_t *text = size < PATH_BYTES_MAX ? reader_view(r, size) : NULL;

	return text != NULL ? strndup((const char *)text, size) : NULL;
}

int adversary_request_unpack(const void *data, size_t size, struct adversary_request *out,
			     struct err *e)
{
	struct reader r = reader_over(data, size);
	const uint8_t *traces;
	uint32_t traces_size;

	memset(out, 0, sizeof *out);
	if (reader_u32(&r) != MAGIC)
		return err_set(e, MUNI_FORMAT, "that is no request for an adversarial check");
	out->archive = get_text(&r);
	out->keyring = get_text(&r);
	traces_size = reader_u32(&r);
	traces = reader_view(&r, traces_size);
	if (out->archive == NULL || out->keyring == NULL || traces == NULL ||
	    traces_unpack(traces, traces_size, &out->traces, e) < 0)
		goto bad;
	reader_bytes(&r, out->archive_id, sizeof out->archive_id);
	out->epoch = reader_u64(&r);
	reader_bytes(&r, out->catalogue_key, sizeof out->catalogue_key);
	out->key_count = reader_u32(&r);
	if (out->key_count > ADVERSARY_KEYS_MAX)
		goto bad;
	for (unsigned i = 0; i < out->key_count; i++)
		reader_bytes(&r, out->keys[i], sizeof out->keys[i]);
	if (!r.underflow && reader_left(&r) == 0)
		return 0;
bad:
	adversary_request_clear(out);
	return err_set(e, MUNI_FORMAT, "the request for an adversarial check does not read");
}
