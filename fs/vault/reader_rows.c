#include "fs/vault/reader_rows.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/spin.h"
#include "fs/crypt/arena.h"
#include "fs/crypt/secret.h"

#define WAYS 8
#define PAGE_WAYS 16		/* a few areas meet in a set without driving each other out */
#define BATCH 32		/* block rows fetched at once */
#define NEIGHBOURS 32		/* contents whose extents are fetched at once */
#define GAP_MAX 8		/* contents that are fetched, too, for they lie between two */
#define PAGE_USUAL 512		/* bytes; most files are small and have one extent */
#define AREA_BITS 26		/* pages are sought by content and 64 MiB of file */

struct block_row {		/* what reading needs of a struct block; id 0: free */
	int64_t id, bases[BLOCK_BASES_MAX];
	uint64_t offset;
	uint32_t stored, raw;
	uint8_t uid[16], key[32], segment_uid[16];
	uint8_t codec;
};

struct page_slot {		/* page NULL: free */
	int64_t content;	/* the page's: who seeks another need not look at it */
	struct extents *page;
};

struct row_cache {
	pthread_mutex_t lock;	/* protects all below */
	size_t page_sets, row_sets;
	struct page_slot *pages;	/* page_sets * PAGE_WAYS */
	struct block_row *rows;	/* row_sets * WAYS */
	bool *is_set_used;	/* row_sets: the others were never touched, and cost no memory */
	unsigned next_page, next_row;	/* the way that goes next */
	size_t page_bytes, page_limit;
	size_t next_victim;	/* slot of pages from where room is made */
};

static uint64_t mix(uint64_t a, uint64_t b)
{
	uint64_t h = (a ^ (b << 40)) * 0x9e3779b97f4a7c15u;

	return h ^ (h >> 29);
}

static size_t page_size(unsigned count)
{
	return sizeof(struct extents) + count * sizeof(struct row_extent);
}

struct row_cache *row_cache_new(size_t limit_bytes)
{
	struct row_cache *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	/* A quarter for pages, the rest for rows: each part answers for about as much
	 * content.  At least one set each.  Slots are for small pages; what large ones take
	 * is counted. */
	c->page_limit = limit_bytes / 4;
	c->page_sets = c->page_limit / (PAGE_WAYS * PAGE_USUAL);
	c->row_sets = limit_bytes / 4 * 3 / (WAYS * sizeof(struct block_row));
	if (c->page_sets == 0)
		c->page_sets = 1;
	if (c->row_sets == 0)
		c->row_sets = 1;
	c->pages = calloc(c->page_sets * PAGE_WAYS, sizeof *c->pages);
	c->rows = arena_new_zeroed(c->row_sets * WAYS * sizeof *c->rows);	/* keys of blocks */
	c->is_set_used = calloc(c->row_sets, sizeof *c->is_set_used);
	if (!c->pages || !c->rows || !c->is_set_used) {
		free(c->is_set_used);
		free(c->pages);
		arena_free(c->rows);
		free(c);
		return NULL;
	}
	spin_mutex_init(&c->lock);
	return c;
}

/* Under the lock. */
static void drop(struct row_cache *rc, struct extents *x)
{
	if (x && --x->refs == 0) {
		rc->page_bytes -= page_size(x->count);
		free(x);
	}
}

/* Under the lock. */
static void vacate(struct row_cache *rc, struct page_slot *slot)
{
	drop(rc, slot->page);
	slot->page = NULL;
}

void row_cache_clear(struct row_cache *c)
{
	pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < c->page_sets * PAGE_WAYS; i++)
		vacate(c, &c->pages[i]);
	for (size_t i = 0; i < c->row_sets; i++) {
		if (c->is_set_used[i])
			secret_wipe(&c->rows[i * WAYS], WAYS * sizeof *c->rows);
		c->is_set_used[i] = false;
	}
	pthread_mutex_unlock(&c->lock);
}

void row_cache_free(struct row_cache *c)
{
	if (!c)
		return;
	row_cache_clear(c);
	pthread_mutex_destroy(&c->lock);
	free(c->is_set_used);
	free(c->pages);
	arena_free(c->rows);
	free(c);
}

