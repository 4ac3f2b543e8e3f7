/*
 * What is known of an inode's bytes, as its rows will hold it.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/vault/scan_inside.h"

static struct content *content_new(void)
{
	struct content *c = calloc(1, sizeof *c);

	if (c)
		atomic_init(&c->refs, 1);
	return c;
}

struct content *content_ref(struct content *c)
{
	atomic_fetch_add(&c->refs, 1);
	return c;
}

void content_unref(struct content *c)
{
	if (!c || atomic_fetch_sub(&c->refs, 1) != 1)
		return;
	for (size_t i = 0; i < c->finding_count; i++) {
		free(c->findings[i].id);
		free(c->findings[i].where);
		free(c->findings[i].samples);
	}
	free(c->findings);
	free(c->format);
	free(c->claimed);
	free(c->encoding);
	free(c->script);
	free(c->opaque);
	free(c);
}

/* ---- from an examination ------------------------------------------------------- */

/* "" is none.  false: no memory. */
static bool keep(char **out, const char *text)
{
	*out = *text ? strdup(text) : NULL;
	return *out || !*text;
}

static char *samples_json(const struct finding *f)
{
	json_t *list = json_array();
	char *text = NULL;

	for (unsigned i = 0; list && i < f->sample_count; i++) {
		const struct sample *s = &f->samples[i];

		if (json_array_append_new(list, json_pack("{s:s, s:I, s:s}", "text", s->text,
							  "offset", (json_int_t)s->offset,
							  "where", s->where)) < 0)
			goto out;
	}
	text = list ? json_dumps(list, JSON_COMPACT) : NULL;
out:
	json_decref(list);
	return text;
}

static bool keep_findings(struct content *c, const struct examination *x)
{
	if (x->finding_count == 0)
		return true;
	c->findings = calloc(x->finding_count, sizeof *c->findings);
	if (!c->findings)
		return false;
	for (size_t i = 0; i < x->finding_count; i++) {
		const struct finding *f = &x->findings[i];
		struct stored_finding *to = &c->findings[i];

		c->finding_count++;
		to->count = f->count;
		to->confidence = f->confidence;
		to->sensitivity = (uint8_t)f->sensitivity;
		to->id = strdup(f->id);
		to->where = strdup(f->where);
		to->samples = samples_json(f);
		if (!to->id || !to->where || !to->samples)
			return false;
	}
	return true;
}

struct content *content_of_examination(const struct examination *x)
{
	struct content *c = content_new();

	if (!c)
		return NULL;
	c->has_sha256 = x->has_sha256;
	c->sha256 = x->sha256;
	if (keep(&c->format, x->format) && keep(&c->claimed, x->claimed) &&
	    keep(&c->encoding, x->encoding) && keep(&c->script, x->script) &&
	    keep(&c->opaque, x->opaque) && keep_findings(c, x))
		return c;
	content_unref(c);
	return NULL;
}

/* ---- from elsewhere --------------------------------------------------------------- */

struct content *content_of_row(struct item_row *r)
{
	struct content *c = content_new();

	if (!c)
		return NULL;
	c->has_sha256 = r->has_sha256;
	c->sha256 = r->sha256;
	c->format = r->format;
	c->claimed = r->claimed;
	c->encoding = r->encoding;
	c->script = r->script;
	c->opaque = r->opaque;
	c->findings = r->findings;
	c->finding_count = r->finding_count;
	r->format = r->claimed = r->encoding = r->script = r->opaque = NULL;
	r->findings = NULL;
	r->finding_count = 0;
	return c;
}

static bool copy_findings(struct content *to, const struct content *from)
{
	if (from->finding_count == 0)
		return true;
	to->findings = calloc(from->finding_count, sizeof *to->findings);
	if (!to->findings)
		return false;
	for (size_t i = 0; i < from->finding_count; i++) {
		struct stored_finding *f = &to->findings[i];

		*f = from->findings[i];
		f->id = strdup(f->id);
		f->where = strdup(f->where);
		f->samples = strdup(f->samples);
		to->finding_count++;
		if (!f->id || !f->where || !f->samples)
			return false;
	}
	return true;
}

struct content *content_claimed(const struct content *c, const char *claimed)
{
	struct content *copy = content_new();

	if (!copy)
		return NULL;
	copy->has_sha256 = c->has_sha256;
	copy->sha256 = c->sha256;
	copy->is_unsettled = c->is_unsettled;
	if (keep(&copy->claimed, claimed) &&
	    keep(&copy->format, c->format ? c->format : "") &&
	    keep(&copy->encoding, c->encoding ? c->encoding : "") &&
	    keep(&copy->script, c->script ? c->script : "") &&
	    keep(&copy->opaque, c->opaque ? c->opaque : "") && copy_findings(copy, c))
		return copy;
	content_unref(copy);
	return NULL;
}

struct content *content_of_format(const char *format)
{
	struct content *c = content_new();

	if (!c || keep(&c->format, format))
		return c;
	content_unref(c);
	return NULL;
}

struct content *content_unread(const char *why)
{
	struct content *c = content_new();

	if (!c)
		return NULL;
	c->is_unsettled = true;
	if (content_add_reason(c, why))
		return c;
	content_unref(c);
	return NULL;
}

/* Not cut within a character. */
static void clip(char *text, size_t most)
{
	size_t size = strlen(text);

	if (size <= most)
		return;
	size = most;
	while (size > 0 && ((unsigned char)text[size] & 0xc0) == 0x80)
		size--;
	text[size] = '\0';
}

bool content_add_reason(struct content *c, const char *why)
{
	char *joined;

	if (asprintf(&joined, "%s%s%s", c->opaque ? c->opaque : "", c->opaque ? "; " : "",
		     why) < 0)
		return false;
	clip(joined, ITEM_OPAQUE_MAX);
	free(c->opaque);
	c->opaque = joined;
	return true;
}
