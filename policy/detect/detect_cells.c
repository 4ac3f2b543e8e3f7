/*
 * Cells whose label names a secret: what stands in them has no form to be found by, so
 * they are handed to the recognisers that ask for whole cells.
 */
#include <string.h>

#include "policy/detect/detect_inside.h"

#define CELL_MAX 512		/* a longer one is no password */

static bool parts_cells(char c)
{
	return c == DETECT_CELL_END || c == DETECT_ROW_END;
}

/* Labels repeat: the last answers, by the label's hash. */
static bool names_secret(struct search *s, const char *label)
{
	uint64_t hash = 14695981039346656037u;
	struct label_answer *answer;

	for (const char *p = label; *p != '\0'; p++)
		hash = (hash ^ (unsigned char)*p) * 1099511628211u;	/* FNV-1a */
	answer = &s->answers[hash % DETECT_ANSWERS];
	if (answer->hash != hash)
		*answer = (struct label_answer){ hash, detect_names_secret(label) };
	return answer->is_secret;
}

static void consider(struct search *s, size_t start, size_t end)
{
	const char *label = s->passage->label(s->passage->arg, s->base + start, &s->cursor);

	s->label_at = SIZE_MAX;	/* the one that was asked for before may be gone */
	s->span = (struct text_span){ 0, 0 };
	if (label == NULL || !names_secret(s, label))
		return;
	for (size_t i = 0; i < s->set->count; i++)
		if (s->set->rows[i]->takes_cells)
			detect_consider_cell(s, (unsigned)i, start, end);
}

void detect_cells(struct search *s)
{
	size_t end;

	if (s->passage == NULL || s->passage->label == NULL || !s->passage->names_secrets)
		return;
	for (size_t start = s->low; start < s->high; start = end) {
		bool begins = start > 0 ? parts_cells(s->text[start - 1]) : s->base == 0;

		for (end = start; end < s->used && !parts_cells(s->text[end]);)
			end++;
		if (begins && end > start && end - start <= CELL_MAX)
			consider(s, start, end);
		end++;		/* behind what parts it from the next */
	}
}
