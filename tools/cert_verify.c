/*
 * muni cert verify: offline.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/base/text.h"
#include "fs/vault/certificate_verify.h"
#include "tools/cert.h"
#include "tools/jsonl.h"
#include "tools/table.h"
#include "tools/user_file.h"

#define CERTIFICATE_MAX (64u << 20)
#define SMALL_MAX (4u << 20)
#define MARKS_MAX (1u << 30)

static const char *const result_words[] = {
	[CHECK_HOLDS] = "holds", [CHECK_FAILS] = "FAILS", [CHECK_UNTRUSTED] = "NOT TRUSTED",
	[CHECK_SKIPPED] = "not checked", [CHECK_NOTED] = "note",
};

struct report {
	struct table *table;	/* NULL: JSON */
	struct err *e;
};

static void on_check(void *arg, const char *check, enum check_result result,
		     const char *sentence)
{
	struct report *r = arg;

	if (r->table) {
		table_cell(r->table, "%s", text_printable(check));
		table_cell(r->table, "%s", result_words[result]);
		table_cell(r->table, "%s", sentence);
		return;
	}
	json_t *o = jsonl_new("check");

	jsonl_text(o, "check", check);
	jsonl_text(o, "result", result == CHECK_FAILS ? "fails" : result == CHECK_UNTRUSTED ?
		   "not trusted" : result_words[result]);
	jsonl_text(o, "what", sentence);
	jsonl_end(o, r->e);
}

/* What was asked for must be there; what lies beside the certificate may be. */
static int load_beside(const char *given, const char *path, const char *suffix, size_t max,
		       uint8_t **out, size_t *size, struct err *e)
{
	char *name;
	int rc = 0;

	if (given)
		return user_file_load(given, max, out, size, e);
	if (!suffix)
		return 0;
	name = cert_beside(path, suffix);
	if (!name)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a file's name");
	if (access(name, F_OK) == 0)
		rc = user_file_load(name, max, out, size, e);
	else if (errno != ENOENT)
		rc = err_errno(e, "looking for \"%s\"", text_printable(name));
	free(name);
	return rc;
}

static int open_annex(const char *given, const char *path, FILE **out, struct err *e)
{
	char *beside = given ? NULL : cert_beside(path, "annex.json");
	const char *name = given ? given : beside;
	int rc = 0;

	*out = name ? fopen(name, "rbe") : NULL;
	if (!name)
		rc = err_set(e, MUNI_NO_MEMORY, "no memory for a file's name");
	else if (!*out && (given || errno != ENOENT))
		rc = err_errno(e, "opening the annex %s", text_printable(name));
	free(beside);
	return rc;
}

/* FILE.2.tsr and so on, as far as they go. */
static int load_renewals(const char *path, struct renewal *list, size_t *count, struct err *e)
{
	for (*count = 0; *count < TIMESTAMPS_MAX - 1; (*count)++) {
		char suffix[24];
		uint8_t *data = NULL;
		size_t size = 0;

		snprintf(suffix, sizeof suffix, "%zu.tsr", *count + 2);
		if (load_beside(NULL, path, suffix, SMALL_MAX, &data, &size, e) < 0)
			return -1;
		if (!data)
			return 0;
		list[*count] = (struct renewal){ data, size };
	}
	return 0;
}

static int judge(struct cli *cli, const struct evidence *with, struct err *e)
{
	struct err lost = ERR_NONE;
	struct report r = { .table = cli->json ? NULL : table_new(stdout, "lll", NULL),
			    .e = &lost };
	json_t *content = NULL;
	int rc;

	if (!cli->json && !r.table)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a table");
	rc = certificate_verify(with, on_check, &r, &content, e);
	json_decref(content);
	if (r.table && table_end(r.table) < 0)
		err_set(&lost, MUNI_NO_MEMORY, "no memory for a table");
	if (lost.code != MUNI_OK) {
		*e = lost;	/* what was found was not told whole */
		rc = -1;
	}
	if (rc == 0 && !cli->json)
		puts("The certificate holds.");
	return rc;
}

int cert_verify(struct cli *cli, const struct cert_words *w, struct err *e)
{
	const char *path = cli->operands[1];
	uint8_t *cms = NULL, *ca = NULL, *tsr = NULL, *authority = NULL, *own = NULL,
		*marks = NULL;
	struct renewal renewals[TIMESTAMPS_MAX];
	struct evidence with = { .renewals = renewals };
	int rc = -1;

	if (user_file_load(path, CERTIFICATE_MAX, &cms, &with.cms_size, e) < 0 ||
	    user_file_load(w->ca, SMALL_MAX, &ca, &with.ca_size, e) < 0 ||
	    load_beside(w->timestamp, path, w->authority ? "tsr" : NULL, SMALL_MAX, &tsr,
			&with.timestamp_size, e) < 0 ||
	    load_beside(w->authority, path, NULL, SMALL_MAX, &authority, &with.authority_size,
			e) < 0 ||
	    load_beside(w->archive_signature, path, "p7s", SMALL_MAX, &own,
			&with.archive_signature_size, e) < 0 ||
	    (w->authority && load_renewals(path, renewals, &with.renewal_count, e) < 0) ||
	    load_beside(NULL, path, "marks", MARKS_MAX, &marks, &with.marks_size, e) < 0 ||
	    open_annex(w->annex, path, &with.annex, e) < 0)
		goto out;
	with.cms = cms;
	with.ca = ca;
	with.timestamp = tsr;
	with.authority = authority;
	with.archive_signature = own;
	with.marks = marks;
	rc = judge(cli, &with, e);
out:
	if (with.annex)
		fclose(with.annex);
	for (size_t i = 0; i < with.renewal_count; i++)
		free((void *)renewals[i].data);
	free(cms);
	free(ca);
	free(tsr);
	free(authority);
	free(own);
	free(marks);
	return rc;
}
