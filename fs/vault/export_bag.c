#include "fs/vault/export_bag.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/base/bytes.h"
#include "fs/base/file.h"
#include "fs/base/text.h"
#include "fs/base/total.h"
#include "fs/crypt/digest.h"

#define PENDING_MAX (256u << 10)
#define MANIFEST "manifest-sha256.txt"

struct bag {
	int root;		/* borrowed */
	int manifest;
	struct hasher *hasher;	/* over the manifest */
	struct buffer pending;
	uint64_t offset;	/* of pending in the manifest */
	uint64_t files, bytes;
};

static const char bagit_txt[] = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";

int bag_open(int root, struct bag **out, struct err *e)
{
	struct bag *b = calloc(1, sizeof *b);

	*out = NULL;
	if (!b)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a bag");
	b->root = root;
	b->hasher = hasher_new();
	b->manifest = file_open(root, MANIFEST, O_RDWR | O_CREAT | O_TRUNC, 0644, e);
	if (b->manifest < 0 || !b->hasher) {
		if (b->manifest >= 0)
			err_set(e, MUNI_NO_MEMORY, "no memory for a bag");
		bag_close(b);
		return -1;
	}
	*out = b;
	return 0;
}

static int flush(struct bag *b, struct err *e)
{
	if (b->pending.failed)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a manifest");
	if (file_write_at(b->manifest, b->offset, b->pending.data, b->pending.size, e) < 0)
		return err_wrap(e, "writing " MANIFEST);
	hasher_update(b->hasher, b->pending.data, b->pending.size);
	b->offset += b->pending.size;
	buffer_reset(&b->pending);
	return 0;
}

/* RFC 8493 2.1.3: LF, CR and "%" itself are percent-encoded, nothing else. */
static void append_path(struct buffer *b, const char *path, size_t size)
{
	for (size_t i = 0; i < size; i++)
		switch (path[i]) {
		case '\n':
			buffer_append(b, "%0A", 3);
			break;
		case '\r':
			buffer_append(b, "%0D", 3);
			break;
		case '%':
			buffer_append(b, "%25", 3);
			break;
		default:
			buffer_u8(b, (uint8_t)path[i]);
		}
}

static void hash_zeros(struct hasher *h, uint64_t size)
{
	static const uint8_t zeros[64 << 10];

	while (size > 0) {
		size_t n = size < sizeof zeros ? (size_t)size : sizeof zeros;

		hasher_update(h, zeros, n);
		size -= n;
	}
}

static int hash_data(struct hasher *h, int fd, uint64_t from, uint64_t to, struct err *e)
{
	uint8_t piece[64 << 10];

	while (from < to) {
		size_t n = to - from < sizeof piece ? (size_t)(to - from) : sizeof piece;

		if (file_read_at(fd, from, piece, n, e) < 0)
			return -1;
		hasher_update(h, piece, n);
		from += n;
	}
	return 0;
}

static int hash_hollow(int fd, uint64_t size, struct digest *out, struct err *e)
{
	struct hasher *h = hasher_new();
	int rc = -1;

	if (!h)
		return err_set(e, MUNI_NO_MEMORY, "no memory to hash");
	for (uint64_t at = 0; at < size;) {
		off_t data = lseek(fd, (off_t)at, SEEK_DATA), hole;
		uint64_t from = data < 0 ? size : (uint64_t)data;

		if (data < 0 && errno != ENXIO) {
			err_errno(e, "looking for holes");
			goto out;
		}
		hash_zeros(h, from - at);
		hole = from < size ? lseek(fd, data, SEEK_HOLE) : (off_t)size;
		if (hole < 0) {
			err_errno(e, "looking for holes");
			goto out;
		}
		at = (uint64_t)hole < size ? (uint64_t)hole : size;
		if (hash_data(h, fd, from, at, e) < 0)
			goto out;
	}
	*out = hasher_finish(h);
	rc = 0;
out:
	hasher_free(h);
	return rc;
}

