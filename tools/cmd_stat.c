#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/json_memory.h"
#include "fs/base/text.h"
#include "fs/store/xattrs.h"
#include "fs/vault/leaf.h"
#include "tools/commands.h"
#include "tools/jsonl.h"
#include "tools/print.h"
#include "tools/shown.h"

struct facts {			/* of one path, beside its node */
	struct cli *cli;
	struct catalogue *c;
	struct print_names *names;
	const struct barred *barred;	/* borrowed */
	const char *path;	/* normalised */
	struct entry entry;
	struct node node;
	char first[132], last[132];	/* labels; last empty: it still stands */
	char class_code[68];
	uint8_t *xattrs;	/* owned; packed */
	size_t xattrs_size;
	json_t *json_xattrs;	/* borrowed while they are listed */
};

static int label_of(struct catalogue *c, int64_t id, char out[132], struct err *e)
{
	struct version v;

	out[0] = '\0';
	if (id == CATALOGUE_OPEN_ENDED || id == 0)
		return 0;
	if (catalogue_version_get(c, id, &v, e) < 0)
		return -1;
	memcpy(out, v.label, sizeof v.label);
	return 0;
}

static int on_class(void *arg, const struct record_class *k)
{
	struct facts *f = arg;

	if (k->id != f->node.class_id)
		return 0;
	memcpy(f->class_code, k->code, sizeof f->class_code);
	return 1;
}

static int gather(struct facts *f, const struct version *version, struct err *e)
{
	if (tree_find_shown(f->c, version, f->path, strlen(f->path), f->barred, &f->entry, &f->node,
			    e) < 0 ||
	    label_of(f->c, f->entry.first, f->first, e) < 0 ||
	    label_of(f->c, f->entry.last, f->last, e) < 0 ||
	    catalogue_classes(f->c, on_class, f, e) < 0)
		return -1;
	if (f->node.xattrs == 0)
		return 0;
	return catalogue_xattrs(f->c, f->node.xattrs, &f->xattrs, &f->xattrs_size, e);
}

static int print_xattr(void *arg, const struct xattr *x)
{
	(void)arg;
	printf("xattr:     %s (%u byte%s)\n", text_printable(x->name), x->size,
	       x->size == 1 ? "" : "s");
	return 0;
}

static int json_xattr(void *arg, const struct xattr *x)
{
	struct facts *f = arg;
	char *value = json_needs(text_base64(x->value, x->size));
	json_t *o = json_object();

	jsonl_bytes(o, "name", x->name, strlen(x->name));
	jsonl_text(o, "value_base64", value);
	json_array_append_new(f->json_xattrs, o);
	free(value);
	return 0;
}

static void print_size(const struct node *n)
{
	char size[TEXT_SIZE_MAX], count[TEXT_COUNT_MAX], held[TEXT_COUNT_MAX];

	if (n->kind == NODE_CHAR || n->kind == NODE_BLOCK)
		printf("device:    %u, %u\n", n->rdev_major, n->rdev_minor);
	if (n->kind != NODE_FILE)
		return;
	printf("size:      %s byte%s (%s)", text_count(n->size, count),
	       n->size == 1 ? "" : "s", text_size(n->size, size));
	if (n->allocated < n->size)
		printf(", of which %s are not holes", text_count(n->allocated, held));
	putchar('\n');
}

static void print_times(const struct node *n)
{
	char t[TEXT_TIME_MAX];

	printf("modified:  %s\n", text_time(n->mtime.seconds, n->mtime.ns, t));
	printf("changed:   %s\n", text_time(n->ctime.seconds, n->ctime.ns, t));
	printf("accessed:  %s\n", text_time(n->atime.seconds, n->atime.ns, t));
	if (n->has_btime)
		printf("born:      %s\n", text_time(n->btime.seconds, n->btime.ns, t));
}

