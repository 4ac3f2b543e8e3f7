/*
 * The statement: what a disposition is, in the words that officers sign.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/canonical.h"
#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/base/total.h"
#include "fs/vault/disposition_inside.h"
#include "fs/vault/inside.h"

const char *disposition_kind_name(enum disposition_kind k)
{
	switch (k) {
	case DISPOSITION_RECORDS:
		return "records";
	case DISPOSITION_LIVE:
		return "live";
	case DISPOSITION_SHORTEN:
		return "shorten";
	case DISPOSITION_RESTORED:
		return "restored";
	}
	return "unknown";
}

int details_text(json_t *o, char **out, struct err *e)
{
	size_t size;
	int rc = o ? canonical_dump(o, out, &size, e) :
		 err_set(e, MUNI_NO_MEMORY, "no memory for the log's entry");

	json_decref(o);
	return rc;
}

static json_t *keys_of(json_t *set)
{
	json_t *list = json_array(), *value;
	const char *key;

	json_object_foreach(set, key, value)
		json_array_append_new(list, json_string(key));
	return list;
}

static void put_span(json_t *o, const char *from, const char *to, struct civil first,
		     struct civil last)
{
	char text[16];

	civil_text(first, text);
	json_object_set_new(o, from, json_string(text));
	civil_text(last, text);
	json_object_set_new(o, to, json_string(text));
}

static json_t *class_json(const struct class_sum *s)
{
	json_t *o = json_copy(s->about), *policies = keys_of(s->policies), *due;

	json_object_set_new(o, "class", json_string(s->code));
	json_object_set_new(o, "items", json_integer((json_int_t)s->items));
	json_object_set_new(o, "files", json_integer((json_int_t)s->files));
	json_object_set_new(o, "bytes", json_integer((json_int_t)s->bytes));
	json_object_set(o, "formats", s->formats);
	json_object_set_new(o, "rules", keys_of(s->rules));
	if (json_array_size(policies) == 1)
		json_object_set(o, "policy", json_array_get(policies, 0));
	json_object_set_new(o, "policies", policies);
	if (s->has_span)
		put_span(o, "from", "to", s->from_first, s->from_last);
	if (s->has_until) {
		due = json_object();
		put_span(due, "first", "last", s->until_first, s->until_last);
		json_object_set_new(o, "due", due);
	}
	return o;
}

static void put_text_time(json_t *o, const char *key, int64_t seconds)
{
	char text[TEXT_TIME_MAX];

	json_object_set_new(o, key, json_string(text_time(seconds, 0, text)));
}

static json_t *head_json(struct vault *v)
{
	struct digest root = merkle_frontier_root(&log_position(v->log)->frontier);
	char hex[DIGEST_HEX_SIZE];

	digest_hex(&root, hex);
	return json_pack("{s:I, s:s}", "count", (json_int_t)log_count(v->log), "root", hex);
}

static void put_sums(json_t *o, const struct item_list *l)
{
	json_t *classes = json_array();
	uint64_t bytes = 0, files = 0;

	for (size_t i = 0; i < l->sum_count; i++) {
		json_array_append_new(classes, class_json(&l->sums[i]));
		total_add(&bytes, l->sums[i].bytes);
		files += l->sums[i].files;
	}
	json_object_set_new(o, "classes", classes);
	json_object_set_new(o, "items", json_integer((json_int_t)l->count));
	json_object_set_new(o, "files", json_integer((json_int_t)files));
	json_object_set_new(o, "bytes", json_integer((json_int_t)bytes));
	json_object_set_new(o, "approvals", demands_json(&l->demands));
	if (l->named)
		json_object_set(o, "named", l->named);
}

static json_t *proposed_json(const struct statement_facts *f)
{
	char hex[DIGEST_HEX_SIZE];
	json_t *o;

	digest_hex(&f->proposer->identity.fingerprint, hex);
	o = json_pack("{s:s, s:s, s:s, s:s}", "by", f->proposer->id, "person",
		      f->proposer->person, "roles", f->proposer->roles_text, "certificate", hex);
	put_text_time(o, "at", f->proposed);
	return o;
}

int statement_text(struct vault *v, struct item_list *l, const struct statement_facts *f,
		   const struct digest *root, char **text, size_t *size, struct err *e)
{
	char id[24], hex[DIGEST_HEX_SIZE];
	json_t *o;
	int rc;

	snprintf(id, sizeof id, "D%" PRId64, f->id);
	digest_hex(root, hex);
	o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:O, s:o, s:o, s:o, s:s*, s:s*}", "type",
		      "muniment-disposition-1", "archive", vault_id_hex(v), "disposition", id,
		      "kind", disposition_kind_name(f->kind), "root", hex, "scope", f->scope,
		      "log", head_json(v), "proposed", proposed_json(f), "systems",
		      keys_of(l->systems), "source", f->source, "reason", f->reason);
	put_text_time(o, "asof", f->asof);
	put_sums(o, l);
	rc = o ? canonical_dump(o, text, size, e) :
	     err_set(e, MUNI_NO_MEMORY, "no memory for the statement");
	json_decref(o);
	return rc;
}
