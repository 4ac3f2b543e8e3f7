/*
 * Reading items of the inventory: a row each, its attributes packed as a node's are,
 * and a row for each finding.
 */
#include "fs/store/catalogue_items.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fs/store/catalogue_items_inside.h"

void item_row_clear(struct item_row *r)
{
	char *const texts[] = { r->path, r->owner, r->group, r->target, r->format,
		r->claimed, r->encoding, r->script, r->opaque };

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		free(texts[i]);
	for (size_t i = 0; i < r->finding_count && r->findings; i++) {
		free(r->findings[i].id);
		free(r->findings[i].where);
		free(r->findings[i].samples);
	}
	free(r->findings);
	*r = (struct item_row){ .id = 0 };
}

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "no memory for an item of the inventory");
}

int item_need_inventory(struct catalogue *c, struct err *e)
{
	return catalogue_need_format(c, CATALOGUE_FORMAT_INVENTORY, "inventory", e);
}

/* ---- findings ------------------------------------------------------------- */

static int finding_from_row(struct query *q, const struct item_row *r,
			    struct stored_finding *f, struct err *e)
{
	const char *id;

	int64_t word = query_column_id(q, 0);
	f->count = (uint64_t)query_column(q, 1, 1, INT64_MAX);
	f->confidence = (uint8_t)query_column(q, 2, 0, 100);
	f->sensitivity = (uint8_t)query_column(q, 3, 0, 255);
	f->where = query_column_copy(q, 4, FINDING_WHERE_BYTES);
	f->samples = query_column_copy(q, 5, FINDING_SAMPLES_BYTES);
	if (query_check(q, "a finding of item", r->id, e) < 0 ||
	    catalogue_word(q->c, WORD_PLAIN, word, &id, e) < 0)
		return -1;
	f->id = strdup(id);
	return f->id ? 0 : no_memory(e);
}

static int read_findings(struct catalogue *c, struct item_row *r, struct err *e)
{
	size_t have = 0;
	struct query q;
	int got, rc = -1;

	r->findings = calloc(r->finding_count, sizeof *r->findings);
	if (!r->findings)
		return no_memory(e);
	if (query_open(&q, c, STATEMENT_FINDINGS, "SELECT recogniser, count, confidence,"
		       " sensitivity, places, samples FROM finding WHERE item = ?"
		       " ORDER BY at", e) < 0)
		return -1;
	query_int(&q, r->id);
	while ((got = query_step(&q, e)) > 0 && have < r->finding_count)
		if (finding_from_row(&q, r, &r->findings[have++], e) < 0)
			goto out;
	if (got > 0 || (got == 0 && have < r->finding_count))
		catalogue_damaged(c, e, "item %" PRId64 " has other findings than it says",
				  r->id);
	else
		rc = got;
out:
	query_close(&q);
	return rc;
}

/* ---- rows ------------------------------------------------------------------ */

#define ITEM_SELECT \
	"SELECT path, item.id, scan, attrs, sha, format, claimed, encoding, script, opaque," \
	"  findings, first, original, copies, scan.began, scan.fingerprint" \
	" FROM item LEFT JOIN scan ON scan.id = item.scan"

static int copy_word(struct query *q, enum word_kind kind, int64_t id, char **out,
		     struct err *e)
{
	const char *text;

	if (catalogue_word(q->c, kind, id, &text, e) < 0)
		return -1;
	if (!text)
		return 0;
	*out = strdup(text);
	return *out ? 0 : no_memory(e);
}

char *item_bytes(const void *data, size_t size)
{
	char *copy = malloc(size + 1);

	if (copy) {
		memcpy(copy, data, size);
		copy[size] = '\0';
	}
	return copy;
}

bool item_path_is_sound(const void *path, size_t size)
{
	const char *p = path;

	return size >= 1 && size <= ITEM_PATH_MAX && p[0] != '/' && p[size - 1] != '/' &&
		!memchr(p, 0, size);
}

static int attrs_from_row(struct query *q, struct item_row *r, struct err *e)
{
	struct node n = { .id = 0 };
	const uint8_t *target = NULL;
	size_t size;

	const uint8_t *attrs = query_column_blob(q, 3, 1, ATTRS_MAX + SYMLINK_MAX, &size);
	if (!attrs || !attrs_parse(attrs, size, &n, &target)) {
		q->is_bad = true;
		return query_check(q, "item", r->id, e);
	}
	r->kind = n.kind;
	r->mode = n.mode;
	r->uid = n.uid;
	r->gid = n.gid;
	r->links = n.links;
	r->size = n.size;
	r->allocated = n.allocated;
	r->rdev_major = n.rdev_major;
	r->rdev_minor = n.rdev_minor;
	r->mtime = n.mtime;
	r->ctime = n.ctime;
	r->atime = n.atime;
	r->btime = n.btime;
	r->has_btime = n.has_btime;
	r->is_unsettled = n.is_unstable;
	r->device = n.source_device;
	r->inode = n.source_inode;
	if (target) {
		r->target = item_bytes(target, (size_t)n.size);
		if (!r->target)
			return no_memory(e);
	}
	if (copy_word(q, WORD_ACCOUNT, n.owner, &r->owner, e) < 0)
		return -1;
	return copy_word(q, WORD_ACCOUNT, n.group, &r->group, e);
}

