/* How long one record is kept: classes, definitions, extensions, holds, time zones. */
#include "fs/store/catalogue_decisions.h"
#include "fs/vault/retain.h"
#include "tests/unit/store/catalogue_fixture.h"

#define DAY 86400

/* One class FIN with these words under "retain", "then" and more. */
static int64_t policy(struct fixture *f, unsigned version, const char *calendar,
		      const char *words)
{
	char text[1000];
	struct err e = ERR_NONE;

	snprintf(text, sizeof text, "policy: p\nversion: %u\ncalendar: %s\nclasses:\n"
		 "  - {id: FIN, title: {en: F}, %s}\nrules:\n"
		 "  - {id: all, when: {path: '**'}, decide: archive, class: FIN}\n", version,
		 calendar, words);
	struct policy_row p = { .name = (char *)(uintptr_t)"p", .version = version,
				.text = text, .text_size = strlen(text),
				.digest = digest_of(text, strlen(text)), .stored = 5 };
	must(catalogue_begin(f->c, &e));
	must(catalogue_policy_intern(f->c, &p, &e));
	must(catalogue_class_define(f->c, "FIN", "", p.id, "{}", &e));
	must(catalogue_commit(f->c, &e));
	return p.id;
}

/* hr/x, of class FIN, modified on 2000-02-29 at noon, ingested at second 2000. */
static void one_record(struct fixture *f)
{
	struct err e = ERR_NONE;
	int64_t class;

	struct version v = fixture_begin(f, "hr", "1");
	fixture_directory_row(f, &v, v.root, 0);
	must(catalogue_class_intern(f->c, "FIN", &class, &e));
	struct node n = { .id = fixture_id(f, SEQUENCE_NODE), .kind = NODE_FILE, .links = 1,
			  .class_id = class, .mtime = { 951825600, 0 } };
	must(catalogue_node_add(f->c, &n, NULL, &e));
	struct entry entry = fixture_entry("x", NODE_FILE, v.id, n.id);
	must(catalogue_entry_add(f->c, v.root, &entry, &e));
	fixture_seal(f, &v);
}

struct said {
	char text[500];
};

/* "standing until eligible then [holds]" */
static int say(void *arg, const struct record_state *s)
{
	static const char *const thens[] = { "destroy", "review", "transfer", "keep" };
	struct said *to = arg;
	char until[16] = "-", eligible[16] = "-";

	if (s->has_due) {
		civil_text(s->until, until);
		civil_text(s->eligible, eligible);
	}
	size_t used = strlen(to->text);
	used += (size_t)sprintf(to->text + used, "%s %s %s %s", standing_name(s->standing), until,
				eligible, thens[s->then]);
	for (size_t i = 0; i < s->hold_count; i++)
		used += (size_t)sprintf(to->text + used, " H%" PRId64, s->holds[i]);
	return 0;
}

static void expect_at(struct fixture *f, int64_t now, const char *want)
{
	struct said got = { "" };
	struct err e = ERR_NONE;

	must(vault_due(f->c, NULL, now, say, &got, &e));
	assert_string_equal(got.text, want);
}

static void expect(struct fixture *f, const char *day, const char *want)
{
	struct said got = { "" };
	struct civil d;
	struct record_filter filter = { .day = &d };
	struct err e = ERR_NONE;

	assert_int_equal(civil_parse(day, &d), 0);
	must(vault_due(f->c, &filter, 0, say, &got, &e));
	assert_string_equal(got.text, want);
}

#define P(period) "retain: {trigger: modified, period: " period "}, then: destroy, " \
		  "approve: {quorum: 1}"

static void a_class_that_nobody_describes_is_kept(void **state)
{
	struct fixture *f = *state;

	one_record(f);
	expect(f, "2400-01-01", "unclassified - - destroy");
	policy(f, 1, "UTC", P("P30Y"));
	expect(f, "2030-02-28", "kept 2030-02-28 2030-03-01 destroy");
	expect(f, "2030-03-01", "due 2030-02-28 2030-03-01 destroy");
}

static void the_longest_definition_counts_until_a_shortening_was_approved(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;

	one_record(f);
	policy(f, 1, "UTC", P("P30Y"));
	int64_t shorter = policy(f, 2, "UTC", P("P5Y"));
	expect(f, "2010-01-01", "kept 2030-02-28 2030-03-01 destroy");
	must(catalogue_begin(f->c, &e));
	must(catalogue_shortening_put(f->c, "FIN", shorter, 1, 9, &e));
	must(catalogue_commit(f->c, &e));
	expect(f, "2010-01-01", "due 2005-02-28 2005-03-01 destroy");
	/* What comes later lengthens again, without any approval. */
	policy(f, 3, "UTC", P("P12Y"));
	expect(f, "2010-01-01", "kept 2012-02-29 2012-03-01 destroy");
	policy(f, 4, "UTC", P("P1Y"));
	expect(f, "2010-01-01", "kept 2012-02-29 2012-03-01 destroy");
}

