/*
 * Export to one tar file, or a stream of it.  The same version gives the same
 * bytes, which is what going on after an interruption rests on.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/base/text.h"
#include "fs/vault/export_pax.h"
#include "fs/vault/export_sink.h"
#include "fs/vault/export_target.h"

#define RECORD (20 * PAX_BLOCK)
#define MADE_MAX ((uint64_t)512 << 10)	/* bytes of a file that is made ahead */

struct tar_export {
	struct export *x;
	struct sink *sink;
	struct export_content *content;
	struct export_links links;
	struct buffer header;
};

static char type_of(enum node_kind kind)
{
	switch (kind) {
	case NODE_DIRECTORY:
		return '5';
	case NODE_SYMLINK:
		return '2';
	case NODE_FIFO:
		return '6';
	case NODE_CHAR:
		return '3';
	case NODE_BLOCK:
		return '4';
	default:
		return '0';
	}
}

static int put_run(void *arg, uint64_t offset, const void *data, size_t size, struct err *e)
{
	struct tar_export *t = arg;

	(void)offset;
	if (sink_write(t->sink, data, size, e) < 0)
		return -1;
	return export_step(t->x, 0, size, e);
}

static int put_header(struct tar_export *t, const struct pax_entry *p, struct err *e)
{
	buffer_reset(&t->header);
	if (pax_put_header(&t->header, p, e) < 0)
		return -1;
	return sink_write(t->sink, t->header.data, t->header.size, e);
}

/* Content, and zeros up to the next block. */
static int put_content(struct tar_export *t, const struct export_item *item, uint64_t size,
		       struct err *e)
{
	uint64_t before = sink_size(t->sink);

	if (export_content_all(t->content, item, put_run, t, e) < 0)
		return -1;
	if (sink_size(t->sink) - before != size)
		return err_set(e, MUNI_DAMAGED, "%s holds %llu bytes where %llu were announced; "
			       "run muni verify", text_printable_n(item->path, item->path_size),
			       (unsigned long long)(sink_size(t->sink) - before),
			       (unsigned long long)size);
	return sink_zeros(t->sink, (PAX_BLOCK - size % PAX_BLOCK) % PAX_BLOCK, e);
}

static int put_sparse(struct tar_export *t, struct pax_entry *p, struct err *e)
{
	struct buffer map_text = { .data = NULL };
	struct export_hole_map map;
	int rc = -1;

	if (export_content_map(t->content, p->item, &map, e) < 0)
		return -1;
	pax_put_map(&map_text, &map, p->item->node.size);
	if (map_text.failed) {
		err_set(e, MUNI_NO_MEMORY, "no memory for a map of holes");
		goto out;
	}
	p->is_sparse = true;
	p->stored = map_text.size + map.bytes;
	if (put_header(t, p, e) < 0 ||
	    sink_write(t->sink, map_text.data, map_text.size, e) < 0)
		goto out;
	rc = put_content(t, p->item, map.bytes, e);
out:
	free(map.runs);
	buffer_free(&map_text);
	return rc;
}

static int put_entry(struct tar_export *t, struct pax_entry *p, struct err *e)
{
	const struct export_item *item = p->item;
	const struct node *n = &item->node;
	const char *first = NULL;

	if (n->kind != NODE_DIRECTORY && n->links > 1) {
		first = export_links_find(&t->links, n->id);
		if (!first && export_links_add(&t->links, n->id, item->path, e) < 0)
			return -1;
	}
	p->type = first ? '1' : type_of(n->kind);
	p->link = first ? first : item->symlink;
	if (!first && export_has_holes(n))
		return put_sparse(t, p, e);
	if (!first && n->kind == NODE_FILE)
		p->stored = n->size;
	if (put_header(t, p, e) < 0)
		return -1;
	return p->stored ? put_content(t, item, n->size, e) : 0;
}

/* ---- made ahead ------------------------------------------------------------------- */

static int append_run(void *arg, uint64_t offset, const void *data, size_t size, struct err *e)
{
	struct buffer *out = arg;

	(void)offset;
	buffer_append(out, data, size);
	return out->failed ? err_set(e, MUNI_NO_MEMORY, "no memory for an entry") : 0;
}

