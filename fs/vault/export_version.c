/*
 * A version of the archive as the source of an export; the entry point for it.
 */
#include <stdio.h>
#include <string.h>

#include "fs/base/text.h"
#include "fs/base/team.h"
#include "fs/vault/barred.h"
#include "fs/vault/export_inside.h"
#include "fs/vault/leaf.h"
#include "fs/vault/tree.h"

/* ---- entries ------------------------------------------------------------------ */

struct account {		/* the last that was asked for: the next has it too */
	int64_t id;
	char name[256];
};

/*
 * Entries are looked up by the handful in one transaction, which has ended before
 * anything is waited for: a target that stands still keeps no writer from a
 * checkpoint of the catalogue.
 */
struct version_walk {
	const struct export *x;
	struct export_walk *walk;
	struct vault_reader *reader;	/* the walker's own */
	bool with_prefetch, is_again;	/* is_again: what is left out was told */
	struct account owner, group;
	struct export_item *items[EXPORT_HANDFUL];	/* owned; looked up, not yet given */
	size_t count;
	const struct barred *barred;
	uint64_t left_out;	/* of them */
	struct err *e;
};

static int name_account(struct catalogue *c, int64_t id, struct account *last, char *out,
			struct err *e)
{
	if (id == 0)
		return 0;
	if (id != last->id) {
		last->id = 0;
		if (catalogue_account(c, id, last->name, e) < 0)
			return -1;
		last->id = id;
	}
	memcpy(out, last->name, sizeof last->name);
	return 0;
}

/* Everything but the content. */
static int fill(struct version_walk *w, struct export_item *item, int64_t node, struct err *e)
{
	struct catalogue *c = vault_reader_catalogue(w->reader);
	struct err ignored = ERR_NONE;
	struct node *n = &item->node;
	uint64_t data;
	size_t size;

	if (catalogue_node(c, node, true, n, e) < 0)
		return -1;
	item->has_plain_digest = n->has_sha256 && leaf_digest_is_plain(n);
	if (n->kind == NODE_SYMLINK && catalogue_symlink(c, n->id, &item->symlink, &size, e) < 0)
		return -1;
	if (n->xattrs &&
	    catalogue_xattrs(c, n->xattrs, &item->xattrs, &item->xattrs_size, e) < 0)
		return -1;
	if (name_account(c, n->owner, &w->owner, item->owner, e) < 0 ||
	    name_account(c, n->group, &w->group, item->group, e) < 0)
		return -1;
	/* Brings its first extents, for which the prefetch and the writer will ask. */
	if (w->with_prefetch && n->kind == NODE_FILE && n->content)
		(void)vault_seek(w->reader, n->content, n->size, 0, true, &data, &ignored);
	return 0;
}

/* What was looked up goes to the writer.  0 on success, 1 stopping. */
static int give_all(struct version_walk *w)
{
	int rc = 0;

	catalogue_rollback(vault_reader_catalogue(w->reader));	/* it only read */
	for (size_t i = 0; i < w->count; i++) {
		struct export_item *item = w->items[i];

		if (item->problem && w->is_again) {
			export_item_free(item);
			continue;
		}
		if (rc == 0 && w->with_prefetch && !item->problem && item->node.kind == NODE_FILE &&
		    item->node.content) {
			if (export_walk_charge(w->walk, item))
				vault_prefetch(w->reader, item->node.content, 0, item->charge);
			else
				rc = 1;
		}
		if (rc == 0)
			rc = export_walk_give(w->walk, item);
		else
			export_item_free(item);
	}
	w->count = 0;
	return rc;
}

/* What the format does not take is no entry but a problem, told in the first pass. */
static int refuse(const struct version_walk *w, struct export_item *item, struct err *e)
{
	const char *why = export_refusal(w->x, &item->node);

	if (!why)
		return 0;
	item->problem = strdup(why);
	return item->problem ? 0 : err_set(e, MUNI_NO_MEMORY, "no memory for an entry");
}

/* 0 on success, -1 failed, 1 stopping. */
static int give(struct version_walk *w, const char *path, size_t size, int64_t node)
{
	struct export_item *item = export_item_new(path, size);
	struct err ignored = ERR_NONE;

	if (!item)
		return err_set(w->e, MUNI_NO_MEMORY, "no memory for a path");
	/* Without it each question is a transaction of its own: slower, as right. */
	if (w->count == 0)
		(void)catalogue_begin(vault_reader_catalogue(w->reader), &ignored);
	if (fill(w, item, node, w->e) < 0 || refuse(w, item, w->e) < 0) {
		err_wrap(w->e, "%s", text_printable_n(path, size));
		export_item_free(item);
		return -1;
	}
	w->items[w->count++] = item;
	return w->count < EXPORT_HANDFUL ? 0 : give_all(w);
}

static int row(void *arg, const struct tree_item *t)
{
	struct version_walk *w = arg;

	if (barred_has(w->barred, t->node)) {
		w->left_out++;
		return 2;
	}
	return give(arg, t->path, t->path_size, t->node->id);
}

