/*
 * The functions that the copy's SELECTs ask, row by row: bits and callbacks as SQL
 * sees them.  A row that cannot be answered for ends the copy.
 */
#include <inttypes.h>
#include <string.h>

#include "fs/store/catalogue_copy_inside.h"

static struct copy_state *state_of(sqlite3_context *context)
{
	return sqlite3_user_data(context);
}

static void has_bit(sqlite3_context *context, const struct bits *b, sqlite3_value *id)
{
	sqlite3_result_int(context, b && bits_has(b, sqlite3_value_int64(id)));
}

#define BIT_FUNCTION(name, set) \
	static void name(sqlite3_context *context, int count, sqlite3_value **v) \
	{ \
		(void)count; \
		has_bit(context, state_of(context)->k->set, v[0]); \
	}

BIT_FUNCTION(is_system_gone, systems_gone)
BIT_FUNCTION(is_system_touched, systems_touched)
BIT_FUNCTION(is_version_gone, versions_gone)
BIT_FUNCTION(is_directory_kept, directories)
BIT_FUNCTION(is_node_kept, nodes)
BIT_FUNCTION(is_content_kept, contents)
BIT_FUNCTION(is_xattr_kept, xattrs)
BIT_FUNCTION(is_account_kept, accounts)
BIT_FUNCTION(is_segment_kept, segments)
BIT_FUNCTION(is_block_kept, blocks)

/* ---- callbacks --------------------------------------------------------------------- */

struct text {
	const void *data;
	size_t size;
};

static struct text blob_of(sqlite3_value *v)
{
	const void *data = sqlite3_value_blob(v);
	int size = sqlite3_value_bytes(v);

	return (struct text){ data ? data : "", data && size > 0 ? (size_t)size : 0 };
}

static void is_entry_gone(sqlite3_context *context, int count, sqlite3_value **v)
{
	const struct catalogue_copy *k = state_of(context)->k;
	struct text name = blob_of(v[1]);

	(void)count;
	sqlite3_result_int(context, sqlite3_value_type(v[1]) == SQLITE_BLOB &&
			   k->is_entry_gone(k->arg, sqlite3_value_int64(v[0]), name.data,
					    name.size, sqlite3_value_int64(v[2])));
}

static void is_name_gone(sqlite3_context *context, int count, sqlite3_value **v)
{
	const struct catalogue_copy *k = state_of(context)->k;

	(void)count;
	sqlite3_result_int(context, k->is_name_gone(k->arg, sqlite3_value_int64(v[0]),
						    sqlite3_value_int64(v[1]),
						    sqlite3_value_int64(v[2])));
}

static void is_directory_gone(sqlite3_context *context, int count, sqlite3_value **v)
{
	const struct catalogue_copy *k = state_of(context)->k;
	int64_t last = sqlite3_value_type(v[2]) == SQLITE_NULL ? CATALOGUE_OPEN_ENDED :
		sqlite3_value_int64(v[2]);

	(void)count;
	sqlite3_result_int(context, k->is_directory_gone(k->arg, sqlite3_value_int64(v[0]),
							 sqlite3_value_int64(v[1]), last));
}

static bool path_is_gone(const struct catalogue_copy *k, sqlite3_value **v)
{
	struct text path = blob_of(v[1]);
	int64_t system = sqlite3_value_int64(v[0]);

	return sqlite3_value_type(v[1]) == SQLITE_BLOB &&
	       (bits_has(k->systems_gone, system) ||
		k->is_path_gone(k->arg, system, path.data, path.size));
}

static void is_path_gone(sqlite3_context *context, int count, sqlite3_value **v)
{
	(void)count;
	sqlite3_result_int(context, path_is_gone(state_of(context)->k, v));
}

/* Findings and decisions go by the item's id. */
static void is_item_gone(sqlite3_context *context, int count, sqlite3_value **v)
{
	struct copy_state *s = state_of(context);
	bool is_gone = path_is_gone(s->k, v);

	(void)count;
	if (is_gone && !bits_add(&s->items_gone, sqlite3_value_int64(v[2]))) {
		sqlite3_result_error_nomem(context);
		return;
	}
	sqlite3_result_int(context, is_gone);
}

