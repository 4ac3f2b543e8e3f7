#include <stdlib.h>

#include "tests/unit/policy/policies.h"
#include "policy/mandates.h"

struct found {
	char text[20000];
	size_t used;
	unsigned count, errors, warnings, last_line;
};

static int take(void *arg, const struct lint *l)
{
	static const char *const levels[] = { "note", "warning", "error" };
	struct found *f = arg;

	assert_true(l->line >= f->last_line);
	f->last_line = l->line;
	f->count++;
	f->errors += l->level == LINT_ERROR;
	f->warnings += l->level == LINT_WARNING;
	f->used += (size_t)snprintf(f->text + f->used, sizeof f->text - f->used, "%u %s %s: %s\n",
				    l->line, levels[l->level], l->where, l->text);
	assert_true(f->used < sizeof f->text);
	return 0;
}

static struct found lint(const char *text)
{
	struct policy *p = load(text);
	struct found f = { .count = 0 };
	struct err e = ERR_NONE;

	assert_int_equal(policy_lint(p, take, &f, &e), 0);
	policy_free(p);
	return f;
}

static struct found lint_rules(const char *rules)
{
	static char text[20000];

	snprintf(text, sizeof text, HEAD "classes:\n" CLASS("A") CLASS("B") "rules:\n%s"
		 "  - {id: zA, when: {path: zzA}, decide: archive, class: A}\n"
		 "  - {id: zB, when: {path: zzB}, decide: archive, class: B}\n", rules);
	return lint(text);
}

static void assert_says(const struct found *f, const char *what)
{
	if (strstr(f->text, what) == NULL)
		fail_msg("\"%s\" is not said:\n%s", what, f->text);
}

static void assert_silent(const struct found *f)
{
	if (f->errors + f->warnings > 0)
		fail_msg("something is said:\n%s", f->text);
}

static void a_sound_policy_has_nothing_said_of_it(void **state)
{
	struct found f = lint_rules(
		"  - {id: a, when: {path: 'a/**', detect: any}, decide: review}\n"
		"  - {id: b, when: {path: 'a/**'}, decide: archive, class: A}\n"
		"  - {id: c, when: {path: '**/*.tmp'}, decide: destroy, class: B}\n");

	(void)state;
	assert_int_equal(f.count, 0);
}

/* ---- reach ------------------------------------------------------------------------------------------ */

