/*
 * Every condition both ways: an item that meets it, one that does not.
 */
#include "tests/unit/policy/policies.h"

static bool is_met(const char *when, const struct facts *f)
{
	char rule[3000];
	struct policy *p;
	struct judgement j;

	snprintf(rule, sizeof rule, "  - {id: r, when: %s, decide: archive, class: A}\n", when);
	p = load_rules(rule);
	j = judge(p, f);
	policy_free(p);
	return j.rule != NULL;
}

static void assert_met(const char *when, const struct facts *f)
{
	if (!is_met(when, f))
		fail_msg("%s does not hold", when);
}

static void assert_not_met(const char *when, const struct facts *f)
{
	if (is_met(when, f))
		fail_msg("%s holds", when);
}

static void paths_and_names(void **state)
{
	struct facts f = item("payroll/2011/slip.CSV");
	struct facts top = item(".bashrc");

	(void)state;
	assert_met("{path: 'payroll/**'}", &f);
	assert_not_met("{path: 'payroll/*'}", &f);
	assert_met("{path: ['x', '**/slip.*']}", &f);
	assert_not_met("{path: 'Payroll/**'}", &f);
	assert_met("{name: 'slip.*'}", &f);
	assert_not_met("{name: 'payroll*'}", &f);
	assert_met("{name: ['a', '.bash*']}", &top);
	assert_met("{name-regex: '^sl.p\\.CSV$'}", &f);
	assert_not_met("{name-regex: '2011'}", &f);
	assert_met("{name-regex: '(?i)csv$'}", &f);
	assert_met("{extension: csv}", &f);
	assert_met("{extension: [tmp, CSV]}", &f);
	assert_not_met("{extension: sv}", &f);
	assert_not_met("{extension: bashrc}", &top);
	f.path = "a/x.tar.gz";
	assert_met("{extension: tar.gz}", &f);
	assert_met("{extension: gz}", &f);
	assert_not_met("{extension: tar}", &f);
}

static void expressions_match_characters_or_bytes(void **state)
{
	struct facts utf8 = item("x/工资表-2012-07.csv");
	struct facts gb = item("x/\xb9\xa4\xd7\xca\xb1\xed-2011-01.csv");

	(void)state;
	assert_met("{name-regex: '^...-2012'}", &utf8);
	assert_met("{name-regex: '^工资'}", &utf8);
	assert_met("{name-regex: '^......-2011'}", &gb);
	assert_met("{name-regex: '^.*\\.csv$'}", &gb);
	assert_not_met("{name-regex: '^工资'}", &gb);
	/* It speaks of characters: no bytes are any. */
	assert_not_met("{name-regex: '^[\\x{4e00}-\\x{9fff}]'}", &gb);
	assert_met("{name-regex: '^[\\x{4e00}-\\x{9fff}]'}", &utf8);
}

static void formats(void **state)
{
	struct facts f = item("a"), lying = item("b.pdf"), unknown = item("c");

	(void)state;
	f.format = "text/csv";
	lying.format = "image/png";
	lying.claimed = "application/pdf";
	unknown.format = NULL;
	assert_met("{format: text/csv}", &f);
	assert_met("{format: text/*}", &f);
	assert_met("{format: [image/*, Text/CSV]}", &f);
	assert_not_met("{format: image/*}", &f);
	assert_not_met("{format: '*'}", &unknown);
	assert_met("{claimed: application/*}", &lying);
	assert_not_met("{claimed: image/*}", &lying);
	assert_not_met("{claimed: '*'}", &f);
	assert_met("{extension-lies: true}", &lying);
	assert_not_met("{extension-lies: true}", &f);
	assert_met("{extension-lies: false}", &f);
	assert_not_met("{extension-lies: false}", &lying);
}

static void sizes(void **state)
{
	struct facts f = item("a"), empty = item("b"), link = item("c");
	const uint64_t mib = 1u << 20;

	(void)state;
	f.size = 10 * mib;
	empty.size = 0;
	link.kind = FACTS_SYMLINK;
	assert_met("{size: '> 9M'}", &f);
	assert_not_met("{size: '> 10M'}", &f);
	assert_met("{size: '>= 10M'}", &f);
	assert_not_met("{size: '< 10M'}", &f);
	assert_met("{size: '<= 10M'}", &f);
	assert_met("{size: '=10M'}", &f);
	assert_not_met("{size: '= 0'}", &f);
	assert_met("{size: {over: 1M, under: 1G}}", &f);
	assert_not_met("{size: {over: 10M}}", &f);
	assert_not_met("{size: {under: 10M}}", &f);
	assert_met("{size: {over: 10485759, under: 10485761}}", &f);
	assert_met("{size: '= 0'}", &empty);
	assert_not_met("{size: '>= 0'}", &link);
	assert_met("{empty: true}", &empty);
	assert_not_met("{empty: true}", &f);
	assert_met("{empty: false}", &f);
	assert_not_met("{empty: false}", &empty);
	assert_not_met("{empty: true}", &link);
	link.kind = FACTS_DIRECTORY;
	assert_met("{empty: true}", &link);
}

