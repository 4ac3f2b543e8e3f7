#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/base/text.h"
#include "fs/vault/authority.h"
#include "fs/vault/clock.h"
#include "fs/vault/proof.h"
#include "tools/audit_list.h"
#include "tools/commands.h"
#include "tools/jsonl.h"
#include "tools/officer_key.h"
#include "tools/user_file.h"

#define HEAD_FILE_MAX (1u << 20)
#define PROOF_FILE_MAX (64u << 20)

enum { CSV = 256, PREMIS, ACT, OFFICER, FROM, UNTIL, FIRST, TEXT, REFUSED, SINCE, TO,
	FILE_OF, CERTIFICATE };

static const struct cli_option options[] = {
	{ CSV, "csv", NULL, "list: for a spreadsheet" },
	{ PREMIS, "premis", NULL, "list: as PREMIS 3 events (XML)" },
	{ ACT, "act", "NAME", "list: only this act, as \"hold placed\"" },
	{ OFFICER, "officer", "ID", "list: only by this officer; \"key\": the key's holder" },
	{ FROM, "from", "TIME", "list: not before" },
	{ UNTIL, "until", "TIME", "list: not after" },
	{ FIRST, "first", "N", "list: from this entry on" },
	{ TEXT, "text", "TEXT", "list: only entries whose details have this in them" },
	{ REFUSED, "refused", NULL, "list: only refusals" },
	{ SINCE, "since", "HEAD", "verify: also that the log continues this head" },
	{ TO, "to", "FILE", "head: signed bytes, and signature to FILE.p7s; prove: the proof" },
	{ FILE_OF, "file", "FILE", "check: also that FILE is the file that is proven" },
	{ CERTIFICATE, "certificate", "PEM", "check: the archive's certificate, as you have it" },
	OFFICER_KEY_OPTIONS,
	{ .name = NULL },
};

struct words {
	struct officer_words signer;
	struct audit_filter filter;
	bool csv, premis;
	const char *since, *to, *file, *certificate;
};

static int take_option(struct words *w, int o, const char *value, struct err *e)
{
	switch (o) {
	case CSV:
		w->csv = true;
		return 0;
	case PREMIS:
		w->premis = true;
		return 0;
	case ACT:
		w->filter.act = value;
		return 0;
	case OFFICER:
		w->filter.officer = value;
		return 0;
	case FROM:
		w->filter.has_from = true;
		return cli_time("--from", value, false, &w->filter.from, e);
	case UNTIL:
		w->filter.has_to = true;
		return cli_time("--until", value, true, &w->filter.to, e);
	case FIRST:
		return cli_number("--first", value, 0, UINT64_MAX / 2, &w->filter.first, e);
	case TEXT:
		w->filter.text = value;
		return 0;
	case REFUSED:
		w->filter.refused_only = true;
		return 0;
	case SINCE:
		w->since = value;
		return 0;
	case FILE_OF:
		w->file = value;
		return 0;
	case CERTIFICATE:
		w->certificate = value;
		return 0;
	default:
		w->to = value;
		return 0;
	}
}

/* ---- list -------------------------------------------------------------------------- */

static int list(struct cli *cli, const struct words *w, struct err *e)
{
	struct vault *v = NULL;
	enum audit_form form = w->premis ? AUDIT_PREMIS : w->csv ? AUDIT_CSV :
			       cli->json ? AUDIT_JSON : AUDIT_TABLE;
	enum log_act act;
	int rc;

	if (w->filter.act != NULL && audit_act_parse(w->filter.act, &act) < 0)
		return err_set(e, MUNI_USAGE, "there is no act \"%s\"",
			       text_printable(w->filter.act));
	rc = cli_open(cli, cli->operands[1], VAULT_READ, &v, e);
	if (rc == 0)
		rc = audit_list(cli, v, form, &w->filter, e);
	vault_close(v);
	return rc == 0 ? cli_check_signal(e) : rc;
}

/* ---- head --------------------------------------------------------------------------- */

static int save_beside(const struct words *w, const char *suffix, const uint8_t *data,
		       size_t size, struct err *e)
{
	char *name = NULL;
	int rc;

	if (asprintf(&name, "%s.%s", w->to, suffix) < 0)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a file's name");
	rc = user_file_save(name, data, size, e);
	free(name);
	return rc;
}