static void is_original_gone(sqlite3_context *context, int count, sqlite3_value **v)
{
	struct copy_state *s = state_of(context);
	bool is_gone = path_is_gone(s->k, v);

	(void)count;
	if (is_gone && !bits_add(&s->originals_gone, sqlite3_value_int64(v[2]))) {
		sqlite3_result_error_nomem(context);
		return;
	}
	sqlite3_result_int(context, is_gone);
}

static void was_original_gone(sqlite3_context *context, int count, sqlite3_value **v)
{
	(void)count;
	has_bit(context, &state_of(context)->originals_gone, v[0]);
}

static void was_item_gone(sqlite3_context *context, int count, sqlite3_value **v)
{
	(void)count;
	has_bit(context, &state_of(context)->items_gone, v[0]);
}

static void is_problem_gone(sqlite3_context *context, int count, sqlite3_value **v)
{
	const struct catalogue_copy *k = state_of(context)->k;
	struct text path = blob_of(v[1]);

	(void)count;
	sqlite3_result_int(context, k->is_problem_gone(k->arg, sqlite3_value_int64(v[0]),
						       path.data, path.size));
}

static void is_scan_problem_gone(sqlite3_context *context, int count, sqlite3_value **v)
{
	const struct catalogue_copy *k = state_of(context)->k;
	struct text path = blob_of(v[1]);

	(void)count;
	sqlite3_result_int(context, k->is_scan_problem_gone(k->arg, sqlite3_value_int64(v[0]),
							    path.data, path.size));
}

static void is_detail_gone(sqlite3_context *context, int count, sqlite3_value **v)
{
	const struct catalogue_copy *k = state_of(context)->k;

	(void)count;
	sqlite3_result_int(context, k->is_detail_gone(k->arg, sqlite3_value_int64(v[0])));
}

static void is_hold_mute(sqlite3_context *context, int count, sqlite3_value **v)
{
	const struct catalogue_copy *k = state_of(context)->k;

	(void)count;
	sqlite3_result_int(context, k->is_hold_mute(k->arg, sqlite3_value_int64(v[0])));
}

/* ---- places of bytes ------------------------------------------------------------------ */

static bool place_of(const struct catalogue_copy *k, int64_t block, uint32_t at,
		     uint32_t size, struct chunk_place *out)
{
	*out = (struct chunk_place){ block, at, size };
	return bits_has(k->blocks, block) || k->moved(k->arg, block, at, size, out);
}

static bool chunk_place(sqlite3_context *context, sqlite3_value **v, struct chunk_place *out)
{
	int64_t at = sqlite3_value_int64(v[1]), size = sqlite3_value_int64(v[2]);

	return at >= 0 && size > 0 && at <= BLOCK_RAW_MAX && size <= BLOCK_RAW_MAX - at &&
	       place_of(state_of(context)->k, sqlite3_value_int64(v[0]), (uint32_t)at,
			(uint32_t)size, out);
}

static void chunk_block(sqlite3_context *context, int count, sqlite3_value **v)
{
	struct chunk_place p;

	(void)count;
	if (chunk_place(context, v, &p))
		sqlite3_result_int64(context, p.block);
}

static void chunk_at(sqlite3_context *context, int count, sqlite3_value **v)
{
	struct chunk_place p;

	(void)count;
	if (chunk_place(context, v, &p))
		sqlite3_result_int64(context, p.at);
}

static void refuse(sqlite3_context *context, int64_t content)
{
	struct copy_state *s = state_of(context);

	s->has_failed = true;
	err_set(&s->failure, MUNI_DAMAGED, "the catalogue is damaged: the extents of content %"
		PRId64 " do not read, or name bytes that are nowhere; run `muni verify`", content);
	sqlite3_result_error(context, s->failure.text, -1);
}

