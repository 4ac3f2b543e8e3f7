/*
 * Verify's part of base and redo: every object by its checksums, then that they
 * lead where they say.  No key is needed; where there is one, they are opened too.
 */
#include "fs/store/redo.h"

#include <stdio.h>
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

static int check_object(struct objects *o, const struct redo_head *head, struct tell *t,
			struct err *e)
{
	struct object_name name = { .kind = OBJECTS_CATALOGUE };
	struct redo_object object;
	struct err why = ERR_NONE;
	char what[200];

	memcpy(name.uid, head->uid, sizeof name.uid);
	int rc = redo_object_load(o, &name, &object, &why);
	redo_object_free(&object);
	if (rc < 0 && why.code != MUNI_DAMAGED) {
		*e = why;
		return -1;
	}
	if (rc < 0) {
		tell(t, head->uid, why.text);
	} else if (object.bad_columns > 0 || object.is_head_bad) {
		snprintf(what, sizeof what, "a copy of catalogue pages has %u damaged columns%s; "
			 "it can still be read whole", object.bad_columns,
			 object.is_head_bad ? " and a damaged head" : "");
		tell(t, head->uid, what);
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

int redo_check(struct objects *o, const uint8_t archive_id[16], uint64_t epoch,
	       unsigned key_id, int (*found)(void *arg, const uint8_t uid[16], const char *what),
	       void *arg, struct digest *last, struct err *e)
{
	struct tell t = { .found = found, .arg = arg };
	struct redo_chain c;
	struct err why = ERR_NONE;
	int rc = -1;

	*last = (struct digest){ 0 };
	if (redo_chain_load(o, archive_id, epoch, &c, e) < 0)
		return -1;
	for (size_t i = 0; i < c.unreadable_count; i++)
		tell(&t, c.unreadable[i].uid, "no part of a copy of catalogue pages says what "
		     "it is");
	for (size_t i = 0; i < c.head_count && !t.is_stopped; i++)
		if (check_object(o, &c.heads[i], &t, e) < 0)
			goto out;
	check_sets(&c, &t);
	if (!t.is_stopped && redo_replay(o, &c, key_id, -1, last, &why) < 0) {
		if (why.code != MUNI_DAMAGED) {
			*e = why;
			goto out;
		}
		tell(&t, nobody, why.text);
	}
	rc = 0;
out:
	redo_chain_free(&c);
	return rc;
}
