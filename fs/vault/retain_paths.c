#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/list.h"
#include "fs/base/text.h"
#include "fs/vault/retain_inside.h"

#define FIRST_LIMIT 8		/* rows of a page: few where it is asked here and there, */
#define LAST_LIMIT 512		/* many where it is asked in order */

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "no memory for the classes of paths");
}

void retain_paths_close(struct retain_paths *p)
{
	free(p->text);
	free(p->list);
	free(p->from);
	*p = (struct retain_paths){ .c = NULL };
}

static int compare_bytes(const char *a, size_t a_size, const char *b, size_t b_size)
{
	int order = memcmp(a, b, a_size < b_size ? a_size : b_size);

	return order != 0 ? order : (a_size > b_size) - (a_size < b_size);
}

static int on_path(void *arg, const void *path, size_t size, const char *code)
{
	struct retain_paths *p = arg;
	const struct retain_class *class = retain_class_named(p->classes, code);

	if (!class)
		return err_set(p->e, MUNI_DAMAGED, "the catalogue is damaged: a path was given the "
			       "class %s, which is missing", text_printable(code));
	if (p->text_size + size > p->text_room) {
		size_t room = 2 * (p->text_size + size) + 4096;
		char *text = realloc(p->text, room);

		if (!text)
			return no_memory(p->e);
		p->text = text;
		p->text_room = room;
	}
	if (!list_room(&p->list, p->count, &p->room, sizeof *p->list))
		return no_memory(p->e);
	memcpy(p->text + p->text_size, path, size);
	p->list[p->count++] = (struct path_class){ p->text_size, size, class };
	p->text_size += size;
	return 0;
}

static int order_at(const struct retain_paths *p, size_t i, const char *path, size_t size)
{
	return compare_bytes(path, size, p->text + p->list[i].at, p->list[i].size);
}

static bool is_within_page(const struct retain_paths *p, int64_t system, const char *path,
			   size_t size)
{
	return p->system == system && compare_bytes(path, size, p->from, p->from_size) >= 0 &&
	       (p->is_last || order_at(p, p->count - 1, path, size) <= 0);
}

static int load_page(struct retain_paths *p, int64_t system, const char *path, size_t size,
		     struct err *e)
{
	bool goes_on = p->system == system && p->hits > 1;
	unsigned limit = goes_on ? p->limit * 2 : FIRST_LIMIT;
	char *from = malloc(size + 1);

	if (!from)
		return no_memory(e);
	memcpy(from, path, size);
	free(p->from);
	p->from = from;
	p->from_size = size;
	p->limit = limit > LAST_LIMIT ? LAST_LIMIT : limit;
	p->count = p->text_size = 0;
	p->hits = 0;
	p->system = 0;
	p->e = e;
	if (catalogue_path_classes(p->c, system, p->by, path, size, p->limit, on_path, p, e) < 0)
		return -1;
	p->system = system;
	p->is_last = p->count < p->limit;
	return 0;
}

int retain_path_class(struct retain_paths *p, int64_t system, const char *path, size_t size,
		      const struct retain_class **out, struct err *e)
{
	size_t lo = 0, hi;

	*out = NULL;
	if (!is_within_page(p, system, path, size) && load_page(p, system, path, size, e) < 0)
		return -1;
	p->hits++;
	for (hi = p->count; lo < hi;) {
		size_t mid = lo + (hi - lo) / 2;
		int order = order_at(p, mid, path, size);

		if (order == 0) {
			*out = p->list[mid].class;
			return 0;
		}
		if (order < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return 0;
}