/* Where the archive names an authority, its word for when the head was there. */
static int save_stamp(struct vault *v, const struct words *w, const char *statement,
		      struct err *e)
{
	const struct digest of = digest_of(statement, strlen(statement));
	uint8_t *stamp = NULL;
	size_t size = 0;
	int64_t when;
	int rc = vault_authority_stamp(v, &of, &stamp, &size, &when, NULL, e);

	if (rc < 0 && e->code == MUNI_NOT_FOUND) {
		*e = ERR_NONE;	/* none is named */
		return 0;
	}
	if (rc == 0)
		rc = save_beside(w, "tsr", stamp, size, e);
	free(stamp);
	return rc;
}

static int save_head(struct vault *v, const struct words *w, const char *statement,
		     const uint8_t *cms, size_t cms_size, struct err *e)
{
	if (user_file_save(w->to, statement, strlen(statement), e) < 0 ||
	    save_beside(w, "p7s", cms, cms_size, e) < 0)
		return -1;
	return save_stamp(v, w, statement, e);
}

static int head(struct cli *cli, const struct words *w, struct err *e)
{
	struct vault *v = NULL;
	struct log_head h;
	char *statement = NULL;
	uint8_t *cms = NULL;
	size_t cms_size = 0;
	int rc = cli_open(cli, cli->operands[1], VAULT_READ, &v, e);

	if (rc == 0)
		rc = audit_head(v, &h, &statement, &cms, &cms_size, e);
	if (rc == 0 && w->to != NULL)
		rc = save_head(v, w, statement, cms, cms_size, e);
	if (rc == 0)
		puts(statement);
	free(statement);
	free(cms);
	vault_close(v);
	return rc;
}

/* ---- verify ---------------------------------------------------------------------------- */

struct report {
	struct cli *cli;
	struct err failed;
};

static const char *const fault_words[] = {
	[AUDIT_DAMAGE] = "damage", [AUDIT_CLOCK] = "clock", [AUDIT_UNFINISHED] = "note",
};

static void on_fault(void *arg, enum audit_fault fault, const char *what)
{
	struct report *r = arg;
	json_t *o;

	if (!r->cli->json) {
		printf("%-6s  %s\n", fault_words[fault], what);
		return;
	}
	o = jsonl_new(fault_words[fault]);
	jsonl_text(o, "what", what);
	if (r->failed.code == MUNI_OK)
		jsonl_end(o, &r->failed);
	else
		json_decref(o);
}

/* A file, or the head itself. */
static int read_since(const char *word, struct kept_head *out, struct err *e)
{
	uint8_t *data = NULL;
	size_t size = 0;
	int rc;

	if (access(word, F_OK) != 0)
		return audit_head_parse(word, out, e);
	if (user_file_load(word, HEAD_FILE_MAX, &data, &size, e) < 0)
		return -1;
	rc = audit_head_parse((const char *)data, out, e);
	free(data);
	return rc;
}

static int summary(struct cli *cli, const struct words *w, const struct audit_summary *s,
		   int rc, struct err *e)
{
	char entries[TEXT_COUNT_MAX], heads[TEXT_COUNT_MAX];
	json_t *o;

	if (!cli->json) {
		printf("read    %s entr%s under %s signed head%s\n",
		       text_count(s->entries, entries), s->entries == 1 ? "y" : "ies",
		       text_count(s->heads, heads), s->heads == 1 ? "" : "s");
		if (s->keys > 1)
			printf("        signed by %u keys of the archive, one after the other\n",
			       s->keys);
		if (s->destroyed > 0)
			printf("        of %" PRIu64 " the details were destroyed; what they were "
			       "cannot be told, that they were can\n", s->destroyed);
		if (rc == 0)
			printf("result  whole: nothing was altered or removed%s\n",
			       w->since != NULL ? ", and it continues the head that was kept" : "");
		return rc;
	}
	o = jsonl_new("audit_verify");
	jsonl_bool(o, "whole", rc == 0);
	jsonl_number(o, "entries", s->entries);
	jsonl_number(o, "heads", s->heads);
	jsonl_number(o, "details_destroyed", s->destroyed);
	jsonl_number(o, "signing_keys", s->keys);
	jsonl_number(o, "damages", s->damages);
	jsonl_number(o, "clock_findings", s->clocks);
	jsonl_bool(o, "keyless", s->is_keyless);
	return jsonl_end(o, rc < 0 ? &(struct err){ .code = MUNI_OK } : e) < 0 ? -1 : rc;
}

