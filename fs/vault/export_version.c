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

#define SMALL ((uint64_t)64 << 10)	/* a file that has one extent, mostly */

/* ---- entries ------------------------------------------------------------------ */

struct account {		/* the last that was asked for: the next has it too */
	int64_t id;
	char name[256];
};

struct version_walk {
	const struct export *x;
	struct export_walk *walk;
	bool with_prefetch, is_again;	/* is_again: what is left out was told */
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

/* Of the handful, by whom it is looked up. */
struct look {
	struct catalogue *c;	/* borrowed */
	struct account owner, group;
};

/* Everything but the content. */
static int fill(struct look *l, struct export_item *item, struct err *e)
{
	struct catalogue *c = l->c;
	struct node *n = &item->node;
	size_t size;

	if (catalogue_node_digest(c, n, e) < 0)
		return -1;
	item->has_plain_digest = n->has_sha256 && leaf_digest_is_plain(n);
	if (n->kind == NODE_SYMLINK && catalogue_symlink(c, n->id, &item->symlink, &size, e) < 0)
		return -1;
	if (n->xattrs &&
	    catalogue_xattrs(c, n->xattrs, &item->xattrs, &item->xattrs_size, e) < 0)
		return -1;
	return name_account(c, n->owner, &l->owner, item->owner, e) < 0 ||
	       name_account(c, n->group, &l->group, item->group, e) < 0 ? -1 : 0;
}

/* Those that are charged for: the small ones together. */
static void prefetch_all(struct vault_reader *r, struct export_item *const *items, size_t count)
{
	int64_t small[EXPORT_HANDFUL];
	unsigned small_count = 0;

	for (size_t i = 0; i < count; i++) {
		const struct export_item *item = items[i];

		if (item->charge == 0)
			continue;
		if (item->node.size <= SMALL)
			small[small_count++] = item->node.content;
		else
			vault_prefetch(r, item->node.content, 0, item->charge);
	}
	vault_prefetch_files(r, small, small_count);
}

/*
 * The handful in one transaction, which has ended before anything is waited for: a target
 * that stands still keeps no writer from a checkpoint of the catalogue.
 */
static int look_up(void *reader, struct export_item *const *items, size_t count, struct err *e)
{
	struct look l = { .c = vault_reader_catalogue(reader) };
	struct err ignored = ERR_NONE;
	int rc = 0;

	/* Without it each question is a transaction of its own: slower, as right. */
	(void)catalogue_begin(l.c, &ignored);
	for (size_t i = 0; i < count && rc == 0; i++)
		if (!items[i]->problem && fill(&l, items[i], e) < 0)
			rc = err_wrap(e, "%s", text_printable_n(items[i]->path,
								items[i]->path_size));
	if (rc == 0)
		prefetch_all(reader, items, count);
	catalogue_rollback(l.c);	/* it only read */
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
static int give(struct version_walk *w, const char *path, size_t size, const struct node *node)
{
	struct export_item *item = export_item_new(path, size);

	if (!item)
		return err_set(w->e, MUNI_NO_MEMORY, "no memory for a path");
	item->node = *node;
	if (refuse(w, item, w->e) < 0) {
		export_item_free(item);
		return -1;
	}
	if (item->problem && w->is_again) {
		export_item_free(item);
		return 0;
	}
	if (w->with_prefetch && !item->problem && node->kind == NODE_FILE && node->content &&
	    !export_walk_charge(w->walk, item)) {
		export_item_free(item);
		return 1;
	}
	return export_walk_give(w->walk, item);
}

static int row(void *arg, const struct tree_item *t)
{
	struct version_walk *w = arg;

	if (barred_has(w->barred, t->node)) {
		w->left_out++;
		return 2;
	}
	return give(arg, t->path, t->path_size, t->node);
}

static int walk(struct export *x, struct export_walk *walk_, enum export_pass pass,
		struct err *e)
{
	struct version_walk w = { .x = x, .walk = walk_, .with_prefetch = pass == PASS_ONLY,
				  .is_again = pass == PASS_AGAIN,
				  .barred = x->options->barred, .e = e };
	const struct version *v = &x->version;
	struct catalogue *c = NULL;
	struct entry entry;
	struct node node;
	int rc = -1;

	if (vault_connect(x->vault, EXPORT_CATALOGUE_CACHE, &c, e) < 0)
		return -1;
	if (tree_find(c, v, "", 0, &entry, &node, e) == 0) {
		rc = give(&w, "", 0, &node);
		if (rc == 0)
			rc = tree_walk(c, v, v->root, "", row, &w, e);
	}
	if (pass != PASS_AGAIN)
		x->result->barred = w.left_out;
	catalogue_close(c);
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
	.ahead = 16 * EXPORT_HANDFUL,
	.handful = EXPORT_HANDFUL,
	.walk = walk,
	.look_up = look_up,
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
