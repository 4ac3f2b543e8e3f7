#include <locale.h>
#include <stdlib.h>

#include "tests/unit/policy/policies.h"

static void the_first_rule_that_matches_decides_and_all_are_recorded(void **state)
{
	struct policy *p = load_rules(
		"  - {id: r1, when: {path: 'x/**'}, decide: review}\n"
		"  - {id: r2, when: {path: 'a/**'}, decide: archive, class: A}\n"
		"  - {id: r3, when: {extension: c}, decide: destroy, class: B}\n"
		"  - {id: r4, when: {extension: h}, decide: migrate}\n"
		"  - {id: r5, when: {path: '**'}, decide: review}\n"
		"  - {id: r6, when: {path: '**'}, decide: review}\n"
		"  - {id: r7, when: {path: '**'}, decide: review}\n"
		"  - {id: r8, when: {path: '**'}, decide: review}\n"
		"  - {id: r9, when: {path: 'a/*'}, decide: review}\n");
	struct facts f = item("a/b.c");
	uint8_t matched[2] = { 0xff, 0xff };
	struct judgement j = { .matched = matched };

	(void)state;
	policy_decide(p, &f, moment(NOW), &j);
	assert_int_equal(j.decision, DECISION_ARCHIVE);
	assert_string_equal(j.rule->id, "r2");
	assert_string_equal(j.class->id, "A");
	assert_int_equal(j.confidence, 100);
	assert_false(j.is_held_back);
	assert_ptr_equal(j.matched, matched);
	assert_int_equal(matched[0], 0xf6);
	assert_int_equal(matched[1], 0x01);
	f.path = "q.h";
	policy_decide(p, &f, moment(NOW), &j);
	assert_int_equal(j.decision, DECISION_MIGRATE);
	assert_null(j.class);
	assert_int_equal(matched[0], 0xf8);
	policy_free(p);
}

static void what_no_rule_matches_is_reviewed(void **state)
{
	struct policy *p = load_rules("  - {id: r, when: {path: a}, decide: destroy, class: A}\n");
	struct facts f = item("b");
	struct judgement j = judge(p, &f);

	(void)state;
	assert_int_equal(j.decision, DECISION_REVIEW);
	assert_null(j.rule);
	assert_null(j.class);
	assert_int_equal(j.importance, IMPORTANCE_NORMAL);
	assert_int_equal(j.sensitivity, SENSITIVITY_PUBLIC);
	policy_free(p);
}

static void sensitivity_is_the_greater_of_class_and_findings(void **state)
{
	static const struct facts_finding found[] = {
		{ "es-dni", 1, 60, SENSITIVITY_INTERNAL },
		{ "payment-card", 1, 60, SENSITIVITY_RESTRICTED },
	};
	struct policy *p = load(HEAD "classes:\n  - {id: A, title: {en: T}, sensitivity: confidential, "
				"importance: vital, retain: {trigger: modified, period: P1Y}, then: "
				"keep}\nrules:\n  - {id: r, when: {path: a}, decide: archive, class: "
				"A}\n");
	struct facts f = item("a");

	(void)state;
	f.findings = found;
	f.finding_count = 1;
	assert_int_equal(judge(p, &f).sensitivity, SENSITIVITY_CONFIDENTIAL);
	assert_int_equal(judge(p, &f).importance, IMPORTANCE_VITAL);
	f.finding_count = 2;
	assert_int_equal(judge(p, &f).sensitivity, SENSITIVITY_RESTRICTED);
	f.path = "b";
	assert_int_equal(judge(p, &f).sensitivity, SENSITIVITY_RESTRICTED);
	policy_free(p);
}

