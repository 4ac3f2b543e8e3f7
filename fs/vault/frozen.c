#include "fs/vault/frozen.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/vault/archive_inside.h"

#define PROBE_CACHE_BYTES (64u << 10)

bool vault_is_frozen(const struct vault *v)
{
	return v->is_frozen;
}

void vault_frozen_prepare(struct vault *v)
{
	static const char *const ends[] = { "-wal", "-shm" };
	struct err ignored = ERR_NONE;
	char name[48];
	int fd;

	for (size_t i = 0; v->is_frozen && i < sizeof ends / sizeof *ends; i++) {
		snprintf(name, sizeof name, "catalogue.%" PRIu64 "%s", v->epoch, ends[i]);
		fd = file_open(v->dirfd, name, O_RDWR | O_CREAT, 0600, &ignored);
		file_close(&fd);
	}
}

bool vault_frozen_has_room(struct vault *v)
{
	struct catalogue *probe;
	struct err ignored = ERR_NONE;

	if (catalogue_open(v->dirfd, v->epoch, v->key_id, CATALOGUE_READ, PROBE_CACHE_BYTES,
			   &probe, &ignored) < 0)
		return false;
	catalogue_close(probe);
	return true;
}

int vault_frozen_end(struct vault *v, struct err *e)
{
	struct err ignored = ERR_NONE;

	catalogue_close(v->catalogue);
	if (catalogue_open(v->dirfd, v->epoch, v->key_id, CATALOGUE_READ, READER_CACHE_BYTES,
			   &v->catalogue, e) < 0) {
		/* Under the lock still: nothing can have changed. */
		(void)catalogue_open(v->dirfd, v->epoch, v->key_id, CATALOGUE_READ_IMMUTABLE,
				     READER_CACHE_BYTES, &v->catalogue, &ignored);
		return -1;
	}
	v->is_frozen = v->is_folder_read_only = false;
	archive_unlock(v);
	return 0;
}
