#include "fs/store/redo_chain.h"

#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"

static int by_sequence(const void *a, const void *b)
{
	const struct redo_head *x = a, *y = b;

	if (x->sequence != y->sequence)
		return x->sequence < y->sequence ? -1 : 1;
	if (x->part != y->part)
		return x->part < y->part ? -1 : 1;
	return 0;
}

static bool agree(const struct redo_head *a, const struct redo_head *b)
{
	return a->kind == b->kind && a->parts == b->parts && a->page_count == b->page_count &&
	       digest_equal(&a->before, &b->before) && digest_equal(&a->after, &b->after);
}

/* A base is whole only if its parts cover pages 1 to the last, in order. */
static bool is_whole(const struct redo_set *s)
{
	uint64_t next = 1;

	if (s->count != s->parts[0].parts)
		return false;
	for (uint32_t i = 0; i < s->count; i++) {
		const struct redo_head *h = &s->parts[i];
		if (h->part != i || !agree(h, &s->parts[0]))
			return false;
		if (h->kind == REDO_BASE && h->first != next)
			return false;
		next += h->pages;
	}
	return s->parts[0].kind != REDO_BASE || next == s->parts[0].page_count + 1;
}

static int group(struct redo_chain *c, struct err *e)
{
	qsort(c->heads, c->head_count, sizeof *c->heads, by_sequence);
	c->sets = calloc(c->head_count + 1, sizeof *c->sets);
	if (!c->sets)
		return err_set(e, MUNI_NO_MEMORY, "no memory for the list of redo objects");
	for (size_t i = 0; i < c->head_count;) {
		struct redo_set *s = &c->sets[c->set_count++];
		s->parts = &c->heads[i];
		while (i < c->head_count && c->heads[i].sequence == s->parts[0].sequence) {
			s->count++;
			i++;
		}
		s->is_whole = is_whole(s);
		c->last_sequence = s->parts[0].sequence;
	}
	return 0;
}

static void find_chain(struct redo_chain *c)
{
	size_t i = c->set_count;

	while (i > 0 && !(c->sets[i - 1].is_whole && c->sets[i - 1].parts[0].kind == REDO_BASE))
		i--;
	if (i == 0)
		return;
	c->begin = i - 1;
	for (c->end = i; c->end < c->set_count; c->end++) {
		const struct redo_head *now = c->sets[c->end].parts;
		const struct redo_head *before = c->sets[c->end - 1].parts;
		if (!c->sets[c->end].is_whole || now->kind != REDO_CHANGES ||
		    now->sequence != before->sequence + 1 ||
		    !digest_equal(&now->before, &before->after))
			break;
	}
}

static int read_heads(struct objects *o, const struct object_name *names, size_t count,
		      const uint8_t archive_id[16], uint64_t epoch, struct redo_chain *c,
		      struct err *e)
{
	c->heads = calloc(count + 1, sizeof *c->heads);
	c->unreadable = calloc(count + 1, sizeof *c->unreadable);
	if (!c->heads || !c->unreadable)
		return err_set(e, MUNI_NO_MEMORY, "no memory for the list of redo objects");
	for (size_t i = 0; i < count; i++) {
		struct redo_head *h = &c->heads[c->head_count];
		struct err why = ERR_NONE;
		if (redo_object_head(o, &names[i], h, &why) == 0) {
			bool is_ours = memcmp(h->archive_id, archive_id, 16) == 0;

			if (is_ours && h->epoch > c->newest_epoch)
				c->newest_epoch = h->epoch;
			c->head_count += is_ours && h->epoch == epoch;
		} else if (why.code == MUNI_DAMAGED) {
			c->unreadable[c->unreadable_count++] = names[i];
		} else {
			*e = why;
			return -1;
		}
	}
	return 0;
}

int redo_chain_load(struct objects *o, const uint8_t archive_id[16], uint64_t epoch,
		    struct redo_chain *out, struct err *e)
{
	struct object_name *names = NULL;
	size_t count = 0;
	int rc = -1;

	*out = (struct redo_chain){ 0 };
	if (objects_list(o, OBJECTS_CATALOGUE, &names, &count, NULL, e) < 0)
		return -1;
	if (read_heads(o, names, count, archive_id, epoch, out, e) < 0 || group(out, e) < 0)
		goto out;
	find_chain(out);
	rc = 0;
out:
	if (rc < 0)
		redo_chain_free(out);
	free(names);
	return rc;
}

void redo_chain_free(struct redo_chain *c)
{
	free(c->heads);
	free(c->sets);
	free(c->unreadable);
	*c = (struct redo_chain){ 0 };
}

bool redo_chain_is_empty(const struct redo_chain *c)
{
	return c->begin == c->end;
}

struct digest redo_chain_after(const struct redo_chain *c)
{
	if (redo_chain_is_empty(c))
		return (struct digest){ 0 };
	return c->sets[c->end - 1].parts[0].after;
}

uint64_t redo_chain_changed_pages(const struct redo_chain *c)
{
	uint64_t pages = 0;

	for (size_t i = c->begin + 1; i < c->end; i++)
		for (uint32_t p = 0; p < c->sets[i].count; p++)
			pages += c->sets[i].parts[p].pages;
	return pages;
}

bool redo_chain_has_gap(const struct redo_chain *c)
{
	for (size_t i = c->end; i < c->set_count; i++)
		if (c->sets[i].is_whole && c->sets[i].parts[0].kind == REDO_CHANGES)
			return true;
	return false;
}
