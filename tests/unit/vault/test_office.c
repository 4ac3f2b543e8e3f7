/* Who is in office is what the log says, with signatures that hold: also where somebody with
 * the archive's key wrote entries with a program of his own. */
#include "tests/unit/crypt/people.h"

#include <jansson.h>
#include <sys/wait.h>
#include <time.h>

#include "fs/base/err.h"
#include "fs/base/json_memory.h"
#include "fs/store/catalogue_dispositions.h"
#include "fs/vault/disposition.h"
#include "fs/vault/disposition_inside.h"
#include "fs/vault/inside.h"
#include "fs/vault/office.h"
#include "tests/unit/failing_heap.h"

#define DAY 86400

struct fixture {
	struct people people;
	char path[96], keyring[96], key[96];
	struct vault *v;
};

static int64_t later;		/* that the test has let pass */

static int64_t clock_of_test(void)
{
	static int64_t now;

	if (now == 0)
		now = time(NULL) + 3600;
	return ++now + later;
}

#define must(call)                                                              \
	do {                                                                    \
		if ((call) < 0)                                                 \
			fail_msg("%s: %s", #call, e.text);                      \
	} while (0)

static void add(struct fixture *f, const char *id, const char *roles, const char *without)
{
	char file[64];
	struct err e = ERR_NONE;

	snprintf(file, sizeof file, "%s.pem", id);
	must(vault_officer_add(f->v, id, roles, people_path(&f->people, file), without, &e));
}

static int setup(void **state)
{
	static const char *const names[] = { "anna", "ben", "cora", "dora", "emil" };
	struct fixture *f = calloc(1, sizeof *f);
	struct err e = ERR_NONE;
	char id_hex[33], *keyring;
	bool is_inside;

	later = 0;
	people_begin(&f->people);
	people_authority(&f->people);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		people_officer(&f->people, names[i], EC_KEY, "3650");
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
	add(f, "anna", "records", NULL);
	add(f, "ben", "owner", NULL);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	vault_close(f->v);
	people_end(&f->people);
	free(f);
	return 0;
}

/* ---- acts ---------------------------------------------------------------------------- */

static int try_approve(struct fixture *f, const char *id, const char *by, struct err *out)
{
	struct officer_key *key = NULL;
	struct err e = ERR_NONE;
	int rc;

	must(people_key(&f->people, by, &key, &e));
	rc = vault_officer_approve(f->v, id, by, key, NULL, 0, &e);
	officer_key_close(key);
	*out = e;
	return rc;
}

static void approve(struct fixture *f, const char *id, const char *by)
{
	struct err e;

	must(try_approve(f, id, by, &e));
}

/* The two who are there vouch for one another: the time of the key is over. */
static void close_office(struct fixture *f)
{
	approve(f, "anna", "ben");
}

static void removed(struct fixture *f, const char *id)
{
	struct err e = ERR_NONE;

	must(vault_officer_remove(f->v, id, "left", &e));
}

/* What the log says of the one who has that id: of all there were, the newest. */
static struct officer standing(struct fixture *f, const char *id, uint64_t *forged)
{
	struct roster r;
	struct err e = ERR_NONE;
	struct officer out = { .entry = 0 };
	bool is_there = false;

	must(roster_load(f->v, &r, &e));
	for (size_t i = 0; i < r.count; i++)
		if (strcmp(r.list[i].id, id) == 0) {
			out = r.list[i];	/* numbers; its texts go */
			is_there = true;
		}
	if (forged)
		*forged = r.forged;
	roster_clear(&r);
	assert_true(is_there);
	return out;
}

static bool is_in(struct fixture *f, const char *id)
{
	struct roster r;
	struct err e = ERR_NONE;
	bool is;

	must(roster_load(f->v, &r, &e));
	is = roster_find(&r, id) != NULL;
	roster_clear(&r);
	return is;
}

static void stands(struct fixture *f, const char *id, enum officer_standing wanted)
{
	const struct officer o = standing(f, id, NULL);

	assert_string_equal(office_word(o.standing), office_word(wanted));
}

/* ---- entries as a program writes them that asks nobody ---------------------------------- */

static struct digest certificate_of(struct fixture *f, const char *id)
{
	char file[64];
	struct identity who;
	struct err e = ERR_NONE;
	struct digest d;

	snprintf(file, sizeof file, "%s.pem", id);
	struct blob pem = people_load(&f->people, file);
	must(identity_parse(pem.data, pem.size, &who, &e));
	d = who.fingerprint;
	identity_clear(&who);
	free(pem.data);
	return d;
}

/* By `by` over a statement, in base64; malloc'ed. */
static char *signed_by(struct fixture *f, const char *by, const char *statement)
{
	struct officer_key *key = NULL;
	struct err e = ERR_NONE;
	uint8_t *der;
	size_t size;
	char *text;

	must(people_key(&f->people, by, &key, &e));
	must(officer_sign(key, statement, strlen(statement), clock_of_test(), &der, &size, &e));
	officer_key_close(key);
	text = text_base64(der, size);
	free(der);
	return text;
}

static char *statement_of(struct fixture *f, const char *id)
{
	struct err e = ERR_NONE;
	char *text;

	must(vault_officer_statement(f->v, id, &text, &e));
	return text;
}

static void forge(struct fixture *f, const char *id, uint64_t entry, const char *by,
		  const char *signature)
{
	const struct digest of = certificate_of(f, id), actor = certificate_of(f, by);
	char hex[DIGEST_HEX_SIZE], *details;
	struct err e = ERR_NONE;

	digest_hex(&of, hex);
	must(details_text(json_pack("{s:I, s:s, s:s, s:s, s:s*}", "entry", (json_int_t)entry,
				    "fingerprint", hex, "id", id, "officer", by, "signature",
				    signature), &details, &e));
	must(catalogue_begin(f->v->catalogue, &e));
	must(vault_commit_act_by(f->v, LOG_OFFICER_APPROVED, &actor, details, &e));
	free(details);
}

static void lets_nobody_in(struct fixture *f, const char *id, uint64_t forged)
{
	uint64_t told;
	const struct officer o = standing(f, id, &told);

	assert_int_equal(o.standing, OFFICER_WAITING);
	assert_false(is_in(f, id));
	assert_int_equal(told, forged);
}

/* ---- tests -------------------------------------------------------------------------------- */

static void the_key_is_enough_until_one_officer_has_approved_another(void **state)
{
	struct fixture *f = *state;

	stands(f, "anna", OFFICER_FIRST);
	add(f, "cora", "legal", NULL);
	stands(f, "cora", OFFICER_FIRST);
	close_office(f);
	stands(f, "anna", OFFICER_FIRST);
	add(f, "dora", "it", NULL);
	stands(f, "dora", OFFICER_WAITING);
	/* Nor does it begin again where all have left. */
	removed(f, "anna");
	removed(f, "ben");
	removed(f, "cora");
	add(f, "emil", "owner", NULL);
	lets_nobody_in(f, "emil", 0);
}

static void two_persons_in_office_let_a_third_in_and_one_alone_does_not(void **state)
{
	struct fixture *f = *state;
	struct err e;

	close_office(f);
	add(f, "cora", "legal", NULL);
	approve(f, "cora", "anna");
	lets_nobody_in(f, "cora", 0);
	assert_int_equal(try_approve(f, "cora", "anna", &e), -1);	/* a person counts once */
	assert_int_equal(e.code, MUNI_REFUSED);
	lets_nobody_in(f, "cora", 0);
	approve(f, "cora", "ben");
	stands(f, "cora", OFFICER_APPROVED);
	assert_true(is_in(f, "cora"));
	assert_int_equal(standing(f, "cora", NULL).approved_count, 2);
	assert_int_equal(try_approve(f, "cora", "dora", &e), -1);
	assert_int_equal(e.code, MUNI_REFUSED);
}

static void nobody_signs_for_himself_nor_who_is_a_witness_waits_or_has_left(void **state)
{
	struct fixture *f = *state;
	struct err e;

	add(f, "dora", "witness", NULL);
	close_office(f);
	add(f, "cora", "legal", NULL);
	add(f, "emil", "owner", NULL);
	static const char *const by[] = { "cora", "dora", "emil" };
	for (size_t i = 0; i < sizeof by / sizeof *by; i++) {
		assert_int_equal(try_approve(f, "cora", by[i], &e), -1);
		assert_int_equal(e.code, MUNI_REFUSED);
	}
	removed(f, "ben");
	assert_int_equal(try_approve(f, "cora", "ben", &e), -1);
	assert_int_equal(e.code, MUNI_REFUSED);
	lets_nobody_in(f, "cora", 0);
}

/* vault_officer_add() would see that the key is another officer's. */
static void add_asking_nobody(struct fixture *f, const char *id, const char *roles)
{
	struct identity who;
	struct err e = ERR_NONE;
	char file[64], hex[DIGEST_HEX_SIZE], *details;

	snprintf(file, sizeof file, "%s.pem", id);
	struct blob pem = people_load(&f->people, file);
	must(identity_parse(pem.data, pem.size, &who, &e));
	free(pem.data);
	digest_hex(&who.fingerprint, hex);
	must(details_text(json_pack("{s:s, s:s, s:s, s:s}", "id", id, "fingerprint", hex, "person",
				    who.subject, "roles", roles), &details, &e));
	const struct officer_row row = { .id = id, .roles = roles, .person = who.subject,
					 .cert = who.cert, .cert_size = who.cert_size,
					 .fingerprint = who.fingerprint,
					 .added = clock_of_test() };
	must(catalogue_begin(f->v->catalogue, &e));
	must(catalogue_officer_add(f->v->catalogue, &row, &e));
	must(vault_commit_act(f->v, LOG_OFFICER_ADDED, details, &e));
	identity_clear(&who);
	free(details);
}

/* Who is in office would give himself another role under another id. */
static void nobody_signs_for_himself_under_another_id(void **state)
{
	struct fixture *f = *state;
	struct err e;

	people_do(&f->people, "openssl x509 -req -in anna.csr -CA ca.pem -CAkey ca.key "
			      "-CAcreateserial -days 3650 -extfile ext -out anna2.pem && "
			      "cp anna.key anna2.key");
	close_office(f);
	add_asking_nobody(f, "anna2", "owner,legal");
	assert_int_equal(try_approve(f, "anna2", "anna", &e), -1);
	assert_int_equal(e.code, MUNI_REFUSED);
	assert_non_null(strstr(e.text, "separation of duties"));
	approve(f, "anna2", "ben");
	/* Nor by an entry that a program writes which asks nobody. */
	char *text = statement_of(f, "anna2"), *signature = signed_by(f, "anna", text);
	forge(f, "anna2", standing(f, "anna2", NULL).entry, "anna", signature);
	lets_nobody_in(f, "anna2", 1);
	free(text);
	free(signature);
}

static void without_approval_one_counts_after_thirty_days_and_it_is_told_for_ever(void **state)
{
	struct fixture *f = *state;

	close_office(f);
	add(f, "cora", "legal", "both are on leave");
	stands(f, "cora", OFFICER_ALONE);
	assert_false(is_in(f, "cora"));
	later += OFFICE_WAIT - DAY;
	assert_false(is_in(f, "cora"));
	later += DAY;
	assert_true(is_in(f, "cora"));
	stands(f, "cora", OFFICER_ALONE);
	/* Two signatures afterwards make it an approved one. */
	approve(f, "cora", "anna");
	stands(f, "cora", OFFICER_ALONE);
	approve(f, "cora", "ben");
	stands(f, "cora", OFFICER_APPROVED);
}

static void who_comes_back_or_changes_roles_is_let_in_anew(void **state)
{
	struct fixture *f = *state;

	close_office(f);
	add(f, "cora", "witness", NULL);
	approve(f, "cora", "anna");
	approve(f, "cora", "ben");
	char *former = statement_of(f, "cora"), *signature = signed_by(f, "ben", former);
	removed(f, "cora");
	assert_false(is_in(f, "cora"));
	add(f, "cora", "witness,owner", NULL);
	lets_nobody_in(f, "cora", 0);
	/* A signature of the first time is over another addition. */
	forge(f, "cora", standing(f, "cora", NULL).entry, "ben", signature);
	lets_nobody_in(f, "cora", 1);
	approve(f, "cora", "anna");
	lets_nobody_in(f, "cora", 1);
	approve(f, "cora", "ben");
	assert_true(is_in(f, "cora"));
	assert_int_equal(standing(f, "cora", NULL).roles, ROLE_WITNESS | ROLE_OWNER);
	free(signature);
	free(former);
}

static void of_two_the_one_left_renews_with_the_former_certificate_of_the_other(void **state)
{
	struct fixture *f = *state;
	struct officer_key *key = NULL;
	struct err e = ERR_NONE;

	close_office(f);
	removed(f, "ben");
	people_do(&f->people, "cp ben.pem old.pem; cp ben.key old.key");
	people_officer(&f->people, "ben", EC_KEY, "3650");
	add(f, "ben", "owner", NULL);
	approve(f, "ben", "anna");
	lets_nobody_in(f, "ben", 0);
	must(people_key(&f->people, "old", &key, &e));
	char *statement = statement_of(f, "ben");
	uint8_t *der;
	size_t size;
	must(officer_sign(key, statement, strlen(statement), clock_of_test(), &der, &size, &e));
	must(vault_officer_approve(f->v, "ben", NULL, NULL, der, size, &e));
	assert_true(is_in(f, "ben"));
	officer_key_close(key);
	free(der);
	free(statement);
}

static void an_entry_without_a_signature_lets_nobody_in_and_is_told(void **state)
{
	static const char *const signatures[] = {
		NULL, "", "!", "no base64 at all", "QUJD", "QUJ", "QUJDRA=", "=",
	};
	struct fixture *f = *state;
	struct roster r;
	struct err e = ERR_NONE;
	uint64_t first;

	close_office(f);
	add(f, "cora", "legal", NULL);
	first = log_count(f->v->log);
	for (size_t i = 0; i < sizeof signatures / sizeof *signatures; i++) {
		forge(f, "cora", standing(f, "cora", NULL).entry, i % 2 ? "anna" : "ben",
		      signatures[i]);
		lets_nobody_in(f, "cora", i + 1);
	}
	must(roster_load(f->v, &r, &e));
	assert_int_equal(r.forged_at, first);
	roster_clear(&r);
	/* And keeps nobody out. */
	approve(f, "cora", "anna");
	approve(f, "cora", "ben");
	assert_true(is_in(f, "cora"));
}

static void a_forged_entry_does_not_end_the_time_of_the_key(void **state)
{
	struct fixture *f = *state;

	forge(f, "anna", standing(f, "anna", NULL).entry, "ben", "QUJD");
	add(f, "cora", "legal", NULL);
	stands(f, "cora", OFFICER_FIRST);
}

static void a_signature_for_another_or_of_another_lets_nobody_in(void **state)
{
	struct fixture *f = *state;

	close_office(f);
	add(f, "cora", "legal", NULL);
	add(f, "emil", "owner", NULL);
	uint64_t entry = standing(f, "cora", NULL).entry;
	char *statement = statement_of(f, "cora"), *other = statement_of(f, "emil");
	char *for_other = signed_by(f, "ben", other), *of_stranger = signed_by(f, "dora", statement);
	char *of_waiting = signed_by(f, "emil", statement), *good = signed_by(f, "ben", statement);

	approve(f, "cora", "anna");
	forge(f, "cora", entry, "ben", for_other);
	lets_nobody_in(f, "cora", 1);
	forge(f, "cora", entry, "ben", of_stranger);	/* ben is named, dora signed */
	lets_nobody_in(f, "cora", 2);
	forge(f, "cora", entry, "dora", of_stranger);	/* the archive knows no dora */
	lets_nobody_in(f, "cora", 3);
	forge(f, "cora", entry, "emil", of_waiting);
	lets_nobody_in(f, "cora", 4);
	forge(f, "cora", entry + 1, "ben", good);	/* of another addition */
	lets_nobody_in(f, "cora", 5);
	forge(f, "emil", entry, "ben", good);		/* of another person */
	lets_nobody_in(f, "emil", 6);
	forge(f, "cora", entry, "ben", good);
	assert_true(is_in(f, "cora"));	/* what ben has signed he has signed, whoever wrote it */
	free(statement);
	free(other);
	free(for_other);
	free(of_stranger);
	free(of_waiting);
	free(good);
}

static void who_was_taken_away_signs_for_nobody_any_more_and_what_he_signed_before_ends(void **state)
{
	struct fixture *f = *state;

	add(f, "emil", "owner", NULL);
	close_office(f);
	add(f, "cora", "legal", NULL);
	approve(f, "cora", "anna");
	removed(f, "anna");
	approve(f, "cora", "ben");
	lets_nobody_in(f, "cora", 0);	/* one of the two was no longer in office */
	approve(f, "cora", "emil");
	assert_true(is_in(f, "cora"));
}

/* ---- want of memory ------------------------------------------------------------------------ */

enum { SAME, TOLD, OTHER, OVER };

static int load_with_failure(struct vault *v, unsigned long at)
{
	struct roster r;
	struct err e = ERR_NONE;
	int rc;

	asked = 0;
	fails_at = at;
	fails_on = at % 2 == 0;
	rc = roster_load(v, &r, &e);
	fails_at = 0;
	if (rc < 0 && e.code != MUNI_NO_MEMORY)
		fprintf(stderr, "allocation %lu: %s\n", at, e.text);
	if (rc < 0)
		return e.code == MUNI_NO_MEMORY ? TOLD : OTHER;
	if (r.forged != 0 || !r.is_closed || !roster_find(&r, "cora"))
		return OTHER;
	return asked < at ? OVER : SAME;
}

/* In a process of its own: what failed once stays so (json_memory). */
static int load_apart(struct vault *v, unsigned long at)
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		alarm(30);
		json_memory_begin();
		_exit(load_with_failure(v, at));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void want_of_memory_is_told_and_puts_nobody_out_of_office(void **state)
{
	struct fixture *f = *state;
	unsigned long at = 1;
	int said;

	if (!OWNS_THE_HEAP)
		skip();
	close_office(f);
	add(f, "cora", "legal", NULL);
	approve(f, "cora", "anna");
	approve(f, "cora", "ben");
	/* Our own; the cryptographic library's are watched by fs/crypt/library.h.  Every one of
	 * the first hundred, then of each some. */
	for (; (said = load_apart(f->v, at)) != OVER; at += 1 + at / 100)
		if (said == OTHER)
			fail_msg("allocation %lu was refused, and nobody was told", at);
	assert_true(at > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		test(the_key_is_enough_until_one_officer_has_approved_another),
		test(two_persons_in_office_let_a_third_in_and_one_alone_does_not),
		test(nobody_signs_for_himself_nor_who_is_a_witness_waits_or_has_left),
		test(nobody_signs_for_himself_under_another_id),
		test(without_approval_one_counts_after_thirty_days_and_it_is_told_for_ever),
		test(who_comes_back_or_changes_roles_is_let_in_anew),
		test(of_two_the_one_left_renews_with_the_former_certificate_of_the_other),
		test(an_entry_without_a_signature_lets_nobody_in_and_is_told),
		test(a_forged_entry_does_not_end_the_time_of_the_key),
		test(a_signature_for_another_or_of_another_lets_nobody_in),
		test(who_was_taken_away_signs_for_nobody_any_more_and_what_he_signed_before_ends),
		test(want_of_memory_is_told_and_puts_nobody_out_of_office),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
