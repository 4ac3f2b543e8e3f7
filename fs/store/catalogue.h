/*
 * The catalogue: what stands where, in one encrypted SQLite database an epoch.
 * docs/format.md, "Tables", gives every table.  The only file (with its
 * catalogue_*.c) that speaks SQL.
 *
 * A handle is one connection and belongs to one thread at a time.  Any number
 * of readers live beside one writer, also in other processes.
 *
 * A row callback runs while its statement stands open, which keeps the WAL from
 * being reset: let it be short.  It may call any reading function on the same
 * handle, also the one that it is called from; it may not write or begin.
 *
 *   C1  A reader that asks for version N sees exactly version N, whatever a
 *       writer is doing: rows of a version in progress carry a higher number.
 *   C2  Ids are never reused, also after deletion, VACUUM or a new epoch.
 *   C3  A reader holds no transaction between calls unless it asked for one.
 *   C4  Every row is hostile until checked: a blob that does not parse, a
 *       number out of range is MUNI_DAMAGED, never an assert.
 */
#ifndef FS_STORE_CATALOGUE_H
#define FS_STORE_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fs/crypt/digest.h"
#include "fs/store/block.h"
#include "fs/store/log.h"
#include "fs/store/parity.h"

struct err;
struct catalogue;

#define CATALOGUE_NAME_MAX 255
#define CATALOGUE_OPEN_ENDED INT64_MAX	/* `last` of an entry that still stands */

/* ---- opening ---------------------------------------------------------- */

enum catalogue_mode {
	CATALOGUE_READ,		/* beside a writer */
	CATALOGUE_READ_IMMUTABLE,	/* the folder cannot be written */
	CATALOGUE_WRITE,	/* caller holds the archive's lock */
};

/* The file under dirfd is "catalogue.EPOCH". key_id: pagevfs_key_add().
 * cache_bytes: SQLite's page cache for this connection. */
int catalogue_create(int dirfd, uint64_t epoch, unsigned key_id, struct catalogue **out,
		     struct err *e);
/* The same as an older program made it: for tests of the way up. */
int catalogue_create_format(int dirfd, uint64_t epoch, unsigned key_id, int64_t format,
			    struct catalogue **out, struct err *e);
int catalogue_open(int dirfd, uint64_t epoch, unsigned key_id, enum catalogue_mode mode,
		   size_t cache_bytes, struct catalogue **out, struct err *e);
/* A writer checkpoints with TRUNCATE first. */
void catalogue_close(struct catalogue *c);
/* The same, where another connection of this process is closed later: taking away what no
 * connection needs, which takes another opening, is left to that one. */
void catalogue_close_beside(struct catalogue *c);
/*
 * A catalogue of an older format is read as it is: what came later is absent
 * (MUNI_NOT_FOUND).  A writer brings it up, in a transaction of its own, before
 * it writes anything else; vault_open() does.
 */
bool catalogue_is_older(const struct catalogue *c);
int catalogue_upgrade(struct catalogue *c, struct err *e);

int catalogue_begin(struct catalogue *c, struct err *e);	/* IMMEDIATE for a writer */
int catalogue_commit(struct catalogue *c, struct err *e);
void catalogue_rollback(struct catalogue *c);
/* TRUNCATE checkpoint: afterwards there is no WAL content.  MUNI_BUSY if a
 * reader kept it from finishing. */
int catalogue_checkpoint(struct catalogue *c, struct err *e);
/* As much of the WAL as no reader is in the way of: less is left for the one above. */
int catalogue_checkpoint_some(struct catalogue *c, struct err *e);
/* For redo, digest and check; still owned by c. */
struct sqlite3 *catalogue_sqlite(struct catalogue *c);

/* MUNI_DAMAGED where the structure of its pages is unsound, or a row names another that is
 * not there: names, nodes, contents, blocks, segments.  One pass over all of it. */
int catalogue_check_sound(struct catalogue *c, struct err *e);

/* Has the kernel read the file ahead, where it is no larger than `most` bytes: a walk
 * asks for nearly all of it, a page here and a page there. */
void catalogue_warm(struct catalogue *c, uint64_t most);
/* Changes whenever a writer has committed; cheap (PRAGMA data_version). */
int catalogue_data_version(struct catalogue *c, int64_t *out, struct err *e);

/* ---- settings kept in the catalogue ------------------------------------ */

