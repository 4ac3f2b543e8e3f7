/* Keys on a token: SoftHSM, in a folder of its own. */
#include "tests/unit/crypt/people.h"

static const char list[] = "{\"items\":3}";
#define LIST list, sizeof list - 1
#define PIN "12" "34" "56"

static int setup(void **state)
{
	struct people *p = calloc(1, sizeof *p);
	char conf[128];

	people_begin(p);
	*state = p;
	if (people_sh(p, "command -v softhsm2-util pkcs11-tool && ls "
			 "/usr/lib/*/engines-3/pkcs11.so") != 0)
		return 0;
	snprintf(conf, sizeof conf, "%s/softhsm.conf", p->dir);
	setenv("SOFTHSM2_CONF", conf, 1);
	people_do(p, "mkdir tokens && printf 'directories.tokendir = %s/tokens\\n' \"$PWD\" "
		     "> softhsm.conf");
	people_do(p, "softhsm2-util --init-token --free --label officers --pin " PIN
		     " --so-pin " PIN);
	people_authority(p);
	people_officer(p, "chen", EC_KEY, "3650");
	people_officer(p, "weber", "rsa:2048", "3650");
	for (int i = 1; i <= 2; i++) {
		char line[512];
		const char *name = i == 1 ? "chen" : "weber";

		snprintf(line, sizeof line, "softhsm2-util --import %s.key --token officers "
			 "--label %s --id 0%d --pin " PIN, name, name, i);
		people_do(p, line);
	}
	people_save(p, "list.json", LIST);
	return 0;
}

static int teardown(void **state)
{
	people_end(*state);
	free(*state);
	return 0;
}

static void need_token(struct people *p)
{
	if (people_sh(p, "test -d tokens") != 0)
		skip();
}

static int open_token(struct people *p, const char *name, const char *query,
		      int (*ask)(void *, const char *, char *, size_t), struct officer_key **k,
		      struct err *e)
{
	char uri[512], file[64];
	struct blob cert;
	int rc;

	snprintf(file, sizeof file, "%s.pem", name);
	cert = people_load(p, file);
	snprintf(uri, sizeof uri, "pkcs11:token=officers;object=%s;type=private%s", name, query);
	rc = officer_key_open(uri, cert.data, cert.size, ask, NULL, k, e);
	free(cert.data);
	return rc;
}

static int right_pin(void *arg, const char *question, char *out, size_t size)
{
	(void)arg;
	(void)question;
	snprintf(out, size, PIN);
	return 0;
}

static void sign_and_verify(struct people *p, struct officer_key *k)
{
	struct err e = ERR_NONE;
	uint8_t *der = NULL;
	size_t size = 0;

	if (officer_sign(k, LIST, 1700000000, &der, &size, &e) < 0)
		fail_msg("%s", e.text);
	people_save(p, "sig.der", der, size);
	people_do(p, "openssl cms -verify -binary -inform DER -in sig.der -content list.json "
		     "-CAfile ca.pem -purpose any -no_check_time");
	free(der);
}

static void a_key_on_a_token_signs_without_leaving_it(void **state)
{
	struct people *p = *state;
	static const char *const names[] = { "chen", "weber" };

	need_token(p);
	for (int i = 0; i < 2; i++) {
		struct officer_key *k = NULL;
		struct err e = ERR_NONE;

		if (open_token(p, names[i], "?pin-value=" PIN, NULL, &k, &e) < 0)
			fail_msg("%s", e.text);
		sign_and_verify(p, k);
		officer_key_close(k);
	}
}

static void the_pin_is_asked_for_or_read_from_a_file(void **state)
{
	struct people *p = *state;
	struct officer_key *k = NULL;
	struct err e = ERR_NONE;
	char query[256];

	need_token(p);
	if (open_token(p, "chen", "", right_pin, &k, &e) < 0)
		fail_msg("%s", e.text);
	sign_and_verify(p, k);
	officer_key_close(k);
	people_save(p, "pin", PIN "\n", strlen(PIN) + 1);
	snprintf(query, sizeof query, "?pin-source=file:%s/pin", p->dir);
	if (open_token(p, "chen", query, NULL, &k, &e) < 0)
		fail_msg("%s", e.text);
	sign_and_verify(p, k);
	officer_key_close(k);
}

static void a_wrong_pin_another_key_and_no_token_are_told_apart(void **state)
{
	struct people *p = *state;
	struct officer_key *k = NULL;
	struct err e = ERR_NONE;
	struct blob cert;

	need_token(p);
	assert_int_equal(open_token(p, "chen", "?pin-value=999999", NULL, &k, &e), -1);
	assert_int_equal(e.code, MUNI_CANNOT_UNLOCK);
	cert = people_load(p, "weber.pem");
	assert_int_equal(officer_key_open("pkcs11:token=officers;object=chen;type=private"
					  "?pin-value=" PIN, cert.data, cert.size, NULL, NULL, &k,
					  &e), -1);
	assert_int_equal(e.code, MUNI_USAGE);
	assert_null(strstr(e.text, PIN));
	assert_int_equal(officer_key_open("pkcs11:token=none;object=x?pin-value=" PIN, cert.data,
					  cert.size, NULL, NULL, &k, &e), -1);
	assert_int_equal(e.code, MUNI_CANNOT_UNLOCK);
	assert_int_equal(officer_key_open("pkcs11:token=officers?pin-source=%zz", cert.data,
					  cert.size, NULL, NULL, &k, &e), -1);
	assert_int_equal(e.code, MUNI_USAGE);
	free(cert.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* First: a token that is open asks this process for no PIN again. */
		cmocka_unit_test(a_wrong_pin_another_key_and_no_token_are_told_apart),
		cmocka_unit_test(a_key_on_a_token_signs_without_leaving_it),
		cmocka_unit_test(the_pin_is_asked_for_or_read_from_a_file),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
