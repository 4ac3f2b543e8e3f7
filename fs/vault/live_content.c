/*
 * The content of a file in a live source: compared, overwritten.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/vault/leaf.h"
#include "fs/vault/live.h"

/* Calls use() for each run of data in order; holes are passed over. */
static int each_data(int fd, uint64_t size, uint8_t *piece,
		     int (*use)(void *arg, int fd, uint64_t at, uint8_t *piece, size_t n),
		     void *arg)
{
	uint64_t at = 0;

	while (at < size) {
		off_t begin = lseek(fd, (off_t)at, SEEK_DATA), end;

		if (begin < 0 && errno == ENXIO)
			return 0;
		if (begin < 0)
			begin = (off_t)at;
		end = lseek(fd, begin, SEEK_HOLE);
		if (end <= begin || (uint64_t)end > size)
			end = (off_t)size;
		for (at = (uint64_t)begin; at < (uint64_t)end; ) {
			uint64_t left = (uint64_t)end - at;
			size_t n = left < LIVE_PIECE ? (size_t)left : LIVE_PIECE;

			if (use(arg, fd, at, piece, n) < 0)
				return -1;
			at += n;
		}
	}
	return 0;
}

static int read_whole(int fd, uint64_t at, uint8_t *out, size_t n)
{
	struct err e = ERR_NONE;

	return file_read_at(fd, at, out, n, &e);
}

static int hash_piece(void *arg, int fd, uint64_t at, uint8_t *piece, size_t n)
{
	if (read_whole(fd, at, piece, n) < 0)
		return -1;
	content_hash_data(arg, at, piece, n);
	return 0;
}

struct digest live_bind(const uint8_t key[LIST_KEY_SIZE], const struct digest *sha256,
			const uint8_t salt[16])
{
	uint8_t both[DIGEST_SIZE + 16];

	memcpy(both, sha256->bytes, DIGEST_SIZE);
	memcpy(both + DIGEST_SIZE, salt, 16);
	return digest_hmac(key, LIST_KEY_SIZE, both, sizeof both);
}

int live_compare(int fd, const struct item_row *item, const struct live_binding *binding,
		 uint8_t *piece)
{
	struct content_hash *hash = content_hash_new();
	struct digest now = {{0}};
	int rc = -1;

	if (!hash)
		return -1;
	content_hash_start(hash, CONTENT_HOLES_UNKNOWN);
	if (each_data(fd, item->size, piece, hash_piece, hash) == 0) {
		now = content_hash_finish(hash, item->size);
		if (binding->key)
			now = live_bind(binding->key, &now, binding->salt);
		rc = digest_equal(&now, &item->sha256);
	}
	content_hash_free(hash);
	return rc;
}

struct overwriting {
	uint8_t pattern[4096];	/* random, of this file alone */
	bool is_checking;
};

static int overwrite_piece(void *arg, int fd, uint64_t at, uint8_t *piece, size_t n)
{
	const struct overwriting *o = arg;
	struct err e = ERR_NONE;
	size_t used = 0;

	if (o->is_checking) {
		if (read_whole(fd, at, piece, n) < 0)
			return -1;
		for (; used < n; used += sizeof o->pattern)
			if (memcmp(piece + used, o->pattern, n - used < sizeof o->pattern ?
				   n - used : sizeof o->pattern) != 0)
				return -1;
		return 0;
	}
	for (; used < n; used += sizeof o->pattern)
		memcpy(piece + used, o->pattern, n - used < sizeof o->pattern ? n - used :
		       sizeof o->pattern);
	return file_write_at(fd, at, piece, n, &e);
}

int live_overwrite(int fd, const struct item_row *item, uint8_t *piece)
{
	struct overwriting *o = calloc(1, sizeof *o);
	struct err e = ERR_NONE;
	int rc = -1;

	if (o && random_bytes(o->pattern, sizeof o->pattern, &e) == 0 &&
	    each_data(fd, item->size, piece, overwrite_piece, o) == 0 && fsync(fd) == 0) {
		posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		o->is_checking = true;
		rc = each_data(fd, item->size, piece, overwrite_piece, o);
	}
	free(o);
	return rc;
}
