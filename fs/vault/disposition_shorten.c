/*
 * Keeping a class for a shorter time: one definition of it, out of several that stand,
 * is to count alone from now on.  Nothing is destroyed by it, but records may become
 * due: so it needs the approvals that each definition asks for.
 */
#include <stdlib.h>
#include <string.h>

#include "fs/base/canonical.h"
#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/vault/clearance_inside.h"

#define DIGEST_PREFIX_MIN 8

struct finding_class {
	const char *code;
	int64_t id;
};

struct shortening {		/* a class under the policy that was asked for */
	struct catalogue *catalogue;
	const char *code, *digest_hex;	/* the latter may be cut short */
	struct policy_row row;		/* owned */
	char *definition;		/* owned */
	struct demands *demands;
	struct item_facts_sum facts;
	struct policy *policy;		/* owned: facts.class points into it */
	unsigned found, count;		/* definitions that match, and all */
	struct err *e;
};

static int on_class(void *arg, const struct record_class *k)
{
	struct finding_class *f = arg;

	if (strcmp(k->code, f->code) == 0)
		f->id = k->id;
	return f->id != 0;
}

static int take_policy(struct shortening *s, struct policy_row *row, struct policy *p,
		       const char *definition)
{
	if (s->found++ > 0)
		return err_set(s->e, MUNI_USAGE, "several policies begin with the digest %s: give "
			       "more of it", text_printable(s->digest_hex));
	s->row = *row;
	*row = (struct policy_row){ .id = 0 };
	s->definition = strdup(definition);
	s->policy = p;
	s->facts.class = policy_class_find(p, s->code);
	s->facts.policy = s->row.digest.bytes;
	return s->definition ? 0 : err_set(s->e, MUNI_NO_MEMORY, "no memory for a class");
}

static int on_definition(void *arg, int64_t policy, const char *definition)
{
	struct shortening *s = arg;
	struct policy_row row;
	struct policy *p = NULL;
	const struct policy_class *k;
	char hex[DIGEST_HEX_SIZE];
	int rc = -1;

	if (catalogue_policy_get(s->catalogue, policy, &row, s->e) < 0)
		return -1;
	s->count++;
	digest_hex(&row.digest, hex);
	if (policy_load(row.text, row.text_size, row.name, &p, s->e) < 0)
		goto out;
	k = policy_class_find(p, s->code);
	if (!k) {
		err_set(s->e, MUNI_DAMAGED, "a policy does not define the class %s any more",
			text_printable(s->code));
		goto out;
	}
	if (demands_add(s->demands, k, s->e) < 0)
		goto out;
	rc = 0;
	if (strncmp(hex, s->digest_hex, strlen(s->digest_hex)) == 0) {
		rc = take_policy(s, &row, p, definition);
		p = s->policy == p ? NULL : p;
	}
out:
	policy_free(p);
	policy_row_clear(&row);
	return rc;
}

static void shortening_clear(struct shortening *s)
{
	policy_row_clear(&s->row);
	policy_free(s->policy);
	free(s->definition);
}

static int shortening_find(struct shortening *s)
{
	struct finding_class f = { .code = s->code };
	size_t size = strlen(s->digest_hex);

	if (size < DIGEST_PREFIX_MIN || size > 2 * DIGEST_SIZE)
		return err_set(s->e, MUNI_USAGE, "give the policy's digest, or its first %d digits "
			       "at least", DIGEST_PREFIX_MIN);
	if (catalogue_classes(s->catalogue, on_class, &f, s->e) < 0)
		return -1;
	if (f.id == 0)
		return err_set(s->e, MUNI_NOT_FOUND, "no class %s stands in the archive",
			       text_printable(s->code));
	if (catalogue_class_definitions(s->catalogue, f.id, on_definition, s, s->e) < 0)
		return -1;
	if (s->found == 0)
		return err_set(s->e, MUNI_NOT_FOUND, "no policy of the digest %s defines the class "
			       "%s in this archive", text_printable(s->digest_hex),
			       text_printable(s->code));
	return 0;
}

