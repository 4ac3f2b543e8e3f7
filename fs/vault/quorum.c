#include "fs/vault/quorum.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/text.h"

/* ---- what is asked for ------------------------------------------------------------- */

void demands_clear(struct demands *d)
{
	for (size_t i = 0; i < d->count; i++)
		json_decref(d->list[i].words);
	free(d->list);
	*d = (struct demands){ .count = 0 };
}

static json_t *words_json(char *const *words)
{
	json_t *list = json_array();

	for (; words && *words; words++)
		json_array_append_new(list, json_string(*words));
	return list;
}

static int demand_read(struct demand *d, json_t *words, struct err *e)
{
	const json_t *roles = json_object_get(words, "roles");
	const json_t *witnesses = json_object_get(words, "witnesses");
	size_t i;
	json_t *word;

	*d = (struct demand){ .quorum = (unsigned)json_integer_value(json_object_get(words,
										    "quorum")) };
	if (json_array_size(witnesses) > WITNESSES_MAX)
		return err_set(e, MUNI_LIMIT, "a class asks for more than %d witnesses",
			       WITNESSES_MAX);
	json_array_foreach(roles, i, word)
		d->roles |= role_of(json_string_value(word) ? json_string_value(word) : "");
	/* A witness signs beside the approvers, an auditor not at all. */
	d->roles &= ROLES_DECIDING;
	if (json_array_size(roles) == 0)
		d->roles = ROLES_DECIDING;
	json_array_foreach(witnesses, i, word)
		d->witness[d->witness_count++] =
			role_of(json_string_value(word) ? json_string_value(word) : "") &
			~(unsigned)ROLE_AUDITOR;
	if (d->quorum == 0)
		d->quorum = 1;
	d->words = json_incref(words);
	return 0;
}

static bool is_same_demand(const struct demand *a, const struct demand *b)
{
	return a->quorum == b->quorum && a->roles == b->roles &&
	       a->witness_count == b->witness_count &&
	       memcmp(a->witness, b->witness, sizeof a->witness) == 0 &&
	       json_equal(json_object_get(a->words, "roles"), json_object_get(b->words, "roles"));
}

static void name_class(struct demand *d, const char *code)
{
	json_t *classes = json_object_get(d->words, "classes"), *one;
	size_t i;

	json_array_foreach(classes, i, one)
		if (strcmp(json_string_value(one), code) == 0)
			return;
	json_array_append_new(classes, json_string(code));
}

static int take_demand(struct demands *d, json_t *words, const char *code, struct err *e)
{
	struct demand fresh, *list;

	if (demand_read(&fresh, words, e) < 0)
		return -1;
	for (size_t i = 0; i < d->count; i++)
		if (is_same_demand(&d->list[i], &fresh)) {
			json_decref(fresh.words);
			if (code)
				name_class(&d->list[i], code);
			return 0;
		}
	list = reallocarray(d->list, d->count + 1, sizeof *list);
	if (!list) {
		json_decref(fresh.words);
		return err_set(e, MUNI_NO_MEMORY, "no memory for what classes ask for");
	}
	d->list = list;
	d->list[d->count++] = fresh;
	return 0;
}

int demands_add(struct demands *d, const struct policy_class *k, struct err *e)
{
	const char *code = k ? k->id : "";
	json_t *words = json_pack("{s:[s], s:i, s:o, s:o}", "classes", code, "quorum",
				  k && k->quorum ? (int)k->quorum : 1, "roles",
				  words_json(k ? k->roles : NULL), "witnesses",
				  words_json(k ? k->witnesses : NULL));
	int rc = words ? take_demand(d, words, code, e) :
		 err_set(e, MUNI_NO_MEMORY, "no memory for what classes ask for");

	json_decref(words);
	return rc;
}

json_t *demands_json(const struct demands *d)
{
	json_t *list = json_array();

	for (size_t i = 0; i < d->count; i++)
		json_array_append(list, d->list[i].words);
	return list;
}