static void a_rule_behind_one_that_takes_all_of_it_is_unreachable(void **state)
{
	static const struct { const char *before, *after; } cases[] = {
		{ "{path: '**'}", "{path: 'a/**'}" },
		{ "{path: 'a/**'}", "{path: 'a/b/*.c'}" },
		{ "{path: 'a/**'}", "{path: 'a/**', size: '> 1M'}" },
		{ "{path: ['a/**', 'b/**']}", "{path: ['b/x', 'a/y']}" },
		{ "{any: [{path: 'a/**'}, {extension: c}]}", "{extension: [c], kind: file}" },
		{ "{any: [{path: 'a/**'}, {path: 'b/**'}]}", "{path: ['a/x', 'b/y']}" },
		{ "{any: [{path: 'a/**'}, {path: 'b/**'}]}", "{any: [{path: 'b/c'}, {path: 'a/c'}]}" },
		{ "{size: '> 1M'}", "{size: {over: 2M, under: 3M}}" },
		{ "{older-than: P5Y}", "{older-than: P10Y}" },
		{ "{newer-than: P5Y}", "{newer-than: P1Y}" },
		{ "{detect: any}", "{detect: iban, min: 3}" },
		{ "{detect: [iban, payment-card], min: 2, confidence: 50}",
		  "{detect: iban, min: 2, confidence: 60}" },
		{ "{sensitivity: internal}", "{sensitivity: restricted}" },
		{ "{format: 'image/*'}", "{format: [image/png, image/jpeg]}" },
		{ "{mode: '0022'}", "{mode: '0002'}" },
		{ "{kind: [file, symlink]}", "{kind: file}" },
		{ "{not: {path: 'a/**'}}", "{path: 'b/**'}" },
		{ "{not: {size: '> 1M'}}", "{not: {size: '> 1k'}}" },
		{ "{owner: 'hr-*'}", "{owner: hr-robot}" },
		{ "{duplicate: true}", "{duplicate-of: 'x/**'}" },
		{ "{extension-lies: true}", "{claimed: application/pdf}" },
		{ "{any: [{opaque: true}, {not: {opaque: true}}]}", "{path: a}" },
		{ "{depth: '>= 1'}", "{name: x}" },
		{ "{name: '*'}", "{path: x}" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char rules[1000];
		struct found f;

		snprintf(rules, sizeof rules,
			 "  - {id: before, when: %s, decide: archive, class: A}\n"
			 "  - {id: after, when: %s, decide: archive, class: B}\n",
			 cases[i].before, cases[i].after);
		f = lint_rules(rules);
		if (strstr(f.text, "9 error rules[2] (after): it can never decide: whatever meets it "
			   "meets the rule before (line 8)") == NULL)
			fail_msg("%s takes all of %s:\n%s", cases[i].before, cases[i].after, f.text);
	}
}

static void a_rule_that_can_still_decide_is_not_called_unreachable(void **state)
{
	static const struct { const char *before, *after; } cases[] = {
		{ "{path: 'a/**'}", "{path: '**/a/**'}" },
		{ "{path: 'a/*'}", "{path: 'a/**'}" },
		{ "{path: 'a/**', size: '> 1M'}", "{path: 'a/**'}" },
		{ "{older-than: P10Y}", "{older-than: P5Y}" },
		/* A month may be shorter than thirty days. */
		{ "{older-than: P30D}", "{older-than: P1M}" },
		{ "{changed: {older-than: P1Y}}", "{older-than: P10Y}" },
		{ "{detect: iban}", "{detect: any}" },
		{ "{detect: iban, min: 5}", "{detect: iban, min: 4}" },
		{ "{all: [{path: 'a/**'}, {path: 'b/**'}]}", "{path: 'a/b'}" },
		{ "{not: {path: 'a/b/**'}}", "{path: 'a/**'}" },
		{ "{name-regex: a}", "{name-regex: aa}" },
		{ "{mode: '0002'}", "{mode: '0022'}" },
		{ "{kind: file}", "{kind: [file, symlink]}" },
		{ "{size: '>= 0'}", "{path: a}" },	/* a link has no size */
		{ "{created: {newer-than: forever}}", "{path: a}" },	/* not always known */
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char rules[1000];
		struct found f;

		snprintf(rules, sizeof rules,
			 "  - {id: before, when: %s, decide: archive, class: A}\n"
			 "  - {id: after, when: %s, decide: archive, class: B}\n",
			 cases[i].before, cases[i].after);
		f = lint_rules(rules);
		if (strstr(f.text, "(after): it can never decide") != NULL)
			fail_msg("%s leaves some of %s:\n%s", cases[i].before, cases[i].after, f.text);
	}
}

static void rules_that_take_all_of_it_together_are_seen(void **state)
{
	struct found f = lint_rules(
		"  - {id: a, when: {path: 'a/**'}, decide: archive, class: A}\n"
		"  - {id: b, when: {path: 'b/**'}, decide: archive, class: A}\n"
		"  - {id: c, when: {path: ['a/x/**', 'b/y/**']}, decide: archive, class: B}\n");

	(void)state;
	assert_says(&f, "10 error rules[3] (c): it can never decide: whatever meets it meets one of the "
			"rules before it");
}

static void an_unreachable_rule_that_says_the_same_is_a_warning(void **state)
{
	struct found f = lint_rules("  - {id: a, when: {path: 'a/**'}, decide: archive, class: A}\n"
				    "  - {id: b, when: {path: 'a/b'}, decide: archive, class: A}\n");

	(void)state;
	assert_says(&f, "9 warning rules[2] (b): it can never decide");
	assert_says(&f, "the same, archive");
}

static void a_condition_that_can_never_hold_is_an_error(void **state)
{
	static const char *const never[] = {
		"{path: 'a/**', all: [{path: 'b/**'}]}",
		"{size: '> 1M', all: [{size: '< 1k'}]}",
		"{empty: true, size: '> 0'}",
		"{older-than: P10Y, newer-than: P5Y}",
		"{older-than: P10Y, newer-than: P10Y}",
		"{duplicate: false, duplicate-of: x}",
		"{extension-lies: false, claimed: image/png}",
		"{kind: symlink, size: '> 1'}",
		"{kind: symlink, all: [{kind: [file, other]}]}",
		"{path: 'a/**', not: {path: '**'}}",
		"{path: 'a/b', not: {path: 'a/**'}}",
		"{not: {any: [{path: a}, {not: {path: a}}]}}",
		"{any: [{older-than: forever}, {opaque: true, all: [{opaque: false}]}]}",
		"{path: '**/*.c', all: [{path: '**/*.h'}]}",
		"{depth: '< 1'}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof never / sizeof *never; i++) {
		char rules[500];
		struct found f;

		snprintf(rules, sizeof rules, "  - {id: n, when: %s, decide: review}\n", never[i]);
		f = lint_rules(rules);
		if (strstr(f.text, "8 error rules[1] (n): its condition can never hold") == NULL)
			fail_msg("%s never holds:\n%s", never[i], f.text);
	}
	struct found f = lint_rules("  - id: n\n    decide: review\n    when:\n      any:\n"
				    "        - {path: a}\n        - {empty: true, size: '> 1'}\n");
	assert_says(&f, "13 warning rules[1] (n): this branch of \"any\" can never hold");
}

static void a_review_behind_a_destruction_is_told(void **state)
{
	struct found f = lint_rules("  - {id: d, when: {older-than: P10Y}, decide: destroy, class: A}\n"
				    "  - {id: r, when: {detect: iban}, decide: review}\n");

	(void)state;
	assert_says(&f, "9 warning rules[2] (r): it reviews, but what meets the rule d (line 8)");
	f = lint_rules("  - {id: d, when: {older-than: P10Y}, decide: destroy, class: A}\n"
		       "  - {id: r, when: {path: 'x/**'}, decide: review}\n");
	assert_says(&f, "9 note rules[2] (r): it reviews");
	f = lint_rules("  - {id: d, when: {path: 'tmp/**'}, decide: destroy, class: A}\n"
		       "  - {id: r, when: {path: 'x/**', detect: iban}, decide: review}\n");
	assert_int_equal(f.count, 0);
	f = lint_rules("  - {id: d, when: {path: 'tmp/**'}, decide: destroy, class: A}\n"
		       "  - {id: r, when: {opaque: true}, decide: archive, class: A}\n");
	assert_silent(&f);
}

/* ---- outcomes --------------------------------------------------------------------------------------- */

static void outcomes_without_a_class_are_told(void **state)
{
	struct found f = lint_rules("  - {id: a, when: {path: a}, decide: archive}\n"
				    "  - {id: b, when: {path: b}, decide: destroy}\n"
				    "  - {id: c, when: {path: c}, decide: migrate}\n"
				    "  - {id: d, when: {path: d}, decide: review}\n");

	(void)state;
	assert_says(&f, "8 warning rules[1] (a): it archives without a class");
	assert_says(&f, "9 warning rules[2] (b): it destroys without a class");
	assert_int_equal(f.count, 2);
}

#define CLASS_HEAD HEAD "rules:\n  - {id: r, when: {path: a}, decide: archive, class: A}\nclasses:\n  - id: A\n    title: {en: T}\n"

static void a_class_that_contradicts_itself_is_told(void **state)
{
	static const struct { const char *fields, *says; } cases[] = {
		{ "    retain: {trigger: modified, period: P1Y}\n    then: destroy\n",
		  "warning classes[1] (A): it is destroyed with nobody's approval" },
		{ "    retain: {trigger: modified, period: P1Y}\n    then: destroy\n    approve: {quorum: "
		  "0}\n", "with nobody's approval" },
		{ "    retain: {trigger: modified, period: P1Y}\n    then: destroy\n    approve: {quorum: "
		  "1}\n", "note classes[1] (A): it is destroyed with the approval of any officer" },
		{ "    retain: {trigger: modified, period: forever}\n    then: review\n",
		  "warning classes[1] (A): \"then: review\" never comes" },
		{ "    retain: {trigger: modified, fallback: modified, period: P1Y}\n    then: keep\n",
		  "warning classes[1] (A): its fallback is its trigger" },
		{ "    retain: {trigger: 'event:x', period: P1Y}\n    then: keep\n",
		  "note classes[1] (A): its trigger is an event" },
		{ "    retain: {trigger: modified, period: P1Y}\n    then: keep\n    destroy: {residual: "
		  "none, names: keep}\n", "warning classes[1] (A): \"names: keep\" with \"residual: none\"" },
		{ "    retain: {trigger: modified, period: P1Y}\n    then: keep\n    destroy: {residual: "
		  "stub, names: drop}\n", "warning classes[1] (A): \"names: drop\" with \"residual: stub\"" },
		{ "    retain: {trigger: modified, period: P1Y}\n    then: destroy\n    approve: {quorum: 1, "
		  "roles: [records]}\n    destroy: {grace: forever}\n", "can never be destroyed" },
		{ "    retain: {trigger: modified, period: P1Y}\n    then: destroy\n    approve: {quorum: 1, "
		  "roles: [records, kitchen]}\n", "warning classes[1] (A): \"approve.roles\": no officer "
		  "can have the role \"kitchen\"" },
		{ "    retain: {trigger: modified, period: P1Y}\n    then: destroy\n    approve: {quorum: 1, "
		  "roles: [records]}\n    witness: kitchen\n", "warning classes[1] (A): \"witness\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[1000];
		struct found f;

		snprintf(text, sizeof text, CLASS_HEAD "%s", cases[i].fields);
		f = lint(text);
		assert_says(&f, cases[i].says);
	}
}

static void a_class_that_nothing_is_decided_for_is_told(void **state)
{
	struct found f = lint(HEAD "classes:\n" CLASS("A") CLASS("B")
			      "rules:\n  - {id: r, when: {path: a}, decide: archive, class: A}\n");

	(void)state;
	assert_says(&f, "6 warning classes[2] (B): no rule decides for this class");
	assert_int_equal(f.count, 1);
}

static void destroying_what_its_class_keeps_is_told(void **state)
{
	struct found f = lint(HEAD "classes:\n  - {id: A, title: {en: T}, retain: {trigger: modified, "
			      "period: P1Y}, then: keep}\nrules:\n"
			      "  - {id: r, when: {path: a}, decide: destroy, class: A}\n");

	(void)state;
	assert_says(&f, "warning rules[1] (r): it destroys, but its class A says \"then: keep\"");
}

static void globs_that_look_like_something_else_are_told(void **state)
{
	struct found f = lint_rules("  - {id: a, when: {path: '**/*.{a,b}'}, decide: review}\n"
				    "  - {id: b, when: {any: [{path: '*.tmp'}]}, decide: review}\n");

	(void)state;
	assert_says(&f, "8 warning rules[1] (a): the glob \"**/*.{a,b}\" has {a,b} in it");
	assert_says(&f, "9 note rules[2] (b): the path \"*.tmp\" is only met in the top folder");
}

static void a_pattern_that_cannot_be_searched_for_is_told(void **state)
{
	struct found f = lint(HEAD "rules:\n  - {id: r, when: {detect: one}, decide: review}\n"
			      "recognisers:\n  - {id: one, pattern: 'E[0-9]{6}'}\n"
			      "  - {id: two, pattern: 'E(1'}\n");

	(void)state;
	assert_says(&f, "8 error recognisers[2] (two): ");
	assert_int_equal(f.count, 1);
	f = lint(HEAD "rules:\n  - {id: r, when: {detect: one}, decide: review}\n"
		 "recognisers:\n  - {id: one, pattern: 'E[0-9]{6}'}\n");
	assert_int_equal(f.count, 0);
}

/* ---- mandates --------------------------------------------------------------------------------------- */

static struct found lint_mandate(const char *mandate, const char *period, const char *then)
{
	char text[1500];

	snprintf(text, sizeof text, CLASS_HEAD "    mandate: %s\n    retain: {trigger: modified, period: "
		 "%s}\n    then: %s\n    approve: {quorum: 1, roles: [records]}\n", mandate, period, then);
	return lint(text);
}

static void a_period_below_its_mandates_minimum_is_an_error(void **state)
{
	static const struct { const char *mandate, *less, *enough; } cases[] = {
		{ "{instrument: x, minimum: P7Y}", "P6Y", "P7Y" },
		{ "{instrument: 会计档案管理办法, clause: '14', jurisdiction: CN}", "P9Y", "P10Y" },
		{ "{instrument: 《会计档案管理办法》, clause: 附表一 记账凭证}", "P29Y", "P30Y" },
		{ "{instrument: 会计档案管理办法, clause: 附表一 银行对账单}", "P9Y", "P10Y" },
		{ "{instrument: 会计档案管理办法, clause: 附表一 年度财务会计报告}", "P100Y", "forever" },
		{ "{instrument: 会计档案管理办法, clause: 附表一 半年度财务会计报告}", "P9Y", "P10Y" },
		{ "{instrument: Accounting Archives Measures, clause: 'annex 1, vouchers'}", "P10Y",
		  "P30Y" },
		{ "{instrument: 'Sarbanes-Oxley Act', clause: '802'}", "P5Y", "P7Y" },
		{ "{instrument: 17 CFR 210, clause: 210.2-06}", "P6Y", "P7Y" },
		{ "{instrument: 18 USC 1520}", "P4Y", "P5Y" },
		{ "{instrument: 26 CFR, clause: '§ 31.6001-1(e)(2)'}", "P3Y", "P4Y" },
		{ "{instrument: 26 CFR 1.6001-1}", "P2Y", "P3Y" },
		{ "{instrument: 'Fair Labor Standards Act', clause: 29 CFR 516.5}", "P35M", "P36M" },
		{ "{instrument: HIPAA, clause: 45 CFR 164.316(b)(2)}", "P5Y", "P6Y" },
		{ "{instrument: HGB, clause: '§ 257 Abs. 1 Nr. 4'}", "P7Y", "P8Y" },
		{ "{instrument: HGB, clause: '§ 257 Abs. 1 Nr. 1'}", "P8Y", "P10Y" },
		{ "{instrument: HGB, clause: '§ 257'}", "P5Y", "P6Y" },
		{ "{instrument: AO, clause: '§ 147 Abs. 1 Nr. 4'}", "P7Y", "P8Y" },
		{ "{instrument: 医疗机构病历管理规定, clause: 第二十九条 住院病历}", "P15Y", "P30Y" },
		{ "[{instrument: x}, {instrument: 29 CFR 516.5}]", "P1Y", "P3Y" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct found less = lint_mandate(cases[i].mandate, cases[i].less, "destroy");
		struct found enough = lint_mandate(cases[i].mandate, cases[i].enough,
						   strcmp(cases[i].enough, "forever") == 0 ? "keep"
											   : "destroy");

		if (less.errors != 1 || strstr(less.text, "is shorter than the") == NULL)
			fail_msg("%s, %s:\n%s", cases[i].mandate, cases[i].less, less.text);
		if (enough.errors + enough.warnings > 0)
			fail_msg("%s, %s:\n%s", cases[i].mandate, cases[i].enough, enough.text);
	}
	struct found kept = lint_mandate("{instrument: 29 CFR 516.5}", "P1Y", "keep");
	assert_int_equal(kept.errors, 0);
}

static void keeping_for_ever_what_must_not_be_kept_is_told(void **state)
{
	struct found f = lint_mandate("{instrument: GDPR, clause: 'art. 5(1)(e)', jurisdiction: EU}",
				      "forever", "keep");

	(void)state;
	assert_says(&f, "warning classes[1] (A): it is kept for ever");
	f = lint_mandate("{instrument: 个人信息保护法, clause: '19', jurisdiction: CN}", "forever", "keep");
	assert_says(&f, "kept for ever");
	f = lint_mandate("{instrument: GDPR, clause: 'art. 5(1)(e)'}", "P3Y", "destroy");
	assert_int_equal(f.count, 0);
}

static void every_known_mandate_has_a_period_that_can_be_read(void **state)
{
	const struct known_mandate *m;
	unsigned n = 0;

	(void)state;
	for (; (m = mandate_row(n)) != NULL; n++) {
		struct err e = ERR_NONE;
		struct period p;

		assert_non_null(m->words[0]);
		assert_non_null(m->source);
		assert_true((m->minimum != NULL) != m->limits);
		if (m->minimum != NULL)
			assert_int_equal(period_parse(m->minimum, &p, &e), 0);
	}
	assert_true(n > 40);
}

/* ---- bounds ------------------------------------------------------------------------------------------ */

static void a_policy_made_to_be_slow_ends(void **state)
{
	enum { RULES = 150, GLOBS = 60 };
	char *text = malloc(2000000);
	size_t used = (size_t)sprintf(text, HEAD "rules:\n");
	struct found f;

	(void)state;
	for (int i = 0; i < RULES; i++) {
		used += (size_t)sprintf(text + used, "  - {id: r%d, decide: review, when: {any: [", i);
		for (int k = 0; k < GLOBS; k++)
			used += (size_t)sprintf(text + used, "{all: [{path: '**/a%dz*/**/x%dz*'}, {not: {path: "
						"'**/b*/**'}}]},", i, k);
		used += (size_t)sprintf(text + used - 1, "]}}\n") - 1;
	}
	f = lint(text);
	assert_int_equal(f.errors, 0);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sound_policy_has_nothing_said_of_it),
		cmocka_unit_test(a_rule_behind_one_that_takes_all_of_it_is_unreachable),
		cmocka_unit_test(a_rule_that_can_still_decide_is_not_called_unreachable),
		cmocka_unit_test(rules_that_take_all_of_it_together_are_seen),
		cmocka_unit_test(an_unreachable_rule_that_says_the_same_is_a_warning),
		cmocka_unit_test(a_condition_that_can_never_hold_is_an_error),
		cmocka_unit_test(a_review_behind_a_destruction_is_told),
		cmocka_unit_test(outcomes_without_a_class_are_told),
		cmocka_unit_test(a_class_that_contradicts_itself_is_told),
		cmocka_unit_test(a_class_that_nothing_is_decided_for_is_told),
		cmocka_unit_test(destroying_what_its_class_keeps_is_told),
		cmocka_unit_test(globs_that_look_like_something_else_are_told),
		cmocka_unit_test(a_pattern_that_cannot_be_searched_for_is_told),
		cmocka_unit_test(a_period_below_its_mandates_minimum_is_an_error),
		cmocka_unit_test(keeping_for_ever_what_must_not_be_kept_is_told),
		cmocka_unit_test(every_known_mandate_has_a_period_that_can_be_read),
		cmocka_unit_test(a_policy_made_to_be_slow_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
