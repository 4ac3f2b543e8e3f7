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

/*
 * The node that an entry shows in version ?1: one statement, not two, for the
 * price of a read transaction is what a lookup costs.  Lazy: the table of
 * directories is asked for directories only.
 */
#define NODE_OF_ENTRY \
	"CASE kind WHEN 2 THEN (SELECT node FROM directory d WHERE d.id = target" \
	"  AND d.first <= ?1 AND (d.last IS NULL OR d.last >= ?1)" \
	"  ORDER BY d.first DESC LIMIT 1) ELSE target END"
#define STANDS " AND first <= ?1 AND (last IS NULL OR last >= ?1)"
#define ENTRY_SELECT "SELECT " ENTRY_COLUMNS ", " NODE_OF_ENTRY " FROM entry"
#define ENTRY_NODE_SELECT \
	"SELECT " ENTRY_COLUMNS ", node.id, node.content, node.class, node.attrs" \
	" FROM entry LEFT JOIN node ON node.id = " NODE_OF_ENTRY

/* Columns on from 6: the node's id, and the node where it is wanted. */
static int shown_from_row(struct query *q, struct entry *entry, struct node *node,
			  const char *what, int64_t id, struct err *e)
{
	entry_from_row(q, entry);
	if (entry->kind == NODE_DIRECTORY && entry->directory != 0 &&
	    sqlite3_column_type(q->stmt, 6) == SQLITE_NULL)
		return catalogue_damaged(q->c, e, "directory %" PRId64 " is named but has no "
					 "row", entry->directory);
	entry->node = query_column_id(q, 6);
	if (node) {
		*node = (struct node){ .id = entry->node };
		node_from_row(q, 7, node);
		if (node->kind != entry->kind)
			q->is_bad = true;
	}
	return query_check(q, what, id, e);
}

static int lookup(struct catalogue *c, enum statement which, const char *sql, int64_t version,
		  int64_t directory, const void *name, size_t name_size, struct entry *out,
		  struct node *node, struct err *e)
{
	struct query q;

	if (query_open(&q, c, which, sql, e) < 0)
		return -1;
	query_int(&q, version);
	query_int(&q, directory);
	query_blob(&q, name, name_size);
	int got = query_step(&q, e);
	if (got > 0 && shown_from_row(&q, out, node, "an entry of directory", directory, e) < 0)
		got = -1;
	query_close(&q);
	if (got == 0)
		return err_set(e, MUNI_NOT_FOUND, "there is no \"%s\" here",
			       text_printable_n(name, name_size));
	return got < 0 ? -1 : 0;
}

#define LOOKUP_WHERE " WHERE dir = ?2 AND name = ?3" STANDS " ORDER BY first DESC LIMIT 1"

int catalogue_lookup(struct catalogue *c, int64_t version, int64_t directory,
		     const void *name, size_t name_size, struct entry *out, struct err *e)
{
	return lookup(c, STATEMENT_LOOKUP, ENTRY_SELECT LOOKUP_WHERE, version, directory, name,
		      name_size, out, NULL, e);
}

int catalogue_lookup_node(struct catalogue *c, int64_t version, int64_t directory,
			  const void *name, size_t name_size, struct entry *out,
			  struct node *node, struct err *e)
{
	return lookup(c, STATEMENT_LOOKUP_NODE, ENTRY_NODE_SELECT LOOKUP_WHERE, version,
		      directory, name, name_size, out, node, e);
}

#define LIST_WHERE " WHERE dir = ?2 AND name > ?3" STANDS " ORDER BY dir, name"

int catalogue_list(struct catalogue *c, int64_t version, int64_t directory,
		   const void *after, size_t after_size, bool with_nodes,
		   int (*row)(void *arg, const struct entry *entry,
			      const struct node *node),
		   void *arg, struct err *e)
{
	struct query q;
	struct entry entry;
	struct node room, *node = with_nodes ? &room : NULL;
	char before[CATALOGUE_NAME_MAX + 1] = "";
	int got = 0, answer = 0;

	if (query_open(&q, c, with_nodes ? STATEMENT_LIST_NODES : STATEMENT_LIST, with_nodes ?
		       ENTRY_NODE_SELECT LIST_WHERE : ENTRY_SELECT LIST_WHERE, e) < 0)
		return -1;
	query_int(&q, version);
	query_int(&q, directory);
	query_blob(&q, after, after_size);
	while (answer == 0 && (got = query_step(&q, e)) > 0) {
		if (shown_from_row(&q, &entry, node, "an entry of directory", directory, e) < 0)
			answer = -1;
		else if (strcmp(before, entry.name) == 0)	/* ranges of one name overlap */
			answer = catalogue_damaged(c, e, "a name stands twice in directory %"
						   PRId64, directory);
		else {
			memcpy(before, entry.name, (size_t)entry.name_size + 1);
			answer = row(arg, &entry, node);
		}
	}
	return query_end(&q, got, answer);
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

	if (query_open(&q, c, STATEMENT_DIRECTORY_NAME,
		       ENTRY_SELECT " WHERE kind = 2 AND target = ?2" STANDS " LIMIT 1", e) < 0)
		return -1;
	query_int(&q, version);
	query_int(&q, id);
	int got = query_step(&q, e);
	if (got > 0 && shown_from_row(&q, out, NULL, "the name of directory", id, e) < 0)
		got = -1;
	query_close(&q);
	if (got == 0)
		return err_set(e, MUNI_NOT_FOUND, "directory %" PRId64 " has no name in "
			       "version %" PRId64, id, version);
	return got < 0 ? -1 : 0;
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

int catalogue_node_digest(struct catalogue *c, struct node *n, struct err *e)
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
		       " WHERE id = ?", e) < 0)
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
	return rc < 0 || !with_digest ? rc : catalogue_node_digest(c, out, e);
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
