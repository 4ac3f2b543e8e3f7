/*
 * Details of the log's entries that name what goes: the entry stays, with its commitment;
 * salt and details go.  docs/format.md, "What a destruction removes", says of each act
 * which of its words count.
 */
#include <stdio.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/json_memory.h"
#include "fs/base/text.h"
#include "fs/vault/doom_inside.h"
#include "fs/vault/inside.h"
#include "fs/vault/retain_inside.h"

struct words {
	struct doom *d;
	struct vault *v;
	struct err *e;
};

/* Acts whose details may name versions and files.  Of all others they are what clearance
 * goes by (retention_check_log()), or name nothing that goes: they stay. */
static bool may_name(enum log_act act)
{
	switch (act) {
	case LOG_INGEST:
	case LOG_OPEN:
	case LOG_EXPORT:
	case LOG_VERIFY:
	case LOG_REPAIR:
	case LOG_SCAN:
	case LOG_DECIDE:
	case LOG_REFUSED:
	case LOG_RESTRICTED_USED:
		return true;
	default:
		return false;
	}
}

static bool is_restriction(enum log_act act)
{
	return act == LOG_RESTRICTED || act == LOG_RESTRICTION_LIFTED;
}

static const struct root *root_named(const struct doom *d, const char *name)
{
	for (size_t i = 0; name && i < d->root_count; i++)
		if (strcmp(d->roots[i].name, name) == 0)
			return &d->roots[i];
	return NULL;
}

static bool is_gone_path(const struct doom *d, int64_t system, const char *text, size_t size)
{
	if (system)
		return doom_path_is_gone(d, system, text, size);
	for (size_t i = 0; i < d->root_count; i++)
		if (doom_path_is_gone(d, d->roots[i].id, text, size))
			return true;
	return false;
}

/* As it is, and without what stands in front of a path: "SYSTEM@LABEL/", "/". */
static bool names_gone(const struct doom *d, int64_t system, const char *text)
{
	const char *at = text;

	if (d->path_count == 0)
		return false;
	for (;;) {
		if (*at && is_gone_path(d, system, at, strlen(at)))
			return true;
		at = strchr(at, '/');
		if (!at)
			return false;
		at++;
	}
}

/* "..." within a sentence. */
static bool quotes_gone(const struct doom *d, int64_t system, const char *text)
{
	const char *from = strchr(text, '"');

	while (from) {
		const char *to = strchr(from + 1, '"');

		if (!to)
			return false;
		if (is_gone_path(d, system, from + 1, (size_t)(to - from - 1)))
			return true;
		from = strchr(to + 1, '"');
	}
	return false;
}

/* A path that is no UTF-8. */
static bool encoded_is_gone(const struct doom *d, int64_t system, const char *text)
{
	char *path = text ? text_unbase64(text) : NULL;
	bool is_gone = path && names_gone(d, system, path);

	free(path);
	return is_gone;
}

static bool value_is_gone(const struct doom *d, int64_t system, json_t *value)
{
	const char *key;
	json_t *inside;
	size_t i;

	switch (json_typeof(value)) {
	case JSON_STRING:
		return names_gone(d, system, json_string_value(value)) ||
		       quotes_gone(d, system, json_string_value(value));
	case JSON_ARRAY:
		json_array_foreach(value, i, inside)
			if (value_is_gone(d, system, inside))
				return true;
		return false;
	case JSON_OBJECT:
		json_object_foreach(value, key, inside)
			if (value_is_gone(d, system, inside) ||
			    (strcmp(key, "path_base64") == 0 &&
			     encoded_is_gone(d, system, json_string_value(inside))))
				return true;
		return false;
	default:
		return false;
	}
}

/* {"system":NAME, "version":NUMBER or LABEL ...}, also within lists. */
static bool object_is_gone(const struct doom *d, json_t *object)
{
	const struct root *r = root_named(d, json_string_value(json_object_get(object,
									      "system")));
	json_t *version = json_object_get(object, "version");

	if (r && bits_has(&d->systems_gone, r->id))
		return true;
	if (json_is_integer(version) && bits_has(&d->versions_gone, json_integer_value(version)))
		return true;
	return value_is_gone(d, r ? r->id : 0, object);
}

/* The digest in it is over an inventory: what is left of that, and a guess, would tell of
 * the one item that is not. */
static bool scan_is_touched(const struct doom *d, json_t *object)
{
	const struct root *r = root_named(d, json_string_value(json_object_get(object,
									      "system")));

	return r && bits_has(&d->systems_touched, r->id);
}

static bool hold_is_mute(const struct doom *d, json_t *object)
{
	const char *id = json_string_value(json_object_get(object, "hold"));

	return id && id[0] == 'H' && bits_has(&d->holds_mute, strtoll(id + 1, NULL, 10));
}

/* ---- scopes of holds and restrictions ------------------------------------------------ */

