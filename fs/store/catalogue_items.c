/*
 * Items of the inventory: a row each, its attributes packed as a node's are, and
 * a row for each finding.
 */
#include "fs/store/catalogue_items.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fs/store/catalogue_items_inside.h"

#define FINDING_WHERE_BYTES 4096
#define FINDING_SAMPLES_BYTES 65536

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

static int need_inventory(struct catalogue *c, struct err *e)
{
	return catalogue_need_format(c, CATALOGUE_FORMAT_INVENTORY, "inventory", e);
}

/* ---- reading: findings ------------------------------------------------------------- */

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

/* ---- reading: rows ------------------------------------------------------------------ */

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

static char *copy_bytes(const void *data, size_t size)
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
		r->target = copy_bytes(target, (size_t)n.size);
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
	r->path = copy_bytes(path, size);
	r->path_size = size;
	return r->path ? 0 : no_memory(e);
}

int catalogue_item_find(struct catalogue *c, int64_t system, const void *path,
			size_t path_size, bool with_findings, struct item_row *out,
			struct err *e)
{
	struct query q;

	*out = (struct item_row){ .id = 0 };
	if (need_inventory(c, e) < 0 ||
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
	if (need_inventory(c, e) < 0 ||
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

	if (need_inventory(c, e) < 0 ||
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

/* ---- writing ---------------------------------------------------------------------------- */

static struct node node_of(const struct item_row *r, const int64_t accounts[2])
{
	return (struct node){
		.kind = r->kind, .mode = r->mode, .uid = r->uid, .gid = r->gid,
		.owner = accounts[0], .group = accounts[1], .size = r->size,
		.allocated = r->kind == NODE_FILE ? r->allocated : 0, .links = r->links,
		.rdev_major = r->rdev_major, .rdev_minor = r->rdev_minor,
		.mtime = r->mtime, .ctime = r->ctime, .atime = r->atime, .btime = r->btime,
		.has_btime = r->has_btime, .is_unstable = r->is_unsettled,
		.source_device = r->device, .source_inode = r->inode,
	};
}

/* attrs_pack() and a symlink's target; *out malloc'ed. */
static int pack_attrs(struct catalogue *c, const struct item_row *r, uint8_t **out,
		      size_t *size, struct err *e)
{
	size_t target = r->kind == NODE_SYMLINK ? (size_t)r->size : 0;
	int64_t accounts[2];

	if (r->kind == NODE_SYMLINK && (!r->target || r->size < 1 || r->size > SYMLINK_MAX))
		return err_set(e, MUNI_LIMIT, "the link's target has no byte, or more than %d",
			       SYMLINK_MAX);
	if (catalogue_word_intern(c, WORD_ACCOUNT, r->owner, &accounts[0], e) < 0 ||
	    catalogue_word_intern(c, WORD_ACCOUNT, r->group, &accounts[1], e) < 0)
		return -1;
	struct node n = node_of(r, accounts);
	*out = malloc(ATTRS_MAX + target);
	if (!*out)
		return no_memory(e);
	*size = attrs_pack(&n, *out);
	if (*size == 0)
		return err_set(e, MUNI_LIMIT, "an attribute of the item is out of range");
	if (target > 0)
		memcpy(*out + *size, r->target, target);
	*size += target;
	return 0;
}

/* The id that the path has already (*is_new false), or a new one. */
static int choose_id(struct catalogue *c, struct item_row *r, bool *is_new, struct err *e)
{
	struct query q;

	if (query_open(&q, c, STATEMENT_ITEM_ID,
		       "SELECT id FROM item WHERE system = ? AND path = ?", e) < 0)
		return -1;
	query_int(&q, r->system);
	query_blob(&q, r->path, r->path_size);
	int got = query_step(&q, e);
	if (got > 0) {
		r->id = query_column_id(&q, 0);
		if (query_check(&q, "item", r->id, e) < 0)
			got = -1;
	}
	query_close(&q);
	*is_new = got == 0;
	if (got == 0)
		return catalogue_sequence_take(c, SEQUENCE_ITEM, 1, &r->id, e);
	return got < 0 ? -1 : 0;
}

int item_findings_drop(struct catalogue *c, int64_t item, struct err *e)
{
	struct query q;

	if (query_open_write(&q, c, STATEMENT_FINDINGS_DROP,
			     "DELETE FROM finding WHERE item = ?", e) < 0)
		return -1;
	query_int(&q, item);
	return query_run(&q, e);
}

static int put_findings(struct catalogue *c, const struct item_row *r, struct err *e)
{
	for (size_t i = 0; i < r->finding_count; i++) {
		const struct stored_finding *f = &r->findings[i];
		struct query q;
		int64_t word;

		if (catalogue_word_intern(c, WORD_PLAIN, f->id, &word, e) < 0 ||
		    query_open_write(&q, c, STATEMENT_FINDING_ADD, "INSERT INTO finding(item,"
				     " at, recogniser, count, confidence, sensitivity, places,"
				     " samples) VALUES(?, ?, ?, ?, ?, ?, ?, ?)", e) < 0)
			return -1;
		query_int(&q, r->id);
		query_int(&q, (int64_t)i);
		query_int(&q, word);
		query_unsigned(&q, f->count);
		query_int(&q, f->confidence);
		query_int(&q, f->sensitivity);
		query_text(&q, f->where ? f->where : "");
		query_text(&q, f->samples ? f->samples : "[]");
		if (query_run(&q, e) < 0)
			return -1;
	}
	return 0;
}

static int put_row(struct catalogue *c, const struct item_row *r, const void *attrs,
		   size_t attrs_size, struct err *e)
{
	const char *const texts[] = { r->format, r->claimed, r->encoding, r->script };
	int64_t words[4];
	struct query q;

	for (int i = 0; i < 4; i++)
		if (catalogue_word_intern(c, WORD_PLAIN, texts[i], &words[i], e) < 0)
			return -1;
	if (query_open_write(&q, c, STATEMENT_ITEM_PUT, "INSERT OR REPLACE INTO item(system,"
			     " path, id, scan, attrs, sha, format, claimed, encoding, script,"
			     " opaque, findings, first, original, copies)"
			     " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL, 1)",
			     e) < 0)
		return -1;
	query_int(&q, r->system);
	query_blob(&q, r->path, r->path_size);
	query_int(&q, r->id);
	query_int(&q, r->scan);
	query_blob(&q, attrs, attrs_size);
	if (r->has_sha256)
		query_blob(&q, r->sha256.bytes, DIGEST_SIZE);
	else
		query_null(&q);
	for (int i = 0; i < 4; i++)
		query_id_or_null(&q, words[i]);
	if (r->opaque)
		query_text(&q, r->opaque);
	else
		query_null(&q);
	query_unsigned(&q, r->finding_count);
	return query_run(&q, e);
}

static bool fits(const struct item_row *r)
{
	if (!item_path_is_sound(r->path, r->path_size) ||
	    r->finding_count > ITEM_FINDINGS_MAX ||
	    (r->opaque && strlen(r->opaque) > ITEM_OPAQUE_MAX))
		return false;
	for (size_t i = 0; i < r->finding_count; i++) {
		const struct stored_finding *f = &r->findings[i];

		if (strlen(f->id) > WORD_MAX || f->confidence > 100 || f->count < 1 ||
		    (f->where && strlen(f->where) > FINDING_WHERE_BYTES) ||
		    (f->samples && strlen(f->samples) > FINDING_SAMPLES_BYTES))
			return false;
	}
	return true;
}

int catalogue_item_put(struct catalogue *c, struct item_row *r, struct err *e)
{
	uint8_t *attrs = NULL;
	size_t attrs_size = 0;
	bool is_new;
	int rc = -1;

	if (need_inventory(c, e) < 0)
		return -1;
	if (!fits(r))
		return err_set(e, MUNI_LIMIT, "an item's path, findings or reason are over "
			       "what the inventory holds");
	if (pack_attrs(c, r, &attrs, &attrs_size, e) < 0 ||
	    choose_id(c, r, &is_new, e) < 0 ||
	    (!is_new && (item_findings_drop(c, r->id, e) < 0 ||
			 catalogue_decision_forget(c, r->id, e) < 0)) ||
	    put_row(c, r, attrs, attrs_size, e) < 0 || put_findings(c, r, e) < 0)
		goto out;
	rc = 0;
out:
	free(attrs);
	return rc;
}
