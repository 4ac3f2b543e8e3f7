#include "fs/vault/reader.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/crypt/secret.h"
#include "fs/vault/inside.h"
#include "fs/vault/reader_decode.h"
#include "fs/vault/reader_helpers.h"
#include "fs/vault/reader_rows.h"

#define SAMPLE_FILE_MIN (1024u * 1024)	/* blocks of smaller files have neighbours */
#define NEXT_MAX 8u			/* blocks of the files that come next */
#define AHEAD_MAX 128u			/* blocks that one hint may name */

#define SHARING_MAX 2u			/* readers at a time whose reads are shared out */
#define SERIES_MIN 2u			/* blocks of a read that helpers look for the next of */

static const uint8_t zeros[64 * 1024];

/* A run of a file's bytes inside one block; block 0: a hole. */
struct run {
	int64_t block;
	uint32_t at;
	size_t size;
};

int vault_reader_open(struct vault *v, struct block_cache *cache, size_t catalogue_cache,
		      struct vault_reader **out, struct err *e)
{
	struct vault_reader *r = calloc(1, sizeof *r);

	*out = NULL;
	if (!r)
		return err_set(e, MUNI_NO_MEMORY, "no memory to read content");
	r->vault = v;
	r->cache = cache;
	r->objects = v->objects;
	if (vault_connect(v, catalogue_cache, &r->catalogue, e) < 0 ||
	    block_decoder_new(v->id, &r->decoder, e) < 0) {
		vault_reader_close(r);
		return -1;
	}
	*out = r;
	return 0;
}

void vault_reader_close(struct vault_reader *r)
{
	if (!r)
		return;
	block_decoder_free(r->decoder);
	if (r->catalogue)
		catalogue_close(r->catalogue);
	free(r->sealed);
	free(r->ahead);
	if (r->room) {
		secret_wipe(r->room, r->room_size);
		block_cache_count(r->cache, r->room_size, 0);
	}
	free(r->room);
	free(r);
}

struct catalogue *vault_reader_catalogue(struct vault_reader *r)
{
	return r->catalogue;
}

/* ---- from a range of a file to runs in blocks --------------------------------- */

struct runs {
	struct run *list;	/* borrowed; room for max */
	unsigned max, count;
	uint64_t done;		/* the file offset up to which runs stand */
};

/* false: no room. */
static bool add_run(struct runs *rs, int64_t block, uint32_t at, uint64_t size)
{
	struct run *last = rs->count ? &rs->list[rs->count - 1] : NULL;

	if (last && last->block == block && (block == 0 || last->at + last->size == at)) {
		last->size += (size_t)size;
	} else {
		if (rs->count == rs->max)
			return false;
		rs->list[rs->count++] = (struct run){ block, at, (size_t)size };
	}
	rs->done += size;
	return true;
}

