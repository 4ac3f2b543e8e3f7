/*
 * What the catalogue's files share: the handle, statements, row codecs.  Only
 * fs/store/catalogue*.c include this.
 *
 * Statements are prepared once a connection and reset before a call returns
 * (C3).  A call that is entered again from a row callback finds its statement
 * in use and works on a fresh one, so nesting is safe.
 */
#ifndef FS_STORE_CATALOGUE_INSIDE_H
#define FS_STORE_CATALOGUE_INSIDE_H

#include <sqlite3.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/store/catalogue.h"

#define CATALOGUE_APPLICATION_ID 0x4d554e49	/* "MUNI" */
#define SYMLINK_MAX 65535
#define PATH_BYTES_MAX (16u * 1024 * 1024)
#define XATTRS_BYTES_MAX (16u * 1024 * 1024)

enum statement {
	STATEMENT_BEGIN, STATEMENT_COMMIT, STATEMENT_DATA_VERSION,
	STATEMENT_META_GET, STATEMENT_META_PUT,
	STATEMENT_LOG_DETAIL_GET, STATEMENT_LOG_DETAIL_ADD,
	STATEMENT_SEQUENCE_GET, STATEMENT_SEQUENCE_MOVE,
	STATEMENT_SYSTEMS, STATEMENT_SYSTEM_FIND, STATEMENT_SYSTEM_GET,
	STATEMENT_SYSTEM_ANY, STATEMENT_SYSTEM_ADD,
	STATEMENT_VERSIONS, STATEMENT_VERSION_FIND, STATEMENT_VERSION_LATEST,
	STATEMENT_VERSION_GET, STATEMENT_VERSION_AT, STATEMENT_VERSION_PROOF,
	STATEMENT_VERSION_ANY_OPEN, STATEMENT_VERSION_LABEL, STATEMENT_VERSION_ADD,
	STATEMENT_VERSION_SEAL, STATEMENT_VERSION_RESIGN, STATEMENT_VERSION_NEWEST,
	STATEMENT_PROBLEMS, STATEMENT_PROBLEM_ADD,
	STATEMENT_CLASSES, STATEMENT_CLASS_FIND, STATEMENT_CLASS_ADD,
	STATEMENT_ACCOUNT_GET, STATEMENT_ACCOUNT_FIND, STATEMENT_ACCOUNT_ADD,
	STATEMENT_LOOKUP, STATEMENT_LOOKUP_NODE, STATEMENT_LIST, STATEMENT_LIST_NODES,
	STATEMENT_DIRECTORY, STATEMENT_DIRECTORY_NAME,
	STATEMENT_NODE, STATEMENT_SHA, STATEMENT_XATTRS,
	STATEMENT_EXTENTS, STATEMENT_EXTENTS_PAGE, STATEMENT_EXTENTS_NEXT,
	STATEMENT_EXTENTS_BETWEEN,
	STATEMENT_BLOCK, STATEMENT_BLOCKS, STATEMENT_BLOCKS_BETWEEN,
	STATEMENT_BLOCKS_WITHIN, STATEMENT_SEGMENTS,
	STATEMENT_CHUNK_FIND, STATEMENT_CHUNK_ANY, STATEMENT_CHUNK_COUNT,
	STATEMENT_SEGMENT_ADD, STATEMENT_BLOCK_ADD, STATEMENT_CHUNK_ADD,
	STATEMENT_SKETCH_ADD, STATEMENT_SKETCHES,
	STATEMENT_NODE_ADD, STATEMENT_CONTENT_ADD, STATEMENT_CONTENT_PAGE_ADD, STATEMENT_XATTRS_ADD,
	STATEMENT_ENTRY_ADD, STATEMENT_ENTRY_CLOSE, STATEMENT_ENTRY_DROP,
	STATEMENT_DIRECTORY_ADD, STATEMENT_DIRECTORY_CLOSE, STATEMENT_DIRECTORY_DROP,
	STATEMENT_SUBTREE_CHILDREN,
	STATEMENT_SUBTREE_DROP_ENTRIES, STATEMENT_SUBTREE_CLOSE_ENTRIES,
	STATEMENT_SUBTREE_DROP_DIRECTORY, STATEMENT_SUBTREE_CLOSE_DIRECTORY,
	STATEMENT_OPEN_VERSIONS,
	STATEMENT_SCAN_DEPENDENTS, STATEMENT_SCAN_CONTENT, STATEMENT_SCAN_NODE,
	STATEMENT_SCAN_ENTRY, STATEMENT_SCAN_ROOT, STATEMENT_SCAN_NAMES,
	STATEMENT_SCAN_INODES,
	STATEMENT_EACH_CONTENT, STATEMENT_EACH_DIRECTORY,
	STATEMENT_WHOLE_ENTRIES, STATEMENT_WHOLE_DIRECTORIES, STATEMENT_WHOLE_DIRECTORY_NEXT,
	STATEMENT_WHOLE_NODES, STATEMENT_WHOLE_EXTENTS, STATEMENT_WHOLE_BLOCKS,
	STATEMENT_WHOLE_ITEMS, STATEMENT_WHOLE_SYSTEMS, STATEMENT_WHOLE_VERSIONS,
	STATEMENT_WHOLE_DETAILS,
	STATEMENT_STUBS, STATEMENT_STUB_ADD, STATEMENT_STUB_ANY, STATEMENT_STUBS_CLOSE,
	STATEMENT_WORD_GET, STATEMENT_WORD_FIND, STATEMENT_WORD_ADD,
	STATEMENT_SCAN_RUNNING, STATEMENT_SCAN_STOP, STATEMENT_SCAN_LATEST,
	STATEMENT_SCAN_COMPLETE, STATEMENT_SCAN_ADD, STATEMENT_SCAN_RESUME,
	STATEMENT_SCAN_END, STATEMENT_SCAN_PROBLEMS, STATEMENT_SCAN_PROBLEM_ADD,
	STATEMENT_SCAN_PROBLEMS_CLEAR, STATEMENT_SCANNED_SYSTEM,
	STATEMENT_ITEM_FIND, STATEMENT_ITEM_ID, STATEMENT_ITEM_PUT, STATEMENT_ITEM_DROP,
	STATEMENT_ITEM_ORIGINALS, STATEMENT_SCAN_DIGEST_DROP,
	STATEMENT_ITEM_SETTLE, STATEMENT_ITEM_COPY, STATEMENT_ITEMS, STATEMENT_ITEMS_ANY,
	STATEMENT_FINDINGS, STATEMENT_FINDING_ADD, STATEMENT_FINDINGS_DROP,
	STATEMENT_POLICY_FIND, STATEMENT_POLICY_ADD, STATEMENT_POLICY_GET,
	STATEMENT_CLASSIFICATION_PUT, STATEMENT_CLASSIFICATION_GET,
	STATEMENT_DECISIONS_CLEAR, STATEMENT_DECISION_PUT, STATEMENT_DECISION_GET,
	STATEMENT_DECISION_FORGET,
	STATEMENT_OVERRIDE_PUT, STATEMENT_OVERRIDE_GET, STATEMENT_OVERRIDE_DROP,
	STATEMENT_CLASS_ACCESS, STATEMENT_CLASS_DEFINE, STATEMENT_CLASS_DEFINITION,
	STATEMENT_OFFICER_ADD, STATEMENT_OFFICER_IN_OFFICE, STATEMENT_OFFICER_REMOVE,
	STATEMENT_OFFICERS,
	STATEMENT_DISPOSITION_ADD, STATEMENT_DISPOSITION_GET, STATEMENT_DISPOSITION_STATE,
	STATEMENT_DISPOSITION_RESTORING,
	STATEMENT_LIST_KEY_PUT, STATEMENT_LIST_KEY_GET, STATEMENT_LIST_KEY_END,
	STATEMENT_DISPOSITIONS, STATEMENT_DISPOSITION_ITEM_PUT,
	STATEMENT_DISPOSITION_ITEM_OUTCOME,
	STATEMENT_DISPOSITION_ITEMS,
	STATEMENT_APPROVAL_PUT, STATEMENT_APPROVAL_ANY, STATEMENT_APPROVALS,
	STATEMENT_CERTIFICATE_ADD, STATEMENT_CERTIFICATES,
	STATEMENT_COPY_ADD, STATEMENT_COPY_CHANGE, STATEMENT_COPIES,
	STATEMENT_RECORDS, STATEMENT_RECORDS_WITHIN, STATEMENT_RECORD,
	STATEMENT_NODE_CLASSES, STATEMENT_NODE_CLASS_ADD, STATEMENT_CLASS_DEFINITIONS,
	STATEMENT_SHORTENING_PUT, STATEMENT_SHORTENINGS, STATEMENT_NODE_CLASS_ANY,
	STATEMENT_EVENT_PUT, STATEMENT_EVENTS,
	STATEMENT_HOLD_ADD, STATEMENT_HOLD_RELEASE, STATEMENT_HOLD_STATE, STATEMENT_HOLDS,
	STATEMENT_EXTENSION_ADD, STATEMENT_EXTENSIONS,
	STATEMENT_CLASS_BASE, STATEMENT_CLASS_TWIN_ADD,
	STATEMENT_NODE_RECLASS, STATEMENT_PATH_CLASSES, STATEMENT_PATH_CLASS_OVERRIDES,
	STATEMENT_ALL_ENTRIES, STATEMENT_ALL_NODES, STATEMENT_ALL_DIRECTORIES,
	STATEMENT_CLASS_NODES, STATEMENT_CLASS_NODES_BESIDE, STATEMENT_NAME_BEFORE,
	STATEMENT_NUMBERS_GET, STATEMENT_NUMBERS_PUT,
	STATEMENT_COUNT
};

