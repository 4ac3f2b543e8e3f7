/* The records of an older copy that certificates say are gone: found, and asked again. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/bytes.h"
#include "fs/base/canonical.h"
#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/crypt/merkle.h"
#include "fs/crypt/officer.h"
#include "fs/store/catalogue_copy.h"
#include "fs/vault/disposition_inside.h"
#include "fs/vault/inside.h"
#include "fs/vault/restore_inside.h"
#include "fs/vault/roster.h"

struct found {
	int64_t directory, first;
	size_t name;		/* in names */
	size_t name_size;
	struct digest leaf;
};

struct search {
	const struct marks *marks;
	struct found *list;	/* owned */
	size_t count, capacity;
	struct buffer names;
	struct err *e;
};

static int take(void *arg, const struct entry_row *row)
{
	struct search *s = arg;
	uint8_t mark[MARK_SIZE];

	mark_of_salt(row->salt, mark);
	if (!marks_has(s->marks, mark))
		return 0;
	if (s->count == s->capacity) {
		size_t more = s->capacity ? 2 * s->capacity : 256;
		struct found *list = reallocarray(s->list, more, sizeof *list);

		if (!list)
			return err_set(s->e, MUNI_NO_MEMORY, "no memory for what must go again");
		s->list = list;
		s->capacity = more;
	}
	s->list[s->count++] = (struct found){ row->directory, row->first, s->names.size,
					      row->name_size, merkle_leaf(mark, MARK_SIZE) };
	buffer_append(&s->names, row->name, row->name_size);
	return s->names.failed ? err_set(s->e, MUNI_NO_MEMORY, "no memory for names") : 0;
}

static int by_leaf(const void *a, const void *b)
{
	return memcmp(((const struct found *)a)->leaf.bytes, ((const struct found *)b)->leaf.bytes,
		      DIGEST_SIZE);
}

static int put(struct vault *v, int64_t disposition, const struct search *s, struct digest *root,
	       struct err *e)
{
	struct digest *leaves = calloc(s->count + 1, sizeof *leaves);

	if (!leaves)
		return err_set(e, MUNI_NO_MEMORY, "no memory for what must go again");
	for (size_t i = 0; i < s->count; i++) {
		const struct found *f = &s->list[i];
		struct disposition_item item = {
			.leaf = f->leaf,
			.class_code = "", .names = ITEM_NAMES_DROP, .outcome = OUTCOME_PENDING,
		};

		item.key.directory = f->directory;
		item.key.first = f->first;
		item.key.name_size = (uint16_t)f->name_size;
		memcpy(item.key.name, s->names.data + f->name, f->name_size);
		leaves[i] = f->leaf;
		if (catalogue_disposition_item_put(v->catalogue, disposition, &item, e) < 0) {
			free(leaves);
			return -1;
		}
	}
	*root = merkle_root(leaves, s->count);
	free(leaves);
	return 0;
}

int restore_put_items(struct vault *v, int64_t disposition, const struct marks *marks,
		      struct digest *root, uint64_t *count, struct err *e)
{
	struct search s = { .marks = marks, .e = e };
	int rc = catalogue_each_entry(v->catalogue, take, &s, e);

	if (rc == 0) {
		if (s.count > 1)
			qsort(s.list, s.count, sizeof *s.list, by_leaf);
		rc = put(v, disposition, &s, root, e);
	}
	*count = s.count;
	buffer_free(&s.names);
	free(s.list);
	return rc;
}

/* ---- clearance ------------------------------------------------------------------------- */

static bool says(const json_t *o, const char *key, const char *want)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text && strcmp(text, want) == 0;
}

/* The statement is of this archive and of this list. */
static int check_statement(struct vault *v, const struct disposition_row *d, struct err *e)
{
	char id[24], root[DIGEST_HEX_SIZE];
	json_t *o = NULL;
	int rc = 0;

	snprintf(id, sizeof id, "D%" PRId64, d->id);
	digest_hex(&d->root, root);
	if (canonical_load(d->statement, strlen(d->statement), &o, e) < 0)
		return -1;
	if (!says(o, "archive", vault_id_hex(v)) || !says(o, "disposition", id) ||
	    !says(o, "root", root) || !says(o, "kind", disposition_kind_name(d->kind)))
		rc = err_set(e, MUNI_DAMAGED, "the statement of %s is not that of its list", id);
	json_decref(o);
	return rc;
}

/* A row alone decides nothing: where there are officers one of them signed what it says. */
static int check_decided(struct vault *v, const struct roster *roster,
			 const struct disposition_row *d, struct err *e)
{
	const struct officer *who = roster_at(roster, d->proposer, d->proposed);
	struct cms_signer *signers = NULL;
	bool has_officers = false;
	size_t count = 0;
	int rc;

	for (size_t i = 0; i < roster->count; i++)
		has_officers |= roster->list[i].removed == 0;
	if (!has_officers)
		return 0;
	if (!who || !(who->roles & ROLES_DECIDING) || !d->signature)
		return err_set(e, MUNI_DAMAGED, "D%" PRId64 " was decided by nobody who may",
			       d->id);
	rc = cms_verify_detached(d->signature, d->signature_size, d->statement,
				 strlen(d->statement), &signers, &count, e);
	if (rc == 0 && (count != 1 || !digest_equal(&signers[0].identity.fingerprint,
						    &who->identity.fingerprint)))
		rc = err_set(e, MUNI_DAMAGED, "the statement of D%" PRId64 " was not signed by %s",
			     d->id, text_printable(d->proposer));
	cms_signers_free(signers, count);
	return rc < 0 ? -1 : check_statement(v, d, e);
}

static int check_row(struct vault *v, const struct disposition_row *d, struct err *e)
{
	struct roster roster;
	int rc;

	if (roster_load(v, &roster, e) < 0)
		return -1;
	rc = check_decided(v, &roster, d, e);
	roster_clear(&roster);
	return rc;
}

struct asking {
	struct vault *v;
	const struct marks *marks;
	struct merkle_frontier leaves;
	struct err *e;
};

static int ask(void *arg, const struct disposition_item *i)
{
	struct asking *a = arg;
	struct entry entry;
	uint8_t mark[MARK_SIZE];

	if (catalogue_lookup(a->v->catalogue, i->key.first, i->key.directory, i->key.name,
			     i->key.name_size, &entry, a->e) < 0)
		return -1;
	mark_of_salt(entry.salt, mark);
	merkle_frontier_add(&a->leaves, &i->leaf);
	return marks_has(a->marks, mark) ? 0 :
		err_set(a->e, MUNI_REFUSED, "certificate: none of those that were given for "
			"restoring says that an item of this list is gone");
}

int restore_clearance(struct vault *v, const struct disposition_row *row, struct err *e)
{
	struct marks marks = { .list = NULL };
	struct asking a = { .v = v, .marks = &marks, .e = e };
	struct digest root;
	int rc = check_row(v, row, e);

	if (rc == 0)
		rc = testimonies_of(v, row->id, &marks, e);
	if (rc == 0)
		rc = catalogue_disposition_items(v->catalogue, row->id, ask, &a, e);
	root = merkle_frontier_root(&a.leaves);
	if (rc == 0 && !digest_equal(&root, &row->root))
		rc = err_set(e, MUNI_DAMAGED, "the list of D%" PRId64 " is not the one that was "
			     "decided on", row->id);
	marks_clear(&marks);
	return rc;
}
