#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/text.h"
#include "tools/commands.h"
#include "tools/jsonl.h"
#include "tools/report.h"
#include "tools/user_file.h"
#include "tools/user_stream.h"

enum { HTML = 256, ASOF = 'a' };

static const struct cli_option options[] = {
	{ HTML, "html", "FILE", "where the page goes; \"-\" is standard output" },
	{ ASOF, "asof", "DATE", "what is due as it would be on that day, instead of today" },
	{ .name = NULL },
};

struct words {
	const char *html, *asof;
};

/* As `muni due` takes it. */
static int take_day(struct report *r, const char *asof, struct civil *day, struct err *e)
{
	struct zone *utc = NULL;

	r->asof = r->now;
	if (asof && cli_time("--asof", asof, false, &r->asof, e) < 0)
		return -1;
	if (asof && civil_parse(asof, day) == 0) {
		r->as_day = day;
		r->day = *day;
		return 0;
	}
	if (zone_open("UTC", &utc, e) < 0)
		return -1;
	r->day = zone_date(utc, r->asof);
	zone_close(utc);
	return 0;
}

static int compose(const struct report *r, char **text, size_t *size, struct err *e)
{
	FILE *to = text_stream(text, size);
	int rc;

	if (!to)
		return err_set(e, MUNI_NO_MEMORY, "no memory for the report");
	rc = report_write(r, to, e);
	/* The stream is memory: that it took no more is the want of that. */
	if (text_stream_end(to, text) < 0 && (rc == 0 || e->code == MUNI_IO))
		rc = err_set(e, MUNI_NO_MEMORY, "no memory for the report");
	return rc;
}

/* All that it tells is of one moment, whatever is written meanwhile. */
static int look(struct report *r, char **text, size_t *size, struct err *e)
{
	struct catalogue *c = vault_catalogue(r->vault);
	int rc = catalogue_begin(c, e);

	if (rc < 0)
		return -1;
	rc = report_gather(r, e);
	if (rc == 0)
		rc = compose(r, text, size, e);
	catalogue_rollback(c);
	return rc;
}

static int tell_json(const struct report *r, const char *path, struct err *e)
{
	json_t *o = jsonl_new("report"), *waits = json_array();
	uint64_t records = 0;
	char day[16];

	for (int i = 0; i < STANDINGS; i++)
		records += r->standings[i].records;
	civil_text(r->day, day);
	jsonl_text(o, "archive", vault_id_hex(r->vault));
	jsonl_text(o, "asof", day);
	jsonl_text(o, "file", text_printable(path));
	jsonl_number(o, "records", records);
	for (int i = 0; i < STANDINGS; i++)
		jsonl_number(o, standing_name((enum record_standing)i), r->standings[i].records);
	jsonl_number(o, "holds", r->hold_count);
	jsonl_number(o, "dispositions", r->dispositions);
	jsonl_number(o, "certificates", r->certificates);
	for (size_t i = 0; i < r->wait_count; i++)
		json_array_append_new(waits, json_string(r->waits[i]));
	if (o)
		json_object_set(o, "waits", waits);
	json_decref(waits);
	return jsonl_end(o, e);
}

static int make(struct cli *cli, const struct words *w, struct vault *v, struct err *e)
{
	struct report r = { .vault = v, .now = vault_now(v) };
	struct civil day;
	char *text = NULL;
	size_t size;
	int rc = take_day(&r, w->asof, &day, e);

	if (rc == 0)
		rc = look(&r, &text, &size, e);
	if (rc == 0)
		rc = user_file_save(w->html, text, size, e);
	if (rc == 0 && cli->json)
		rc = tell_json(&r, w->html, e);
	else if (rc == 0 && strcmp(w->html, "-") != 0 && !user_stream_is(w->html))
		puts(text_printable(w->html));
	free(text);
	report_clear(&r);
	return rc;
}

static int run(struct cli *cli)
{
	struct words w = { .html = NULL };
	struct err e = ERR_NONE;
	struct vault *v = NULL;
	int o, rc;

	while ((o = cli_next(cli)) > 0) {
		if (o == HTML)
			w.html = cli->value;
		else
			w.asof = cli->value;
	}
	if (o != CLI_END)
		return cli_stopped(o);
	if (!w.html)
		return cli_usage(cli, "report wants --html FILE: where the page goes");
	if (cli->json && strcmp(w.html, "-") == 0)
		return cli_usage(cli, "--json tells on standard output: the page wants a file of its "
				 "own");
	rc = cli_open(cli, cli->operands[0], VAULT_READ, &v, &e);
	if (rc == 0)
		rc = make(cli, &w, v, &e);
	vault_close(v);
	return cli_end(cli, rc, &e);
}

const struct command cmd_report = {
	.name = "report",
	.operands = "ARCHIVE",
	.summary = "a page for people: what came, how long it is kept, what went",
	.about =
	"Writes one page of HTML: what waits for somebody, what came, what was decided,\n"
	"what is kept for how long and by which law, what is held, due, proposed, and\n"
	"what went by which certificate.  It needs no other file, runs nothing, and can\n"
	"be printed.  No path of a record stands in it; the scope of a hold may have one.",
	.options = options,
	.shared = CLI_ARCHIVE | CLI_JSON | CLI_QUIET,
	.min_operands = 1,
	.max_operands = 1,
	.run = run,
};
