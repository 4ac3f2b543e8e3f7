#include <stdlib.h>

#include "tests/unit/policy/policies.h"

/* The example of the design, as it stands there. */
static const char design[] =
"policy: crm-retirement\n"
"version: 7\n"
"calendar: UTC              # civil dates\n"
"unmatched: review                    # nothing is destroyed by default\n"
"classes:\n"
"  - id: FIN-INV\n"
"    title: {en: Invoices, zh: 发票}\n"
"    mandate: {instrument: 会计档案管理办法, clause: \"14\", jurisdiction: CN}\n"
"    sensitivity: confidential        # public | internal | confidential | restricted\n"
"    importance: high\n"
"    retain: {trigger: \"event:case-closed\", fallback: modified, cutoff: 12-31, period: P30Y}\n"
"    then: destroy                    # destroy | review | transfer | keep\n"
"    approve: {quorum: 2, roles: [records, owner]}\n"
"    witness: [it]\n"
"    destroy: {grace: P6M, residual: stub, names: commit}   # names: keep | commit | drop\n"
"    access: {groups: [finance-audit]}\n"
"rules:                               # the first that matches decides; all that match are recorded\n"
"  - id: payroll-exports\n"
"    when:\n"
"      all:\n"
"        - path: \"payroll/**\"\n"
"        - any: [{format: text/csv}, {detect: cn-resident-id, min: 5}]   # validated, not merely matched\n"
"    decide: archive                  # migrate | archive | destroy | review\n"
"    class: FIN-INV\n"
"  - id: caches\n"
"    when: {any: [{path: \"**/cache/**\"}, {duplicate: true}, {older-than: P10Y}]}\n"
"    decide: destroy\n"
"    because: redundant, obsolete or trivial\n";

static void the_designs_example_loads_with_every_field(void **state)
{
	struct policy *p = load(design);
	const struct policy_info *info = policy_info(p);
	const struct policy_class *c = policy_class_find(p, "FIN-INV");
	char period[32];

	(void)state;
	assert_string_equal(info->name, "crm-retirement");
	assert_int_equal(info->version, 7);
	assert_string_equal(info->calendar, "UTC");
	assert_int_equal(info->unmatched, DECISION_REVIEW);
	assert_int_equal(info->class_count, 1);
	assert_int_equal(info->rule_count, 2);
	assert_non_null(c);
	assert_string_equal(c->title_en, "Invoices");
	assert_string_equal(c->title_zh, "发票");
	assert_int_equal(c->mandate_count, 1);
	assert_string_equal(c->mandates[0].instrument, "会计档案管理办法");
	assert_string_equal(c->mandates[0].clause, "14");
	assert_string_equal(c->mandates[0].jurisdiction, "CN");
	assert_false(c->mandates[0].has_minimum);
	assert_int_equal(c->sensitivity, SENSITIVITY_CONFIDENTIAL);
	assert_int_equal(c->importance, IMPORTANCE_HIGH);
	assert_string_equal(c->trigger, "event:case-closed");
	assert_string_equal(c->fallback, "modified");
	assert_int_equal(c->cutoff_month, 12);
	assert_int_equal(c->cutoff_day, 31);
	period_text(&c->period, period);
	assert_string_equal(period, "P30Y");
	assert_int_equal(c->then, THEN_DESTROY);
	assert_int_equal(c->quorum, 2);
	assert_string_equal(c->roles[0], "records");
	assert_string_equal(c->roles[1], "owner");
	assert_null(c->roles[2]);
	assert_string_equal(c->witnesses[0], "it");
	assert_null(c->witnesses[1]);
	period_text(&c->grace, period);
	assert_string_equal(period, "P6M");
	assert_string_equal(c->residual, "stub");
	assert_string_equal(c->names, "commit");
	assert_string_equal(c->groups[0], "finance-audit");
	assert_int_equal(c->line, 6);
	assert_string_equal(info->rules[0].id, "payroll-exports");
	assert_int_equal(info->rules[0].decide, DECISION_ARCHIVE);
	assert_string_equal(info->rules[0].class_id, "FIN-INV");
	assert_int_equal(info->rules[0].line, 18);
	assert_null(info->rules[1].class_id);
	assert_string_equal(info->rules[1].because, "redundant, obsolete or trivial");
	assert_null(policy_class_find(p, "FIN"));
	policy_free(p);
	policy_free(NULL);
}

