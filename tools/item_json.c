#include "tools/item_json.h"

#include <stdio.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/vault/scan.h"
#include "tools/jsonl.h"
#include "tools/print.h"

#define DAY 86400

uint64_t item_age_days(const struct item_row *r, int64_t at)
{
	int64_t age;

	if (__builtin_sub_overflow(at, r->mtime.seconds, &age) || age < 0)
		return 0;
	return (uint64_t)age / DAY;
}

static json_t *finding_json(const struct stored_finding *f)
{
	json_t *o = json_object();
	json_t *samples = json_loads(f->samples, JSON_REJECT_DUPLICATES, NULL);

	jsonl_text(o, "type", f->id);
	jsonl_number(o, "count", f->count);
	if (o)
		json_object_set_new(o, "confidence", json_real(f->confidence / 100.0));
	jsonl_text(o, "where", f->where);
	if (o && json_is_array(samples))
		json_object_set_new(o, "samples", samples);
	else
		json_decref(samples);
	return o;
}

static int findings_json(json_t *o, const struct item_row *r, struct err *e)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->finding_count; i++) {
		json_t *f = finding_json(&r->findings[i]);

		if (f && !json_object_get(f, "samples")) {
			json_decref(f);
			json_decref(list);
			return err_set(e, MUNI_DAMAGED, "the findings of %s do not read; run "
				       "`muni verify`",
				       text_printable_n(r->path, r->path_size));
		}
		if (!list || json_array_append_new(list, f) < 0) {
			json_decref(list);
			return err_set(e, MUNI_NO_MEMORY, "no memory for an item's findings");
		}
	}
	json_object_set_new(o, "findings", list);
	return 0;
}

static void times_json(json_t *o, const struct item_row *r, int64_t at)
{
	jsonl_time(o, "mtime", r->mtime.seconds, r->mtime.ns);
	jsonl_time(o, "ctime", r->ctime.seconds, r->ctime.ns);
	jsonl_time(o, "atime", r->atime.seconds, r->atime.ns);
	if (r->has_btime)
		jsonl_time(o, "btime", r->btime.seconds, r->btime.ns);
	jsonl_number(o, "age_days", item_age_days(r, at));
}

static void owner_json(json_t *o, const struct item_row *r)
{
	char mode[8];

	snprintf(mode, sizeof mode, "%04o", r->mode & 07777);
	jsonl_text(o, "mode", mode);
	jsonl_number(o, "uid", r->uid);
	jsonl_number(o, "gid", r->gid);
	jsonl_text(o, "owner", r->owner);
	jsonl_text(o, "group", r->group);
	jsonl_number(o, "links", r->links);
}

int item_json(json_t *o, const struct item_row *r, const char *duplicate_path,
	      size_t duplicate_size, int64_t at, struct err *e)
{
	jsonl_bytes(o, "path", r->path, r->path_size);
	jsonl_text(o, "kind", print_kind(r->kind));
	jsonl_number(o, "size", r->size);
	if (r->has_sha256 && scan_digest_is_plain(r))
		jsonl_digest(o, "sha256", &r->sha256);
	else
		jsonl_text(o, "sha256", NULL);
	if (r->has_sha256 && !scan_digest_is_plain(r))
		jsonl_digest(o, "digest", &r->sha256);
	jsonl_text(o, "format", r->format);
	jsonl_text(o, "claimed", r->claimed);
	jsonl_bool(o, "extension_lies", r->claimed != NULL);
	jsonl_text(o, "encoding", r->encoding);
	jsonl_text(o, "script", r->script);
	if (duplicate_path)
		jsonl_bytes(o, "duplicate_of", duplicate_path, duplicate_size);
	else
		jsonl_text(o, "duplicate_of", NULL);
	jsonl_number(o, "copies", r->copies);
	jsonl_text(o, "opaque", r->opaque);
	if (findings_json(o, r, e) < 0)
		return -1;
	owner_json(o, r);
	times_json(o, r, at);
	if (r->target)
		jsonl_bytes(o, "target", r->target, (size_t)r->size);
	return 0;
}
