/*
 * What the files about dispositions share.  Only fs/vault/disposition*.c,
 * clearance*.c and live*.c include this.
 */
#ifndef FS_VAULT_DISPOSITION_INSIDE_H
#define FS_VAULT_DISPOSITION_INSIDE_H

#include <jansson.h>

#include "fs/vault/classify.h"
#include "fs/vault/disposition.h"
#include "fs/vault/execution.h"
#include "fs/vault/quorum.h"

#define ITEM_SALT_SIZE 16

/* ---- items (disposition_item.c) ------------------------------------------------------ */

/*
 * One item as canonical JSON (malloc'ed), and its leaf.  The same facts and salt give
 * the same bytes: so it is told whether anything about it has changed.
 */
int record_item_text(struct catalogue *c, const struct record_state *s,
		     const uint8_t salt[ITEM_SALT_SIZE], char **text, struct digest *leaf,
		     struct err *e);
/* key: the list's; NULL: a list of an older format, whose items hold the bare digest. */
int live_item_text(const struct system *system, const struct decided_row *r,
		   const struct policy_class *k, const char *due,
		   const uint8_t *key, const uint8_t salt[ITEM_SALT_SIZE], char **text,
		   struct digest *leaf, struct err *e);
/* What such a text says of the item, as far as it tells what stands there: no target, no
 * times but the one; sha256 is bound where the list has a key.  item_row_clear() it. */
int live_item_parse(const char *text, struct item_row *out, struct err *e);
int shorten_item_text(const char *code, const struct policy_row *p, const char *definition,
		      const uint8_t salt[ITEM_SALT_SIZE], char **text, struct digest *leaf,
		      struct err *e);
/* The salt in an item's text.  MUNI_DAMAGED. */
int item_salt(const char *text, uint8_t salt[ITEM_SALT_SIZE], struct err *e);
/* "path", or "path_base64" where it is no UTF-8. */
void item_put_path(json_t *o, const void *path, size_t size);
/* The strictest of what the definitions of all its classes say. */
enum item_names item_names_of_record(const struct record_state *s);
enum item_names item_names_of_class(const struct policy_class *k);	/* NULL: commit */
/* Its time has come; by_review: or it may go after a review. */
bool record_may_go(const struct record_state *s, bool by_review);

/* ---- a list that is being made (disposition_list.c) ------------------------------------ */

struct listed {
	struct digest leaf;
	int64_t directory, first;
	char *name;		/* owned; LIVE: the path */
	size_t name_size;
	char *class_code;	/* owned by the list's sums */
	enum item_names names;
	char *text;		/* owned */
};

struct class_sum {		/* of the list's items under one class */
	char *code;		/* owned; "" none */
	json_t *about;		/* what its definition says; owned */
	json_t *policies, *rules;	/* digests, ids as keys; owned */
	json_t *formats;	/* name -> count; owned */
	uint64_t items, files, bytes;
	struct civil from_first, from_last;	/* what they count from: the date span */
	struct civil until_first, until_last;
	bool has_span, has_until;
};

struct item_list {
	struct listed *list;	/* owned */
	size_t count, capacity;
	struct class_sum *sums;	/* owned */
	size_t sum_count;
	struct demands demands;
	json_t *systems;	/* names as keys; owned */
	json_t *named;		/* paths of the first NAMED_MAX under `names: keep` */
	uint8_t key[LIST_KEY_SIZE];	/* of a live list */
	bool has_key;
};
#define NAMED_MAX 1000

struct item_facts_sum {		/* what one item adds to its class's sum */
	const struct policy_class *class;	/* NULL: none */
	const uint8_t *policy;	/* digest; NULL: none */
	const char *system, *rule;	/* NULL: none */
	const char *format;	/* NULL: unknown */
	bool is_file;
	uint64_t bytes;
	const struct civil *from, *until;	/* NULL: none */
	const void *path;
	size_t path_size;
};
/* Takes text (also on failure); key: of record, or directory and path of a live item. */
int item_list_add(struct item_list *l, const struct listed *item,
		  const struct item_facts_sum *facts, struct err *e);
struct digest item_list_root(struct item_list *l);	/* sorts by leaf */
void item_list_clear(struct item_list *l);
/* MUNI_DAMAGED if two items have one leaf. */
int item_list_store(struct item_list *l, struct catalogue *c, int64_t disposition,
		    struct err *e);

/* ---- the statement (disposition_statement.c) --------------------------------------------- */

struct statement_facts {
	int64_t id, proposed, asof;
	enum disposition_kind kind;
	const struct officer *proposer;
	const char *reason, *source;	/* NULL: none */
	json_t *scope;		/* borrowed */
};
/* Canonical JSON, malloc'ed. */
int statement_text(struct vault *v, struct item_list *l, const struct statement_facts *f,
		   const struct digest *root, char **text, size_t *size, struct err *e);
const char *disposition_kind_name(enum disposition_kind k);	/* "records" ... */

/*
 * The end of every proposal: statement, signature, rows, log.  Begins and ends its own
 * transaction.
 */
int disposition_put(struct vault *v, struct item_list *l, json_t *scope,
		    const struct propose_request *r, const char *officer,
		    struct officer_key *key, int64_t *id, struct err *e);

/* ---- proposals of each kind ----------------------------------------------------------------- */

int propose_records(struct vault *v, const struct propose_request *r, struct item_list *l,
		    json_t **scope, struct left_out *left, struct err *e);
int propose_live(struct vault *v, const struct propose_request *r, struct item_list *l,
		 json_t **scope, struct left_out *left, struct err *e);
int propose_shorten(struct vault *v, const struct propose_request *r, struct item_list *l,
		    json_t **scope, struct err *e);

/* ---- execution of each kind, after clearance ------------------------------------------------ */

/* The definition counts alone from now on; the disposition is done. */
int shorten_execute(struct vault *v, int64_t disposition, const struct officer *who,
		    struct err *e);

/*
 * Destroys the items that stand, in the live source.  LOG_LIVE_BEGUN and state SWITCHING
 * come before the first; outcomes are in *run until live_settle() writes them, in the
 * caller's transaction.  live_run_free() it, also after -1.
 */
struct live_run;
int live_execute(struct vault *v, const struct disposition_row *d, const struct officer *who,
		 const struct vault_monitor *m, struct execution *facts, struct live_run **run,
		 struct err *e);
int live_settle(struct live_run *run, int64_t disposition, struct err *e);
void live_run_free(struct live_run *run);	/* NULL is allowed */
/* ---- details of the log ---------------------------------------------------------------------- */

/* Canonical JSON in details of the log: malloc'ed.  Steals o. */
int details_text(json_t *o, char **out, struct err *e);

#endif