static void what_is_left_out_has_its_default(void **state)
{
	struct policy *p = load(HEAD "classes:\n"
				"  - {id: A, title: {zh: 甲}, retain: {trigger: retired, period: "
				"forever}, then: keep}\n"
				"rules:\n"
				"  - {id: r, when: {path: '**'}, decide: review, class: A}\n");
	const struct policy_class *c = &policy_info(p)->classes[0];

	(void)state;
	assert_null(c->title_en);
	assert_int_equal(c->mandate_count, 0);
	assert_int_equal(c->sensitivity, SENSITIVITY_INTERNAL);
	assert_int_equal(c->importance, IMPORTANCE_NORMAL);
	assert_null(c->fallback);
	assert_int_equal(c->cutoff_month, 0);
	assert_true(c->period.is_forever);
	assert_int_equal(c->quorum, 0);
	assert_null(c->roles[0]);
	assert_null(c->witnesses[0]);
	assert_null(c->groups[0]);
	assert_string_equal(c->residual, "stub");
	assert_string_equal(c->names, "commit");
	assert_false(policy_info(p)->rules[0].accepts_opaque);
	policy_free(p);
}

static void parts_may_stand_in_any_order_and_mandates_may_be_several(void **state)
{
	struct policy *p = load("rules:\n"
				"  - {class: A, decide: archive, opaque: accept, when: {detect: "
				"our-id}, id: r}\n"
				"classes:\n"
				"  - id: A\n"
				"    then: transfer\n"
				"    retain: {period: P6M, trigger: created}\n"
				"    title: {en: T}\n"
				"    mandate:\n"
				"      - {instrument: One}\n"
				"      - {instrument: Two, minimum: P3M}\n"
				"    approve: {quorum: 1, roles: owner}\n"
				"recognisers:\n"
				"  - id: our-id\n"
				"    title: Case numbers\n"
				"    pattern: '\\bE[0-9]{6}\\b'\n"
				"    check: mod97\n"
				"    context: [case, 案号]\n"
				"    confidence: {alone: 0, in-context: 75}\n"
				"    sensitivity: restricted\n"
				"    ignore-case: true\n"
				"unmatched: review\ncalendar: UTC\nversion: 3\npolicy: x\n");
	const struct policy_info *info = policy_info(p);
	const struct custom_recogniser *r = &info->custom[0];

	(void)state;
	assert_int_equal(info->classes[0].mandate_count, 2);
	assert_true(info->classes[0].mandates[1].has_minimum);
	assert_int_equal(info->classes[0].mandates[1].minimum.months, 3);
	assert_string_equal(info->classes[0].roles[0], "owner");
	assert_true(info->rules[0].accepts_opaque);
	assert_int_equal(info->custom_count, 1);
	assert_string_equal(r->id, "our-id");
	assert_string_equal(r->title, "Case numbers");
	assert_string_equal(r->pattern, "\\bE[0-9]{6}\\b");
	assert_string_equal(r->check, "mod97");
	assert_string_equal(r->context[1], "案号");
	assert_int_equal(r->alone, 0);
	assert_int_equal(r->in_context, 75);
	assert_int_equal(r->sensitivity, SENSITIVITY_RESTRICTED);
	assert_true(r->ignores_case);
	policy_free(p);
}

static void the_digest_is_the_callers_to_set(void **state)
{
	struct policy *p = load_rules("  - {id: r, when: {path: '**'}, decide: review}\n");
	uint8_t digest[32];

	(void)state;
	memset(digest, 7, sizeof digest);
	policy_set_digest(p, digest);
	memset(digest, 0, sizeof digest);
	assert_int_equal(policy_info(p)->digest[31], 7);
	policy_free(p);
}

/* ---- refusals -------------------------------------------------------------------------------- */