size_t row_cache_used(struct row_cache *c)
{
	pthread_mutex_lock(&c->lock);
	size_t used = c->page_bytes + c->row_sets * WAYS * sizeof *c->rows;
	pthread_mutex_unlock(&c->lock);
	return used;
}

/* ---- extents ------------------------------------------------------------------ */

static struct page_slot *page_set(struct row_cache *rc, int64_t content, uint64_t offset)
{
	return &rc->pages[mix((uint64_t)content, offset >> AREA_BITS) % rc->page_sets * PAGE_WAYS];
}

/* Under the lock. */
static struct extents *find(struct row_cache *rc, int64_t content, uint64_t offset)
{
	const struct page_slot *set = page_set(rc, content, offset);

	for (unsigned i = 0; i < PAGE_WAYS; i++) {
		struct extents *x = set[i].page;
		if (x && set[i].content == content && x->first <= offset && offset < x->end)
			return x;
	}
	return NULL;
}

static struct extents *page_find(struct row_cache *rc, int64_t content, uint64_t offset)
{
	pthread_mutex_lock(&rc->lock);
	struct extents *found = find(rc, content, offset);
	if (found)
		found->refs++;
	pthread_mutex_unlock(&rc->lock);
	return found;
}

/* Under the lock: one round over the slots at most. */
static void make_room(struct row_cache *rc, size_t size)
{
	size_t slots = rc->page_sets * PAGE_WAYS;

	for (size_t i = 0; i < slots && rc->page_bytes + size > rc->page_limit; i++)
		vacate(rc, &rc->pages[rc->next_victim++ % slots]);
}

/* Under the lock; its reference is the table's. */
static void keep(struct row_cache *rc, struct extents *x, uint64_t offset)
{
	make_room(rc, page_size(x->count));
	struct page_slot *set = page_set(rc, x->content, offset);
	unsigned way = rc->next_page++ % PAGE_WAYS;

	for (unsigned i = 0; i < PAGE_WAYS; i++)
		if (!set[i].page)
			way = i;
	vacate(rc, &set[way]);
	set[way] = (struct page_slot){ x->content, x };
	x->refs = 1;
	rc->page_bytes += page_size(x->count);
}

/* C4 checked the rows; what must hold between extents is checked here: sorted,
 * apart, inside what a block can hold. */
static int check_page(const struct extent_page *p, int64_t content, uint64_t offset,
		      struct err *e)
{
	uint64_t end = 0;

	if (p->count > EXTENTS_A_PAGE || p->first > offset || p->end <= offset)
		goto bad;
	for (unsigned i = 0; i < p->count; i++) {
		const struct extent *x = &p->extents[i];
		if (x->offset < end || x->size == 0 || x->size > BLOCK_RAW_MAX ||
		    x->at > BLOCK_RAW_MAX - x->size || x->block <= 0 ||
		    x->offset > UINT64_MAX - x->size)
			goto bad;
		end = x->offset + x->size;
	}
	return 0;
bad:
	return err_set(e, MUNI_DAMAGED, "the extents of content %lld cannot be as the "
		       "catalogue has them; run muni verify", (long long)content);
}

/* NULL without memory. */
static struct extents *page_copy(const struct extent_page *p, int64_t content)
{
	struct extents *x = malloc(page_size(p->count));

	if (x) {
		*x = (struct extents){ .content = content, .count = p->count,
				       .first = p->first, .end = p->end };
		for (unsigned i = 0; i < p->count; i++)
			x->list[i] = (struct row_extent){
				p->extents[i].offset, p->extents[i].block,
				p->extents[i].size, p->extents[i].at };
	}
	return x;
}

int rows_extents(struct row_cache *rc, struct catalogue *c, int64_t content,
		 uint64_t offset, struct extents **out, struct err *e)
{
	struct extent_page p;

	*out = page_find(rc, content, offset);
	if (*out)
		return 0;
	if (catalogue_extents(c, content, offset, &p, e) < 0 ||
	    check_page(&p, content, offset, e) < 0)
		return -1;
	*out = page_copy(&p, content);
	if (!*out)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a page of extents");
	pthread_mutex_lock(&rc->lock);
	keep(rc, *out, offset);
	(*out)->refs++;
	pthread_mutex_unlock(&rc->lock);
	return 0;
}

