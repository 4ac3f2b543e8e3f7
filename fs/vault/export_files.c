/* What the workers of a directory export do with one file. */
#include "fs/vault/export_files.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "fs/base/file.h"
#include "fs/base/text.h"
#include "fs/vault/export_meta.h"

static int put_run(void *arg, uint64_t offset, const void *data, size_t size, struct err *e)
{
	return file_write_at(*(const int *)arg, offset, data, size, e);
}

/* SHA-256 of all that an open file holds, holes as zeros. */
static int hash_file(struct crew_hand *hand, int fd, uint64_t size, struct digest *out,
		     struct err *e)
{
	hasher_reset(hand->hasher);
	for (uint64_t at = 0; at < size;) {
		size_t n = size - at < EXPORT_PIECE ? (size_t)(size - at) : EXPORT_PIECE;

		if (file_read_at(fd, at, hand->buffer, n, e) < 0)
			return -1;
		hasher_update(hand->hasher, hand->buffer, n);
		at += n;
	}
	*out = hasher_finish(hand->hasher);
	return 0;
}

static bool is_whole_already(struct crew_hand *hand, const struct crew_task *t)
{
	const struct node *n = &t->item->node;
	struct err ignored = ERR_NONE;
	struct digest found;
	uint64_t size;

	return t->item->has_plain_digest &&
	       file_size(t->fd, &size, &ignored) == 0 && size == n->size &&
	       hash_file(hand, t->fd, size, &found, &ignored) == 0 &&
	       digest_equal(&found, &n->sha256);
}

void export_fill_file(struct crew_hand *hand, struct crew_task *t)
{
	const struct node *n = &t->item->node;

	if (t->is_existing) {
		t->was_kept = is_whole_already(hand, t);
		if (t->was_kept)
			return;
		if (ftruncate(t->fd, 0) < 0) {
			err_errno(&t->failure, "emptying what an earlier run left of %s",
				  text_printable_n(t->item->path, t->item->path_size));
			return;
		}
	}
	if (export_content_each(hand->content, t->item, put_run, &t->fd, &t->failure) < 0)
		return;
	/* Also makes the hole at the end. */
	if (ftruncate(t->fd, (off_t)n->size) < 0) {
		err_errno(&t->failure, "writing %s",
			  text_printable_n(t->item->path, t->item->path_size));
		return;
	}
	/* Begin to write it out now: the second pass waits for the disk. */
	if (n->size >= EXPORT_PIECE)
		(void)sync_file_range(t->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

struct comparing {
	int fd;
	uint8_t *buffer;
	bool is_different;
};

static int compare_run(void *arg, uint64_t offset, const void *data, size_t size, struct err *e)
{
	struct comparing *c = arg;

	if (file_read_at(c->fd, offset, c->buffer, size, e) < 0)
		return -1;
	if (memcmp(c->buffer, data, size) != 0)
		c->is_different = true;
	return 0;
}

static int differs(struct crew_hand *hand, const struct crew_task *t, bool *out, struct err *e)
{
	const struct node *n = &t->item->node;
	struct comparing c = { t->fd, hand->buffer, false };
	struct digest found;
	uint64_t size;

	*out = true;
	/* From the disk, not from the memory that it was written from. */
	(void)posix_fadvise(t->fd, 0, 0, POSIX_FADV_DONTNEED);
	if (file_size(t->fd, &size, e) < 0)
		return -1;
	if (size != n->size)
		return 0;
	if (t->item->has_plain_digest) {
		if (hash_file(hand, t->fd, size, &found, e) < 0)
			return -1;
		*out = !digest_equal(&found, &n->sha256);
		return 0;
	}
	if (export_content_each(hand->content, t->item, compare_run, &c, e) < 0)
		return -1;
	*out = c.is_different;
	return 0;
}

void export_check_file(struct crew_hand *hand, struct crew_task *t)
{
	bool is_different;

	if (differs(hand, t, &is_different, &t->failure) < 0)
		return;
	if (is_different) {
		err_set(&t->failure, MUNI_DAMAGED, "%s reads back differently from what was "
			"written; the target's disk may be failing",
			text_printable_n(t->item->path, t->item->path_size));
		return;
	}
	(void)export_meta_fd(t->fd, t->item, &t->lost, &t->failure);
}
