#include "tests/fuzz/json_mutate.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

#define PLACES_MAX 4096
#define CHANGES_MAX 3

/* The fuzzer's own; a replay has none. */
__attribute__((weak)) size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

struct place {			/* a member of an object or an array; all borrowed */
	json_t *in;
	const char *key;	/* NULL: of an array, at `index` */
	size_t index;
	json_t *value;
};

struct places {
	struct place list[PLACES_MAX];
	size_t count;
};

static unsigned draw(unsigned *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

static void gather(struct places *p, json_t *in)
{
	const char *key;
	json_t *value;
	size_t i;

	if (json_is_object(in)) {
		json_object_foreach(in, key, value) {
			if (p->count < PLACES_MAX)
				p->list[p->count++] = (struct place){ in, key, 0, value };
			gather(p, value);
		}
	}
	if (json_is_array(in)) {
		json_array_foreach(in, i, value) {
			if (p->count < PLACES_MAX)
				p->list[p->count++] = (struct place){ in, NULL, i, value };
			gather(p, value);
		}
	}
}

static json_t *odd_text(const char *now, unsigned *state)
{
	static const char *const some[] = {
		"", "C1", "D9223372036854775807", "2023-11-14T22:13:20Z", "-292277022657-01-27",
		"../../etc/passwd", "\x1b[2J", "\xe2\x80\xae", "0", "AAAA", "forever",
		"0000000000000000000000000000000000000000000000000000000000000000",
	};
	size_t size = strlen(now);
	char *text;
	json_t *out;

	if (size == 0 || draw(state) % 2)
		return json_string(some[draw(state) % (sizeof some / sizeof *some)]);
	text = strdup(now);
	MUST(text);
	switch (draw(state) % 3) {
	case 0:		/* another digit */
		text[draw(state) % size] = "0123456789abcdef"[draw(state) % 16];
		break;
	case 1:
		text[draw(state) % size] = '\0';
		break;
	default:
		text[draw(state) % size] ^= (char)(1u << draw(state) % 7);
	}
	out = json_string(text);	/* NULL: no UTF-8 any more */
	free(text);
	return out ? out : json_string("?");
}

static json_t *odd_value(const json_t *now, unsigned *state)
{
	static const json_int_t numbers[] = { 0, 1, -1, 2, 255, 65536, 4294967296,
					      9007199254740991, -9007199254740991,
					      9223372036854775807 };

	if (json_is_string(now) && draw(state) % 4)
		return odd_text(json_string_value(now), state);
	if (json_is_integer(now) && draw(state) % 2)
		return json_integer((json_int_t)((uint64_t)json_integer_value(now) +
						 (draw(state) % 3 ? 1u : UINT64_MAX)));
	switch (draw(state) % 7) {
	case 0:
		return json_null();
	case 1:
		return json_boolean(draw(state) % 2);
	case 2:
		return json_object();
	case 3:
		return json_array();
	case 4:
		return odd_text("", state);
	default:
		return json_integer(numbers[draw(state) % (sizeof numbers / sizeof *numbers)]);
	}
}

/* Takes over `value`. */
static void put(const struct place *p, json_t *value)
{
	if (p->key)
		json_object_set_new(p->in, p->key, value);
	else
		json_array_set_new(p->in, p->index, value);
}

static void change(json_t *root, unsigned *state)
{
	static struct places places;
	const struct place *one, *other;

	places.count = 0;
	gather(&places, root);
	if (places.count == 0)
		return;
	one = &places.list[draw(state) % places.count];
	other = &places.list[draw(state) % places.count];
	switch (draw(state) % 6) {
	case 0:
		if (one->key)
			json_object_del(one->in, one->key);
		else
			json_array_remove(one->in, one->index);
		break;
	case 1:		/* another's value here; a copy, so that no circle comes of it */
		put(one, json_deep_copy(other->value));
		break;
	case 2:		/* once more */
		if (!one->key)
			json_array_append_new(one->in, json_deep_copy(one->value));
		else if (json_is_array(one->value))
			json_array_append_new(one->value, json_deep_copy(other->value));
		break;
	default:
		put(one, odd_value(one->value, state));
	}
}

size_t json_mutate(uint8_t *data, size_t size, size_t max_size, size_t head, unsigned seed)
{
	unsigned state = seed;
	json_t *root = NULL;
	char *text = NULL;
	size_t said;

	if (draw(&state) % 4 != 0 && size > head)
		root = json_loadb((const char *)data + head, size - head, JSON_REJECT_DUPLICATES,
				  NULL);
	if (!root)
		return LLVMFuzzerMutate ? LLVMFuzzerMutate(data, size, max_size) : size;
	for (unsigned i = 0; i <= draw(&state) % CHANGES_MAX; i++)
		change(root, &state);
	text = json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(root);
	said = text ? strlen(text) : 0;
	if (said > 0 && head + said <= max_size) {
		memcpy(data + head, text, said);
		size = head + said;
	}
	free(text);
	return size;
}