int bag_add(struct bag *b, const struct export_item *item, int fd, struct err *e)
{
	struct digest digest = item->node.sha256;
	char hex[DIGEST_HEX_SIZE];

	if (!item->has_plain_digest &&
	    hash_hollow(fd, item->node.size, &digest, e) < 0)
		return -1;
	digest_hex(&digest, hex);
	buffer_append(&b->pending, hex, strlen(hex));
	buffer_append(&b->pending, "  data/", 7);
	append_path(&b->pending, item->path, item->path_size);
	buffer_u8(&b->pending, '\n');
	b->files++;
	total_add(&b->bytes, item->node.size);
	return b->pending.size >= PENDING_MAX ? flush(b, e) : 0;
}

static int put_tag_file(struct bag *b, const char *name, const char *text, struct buffer *tags,
			struct err *e)
{
	struct digest d = digest_of(text, strlen(text));
	char hex[DIGEST_HEX_SIZE];

	digest_hex(&d, hex);
	buffer_append(tags, hex, strlen(hex));
	buffer_append(tags, "  ", 2);
	buffer_append(tags, name, strlen(name));
	buffer_u8(tags, '\n');
	return file_replace_synced(b->root, name, text, strlen(text), 0644, e);
}

static void make_info(const struct bag *b, const struct export *x, char *out, size_t size)
{
	char date[TEXT_TIME_MAX], bytes[TEXT_SIZE_MAX], source[512];

	text_time(vault_now(x->vault), 0, date);
	x->source->describe(x, source, sizeof source);
	snprintf(out, size,
		 "Bag-Software-Agent: muniment\n"
		 "Bagging-Date: %.10s\n"
		 "%s"
		 "Bag-Size: %s\n"
		 "Payload-Oxum: %llu.%llu\n",
		 date, source, text_size(b->bytes, bytes),
		 (unsigned long long)b->bytes, (unsigned long long)b->files);
}

int bag_finish(struct bag *b, struct export *x, struct err *e)
{
	struct buffer tags = { .data = NULL };
	char info[1024], hex[DIGEST_HEX_SIZE];
	struct digest manifest;
	int rc = -1;

	if (flush(b, e) < 0 || file_sync(b->manifest, e) < 0)
		return -1;
	manifest = hasher_finish(b->hasher);
	make_info(b, x, info, sizeof info);
	if (put_tag_file(b, "bagit.txt", bagit_txt, &tags, e) < 0 ||
	    put_tag_file(b, "bag-info.txt", info, &tags, e) < 0)
		goto out;
	digest_hex(&manifest, hex);
	buffer_append(&tags, hex, strlen(hex));
	buffer_append(&tags, "  " MANIFEST "\n", strlen("  " MANIFEST "\n"));
	if (tags.failed) {
		err_set(e, MUNI_NO_MEMORY, "no memory for a manifest");
		goto out;
	}
	rc = file_replace_synced(b->root, "tagmanifest-sha256.txt", tags.data, tags.size, 0644,
				 e);
out:
	buffer_free(&tags);
	return rc;
}

void bag_close(struct bag *b)
{
	if (!b)
		return;
	file_close(&b->manifest);
	hasher_free(b->hasher);
	buffer_free(&b->pending);
	free(b);
}

bool bag_make_name_text(struct export_item *item, bool *has_memory)
{
	struct buffer b = { .data = NULL };
	char escape[4];
	size_t name;

	*has_memory = true;
	if (text_is_utf8(item->path, item->path_size))
		return false;
	for (size_t from = 0, to; from <= item->path_size; from = to + 1) {
		bool is_text;

		for (to = from; to < item->path_size && item->path[to] != '/';)
			to++;
		is_text = text_is_utf8(item->path + from, to - from);
		for (size_t i = from; i < to; i++) {
			uint8_t byte = (uint8_t)item->path[i];

			snprintf(escape, sizeof escape, "%%%02X", byte);
			if (is_text || (byte < 0x80 && byte != '%'))
				buffer_u8(&b, byte);
			else
				buffer_append(&b, escape, 3);
		}
		buffer_u8(&b, to < item->path_size ? '/' : 0);
	}
	*has_memory = !b.failed;
	if (b.failed) {
		buffer_free(&b);
		return false;
	}
	free(item->path);
	item->path = (char *)b.data;
	item->path_size = b.size - 1;
	name = item->path_size;
	while (name > 0 && item->path[name - 1] != '/')
		name--;
	item->name = item->path + name;
	return true;
}
