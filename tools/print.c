#include "tools/print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/vault/leaf.h"
#include "tools/jsonl.h"

static char kind_letter(enum node_kind kind)
{
	static const char letters[] = "?-dlpscb";

	return (unsigned)kind < sizeof letters - 1 ? letters[kind] : '?';
}

const char *print_mode(const struct node *n, char out[PRINT_MODE_MAX])
{
	static const char bits[] = "rwxrwxrwx";

	out[0] = kind_letter(n->kind);
	for (unsigned i = 0; i < 9; i++)
		out[i + 1] = n->mode >> (8 - i) & 1 ? bits[i] : '-';
	if (n->mode & 04000)
		out[3] = out[3] == 'x' ? 's' : 'S';
	if (n->mode & 02000)
		out[6] = out[6] == 'x' ? 's' : 'S';
	if (n->mode & 01000)
		out[9] = out[9] == 'x' ? 't' : 'T';
	out[10] = '\0';
	return out;
}

const char *print_kind(enum node_kind kind)
{
	switch (kind) {
	case NODE_FILE:
		return "file";
	case NODE_DIRECTORY:
		return "directory";
	case NODE_SYMLINK:
		return "symlink";
	case NODE_FIFO:
		return "fifo";
	case NODE_SOCKET:
		return "socket";
	case NODE_CHAR:
		return "char";
	case NODE_BLOCK:
		return "block";
	}
	return "unknown";
}

const char *print_state(enum version_state state)
{
	switch (state) {
	case VERSION_OPEN:
		return "open";
	case VERSION_COMPLETE:
		return "complete";
	case VERSION_INCOMPLETE:
		return "incomplete";
	case VERSION_DESTROYED:
		return "destroyed";
	}
	return "unknown";
}

const char *print_time(int64_t seconds, char out[48])
{
	char *t;

	text_time(seconds, 0, out);
	t = strchr(out, 'T');
	if (t != NULL)
		*t = ' ';
	out[strlen(out) - 1] = '\0';	/* the Z */
	return out;
}

/* ---- accounts ---------------------------------------------------------- */

#define NAMES_KEPT 1024

struct print_names {
	struct catalogue *c;	/* borrowed */
	struct {
		int64_t id;	/* 0: empty */
		char *name;	/* owned, printable */
	} kept[NAMES_KEPT];	/* by id; a newer one takes the place */
	char numbers[2][12];
	unsigned next;
	struct err lost;	/* why a name was not shown that there is */
};

struct print_names *print_names_new(struct catalogue *c)
{
	struct print_names *names = calloc(1, sizeof *names);

	if (names != NULL)
		names->c = c;
	return names;
}

int print_names_end(struct print_names *names, int rc, struct err *e)
{
	if (names == NULL)
		return rc < 0 ? rc : err_set(e, MUNI_NO_MEMORY, "no memory for names");
	if (rc >= 0 && names->lost.code != MUNI_OK) {
		*e = names->lost;
		rc = err_wrap(e, "looking for the name of an account");
	}
	for (size_t i = 0; i < NAMES_KEPT; i++)
		free(names->kept[i].name);
	free(names);
	return rc;
}

static const char *name_of(struct print_names *names, int64_t account)
{
	size_t slot = (uint64_t)account % NAMES_KEPT;
	struct err e = ERR_NONE;
	char name[256];

	if (names->kept[slot].id != account) {
		free(names->kept[slot].name);
		names->kept[slot].name = NULL;
		names->kept[slot].id = account;
		/* A name that is lost is shown as its number, and the end tells why. */
		if (catalogue_account(names->c, account, name, &e) == 0 && *name != '\0') {
			names->kept[slot].name = text_printable_dup(name, strlen(name));
			if (names->kept[slot].name == NULL)
				err_set(&e, MUNI_NO_MEMORY, "no memory for names");
		}
		if (e.code != MUNI_OK && e.code != MUNI_NOT_FOUND)
			names->lost = e;
	}
	return names->kept[slot].name;
}