static void depths(void **state)
{
	struct facts top = item("a"), deep = item("a/b/c/d");

	(void)state;
	assert_met("{depth: '= 1'}", &top);
	assert_not_met("{depth: '> 1'}", &top);
	assert_met("{depth: {over: 3, under: 5}}", &deep);
	assert_not_met("{depth: '<= 3'}", &deep);
}

static void ages_by_each_time_stamp(void **state)
{
	struct facts f = item("a");

	(void)state;
	/* NOW is 1 March 2024; modified 2020-06-15, changed 2021, accessed 2022. */
	assert_met("{older-than: P3Y}", &f);
	assert_not_met("{older-than: P4Y}", &f);
	assert_met("{newer-than: P4Y}", &f);
	assert_not_met("{newer-than: P3Y}", &f);
	assert_met("{modified: {older-than: P3Y, newer-than: P4Y}}", &f);
	assert_not_met("{modified: {older-than: P3Y, newer-than: P3Y}}", &f);
	assert_met("{changed: {older-than: P2Y}}", &f);
	assert_not_met("{changed: {older-than: P3Y}}", &f);
	assert_met("{accessed: {newer-than: P2Y}}", &f);
	assert_not_met("{accessed: {newer-than: P1Y}}", &f);
	assert_not_met("{older-than: forever}", &f);
	assert_met("{newer-than: forever}", &f);
	/* When it was created is not known: it is neither. */
	assert_not_met("{created: {older-than: P0D}}", &f);
	assert_not_met("{created: {newer-than: forever}}", &f);
	f.has_created = true;
	f.created = moment("2010-01-01T00:00:00Z");
	assert_met("{created: {older-than: P14Y}}", &f);
	assert_not_met("{created: {older-than: P15Y}}", &f);
	/* In the future it is not old. */
	f.modified = moment("2030-01-01T00:00:00Z");
	assert_not_met("{older-than: P0D}", &f);
	f.modified = moment("1955-01-01T00:00:00Z");
	assert_met("{older-than: P69Y}", &f);
}

static void an_age_of_exactly_the_period_is_older(void **state)
{
	struct facts f = item("a");

	(void)state;
	f.modified = moment("2014-03-01T23:59:59Z");
	assert_met("{older-than: P10Y}", &f);
	f.modified = moment("2014-03-02T00:00:00Z");
	assert_not_met("{older-than: P10Y}", &f);
	f.modified = moment("2024-02-29T00:00:00Z");
	assert_met("{older-than: P1D}", &f);
	assert_not_met("{older-than: P2D}", &f);
}

static void the_policys_calendar_says_which_day_it_is(void **state)
{
	static const char shanghai[] = "policy: t\nversion: 1\ncalendar: Asia/Shanghai\nrules:\n"
				       "  - {id: r, when: {older-than: P1D}, decide: review}\n";
	struct facts f = item("a");
	struct err e = ERR_NONE;
	struct policy *p;
	struct judgement j = { .matched = NULL };

	(void)state;
	if (policy_load(shanghai, strlen(shanghai), "test.yaml", &p, &e) < 0) {
		if (strstr(e.text, "calendar") == NULL)
			fail_msg("%s", e.text);
		skip();		/* no tzdata */
	}
	f.modified = moment("2024-02-29T15:30:00Z");	/* 23:30 there */
	policy_decide(p, &f, moment("2024-02-29T16:30:00Z"), &j);
	assert_non_null(j.rule);
	policy_decide(p, &f, moment("2024-02-29T15:59:59Z"), &j);
	assert_null(j.rule);
	policy_free(p);
}

static void owners_groups_and_modes(void **state)
{
	struct facts f = item("a"), nobody = item("b");

	(void)state;
	f.owner = "hr-robot";
	f.group = "staff";
	f.mode = 0104642;
	assert_met("{owner: hr-*}", &f);
	assert_met("{owner: 1000}", &f);
	assert_met("{owner: [1, hr-robot]}", &f);
	assert_not_met("{owner: hr}", &f);
	assert_not_met("{owner: 1001}", &f);
	assert_not_met("{owner: '*'}", &nobody);
	assert_met("{group: staff}", &f);
	assert_met("{group: 100}", &f);
	assert_not_met("{group: wheel}", &f);
	assert_met("{mode: '0002'}", &f);
	assert_met("{mode: 6000}", &f);
	assert_met("{mode: 4001}", &f);
	assert_not_met("{mode: '0111'}", &f);
	f.kind = FACTS_SYMLINK;
	f.mode = 0120777;
	assert_not_met("{mode: '0002'}", &f);
}

