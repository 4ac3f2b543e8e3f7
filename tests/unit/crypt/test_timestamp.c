#include "tests/unit/crypt/people.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#define PATIENCE 300	/* tenths of a second for the authority to come up */

static const struct digest subject = { { 1, 2, 3, 4 } };
static const struct digest other = { { 1, 2, 3, 5 } };

static int setup(void **state)
{
	struct people *p = calloc(1, sizeof *p);

	people_begin(p);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	people_end(*state);
	free(*state);
	return 0;
}

/* An authority of its own in the folder `name`; *url: where. */
static pid_t start(struct people *p, const char *name, const char *option, const char *value,
		   char url[64])
{
	char folder[96], port[128];
	pid_t child;

	snprintf(folder, sizeof folder, "%s/%s", p->dir, name);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		execl("tests/support/tsa.py", "tsa.py", folder, option, value, (char *)NULL);
		_exit(127);
	}
	snprintf(port, sizeof port, "%s/port", folder);
	for (int i = 0; i < PATIENCE; i++) {
		FILE *f = fopen(port, "r");
		int n = 0;

		if (f && fscanf(f, "%d", &n) == 1) {
			fclose(f);
			snprintf(url, 64, "http://127.0.0.1:%d/tsr", n);
			return child;
		}
		if (f)
			fclose(f);
		usleep(100000);
	}
	fail_msg("the authority did not come up");
	return -1;
}

static void stop(pid_t child)
{
	kill(child, SIGTERM);
	waitpid(child, NULL, 0);
}

static int ask(struct people *p, const char *name, const char *url, struct blob *tsr,
	       int64_t *when, struct err *e)
{
	char file[64];
	struct blob ca;
	int rc;

	snprintf(file, sizeof file, "%s/tsa-ca.pem", name);
	ca = people_load(p, file);
	rc = timestamp_get(url, ca.data, ca.size, &subject, 10, &tsr->data, &tsr->size, when, e);
	free(ca.data);
	return rc;
}

static void a_time_stamp_is_over_its_digest_and_holds_for_the_stock_tool(void **state)
{
	struct people *p = *state;
	struct blob tsr = { 0 }, ca;
	struct err e = ERR_NONE;
	int64_t when = 0, again = 0;
	char url[64], hex[DIGEST_HEX_SIZE], line[256];
	pid_t child = start(p, "good", "--accuracy", "1", url);

	if (ask(p, "good", url, &tsr, &when, &e) < 0)
		fail_msg("%s", e.text);
	stop(child);
	assert_true(llabs((long long)(when - time(NULL))) < 60);
	ca = people_load(p, "good/tsa-ca.pem");
	assert_int_equal(timestamp_verify(tsr.data, tsr.size, &subject, ca.data, ca.size, &again,
					  &e), 0);
	assert_int_equal(when, again);
	assert_int_equal(timestamp_verify(tsr.data, tsr.size, &other, ca.data, ca.size, &again,
					  &e), -1);
	assert_int_equal(e.code, MUNI_DAMAGED);
	people_save(p, "t.tsr", tsr.data, tsr.size);
	digest_hex(&subject, hex);
	snprintf(line, sizeof line, "openssl ts -verify -digest %s -in t.tsr -CAfile "
		 "good/tsa-ca.pem", hex);
	people_do(p, line);
	for (size_t i = 0; i < tsr.size; i += 7) {
		tsr.data[i] ^= 0x20;
		if (timestamp_verify(tsr.data, tsr.size, &subject, ca.data, ca.size, &again,
				     &e) == 0)
			assert_int_equal(again, when);	/* what no signature covers */
		tsr.data[i] ^= 0x20;
	}
	assert_int_equal(timestamp_verify(tsr.data, tsr.size - 1, &subject, ca.data, ca.size,
					  &again, &e), -1);
	free(ca.data);
	free(tsr.data);
}

static void an_answer_to_another_question_is_refused(void **state)
{
	struct people *p = *state;
	struct blob tsr = { 0 };
	struct err e = ERR_NONE;
	int64_t when = 0;
	char url[64];
	pid_t child = start(p, "replay", "--nonce", "wrong", url);

	assert_int_equal(ask(p, "replay", url, &tsr, &when, &e), 0);
	free(tsr.data);
	assert_int_equal(ask(p, "replay", url, &tsr, &when, &e), -1);
	assert_int_equal(e.code, MUNI_DAMAGED);
	assert_null(tsr.data);
	stop(child);
}

static void who_may_not_stamp_or_says_no_time_is_refused(void **state)
{
	struct people *p = *state;
	struct blob tsr = { 0 };
	struct err e = ERR_NONE;
	int64_t when = 0;
	char url[64];
	pid_t child = start(p, "plain", "--usage", "plain", url);

	assert_int_equal(ask(p, "plain", url, &tsr, &when, &e), -1);
	stop(child);
	child = start(p, "vague", "--accuracy", "86400", url);
	assert_int_equal(ask(p, "vague", url, &tsr, &when, &e), -1);
	assert_int_equal(e.code, MUNI_REFUSED);
	stop(child);
}