struct catalogue_settings {
	uint8_t archive_id[16];
	uint64_t epoch;
	uint64_t generation;	/* raised by every sealed version and key change */
	uint32_t block_size;	/* target of raw bytes a block */
	uint32_t level;		/* zstd */
	bool is_dense;		/* blocks may stand on blocks that stand on others */
	uint32_t chunk_names;	/* how chunks get theirs: CHUNK_NAMES_... */
	struct parity_strength parity;
	uint64_t page_seals;	/* under this epoch's key so far */
	struct digest base_digest;	/* unused until first redo */
};

int catalogue_settings_get(struct catalogue *c, struct catalogue_settings *out, struct err *e);
int catalogue_settings_put(struct catalogue *c, const struct catalogue_settings *s,
			   struct err *e);
/* What the adversarial check looks for (fs/vault/traces.h): one list at a time. *out is
 * malloc'ed; NULL: there is none. */
int catalogue_traces_get(struct catalogue *c, uint8_t **out, size_t *size, struct err *e);
int catalogue_traces_put(struct catalogue *c, const void *data, size_t size, struct err *e);
int catalogue_log_position_get(struct catalogue *c, struct log_position *out, struct err *e);
int catalogue_log_position_put(struct catalogue *c, const struct log_position *p,
			       struct err *e);
int catalogue_log_detail_add(struct catalogue *c, uint64_t sequence, const uint8_t salt[16],
			     const char *details, struct err *e);
/* *details malloc'ed; NULL where the details were destroyed. */
int catalogue_log_detail_get(struct catalogue *c, uint64_t sequence, uint8_t salt[16],
			     char **details, struct err *e);

/* The switch of epoch that is under way, and for which disposition (0: for the keys
 * alone); to 0: none is.  fs/vault/epoch.h. */
int catalogue_switch_get(struct catalogue *c, uint64_t *to, int64_t *disposition,
			 struct err *e);
int catalogue_switch_put(struct catalogue *c, uint64_t to, int64_t disposition,
			 struct err *e);

/* ---- systems and versions ---------------------------------------------- */

struct system {
	int64_t id;
	char name[132];
	int64_t root;		/* directory id, the same in every version */
};

enum version_state {		/* on disk: never renumber, never reuse */
	VERSION_OPEN = 0,	/* in progress: no reader sees it */
	VERSION_COMPLETE = 1,
	VERSION_INCOMPLETE = 2,	/* sealed, but some items could not be taken in */
	VERSION_DESTROYED = 3,	/* its statement and signature are left: no reader sees it */
};

/* In front of a number: the name of a system, the label of a version that was
 * destroyed.  Nobody can give such a name (a leading dot). */
#define CATALOGUE_GONE_NAME ".destroyed."

struct version {
	int64_t id;		/* ordered by ingest, over all systems */
	int64_t system;
	char system_name[132];
	char label[132];
	int64_t root;		/* directory id */
	int64_t previous;	/* version id before it in its system; 0 none */
	int64_t at;		/* decides @DATE; seconds */
	int64_t ingested;	/* seconds */
	enum version_state state;
	struct digest merkle;	/* root over its tree */
	uint64_t directories, files, others;	/* entries of each kind */
	uint64_t bytes;		/* logical, of regular files, a hard-link group once */
	uint64_t added_raw;	/* raw bytes of chunks that it brought */
	uint64_t added_stored;	/* their sealed bytes */
	uint64_t problems;
	char source_kind[32];	/* "directory", "tar", "zip" ... */
};

/* Systems with a sealed version, by name. */
int catalogue_systems(struct catalogue *c, int (*row)(void *arg, const struct system *s),
		      void *arg, struct err *e);
int catalogue_system_find(struct catalogue *c, const char *name, struct system *out,
			  struct err *e);	/* MUNI_NOT_FOUND */
int catalogue_system_get(struct catalogue *c, int64_t id, struct system *out, struct err *e);
/* Sealed versions only, oldest first; system 0: of all systems. */
int catalogue_versions(struct catalogue *c, int64_t system,
		       int (*row)(void *arg, const struct version *v), void *arg,
		       struct err *e);
/* label NULL: the latest.  MUNI_NOT_FOUND. */
int catalogue_version_find(struct catalogue *c, int64_t system, const char *label,
			   struct version *out, struct err *e);
