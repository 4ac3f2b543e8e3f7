#include "fs/base/canonical.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/base/json_memory.h"
#include "fs/base/text.h"

#define NUMBER_MAX 9007199254740991LL	/* 2^53 - 1: RFC 7493, section 2.2 */

static int put_value(struct buffer *b, const json_t *value, struct err *e);

static void put_text(struct buffer *b, const char *text)
{
	buffer_append(b, text, strlen(text));
}

/* RFC 8785, 3.2.2.2: the short escapes, lower case hex for other controls, all else
 * as it is. */
static void put_char(struct buffer *b, unsigned char c)
{
	static const char shorts[] = "btn\0fr";	/* from 0x08 */
	char escape[8];

	if (c == '"' || c == '\\') {
		snprintf(escape, sizeof escape, "\\%c", c);
		put_text(b, escape);
	} else if (c >= 0x08 && c <= 0x0d && shorts[c - 0x08]) {
		snprintf(escape, sizeof escape, "\\%c", shorts[c - 0x08]);
		put_text(b, escape);
	} else if (c < 0x20) {
		snprintf(escape, sizeof escape, "\\u%04x", (unsigned)c);
		put_text(b, escape);
	} else {
		buffer_u8(b, c);
	}
}

static int put_string(struct buffer *b, const char *text, size_t size, struct err *e)
{
	if (!text_is_utf8(text, size))
		return err_set(e, MUNI_FORMAT, "a text for canonical JSON is not UTF-8: \"%s\"",
			       text_printable_n(text, size));
	buffer_u8(b, '"');
	for (size_t i = 0; i < size; i++)
		put_char(b, (unsigned char)text[i]);
	buffer_u8(b, '"');
	return 0;
}

static int put_integer(struct buffer *b, json_int_t n, struct err *e)
{
	char digits[32];

	if (n > NUMBER_MAX || n < -NUMBER_MAX)
		return err_set(e, MUNI_LIMIT, "the number %" JSON_INTEGER_FORMAT " is too large "
			       "for canonical JSON, whose readers keep 53 bits", n);
	snprintf(digits, sizeof digits, "%" JSON_INTEGER_FORMAT, n);
	put_text(b, digits);
	return 0;
}

static int put_array(struct buffer *b, const json_t *array, struct err *e)
{
	buffer_u8(b, '[');
	for (size_t i = 0; i < json_array_size(array); i++) {
		if (i > 0)
			buffer_u8(b, ',');
		if (put_value(b, json_array_get(array, i), e) < 0)
			return -1;
	}
	buffer_u8(b, ']');
	return 0;
}

struct member {
	const char *name;
	size_t size;
	const json_t *value;
};

/* Of a byte of UTF-8 its place in UTF-16's order: what stands outside the basic plane
 * (lead bytes from 0xf0) is written there with surrogates, before U+E000. */
static unsigned rank(unsigned char c)
{
	if (c >= 0xf0)
		return 0xee00u + c;
	return c >= 0xee ? 0xee00u + 0x100u + c : (unsigned)c << 8;
}

/* RFC 8785, 3.2.3: by UTF-16 code units. */
static int by_utf16(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	size_t least = x->size < y->size ? x->size : y->size;

	for (size_t i = 0; i < least; i++) {
		unsigned char cx = (unsigned char)x->name[i], cy = (unsigned char)y->name[i];

		if (cx != cy)
			return rank(cx) < rank(cy) ? -1 : 1;
	}
	return (x->size > y->size) - (x->size < y->size);
}

static int put_members(struct buffer *b, const struct member *members, size_t count,
		       struct err *e)
{
	buffer_u8(b, '{');
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buffer_u8(b, ',');
		if (put_string(b, members[i].name, members[i].size, e) < 0)
			return -1;
		buffer_u8(b, ':');
		if (put_value(b, members[i].value, e) < 0)
			return -1;
	}
	buffer_u8(b, '}');
	return 0;
}

static int put_object(struct buffer *b, const json_t *value, struct err *e)
{
	json_t *object = (json_t *)value;	/* iterators want it so; nothing is written */
	size_t count = json_object_size(object), used = 0;
	struct member *members = calloc(count + 1, sizeof *members);
	int rc;

	if (!members)
		return err_set(e, MUNI_NO_MEMORY, "no memory for canonical JSON");
	for (void *i = json_object_iter(object); i && used < count;
	     i = json_object_iter_next(object, i))
		members[used++] = (struct member){ json_object_iter_key(i),
						   json_object_iter_key_len(i),
						   json_object_iter_value(i) };
	qsort(members, used, sizeof *members, by_utf16);
	rc = put_members(b, members, used, e);
	free(members);
	return rc;
}

static int put_value(struct buffer *b, const json_t *value, struct err *e)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return put_object(b, value, e);
	case JSON_ARRAY:
		return put_array(b, value, e);
	case JSON_STRING:
		return put_string(b, json_string_value(value), json_string_length(value), e);
	case JSON_INTEGER:
		return put_integer(b, json_integer_value(value), e);
	case JSON_TRUE:
		put_text(b, "true");
		return 0;
	case JSON_FALSE:
		put_text(b, "false");
		return 0;
	case JSON_NULL:
		put_text(b, "null");
		return 0;
	case JSON_REAL:
		break;
	}
	return err_set(e, MUNI_LIMIT, "a number with a fraction or an exponent has no place in "
		       "canonical JSON here: only integers have");
}

int canonical_dump(const json_t *value, char **out, size_t *size, struct err *e)
{
	struct buffer b = { 0 };

	*out = NULL;
	*size = 0;
	if (put_value(&b, value, e) < 0) {
		buffer_free(&b);
		return -1;
	}
	buffer_u8(&b, '\0');
	/* A document that lacks a member would be signed. */
	if (b.failed || json_memory_lacked()) {
		buffer_free(&b);
		return err_set(e, MUNI_NO_MEMORY, "no memory for canonical JSON");
	}
	*out = (char *)b.data;
	*size = b.size - 1;
	return 0;
}

int canonical_load(const void *text, size_t size, json_t **out, struct err *e)
{
	json_error_t why = { .line = 0 };
	json_t *value = json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY |
						       JSON_ALLOW_NUL, &why);
	char *again = NULL;
	size_t again_size = 0;
	int rc = -1;

	*out = NULL;
	if (!value)
		return err_set(e, *why.text == '\0' || json_memory_lacked() ? MUNI_NO_MEMORY :
			       MUNI_FORMAT, "this is not JSON: %s (at byte %d)",
			       text_printable(why.text), why.position);
	if (canonical_dump(value, &again, &again_size, e) < 0)
		goto out;
	if (again_size != size || memcmp(again, text, size) != 0) {
		err_set(e, MUNI_FORMAT, "this JSON is not in canonical form (RFC 8785): it was "
			"written, or changed, by another program");
		goto out;
	}
	*out = json_incref(value);
	rc = 0;
out:
	free(again);
	json_decref(value);
	return rc;
}