static void each_grace_runs_from_its_own_last_day(void **state)
{
	struct fixture *f = *state;

	one_record(f);
	policy(f, 1, "UTC", P("P5Y") ", destroy: {grace: P10Y}");
	policy(f, 2, "UTC", P("P8Y"));
	expect(f, "2008-03-01", "grace 2008-02-29 2015-03-01 destroy");
	expect(f, "2015-02-28", "grace 2008-02-29 2015-03-01 destroy");
	expect(f, "2015-03-01", "due 2008-02-29 2015-03-01 destroy");
}

static void the_strictest_wish_for_what_comes_then_counts(void **state)
{
	struct fixture *f = *state;

	one_record(f);
	policy(f, 1, "UTC", P("P8Y"));
	policy(f, 2, "UTC", "retain: {trigger: modified, period: P5Y}, then: transfer");
	expect(f, "2010-01-01", "review 2008-02-29 2008-03-01 transfer");
	policy(f, 3, "UTC", "retain: {trigger: modified, period: P1Y}, then: keep");
	expect(f, "2010-01-01", "kept - - keep");
}

static void without_a_date_to_count_from_it_is_kept(void **state)
{
	struct event_row x = { .system = 1, .name = "case-closed", .at = 14610 * (int64_t)DAY,
			       .is_day = true, .reason = "" };
	struct fixture *f = *state;
	struct err e = ERR_NONE;

	one_record(f);
	policy(f, 1, "Pacific/Kiritimati", "retain: {trigger: 'event:case-closed', period: P1Y}, "
	       "then: destroy, approve: {quorum: 1}");
	policy(f, 2, "UTC", P("P1Y"));
	expect(f, "2400-01-01", "missing - - destroy");
	must(catalogue_begin(f->c, &e));
	must(catalogue_event_put(f->c, &x, &e));	/* 2010-01-01, wherever */
	must(catalogue_commit(f->c, &e));
	expect(f, "2400-01-01", "due 2011-01-01 2011-01-02 destroy");
}

static void the_day_is_that_of_the_policy_s_own_zone(void **state)
{
	struct fixture *f = *state;
	const int64_t may_go = 983491200 - 14 * 3600;	/* 2001-03-02T00:00+14:00 */

	one_record(f);
	policy(f, 1, "Pacific/Kiritimati", P("P1Y"));	/* noon in UTC is 1 March there */
	expect_at(f, may_go - 1, "kept 2001-03-01 2001-03-02 destroy");
	expect_at(f, may_go, "due 2001-03-01 2001-03-02 destroy");
	/* In force beside it: a zone where it is still the day before. */
	policy(f, 2, "Pacific/Midway", P("P1Y") ", importance: low");
	expect_at(f, may_go, "kept 2001-03-01 2001-03-02 destroy");
	expect_at(f, may_go + 25 * 3600, "due 2001-03-01 2001-03-02 destroy");
}

static void an_extension_adds_a_day_and_the_grace_runs_from_it(void **state)
{
	struct extension_row x = { .until = civil_day((struct civil){ 2020, 6, 30 }),
				   .reason = "board", .scope = { .path = "x" } };
	struct extension_row early = x, other = x;
	struct fixture *f = *state;
	struct err e = ERR_NONE;

	early.until = 0;
	other.until += 1000;
	other.scope.path = "y";
	one_record(f);
	policy(f, 1, "UTC", P("P5Y") ", destroy: {grace: P1M}");
	must(catalogue_begin(f->c, &e));
	must(catalogue_extension_add(f->c, &early, &e));
	must(catalogue_extension_add(f->c, &x, &e));
	must(catalogue_extension_add(f->c, &other, &e));
	must(catalogue_commit(f->c, &e));
	expect(f, "2020-06-30", "kept 2020-06-30 2020-07-31 destroy");
	expect(f, "2020-07-30", "grace 2020-06-30 2020-07-31 destroy");
	expect(f, "2020-07-31", "due 2020-06-30 2020-07-31 destroy");
}