void rows_drop(struct row_cache *rc, struct extents *x)
{
	pthread_mutex_lock(&rc->lock);
	drop(rc, x);
	pthread_mutex_unlock(&rc->lock);
}

/* ---- extents of the files that come next -------------------------------------- */

struct neighbours {
	struct row_cache *rows;
	int64_t *blocks;
	unsigned max, count;
};

static void name_block(struct neighbours *n, int64_t block)
{
	for (unsigned i = n->count; i > 0; i--)
		if (n->blocks[i - 1] == block)
			return;
	if (n->count < n->max)
		n->blocks[n->count++] = block;
}

static int take_neighbour(void *arg, int64_t content, const struct extent_page *page)
{
	struct neighbours *n = arg;
	struct err ignored = ERR_NONE;
	struct extents *x;

	if (check_page(page, content, 0, &ignored) < 0 || !(x = page_copy(page, content)))
		return 0;	/* who asks for it hears what is wrong with it */
	for (unsigned i = 0; i < x->count; i++)
		name_block(n, x->list[i].block);
	pthread_mutex_lock(&n->rows->lock);
	bool is_there = find(n->rows, content, 0) != NULL;
	if (!is_there)
		keep(n->rows, x, 0);
	pthread_mutex_unlock(&n->rows->lock);
	if (is_there)
		free(x);
	return 0;
}

static bool is_known(struct row_cache *rc, int64_t content)
{
	struct extents *x = page_find(rc, content, 0);

	if (x)
		rows_drop(rc, x);
	return x != NULL;
}

unsigned rows_ahead(struct row_cache *rc, struct catalogue *c, int64_t content,
		    int64_t *blocks, unsigned max)
{
	struct neighbours n = { .rows = rc, .blocks = blocks, .max = max };
	struct err ignored = ERR_NONE;

	if (content < 2 || content > INT64_MAX / 2 || !is_known(rc, content - 1) ||
	    is_known(rc, content + NEIGHBOURS / 2))
		return 0;
	(void)catalogue_extents_between(c, content + 1, content + NEIGHBOURS, take_neighbour, &n,
					&ignored);
	return n.count;
}

/* How many from the first on are asked for at once: what lies between costs less than a query. */
static unsigned run_of(const int64_t *contents, unsigned count)
{
	unsigned n = 1;

	while (n < count && contents[n] > contents[n - 1] &&
	       contents[n] - contents[n - 1] <= GAP_MAX)
		n++;
	return n;
}

unsigned rows_of_many(struct row_cache *rc, struct catalogue *c, const int64_t *contents,
		      unsigned count, int64_t *blocks, unsigned max)
{
	struct neighbours found = { .rows = rc, .blocks = blocks, .max = max };
	struct err ignored = ERR_NONE;

	for (unsigned i = 0, n; i < count; i += n) {
		n = run_of(contents + i, count - i);
		(void)catalogue_extents_between(c, contents[i], contents[i + n - 1],
						take_neighbour, &found, &ignored);
	}
	return found.count;
}

/* ---- blocks -------------------------------------------------------------------- */

/* By number: a file's blocks have one after the other, so all sets are filled alike and none is
 * too small before the table is. */
static size_t set_number(const struct row_cache *rc, int64_t id)
{
	return (uint64_t)id % rc->row_sets;
}

/* One that is not used is not looked at: its memory is the kernel's page of zeros once it was
 * read, and to write it then stops every processor for a moment. */
static struct block_row *row_set(struct row_cache *rc, int64_t id)
{
	return &rc->rows[set_number(rc, id) * WAYS];
}

static int check_row(const struct block *b, int64_t id, struct err *e)
{
	if (b->id != id || b->raw == 0 || b->raw > BLOCK_RAW_MAX ||
	    b->stored > BLOCK_STORED_MAX)
		return err_set(e, MUNI_DAMAGED, "the row of block %lld cannot be as the "
			       "catalogue has it; run muni verify", (long long)id);
	for (unsigned i = 0; i < BLOCK_BASES_MAX; i++)
		if (b->bases[i] < 0 || b->bases[i] >= id)	/* D5 */
			return err_set(e, MUNI_DAMAGED, "block %lld names block %lld as its "
				       "base, which is not older than itself",
				       (long long)id, (long long)b->bases[i]);
	return 0;
}

