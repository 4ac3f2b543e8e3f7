#include "fs/store/redo_replay.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/base/team.h"
#include "fs/store/pagevfs_cipher.h"
#include "fs/store/redo_pack.h"

#define TAG_SIZE PAGEVFS_TAG_SIZE
/* Of an object's pages two threads make the old ones; 16 MiB or so each. */
#define BATCH 4u
#define PENDING_PAGE (0x40000000 / PAGEVFS_PAGE_SIZE + 1)

/* What pagevfs_digest() looks at, of the catalogue as it is so far. */
struct state {
	const struct redo_witness *witness;	/* borrowed; NULL: nobody */
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

/* ---- objects, a few at once --------------------------------------------------------- */

struct part {
	const struct redo_head *head;	/* as the chain has it; borrowed */
	struct redo_object object;	/* owned */
	bool is_loaded;
	struct err why;			/* it could not be loaded, or not be opened */
};

struct batch {
	struct objects *objects;
	const struct state *state;	/* read only */
	struct part parts[BATCH];
	uint32_t count;
};

static struct object_name name_of(const struct redo_head *head)
{
	struct object_name name = { .kind = OBJECTS_CATALOGUE };

	memcpy(name.uid, head->uid, sizeof name.uid);
	return name;
}

static int open_part(const struct batch *b, struct part *p)
{
	const struct redo_head *now = &p->object.head, *then = p->head;

	if (!digest_equal(&now->after, &then->after) || now->pages != then->pages ||
	    now->kind != then->kind)
		return err_set(&p->why, MUNI_DAMAGED, "it changed while it was read");
	if (b->state->key_id == 0 && b->state->fd < 0)
		return 0;
	return redo_unpack(&p->object, b->state->key_id, &p->why);
}

static void load_part(void *arg, size_t i)
{
	struct batch *b = arg;
	struct part *p = &b->parts[i];
	struct object_name name = name_of(p->head);
	char text[OBJECT_TEXT_MAX];

	p->is_loaded = redo_object_load(b->objects, &name, &p->object, &p->why) == 0;
	if (p->is_loaded && open_part(b, p) < 0)
		err_wrap(&p->why, "%s", object_text(&name, text));
}

static int apply_part(struct state *s, const struct part *p, struct err *e)
{
	struct object_name name = name_of(p->head);
	char text[OBJECT_TEXT_MAX];

	if (s->witness)
		s->witness->loaded(s->witness->arg, p->head, &p->object,
				   p->is_loaded ? NULL : &p->why);
	if (p->why.code != MUNI_OK) {
		*e = p->why;
		return -1;
	}
	for (uint32_t i = 0; i < p->object.head.pages; i++)
		if (apply_page(s, &p->object, i, e) < 0)
			return err_wrap(e, "%s", object_text(&name, text));
	return 0;
}

static int apply_batch(struct objects *o, const struct redo_head *heads, uint32_t count,
		       struct state *s, struct err *e)
{
	struct batch b = { .objects = o, .state = s, .count = count };
	int rc = 0;

	for (uint32_t i = 0; i < count; i++)
		b.parts[i] = (struct part){ .head = &heads[i], .why = ERR_NONE };
	team_run(team_processors(), count, load_part, &b);
	for (uint32_t i = 0; i < count && rc == 0; i++)
		rc = apply_part(s, &b.parts[i], e);
	for (uint32_t i = 0; i < count; i++)
		redo_object_free(&b.parts[i].object);
	return rc;
}

/* ---- sets ------------------------------------------------------------------------------ */

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
	for (uint32_t i = 0; i < set->count; i += BATCH)
		if (apply_batch(o, &set->parts[i],
				set->count - i < BATCH ? set->count - i : BATCH, s, e) < 0)
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
		const struct redo_witness *witness, struct digest *reached, struct err *e)
{
	struct state s = { .witness = witness, .fd = fd, .key_id = key_id };
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
