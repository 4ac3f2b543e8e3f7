#include "policy/detect/detect_words.h"

#include <assert.h>
#include <hs/hs.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"

struct word {
	const char *text;	/* borrowed from its recogniser */
	uint16_t *owners;	/* recognisers; owned */
	size_t owner_count;
};

struct detect_words {
	struct word *words;
	size_t count;
	size_t longest;		/* bytes */
	hs_database_t *database;	/* NULL: no words at all */
};

/* ---- compiling -------------------------------------------------------------------- */

static struct word *find_word(struct detect_words *w, const char *text)
{
	for (size_t i = 0; i < w->count; i++)
		if (strcmp(w->words[i].text, text) == 0)
			return &w->words[i];
	w->words[w->count] = (struct word){ .text = text };
	if (strlen(text) > w->longest)
		w->longest = strlen(text);
	return &w->words[w->count++];
}

static int add_owner(struct word *word, uint16_t owner)
{
	uint16_t *owners = realloc(word->owners, (word->owner_count + 1) * sizeof *owners);

	if (!owners)
		return -1;
	word->owners = owners;
	owners[word->owner_count++] = owner;
	return 0;
}

/* As an expression: malloc'ed, NULL without memory. */
static char *expression_of(const char *word)
{
	struct buffer b = { 0 };

	for (; *word != '\0'; word++) {
		if (*word == ' ') {
			buffer_append(&b, "[ _.\\-]?", 8);
			continue;
		}
		if (strchr("\\^$.[]|()?*+{}-/#", *word))
			buffer_u8(&b, '\\');
		buffer_u8(&b, (uint8_t)*word);
	}
	buffer_u8(&b, 0);
	if (!b.failed)
		return (char *)b.data;
	buffer_free(&b);
	return NULL;
}

static int compile_words(struct detect_words *w, struct err *e)
{
	char **expressions = calloc(w->count, sizeof *expressions);
	unsigned *flags = calloc(w->count, sizeof *flags);
	unsigned *ids = calloc(w->count, sizeof *ids);
	hs_compile_error_t *fault = NULL;
	int rc = -1;

	for (size_t i = 0; expressions && flags && ids && i < w->count; i++) {
		expressions[i] = expression_of(w->words[i].text);
		flags[i] = HS_FLAG_CASELESS;
		ids[i] = (unsigned)i;
		if (!expressions[i])
			goto out;
	}
	if (!expressions || !flags || !ids)
		goto out;
	if (hs_compile_multi((const char *const *)expressions, flags, ids, (unsigned)w->count,
			     HS_MODE_BLOCK, NULL, &w->database, &fault) != HS_SUCCESS) {
		err_set(e, MUNI_USAGE, "the words that give context cannot be compiled: %s%s%s",
			fault->expression >= 0 ? w->words[fault->expression].text : "",
			fault->expression >= 0 ? ": " : "", fault->message);
		hs_free_compile_error(fault);
		goto out;
	}
	rc = 0;
out:
	if (rc < 0 && e->code == MUNI_OK)
		err_set(e, MUNI_NO_MEMORY, "no memory for the words that give context");
	for (size_t i = 0; expressions && i < w->count; i++)
		free(expressions[i]);
	free(expressions);
	free(flags);
	free(ids);
	return rc;
}

int detect_words_new(const struct recogniser *const *rows, size_t count,
		     struct detect_words **out, struct err *e)
{
	struct detect_words *w = calloc(1, sizeof *w);
	size_t total = 0;

	*out = NULL;
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; rows[i]->context && rows[i]->context[k]; k++)
			total++;
	if (w)
		w->words = calloc(total + 1, sizeof *w->words);
	if (!w || !w->words)
		goto no_memory;
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; rows[i]->context && rows[i]->context[k]; k++)
			if (add_owner(find_word(w, rows[i]->context[k]), (uint16_t)i) < 0)
				goto no_memory;
	if (w->count > 0 && compile_words(w, e) < 0) {
		detect_words_free(w);
		return -1;
	}
	*out = w;
	return 0;
no_memory:
	detect_words_free(w);
	return err_set(e, MUNI_NO_MEMORY, "no memory for the words that give context");
}

void detect_words_free(struct detect_words *w)
{
	if (!w)
		return;
	for (size_t i = 0; w->words && i < w->count; i++)
		free(w->words[i].owners);
	free(w->words);
	hs_free_database(w->database);
	free(w);
}

