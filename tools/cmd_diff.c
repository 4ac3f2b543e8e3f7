#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/text.h"
#include "fs/vault/diff.h"
#include "tools/commands.h"
#include "tools/jsonl.h"
#include "tools/print.h"
#include "tools/shown.h"

static const struct cli_option options[] = {
	{ 's', "summary", NULL, "only how many were added, removed, changed, moved" },
	{ .name = NULL },
};

struct comparison {
	struct cli *cli;
	struct catalogue *c;
	struct barred barred;
	struct print_names *names;
	struct err *e;
	bool is_summary;
	uint64_t counts[DIFF_MOVED + 1];
};

static const char *kind_word(enum diff_kind kind)
{
	static const char *const words[] = { "added", "removed", "changed", "moved" };

	return words[kind];
}

/* What changed, for people: "content 1.2 KiB -> 3.4 KiB, mode 0644 -> 0600". */
static void print_what_changed(const struct diff_item *d)
{
	const struct node *a = d->before, *b = d->after;
	char from[TEXT_TIME_MAX], to[TEXT_TIME_MAX], sizes[2][TEXT_SIZE_MAX];
	const char *comma = "  (";

	if (a == NULL || b == NULL || (!d->content_changed && !d->metadata_changed))
		return;
	if (a->kind != b->kind) {
		printf("  (%s -> %s)", print_kind(a->kind), print_kind(b->kind));
		return;
	}
	if (d->content_changed) {
		printf("%scontent", comma);
		if (a->kind == NODE_FILE)
			printf(" %s -> %s", text_size(a->size, sizes[0]), text_size(b->size, sizes[1]));
		comma = ", ";
	}
	if (d->metadata_changed && a->mode != b->mode) {
		printf("%smode %04o -> %04o", comma, a->mode & 07777, b->mode & 07777);
		comma = ", ";
	}
	if (d->metadata_changed && (a->uid != b->uid || a->gid != b->gid)) {
		printf("%sowner %u:%u -> %u:%u", comma, a->uid, a->gid, b->uid, b->gid);
		comma = ", ";
	}
	if (d->metadata_changed && !d->content_changed &&
	    (a->mtime.seconds != b->mtime.seconds || a->mtime.ns != b->mtime.ns)) {
		printf("%smodified %s -> %s", comma, print_time(a->mtime.seconds, from),
		       print_time(b->mtime.seconds, to));
		comma = ", ";
	}
	if (d->metadata_changed && a->xattrs != b->xattrs) {
		printf("%sattributes", comma);
		comma = ", ";
	}
	fputs(comma[0] == ',' ? ")" : "  (attributes)", stdout);
}

static int print_line(const struct diff_item *d, struct err *e)
{
	static const char signs[] = "+-~>";
	const struct node *n = d->after != NULL ? d->after : d->before;
	const char *slash = n != NULL && n->kind == NODE_DIRECTORY ? "/" : "";
	char *path = text_printable_dup(d->path, d->path_size);
	char *old = d->old_path != NULL ? text_printable_dup(d->old_path, d->old_path_size) : NULL;
	int rc = -1;

	if (path == NULL || (d->kind == DIFF_MOVED && old == NULL)) {
		err_set(e, MUNI_NO_MEMORY, "no memory to show a path");
		goto out;
	}
	if (d->kind == DIFF_MOVED)
		printf("%c %s%s -> %s%s", signs[d->kind], old, slash, path, slash);
	else
		printf("%c %s%s", signs[d->kind], path, slash);
	print_what_changed(d);
	putchar('\n');
	rc = 0;
out:
	free(old);
	free(path);
	return rc;
}

static int side_json(json_t *o, const char *key, struct comparison *k, const struct node *n)
{
	json_t *side;

	if (n == NULL)
		return 0;
	side = json_object();
	if (print_node_json(side, k->c, k->names, n, k->e) < 0) {
		json_decref(side);
		return -1;
	}
	if (json_object_set_new(o, key, side) < 0)
		return err_set(k->e, MUNI_NO_MEMORY, "no memory for a line of JSON");
	return 0;
}

