#include "fs/vault/handle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/base/list.h"
#include "fs/vault/walk.h"

#define OPEN_LEVELS 128		/* whose descriptors a descent holds, at most */

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "out of memory while walking the source");
}

struct handle *handle_new(int fd)
{
	struct handle *h = malloc(sizeof *h);

	if (!h) {
		close(fd);
		return NULL;
	}
	atomic_init(&h->refs, 1);
	h->fd = fd;
	return h;
}

struct handle *handle_ref(struct handle *h)
{
	atomic_fetch_add(&h->refs, 1);
	return h;
}

void handle_unref(struct handle *h)
{
	if (!h || atomic_fetch_sub(&h->refs, 1) != 1)
		return;
	close(h->fd);
	free(h);
}

int handle_above(const struct handle *below, uint64_t device, uint64_t inode,
		 struct handle **out, struct err *e)
{
	int fd = openat(below->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct statx sx;

	*out = NULL;
	if (fd < 0)
		return err_is_want(errno) ? err_errno(e, "going back to a directory of the source")
				      : 1;
	if (statx(fd, "", AT_EMPTY_PATH, WALK_STATX_MASK, &sx) < 0 || sx.stx_ino != inode ||
	    walk_device(&sx) != device) {
		close(fd);
		return 1;
	}
	*out = handle_new(fd);
	return *out ? 0 : no_memory(e);
}

/* ---- down and up -------------------------------------------------------------------- */

static void level_clear(struct dir_level *l)
{
	for (size_t i = l->next; i < l->count; i++)
		free(l->children[i]);
	free(l->children);
	handle_unref(l->handle);
}

struct dir_level *descent_push(struct dir_descent *d, struct handle *h, uint64_t device,
			       uint64_t inode, size_t path_size, struct err *e)
{
	if (!list_room(&d->levels, d->depth, &d->capacity, sizeof *d->levels)) {
		handle_unref(h);
		no_memory(e);
		return NULL;
	}
	if (d->depth >= OPEN_LEVELS) {
		struct dir_level *far = &d->levels[d->depth - OPEN_LEVELS];

		handle_unref(far->handle);
		far->handle = NULL;
	}
	d->levels[d->depth] = (struct dir_level){ .handle = h, .device = device,
						  .inode = inode, .path_size = path_size };
	return &d->levels[d->depth++];
}

int descent_pop(struct dir_descent *d, struct err *e)
{
	struct dir_level *l = &d->levels[--d->depth];
	int rc = 0;

	if (d->depth > 0 && !l[-1].handle)
		rc = handle_above(l->handle, l[-1].device, l[-1].inode, &l[-1].handle, e);
	level_clear(l);
	if (rc == 1)
		while (l[-1].next < l[-1].count)
			free(l[-1].children[l[-1].next++]);
	return rc;
}

void descent_free(struct dir_descent *d)
{
	while (d->depth > 0)
		level_clear(&d->levels[--d->depth]);
	free(d->levels);
	*d = (struct dir_descent){ .depth = 0 };
}

int dir_level_add(struct dir_level *l, const char *name, struct err *e)
{
	if (!list_room(&l->children, l->count, &l->capacity, sizeof *l->children))
		return no_memory(e);
	l->children[l->count] = strdup(name);
	if (!l->children[l->count])
		return no_memory(e);
	l->count++;
	return 0;
}

char *dir_level_take(struct dir_level *l)
{
	return l->next < l->count ? l->children[l->next++] : NULL;
}