int catalogue_version_get(struct catalogue *c, int64_t id, struct version *out,
			  struct err *e);
/* The one with the greatest `at` not after `when` (ties: the later ingest). */
int catalogue_version_at(struct catalogue *c, int64_t system, int64_t when,
			 struct version *out, struct err *e);
/* The statement that was signed (canonical JSON) and its CMS; both malloc'ed. */
int catalogue_version_proof(struct catalogue *c, int64_t id, char **statement,
			    uint8_t **signature, size_t *signature_size, struct err *e);
/* What could not be taken in, in path order. */
int catalogue_problems(struct catalogue *c, int64_t version,
		       int (*row)(void *arg, const void *path, size_t path_size,
				  const char *what), void *arg, struct err *e);

/* ---- nodes -------------------------------------------------------------- */

enum node_kind {		/* on disk: never renumber, never reuse */
	NODE_FILE = 1,
	NODE_DIRECTORY = 2,
	NODE_SYMLINK = 3,
	NODE_FIFO = 4,
	NODE_SOCKET = 5,
	NODE_CHAR = 6,
	NODE_BLOCK = 7,
};

struct stamp {
	int64_t seconds;
	uint32_t ns;
};

struct node {
	int64_t id;
	enum node_kind kind;
	uint32_t mode;		/* permission bits and setuid, setgid, sticky */
	uint32_t uid, gid;
	int64_t owner, group;	/* account ids (names); 0 unknown */
	uint64_t size;		/* files: bytes; symlinks: length of the target */
	uint64_t allocated;	/* files: bytes that are not hole */
	uint32_t links;		/* as the source said */
	uint32_t rdev_major, rdev_minor;
	struct stamp mtime, ctime, atime, btime;
	bool has_btime;
	bool is_unstable;	/* changed while it was read: see the problems */
	uint64_t source_device, source_inode;	/* 0: not a live directory */
	int64_t xattrs;		/* xattr set id; 0 none */
	int64_t content;	/* files with bytes: content id, also where all is hole (a
				 * content without extents keeps the digest); else 0 */
	int64_t class_id;
	struct digest sha256;	/* of a file's content as a reader sees it (zeros in holes);
				 * for an empty file SHA-256("").  Filled by catalogue_node()
				 * with_digest when content != 0 or the file is empty. */
	bool has_sha256;
};

/* One entry of a directory, in one version. */
struct entry {
	char name[CATALOGUE_NAME_MAX + 1];	/* bytes, NUL ended */
	uint16_t name_size;
	enum node_kind kind;
	int64_t first, last;	/* version ids; last may be CATALOGUE_OPEN_ENDED */
	int64_t directory;	/* kind directory: its id, else 0 */
	int64_t node;		/* else: the node's id.  For a directory: its node in
				 * the version that was asked for */
	uint8_t salt[16];
};

/*
 * The numbers by which an ingest believes that the files of a directory are unchanged, as
 * one digest: of a directory without sub-directories, as it stood in `version`.
 */
struct numbers {
	uint64_t device;	/* of the directory and all that is in it */
	struct digest digest;
};
/* *is_there false: none, or the directory has changed between them and `version`. */
int catalogue_numbers_get(struct catalogue *c, int64_t version, int64_t directory,
			  struct numbers *out, bool *is_there, struct err *e);
/* version: the one in progress.  In place of what was there. */
int catalogue_numbers_put(struct catalogue *c, int64_t version, int64_t directory,
			  const struct numbers *n, struct err *e);

/*
 * Stubs: bare Merkle leaves of entries that were destroyed, by directory and versions.
 * They belong to its tree, so that every root that was signed still holds.
 */
int catalogue_stubs(struct catalogue *c, int64_t version, int64_t directory,
		    int (*row)(void *arg, const struct digest *leaf), void *arg,
		    struct err *e);
/* Are there any, in any directory? */
int catalogue_stub_any(struct catalogue *c, bool *out, struct err *e);
int catalogue_stub_add(struct catalogue *c, int64_t directory, int64_t first, int64_t last,
		       const struct digest *leaf, struct err *e);	/* present: kept */
/* Those that stand open end with `last`, as entries do; *count: how many.  A directory
 * that has any and stands on in the version in progress gets a new root. */
int catalogue_stubs_close(struct catalogue *c, int64_t directory, int64_t last,
			  uint64_t *count, struct err *e);

