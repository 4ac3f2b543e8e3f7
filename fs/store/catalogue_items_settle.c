/*
 * The end of a scan: what it did not see goes, and each content's first name by
 * path becomes the original of its copies.
 *
 * Three passes over the rows in order of paths.  The first drops, and notes 8
 * bytes of each digest, so that only contents that stand more than once cost
 * memory in the second, which notes where they stand; those, sorted by digest and
 * inode, are groups.  The third writes what differs: an original comes before its
 * copies, so its path is at hand by then.
 *
 * Rows are read a page at a time: no statement stands open while rows are written.
 */
#include <stdlib.h>
#include <string.h>

#include "fs/base/total.h"
#include "fs/store/catalogue_items_inside.h"

struct copy {			/* an item whose content stands more than once */
	struct digest sha;
	uint64_t device, inode;
	uint64_t rank;		/* of its path among all rows */
	uint64_t size;
	uint64_t leader;	/* rank of the original */
	uint64_t copies;
	bool is_duplicate;	/* of it, and no other name of it */
	int64_t id;
	char *path;		/* of an original, once it was met; owned */
	size_t path_size;
};

struct inode_name {
	uint64_t device, inode, size;
};

struct settling {
	struct catalogue *c;
	int64_t system;
	bool (*is_there)(void *arg, int64_t id);
	void *arg;
	struct item_sums *sums;
	struct item_lines lines;
	uint64_t *heads;	/* first 8 bytes of digests; later those met twice; owned */
	size_t head_count, head_capacity;
	struct copy *copies;	/* owned */
	size_t copy_count, copy_capacity, next_copy;
	struct inode_name *names;	/* items of several links; owned */
	size_t name_count, name_capacity;
	uint64_t rank;
	struct hasher *digest;	/* over the inventory; owned */
};

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "no memory to settle the inventory");
}

/* The list with room for one more, maybe elsewhere; NULL without memory. */
static void *roomy(void *list, size_t count, size_t *capacity, size_t each)
{
	size_t more = *capacity ? *capacity * 2 : 256;

	if (count < *capacity)
		return list;
	list = reallocarray(list, more, each);
	if (list)
		*capacity = more;
	return list;
}

static int each_line(struct settling *s, int (*act)(struct settling *s,
						    struct item_line *l, struct err *e),
		     struct err *e)
{
	int got;

	item_lines_clear(&s->lines);
	s->rank = 0;
	while ((got = item_lines_next(s->c, s->system, &s->lines, e)) > 0)
		for (size_t i = 0; i < s->lines.count; i++)
			if (act(s, &s->lines.list[i], e) < 0)
				return -1;
	return got;
}

/* ---- first pass: what is gone, what may stand twice ------------------------------------ */

static bool can_be_copy(const struct item_line *l)
{
	return l->kind == NODE_FILE && l->has_sha && l->size > 0;
}

static uint64_t head_of(const struct digest *d)
{
	uint64_t head;

	memcpy(&head, d->bytes, sizeof head);
	return head;
}

static int drop(struct settling *s, const struct item_line *l, struct err *e)
{
	struct query q;

	if (item_findings_drop(s->c, l->id, e) < 0 ||
	    catalogue_decision_forget(s->c, l->id, e) < 0 ||
	    query_open_write(&q, s->c, STATEMENT_ITEM_DROP,
			     "DELETE FROM item WHERE system = ? AND path = ?", e) < 0)
		return -1;
	query_int(&q, s->system);
	query_blob(&q, l->path, l->path_size);
	s->sums->gone++;
	return query_run(&q, e);
}