struct catalogue {
	sqlite3 *db;
	int dirfd;		/* own duplicate: SQLite's path goes through it */
	uint64_t epoch;
	unsigned key_id;
	enum catalogue_mode mode;
	bool in_transaction;	/* between catalogue_begin() and its end */
	int64_t format;		/* of its tables */
	int64_t upgraded_from;	/* in this transaction; 0: not */
	struct words *words;	/* catalogue_words.c; owned; NULL: none kept yet */
	bool lacks_memory;	/* a value was not handed out: what follows is no damage */
	struct {
		sqlite3_stmt *prepared;
		bool in_use;
	} statements[STATEMENT_COUNT];
};

/* ---- statements (catalogue_query.c) ------------------------------------- */

/*
 * One run of a statement.  query_open(), bind in order, query_step() or
 * query_run(), query_close().  Columns are checked as they are read: one that
 * is not what it must be sets is_bad and reads as 0 or NULL; query_check()
 * turns that into MUNI_DAMAGED, before any value is believed; into MUNI_NO_MEMORY
 * where the value is sound and there was no room for a copy of it.
 */
struct query {
	struct catalogue *c;
	sqlite3_stmt *stmt;
	enum statement which;
	bool is_cached;
	bool is_bad;
	int bound;
	int rc;			/* first failed bind */
};

