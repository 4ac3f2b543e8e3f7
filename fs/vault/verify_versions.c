/* Versions: what was signed is what the catalogue says. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/json_memory.h"
#include "fs/base/text.h"
#include "fs/crypt/sign.h"
#include "fs/store/catalogue_copy.h"
#include "fs/vault/verify_inside.h"

struct versions {
	struct verify *verify;
	struct err *e;
	uint64_t files;
};

static bool says(json_t *statement, const char *key, int64_t wanted)
{
	json_t *value = json_object_get(statement, key);

	return json_is_integer(value) && json_integer_value(value) == wanted;
}

static bool says_text(json_t *statement, const char *key, const char *wanted)
{
	const char *value = json_string_value(json_object_get(statement, key));

	return value != NULL && strcmp(value, wanted) == 0;
}

/* What of the statement stands in the row, too. */
static bool agrees(const struct verify *k, const struct version *v, const char *text)
{
	json_t *statement = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	json_t *counts = json_object_get(statement, "counts");
	char merkle[DIGEST_HEX_SIZE];
	bool is_same;

	digest_hex(&v->merkle, merkle);
	is_same = says_text(statement, "archive", k->v->id_hex) &&
		  says_text(statement, "merkle", merkle) &&
		  says(statement, "version", v->id) &&
		  says(statement, "previous", v->previous) &&
		  json_is_boolean(json_object_get(statement, "complete")) &&
		  json_is_true(json_object_get(statement, "complete")) ==
			  (v->state == VERSION_COMPLETE) &&
		  says(counts, "files", (int64_t)v->files) &&
		  says(counts, "directories", (int64_t)v->directories) &&
		  says(counts, "others", (int64_t)v->others) &&
		  says(counts, "bytes", (int64_t)v->bytes) &&
		  says(counts, "problems", (int64_t)v->problems);
	json_decref(statement);
	return is_same;
}

/* v NULL: it was destroyed as a whole, and its row says no more than that. */
static int check_statement(struct versions *w, int64_t id, const struct version *v,
			   const char *where)
{
	struct verify *k = w->verify;
	char *statement = NULL;
	uint8_t *signature = NULL;
	size_t size;
	int rc = -1;

	if (catalogue_version_proof(k->v->catalogue, id, &statement, &signature, &size,
				    w->e) < 0) {
		rc = verify_absorb(k, false, where, w->e);
		goto out;
	}
	if (signatories_verify(&k->v->signatories, 0, signature, size, statement,
			       strlen(statement), NULL, w->e) < 0) {
		rc = verify_absorb(k, false, where, w->e);
		goto out;
	}
	if (v && !agrees(k, v, statement)) {
		if (json_memory_lacked()) {
			err_set(w->e, MUNI_NO_MEMORY, "no memory to read what was signed");
			goto out;
		}
		verify_damage(k, false, where, "what was signed about this version is not what "
			      "the catalogue says about it");
	}
	rc = verify_go_on(k, w->e);
out:
	free(statement);
	free(signature);
	return rc;
}

static int check_version(void *arg, const struct version *v)
{
	struct versions *w = arg;
	char where[300];

	w->verify->out->versions++;
	w->verify->out->files += v->files;
	snprintf(where, sizeof where, "%s@%s", text_printable(v->system_name),
		 text_printable(v->label));
	return check_statement(w, v->id, v, where);
}

static int check_destroyed(void *arg, int64_t id, int64_t system, bool is_gone)
{
	char where[64];

	(void)system;
	snprintf(where, sizeof where, "version %lld, which was destroyed", (long long)id);
	return is_gone ? check_statement(arg, id, NULL, where) : 0;
}

int verify_versions(struct verify *k, struct err *e)
{
	struct versions w = { .verify = k, .e = e };

	if (!k->is_catalogue_open)
		return 0;
	verify_stage(k, "checking signatures", 0, 0);
	if (catalogue_versions(k->v->catalogue, 0, check_version, &w, e) < 0)
		return -1;
	return catalogue_each_version(k->v->catalogue, check_destroyed, &w, e);
}
