#include "policy/regex.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "policy/memory.h"

#define STEPS_MAX 200000
#define DEPTH_MAX 2000
#define HEAP_MAX 4096		/* KiB */

struct regex {
	char *text;
	pcre2_code *characters;	/* for names that are UTF-8 */
	pcre2_code *bytes;	/* for others; NULL: the expression speaks of characters */
};

struct regex_scratch {
	pcre2_match_data *data;
	pcre2_match_context *limits;
};

/* Compiled code lives with the policy and goes with it. */
static void *give(size_t size, void *memory)
{
	return memory_new(memory, 1, size);
}

static void take_back(void *p, void *memory)
{
	(void)p;
	(void)memory;
}

static int compile(struct regex *r, pcre2_compile_context *context, struct err *e)
{
	const uint32_t options = PCRE2_NEVER_BACKSLASH_C;
	PCRE2_SPTR text = (PCRE2_SPTR)r->text;
	PCRE2_SIZE at;
	int fault;

	r->characters = pcre2_compile(text, PCRE2_ZERO_TERMINATED, options | PCRE2_UTF, &fault,
				      &at, context);
	if (r->characters == NULL) {
		unsigned char said[200] = "";

		pcre2_get_error_message(fault, said, sizeof said);
		return err_set(e, MUNI_USAGE, "the expression \"%s\", at byte %zu: %s",
			       text_printable(r->text), at + 1, text_printable((char *)said));
	}
	r->bytes = pcre2_compile(text, PCRE2_ZERO_TERMINATED, options | PCRE2_NEVER_UTF, &fault,
				 &at, context);
	return 0;
}

int regex_new(struct memory *m, const char *text, struct regex **out, struct err *e)
{
	struct regex *r = memory_new(m, 1, sizeof *r);
	pcre2_general_context *general = pcre2_general_context_create(give, take_back, m);
	pcre2_compile_context *context = NULL;

	*out = NULL;
	if (strlen(text) > REGEX_TEXT_MAX)
		return err_set(e, MUNI_USAGE, "an expression has at most %d bytes, this one %zu",
			       REGEX_TEXT_MAX, strlen(text));
	if (r != NULL && general != NULL) {
		r->text = memory_text(m, text, strlen(text));
		context = pcre2_compile_context_create(general);
	}
	if (context == NULL || r->text == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory for an expression");
	if (compile(r, context, e) < 0)
		return -1;
	*out = r;
	return 0;
}

const char *regex_text(const struct regex *r)
{
	return r->text;
}

static struct regex_scratch *scratch_new(void)
{
	struct regex_scratch *s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	s->data = pcre2_match_data_create(1, NULL);
	s->limits = pcre2_match_context_create(NULL);
	if (s->data == NULL || s->limits == NULL) {
		regex_scratch_free(s);
		return NULL;
	}
	pcre2_set_match_limit(s->limits, STEPS_MAX);
	pcre2_set_depth_limit(s->limits, DEPTH_MAX);
	pcre2_set_heap_limit(s->limits, HEAP_MAX);
	return s;
}

void regex_scratch_free(struct regex_scratch *s)
{
	if (s == NULL)
		return;
	pcre2_match_data_free(s->data);
	pcre2_match_context_free(s->limits);
	free(s);
}

int regex_find(const struct regex *r, const char *text, size_t size,
	       struct regex_scratch **scratch)
{
	bool is_utf8 = text_is_utf8(text, size);
	const pcre2_code *code = is_utf8 ? r->characters : r->bytes;
	int rc;

	if (code == NULL)
		return 0;
	if (*scratch == NULL)
		*scratch = scratch_new();
	if (*scratch == NULL)
		return -1;
	rc = pcre2_match(code, (PCRE2_SPTR)text, size, 0, is_utf8 ? PCRE2_NO_UTF_CHECK : 0,
			 (*scratch)->data, (*scratch)->limits);
	/* 0: matched, with more groups than we asked for. */
	return rc >= 0 ? 1 : rc == PCRE2_ERROR_NOMATCH ? 0 : -1;
}