int query_open(struct query *q, struct catalogue *c, enum statement which,
	       const char *sql, struct err *e);
/* The same for a writer: refuses outside a transaction. */
int query_open_write(struct query *q, struct catalogue *c, enum statement which,
		     const char *sql, struct err *e);
void query_int(struct query *q, int64_t v);
void query_unsigned(struct query *q, uint64_t v);	/* over INT64_MAX: MUNI_LIMIT */
void query_blob(struct query *q, const void *data, size_t size);	/* until close */
void query_text(struct query *q, const char *text);
void query_null(struct query *q);
void query_id_or_null(struct query *q, int64_t id);	/* 0 is NULL */
/* The present row is not to be believed, and nothing is wrong with it. */
void query_lacks_memory(struct query *q);
/* 1 a row, 0 no more, -1 an error. */
int query_step(struct query *q, struct err *e);
/* Steps a statement that gives no rows, and closes. */
int query_run(struct query *q, struct err *e);
void query_reset(struct query *q);	/* for the next run; binds start over */
void query_close(struct query *q);
/* Ends a walk over rows: `got` is what query_step() said last, `answer` what came of the last
 * row: 0, above 0 (enough was seen), below (failed).  Closes; 0 or -1. */
int query_end(struct query *q, int got, int answer);

int64_t query_column(struct query *q, int column, int64_t min, int64_t max);
int64_t query_column_id(struct query *q, int column);	/* 1.. */
int64_t query_column_last(struct query *q, int column);	/* NULL: OPEN_ENDED */
/* NULL and is_bad unless a blob of min..max bytes; valid until the next step. */
const uint8_t *query_column_blob(struct query *q, int column, size_t min, size_t max,
				 size_t *size);
void query_column_bytes(struct query *q, int column, void *out, size_t size);
void query_column_text(struct query *q, int column, char *out, size_t out_size);
bool query_column_is_null(struct query *q, int column);
/* A malloc'ed copy of text without NUL, of at most max bytes; else NULL and is_bad. */
char *query_column_copy(struct query *q, int column, size_t max);
int query_check(struct query *q, const char *what, int64_t id, struct err *e);
/* Rows of path and sentence for one id, the statement open and unbound; closes it. */
int query_problems(struct query *q, const char *of, int64_t id,
		   int (*row)(void *arg, const void *path, size_t path_size,
			      const char *what), void *arg, struct err *e);

