/*
 * What the formats ask of a live source: content from files that the walker has
 * opened, and the same entries once more for the second pass.
 */
#include "fs/vault/export_live.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/text.h"

/* ---- entries ------------------------------------------------------------------ */

#define LEADER_DUE 1u	/* values in live.dropped: under this name it was told */
#define LEADER_MET 2u

static int drop(struct export *x, const struct export_item *item, struct err *e)
{
	if (map_put(&x->live->dropped, (uint64_t)item->node.id, 0, LEADER_DUE))
		return 0;
	return err_set(e, MUNI_NO_MEMORY, "no memory for what could not be read");
}

/* Another name of what was dropped is named too. */
static int tell_other_name(struct export_walk *walk, const struct export_item *item,
			   struct err *e)
{
	struct export_item *told = export_item_new(item->path, item->path_size);

	if (told)
		told->problem = strdup("it is another name of a file that could not be read");
	if (!told || !told->problem) {
		export_item_free(told);
		return err_set(e, MUNI_NO_MEMORY, "no memory for an entry");
	}
	return export_walk_give(walk, told);
}

static int walk_again(struct export *x, struct export_walk *walk, struct err *e)
{
	struct live *l = x->live;
	struct export_item *item;
	int rc = spool_rewind(l->spool, e);

	while (rc == 0) {
		uint64_t met;

		if (spool_get(l->spool, &item, e) < 0)
			return -1;
		if (!item)
			break;
		met = map_get(&l->dropped, (uint64_t)item->node.id, 0);
		if (met != 0) {
			item->is_dropped = true;
			l->left_out.taken--;
			if (met == LEADER_MET)
				rc = tell_other_name(walk, item, e);
			if (rc == 0 && !map_put(&l->dropped, (uint64_t)item->node.id, 0, LEADER_MET))
				rc = err_set(e, MUNI_NO_MEMORY, "no memory for what could not be read");
		}
		if (rc == 0)
			rc = export_walk_give(walk, item);
		else
			export_item_free(item);
	}
	return rc;
}

static int walk_live(struct export *x, struct export_walk *walk, enum export_pass pass,
		     struct err *e)
{
	struct live *l = x->live;

	if (pass == PASS_AGAIN)
		return walk_again(x, walk, e);
	if (pass == PASS_FIRST && spool_open(x->workfd, &l->spool, e) < 0)
		return -1;
	return live_walk(x, walk, pass, e);
}

/* ---- content ------------------------------------------------------------------- */

static int open_reader(struct export *x, void **reader, struct err *e)
{
	(void)x, (void)e;
	*reader = NULL;		/* each file was opened when it was met */
	return 0;
}

static void close_reader(void *reader)
{
	(void)reader;
}

static int next_run(void *reader, const struct export_item *item, uint64_t at,
		    uint64_t *from, uint64_t *to, struct err *e)
{
	uint64_t size = item->node.size;

	(void)reader, (void)e;
	if (!live_next_data(item->file, at, size, from, to))
		*from = *to = size;
	return 0;
}

static int read_content(void *reader, const struct export_item *item, uint64_t offset,
			void *out, size_t size, struct err *e)
{
	ssize_t got = live_read(item->file, offset, out, size);

	(void)reader;
	if (got < 0)
		return err_set(e, MUNI_INCOMPLETE, "it cannot be read: %s", strerror(errno));
	if ((size_t)got < size)
		return err_set(e, MUNI_INCOMPLETE, "it became shorter while it was read");
	return 0;
}

static void prefetch(void *reader, const struct export_item *item, uint64_t offset,
		     size_t size)
{
	(void)reader;
	(void)posix_fadvise(item->file->fd, (off_t)offset, (off_t)size, POSIX_FADV_WILLNEED);
}

static int differs(const struct export_item *item, struct err *e)
{
	if (item && live_changed(item->file))
		return err_set(e, MUNI_INCOMPLETE, "it changed while it was read");
	return err_set(e, MUNI_DAMAGED, "its content is not what was scanned (SHA-256), though "
		       "its size and modification time are");
}

/* ---- the whole ------------------------------------------------------------------- */

static void mark(const struct export *x, char *out, size_t size)
{
	const struct live *l = x->live;
	struct digest path = digest_of(l->path, strlen(l->path));
	char hex[DIGEST_HEX_SIZE];

	digest_hex(&path, hex);
	snprintf(out, size, "muniment migration, archive %s, system %lld, source %s, decision "
		 "%s, format %d\n", vault_id_hex(x->vault), (long long)l->system, hex,
		 decision_name(l->wanted), (int)x->options->format);
}

static void describe(const struct export *x, char *out, size_t size)
{
	snprintf(out, size,
		 "External-Identifier: %s\n"
		 "Internal-Sender-Identifier: muniment archive %s, system %s, decision %s\n",
		 x->version.system_name, vault_id_hex(x->vault), x->version.system_name,
		 decision_name(x->live->wanted));
}

const struct export_source export_live = {
	.ahead = 64,		/* each may hold a descriptor */
	.handful = 1,
	.walk = walk_live,
	.drop = drop,
	.open = open_reader,
	.close = close_reader,
	.next_run = next_run,
	.read = read_content,
	.prefetch = prefetch,
	.differs = differs,
	.unreadable = "are not in the source as they were scanned",
	.remedy = "scan it with --reread, classify it, then the same export again",
	.mark = mark,
	.describe = describe,
};