static int walk(struct export *x, struct export_walk *walk_, enum export_pass pass,
		struct err *e)
{
	struct version_walk w = { .x = x, .walk = walk_, .with_prefetch = pass == PASS_ONLY,
				  .is_again = pass == PASS_AGAIN,
				  .barred = x->options->barred, .e = e };
	const struct version *v = &x->version;
	struct catalogue *c;
	struct entry entry;
	struct node node;
	int rc = -1;

	if (vault_reader_open(x->vault, x->cache, EXPORT_CATALOGUE_CACHE, &w.reader, e) < 0)
		return -1;
	c = vault_reader_catalogue(w.reader);
	if (tree_find(c, v, "", 0, &entry, &node, e) == 0) {
		rc = give(&w, "", 0, entry.node);
		if (rc == 0)
			rc = tree_walk(c, v, v->root, "", row, &w, e);
	}
	(void)give_all(&w);
	if (pass != PASS_AGAIN)
		x->result->barred = w.left_out;
	vault_reader_close(w.reader);
	return rc;
}

/* ---- content ------------------------------------------------------------------- */

static int open_reader(struct export *x, void **reader, struct err *e)
{
	struct vault_reader *r = NULL;
	int rc = vault_reader_open(x->vault, x->cache, EXPORT_CATALOGUE_CACHE, &r, e);

	*reader = r;
	return rc;
}

static void close_reader(void *reader)
{
	vault_reader_close(reader);
}

static int next_run(void *reader, const struct export_item *item, uint64_t at,
		    uint64_t *from, uint64_t *to, struct err *e)
{
	const struct node *n = &item->node;

	*from = at;
	*to = n->size;
	if (n->content == 0)
		*from = n->size;
	if (!export_has_holes(n) || *from == n->size)
		return 0;
	if (vault_seek(reader, n->content, n->size, at, true, from, e) < 0)
		return -1;
	if (*from >= n->size)
		return 0;
	return vault_seek(reader, n->content, n->size, *from, false, to, e);
}

static int read_content(void *reader, const struct export_item *item, uint64_t offset,
			void *out, size_t size, struct err *e)
{
	const struct node *n = &item->node;
	size_t got;

	if (vault_read(reader, n->content, n->size, offset, out, size, &got, e) < 0)
		return -1;
	if (got == size)
		return 0;
	return err_set(e, MUNI_DAMAGED, "its content ends at byte %llu of %llu",
		       (unsigned long long)(offset + got), (unsigned long long)n->size);
}

static void prefetch(void *reader, const struct export_item *item, uint64_t offset,
		     size_t size)
{
	vault_prefetch(reader, item->node.content, offset, size);
}

static int differs(const struct export_item *item, struct err *e)
{
	(void)item;
	return err_set(e, MUNI_DAMAGED, "its content is not what was ingested (SHA-256); run "
		       "muni verify");
}

/* ---- the whole ------------------------------------------------------------------- */

static void mark(const struct export *x, char *out, size_t size)
{
	snprintf(out, size, "muniment export of archive %s, version %lld, format %d\n",
		 vault_id_hex(x->vault), (long long)x->version.id, (int)x->options->format);
}

static void describe(const struct export *x, char *out, size_t size)
{
	snprintf(out, size,
		 "External-Identifier: %s@%s\n"
		 "Internal-Sender-Identifier: muniment archive %s, version %lld\n",
		 x->version.system_name, x->version.label, vault_id_hex(x->vault),
		 (long long)x->version.id);
}

const struct export_source export_version = {
	.ahead = 512,
	.handful = EXPORT_HANDFUL,
	.walk = walk,
	.open = open_reader,
	.close = close_reader,
	.next_run = next_run,
	.read = read_content,
	.prefetch = prefetch,
	.differs = differs,
	.unreadable = "could not be read from the archive",
	.remedy = "run muni repair, then the same export again",
	.mark = mark,
	.describe = describe,
};

int vault_export(struct vault *v, const struct version *version,
		 const struct export_options *o, const struct vault_monitor *m,
		 const struct export_listener *listener, struct export_result *out,
		 struct err *e)
{
	struct export x = {
		.vault = v, .source = &export_version, .version = *version, .options = o,
		.monitor = m, .loss = listener->loss, .problem = listener->problem,
		.arg = listener->arg, .result = out,
	};
	unsigned threads = o->threads ? o->threads : team_processors();
	int rc = -1;

	*out = (struct export_result){ .files = 0 };
	x.cache = block_cache_new(EXPORT_CACHE);
	if (!x.cache)
		return err_set(e, MUNI_NO_MEMORY, "no memory to decode blocks");
	/* As many as there are processors: who writes and waits for a block has nothing else to do. */
	if (threads == 1 || block_cache_start_helpers(x.cache, v, threads, e) == 0)
		rc = export_run_all(&x, e);
	block_cache_clear(x.cache);
	block_cache_free(x.cache);
	if (rc == 0 && out->problems > 0)
		rc = err_set(e, MUNI_INCOMPLETE, "%llu item(s) were left out; all else is there",
			     (unsigned long long)out->problems);
	return rc < 0 ? err_wrap(e, "exporting %s@%s", text_printable(version->system_name),
				 text_printable(version->label)) : 0;
}
