/*
 * The one writer's verbs.  Closing a row that began after `last` drops it: it
 * stood in no version.
 */
#include "fs/store/catalogue_inside.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/text.h"
#include "fs/store/catalogue_items.h"

/* ---- versions ------------------------------------------------------------------------ */

int catalogue_is_in_progress(struct catalogue *c, bool *out, struct err *e)
{
	struct query q;

	*out = false;
	if (query_open(&q, c, STATEMENT_VERSION_ANY_OPEN,
		       "SELECT id FROM version WHERE state = 0 LIMIT 1", e) < 0)
		return -1;
	int got = query_step(&q, e);
	query_close(&q);
	*out = got > 0;
	if (got != 0)
		return got < 0 ? -1 : 0;
	return catalogue_scan_is_running(c, out, e);
}

static int refuse_second_open(struct catalogue *c, struct err *e)
{
	bool is_there;

	if (catalogue_is_in_progress(c, &is_there, e) < 0)
		return -1;
	if (is_there)
		return err_set(e, MUNI_BUSY, "another version or a scan is in progress, or was "
			       "left by a crash and is not cleared yet");
	return 0;
}

/* Fills previous, root and name; refuses a label that is taken. */
static int place_version(struct catalogue *c, struct version *v, struct err *e)
{
	struct query q;
	int rc = -1;

	if (query_open(&q, c, STATEMENT_VERSION_LABEL, "SELECT name, root,"
		       " (SELECT ifnull(max(id), 0) FROM version WHERE system = ?1),"
		       " EXISTS (SELECT 1 FROM version WHERE system = ?1 AND label = ?2)"
		       " FROM system WHERE id = ?1", e) < 0)
		return -1;
	query_int(&q, v->system);
	query_text(&q, v->label);
	int got = query_step(&q, e);
	if (got == 0)
		err_set(e, MUNI_NOT_FOUND, "there is no system %" PRId64, v->system);
	if (got <= 0)
		goto out;
	query_column_text(&q, 0, v->system_name, sizeof v->system_name);
	v->root = query_column_id(&q, 1);
	v->previous = query_column(&q, 2, 0, INT64_MAX - 1);
	bool is_taken = query_column(&q, 3, 0, 1);
	if (query_check(&q, "system", v->system, e) < 0)
		goto out;
	rc = !is_taken ? 0 : err_set(e, MUNI_EXISTS, "system \"%s\" has a version \"%s\" "
				     "already; give another --version",
				     text_printable(v->system_name), text_printable(v->label));
out:
	query_close(&q);
	return rc;
}

/* What recovery takes back: every node, content and xattr set from here on. */
static int marks_now(struct catalogue *c, uint8_t out[MARKS_SIZE], struct err *e)
{
	struct writer w = writer_over(out, MARKS_SIZE);
	int64_t next;

	for (unsigned i = 0; i < MARKS_COUNT; i++) {
		if (catalogue_sequence_next(c, catalogue_marked[i], &next, e) < 0)
			return -1;
		writer_u64(&w, (uint64_t)next);
	}
	return 0;
}

int catalogue_version_begin(struct catalogue *c, struct version *v, struct err *e)
{
	uint8_t marks[MARKS_SIZE];
	struct query q;

	if (refuse_second_open(c, e) < 0 || place_version(c, v, e) < 0 ||
	    marks_now(c, marks, e) < 0 ||
	    catalogue_sequence_take(c, SEQUENCE_VERSION, 1, &v->id, e) < 0 ||
	    query_open_write(&q, c, STATEMENT_VERSION_ADD, "INSERT INTO version(id, system,"
			     " label, previous, at, ingested, state, source_kind, marks)"
			     " VALUES(?, ?, ?, ?, ?, ?, 0, ?, ?)", e) < 0)
		return -1;
	v->state = VERSION_OPEN;
	query_int(&q, v->id);
	query_int(&q, v->system);
	query_text(&q, v->label);
	query_int(&q, v->previous);
	query_int(&q, v->at);
	query_int(&q, v->ingested);
	query_text(&q, v->source_kind);
	query_blob(&q, marks, sizeof marks);
	return query_run(&q, e);
}

