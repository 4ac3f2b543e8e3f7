/*
 * Looking: entries, directories, nodes.  Version ranges of one name, or of one
 * directory, never overlap, so "the newest row begun by then, if it still
 * stands" is the row of a version, and one seek finds it.
 */
#include "fs/store/catalogue_inside.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/text.h"

bool entry_name_is_sound(const void *name, size_t size)
{
	const char *n = name;

	if (size < 1 || size > CATALOGUE_NAME_MAX || memchr(n, '/', size) ||
	    memchr(n, '\0', size))
		return false;
	return !(n[0] == '.' && (size == 1 || (size == 2 && n[1] == '.')));
}

/* ---- entries --------------------------------------------------------------------- */

/* Columns from 0: name, first, last, kind, target, salt. */
#define ENTRY_COLUMNS "name, first, last, kind, target, salt"

static void entry_from_row(struct query *q, struct entry *out)
{
	size_t size;
	const uint8_t *name = query_column_blob(q, 0, 1, CATALOGUE_NAME_MAX, &size);

	memset(out, 0, offsetof(struct entry, name_size));
	if (name && entry_name_is_sound(name, size))
		memcpy(out->name, name, size);
	else
		q->is_bad = true;
	out->name_size = (uint16_t)size;
	out->first = query_column_id(q, 1);
	out->last = query_column_last(q, 2);
	if (out->last < out->first)
		q->is_bad = true;
	out->kind = (enum node_kind)query_column(q, 3, NODE_FILE, NODE_BLOCK);
	out->directory = out->node = 0;
	if (out->kind == NODE_DIRECTORY)
		out->directory = query_column_id(q, 4);
	else
		out->node = query_column_id(q, 4);
	query_column_bytes(q, 5, out->salt, sizeof out->salt);
}

static int entry_fill_node(struct catalogue *c, int64_t version, struct entry *entry,
			   struct err *e)
{
	struct directory d;

	if (entry->kind != NODE_DIRECTORY)
		return 0;
	if (catalogue_directory(c, version, entry->directory, &d, e) < 0) {
		if (e->code == MUNI_NOT_FOUND)
			return catalogue_damaged(c, e, "directory %" PRId64 " is named in "
						 "version %" PRId64 " but has no row",
						 entry->directory, version);
		return -1;
	}
	entry->node = d.node;
	return 0;
}

int catalogue_lookup(struct catalogue *c, int64_t version, int64_t directory,
		     const void *name, size_t name_size, struct entry *out, struct err *e)
{
	struct query q;
	int rc = -1;

	if (query_open(&q, c, STATEMENT_LOOKUP, "SELECT " ENTRY_COLUMNS " FROM entry"
		       " WHERE dir = ? AND name = ? AND first <= ?"
		       " ORDER BY first DESC LIMIT 1", e) < 0)
		return -1;
	query_int(&q, directory);
	query_blob(&q, name, name_size);
	query_int(&q, version);
	int got = query_step(&q, e);
	if (got > 0) {
		entry_from_row(&q, out);
		rc = query_check(&q, "an entry of directory", directory, e);
	}
	query_close(&q);
	if (got < 0 || (got > 0 && rc < 0))
		return -1;
	if (got == 0 || out->last < version)
		return err_set(e, MUNI_NOT_FOUND, "there is no \"%s\" here",
			       text_printable_n(name, name_size));
	return entry_fill_node(c, version, out, e);
}

/* The node that an entry shows in version ?1; lazily, for directories only. */
#define NODE_OF_ENTRY \
	"CASE kind WHEN 2 THEN (SELECT node FROM directory d WHERE d.id = target" \
	"  AND d.first <= ?1 AND (d.last IS NULL OR d.last >= ?1)" \
	"  ORDER BY d.first DESC LIMIT 1) ELSE target END"
#define STANDING_AFTER \
	" WHERE dir = ?2 AND name > ?3 AND first <= ?1 AND (last IS NULL OR last >= ?1)" \
	" ORDER BY dir, name"

static const char list_sql[] =
	"SELECT " ENTRY_COLUMNS ", " NODE_OF_ENTRY " FROM entry" STANDING_AFTER;
static const char list_nodes_sql[] =
	"SELECT " ENTRY_COLUMNS ", node.id, node.content, node.class, node.attrs"
	" FROM entry LEFT JOIN node ON node.id = " NODE_OF_ENTRY STANDING_AFTER;

