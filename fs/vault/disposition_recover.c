/*
 * A destruction that was cut off after its point of no return was ended by whoever opened
 * the archive next.  What it did stands in the log: LOG_EPOCH_SWITCHED, LOG_EPOCH_ENDED.
 */
#include <stdlib.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/vault/disposition_inside.h"
#include "fs/vault/inside.h"

struct seeking {
	struct vault *vault;
	int64_t disposition;
	struct execution *facts;
	struct merkle_frontier frontier;	/* of the entries read so far */
	bool is_found;
};

static uint64_t number(const json_t *o, const char *key)
{
	json_int_t n = json_integer_value(json_object_get(o, key));

	return n > 0 ? (uint64_t)n : 0;
}

static void take_switch(struct seeking *s, const json_t *o)
{
	struct doom_result *d = &s->facts->epoch.doom;
	const char *keys = json_string_value(json_object_get(o, "keys"));

	s->is_found = true;
	s->facts->epoch.new_epoch = number(o, "epoch");
	s->facts->epoch.old_epoch = s->facts->epoch.new_epoch - 1;
	if (d->records == 0)
		d->records = number(o, "records");
	if (d->blocks_gone == 0)
		d->blocks_gone = number(o, "blocks_gone");
	if (keys && text_unhex(keys, d->keys.bytes, DIGEST_SIZE) < 0)
		d->keys = (struct digest){{0}};
}

static void take_end(struct seeking *s, const json_t *o)
{
	struct epoch_result *r = &s->facts->epoch;

	r->mounts_answered = (unsigned)number(o, "mounts_answered");
	r->mounts_aborted = (unsigned)number(o, "mounts_aborted");
	r->keyring_inside = json_is_true(json_object_get(o, "keyring_inside"));
	s->facts->keyring_was_read_back = true;
}

static void take_head(const struct seeking *s, const struct log_entry *entry,
		      struct log_head *out)
{
	*out = (struct log_head){ .count = s->frontier.count, .time = entry->time,
				  .root = merkle_frontier_root(&s->frontier) };
}

/* The details of such an entry, where they speak of this disposition; else NULL. */
static json_t *details_of(struct seeking *s, uint64_t sequence, struct err *e)
{
	uint8_t salt[16];
	char *text = NULL;
	json_error_t wrong;
	json_t *o;

	if (catalogue_log_detail_get(s->vault->catalogue, sequence, salt, &text, e) < 0)
		return NULL;
	o = text ? json_loads(text, 0, &wrong) : NULL;
	free(text);
	if (json_integer_value(json_object_get(o, "disposition")) == s->disposition)
		return o;
	json_decref(o);
	return NULL;
}

static int see(struct seeking *s, uint64_t sequence, struct err *e)
{
	struct log_entry entry;
	struct digest leaf;
	json_t *o = NULL;

	if (log_read(s->vault->log, sequence, &entry, e) < 0 ||
	    log_leaf(s->vault->log, sequence, &leaf, e) < 0)
		return -1;
	if (entry.act == LOG_EPOCH_INTENT || entry.act == LOG_EPOCH_SWITCHED ||
	    entry.act == LOG_EPOCH_ENDED)
		o = details_of(s, sequence, e);
	if (o && entry.act == LOG_EPOCH_INTENT) {
		take_head(s, &entry, &s->facts->epoch.before);
		s->facts->began = entry.time;
	}
	merkle_frontier_add(&s->frontier, &leaf);
	if (o && entry.act == LOG_EPOCH_SWITCHED) {
		take_switch(s, o);
		take_head(s, &entry, &s->facts->epoch.after);
	} else if (o && entry.act == LOG_EPOCH_ENDED) {
		take_end(s, o);
	}
	json_decref(o);
	return e->code == MUNI_OK ? 0 : -1;
}

int execution_from_log(struct vault *v, int64_t disposition, struct execution *facts,
		       struct err *e)
{
	struct seeking s = { .vault = v, .disposition = disposition, .facts = facts };
	uint64_t count = log_count(v->log);

	for (uint64_t i = 0; i < count; i++)
		if (see(&s, i, e) < 0)
			return -1;
	if (!s.is_found)
		return err_set(e, MUNI_DAMAGED, "the records of the disposition are gone, and the "
			       "log does not say how");
	facts->epoch.before.epoch = facts->epoch.old_epoch;
	facts->epoch.after.epoch = facts->epoch.new_epoch;
	return 0;
}
