#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/shortage.h"
#include "fs/base/text.h"
#include "fs/content/wire.h"

static int whole(const struct reader *r, struct err *e)
{
	if (r->underflow || reader_left(r) > 0)
		return err_set(e, MUNI_DAMAGED, "a message does not parse");
	return 0;
}

/* ---- hello ------------------------------------------------------------------------------ */

void wire_put_hello(struct buffer *b, const struct wire_hello *h)
{
	buffer_u32(b, h->version);
	buffer_u64(b, h->memory);
	buffer_u64(b, h->lean);
	buffer_u32(b, h->limits.depth);
	buffer_u64(b, h->limits.expanded);
	buffer_u64(b, h->limits.ratio);
	buffer_u64(b, h->limits.members);
	buffer_u32(b, h->custom_count);
}

int wire_get_hello(struct reader *r, struct wire_hello *out, struct err *e)
{
	out->version = reader_u32(r);
	if (!r->underflow && out->version != WIRE_VERSION)
		return err_set(e, MUNI_UNSUPPORTED, "muni-examine is of another version (%u) than "
			       "muni (%u); install both from one release", WIRE_VERSION,
			       out->version);
	out->memory = reader_u64(r);
	out->lean = reader_u64(r);
	out->limits.depth = reader_u32(r);
	out->limits.expanded = reader_u64(r);
	out->limits.ratio = reader_u64(r);
	out->limits.members = reader_u64(r);
	out->custom_count = reader_u32(r);
	if (out->custom_count > WIRE_CUSTOM_COUNT_MAX)
		r->underflow = true;
	return whole(r, e);
}

/* ---- custom recognisers ------------------------------------------------------------------ */

/* u32: 0 for NULL, else the size and one. */
static void put_text(struct buffer *b, const char *text)
{
	size_t size = text ? strlen(text) : 0;

	buffer_u32(b, text ? (uint32_t)size + 1 : 0);
	buffer_append(b, text, size);
}

static char *get_text(struct reader *r)
{
	uint32_t size = reader_u32(r);
	const uint8_t *bytes;
	char *text;

	if (size == 0 || r->underflow)
		return NULL;
	bytes = reader_view(r, size - 1);
	if (!bytes || memchr(bytes, 0, size - 1)) {
		r->underflow = true;
		return NULL;
	}
	text = strndup((const char *)bytes, size - 1);
	if (!text)
		r->underflow = true;
	return text;
}

int wire_put_custom(struct buffer *b, const struct custom_recogniser *c, struct err *e)
{
	uint32_t count = 0;

	while (c->context && c->context[count])
		count++;
	put_text(b, c->id);
	put_text(b, c->title);
	put_text(b, c->pattern);
	put_text(b, c->check);
	buffer_u32(b, count);
	for (uint32_t i = 0; i < count; i++)
		put_text(b, c->context[i]);
	buffer_u8(b, c->alone);
	buffer_u8(b, c->in_context);
	buffer_u8(b, (uint8_t)c->sensitivity);
	buffer_u8(b, c->ignores_case);
	if (b->failed)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a recogniser");
	if (b->size > WIRE_CUSTOM_MAX)
		return err_set(e, MUNI_LIMIT, "the recogniser \"%s\" takes more than %u KiB; use a "
			       "shorter pattern or fewer words", text_printable(c->id),
			       WIRE_CUSTOM_MAX >> 10);
	return 0;
}

static void get_context(struct reader *r, struct custom_recogniser *out)
{
	uint32_t count = reader_u32(r);

	if (r->underflow || count > reader_left(r) / 4) {
		r->underflow = true;
		return;
	}
	if (count == 0)
		return;
	out->context = calloc((size_t)count + 1, sizeof *out->context);
	if (!out->context) {
		r->underflow = true;
		return;
	}
	for (uint32_t i = 0; i < count && !r->underflow; i++) {
		out->context[i] = get_text(r);
		if (!out->context[i])
			r->underflow = true;
	}
}

int wire_get_custom(struct reader *r, struct custom_recogniser *out, struct err *e)
{
	uint8_t sensitivity;

	*out = (struct custom_recogniser){ .id = get_text(r) };
	out->title = get_text(r);
	out->pattern = get_text(r);
	out->check = get_text(r);
	get_context(r, out);
	out->alone = reader_u8(r);
	out->in_context = reader_u8(r);
	sensitivity = reader_u8(r);
	out->sensitivity = (enum sensitivity)sensitivity;
	out->ignores_case = reader_u8(r) != 0;
	if (!out->id || !out->pattern || sensitivity > SENSITIVITY_RESTRICTED)
		r->underflow = true;
	if (whole(r, e) == 0)
		return 0;
	wire_custom_clear(out);
	return -1;
}

void wire_custom_clear(struct custom_recogniser *c)
{
	for (size_t i = 0; c->context && c->context[i]; i++)
		free(c->context[i]);
	free(c->context);
	free(c->id);
	free(c->title);
	free(c->pattern);
	free(c->check);
	*c = (struct custom_recogniser){ .id = NULL };
}

/* ---- looking ----------------------------------------------------------------------------- */

void wire_put_look(struct buffer *b, const struct wire_look *l)
{
	size_t size = strlen(l->name);

	buffer_u64(b, l->size);
	buffer_u32(b, l->seconds);
	buffer_u8(b, l->is_stream);
	buffer_append(b, l->name, size);
}

int wire_get_look(struct reader *r, struct wire_look *out, struct err *e)
{
	size_t size;

	out->size = reader_u64(r);
	out->seconds = reader_u32(r);
	out->is_stream = reader_u8(r) != 0;
	size = reader_left(r);
	if (size > WIRE_NAME_MAX)
		r->underflow = true;
	else
		reader_bytes(r, out->name, size);
	out->name[r->underflow ? 0 : size] = '\0';
	return whole(r, e);
}

static void put_word(struct buffer *b, const char *word, size_t room)
{
	size_t size = strnlen(word, room - 1);

	buffer_u8(b, (uint8_t)size);
	buffer_append(b, word, size);
}

/* A worker wrote it, before it fell. */
static void get_word(struct reader *r, char *out, size_t room)
{
	size_t size = reader_u8(r);
	const uint8_t *word = reader_view(r, size);

	if (size >= room)
		r->underflow = true;
	for (size_t i = 0; i < size && !r->underflow; i++)
		out[i] = word[i] > 0x20 && word[i] < 0x7f ? (char)word[i] : '?';
	out[r->underflow ? 0 : size] = '\0';
}

void wire_put_ended(struct buffer *b, const struct wire_ended *w)
{
	buffer_u32(b, w->number);
	buffer_u32(b, (uint32_t)w->status);
	buffer_u64(b, w->peak);
	put_word(b, w->format, sizeof w->format);
	put_word(b, w->reader, sizeof w->reader);
	buffer_u8(b, w->shortage);
}

int wire_get_ended(struct reader *r, struct wire_ended *out, struct err *e)
{
	out->number = reader_u32(r);
	out->status = (int32_t)reader_u32(r);
	out->peak = reader_u64(r);
	get_word(r, out->format, sizeof out->format);
	get_word(r, out->reader, sizeof out->reader);
	out->shortage = reader_u8(r);
	if (out->shortage > SHORTAGE_MACHINE)
		r->underflow = true;
	return whole(r, e);
}
