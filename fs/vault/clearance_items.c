/*
 * The list made again: what has changed in any way has no approvals; what has not is
 * asked whether it may go, as of now.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/json_memory.h"
#include "fs/base/text.h"
#include "fs/vault/clearance_inside.h"

const char *item_mark(const struct disposition_item *i, char out[40])
{
	char hex[DIGEST_HEX_SIZE];

	digest_hex(&i->leaf, hex);
	snprintf(out, 40, "item %.12s", hex);
	return out;
}

static void name_it(struct clearing *k, const void *path, size_t size)
{
	snprintf(k->name, sizeof k->name, "%s", text_printable_n(path, size));
}

static int altered(struct clearing *k, const struct disposition_item *i, const char *how)
{
	char mark[40];

	return json_memory_refused(k->e, MUNI_REFUSED, "altered list: %s %s since D%" PRId64
		" was proposed; a list that changed has no approvals. Withdraw it and propose anew",
		item_mark(i, mark), how, k->row.id);
}

/* ---- records ------------------------------------------------------------------------------ */

struct judging {
	struct clearing *k;
	const struct disposition_item *item;
	const uint8_t *salt;
	struct digest *leaf;
};

struct hold_name {
	int64_t id;
	char text[300];
};

static int on_hold(void *arg, const struct hold_row *h)
{
	struct hold_name *n = arg;

	if (h->id == n->id)
		snprintf(n->text, sizeof n->text, "H%" PRId64 " (case %s)", h->id,
			 text_printable(h->case_ref));
	return h->id == n->id;
}

static int refuse_held(struct judging *j, const struct record_state *s)
{
	struct hold_name name = { .id = s->holds[0] };
	char mark[40];

	if (catalogue_holds(j->k->vault->catalogue, false, on_hold, &name, j->k->e) < 0)
		return -1;
	return err_set(j->k->e, MUNI_REFUSED, "hold: %s is held by %s; a hold outranks every date "
		       "until it is released", item_mark(j->item, mark), name.text);
}

static int refuse_standing(struct judging *j, const struct record_state *s)
{
	const char *code = s->ruling ? s->ruling->id : "";
	char mark[40], day[16] = "";

	item_mark(j->item, mark);
	switch (s->standing) {
	case STANDING_HELD:
		return refuse_held(j, s);
	case STANDING_GRACE:
		civil_text(s->eligible, day);
		return err_set(j->k->e, MUNI_REFUSED, "grace period: %s of class %s is due, but "
			       "the grace of its class is not over; it may go on %s", mark, code,
			       day);
	case STANDING_MISSING:
		return err_set(j->k->e, MUNI_REFUSED, "missing trigger: %s of class %s has no date "
			       "to count from, and is kept", mark, code);
	case STANDING_UNCLASSIFIED:
		return err_set(j->k->e, MUNI_REFUSED, "no class: %s has none, and is kept", mark);
	case STANDING_REVIEW:
		return err_set(j->k->e, MUNI_REFUSED, "review: %s of class %s is due, but its class "
			       "asks for a review or a transfer first", mark, code);
	default:
		if (s->has_due)
			civil_text(s->until, day);
		return err_set(j->k->e, MUNI_REFUSED, "retention period: %s of class %s must be "
			       "kept%s%s", mark, code, *day ? " until " : "", day);
	}
}

static int on_record(void *arg, const struct record *r)
{
	struct judging *j = arg;
	struct clearing *k = j->k;
	struct record_state s;
	char *text = NULL;

	name_it(k, r->path, r->path_size);
	if (retainer_judge(k->retainer, r, &s, k->e) < 0 ||
	    record_item_text(k->vault->catalogue, &s, j->salt, &text, j->leaf, k->e) < 0)
		return -1;
	free(text);
	for (size_t i = 0; i < s.term_count; i++)
		if (demands_add(&k->demands, s.terms[i].definition, k->e) < 0)
			return -1;
	/* That it is held, or kept longer now, says more than that something changed. */
	return record_may_go(&s, k->by_review) ? 0 : refuse_standing(j, &s);
}