/* A page of extents stays a page: each of them is whole wherever it went. */
static void moved_extents(sqlite3_context *context, int count, sqlite3_value **v)
{
	const struct catalogue_copy *k = state_of(context)->k;
	int64_t content = sqlite3_value_int64(v[0]);
	int64_t offset = sqlite3_value_int64(v[1]);
	struct text packed = blob_of(v[2]);
	uint8_t raw[EXTENTS_PACKED_MAX];
	struct extent_page page;
	bool has_more, is_changed = false;

	(void)count;
	if (offset < 0 || !extents_parse((uint64_t)offset, packed.data, packed.size, &page,
					 &has_more)) {
		refuse(context, content);
		return;
	}
	for (unsigned i = 0; i < page.count; i++) {
		struct extent *x = &page.extents[i];
		struct chunk_place to;

		if (!place_of(k, x->block, x->at, x->size, &to)) {
			refuse(context, content);
			return;
		}
		is_changed = is_changed || to.block != x->block || to.at != x->at;
		x->block = to.block;
		x->at = to.at;
	}
	if (!is_changed) {
		sqlite3_result_value(context, v[2]);
		return;
	}
	size_t size = extents_pack((uint64_t)offset, page.extents, page.count, has_more, raw);
	if (size == 0)
		refuse(context, content);
	else
		sqlite3_result_blob64(context, raw, size, SQLITE_TRANSIENT);
}

/* ---- the table -------------------------------------------------------------------------- */

static const struct {
	const char *name;
	int count;
	void (*run)(sqlite3_context *context, int count, sqlite3_value **v);
} functions[] = {
	{ "is_system_gone", 1, is_system_gone },
	{ "is_system_touched", 1, is_system_touched },
	{ "is_version_gone", 1, is_version_gone },
	{ "is_directory_kept", 1, is_directory_kept },
	{ "is_node_kept", 1, is_node_kept },
	{ "is_content_kept", 1, is_content_kept },
	{ "is_xattr_kept", 1, is_xattr_kept },
	{ "is_account_kept", 1, is_account_kept },
	{ "is_segment_kept", 1, is_segment_kept },
	{ "is_block_kept", 1, is_block_kept },
	{ "is_entry_gone", 3, is_entry_gone },
	{ "is_name_gone", 3, is_name_gone },
	{ "is_directory_gone", 3, is_directory_gone },
	{ "is_path_gone", 2, is_path_gone },
	{ "is_item_gone", 3, is_item_gone },
	{ "was_item_gone", 1, was_item_gone },
	{ "is_original_gone", 3, is_original_gone },
	{ "was_original_gone", 1, was_original_gone },
	{ "is_problem_gone", 2, is_problem_gone },
	{ "is_scan_problem_gone", 2, is_scan_problem_gone },
	{ "is_detail_gone", 1, is_detail_gone },
	{ "is_hold_mute", 1, is_hold_mute },
	{ "chunk_block", 3, chunk_block },
	{ "chunk_at", 3, chunk_at },
	{ "moved_extents", 3, moved_extents },
};

#define FUNCTION_COUNT (sizeof functions / sizeof functions[0])

int copy_functions_add(struct catalogue *next, struct copy_state *s, struct err *e)
{
	for (size_t i = 0; i < FUNCTION_COUNT; i++) {
		int rc = sqlite3_create_function(next->db, functions[i].name,
						 functions[i].count,
						 SQLITE_UTF8 | SQLITE_DIRECTONLY, s,
						 functions[i].run, NULL, NULL);

		if (rc != SQLITE_OK)
			return catalogue_sql_error(next, rc, "copying the catalogue", e);
	}
	return 0;
}

void copy_functions_remove(struct catalogue *next)
{
	for (size_t i = 0; i < FUNCTION_COUNT; i++)
		sqlite3_create_function(next->db, functions[i].name, functions[i].count,
					SQLITE_UTF8, NULL, NULL, NULL, NULL);
}