static int json_item(struct comparison *k, const struct diff_item *d)
{
	json_t *o = jsonl_new("change");

	jsonl_text(o, "change", kind_word(d->kind));
	jsonl_bytes(o, "path", d->path, d->path_size);
	if (d->old_path != NULL)
		jsonl_bytes(o, "old_path", d->old_path, d->old_path_size);
	jsonl_bool(o, "content_changed", d->content_changed);
	jsonl_bool(o, "metadata_changed", d->metadata_changed);
	if (side_json(o, "before", k, d->before) < 0 || side_json(o, "after", k, d->after) < 0) {
		json_decref(o);
		return -1;
	}
	return jsonl_end(o, k->e);
}

/* The change as one sees it who does not see what is barred; false: there is none. */
static bool is_shown(const struct barred *b, struct diff_item *d)
{
	bool hides_before = d->before && barred_has(b, d->before);
	bool hides_after = d->after && barred_has(b, d->after);

	if (!hides_before && !hides_after)
		return true;
	if (hides_before)
		d->before = NULL;
	if (hides_after)
		d->after = NULL;
	if (d->kind == DIFF_MOVED && d->before) {
		d->path = d->old_path;
		d->path_size = d->old_path_size;
	}
	d->old_path = NULL;
	d->kind = d->before ? DIFF_REMOVED : DIFF_ADDED;
	d->content_changed = d->metadata_changed = false;
	return d->before || d->after;
}

static int on_item(void *arg, const struct diff_item *item)
{
	struct comparison *k = arg;
	struct diff_item shown = *item, *d = &shown;

	if (!is_shown(&k->barred, d))
		return 0;
	k->counts[d->kind]++;
	if (!k->is_summary && k->cli->json && json_item(k, d) < 0)
		return -1;
	if (!k->is_summary && !k->cli->json && print_line(d, k->e) < 0)
		return -1;
	return cli_is_over();
}

static int print_summary(struct comparison *k, struct err *e)
{
	json_t *o;
	char counts[4][TEXT_COUNT_MAX];

	for (int i = 0; i < 4; i++)
		text_count(k->counts[i], counts[i]);
	if (!k->cli->json) {
		/* Beside a listing it is for people; alone it is what was asked for. */
		if (k->is_summary || !k->cli->quiet)
			fprintf(k->is_summary ? stdout : stderr,
				"%s added, %s removed, %s changed, %s moved\n", counts[0], counts[1],
				counts[2], counts[3]);
		return 0;
	}
	o = jsonl_new("diff");
	for (int i = 0; i < 4; i++)
		jsonl_number(o, kind_word((enum diff_kind)i), k->counts[i]);
	return jsonl_end(o, e);
}

static int compare(struct cli *cli, struct comparison *k, struct vault *v, struct err *e)
{
	struct version a, b;

	k->c = vault_catalogue(v);
	if (vault_resolve(k->c, cli->operands[1], &a, e) < 0 ||
	    vault_resolve(k->c, cli->operands[2], &b, e) < 0)
		return -1;
	if (shown_begin(cli, v, &a, &b, NULL, 0, &k->barred, e) < 0)
		return -1;
	k->names = print_names_new(k->c);
	if (vault_diff(k->c, &a, &b, on_item, k, e) < 0 || cli_check_signal(e) < 0)
		return -1;
	if (!k->is_summary)
		fflush(stdout);
	return print_summary(k, e);
}

static int run(struct cli *cli)
{
	struct err e = ERR_NONE;
	struct comparison k = { .cli = cli, .e = &e };
	struct vault *v = NULL;
	int rc, o;

	while ((o = cli_next(cli)) > 0)
		k.is_summary = true;
	if (o != CLI_END)
		return cli_stopped(o);
	rc = shown_open(cli, cli->operands[0], &v, &e);
	if (rc == 0)
		rc = compare(cli, &k, v, &e);
	rc = print_names_end(k.names, rc, &e);
	barred_free(&k.barred);
	vault_close(v);
	return cli_end(cli, rc, &e);
}

const struct command cmd_diff = {
	.name = "diff",
	.operands = "ARCHIVE SYSTEM@A SYSTEM@B",
	.summary = "what changed between two versions",
	.about =
	"Lists what changed from the first version to the second, in path order:\n"
	"  + added    - removed    ~ changed    > moved (old -> new)\n"
	"A directory's time alone is no change where something in it changed.",
	.options = options,
	.shared = CLI_ARCHIVE | CLI_JSON | CLI_QUIET | CLI_RESTRICTED,
	.min_operands = 3,
	.max_operands = 3,
	.run = run,
};