int catalogue_version_seal(struct catalogue *c, const struct version *v,
			   const char *statement, const uint8_t *signature,
			   size_t signature_size, struct err *e)
{
	struct query q;

	if (v->state != VERSION_COMPLETE && v->state != VERSION_INCOMPLETE)
		return err_set(e, MUNI_USAGE, "a version is sealed as complete or incomplete");
	if (query_open_write(&q, c, STATEMENT_VERSION_SEAL, "UPDATE version SET state = ?,"
			     " at = ?, ingested = ?, merkle = ?, directories = ?, files = ?,"
			     " others = ?, bytes = ?, added_raw = ?, added_stored = ?,"
			     " problems = ?, source_kind = ?, statement = ?, signature = ?,"
			     " marks = NULL WHERE id = ? AND state = 0", e) < 0)
		return -1;
	query_int(&q, v->state);
	query_int(&q, v->at);
	query_int(&q, v->ingested);
	query_blob(&q, v->merkle.bytes, DIGEST_SIZE);
	query_unsigned(&q, v->directories);
	query_unsigned(&q, v->files);
	query_unsigned(&q, v->others);
	query_unsigned(&q, v->bytes);
	query_unsigned(&q, v->added_raw);
	query_unsigned(&q, v->added_stored);
	query_unsigned(&q, v->problems);
	query_text(&q, v->source_kind);
	query_text(&q, statement);
	query_blob(&q, signature, signature_size);
	query_int(&q, v->id);
	if (query_run(&q, e) < 0)
		return -1;
	if (sqlite3_changes(c->db) != 1)
		return err_set(e, MUNI_NOT_FOUND, "version %" PRId64 " is not in progress",
			       v->id);
	return 0;
}

int catalogue_version_resign(struct catalogue *c, int64_t id, const uint8_t *signature,
			     size_t signature_size, struct err *e)
{
	struct query q;

	if (query_open_write(&q, c, STATEMENT_VERSION_RESIGN, "UPDATE version SET signature = ?"
			     " WHERE id = ? AND state <> 0", e) < 0)
		return -1;
	query_blob(&q, signature, signature_size);
	query_int(&q, id);
	return query_run(&q, e);
}

/* ---- nodes ------------------------------------------------------------------------------ */

static int add_attrs(struct catalogue *c, const struct node *n, const void *attrs,
		     size_t size, struct err *e)
{
	struct query q;

	if (query_open_write(&q, c, STATEMENT_NODE_ADD, "INSERT INTO"
			     " node(id, content, class, attrs) VALUES(?, ?, ?, ?)", e) < 0)
		return -1;
	query_int(&q, n->id);
	query_int(&q, n->content);
	query_int(&q, n->class_id);
	query_blob(&q, attrs, size);
	return query_run(&q, e);
}

int catalogue_node_add(struct catalogue *c, const struct node *n, const char *symlink,
		       struct err *e)
{
	uint8_t raw[ATTRS_MAX];
	size_t size = attrs_pack(n, raw);
	size_t target = n->kind == NODE_SYMLINK && symlink ? (size_t)n->size : 0;

	if (size == 0 || n->id < 1 || n->class_id < 1 || n->content < 0 ||
	    (n->content && n->kind != NODE_FILE))
		return err_set(e, MUNI_LIMIT, "an attribute of node %" PRId64
			       " is out of range", n->id);
	if (n->kind != NODE_SYMLINK)
		return add_attrs(c, n, raw, size, e);
	if (target < 1 || target > SYMLINK_MAX || memchr(symlink, 0, target))
		return err_set(e, MUNI_LIMIT, "a symbolic link's target of %" PRIu64 " bytes "
			       "cannot be kept; 1 to %d can, without NUL", n->size, SYMLINK_MAX);

