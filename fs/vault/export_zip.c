/*
 * Export to a zip, through libarchive.  A zip knows files, directories and
 * symbolic links, seconds of 32 bits and numbers of owners; the rest is told
 * as lost.  The same version gives the same bytes, as in export_tar.c.
 */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <locale.h>
#include <string.h>

#include "fs/base/shortage.h"
#include "fs/base/text.h"
#include "fs/store/xattrs.h"
#include "fs/vault/export_sink.h"
#include "fs/vault/export_target.h"

/* libarchive keeps the directory at the end in pieces of 64 KiB, and crashes where it finds no
 * memory for the next (cd_alloc, libarchive 3.6.2). */
#define DIRECTORY_ROOM (72u << 10)

struct zip_export {
	struct export *x;
	struct sink *sink;
	struct export_content *content;
	struct export_links links;
	struct archive *a;
	struct archive_entry *entry;
	locale_t utf8, bytes;
	struct err sink_failure;	/* why libarchive was told that a write failed */
	bool has_failed;	/* what libarchive writes to its end goes nowhere */
	uint64_t given;		/* bytes of the present entry */
};

static la_ssize_t write_out(struct archive *a, void *arg, const void *data, size_t size)
{
	struct zip_export *z = arg;

	if (z->has_failed || sink_write(z->sink, data, size, &z->sink_failure) == 0)
		return (la_ssize_t)size;
	archive_set_error(a, EIO, "%s", z->sink_failure.text);
	return -1;
}

static int failed(struct zip_export *z, const struct export_item *item, struct err *e)
{
	const char *why = archive_error_string(z->a);

	if (z->sink_failure.code != MUNI_OK) {
		*e = z->sink_failure;
		return -1;
	}
	return err_set(e, MUNI_IO, "writing %s into the zip: %s",
		       item ? text_printable_n(item->path, item->path_size) : "the end",
		       why ? text_said(why) : "no reason given");
}

/* ---- content ------------------------------------------------------------------- */

static int give(struct zip_export *z, const struct export_item *item, const uint8_t *data,
		size_t size, struct err *e)
{
	while (size > 0) {
		la_ssize_t n = archive_write_data(z->a, data, size);

		if (n <= 0)
			return failed(z, item, e);
		data += n;
		size -= (size_t)n;
		z->given += (uint64_t)n;
	}
	return 0;
}

static int give_zeros(struct zip_export *z, const struct export_item *item, uint64_t until,
		      struct err *e)
{
	static const uint8_t zeros[64 << 10];

	while (z->given < until) {
		uint64_t left = until - z->given;
		size_t n = left < sizeof zeros ? (size_t)left : sizeof zeros;

		if (give(z, item, zeros, n, e) < 0 || export_step(z->x, 0, n, e) < 0)
			return -1;
	}
	return 0;
}

struct run_arg {
	struct zip_export *z;
	const struct export_item *item;
};

static int put_run(void *arg, uint64_t offset, const void *data, size_t size, struct err *e)
{
	const struct run_arg *r = arg;

	if (give_zeros(r->z, r->item, offset, e) < 0 || give(r->z, r->item, data, size, e) < 0)
		return -1;
	return export_step(r->z->x, 0, size, e);
}

static int put_content(struct zip_export *z, const struct export_item *item, struct err *e)
{
	struct run_arg arg = { z, item };

	z->given = 0;
	if (export_content_all(z->content, item, put_run, &arg, e) < 0)
		return -1;
	return give_zeros(z, item, item->node.size, e);
}

/* ---- entries ---------------------------------------------------------------------- */

static int find_losses(void *arg, const struct xattr *x)
{
	uint32_t *lost = arg;

	*lost |= 1u << (strncmp(x->name, "system.posix_acl_", 17) ? LOSS_XATTR : LOSS_ACL);
	return 0;
}

static bool fits_seconds(const struct stamp *t)
{
	return t->seconds >= INT32_MIN && t->seconds <= INT32_MAX;
}

static int tell_losses(struct zip_export *z, const struct export_item *item, struct err *e)
{
	const struct node *n = &item->node;
	uint32_t lost = 0;

	if (item->xattrs &&
	    xattrs_each(item->xattrs, item->xattrs_size, find_losses, &lost, e) < 0)
		return -1;
	if (n->mtime.ns || n->atime.ns || n->ctime.ns)
		lost |= 1u << LOSS_TIME;
	if (!fits_seconds(&n->mtime) || !fits_seconds(&n->atime) || !fits_seconds(&n->ctime))
		lost |= 1u << LOSS_TIME_RANGE;
	if (n->has_btime)
		lost |= 1u << LOSS_BTIME;
	if (export_has_holes(n))
		lost |= 1u << LOSS_HOLES;
	if (!text_is_utf8(item->path, item->path_size))
		lost |= 1u << LOSS_NAME;
	if (n->kind != NODE_DIRECTORY && n->links > 1) {
		if (export_links_find(&z->links, n->id))
			lost |= 1u << LOSS_LINK;
		else if (export_links_add(&z->links, n->id, "", e) < 0)
			return -1;
	}
	for (int kind = 0; kind < LOSS_COUNT; kind++)
		if (lost & 1u << kind)
			export_lose(z->x, (enum export_loss)kind, item);
	return 0;
}

