/* Which approvals count when a list is to be executed: rows of the table approve nothing, also
 * where somebody with the archive's key wrote them with a program of his own. */
#include "tests/unit/crypt/people.h"

#include <time.h>

#include "fs/base/err.h"
#include "fs/store/catalogue_dispositions.h"
#include "fs/vault/inside.h"
#include "fs/vault/quorum.h"

#define LIST 7

static const char statement[] = "{\"root\":\"of this list\"}";
static const char other_statement[] = "{\"root\":\"of another list\"}";

enum { RITA, OTTO, MARA, OTTO_AGAIN, ADA, COUNT };	/* Otto has a second certificate */
static const struct {
	const char *id, *file;
	unsigned roles;
} people[COUNT] = {
	{ "rita", "rita", ROLE_RECORDS }, { "otto", "otto", ROLE_OWNER },
	{ "mara", "mara", ROLE_LEGAL }, { "zweiter", "otto2", ROLE_IT },
	{ "ada", "ada", ROLE_AUDITOR },
};

struct fixture {
	struct people people;
	char path[96], keyring[96], key[96];
	struct vault *v;
	struct officer officers[COUNT];
	struct roster roster;
	struct disposition_row row;
	int64_t now;
};

#define must(call)                                                              \
	do {                                                                    \
		if ((call) < 0)                                                 \
			fail_msg("%s: %s", #call, e.text);                      \
	} while (0)

static void make_officers(struct fixture *f)
{
	struct err e = ERR_NONE;
	char file[64];

	people_begin(&f->people);
	people_authority(&f->people);
	people_officer(&f->people, "rita", EC_KEY, "3650");
	people_officer(&f->people, "otto", EC_KEY, "3650");
	people_officer(&f->people, "mara", EC_KEY, "3650");
	people_officer(&f->people, "ada", EC_KEY, "3650");
	people_do(&f->people, "openssl x509 -req -in otto.csr -CA ca.pem -CAkey ca.key "
			      "-CAcreateserial -days 3650 -extfile ext -out otto2.pem && "
			      "cp otto.key otto2.key");
	for (size_t i = 0; i < COUNT; i++) {
		snprintf(file, sizeof file, "%s.pem", people[i].file);
		struct blob pem = people_load(&f->people, file);

		f->officers[i] = (struct officer){ .id = strdup(people[i].id), .is_live = true,
						   .roles = people[i].roles, .added = f->now };
		must(identity_parse(pem.data, pem.size, &f->officers[i].identity, &e));
		free(pem.data);
	}
	f->roster = (struct roster){ .list = f->officers, .count = COUNT, .now = f->now };
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct err e = ERR_NONE;
	char id_hex[33], *keyring;
	bool is_inside;

	f->now = time(NULL) + 60;
	make_officers(f);
	snprintf(f->path, sizeof f->path, "%s/a", f->people.dir);
	snprintf(f->keyring, sizeof f->keyring, "%s/k", f->people.dir);
	snprintf(f->key, sizeof f->key, "%s/key", f->people.dir);
	people_save(&f->people, "key", "forty bytes of a key that is in this test", 40);
	const struct vault_options o = { .keys = { .keyring = f->keyring, .key_file = f->key } };
	const struct vault_init_options i = { .keys = o.keys };
	must(vault_init(f->path, &i, id_hex, &keyring, &is_inside, &e));
	free(keyring);
	must(vault_open(f->path, &o, VAULT_WRITE, &f->v, &e));
	f->row = (struct disposition_row){ .id = LIST, .kind = DISPOSITION_RECORDS,
					   .proposer = (char *)(uintptr_t)"rita",
					   .proposed = f->now,
					   .statement = (char *)(uintptr_t)statement };
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	vault_close(f->v);
	for (size_t i = 0; i < COUNT; i++) {
		free(f->officers[i].id);
		identity_clear(&f->officers[i].identity);
	}
	people_end(&f->people);
	free(f);
	return 0;
}

/* A row of `id` with a signature by the key and certificate in `file`. */
static void put(struct fixture *f, const char *id, const char *file, const char *over)
{
	struct approval_row row = { .officer = id, .made = f->now };
	struct officer_key *key = NULL;
	struct err e = ERR_NONE;
	uint8_t *der;

	must(people_key(&f->people, file, &key, &e));
	must(officer_sign(key, over, strlen(over), f->now, &der, &row.signature_size, &e));
	officer_key_close(key);
	row.signature = der;
	must(catalogue_begin(f->v->catalogue, &e));
	must(catalogue_approval_put(f->v->catalogue, LIST, &row, &e));
	must(catalogue_commit(f->v->catalogue, &e));
	free(der);
}

/* How many count; of the others the last one's reason. */
static unsigned counting(struct fixture *f, char why[1000])
{
	struct consents c;
	struct err e = ERR_NONE;
	unsigned n = 0;

	why[0] = '\0';
	must(consents_load(f->v->catalogue, &f->roster, &f->row, f->now, &c, &e));
	for (size_t i = 0; i < c.count; i++) {
		n += c.list[i].counts;
		if (!c.list[i].counts)
			snprintf(why, 1000, "%s", c.list[i].why);
	}
	consents_clear(&c);
	return n;
}

static void does_not_count(struct fixture *f, const char *because)
{
	char why[1000];

	assert_int_equal(counting(f, why), 0);
	if (!strstr(why, because))
		fail_msg("not for \"%s\": %s", because, why);
}

static void two_persons_who_signed_this_list_count(void **state)
{
	struct fixture *f = *state;
	char why[1000];

	put(f, "otto", "otto", statement);
	put(f, "mara", "mara", statement);
	assert_int_equal(counting(f, why), 2);
}

static void a_signature_over_another_list_does_not_count(void **state)
{
	put(*state, "otto", "otto", other_statement);
	does_not_count(*state, "not over this list");
}

static void another_officers_signature_does_not_count(void **state)
{
	put(*state, "otto", "mara", statement);
	does_not_count(*state, "another certificate");
}

static void the_proposers_own_does_not_count(void **state)
{
	put(*state, "rita", "rita", statement);
	does_not_count(*state, "separation of duties");
}

static void a_person_counts_once_under_whatever_ids(void **state)
{
	struct fixture *f = *state;
	char why[1000];

	put(f, "otto", "otto", statement);
	put(f, "zweiter", "otto2", statement);
	assert_int_equal(counting(f, why), 1);
	assert_non_null(strstr(why, "the same person"));
}

static void an_auditors_does_not_count(void **state)
{
	put(*state, "ada", "ada", statement);
	does_not_count(*state, "an auditor approves nothing");
}

static void who_was_taken_away_does_not_count(void **state)
{
	struct fixture *f = *state;

	put(f, "otto", "otto", statement);
	f->officers[OTTO].removed = f->now;
	does_not_count(f, "not in office any more");
}

static void whose_certificate_has_run_out_does_not_count(void **state)
{
	struct fixture *f = *state;

	put(f, "otto", "otto", statement);
	f->now += INT64_C(20) * 365 * 86400;
	does_not_count(f, "certificate validity");
}

static void who_was_made_an_officer_alone_counts_for_what_is_proposed_later(void **state)
{
	struct fixture *f = *state;
	char why[1000];

	put(f, "otto", "otto", statement);
	f->officers[OTTO].standing = OFFICER_ALONE;
	f->officers[OTTO].counts_from = f->roster.now = f->row.proposed + 1;
	does_not_count(f, "before his 30 days were over");
	f->row.proposed += 1;
	assert_int_equal(counting(f, why), 1);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		test(two_persons_who_signed_this_list_count),
		test(a_signature_over_another_list_does_not_count),
		test(another_officers_signature_does_not_count),
		test(the_proposers_own_does_not_count),
		test(a_person_counts_once_under_whatever_ids),
		test(an_auditors_does_not_count),
		test(who_was_taken_away_does_not_count),
		test(whose_certificate_has_run_out_does_not_count),
		test(who_was_made_an_officer_alone_counts_for_what_is_proposed_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