static void duplicates(void **state)
{
	struct facts copy = item("b"), first = item("a");

	(void)state;
	copy.duplicate_of = "archive/2011/a";
	copy.copies = first.copies = 2;
	assert_met("{duplicate: true}", &copy);
	assert_not_met("{duplicate: true}", &first);
	assert_met("{duplicate: false}", &first);
	assert_not_met("{duplicate: false}", &copy);
	assert_met("{duplicate-of: 'archive/**'}", &copy);
	assert_not_met("{duplicate-of: 'b/**'}", &copy);
	assert_not_met("{duplicate-of: '**'}", &first);
}

static void findings(void **state)
{
	static const struct facts_finding found[] = {
		{ "payment-card", 3, 90, SENSITIVITY_RESTRICTED },
		{ "email", 10, 60, SENSITIVITY_INTERNAL },
	};
	struct facts f = item("a"), clean = item("b");

	(void)state;
	f.findings = found;
	f.finding_count = 2;
	assert_met("{detect: any}", &f);
	assert_not_met("{detect: any}", &clean);
	assert_met("{detect: payment-card}", &f);
	assert_met("{detect: payment-card, min: 3}", &f);
	assert_not_met("{detect: payment-card, min: 4}", &f);
	assert_met("{confidence: 90, detect: payment-card}", &f);
	assert_not_met("{detect: payment-card, confidence: 91}", &f);
	assert_not_met("{detect: iban}", &f);
	/* Several kinds count together. */
	assert_met("{detect: any, min: 13}", &f);
	assert_not_met("{detect: any, min: 14}", &f);
	assert_met("{detect: [iban, payment-card], min: 3}", &f);
	assert_not_met("{detect: any, min: 4, confidence: 61}", &f);
	assert_met("{sensitivity: restricted}", &f);
	assert_met("{sensitivity: public}", &clean);
	assert_not_met("{sensitivity: internal}", &clean);
	f.finding_count = 0;
	assert_not_met("{sensitivity: restricted}", &f);
}

static void encodings_scripts_kinds_and_the_opaque(void **state)
{
	struct facts f = item("a"), binary = item("b");

	(void)state;
	f.encoding = "gb18030";
	f.script = "Hani";
	binary.encoding = binary.script = NULL;
	assert_met("{encoding: GB18030}", &f);
	assert_met("{encoding: ['utf-16*', 'gb*']}", &f);
	assert_not_met("{encoding: utf-8}", &f);
	assert_not_met("{encoding: '*'}", &binary);
	assert_met("{script: Hani}", &f);
	assert_not_met("{script: [Latn, Cyrl]}", &f);
	assert_met("{opaque: false}", &f);
	assert_not_met("{opaque: true}", &f);
	f.opaque = "encrypted";
	assert_met("{opaque: true}", &f);
	assert_not_met("{opaque: false}", &f);
	assert_met("{kind: file}", &f);
	assert_met("{kind: [symlink, file]}", &f);
	assert_not_met("{kind: [symlink, directory, other]}", &f);
	f.kind = FACTS_OTHER;
	assert_met("{kind: other}", &f);
}

static void trees(void **state)
{
	struct facts f = item("payroll/a.csv");

	(void)state;
	assert_met("{path: 'payroll/**', size: '< 1M'}", &f);
	assert_not_met("{path: 'payroll/**', size: '> 1M'}", &f);
	assert_met("{all: [{path: 'payroll/**'}, {extension: csv}]}", &f);
	assert_not_met("{all: [{path: 'payroll/**'}, {extension: txt}]}", &f);
	assert_met("{any: [{path: 'x/**'}, {extension: csv}]}", &f);
	assert_not_met("{any: [{path: 'x/**'}, {extension: txt}]}", &f);
	assert_met("{not: {extension: txt}}", &f);
	assert_not_met("{not: {extension: csv}}", &f);
	/* not of several: not all of them at once. */
	assert_met("{not: {extension: csv, size: '> 1M'}}", &f);
	assert_not_met("{not: {any: [{extension: csv}, {size: '> 1M'}]}}", &f);
	assert_met("{not: {not: {extension: csv}}, any: [{all: [{not: {path: 'x'}}]}]}", &f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_and_names),
		cmocka_unit_test(expressions_match_characters_or_bytes),
		cmocka_unit_test(formats),
		cmocka_unit_test(sizes),
		cmocka_unit_test(depths),
		cmocka_unit_test(ages_by_each_time_stamp),
		cmocka_unit_test(an_age_of_exactly_the_period_is_older),
		cmocka_unit_test(the_policys_calendar_says_which_day_it_is),
		cmocka_unit_test(owners_groups_and_modes),
		cmocka_unit_test(duplicates),
		cmocka_unit_test(findings),
		cmocka_unit_test(encodings_scripts_kinds_and_the_opaque),
		cmocka_unit_test(trees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
