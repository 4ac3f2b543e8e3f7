#include "fs/store/redo_replay.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/store/pagevfs_cipher.h"
#include "fs/store/redo_pack.h"

#define TAG_SIZE PAGEVFS_TAG_SIZE
#define PENDING_PAGE (0x40000000 / PAGEVFS_PAGE_SIZE + 1)

/* What pagevfs_digest() looks at, of the catalogue as it is so far. */
struct state {
	int fd;			/* borrowed; -1: none */
	unsigned key_id;	/* 0: none */
	uint64_t pages;
	uint64_t capacity;
	uint8_t (*tags)[TAG_SIZE];	/* owned; [0] is page 1's */
	uint8_t head[PAGEVFS_HEAD_SIZE];
};

static int make_room(struct state *s, uint64_t pages, struct err *e)
{
	if (pages <= s->capacity)
		return 0;
	void *tags = realloc(s->tags, pages * TAG_SIZE);
	if (!tags)
		return err_set(e, MUNI_NO_MEMORY, "no memory for the tags of %llu pages",
			       (unsigned long long)pages);
	s->tags = tags;
	memset(s->tags + s->capacity, 0, (pages - s->capacity) * TAG_SIZE);
	s->capacity = pages;
	return 0;
}

static int digest_of_state(const struct state *s, struct digest *out, struct err *e)
{
	struct hasher *h = hasher_new();

	if (!h)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a digest");
	hasher_update(h, s->head, sizeof s->head);
	for (uint64_t page = 1; page <= s->pages; page++)
		if (page != PENDING_PAGE)
			hasher_update(h, s->tags[page - 1], TAG_SIZE);
	*out = hasher_finish(h);
	hasher_free(h);
	return 0;
}

static int apply_page(struct state *s, const struct redo_object *r, uint32_t i, struct err *e)
{
	const uint8_t *first = redo_object_first_bytes(r, i);
	uint32_t page = redo_object_number(r, i);

	if (page == 0 || page > s->pages)
		return err_set(e, MUNI_DAMAGED, "it holds page %u of a catalogue of %llu", page,
			       (unsigned long long)s->pages);
	memcpy(s->tags[page - 1], redo_object_tag(r, i), TAG_SIZE);
	if (first)
		memcpy(s->head, first, sizeof s->head);
	if (s->fd < 0)
		return 0;
	return file_write_at(s->fd, (uint64_t)(page - 1) * PAGEVFS_PAGE_SIZE,
			     redo_object_page(r, i), PAGEVFS_PAGE_SIZE, e);
}

static int apply_pages(struct redo_object *r, const struct redo_head *head, struct state *s,
		       struct err *e)
{
	if (!digest_equal(&r->head.after, &head->after) || r->head.pages != head->pages ||
	    r->head.kind != head->kind)
		return err_set(e, MUNI_DAMAGED, "it changed while it was read");
	if ((s->key_id != 0 || s->fd >= 0) && redo_unpack(r, s->key_id, e) < 0)
		return -1;
	for (uint32_t i = 0; i < r->head.pages; i++)
		if (apply_page(s, r, i, e) < 0)
			return -1;
	return 0;
}

static int apply_object(struct objects *o, const struct redo_head *head, struct state *s,
			struct err *e)
{
	struct object_name name = { .kind = OBJECTS_CATALOGUE };
	struct redo_object object;
	char text[OBJECT_TEXT_MAX];

	memcpy(name.uid, head->uid, sizeof name.uid);
	int rc = redo_object_load(o, &name, &object, e);
	if (rc == 0 && apply_pages(&object, head, s, e) < 0)
		rc = err_wrap(e, "%s", object_text(&name, text));
	redo_object_free(&object);
	return rc;
}

/* A page is there because a set has it; the pending page alone is in none.  So nobody
 * makes us take memory for pages that no object holds: heads are not sealed. */
static int check_growth(const struct redo_set *set, const struct state *s, struct err *e)
{
	uint64_t most = s->pages + 1;

	for (uint32_t i = 0; i < set->count; i++)
		most += set->parts[i].pages;
	if (set->parts[0].page_count <= most)
		return 0;
	return err_set(e, MUNI_DAMAGED, "set %llu of base and redo names %llu pages and holds "
		       "too few of them", (unsigned long long)set->parts[0].sequence,
		       (unsigned long long)set->parts[0].page_count);
}

static int apply_set(struct objects *o, const struct redo_set *set, struct state *s,
		     struct err *e)
{
	struct digest now;

	if (check_growth(set, s, e) < 0 || make_room(s, set->parts[0].page_count, e) < 0)
		return -1;
	s->pages = set->parts[0].page_count;
	for (uint32_t i = 0; i < set->count; i++)
		if (apply_object(o, &set->parts[i], s, e) < 0)
			return -1;
	if (s->fd >= 0 && ftruncate(s->fd, (off_t)(s->pages * PAGEVFS_PAGE_SIZE)) < 0)
		return err_errno(e, "setting the size of the rebuilt catalogue");
	if (digest_of_state(s, &now, e) < 0)
		return -1;
	if (!digest_equal(&now, &set->parts[0].after))
		return err_set(e, MUNI_DAMAGED, "set %llu of base and redo does not lead to the "
			       "catalogue that it names",
			       (unsigned long long)set->parts[0].sequence);
	return 0;
}

int redo_replay(struct objects *o, const struct redo_chain *c, unsigned key_id, int fd,
		struct digest *reached, struct err *e)
{
	struct state s = { .fd = fd, .key_id = key_id };
	int rc = 0;

	*reached = (struct digest){ 0 };
	for (size_t i = c->begin; i < c->end && rc == 0; i++) {
		rc = apply_set(o, &c->sets[i], &s, e);
		if (rc == 0)
			*reached = c->sets[i].parts[0].after;
	}
	free(s.tags);
	return rc;
}
