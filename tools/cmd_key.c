#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/text.h"
#include "fs/vault/epoch.h"
#include "fs/vault/renewal.h"
#include "tools/act.h"
#include "tools/commands.h"
#include "tools/jsonl.h"
#include "tools/officer_key.h"
#include "tools/print.h"
#include "tools/table.h"

enum { NEW_KEY_FILE = 256, NEW_PASSPHRASE_FILE, RECIPIENT, LABEL, MOUNTS_TIMEOUT, ABORT_MOUNTS,
	ALGORITHM, REASON };

static const struct cli_option options[] = {
	{ NEW_KEY_FILE, "new-key-file", "FILE", "add: this key file" },
	{ NEW_PASSPHRASE_FILE, "new-passphrase-file", "FILE", "add: the passphrase in its first line" },
	{ RECIPIENT, "recipient", "CERT.pem", "add: an escrow slot for this X.509 certificate" },
	{ LABEL, "label", "TEXT", "add: what the list shows" },
	{ MOUNTS_TIMEOUT, "mounts-timeout", "SECONDS", "remove, rotate: wait so long for open mounts (60)" },
	{ ABORT_MOUNTS, "abort-mounts", NULL, "remove, rotate: cut mounts off that do not answer" },
	{ ALGORITHM, "algorithm", "NAME", "renew-signing: ecdsa-p256, ecdsa-p384 (default), ecdsa-p521" },
	{ REASON, "reason", "TEXT", "renew-signing: why, for the log" },
	OFFICER_KEY_OPTIONS,
	{ .name = NULL },
};

struct key_words {
	struct vault_keys fresh;	/* what is to be added */
	const char *recipient, *label;
	uint64_t number;
	struct epoch_options epoch;
	struct renewal_request renewal;
	struct officer_words officer;
};

static int take_option(struct key_words *w, int o, const char *value, struct err *e)
{
	uint64_t seconds;

	switch (o) {
	case NEW_KEY_FILE:
		w->fresh.key_file = value;
		return 0;
	case NEW_PASSPHRASE_FILE:
		w->fresh.passphrase_file = value;
		return 0;
	case RECIPIENT:
		w->recipient = value;
		return 0;
	case MOUNTS_TIMEOUT:
		if (cli_number("--mounts-timeout", value, 1, 86400, &seconds, e) < 0)
			return -1;
		w->epoch.mounts_timeout_ms = (unsigned)seconds * 1000;
		return 0;
	case ABORT_MOUNTS:
		w->epoch.abort_mounts = true;
		return 0;
	case ALGORITHM:
		w->renewal.algorithm = value;
		return 0;
	case REASON:
		w->renewal.reason = value;
		return 0;
	default:
		w->label = value;
		return 0;
	}
}

static int list_json(const struct vault_key *k, struct err *e)
{
	json_t *o = jsonl_new("key");

	jsonl_number(o, "number", k->number);
	jsonl_text(o, "kind", k->kind);
	jsonl_text(o, "label", text_printable(k->label));
	jsonl_time(o, "created", k->created, 0);
	return jsonl_end(o, e);
}

static int list(struct cli *cli, struct vault *v, const void *words, struct err *e)
{
	const struct key_words *w = words;
	static const char *const heads[] = { "NUMBER", "KIND", "ADDED (UTC)", "LABEL" };
	struct table *t = cli->json ? NULL : table_new(stdout, "rlll", heads);
	struct vault_key *keys = NULL;
	char created[TEXT_TIME_MAX];
	size_t count = 0;
	int rc = vault_key_list(v, &keys, &count, e);

	(void)w;
	for (size_t i = 0; rc == 0 && i < count; i++) {
		const struct vault_key *k = &keys[i];

		if (cli->json) {
			rc = list_json(k, e);
			continue;
		}
		table_cell(t, "%u", k->number);
		table_cell(t, "%s", k->kind);
		table_cell(t, "%s", print_time(k->created, created));
		table_cell(t, "%s", text_printable(k->label));
	}
	if (!cli->json && table_end(t) < 0 && rc == 0)
		rc = err_set(e, MUNI_NO_MEMORY, "no memory for a table");
	free(keys);
	return rc;
}