static void describe(struct zip_export *z, const struct export_item *item)
{
	const struct node *n = &item->node;
	struct archive_entry *entry = z->entry;

	archive_entry_clear(entry);
	archive_entry_copy_pathname(entry, item->path);
	archive_entry_set_perm(entry, n->mode & 07777);
	archive_entry_set_uid(entry, n->uid);
	archive_entry_set_gid(entry, n->gid);
	if (fits_seconds(&n->mtime))
		archive_entry_set_mtime(entry, n->mtime.seconds, 0);
	if (fits_seconds(&n->atime))
		archive_entry_set_atime(entry, n->atime.seconds, 0);
	if (fits_seconds(&n->ctime))
		archive_entry_set_ctime(entry, n->ctime.seconds, 0);
	archive_entry_set_filetype(entry, n->kind == NODE_FILE ? AE_IFREG
					  : n->kind == NODE_DIRECTORY ? AE_IFDIR : AE_IFLNK);
	if (n->kind == NODE_SYMLINK)
		archive_entry_copy_symlink(entry, item->symlink);
	else
		archive_entry_set_size(entry, n->kind == NODE_FILE ? (la_int64_t)n->size : 0);
}

static bool has_place(struct zip_export *z, const struct export_item *item)
{
	switch (item->node.kind) {
	case NODE_FILE:
	case NODE_SYMLINK:
		return true;
	case NODE_DIRECTORY:
		return item->path_size > 0;	/* a zip has no root */
	case NODE_FIFO:
		export_lose(z->x, LOSS_FIFO, item);
		return false;
	case NODE_SOCKET:
		export_lose(z->x, LOSS_SOCKET, item);
		return false;
	default:
		export_lose(z->x, LOSS_DEVICE, item);
		return false;
	}
}

static int put_item(void *arg, const struct export_item *item, struct err *e)
{
	struct zip_export *z = arg;

	if (!has_place(z, item))
		return 0;
	export_count(z->x, item);
	if (tell_losses(z, item, e) < 0)
		return -1;
	/* The mark that says "UTF-8" follows the locale: none on other names. */
	uselocale(text_is_utf8(item->path, item->path_size) ? z->utf8 : z->bytes);
	describe(z, item);
	if (!shortage_has_room(DIRECTORY_ROOM))
		return err_set(e, MUNI_NO_MEMORY, "no memory for the directory of a zip");
	if (archive_write_header(z->a, z->entry) < ARCHIVE_WARN)
		return failed(z, item, e);
	if (item->node.kind == NODE_FILE && put_content(z, item, e) < 0)
		return -1;
	return archive_write_finish_entry(z->a) < ARCHIVE_WARN ? failed(z, item, e) : 0;
}

static int put_all(struct zip_export *z, struct err *e)
{
	if (export_each(z->x, put_item, z, e) < 0)
		return -1;
	return archive_write_close(z->a) == ARCHIVE_OK ? 0 : failed(z, NULL, e);
}

/* ---- from beginning to end ------------------------------------------------------------ */

static int open_zip(struct zip_export *z, struct err *e)
{
	z->utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	z->bytes = newlocale(LC_CTYPE_MASK, "C", (locale_t)0);
	z->a = archive_write_new();
	z->entry = archive_entry_new();
	if (!z->utf8 || !z->bytes || !z->a || !z->entry ||
	    archive_write_set_format_zip(z->a) != ARCHIVE_OK ||
	    archive_write_set_bytes_per_block(z->a, 0) != ARCHIVE_OK)
		return err_set(e, MUNI_NO_MEMORY, "no memory to write a zip");
	if (archive_write_open(z->a, z, NULL, write_out, NULL) != ARCHIVE_OK)
		return failed(z, NULL, e);
	return 0;
}

static int verify_step(void *arg, uint64_t bytes, struct err *e)
{
	return export_step(arg, 0, bytes, e);
}

static int finish(struct zip_export *z, struct target *target, struct err *e)
{
	if (sink_finish(z->sink, e) < 0)
		return -1;
	export_stage(z->x, "verifying");
	z->x->progress.items_total = 0;
	z->x->progress.bytes_total = sink_size(z->sink);
	if (sink_verify(z->sink, verify_step, z->x, e) < 0)
		return -1;
	return target_finish(target, e);
}

int export_zip(struct export *x, struct err *e)
{
	struct zip_export z = { .x = x };
	struct target target = { -1, "", "", "", -1, -1, -1, -1, false };
	locale_t before = uselocale((locale_t)0);
	int rc = -1;

	if (target_open_file(&target, x, e) < 0 ||
	    export_content_open(x, &z.content, e) < 0 ||
	    sink_open(target.file, false, &z.sink, e) < 0 || open_zip(&z, e) < 0)
		goto out;
	if (put_all(&z, e) < 0)
		goto out;
	rc = finish(&z, &target, e);
out:
	uselocale(before);
	/* Not archive_write_fail(): the entry at hand would never be freed. */
	z.has_failed = rc < 0;
	archive_write_free(z.a);
	archive_entry_free(z.entry);
	if (z.utf8)
		freelocale(z.utf8);
	if (z.bytes)
		freelocale(z.bytes);
	sink_close(z.sink);
	export_content_close(z.content);
	export_links_free(&z.links);
	target_close(&target);
	return rc;
}
