#include "fs/store/catalogue_decisions.h"
#include "tests/unit/store/catalogue_fixture.h"

static struct scan begin_scan(struct fixture *f)
{
	struct scan s = { .began = 5000, .fingerprint = 7 };
	struct err e = ERR_NONE;
	bool is_resumed;

	s.source = strdup("/srv/hr");
	strcpy(s.source_kind, "directory");
	must(catalogue_begin(f->c, &e));
	must(catalogue_scan_begin(f->c, "hr", &s, &is_resumed, &e));
	return s;
}

static int64_t put(struct fixture *f, const struct scan *s, const char *path, int content)
{
	struct err e = ERR_NONE;
	struct item_row r = {
		.system = s->system, .scan = s->id, .path = (char *)(uintptr_t)path,
		.path_size = strlen(path), .kind = NODE_FILE, .mode = 0640, .links = 1,
		.size = 100, .allocated = 100, .device = 9,
		.inode = (uint64_t)(path[0] * 256 + path[1]), .mtime = { 100, 5 },
		.has_sha256 = true, .copies = 1,
	};

	memset(r.sha256.bytes, content, sizeof r.sha256.bytes);
	must(catalogue_item_put(f->c, &r, &e));
	return r.id;
}

static bool all_there(void *arg, int64_t id)
{
	return !arg || id != *(int64_t *)arg;
}

static void settle(struct fixture *f, const struct scan *s, int64_t *gone)
{
	struct item_sums sums;
	struct err e = ERR_NONE;

	must(catalogue_items_settle(f->c, s->system, all_there, gone, &sums, &e));
}

static void decide(struct fixture *f, int64_t item, unsigned decision, const char *class,
		   const char *rule, const char *matched)
{
	const struct decision_row d = {
		.decision = (uint8_t)decision, .sensitivity = 2, .importance = 3,
		.confidence = 98, .class_code = (char *)(uintptr_t)class,
		.rule = (char *)(uintptr_t)rule, .matched = (char *)(uintptr_t)matched,
		.evidence = (char *)(uintptr_t)"because",
	};
	struct err e = ERR_NONE;

	must(catalogue_decision_put(f->c, item, &d, &e));
}

static void override(struct fixture *f, const struct scan *s, const char *path,
		     unsigned decision)
{
	const struct override_row o = {
		.decision = (uint8_t)decision, .officer = (char *)(uintptr_t)"A. Officer",
		.reason = (char *)(uintptr_t)"asked by the owner", .made = 77,
	};
	struct err e = ERR_NONE;

	must(catalogue_override_put(f->c, s->system, path, strlen(path), &o, &e));
}

/* "path policy/override rule[matched] class; ..."; "-" for what is not there. */
static int tell(void *arg, const struct decided_row *r)
{
	char *out = arg, policy[4] = "-", officer[4] = "-";

	if (r->has_decision)
		snprintf(policy, sizeof policy, "%u", r->policy.decision % 10);
	if (r->has_override)
		snprintf(officer, sizeof officer, "%u", r->override.decision % 10);
	sprintf(out + strlen(out), "%s %s/%s %s[%s] %s; ", r->item->path, policy, officer,
		r->policy.rule ? r->policy.rule : "-",
		r->policy.matched ? r->policy.matched : "-",
		r->policy.class_code ? r->policy.class_code : "-");
	return 0;
}

static void expect(struct fixture *f, const struct scan *s, const char *want)
{
	struct err e = ERR_NONE;
	char out[1000] = "";

	must(catalogue_decided(f->c, s->system, NULL, 0, tell, out, &e));
	assert_string_equal(out, want);
}

static int64_t classify(struct fixture *f, const struct scan *s, const char *text)
{
	struct policy_row p = { .name = (char *)(uintptr_t)"crm", .version = 7, .stored = 9,
				.digest = digest_of(text, strlen(text)),
				.text = (char *)(uintptr_t)text, .text_size = strlen(text) };
	struct err e = ERR_NONE;

	must(catalogue_policy_intern(f->c, &p, &e));
	const struct classification k = { .policy = p.id, .decided = 10, .scan = s->id };
	must(catalogue_classification_begin(f->c, s->system, &k, &e));
	return p.id;
}

static void policy_and_officer_stand_side_by_side(void **state)
{
	struct fixture *f = *state;
	struct scan s = begin_scan(f);
	struct err e = ERR_NONE;
	int64_t a = put(f, &s, "a", 1), b = put(f, &s, "b", 2);

	put(f, &s, "c", 3);
	settle(f, &s, NULL);
	classify(f, &s, "policy: one");
	decide(f, a, 2, "FIN", "r1", "r1");
	decide(f, b, 3, NULL, "r2", "r2,r9");
	override(f, &s, "b", 1);
	expect(f, &s, "a 2/- r1[r1] FIN; b 3/1 r2[r2,r9] -; c -/- -[-] -; ");
	must(catalogue_override_drop(f->c, s.system, "b", 1, &e));
	assert_int_equal(catalogue_override_drop(f->c, s.system, "b", 1, &e), -1);
	assert_int_equal(e.code, MUNI_NOT_FOUND);
	expect(f, &s, "a 2/- r1[r1] FIN; b 3/- r2[r2,r9] -; c -/- -[-] -; ");
	scan_clear(&s);
}