int detect_words_scratch(const struct detect_words *w, struct hs_scratch **scratch,
			 struct err *e)
{
	if (w->database && hs_alloc_scratch(w->database, scratch) != HS_SUCCESS)
		return err_set(e, MUNI_NO_MEMORY, "no memory to look for words");
	return 0;
}

/* ---- what parts words ------------------------------------------------------------- */

static bool is_lower(unsigned char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_upper(unsigned char c)
{
	return c >= 'A' && c <= 'Z';
}

/* Latin, Greek and Cyrillic beyond ASCII: U+00C0..U+07FF.  Scripts that do not part
 * words begin with 0xE2 and above. */
static bool is_letter(unsigned char c)
{
	return is_lower(c) || is_upper(c) || (c >= 0xc3 && c <= 0xdf);
}

/* May a word begin at `at`?  A continuation byte before it ends a Latin letter if its
 * lead byte says so. */
static bool begins(const char *from, const char *at)
{
	unsigned char here = (unsigned char)*at, left;

	if (here >= 0xe0 || at == from)
		return true;
	left = (unsigned char)at[-1];
	if (left >= 0x80 && left < 0xc0 && at - from >= 2)
		left = (unsigned char)at[-2];
	if (!is_letter(left))
		return true;
	return is_upper(here) && is_lower((unsigned char)at[-1]);
}

/* May one end before `at`? */
static bool ends(const char *at, const char *end)
{
	unsigned char last = (unsigned char)at[-1], here;

	if (last >= 0x80 || at == end)
		return true;
	here = (unsigned char)*at;
	if (!is_letter(here))
		return true;
	/* cardNumber, SSNValue */
	return is_upper(here) &&
	       (is_lower(last) || (end - at > 1 && is_lower((unsigned char)at[1])));
}

static bool ends_or_plural(const char *at, const char *end)
{
	if (ends(at, end))
		return true;
	return is_letter((unsigned char)at[-1]) && (*at == 's' || *at == 'S') && ends(at + 1, end);
}

/* Where the word that ends at `end` begins; NULL: not after `from`. */
static const char *begin_of(const char *from, const char *end, const char *word)
{
	const char *at = end;

	for (size_t i = strlen(word); i > 0; i--) {
		if (at == from)
			return word[i - 1] == ' ' ? at : NULL;
		if (word[i - 1] != ' ' || strchr(" _-.", at[-1]))
			at--;
	}
	return at;
}

/* ---- looking ---------------------------------------------------------------------- */

struct look {
	const struct detect_words *words;
	const char *text, *end;	/* what can be seen */
	const char *base;	/* what was handed to Vectorscan begins here */
	size_t from;
	struct detect_hits *hits;
};

static void add_hit(struct detect_hits *hits, const struct detect_hit *hit)
{
	if (hits->count == hits->room) {
		size_t room = hits->room ? 2 * hits->room : 256;
		struct detect_hit *grown = realloc(hits->rows, room * sizeof *grown);

		if (!grown) {
			hits->no_memory = true;
			return;
		}
		hits->rows = grown;
		hits->room = room;
	}
	hits->rows[hits->count++] = *hit;
}

static int on_word(unsigned id, unsigned long long begin, unsigned long long to, unsigned flags,
		   void *arg)
{
	const struct look *l = arg;
	const char *end = l->base + to, *start;

	(void)begin;
	(void)flags;
	if ((size_t)(end - l->text) <= l->from)
		return 0;
	start = begin_of(l->text, end, l->words->words[id].text);
	if (start && begins(l->text, start) && ends_or_plural(end, l->end))
		add_hit(l->hits, &(struct detect_hit){ .start = (uint32_t)(start - l->text),
						       .end = (uint32_t)(end - l->text),
						       .word = (uint16_t)id });
	return 0;
}

void detect_words_find(const struct detect_words *w, struct hs_scratch *scratch,
		       const char *text, size_t size, size_t from, size_t to,
		       struct detect_hits *hits)
{
	size_t base = from > w->longest ? from - w->longest : 0;
	struct look l = { .words = w, .text = text, .end = text + size, .base = text + base,
			  .from = from, .hits = hits };
	hs_error_t rc;

	if (!w->database || to <= base)
		return;
	rc = hs_scan(w->database, text + base, (unsigned)(to - base), 0, scratch, on_word, &l);
	assert(rc == HS_SUCCESS);
	(void)rc;
}

const uint16_t *detect_words_owners(const struct detect_words *w, unsigned word, size_t *count)
{
	*count = w->words[word].owner_count;
	return w->words[word].owners;
}

void detect_hits_free(struct detect_hits *hits)
{
	free(hits->rows);
	*hits = (struct detect_hits){ 0 };
}
