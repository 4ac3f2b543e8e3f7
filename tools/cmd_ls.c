#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/bytes.h"
#include "fs/base/text.h"
#include "tools/commands.h"
#include "tools/jsonl.h"
#include "tools/print.h"
#include "tools/shown.h"
#include "tools/table.h"

static const struct cli_option options[] = {
	{ 'l', "long", NULL, "mode, links, owner, group, size, time, name" },
	{ 'R', "recursive", NULL, "directories below too, as paths" },
	{ 'd', "directory", NULL, "the directory itself, not what is in it" },
	{ '0', "print0", NULL, "names as they are, each ended by a NUL" },
	{ .name = NULL },
};

struct listing {
	struct cli *cli;
	struct catalogue *c;
	const struct version *version;
	struct barred barred;
	struct print_names *names;
	struct table *table;
	struct err *e;
	bool is_long, is_recursive, is_directory, is_null_ended;
};

static const char *const heads[] = { "MODE", "LINKS", "OWNER", "GROUP", "SIZE",
	"MODIFIED (UTC)", "NAME" };

static void size_cell(struct table *t, const struct node *n)
{
	char size[TEXT_SIZE_MAX];

	if (n->kind == NODE_FILE)
		table_cell(t, "%s", text_size(n->size, size));
	else if (n->kind == NODE_CHAR || n->kind == NODE_BLOCK)
		table_cell(t, "%u, %u", n->rdev_major, n->rdev_minor);
	else
		table_cell(t, "%s", "-");
}

static int long_row(struct listing *l, const struct tree_item *item)
{
	const struct node *n = item->node;
	char mode[PRINT_MODE_MAX], time[TEXT_TIME_MAX];
	char *name = text_printable_dup(item->path, item->path_size);
	char *target = NULL;
	int rc = -1;

	if (name == NULL) {
		err_set(l->e, MUNI_NO_MEMORY, "no memory to show a path");
		goto out;
	}
	if (n->kind == NODE_SYMLINK && print_target(l->c, n, &target, l->e) < 0)
		goto out;
	table_cell(l->table, "%s", print_mode(n, mode));
	table_cell(l->table, "%u", n->links);
	table_cell(l->table, "%s", print_name(l->names, n->owner, n->uid));
	table_cell(l->table, "%s", print_name(l->names, n->group, n->gid));
	size_cell(l->table, n);
	table_cell(l->table, "%s", print_time(n->mtime.seconds, time));
	table_cell(l->table, "%s%s%s", name,
		   target != NULL ? " -> " : n->kind == NODE_DIRECTORY ? "/" : "",
		   target != NULL ? target : "");
	rc = 0;
out:
	free(target);
	free(name);
	return rc;
}

static int json_row(struct listing *l, const struct tree_item *item)
{
	json_t *o = jsonl_new("entry");

	jsonl_bytes(o, "path", item->path, item->path_size);
	if (print_node_json(o, l->c, l->names, item->node, l->e) < 0) {
		json_decref(o);
		return -1;
	}
	return jsonl_end(o, l->e);
}

static int short_row(struct listing *l, const struct tree_item *item)
{
	char *name;

	if (l->is_null_ended || item->node->kind != NODE_DIRECTORY) {
		print_path(item->path, item->path_size, l->is_null_ended);
		return 0;
	}
	name = text_printable_dup(item->path, item->path_size);
	if (name == NULL)
		return err_set(l->e, MUNI_NO_MEMORY, "no memory to show a path");
	printf("%s/\n", name);
	free(name);
	return 0;
}

static int on_item(void *arg, const struct tree_item *item)
{
	struct listing *l = arg;
	int rc = 0;

	if (barred_has(&l->barred, item->node))
		return 2;
	if (l->cli->json)
		rc = json_row(l, item);
	else if (l->is_long)
		rc = long_row(l, item);
	else
		rc = short_row(l, item);
	if (rc < 0)
		return -1;
	if (cli_is_over())
		return 1;
	return l->is_recursive ? 0 : 2;
}

