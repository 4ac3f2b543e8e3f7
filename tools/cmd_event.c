#include <stdio.h>

#include "fs/base/text.h"
#include "fs/vault/retain.h"
#include "tools/commands.h"
#include "tools/jsonl.h"

enum { SYSTEM = 's', EVENT = 'e', AT = 'a', REASON = 'r' };

static const struct cli_option options[] = {
	{ SYSTEM, "system", "NAME", "the system to which it happened" },
	{ EVENT, "event", "NAME", "what: system-retired, case-closed ..." },
	{ AT, "at", "DATE", "when: a day, or a time" },
	{ REASON, "reason", "TEXT", "why it is told, or by whom" },
	{ .name = NULL },
};

struct words {
	const char *system, *event, *at, *reason;
};

static void take_option(struct words *w, int o, const char *value)
{
	if (o == SYSTEM)
		w->system = value;
	else if (o == EVENT)
		w->event = value;
	else if (o == AT)
		w->at = value;
	else
		w->reason = value;
}

static int note(struct cli *cli, const struct words *w, int64_t at, bool is_day, struct err *e)
{
	struct vault *v = NULL;
	char when[TEXT_TIME_MAX];
	int rc = cli_open(cli, cli->operands[0], VAULT_WRITE, &v, e);

	if (rc == 0)
		rc = vault_event(v, w->system, w->event, at, is_day, w->reason, e);
	if (rc == 0 && at > vault_now(v) && !cli->quiet)
		cli_say(cli, "note: %s lies ahead; a later event can only put it off further",
			w->at);
	text_time(at, 0, when);
	if (is_day)
		when[10] = '\0';	/* the day alone */
	if (rc == 0 && cli->json) {
		json_t *o = jsonl_new("event");

		jsonl_text(o, "system", w->system);
		jsonl_text(o, "event", w->event);
		jsonl_text(o, "at", when);
		rc = jsonl_end(o, e);
	} else if (rc == 0 && !cli->quiet) {
		printf("%s of %s: %s\n", w->event, text_printable(w->system), when);
	}
	vault_close(v);
	return rc;
}

static int run(struct cli *cli)
{
	struct words w = { .system = NULL };
	struct err e = ERR_NONE;
	struct civil day;
	int64_t at;
	int o;

	while ((o = cli_next(cli)) > 0)
		take_option(&w, o, cli->value);
	if (o != CLI_END)
		return cli_stopped(o);
	if (!w.system || !w.event || !w.at)
		return cli_usage(cli, "--system NAME, --event NAME and --at DATE say what happened "
				 "to which system, and when");
	if (cli_time("--at", w.at, false, &at, &e) < 0)
		return cli_usage(cli, "%s", e.text);
	return cli_end(cli, note(cli, &w, at, civil_parse(w.at, &day) == 0, &e), &e);
}

const struct command cmd_event = {
	.name = "event",
	.operands = "ARCHIVE --system NAME --event NAME --at DATE",
	.summary = "tell what retention counts from: a retirement, a closed case",
	.about =
	"Writes down when something happened to a system, so that periods that count from it\n"
	"can run: the policy's trigger `retired` counts from the event system-retired (without\n"
	"one from the newest ingest), `event:NAME` from the event NAME.  A day is that day in\n"
	"the time zone of each policy.  Of several events of one name the latest counts.",
	.options = options,
	.shared = CLI_ARCHIVE | CLI_JSON | CLI_QUIET,
	.min_operands = 1,
	.max_operands = 1,
	.run = run,
};
