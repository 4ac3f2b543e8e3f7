#include "fs/vault/pack.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/vault/pack_inside.h"
#include "fs/vault/pack_known.h"
#include "fs/vault/pack_leader.h"
#include "fs/vault/pack_name.h"
#include "fs/vault/pack_seal.h"

#define OPEN_CLASSES 16	/* of a lane at a time */

struct open_block {		/* of one class and kind, filling */
	struct pack_filled f;
	struct pack_leader leader;	/* of this class */
};

struct pack_lane {
	struct packer *packer;
	struct pack_known *known;	/* NULL: there is nothing to ask */
	struct pack_namer *namer;
	struct pack_sealer *sealer;
	struct open_block blocks[OPEN_CLASSES];	/* the one used last comes first */
	size_t open;		/* of them, with a class */
};

int pack_lane_open(struct packer *p, struct pack_lane **out, struct err *e)
{
	struct pack_lane *l = calloc(1, sizeof *l);

	*out = NULL;
	if (!l)
		return err_set(e, MUNI_NO_MEMORY, "out of memory for a worker");
	l->packer = p;
	if (pack_sealer_new(p, &l->sealer, e) < 0 || pack_namer_new(p->names, &l->namer, e) < 0 ||
	    (p->compared &&
	     pack_known_open(p->vault, p->compared, p->o.lookup_cache, &l->known, e) < 0)) {
		pack_lane_close(l);
		return -1;
	}
	*out = l;
	return 0;
}

void pack_lane_close(struct pack_lane *l)
{
	if (!l)
		return;
	pack_known_close(l->known);
	pack_namer_free(l->namer);
	pack_sealer_free(l->sealer);
	for (size_t i = 0; i < l->open; i++) {
		pack_leader_end(&l->blocks[i].leader);
		free(l->blocks[i].f.names);
		free(l->blocks[i].f.raw);
	}
	free(l);
}

void pack_filled_free(struct pack_filled *f)
{
	if (!f)
		return;
	free(f->names);
	free(f->raw);
	free(f);
}

/* To whoever has nothing else to do; the lane goes on with another buffer. */
static bool hand_over(struct pack_lane *l, struct pack_filled *f)
{
	const struct pack_options *o = &l->packer->o;
	struct pack_filled *taken = o->hand_over ? malloc(sizeof *taken) : NULL;

	if (!taken)	/* for want of memory, too, it seals its own */
		return false;
	*taken = *f;
	if (!o->hand_over(o->arg, taken)) {
		free(taken);
		return false;
	}
	*f = (struct pack_filled){ .class_id = f->class_id, .kind = f->kind };
	return true;
}

static int flush(struct pack_lane *l, struct open_block *o, struct err *e)
{
	/* A block is opened, and stays empty, where another lane was faster with
	 * the very chunk that it was opened for. */
	if (o->f.id == 0 || o->f.used == 0 || hand_over(l, &o->f))
		return 0;
	return pack_sealer_seal(l->sealer, &o->leader, &o->f, e);
}

static void bring_forward(struct pack_lane *l, size_t i)
{
	struct open_block o = l->blocks[i];

	memmove(l->blocks + 1, l->blocks, i * sizeof o);
	l->blocks[0] = o;
}

static bool is_for(const struct open_block *o, int64_t class_id, enum pack_kind kind)
{
	return o->f.class_id == class_id && o->f.kind == kind;
}

/* The class's open block of that kind; where too many are open the one that waited longest
 * is sealed as it is.  NULL: e is filled. */
static struct open_block *block_for(struct pack_lane *l, int64_t class_id,
				    enum pack_kind kind, struct err *e)
{
	size_t i = 0;

	while (i < l->open && !is_for(&l->blocks[i], class_id, kind))
		i++;
	if (i == OPEN_CLASSES) {
		i--;
		if (flush(l, &l->blocks[i], e) < 0)
			return NULL;
	} else if (i == l->open) {
		l->blocks[l->open++] = (struct open_block){ .f.class_id = class_id };
	}
	struct open_block *o = &l->blocks[i];
	if (!is_for(o, class_id, kind) || o->leader.sizes.leader == 0) {
		const struct pack_options *p = &l->packer->o;

		pack_leader_end(&o->leader);
		pack_leader_init(&o->leader, p->block_size, (int)p->level,
				 kind == PACK_PART, l->packer->bases != NULL);
		o->f.class_id = class_id;
		o->f.kind = kind;
	}
	if (i > 0)
		bring_forward(l, i);
	return l->blocks;
}

