/*
 * A policy file: any text is loaded or refused with a sentence.  What was loaded is then
 * used as `muni policy` and a scan use it: checked, put into words, decided by and
 * explained, over items of several kinds; the reasons given are those of the decision.
 * The same bytes are read as the condition of a hold, too.
 */
#include <string.h>

#include "fs/base/err.h"
#include "policy/policy.h"
#include "policy/when.h"
#include "tests/fuzz/fuzz.h"

#define NOW 1700000000
#define RULES_MAX 4096
#define WHEN_MAX 4096

static const struct facts_finding found[] = {
	{ .id = "email", .count = 12, .confidence = 90, .sensitivity = SENSITIVITY_RESTRICTED },
	{ .id = "iban", .count = 1, .confidence = 40, .sensitivity = SENSITIVITY_CONFIDENTIAL },
};

static const struct facts items[] = {
	{ .path = "crm/a.csv", .kind = FACTS_FILE, .size = 5000, .modified = 900000000,
	  .changed = 1000000000, .accessed = 1650000000, .has_created = true,
	  .created = 800000000, .uid = 1000, .gid = 100, .mode = 0640, .owner = "ann",
	  .group = "staff", .format = "text/csv", .encoding = "UTF-8", .script = "Latn",
	  .copies = 1, .findings = found, .finding_count = 2 },
	{ .path = "crm/tmp/b~", .kind = FACTS_FILE, .modified = NOW, .changed = NOW,
	  .accessed = NOW, .mode = 04755, .format = "application/zip", .claimed = "text/plain",
	  .duplicate_of = "crm/a.csv", .copies = 3, .opaque = "encrypted" },
	{ .path = "d/e/f", .kind = FACTS_DIRECTORY, .modified = -1, .mode = 0755 },
	{ .path = "l\xff\n", .kind = FACTS_SYMLINK, .modified = INT64_MAX, .changed = INT64_MIN },
	{ .path = "", .kind = FACTS_OTHER, .size = UINT64_MAX, .uid = UINT32_MAX },
};

#define ITEMS (sizeof items / sizeof *items)

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

struct reasons {
	const struct policy_info *info;
	const struct judgement *made;
	const uint8_t *matched;
	size_t rules;
	bool has_decided;
};

static int on_step(void *arg, const struct explain_step *s)
{
	struct reasons *w = arg;

	MUST(s->text && s->rule);
	if (s->depth > 0)
		return 0;
	MUST(w->rules < w->info->rule_count);
	const struct policy_rule *rule = &w->info->rules[w->rules];

	MUST(strcmp(s->rule, rule->id) == 0);
	MUST(s->holds == ((w->matched[w->rules / 8] >> w->rules % 8 & 1) != 0));
	if (s->is_deciding)
		MUST(rule == w->made->rule);
	w->has_decided |= s->is_deciding;
	w->rules++;
	return 0;
}

static void decide(const struct policy *p, const struct facts *f)
{
	static uint8_t matched[RULES_MAX / 8], again_matched[RULES_MAX / 8];
	struct judgement made = { .matched = matched }, again = { .matched = again_matched };
	struct reasons w = { .info = policy_info(p), .made = &made, .matched = matched };
	struct err e = ERR_NONE;

	if (w.info->rule_count > RULES_MAX)
		return;
	policy_decide(p, f, NOW, &made);
	policy_decide(p, f, NOW, &again);	/* P1 */
	MUST(made.decision == again.decision && made.rule == again.rule &&
	     made.class == again.class && made.confidence == again.confidence);
	MUST(memcmp(matched, again_matched, (w.info->rule_count + 7) / 8) == 0);
	MUST(decision_name(made.decision) && made.confidence <= 100);
	if (f->opaque && made.decision == DECISION_DESTROY)	/* P3 */
		MUST(made.rule && made.rule->accepts_opaque);
	if (!made.rule)
		MUST(made.decision == w.info->unmatched && made.decision != DECISION_DESTROY);
	if (policy_explain(p, f, NOW, on_step, &w, &e) == 0)
		MUST(w.rules == w.info->rule_count && w.has_decided == (made.rule != NULL));
}

static int on_lint(void *arg, const struct lint *l)
{
	(void)arg;
	MUST(l->level <= LINT_ERROR && l->where && l->text && *l->text);
	return 0;
}

static void use(const struct policy *p, size_t size)
{
	const struct policy_info *info = policy_info(p);
	struct err e = ERR_NONE;

	MUST(info->name && info->calendar);
	for (size_t i = 0; i < info->rule_count; i++)
		free(policy_rule_words(&info->rules[i]));
	for (size_t i = 0; i < ITEMS; i++)
		decide(p, &items[i]);
	/* With recognisers of its own all are compiled, a second at least: now and then. */
	if (info->custom_count == 0 || size % 128 == 0)
		policy_lint(p, on_lint, NULL, &e);
}

static void when(const uint8_t *data, size_t size)
{
	char text[WHEN_MAX + 1];
	struct when *w = NULL;
	struct err e = ERR_NONE;

	if (size > WHEN_MAX)
		return;
	memcpy(text, data, size);
	text[size] = '\0';
	if (when_load(text, "the hold", &w, &e) < 0) {
		MUST(w == NULL && e.code != MUNI_OK && *e.text);
		return;
	}
	for (size_t i = 0; i < ITEMS; i++) {
		bool is_sure, again_sure, holds = when_holds(w, &items[i], NOW, &is_sure);

		MUST(when_holds(w, &items[i], NOW, &again_sure) == holds &&
		     is_sure == again_sure);
	}
	when_free(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct policy *p = NULL;
	struct err e = ERR_NONE;

	when(data, size);
	if (policy_load(data, size, "fuzz.yaml", &p, &e) < 0) {
		MUST(p == NULL && e.code != MUNI_OK && *e.text);
		return 0;
	}
	use(p, size);
	policy_free(p);
	return 0;
}
