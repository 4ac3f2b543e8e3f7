/*
 * muni cert list, show, sign, authority.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/canonical.h"
#include "fs/base/file.h"
#include "fs/base/text.h"
#include "fs/store/catalogue_dispositions.h"
#include "fs/vault/authority.h"
#include "fs/vault/renewal.h"
#include "tools/cert.h"
#include "tools/jsonl.h"
#include "tools/print.h"
#include "tools/table.h"
#include "tools/user_file.h"

#define CA_MAX (1u << 20)

/* ---- list ---------------------------------------------------------------------------- */

struct listing {
	struct table *table;	/* NULL: JSON */
	struct err *e;
};

static int show_row(void *arg, int64_t id, int64_t disposition, int64_t made,
		    const struct digest *content)
{
	struct listing *l = arg;
	char c[24], d[24], time[48], hex[2 * DIGEST_SIZE + 1];

	snprintf(c, sizeof c, "C%" PRId64, id);
	snprintf(d, sizeof d, "D%" PRId64, disposition);
	if (!l->table) {
		json_t *o = jsonl_new("certificate");

		jsonl_text(o, "certificate", c);
		jsonl_text(o, "disposition", d);
		jsonl_time(o, "made", made, 0);
		jsonl_digest(o, "sha256", content);
		return jsonl_end(o, l->e);
	}
	text_hex(content->bytes, DIGEST_SIZE, hex);
	table_cell(l->table, "%s", c);
	table_cell(l->table, "%s", d);
	table_cell(l->table, "%s", print_time(made, time));
	table_cell(l->table, "%s", hex);
	return 0;
}

int cert_list(struct cli *cli, struct vault *v, const void *words, struct err *e)
{
	const struct cert_words *w = words;
	static const char *const heads[] = { "certificate", "of", "made", "SHA-256 of its text" };
	struct listing l = { .table = cli->json ? NULL : table_new(stdout, "llll", heads),
			     .e = e };
	int rc;

	(void)w;
	if (!cli->json && !l.table)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a table");
	rc = catalogue_certificates(vault_catalogue(v), show_row, &l, e);
	if (l.table && table_end(l.table) < 0 && rc == 0)
		rc = err_set(e, MUNI_NO_MEMORY, "no memory for a table");
	return rc;
}

/* ---- show ---------------------------------------------------------------------------- */

char *cert_beside(const char *path, const char *suffix)
{
	size_t size = strlen(path);
	char *out = NULL;

	if (size > 4 && strcmp(path + size - 4, ".p7m") == 0)
		size -= 4;
	return asprintf(&out, "%.*s.%s", (int)size, path, suffix) < 0 ? NULL : out;
}

static int save_beside(const struct cert_words *w, const char *suffix, const void *data,
		       size_t size, struct err *e)
{
	char *name = cert_beside(w->to, suffix);
	int rc = name ? user_file_save(name, data, size, e)
		      : err_set(e, MUNI_NO_MEMORY, "no memory for a file's name");

	free(name);
	return rc;
}

static int save_stored(struct vault *v, const struct cert_words *w, enum certificate_file which,
		       const char *suffix, struct err *e)
{
	uint8_t *data = NULL;
	size_t size;
	int rc = certificate_file(v, w->id, which, &data, &size, e);

	if (rc == 0)
		rc = save_beside(w, suffix, data, size, e);
	else if (e->code == MUNI_NOT_FOUND &&
		 (which == CERTIFICATE_TIMESTAMP || which == CERTIFICATE_MARKS)) {
		*e = ERR_NONE;
		rc = 0;		/* no authority was named then; of a live source */
	}
	free(data);
	return rc;
}

/* One signature over the statement, by itself: for stock tools. */
static int save_part(const struct cert_words *w, const json_t *person, size_t number,
		     struct err *e)
{
	const char *act = json_string_value(json_object_get(person, "act"));
	const char *base64 = json_string_value(json_object_get(person, "signature"));
	char suffix[64];
	uint8_t *data;
	size_t size;
	int rc;

	if (!act || !base64 || !(data = text_unbase64_bytes(base64, &size)))
		return 0;
	snprintf(suffix, sizeof suffix, "%s-%zu.p7s",
		 strcmp(act, "proposed") == 0 ? "proposal" : "approval", number);
	rc = save_beside(w, suffix, data, size, e);
	free(data);
	return rc;
}

static int save_parts(const struct cert_words *w, const json_t *content, struct err *e)
{
	const char *statement = json_string_value(json_object_get(
		json_object_get(content, "clearance"), "statement"));
	json_t *person;
	size_t i;

	if (statement && save_beside(w, "statement.json", statement, strlen(statement), e) < 0)
		return -1;
	json_array_foreach(json_object_get(content, "people"), i, person)
		if (save_part(w, person, i, e) < 0)
			return -1;
	return 0;
}