int catalogue_list(struct catalogue *c, int64_t version, int64_t directory,
		   const void *after, size_t after_size, bool with_nodes,
		   int (*row)(void *arg, const struct entry *entry,
			      const struct node *node),
		   void *arg, struct err *e)
{
	struct query q;
	struct entry entry;
	struct node node;
	char before[CATALOGUE_NAME_MAX + 1] = "";
	int got, rc = -1;

	if (query_open(&q, c, with_nodes ? STATEMENT_LIST_NODES : STATEMENT_LIST,
		       with_nodes ? list_nodes_sql : list_sql, e) < 0)
		return -1;
	query_int(&q, version);
	query_int(&q, directory);
	query_blob(&q, after, after_size);
	while ((got = query_step(&q, e)) > 0) {
		entry_from_row(&q, &entry);
		entry.node = query_column_id(&q, 6);
		if (with_nodes) {
			node = (struct node){ .id = entry.node };
			node_from_row(&q, 7, &node);
			if (node.kind != entry.kind)
				q.is_bad = true;
		}
		/* Ranges of one name that overlap would show it twice. */
		if (strcmp(before, entry.name) == 0)
			q.is_bad = true;
		memcpy(before, entry.name, (size_t)entry.name_size + 1);
		if (query_check(&q, "an entry of directory", directory, e) < 0)
			goto out;
		int answer = row(arg, &entry, with_nodes ? &node : NULL);
		if (answer != 0) {
			rc = answer > 0 ? 0 : -1;
			goto out;
		}
	}
	rc = got;
out:
	query_close(&q);
	return rc;
}

/* ---- directories ------------------------------------------------------------------ */

int catalogue_directory(struct catalogue *c, int64_t version, int64_t id,
			struct directory *out, struct err *e)
{
	struct query q;
	int rc = -1;

	*out = (struct directory){ .id = id };
	if (query_open(&q, c, STATEMENT_DIRECTORY, "SELECT first, last, parent, node, root"
		       " FROM directory WHERE id = ? AND first <= ?"
		       " ORDER BY first DESC LIMIT 1", e) < 0)
		return -1;
	query_int(&q, id);
	query_int(&q, version);
	int got = query_step(&q, e);
	if (got > 0) {
		out->first = query_column_id(&q, 0);
		out->last = query_column_last(&q, 1);
		out->parent = query_column(&q, 2, 0, INT64_MAX - 1);
		out->node = query_column_id(&q, 3);
		query_column_bytes(&q, 4, out->root.bytes, DIGEST_SIZE);
		if (out->last < out->first || out->parent == id)
			q.is_bad = true;
		rc = query_check(&q, "directory", id, e);
	}
	query_close(&q);
	if (got == 0 || (rc == 0 && out->last < version))
		return err_set(e, MUNI_NOT_FOUND, "there is no directory %" PRId64
			       " in version %" PRId64, id, version);
	return rc;
}

int catalogue_directory_name(struct catalogue *c, int64_t version, int64_t id,
			     struct entry *out, struct err *e)
{
	struct query q;
	int rc = -1;

	if (query_open(&q, c, STATEMENT_DIRECTORY_NAME, "SELECT " ENTRY_COLUMNS
		       " FROM entry WHERE kind = 2 AND target = ? AND first <= ?2"
		       " AND (last IS NULL OR last >= ?2) LIMIT 1", e) < 0)
		return -1;
	query_int(&q, id);
	query_int(&q, version);
	int got = query_step(&q, e);
	if (got > 0) {
		entry_from_row(&q, out);
		rc = query_check(&q, "the name of directory", id, e);
	}
	query_close(&q);
	if (got == 0)
		return err_set(e, MUNI_NOT_FOUND, "directory %" PRId64 " has no name in "
			       "version %" PRId64, id, version);
	return rc < 0 ? -1 : entry_fill_node(c, version, out, e);
}

/* ---- nodes -------------------------------------------------------------------------- */

void node_from_row(struct query *q, int at, struct node *n)
{
	const uint8_t *target;
	size_t size;

	n->content = query_column(q, at, 0, INT64_MAX - 1);
	n->class_id = query_column_id(q, at + 1);
	const uint8_t *attrs = query_column_blob(q, at + 2, 1, ATTRS_MAX + SYMLINK_MAX, &size);
	if (!attrs || !attrs_parse(attrs, size, n, &target) ||
	    (n->content && n->kind != NODE_FILE))
		q->is_bad = true;
}

