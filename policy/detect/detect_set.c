/*
 * The compiled set: our tables and a policy's own rows, their expressions in one
 * database of Vectorscan, their pictures in one automaton, their words in another
 * database.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "policy/detect/detect_inside.h"

static const struct recogniser_table *const tables[] = {
	&recognisers_money, &recognisers_china, &recognisers_europe,
	&recognisers_world, &recognisers_contact, &recognisers_secrets,
};
#define TABLES (sizeof tables / sizeof tables[0])

const struct recogniser *recogniser_builtin(size_t index)
{
	for (size_t i = 0; i < TABLES; i++) {
		if (index < tables[i]->count)
			return &tables[i]->rows[index];
		index -= tables[i]->count;
	}
	return NULL;
}

const struct recogniser *recogniser_find(const char *id)
{
	const struct recogniser *r;

	for (size_t i = 0; (r = recogniser_builtin(i)) != NULL; i++)
		if (strcmp(r->id, id) == 0)
			return r;
	return NULL;
}

/* ---- fingerprint --------------------------------------------------------------------- */

static void mix(uint64_t *hash, const void *data, size_t size)
{
	const unsigned char *bytes = data;

	for (size_t i = 0; i < size; i++)
		*hash = (*hash ^ bytes[i]) * 1099511628211u;	/* FNV-1a */
}

static void mix_text(uint64_t *hash, const char *text)
{
	mix(hash, text ? text : "\xff", text ? strlen(text) + 1 : 2);
}

static void mix_list(uint64_t *hash, const char *const *texts)
{
	for (; texts && *texts; texts++)
		mix_text(hash, *texts);
	mix_text(hash, NULL);
}

static void mix_number(uint64_t *hash, uint64_t number)
{
	for (unsigned i = 0; i < 8; i++)
		mix(hash, &(unsigned char){ (unsigned char)(number >> (8 * i)) }, 1);
}

uint64_t recognisers_fingerprint(const struct custom_recogniser *custom, size_t count)
{
	uint64_t hash = 14695981039346656037u;
	const struct recogniser *r;

	mix_number(&hash, RECOGNISERS_VERSION);
	for (size_t i = 0; (r = recogniser_builtin(i)) != NULL; i++) {
		mix_text(&hash, r->id);
		mix_list(&hash, r->pictures);
		mix_list(&hash, r->patterns);
		mix_list(&hash, r->context);
		mix_number(&hash, r->ignores_case);
		mix_number(&hash, (uint64_t)r->min_size << 16 | r->max_size);
		mix_number(&hash, (uint64_t)r->alone << 8 | r->in_context);
		mix_number(&hash, (uint64_t)r->masking << 8 | r->public_prefix);
		mix_number(&hash, (uint64_t)r->sensitivity << 8 | r->rank);
	}
	for (size_t i = 0; i < count; i++) {
		mix_text(&hash, custom[i].id);
		mix_text(&hash, custom[i].pattern);
		mix_text(&hash, custom[i].check);
		mix_list(&hash, (const char *const *)custom[i].context);
		mix_number(&hash, custom[i].ignores_case);
		mix_number(&hash, (uint64_t)custom[i].alone << 8 | custom[i].in_context);
		mix_number(&hash, custom[i].sensitivity);
	}
	return hash;
}

/* ---- rows ---------------------------------------------------------------------------- */

