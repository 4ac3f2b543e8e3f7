#include <fnmatch.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "fs/base/text.h"
#include "tools/commands.h"
#include "tools/jsonl.h"
#include "tools/print.h"
#include "tools/shown.h"

enum { NAME = 256, PATH, TYPE, SIZE, NEWER, OLDER, CLASS };

static const struct cli_option options[] = {
	{ NAME, "name", "GLOB", "the last part of the path matches" },
	{ PATH, "path", "GLOB", "the whole path matches (* also matches /)" },
	{ TYPE, "type", "f,d,l,p,s,c,b", "file, directory, symlink, fifo, socket, devices" },
	{ SIZE, "size", "+N|-N|N", "files of more than, less than, exactly N bytes (64k, 1.5G)" },
	{ NEWER, "newer", "TIME", "modified after" },
	{ OLDER, "older", "TIME", "modified before" },
	{ CLASS, "class", "CODE", "of this record class" },
	{ '0', "print0", NULL, "paths as they are, each ended by a NUL" },
	{ .name = NULL },
};

struct search {
	struct cli *cli;
	struct catalogue *c;
	struct barred barred;
	struct print_names *names;
	struct err *e;
	locale_t bytewise;	/* for names that are not UTF-8 */
	const char *name, *path;
	unsigned kinds;		/* set of 1 << enum node_kind; 0: all */
	int size_sign;		/* +1 more, -1 less, 0 exactly; where has_size */
	uint64_t size;
	bool has_size;
	bool has_newer, has_older;
	int64_t newer, older;
	const char *class_code;
	int64_t class_id;	/* 0: any; resolved when the archive is open */
	bool is_null_ended;
};

static int take_types(struct search *s, const char *text, struct err *e)
{
	static const char letters[] = "?fdlpscb";	/* by enum node_kind */

	for (const char *t = text; *t != '\0'; t++) {
		const char *at = *t == '?' ? NULL : strchr(letters, *t);

		if (at == NULL || (t[1] != ',' && t[1] != '\0') || (t[1] == ',' && t[2] == '\0'))
			return err_set(e, MUNI_USAGE, "--type %s: it is written f,d,l (of "
				       "f d l p s c b)", text_printable(text));
		s->kinds |= 1u << (at - letters);
		t += t[1] == ',';
	}
	return 0;
}

static int take_size(struct search *s, const char *text, struct err *e)
{
	s->has_size = true;
	s->size_sign = *text == '+' ? 1 : *text == '-' ? -1 : 0;
	return cli_size("--size", text + (s->size_sign != 0), &s->size, e);
}

static int take_option(struct search *s, int o, const char *value, struct err *e)
{
	switch (o) {
	case NAME:
		s->name = value;
		return 0;
	case PATH:
		s->path = value;
		return 0;
	case TYPE:
		return take_types(s, value, e);
	case SIZE:
		return take_size(s, value, e);
	case NEWER:
		s->has_newer = true;
		return cli_time("--newer", value, true, &s->newer, e);
	case OLDER:
		s->has_older = true;
		return cli_time("--older", value, false, &s->older, e);
	case CLASS:
		s->class_code = value;
		return 0;
	default:
		s->is_null_ended = true;
		return 0;
	}
}

static bool is_glob_match(const struct search *s, const char *glob, const char *text)
{
	bool is_match;
	locale_t before;

	if (text_is_utf8(text, strlen(text)))
		return fnmatch(glob, text, 0) == 0;
	/* Not of the locale: "?" is then one byte. */
	before = uselocale(s->bytewise);
	is_match = fnmatch(glob, text, 0) == 0;
	uselocale(before);
	return is_match;
}

static bool is_size_match(const struct search *s, const struct node *n)
{
	if (n->kind != NODE_FILE)
		return false;
	if (s->size_sign > 0)
		return n->size > s->size;
	if (s->size_sign < 0)
		return n->size < s->size;
	return n->size == s->size;
}

