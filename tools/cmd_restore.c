#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/base/file.h"
#include "fs/base/text.h"
#include "fs/vault/restore.h"
#include "tools/cert.h"
#include "tools/commands.h"
#include "tools/jsonl.h"
#include "tools/officer_key.h"
#include "tools/user_file.h"

#define CERTIFICATE_MAX (64u << 20)
#define BESIDE_MAX (2u << 30)

enum { REASON = 256, NO_CERTIFICATES, LATER_OFFICERS, ABORT_MOUNTS, MOUNTS_TIMEOUT };

static const struct cli_option options[] = {
	{ REASON, "reason", "TEXT", "why the newest copy cannot be had" },
	{ NO_CERTIFICATES, "no-certificates", NULL, "nothing was destroyed since this copy" },
	{ LATER_OFFICERS, "later-officers", NULL, "take the word of officers whom the copy does not know" },
	{ ABORT_MOUNTS, "abort-mounts", NULL, "cut mounts off that do not answer" },
	{ MOUNTS_TIMEOUT, "mounts-timeout", "SECONDS", "how long they have (60)" },
	OFFICER_KEY_OPTIONS,
	{ .name = NULL },
};

struct words {
	struct officer_words officer;
	const char *reason;
	bool no_certificates, later_officers, abort_mounts;
	uint64_t mounts_timeout_s;
};

/* ---- certificates ------------------------------------------------------------------------ */

static int load_beside(const char *path, const char *suffix, const uint8_t **out, size_t *size,
		       struct err *e)
{
	char *name = cert_beside(path, suffix);
	uint8_t *data = NULL;
	int rc = name ? 0 : err_set(e, MUNI_NO_MEMORY, "no memory for a file's name");

	if (rc == 0 && access(name, F_OK) == 0)
		rc = user_file_load(name, BESIDE_MAX, &data, size, e);
	*out = data;
	free(name);
	return rc;
}

static int folder_of(const char *path, struct err *e)
{
	char *copy = strdup(path);
	int fd = copy ? file_open_user(dirname(copy), O_RDONLY | O_DIRECTORY, 0, e) :
		 err_set(e, MUNI_NO_MEMORY, "no memory for a file's name");

	free(copy);
	return fd;
}

static int load(const char *path, struct restore_certificate *c, struct err *e)
{
	uint8_t *cms = NULL;

	c->name = path;
	c->folder = folder_of(path, e);
	if (c->folder < 0)
		return -1;
	if (user_file_load(path, CERTIFICATE_MAX, &cms, &c->cms_size, e) < 0)
		return -1;
	c->cms = cms;
	return load_beside(path, "p7s", &c->own, &c->own_size, e) < 0 ||
	       load_beside(path, "marks", &c->marks, &c->marks_size, e) < 0 ||
	       load_beside(path, "annex.json", &c->annex, &c->annex_size, e) < 0 ||
	       load_beside(path, "tsr", &c->timestamp, &c->timestamp_size, e) < 0 ? -1 : 0;
}

static void unload(struct restore_certificate *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free((void *)list[i].cms);
		free((void *)list[i].own);
		free((void *)list[i].marks);
		free((void *)list[i].annex);
		free((void *)list[i].timestamp);
		file_close(&list[i].folder);
	}
	free(list);
}

/* "archive-F.json": of a renewed signing key, with what belongs to it beside it. */
static bool is_link(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	const char *dot = strrchr(name, '.');

	return strncmp(name, "archive-", 8) == 0 && dot && strcmp(dot, ".json") == 0;
}

/* ---- the act ------------------------------------------------------------------------------- */

static int tell(struct cli *cli, const struct restore_result *r, struct err *e)
{
	char count[TEXT_COUNT_MAX];

	if (!cli->quiet) {
		if (r->acts_seen > r->acts)
			cli_say(cli, "%s acts that this host had seen are not in this copy: what was "
				"taken in, held, released or decided in them has to be done again",
				text_count(r->acts_seen - r->acts, count));
		cli_say(cli, "other hosts that saw the newer state refuse this one, until the file "
			"ARCHIVE-ID.anchor beside their keyring is removed");
		cli_say(cli, "back up now: the keyring and the archive; and destroy the copies of "
			"the keyring that were made before");
	}
	if (cli->json) {
		json_t *o = jsonl_new("restored");

		jsonl_number(o, "disposition", (uint64_t)r->disposition);
		jsonl_number(o, "records", r->records);
		jsonl_number(o, "certificates", r->certificates);
		jsonl_number(o, "acts", r->acts);
		jsonl_number(o, "acts_seen", r->acts_seen);
		return jsonl_end(o, e);
	}
	printf("%s record%s that certificates say %s gone %s gone again\n",
	       text_count(r->records, count), r->records == 1 ? "" : "s",
	       r->records == 1 ? "is" : "are", r->records == 1 ? "has" : "have");
	return 0;
}

