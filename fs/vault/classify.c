#include "fs/vault/classify.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/base/total.h"
#include "fs/vault/classify_inside.h"
#include "policy/rot.h"

#define BATCH 512		/* items judged between two writes */

/* ---- judging --------------------------------------------------------------------------- */

struct judging {
	struct vault *vault;
	const struct vault_monitor *monitor;
	const struct policy *policy;
	const struct policy_info *info;
	struct system system;
	struct scan scan;
	int64_t now;
	struct classify_result *result;
	struct item_facts facts;
	uint8_t *matched;
	struct {
		int64_t item;
		struct decision_row row;	/* its texts owned */
	} batch[BATCH];
	size_t count;
	char *last;			/* path of the last item judged; owned */
	size_t last_size;
	struct err *e;
};

static void drop_batch(struct judging *g)
{
	for (size_t i = 0; i < g->count; i++) {
		struct decision_row *d = &g->batch[i].row;

		free(d->class_code);
		free(d->rule);
		free(d->matched);
		free(d->evidence);
	}
	g->count = 0;
}

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "no memory for the decisions");
}

/* A row of the decision; texts are owned by it. */
static int write_down(struct judging *g, const struct judgement *j, struct decision_row *d)
{
	bool is_short;

	*d = (struct decision_row){
		.decision = (uint8_t)j->decision, .sensitivity = (uint8_t)j->sensitivity,
		.importance = (uint8_t)j->importance, .confidence = j->confidence,
		.evidence = classify_evidence(j, &g->facts.facts),
		.class_code = j->class ? strdup(j->class->id) : NULL,
		.rule = j->rule ? strdup(j->rule->id) : NULL,
		.matched = classify_matched(g->info, g->matched, &is_short),
	};
	g->count++;		/* drop_batch() frees it, also half made */
	if (is_short || !d->evidence || (j->class && !d->class_code) ||
	    (j->rule && !d->rule))
		return no_memory(g->e);
	return 0;
}

static void add(struct decision_sum *s, uint64_t size)
{
	s->items++;
	total_add(&s->bytes, size);
}

static void count(struct judging *g, const struct decided_row *r, const struct judgement *j)
{
	struct classify_result *sums = g->result;
	uint64_t bytes = r->item->kind == NODE_FILE ? r->item->size : 0;

	add(&sums->total, bytes);
	add(&sums->sums[decided_decision(r)], bytes);
	add(&sums->rot[rot_of(&g->facts.facts, g->now)], bytes);
	sums->held_back += j->is_held_back && !r->has_override;
	sums->overridden += r->has_override;
	sums->differing += is_differing(r);
}

static int remember(struct judging *g, const struct item_row *item)
{
	char *copy = malloc(item->path_size + 1);

	if (!copy)
		return no_memory(g->e);
	memcpy(copy, item->path, item->path_size + 1);
	free(g->last);
	g->last = copy;
	g->last_size = item->path_size;
	return 0;
}

static int on_item(void *arg, const struct item_row *item, const char *duplicate_path,
		   size_t duplicate_size)
{
	struct judging *g = arg;
	struct judgement j = { .matched = g->matched };
	struct decided_row r;

	memset(g->matched, 0, (g->info->rule_count + 7) / 8);
	if (item_facts_fill(&g->facts, item, duplicate_path, duplicate_size, g->e) < 0)
		return -1;
	policy_decide(g->policy, &g->facts.facts, g->now, &j);
	g->batch[g->count].item = item->id;
	struct decision_row *d = &g->batch[g->count].row;
	if (write_down(g, &j, d) < 0 ||
	    catalogue_decided_find(g->vault->catalogue, item, &r, g->e) < 0)
		return -1;
	/* What was decided before is gone; the override stays. */
	const struct decided_row now = { .item = item, .has_decision = true, .policy = *d,
					 .has_override = r.has_override,
					 .override = r.override };
	count(g, &now, &j);
	decided_row_clear(&r);
	if (g->count < BATCH)
		return 0;
	return remember(g, item) < 0 ? -1 : 1;
}

static int write_batch(struct judging *g, struct err *e)
{
	for (size_t i = 0; i < g->count; i++)
		if (catalogue_decision_put(g->vault->catalogue, g->batch[i].item,
					   &g->batch[i].row, e) < 0)
			return -1;
	drop_batch(g);
	return 0;
}

static int tell_progress(struct judging *g, struct err *e)
{
	const struct vault_monitor *m = g->monitor;
	const struct vault_progress p = { .stage = "deciding",
		.items_done = g->result->total.items, .items_total = g->scan.items,
		.bytes_done = g->result->total.bytes };

	if (m && m->is_cancelled && m->is_cancelled(m->arg))
		return err_set(e, MUNI_CANCELLED, "stopped; the decisions are as they were");
	if (m && m->progress)
		m->progress(m->arg, &p);
	return 0;
}