/* MUNI_NOT_FOUND. */
int catalogue_lookup(struct catalogue *c, int64_t version, int64_t directory,
		     const void *name, size_t name_size, struct entry *out, struct err *e);
/* The same with its node (sha256 is not filled), for the price of one lookup. */
int catalogue_lookup_node(struct catalogue *c, int64_t version, int64_t directory,
			  const void *name, size_t name_size, struct entry *out,
			  struct node *node, struct err *e);
/*
 * Entries of a directory in one version in byte order of names, starting after
 * `after` (NULL: from the first).  With `node` filled when with_nodes (sha256
 * is not).  row() returns 0 to go on, 1 to stop (the call then returns 0), -1
 * for an error that it set in its own arg (the call returns -1 and leaves e).
 */
int catalogue_list(struct catalogue *c, int64_t version, int64_t directory,
		   const void *after, size_t after_size, bool with_nodes,
		   int (*row)(void *arg, const struct entry *entry,
			      const struct node *node),
		   void *arg, struct err *e);

struct directory {
	int64_t id;
	int64_t parent;		/* directory id; 0 for a system's root */
	int64_t node;
	int64_t first, last;
	struct digest root;	/* Merkle root over its leaves */
};

int catalogue_directory(struct catalogue *c, int64_t version, int64_t id,
			struct directory *out, struct err *e);
/* Where the directory stands in its parent: its name.  For paths in messages. */
int catalogue_directory_name(struct catalogue *c, int64_t version, int64_t id,
			     struct entry *out, struct err *e);
/* with_digest: also read the content row for sha256. */
int catalogue_node(struct catalogue *c, int64_t id, bool with_digest, struct node *out,
		   struct err *e);
/* The same of a node that is known but for its sha256. */
int catalogue_node_digest(struct catalogue *c, struct node *n, struct err *e);
/* Target of a symlink: malloc'ed, NUL ended, n->size bytes. */
int catalogue_symlink(struct catalogue *c, int64_t node, char **out, size_t *size,
		      struct err *e);
/*
 * A set of extended attributes as one blob (store/xattrs.h packs and reads it);
 * malloc'ed.
 */
int catalogue_xattrs(struct catalogue *c, int64_t id, uint8_t **out, size_t *size,
		     struct err *e);
int catalogue_account(struct catalogue *c, int64_t id, char out[256], struct err *e);

/* ---- content and blocks -------------------------------------------------- */

#define EXTENTS_A_PAGE 256

struct extent {			/* a run of a file's bytes; gaps between are holes */
	uint64_t offset;	/* in the file */
	uint32_t size;		/* 1..BLOCK_RAW_MAX */
	int64_t block;
	uint32_t at;		/* offset in the decoded block */
};

struct extent_page {
	uint64_t first;		/* this page answers for file offsets from here ... */
	uint64_t end;		/* ... to before here (UINT64_MAX: to the end) */
	unsigned count;
	struct extent extents[EXTENTS_A_PAGE];	/* by offset */
};

/* The page of extents that covers `offset`; MUNI_DAMAGED without such content. */
int catalogue_extents(struct catalogue *c, int64_t content, uint64_t offset,
		      struct extent_page *out, struct err *e);
/* The extents of contents with ids first..last, in order, of those that one page holds.
 * row(): 0 go on, 1 stop, -1 fail. */
int catalogue_extents_between(struct catalogue *c, int64_t first, int64_t last,
			      int (*row)(void *arg, int64_t content,
					 const struct extent_page *page),
			      void *arg, struct err *e);
/* With the segment's uid, so that the block can be fetched; MUNI_DAMAGED if it
 * is missing.  Bases always have lower ids than their dependents. */
int catalogue_block(struct catalogue *c, int64_t id, struct block *out,
		    uint8_t segment_uid[16], struct err *e);
/* Those of the blocks first..last that there are, in order; row: as in list. */
int catalogue_blocks_between(struct catalogue *c, int64_t first, int64_t last,
			     int (*row)(void *arg, const struct block *b,
					const uint8_t segment_uid[16]), void *arg,
			     struct err *e);
/* All blocks in order of (segment, offset); for verify. row: as in list. */
int catalogue_blocks(struct catalogue *c,
		     int (*row)(void *arg, const struct block *b,
				const uint8_t segment_uid[16]), void *arg, struct err *e);
