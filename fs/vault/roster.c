#include "fs/vault/roster.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/vault/inside.h"
#include "fs/vault/office.h"

/* ---- roles ------------------------------------------------------------------------ */

static const struct {
	const char *word;
	unsigned role;
} roles[] = {
	{ "records", ROLE_RECORDS }, { "owner", ROLE_OWNER }, { "legal", ROLE_LEGAL },
	{ "it", ROLE_IT }, { "witness", ROLE_WITNESS }, { "auditor", ROLE_AUDITOR },
};

static unsigned role_of_n(const char *word, size_t size)
{
	for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
		if (strlen(roles[i].word) == size && memcmp(roles[i].word, word, size) == 0)
			return roles[i].role;
	return 0;
}

unsigned role_of(const char *word)
{
	return role_of_n(word, strlen(word));
}

int roles_parse(const char *words, unsigned *out, struct err *e)
{
	*out = 0;
	for (const char *at = words;; ) {
		size_t size = strcspn(at, ",");
		unsigned role = role_of_n(at, size);

		if (role == 0)
			return err_set(e, MUNI_USAGE, "\"%s\" is no role; the roles are records, "
				       "owner, legal, it, witness, auditor, several of them with "
				       "commas between", text_printable_n(at, size));
		*out |= role;
		if (at[size] == '\0')
			return 0;
		at += size + 1;
	}
}

/* ---- reading ------------------------------------------------------------------------ */

struct loading {
	struct roster *roster;
	struct err *e;
};

static void officer_clear(struct officer *o)
{
	free(o->id);
	free(o->roles_text);
	free(o->person);
	free(o->because);
	identity_clear(&o->identity);
}

void roster_clear(struct roster *r)
{
	for (size_t i = 0; i < r->count; i++)
		officer_clear(&r->list[i]);
	free(r->list);
	*r = (struct roster){ .count = 0 };
}

static int load_one(void *arg, const struct officer_row *row)
{
	struct loading *l = arg;
	struct roster *r = l->roster;
	struct officer *list = reallocarray(r->list, r->count + 1, sizeof *list), *o;

	if (!list)
		return err_set(l->e, MUNI_NO_MEMORY, "no memory for the officers");
	r->list = list;
	o = &r->list[r->count++];
	*o = (struct officer){ .id = strdup(row->id), .roles_text = strdup(row->roles),
			       .person = strdup(row->person), .added = row->added,
			       .removed = row->removed };
	if (!o->id || !o->roles_text || !o->person)
		return err_set(l->e, MUNI_NO_MEMORY, "no memory for the officers");
	if (roles_parse(row->roles, &o->roles, l->e) < 0 ||
	    identity_parse(row->cert, row->cert_size, &o->identity, l->e) < 0)
		return err_wrap(l->e, "the officer %s", text_printable(row->id));
	if (!digest_equal(&o->identity.fingerprint, &row->fingerprint))
		return err_set(l->e, MUNI_DAMAGED, "the certificate of the officer %s is not the "
			       "one that was added", text_printable(row->id));
	return 0;
}

int roster_load(struct vault *v, struct roster *out, struct err *e)
{
	struct loading l = { .roster = out, .e = e };

	*out = (struct roster){ .count = 0 };
	if (catalogue_officers(v->catalogue, load_one, &l, e) == 0 &&
	    office_replay(v, out, e) == 0)
		return 0;
	roster_clear(out);
	return -1;
}

bool roster_has_any(const struct roster *r)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->list[i].removed == 0)
			return true;
	return false;
}

bool officer_counts(const struct officer *o, int64_t at)
{
	return o->standing == OFFICER_ALONE ? o->counts_from <= at :
					      o->standing != OFFICER_WAITING;
}

const struct officer *roster_listed(const struct roster *r, const char *id)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->list[i].removed == 0 && strcmp(r->list[i].id, id) == 0)
			return &r->list[i];
	return NULL;
}

const struct officer *roster_find(const struct roster *r, const char *id)
{
	const struct officer *o = roster_listed(r, id);

	return o && officer_counts(o, r->now) ? o : NULL;
}