int clearance_record(struct clearing *k, const struct disposition_item *i,
		     const uint8_t salt[ITEM_SALT_SIZE], struct digest *leaf)
{
	struct judging j = { .k = k, .item = i, .salt = salt, .leaf = leaf };

	name_it(k, i->key.name, i->key.name_size);
	if (catalogue_record(k->vault->catalogue, &i->key, on_record, &j, k->e) == 0)
		return 0;
	return k->e->code == MUNI_NOT_FOUND ? altered(k, i, "is not there any more") : -1;
}

/* ---- all of them ----------------------------------------------------------------------------- */

static int on_item(void *arg, const struct disposition_item *i)
{
	struct clearing *k = arg;
	uint8_t salt[ITEM_SALT_SIZE];
	struct digest now = {{0}};
	int rc;

	if (!i->text || i->outcome == OUTCOME_GONE || i->outcome == OUTCOME_BYTES_STAY)
		return k->row.kind == DISPOSITION_LIVE ? 0 :	/* gone in an earlier try */
			altered(k, i, "was destroyed under another disposition");
	if (item_salt(i->text, salt, k->e) < 0)
		return -1;
	if (k->row.kind == DISPOSITION_RECORDS)
		rc = clearance_record(k, i, salt, &now);
	else if (k->row.kind == DISPOSITION_LIVE)
		rc = clearance_live(k, i, salt, &now);
	else
		rc = clearance_shorten(k, i, salt, &now);
	if (rc < 0)
		return -1;
	if (!digest_equal(&now, &i->leaf))
		return altered(k, i, "has changed (its class, period, content, place or versions)");
	k->name[0] = '\0';
	return 0;
}

/* Items as they are stored, those gone in an earlier try too. */
static int on_leaf(void *arg, const struct disposition_item *i)
{
	struct clearing *k = arg;

	merkle_frontier_add(&k->leaves, &i->leaf);
	k->items++;
	return 0;
}

/* A version, system or archive that was to go as a whole has nothing beside the list. */
struct counting {
	uint64_t count;
};

static int on_counted(void *arg, const struct record_state *s)
{
	struct counting *n = arg;

	(void)s;
	n->count++;
	return 0;
}

static int check_whole(struct clearing *k)
{
	const char *scope = json_string_value(json_object_get(k->scope, "scope"));
	struct record_filter filter = { .version = json_integer_value(
		json_object_get(k->scope, "version_id")) };
	struct counting n = { .count = 0 };

	if (k->row.kind != DISPOSITION_RECORDS || !scope || strcmp(scope, "due") == 0)
		return 0;
	filter.system = json_string_value(json_object_get(k->scope, "system"));
	if (vault_due(k->vault->catalogue, &filter, k->now, on_counted, &n, k->e) < 0)
		return -1;
	if (n.count == k->items)
		return 0;
	return json_memory_refused(k->e, MUNI_REFUSED, "altered list: the whole %s was to go with D%" PRId64
		       ", and has %" PRIu64 " records now instead of %" PRIu64, scope, k->row.id,
		       n.count, k->items);
}

int clearance_items(struct clearing *k)
{
	struct catalogue *c = k->vault->catalogue;
	struct digest root;

	if (retainer_open(c, k->now, &k->retainer, k->e) < 0 ||
	    catalogue_disposition_items(c, k->row.id, on_leaf, k, k->e) < 0)
		return -1;
	root = merkle_frontier_root(&k->leaves);
	if (k->items == 0 || !digest_equal(&root, &k->row.root))
		return json_memory_refused(k->e, MUNI_REFUSED, "altered list: the items of D%" PRId64 " are not "
			       "those that its root was made of (some may have gone under another "
			       "disposition)", k->row.id);
	return catalogue_disposition_items(c, k->row.id, on_item, k, k->e) < 0 ? -1 :
		check_whole(k);
}