static void hold(struct fixture *f, struct scope_row scope)
{
	struct hold_row h = { .scope = scope, .case_ref = "c", .reason = "r" };
	struct err e = ERR_NONE;

	must(catalogue_hold_add(f->c, &h, &e));
}

static void a_hold_covers_what_all_its_words_mean(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;

	one_record(f);
	policy(f, 1, "UTC", P("P5Y"));
	must(catalogue_begin(f->c, &e));
	hold(f, (struct scope_row){ .system = 9 });
	hold(f, (struct scope_row){ .path = "y" });
	hold(f, (struct scope_row){ .class_code = "HR" });
	hold(f, (struct scope_row){ .path = "x", .class_code = "FIN", .system = 1, .upto = 1 });
	hold(f, (struct scope_row){ .query = "{size: '> 1'}" });
	hold(f, (struct scope_row){ .query = "{empty: true}" });
	/* What is not known of it is taken to match. */
	hold(f, (struct scope_row){ .query = "{detect: email}" });
	hold(f, (struct scope_row){ .query = "{not: {format: text/csv}}" });
	must(catalogue_commit(f->c, &e));
	expect(f, "2010-01-01", "held 2005-02-28 2005-03-01 destroy H4 H6 H7 H8");
	must(catalogue_begin(f->c, &e));
	must(catalogue_hold_release(f->c, 4, 1, "over", &e));
	must_fail(catalogue_hold_release(f->c, 4, 1, "over", &e), MUNI_EXISTS);
	must_fail(catalogue_hold_release(f->c, 99, 1, "over", &e), MUNI_NOT_FOUND);
	must(catalogue_commit(f->c, &e));
	expect(f, "2010-01-01", "held 2005-02-28 2005-03-01 destroy H6 H7 H8");
}

static void a_restricted_record_is_kept_by_the_class_that_it_had(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	int64_t class, base;
	bool changed;
	struct node n;

	one_record(f);
	policy(f, 1, "UTC", P("P5Y"));
	must(catalogue_class_intern(f->c, "FIN", &class, &e));
	int64_t node = 0;
	for (int64_t i = 1; i < 9 && node == 0; i++)
		if (catalogue_node(f->c, i, false, &n, &e) == 0 && n.class_id == class)
			node = i;
	must(catalogue_begin(f->c, &e));
	must(catalogue_node_restrict(f->c, node, true, &changed, &e));
	assert_true(changed);
	must(catalogue_node_restrict(f->c, node, true, &changed, &e));
	assert_false(changed);
	must(catalogue_commit(f->c, &e));
	must(catalogue_node(f->c, node, false, &n, &e));
	assert_true(n.class_id != class);
	must(catalogue_class_base(f->c, n.class_id, &base, &e));
	assert_int_equal(base, class);
	expect(f, "2010-01-01", "due 2005-02-28 2005-03-01 destroy");
	must(catalogue_begin(f->c, &e));
	must(catalogue_node_restrict(f->c, node, false, &changed, &e));
	must(catalogue_commit(f->c, &e));
	must(catalogue_node(f->c, node, false, &n, &e));
	assert_true(changed && n.class_id == class);
}

static void what_is_missing_from_the_catalogue_is_damage_and_never_a_shorter_time(void **state)
{
	struct said got = { "" };
	struct fixture *f = *state;
	struct err e = ERR_NONE;

	one_record(f);
	policy(f, 1, "UTC", P("P30Y"));
	policy(f, 2, "UTC", P("P1Y"));
	fixture_sql(f, "DELETE FROM policy WHERE version = 1");
	must_fail(vault_due(f->c, NULL, 2000000000, say, &got, &e), MUNI_DAMAGED);
	fixture_sql(f, "DELETE FROM class WHERE code = 'FIN'");
	must_fail(vault_due(f->c, NULL, 2000000000, say, &got, &e), MUNI_DAMAGED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
		TEST(a_class_that_nobody_describes_is_kept),
		TEST(the_longest_definition_counts_until_a_shortening_was_approved),
		TEST(each_grace_runs_from_its_own_last_day),
		TEST(the_strictest_wish_for_what_comes_then_counts),
		TEST(without_a_date_to_count_from_it_is_kept),
		TEST(the_day_is_that_of_the_policy_s_own_zone),
		TEST(an_extension_adds_a_day_and_the_grace_runs_from_it),
		TEST(a_hold_covers_what_all_its_words_mean),
		TEST(a_restricted_record_is_kept_by_the_class_that_it_had),
		TEST(what_is_missing_from_the_catalogue_is_damage_and_never_a_shorter_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