/* A file of one name, whose header and data depend on nothing else. */
static int make(const struct export_item *item, struct export_content *content,
		struct buffer *out)
{
	static const uint8_t zeros[PAX_BLOCK];
	const struct node *n = &item->node;
	struct pax_entry p = { .item = item, .path = item->path, .type = '0', .stored = n->size };
	struct err ignored = ERR_NONE;
	size_t data;

	if (n->kind != NODE_FILE || n->links > 1 || export_has_holes(n) || n->size > MADE_MAX)
		return 0;
	if (pax_put_header(out, &p, &ignored) < 0)
		return -1;
	data = out->size;
	if (export_content_each(content, item, append_run, out, &ignored) < 0 ||
	    out->size - data != n->size)
		return -1;
	buffer_append(out, zeros, (PAX_BLOCK - n->size % PAX_BLOCK) % PAX_BLOCK);
	return out->failed ? -1 : 0;
}

/* ---- in order --------------------------------------------------------------------- */

static int put_item(void *arg, const struct export_item *item, struct err *e)
{
	struct tar_export *t = arg;
	struct pax_entry p = { .item = item, .path = item->path };
	char *path = NULL;
	int rc;

	if (item->node.kind == NODE_SOCKET) {
		export_lose(t->x, LOSS_SOCKET, item);
		return 0;
	}
	export_count(t->x, item);
	if (item->made) {
		t->x->progress.bytes_done += item->node.size;
		return sink_write(t->sink, item->made, item->made_size, e);
	}
	if (item->node.kind == NODE_DIRECTORY) {
		path = malloc(item->path_size + 3);
		if (!path)
			return err_set(e, MUNI_NO_MEMORY, "no memory for a path");
		memcpy(path, item->path_size ? item->path : ".", item->path_size + 1);
		memcpy(path + (item->path_size ? item->path_size : 1), "/", 2);
		p.path = path;
	}
	rc = put_entry(t, &p, e);
	free(path);
	return rc;
}

static int put_all(struct tar_export *t, struct err *e)
{
	/* Two blocks of zeros, and to the end of the record, as tar does. */
	if (export_each(t->x, put_item, t, e) < 0 || export_content_settle(t->content, e) < 0 ||
	    sink_zeros(t->sink, 2 * PAX_BLOCK, e) < 0)
		return -1;
	return sink_zeros(t->sink, (RECORD - sink_size(t->sink) % RECORD) % RECORD, e);
}

static int verify_step(void *arg, uint64_t bytes, struct err *e)
{
	return export_step(arg, 0, bytes, e);
}

static int finish(struct tar_export *t, struct target *target, bool is_stream, struct err *e)
{
	if (sink_finish(t->sink, e) < 0)
		return -1;
	if (is_stream)
		return 0;
	export_stage(t->x, "verifying");
	t->x->progress.items_total = 0;
	t->x->progress.bytes_total = sink_size(t->sink);
	if (sink_verify(t->sink, verify_step, t->x, e) < 0)
		return -1;
	return target_finish(target, e);
}

int export_tar(struct export *x, struct err *e)
{
	struct tar_export t = { .x = x };
	struct target target = { -1, "", "", "", -1, -1, -1, -1, false };
	bool is_stream = !strcmp(x->options->to, "-");
	int rc = -1;

	x->make = make;
	if ((!is_stream && target_open_file(&target, x, e) < 0) ||
	    export_content_open(x, &t.content, e) < 0 ||
	    sink_open(is_stream ? STDOUT_FILENO : target.file, is_stream, &t.sink, e) < 0)
		goto out;
	if (!x->live)
		export_content_behind(t.content);
	if (put_all(&t, e) < 0)
		goto out;
	rc = finish(&t, &target, is_stream, e);
out:
	sink_close(t.sink);
	export_content_close(t.content);
	export_links_free(&t.links);
	buffer_free(&t.header);
	target_close(&target);
	return rc;
}