static int verify(struct cli *cli, const struct words *w, struct err *e)
{
	struct report r = { .cli = cli, .failed = ERR_NONE };
	struct audit_summary s;
	struct kept_head since;
	int rc;

	if (w->since != NULL && read_since(w->since, &since, e) < 0)
		return -1;
	rc = audit_verify(cli->operands[1], &cli->vault, w->since != NULL ? &since : NULL,
			  on_fault, &r, &s, e);
	if (rc < 0 && e->code != MUNI_DAMAGED)
		return rc;
	if (rc == 0 && r.failed.code != MUNI_OK) {
		*e = r.failed;
		return -1;
	}
	return summary(cli, w, &s, rc, e);
}

/* ---- proofs of files ------------------------------------------------------------------- */

static int prove(struct cli *cli, const struct words *w, struct err *e)
{
	struct vault *v = NULL;
	char *proof = NULL, *path = cli->operands[3];
	size_t size = 0;
	int rc;

	if (w->to == NULL)
		return err_set(e, MUNI_USAGE, "say where the proof is to go: --to FILE");
	if (cli_path(path, e) < 0)
		return -1;
	rc = cli_open(cli, cli->operands[1], VAULT_READ, &v, e);
	if (rc == 0)
		rc = proof_make(v, cli->operands[2], path, strlen(path), &proof, &size, e);
	if (rc == 0)
		rc = user_file_save(w->to, proof, size, e);
	free(proof);
	vault_close(v);
	return rc;
}

static void show_facts(const struct words *w, const struct proof_facts *f)
{
	char hex[DIGEST_HEX_SIZE], size[TEXT_SIZE_MAX], time[TEXT_TIME_MAX];

	printf("proven:       this %s stood in a signed version\n", f->kind);
	printf("path:         %s\n", text_printable_n(f->path, f->path_size));
	if (f->system != NULL)
		printf("version:      %s@%s\n", text_printable(f->system), text_printable(f->label));
	else
		puts("version:      (its name was destroyed)");
	printf("ingested:     %s\n", text_printable(f->time));
	printf("size:         %s\n", text_size(f->size, size));
	printf("modified:     %s\n", text_time(f->modified, 0, time));
	if (f->has_sha256) {
		digest_hex(&f->sha256, hex);
		printf("SHA-256:      %s%s\n", hex, w->file != NULL ? " (that of the file given)" : "");
	}
	printf("archive:      %s\n", f->archive);
	printf("signed by:    %s\n", text_printable(f->signer));
	digest_hex(&f->signer_fingerprint, hex);
	printf("certificate:  SHA-256 %s%s\n", hex, w->certificate != NULL ?
	       " (the one given)" : ": compare it with the one that you know");
}

static int facts_json(const struct words *w, const struct proof_facts *f, struct err *e)
{
	json_t *o = jsonl_new("proof");

	jsonl_bytes(o, "path", f->path, f->path_size);
	jsonl_text(o, "kind", f->kind);
	jsonl_text(o, "system", f->system);
	jsonl_text(o, "version", f->label);
	jsonl_text(o, "ingested", f->time);
	jsonl_number(o, "size", f->size);
	jsonl_time(o, "modified", f->modified, 0);
	jsonl_digest(o, "sha256", f->has_sha256 ? &f->sha256 : NULL);
	jsonl_text(o, "archive", f->archive);
	jsonl_text(o, "signer", f->signer);
	jsonl_digest(o, "certificate", &f->signer_fingerprint);
	jsonl_bool(o, "certificate_given", w->certificate != NULL);
	jsonl_bool(o, "file_compared", w->file != NULL);
	return jsonl_end(o, e);
}

