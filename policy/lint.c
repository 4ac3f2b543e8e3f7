/*
 * What is wrong with a policy that can be read.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "policy/lint_inside.h"

void lints_add(struct lints *l, enum lint_level level, unsigned line, const char *list,
	       size_t index, const char *id, const char *format, ...)
{
	char where[200], text[1200];
	struct lint *row;
	va_list args;

	if (l->count == l->capacity) {
		size_t capacity = l->capacity == 0 ? 32 : 2 * l->capacity;
		struct lint *more = realloc(l->rows, capacity * sizeof *more);

		if (more == NULL) {
			l->has_failed = true;
			return;
		}
		l->rows = more;
		l->capacity = capacity;
	}
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	snprintf(where, sizeof where, "%s[%zu] (%s)", list, index + 1, text_printable(id));
	row = &l->rows[l->count];
	*row = (struct lint){
		.level = level, .line = line,
		.where = memory_text(&l->memory, where, strlen(where)),
		.text = memory_text(&l->memory, text, strlen(text)),
	};
	if (row->where == NULL || row->text == NULL)
		l->has_failed = true;
	else
		l->count++;
}

/* By line; the order of discovery where two are of one line. */
static void sort(struct lints *l)
{
	for (size_t i = 1; i < l->count; i++) {
		struct lint row = l->rows[i];
		size_t k = i;

		for (; k > 0 && l->rows[k - 1].line > row.line; k--)
			l->rows[k] = l->rows[k - 1];
		l->rows[k] = row;
	}
}

int policy_lint(const struct policy *p, int (*row)(void *arg, const struct lint *l),
		void *arg, struct err *e)
{
	struct lints l = { .policy = p };
	int rc = 0;

	lint_recognisers(&l);
	lint_classes(&l);
	lint_rules(&l);
	if (l.has_failed)
		rc = err_set(e, MUNI_NO_MEMORY, "no memory to check the policy");
	sort(&l);
	for (size_t i = 0; rc == 0 && i < l.count; i++)
		rc = row(arg, &l.rows[i]);
	memory_clear(&l.memory);
	free(l.rows);
	return rc < 0 ? -1 : 0;
}