static int fill_digest(struct catalogue *c, struct node *n, struct err *e)
{
	struct query q;
	int rc = -1;

	if (n->kind != NODE_FILE)
		return 0;
	if (n->content == 0) {
		n->has_sha256 = n->size == 0;
		if (n->has_sha256)
			n->sha256 = digest_of("", 0);
		return 0;
	}
	if (query_open(&q, c, STATEMENT_SHA, "SELECT sha FROM content"
		       " WHERE id = ? AND page = 0", e) < 0)
		return -1;
	query_int(&q, n->content);
	int got = query_step(&q, e);
	if (got > 0) {
		query_column_bytes(&q, 0, n->sha256.bytes, DIGEST_SIZE);
		n->has_sha256 = true;
		rc = query_check(&q, "content", n->content, e);
	} else if (got == 0) {
		catalogue_damaged(c, e, "content %" PRId64 " of node %" PRId64 " is missing",
				  n->content, n->id);
	}
	query_close(&q);
	return rc;
}

static int node_start(struct query *q, struct catalogue *c, int64_t id, struct node *out,
		      struct err *e)
{
	*out = (struct node){ .id = id };
	if (query_open(q, c, STATEMENT_NODE,
		       "SELECT content, class, attrs FROM node WHERE id = ?", e) < 0)
		return -1;
	query_int(q, id);
	int got = query_step(q, e);
	if (got == 0)
		return err_set(e, MUNI_NOT_FOUND, "there is no node %" PRId64, id);
	if (got < 0)
		return -1;
	node_from_row(q, 0, out);
	return query_check(q, "node", id, e);
}

int catalogue_node(struct catalogue *c, int64_t id, bool with_digest, struct node *out,
		   struct err *e)
{
	struct query q;
	int rc = node_start(&q, c, id, out, e);

	query_close(&q);
	return rc < 0 || !with_digest ? rc : fill_digest(c, out, e);
}

int catalogue_symlink(struct catalogue *c, int64_t node, char **out, size_t *size,
		      struct err *e)
{
	struct query q;
	struct node n;
	const uint8_t *target;
	size_t attrs_size;
	int rc = -1;

	*out = NULL;
	*size = 0;
	if (node_start(&q, c, node, &n, e) < 0)
		goto out;
	const uint8_t *attrs = query_column_blob(&q, 2, 1, ATTRS_MAX + SYMLINK_MAX,
						 &attrs_size);
	if (n.kind != NODE_SYMLINK) {
		err_set(e, MUNI_USAGE, "node %" PRId64 " is not a symbolic link", node);
		goto out;
	}
	if (!attrs || !attrs_parse(attrs, attrs_size, &n, &target) || !target ||
	    memchr(target, 0, (size_t)n.size)) {
		catalogue_damaged(c, e, "the link target of node %" PRId64 " does not read",
				  node);
		goto out;
	}
	*out = malloc((size_t)n.size + 1);
	if (!*out) {
		err_set(e, MUNI_NO_MEMORY, "reading a link: no memory");
		goto out;
	}
	memcpy(*out, target, (size_t)n.size);
	(*out)[n.size] = '\0';
	*size = (size_t)n.size;
	rc = 0;
out:
	query_close(&q);
	return rc;
}

int catalogue_xattrs(struct catalogue *c, int64_t id, uint8_t **out, size_t *size,
		     struct err *e)
{
	struct query q;
	int rc = -1;

	*out = NULL;
	*size = 0;
	if (query_open(&q, c, STATEMENT_XATTRS, "SELECT value FROM xattr WHERE id = ?", e) < 0)
		return -1;
	query_int(&q, id);
	int got = query_step(&q, e);
	if (got < 0)
		goto out;
	size_t bytes = 0;
	const uint8_t *value = got == 0 ? NULL :
		query_column_blob(&q, 0, 1, XATTRS_BYTES_MAX, &bytes);
	if (!value) {
		catalogue_damaged(c, e, "extended attributes %" PRId64 " are missing or do "
				  "not read", id);
		goto out;
	}
	*out = malloc(bytes);
	if (!*out) {
		err_set(e, MUNI_NO_MEMORY, "reading extended attributes: no memory");
		goto out;
	}
	memcpy(*out, value, bytes);
	*size = bytes;
	rc = 0;
out:
	query_close(&q);
	return rc;
}