/* Batch by batch: a row callback may not write (catalogue.h). */
static int judge_all(struct judging *g, struct err *e)
{
	bool is_full;

	g->e = e;
	do {
		if (catalogue_items(g->vault->catalogue, g->system.id, g->last, g->last_size,
				    on_item, g, e) < 0)
			return -1;
		is_full = g->count == BATCH;
		if (write_batch(g, e) < 0 || tell_progress(g, e) < 0)
			return -1;
	} while (is_full);
	return 0;
}

/* ---- the act ------------------------------------------------------------------------------ */

static int define_classes(struct judging *g, int64_t policy, struct err *e)
{
	for (size_t i = 0; i < g->info->class_count; i++) {
		const struct policy_class *k = &g->info->classes[i];
		struct buffer groups = { .data = NULL };
		char *definition = classify_definition(k);
		int rc = -1;

		for (size_t n = 0; k->groups && k->groups[n]; n++) {
			if (n > 0)
				buffer_u8(&groups, ',');
			buffer_append(&groups, k->groups[n], strlen(k->groups[n]));
		}
		buffer_u8(&groups, 0);
		if (!definition || groups.failed)
			no_memory(e);
		else
			rc = catalogue_class_define(g->vault->catalogue, k->id,
						    (const char *)groups.data, policy,
						    definition, e);
		free(definition);
		buffer_free(&groups);
		if (rc < 0)
			return -1;
	}
	return 0;
}

static int act(struct judging *g, int64_t policy, struct err *e)
{
	const struct classify_result *r = g->result;
	char digest[DIGEST_HEX_SIZE];
	json_t *sums = json_object(), *o;

	text_hex(g->info->digest, DIGEST_SIZE, digest);
	for (int i = 0; i < DECISIONS; i++)
		json_object_set_new(sums, decision_name((enum decision)i),
				    json_pack("{s:I, s:I}", "items",
					      (json_int_t)r->sums[i].items, "bytes",
					      (json_int_t)r->sums[i].bytes));
	o = json_pack("{s:s, s:s, s:I, s:s, s:I, s:I, s:o}", "system", g->system.name,
		      "policy", g->info->name, "policy_version",
		      (json_int_t)g->info->version, "policy_sha256", digest, "policy_id",
		      (json_int_t)policy, "scan", (json_int_t)g->scan.id, "decided", sums);
	char *details = o ? json_dumps(o, JSON_SORT_KEYS | JSON_COMPACT) : NULL;
	json_decref(o);
	if (!details)
		return no_memory(e);
	int rc = vault_commit_act(g->vault, LOG_CLASSIFY, details, e);
	free(details);
	return rc;
}

static int find_inventory(struct judging *g, const char *system, struct err *e)
{
	struct catalogue *c = g->vault->catalogue;

	if (catalogue_scanned_system(c, system, &g->system, e) < 0 ||
	    catalogue_scan_latest(c, g->system.id, &g->scan, e) < 0)
		return -1;
	if (!g->scan.is_complete)
		return err_set(e, MUNI_USAGE, "the last scan of %s was cut off: its inventory "
			       "is not whole. Run `muni scan` on the source again; it goes on "
			       "where it stopped", text_printable(system));
	return 0;
}

static int classify(struct judging *g, const char *text, size_t size, struct err *e)
{
	struct catalogue *c = g->vault->catalogue;
	struct policy_row row = { .name = (char *)g->info->name, .version = g->info->version,
				  .stored = g->now, .text = (char *)text, .text_size = size };

	memcpy(row.digest.bytes, g->info->digest, DIGEST_SIZE);
	if (catalogue_policy_intern(c, &row, e) < 0)
		return -1;
	const struct classification k = { .policy = row.id, .decided = g->now,
					  .scan = g->scan.id };
	if (catalogue_classification_begin(c, g->system.id, &k, e) < 0 ||
	    define_classes(g, row.id, e) < 0 || judge_all(g, e) < 0)
		return -1;
	return act(g, row.id, e);
}

int vault_classify(struct vault *v, const char *system, const char *policy_path,
		   const struct vault_monitor *m, struct classify_result *out,
		   struct err *e)
{
	struct judging *g = calloc(1, sizeof *g);
	struct policy *policy = NULL;
	char *text = NULL;
	size_t size = 0;
	int rc = -1;

	*out = (struct classify_result){ .overridden = 0 };
	if (!g)
		return no_memory(e);
	g->vault = v;
	g->monitor = m;
	g->result = out;
	g->now = vault_now(v);
	if (vault_policy_read(policy_path, &policy, &text, &size, e) < 0 ||
	    vault_policy_check(policy, policy_path, e) < 0 ||
	    find_inventory(g, system, e) < 0)
		goto out;
	g->policy = policy;
	g->info = policy_info(policy);
	g->matched = calloc(1, g->info->rule_count / 8 + 1);
	if (!g->matched) {
		no_memory(e);
		goto out;
	}
	if (catalogue_begin(v->catalogue, e) < 0)
		goto out;
	rc = classify(g, text, size, e);
	if (rc < 0)
		catalogue_rollback(v->catalogue);
out:
	drop_batch(g);
	item_facts_free(&g->facts);
	scan_clear(&g->scan);
	free(g->matched);
	free(g->last);
	free(g);
	free(text);
	policy_free(policy);
	return rc;
}