static int drop_or_note(struct settling *s, struct item_line *l, struct err *e)
{
	void *grown;

	if (!s->is_there(s->arg, l->id))
		return drop(s, l, e);
	if (!can_be_copy(l))
		return 0;
	grown = roomy(s->heads, s->head_count, &s->head_capacity, sizeof *s->heads);
	if (!grown)
		return no_memory(e);
	s->heads = grown;
	s->heads[s->head_count++] = head_of(&l->sha);
	return 0;
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Leaves each that stands more than once, once. */
static void keep_repeated(struct settling *s)
{
	size_t kept = 0;

	if (s->head_count > 1)
		qsort(s->heads, s->head_count, sizeof *s->heads, by_number);
	for (size_t i = 1; i < s->head_count; i++)
		if (s->heads[i] == s->heads[i - 1] &&
		    (kept == 0 || s->heads[kept - 1] != s->heads[i]))
			s->heads[kept++] = s->heads[i];
	s->head_count = kept;
}

/* ---- second pass: where the copies stand ------------------------------------------------ */

static int note_copy(struct settling *s, struct item_line *l, struct err *e)
{
	uint64_t rank = s->rank++, head = head_of(&l->sha);
	void *grown;

	if (!can_be_copy(l) || s->head_count == 0 ||
	    !bsearch(&head, s->heads, s->head_count, sizeof head, by_number))
		return 0;
	grown = roomy(s->copies, s->copy_count, &s->copy_capacity, sizeof *s->copies);
	if (!grown)
		return no_memory(e);
	s->copies = grown;
	s->copies[s->copy_count++] = (struct copy){
		.sha = l->sha, .device = l->device, .inode = l->inode, .rank = rank,
		.size = l->size, .id = l->id,
	};
	return 0;
}

static int by_content(const void *a, const void *b)
{
	const struct copy *x = a, *y = b;
	int order = memcmp(x->sha.bytes, y->sha.bytes, DIGEST_SIZE);

	if (order != 0)
		return order;
	if (x->device != y->device)
		return x->device < y->device ? -1 : 1;
	if (x->inode != y->inode)
		return x->inode < y->inode ? -1 : 1;
	return x->rank < y->rank ? -1 : 1;
}

static int by_rank(const void *a, const void *b)
{
	const struct copy *x = a, *y = b;

	return x->rank < y->rank ? -1 : x->rank > y->rank;
}

static bool is_same_inode(const struct copy *a, const struct copy *b)
{
	return (a->device || a->inode) && a->device == b->device && a->inode == b->inode;
}

/* Copies of one content, by inode. */
static void settle_group(struct settling *s, struct copy *group, size_t count)
{
	const struct copy *leader = group;
	uint64_t inodes = 0;

	for (size_t i = 1; i < count; i++)
		if (group[i].rank < leader->rank)
			leader = &group[i];
	for (size_t i = 0; i < count; i++) {
		bool is_new = i == 0 || !is_same_inode(&group[i], &group[i - 1]);

		inodes += is_new;
		group[i].leader = leader->rank;
		group[i].is_duplicate = &group[i] != leader &&
			!is_same_inode(&group[i], leader);
		if (!group[i].is_duplicate)
			continue;
		s->sums->duplicates++;
		if (is_new)
			total_add(&s->sums->duplicate_bytes, group[i].size);
	}
	for (size_t i = 0; i < count; i++)
		group[i].copies = inodes;
}

static void make_groups(struct settling *s)
{
	size_t begin = 0;

	if (s->copy_count == 0)
		return;
	qsort(s->copies, s->copy_count, sizeof *s->copies, by_content);
	for (size_t i = 1; i <= s->copy_count; i++) {
		if (i < s->copy_count &&
		    digest_equal(&s->copies[i].sha, &s->copies[begin].sha))
			continue;
		settle_group(s, &s->copies[begin], i - begin);
		begin = i;
	}
	qsort(s->copies, s->copy_count, sizeof *s->copies, by_rank);
}

/* ---- third pass: what differs, and the sums ----------------------------------------------- */

static int write_copy(struct settling *s, const struct item_line *l, const struct copy *original,
		      uint64_t copies, struct err *e)
{
	struct query q;

	if (original ? l->first == original->id && l->original &&
		       l->original_size == original->path_size &&
		       memcmp(l->original, original->path, l->original_size) == 0
		     : l->first == 0)
		if (l->copies == copies)
			return 0;
	/* What was decided on a copy rested on its original. */
	if (catalogue_decision_forget(s->c, l->id, e) < 0 ||
	    query_open_write(&q, s->c, STATEMENT_ITEM_COPY, "UPDATE item SET first = ?,"
			     " original = ?, copies = ? WHERE system = ? AND path = ?", e) < 0)
		return -1;
	query_id_or_null(&q, original ? original->id : 0);
	if (original)
		query_blob(&q, original->path, original->path_size);
	else
		query_null(&q);
	query_unsigned(&q, copies);
	query_int(&q, s->system);
	query_blob(&q, l->path, l->path_size);
	return query_run(&q, e);
}

static int settle_copy(struct settling *s, struct item_line *l, struct copy *copy, struct err *e)
{
	const struct copy key = { .rank = copy->leader };
	struct copy *leader = bsearch(&key, s->copies, s->copy_count, sizeof key, by_rank);

	if (leader == copy && copy->copies > 1) {
		copy->path = item_bytes(l->path, l->path_size);
		copy->path_size = l->path_size;
		if (!copy->path)
			return no_memory(e);
	}
	return write_copy(s, l, copy->is_duplicate ? leader : NULL, copy->copies, e);
}

static int sum_up(struct settling *s, const struct item_line *l, struct err *e)
{
	struct item_sums *sums = s->sums;
	uint8_t numbers[8 + 4 + 8];
	struct writer w = writer_over(numbers, sizeof numbers);
	void *grown;

	writer_u64(&w, l->path_size);
	writer_u32(&w, l->kind);
	writer_u64(&w, l->size);
	hasher_update(s->digest, numbers, w.used);
	hasher_update(s->digest, l->path, l->path_size);
	hasher_update(s->digest, l->sha.bytes, DIGEST_SIZE);
	sums->items++;
	sums->with_findings += l->has_findings;
	sums->opaque += l->is_opaque;
	if (l->kind != NODE_FILE)
		return 0;
	sums->files++;
	if (l->links < 2 || (l->device == 0 && l->inode == 0)) {
		total_add(&sums->bytes, l->size);
		return 0;
	}
	grown = roomy(s->names, s->name_count, &s->name_capacity, sizeof *s->names);
	if (!grown)
		return no_memory(e);
	s->names = grown;
	s->names[s->name_count++] = (struct inode_name){ l->device, l->inode, l->size };
	return 0;
}

static int write_line(struct settling *s, struct item_line *l, struct err *e)
{
	uint64_t rank = s->rank++;
	struct copy *copy = s->next_copy < s->copy_count &&
		s->copies[s->next_copy].rank == rank ? &s->copies[s->next_copy++] : NULL;

	if (sum_up(s, l, e) < 0)
		return -1;
	return copy ? settle_copy(s, l, copy, e) : write_copy(s, l, NULL, 1, e);
}

static int by_inode(const void *a, const void *b)
{
	const struct inode_name *x = a, *y = b;

	if (x->device != y->device)
		return x->device < y->device ? -1 : 1;
	return x->inode < y->inode ? -1 : x->inode > y->inode;
}

static void add_linked_bytes(struct settling *s)
{
	if (s->name_count > 1)
		qsort(s->names, s->name_count, sizeof *s->names, by_inode);
	for (size_t i = 0; i < s->name_count; i++)
		if (i == 0 || by_inode(&s->names[i], &s->names[i - 1]) != 0)
			total_add(&s->sums->bytes, s->names[i].size);
}

/* ---- the whole ------------------------------------------------------------------------------ */

static void settling_free(struct settling *s)
{
	item_lines_clear(&s->lines);
	for (size_t i = 0; i < s->copy_count; i++)
		free(s->copies[i].path);
	hasher_free(s->digest);
	free(s->heads);
	free(s->copies);
	free(s->names);
	free(s);
}

int catalogue_items_settle(struct catalogue *c, int64_t system,
			   bool (*is_there)(void *arg, int64_t id), void *arg,
			   struct item_sums *sums, struct err *e)
{
	struct settling *s = calloc(1, sizeof *s);
	int rc = -1;

	*sums = (struct item_sums){ .items = 0 };
	if (!s)
		return no_memory(e);
	s->c = c;
	s->system = system;
	s->is_there = is_there;
	s->arg = arg;
	s->sums = sums;
	s->digest = hasher_new();
	if (!s->digest) {
		no_memory(e);
		goto out;
	}
	if (each_line(s, drop_or_note, e) < 0)
		goto out;
	keep_repeated(s);
	if (s->head_count > 0 && each_line(s, note_copy, e) < 0)
		goto out;
	make_groups(s);
	if (each_line(s, write_line, e) < 0)
		goto out;
	add_linked_bytes(s);
	sums->digest = hasher_finish(s->digest);
	rc = 0;
out:
	settling_free(s);
	return rc;
}