#define RULE(when) HEAD "rules:\n  - id: r\n    decide: review\n    when: " when "\n"
#define CLASS_WITH(field) \
	HEAD "rules:\n  - {id: r, when: {path: '**'}, decide: review}\nclasses:\n" \
	"  - id: A\n    title: {en: T}\n    retain: {trigger: modified, period: P1Y}\n" \
	"    then: keep\n    " field "\n"
#define WITH_RULE "rules:\n  - {id: r, when: {path: '**'}, decide: review}\n"
#define RECOGNISER(fields) \
	HEAD "rules:\n  - {id: r, when: {path: '**'}, decide: review}\nrecognisers:\n  - {" fields "}\n"

struct refusal {
	const char *text;
	const char *place;	/* "test.yaml:LINE: FIELD:" */
	const char *says[2];
};

static const struct refusal refusals[] = {
	/* the top */
	{ "", "test.yaml:1: YAML:", { "empty" } },
	{ "# nothing\n", "test.yaml:1: YAML:", { "empty" } },
	{ "just a text\n", "test.yaml:1: the policy:", { "a text stands here", "a map" } },
	{ "- a\n- b\n", "test.yaml:1: the policy:", { "a list stands here" } },
	{ HEAD, "test.yaml:1: rules:", { "missing" } },
	{ "version: 1\ncalendar: UTC\n" WITH_RULE, "test.yaml:1: policy:", { "missing" } },
	{ "policy: x\ncalendar: UTC\n" WITH_RULE, "test.yaml:1: version:", { "missing" } },
	{ "policy: x\nversion: 1\n" WITH_RULE, "test.yaml:1: calendar:", { "missing" } },
	{ HEAD "rule: []\n", "test.yaml:4: rule:", { "no such field", "did you mean \"rules\"" } },
	{ HEAD "xyzzy: 1\n", "test.yaml:4: xyzzy:", { "no such field", "unmatched" } },
	{ HEAD "version: 2\n" WITH_RULE, "test.yaml:4: version:", { "given twice", "once" } },
	{ "policy: -x\nversion: 1\ncalendar: UTC\n" WITH_RULE, "test.yaml:1: policy:",
	  { "begins with" } },
	{ "policy: a b\nversion: 1\ncalendar: UTC\n" WITH_RULE, "test.yaml:1: policy:",
	  { "may not stand in it", "letters" } },
	{ "policy: x\nversion: one\ncalendar: UTC\n" WITH_RULE, "test.yaml:2: version:",
	  { "\"one\"", "whole number" } },
	{ "policy: x\nversion: 0\ncalendar: UTC\n" WITH_RULE, "test.yaml:2: version:",
	  { "\"0\"", "from 1" } },
	{ "policy: x\nversion: 99999999999999999999\ncalendar: UTC\n" WITH_RULE,
	  "test.yaml:2: version:", { "whole number" } },
	{ "policy: x\nversion: 1\ncalendar: Mars/Olympus\n" WITH_RULE, "test.yaml:3: calendar:",
	  { "Mars/Olympus", "Asia/Shanghai" } },
	{ HEAD "unmatched: destroy\n" WITH_RULE, "test.yaml:4: unmatched:",
	  { "nothing is destroyed by default", "review" } },
	{ HEAD "unmatched: archive\n" WITH_RULE, "test.yaml:4: unmatched:", { "archive", "review" } },
	{ HEAD "rules: {}\n", "test.yaml:4: rules:", { "a map stands here", "a list" } },
	{ HEAD "rules: []\n", "test.yaml:4: rules:", { "empty" } },
	{ HEAD "rules:\n", "test.yaml:4: rules:", { "a text stands here" } },

	/* YAML */
	{ HEAD "rules: &a\n  - x\n", "test.yaml:4: YAML:", { "anchor" } },
	{ HEAD "a: &a b\nrules: *a\n", "test.yaml:4: YAML:", { "anchor" } },
	{ HEAD "rules: *a\n", "test.yaml:4: YAML:", { "alias", "expected" } },
	{ HEAD "rules: !!seq [a]\n", "test.yaml:4: YAML:", { "tag" } },
	{ HEAD "rules:\n  - ? [a, b]\n    : c\n", "test.yaml:5: YAML:", { "name of a field" } },
	{ HEAD "rules:\n\t- id: r\n", "test.yaml:5: YAML:", { "tab", "blanks" } },
	{ HEAD "rules:\n  - id: r\n   when: x\n", "test.yaml:6: YAML:", { "expected" } },
	{ HEAD "rules: [\n", "test.yaml:5: YAML:", { "expected" } },
	{ HEAD "rules: \"x\n", "test.yaml:5: YAML:", { "expected" } },
	{ HEAD "policy: a: b\n", "test.yaml:4: YAML:", { "expected" } },
	{ HEAD "---\na: b\n", "test.yaml:4: YAML:", { "second document" } },
	{ HEAD "<<: {a: b}\n", "test.yaml:4: <<:", { "no such field" } },
	{ HEAD "x: \xff\n", "test.yaml:4: YAML:", { "no UTF-8" } },
	{ "\xff\xfep\0o\0", "test.yaml:1: YAML:", { "no UTF-8" } },
	{ HEAD "x: \"\\0\"\n", "test.yaml:4: YAML:", { "NUL" } },
	{ HEAD "x: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[x]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n",
	  "test.yaml:4: YAML:", { "nested too deeply" } },

	/* rules */
	{ HEAD "rules:\n  - r\n", "test.yaml:5: rules[1]:", { "a text stands here", "a rule" } },
	{ HEAD "rules:\n  - {id: r, decide: review}\n", "test.yaml:5: rules[1].when:",
	  { "missing" } },
	{ HEAD "rules:\n  - {id: r, when: {path: a}}\n", "test.yaml:5: rules[1].decide:",
	  { "missing" } },
	{ HEAD "rules:\n  - {when: {path: a}, decide: review}\n", "test.yaml:5: rules[1].id:",
	  { "missing" } },
	{ HEAD "rules:\n  - {id: r, when: {path: a}, decide: delete}\n",
	  "test.yaml:5: rules[1].decide:", { "\"delete\"", "migrate, archive, destroy or review" } },
	{ HEAD "rules:\n  - {id: r, when: {path: a}, decide: destory}\n",
	  "test.yaml:5: rules[1].decide:", { "did you mean \"destroy\"" } },
	{ HEAD "rules:\n  - {id: r, when: {path: a}, decide: review, class: NONE}\n",
	  "test.yaml:5: rules[1].class:", { "no class \"NONE\"" } },
	{ HEAD "classes:\n" CLASS("FIN-INV")
	  "rules:\n  - {id: r, when: {path: a}, decide: review, class: FIN-INF}\n",
	  "test.yaml:7: rules[1].class:", { "did you mean \"FIN-INV\"" } },
	{ HEAD "rules:\n  - {id: r, when: {path: a}, decide: review}\n"
	  "  - {id: r, when: {path: b}, decide: review}\n", "test.yaml:6: rules[2].id:",
	  { "\"r\" is the id of line 5" } },
	{ HEAD "rules:\n  - {id: r, when: {path: a}, decide: review, opaque: yes}\n",
	  "test.yaml:5: rules[1].opaque:", { "accept or review" } },
	{ HEAD "rules:\n  - {id: r, when: {path: a}, decide: review, because: ''}\n",
	  "test.yaml:5: rules[1].because:", { "empty" } },
	{ HEAD "rules:\n  - {id: r, when: {path: a}, decide: review, beacuse: x}\n",
	  "test.yaml:5: rules[1].beacuse:", { "did you mean \"because\"" } },

	/* classes */
	{ CLASS_WITH("id: B"), "test.yaml:11: classes[1].id:", { "given twice" } },
	{ CLASS_WITH("sensitivity: secret"), "test.yaml:11: classes[1].sensitivity:",
	  { "\"secret\"", "public, internal, confidential or restricted" } },
	{ CLASS_WITH("importance: critical"), "test.yaml:11: classes[1].importance:",
	  { "low, normal, high or vital" } },
	{ CLASS_WITH("mandate: GDPR"), "test.yaml:11: classes[1].mandate:",
	  { "a text stands here", "a mandate" } },
	{ CLASS_WITH("mandate: {clause: '5'}"), "test.yaml:11: classes[1].mandate.instrument:",
	  { "missing" } },
	{ CLASS_WITH("mandate: [{instrument: a}, {instrument: b, minimum: 7}]"),
	  "test.yaml:11: classes[1].mandate[2].minimum:", { "\"7\" is no period", "P30Y" } },
	{ CLASS_WITH("mandate: {instrument: a, jurisdiction: china}"),
	  "test.yaml:11: classes[1].mandate.jurisdiction:", { "china", "CN" } },
	{ CLASS_WITH("mandate: []"), "test.yaml:11: classes[1].mandate:", { "empty" } },
	{ CLASS_WITH("approve: {roles: [a]}"), "test.yaml:11: classes[1].approve.quorum:",
	  { "missing" } },
	{ CLASS_WITH("approve: {quorum: 21}"), "test.yaml:11: classes[1].approve.quorum:",
	  { "from 0 to 20" } },
	{ CLASS_WITH("witness: []"), "test.yaml:11: classes[1].witness:", { "empty" } },
	{ CLASS_WITH("witness: {a: b}"), "test.yaml:11: classes[1].witness:",
	  { "a map stands here" } },
	{ CLASS_WITH("destroy: {grace: 6M}"), "test.yaml:11: classes[1].destroy.grace:",
	  { "\"6M\" is no period" } },
	{ CLASS_WITH("destroy: {residual: name}"), "test.yaml:11: classes[1].destroy.residual:",
	  { "stub or none" } },
	{ CLASS_WITH("destroy: {names: hide}"), "test.yaml:11: classes[1].destroy.names:",
	  { "keep, commit or drop" } },
	{ CLASS_WITH("access: {group: x}"), "test.yaml:11: classes[1].access.group:",
	  { "did you mean \"groups\"" } },
	{ HEAD WITH_RULE "classes:\n  - {id: A, title: {fr: T}, retain: {trigger: modified, period: "
	  "P1Y}, then: keep}\n", "test.yaml:7: classes[1].title.fr:", { "en or zh" } },
	{ HEAD WITH_RULE "classes:\n  - {id: A, title: {}, retain: {trigger: modified, period: P1Y}, "
	  "then: keep}\n", "test.yaml:7: classes[1].title:", { "empty" } },
	{ HEAD WITH_RULE "classes:\n  - {id: A, title: Invoices, retain: {trigger: modified, period: "
	  "P1Y}, then: keep}\n", "test.yaml:7: classes[1].title:", { "a text stands here" } },
	{ HEAD WITH_RULE "classes:\n  - {id: A, title: {en: T}, then: keep}\n",
	  "test.yaml:7: classes[1].retain:", { "missing" } },
	{ HEAD WITH_RULE "classes:\n  - {id: A, title: {en: T}, retain: {period: P1Y}, then: keep}\n",
	  "test.yaml:7: classes[1].retain.trigger:", { "missing" } },
	{ HEAD WITH_RULE "classes:\n  - {id: A, title: {en: T}, retain: {trigger: x, period: P1Y}, "
	  "then: keep}\n", "test.yaml:7: classes[1].retain.trigger:", { "\"x\"", "event:NAME" } },
	{ HEAD WITH_RULE "classes:\n  - {id: A, title: {en: T}, retain: {trigger: 'event:', period: "
	  "P1Y}, then: keep}\n", "test.yaml:7: classes[1].retain.trigger:", { "empty" } },
	{ HEAD WITH_RULE "classes:\n  - {id: A, title: {en: T}, retain: {trigger: modified, cutoff: "
	  "31-12, period: P1Y}, then: keep}\n", "test.yaml:7: classes[1].retain.cutoff:",
	  { "no year has the day 31-12", "12-31" } },
	{ HEAD WITH_RULE "classes:\n  - {id: A, title: {en: T}, retain: {trigger: modified, cutoff: "
	  "december, period: P1Y}, then: keep}\n", "test.yaml:7: classes[1].retain.cutoff:",
	  { "\"december\"" } },
	{ HEAD WITH_RULE "classes:\n  - {id: A, title: {en: T}, retain: {trigger: modified, period: 30 "
	  "years}, then: keep}\n", "test.yaml:7: classes[1].retain.period:",
	  { "\"30 years\" is no period", "P30Y" } },
	{ HEAD WITH_RULE "classes:\n  - {id: A, title: {en: T}, retain: {trigger: modified, period: "
	  "P1Y}, then: burn}\n", "test.yaml:7: classes[1].then:",
	  { "destroy, review, transfer or keep" } },

	/* conditions */
	{ RULE("everything"), "test.yaml:7: rules[1].when:", { "a text stands here", "path" } },
	{ RULE("[{path: a}]"), "test.yaml:7: rules[1].when:", { "a list stands here" } },
	{ RULE("{}"), "test.yaml:7: rules[1].when:", { "no condition" } },
	{ RULE("{pth: a}"), "test.yaml:7: rules[1].when.pth:", { "did you mean \"path\"" } },
	{ RULE("{all: {path: a}}"), "test.yaml:7: rules[1].when.all:", { "a map stands here",
	  "a list of conditions" } },
	{ RULE("{any: []}"), "test.yaml:7: rules[1].when.any:", { "empty" } },
	{ RULE("{any: [{path: a}, {siz: 1}]}"), "test.yaml:7: rules[1].when.any[2].siz:",
	  { "did you mean \"size\"" } },
	{ RULE("{not: [{path: a}]}"), "test.yaml:7: rules[1].when.not:", { "a list stands here" } },
	{ RULE("{path: /a/**}"), "test.yaml:7: rules[1].when.path:", { "would match nothing",
	  "below the source" } },
	{ RULE("{path: ./a}"), "test.yaml:7: rules[1].when.path:", { "would match nothing" } },
	{ RULE("{path: [a, b/]}"), "test.yaml:7: rules[1].when.path:", { "\"b/\"", "/**" } },
	{ RULE("{path: a//b}"), "test.yaml:7: rules[1].when.path:", { "would match nothing" } },
	{ RULE("{path: '[a'}"), "test.yaml:7: rules[1].when.path:", { "\"[\" without its \"]\"" } },
	{ RULE("{path: {glob: a}}"), "test.yaml:7: rules[1].when.path:", { "a map stands here" } },
	{ RULE("{path: [a, []]}"), "test.yaml:7: rules[1].when.path[2]:", { "a list stands here" } },
	{ RULE("{path: ~}"), "test.yaml:7: rules[1].when.path:", { "empty" } },
	{ RULE("{name: a/b}"), "test.yaml:7: rules[1].when.name:", { "has a \"/\"" } },
	{ RULE("{name-regex: '(a'}"), "test.yaml:7: rules[1].when.name-regex:",
	  { "at byte", "PCRE2" } },
	{ RULE("{name-regex: [a]}"), "test.yaml:7: rules[1].when.name-regex:", { "a list" } },
	{ RULE("{extension: .tmp}"), "test.yaml:7: rules[1].when.extension:", { "without its point" } },
	{ RULE("{extension: '*.tmp'}"), "test.yaml:7: rules[1].when.extension:",
	  { "without its point" } },
	{ RULE("{extension-lies: maybe}"), "test.yaml:7: rules[1].when.extension-lies:",
	  { "\"maybe\"", "true or false" } },
	{ RULE("{duplicate: yes}"), "test.yaml:7: rules[1].when.duplicate:", { "true or false" } },
	{ RULE("{empty: [true]}"), "test.yaml:7: rules[1].when.empty:", { "a list stands here" } },
	{ RULE("{size: 10M}"), "test.yaml:7: rules[1].when.size:", { "\"10M\"", "> 10M" } },
	{ RULE("{size: '> 10 X'}"), "test.yaml:7: rules[1].when.size:", { "stands here" } },
	{ RULE("{size: '< 0'}"), "test.yaml:7: rules[1].when.size:", { "stands here" } },
	{ RULE("{size: {over: 1G, under: 1M}}"), "test.yaml:7: rules[1].when.size:",
	  { "nothing is over" } },
	{ RULE("{size: {above: 1}}"), "test.yaml:7: rules[1].when.size.above:", { "over or under" } },
	{ RULE("{size: {under: 0}}"), "test.yaml:7: rules[1].when.size.under:",
	  { "nothing is under 0" } },
	{ RULE("{size: {over: big}}"), "test.yaml:7: rules[1].when.size.over:", { "\"big\"" } },
	{ RULE("{size: {}}"), "test.yaml:7: rules[1].when.size:", { "empty" } },
	{ RULE("{depth: deep}"), "test.yaml:7: rules[1].when.depth:", { "\"deep\"" } },
	{ RULE("{depth: '> 1.5'}"), "test.yaml:7: rules[1].when.depth:", { "stands here" } },
	{ RULE("{older-than: 10Y}"), "test.yaml:7: rules[1].when.older-than:",
	  { "\"10Y\" is no period", "P30Y" } },
	{ RULE("{created: P10Y}"), "test.yaml:7: rules[1].when.created:", { "an age" } },
	{ RULE("{created: {older: P10Y}}"), "test.yaml:7: rules[1].when.created.older:",
	  { "did you mean \"older-than\"" } },
	{ RULE("{changed: {}}"), "test.yaml:7: rules[1].when.changed:", { "empty" } },
	{ RULE("{owner: 99999999999}"), "test.yaml:7: rules[1].when.owner:", { "too large" } },
	{ RULE("{mode: rwx}"), "test.yaml:7: rules[1].when.mode:", { "\"rwx\"", "octal" } },
	{ RULE("{mode: 0}"), "test.yaml:7: rules[1].when.mode:", { "octal" } },
	{ RULE("{mode: 0o20}"), "test.yaml:7: rules[1].when.mode:", { "octal" } },
	{ RULE("{mode: 10000}"), "test.yaml:7: rules[1].when.mode:", { "octal" } },
	{ RULE("{detect: us-sssn}"), "test.yaml:7: rules[1].when.detect:",
	  { "no recogniser \"us-sssn\"" } },
	{ RULE("{detect: [any]}"), "test.yaml:7: rules[1].when.detect:", { "no recogniser \"any\"" } },
	{ RULE("{detect: any, min: 0}"), "test.yaml:7: rules[1].when.min:", { "from 1" } },
	{ RULE("{detect: any, confidence: 101}"), "test.yaml:7: rules[1].when.confidence:",
	  { "from 1 to 100" } },
	{ RULE("{min: 5}"), "test.yaml:7: rules[1].when.min:", { "counts nothing", "detect" } },
	{ RULE("{confidence: 5}"), "test.yaml:7: rules[1].when.confidence:", { "measures nothing" } },
	{ RULE("{sensitivity: high}"), "test.yaml:7: rules[1].when.sensitivity:", { "restricted" } },
	{ RULE("{kind: folder}"), "test.yaml:7: rules[1].when.kind:", { "file, directory" } },
	{ RULE("{path: a, path: b}"), "test.yaml:7: rules[1].when.path:", { "given twice" } },

	/* recognisers */
	{ RECOGNISER("pattern: x"), "test.yaml:7: recognisers[1].id:", { "missing" } },
	{ RECOGNISER("id: x"), "test.yaml:7: recognisers[1].pattern:", { "missing" } },
	{ RECOGNISER("id: any, pattern: x"), "test.yaml:7: recognisers[1].id:", { "own" } },
	{ RECOGNISER("id: x, pattern: x, check: md5"), "test.yaml:7: recognisers[1].check:",
	  { "luhn" } },
	{ RECOGNISER("id: x, pattern: x, confidence: 5"), "test.yaml:7: recognisers[1].confidence:",
	  { "a text stands here" } },
	{ RECOGNISER("id: x, pattern: x, confidence: {alone: 0}"), "test.yaml:7: recognisers[1]:",
	  { "names none" } },
	{ RECOGNISER("id: x, pattern: x}\n  - {id: x, pattern: y"), "test.yaml:8: recognisers[2].id:",
	  { "\"x\" is the id of line 7" } },
};

