#include "fs/vault/selection.h"

#include <stdlib.h>
#include <string.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/base/total.h"
#include "fs/vault/classify.h"
#include "fs/vault/ingest_map.h"

/* A value of the map: never 0. */
#define IS_ITEM 1u
#define DECISION_SHIFT 1	/* two bits */
#define LEADS_SHIFT 3		/* four bits, by decision: of a directory */
#define CLASS_SHIFT 8

struct class_ids {
	struct record_class *list;
	size_t count;
	struct err *e;
};

struct selection {
	struct map items;	/* a digest of what identifies an item, or a directory */
	uint64_t counts[DECISIONS], bytes[DECISIONS];
};

struct making {
	struct selection *s;
	bool by_path;
	struct class_ids classes;
	struct err *e;
};

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "no memory for what was decided");
}

/* ---- keys ---------------------------------------------------------------------------- */

struct key {
	uint64_t a, b;
};

static struct key key_of(const struct digest *d)
{
	struct key k;

	memcpy(&k.a, d->bytes, sizeof k.a);
	memcpy(&k.b, d->bytes + sizeof k.a, sizeof k.b);
	return k;
}

static struct key item_key(const void *path, size_t path_size, uint64_t size,
			   struct stamp mtime)
{
	uint8_t numbers[1 + 8 + 8 + 4];
	struct writer w = writer_over(numbers, sizeof numbers);

	writer_u8(&w, 'i');
	writer_u64(&w, size);
	writer_u64(&w, (uint64_t)mtime.seconds);
	writer_u32(&w, mtime.ns);
	struct digest d = digest_of_pair(numbers, w.used, path, path_size);
	return key_of(&d);
}

static struct key path_key(const void *path, size_t path_size)
{
	struct digest d = digest_of_pair("p", 1, path, path_size);

	return key_of(&d);
}

static struct key directory_key(const void *path, size_t path_size)
{
	struct digest d = digest_of_pair("d", 1, path, path_size);

	return key_of(&d);
}

/* ---- making ---------------------------------------------------------------------------- */

static int on_class(void *arg, const struct record_class *k)
{
	struct class_ids *ids = arg;
	struct record_class *list = realloc(ids->list, (ids->count + 1) * sizeof *list);

	if (!list)
		return no_memory(ids->e);
	ids->list = list;
	ids->list[ids->count++] = *k;
	return 0;
}

/* Class 1 is that of what has none. */
static int64_t class_id(const struct class_ids *ids, const char *code)
{
	for (size_t i = 0; code && i < ids->count; i++)
		if (strcmp(ids->list[i].code, code) == 0)
			return ids->list[i].id;
	return 1;
}

static size_t parent_size(const char *path, size_t size)
{
	while (size > 0 && path[size - 1] != '/')
		size--;
	return size > 0 ? size - 1 : 0;
}

/* All directories on the way to it, the top included. */
static int mark_way(struct selection *s, const char *path, size_t size, enum decision d,
		    struct err *e)
{
	uint64_t bit = (uint64_t)1 << (LEADS_SHIFT + d);

	for (;;) {
		struct key k = directory_key(path, size);
		uint64_t value = map_get(&s->items, k.a, k.b);

		if (value & bit)
			return 0;	/* then those above it are marked too */
		if (!map_put(&s->items, k.a, k.b, value | bit))
			return no_memory(e);
		if (size == 0)
			return 0;
		size = parent_size(path, size);
	}
}

static int on_item(void *arg, const struct decided_row *r)
{
	struct making *m = arg;
	const struct item_row *item = r->item;
	enum decision d = decided_decision(r);

	if (!is_decided(r))
		return 0;
	m->s->counts[d]++;
	total_add(&m->s->bytes[d], item->kind == NODE_FILE ? item->size : 0);
	if (item->kind == NODE_DIRECTORY &&
	    mark_way(m->s, item->path, item->path_size, d, m->e) < 0)
		return -1;
	struct key k = item_key(item->path, item->path_size,
				item->kind == NODE_FILE ? item->size : 0, item->mtime);
	uint64_t value = IS_ITEM | (uint64_t)d << DECISION_SHIFT |
		(uint64_t)class_id(&m->classes, decided_class(r)) << CLASS_SHIFT;
	struct key by_path = path_key(item->path, item->path_size);
	if (!map_put(&m->s->items, k.a, k.b, value) ||
	    (m->by_path && !map_put(&m->s->items, by_path.a, by_path.b, value)))
		return no_memory(m->e);
	return mark_way(m->s, item->path, parent_size(item->path, item->path_size), d, m->e);
}

static int was_classified(struct catalogue *c, int64_t system, bool *out, struct err *e)
{
	struct err missing = ERR_NONE;
	struct classification k;

	*out = catalogue_classification_get(c, system, &k, &missing) == 0;
	if (*out || missing.code == MUNI_NOT_FOUND)
		return 0;
	*e = missing;
	return -1;
}

int selection_make(struct catalogue *c, int64_t system, bool by_path,
		   struct selection **out, struct err *e)
{
	struct making m = { .by_path = by_path, .classes.e = e, .e = e };
	bool is_there;
	int rc = -1;

	*out = NULL;
	if (was_classified(c, system, &is_there, e) < 0)
		return -1;
	if (!is_there)
		return 0;
	m.s = calloc(1, sizeof *m.s);
	if (!m.s)
		return no_memory(e);
	if (catalogue_classes(c, on_class, &m.classes, e) == 0)
		rc = catalogue_decided(c, system, NULL, 0, on_item, &m, e);
	free(m.classes.list);
	if (rc < 0)
		selection_free(m.s);
	else
		*out = m.s;
	return rc;
}

void selection_free(struct selection *s)
{
	if (s)
		map_free(&s->items);
	free(s);
}

/* ---- asking --------------------------------------------------------------------------------- */

static struct selected ask(const struct selection *s, struct key k)
{
	uint64_t value = map_get(&s->items, k.a, k.b);

	if (!(value & IS_ITEM))
		return (struct selected){ .decision = DECISION_REVIEW, .class_id = 1 };
	return (struct selected){
		.is_decided = true, .decision = (enum decision)(value >> DECISION_SHIFT & 3),
		.class_id = (int64_t)(value >> CLASS_SHIFT),
	};
}

struct selected selection_of(const struct selection *s, const void *path, size_t path_size,
			     uint64_t size, struct stamp mtime)
{
	return ask(s, item_key(path, path_size, size, mtime));
}

struct selected selection_by_path(const struct selection *s, const void *path,
				  size_t path_size)
{
	return ask(s, path_key(path, path_size));
}

bool selection_leads_to(const struct selection *s, const void *path, size_t path_size,
			enum decision d)
{
	struct key k = directory_key(path, path_size);

	return map_get(&s->items, k.a, k.b) >> (LEADS_SHIFT + d) & 1;
}

uint64_t selection_count(const struct selection *s, enum decision d)
{
	return s->counts[d];
}

uint64_t selection_bytes(const struct selection *s, enum decision d)
{
	return s->bytes[d];
}
