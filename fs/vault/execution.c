#include "fs/vault/execution.h"

#include <stdlib.h>
#include <string.h>

#include "fs/base/canonical.h"
#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/store/log.h"

void execution_clear(struct execution *x)
{
	for (size_t i = 0; i < x->mount_count; i++)
		free(x->mounts[i]);
	free(x->officer);
	free(x->live.filesystem);
	free(x->live.why);
	*x = (struct execution){ 0 };
}

/* ---- to JSON ------------------------------------------------------------------------- */

static json_t *hex_json(const struct digest *d)
{
	char hex[DIGEST_HEX_SIZE];

	digest_hex(d, hex);
	return json_string(hex);
}

static json_t *number(uint64_t n)
{
	return json_integer((json_int_t)n);
}

static json_t *head_json(const struct log_head *h)
{
	return json_pack("{s:o, s:o, s:I, s:o, s:o, s:o}", "count", number(h->count), "root",
			 hex_json(&h->root), "time", (json_int_t)h->time, "generation",
			 number(h->generation), "pages", hex_json(&h->pages), "epoch",
			 number(h->epoch));
}

static json_t *doom_json(const struct doom_result *d)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "records",
			 number(d->records), "directories", number(d->directories), "bytes",
			 number(d->bytes), "contents_gone", number(d->contents_gone),
			 "contents_shared", number(d->contents_shared), "blocks_gone",
			 number(d->blocks_gone), "blocks_repacked", number(d->blocks_repacked),
			 "bytes_repacked", number(d->bytes_repacked), "segments_gone",
			 number(d->segments_gone), "keys", hex_json(&d->keys));
}

static json_t *epoch_json(const struct epoch_result *r)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "old", number(r->old_epoch),
			 "new", number(r->new_epoch), "doom", doom_json(&r->doom), "before",
			 head_json(&r->before), "after", head_json(&r->after), "mounts_answered",
			 number(r->mounts_answered), "mounts_aborted", number(r->mounts_aborted),
			 "keyring_inside", r->keyring_inside);
}

static json_t *live_json(const struct live_facts *l)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:s*, s:s*}", "gone", number(l->gone), "bytes",
			 number(l->bytes), "failed", number(l->failed), "overwritten",
			 number(l->overwritten), "filesystem", l->filesystem, "why", l->why);
}

int execution_write(const struct execution *x, char **json, struct err *e)
{
	json_t *mounts = json_array();
	json_t *all = json_pack("{s:s*, s:I, s:I, s:o, s:o, s:O, s:b}", "officer", x->officer,
				"began", (json_int_t)x->began, "ended", (json_int_t)x->ended,
				"epoch", epoch_json(&x->epoch), "live", live_json(&x->live),
				"mounts", mounts, "keyring_was_read_back",
				x->keyring_was_read_back);
	size_t size;
	int rc;

	*json = NULL;
	for (size_t i = 0; mounts && i < x->mount_count; i++)
		json_array_append_new(mounts, json_string(text_printable(x->mounts[i])));
	rc = all ? canonical_dump(all, json, &size, e)
		 : err_set(e, MUNI_NO_MEMORY, "no memory for the facts of an execution");
	json_decref(mounts);
	json_decref(all);
	return rc;
}

/* ---- from JSON ----------------------------------------------------------------------- */

static uint64_t get_number(const json_t *from, const char *key)
{
	json_int_t n = json_integer_value(json_object_get(from, key));

	return n > 0 ? (uint64_t)n : 0;
}

static void get_digest(const json_t *from, const char *key, struct digest *out)
{
	const char *hex = json_string_value(json_object_get(from, key));

	if (!hex || text_unhex(hex, out->bytes, DIGEST_SIZE) < 0)
		*out = (struct digest){ 0 };
}

static char *get_text(const json_t *from, const char *key)
{
	const char *text = json_string_value(json_object_get(from, key));

	return text ? strdup(text) : NULL;
}

static void read_head(const json_t *from, struct log_head *out)
{
	out->count = get_number(from, "count");
	get_digest(from, "root", &out->root);
	out->time = json_integer_value(json_object_get(from, "time"));
	out->generation = get_number(from, "generation");
	get_digest(from, "pages", &out->pages);
	out->epoch = get_number(from, "epoch");
}

static void read_doom(const json_t *from, struct doom_result *out)
{
	out->records = get_number(from, "records");
	out->directories = get_number(from, "directories");
	out->bytes = get_number(from, "bytes");
	out->contents_gone = get_number(from, "contents_gone");
	out->contents_shared = get_number(from, "contents_shared");
	out->blocks_gone = get_number(from, "blocks_gone");
	out->blocks_repacked = get_number(from, "blocks_repacked");
	out->bytes_repacked = get_number(from, "bytes_repacked");
	out->segments_gone = get_number(from, "segments_gone");
	get_digest(from, "keys", &out->keys);
}

static void read_epoch(const json_t *from, struct epoch_result *out)
{
	out->old_epoch = get_number(from, "old");
	out->new_epoch = get_number(from, "new");
	read_doom(json_object_get(from, "doom"), &out->doom);
	read_head(json_object_get(from, "before"), &out->before);
	read_head(json_object_get(from, "after"), &out->after);
	out->mounts_answered = (unsigned)get_number(from, "mounts_answered");
	out->mounts_aborted = (unsigned)get_number(from, "mounts_aborted");
	out->keyring_inside = json_is_true(json_object_get(from, "keyring_inside"));
}

static void read_live(const json_t *from, struct live_facts *out)
{
	out->gone = get_number(from, "gone");
	out->bytes = get_number(from, "bytes");
	out->failed = get_number(from, "failed");
	out->overwritten = get_number(from, "overwritten");
	out->filesystem = get_text(from, "filesystem");
	out->why = get_text(from, "why");
}

int execution_read(const char *json, struct execution *out, struct err *e)
{
	json_t *all = NULL;
	const json_t *mounts;

	*out = (struct execution){ 0 };
	if (!json)
		return err_set(e, MUNI_DAMAGED, "the disposition has no facts of its execution");
	if (canonical_load(json, strlen(json), &all, e) < 0)
		return err_wrap(e, "reading the facts of an execution");
	out->officer = get_text(all, "officer");
	out->began = json_integer_value(json_object_get(all, "began"));
	out->ended = json_integer_value(json_object_get(all, "ended"));
	read_epoch(json_object_get(all, "epoch"), &out->epoch);
	read_live(json_object_get(all, "live"), &out->live);
	out->keyring_was_read_back = json_is_true(json_object_get(all, "keyring_was_read_back"));
	mounts = json_object_get(all, "mounts");
	for (size_t i = 0; i < json_array_size(mounts) && i < EXECUTION_MOUNTS_MAX; i++) {
		const char *text = json_string_value(json_array_get(mounts, i));

		out->mounts[out->mount_count] = strdup(text ? text : "");
		if (out->mounts[out->mount_count])
			out->mount_count++;
	}
	json_decref(all);
	return 0;
}
