/*
 * Finding groups by the heads of all parity objects.
 */
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/store/parity_inside.h"

bool parity_is_refused(const struct err *e)
{
	return e->code != MUNI_DAMAGED && e->code != MUNI_NOT_FOUND;
}

/* The head at either end; MUNI_DAMAGED if neither can be read, *is_unread: since the system
 * refused to read one. */
static int load_head(struct objects *o, const uint8_t archive_id[16],
		     const struct object_name *name, uint8_t raw[PARITY_HEAD],
		     struct parity_head *out, bool *is_unread, struct err *e)
{
	uint64_t size = 0;

	*is_unread = false;
	if (objects_get(o, name, 0, raw, PARITY_HEAD, e) == 0 &&
	    parity_head_parse(raw, archive_id, name->uid, out, e) == 0)
		return 0;
	if (e->code == MUNI_FORMAT || e->code == MUNI_NO_MEMORY)
		return -1;
	*is_unread = parity_is_refused(e);
	if (objects_size(o, name, &size, e) < 0) {
		*is_unread = *is_unread || parity_is_refused(e);
		return err_set(e, MUNI_DAMAGED, "its size is not to be had");
	}
	if (size < 2 * PARITY_HEAD)
		return err_set(e, MUNI_DAMAGED, "it is too short");
	if (objects_get(o, name, size - PARITY_HEAD, raw, PARITY_HEAD, e) == 0 &&
	    parity_head_parse(raw, archive_id, name->uid, out, e) == 0) {
		*e = ERR_NONE;
		return 0;
	}
	if (e->code == MUNI_FORMAT || e->code == MUNI_NO_MEMORY)
		return -1;
	*is_unread = *is_unread || parity_is_refused(e);
	if (e->code == MUNI_IO)
		e->code = MUNI_DAMAGED;
	return -1;
}

static int by_group(const void *a, const void *b)
{
	const struct parity_head *x = a, *y = b;
	int order = memcmp(x->group, y->group, sizeof x->group);

	if (order != 0)
		return order;
	if (x->generation != y->generation)
		return x->generation > y->generation ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

int parity_index_load(struct objects *o, const uint8_t archive_id[16],
		      struct parity_index *out, struct err *e)
{
	struct object_name *names = NULL;
	size_t count = 0;

	*out = (struct parity_index){ .heads = NULL };
	if (objects_list(o, OBJECTS_PARITY, &names, &count, NULL, e) < 0)
		return -1;
	out->heads = calloc(count + 1, sizeof *out->heads);
	out->broken = calloc(count + 1, sizeof *out->broken);
	if (out->heads == NULL || out->broken == NULL) {
		err_set(e, MUNI_NO_MEMORY, "no memory to list parity");
		goto fail;
	}
	for (size_t i = 0; i < count; i++) {
		uint8_t raw[PARITY_HEAD];
		char text[OBJECT_TEXT_MAX];
		bool is_unread;

		if (load_head(o, archive_id, &names[i], raw, &out->heads[out->count],
			      &is_unread, e) == 0) {
			out->count++;
			continue;
		}
		if (e->code != MUNI_DAMAGED) {
			err_wrap(e, "%s", object_text(&names[i], text));
			goto fail;
		}
		out->broken[out->broken_count++] = names[i];
		out->is_unread = out->is_unread || is_unread;
	}
	*e = ERR_NONE;
	free(names);
	qsort(out->heads, out->count, sizeof *out->heads, by_group);
	return 0;
fail:
	free(names);
	parity_index_free(out);
	return -1;
}

void parity_index_free(struct parity_index *x)
{
	free(x->heads);
	free(x->broken);
	*x = (struct parity_index){ .heads = NULL };
}

/* Names carry the index, so equal heads under one generation cannot repeat. */
bool parity_index_next(const struct parity_index *x, size_t *at, struct parity_span *out)
{
	const struct parity_head *h = x->heads;
	size_t i = *at;

	if (i >= x->count)
		return false;
	*out = (struct parity_span){ .group = i, .first = i };
	while (i < x->count && memcmp(h[i].group, h[out->group].group, 16) == 0) {
		size_t first = i;

		while (i < x->count && memcmp(h[i].group, h[first].group, 16) == 0 &&
		       h[i].generation == h[first].generation)
			i++;
		if (out->is_complete)
			continue;
		if (i - first == h[first].parity || out->count == 0) {
			out->first = first;
			out->count = i - first;
			out->is_complete = i - first == h[first].parity;
		}
	}
	out->end = i;
	*at = i;
	return true;
}

int parity_index_delete(struct objects *o, const struct parity_index *x, size_t first,
			size_t end, struct err *e)
{
	for (size_t i = first; i < end; i++) {
		struct object_name name = { .kind = OBJECTS_PARITY };

		memcpy(name.uid, x->heads[i].uid, sizeof name.uid);
		if (objects_delete(o, &name, e) < 0)
			return -1;
	}
	return 0;
}

int parity_index_drop_left_overs(struct objects *o, const struct parity_index *x,
				 const struct parity_span *s, struct err *e)
{
	if (!s->is_complete || x->is_unread)
		return 0;	/* for parity_repair() to judge; what is not read may be the newest */
	if (parity_index_delete(o, x, s->group, s->first, e) < 0 ||
	    parity_index_delete(o, x, s->first + s->count, s->end, e) < 0)
		return err_wrap(e, "removing old parity");
	return 0;
}