static int add(struct cli *cli, struct vault *v, const void *words, struct err *e)
{
	const struct key_words *w = words;
	unsigned number = 0;

	if (vault_key_add(v, &w->fresh, w->recipient, w->label, &number, e) < 0)
		return -1;
	if (!cli->quiet)
		cli_say(cli, "the keyring has changed: back it up, and destroy the copies that "
			"were made of it before");
	printf("%u\n", number);
	return 0;
}

static void tell_mount(void *arg, const char *about, bool has_answered)
{
	if (!has_answered)
		cli_say(arg, "no answer: %s", about);
}

static void tell_epoch(struct cli *cli, const struct epoch_result *r)
{
	if (cli->quiet)
		return;
	cli_say(cli, "epoch %" PRIu64 " has begun, the key of epoch %" PRIu64 " is overwritten",
		r->new_epoch, r->old_epoch);
	cli_say(cli, "back up now: the keyring and the archive's catalogue; an older copy of the "
		"keyring opens older copies of the archive: destroy both, or keep them as long "
		"as you mean to");
	if (r->keyring_inside)
		cli_say(cli, "note: the keyring lies in the archive's folder, so every backup of "
			"the folder holds the keys of its time");
}

static int take_away(struct cli *cli, struct vault *v, const void *words, struct err *e)
{
	const struct key_words *w = words;
	struct epoch_result result;

	if (vault_key_remove(v, (unsigned)w->number, &w->epoch, &cli->monitor, &result, e) < 0)
		return -1;
	tell_epoch(cli, &result);
	return 0;
}

static int rotate(struct cli *cli, struct vault *v, const void *words, struct err *e)
{
	const struct key_words *w = words;
	struct epoch_result result;

	if (vault_key_rotate(v, &w->epoch, &cli->monitor, &result, e) < 0)
		return -1;
	tell_epoch(cli, &result);
	return 0;
}

static void tell_renewal(struct cli *cli, const struct renewal_result *r)
{
	char before[DIGEST_HEX_SIZE], after[DIGEST_HEX_SIZE], versions[TEXT_COUNT_MAX];

	if (cli->quiet)
		return;
	digest_hex(&r->before, before);
	digest_hex(&r->after, after);
	cli_say(cli, "the certificate with SHA-256 %s signs from now on; the one before it, %s, "
		"counts up to entry %" PRIu64 " of the log", after, before, r->entry);
	cli_say(cli, "%s version%s signed anew; certificates of destruction stay as they are: `muni "
		"cert stamp` renews their time-stamps", text_count(r->versions, versions),
		r->versions == 1 ? " is" : "s are");
	cli_say(cli, "back up now: the keyring and the archive. Give the files archive* of "
		"ARCHIVE/certificates to whoever verifies without a key");
}

static int renew_signing(struct cli *cli, struct vault *v, const void *words, struct err *e)
{
	const struct key_words *w = words;
	struct renewal_request request = w->renewal;
	struct officer_key *key = NULL;
	struct renewal_result result;
	char after[DIGEST_HEX_SIZE];
	int rc = 0;

	request.officer = w->officer.by;
	if (w->officer.by)
		rc = officer_words_open(cli, v, &w->officer, &key, e);
	request.key = key;
	if (rc == 0)
		rc = vault_renew_signing(v, &request, &result, e);
	officer_key_close(key);
	if (rc < 0)
		return -1;
	tell_renewal(cli, &result);
	digest_hex(&result.after, after);
	printf("%s\n", after);
	return 0;
}

static int message(struct cli *cli, struct vault *v, const void *words, struct err *e)
{
	const struct key_words *w = words;
	uint8_t *der = NULL;
	size_t size = 0;

	(void)cli;
	if (vault_key_message(v, (unsigned)w->number, &der, &size, e) < 0)
		return -1;
	fwrite(der, 1, size, stdout);
	free(der);
	return 0;
}