const char *print_name(struct print_names *names, int64_t account, uint32_t number)
{
	static const char unknown[] = "?";
	const char *name;
	char *out;

	if (names == NULL)
		return unknown;
	name = account != 0 ? name_of(names, account) : NULL;
	if (name != NULL)
		return name;
	out = names->numbers[names->next++ % 2];
	snprintf(out, sizeof names->numbers[0], "%u", number);
	return out;
}

/* ---- nodes, versions, paths ---------------------------------------------- */

int print_target(struct catalogue *c, const struct node *n, char **out, struct err *e)
{
	char *target = NULL;
	size_t size = 0;

	*out = NULL;
	if (catalogue_symlink(c, n->id, &target, &size, e) < 0)
		return -1;
	*out = text_printable_dup(target, size);
	free(target);
	return *out != NULL ? 0 : err_set(e, MUNI_NO_MEMORY, "no memory for a link's target");
}

static void account_json(json_t *o, const char *key, struct print_names *names,
			 int64_t account)
{
	const char *name = names != NULL && account != 0 ? name_of(names, account) : NULL;

	if (name != NULL)
		jsonl_text(o, key, name);
}

int print_node_json(json_t *o, struct catalogue *c, struct print_names *names,
		    const struct node *n, struct err *e)
{
	char mode[8];

	snprintf(mode, sizeof mode, "%04o", n->mode & 07777);
	jsonl_text(o, "kind", print_kind(n->kind));
	jsonl_text(o, "mode", mode);
	jsonl_number(o, "uid", n->uid);
	jsonl_number(o, "gid", n->gid);
	account_json(o, "owner", names, n->owner);
	account_json(o, "group", names, n->group);
	if (n->kind == NODE_FILE) {
		jsonl_number(o, "size", n->size);
		jsonl_number(o, "allocated", n->allocated);
	}
	jsonl_number(o, "links", n->links);
	if (n->kind == NODE_CHAR || n->kind == NODE_BLOCK) {
		jsonl_number(o, "major", n->rdev_major);
		jsonl_number(o, "minor", n->rdev_minor);
	}
	jsonl_time(o, "mtime", n->mtime.seconds, n->mtime.ns);
	jsonl_time(o, "ctime", n->ctime.seconds, n->ctime.ns);
	jsonl_time(o, "atime", n->atime.seconds, n->atime.ns);
	if (n->has_btime)
		jsonl_time(o, "btime", n->btime.seconds, n->btime.ns);
	if (n->is_unstable)
		jsonl_bool(o, "unstable", true);
	jsonl_number(o, "node", (uint64_t)n->id);
	if (n->has_sha256)
		jsonl_digest(o, leaf_digest_is_plain(n) ? "sha256" : "digest", &n->sha256);
	if (n->kind == NODE_SYMLINK) {
		char *target = NULL;
		size_t size = 0;

		if (catalogue_symlink(c, n->id, &target, &size, e) < 0)
			return -1;
		jsonl_bytes(o, "target", target, size);
		free(target);
	}
	return 0;
}

void print_version_json(json_t *o, const struct version *v)
{
	jsonl_text(o, "system", v->system_name);
	jsonl_text(o, "version", v->label);
	jsonl_number(o, "id", (uint64_t)v->id);
	jsonl_text(o, "state", print_state(v->state));
	jsonl_time(o, "at", v->at, 0);
	jsonl_time(o, "ingested", v->ingested, 0);
	jsonl_text(o, "source", v->source_kind);
	jsonl_number(o, "directories", v->directories);
	jsonl_number(o, "files", v->files);
	jsonl_number(o, "others", v->others);
	jsonl_number(o, "bytes", v->bytes);
	jsonl_number(o, "added_raw", v->added_raw);
	jsonl_number(o, "added_stored", v->added_stored);
	jsonl_number(o, "problems", v->problems);
	jsonl_digest(o, "merkle_root", &v->merkle);
}

void print_path(const char *path, size_t size, bool is_null_ended)
{
	char *shown;

	if (is_null_ended) {
		fwrite(path, 1, size, stdout);
		putchar('\0');
		return;
	}
	shown = text_printable_dup(path, size);
	puts(shown != NULL ? shown : text_printable_n(path, size));
	free(shown);
}
