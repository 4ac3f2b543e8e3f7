/* Writing items of the inventory. */
#include <stdlib.h>
#include <string.h>

#include "fs/store/catalogue_items_inside.h"

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "no memory for an item of the inventory");
}

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

	if (item_need_inventory(c, e) < 0)
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
