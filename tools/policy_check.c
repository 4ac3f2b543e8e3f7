#include <stdio.h>
#include <string.h>

#include "fs/base/text.h"
#include "tools/jsonl.h"
#include "tools/policy_acts.h"

struct checking {
	struct cli *cli;
	const char *file;
	unsigned counts[3];	/* by enum lint_level */
	struct err *e;
};

static const char *level_name(enum lint_level level)
{
	return level == LINT_ERROR ? "error" : level == LINT_WARNING ? "warning" : "note";
}

static int print_json(struct checking *k, enum lint_level level, unsigned line,
		      const char *where, const char *text)
{
	json_t *o = jsonl_new("lint");

	jsonl_bytes(o, "file", k->file, strlen(k->file));
	jsonl_number(o, "line", line);
	jsonl_text(o, "level", level_name(level));
	jsonl_text(o, "where", where);
	jsonl_text(o, "text", text);
	return jsonl_end(o, k->e);
}

static int on_row(void *arg, const struct lint *l)
{
	struct checking *k = arg;

	if (cli_is_over())
		return 1;
	k->counts[l->level]++;
	if (k->cli->json)
		return print_json(k, l->level, l->line, l->where, l->text);
	/* As compilers do: editors jump to such lines. */
	printf("%s:%u: %s: %s: %s\n", text_printable(k->file), l->line, level_name(l->level),
	       l->where, l->text);
	return 0;
}

/* The loader's message begins with "FILE:LINE: ". */
static int on_refusal(struct checking *k, const struct err *said)
{
	const char *name = text_printable(k->file), *rest = said->text;
	size_t size = strlen(name);
	unsigned line = 0;

	k->counts[LINT_ERROR]++;
	if (strncmp(rest, name, size) == 0 && rest[size] == ':') {
		for (rest += size + 1; *rest >= '0' && *rest <= '9'; rest++)
			line = 10 * line + (unsigned)(*rest - '0');
		rest += strncmp(rest, ": ", 2) == 0 ? 2 : 0;
	}
	if (k->cli->json)
		return print_json(k, LINT_ERROR, line, NULL, rest);
	printf("%s:%u: error: %s\n", name, line, rest);
	return 0;
}

static void sum_up(const struct checking *k, const struct policy_info *info)
{
	const unsigned *n = k->counts;

	if (k->cli->json || k->cli->quiet)
		return;
	printf("%s: policy %s, version %u: %zu class%s, %zu rule%s; ", text_printable(k->file),
	       text_printable(info->name), info->version, info->class_count,
	       info->class_count == 1 ? "" : "es", info->rule_count,
	       info->rule_count == 1 ? "" : "s");
	if (n[LINT_ERROR] + n[LINT_WARNING] + n[LINT_NOTE] == 0)
		printf("nothing to complain of\n");
	else
		printf("%u error%s, %u warning%s, %u note%s\n", n[LINT_ERROR],
		       n[LINT_ERROR] == 1 ? "" : "s", n[LINT_WARNING],
		       n[LINT_WARNING] == 1 ? "" : "s", n[LINT_NOTE], n[LINT_NOTE] == 1 ? "" : "s");
}

/* -1: it could not be read at all. */
static int check_file(struct checking *k)
{
	struct policy *p = NULL;
	struct err said = ERR_NONE;
	int rc = -1;

	memset(k->counts, 0, sizeof k->counts);
	if (vault_policy_read(k->file, &p, NULL, NULL, &said) < 0) {
		if (said.code == MUNI_USAGE)
			return on_refusal(k, &said);
		*k->e = said;
		return -1;
	}
	rc = policy_lint(p, on_row, k, k->e);
	if (rc == 0)
		sum_up(k, policy_info(p));
	policy_free(p);
	return rc;
}

int policy_check(struct cli *cli, const struct policy_words *w, int count, char **operands,
		 struct err *e)
{
	struct checking k = { .cli = cli, .e = e };
	int wrong = 0;

	(void)w;
	for (int i = 0; i < count; i++) {
		k.file = operands[i];
		if (check_file(&k) < 0)
			return -1;
		wrong += k.counts[LINT_ERROR] > 0;
	}
	if (cli_check_signal(e) < 0)
		return -1;
	if (wrong > 0)
		return err_set(e, MUNI_INCOMPLETE, "%d of %d polic%s should not be used before what "
			       "is said above is mended", wrong, count, count == 1 ? "y" : "ies");
	return 0;
}