int propose_shorten(struct vault *v, const struct propose_request *r, struct item_list *l,
		    json_t **scope, struct err *e)
{
	struct shortening s = { .catalogue = vault_catalogue(v), .code = r->shorten_class,
				.digest_hex = r->policy_digest, .demands = &l->demands, .e = e };
	struct listed item = { .names = ITEM_NAMES_KEEP };
	uint8_t salt[ITEM_SALT_SIZE];
	int rc = -1;

	*scope = NULL;
	if (shortening_find(&s) == 0 && s.count < 2)
		err_set(e, MUNI_USAGE, "the class %s has this one definition: it counts already",
			text_printable(s.code));
	else if (s.found == 1 && random_bytes(salt, sizeof salt, e) == 0 &&
		 shorten_item_text(s.code, &s.row, s.definition, salt, &item.text, &item.leaf,
				   e) == 0) {
		item.name = (char *)s.code;
		item.name_size = strlen(s.code);
		s.facts.path = s.code;
		s.facts.path_size = item.name_size;
		rc = item_list_add(l, &item, &s.facts, e);
	}
	if (rc == 0) {
		*scope = json_pack("{s:s, s:s}", "scope", "shorten", "class", s.code);
		rc = *scope ? 0 : err_set(e, MUNI_NO_MEMORY, "no memory for the scope");
	}
	shortening_clear(&s);
	return rc;
}

/* ---- when it is executed ---------------------------------------------------------------- */

static int parse_item(const char *text, json_t **o, const char **code, const char **hex,
		      struct err *e)
{
	if (canonical_load(text, strlen(text), o, e) < 0)
		return -1;
	*code = json_string_value(json_object_get(*o, "class"));
	*hex = json_string_value(json_object_get(*o, "policy"));
	return *code && *hex ? 0 : err_set(e, MUNI_DAMAGED, "an item of the list does not read");
}

int clearance_shorten(struct clearing *k, const struct disposition_item *i,
		      const uint8_t salt[ITEM_SALT_SIZE], struct digest *leaf)
{
	struct shortening s = { .catalogue = k->vault->catalogue, .demands = &k->demands,
				.e = k->e };
	json_t *o = NULL;
	char *text = NULL;
	int rc = -1;

	if (parse_item(i->text, &o, &s.code, &s.digest_hex, k->e) == 0 &&
	    shortening_find(&s) == 0)
		rc = shorten_item_text(s.code, &s.row, s.definition, salt, &text, leaf, k->e);
	free(text);
	shortening_clear(&s);
	json_decref(o);
	return rc;
}

struct applying {
	struct vault *vault;
	int64_t disposition;
	char code[128], hex[DIGEST_HEX_SIZE];
	struct err *e;
};

static int on_item(void *arg, const struct disposition_item *i)
{
	struct applying *a = arg;
	const char *code, *hex;
	json_t *o = NULL;
	int rc = parse_item(i->text ? i->text : "", &o, &code, &hex, a->e);

	if (rc == 0) {
		snprintf(a->code, sizeof a->code, "%s", code);
		snprintf(a->hex, sizeof a->hex, "%s", hex);
	}
	json_decref(o);
	return rc;
}

int shorten_execute(struct vault *v, int64_t disposition, const struct officer *who,
		    struct err *e)
{
	struct applying a = { .vault = v, .disposition = disposition, .e = e };
	struct demands demands = { .count = 0 };
	struct shortening s = { .catalogue = v->catalogue, .code = a.code, .digest_hex = a.hex,
				.demands = &demands, .e = e };
	char id[24], *details = NULL;
	int rc = -1;

	snprintf(id, sizeof id, "D%lld", (long long)disposition);
	if (catalogue_disposition_items(v->catalogue, disposition, on_item, &a, e) < 0 ||
	    shortening_find(&s) < 0 ||
	    details_text(json_pack("{s:s, s:s, s:s, s:s}", "class", a.code, "disposition", id,
				   "officer", who->id, "policy", a.hex), &details, e) < 0 ||
	    catalogue_begin(v->catalogue, e) < 0)
		goto out;
	if (catalogue_shortening_put(v->catalogue, a.code, s.row.id, disposition, vault_now(v),
				     e) < 0 ||
	    catalogue_disposition_state(v->catalogue, disposition, DISPOSITION_CERTIFIED, "{}",
					e) < 0)
		catalogue_rollback(v->catalogue);
	else
		rc = vault_commit_act_by(v, LOG_RETENTION_SHORTENED, &who->identity.fingerprint,
					 details, e);
out:
	free(details);
	demands_clear(&demands);
	shortening_clear(&s);
	return rc;
}
