/*
 * Sums over records by class and standing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/base/total.h"
#include "tools/due.h"
#include "tools/jsonl.h"
#include "tools/table.h"

static struct due_class *find_class(struct due_sums *d, const char *code)
{
	size_t lo = 0, hi = d->count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int order = strcmp(code, d->list[mid].code);

		if (order == 0)
			return &d->list[mid];
		if (order < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	if (d->count == d->room) {
		size_t room = d->room ? 2 * d->room : 16;
		void *list = reallocarray(d->list, room, sizeof *d->list);

		if (!list)
			return NULL;
		d->list = list;
		d->room = room;
	}
	memmove(&d->list[lo + 1], &d->list[lo], (d->count - lo) * sizeof *d->list);
	d->count++;
	d->list[lo] = (struct due_class){ .lacking = 0 };
	snprintf(d->list[lo].code, sizeof d->list[lo].code, "%s", code);
	return &d->list[lo];
}

static void note_lacking(struct due_class *k, const struct record_state *s)
{
	k->lacking++;
	for (size_t i = 0; k->trigger[0] == '\0' && i < s->term_count; i++)
		if (s->terms[i].retention.state == RETENTION_MISSING)
			snprintf(k->trigger, sizeof k->trigger, "%s",
				 s->terms[i].definition->trigger);
}

int due_sums_add(struct due_sums *d, const struct record_state *s, struct err *e)
{
	struct due_class *k = find_class(d, due_class(s));

	if (!k)
		return err_set(e, MUNI_NO_MEMORY, "no memory for the sums");
	struct due_sum *sum = &k->by[s->standing];
	sum->records++;
	if (s->record->node->kind == NODE_FILE)
		total_add(&sum->bytes, s->record->node->size);
	if (s->lacks_trigger)
		note_lacking(k, s);
	if (s->has_due && (!sum->has_first || civil_compare(s->eligible, sum->first) < 0)) {
		sum->has_first = true;
		sum->first = s->eligible;
	}
	return 0;
}

void due_sums_free(struct due_sums *d)
{
	free(d->list);
	*d = (struct due_sums){ .list = NULL };
}

static void print_lacking(const struct due_sums *d)
{
	char count[TEXT_COUNT_MAX];

	for (size_t i = 0; i < d->count; i++) {
		const struct due_class *k = &d->list[i];

		if (k->lacking == 0)
			continue;
		printf("%s record%s of %s %s no date to count from (%s): kept until it is known",
		       text_count(k->lacking, count), k->lacking == 1 ? "" : "s",
		       text_printable(k->code), k->lacking == 1 ? "has" : "have",
		       text_printable(k->trigger));
		if (strncmp(k->trigger, "event:", 6) == 0)
			printf("; `muni event ... --event %s` tells it",
			       text_printable(k->trigger + 6));
		putchar('\n');
	}
}

/* What the sums alone do not say. */
static void print_notes(const struct due_sums *d)
{
	uint64_t unclassified = 0;
	char count[TEXT_COUNT_MAX];

	for (size_t i = 0; i < d->count; i++)
		unclassified += d->list[i].by[STANDING_UNCLASSIFIED].records;
	if (unclassified > 0)
		printf("%s record%s no class that a policy describes: kept until one does\n",
		       text_count(unclassified, count), unclassified == 1 ? " has" : "s have");
	print_lacking(d);
}

int due_sums_print(const struct due_sums *d, struct err *e)
{
	static const char *const heads[] = { "CLASS", "STANDING", "RECORDS", "SIZE",
					     "FIRST MAY GO" };
	struct table *t = table_new(stdout, "llrrl", heads);
	char count[TEXT_COUNT_MAX], size[TEXT_SIZE_MAX], day[16];

	for (size_t i = 0; i < d->count; i++)
		for (int k = STANDINGS - 1; k >= 0; k--) {
			const struct due_sum *sum = &d->list[i].by[k];

			if (sum->records == 0)
				continue;
			civil_text(sum->first, day);
			table_cell(t, "%s", text_printable(d->list[i].code));
			table_cell(t, "%s", standing_name((enum record_standing)k));
			table_cell(t, "%s", text_count(sum->records, count));
			table_cell(t, "%s", text_size(sum->bytes, size));
			table_cell(t, "%s", sum->has_first ? day : "-");
		}
	if (table_end(t) < 0)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a table");
	print_notes(d);
	return 0;
}

int due_sums_json(const struct due_sums *d, struct err *e)
{
	char day[16];

	for (size_t i = 0; i < d->count; i++)
		for (int k = 0; k < STANDINGS; k++) {
			const struct due_sum *sum = &d->list[i].by[k];
			json_t *o;

			if (sum->records == 0)
				continue;
			o = jsonl_new("record_sum");
			jsonl_text(o, "class", strcmp(d->list[i].code, "-") == 0 ? NULL :
				   d->list[i].code);
			jsonl_text(o, "standing", standing_name((enum record_standing)k));
			jsonl_number(o, "records", sum->records);
			jsonl_number(o, "bytes", sum->bytes);
			civil_text(sum->first, day);
			jsonl_text(o, "first", sum->has_first ? day : NULL);
			if (jsonl_end(o, e) < 0)
				return -1;
		}
	return 0;
}
