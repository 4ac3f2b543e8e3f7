/*
 * Verify's part of base and redo: every object by its checksums, then that they
 * lead where they say.  No key is needed; where there is one, they are opened too.
 */
#include "fs/store/redo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/store/redo_chain.h"
#include "fs/store/redo_replay.h"

struct tell {
	int (*found)(void *arg, const uint8_t uid[16], const char *what);
	void *arg;
	bool is_stopped;
};

static const uint8_t nobody[16];

static void tell(struct tell *t, const uint8_t *uid, const char *what)
{
	if (!t->is_stopped && t->found(t->arg, uid, what) != 0)
		t->is_stopped = true;
}

/* Each object is loaded once: those of the chain when it is replayed. */
struct loads {
	struct objects *objects;
	const struct redo_chain *chain;
	struct tell *tell;
	bool *is_done;		/* owned; one a head of the chain */
};

static void loaded(void *arg, const struct redo_head *head, const struct redo_object *object,
		   const struct err *why)
{
	struct loads *l = arg;
	char what[200];

	l->is_done[head - l->chain->heads] = true;
	if (why && why->code == MUNI_DAMAGED) {
		tell(l->tell, head->uid, why->text);
	} else if (!why && (object->bad_columns > 0 || object->is_head_bad)) {
		snprintf(what, sizeof what, "a copy of catalogue pages has %u damaged columns%s; "
			 "it can still be read whole", object->bad_columns,
			 object->is_head_bad ? " and a damaged head" : "");
		tell(l->tell, head->uid, what);
	}
}

static int load_others(struct loads *l, struct err *e)
{
	for (size_t i = 0; i < l->chain->head_count && !l->tell->is_stopped; i++) {
		const struct redo_head *head = &l->chain->heads[i];
		struct object_name name = { .kind = OBJECTS_CATALOGUE };
		struct redo_object object;
		struct err why = ERR_NONE;

		if (l->is_done[i])
			continue;
		memcpy(name.uid, head->uid, sizeof name.uid);
		int rc = redo_object_load(l->objects, &name, &object, &why);
		loaded(l, head, &object, rc < 0 ? &why : NULL);
		redo_object_free(&object);
		if (rc < 0 && why.code != MUNI_DAMAGED) {
			*e = why;
			return -1;
		}
	}
	return 0;
}

static void check_sets(const struct redo_chain *c, struct tell *t)
{
	char what[200];

	if (redo_chain_is_empty(c) && c->set_count > 0)
		tell(t, c->sets[0].parts[0].uid, "there is no whole base copy of the catalogue");
	for (size_t i = 0; i < c->set_count; i++) {
		const struct redo_set *s = &c->sets[i];
		if (s->is_whole)
			continue;
		snprintf(what, sizeof what, "set %llu of base and redo has %u of %u parts",
			 (unsigned long long)s->parts[0].sequence, s->count, s->parts[0].parts);
		tell(t, s->parts[0].uid, what);
	}
	if (redo_chain_has_gap(c) && !redo_chain_is_empty(c))
		tell(t, c->sets[c->end].parts[0].uid, "what should stand before this in base "
		     "and redo is missing");
}

/* *failed: why the chain does not lead to its end. */
static int check_chain(struct loads *l, unsigned key_id, struct digest *last,
		       struct err *failed, struct err *e)
{
	const struct redo_witness witness = { loaded, l };

	if (redo_replay(l->objects, l->chain, key_id, -1, &witness, last, failed) < 0 &&
	    failed->code != MUNI_DAMAGED) {
		*e = *failed;
		return -1;
	}
	return load_others(l, e);
}

int redo_check(struct objects *o, const uint8_t archive_id[16], uint64_t epoch,
	       unsigned key_id, int (*found)(void *arg, const uint8_t uid[16], const char *what),
	       void *arg, struct digest *last, struct err *e)
{
	struct tell t = { .found = found, .arg = arg };
	struct redo_chain c;
	struct loads l = { .objects = o, .chain = &c, .tell = &t };
	struct err failed = ERR_NONE;
	int rc = -1;

	*last = (struct digest){ 0 };
	if (redo_chain_load(o, archive_id, epoch, &c, e) < 0)
		return -1;
	for (size_t i = 0; i < c.unreadable_count; i++)
		tell(&t, c.unreadable[i].uid, "no part of a copy of catalogue pages says what "
		     "it is");
	l.is_done = calloc(c.head_count + 1, sizeof *l.is_done);
	if (l.is_done == NULL)
		err_set(e, MUNI_NO_MEMORY, "no memory to check the catalogue's copies");
	else
		rc = check_chain(&l, key_id, last, &failed, e);
	if (rc == 0)
		check_sets(&c, &t);
	if (rc == 0 && failed.code != MUNI_OK)
		tell(&t, nobody, failed.text);
	free(l.is_done);
	redo_chain_free(&c);
	return rc;
}
