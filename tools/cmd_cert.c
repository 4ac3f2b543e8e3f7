#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "fs/base/text.h"
#include "tools/cert.h"
#include "tools/act.h"
#include "tools/commands.h"

enum { TO = 256, LANG, CA, ANNEX, TIMESTAMP, AUTHORITY_CA, ARCHIVE_SIGNATURE, ALL, URL, NONE };

static const struct cli_option options[] = {
	{ TO, "to", "FILE", "show, pdf: where to; \"-\" is standard output" },
	{ ALL, "all", NULL, "show: all that belongs to it too, beside FILE" },
	{ LANG, "lang", "en|zh", "pdf: English or Chinese" },
	{ CA, "ca", "CA.pem", "verify: the authorities of the officers, in PEM" },
	{ ANNEX, "annex", "FILE", "verify: the list of what was destroyed" },
	{ TIMESTAMP, "timestamp", "FILE", "verify: the time-stamp (RFC 3161)" },
	{ AUTHORITY_CA, "tsa-ca", "CA.pem", "verify, authority: of who stamps times, in PEM" },
	{ ARCHIVE_SIGNATURE, "archive-signature", "FILE", "verify: the archive's own signature" },
	{ URL, "url", "URL", "authority: whom to ask for time-stamps, http://..." },
	{ NONE, "none", NULL, "authority: nobody any more" },
	OFFICER_KEY_OPTIONS,
	{ .name = NULL },
};

static const struct act acts[] = {
	{ "list", VAULT_READ, 2, cert_list },
	{ "show", VAULT_READ, 3, cert_show },
	{ "pdf", VAULT_READ, 3, cert_pdf },
	{ "sign", VAULT_WRITE, 3, cert_sign },
	{ "stamp", VAULT_WRITE, 3, cert_stamp },
	{ "authority", VAULT_WRITE, 2, cert_authority },
};

static void take_option(struct cert_words *w, int o, const char *value)
{
	const char **const texts[] = { &w->to, &w->lang, &w->ca, &w->annex, &w->timestamp,
				       &w->authority, &w->archive_signature, &w->url };
	static const int ids[] = { TO, LANG, CA, ANNEX, TIMESTAMP, AUTHORITY_CA,
				   ARCHIVE_SIGNATURE, URL };

	if (officer_words_take(&w->officer, o, value))
		return;
	w->all |= o == ALL;
	w->none |= o == NONE;
	for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
		if (ids[i] == o)
			*texts[i] = value;
}

int cert_take_id(const char *text, int64_t *id, struct err *e)
{
	uint64_t n;

	if (cli_number("the certificate", *text == 'C' || *text == 'c' ? text + 1 : text, 1,
		       INT64_MAX, &n, e) < 0)
		return -1;
	*id = (int64_t)n;
	return 0;
}

static bool is_language(const char *lang)
{
	return strcmp(lang, "en") == 0 || strcmp(lang, "zh") == 0;
}

static int check_words(struct cli *cli, const struct act *act, struct cert_words *w)
{
	struct err e = ERR_NONE;

	if (act->operands == 3 && cert_take_id(cli->operands[2], &w->id, &e) < 0)
		return cli_usage(cli, "%s", e.text);
	if ((act->run == cert_show || act->run == cert_pdf) && !w->to)
		return cli_usage(cli, "%s wants --to FILE", act->name);
	if (act->run == cert_show && w->all && strcmp(w->to, "-") == 0)
		return cli_usage(cli, "--all writes several files: --to wants a name");
	if (act->run == cert_sign && (!w->officer.by || !w->officer.key))
		return cli_usage(cli, "sign wants --by ID --key KEY.pem: who does it?");
	return 0;
}

static int run_with_archive(struct cli *cli, struct cert_words *w)
{
	const struct act *found = act_find(cli, acts, sizeof acts / sizeof *acts,
					   "a certificate");
	struct act act;

	if (!found || check_words(cli, found, w) != 0)
		return CLI_USAGE;
	act = *found;
	/* Asking who the authority is changes nothing. */
	if (act.run == cert_authority && !w->url && !w->none)
		act.mode = VAULT_READ;
	return act_run(cli, &act, w);
}

/* `pdf FILE.p7m`: no archive, but the certificate itself. */
static bool is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static int run(struct cli *cli)
{
	struct cert_words w = { .lang = "en" };
	struct err e = ERR_NONE;
	int o;

	while ((o = cli_next(cli)) > 0)
		take_option(&w, o, cli->value);
	if (o != CLI_END)
		return cli_stopped(o);
	if (!is_language(w.lang))
		return cli_usage(cli, "--lang is en or zh");
	if (w.url && w.none)
		return cli_usage(cli, "--url and --none do not go together");
	if (strcmp(cli->operands[0], "verify") == 0) {
		if (cli->operand_count != 2 || !w.ca)
			return cli_usage(cli, "verify wants FILE.p7m and --ca CA.pem");
		return cli_end(cli, cert_verify(cli, &w, &e), &e);
	}
	if (strcmp(cli->operands[0], "pdf") == 0 && cli->operand_count == 2 &&
	    is_file(cli->operands[1])) {
		if (!w.to)
			return cli_usage(cli, "pdf wants --to FILE");
		return cli_end(cli, cert_pdf_of_file(cli, &w, &e), &e);
	}
	return run_with_archive(cli, &w);
}

const struct command cmd_cert = {
	.name = "cert",
	.operands = "list|show|pdf|sign|stamp|authority ARCHIVE [C<n>], verify FILE.p7m",
	.summary = "certificates of destruction: show, print, sign, verify",
	.about =
	"list       the archive's certificates\n"
	"show       one of them as it was signed (CMS, DER) to FILE; with --all also its\n"
	"           annex, time-stamp, statement, approvals and the certificates of all\n"
	"           who signed, beside it\n"
	"pdf        the same for people to read, in English or Chinese; of an archive, or\n"
	"           of FILE.p7m alone\n"
	"verify     everything about FILE.p7m, with no archive and no key: all signatures\n"
	"           as of their time, approvals, quorum, annex, the log's proofs,\n"
	"           time-stamp; exit 5 where anything was changed, 3 where somebody is\n"
	"           not trusted; nobody is asked whether an officer's certificate was\n"
	"           revoked (CRL, OCSP).  FILE.annex.json beside it is taken where it is there\n"
	"sign       an officer's signature more, as a witness or an auditor\n"
	"stamp      another time-stamp over all that there are, before the authority's\n"
	"           certificate runs out or its algorithms grow weak\n"
	"authority  whom to ask for time-stamps (--url, --tsa-ca); --none: nobody;\n"
	"           neither: who it is",
	.options = options,
	.shared = CLI_ARCHIVE | CLI_JSON | CLI_QUIET,
	.min_operands = 2,
	.max_operands = 3,
	.run = run,
};