/* Those that begin at first..last of a segment, in order.  row: as in list. */
int catalogue_blocks_within(struct catalogue *c, int64_t segment, uint64_t first, uint64_t last,
			    int (*row)(void *arg, const struct block *b,
				       const uint8_t segment_uid[16]), void *arg,
			    struct err *e);
/* All segments the catalogue knows. */
int catalogue_segments(struct catalogue *c,
		       int (*row)(void *arg, int64_t id, const uint8_t uid[16]), void *arg,
		       struct err *e);
/*
 * Files (every path in every version) that need any of the given blocks,
 * bases included: one scan of live extents.  versions: first..last as ids; a
 * file below a directory that was renamed is told once for each of its paths.
 */
int catalogue_files_of_blocks(struct catalogue *c, const int64_t *blocks, size_t count,
			      int (*row)(void *arg, int64_t system, const void *path,
					 size_t path_size, int64_t first, int64_t last,
					 int64_t node),
			      void *arg, struct err *e);

/* Every content once, through one of the nodes that have it, digest filled. */
int catalogue_contents(struct catalogue *c, int (*row)(void *arg, const struct node *n),
		       void *arg, struct err *e);
/* Every range of every directory that a sealed version can see. */
int catalogue_directories(struct catalogue *c,
			  int (*row)(void *arg, const struct directory *d), void *arg,
			  struct err *e);

/* ---- classes --------------------------------------------------------------- */

struct record_class {
	int64_t id;		/* 1 is the class "" of what nobody classified */
	char code[68];
	char access[512];	/* group names, comma separated; empty: everybody */
	bool is_restricted;	/* kept, barred from use: the mount shows nothing of it */
	int64_t base;		/* of a restricted twin: the class that retention goes by; else 0 */
};

int catalogue_classes(struct catalogue *c,
		      int (*row)(void *arg, const struct record_class *k), void *arg,
		      struct err *e);
/* Found or made. */
int catalogue_class_intern(struct catalogue *c, const char *code, int64_t *id,
			   struct err *e);

/*
 * ---- writing (one writer) ------------------------------------------------------
 * Every function that writes, settings and log details included, is called
 * between catalogue_begin() and _commit(): outside it is refused.  After an
 * error roll back: SQLite may have ended the transaction by itself.
 */

int catalogue_system_intern(struct catalogue *c, const char *name, struct system *out,
			    struct err *e);
/* A new version in state VERSION_OPEN; MUNI_EXISTS if the label is taken,
 * MUNI_BUSY if one is in progress (catalogue_recover() was not called).
 * Reads system, label, at, ingested, source_kind; fills id, root, previous,
 * system_name, state.  Commit as often as you like before it is sealed. */
int catalogue_version_begin(struct catalogue *c, struct version *v, struct err *e);
/* Sets state, times, counts, merkle, source_kind; statement and signature. */
int catalogue_version_seal(struct catalogue *c, const struct version *v,
			   const char *statement, const uint8_t *signature,
			   size_t signature_size, struct err *e);
/* Another signature over the statement of a version that is sealed. */
int catalogue_version_resign(struct catalogue *c, int64_t id, const uint8_t *signature,
			     size_t signature_size, struct err *e);
/*
 * Undoes what crashed ingests left: versions in state OPEN, their entries,
 * directories, nodes, contents; entries they had closed stand open again.
 * Blocks and chunks stay: the next ingest finds them.  Returns how many in
 * *count.  In one transaction of its own. */
int catalogue_recover(struct catalogue *c, unsigned *count, struct err *e);
/* Is a version or a scan in progress, or left so by a crash? */
int catalogue_is_in_progress(struct catalogue *c, bool *out, struct err *e);
int catalogue_problem_add(struct catalogue *c, int64_t version, const void *path,
			  size_t path_size, const char *what, struct err *e);

/* Ids from a high-water mark: `count` at once, *first is the first of them. */
enum catalogue_sequence { SEQUENCE_DIRECTORY, SEQUENCE_NODE, SEQUENCE_CONTENT,
	SEQUENCE_BLOCK, SEQUENCE_SEGMENT, SEQUENCE_XATTRS, SEQUENCE_COUNT };
int catalogue_reserve(struct catalogue *c, enum catalogue_sequence s, uint64_t count,
		      int64_t *first, struct err *e);

int catalogue_segment_add(struct catalogue *c, int64_t id, const uint8_t uid[16],
			  struct err *e);