static int check(struct cli *cli, const struct words *w, struct err *e)
{
	struct proof_facts f = { .system = NULL };
	uint8_t *proof = NULL, *pem = NULL;
	size_t size = 0, pem_size = 0;
	int rc = user_file_load(cli->operands[1], PROOF_FILE_MAX, &proof, &size, e);

	if (rc == 0 && w->certificate != NULL)
		rc = user_file_load(w->certificate, HEAD_FILE_MAX, &pem, &pem_size, e);
	if (rc == 0)
		rc = proof_check(proof, size, pem, pem_size, &f, e);
	if (rc == 0 && w->file != NULL)
		rc = proof_check_file(&f, w->file, e);
	if (rc == 0 && cli->json)
		rc = facts_json(w, &f, e);
	else if (rc == 0)
		show_facts(w, &f);
	proof_facts_clear(&f);
	free(proof);
	free(pem);
	return rc;
}

/* ---- the time --------------------------------------------------------------------------- */

static int clock_sign(struct cli *cli, const struct words *w, struct err *e)
{
	struct vault *v = NULL;
	struct officer_key *key = NULL;
	bool is_enough = false;
	int rc;

	if (w->signer.by == NULL || w->signer.key == NULL)
		return err_set(e, MUNI_USAGE, "say who signs the time: --by ID --key KEY.pem");
	rc = cli_open(cli, cli->operands[1], VAULT_WRITE, &v, e);
	if (rc == 0)
		rc = officer_words_open(cli, v, &w->signer, &key, e);
	if (rc == 0)
		rc = vault_clock_sign(v, w->signer.by, key, &is_enough, e);
	officer_key_close(key);
	vault_close(v);
	if (rc == 0 && !cli->quiet)
		puts(is_enough ? "two officers have signed the present time: it is trusted" :
		     "signed; a second officer, another person, has to sign within a day");
	return rc;
}

/* ---- which ------------------------------------------------------------------------------ */

static const struct act {
	const char *name;
	int operands;
	int (*run)(struct cli *cli, const struct words *w, struct err *e);
} acts[] = {
	{ "list", 2, list },
	{ "verify", 2, verify },
	{ "head", 2, head },
	{ "prove", 4, prove },
	{ "check", 2, check },
	{ "clock", 2, clock_sign },
};

static const struct act *find_act(const char *name)
{
	for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++)
		if (strcmp(acts[i].name, name) == 0)
			return &acts[i];
	return NULL;
}

static int run(struct cli *cli)
{
	struct words w = { .since = NULL };
	struct err e = ERR_NONE;
	const struct act *act;
	int o;

	while ((o = cli_next(cli)) > 0)
		if (!officer_words_take(&w.signer, o, cli->value) && take_option(&w, o, cli->value, &e) < 0)
			return cli_usage(cli, "%s", e.text);
	if (o != CLI_END)
		return cli_stopped(o);
	act = find_act(cli->operands[0]);
	if (act == NULL)
		return cli_usage(cli, "there is no 'audit %s'", text_printable(cli->operands[0]));
	if (cli->operand_count != act->operands)
		return cli_usage(cli, "audit %s takes %d words", act->name, act->operands - 1);
	if (w.csv + w.premis + cli->json > 1)
		return cli_usage(cli, "one of --json, --csv and --premis");
	return cli_end(cli, act->run(cli, &w, &e), &e);
}

const struct command cmd_audit = {
	.name = "audit",
	.operands = "list|verify|head|prove|clock|check ARCHIVE|PROOF [VERSION PATH]",
	.summary = "who did what, when and why; and the proof that nobody changed that",
	.about =
	"list     every act in the log: who, when, what, with its details and outcome;\n"
	"         refusals too.  Details that named what was destroyed are gone\n"
	"verify   proves that no entry was altered, removed or put in, and names what\n"
	"         was; with --since also that the log continues a head that was kept.\n"
	"         Times that cannot be (a clock was set) are named.  Exit 5 on damage\n"
	"head     prints the newest signed head: keep it, and `verify --since` holds the\n"
	"         archive to it\n"
	"prove    writes the proof that a file stood in a signed version\n"
	"check    says what such a proof, in place of ARCHIVE, proves; needs no key\n"
	"clock    an officer signs the present time: two who do so within a day settle\n"
	"         it where the clock is in doubt and nothing may be destroyed",
	.options = options,
	.shared = CLI_ARCHIVE | CLI_JSON | CLI_QUIET,
	.min_operands = 2,
	.max_operands = 4,
	.run = run,
};