static int restore(struct cli *cli, struct vault *v, const struct words *w,
		   const struct epoch_options *o, struct err *e)
{
	const size_t count = (size_t)cli->operand_count - 1;
	struct restore_certificate *list = calloc(count + 1, sizeof *list);
	int *folders = calloc(count + 1, sizeof *folders);
	struct restore_request request = {
		.certificates = list, .link_folders = folders, .none_known = w->no_certificates,
		.take_later_officers = w->later_officers, .reason = w->reason,
	};
	struct officer_key *key = NULL;
	struct restore_result result;
	int rc = list && folders ? 0 : err_set(e, MUNI_NO_MEMORY, "no memory for certificates");

	for (size_t i = 0; list && i < count; i++)
		list[i].folder = -1;
	for (size_t i = 0; rc == 0 && i < count; i++)
		if (!is_link(cli->operands[1 + i]))
			rc = load(cli->operands[1 + i], &list[request.certificate_count++], e);
		else if ((folders[request.link_folder_count] = folder_of(cli->operands[1 + i], e)) < 0)
			rc = -1;
		else
			request.link_folder_count++;
	if (rc == 0 && w->officer.by)
		rc = officer_words_open(cli, v, &w->officer, &key, e);
	if (rc == 0)
		rc = vault_restore(v, &request, w->officer.by, key, o, &cli->monitor, &result, e);
	officer_key_close(key);
	for (size_t i = 0; i < request.link_folder_count; i++)
		file_close(&folders[i]);
	free(folders);
	unload(list, list ? count : 0);
	return rc < 0 ? -1 : tell(cli, &result, e);
}

static int check(struct cli *cli, const struct words *w)
{
	if (!w->reason)
		return cli_usage(cli, "--reason TEXT: why can the newest copy not be had?");
	if ((w->officer.by != NULL) != (w->officer.key != NULL))
		return cli_usage(cli, "--by ID and --key KEY.pem go together");
	bool has_certificates = false;

	for (int i = 1; i < (int)cli->operand_count; i++)
		has_certificates |= !is_link(cli->operands[i]);
	if (w->no_certificates && has_certificates)
		return cli_usage(cli, "either certificates, or --no-certificates");
	return 0;
}

static int run(struct cli *cli)
{
	struct words w = { .reason = NULL };
	struct err e = ERR_NONE;
	struct vault *v = NULL;
	int o, rc;

	while ((o = cli_next(cli)) > 0) {
		if (officer_words_take(&w.officer, o, cli->value))
			continue;
		if (o == REASON)
			w.reason = cli->value;
		w.no_certificates |= o == NO_CERTIFICATES;
		w.later_officers |= o == LATER_OFFICERS;
		w.abort_mounts |= o == ABORT_MOUNTS;
		if (o == MOUNTS_TIMEOUT && cli_number("--mounts-timeout", cli->value, 1, 86400,
						      &w.mounts_timeout_s, &e) < 0)
			return cli_usage(cli, "%s", e.text);
	}
	if (o != CLI_END)
		return cli_stopped(o);
	if (check(cli, &w) != 0)
		return CLI_USAGE;
	const struct epoch_options epoch = {
		.mounts_timeout_ms = (unsigned)w.mounts_timeout_s * 1000,
		.abort_mounts = w.abort_mounts,
		.wait = cli->vault.wait,
	};
	cli->vault.epoch = &epoch;
	cli->vault.is_restoring = true;
	rc = cli_open(cli, cli->operands[0], VAULT_WRITE, &v, &e);
	cli->vault.epoch = NULL;
	if (rc == 0)
		rc = restore(cli, v, &w, &epoch, &e);
	vault_close(v);
	return cli_end(cli, rc, &e);
}

const struct command cmd_restore = {
	.name = "restore",
	.operands = "ARCHIVE [C<n>.p7m|archive-<key>.json ...]",
	.summary = "take an older copy as what there is: the newest is lost",
	.about =
	"A backup that was put back is refused where this host, or a certificate in the\n"
	"folder, knows of a newer state: what was destroyed since must not come back.\n"
	"This takes it, with its own keyring, after everything that the certificates of\n"
	"destruction made since say is gone has gone from it, and begins a new epoch.\n\n"
	"Give every certificate that was made since, with what belongs to it beside it\n"
	"(C<n>.p7s, C<n>.marks: `muni cert show --all` saved them); none may be missing\n"
	"between two.  Where the archive has officers one of them does this (--by, --key).\n"
	"Who signed them is held against the officers of the copy; who came into office after\n"
	"it is taken with --later-officers alone, and the log says so.\n"
	"Where the signing key was renewed since, and no certificate lies beside what tells of\n"
	"that (archive-<key>.json and its signatures), give it too.\n"
	"What was cut off goes on when the command is given again.",
	.options = options,
	.shared = CLI_ARCHIVE | CLI_JSON | CLI_QUIET,
	.min_operands = 1,
	.max_operands = -1,
	.run = run,
};