static int gather_rows(struct recognisers *r, const struct custom_recogniser *custom,
		       size_t count, struct err *e)
{
	size_t ours = 0;

	while (recogniser_builtin(ours))
		ours++;
	if (ours + count > DETECT_RECOGNISERS_MAX)
		return err_set(e, MUNI_LIMIT, "%zu custom recognisers are too many: at most %zu",
			       count, DETECT_RECOGNISERS_MAX - ours);
	r->rows = calloc(ours + count + 1, sizeof *r->rows);
	r->custom = calloc(count + 1, sizeof *r->custom);
	if (!r->rows || !r->custom)
		return err_set(e, MUNI_NO_MEMORY, "no memory for the recognisers");
	for (size_t i = 0; i < ours; i++)
		r->rows[r->count++] = recogniser_builtin(i);
	for (size_t i = 0; i < count; i++) {
		if (detect_custom_row(&custom[i], &r->custom[i], e) < 0)
			return -1;
		r->custom_count++;
		for (size_t k = 0; k < i; k++)
			if (strcmp(custom[k].id, custom[i].id) == 0)
				return err_set(e, MUNI_USAGE, "custom recogniser \"%s\" stands "
					       "there twice", text_printable(custom[i].id));
		r->rows[r->count++] = &r->custom[i];
	}
	return 0;
}

/* ---- pictures ------------------------------------------------------------------------- */

static int compile_pictures(struct recognisers *r, struct err *e)
{
	struct detect_picture *pictures;
	size_t count = 0;
	int rc;

	for (size_t i = 0; i < r->count; i++)
		for (size_t k = 0; r->rows[i]->pictures && r->rows[i]->pictures[k]; k++)
			count++;
	pictures = calloc(count + 1, sizeof *pictures);
	if (!pictures)
		return err_set(e, MUNI_NO_MEMORY, "no memory for the recognisers");
	count = 0;
	for (size_t i = 0; i < r->count; i++)
		for (size_t k = 0; r->rows[i]->pictures && r->rows[i]->pictures[k]; k++)
			pictures[count++] = (struct detect_picture){ r->rows[i]->pictures[k],
								     (unsigned)i };
	rc = detect_pictures_new(pictures, count, &r->pictures, e);
	free(pictures);
	return rc;
}

/* ---- expressions ---------------------------------------------------------------------- */

/* UTF-8 mode costs speed and folds case beyond ASCII: only where characters beyond
 * ASCII can be meant. */
static bool needs_utf8(const char *pattern)
{
	for (const char *c = pattern; *c != '\0'; c++) {
		if ((unsigned char)*c >= 0x80 || *c == '.')
			return true;
		if (*c == '[' && c[1] == '^')
			return true;
		if (*c == '\\' && c[1] != '\0') {
			c++;
			if (strchr("DSWpPxXNRHVu", *c))
				return true;
		}
	}
	return false;
}

static unsigned flags_of(const struct recogniser *row, const char *pattern)
{
	unsigned flags = HS_FLAG_MULTILINE;

	if (row->ignores_case)
		flags |= HS_FLAG_CASELESS;
	if (needs_utf8(pattern))
		flags |= HS_FLAG_UTF8;
	return flags;
}

static int refuse(struct recognisers *r, unsigned owner, const char *why, struct err *e)
{
	return err_set(e, MUNI_USAGE, "%s \"%s\": its pattern cannot be searched for: %s",
		       owner + r->custom_count >= r->count ? "custom recogniser" : "recogniser",
		       text_printable(r->rows[owner]->id), why);
}

/* What Vectorscan says goes into the error; frees it. */
static int refuse_for(struct recognisers *r, unsigned owner, hs_compile_error_t *fault,
		      struct err *e)
{
	const char *why = fault && fault->message ? fault->message : "no reason given";

	if (strcmp(why, "Pattern is too large.") == 0)
		why = "it is too large: write + or * for long repeats {n,m}";
	refuse(r, owner, why, e);
	hs_free_compile_error(fault);
	return -1;
}