static struct block_row row_of(const struct block *b, const uint8_t segment_uid[16])
{
	struct block_row row = { .id = b->id, .offset = b->offset, .stored = b->stored,
				 .raw = b->raw, .codec = b->codec };

	memcpy(row.bases, b->bases, sizeof row.bases);
	memcpy(row.uid, b->uid, sizeof row.uid);
	memcpy(row.key, b->key, sizeof row.key);
	memcpy(row.segment_uid, segment_uid, sizeof row.segment_uid);
	return row;
}

static void give_row(const struct block_row *row, struct block *out, uint8_t segment_uid[16])
{
	*out = (struct block){ .id = row->id, .offset = row->offset, .stored = row->stored,
			       .raw = row->raw, .codec = row->codec };
	memcpy(out->bases, row->bases, sizeof out->bases);
	memcpy(out->uid, row->uid, sizeof out->uid);
	memcpy(out->key, row->key, sizeof out->key);
	memcpy(segment_uid, row->segment_uid, sizeof row->segment_uid);
}

/* Under no lock.  A row that stands already is written over by the same bytes. */
static void keep_row(struct row_cache *rc, const struct block_row *row)
{
	struct block_row *set = row_set(rc, row->id);

	pthread_mutex_lock(&rc->lock);
	bool *is_used = &rc->is_set_used[set_number(rc, row->id)];
	unsigned way = *is_used ? WAYS : 0;
	for (unsigned i = 0; *is_used && i < WAYS; i++)
		if (set[i].id == row->id || (way == WAYS && set[i].id == 0))
			way = i;
	if (way == WAYS)
		way = rc->next_row++ % WAYS;
	set[way] = *row;
	*is_used = true;
	pthread_mutex_unlock(&rc->lock);
}

struct batch {
	struct row_cache *rows;
	int64_t wanted;
	struct block_row found;	/* id 0: not yet */
};

static int take_row(void *arg, const struct block *b, const uint8_t segment_uid[16])
{
	struct batch *batch = arg;
	struct block_row row = row_of(b, segment_uid);
	struct err ignored = ERR_NONE;

	/* A neighbour that cannot be is the business of who asks for it. */
	if (check_row(b, b->id, &ignored) == 0) {
		if (b->id == batch->wanted)
			batch->found = row;
		keep_row(batch->rows, &row);
	}
	secret_wipe(&row, sizeof row);
	return 0;
}

/* With its neighbours, which cost a tenth of a query each and are wanted next. */
static int fetch_row(struct row_cache *rc, struct catalogue *c, int64_t id,
		     struct block_row *out, struct err *e)
{
	struct batch batch = { .rows = rc, .wanted = id };
	int64_t first = id - id % BATCH;
	struct err ignored = ERR_NONE;
	uint8_t segment_uid[16];
	struct block b;
	int result = -1;

	(void)catalogue_blocks_between(c, first, first + BATCH - 1, take_row, &batch, &ignored);
	if (batch.found.id == id) {
		*out = batch.found;
		secret_wipe(&batch.found, sizeof batch.found);
		return 0;
	}
	/* A query for it alone says what is wrong with it. */
	if (catalogue_block(c, id, &b, segment_uid, e) == 0 && check_row(&b, id, e) == 0) {
		*out = row_of(&b, segment_uid);
		keep_row(rc, out);
		result = 0;
	}
	secret_wipe(&b, sizeof b);
	return result;
}

int rows_block(struct row_cache *rc, struct catalogue *c, int64_t id, struct block *out,
	       uint8_t segment_uid[16], struct err *e)
{
	struct block_row *set = row_set(rc, id);
	struct block_row row = { .id = 0 };
	int result = -1;

	pthread_mutex_lock(&rc->lock);
	for (unsigned i = 0; rc->is_set_used[set_number(rc, id)] && i < WAYS; i++)
		if (set[i].id == id)
			row = set[i];
	pthread_mutex_unlock(&rc->lock);
	if (row.id == id || fetch_row(rc, c, id, &row, e) == 0) {
		give_row(&row, out, segment_uid);
		result = 0;
	}
	secret_wipe(&row, sizeof row);
	return result;
}
