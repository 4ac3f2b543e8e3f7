/* A hold that officers have to release is released by them, or nothing is destroyed: also
 * where somebody with the archive's key wrote rows and log with a program of his own. */
#include "tests/unit/crypt/people.h"

#include <jansson.h>
#include <time.h>

#include "fs/base/err.h"
#include "fs/store/catalogue_retention.h"
#include "fs/vault/disposition.h"
#include "fs/vault/inside.h"
#include "fs/vault/retain.h"
#include "fs/vault/retain_words.h"

struct fixture {
	struct people people;
	char path[96], keyring[96], key[96];
	struct vault *v;
	struct officer_key *legal;
};

static int64_t clock_of_test(void)
{
	static int64_t now;

	if (now == 0)
		now = time(NULL) + 3600;
	return ++now;
}

#define must(call)                                                              \
	do {                                                                    \
		if ((call) < 0)                                                 \
			fail_msg("%s: %s", #call, e.text);                      \
	} while (0)

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct err e = ERR_NONE;
	char id_hex[33], *keyring;
	bool is_inside;

	people_begin(&f->people);
	people_authority(&f->people);
	people_officer(&f->people, "lena", EC_KEY, "3650");
	people_officer(&f->people, "otto", EC_KEY, "3650");
	snprintf(f->path, sizeof f->path, "%s/a", f->people.dir);
	snprintf(f->keyring, sizeof f->keyring, "%s/k", f->people.dir);
	snprintf(f->key, sizeof f->key, "%s/key", f->people.dir);
	people_save(&f->people, "key", "forty bytes of a key that is in this test", 40);
	const struct vault_options o = { .keys = { .keyring = f->keyring, .key_file = f->key },
					 .now = clock_of_test };
	const struct vault_init_options i = { .keys = o.keys, .now = clock_of_test };
	must(vault_init(f->path, &i, id_hex, &keyring, &is_inside, &e));
	free(keyring);
	must(vault_open(f->path, &o, VAULT_WRITE, &f->v, &e));
	must(vault_officer_add(f->v, "lena", "legal", people_path(&f->people, "lena.pem"), NULL,
			       &e));
	must(vault_officer_add(f->v, "otto", "owner", people_path(&f->people, "otto.pem"), NULL,
			       &e));
	must(people_key(&f->people, "lena", &f->legal, &e));
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	officer_key_close(f->legal);
	vault_close(f->v);
	people_end(&f->people);
	free(f);
	return 0;
}

static int64_t place(struct fixture *f, const struct hold_officer *by)
{
	static const struct scope_request all = { .is_standing = true };
	struct err e = ERR_NONE;
	int64_t id;

	must(vault_hold_add(f->v, &all, "case", NULL, "why", by, &id, &e));
	return id;
}

/* As a program would do it that asks nobody: row, words, act. */
static void forge_release(struct fixture *f, int64_t id, const struct digest *actor,
			  const char *officer, const char *signature)
{
	const struct hold_row row = { .id = id, .released = vault_now(f->v),
				      .released_because = "over" };
	json_t *words = retain_words_release(&row);
	struct err e = ERR_NONE;
	char *details;

	if (officer)
		json_object_set_new(words, "officer", json_string(officer));
	if (signature)
		json_object_set_new(words, "signature", json_string(signature));
	must(retain_words_dump(words, NULL, &details, &e));
	must(catalogue_begin(f->v->catalogue, &e));
	must(catalogue_hold_release(f->v->catalogue, id, row.released, "over", &e));
	must(vault_commit_act_by(f->v, LOG_HOLD_RELEASED, actor, details, &e));
	free(details);
}

static void is_refused_for(struct fixture *f, const char *why)
{
	struct err e = ERR_NONE;

	assert_int_equal(retention_check_log(f->v, &e), -1);
	assert_int_equal(e.code, MUNI_DAMAGED);
	if (!strstr(e.text, why))
		fail_msg("not for \"%s\": %s", why, e.text);
}

static struct digest lenas(struct fixture *f)
{
	struct blob pem = people_load(&f->people, "lena.pem");
	struct identity who;
	struct err e = ERR_NONE;
	struct digest d;

	must(identity_parse(pem.data, pem.size, &who, &e));
	d = who.fingerprint;
	identity_clear(&who);
	free(pem.data);
	return d;
}