static const struct act acts[] = {
	{ "list", VAULT_READ, 2, list },
	{ "add", VAULT_WRITE, 2, add },
	{ "remove", VAULT_WRITE, 3, take_away },
	{ "rotate", VAULT_WRITE, 2, rotate },
	{ "renew-signing", VAULT_WRITE, 2, renew_signing },
	{ "message", VAULT_READ, 3, message },
};

static int check_words(struct cli *cli, const struct act *act, struct key_words *w)
{
	int fresh = (w->fresh.key_file != NULL) + (w->fresh.passphrase_file != NULL) +
		    (w->recipient != NULL);
	struct err e = ERR_NONE;

	if (act->run != add && (fresh > 0 || w->label != NULL))
		return cli_usage(cli, "%s adds nothing", act->name);
	if (act->run == renew_signing && !w->renewal.reason)
		return cli_usage(cli, "--reason TEXT: why is the signing key renewed?");
	if (act->run != renew_signing &&
	    (w->renewal.algorithm || w->renewal.reason || w->officer.by))
		return cli_usage(cli, "%s renews no signing key", act->name);
	if ((w->officer.by != NULL) != (w->officer.key != NULL))
		return cli_usage(cli, "--by ID and --key KEY.pem go together");
	if (fresh > 1)
		return cli_usage(cli, "one key at a time");
	if (act->operands == 3 && cli_number("the key's number", cli->operands[2], 0, UINT32_MAX,
					    &w->number, &e) < 0)
		return cli_usage(cli, "%s", e.text);
	return 0;
}

static int run(struct cli *cli)
{
	struct key_words words = { .label = NULL };
	struct err e = ERR_NONE;
	const struct act *act;
	int rc, o;

	while ((o = cli_next(cli)) > 0)
		if (!officer_words_take(&words.officer, o, cli->value) &&
		    take_option(&words, o, cli->value, &e) < 0)
			return cli_usage(cli, "%s", e.text);
	if (o != CLI_END)
		return cli_stopped(o);
	act = act_find(cli, acts, sizeof acts / sizeof *acts, "a key's number");
	if (!act || check_words(cli, act, &words) != 0)
		return CLI_USAGE;
	words.fresh.prompt = cli->vault.keys.prompt;
	words.fresh.prompt_arg = cli->vault.keys.prompt_arg;
	words.fresh.is_cancelled = cli->vault.keys.is_cancelled;
	words.fresh.cancel_arg = cli->vault.keys.cancel_arg;
	words.epoch.mount = tell_mount;
	words.epoch.arg = cli;
	words.epoch.wait = cli->vault.wait;
	cli->vault.epoch = &words.epoch;
	rc = act_run(cli, act, &words);
	cli->vault.epoch = NULL;
	return rc;
}

const struct command cmd_key = {
	.name = "key",
	.operands = "list|add|remove|rotate|renew-signing|message ARCHIVE [NUMBER]",
	.summary = "list, add, remove and renew the keys of an archive",
	.about =
	"list     who can open the archive: number, kind, when it was added, label\n"
	"add      a new passphrase (asked for), key file or recipient; prints its number\n"
	"remove   the key with this number, and renew all others as rotate does\n"
	"rotate   a new master key and a new epoch: what was copied of the keyring before\n"
	"         opens nothing that is written from now on; open mounts move over\n"
	"renew-signing  another key signs for the archive: after the present one was stolen, or\n"
	"         before its algorithm ages. What it signed stays valid up to this act; what it\n"
	"         signs later is refused. Versions are signed anew. Prints the SHA-256 of the new\n"
	"         certificate. Where the archive has officers one of them does this (--by, --key)\n"
	"message  what a recipient decrypts with `openssl cms -decrypt -inform DER`; the\n"
	"         32 bytes that come out open the archive as --key-file",
	.options = options,
	.shared = CLI_ARCHIVE | CLI_JSON | CLI_QUIET,
	.min_operands = 2,
	.max_operands = 3,
	.run = run,
};
