/*
 * The sections of a certificate: how, verification, people, what stays, proof.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/text.h"
#include "tools/paper_inside_certificate.h"

#define PEOPLE_MAX 40

static void locations(struct sheet *s, const json_t *list)
{
	const struct paper_column columns[] = {
		{ sheet_word(s, "Location"), 0.16, false },
		{ sheet_word(s, "Sanitisation"), 0.15, false },
		{ sheet_word(s, "Method"), 0.36, false },
		{ sheet_word(s, "Condition"), 0.33, false },
	};
	json_t *place;
	size_t i;

	paper_table(s->paper, columns, sizeof columns / sizeof *columns);
	json_array_foreach(list, i, place) {
		const char *cells[] = {
			text_printable(sheet_word(s, sheet_text(place, "location"))),
			sheet_word(s, sheet_text(place, "sanitization")),
			sheet_word(s, sheet_text(place, "method")),
			sheet_word(s, sheet_text(place, "condition")),
		};

		paper_row(s->paper, cells);
	}
	paper_table_end(s->paper);
}

static void keys(struct sheet *s, const json_t *facts)
{
	char line[300], blocks[32];

	if (!facts)
		return;
	sheet_count(facts, "blocks", blocks);
	snprintf(line, sizeof line, s->is_chinese ? "第 %lld 期；数据块密钥 %s 个"
						  : "of epoch %lld; with it those of %s blocks",
		 (long long)json_integer_value(json_object_get(facts, "epoch")), blocks);
	sheet_pair(s, "Key destroyed", line);
	sheet_pair_mono(s, "SHA-256 of the blocks' ids", sheet_text(facts, "block_ids"));
}

void sheet_how(struct sheet *s)
{
	const json_t *how = sheet_part(s, "how");
	char time[48];

	sheet_heading(s, "6  How");
	locations(s, json_object_get(how, "locations"));
	keys(s, json_object_get(how, "keys"));
	sheet_pair(s, "Algorithm", sheet_word(s, sheet_text(how, "algorithm")));
	sheet_pair(s, "Began", sheet_time(sheet_text(how, "began"), time));
	sheet_pair(s, "Ended", sheet_time(sheet_text(how, "ended"), time));
	sheet_pair(s, "Tool", sheet_text(how, "tool"));
}

void sheet_verification(struct sheet *s)
{
	const json_t *v = json_object_get(sheet_part(s, "how"), "verification");
	const json_t *adversary = json_object_get(v, "adversary");
	bool is_live = strcmp(sheet_text(sheet_part(s, "identity"), "kind"), "live") == 0;
	char line[LINE_SIZE];

	sheet_heading(s, "7  Verification");
	if (!is_live)
		sheet_pair(s, "Keyring", sheet_word(s, json_is_true(json_object_get(v,
			"keyring_read_back")) ? "read back after it was overwritten" :
			"not read back"));
	sheet_join(s, json_object_get(v, "mounts"), "\n", line);
	sheet_pair(s, "Mounts", *line ? line : sheet_word(s, "none"));
	sheet_pair(s, "Adversarial check", sheet_word(s,
		!json_is_true(json_object_get(adversary, "was_run")) ? "not run" :
		json_is_true(json_object_get(adversary, "has_passed")) ? "passed" :
		"did not pass"));
}

/* ---- people -------------------------------------------------------------------------------------- */

/* "records,owner" in words. */
static const char *roles_of(const struct sheet *s, const char *roles, char out[LINE_SIZE])
{
	json_t *list = json_array();
	const char *at = roles;

	while (*at) {
		size_t size = strcspn(at, ",");

		json_array_append_new(list, json_stringn(at, size));
		at += size + (at[size] == ',');
	}
	sheet_join(s, list, ", ", out);
	json_decref(list);
	return out;
}

static void people_table(struct sheet *s)
{
	const struct paper_column columns[] = {
		{ sheet_word(s, "Act"), 0.13, false }, { sheet_word(s, "Person"), 0.42, false },
		{ sheet_word(s, "Role"), 0.21, false }, { sheet_word(s, "When"), 0.24, false },
	};
	json_t *person;
	size_t i;

	paper_table(s->paper, columns, sizeof columns / sizeof *columns);
	json_array_foreach(sheet_part(s, "people"), i, person) {
		char roles[LINE_SIZE], time[48];
		const char *name = sheet_text(person, "person");
		const char *cells[] = { sheet_word(s, sheet_text(person, "act")),
					text_printable(*name ? name : sheet_text(person, "id")),
					roles_of(s, sheet_text(person, "roles"), roles),
					sheet_time(sheet_text(person, "at"), time) };

		paper_row(s->paper, cells);
	}
	paper_table_end(s->paper);
}

/* On whose word somebody is an officer: that of others in office, else the archive's key. */
static void word_for(const struct sheet *s, const json_t *person, char out[LINE_SIZE])
{
	const char *because = sheet_text(person, "because");
	json_t *one;
	size_t i, used = 0;

	snprintf(out, LINE_SIZE, "%s%s%s", sheet_word(s, sheet_text(person, "admitted")),
		 *because ? ": " : "", text_printable(because));
	json_array_foreach(json_object_get(person, "approved_by"), i, one) {
		int n = snprintf(out + used, LINE_SIZE - used, "%s%s", i ? "; " : "",
				 text_printable(sheet_text(one, "person")));

		if (n < 0 || (size_t)n >= LINE_SIZE - used)
			return;
		used += (size_t)n;
	}
}

