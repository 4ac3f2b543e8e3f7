#include <stdlib.h>
#include <string.h>

#include "fs/vault/export_inside.h"

static size_t place_of(int64_t node, size_t size)
{
	return (size_t)((uint64_t)node * 0x9E3779B97F4A7C15u >> 20) & (size - 1);
}

const char *export_links_find(const struct export_links *l, int64_t node)
{
	if (l->size == 0)
		return NULL;
	for (size_t i = place_of(node, l->size); l->slots[i].node; i = (i + 1) & (l->size - 1))
		if (l->slots[i].node == node)
			return l->slots[i].path;
	return NULL;
}

static int grow(struct export_links *l, struct err *e)
{
	size_t size = l->size ? 2 * l->size : 256;
	struct export_links bigger = { calloc(size, sizeof *bigger.slots), size, l->used };

	if (!bigger.slots)
		return err_set(e, MUNI_NO_MEMORY, "no memory for hard links");
	for (size_t i = 0; i < l->size; i++) {
		size_t to;

		if (!l->slots[i].node)
			continue;
		to = place_of(l->slots[i].node, size);
		while (bigger.slots[to].node)
			to = (to + 1) & (size - 1);
		bigger.slots[to].node = l->slots[i].node;
		bigger.slots[to].path = l->slots[i].path;
	}
	free(l->slots);
	*l = bigger;
	return 0;
}

int export_links_add(struct export_links *l, int64_t node, const char *path, struct err *e)
{
	char *copy = strdup(path);
	size_t to;

	if (!copy)
		return err_set(e, MUNI_NO_MEMORY, "no memory for hard links");
	if (2 * (l->used + 1) > l->size && grow(l, e) < 0) {
		free(copy);
		return -1;
	}
	to = place_of(node, l->size);
	while (l->slots[to].node)
		to = (to + 1) & (l->size - 1);
	l->slots[to].node = node;
	l->slots[to].path = copy;
	l->used++;
	return 0;
}

void export_links_free(struct export_links *l)
{
	for (size_t i = 0; i < l->size; i++)
		free(l->slots[i].path);
	free(l->slots);
	*l = (struct export_links){ .slots = NULL };
}
