#include "fs/content/json_values.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/base/text.h"
#include "policy/detect/detect.h"

#define STRETCH_SIZE (128u << 10)	/* handed over when it is as long */
#define KEY_MAX 256u		/* bytes of a key that are kept */
#define KNOWN_KEYS 512u
#define SHOWN_MAX 64u		/* ... and shown */

struct step {			/* how a value is reached from what it is in */
	uint32_t parent;	/* in steps; of the outermost: itself */
	uint32_t key;		/* in keys; 0: none */
	uint64_t index;		/* in an array */
};

struct value {
	uint32_t start;		/* in the stretch */
	struct step step;
	uint64_t at;
};

struct level {
	uint32_t step;		/* of the object or array */
	uint32_t key;		/* of the value that comes next */
	uint64_t index;
	bool is_array;
};

struct json_values {
	struct look *look;
	struct text_reader *reader;
	struct level levels[JSON_DEPTH_MAX + 1];	/* [0]: the text itself */
	unsigned depth;
	struct buffer text;
	struct buffer keys;	/* NUL ended, one after the other; offset 0: none */
	struct buffer steps;	/* struct step */
	struct buffer values;	/* struct value */
	size_t asked;		/* the value asked for last */
	bool names_secrets;	/* some key did */
	uint32_t known[KNOWN_KEYS];	/* keys that do not, by their hash */
};

static struct step *step_at(const struct json_values *v, uint32_t at)
{
	return (struct step *)(void *)v->steps.data + at;
}

static size_t value_count(const struct json_values *v)
{
	return v->values.size / sizeof(struct value);
}

static const char *key_at(const struct json_values *v, uint32_t at)
{
	return at == 0 ? NULL : (const char *)v->keys.data + at;
}

static uint32_t add_key(struct json_values *v, const void *key, size_t size)
{
	uint32_t at;

	if (v->keys.size == 0)
		buffer_u8(&v->keys, 0);
	at = (uint32_t)v->keys.size;
	buffer_append(&v->keys, key, size < KEY_MAX ? size : KEY_MAX);
	buffer_u8(&v->keys, 0);
	return at;
}

static uint32_t add_step(struct json_values *v, struct step step)
{
	uint32_t at = (uint32_t)(v->steps.size / sizeof step);

	buffer_append(&v->steps, &step, sizeof step);
	return at;
}

static bool has_failed(const struct json_values *v)
{
	return v->text.failed || v->keys.failed || v->steps.failed || v->values.failed;
}

struct json_values *json_values_new(struct look *l, struct text_reader *r)
{
	struct json_values *v = calloc(1, sizeof *v);

	if (v == NULL)
		return NULL;
	v->look = l;
	v->reader = r;
	v->levels[0].is_array = true;	/* of texts */
	v->levels[0].step = add_step(v, (struct step){ .parent = 0 });
	if (has_failed(v)) {
		json_values_free(v);
		return NULL;
	}
	return v;
}

void json_values_free(struct json_values *v)
{
	if (v == NULL)
		return;
	if (v->text.data != NULL)	/* values stood in it */
		explicit_bzero(v->text.data, v->text.capacity);
	buffer_free(&v->text);
	buffer_free(&v->keys);
	buffer_free(&v->steps);
	buffer_free(&v->values);
	free(v);
}

/* ---- places -------------------------------------------------------------------------- */

/* Data is used for keys too, and a place is shown. */
static bool may_be_shown(const char *key)
{
	unsigned digits = 0;

	for (const char *p = key; *p != '\0'; p++)
		digits += isdigit((unsigned char)*p) != 0;
	return digits < 4 && strlen(key) <= SHOWN_MAX && strchr(key, '@') == NULL;
}

static void step_text(const struct json_values *v, const struct step *s, char out[128])
{
	const char *key = key_at(v, s->key);

	if (key == NULL) {
		snprintf(out, 128, "[%llu]", (unsigned long long)s->index);
	} else if (!may_be_shown(key)) {
		snprintf(out, 128, ".*");
	} else {
		bool is_plain = key[0] != '\0' && strpbrk(key, " .[]'\"$*") == NULL;

		snprintf(out, 128, is_plain ? ".%s" : "['%s']", text_printable(key));
	}
}

