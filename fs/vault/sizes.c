#include "fs/vault/sizes.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "fs/base/err.h"
#include "fs/store/objects.h"
#include "fs/vault/inside.h"

static uint64_t size_of(const struct vault *v, const char *suffix)
{
	char name[48];
	struct stat st;

	snprintf(name, sizeof name, "catalogue.%" PRIu64 "%s", v->epoch, suffix);
	return fstatat(v->dirfd, name, &st, 0) == 0 ? (uint64_t)st.st_size : 0;
}

int vault_sizes(const struct vault *v, struct vault_sizes *out, struct err *e)
{
	uint64_t kinds[OBJECTS_KIND_COUNT];

	*out = (struct vault_sizes){ .data = 0 };
	if (objects_bytes(v->objects, kinds, e) < 0)
		return -1;
	out->data = kinds[OBJECTS_SEGMENT];
	out->parity = kinds[OBJECTS_PARITY];
	out->copies = kinds[OBJECTS_CATALOGUE];
	out->catalogue = size_of(v, "") + size_of(v, "-wal");
	return 0;
}