/* A hold that was released has no more to do: what it covered by name goes with the first
 * record that it names. */
struct covering {
	struct doom *d;
	struct err *e;
	struct path_scope path;
	int64_t system;		/* 0: any */
	bool has_met;
};

static int meets(void *arg, int64_t system, const void *path, size_t size)
{
	struct covering *k = arg;

	k->has_met = k->has_met || ((k->system == 0 || k->system == system) &&
				    path_scope_covers(&k->path, path, size));
	return 0;
}

static int meet_records(struct covering *k, const char *glob)
{
	struct doom *d = k->d;
	struct memory m = { .blocks = NULL };
	int rc = path_scope_open(&k->path, &m, glob, k->e);

	for (size_t i = 0; i < d->record_count && rc == 0 && !k->has_met; i++) {
		const struct doomed *r = &d->records[i];

		rc = doom_each_path(d, r->directory, d->names.data + r->name, r->name_size,
				    r->first, r->last, meets, k, k->e);
	}
	memory_clear(&m);
	return rc;
}

/* Whether what goes is among what a scope covers by path or query. */
static int scope_meets(const struct words *w, int64_t system, const char *path, bool has_query,
		       bool *out)
{
	struct covering k = { .d = w->d, .e = w->e, .system = system };

	*out = false;
	if ((!path && !has_query) || (system != 0 && !bits_has(&w->d->systems_touched, system)))
		return 0;
	/* What a query would say of records that are going is not asked any more. */
	if (!has_query && meet_records(&k, path) < 0)
		return -1;
	*out = has_query || k.has_met;
	return 0;
}

static int take_hold(void *arg, const struct hold_row *h)
{
	struct words *w = arg;
	bool is_mute = false;

	if (h->released != 0 && scope_meets(w, h->scope.system, h->scope.path,
					    h->scope.query != NULL, &is_mute) < 0)
		return -1;
	return is_mute && !bits_add(&w->d->holds_mute, h->id) ? doom_no_memory(w->e) : 0;
}

/* What was restricted by name, or let free: of no use to anybody but a reader. */
static int restriction_is_gone(const struct words *w, json_t *object, bool *out)
{
	json_t *scope = json_object_get(object, "scope");
	const char *path = json_string_value(json_object_get(scope, "path"));
	const char *encoded = json_string_value(json_object_get(scope, "path_base64"));
	char *decoded = encoded ? text_unbase64(encoded) : NULL;
	int rc = scope_meets(w, json_integer_value(json_object_get(scope, "system")),
			     decoded ? decoded : path, json_object_get(scope, "query") != NULL,
			     out);

	free(decoded);
	return rc;
}

/* ---- details ------------------------------------------------------------------------- */

static int take_detail(void *arg, int64_t sequence, const char *details)
{
	struct words *w = arg;
	struct doom *d = w->d;
	struct log_entry entry;
	json_t *root;
	bool is_gone = false;
	int rc = 0;

	if (log_read(w->v->log, (uint64_t)sequence, &entry, w->e) < 0)
		return -1;
	if (!may_name(entry.act) && entry.act != LOG_HOLD_PLACED && !is_restriction(entry.act))
		return 0;
	root = json_loads(details, 0, NULL);
	/* Else what must go with the records would stay. */
	if (json_memory_lacked()) {
		json_decref(root);
		return doom_no_memory(w->e);
	}
	if (entry.act == LOG_HOLD_PLACED)
		is_gone = root && hold_is_mute(d, root);
	else if (is_restriction(entry.act))
		rc = restriction_is_gone(w, root, &is_gone);
	else
		is_gone = root && (object_is_gone(d, root) ||
				   (entry.act == LOG_SCAN && scan_is_touched(d, root)));
	json_decref(root);
	if (rc < 0)
		return -1;
	return is_gone && !bits_add(&d->details_gone, sequence) ? doom_no_memory(w->e) : 0;
}

int doom_mark_words(struct doom *d, struct vault *v, struct err *e)
{
	struct words w = { d, v, e };

	return catalogue_holds(d->catalogue, true, take_hold, &w, e) < 0 ||
	       catalogue_each_detail(d->catalogue, take_detail, &w, e) < 0 ? -1 : 0;
}

char *doom_words_gone(const struct doom *d)
{
	const int64_t end = (int64_t)d->details_gone.count * 64;
	struct buffer b = { 0 };
	char text[64];

	for (int64_t i = 0; i < end; i++) {
		int64_t first = i;

		if (!bits_has(&d->details_gone, i))
			continue;
		while (bits_has(&d->details_gone, i + 1))
			i++;
		snprintf(text, sizeof text, first == i ? "%s%" PRId64 : "%s%" PRId64 "-%" PRId64,
			 b.size > 0 ? "," : "", first, i);
		buffer_append(&b, text, strlen(text));
	}
	buffer_u8(&b, 0);
	if (b.failed)
		buffer_free(&b);
	return (char *)b.data;
}
