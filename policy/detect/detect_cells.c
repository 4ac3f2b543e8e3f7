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
static bool names_secret(struct detector *d, const char *label)
{
	uint64_t hash = 14695981039346656037u;
	struct label_answer *answer;

	for (const char *p = label; *p != '\0'; p++)
		hash = (hash ^ (unsigned char)*p) * 1099511628211u;	/* FNV-1a */
	answer = &d->answers[hash % DETECT_ANSWERS];
	if (answer->hash != hash)
		*answer = (struct label_answer){ hash, detect_names_secret(label) };
	return answer->is_secret;
}

static void consider(struct detector *d, size_t start, size_t end)
{
	const char *label = d->passage->label(d->passage->arg, d->base + start);

	d->label_at = SIZE_MAX;	/* the one that was asked for before may be gone */
	if (label == NULL || !names_secret(d, label))
		return;
	for (size_t i = 0; i < d->set->count; i++)
		if (d->set->rows[i]->takes_cells)
			detect_consider_cell(d, (unsigned)i, start, end);
}

void detect_cells(struct detector *d)
{
	size_t end;

	if (d->passage == NULL || d->passage->label == NULL || !d->passage->names_secrets)
		return;
	for (size_t start = d->low; start < d->high; start = end) {
		bool begins = start > 0 ? parts_cells(d->text[start - 1]) : d->base == 0;

		for (end = start; end < d->used && !parts_cells(d->text[end]);)
			end++;
		if (begins && end > start && end - start <= CELL_MAX)
			consider(d, start, end);
		end++;		/* behind what parts it from the next */
	}
}
