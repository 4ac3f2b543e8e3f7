/*
 * On the wire: u8 flags, u64 size, the digest where there is one, six texts (u16
 * size, bytes), u16 count of findings.  A finding: id, u64 count, u8 confidence,
 * u8 sensitivity, where, u8 count of samples; a sample: text, where, u64 offset.
 */
#include "fs/content/examination.h"

#include <stdlib.h>
#include <string.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/base/text.h"

#define HAS_SHA256 1u

void examination_clear(struct examination *x)
{
	free(x->findings);
	*x = (struct examination){ .findings = NULL };
}

/* ---- texts ------------------------------------------------------------------------------ */

/* What may stand in a text on the wire: UTF-8 without control characters. */
static bool is_clean(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return false;
	return text_is_utf8(text, size);
}

/* Cut between characters where it does not fit `room` (with the NUL). */
static size_t cut(const char *text, size_t size, size_t room)
{
	if (size < room)
		return size;
	size = room - 1;
	while (size > 0 && ((unsigned char)text[size] & 0xc0) == 0x80)
		size--;
	return size;
}

static void put_text(struct buffer *b, const char *text, size_t room)
{
	size_t size = strnlen(text, room);

	if (!is_clean(text, size)) {
		text = text_printable_n(text, size);
		size = strlen(text);
	}
	size = cut(text, size, room);
	buffer_u16(b, (uint16_t)size);
	buffer_append(b, text, size);
}

static void get_text(struct reader *r, char *out, size_t room)
{
	size_t size = reader_u16(r);
	const uint8_t *text = size < room ? reader_view(r, size) : NULL;

	*out = '\0';
	if (!text || !is_clean((const char *)text, size)) {
		r->underflow = true;
		return;
	}
	memcpy(out, text, size);
	out[size] = '\0';
}

/* ---- writing ---------------------------------------------------------------------------- */

static void put_finding(struct buffer *b, const struct finding *f)
{
	unsigned samples = f->sample_count < SAMPLES_MAX ? f->sample_count : SAMPLES_MAX;

	put_text(b, f->id, sizeof f->id);
	buffer_u64(b, f->count);
	buffer_u8(b, f->confidence);
	buffer_u8(b, (uint8_t)f->sensitivity);
	put_text(b, f->where, sizeof f->where);
	buffer_u8(b, (uint8_t)samples);
	for (unsigned i = 0; i < samples; i++) {
		put_text(b, f->samples[i].text, sizeof f->samples[i].text);
		put_text(b, f->samples[i].where, sizeof f->samples[i].where);
		buffer_u64(b, f->samples[i].offset);
	}
}

int examination_write(const struct examination *x, struct buffer *b, struct err *e)
{
	size_t count = x->finding_count < FINDINGS_MAX ? x->finding_count : FINDINGS_MAX;

	buffer_u8(b, x->has_sha256 ? HAS_SHA256 : 0);
	buffer_u64(b, x->size);
	if (x->has_sha256)
		buffer_append(b, x->sha256.bytes, sizeof x->sha256.bytes);
	put_text(b, x->format, sizeof x->format);
	put_text(b, x->claimed, sizeof x->claimed);
	put_text(b, x->encoding, sizeof x->encoding);
	put_text(b, x->script, sizeof x->script);
	put_text(b, x->opaque, sizeof x->opaque);
	buffer_u16(b, (uint16_t)count);
	for (size_t i = 0; i < count; i++)
		put_finding(b, &x->findings[i]);
	if (b->failed)
		return err_set(e, MUNI_NO_MEMORY, "no memory for what was found");
	return 0;
}

/* ---- reading ---------------------------------------------------------------------------- */

static void get_finding(struct reader *r, struct finding *f)
{
	get_text(r, f->id, sizeof f->id);
	f->count = reader_u64(r);
	f->confidence = reader_u8(r);
	f->sensitivity = (enum sensitivity)reader_u8(r);
	get_text(r, f->where, sizeof f->where);
	f->sample_count = reader_u8(r);
	if (!*f->id || f->count == 0 || f->confidence > 100 ||
	    f->sensitivity > SENSITIVITY_RESTRICTED || f->sample_count > SAMPLES_MAX ||
	    f->sample_count > f->count)
		r->underflow = true;
	for (unsigned i = 0; i < f->sample_count && !r->underflow; i++) {
		get_text(r, f->samples[i].text, sizeof f->samples[i].text);
		get_text(r, f->samples[i].where, sizeof f->samples[i].where);
		f->samples[i].offset = reader_u64(r);
	}
}

/* The fewest bytes that a finding takes: no array larger than its message. */
#define FINDING_SIZE_MIN (2 + 1 + 8 + 1 + 1 + 2 + 1)

static int get_findings(struct reader *r, struct examination *out, struct err *e)
{
	size_t count = reader_u16(r);

	if (r->underflow || count > FINDINGS_MAX || count > reader_left(r) / FINDING_SIZE_MIN) {
		r->underflow = true;
		return 0;
	}
	if (count == 0)
		return 0;
	out->findings = calloc(count, sizeof *out->findings);
	if (!out->findings)
		return err_set(e, MUNI_NO_MEMORY, "no memory for what was found");
	out->finding_count = count;
	for (size_t i = 0; i < count && !r->underflow; i++)
		get_finding(r, &out->findings[i]);
	return 0;
}

int examination_read(struct reader *r, struct examination *out, struct err *e)
{
	unsigned flags = reader_u8(r);

	*out = (struct examination){ .findings = NULL };
	out->size = reader_u64(r);
	out->has_sha256 = flags & HAS_SHA256;
	if (out->has_sha256)
		reader_bytes(r, out->sha256.bytes, sizeof out->sha256.bytes);
	get_text(r, out->format, sizeof out->format);
	get_text(r, out->claimed, sizeof out->claimed);
	get_text(r, out->encoding, sizeof out->encoding);
	get_text(r, out->script, sizeof out->script);
	get_text(r, out->opaque, sizeof out->opaque);
	if (get_findings(r, out, e) < 0)
		return -1;
	if (r->underflow || (flags & ~HAS_SHA256) || reader_left(r) > 0 ||
	    out->size > INT64_MAX) {
		examination_clear(out);
		return err_set(e, MUNI_DAMAGED, "what was found does not parse");
	}
	return 0;
}
