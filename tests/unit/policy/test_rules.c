/*
 * The shipped schedules: sound, complete, and sensible on what they are for.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/policy/policies.h"

#define FOLDER "policy/rules"		/* units run at the top of the tree */

static const char *const names[] = { "finance", "health", "hr-payroll", "it-retirement",
				     "personal-data" };
#define COUNT (sizeof names / sizeof *names)

static char *text_of(const char *name, size_t *size)
{
	char path[200], *text = malloc(POLICY_TEXT_MAX);
	FILE *f;

	snprintf(path, sizeof path, FOLDER "/%s.yaml", name);
	f = fopen(path, "r");
	if (f == NULL)
		fail_msg("%s cannot be opened", path);
	*size = fread(text, 1, POLICY_TEXT_MAX - 1, f);
	text[*size] = '\0';
	fclose(f);
	return text;
}

/* NULL: this system has no tz database. */
static struct policy *load_rules_of(const char *name)
{
	size_t size;
	char *text = text_of(name, &size);
	struct err e = ERR_NONE;
	struct policy *p = NULL;

	if (policy_load(text, size, name, &p, &e) < 0 && strstr(e.text, "calendar:") == NULL)
		fail_msg("%s", e.text);
	free(text);
	return p;
}

static void every_schedule_in_the_folder_is_known_here(void **state)
{
	DIR *d = opendir(FOLDER);
	size_t seen = 0;

	(void)state;
	assert_non_null(d);
	for (struct dirent *entry; (entry = readdir(d)) != NULL;)
		seen += strstr(entry->d_name, ".yaml") != NULL;
	closedir(d);
	assert_int_equal(seen, COUNT);
}

static int complain(void *arg, const struct lint *l)
{
	if (l->level != LINT_NOTE)
		fail_msg("%s:%u: %s: %s", (const char *)arg, l->line, l->where, l->text);
	return 0;
}

static void every_schedule_passes_its_own_check(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT; i++) {
		struct policy *p = load_rules_of(names[i]);
		struct err e = ERR_NONE;

		if (p == NULL)
			skip();
		assert_string_equal(policy_info(p)->name, names[i]);
		assert_int_equal(policy_lint(p, complain, (void *)names[i], &e), 0);
		policy_free(p);
	}
}

static void every_schedule_says_that_it_is_no_legal_advice(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT; i++) {
		size_t size;
		char *text = text_of(names[i], &size);

		assert_non_null(strstr(text, "THIS IS A STARTING POINT AND NOT LEGAL ADVICE."));
		free(text);
	}
}

static void every_class_has_two_titles_and_names_its_mandates(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT; i++) {
		struct policy *p = load_rules_of(names[i]);

		if (p == NULL)
			skip();
		for (size_t k = 0; k < policy_info(p)->class_count; k++) {
			const struct policy_class *c = &policy_info(p)->classes[k];

			assert_non_null(c->title_en);
			assert_non_null(c->title_zh);
			if (c->mandate_count == 0)
				fail_msg("%s: %s names no mandate", names[i], c->id);
			for (size_t m = 0; m < c->mandate_count; m++) {
				assert_non_null(c->mandates[m].instrument);
				assert_non_null(c->mandates[m].clause);
				assert_non_null(c->mandates[m].jurisdiction);
			}
		}
		policy_free(p);
	}
}

/* ---- what they decide ----------------------------------------------------------------------- */

struct expected {
	const char *policy, *path;
	enum decision decision;
	const char *class_id;
};

