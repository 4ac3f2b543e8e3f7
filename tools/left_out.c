#include "tools/left_out.h"

#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/vault/classify.h"
#include "tools/jsonl.h"
#include "tools/table.h"

/* In the order in which a person thinks of them. */
static const struct {
	enum decision decision;
	const char *what;
} lines[DECISIONS] = {
	{ DECISION_ARCHIVE, "to be archived" },
	{ DECISION_MIGRATE, "to be migrated" },
	{ DECISION_DESTROY, "to be destroyed" },
	{ DECISION_REVIEW, "to be reviewed" },
};

int take_exclude(const char ***list, size_t *count, const char *glob, struct err *e)
{
	const char **grown;

	if (*glob == '\0' || strlen(glob) > INGEST_GLOB_MAX)
		return err_set(e, MUNI_USAGE, "--exclude takes a pattern of 1 to %d bytes",
			       INGEST_GLOB_MAX);
	grown = reallocarray(*list, *count + 1, sizeof *grown);
	if (grown == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory for --exclude");
	*list = grown;
	grown[(*count)++] = glob;
	return 0;
}

void left_out_print(FILE *to, const struct left_out *out, enum decision taken)
{
	struct table *t = table_new(to, "lrr", NULL);
	char count[TEXT_COUNT_MAX], size[TEXT_SIZE_MAX];

	for (size_t i = 0; i < DECISIONS; i++) {
		enum decision d = lines[i].decision;

		if (d == taken && out->by[d].items == 0)
			continue;
		table_cell(t, "  %s", lines[i].what);
		table_cell(t, "%s", text_count(out->by[d].items, count));
		table_cell(t, "%s", text_size(out->by[d].bytes, size));
	}
	table_end(t);
	if (out->undecided > 0)
		fprintf(to, "%s of those to be reviewed are new, or have changed, since the "
			"source was scanned: scan and classify it again\n",
			text_count(out->undecided, count));
}

json_t *left_out_json(const struct left_out *out, enum decision taken)
{
	json_t *o = json_object();

	for (size_t i = 0; i < DECISIONS; i++) {
		enum decision d = (enum decision)i;

		if (d == taken && out->by[d].items == 0)
			continue;
		json_object_set_new(o, decision_name(d),
				    json_pack("{s:I, s:I}", "items",
					      (json_int_t)out->by[d].items, "bytes",
					      (json_int_t)out->by[d].bytes));
	}
	jsonl_number(o, "undecided", out->undecided);
	jsonl_number(o, "missing", out->missing);
	return o;
}
