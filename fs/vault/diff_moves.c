#include "fs/vault/diff_inside.h"

#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"

enum pass { BY_INODE, BY_CONTENT_AND_NAME, BY_CONTENT, PASSES };

static int compare_numbers(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int compare_content(const struct diff_trace *a, const struct diff_trace *b)
{
	int order = compare_numbers(a->size, b->size);

	if (order == 0)
		order = compare_numbers(a->has_sha256, b->has_sha256);
	if (order == 0 && a->has_sha256)
		order = memcmp(a->sha256.bytes, b->sha256.bytes, sizeof a->sha256.bytes);
	return order;
}

/* An inode number is used again after a deletion: what has no content to tell
 * by must at least be as old. */
static int compare_inodes(const struct diff_trace *a, const struct diff_trace *b)
{
	int order = compare_numbers(a->kind, b->kind);

	if (order == 0)
		order = compare_numbers(a->device, b->device);
	if (order == 0)
		order = compare_numbers(a->inode, b->inode);
	if (order == 0)
		order = compare_content(a, b);
	if (order != 0 || (a->has_sha256 && a->size > 0))
		return order;
	order = compare_numbers((uint64_t)a->mtime.seconds, (uint64_t)b->mtime.seconds);
	return order != 0 ? order : compare_numbers(a->mtime.ns, b->mtime.ns);
}

static const char *last_part(const struct diff_change *c)
{
	const char *slash = memrchr(c->path, '/', c->path_size);

	return slash != NULL ? slash + 1 : c->path;
}

static int compare_keys(enum pass pass, const struct diff_change *a,
			const struct diff_change *b)
{
	int order;

	if (pass == BY_INODE)
		return compare_inodes(&a->trace, &b->trace);
	order = compare_content(&a->trace, &b->trace);
	if (order == 0 && pass == BY_CONTENT_AND_NAME)
		order = strcmp(last_part(a), last_part(b));
	return order;
}

static bool is_candidate(enum pass pass, const struct diff_change *c)
{
	if (c->is_gone || c->trace.kind == NODE_DIRECTORY)
		return false;
	if (pass == BY_INODE)
		return c->trace.inode != 0;
	return c->trace.kind == NODE_FILE && c->trace.has_sha256 && c->trace.size > 0;
}

static int compare_changes(const void *a, const void *b, void *pass)
{
	const struct diff_change *x = *(const struct diff_change *const *)a;
	const struct diff_change *y = *(const struct diff_change *const *)b;
	int order = compare_keys(*(const enum pass *)pass, x, y);

	return order != 0 ? order : strcmp(x->path, y->path);
}

/* Pointers to the candidates of one kind, sorted by the pass's key. */
static size_t gather(struct diff_changes *changes, enum diff_kind kind, enum pass pass,
		     struct diff_change **out)
{
	size_t count = 0;

	for (size_t i = 0; i < changes->count; i++)
		if (changes->list[i].kind == kind && is_candidate(pass, &changes->list[i]))
			out[count++] = &changes->list[i];
	qsort_r(out, count, sizeof *out, compare_changes, &pass);
	return count;
}

static void make_move(struct diff_change *old, struct diff_change *new)
{
	new->kind = DIFF_MOVED;
	new->old_path = old->path;
	new->old_path_size = old->path_size;
	new->before = old->before;
	old->path = NULL;
	old->is_gone = true;
}

int diff_find_moves(struct diff_changes *changes, struct err *e)
{
	struct diff_change **old = calloc(changes->count + 1, sizeof *old);
	struct diff_change **new = calloc(changes->count + 1, sizeof *new);
	int rc = -1;

	if (old == NULL || new == NULL) {
		err_set(e, MUNI_NO_MEMORY, "no memory to look for what moved");
		goto out;
	}
	for (enum pass pass = BY_INODE; pass < PASSES; pass++) {
		size_t olds = gather(changes, DIFF_REMOVED, pass, old);
		size_t news = gather(changes, DIFF_ADDED, pass, new);

		for (size_t i = 0, j = 0; i < olds && j < news;) {
			int order = compare_keys(pass, old[i], new[j]);

			if (order == 0)
				make_move(old[i], new[j]);
			i += order <= 0;
			j += order >= 0;
		}
	}
	rc = 0;
out:
	free(old);
	free(new);
	return rc;
}