static void confidence_is_that_of_the_weakest_finding_needed(void **state)
{
	static const struct facts_finding found[] = {
		{ "es-dni", 10, 60, SENSITIVITY_INTERNAL },
		{ "payment-card", 3, 90, SENSITIVITY_RESTRICTED },
		{ "iban", 2, 75, SENSITIVITY_CONFIDENTIAL },
	};
	static const struct { const char *when; uint8_t confidence; } cases[] = {
		{ "{detect: es-dni}", 60 },
		{ "{detect: any}", 90 },
		{ "{detect: any, min: 4}", 75 },
		{ "{detect: any, min: 6}", 60 },
		{ "{detect: [es-dni, iban]}", 75 },
		{ "{all: [{detect: es-dni}, {detect: iban}]}", 60 },
		{ "{any: [{detect: es-dni}, {detect: iban}]}", 75 },
		{ "{any: [{detect: es-dni}, {path: a}]}", 100 },
		{ "{path: a, detect: iban}", 75 },
		{ "{not: {detect: us-ssn}}", 100 },
		{ "{sensitivity: confidential}", 90 },
		{ "{path: a}", 100 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char rule[300];
		struct facts f = item("a");
		struct policy *p;
		struct judgement j;

		snprintf(rule, sizeof rule, "  - {id: r, when: %s, decide: review}\n", cases[i].when);
		p = load_rules(rule);
		f.findings = found;
		f.finding_count = 3;
		j = judge(p, &f);
		assert_non_null(j.rule);
		if (j.confidence != cases[i].confidence)
			fail_msg("%s: %u", cases[i].when, j.confidence);
		policy_free(p);
	}
}

/* ---- P3 --------------------------------------------------------------------------------------- */

struct opaque_case {
	const char *rules;
	enum decision clean, opaque;
	bool is_held_back;
};

static const struct facts_finding card[] = {
	{ "payment-card", 1, 90, SENSITIVITY_RESTRICTED },
};

static void what_could_not_be_looked_into_is_never_counted_as_clean(void **state)
{
	static const struct opaque_case cases[] = {
		/* Archiving by path loses nothing. */
		{ "  - {id: r, when: {path: '**'}, decide: archive, class: A}\n",
		  DECISION_ARCHIVE, DECISION_ARCHIVE, false },
		/* Destroying and migrating do. */
		{ "  - {id: r, when: {path: '**'}, decide: destroy, class: A}\n",
		  DECISION_DESTROY, DECISION_REVIEW, true },
		{ "  - {id: r, when: {path: '**'}, decide: migrate}\n",
		  DECISION_MIGRATE, DECISION_REVIEW, true },
		{ "  - {id: r, when: {path: '**'}, decide: destroy, class: A, opaque: accept}\n",
		  DECISION_DESTROY, DECISION_DESTROY, false },
		/* "Nothing found" is not known. */
		{ "  - {id: r, when: {not: {detect: any}}, decide: archive, class: A}\n",
		  DECISION_ARCHIVE, DECISION_REVIEW, true },
		{ "  - {id: r, when: {not: {sensitivity: internal}}, decide: archive, class: A}\n",
		  DECISION_ARCHIVE, DECISION_REVIEW, true },
		{ "  - {id: r, when: {not: {detect: any}}, decide: archive, class: A, opaque: accept}\n",
		  DECISION_ARCHIVE, DECISION_ARCHIVE, false },
		/* A rule before it could have matched. */
		{ "  - {id: q, when: {detect: any}, decide: review}\n"
		  "  - {id: r, when: {path: '**'}, decide: archive, class: A}\n",
		  DECISION_ARCHIVE, DECISION_REVIEW, true },
		{ "  - {id: q, when: {detect: any}, decide: archive, class: B}\n"
		  "  - {id: r, when: {path: '**'}, decide: archive, class: A}\n",
		  DECISION_ARCHIVE, DECISION_REVIEW, true },
		/* ... but would have said the same. */
		{ "  - {id: q, when: {detect: any}, decide: archive, class: A}\n"
		  "  - {id: r, when: {path: '**'}, decide: archive, class: A}\n",
		  DECISION_ARCHIVE, DECISION_ARCHIVE, false },
		/* ... or could not, whatever stands inside. */
		{ "  - {id: q, when: {detect: any, path: 'x/**'}, decide: review}\n"
		  "  - {id: r, when: {path: '**'}, decide: archive, class: A}\n",
		  DECISION_ARCHIVE, DECISION_ARCHIVE, false },
		/* It holds by another branch, whatever stands inside. */
		{ "  - {id: r, when: {any: [{not: {detect: any}}, {path: a}]}, decide: archive, "
		  "class: A}\n", DECISION_ARCHIVE, DECISION_ARCHIVE, false },
		/* The officer takes it as it is. */
		{ "  - {id: q, when: {detect: any}, decide: review}\n"
		  "  - {id: r, when: {path: '**'}, decide: archive, class: A, opaque: accept}\n",
		  DECISION_ARCHIVE, DECISION_ARCHIVE, false },
		/* Review stays what it is. */
		{ "  - {id: r, when: {opaque: true}, decide: review}\n"
		  "  - {id: s, when: {path: '**'}, decide: destroy, class: A}\n",
		  DECISION_DESTROY, DECISION_REVIEW, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct policy *p = load_rules(cases[i].rules);
		struct facts f = item("a");
		struct judgement clean = judge(p, &f), opaque;

		f.opaque = "encrypted";
		f.encoding = f.script = NULL;
		opaque = judge(p, &f);
		if (clean.decision != cases[i].clean || opaque.decision != cases[i].opaque ||
		    opaque.is_held_back != cases[i].is_held_back || clean.is_held_back)
			fail_msg("%s: %s, opaque %s%s", cases[i].rules, decision_name(clean.decision),
				 decision_name(opaque.decision),
				 opaque.is_held_back ? ", held back" : "");
		policy_free(p);
	}
}

static void what_was_found_in_a_part_is_found(void **state)
{
	struct policy *p = load_rules(
		"  - {id: r, when: {detect: payment-card}, decide: archive, class: A}\n"
		"  - {id: s, when: {path: '**'}, decide: destroy, class: B}\n");
	struct facts f = item("a");
	struct judgement j;

	(void)state;
	f.opaque = "inner.zip: encrypted";
	f.findings = card;
	f.finding_count = 1;
	j = judge(p, &f);
	assert_int_equal(j.decision, DECISION_ARCHIVE);
	assert_string_equal(j.class->id, "A");
	policy_free(p);
}

static void a_held_back_item_keeps_the_rule_and_class_that_it_was_meant_for(void **state)
{
	struct policy *p = load_rules("  - {id: r, when: {path: a}, decide: destroy, class: A}\n");
	struct facts f = item("a");
	struct judgement j;

	(void)state;
	f.opaque = "damaged";
	j = judge(p, &f);
	assert_int_equal(j.decision, DECISION_REVIEW);
	assert_true(j.is_held_back);
	assert_string_equal(j.rule->id, "r");
	assert_string_equal(j.class->id, "A");
	policy_free(p);
}

static void an_expression_that_takes_too_long_sends_to_review(void **state)
{
	struct policy *p = load_rules(
		"  - {id: r, when: {name-regex: '^(a+)+$'}, decide: review}\n"
		"  - {id: s, when: {path: '**'}, decide: destroy, class: B}\n");
	struct facts f = item("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab");
	struct judgement j = judge(p, &f);

	(void)state;
	assert_int_equal(j.decision, DECISION_REVIEW);
	assert_true(j.is_held_back);
	policy_free(p);
}

/* ---- P1 ------------------------------------------------------------------------------------------ */

static const char many[] =
	"  - {id: a, when: {path: ['**/cache/**', '**/tmp/**']}, decide: destroy, class: A}\n"
	"  - {id: b, when: {name-regex: '^[0-9]{4}'}, decide: archive, class: A}\n"
	"  - {id: c, when: {older-than: P3Y, size: '> 500'}, decide: archive, class: B}\n"
	"  - {id: d, when: {any: [{extension: csv}, {detect: any, min: 2}]}, decide: migrate}\n"
	"  - {id: e, when: {not: {format: 'text/*'}}, decide: review}\n";

/* Items of every sort, made from their number. */
static struct facts sample(unsigned n, char path[64])
{
	static const char *const folders[] = { "cache", "tmp", "工资", "a/b/c", "\xff\xfe" };
	static const char *const names[] = { "x.csv", "2011.txt", "y", "z.TMP", "\xb9\xa4.csv" };
	struct facts f;

	snprintf(path, 64, "%s/%s", folders[n % 5], names[n / 5 % 5]);
	f = item(path);
	f.size = n % 1000;
	f.modified = moment("2015-01-01T00:00:00Z") + (int64_t)n * 86400 * 40;
	f.format = n % 3 == 0 ? "image/png" : "text/plain";
	f.opaque = n % 7 == 0 ? "encrypted" : NULL;
	f.findings = card;
	f.finding_count = n % 2;
	return f;
}

static void the_same_three_give_the_same_verdict_in_any_order_and_locale(void **state)
{
	static const char *const locales[] = { "C", "C.UTF-8", "tr_TR.UTF-8", "" };
	struct policy *p = load_rules(many), *again = load_rules(many);
	struct judgement first[200];
	uint8_t matched[200][1], other[1];

	(void)state;
	for (unsigned n = 0; n < 200; n++) {
		char path[64];
		struct facts f = sample(n, path);

		first[n] = (struct judgement){ .matched = matched[n] };
		policy_decide(p, &f, moment(NOW), &first[n]);
	}
	for (size_t l = 0; l < sizeof locales / sizeof *locales; l++) {
		setlocale(LC_ALL, locales[l]);
		setenv("TZ", l % 2 ? "America/New_York" : "Asia/Tokyo", 1);
		for (unsigned n = 200; n-- > 0;) {
			char path[64];
			struct facts f = sample(n, path);
			struct judgement j = { .matched = other };

			policy_decide(again, &f, moment(NOW), &j);
			assert_int_equal(j.decision, first[n].decision);
			assert_int_equal(j.confidence, first[n].confidence);
			assert_int_equal(j.is_held_back, first[n].is_held_back);
			assert_int_equal(j.sensitivity, first[n].sensitivity);
			assert_int_equal(other[0], matched[n][0]);
			assert_string_equal(j.rule ? j.rule->id : "-",
					    first[n].rule ? first[n].rule->id : "-");
		}
	}
	setlocale(LC_ALL, "C");
	unsetenv("TZ");
	policy_free(p);
	policy_free(again);
}

static void words_and_numbers_of_decisions_are_one_to_one(void **state)
{
	enum decision d;
	enum importance i;
	enum sensitivity s;
	enum then t;

	(void)state;
	for (int k = 0; k < 4; k++) {
		assert_int_equal(decision_parse(decision_name((enum decision)k), &d), 0);
		assert_int_equal(d, k);
		assert_int_equal(importance_parse(importance_name((enum importance)k), &i), 0);
		assert_int_equal(i, k);
		assert_int_equal(sensitivity_parse(sensitivity_name((enum sensitivity)k), &s), 0);
		assert_int_equal(s, k);
		assert_int_equal(then_parse(then_name((enum then)k), &t), 0);
		assert_int_equal(t, k);
	}
	assert_int_equal(decision_parse("delete", &d), -1);
	assert_int_equal(decision_parse("", &d), -1);
	assert_string_equal(decision_name((enum decision)99), "unknown");
}

/* ---- explaining ----------------------------------------------------------------------------------- */

struct told {
	char text[8000];
	size_t used;
	unsigned limit, steps;
	int rc;
};

static int tell(void *arg, const struct explain_step *s)
{
	struct told *t = arg;

	t->used += (size_t)snprintf(t->text + t->used, sizeof t->text - t->used, "%u %s %s%s %s\n",
				    s->depth, s->rule, s->holds ? "yes" : "no",
				    s->is_deciding ? " decides" : "", s->text);
	return ++t->steps == t->limit ? t->rc : 0;
}

static void an_explanation_tells_every_rule_and_condition(void **state)
{
	struct policy *p = load_rules(
		"  - {id: r1, when: {all: [{path: 'x/**'}, {not: {extension: c}}]}, decide: review}\n"
		"  - {id: r2, when: {size: '> 500'}, decide: archive, class: A, because: it is large}\n"
		"  - {id: r3, when: {detect: any}, decide: review}\n");
	struct facts f = item("a.c");
	struct told t = { .limit = 0 };
	struct err e = ERR_NONE;

	(void)state;
	f.findings = card;
	f.finding_count = 1;
	assert_int_equal(policy_explain(p, &f, moment(NOW), tell, &t, &e), 0);
	assert_string_equal(t.text,
		"0 r1 no review\n"
		"1 r1 no all of:\n"
		"2 r1 no path \"x/**\": its path is a.c\n"
		"2 r1 no not:\n"
		"3 r1 yes extension c: its name is a.c\n"
		"0 r2 yes decides archive as A: it is large\n"
		"1 r2 yes a file of at least 501 bytes: the file has 1000 B\n"
		"0 r3 yes review\n"
		"1 r3 yes at least 1 of any sensitive data: it has 1 of payment-card (90 %, "
		"restricted)\n");
	t = (struct told){ .limit = 2, .rc = 1 };
	assert_int_equal(policy_explain(p, &f, moment(NOW), tell, &t, &e), 0);
	assert_int_equal(t.steps, 2);
	t = (struct told){ .limit = 3, .rc = -1 };
	assert_int_equal(policy_explain(p, &f, moment(NOW), tell, &t, &e), -1);
	assert_int_equal(t.steps, 3);
	policy_free(p);
}

static void every_condition_has_words(void **state)
{
	struct policy *p = load_rules(
		"  - id: r\n    decide: review\n    when:\n      any:\n"
		"        - {name: [a, b], name-regex: x, format: text/*, claimed: image/*}\n"
		"        - {extension-lies: true, empty: false, depth: '< 3', older-than: P1Y}\n"
		"        - {created: {newer-than: P1Y}, owner: [me, 7], group: us, mode: 4000}\n"
		"        - {duplicate: true, duplicate-of: x, encoding: utf-8, script: Latn}\n"
		"        - {sensitivity: internal, opaque: true, kind: [file, other]}\n");
	static const char *const said[] = {
		"name \"a\" or \"b\"", "name with /x/ in it", "format \"text/*\"", "not empty",
		"a depth of at most 2", "modified at least P1Y ago: it was modified on 2020-06-15, today "
		"is 2024-03-01", "when it was created is not known", "owner me or 7", "group us",
		"mode bits 4000: its mode is 0640", "no other item has this content", "encoding \"utf-8\"",
		"its encoding is not known: encrypted (not known for sure)", "script \"Latn\"",
		"at least internal", "not looked into wholly: encrypted", "kind file or other: it is a file",
	};
	struct facts f = item("a");
	struct told t = { .limit = 0 };
	struct err e = ERR_NONE;

	(void)state;
	f.opaque = "encrypted";
	f.encoding = f.script = NULL;
	assert_int_equal(policy_explain(p, &f, moment(NOW), tell, &t, &e), 0);
	for (size_t i = 0; i < sizeof said / sizeof *said; i++)
		if (strstr(t.text, said[i]) == NULL)
			fail_msg("\"%s\" is not said in:\n%s", said[i], t.text);
	policy_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_rule_that_matches_decides_and_all_are_recorded),
		cmocka_unit_test(what_no_rule_matches_is_reviewed),
		cmocka_unit_test(sensitivity_is_the_greater_of_class_and_findings),
		cmocka_unit_test(confidence_is_that_of_the_weakest_finding_needed),
		cmocka_unit_test(what_could_not_be_looked_into_is_never_counted_as_clean),
		cmocka_unit_test(what_was_found_in_a_part_is_found),
		cmocka_unit_test(a_held_back_item_keeps_the_rule_and_class_that_it_was_meant_for),
		cmocka_unit_test(an_expression_that_takes_too_long_sends_to_review),
		cmocka_unit_test(the_same_three_give_the_same_verdict_in_any_order_and_locale),
		cmocka_unit_test(words_and_numbers_of_decisions_are_one_to_one),
		cmocka_unit_test(an_explanation_tells_every_rule_and_condition),
		cmocka_unit_test(every_condition_has_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
