#include "fs/vault/export_place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "fs/base/file.h"
#include "fs/base/text.h"

int place_open_dir(int dirfd, const char *name, struct err *e)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(dirfd, name, flags);

	/* An earlier run may have got as far as its final mode. */
	if (fd < 0 && errno == EACCES && fchmodat(dirfd, name, 0700, 0) == 0)
		fd = openat(dirfd, name, flags);
	if (fd < 0)
		return err_errno(e, "opening the directory %s in the target",
				 text_printable(name));
	return fd;
}

int place_open(struct place *p, int rootfd, struct export_item *root, struct err *e)
{
	*p = (struct place){ .room = 64 };
	p->levels = calloc(p->room, sizeof *p->levels);
	if (!p->levels) {
		export_item_free(root);
		file_close(&rootfd);
		return err_set(e, MUNI_NO_MEMORY, "no memory for directories");
	}
	p->levels[0] = (struct place_level){ rootfd, root };
	p->depth = 1;
	return 0;
}

void place_close(struct place *p)
{
	while (p->depth > 0)
		place_leave(p);
	free(p->levels);
	p->levels = NULL;
}

const struct export_item *place_item(const struct place *p)
{
	return p->levels[p->depth - 1].item;
}

/* Keeps the root and the deepest PLACE_OPEN_MAX. */
static void close_far(struct place *p, size_t level)
{
	if (level > PLACE_OPEN_MAX)
		file_close(&p->levels[level - PLACE_OPEN_MAX].fd);
}

int place_fd(struct place *p, struct err *e)
{
	size_t level = p->depth - 1, from = level;

	while (p->levels[from].fd < 0)
		from--;
	for (; from < level; from++) {
		int fd = place_open_dir(p->levels[from].fd, p->levels[from + 1].item->name, e);

		if (fd < 0)
			return -1;
		p->levels[from + 1].fd = fd;
		close_far(p, from + 1);
	}
	return p->levels[level].fd;
}

int place_enter(struct place *p, struct export_item *item, struct err *e)
{
	int above = place_fd(p, e), fd;

	if (above < 0)
		goto bad;
	if (p->depth == p->room) {
		struct place_level *grown = realloc(p->levels, 2 * p->room * sizeof *grown);

		if (!grown) {
			err_set(e, MUNI_NO_MEMORY, "no memory for directories");
			goto bad;
		}
		p->levels = grown;
		p->room *= 2;
	}
	fd = place_open_dir(above, item->name, e);
	if (fd < 0)
		goto bad;
	p->levels[p->depth] = (struct place_level){ fd, item };
	p->depth++;
	close_far(p, p->depth - 1);
	return 0;
bad:
	export_item_free(item);
	return -1;
}

void place_leave(struct place *p)
{
	struct place_level *level = &p->levels[--p->depth];

	file_close(&level->fd);
	export_item_free(level->item);
}
