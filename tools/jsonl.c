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

/* jansson escapes what JSON must not hold; DEL, C1 and what turns the direction of writing it
 * may, and a terminal would obey.  They stand in strings alone. */
static void print_escaped(const char *line)
{
	const char *unsafe;
	uint32_t c;
	size_t size;

	for (; (unsafe = text_unsafe(line, &size, &c)) != NULL; line = unsafe + size) {
		fwrite(line, 1, (size_t)(unsafe - line), stdout);
		if (c >= 0x10000)
			printf("\\u%04x\\u%04x", 0xd7c0 + (c >> 10), 0xdc00 + (c & 0x3ff));
		else
			printf("\\u%04x", c);
	}
	puts(line);
}

int jsonl_end(json_t *o, struct err *e)
{
	char *line = o != NULL && !atomic_load(&is_lost) && !json_memory_lacked() ?
		     json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(6)) : NULL;
	int rc = 0;

	if (line == NULL)
		rc = err_set(e, MUNI_NO_MEMORY, "no memory for a line of JSON");
	else
		print_escaped(line);
	free(line);
	json_decref(o);
	return rc;
}