/* How each of them came into office, once a person; certificates of before do not say. */
static void officers_table(struct sheet *s)
{
	const struct paper_column columns[] = {
		{ sheet_word(s, "Person"), 0.34, false },
		{ sheet_word(s, "Officer since"), 0.24, false },
		{ sheet_word(s, "Approved by"), 0.42, false },
	};
	json_t *seen = json_object(), *person;
	bool has_any = false;
	size_t i;

	json_array_foreach(sheet_part(s, "people"), i, person) {
		const char *name = sheet_text(person, "person");
		char by[LINE_SIZE], time[48];

		if (!*sheet_text(person, "added") || !*name || json_object_get(seen, name))
			continue;
		json_object_set_new(seen, name, json_true());
		if (!has_any)
			paper_table(s->paper, columns, sizeof columns / sizeof *columns);
		has_any = true;
		word_for(s, person, by);
		const char *cells[] = { text_printable(name),
					sheet_time(sheet_text(person, "added"), time),
					by };

		paper_row(s->paper, cells);
	}
	if (has_any)
		paper_table_end(s->paper);
	json_decref(seen);
}

static void signed_by(struct sheet *s)
{
	char line[LINE_SIZE];
	size_t used = 0;

	line[0] = '\0';
	for (size_t i = 0; i < s->signer_count; i++) {
		char rfc3339[TEXT_TIME_MAX], time[48];
		int n = snprintf(line + used, sizeof line - used, "%s%s, %s", i ? "\n" : "",
				 text_printable(s->signers[i].person),
				 sheet_time(text_time(s->signers[i].signed_at, 0, rfc3339), time));

		if (n < 0 || (size_t)n >= sizeof line - used)
			break;
		used += (size_t)n;
	}
	sheet_pair(s, "Signed electronically by", line);
}

void sheet_people(struct sheet *s)
{
	sheet_heading(s, "8  People");
	people_table(s);
	officers_table(s);
	signed_by(s);
}

/* "CN=Chen Wei,O=Board" -> "Chen Wei", and the whole below it. */
static void caption_of(const char *person, char out[512])
{
	const char *cn = strstr(person, "CN=");
	size_t size = 0;

	if (!cn || (cn != person && cn[-1] != ',')) {
		snprintf(out, 512, "%s", text_printable(person));
		return;
	}
	cn += 3;
	while (cn[size] && cn[size] != ',')
		size += cn[size] == '\\' && cn[size + 1] ? 2 : 1;
	snprintf(out, 512, "%.200s\n%.300s", text_printable_n(cn, size), text_printable(person));
}

/* One line a person, whatever acts. */
static void by_hand(struct sheet *s)
{
	char captions[PEOPLE_MAX][512];
	const char *list[PEOPLE_MAX];
	json_t *seen = json_object(), *person;
	size_t i, count = 0;

	json_array_foreach(sheet_part(s, "people"), i, person) {
		const char *name = sheet_text(person, "person");

		if (!*name || json_object_get(seen, name) || count == PEOPLE_MAX)
			continue;
		json_object_set_new(seen, name, json_true());
		caption_of(name, captions[count]);
		list[count] = captions[count];
		count++;
	}
	json_decref(seen);
	sheet_heading(s, "11  Signatures by hand");
	paper_signatures(s->paper, list, count, sheet_word(s, "Date"));
}

/* ---- what stays, proof --------------------------------------------------------------------------- */

void sheet_stays(struct sheet *s)
{
	const json_t *stays = sheet_part(s, "stays");
	const json_t *bytes = json_object_get(stays, "bytes_of_kept_records");
	char line[LINE_SIZE];

	sheet_heading(s, "9  What stays behind");
	snprintf(line, sizeof line, "%s%s%s", sheet_word(s, sheet_text(stays, "leaves")),
		 *sheet_text(stays, "leaves") ? "\n" : "",
		 sheet_word(s, sheet_text(stays, "in_the_log")));
	sheet_pair(s, "Left in place", line);
	if (json_integer_value(json_object_get(bytes, "items")) > 0)
		sheet_pair(s, "Shared content", sheet_word(s, sheet_text(bytes, "why")));
	sheet_pair(s, "Back up again now",
		   sheet_join(s, json_object_get(stays, "back_up_again"), ", ", line));
}

static void head(struct sheet *s, const char *label, const json_t *of)
{
	char line[200], count[32], time[48];

	if (!of)
		return;
	sheet_count(of, "count", count);
	sheet_time(sheet_text(of, "time"), time);
	snprintf(line, sizeof line, s->is_chinese ? "%s 条，%s" : "%s entries, %s", count, time);
	sheet_pair(s, label, line);
	sheet_pair_mono(s, "Root", sheet_text(of, "root"));
}

void sheet_proof(struct sheet *s)
{
	const json_t *proof = sheet_part(s, "proof");
	const json_t *previous = json_object_get(proof, "previous");
	char line[LINE_SIZE];
	json_t *acts = json_array(), *entry;
	size_t i;

	sheet_heading(s, "10  Proof");
	head(s, "Log before", json_object_get(proof, "before"));
	head(s, "Log now", json_object_get(proof, "head"));
	json_array_foreach(json_object_get(proof, "entries"), i, entry)
		json_array_append(acts, json_object_get(entry, "act"));
	sheet_pair(s, "Acts proven in the log", sheet_join(s, acts, ", ", line));
	json_decref(acts);
	sheet_pair(s, "Certificate before this", json_is_object(previous) ?
		   sheet_text(previous, "certificate") :
		   sheet_word(s, "the first of this archive"));
	sheet_pair_mono(s, "Its SHA-256", sheet_text(previous, "sha256"));
	by_hand(s);
}
