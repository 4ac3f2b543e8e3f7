/*
 * How much there is to do, for people who wait: a quick look at names and sizes
 * ahead of the walker (whose own look then finds them in memory).  What it
 * cannot reach it leaves out: its sums are for the progress bar alone.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fs/vault/walk.h"

#define DEPTH_MAX 64	/* a level holds a descriptor and its names */

struct level {
	int fd;
	struct names names;
	size_t next;
	size_t path_size;	/* of the path up to here */
};

struct census {
	const struct ingest_options *options;
	struct level levels[DEPTH_MAX];
	size_t depth;
	char path[CATALOGUE_NAME_MAX * DEPTH_MAX + DEPTH_MAX + 1];
	uint64_t device;	/* of the top */
	uint64_t items, bytes;
};

static void enter(struct census *c, int fd, size_t path_size)
{
	struct level *l = &c->levels[c->depth];

	*l = (struct level){ .fd = fd, .path_size = path_size };
	if (fd < 0 || names_read(fd, &l->names) < 0) {
		names_free(&l->names);
		if (fd >= 0)
			close(fd);
		return;
	}
	c->depth++;
}

static void leave(struct census *c)
{
	struct level *l = &c->levels[--c->depth];

	names_free(&l->names);
	close(l->fd);
}

static void look(struct census *c, struct level *l, const char *name)
{
	const struct ingest_options *o = c->options;
	size_t size = l->path_size;
	struct statx sx;
	bool is_directory;

	if (strlen(name) > CATALOGUE_NAME_MAX ||
	    statx(l->fd, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT,
		  STATX_TYPE | STATX_SIZE | STATX_BLOCKS, &sx) < 0)
		return;
	is_directory = (sx.stx_mode & S_IFMT) == S_IFDIR;
	if (size > 0)
		c->path[size++] = '/';
	strcpy(c->path + size, name);
	if (o->exclude_count > 0 && walk_is_excluded(o, c->path, name, is_directory))
		return;
	if (!is_directory) {
		c->items++;
		if ((sx.stx_mode & S_IFMT) == S_IFREG)
			c->bytes += walk_held(&sx);
	} else if (c->depth < DEPTH_MAX &&
		   (!o->one_file_system || walk_device(&sx) == c->device)) {
		enter(c, walk_open(l->fd, name, O_DIRECTORY), size + strlen(name));
	}
}

bool walk_count(int fd, const struct ingest_options *o, bool (*is_over)(void *arg), void *arg,
		uint64_t *items, uint64_t *bytes)
{
	struct census *c = calloc(1, sizeof *c);
	struct statx sx;
	bool is_whole;

	if (!c)
		return false;
	c->options = o;
	if (statx(fd, "", AT_EMPTY_PATH, STATX_TYPE, &sx) == 0) {
		c->device = walk_device(&sx);
		enter(c, walk_open(fd, ".", O_DIRECTORY), 0);
	}
	while (c->depth > 0 && !is_over(arg)) {
		struct level *l = &c->levels[c->depth - 1];

		c->path[l->path_size] = 0;
		if (l->next == l->names.count)
			leave(c);
		else
			look(c, l, l->names.list[l->next++]);
	}
	is_whole = c->depth == 0;
	*items = c->items;
	*bytes = c->bytes;
	while (c->depth > 0)
		leave(c);
	free(c);
	return is_whole;
}

/* Who waits for less than this needs no sum, and the look would cost him time. */
#define PATIENCE_MS 1500
#define STEP_MS 5

static bool is_over(void *arg)
{
	struct ingest *g = arg;

	return ingest_is_stopped(g) || atomic_load(&g->is_walked);
}

void *walk_census(void *arg)
{
	struct ingest *g = arg;
	const struct timespec step = { .tv_nsec = STEP_MS * 1000000L };
	uint64_t items, bytes;

	for (unsigned ms = 0; ms < PATIENCE_MS && !is_over(g); ms += STEP_MS)
		nanosleep(&step, NULL);
	if (walk_count(g->source_fd, g->options, is_over, g, &items, &bytes)) {
		atomic_store(&g->items_total, items);
		atomic_store(&g->bytes_total, bytes);
	}
	return NULL;
}
