/*
 * The certificate's words: docs/format.md, "Certificate", gives every field.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/calendar.h"
#include "fs/base/canonical.h"
#include "fs/base/err.h"
#include "fs/vault/certificate_inside.h"

static const char *kind_word(enum disposition_kind k)
{
	return k == DISPOSITION_LIVE ? "live" : k == DISPOSITION_SHORTEN ? "shorten" : "records";
}

/* ---- identity ------------------------------------------------------------------------------ */

static json_t *identity_json(const struct certificate_facts *f)
{
	char certificate[24], disposition[24];

	snprintf(certificate, sizeof certificate, "C%" PRId64, f->id);
	snprintf(disposition, sizeof disposition, "D%" PRId64, f->row.id);
	return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o}", "certificate", certificate, "archive",
			 f->vault->id_hex, "disposition", disposition, "kind",
			 kind_word(f->row.kind), "made", time_value(f->now),
			 "archive_certificate",
			 base64_value(f->vault->certificate, f->vault->certificate_size));
}

/* ---- what ----------------------------------------------------------------------------------- */

/* Whole years between a day "1998-01-01" and a second; -1 where the day is none. */
static int64_t years_since(const char *day, int64_t seconds)
{
	int year, month, date;
	int64_t now_year;
	unsigned now_month, now_date;

	if (!day || sscanf(day, "%d-%d-%d", &year, &month, &date) != 3)
		return -1;
	calendar_date(calendar_floor_divide(seconds, CALENDAR_DAY), &now_year, &now_month,
		      &now_date);
	return now_year - year -
	       ((int)now_month < month || ((int)now_month == month && (int)now_date < date));
}

/* Article 18 of the Accounting Archives Measures asks for the period due and the
 * period kept. */
static void put_kept(const struct certificate_facts *f, json_t *class)
{
	const char *from = json_string_value(json_object_get(class, "from"));
	const char *to = json_string_value(json_object_get(class, "to"));
	int64_t longest = years_since(from, f->execution.ended);
	int64_t shortest = years_since(to, f->execution.ended);

	if (longest >= 0 && shortest >= 0)
		json_object_set_new(class, "kept_years",
				    json_pack("{s:I, s:I}", "least", (json_int_t)shortest, "most",
					      (json_int_t)longest));
	json_object_set_new(class, "destroyed", time_value(f->execution.ended));
}

static json_t *classes_json(const struct certificate_facts *f)
{
	json_t *classes = json_deep_copy(json_object_get(f->statement, "classes"));
	json_t *class;
	size_t i;

	if (!classes)
		return json_array();
	json_array_foreach(classes, i, class)
		if (json_is_object(class))
			put_kept(f, class);
	return classes;
}

static void copy_key(json_t *to, const json_t *from, const char *key)
{
	json_t *value = json_object_get(from, key);

	if (value)
		json_object_set(to, key, value);
}

static json_t *what_json(const struct certificate_facts *f)
{
	const struct doom_result *d = &f->execution.epoch.doom;
	json_t *annex = json_pack("{s:o, s:o}", "sha256", hex_value(&f->annex), "lines",
				  count_value(f->annex_lines));
	json_t *outcomes = json_pack("{s:o, s:o, s:o, s:o}", "gone",
				     count_value(f->outcomes[OUTCOME_GONE]), "bytes_stay",
				     count_value(f->outcomes[OUTCOME_BYTES_STAY]), "failed",
				     count_value(f->outcomes[OUTCOME_FAILED]), "pending",
				     count_value(f->outcomes[OUTCOME_PENDING]));
	json_t *what = json_pack("{s:o, s:o, s:o, s:o}", "root", hex_value(&f->row.root),
				 "classes", classes_json(f), "annex", annex, "outcomes", outcomes);
	static const char *const keys[] = { "items", "files", "bytes", "systems", "source", "named" };

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		copy_key(what, f->statement, keys[i]);
	if (f->has_marks)
		json_object_set_new(what, "marks", json_pack("{s:o, s:o}", "count",
				    count_value(f->marks_count), "sha256", hex_value(&f->marks)));
	if (f->row.kind == DISPOSITION_RECORDS)
		json_object_set_new(what, "destroyed", json_pack("{s:o, s:o, s:o}", "records",
				    count_value(d->records), "directories",
				    count_value(d->directories), "bytes", count_value(d->bytes)));
	return what;
}

/* ---- why ------------------------------------------------------------------------------------ */

/* Every text of `key` in the classes, once each. */
static json_t *gather(const json_t *classes, const char *key)
{
	json_t *set = json_object(), *list = json_array(), *class, *value;
	size_t i, j;

	json_array_foreach(classes, i, class) {
		json_t *values = json_object_get(class, key);

		json_array_foreach(values, j, value) {
			const char *text = json_string_value(value);

			if (text && !json_object_get(set, text)) {
				json_object_set_new(set, text, json_true());
				json_array_append(list, value);
			}
		}
	}
	json_decref(set);
	return list;
}

static json_t *why_json(const struct certificate_facts *f)
{
	const json_t *classes = json_object_get(f->statement, "classes");
	json_t *why = json_pack("{s:o, s:o, s:o}", "mandates", gather(classes, "mandates"),
				"policies", gather(classes, "policies"), "rules",
				gather(classes, "rules"));

	copy_key(why, f->statement, "asof");
	copy_key(why, f->statement, "reason");
	copy_key(why, f->statement, "scope");
	return why;
}

/* ---- clearance -------------------------------------------------------------------------------- */

static json_t *clearance_json(const struct certificate_facts *f)
{
	json_t *holds = json_pack("{s:o, s:o, s:i}", "checked", time_value(f->execution.began),
				  "in_force", count_value(f->holds), "covering", 0);
	json_t *o = json_pack("{s:s, s:o, s:O, s:o}", "statement", f->row.statement, "holds", holds,
			      "copies", f->copies, "shared_content",
			      count_value(f->outcomes[OUTCOME_BYTES_STAY]));

	copy_key(o, f->statement, "approvals");
	return o;
}

int certificate_json(struct certificate_facts *f, char **text, size_t *size, struct err *e)
{
	json_t *proof = NULL, *all;
	int rc;

	*text = NULL;
	if (certificate_proof(f, &proof, e) < 0)
		return -1;
	all = json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "type",
			CERTIFICATE_TYPE, "identity", identity_json(f), "what", what_json(f), "why",
			why_json(f), "clearance", clearance_json(f), "media",
			certificate_media(f), "how", certificate_how(f), "people",
			certificate_people(f), "stays", certificate_stays(f), "proof", proof);
	rc = all ? canonical_dump(all, text, size, e)
		 : err_set(e, MUNI_NO_MEMORY, "no memory for a certificate, or a text in it is not "
			   "UTF-8");
	json_decref(all);
	return rc;
}