static bool is_match(const struct search *s, const struct tree_item *item)
{
	const struct node *n = item->node;
	const char *slash = strrchr(item->path, '/');

	if (s->kinds != 0 && (s->kinds >> n->kind & 1) == 0)
		return false;
	if (s->has_size && !is_size_match(s, n))
		return false;
	if (s->has_newer && n->mtime.seconds <= s->newer)
		return false;
	if (s->has_older && n->mtime.seconds >= s->older)
		return false;
	if (s->class_id != 0 && n->class_id != s->class_id)
		return false;
	if (s->name != NULL && !is_glob_match(s, s->name, slash != NULL ? slash + 1 : item->path))
		return false;
	return s->path == NULL || is_glob_match(s, s->path, item->path);
}

static int on_item(void *arg, const struct tree_item *item)
{
	struct search *s = arg;
	json_t *o;

	if (cli_is_over())
		return 1;
	if (barred_has(&s->barred, item->node))
		return 2;
	if (!is_match(s, item))
		return 0;
	if (!s->cli->json) {
		print_path(item->path, item->path_size, s->is_null_ended);
		return 0;
	}
	o = jsonl_new("entry");
	jsonl_bytes(o, "path", item->path, item->path_size);
	if (print_node_json(o, s->c, s->names, item->node, s->e) < 0) {
		json_decref(o);
		return -1;
	}
	return jsonl_end(o, s->e);
}

static int on_class(void *arg, const struct record_class *k)
{
	struct search *s = arg;

	if (strcmp(k->code, s->class_code) == 0)
		s->class_id = k->id;
	return s->class_id != 0;
}

static int search(struct search *s, struct vault *v, struct err *e)
{
	struct cli *cli = s->cli;
	static char root[] = "";
	char *path = cli->operand_count > 2 ? cli->operands[2] : root;
	struct version version;
	struct entry entry;
	struct node node;

	if (s->class_code != NULL) {
		if (catalogue_classes(s->c, on_class, s, e) < 0)
			return -1;
		if (s->class_id == 0)
			return err_set(e, MUNI_NOT_FOUND, "no class %s stands in this archive",
				       text_printable(s->class_code));
	}
	if (vault_resolve(s->c, cli->operands[1], &version, e) < 0 || cli_path(path, e) < 0 ||
	    shown_begin(cli, v, &version, NULL, &path, 1, &s->barred, e) < 0 ||
	    tree_find_shown(s->c, &version, path, strlen(path), &s->barred, &entry, &node,
			    e) < 0)
		return -1;
	if (node.kind == NODE_DIRECTORY)
		return tree_walk(s->c, &version, entry.directory, path, on_item, s, e);
	return on_item(s, &(struct tree_item){ path, strlen(path), &entry, &node });
}

static int run(struct cli *cli)
{
	struct err e = ERR_NONE;
	struct search s = { .cli = cli, .e = &e };
	struct vault *v = NULL;
	int rc = -1, o;

	while ((o = cli_next(cli)) > 0)
		if (take_option(&s, o, cli->value, &e) < 0)
			return cli_usage(cli, "%s", e.text);
	if (o != CLI_END)
		return cli_stopped(o);
	s.bytewise = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	if (shown_open(cli, cli->operands[0], &v, &e) < 0)
		goto out;
	s.c = vault_catalogue(v);
	s.names = print_names_new(s.c);
	rc = search(&s, v, &e);
	if (rc >= 0)
		rc = cli_check_signal(&e);
	rc = print_names_end(s.names, rc, &e);
out:
	barred_free(&s.barred);
	freelocale(s.bytewise);
	vault_close(v);
	return cli_end(cli, rc, &e);
}

const struct command cmd_find = {
	.name = "find",
	.operands = "ARCHIVE SYSTEM[@VERSION] [PATH]",
	.summary = "find files in a version by name, size, time, type, class",
	.about =
	"Prints the path of everything below PATH (default: all of the version) that\n"
	"meets every condition given.  Globs know * ? [...]; sizes are written 64k,\n"
	"times 2021-06-30, 2021-06-30T12:00:00Z or @SECONDS.",
	.options = options,
	.shared = CLI_ARCHIVE | CLI_JSON | CLI_QUIET | CLI_RESTRICTED,
	.min_operands = 2,
	.max_operands = 3,
	.run = run,
};
