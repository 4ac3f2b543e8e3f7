#include "fs/store/arena_sqlite.h"

#include <limits.h>

#include <sqlite3.h>

#include "fs/crypt/arena.h"

static void *method_malloc(int size)
{
	return arena_new((size_t)size);
}

static void *method_realloc(void *p, int size)
{
	return arena_resize(p, (size_t)size);
}

static int method_size(void *p)
{
	return (int)arena_size(p);
}

/* SQLite uses all that it gets. */
static int method_roundup(int size)
{
	return size > INT_MAX - 8 ? size : (int)arena_round_up((size_t)size);
}

static int method_init(void *unused)
{
	(void)unused;
	return SQLITE_OK;
}

static void method_shutdown(void *unused)
{
	(void)unused;
}

const struct sqlite3_mem_methods *arena_methods(void)
{
	static const struct sqlite3_mem_methods methods = {
		.xMalloc = method_malloc,
		.xFree = arena_free,
		.xRealloc = method_realloc,
		.xSize = method_size,
		.xRoundup = method_roundup,
		.xInit = method_init,
		.xShutdown = method_shutdown,
	};
	return &methods;
}