int demands_parse(struct demands *d, const json_t *list, struct err *e)
{
	json_t *words;
	size_t i;

	*d = (struct demands){ .count = 0 };
	json_array_foreach(list, i, words)
		if (take_demand(d, words, NULL, e) < 0) {
			demands_clear(d);
			return -1;
		}
	return 0;
}

/* ---- what is missing ------------------------------------------------------------------- */

static bool counts_for(const struct consent *c, unsigned roles)
{
	return c->counts && (c->officer->roles & roles) != 0;
}

/*
 * The most approvers that are left when the witnesses from `at` on are chosen so that
 * as few approvers as can be are spent on them; -1: not all witnesses are there.  Used
 * marks who stands as a witness already.
 */
static int most_approvers(const struct demand *d, const struct consents *c, unsigned at,
			  bool *used)
{
	int best = -1;

	if (at == d->witness_count) {
		best = 0;
		for (size_t i = 0; i < c->count; i++)
			best += !used[i] && counts_for(&c->list[i], d->roles);
		return best;
	}
	for (size_t i = 0; i < c->count; i++) {
		if (used[i] || !counts_for(&c->list[i], d->witness[at]))
			continue;
		used[i] = true;
		int got = most_approvers(d, c, at + 1, used);
		used[i] = false;
		if (got > best)
			best = got;
		if (best >= (int)d->quorum)
			break;	/* enough */
	}
	return best;
}

static void join(const json_t *list, char *out, size_t size)
{
	size_t i, used = 0;
	json_t *word;

	out[0] = '\0';
	json_array_foreach(list, i, word) {
		const char *text = json_string_value(word);
		int n = snprintf(out + used, size - used, "%s%s", i ? ", " : "",
				 *text ? text : "(none)");

		if (n < 0 || (size_t)n >= size - used)
			return;
		used += (size_t)n;
	}
}

static void say_missing(FILE *to, const struct demand *d, int approvers, int without)
{
	char classes[400], roles[200], witnesses[200];

	join(json_object_get(d->words, "classes"), classes, sizeof classes);
	join(json_object_get(d->words, "roles"), roles, sizeof roles);
	join(json_object_get(d->words, "witnesses"), witnesses, sizeof witnesses);
	if (without < (int)d->quorum)
		fprintf(to, "quorum: class %s asks for %u approval%s by different persons with "
			"one of the roles %s, none of them the proposer; %d %s there\n", classes,
			d->quorum, d->quorum == 1 ? "" : "s",
			*roles ? roles : "records, owner, legal, it", without,
			without == 1 ? "is" : "are");
	if (approvers < 0)
		fprintf(to, "witness: class %s asks for the signature of a witness (%s), and one "
			"of them is missing\n", classes, witnesses);
	else if (approvers < (int)d->quorum && without >= (int)d->quorum)
		fprintf(to, "witness: class %s asks for a witness (%s) beside its %u approvers, "
			"and one person cannot be both\n", classes, witnesses, d->quorum);
}

int quorum_missing(const struct demands *d, const struct consents *c, char **missing,
		   struct err *e)
{
	bool *used = calloc(c->count + 1, sizeof *used);
	size_t size = 0;
	FILE *to = text_stream(missing, &size);

	if (!used || !to)
		goto none;
	for (size_t i = 0; i < d->count; i++) {
		struct demand alone = d->list[i];

		alone.witness_count = 0;
		int approvers = most_approvers(&d->list[i], c, 0, used);
		if (approvers < (int)d->list[i].quorum)
			say_missing(to, &d->list[i], approvers,
				    most_approvers(&alone, c, 0, used));
	}
	free(used);
	return text_stream_end(to, missing) == 0 ? 0 : err_set(e, MUNI_NO_MEMORY, "no memory for a sentence");
none:
	free(used);
	if (to)
		text_stream_end(to, missing);
	free(*missing);
	*missing = NULL;
	return err_set(e, MUNI_NO_MEMORY, "no memory to count approvals");
}
