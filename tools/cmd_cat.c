#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/text.h"
#include "fs/vault/reader.h"
#include "fs/vault/tree.h"
#include "tools/commands.h"
#include "tools/shown.h"

#define PIECE (1024 * 1024)
#define CACHE (32 * 1024 * 1024)
#define CATALOGUE_CACHE (4 * 1024 * 1024)

static int copy_out(struct vault_reader *r, const struct node *n, uint8_t *piece,
		    struct err *e)
{
	for (uint64_t at = 0; at < n->size && !cli_is_over();) {
		size_t got = 0;

		vault_prefetch(r, n->content, at + PIECE, PIECE);
		if (vault_read(r, n->content, n->size, at, piece, PIECE, &got, e) < 0)
			return -1;
		if (got == 0)
			return err_set(e, MUNI_DAMAGED, "ends at byte %llu of %llu",
				       (unsigned long long)at, (unsigned long long)n->size);
		fwrite(piece, 1, got, stdout);
		at += got;
	}
	return cli_check_signal(e);
}

static int cat_path(struct catalogue *c, const struct version *version,
		    const struct barred *barred, struct vault_reader *r, char *path,
		    uint8_t *piece, struct err *e)
{
	struct entry entry;
	struct node node;

	if (cli_path(path, e) < 0 ||
	    tree_find_shown(c, version, path, strlen(path), barred, &entry, &node, e) < 0)
		return -1;
	if (node.kind == NODE_DIRECTORY)
		return err_set(e, MUNI_USAGE, "%s is a directory: `muni ls` lists it",
			       *path != '\0' ? text_printable(path) : "the topmost path");
	if (node.kind != NODE_FILE)
		return err_set(e, MUNI_USAGE, "%s is not a regular file: `muni stat` shows it",
			       text_printable(path));
	if (copy_out(r, &node, piece, e) < 0)
		return err_wrap(e, "reading %s", text_printable(path));
	return 0;
}

static int run(struct cli *cli)
{
	struct err e = ERR_NONE;
	struct vault *v = NULL;
	struct block_cache *cache = NULL;
	struct vault_reader *reader = NULL;
	uint8_t *piece = NULL;
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
	piece = malloc(PIECE);
	cache = block_cache_new(CACHE);
	if (piece == NULL || cache == NULL) {
		err_set(&e, MUNI_NO_MEMORY, "no memory to read with");
		goto out;
	}
	if (vault_reader_open(v, cache, CATALOGUE_CACHE, &reader, &e) < 0)
		goto out;
	rc = 0;
	for (int i = 2; rc == 0 && i < cli->operand_count; i++)
		rc = cat_path(vault_catalogue(v), &version, &barred, reader, cli->operands[i],
			      piece, &e);
out:
	vault_reader_close(reader);
	block_cache_free(cache);
	free(piece);
	barred_free(&barred);
	vault_close(v);
	return cli_end(cli, rc, &e);
}

const struct command cmd_cat = {
	.name = "cat",
	.operands = "ARCHIVE SYSTEM[@VERSION] PATH...",
	.summary = "write files of a version to standard output",
	.about =
	"Writes the content of files to standard output, one after the other; holes\n"
	"come out as zeros.  Every byte was authenticated before it is written.",
	.shared = CLI_ARCHIVE | CLI_QUIET | CLI_RESTRICTED,
	.min_operands = 3,
	.max_operands = -1,
	.run = run,
};