static int64_t word_column(struct query *q, int column)
{
	return query_column_is_null(q, column) ? 0 : query_column_id(q, column);
}

static void scan_columns(struct query *q, struct item_row *r)
{
	uint8_t fingerprint[8];

	r->scan_began = query_column(q, 14, INT64_MIN, INT64_MAX);
	query_column_bytes(q, 15, fingerprint, sizeof fingerprint);
	struct reader reader = reader_over(fingerprint, sizeof fingerprint);
	r->fingerprint = reader_u64(&reader);
}

static int row_from_query(struct query *q, int64_t system, struct item_row *r, struct err *e)
{
	char **const words[] = { &r->format, &r->claimed, &r->encoding, &r->script };
	size_t size;

	*r = (struct item_row){ .system = system };
	const uint8_t *path = query_column_blob(q, 0, 1, ITEM_PATH_MAX, &size);
	r->id = query_column_id(q, 1);
	r->scan = query_column_id(q, 2);
	if (!path || !item_path_is_sound(path, size))
		q->is_bad = true;
	r->has_sha256 = !query_column_is_null(q, 4);
	if (r->has_sha256)
		query_column_bytes(q, 4, r->sha256.bytes, DIGEST_SIZE);
	if (!query_column_is_null(q, 9))
		r->opaque = query_column_copy(q, 9, ITEM_OPAQUE_MAX);
	r->finding_count = (size_t)query_column(q, 10, 0, ITEM_FINDINGS_MAX);
	r->duplicate_of = word_column(q, 11);
	r->copies = (uint64_t)query_column(q, 13, 0, INT64_MAX);
	scan_columns(q, r);
	if (query_column_is_null(q, 11) != query_column_is_null(q, 12))
		q->is_bad = true;
	if (query_check(q, "item", r->id, e) < 0 || attrs_from_row(q, r, e) < 0)
		return -1;
	for (int i = 0; i < 4; i++) {
		int64_t word = word_column(q, 5 + i);

		if (query_check(q, "item", r->id, e) < 0 ||
		    copy_word(q, WORD_PLAIN, word, words[i], e) < 0)
			return -1;
	}
	r->path = item_bytes(path, size);
	r->path_size = size;
	return r->path ? 0 : no_memory(e);
}

int catalogue_item_find(struct catalogue *c, int64_t system, const void *path,
			size_t path_size, bool with_findings, struct item_row *out,
			struct err *e)
{
	struct query q;

	*out = (struct item_row){ .id = 0 };
	if (item_need_inventory(c, e) < 0 ||
	    query_open(&q, c, STATEMENT_ITEM_FIND,
		       ITEM_SELECT " WHERE item.system = ? AND path = ?", e) < 0)
		return -1;
	query_int(&q, system);
	query_blob(&q, path, path_size);
	int got = query_step(&q, e);
	if (got > 0 && (row_from_query(&q, system, out, e) < 0 ||
			(with_findings && out->finding_count > 0 &&
			 read_findings(c, out, e) < 0)))
		got = -1;
	query_close(&q);
	if (got > 0)
		return 0;
	item_row_clear(out);
	return got < 0 ? -1 : err_set(e, MUNI_NOT_FOUND, "there is no such item");
}

int catalogue_items_any(struct catalogue *c, int64_t system, bool *out, struct err *e)
{
	struct query q;

	*out = false;
	if (item_need_inventory(c, e) < 0 ||
	    query_open(&q, c, STATEMENT_ITEMS_ANY,
		       "SELECT id FROM item WHERE system = ? LIMIT 1", e) < 0)
		return -1;
	query_int(&q, system);
	int got = query_step(&q, e);
	query_close(&q);
	*out = got > 0;
	return got < 0 ? -1 : 0;
}

int catalogue_items(struct catalogue *c, int64_t system, const void *after,
		    size_t after_size,
		    int (*row)(void *arg, const struct item_row *r,
			       const char *duplicate_path, size_t duplicate_size),
		    void *arg, struct err *e)
{
	struct item_row r = { .id = 0 };
	struct query q;
	int got, rc = -1;

	if (item_need_inventory(c, e) < 0 ||
	    query_open(&q, c, STATEMENT_ITEMS, ITEM_SELECT " WHERE item.system = ?"
		       " AND path > ? ORDER BY item.system, path", e) < 0)
		return -1;
	query_int(&q, system);
	query_blob(&q, after, after_size);
	while ((got = query_step(&q, e)) > 0) {
		const uint8_t *original = NULL;
		size_t size = 0;

		if (row_from_query(&q, system, &r, e) < 0 ||
		    (r.finding_count > 0 && read_findings(c, &r, e) < 0))
			goto out;
		if (r.duplicate_of)
			original = query_column_blob(&q, 12, 1, ITEM_PATH_MAX, &size);
		if (query_check(&q, "item", r.id, e) < 0)
			goto out;
		int answer = row(arg, &r, (const char *)original, size);
		item_row_clear(&r);
		if (answer != 0) {
			rc = answer > 0 ? 0 : -1;
			goto out;
		}
	}
	rc = got;
out:
	item_row_clear(&r);
	query_close(&q);
	return rc;
}