/* The error of the connection's last call, as our codes and in our words. */
int catalogue_sql_error(struct catalogue *c, int rc, const char *doing, struct err *e);
int catalogue_damaged(struct catalogue *c, struct err *e, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int catalogue_exec(struct catalogue *c, const char *sql, struct err *e);
/* The integer in the first column of the first row. */
int catalogue_exec_int(struct catalogue *c, const char *sql, int64_t *out, struct err *e);

/* ---- schema (catalogue_schema.c) ----------------------------------------- */

/* Refuses what is no catalogue or of a newer format; an older one is read as it is. */
int catalogue_schema_check(struct catalogue *c, struct err *e);
/* format 0: the newest. */
int catalogue_schema_create(struct catalogue *c, int64_t format, struct err *e);
/* MUNI_NOT_FOUND where the tables of `what` came with a later format. */
int catalogue_need_format(struct catalogue *c, int64_t format, const char *what,
			  struct err *e);
#define CATALOGUE_FORMAT_INVENTORY 2
#define CATALOGUE_FORMAT_DECISIONS 3
#define CATALOGUE_FORMAT_RETENTION 4
#define CATALOGUE_FORMAT_LIST_KEYS 5
#define CATALOGUE_FORMAT_NUMBERS 5

/* ---- words (catalogue_words.c) -------------------------------------------- */

/* Texts that stand in very many rows and say nothing of anybody (MIME types,
 * encodings, recognisers), and the names of accounts: kept once a connection. */
enum word_kind { WORD_PLAIN, WORD_ACCOUNT };
#define WORD_MAX 255
/* text NULL: 0. */
int catalogue_word_intern(struct catalogue *c, enum word_kind kind, const char *text,
			  int64_t *id, struct err *e);
/* *text NULL for id 0; borrowed until catalogue_words_forget().  MUNI_DAMAGED. */
int catalogue_word(struct catalogue *c, enum word_kind kind, int64_t id, const char **text,
		   struct err *e);
/* What was interned in a transaction that was rolled back is not there. */
void catalogue_words_forget(struct catalogue *c);

/* ---- codecs (catalogue_attrs.c, catalogue_extents.c) --------------------- */

/* Small numbers of either sign as small numbers. */
static inline uint64_t zigzag(int64_t v)
{
	return (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0);
}

static inline int64_t unzigzag(uint64_t v)
{
	return (int64_t)(v >> 1 ^ (v & 1 ? UINT64_MAX : 0));
}

#define ATTRS_MAX 192		/* without a symlink's target */

/* docs/format.md, "Attributes".  0: a field is out of range. */
size_t attrs_pack(const struct node *n, uint8_t out[ATTRS_MAX]);
/* Fills all of n but id, content, class_id, sha256.  *target points into data
 * (symlinks; n->size bytes).  false: does not parse. */
bool attrs_parse(const uint8_t *data, size_t size, struct node *n, const uint8_t **target);

#define EXTENTS_PACKED_MAX (16 + EXTENTS_A_PAGE * 32)

size_t extents_pack(uint64_t page, const struct extent *extents, unsigned count,
		    bool has_more, uint8_t out[EXTENTS_PACKED_MAX]);
bool extents_parse(uint64_t page, const uint8_t *data, size_t size,
		   struct extent_page *out, bool *has_more);

/* ---- shared between files ------------------------------------------------ */

bool entry_name_is_sound(const void *name, size_t size);
/* A row of the table node in columns `at`..: content, class, attrs. */
void node_from_row(struct query *q, int at, struct node *n);
/* Internal sequences go on after the public ones. */
enum { SEQUENCE_VERSION = SEQUENCE_COUNT, SEQUENCE_SYSTEM, SEQUENCE_ACCOUNT,
	SEQUENCE_CLASS, SEQUENCE_SCAN, SEQUENCE_ITEM, SEQUENCE_WORD, SEQUENCE_POLICY,
	SEQUENCE_HOLD, SEQUENCE_EXTENSION, SEQUENCE_DISPOSITION, SEQUENCE_CERTIFICATE,
	SEQUENCE_COPY, SEQUENCE_ALL };
extern const char *const catalogue_sequence_names[SEQUENCE_ALL];
int catalogue_sequence_next(struct catalogue *c, unsigned sequence, int64_t *next,
			    struct err *e);
int catalogue_sequence_take(struct catalogue *c, unsigned sequence, uint64_t count,
			    int64_t *first, struct err *e);

/* High-water marks that a version in progress keeps for catalogue_recover(). */
#define MARKS_COUNT 3
#define MARKS_SIZE (MARKS_COUNT * 8)
extern const unsigned catalogue_marked[MARKS_COUNT];

/*
 * Every path of a name in a directory (name_size 0: of the directory itself) within
 * versions first..last, each with the versions of it.  row: as in catalogue_list().
 */
int catalogue_paths(struct catalogue *c, int64_t directory, int64_t first, int64_t last,
		    const void *name, size_t name_size,
		    int (*row)(void *arg, int64_t system, const void *path, size_t path_size,
			       int64_t first, int64_t last),
		    void *arg, struct err *e);
/* The newest version that a reader can see; 0: none. */
int catalogue_newest_sealed(struct catalogue *c, int64_t *out, struct err *e);

/* A growing set of ids; id_set_seal() sorts, then id_set_has() may be asked. */
struct id_set {
	int64_t *ids;
	size_t count, capacity;
};
bool id_set_add(struct id_set *s, int64_t id);	/* false: no memory */
void id_set_seal(struct id_set *s);
bool id_set_has(const struct id_set *s, int64_t id);
void id_set_free(struct id_set *s);

#endif