static void every_refusal_names_file_line_field_and_what_was_expected(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
		const struct refusal *r = &refusals[i];
		struct err e = refused(r->text, strlen(r->text));

		if (strncmp(e.text, r->place, strlen(r->place)) != 0)
			fail_msg("case %zu: \"%s\" does not begin with \"%s\"", i, e.text, r->place);
		if (strstr(e.text, "expected") == NULL)
			fail_msg("case %zu: \"%s\" does not say what was expected", i, e.text);
		for (size_t k = 0; k < 2 && r->says[k] != NULL; k++)
			if (strstr(e.text, r->says[k]) == NULL)
				fail_msg("case %zu: \"%s\" does not say \"%s\"", i, e.text,
					 r->says[k]);
	}
}

static void a_file_that_is_too_large_is_refused(void **state)
{
	size_t size = POLICY_TEXT_MAX + 1;
	char *text = malloc(size);

	(void)state;
	memset(text, '#', size);
	assert_non_null(strstr(refused(text, size).text, "too large"));
	free(text);
}

static void too_many_nodes_are_refused_in_little_memory(void **state)
{
	size_t size = 2000000;
	char *text = malloc(size + 1);

	(void)state;
	memcpy(text, "rules: [", 8);
	for (size_t i = 8; i < size; i += 2)
		memcpy(text + i, "a,", 2);
	assert_non_null(strstr(refused(text, size).text, "too many fields"));
	free(text);
}