static void they_decide_as_an_officer_would_expect(void **state)
{
	static const struct expected samples[] = {
		{ "hr-payroll", "payroll/2011/\xb9\xa4\xd7\xca\xb1\xed-2011-01.csv", DECISION_ARCHIVE,
		  "HR-PAYROLL" },
		{ "hr-payroll", "db/hr.sqlite", DECISION_ARCHIVE, "HR-PAYROLL" },
		{ "hr-payroll", "合同/财务部/王-1.docx", DECISION_ARCHIVE, "HR-CONTRACT" },
		{ "hr-payroll", "archive/合同/财务部/王-1.docx", DECISION_ARCHIVE, "HR-CONTRACT" },
		{ "hr-payroll", "scans/0001.png", DECISION_ARCHIVE, "HR-IDENTITY" },
		{ "hr-payroll", "office/花名册.xlsx", DECISION_MIGRATE, "HR-FILE" },
		{ "hr-payroll", "office/leave-plan.xlsx", DECISION_ARCHIVE, "HR-TIME" },
		{ "hr-payroll", "mail/归档.mbox", DECISION_ARCHIVE, "HR-MAIL" },
		{ "hr-payroll", "logs/2011/access-2011-01.log", DECISION_DESTROY, "HR-LOGS" },
		{ "hr-payroll", "cache/0/0001.html", DECISION_DESTROY, "HR-ROT" },
		{ "hr-payroll", "etc/hr.conf.bak", DECISION_DESTROY, "HR-ROT" },
		{ "hr-payroll", "bin/export-payroll", DECISION_ARCHIVE, "HR-SYSTEM" },
		{ "hr-payroll", "unheard-of/x", DECISION_REVIEW, NULL },
		{ "finance", "2012/凭证/0001.pdf", DECISION_ARCHIVE, "FIN-VOUCHER" },
		{ "finance", "reports/年度财务会计报告.pdf", DECISION_ARCHIVE, "FIN-ANNUAL" },
		{ "finance", "reports/半年度财务会计报告.pdf", DECISION_ARCHIVE, "FIN-INTERIM" },
		{ "finance", "bank/2011-01.sta", DECISION_ARCHIVE, "FIN-BANK" },
		{ "finance", "audit/2011/memo.docx", DECISION_ARCHIVE, "FIN-AUDIT" },
		{ "finance", "holiday.jpg", DECISION_REVIEW, NULL },
		{ "health", "pacs/1/2.dcm", DECISION_ARCHIVE, "MED-IMAGING" },
		{ "health", "住院/2011/0001.xml", DECISION_ARCHIVE, "MED-INPATIENT" },
		{ "health", "门诊/2011/0001.xml", DECISION_ARCHIVE, "MED-OUTPATIENT" },
		{ "health", "tmp/x", DECISION_DESTROY, "MED-ROT" },
		{ "health", "research/genome/a.vcf", DECISION_REVIEW, NULL },
		{ "personal-data", "crm/customers/1.json", DECISION_ARCHIVE, "PD-CUSTOMER" },
		{ "personal-data", "marketing/2011/list.csv", DECISION_DESTROY, "PD-MARKETING" },
		{ "personal-data", "newsletter/unsubscribe.csv", DECISION_ARCHIVE, "PD-EVIDENCE" },
		{ "personal-data", "dsar/open/17.pdf", DECISION_REVIEW, NULL },
		{ "it-retirement", "srv/app/tmp/x", DECISION_DESTROY, "ROT" },
		{ "it-retirement", "documents/plan.pdf", DECISION_ARCHIVE, "BUSINESS" },
		{ "it-retirement", "etc/app.conf", DECISION_ARCHIVE, "SYSTEM-DOC" },
		{ "it-retirement", "unheard-of/x", DECISION_REVIEW, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
		const struct expected *s = &samples[i];
		struct policy *p = load_rules_of(s->policy);
		struct facts f = item(s->path);
		struct judgement j;

		if (p == NULL)
			skip();
		f.modified = moment("2012-06-01T00:00:00Z");
		j = judge(p, &f);
		if (j.decision != s->decision ||
		    strcmp(j.class != NULL ? j.class->id : "-",
			   s->class_id != NULL ? s->class_id : "-") != 0)
			fail_msg("%s: %s is %s %s by %s", s->policy, s->path,
				 decision_name(j.decision), j.class != NULL ? j.class->id : "-",
				 j.rule != NULL ? j.rule->id : "no rule");
		policy_free(p);
	}
}

static void secrets_are_always_looked_at_by_people(void **state)
{
	static const struct facts_finding key[] = {
		{ "private-key", 1, 95, SENSITIVITY_RESTRICTED },
	};

	(void)state;
	for (size_t i = 0; i < COUNT; i++) {
		struct policy *p = load_rules_of(names[i]);
		struct facts f = item("tmp/cache/payroll/x.bak");

		if (p == NULL)
			skip();
		f.findings = key;
		f.finding_count = 1;
		f.duplicate_of = "a";
		assert_int_equal(judge(p, &f).decision, DECISION_REVIEW);
		policy_free(p);
	}
}

static void what_could_not_be_looked_into_is_never_destroyed(void **state)
{
	static const char *const paths[] = { "tmp/x", "cache/a.zip", "logs/2011.log.gz", "x.bak",
					     "marketing/a.7z" };

	(void)state;
	for (size_t i = 0; i < COUNT; i++) {
		struct policy *p = load_rules_of(names[i]);

		if (p == NULL)
			skip();
		for (size_t k = 0; k < sizeof paths / sizeof *paths; k++) {
			struct facts f = item(paths[k]);

			f.opaque = "encrypted";
			f.encoding = f.script = NULL;
			f.duplicate_of = "a";
			assert_int_equal(judge(p, &f).decision, DECISION_REVIEW);
		}
		policy_free(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_schedule_in_the_folder_is_known_here),
		cmocka_unit_test(every_schedule_passes_its_own_check),
		cmocka_unit_test(every_schedule_says_that_it_is_no_legal_advice),
		cmocka_unit_test(every_class_has_two_titles_and_names_its_mandates),
		cmocka_unit_test(they_decide_as_an_officer_would_expect),
		cmocka_unit_test(secrets_are_always_looked_at_by_people),
		cmocka_unit_test(what_could_not_be_looked_into_is_never_destroyed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
