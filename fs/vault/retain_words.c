#include "fs/vault/retain_words.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/json_memory.h"
#include "fs/base/text.h"
#include "policy/period.h"

static void put(json_t *o, const char *key, const char *text)
{
	if (text)
		json_object_set_new(o, key, json_string(text));
}

/* Bytes that are no UTF-8 go as base64. */
static void put_bytes(json_t *o, const char *key, const char *bytes)
{
	char name[32], *base64;

	if (!bytes || text_is_utf8(bytes, strlen(bytes))) {
		put(o, key, bytes);
		return;
	}
	snprintf(name, sizeof name, "%s_base64", key);
	base64 = json_needs(text_base64(bytes, strlen(bytes)));
	put(o, name, base64);
	free(base64);
}

static void put_number(json_t *o, const char *key, int64_t n)
{
	json_object_set_new(o, key, json_integer(n));
}

static void put_id(json_t *o, const char *key, char letter, int64_t id)
{
	char text[32];

	snprintf(text, sizeof text, "%c%" PRId64, letter, id);
	put(o, key, text);
}

json_t *retain_words_scope(const struct scope_row *s)
{
	json_t *o = json_object();

	if (s->system != 0)
		put_number(o, "system_id", s->system);
	put_bytes(o, "path", s->path);
	put(o, "class", s->class_code);
	put(o, "query", s->query);
	if (s->upto != 0)
		put_number(o, "upto", s->upto);
	json_object_set_new(o, "standing", json_boolean(s->upto == 0));
	return o;
}

json_t *retain_words_event(const struct event_row *r)
{
	json_t *o = json_object();

	put_number(o, "system_id", r->system);
	put(o, "event", r->name);
	put_number(o, "at", r->at);
	json_object_set_new(o, "day", json_boolean(r->is_day));
	put_number(o, "recorded", r->recorded);
	put(o, "reason", r->reason);
	return o;
}

json_t *retain_words_hold(const struct hold_row *h)
{
	json_t *o = json_object();

	put_id(o, "hold", 'H', h->id);
	put(o, "case", h->case_ref);
	put(o, "mandate", h->mandate);
	put(o, "reason", h->reason);
	json_object_set_new(o, "scope", retain_words_scope(&h->scope));
	put_number(o, "placed", h->placed);
	return o;
}

json_t *retain_words_release(const struct hold_row *h)
{
	json_t *o = json_object();

	put_id(o, "hold", 'H', h->id);
	put(o, "reason", h->released_because);
	put_number(o, "released", h->released);
	return o;
}

json_t *retain_words_extension(const struct extension_row *x)
{
	json_t *o = json_object();
	char day[16];

	put_id(o, "extension", 'X', x->id);
	civil_text(civil_of_day(x->until), day);
	put(o, "until", day);
	put(o, "reason", x->reason);
	json_object_set_new(o, "scope", retain_words_scope(&x->scope));
	put_number(o, "made", x->made);
	return o;
}

int retain_words_dump(json_t *o, const char *system, char **text, struct err *e)
{
	put(o, RETAIN_WORDS_SYSTEM, system);
	*text = o ? json_dumps(o, JSON_SORT_KEYS | JSON_COMPACT) : NULL;
	json_decref(o);
	return *text ? 0 : err_set(e, MUNI_NO_MEMORY, "no memory for the log's entry");
}