/* A name that is not seen, or writes backwards, would make two ids look alike. */
static void ids_hide_nothing(void **state)
{
	static const char text[] = HEAD "rules:\n  - {id: \"a\\u202Eb\", when: {path: a}, decide: "
					"review}\n";

	(void)state;
	assert_non_null(strstr(refused(text, strlen(text)).text, "not seen"));
}

/* As editors on Windows save it. */
static void a_byte_order_mark_and_crlf_change_nothing(void **state)
{
	static const char text[] = "\xef\xbb\xbfpolicy: x\r\nversion: 2\r\ncalendar: UTC\r\nrules:\r\n"
				   "  - id: r\r\n    when: {path: a}\r\n    decide: review\r\n"
				   "    because: it is so\r\n";
	struct policy *p = load(text);

	(void)state;
	assert_string_equal(policy_info(p)->name, "x");
	assert_int_equal(policy_info(p)->rules[0].line, 5);
	assert_string_equal(policy_info(p)->rules[0].because, "it is so");
	policy_free(p);
}

static void the_words_of_a_rule_hold_all_of_it(void **state)
{
	struct policy *p = load_rules("  - {id: r, when: {all: [{size: {over: 10M, under: 1G}}, {not: {path: "
				      "[a, 'b/**']}}], depth: '= 3', size: '> 1000'}, decide: review}\n");
	char *words = policy_rule_words(&policy_info(p)->rules[0]);

	(void)state;
	assert_string_equal(words, "all of (all of (a file over 10 MiB and under 1 GiB; not (path \"a\" or "
				   "\"b/**\")); a depth of exactly 3; a file of at least 1,001 bytes)");
	free(words);
	policy_free(p);
}

static void messages_stay_printable(void **state)
{
	static const char text[] = HEAD "\"\\e[31m\": 1\n";
	struct err e = refused(text, strlen(text));

	(void)state;
	assert_null(strchr(e.text, '\x1b'));
	assert_null(strchr(e.text, '\n'));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_designs_example_loads_with_every_field),
		cmocka_unit_test(what_is_left_out_has_its_default),
		cmocka_unit_test(parts_may_stand_in_any_order_and_mandates_may_be_several),
		cmocka_unit_test(the_digest_is_the_callers_to_set),
		cmocka_unit_test(every_refusal_names_file_line_field_and_what_was_expected),
		cmocka_unit_test(a_file_that_is_too_large_is_refused),
		cmocka_unit_test(too_many_nodes_are_refused_in_little_memory),
		cmocka_unit_test(ids_hide_nothing),
		cmocka_unit_test(a_byte_order_mark_and_crlf_change_nothing),
		cmocka_unit_test(the_words_of_a_rule_hold_all_of_it),
		cmocka_unit_test(messages_stay_printable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