int pack_seal(struct pack_lane *l, struct pack_filled *f, struct err *e)
{
	struct open_block *o = block_for(l, f->class_id, f->kind, e);
	int rc = o ? pack_sealer_seal(l->sealer, &o->leader, f, e) : -1;

	pack_filled_free(f);
	return rc;
}

int pack_lane_flush(struct pack_lane *l, struct err *e)
{
	for (size_t i = 0; i < l->open; i++)
		if (flush(l, &l->blocks[i], e) < 0)
			return -1;
	return pack_sealer_flush(l->sealer, e);
}

/* Is there one already?  The map first: it is the cheaper, and the newer. */
static int look_up(struct pack_lane *l, const struct pack_names_of *n, const void *data,
		   size_t size, struct chunk_place *out, bool *is_found, struct err *e)
{
	*is_found = pack_map_find(l->packer->map, n->here, out);
	if (*is_found || !l->known)
		return 0;
	return pack_known_find(l->known, n->kept, data, size, out, is_found, e);
}

/* The chunk goes into the open block unless another lane was faster. */
static int append(struct packer *p, struct pack_filled *f, const struct pack_names_of *n,
		  const void *data, size_t size, struct chunk_place *out, struct err *e)
{
	if (!f->raw)
		f->raw = malloc(BLOCK_RAW_MAX);
	if (!f->raw)
		return err_set(e, MUNI_NO_MEMORY, "out of memory for a block");
	if (f->count == f->capacity) {
		size_t more = f->capacity ? f->capacity * 2 : 16;
		struct pack_name *names = realloc(f->names, more * sizeof *names);

		if (!names)
			return err_set(e, MUNI_NO_MEMORY, "out of memory for a block");
		f->names = names;
		f->capacity = more;
	}
	*out = (struct chunk_place){ f->id, (uint32_t)f->used, (uint32_t)size };
	switch (pack_map_put(p->map, n->here, out)) {
	case PACK_MAP_NO_MEMORY:
		return err_set(e, MUNI_NO_MEMORY, "out of memory for the map of chunks");
	case PACK_MAP_THERE:
		return 0;
	case PACK_MAP_NEW:
		break;
	}
	memcpy(f->raw + f->used, data, size);
	memcpy(f->names[f->count].name, n->kept, 16);
	f->names[f->count].at = out->at;
	f->names[f->count].size = out->size;
	f->count++;
	f->used += size;
	return 0;
}

/* A dry run remembers the name alone, to count each chunk once. */
static int count_only(struct packer *p, const struct pack_names_of *n, size_t size,
		      struct chunk_place *out, struct err *e)
{
	*out = (struct chunk_place){ 1, 0, (uint32_t)size };
	switch (pack_map_put(p->map, n->here, out)) {
	case PACK_MAP_NO_MEMORY:
		return err_set(e, MUNI_NO_MEMORY, "out of memory for the map of chunks");
	case PACK_MAP_NEW:
		atomic_fetch_add(&p->raw, size);
		break;
	case PACK_MAP_THERE:
		break;
	}
	return 0;
}

int pack_chunk(struct pack_lane *l, int64_t class_id, const void *data, size_t size,
	       const struct digest *digest, enum pack_kind kind,
	       struct chunk_place *out, struct err *e)
{
	struct packer *p = l->packer;
	struct open_block *o;
	size_t target, most;
	struct pack_names_of n;
	bool is_found;

	assert(size > 0 && size <= p->o.block_size / 2 * 3);
	if (pack_namer_of(l->namer, class_id, data, size, digest, &n, e) < 0 ||
	    look_up(l, &n, data, size, out, &is_found, e) < 0)
		return -1;
	if (is_found)
		return 0;
	if (p->o.dry_run)
		return count_only(p, &n, size, out, e);
	o = block_for(l, class_id, kind, e);
	if (!o)
		return -1;
	target = pack_leader_target(&o->leader);
	/* A block may pass its target by a quarter rather than end far below it. */
	most = target + target / 4 < BLOCK_RAW_MAX ? target + target / 4 : BLOCK_RAW_MAX;
	if (o->f.used > 0 && o->f.used + size > most && flush(l, o, e) < 0)
		return -1;
	if (o->f.id == 0 && packer_take_id(p, &o->f.id, e) < 0)
		return -1;
	if (append(p, &o->f, &n, data, size, out, e) < 0)
		return -1;
	target = pack_leader_target(&o->leader);	/* another, if one was sealed above */
	return o->f.used >= target - target / 8 ? flush(l, o, e) : 0;
}
