/*
 * Blocks authenticated while the bytes that they lie in are read for parity's sums, so
 * that an archive larger than the memory is read once.
 *
 * A block belongs to the slice that it begins in.  A slice is seen if the catalogue could
 * be asked for its blocks and all of them are good; of what is not seen, for whatever
 * reason, verify_all_blocks() reads every block again, and judges it.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/list.h"
#include "fs/vault/verify_inside.h"

#define CATALOGUE_CACHE_BYTES (4u << 20)
#define SLICES 64u		/* of a segment; those of one that is larger are not noted */

struct segment {
	uint8_t uid[16];
	int64_t id;
	atomic_uint_fast64_t seen;	/* a bit a slice */
};

/* What a thread asks and authenticates with. */
struct hand {
	bool is_ready, is_useless;
	struct catalogue *catalogue;	/* owned */
	struct block_decoder *decoder;	/* owned */
	uint8_t *tail;			/* owned; of a block that goes on in the next slice */
};

struct verify_seen {
	struct verify *verify;
	struct segment *segments;	/* owned; sorted by uid */
	size_t count, capacity;
	struct hand hands[PARITY_THREADS_MAX];
};

static int by_uid(const void *a, const void *b)
{
	const struct segment *x = a, *y = b;

	return memcmp(x->uid, y->uid, sizeof x->uid);
}

static struct segment *find(struct verify_seen *s, const uint8_t uid[16])
{
	struct segment key = { .id = 0 };

	memcpy(key.uid, uid, sizeof key.uid);
	return s->count == 0 ? NULL :
	       bsearch(&key, s->segments, s->count, sizeof key, by_uid);
}

static int take_segment(void *arg, int64_t id, const uint8_t uid[16])
{
	struct verify_seen *s = arg;
	struct segment *to;

	if (!list_room(&s->segments, s->count, &s->capacity, sizeof *s->segments))
		return -1;
	to = &s->segments[s->count++];
	memcpy(to->uid, uid, sizeof to->uid);
	to->id = id;
	atomic_init(&to->seen, 0);
	return 0;
}

/* ---- a thread's hand ------------------------------------------------------------------ */

/* Memory that there is not, a catalogue that does not open: told by who needs it. */
static void make_ready(struct verify_seen *s, struct hand *h)
{
	struct vault *v = s->verify->v;
	struct err ignored = ERR_NONE;

	h->is_ready = true;
	h->tail = malloc(BLOCK_STORED_MAX);
	/* One transaction for all questions; nobody writes while we look. */
	h->is_useless = h->tail == NULL ||
			vault_connect(v, CATALOGUE_CACHE_BYTES, &h->catalogue, &ignored) < 0 ||
			catalogue_begin(h->catalogue, &ignored) < 0 ||
			block_decoder_new(v->id, &h->decoder, &ignored) < 0;
}

static void put_down(struct hand *h)
{
	if (h->catalogue != NULL) {
		catalogue_rollback(h->catalogue);
		catalogue_close(h->catalogue);
	}
	block_decoder_free(h->decoder);
	free(h->tail);
	*h = (struct hand){ .is_ready = false };
}

struct slice {
	struct verify_seen *seen;
	struct hand *hand;
	const uint8_t *uid, *data;
	uint64_t offset;
	size_t size;
};

/* The rest of a block that goes on behind the slice: the disk has been asked for it. */
static const uint8_t *whole_block(struct slice *s, const struct block *b)
{
	struct object_name name = { .kind = OBJECTS_SEGMENT };
	struct err ignored = ERR_NONE;
	size_t at = (size_t)(b->offset - s->offset), here = s->size - at;

	if (b->stored <= here)
		return s->data + at;
	memcpy(name.uid, s->uid, sizeof name.uid);
	memcpy(s->hand->tail, s->data + at, here);
	return objects_get(s->seen->verify->v->objects, &name, s->offset + s->size,
			   s->hand->tail + here, b->stored - here, &ignored) == 0 ?
	       s->hand->tail : NULL;
}

static int take_block(void *arg, const struct block *b, const uint8_t segment_uid[16])
{
	struct slice *s = arg;
	struct err ignored = ERR_NONE;
	const uint8_t *sealed;

	(void)segment_uid;
	if (b->stored > BLOCK_STORED_MAX || b->offset < s->offset ||
	    b->offset - s->offset >= s->size)
		return -1;
	sealed = whole_block(s, b);
	return sealed == NULL ? -1 : block_authenticate(s->hand->decoder, b, sealed, &ignored);
}

static void look_at(void *arg, unsigned thread, const uint8_t uid[16], uint64_t offset,
		    const uint8_t *data, size_t size)
{
	struct verify_seen *seen = arg;
	struct hand *h = &seen->hands[thread];
	struct segment *segment = find(seen, uid);
	struct err ignored = ERR_NONE;
	struct slice s = { seen, h, uid, data, offset, size };

	if (segment == NULL || offset / PARITY_SLICE >= SLICES)
		return;
	if (!h->is_ready)
		make_ready(seen, h);
	/* Of all of the slice, however short it is: parity needs no key, so it may have been
	 * made for a segment that was cut. */
	if (!h->is_useless &&
	    catalogue_blocks_within(h->catalogue, segment->id, offset,
				    offset + PARITY_SLICE - 1, take_block, &s, &ignored) == 0)
		atomic_fetch_or(&segment->seen, (uint64_t)1 << offset / PARITY_SLICE);
}

/* ---- the whole --------------------------------------------------------------------------- */

void verify_seen_start(struct verify *k, struct parity_seen *out)
{
	struct verify_seen *s = NULL;
	struct err ignored = ERR_NONE;

	*out = (struct parity_seen){ .slice = NULL };
	if (k->v->keyring == NULL || k->v->epoch == 0)
		return;
	s = k->seen = calloc(1, sizeof *s);
	if (s == NULL)
		return;
	s->verify = k;
	make_ready(s, &s->hands[0]);
	if (s->hands[0].is_useless ||
	    catalogue_segments(s->hands[0].catalogue, take_segment, s, &ignored) < 0) {
		verify_seen_free(k);
		return;
	}
	if (s->count > 1)
		qsort(s->segments, s->count, sizeof *s->segments, by_uid);
	*out = (struct parity_seen){ .slice = look_at, .arg = s };
}

void verify_seen_end(struct verify *k)
{
	for (unsigned i = 0; k->seen != NULL && i < PARITY_THREADS_MAX; i++)
		put_down(&k->seen->hands[i]);
}

bool verify_seen_has(struct verify *k, const uint8_t uid[16], uint64_t offset)
{
	struct segment *segment = k->seen != NULL ? find(k->seen, uid) : NULL;

	return segment != NULL && offset / PARITY_SLICE < SLICES &&
	       (atomic_load(&segment->seen) >> offset / PARITY_SLICE & 1) != 0;
}

void verify_seen_free(struct verify *k)
{
	verify_seen_end(k);
	if (k->seen != NULL)
		free(k->seen->segments);
	free(k->seen);
	k->seen = NULL;
}