static int list_path(struct listing *l, char *path, struct err *e)
{
	struct tree_item item = { .path = path };
	struct entry entry;
	struct node node;
	struct buffer prefix = { 0 };
	int rc;

	if (cli_path(path, e) < 0 ||
	    tree_find_shown(l->c, l->version, path, strlen(path), &l->barred, &entry, &node, e) < 0)
		return -1;
	if (node.kind != NODE_DIRECTORY || l->is_directory) {
		item.path = *path != '\0' ? path : ".";
		item.path_size = strlen(item.path);
		item.entry = &entry;
		item.node = &node;
		return on_item(l, &item) < 0 ? -1 : 0;
	}
	/* Alone, a directory's names; with -R or --json, paths from the root. */
	if ((l->is_recursive || l->cli->json) && *path != '\0')
		buffer_append(&prefix, path, strlen(path));
	buffer_u8(&prefix, '\0');
	if (prefix.failed)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a path");
	rc = tree_walk(l->c, l->version, entry.directory, (const char *)prefix.data, on_item, l, e);
	buffer_free(&prefix);
	return rc;
}

struct systems_listing {
	struct cli *cli;
	struct err *e;
};

static int on_system(void *arg, const struct system *s)
{
	struct systems_listing *l = arg;
	json_t *o;

	if (!l->cli->json) {
		printf("%s\n", text_printable(s->name));
		return cli_is_over();
	}
	o = jsonl_new("system");
	jsonl_text(o, "system", s->name);
	return jsonl_end(o, l->e) < 0 ? -1 : cli_is_over();
}

static int list_version(struct cli *cli, struct listing *l, struct vault *v, struct err *e)
{
	static char root[] = "";
	struct version version;
	int rc = -1;

	if (vault_resolve(l->c, cli->operands[1], &version, e) < 0)
		return -1;
	l->version = &version;
	if (shown_begin(cli, v, &version, NULL, cli->operands + 2, cli->operand_count - 2,
			&l->barred, e) < 0)
		return -1;
	l->names = print_names_new(l->c);
	if (l->is_long && !cli->json)
		l->table = table_new(stdout, "lrllrll", heads);
	if (cli->operand_count < 3)
		rc = list_path(l, root, e);
	for (int i = 2; i < cli->operand_count; i++) {
		rc = list_path(l, cli->operands[i], e);
		if (rc < 0)
			break;
	}
	if (l->is_long && !cli->json && table_end(l->table) < 0 && rc == 0)
		rc = err_set(e, MUNI_NO_MEMORY, "no memory for a table");
	barred_free(&l->barred);
	return print_names_end(l->names, rc, e);
}

static int run(struct cli *cli)
{
	struct err e = ERR_NONE;
	struct listing l = { .cli = cli, .e = &e };
	struct vault *v = NULL;
	int rc = -1, o;

	while ((o = cli_next(cli)) > 0) {
		l.is_long |= o == 'l';
		l.is_recursive |= o == 'R';
		l.is_directory |= o == 'd';
		l.is_null_ended |= o == '0';
	}
	if (o != CLI_END)
		return cli_stopped(o);
	if (shown_open(cli, cli->operands[0], &v, &e) < 0)
		goto out;
	l.c = vault_catalogue(v);
	if (cli->operand_count == 1)
		rc = catalogue_systems(l.c, on_system, &(struct systems_listing){ cli, &e }, &e);
	else
		rc = list_version(cli, &l, v, &e);
	if (rc == 0)
		rc = cli_check_signal(&e);
out:
	vault_close(v);
	return cli_end(cli, rc, &e);
}

const struct command cmd_ls = {
	.name = "ls",
	.operands = "ARCHIVE [SYSTEM[@VERSION] [PATH]...]",
	.summary = "list a directory of a version",
	.about =
	"Lists what stands in a directory of a version (default: the latest version,\n"
	"its topmost directory), in byte order of names; without SYSTEM, the systems.\n"
	"VERSION is a label or a day (2021-06-30: the version in force on that day).\n"
	"Names are shown printable: what a terminal could take for a command is\n"
	"escaped as \\n or \\x1b.",
	.options = options,
	.shared = CLI_ARCHIVE | CLI_JSON | CLI_QUIET | CLI_RESTRICTED,
	.min_operands = 1,
	.max_operands = -1,
	.run = run,
};
