/* What a repair makes parity anew for: what the keys vouch for, told as findings. */
#include <stdlib.h>
#include <string.h>

#include "fs/vault/repair_inside.h"
#include "fs/vault/vouch.h"

struct repair_vouch {
	struct verify *verify;	/* borrowed */
	struct vouch *vouch;	/* owned */
};

/* The files that need the block are named later, with those of other damage. */
static int note_bad(void *arg, const struct block *b, const uint8_t uid[16], bool is_first,
		    struct err *e)
{
	struct verify *k = ((struct repair_vouch *)arg)->verify;
	struct parity_damage d = { .offset = b->offset, .size = b->stored };
	char where[VERIFY_PLACE_MAX];

	if (is_first)
		verify_damage(k, false, verify_place(OBJECTS_SEGMENT, uid, b->offset, where),
			      "the block here is not the one that was written, though the "
			      "segment's own sums are right: somebody changed both. No parity was "
			      "made for it; bring the segment back from a backup of the archive "
			      "and run `muni repair` again");
	memcpy(d.uid, uid, sizeof d.uid);
	return verify_take_run(k, &d, e);
}

static int go_on(void *arg, struct err *e)
{
	return verify_go_on(((struct repair_vouch *)arg)->verify, e);
}

int repair_vouch_new(struct verify *k, struct repair_vouch **out, struct err *e)
{
	struct repair_vouch *r = calloc(1, sizeof *r);

	*out = NULL;
	if (r == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory to read blocks");
	r->verify = k;
	*out = r;
	return 0;
}

void repair_vouch_free(struct repair_vouch *r)
{
	if (r == NULL)
		return;
	vouch_free(r->vouch);
	free(r);
}

int repair_vouch_segment(void *arg, const uint8_t uid[16], bool *out, struct err *e)
{
	struct repair_vouch *r = arg;
	struct verify *k = r->verify;
	const struct vouching asked = { .objects = k->v->objects, .archive_id = k->v->id,
					.bad = note_bad, .go_on = go_on, .arg = r };

	*out = true;
	if (!k->is_catalogue_open || k->v->catalogue == NULL) {
		k->out->is_unvouched = true;
		return 0;
	}
	if (r->vouch == NULL && vouch_new(&asked, &r->vouch, e) < 0)
		return -1;
	return vouch_for(r->vouch, k->v->catalogue, uid, out, e);
}
