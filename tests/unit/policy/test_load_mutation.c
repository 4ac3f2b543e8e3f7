/*
 * Policies that somebody broke: whatever the bytes, they load or are refused with a
 * message, and what loads can be used.  Seeded: a failure comes again.
 */
#include <stdlib.h>

#include "tests/unit/policy/policies.h"

#define ROUNDS 12000

static const char recogniser[] =
"recognisers:\n"
"  - {id: case-no, title: Case, pattern: '\\bE[0-9]{6}\\b', check: luhn, context: [case],\n"
"     confidence: {alone: 10, in-context: 90}, sensitivity: restricted, ignore-case: true}\n";

static const char sample[] =
"policy: crm-retirement\nversion: 7\ncalendar: UTC\nunmatched: review\n"
"classes:\n"
"  - id: FIN-INV\n    title: {en: Invoices, zh: 发票}\n"
"    mandate: [{instrument: 会计档案管理办法, clause: \"14\", jurisdiction: CN, minimum: P10Y}]\n"
"    sensitivity: confidential\n    importance: high\n"
"    retain: {trigger: \"event:closed\", fallback: modified, cutoff: 12-31, period: P30Y}\n"
"    then: destroy\n    approve: {quorum: 2, roles: [records, owner]}\n    witness: [it]\n"
"    destroy: {grace: P6M, residual: stub, names: commit}\n    access: {groups: [audit]}\n"
"rules:\n"
"  - id: r1\n    decide: archive\n    class: FIN-INV\n    because: it says so\n    opaque: accept\n"
"    when:\n      all:\n"
"        - {path: [\"payroll/**\", '**/[a-c]?/*'], name: '*.c*', name-regex: '^a+b$', extension: c}\n"
"        - any: [{format: text/csv, claimed: 'image/*', extension-lies: false}, {detect: [any2, "
"us-ssn], min: 5, confidence: 60}]\n"
"        - {size: {over: 10M, under: 1G}, empty: false, depth: '> 3', older-than: P10Y}\n"
"        - not: {created: {older-than: P1Y, newer-than: P5Y}, owner: [a*, 7], group: x, mode: 0022}\n"
"        - {duplicate: true, duplicate-of: 'x/**', encoding: 'utf*', script: Hani, kind: [file]}\n"
"        - {sensitivity: internal, opaque: false, changed: {newer-than: P1D}}\n"
"  - {id: r2, when: {detect: any}, decide: review}\n";

static uint64_t random_state;

/* xorshift64*: the same numbers on every machine. */
static uint32_t below(uint32_t n)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (uint32_t)((random_state * 0x2545f4914f6cdd1dull) >> 33) % n;
}

static const char *const words[] = {
	"&a ", "*a", "!!x ", "<<: ", "---\n", "...\n", "\t", "\xff", "\xe2\x80\xae", "- ", "? ", ": ",
	"{", "}", "[", "]", "'", "\"", "|\n", ">\n", "%YAML 9.9\n", "# ", "~", "\\0", "forever",
	"P99999Y", "99999999999999999999", "**/", "[!a-", "(?R)", "(a+)+$", "event:", "\r\n", ",",
	"all: ", "any: [", "not: {", "detect: any, ", "path: '**'", "\n    ", "\n  - ",
};

/* One change at a place: a byte, a word, a piece taken out, or doubled. */
static size_t change(char *text, size_t size, size_t room)
{
	size_t at = below((uint32_t)size), n = 1 + below(60);

	if (n > size - at)
		n = size - at;
	switch (below(5)) {
	case 0:
		text[at] = (char)below(256);
		return size;
	case 1:
		text[at] = (char)(text[at] ^ 1 << below(8));
		return size;
	case 2: {
		const char *word = words[below(sizeof words / sizeof *words)];
		size_t length = strlen(word);

		if (size + length > room)
			return size;
		memmove(text + at + length, text + at, size - at);
		memcpy(text + at, word, length);
		return size + length;
	}
	case 3:
		memmove(text + at, text + at + n, size - at - n);
		return size - n > 0 ? size - n : size;
	default:
		if (size + n > room)
			return size;
		memmove(text + at + n, text + at, size - at);
		return size + n;
	}
}

static int ignore_lint(void *arg, const struct lint *l)
{
	unsigned *n = arg;

	*n += strlen(l->where) > 0 && strlen(l->text) > 0;
	return 0;
}

static int ignore_step(void *arg, const struct explain_step *s)
{
	unsigned *n = arg;

	*n += strlen(s->text) > 0;
	return 0;
}

static void use(struct policy *p)
{
	struct facts f = item("payroll/ab/x.c");
	struct err e = ERR_NONE;
	unsigned n = 0;

	judge(p, &f);
	f.opaque = "damaged";
	judge(p, &f);
	assert_int_equal(policy_lint(p, ignore_lint, &n, &e), 0);
	assert_int_equal(policy_explain(p, &f, moment(NOW), ignore_step, &n, &e), 0);
}

static void broken_policies_are_refused_or_can_be_used(void **state)
{
	enum { ROOM = 8192 };
	unsigned loaded = 0;

	(void)state;
	random_state = 20240301;
	for (int round = 0; round < ROUNDS; round++) {
		size_t size = sizeof sample - 1;
		struct err e = ERR_NONE;
		char text[ROOM], *exact;
		struct policy *p;

		memcpy(text, sample, size);
		/* Now and then a recogniser, for compiling one takes time. */
		if (round % 16 == 0) {
			memcpy(text + size, recogniser, sizeof recogniser - 1);
			size += sizeof recogniser - 1;
		}
		/* "any2" is no recogniser: most rounds have it right. */
		if (round % 4 != 0)
			memcpy(strstr(text, "any2"), "iban", 4);
		for (unsigned n = 1 + below(round % 3 == 0 ? 1 : 6); n > 0; n--)
			size = change(text, size, ROOM);
		exact = malloc(size);	/* so that a look past the end is seen */
		memcpy(exact, text, size);
		if (policy_load(exact, size, "test.yaml", &p, &e) == 0) {
			loaded++;
			use(p);
			policy_free(p);
		} else {
			assert_null(p);
			assert_int_equal(e.code, MUNI_USAGE);
			assert_int_equal(strncmp(e.text, "test.yaml:", 10), 0);
			assert_non_null(strstr(e.text, "expected"));
			assert_true(text_is_utf8(e.text, strlen(e.text)) ||
				    strlen(e.text) == sizeof e.text - 1);
		}
		free(exact);
	}
	assert_true(loaded > ROUNDS / 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(broken_policies_are_refused_or_can_be_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