const struct officer *roster_by_certificate(const struct roster *r,
					    const struct digest *fingerprint)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->list[i].removed == 0 && officer_counts(&r->list[i], r->now) &&
		    digest_equal(&r->list[i].identity.fingerprint, fingerprint))
			return &r->list[i];
	return NULL;
}

const struct officer *roster_at(const struct roster *r, const char *id, int64_t when)
{
	const struct officer *found = NULL;

	for (size_t i = 0; i < r->count; i++)
		if (strcmp(r->list[i].id, id) == 0 && (!found || r->list[i].added <= when))
			found = &r->list[i];
	return found;
}

/* ---- who is who ------------------------------------------------------------------------ */

/* The next character of a name as RFC 5280, 7.1, compares it: case and runs of blanks do
 * not tell persons apart. */
static int next_of(const char **at)
{
	const char *p = *at;

	if (*p == '\0')
		return 0;
	if (*p == ' ') {
		while (*p == ' ')
			p++;
		*at = p;
		return ' ';
	}
	*at = p + 1;
	return tolower((unsigned char)*p);
}

static bool is_same_name(const char *a, const char *b)
{
	for (;;) {
		int x = next_of(&a), y = next_of(&b);

		if (x != y)
			return false;
		if (x == 0)
			return true;
	}
}

bool is_same_person(const struct identity *a, const struct identity *b)
{
	return digest_equal(&a->key, &b->key) || is_same_name(a->subject, b->subject);
}

/* ---- who may --------------------------------------------------------------------------- */

int officer_is_valid(const struct officer *o, int64_t at, const char *when, struct err *e)
{
	char from[TEXT_TIME_MAX], to[TEXT_TIME_MAX];

	if (at >= o->identity.not_before && at <= o->identity.not_after)
		return 0;
	return err_set(e, MUNI_REFUSED, "certificate validity: the certificate of %s was not "
		       "valid %s (it is from %s to %s); add a renewed one with `muni officer "
		       "remove` and `muni officer add`", text_printable(o->id), when,
		       text_time(o->identity.not_before, 0, from),
		       text_time(o->identity.not_after, 0, to));
}

int officer_may(const struct officer *o, unsigned wanted, const char *act, int64_t now,
		struct err *e)
{
	if (o->roles & wanted)
		return officer_is_valid(o, now, "now", e);
	return err_set(e, MUNI_REFUSED, "role: %s has the role %s, and cannot %s",
		       text_printable(o->id), text_printable(o->roles_text), act);
}

static int compare_signer(const struct officer *o, const uint8_t *signature, size_t size,
			  const void *data, size_t data_size, struct err *e)
{
	struct cms_signer *signers = NULL;
	size_t count = 0;
	int rc = -1;

	if (cms_verify_detached(signature, size, data, data_size, &signers, &count, e) < 0)
		return -1;
	if (count == 1 &&
	    digest_equal(&signers[0].identity.fingerprint, &o->identity.fingerprint))
		rc = 0;
	else
		err_set(e, MUNI_REFUSED, "identity: the key is not that of %s",
			text_printable(o->id));
	cms_signers_free(signers, count);
	return rc;
}

int roster_prove(const struct roster *r, const char *id, struct officer_key *key,
		 unsigned wanted, const char *act, const void *data, size_t size, int64_t now,
		 const struct officer **who, uint8_t **signature, size_t *signature_size,
		 struct err *e)
{
	*signature = NULL;
	*signature_size = 0;
	*who = roster_find(r, id);
	if (!*who)
		return err_set(e, MUNI_REFUSED, "role: no officer \"%s\" is in office; `muni "
			       "officer list` shows who is", text_printable(id));
	if (officer_may(*who, wanted, act, now, e) < 0 ||
	    officer_sign(key, data, size, now, signature, signature_size, e) < 0)
		return -1;
	if (compare_signer(*who, *signature, *signature_size, data, size, e) == 0)
		return 0;
	free(*signature);
	*signature = NULL;
	return -1;
}