/* How long its matches are, and how their beginnings will be known. */
static int measure_pattern(struct recognisers *r, struct pattern *p, const char *text,
			   unsigned flags, struct err *e)
{
	hs_expr_info_t *info = NULL;
	hs_compile_error_t *fault = NULL;
	bool varies;

	if (hs_expression_info(text, flags, &info, &fault) != HS_SUCCESS)
		return refuse_for(r, p->owner, fault, e);
	varies = info->min_width != info->max_width;
	p->longest = (uint16_t)(info->max_width < SPAN_MAX ? info->max_width : SPAN_MAX);
	if (varies && p->longest > r->rows[p->owner]->max_size)
		p->longest = r->rows[p->owner]->max_size;
	if (info->min_width > SPAN_MAX) {
		free(info);
		return refuse(r, p->owner, "it matches only what is longer than 2048 bytes", e);
	}
	free(info);
	if (varies && hs_compile(text, flags | HS_FLAG_SOM_LEFTMOST, HS_MODE_BLOCK, NULL,
				 &p->starts, &fault) != HS_SUCCESS)
		return refuse_for(r, p->owner, fault, e);
	return 0;
}

static int compile_patterns(struct recognisers *r, struct err *e)
{
	const char **texts = NULL;
	unsigned *flags = NULL, *ids = NULL;
	hs_compile_error_t *fault = NULL;
	size_t count = 0;
	int rc = -1;

	for (size_t i = 0; i < r->count; i++)
		for (size_t k = 0; r->rows[i]->patterns && r->rows[i]->patterns[k]; k++)
			count++;
	texts = calloc(count + 1, sizeof *texts);
	flags = calloc(count + 1, sizeof *flags);
	ids = calloc(count + 1, sizeof *ids);
	r->patterns = calloc(count + 1, sizeof *r->patterns);
	if (!texts || !flags || !ids || !r->patterns) {
		err_set(e, MUNI_NO_MEMORY, "no memory for the recognisers");
		goto out;
	}
	for (size_t i = 0; i < r->count; i++)
		for (size_t k = 0; r->rows[i]->patterns && r->rows[i]->patterns[k]; k++) {
			size_t at = r->pattern_count++;

			texts[at] = r->rows[i]->patterns[k];
			flags[at] = flags_of(r->rows[i], texts[at]);
			ids[at] = (unsigned)at;
			r->patterns[at].owner = (uint16_t)i;
			if (measure_pattern(r, &r->patterns[at], texts[at], flags[at], e) < 0)
				goto out;
		}
	if (count > 0 && hs_compile_multi(texts, flags, ids, (unsigned)count, HS_MODE_BLOCK, NULL,
					  &r->database, &fault) != HS_SUCCESS) {
		refuse_for(r, fault->expression >= 0 ? r->patterns[fault->expression].owner
						     : (unsigned)(r->count - 1), fault, e);
		goto out;
	}
	rc = 0;
out:
	free(texts);
	free(flags);
	free(ids);
	return rc;
}

/* ---- the set -------------------------------------------------------------------------- */

int recognisers_new(const struct custom_recogniser *custom, size_t count,
		    struct recognisers **out, struct err *e)
{
	struct recognisers *r = calloc(1, sizeof *r);

	*out = NULL;
	if (!r)
		return err_set(e, MUNI_NO_MEMORY, "no memory for the recognisers");
	if (gather_rows(r, custom, count, e) < 0 || compile_pictures(r, e) < 0 ||
	    compile_patterns(r, e) < 0 || detect_words_new(r->rows, r->count, &r->words, e) < 0) {
		recognisers_free(r);
		return -1;
	}
	*out = r;
	return 0;
}

void recognisers_free(struct recognisers *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->custom_count; i++)
		detect_custom_clear(&r->custom[i]);
	for (size_t i = 0; i < r->pattern_count; i++)
		hs_free_database(r->patterns[i].starts);
	hs_free_database(r->database);
	detect_pictures_free(r->pictures);
	detect_words_free(r->words);
	free(r->patterns);
	free(r->custom);
	free(r->rows);
	free(r);
}

size_t recognisers_count(const struct recognisers *r)
{
	return r->count;
}

const char *recognisers_id(const struct recognisers *r, size_t index)
{
	return index < r->count ? r->rows[index]->id : NULL;
}