/* From the end, so that what does not fit is the beginning. */
static void write_place(const struct json_values *v, struct step s, uint64_t line,
			char out[SAMPLE_WHERE_MAX])
{
	char path[160], step[128];
	size_t at = sizeof path - 1;

	path[at] = '\0';
	for (;;) {
		size_t size;

		if (s.key == 0 && s.parent == 0) {	/* a text itself */
			path[--at] = '$';
			break;
		}
		step_text(v, &s, step);
		size = strlen(step);
		if (size + 4 > at) {
			at -= 3;
			memcpy(path + at, "...", 3);
			break;
		}
		at -= size;
		memcpy(path + at, step, size);
		s = *step_at(v, s.parent);
	}
	if (line > 0)
		look_place(v->look, out, "%s, line %llu", path + at, (unsigned long long)line);
	else
		look_place(v->look, out, "%s", path + at);
}

/* The line is told where there is more than one text: JSON lines. */
static uint64_t line_of(struct json_values *v, uint64_t at)
{
	return v->levels[0].index > 1 ? text_reader_line(v->reader, at) : 0;
}

static const char *label_of_step(const struct json_values *v, const struct step *s)
{
	while (s->key == 0 && s->parent != 0)
		s = step_at(v, s->parent);
	return key_at(v, s->key);
}

/* ---- what the detector asks ------------------------------------------------------------ */

static const struct value *value_at(struct json_values *v, uint64_t offset)
{
	const struct value *values = (const struct value *)(const void *)v->values.data;
	size_t low = 0, high = value_count(v);

	/* Questions come nearly in order. */
	if (v->asked < high && values[v->asked].start <= offset)
		low = v->asked;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (values[middle].start <= offset)
			low = middle;
		else
			high = middle;
	}
	v->asked = low;
	return &values[low];
}

static const char *label(void *arg, uint64_t offset, struct passage_cursor *cursor)
{
	struct json_values *v = arg;

	(void)cursor;
	return label_of_step(v, &value_at(v, offset)->step);
}

static void place(void *arg, uint64_t offset, char out[SAMPLE_WHERE_MAX])
{
	struct json_values *v = arg;
	const struct value *value = value_at(v, offset);

	write_place(v, value->step, line_of(v, value->at), out);
}

static uint64_t told(void *arg, uint64_t offset)
{
	struct json_values *v = arg;
	const struct value *value = value_at(v, offset);

	return text_reader_told(v->reader, value->at + (offset - value->start));
}

/* ---- filling --------------------------------------------------------------------------- */

static struct step next_step(const struct json_values *v)
{
	const struct level *level = &v->levels[v->depth];

	return (struct step){ .parent = level->step, .key = level->is_array ? 0 : level->key,
			      .index = level->index };
}

bool json_values_open(struct json_values *v, bool is_array)
{
	struct level *level;

	if (v->depth == JSON_DEPTH_MAX)
		return false;
	level = &v->levels[v->depth + 1];
	*level = (struct level){ .step = add_step(v, next_step(v)), .is_array = is_array };
	v->levels[v->depth].index++;
	v->depth++;
	return true;
}

int json_values_close(struct json_values *v, struct err *e)
{
	bool was_object = !v->levels[v->depth].is_array;

	if (v->depth > 0)
		v->depth--;
	/* The values of an object are near each other. */
	if (was_object && v->text.size > 0)
		buffer_u8(&v->text, DETECT_ROW_END);
	return v->text.size >= STRETCH_SIZE ? json_values_flush(v, e) : 0;
}

/* Keys repeat: those that were looked at once are known. */
static bool is_known(struct json_values *v, const char *key)
{
	uint32_t hash = 2166136261u, *slot;	/* FNV-1a */

	for (; *key != '\0'; key++)
		hash = (hash ^ (unsigned char)*key) * 16777619u;
	slot = &v->known[hash % KNOWN_KEYS];
	if (*slot == hash)
		return true;
	*slot = hash;
	return false;
}