int catalogue_block_add(struct catalogue *c, const struct block *b, struct err *e);

struct chunk_place {
	int64_t block;
	uint32_t at;
	uint32_t size;
};
/*
 * name: 128 bits made under the dedupe key (fs/vault/pack_name.h), of which a row keeps
 * the first CHUNK_NAME_KEPT bytes (all of them in rows before format 5).  So what is found
 * is a hint: two chunks can have the same row, and the caller compares what it leads to.
 */
enum chunk_names {		/* on disk: never renumber, never reuse */
	CHUNK_NAMES_DIGESTS = 1,	/* all by SHA-256; where nothing is said */
	CHUNK_NAMES_HASHED = 2,	/* those of cut files by a keyed hash */
};
#define CHUNK_NAME_SIZE 16
#define CHUNK_NAME_KEPT 6
int catalogue_chunk_find(struct catalogue *c, const uint8_t name[CHUNK_NAME_SIZE],
			 struct chunk_place *out, bool *is_found, struct err *e);
/* Instead of what the name led to: it was compared and found to be something else. */
int catalogue_chunk_add(struct catalogue *c, const uint8_t name[CHUNK_NAME_SIZE],
			const struct chunk_place *p, struct err *e);
int catalogue_chunk_count(struct catalogue *c, uint64_t *out, struct err *e);	/* a scan */
int catalogue_chunk_any(struct catalogue *c, bool *out, struct err *e);

/* What a block resembles (fs/vault/sketch.h); only those that may be bases have one. */
#define SKETCH_MAX 32
struct sketch {
	int64_t class_id;	/* of the block */
	uint8_t depth;		/* of it: 0 stands alone, 1 has bases that do ... */
	uint8_t count;		/* 0: none */
	uint32_t features[SKETCH_MAX];	/* apart, ascending */
};
int catalogue_sketch_add(struct catalogue *c, int64_t block, const struct sketch *s,
			 struct err *e);	/* none: nothing to do */
/* Of blocks below `before`, the newest first.  row: 0 go on, 1 stop, -1 (the caller knows
 * why; e is not filled). */
int catalogue_sketches(struct catalogue *c, int64_t before,
		       int (*row)(void *arg, int64_t block, const struct sketch *s), void *arg,
		       struct err *e);

int catalogue_node_add(struct catalogue *c, const struct node *n, const char *symlink,
		       struct err *e);
/* Extents by offset, any number (0: all is hole); splits into pages itself. */
int catalogue_content_add(struct catalogue *c, int64_t id, const struct digest *sha256,
			  const struct extent *extents, size_t count, struct err *e);
int catalogue_xattrs_add(struct catalogue *c, int64_t id, const void *set, size_t size,
			 struct err *e);
int catalogue_account_intern(struct catalogue *c, const char *name, int64_t *id,
			     struct err *e);
/* e->first is the version; e->last is taken as CATALOGUE_OPEN_ENDED. */
int catalogue_entry_add(struct catalogue *c, int64_t directory, const struct entry *entry,
			struct err *e);
/* The entry that began at `first` now ends with version `last` (the version in
 * progress closes with its `previous`).  One that would end before it began,
 * added in this very version, is dropped: then a new one of its name may be
 * added.  MUNI_NOT_FOUND if no such entry stands open.  Directories likewise. */
int catalogue_entry_close(struct catalogue *c, int64_t directory, const void *name,
			  size_t name_size, int64_t first, int64_t last, struct err *e);
int catalogue_directory_add(struct catalogue *c, const struct directory *d, struct err *e);
int catalogue_directory_close(struct catalogue *c, int64_t id, int64_t first, int64_t last,
			      struct err *e);
/* Closes the open row and entries of a directory (not its entry in its parent)
 * and of all below it, but not of directories for which is_kept(arg, id) is
 * true (they moved elsewhere). */
int catalogue_subtree_close(struct catalogue *c, int64_t directory, int64_t last,
			    bool (*is_kept)(void *arg, int64_t id), void *arg,
			    struct err *e);
/* Every directory of a sealed version that has a device and inode of its
 * source: for finding directories that were renamed. */
int catalogue_directory_inodes(struct catalogue *c, int64_t version,
			       int (*row)(void *arg, int64_t id, uint64_t device,
					  uint64_t inode), void *arg, struct err *e);

#endif