	uint8_t *joined = malloc(size + target);
	if (!joined)
		return err_set(e, MUNI_NO_MEMORY, "keeping a link: no memory");
	memcpy(joined, raw, size);
	memcpy(joined + size, symlink, target);
	int rc = add_attrs(c, n, joined, size + target, e);
	free(joined);
	return rc;
}

int catalogue_xattrs_add(struct catalogue *c, int64_t id, const void *set, size_t size,
			 struct err *e)
{
	struct query q;

	if (size < 1 || size > XATTRS_BYTES_MAX)
		return err_set(e, MUNI_LIMIT, "extended attributes of %zu bytes cannot be kept",
			       size);
	if (query_open_write(&q, c, STATEMENT_XATTRS_ADD,
			     "INSERT INTO xattr(id, value) VALUES(?, ?)", e) < 0)
		return -1;
	query_int(&q, id);
	query_blob(&q, set, size);
	return query_run(&q, e);
}

/* ---- entries and directories -------------------------------------------------------------- */

int catalogue_entry_add(struct catalogue *c, int64_t directory, const struct entry *entry,
			struct err *e)
{
	struct query q;

	if (!entry_name_is_sound(entry->name, entry->name_size))
		return err_set(e, MUNI_LIMIT, "\"%s\" cannot be a name",
			       text_printable_n(entry->name, entry->name_size));
	if (query_open_write(&q, c, STATEMENT_ENTRY_ADD, "INSERT INTO entry(dir, name, first,"
			     " last, kind, target, salt) VALUES(?, ?, ?, NULL, ?, ?, ?)",
			     e) < 0)
		return -1;
	query_int(&q, directory);
	query_blob(&q, entry->name, entry->name_size);
	query_int(&q, entry->first);
	query_int(&q, entry->kind);
	query_int(&q, entry->kind == NODE_DIRECTORY ? entry->directory : entry->node);
	query_blob(&q, entry->salt, sizeof entry->salt);
	return query_run(&q, e);
}

static int changed_one(struct catalogue *c, const char *what, int64_t id, struct err *e)
{
	if (sqlite3_changes(c->db) == 1)
		return 0;
	return err_set(e, MUNI_NOT_FOUND, "%s %" PRId64 " is not there to be closed", what, id);
}

int catalogue_entry_close(struct catalogue *c, int64_t directory, const void *name,
			  size_t name_size, int64_t first, int64_t last, struct err *e)
{
	struct query q;
	bool drops = last < first;

	if (query_open_write(&q, c, drops ? STATEMENT_ENTRY_DROP : STATEMENT_ENTRY_CLOSE, drops
			     ? "DELETE FROM entry"
			       " WHERE dir = ? AND name = ? AND first = ? AND last IS NULL"
			     : "UPDATE entry SET last = ?4"
			       " WHERE dir = ?1 AND name = ?2 AND first = ?3 AND last IS NULL",
			     e) < 0)
		return -1;
	query_int(&q, directory);
	query_blob(&q, name, name_size);
	query_int(&q, first);
	if (!drops)
		query_int(&q, last);
	return query_run(&q, e) < 0 ? -1 : changed_one(c, "an entry of directory", directory, e);
}

int catalogue_directory_add(struct catalogue *c, const struct directory *d, struct err *e)
{
	struct query q;

	if (query_open_write(&q, c, STATEMENT_DIRECTORY_ADD, "INSERT INTO directory(id, first,"
			     " last, parent, node, root) VALUES(?, ?, NULL, ?, ?, ?)", e) < 0)
		return -1;
	query_int(&q, d->id);
	query_int(&q, d->first);
	query_int(&q, d->parent);
	query_int(&q, d->node);
	query_blob(&q, d->root.bytes, DIGEST_SIZE);
	return query_run(&q, e);
}