void json_values_key(struct json_values *v, const void *key, size_t size)
{
	uint32_t at = add_key(v, key, size);

	v->levels[v->depth].key = at;
	if (!v->names_secrets && !has_failed(v) && !is_known(v, key_at(v, at)))
		v->names_secrets = detect_names_secret(key_at(v, at));
}

static int add(struct json_values *v, struct step step, const void *utf8, size_t size,
	       uint64_t at, struct err *e)
{
	const struct value value = { .start = (uint32_t)v->text.size, .step = step, .at = at };

	if (size == 0)
		return 0;
	buffer_append(&v->values, &value, sizeof value);
	buffer_append(&v->text, utf8, size);
	buffer_u8(&v->text, DETECT_CELL_END);
	return v->text.size >= STRETCH_SIZE ? json_values_flush(v, e) : 0;
}

int json_values_add(struct json_values *v, const void *utf8, size_t size, uint64_t at,
		    struct err *e)
{
	struct step step = next_step(v);

	v->levels[v->depth].index++;
	return add(v, step, utf8, size, at, e);
}

int json_values_add_key(struct json_values *v, const void *utf8, size_t size, uint64_t at,
			struct err *e)
{
	return add(v, *step_at(v, v->levels[v->depth].step), utf8, size, at, e);
}

/* What the values to come stand in stays. */
static void keep_levels(struct json_values *v)
{
	struct step steps[JSON_DEPTH_MAX + 1];
	char (*keys)[KEY_MAX + 1] = NULL;

	keys = calloc(2 * (v->depth + 1), sizeof *keys);
	if (keys == NULL) {
		v->keys.failed = true;
		return;
	}
	for (unsigned i = 0; i <= v->depth; i++) {
		const char *key;

		steps[i] = *step_at(v, v->levels[i].step);
		key = key_at(v, steps[i].key);
		snprintf(keys[2 * i], sizeof keys[0], "%s", key != NULL ? key : "");
		steps[i].key = key != NULL;
		key = key_at(v, v->levels[i].key);
		snprintf(keys[2 * i + 1], sizeof keys[0], "%s", key != NULL ? key : "");
		v->levels[i].key = key != NULL;
	}
	buffer_reset(&v->keys);
	buffer_reset(&v->steps);
	for (unsigned i = 0; i <= v->depth; i++) {
		if (steps[i].key != 0)
			steps[i].key = add_key(v, keys[2 * i], strlen(keys[2 * i]));
		if (v->levels[i].key != 0)
			v->levels[i].key = add_key(v, keys[2 * i + 1], strlen(keys[2 * i + 1]));
		steps[i].parent = i == 0 ? 0 : i - 1;
		v->levels[i].step = add_step(v, steps[i]);
	}
	free(keys);
}

int json_values_flush(struct json_values *v, struct err *e)
{
	const struct passage passage = { .label = label, .place = place, .told = told,
					 .names_secrets = v->names_secrets, .arg = v };
	struct detector *d = look_detector(v->look);
	struct err ignored = ERR_NONE;
	int rc = 0;

	if (has_failed(v))
		return err_set(e, MUNI_NO_MEMORY, "no memory for the values of JSON");
	if (value_count(v) > 0) {
		detector_begin(d, &passage);
		rc = detector_feed(d, v->text.data, v->text.size, e);
		if (detector_end(d, rc == 0 ? e : &ignored) < 0)
			rc = -1;
	}
	buffer_reset(&v->text);
	buffer_reset(&v->values);
	v->asked = 0;
	keep_levels(v);
	return rc;
}

const char *json_values_label(const struct json_values *v)
{
	struct step next = next_step(v);

	return label_of_step(v, &next);
}

void json_values_place(struct json_values *v, uint64_t at, char out[SAMPLE_WHERE_MAX])
{
	write_place(v, next_step(v), line_of(v, at), out);
}