/* Index of the first extent that ends after offset. */
static unsigned first_after(const struct extents *p, uint64_t offset)
{
	unsigned low = 0, high = p->count;

	while (low < high) {
		unsigned mid = low + (high - low) / 2;
		if (p->list[mid].offset + p->list[mid].size > offset)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

/* What one page says about [rs->done, end).  false: no room for more. */
static bool add_page(struct runs *rs, const struct extents *p, uint64_t end)
{
	for (unsigned i = first_after(p, rs->done); i < p->count && rs->done < end; i++) {
		const struct row_extent *x = &p->list[i];
		uint64_t from = x->offset < end ? x->offset : end;
		if (from > rs->done && !add_run(rs, 0, 0, from - rs->done))
			return false;
		if (rs->done >= end)
			break;
		uint64_t skip = rs->done - x->offset;
		uint64_t size = x->size - skip;
		if (size > end - rs->done)
			size = end - rs->done;
		if (!add_run(rs, x->block, x->at + (uint32_t)skip, size))
			return false;
	}
	uint64_t to = p->end < end ? p->end : end;
	return to <= rs->done || add_run(rs, 0, 0, to - rs->done);
}

/* Runs for [offset, end), as many as fit; rs->done says how far. */
static int gather(struct vault_reader *r, int64_t content, uint64_t end, struct runs *rs,
		  struct err *e)
{
	struct row_cache *rows = block_cache_rows(r->cache);

	if (content == 0) {	/* all hole */
		if (end > rs->done)
			add_run(rs, 0, 0, end - rs->done);
		return 0;
	}
	while (rs->done < end) {
		struct extents *x;
		uint64_t before = rs->done;
		if (rows_extents(rows, r->catalogue, content, rs->done, &x, e) < 0)
			return -1;
		bool has_room = add_page(rs, x, end);
		rows_drop(rows, x);
		if (!has_room)
			return 0;
		if (rs->done == before)
			return err_set(e, MUNI_DAMAGED, "the extents of content %lld do not "
				       "go on; run muni verify", (long long)content);
	}
	return 0;
}

/* ---- reading -------------------------------------------------------------------- */

static uint64_t cut(uint64_t file_size, uint64_t offset, size_t size)
{
	if (offset >= file_size)
		return offset;
	return size < file_size - offset ? offset + size : file_size;
}

/* The blocks of list[first..count) that nobody has or decodes, each with how much of it
 * is wanted; is_sample: no more than that. */
static unsigned errands(struct vault_reader *r, const struct run *list, unsigned first,
			unsigned count, bool is_sample, struct helpers_errand *out)
{
	unsigned n = 0;

	for (unsigned i = first; i < count; i++) {
		uint32_t end = list[i].at + (uint32_t)list[i].size;
		struct helpers_errand *last = n > 0 ? &out[n - 1] : NULL;
		if (last && last->block == list[i].block && last->wanted < end)
			last->wanted = end;
		if (list[i].block == 0 || (last && last->block == list[i].block) ||
		    block_cache_is_coming(r->cache, list[i].block, end))
			continue;
		out[n++] = (struct helpers_errand){ list[i].block,
						    is_sample ? end : HELPERS_WHOLE,
						    false, false };
	}
	return n;
}

/* Blocks behind the first are given to the helpers, who decode them while we
 * are at the first; D2 keeps us from doing their work twice. */
static void share_out(struct vault_reader *r, const struct run *list, unsigned count,
		      bool is_sample)
{
	struct helpers *h = block_cache_helpers(r->cache);
	struct helpers_errand todo[VAULT_PINS_MAX];
	unsigned first = 0, n;

	while (first < count && list[first].block == 0)
		first++;
	if (!h || first + 1 >= count)
		return;
	n = errands(r, list, first + 1, count, is_sample, todo);
	if (n == 0)
		return;
	for (unsigned i = 0; i < n; i++)
		todo[i].is_series = r->may_look && n >= SERIES_MIN;
	/* Their rows come with ours: or each would ask the catalogue, for the same. */
	reader_know(r, list[first].block);
	helpers_hint(h, todo, n, true);
}

/* Where others read, too, every processor has its own read to be at: shared out, all would take longer,
 * for each helper has to lay out the leader that we have before us.  Then the disk is asked once. */
static void keep_together(struct vault_reader *r, const struct run *list, unsigned count)
{
	struct helpers_errand todo[VAULT_PINS_MAX];
	int64_t blocks[VAULT_PINS_MAX];
	unsigned n = errands(r, list, 0, count, true, todo);

	for (unsigned i = 0; i < n; i++)
		blocks[i] = todo[i].block;
	if (n > 1)
		reader_get_together(r, blocks, n);
}

static int pin_run(struct vault_reader *r, const struct run *run, bool is_sample,
		   struct cached_block **out, struct err *e)
{
	return reader_pin(r, run->block, run->at + (uint32_t)run->size, is_sample, out, e);
}

int vault_read(struct vault_reader *r, int64_t content, uint64_t file_size,
	       uint64_t offset, void *out, size_t size, size_t *got, struct err *e)
{
	uint64_t end = cut(file_size, offset, size);
	struct run list[VAULT_PINS_MAX];
	struct runs rs = { list, VAULT_PINS_MAX, 0, offset };
	uint8_t *to = out;

	*got = 0;
	while (rs.done < end) {
		rs.count = 0;
		if (gather(r, content, end, &rs, e) < 0)
			return -1;
		share_out(r, list, rs.count, false);
		for (unsigned i = 0; i < rs.count; i++) {
			struct cached_block *b;
			if (list[i].block == 0) {
				memset(to, 0, list[i].size);
			} else if (pin_run(r, &list[i], false, &b, e) < 0) {
				return -1;
			} else {
				cached_block_copy(b, list[i].at, list[i].size, to);
				block_cache_unpin(r->cache, b);
			}
			to += list[i].size;
		}
	}
	*got = (size_t)(to - (uint8_t *)out);
	return 0;
}

static int one_copy(struct vault_reader *r, int64_t content, uint64_t file_size,
		    uint64_t offset, size_t size, struct vault_parts *out, struct err *e)
{
	vault_parts_release(r, out);
	out->own = malloc(size);
	if (!out->own)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a read of %zu bytes", size);
	if (vault_read(r, content, file_size, offset, out->own, size, &out->size, e) < 0)
		return -1;
	out->parts[0] = (struct iovec){ out->own, out->size };
	out->count = 1;
	return 0;
}

/* false: too many parts. */
static bool add_hole(struct vault_parts *p, size_t size)
{
	while (size > 0) {
		size_t piece = size < sizeof zeros ? size : sizeof zeros;
		if (p->count == VAULT_PARTS_MAX)
			return false;
		p->parts[p->count++] = (struct iovec){ (void *)(uintptr_t)zeros, piece };
		p->size += piece;
		size -= piece;
	}
	return true;
}

/* Pins all runs' blocks: first those that nobody is at, for meanwhile the others get ready. */
static int pin_all(struct vault_reader *r, const struct run *list, unsigned count, bool is_sample,
		   struct cached_block *pinned[VAULT_PINS_MAX], struct vault_parts *out,
		   struct err *e)
{
	for (unsigned round = 0; round < 2; round++)
		for (unsigned i = 0; i < count; i++) {
			if (round == 0)
				pinned[i] = NULL;
			if (list[i].block == 0 || pinned[i] ||
			    (round == 0 &&
			     block_cache_is_coming(r->cache, list[i].block,
						   list[i].at + (uint32_t)list[i].size)))
				continue;
			if (pin_run(r, &list[i], is_sample, &pinned[i], e) < 0)
				return -1;
			out->pins[out->pin_count++] = pinned[i];
		}
	return 0;
}

/* false: they are too many parts. */
static bool list_parts(const struct run *list, unsigned count,
		       struct cached_block *const pinned[VAULT_PINS_MAX], struct vault_parts *out)
{
	bool has_room = true;

	for (unsigned i = 0; i < count && has_room; i++) {
		if (list[i].block == 0) {
			has_room = add_hole(out, list[i].size);
		} else {
			has_room = cached_block_parts(pinned[i], list[i].at, list[i].size,
						      out->parts, VAULT_PARTS_MAX, &out->count);
			out->size += list[i].size;
		}
	}
	return has_room;
}

static int read_parts(struct vault_reader *r, int64_t content, uint64_t file_size,
		      uint64_t offset, size_t size, bool goes_on, unsigned readers,
		      struct vault_parts *out, struct err *e)
{
	bool is_sample = !goes_on && file_size >= SAMPLE_FILE_MIN;
	uint64_t end = cut(file_size, offset, size);
	struct run list[VAULT_PINS_MAX];
	struct runs rs = { list, VAULT_PINS_MAX, 0, offset };
	struct helpers *h = block_cache_helpers(r->cache);
	struct cached_block *pinned[VAULT_PINS_MAX];
	int rc;

	out->count = out->pin_count = 0;
	out->size = 0;
	out->own = NULL;
	if (gather(r, content, end, &rs, e) < 0)
		return -1;
	if (rs.done < end)
		return one_copy(r, content, file_size, offset, size, out, e);
	r->may_look = is_sample && readers == 1 && h && helpers_may_look(h);
	if (is_sample && readers > SHARING_MAX)
		keep_together(r, list, rs.count);
	else
		share_out(r, list, rs.count, is_sample);
	rc = pin_all(r, list, rs.count, is_sample, pinned, out, e);
	r->may_look = false;
	reader_forget_together(r);
	if (rc == 0 && !list_parts(list, rs.count, pinned, out))
		return one_copy(r, content, file_size, offset, size, out, e);
	return rc;
}

int vault_read_parts(struct vault_reader *r, int64_t content, uint64_t file_size,
		     uint64_t offset, size_t size, bool goes_on, struct vault_parts *out,
		     struct err *e)
{
	unsigned readers = block_cache_enter(r->cache);
	int rc = read_parts(r, content, file_size, offset, size, goes_on, readers, out, e);

	block_cache_leave(r->cache);
	return rc;
}

void vault_parts_release(struct vault_reader *r, struct vault_parts *p)
{
	for (unsigned i = 0; i < p->pin_count; i++)
		block_cache_unpin(r->cache, p->pins[i]);
	if (p->own)
		secret_wipe(p->own, malloc_usable_size(p->own));
	free(p->own);
	p->own = NULL;
	p->pin_count = p->count = 0;
	p->size = 0;
}

/* The block that stands at `offset`; 0: a hole, the end, or not to be had. */
static int64_t block_at(struct vault_reader *r, int64_t content, uint64_t offset)
{
	struct run first;
	struct runs rs = { &first, 1, 0, offset };
	struct err ignored = ERR_NONE;

	return gather(r, content, offset + 1, &rs, &ignored) == 0 && rs.count > 0 ? first.block : 0;
}

void vault_prefetch(struct vault_reader *r, int64_t content, uint64_t offset, size_t size)
{
	struct run list[AHEAD_MAX];
	struct runs rs = { list, AHEAD_MAX, 0, offset };
	struct err ignored = ERR_NONE;
	struct helpers_errand todo[AHEAD_MAX], disk = { .wanted = HELPERS_DISK };
	struct helpers *h = block_cache_helpers(r->cache);
	unsigned n;

	if (!h || content == 0 || offset > UINT64_MAX - 2 * (uint64_t)size - 1 ||
	    gather(r, content, offset + size, &rs, &ignored) < 0)
		return;
	/* First what is quick, and what the next hint's blocks wait for. */
	disk.block = block_at(r, content, offset + 2 * (uint64_t)size);
	if (disk.block != 0)
		helpers_hint(h, &disk, 1, false);
	n = errands(r, list, 0, rs.count, false, todo);
	if (n > 0)
		helpers_hint(h, todo, n, false);
}

/* At most AHEAD_MAX of them. */
static void hint_whole(struct vault_reader *r, const int64_t *blocks, unsigned count)
{
	struct helpers *h = block_cache_helpers(r->cache);
	struct helpers_errand todo[AHEAD_MAX];
	unsigned n = 0;

	for (unsigned i = 0; i < count; i++)
		if (!block_cache_is_coming(r->cache, blocks[i], 1))
			todo[n++] = (struct helpers_errand){ .block = blocks[i],
							     .wanted = HELPERS_WHOLE };
	if (h && n > 0)
		helpers_hint(h, todo, n, false);
}

void vault_prefetch_files(struct vault_reader *r, const int64_t *contents, unsigned count)
{
	int64_t blocks[AHEAD_MAX];

	hint_whole(r, blocks, rows_of_many(block_cache_rows(r->cache), r->catalogue, contents,
					   count, blocks, AHEAD_MAX));
}

void vault_prefetch_next(struct vault_reader *r, int64_t content)
{
	int64_t blocks[NEXT_MAX];

	if (content != 0)
		hint_whole(r, blocks, rows_ahead(block_cache_rows(r->cache), r->catalogue,
						 content, blocks, NEXT_MAX));
}

/* ---- holes ------------------------------------------------------------------------ */

int vault_seek(struct vault_reader *r, int64_t content, uint64_t file_size,
	       uint64_t offset, bool is_data, uint64_t *out, struct err *e)
{
	struct row_cache *rows = block_cache_rows(r->cache);
	uint64_t at = offset;

	*out = file_size;
	if (content == 0)
		*out = is_data || offset >= file_size ? file_size : offset;
	while (content != 0 && at < file_size) {
		struct extents *x;
		bool is_found = false;
		if (rows_extents(rows, r->catalogue, content, at, &x, e) < 0)
			return -1;
		uint64_t end = x->end;
		for (unsigned i = first_after(x, at); i < x->count && !is_found; i++) {
			const struct row_extent *n = &x->list[i];
			if (is_data || n->offset > at) {
				is_found = true;
				if (is_data && n->offset > at)
					at = n->offset;
			} else {
				at = n->offset + n->size;
			}
		}
		rows_drop(rows, x);
		if (!is_found && !is_data && at < end)
			is_found = true;	/* a hole behind the page's last extent */
		if (is_found) {
			*out = at < file_size ? at : file_size;
			return 0;
		}
		at = at < end ? end : at;
	}
	return 0;
}
