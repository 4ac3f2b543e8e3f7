#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/vault/quorum.h"

#define must(call)                                                              \
	do {                                                                    \
		if ((call) < 0)                                                 \
			fail_msg("%s: %s", #call, e.text);                      \
	} while (0)

struct class_words {
	char *roles[4], *witnesses[4];
	struct policy_class class;
};

static const struct policy_class *class_of(struct class_words *w, const char *id,
					   unsigned quorum)
{
	w->class = (struct policy_class){ .id = (char *)(uintptr_t)id, .quorum = quorum,
					  .roles = w->roles, .witnesses = w->witnesses };
	return &w->class;
}

#define PEOPLE 6

struct people {
	struct officer officers[PEOPLE];
	struct consent list[PEOPLE];
	struct consents consents;
};

static void approve(struct people *p, unsigned roles)
{
	size_t n = p->consents.count++;

	p->officers[n] = (struct officer){ .roles = roles };
	p->list[n] = (struct consent){ .officer = &p->officers[n], .counts = true };
	p->consents.list = p->list;
}

/* What is missing, as the rules that the sentences begin with. */
static const char *missing(const struct demands *d, const struct people *p)
{
	static char text[2000];
	struct err e = ERR_NONE;
	char *lines = NULL;

	must(quorum_missing(d, &p->consents, &lines, &e));
	snprintf(text, sizeof text, "%s", lines);
	free(lines);
	return text;
}

static void a_quorum_counts_persons_of_its_roles_only(void **state)
{
	struct class_words w = { .roles = { "records", "owner" } };
	struct demands d = { .count = 0 };
	struct people p = { .consents.count = 0 };
	struct err e = ERR_NONE;

	(void)state;
	must(demands_add(&d, class_of(&w, "FIN", 2), &e));
	approve(&p, ROLE_LEGAL);
	approve(&p, ROLE_OWNER);
	assert_non_null(strstr(missing(&d, &p), "quorum: class FIN asks for 2"));
	assert_non_null(strstr(missing(&d, &p), "1 is there"));
	approve(&p, ROLE_RECORDS);
	assert_string_equal(missing(&d, &p), "");
	p.list[2].counts = false;
	assert_non_null(strstr(missing(&d, &p), "quorum"));
	demands_clear(&d);
}

static void a_class_that_asks_for_nothing_wants_one_approval(void **state)
{
	struct demands d = { .count = 0 };
	struct people p = { .consents.count = 0 };
	struct err e = ERR_NONE;

	(void)state;
	must(demands_add(&d, NULL, &e));
	assert_non_null(strstr(missing(&d, &p), "quorum"));
	approve(&p, ROLE_WITNESS);
	assert_non_null(strstr(missing(&d, &p), "quorum"));
	approve(&p, ROLE_IT);
	assert_string_equal(missing(&d, &p), "");
	demands_clear(&d);
}

static void a_witness_is_no_approver_and_an_approver_no_witness(void **state)
{
	struct class_words w = { .roles = { "records", "it" }, .witnesses = { "it" } };
	struct demands d = { .count = 0 };
	struct people p = { .consents.count = 0 };
	struct err e = ERR_NONE;

	(void)state;
	must(demands_add(&d, class_of(&w, "FIN", 1), &e));
	approve(&p, ROLE_IT);
	assert_non_null(strstr(missing(&d, &p), "witness"));
	/* Whoever can be either is spent where it is needed. */
	approve(&p, ROLE_RECORDS);
	assert_string_equal(missing(&d, &p), "");
	demands_clear(&d);

	/* An approver who also has the witness's role is not taken from the quorum if
	 * somebody else can be the witness. */
	struct class_words two = { .roles = { "records" }, .witnesses = { "it", "legal" } };
	struct people q = { .consents.count = 0 };
	must(demands_add(&d, class_of(&two, "LOG", 1), &e));
	approve(&q, ROLE_RECORDS | ROLE_IT | ROLE_LEGAL);
	approve(&q, ROLE_IT | ROLE_LEGAL);
	assert_non_null(strstr(missing(&d, &q), "witness"));
	approve(&q, ROLE_LEGAL);
	assert_string_equal(missing(&d, &q), "");
	demands_clear(&d);
}

static void every_class_of_a_list_must_be_content(void **state)
{
	struct class_words a = { .roles = { "records" } }, b = { .roles = { "owner" } };
	struct demands d = { .count = 0 }, again;
	struct people p = { .consents.count = 0 };
	struct err e = ERR_NONE;

	(void)state;
	must(demands_add(&d, class_of(&a, "A", 1), &e));
	must(demands_add(&d, class_of(&b, "B", 1), &e));
	must(demands_add(&d, class_of(&a, "C", 1), &e));
	assert_int_equal(d.count, 2);
	approve(&p, ROLE_RECORDS);
	assert_non_null(strstr(missing(&d, &p), "class B asks"));
	assert_null(strstr(missing(&d, &p), "class A"));

	json_t *words = demands_json(&d);
	must(demands_parse(&again, words, &e));
	assert_int_equal(again.count, 2);
	approve(&p, ROLE_OWNER);
	assert_string_equal(missing(&again, &p), "");
	json_decref(words);
	demands_clear(&again);
	demands_clear(&d);
}

static void a_role_that_nobody_can_have_is_never_there(void **state)
{
	struct class_words w = { .roles = { "records" }, .witnesses = { "notary" } };
	struct demands d = { .count = 0 };
	struct people p = { .consents.count = 0 };
	struct err e = ERR_NONE;

	(void)state;
	must(demands_add(&d, class_of(&w, "A", 1), &e));
	approve(&p, ROLE_RECORDS);
	approve(&p, ROLES_DECIDING | ROLE_WITNESS);
	assert_non_null(strstr(missing(&d, &p), "notary"));
	demands_clear(&d);
}

static void one_key_or_one_subject_is_one_person(void **state)
{
	struct identity a = { .subject = (char *)(uintptr_t)"CN=Rita Records,O=Test" }, b = a;

	(void)state;
	memset(a.key.bytes, 1, DIGEST_SIZE);
	memset(b.key.bytes, 2, DIGEST_SIZE);
	assert_true(is_same_person(&a, &b));
	b.subject = (char *)(uintptr_t)"cn=rita  records,O=TEST";
	assert_true(is_same_person(&a, &b));
	b.subject = (char *)(uintptr_t)"CN=Rita Record,O=Test";
	assert_false(is_same_person(&a, &b));
	b.key = a.key;
	assert_true(is_same_person(&a, &b));
}

static void roles_are_words_with_commas_between(void **state)
{
	struct err e = ERR_NONE;
	unsigned set;

	(void)state;
	must(roles_parse("records,owner", &set, &e));
	assert_int_equal(set, ROLE_RECORDS | ROLE_OWNER);
	static const char *const bad[] = { "", "records,", ",owner", "record", "records owner",
					   "Records" };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		e = ERR_NONE;
		assert_int_equal(roles_parse(bad[i], &set, &e), -1);
		assert_int_equal(e.code, MUNI_USAGE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_quorum_counts_persons_of_its_roles_only),
		cmocka_unit_test(a_class_that_asks_for_nothing_wants_one_approval),
		cmocka_unit_test(a_witness_is_no_approver_and_an_approver_no_witness),
		cmocka_unit_test(every_class_of_a_list_must_be_content),
		cmocka_unit_test(a_role_that_nobody_can_have_is_never_there),
		cmocka_unit_test(one_key_or_one_subject_is_one_person),
		cmocka_unit_test(roles_are_words_with_commas_between),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
