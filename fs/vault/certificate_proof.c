/*
 * What the log proves: that it went on from where it stood before, and that the acts of
 * this destruction stand in it.
 */
#include <stdlib.h>

#include "fs/base/err.h"
#include "fs/vault/audit.h"
#include "fs/vault/certificate_inside.h"

struct proof {
	const struct log *log;
	struct digest *leaves;	/* owned */
	size_t count;		/* of the newest signed head */
};

static json_t *path_json(const struct digest *path, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, hex_value(&path[i]));
	return list;
}

static int read_leaves(struct proof *p, struct err *e)
{
	p->leaves = calloc(p->count + 1, sizeof *p->leaves);
	if (!p->leaves)
		return err_set(e, MUNI_NO_MEMORY, "no memory for the log's %zu entries", p->count);
	for (size_t i = 0; i < p->count; i++)
		if (log_leaf(p->log, i, &p->leaves[i], e) < 0)
			return -1;
	return 0;
}

static int add_entry(struct proof *p, uint64_t sequence, json_t *list, struct err *e)
{
	struct log_entry entry;
	struct digest *path = NULL;
	size_t count = 0;
	json_t *o;

	if (log_read(p->log, sequence, &entry, e) < 0 ||
	    merkle_inclusion(p->leaves, p->count, sequence, &path, &count, e) < 0)
		return -1;
	o = json_pack("{s:s, s:I, s:o, s:o, s:o, s:o, s:o}", "act", audit_act_name(entry.act),
		      "number", (json_int_t)entry.act, "sequence", count_value(sequence), "time",
		      json_integer((json_int_t)entry.time), "actor", hex_value(&entry.actor),
		      "commitment", hex_value(&entry.commitment), "path",
		      path_json(path, count));
	free(path);
	return json_array_append_new(list, o) == 0 ? 0 :
	       err_set(e, MUNI_NO_MEMORY, "no memory for a proof");
}

static bool is_of_destruction(enum log_act act)
{
	return act == LOG_PROPOSED || act == LOG_APPROVED || act == LOG_EPOCH_INTENT ||
	       act == LOG_EPOCH_SWITCHED || act == LOG_DESTROYED || act == LOG_RETENTION_SHORTENED;
}

/* The proposal's own entry follows the head that it names; what the destruction wrote
 * follows the head before it. */
static int add_entries(const struct certificate_facts *f, struct proof *p, json_t *list,
		       struct err *e)
{
	const json_t *log = json_object_get(f->statement, "log");
	uint64_t proposed = (uint64_t)json_integer_value(json_object_get(log, "count"));
	struct log_entry entry;

	for (uint64_t n = proposed; n < p->count; n++) {
		if (n != proposed && n < f->execution.epoch.before.count)
			continue;
		if (log_read(p->log, n, &entry, e) < 0)
			return -1;
		if (is_of_destruction(entry.act) && add_entry(p, n, list, e) < 0)
			return -1;
	}
	return 0;
}

static json_t *head_json(const struct log_head *h)
{
	return json_pack("{s:o, s:o, s:o, s:o}", "count", count_value(h->count), "root",
			 hex_value(&h->root), "epoch", count_value(h->epoch), "time",
			 time_value(h->time));
}

static int add_consistency(const struct certificate_facts *f, struct proof *p, json_t *out,
			   struct err *e)
{
	const struct log_head *before = &f->execution.epoch.before;
	struct digest *path = NULL;
	size_t count = 0;

	if (before->count == 0 || before->count > p->count)
		return 0;
	if (merkle_consistency(p->leaves, p->count, before->count, &path, &count, e) < 0)
		return -1;
	json_object_set_new(out, "before", head_json(before));
	json_object_set_new(out, "consistency", path_json(path, count));
	free(path);
	return 0;
}

static json_t *previous_json(const struct certificate_facts *f)
{
	char id[24];

	if (f->previous == 0)
		return json_null();
	snprintf(id, sizeof id, "C%lld", (long long)f->previous);
	return json_pack("{s:s, s:o}", "certificate", id, "sha256",
			 hex_value(&f->previous_digest));
}

int certificate_proof(struct certificate_facts *f, json_t **out, struct err *e)
{
	struct proof p = { .log = f->vault->log };
	struct log_head head;
	char *statement = NULL;
	uint8_t *cms = NULL;
	size_t cms_size = 0;
	json_t *proof = NULL, *entries = json_array();
	int rc = -1;

	*out = NULL;
	if (audit_head(f->vault, &head, &statement, &cms, &cms_size, e) < 0)
		goto out;
	p.count = head.count;
	proof = json_pack("{s:o, s:s, s:o, s:O, s:o}", "head", head_json(&head), "statement",
			  statement, "signature", base64_value(cms, cms_size), "entries", entries,
			  "previous", previous_json(f));
	if (!proof) {
		err_set(e, MUNI_NO_MEMORY, "no memory for a proof");
		goto out;
	}
	if (read_leaves(&p, e) < 0 || add_consistency(f, &p, proof, e) < 0 ||
	    add_entries(f, &p, entries, e) < 0)
		goto out;
	*out = json_incref(proof);
	rc = 0;
out:
	free(p.leaves);
	free(statement);
	free(cms);
	json_decref(entries);
	json_decref(proof);
	return rc < 0 ? err_wrap(e, "proving the log") : 0;
}
