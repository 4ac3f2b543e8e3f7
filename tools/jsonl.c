#include "tools/jsonl.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/json_memory.h"
#include "fs/base/text.h"
#include "fs/store/catalogue.h"

#define JSONL_VERSION 1
/* Some field, however deep, found no memory: nothing is printed from then on. */
static atomic_bool is_lost;

static void put(json_t *o, const char *key, json_t *value)
{
	if (o != NULL && json_object_set_new(o, key, value) < 0)
		atomic_store(&is_lost, true);
}

json_t *jsonl_new(const char *type)
{
	json_t *o = json_object();

	put(o, "muniment_json", json_integer(JSONL_VERSION));
	put(o, "type", json_string(type));
	return o;
}

void jsonl_text(json_t *o, const char *key, const char *text)
{
	put(o, key, text != NULL ? json_string(text) : json_null());
}

void jsonl_bytes(json_t *o, const char *key, const void *bytes, size_t size)
{
	char *shown, *exact, *exact_key = NULL;

	if (text_is_utf8(bytes, size) && memchr(bytes, '\0', size) == NULL) {
		put(o, key, json_stringn(bytes, size));
		return;
	}
	shown = text_printable_dup(bytes, size);
	exact = text_base64(bytes, size);
	if (shown == NULL || exact == NULL || asprintf(&exact_key, "%s_base64", key) < 0) {
		put(o, key, NULL);
		exact_key = NULL;
	} else {
		put(o, key, json_string(shown));
		put(o, exact_key, json_string(exact));
	}
	free(shown);
	free(exact);
	free(exact_key);
}

void jsonl_number(json_t *o, const char *key, uint64_t n)
{
	put(o, key, json_integer(n <= INT64_MAX ? (json_int_t)n : INT64_MAX));
}

void jsonl_bool(json_t *o, const char *key, bool b)
{
	put(o, key, json_boolean(b));
}

void jsonl_time(json_t *o, const char *key, int64_t seconds, uint32_t ns)
{
	char text[TEXT_TIME_MAX];

	put(o, key, json_string(text_time(seconds, ns, text)));
}

void jsonl_digest(json_t *o, const char *key, const struct digest *d)
{
	char hex[DIGEST_HEX_SIZE];

	text_hex(d->bytes, sizeof d->bytes, hex);
	put(o, key, json_string(hex));
}

int jsonl_end(json_t *o, struct err *e)
{
	int rc = 0;

	if (o == NULL || atomic_load(&is_lost) || json_memory_lacked() ||
	    (json_dumpf(o, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6)) < 0 && !ferror(stdout)))
		rc = err_set(e, MUNI_NO_MEMORY, "no memory for a line of JSON");
	else
		putchar('\n');
	json_decref(o);
	return rc;
}