static int print_facts(struct facts *f, struct err *e)
{
	const struct node *n = &f->node;
	char mode[PRINT_MODE_MAX], hex[DIGEST_HEX_SIZE];
	char *target = NULL;

	printf("path:      ");
	print_path(*f->path != '\0' ? f->path : ".", *f->path != '\0' ? strlen(f->path) : 1, false);
	printf("kind:      %s\n", print_kind(n->kind));
	if (n->kind == NODE_SYMLINK) {
		if (print_target(f->c, n, &target, e) < 0)
			return -1;
		printf("target:    %s\n", target);
		free(target);
	}
	printf("mode:      %04o (%s)\n", n->mode & 07777, print_mode(n, mode));
	printf("owner:     %s (%u)\n", print_name(f->names, n->owner, n->uid), n->uid);
	printf("group:     %s (%u)\n", print_name(f->names, n->group, n->gid), n->gid);
	printf("links:     %u\n", n->links);
	print_size(n);
	print_times(n);
	if (n->has_sha256) {
		bool is_plain = leaf_digest_is_plain(n);

		text_hex(n->sha256.bytes, sizeof n->sha256.bytes, hex);
		printf("%s%s%s\n", is_plain ? "sha256:    " : "digest:    ", hex,
		       is_plain ? "" : " (of data and places: it is mostly hole)");
	}
	if (f->class_code[0] != '\0')
		printf("class:     %s\n", text_printable(f->class_code));
	if (n->is_unstable)
		puts("unstable:  it changed while it was read");
	printf("versions:  %s%s%s\n", text_printable(f->first),
	       f->last[0] == '\0' ? " and after" : strcmp(f->first, f->last) != 0 ? " to " : "",
	       f->last[0] == '\0' || strcmp(f->first, f->last) == 0 ? "" : text_printable(f->last));
	return f->xattrs != NULL ? xattrs_each(f->xattrs, f->xattrs_size, print_xattr, f, e) : 0;
}

static int json_facts(struct facts *f, struct err *e)
{
	json_t *o = jsonl_new("entry");

	jsonl_bytes(o, "path", f->path, strlen(f->path));
	if (print_node_json(o, f->c, f->names, &f->node, e) < 0)
		goto failed;
	jsonl_text(o, "class", f->class_code);
	jsonl_text(o, "first_version", f->first[0] != '\0' ? f->first : NULL);
	jsonl_text(o, "last_version", f->last[0] != '\0' ? f->last : NULL);
	f->json_xattrs = json_array();
	if (json_object_set_new(o, "xattrs", f->json_xattrs) < 0) {
		err_set(e, MUNI_NO_MEMORY, "no memory for a line of JSON");
		goto failed;
	}
	if (f->xattrs != NULL && xattrs_each(f->xattrs, f->xattrs_size, json_xattr, f, e) < 0)
		goto failed;
	return jsonl_end(o, e);
failed:
	json_decref(o);
	return -1;
}

static int stat_path(struct cli *cli, struct catalogue *c, struct print_names *names,
		     const struct version *version, const struct barred *barred, char *path,
		     struct err *e)
{
	struct facts f = { .cli = cli, .c = c, .names = names, .barred = barred, .path = path };
	int rc = -1;

	if (cli_path(path, e) < 0 || gather(&f, version, e) < 0)
		goto out;
	rc = cli->json ? json_facts(&f, e) : print_facts(&f, e);
out:
	free(f.xattrs);
	return rc;
}

static int run(struct cli *cli)
{
	static char root[] = "";
	struct err e = ERR_NONE;
	struct vault *v = NULL;
	struct print_names *names = NULL;
	struct barred barred = { .classes = NULL };
	struct version version;
	int rc = -1, o = cli_next(cli);

	if (o != CLI_END)
		return cli_stopped(o);
	if (shown_open(cli, cli->operands[0], &v, &e) < 0 ||
	    vault_resolve(vault_catalogue(v), cli->operands[1], &version, &e) < 0 ||
	    shown_begin(cli, v, &version, NULL, cli->operands + 2, cli->operand_count - 2,
			&barred, &e) < 0)
		goto out;
	names = print_names_new(vault_catalogue(v));
	rc = 0;
	if (cli->operand_count == 2)
		rc = stat_path(cli, vault_catalogue(v), names, &version, &barred, root, &e);
	for (int i = 2; rc == 0 && i < cli->operand_count; i++) {
		if (i > 2 && !cli->json)
			putchar('\n');
		rc = stat_path(cli, vault_catalogue(v), names, &version, &barred,
			       cli->operands[i], &e);
	}
	rc = print_names_end(names, rc, &e);
out:
	barred_free(&barred);
	vault_close(v);
	return cli_end(cli, rc, &e);
}

const struct command cmd_stat = {
	.name = "stat",
	.operands = "ARCHIVE SYSTEM[@VERSION] [PATH]...",
	.summary = "show all that is known of a path",
	.about =
	"Shows type, mode, owner, size, times to the nanosecond, SHA-256, extended\n"
	"attributes, record class, and the versions in which a path stands as it is.",
	.shared = CLI_ARCHIVE | CLI_JSON | CLI_QUIET | CLI_RESTRICTED,
	.min_operands = 2,
	.max_operands = -1,
	.run = run,
};
