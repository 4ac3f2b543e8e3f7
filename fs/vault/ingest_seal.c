#include "fs/vault/ingest_seal.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/text.h"
#include "fs/crypt/sign.h"

#define STATEMENT_FORMAT 1

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "out of memory for the version's statement");
}

/* Canonical: sorted keys, no white space, no final newline.  Frees value. */
static char *dump(json_t *value)
{
	char *text = value ? json_dumps(value, JSON_SORT_KEYS | JSON_COMPACT) : NULL;

	json_decref(value);
	return text;
}

/*
 * System and label are names: the statement, which may go to strangers, holds a
 * salted commitment to them.  The salt lies in the details of the log's entry.
 */
static int commit_to_names(const struct version *v, char salt_hex[33],
			   char out[DIGEST_HEX_SIZE], struct err *e)
{
	uint8_t salt[16];
	struct hasher *h;
	struct digest d;
	char *names;

	if (random_bytes(salt, sizeof salt, e) < 0)
		return -1;
	names = dump(json_pack("{s:s, s:s}", "label", v->label, "system",
			       v->system_name));
	h = hasher_new();
	if (!names || !h) {
		free(names);
		hasher_free(h);
		return no_memory(e);
	}
	hasher_update(h, salt, sizeof salt);
	hasher_update(h, names, strlen(names));
	d = hasher_finish(h);
	hasher_free(h);
	free(names);
	digest_hex(&d, out);
	text_hex(salt, sizeof salt, salt_hex);
	return 0;
}

static char *statement(const struct ingest *g, const char *commitment)
{
	const struct version *v = &g->version;
	char merkle[DIGEST_HEX_SIZE], at[TEXT_TIME_MAX], ingested[TEXT_TIME_MAX];

	digest_hex(&v->merkle, merkle);
	return dump(json_pack(
		"{s:s, s:i, s:s, s:I, s:I, s:s, s:s, s:s, s:s, s:s, s:b,"
		" s:{s:I, s:I, s:I, s:I, s:I}}",
		"type", "muniment version", "format", STATEMENT_FORMAT,
		"archive", g->vault->id_hex,
		"version", (json_int_t)v->id, "previous", (json_int_t)v->previous,
		"merkle", merkle, "names", commitment, "source", v->source_kind,
		"at", text_time(v->at, 0, at), "time", text_time(v->ingested, 0, ingested),
		"complete", v->state == VERSION_COMPLETE,
		"counts", "directories", (json_int_t)v->directories,
		"files", (json_int_t)v->files, "others", (json_int_t)v->others,
		"bytes", (json_int_t)v->bytes, "problems", (json_int_t)v->problems));
}

static char *details(const struct ingest *g, const char *salt)
{
	const struct version *v = &g->version;

	return dump(json_pack("{s:I, s:s, s:s, s:s, s:s, s:I}", "version", (json_int_t)v->id,
			      "system", v->system_name, "label", v->label,
			      "names_salt", salt, "source", text_printable(g->source),
			      "problems", (json_int_t)v->problems));
}

int ingest_seal(struct ingest *g, struct err *e)
{
	struct vault *v = g->vault;
	const struct signer *signer;
	char commitment[DIGEST_HEX_SIZE], salt[33];
	char *text = NULL, *note = NULL;
	uint8_t *signature = NULL;
	size_t signature_size;
	int rc = -1;

	if (commit_to_names(&g->version, salt, commitment, e) < 0)
		return -1;
	text = statement(g, commitment);
	note = details(g, salt);
	if (!text || !note) {
		no_memory(e);
		goto out;
	}
	signer = keyring_signer(v->keyring, e);
	if (!signer ||
	    sign_detached(signer, text, strlen(text), vault_now(v),
			  &signature, &signature_size, e) < 0 ||
	    catalogue_version_seal(v->catalogue, &g->version, text, signature,
				   signature_size, e) < 0 ||
	    vault_commit_act(v, LOG_INGEST, note, e) < 0)
		goto out;
	rc = 0;
out:
	free(signature);
	free(note);
	free(text);
	return rc;
}