int catalogue_directory_close(struct catalogue *c, int64_t id, int64_t first, int64_t last,
			      struct err *e)
{
	struct query q;
	bool drops = last < first;

	if (query_open_write(&q, c, drops ? STATEMENT_DIRECTORY_DROP :
			     STATEMENT_DIRECTORY_CLOSE, drops
			     ? "DELETE FROM directory"
			       " WHERE id = ? AND first = ? AND last IS NULL"
			     : "UPDATE directory SET last = ?3"
			       " WHERE id = ?1 AND first = ?2 AND last IS NULL", e) < 0)
		return -1;
	query_int(&q, id);
	query_int(&q, first);
	if (!drops)
		query_int(&q, last);
	return query_run(&q, e) < 0 ? -1 : changed_one(c, "directory", id, e);
}

/* ---- whole subtrees -------------------------------------------------------------------------- */

static int push_children(struct catalogue *c, int64_t directory, struct id_set *stack,
			 bool (*is_kept)(void *arg, int64_t id), void *arg, struct err *e)
{
	struct query q;
	int got;

	if (query_open(&q, c, STATEMENT_SUBTREE_CHILDREN, "SELECT target FROM entry"
		       " WHERE dir = ? AND kind = 2 AND last IS NULL", e) < 0)
		return -1;
	query_int(&q, directory);
	while ((got = query_step(&q, e)) > 0) {
		int64_t id = query_column_id(&q, 0);

		if (query_check(&q, "an entry of directory", directory, e) < 0 ||
		    (!(is_kept && is_kept(arg, id)) && !id_set_add(stack, id) &&
		     err_set(e, MUNI_NO_MEMORY, "closing a directory: no memory") < 0)) {
			got = -1;
			break;
		}
	}
	query_close(&q);
	return got;
}

static int close_level(struct catalogue *c, int64_t directory, int64_t last, struct err *e)
{
	static const struct {
		enum statement which;
		const char *sql;
	} acts[] = {
		{ STATEMENT_SUBTREE_DROP_ENTRIES, "DELETE FROM entry"
		  " WHERE dir = ? AND last IS NULL AND first > ?" },
		{ STATEMENT_SUBTREE_CLOSE_ENTRIES, "UPDATE entry SET last = ?2"
		  " WHERE dir = ?1 AND last IS NULL" },
		{ STATEMENT_SUBTREE_DROP_DIRECTORY, "DELETE FROM directory"
		  " WHERE id = ? AND last IS NULL AND first > ?" },
		{ STATEMENT_SUBTREE_CLOSE_DIRECTORY, "UPDATE directory SET last = ?2"
		  " WHERE id = ?1 AND last IS NULL" },
	};

	uint64_t stubs;

	for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++) {
		struct query q;

		if (query_open_write(&q, c, acts[i].which, acts[i].sql, e) < 0)
			return -1;
		query_int(&q, directory);
		query_int(&q, last);
		if (query_run(&q, e) < 0)
			return -1;
	}
	return catalogue_stubs_close(c, directory, last, &stubs, e);
}

int catalogue_subtree_close(struct catalogue *c, int64_t directory, int64_t last,
			    bool (*is_kept)(void *arg, int64_t id), void *arg,
			    struct err *e)
{
	struct id_set stack = { 0 };
	int rc = -1;

	if (!id_set_add(&stack, directory)) {
		err_set(e, MUNI_NO_MEMORY, "closing a directory: no memory");
		goto out;
	}
	/* Children are read before their entries close: a circle made by hostile
	 * rows finds nothing open the second time and ends. */
	while (stack.count > 0) {
		int64_t id = stack.ids[--stack.count];

		if (push_children(c, id, &stack, is_kept, arg, e) < 0 ||
		    close_level(c, id, last, e) < 0)
			goto out;
	}
	rc = 0;
out:
	id_set_free(&stack);
	return rc;
}