static void the_key_alone_releases_until_an_officer_has_signed(void **state)
{
	struct fixture *f = *state;
	const struct hold_officer lena = { "lena", f->legal };
	struct err e = ERR_NONE;
	int64_t first = place(f, NULL), second = place(f, NULL), third;

	must(vault_hold_release(f->v, first, "over", NULL, &e));
	must(retention_check_log(f->v, &e));
	third = place(f, &lena);
	/* Also one that she did not place. */
	assert_int_equal(vault_hold_release(f->v, second, "over", NULL, &e), -1);
	assert_int_equal(e.code, MUNI_REFUSED);
	e = ERR_NONE;
	must(vault_hold_release(f->v, second, "over", &lena, &e));
	must(vault_hold_release(f->v, third, "over", &lena, &e));
	must(retention_check_log(f->v, &e));
}

static void another_role_or_anothers_key_releases_nothing(void **state)
{
	struct fixture *f = *state;
	const struct hold_officer lena = { "lena", f->legal };
	const struct hold_officer as_otto = { "otto", f->legal };
	struct officer_key *key = NULL;
	struct err e = ERR_NONE;
	int64_t id = place(f, &lena);

	assert_int_equal(vault_hold_release(f->v, id, "over", &as_otto, &e), -1);
	assert_int_equal(e.code, MUNI_REFUSED);
	e = ERR_NONE;
	must(people_key(&f->people, "otto", &key, &e));
	const struct hold_officer otto = { "otto", key }, as_lena = { "lena", key };
	assert_int_equal(vault_hold_release(f->v, id, "over", &otto, &e), -1);
	assert_int_equal(e.code, MUNI_REFUSED);
	assert_non_null(strstr(e.text, "role: otto has the role owner, and cannot release a hold"));
	e = ERR_NONE;
	assert_int_equal(vault_hold_release(f->v, id, "over", &as_lena, &e), -1);
	assert_int_equal(e.code, MUNI_REFUSED);
	officer_key_close(key);
	e = ERR_NONE;
	must(retention_check_log(f->v, &e));
	/* Nor once she has left. */
	must(vault_officer_remove(f->v, "lena", "left", &e));
	assert_int_equal(vault_hold_release(f->v, id, "over", &lena, &e), -1);
	assert_int_equal(e.code, MUNI_REFUSED);
	e = ERR_NONE;
	must(retention_check_log(f->v, &e));
}

static void a_release_past_the_officers_lets_nothing_be_destroyed(void **state)
{
	struct fixture *f = *state;
	const struct hold_officer lena = { "lena", f->legal };

	forge_release(f, place(f, &lena), NULL, NULL, NULL);
	is_refused_for(f, "with the archive's key alone");
}

static void a_release_that_only_names_an_officer_lets_nothing_be_destroyed(void **state)
{
	struct fixture *f = *state;
	const struct digest of = lenas(f);

	forge_release(f, place(f, NULL), &of, "lena", NULL);
	is_refused_for(f, "does not bear the signature");
}

static void a_signature_over_another_release_lets_nothing_be_destroyed(void **state)
{
	struct fixture *f = *state;
	const struct hold_officer lena = { "lena", f->legal };
	const struct digest of = lenas(f);
	int64_t second = place(f, NULL);
	struct err e = ERR_NONE;
	uint8_t salt[16];
	char *details;
	json_t *said;

	must(vault_hold_release(f->v, place(f, NULL), "over", &lena, &e));
	must(catalogue_log_detail_get(f->v->catalogue, log_count(f->v->log) - 1, salt, &details, &e));
	said = json_loads(details, 0, NULL);
	forge_release(f, second, &of, "lena",
		      json_string_value(json_object_get(said, "signature")));
	json_decref(said);
	free(details);
	is_refused_for(f, "does not bear the signature");
}

static void a_release_by_somebody_who_was_never_in_office_lets_nothing_be_destroyed(void **state)
{
	struct fixture *f = *state;
	const struct digest of = digest_of("nobody", 6);

	forge_release(f, place(f, NULL), &of, "nobody", NULL);
	is_refused_for(f, "nobody who was in office");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		test(the_key_alone_releases_until_an_officer_has_signed),
		test(another_role_or_anothers_key_releases_nothing),
		test(a_release_past_the_officers_lets_nothing_be_destroyed),
		test(a_release_that_only_names_an_officer_lets_nothing_be_destroyed),
		test(a_signature_over_another_release_lets_nothing_be_destroyed),
		test(a_release_by_somebody_who_was_never_in_office_lets_nothing_be_destroyed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