static int save_renewals(struct vault *v, const struct cert_words *w, struct err *e)
{
	uint8_t *data;
	size_t size;
	int rc = 0;

	for (unsigned n = 2; rc == 0; n++) {
		char suffix[24];

		if (certificate_stamp_get(v, w->id, n, &data, &size, e) < 0) {
			if (e->code != MUNI_NOT_FOUND)
				return -1;
			*e = ERR_NONE;
			return 0;
		}
		snprintf(suffix, sizeof suffix, "%u.tsr", n);
		rc = save_beside(w, suffix, data, size, e);
		free(data);
	}
	return rc;
}

/* By these a later key is known to whoever has an earlier one's certificate. */
static int save_keys(struct vault *v, const struct cert_words *w, struct err *e)
{
	char *copy = strdup(w->to);
	int folder, rc = -1;

	if (!copy)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a file's name");
	folder = file_open_user(dirname(copy), O_RDONLY | O_DIRECTORY, 0, e);
	if (folder >= 0)
		rc = vault_renewals_save(v, folder, e);
	file_close(&folder);
	free(copy);
	return rc;
}

static int save_all(struct vault *v, const struct cert_words *w, const uint8_t *der, size_t size,
		    struct err *e)
{
	struct cms_signer *signers = NULL;
	uint8_t *text = NULL;
	size_t text_size, count = 0;
	json_t *content = NULL;
	int rc = -1;

	if (cms_verify_attached(der, size, &text, &text_size, &signers, &count, e) == 0 &&
	    canonical_load(text, text_size, &content, e) == 0 &&
	    save_beside(w, "json", text, text_size, e) == 0 && save_parts(w, content, e) == 0 &&
	    save_stored(v, w, CERTIFICATE_ANNEX, "annex.json", e) == 0 &&
	    save_stored(v, w, CERTIFICATE_MARKS, "marks", e) == 0 &&
	    save_stored(v, w, CERTIFICATE_TIMESTAMP, "tsr", e) == 0 &&
	    save_renewals(v, w, e) == 0 && save_keys(v, w, e) == 0)
		rc = save_stored(v, w, CERTIFICATE_ARCHIVE_SIGNATURE, "p7s", e);
	cms_signers_free(signers, count);
	json_decref(content);
	free(text);
	return rc;
}

int cert_show(struct cli *cli, struct vault *v, const void *words, struct err *e)
{
	const struct cert_words *w = words;
	uint8_t *der = NULL;
	size_t size;
	int rc;

	(void)cli;
	if (certificate_read(v, w->id, &der, &size, e) < 0)
		return -1;
	rc = user_file_save(w->to, der, size, e);
	if (rc == 0 && w->all)
		rc = save_all(v, w, der, size, e);
	free(der);
	return rc;
}

/* ---- sign, authority -------------------------------------------------------------------- */

int cert_sign(struct cli *cli, struct vault *v, const void *words, struct err *e)
{
	const struct cert_words *w = words;
	struct officer_key *key = NULL;
	int rc;

	if (officer_words_open(cli, v, &w->officer, &key, e) < 0)
		return -1;
	rc = certificate_sign(v, w->id, w->officer.by, key, e);
	officer_key_close(key);
	return rc;
}

int cert_stamp(struct cli *cli, struct vault *v, const void *words, struct err *e)
{
	const struct cert_words *w = words;
	char time[TEXT_TIME_MAX];
	unsigned number;
	int64_t when;

	if (certificate_stamp(v, w->id, &number, &when, e) < 0)
		return -1;
	if (cli->json) {
		json_t *o = jsonl_new("stamped");

		jsonl_number(o, "certificate", (uint64_t)w->id);
		jsonl_number(o, "number", number);
		jsonl_time(o, "time", when, 0);
		return jsonl_end(o, e);
	}
	printf("C%" PRId64 " has %u time-stamp%s, the newest of %s\n", w->id, number,
	       number == 1 ? "" : "s", text_time(when, 0, time));
	return 0;
}

static int say_authority(struct cli *cli, struct vault *v, struct err *e)
{
	char *url = NULL, *ca = NULL;
	int rc = 0;

	if (vault_authority_get(v, &url, &ca, e) < 0)
		return -1;
	if (cli->json) {
		json_t *o = jsonl_new("authority");

		jsonl_text(o, "url", url);
		rc = jsonl_end(o, e);
	} else {
		puts(url ? text_printable(url) : "none");
	}
	free(url);
	free(ca);
	return rc;
}

int cert_authority(struct cli *cli, struct vault *v, const void *words, struct err *e)
{
	const struct cert_words *w = words;
	uint8_t *ca = NULL;
	size_t size = 0;
	int rc;

	if (!w->url && !w->none)
		return say_authority(cli, v, e);
	if (w->none)
		return vault_authority_set(v, NULL, NULL, 0, e);
	if (!w->authority)
		return err_set(e, MUNI_USAGE, "authority --url wants --tsa-ca CA.pem: who vouches "
			       "for it?");
	if (user_file_load(w->authority, CA_MAX, &ca, &size, e) < 0)
		return -1;
	rc = vault_authority_set(v, w->url, ca, size, e);
	free(ca);
	return rc;
}