static void an_override_survives_a_classification_and_a_change_and_a_decision_does_not(void **state)
{
	struct fixture *f = *state;
	struct scan s = begin_scan(f);
	int64_t a = put(f, &s, "a", 1), b = put(f, &s, "b", 2);

	settle(f, &s, NULL);
	classify(f, &s, "policy: one");
	decide(f, a, 2, NULL, "r1", "r1");
	decide(f, b, 2, NULL, "r1", "r1");
	override(f, &s, "a", 3);
	put(f, &s, "a", 4);	/* it changed: what was decided on it holds no more */
	expect(f, &s, "a -/3 -[-] -; b 2/- r1[r1] -; ");
	classify(f, &s, "policy: two");
	expect(f, &s, "a -/3 -[-] -; b -/- -[-] -; ");
	scan_clear(&s);
}

static void a_copy_is_undecided_once_its_original_is_gone(void **state)
{
	struct fixture *f = *state;
	struct scan s = begin_scan(f);
	int64_t a = put(f, &s, "a", 1), b = put(f, &s, "b", 1);

	settle(f, &s, NULL);
	classify(f, &s, "policy: one");
	decide(f, a, 2, NULL, "keep", "keep");
	decide(f, b, 3, NULL, "copies", "copies");
	settle(f, &s, &a);
	expect(f, &s, "b -/- -[-] -; ");
	scan_clear(&s);
}

static void a_policy_is_kept_once_and_comes_back_as_it_was(void **state)
{
	struct fixture *f = *state;
	struct scan s = begin_scan(f);
	struct err e = ERR_NONE;
	struct classification k;
	struct policy_row p;

	int64_t one = classify(f, &s, "policy: one"), two = classify(f, &s, "policy: two");
	assert_int_not_equal(one, two);
	assert_int_equal(classify(f, &s, "policy: one"), one);
	must(catalogue_classification_get(f->c, s.system, &k, &e));
	assert_int_equal(k.policy, one);
	assert_int_equal(k.decided, 10);
	must(catalogue_policy_get(f->c, two, &p, &e));
	assert_string_equal(p.text, "policy: two");
	assert_string_equal(p.name, "crm");
	assert_int_equal(p.version, 7);
	policy_row_clear(&p);
	assert_int_equal(catalogue_classification_get(f->c, 4711, &k, &e), -1);
	assert_int_equal(e.code, MUNI_NOT_FOUND);
	scan_clear(&s);
}

static void a_class_is_defined_once_a_policy(void **state)
{
	struct fixture *f = *state;
	struct scan s = begin_scan(f);
	struct err e = ERR_NONE;
	char *text;

	int64_t one = classify(f, &s, "policy: one");
	must(catalogue_class_define(f->c, "FIN", "audit,finance", one, "{\"a\":1}", &e));
	must(catalogue_class_define(f->c, "FIN", "audit", one, "{\"a\":2}", &e));
	must(catalogue_class_definition(f->c, "FIN", one, &text, &e));
	assert_string_equal(text, "{\"a\":1}");
	free(text);
	assert_int_equal(catalogue_class_definition(f->c, "HR", one, &text, &e), -1);
	assert_int_equal(e.code, MUNI_NOT_FOUND);
	assert_null(text);
	scan_clear(&s);
}

static void an_altered_policy_is_damage(void **state)
{
	struct fixture *f = *state;
	struct scan s = begin_scan(f);
	struct err e = ERR_NONE;
	struct policy_row p;

	int64_t one = classify(f, &s, "policy: one");
	must(catalogue_commit(f->c, &e));
	assert_int_equal(sqlite3_exec(catalogue_sqlite(f->c),
				      "UPDATE policy SET text = CAST('policy: eno' AS BLOB)",
				      NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(catalogue_policy_get(f->c, one, &p, &e), -1);
	assert_int_equal(e.code, MUNI_DAMAGED);
	scan_clear(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
		T(policy_and_officer_stand_side_by_side),
		T(an_override_survives_a_classification_and_a_change_and_a_decision_does_not),
		T(a_copy_is_undecided_once_its_original_is_gone),
		T(a_policy_is_kept_once_and_comes_back_as_it_was),
		T(a_class_is_defined_once_a_policy),
		T(an_altered_policy_is_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