/* What an authority gives to who does not ask for its certificate. */
static struct blob bare_token(struct people *p)
{
	char hex[DIGEST_HEX_SIZE], line[256];

	digest_hex(&subject, hex);
	snprintf(line, sizeof line, "openssl ts -query -digest %s -sha256 -no_nonce -out bare.tsq", hex);
	people_do(p, line);
	people_do(p, "openssl ts -reply -config bare/tsa.cnf -queryfile bare.tsq -signer bare/tsa.pem "
		     "-inkey bare/tsa.key -out bare.tsr");
	people_do(p, "cat bare/tsa-ca.pem bare/tsa.pem > bare/both.pem");
	return people_load(p, "bare.tsr");
}

/* The year in "20261124...Z", the first time that stands in a token. */
static void put_years_back(struct blob *tsr)
{
	uint8_t *z = memchr(tsr->data, 'Z', tsr->size);

	while (z && (z - tsr->data < 14 || memcmp(z - 14, "20", 2) != 0))
		z = memchr(z + 1, 'Z', tsr->size - (size_t)(z + 1 - tsr->data));
	assert_non_null(z);
	z[-12] = '0';
}

static void a_token_without_its_signers_certificate_proves_no_time(void **state)
{
	struct people *p = *state;
	struct err e = ERR_NONE;
	struct blob tsr, root, both;
	bool is_checked = true;
	int64_t when = 0;
	char url[64];

	stop(start(p, "bare", "--accuracy", "1", url));
	tsr = bare_token(p);
	root = people_load(p, "bare/tsa-ca.pem");
	both = people_load(p, "bare/both.pem");
	assert_int_equal(timestamp_verify(tsr.data, tsr.size, &subject, root.data, root.size, &when,
					  &e), -1);
	assert_int_equal(e.code, MUNI_REFUSED);
	assert_non_null(strstr(e.text, "proves no time"));
	assert_int_equal(when, 0);
	/* Who has the certificate from elsewhere asks the signature. */
	if (timestamp_verify(tsr.data, tsr.size, &subject, both.data, both.size, &when, &e) < 0)
		fail_msg("%s", e.text);
	assert_true(llabs((long long)(when - time(NULL))) < 60);
	/* Looked at alone, it is over the digest, and no more is known. */
	assert_int_equal(timestamp_check(tsr.data, tsr.size, &subject, &is_checked, &e), 0);
	assert_false(is_checked);
	assert_int_equal(timestamp_check(tsr.data, tsr.size, &other, &is_checked, &e), -1);
	assert_int_equal(e.code, MUNI_DAMAGED);
	put_years_back(&tsr);
	assert_int_equal(timestamp_check(tsr.data, tsr.size, &subject, &is_checked, &e), 0);
	assert_false(is_checked);
	assert_int_equal(timestamp_verify(tsr.data, tsr.size, &subject, both.data, both.size, &when,
					  &e), -1);
	assert_int_equal(e.code, MUNI_DAMAGED);
	free(tsr.data);
	free(root.data);
	free(both.data);
}

static void a_token_with_it_is_checked_by_it(void **state)
{
	struct people *p = *state;
	struct blob tsr = { 0 };
	struct err e = ERR_NONE;
	bool is_checked = false;
	int64_t when = 0;
	char url[64];
	pid_t child = start(p, "carried", "--accuracy", "1", url);

	assert_int_equal(ask(p, "carried", url, &tsr, &when, &e), 0);
	stop(child);
	assert_int_equal(timestamp_check(tsr.data, tsr.size, &subject, &is_checked, &e), 0);
	assert_true(is_checked);
	put_years_back(&tsr);
	assert_int_equal(timestamp_check(tsr.data, tsr.size, &subject, &is_checked, &e), -1);
	assert_int_equal(e.code, MUNI_DAMAGED);
	free(tsr.data);
}

static void an_authority_out_of_reach_is_said_to_be(void **state)
{
	struct people *p = *state;
	struct blob tsr = { 0 };
	struct err e = ERR_NONE;
	int64_t when = 0;
	char url[64];
	pid_t child = start(p, "gone", "--accuracy", "1", url);

	stop(child);
	assert_int_equal(ask(p, "gone", url, &tsr, &when, &e), -1);
	assert_int_equal(e.code, MUNI_IO);
	assert_int_equal(ask(p, "gone", "https://127.0.0.1/", &tsr, &when, &e), -1);
	assert_int_equal(e.code, MUNI_UNSUPPORTED);
	assert_int_equal(ask(p, "gone", "no address", &tsr, &when, &e), -1);
	assert_int_equal(e.code, MUNI_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_time_stamp_is_over_its_digest_and_holds_for_the_stock_tool),
		cmocka_unit_test(an_answer_to_another_question_is_refused),
		cmocka_unit_test(who_may_not_stamp_or_says_no_time_is_refused),
		cmocka_unit_test(a_token_without_its_signers_certificate_proves_no_time),
		cmocka_unit_test(a_token_with_it_is_checked_by_it),
		cmocka_unit_test(an_authority_out_of_reach_is_said_to_be),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
