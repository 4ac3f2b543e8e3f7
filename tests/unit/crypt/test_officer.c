#include "tests/unit/crypt/people.h"

#include <time.h>

#include "fs/crypt/secret.h"
#include "fs/crypt/sign.h"

static const char list[] = "{\"items\":3,\"root\":\"ab\"}";
#define LIST list, sizeof list - 1

static int setup(void **state)
{
	struct people *p = calloc(1, sizeof *p);

	people_begin(p);
	people_authority(p);
	people_officer(p, "chen", EC_KEY, "3650");
	people_officer(p, "weber", "rsa:2048", "3650");
	people_save(p, "list.json", LIST);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	people_end(*state);
	free(*state);
	return 0;
}

static struct officer_key *key_of(struct people *p, const char *name)
{
	struct officer_key *k = NULL;
	struct err e = ERR_NONE;

	if (people_key(p, name, &k, &e) < 0)
		fail_msg("%s", e.text);
	return k;
}

/* As of "--key <(pass show chen)". */
static void a_key_comes_out_of_a_pipe(void **state)
{
	struct people *p = *state;
	struct blob cert = people_load(p, "chen.pem"), pem = people_load(p, "chen.key");
	struct officer_key *k = NULL;
	struct err e = ERR_NONE;
	char name[32];
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	snprintf(name, sizeof name, "/dev/fd/%d", ends[0]);
	assert_int_equal(write(ends[1], pem.data, pem.size), pem.size);
	close(ends[1]);
	if (officer_key_open(name, cert.data, cert.size, NULL, NULL, &k, &e) < 0)
		fail_msg("%s", e.text);
	officer_key_close(k);
	close(ends[0]);

	assert_int_equal(officer_key_open("/dev/null", cert.data, cert.size, NULL, NULL, &k, &e), -1);
	assert_non_null(strstr(e.text, "it is empty"));
	e = ERR_NONE;
	assert_int_equal(officer_key_open("/dev/zero", cert.data, cert.size, NULL, NULL, &k, &e), -1);
	assert_non_null(strstr(e.text, "more than 65536 bytes"));
	free(cert.data);
	free(pem.data);
}

static void an_identity_says_whose_it_is_and_until_when(void **state)
{
	struct people *p = *state;
	struct blob pem, der;
	struct identity a = { 0 }, b = { 0 };
	struct err e = ERR_NONE;

	people_do(p, "openssl x509 -in chen.pem -outform DER -out chen.der");
	pem = people_load(p, "chen.pem");
	der = people_load(p, "chen.der");
	assert_int_equal(identity_parse(pem.data, pem.size, &a, &e), 0);
	assert_int_equal(identity_parse(der.data, der.size, &b, &e), 0);
	assert_string_equal(a.subject, "CN=chen,O=Board");
	assert_string_equal(a.issuer, "CN=Authority,O=Board");
	assert_true(a.can_sign);
	/* Who made it looked at the clock twice. */
	assert_in_range(a.not_after - a.not_before, 3650LL * 86400, 3650LL * 86400 + 1);
	assert_true(digest_equal(&a.fingerprint, &b.fingerprint));
	assert_true(digest_equal(&a.key, &b.key));
	identity_clear(&a);
	identity_clear(&b);
	assert_int_equal(identity_parse("no", 2, &a, &e), -1);
	assert_int_equal(e.code, MUNI_FORMAT);
	free(pem.data);
	free(der.data);
}

static void a_certificate_that_may_not_sign_says_so(void **state)
{
	struct people *p = *state;
	struct blob pem;
	struct identity i;
	struct err e = ERR_NONE;

	people_do(p, "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
		     "-keyout enc.key -out enc.pem -subj /CN=enc "
		     "-addext keyUsage=critical,keyAgreement");
	pem = people_load(p, "enc.pem");
	assert_int_equal(identity_parse(pem.data, pem.size, &i, &e), 0);
	assert_false(i.can_sign);
	identity_clear(&i);
	free(pem.data);
}

static void a_certificate_of_nobody_is_read(void **state)
{
	struct people *p = *state;
	struct blob pem;
	struct identity i;
	struct err e = ERR_NONE;

	people_do(p, "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
		     "-keyout nobody.key -out nobody.pem -subj /");
	pem = people_load(p, "nobody.pem");
	assert_int_equal(identity_parse(pem.data, pem.size, &i, &e), 0);
	assert_string_equal(i.subject, "");
	assert_string_equal(i.issuer, "");
	identity_clear(&i);
	free(pem.data);
}

static void a_certificate_for_servers_alone_is_not_for_documents(void **state)
{
	static const struct {
		const char *usage;
		bool is_for_documents;
	} cases[] = {
		{ "serverAuth", false }, { "serverAuth,clientAuth", false },
		{ "timeStamping", false }, { "1.3.6.1.5.5.7.3.3", false },
		{ "emailProtection", true }, { "serverAuth,emailProtection", true },
		{ "1.3.6.1.5.5.7.3.36", true }, { "anyExtendedKeyUsage", true },
		{ "DER:0500", false },	/* no list at all */
		{ NULL, true },
	};
	struct people *p = *state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct identity who;
		struct err e = ERR_NONE;
		struct blob pem;
		char line[512];

		snprintf(line, sizeof line, "openssl req -x509 -newkey ec -pkeyopt "
			 "ec_paramgen_curve:P-256 -nodes -keyout purpose.key -out purpose.pem "
			 "-subj /CN=purpose %s%s", cases[i].usage ? "-addext extendedKeyUsage=" : "",
			 cases[i].usage ? cases[i].usage : "");
		people_do(p, line);
		pem = people_load(p, "purpose.pem");
		assert_int_equal(identity_parse(pem.data, pem.size, &who, &e), 0);
		assert_int_equal(who.is_for_documents, cases[i].is_for_documents);
		identity_clear(&who);
		free(pem.data);
	}
}

static void a_certificate_on_a_short_curve_may_not_sign(void **state)
{
	struct people *p = *state;
	struct blob pem;
	struct identity i;
	struct err e = ERR_NONE;

	people_do(p, "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:secp160r1 -nodes "
		     "-keyout short.key -out short.pem -subj /CN=short");
	pem = people_load(p, "short.pem");
	assert_int_equal(identity_parse(pem.data, pem.size, &i, &e), 0);
	assert_false(i.can_sign);
	identity_clear(&i);
	free(pem.data);
}

static void a_name_in_chinese_is_read_as_it_is_written(void **state)
{
	struct people *p = *state;
	struct blob pem;
	struct identity i;
	struct err e = ERR_NONE;

	people_do(p, "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
		     "-utf8 -keyout zhang.key -out zhang.pem -subj '/O=董事会/CN=张伟'");
	pem = people_load(p, "zhang.pem");
	assert_int_equal(identity_parse(pem.data, pem.size, &i, &e), 0);
	assert_string_equal(i.subject, "CN=张伟,O=董事会");
	identity_clear(&i);
	free(pem.data);
}

static void what_an_officer_signs_verifies_with_the_stock_tool(void **state)
{
	static const char *const names[] = { "chen", "weber" };
	struct people *p = *state;

	for (int i = 0; i < 2; i++) {
		struct officer_key *k = key_of(p, names[i]);
		struct err e = ERR_NONE;
		struct cms_signer *signers = NULL;
		size_t size = 0, count = 0;
		uint8_t *der = NULL;

		assert_int_equal(officer_sign(k, LIST, 1700000000, &der, &size, &e), 0);
		people_save(p, "sig.der", der, size);
		people_do(p, "openssl cms -verify -binary -inform DER -in sig.der -content "
			     "list.json -CAfile ca.pem -purpose any -no_check_time");
		assert_int_equal(cms_verify_detached(der, size, LIST, &signers, &count, &e), 0);
		assert_int_equal(count, 1);
		assert_int_equal(signers[0].signed_at, 1700000000);
		cms_signers_free(signers, count);
		assert_int_equal(cms_verify_detached(der, size, list, sizeof list - 2, &signers,
						     &count, &e), -1);
		assert_int_equal(e.code, MUNI_DAMAGED);
		assert_null(signers);
		free(der);
		officer_key_close(k);
	}
}

/* Whatever form people choose who sign by hand. */
static void what_the_stock_tool_signs_verifies_here(void **state)
{
	static const char *const options[] = {
		"-binary -outform DER", "-binary -outform PEM", "-outform DER", "-outform PEM",
		"", "-binary", "-binary -nodetach -outform DER", "-nodetach -outform PEM",
		"-binary -outform DER -noattr", "-binary -outform DER -md sha512",
		"-binary -outform DER -keyid",
	};
	struct people *p = *state;

	for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
		struct cms_signer *signers = NULL;
		struct err e = ERR_NONE;
		char line[512];
		struct blob sig;
		size_t count = 0;

		snprintf(line, sizeof line, "openssl cms -sign -in list.json -signer weber.pem "
			 "-inkey weber.key -out sig %s", options[i]);
		if (strstr(options[i], "-keyid"))
			snprintf(line, sizeof line, "openssl cms -sign -in list.json -signer "
				 "ca.pem -inkey ca.key -out sig %s", options[i]);
		people_do(p, line);
		sig = people_load(p, "sig");
		if (cms_verify_detached(sig.data, sig.size, LIST, &signers, &count, &e) < 0)
			fail_msg("openssl cms -sign %s: %s", options[i], e.text);
		assert_int_equal(count, 1);
		assert_true(strstr(options[i], "noattr") ? signers[0].signed_at == 0
							 : signers[0].signed_at > 0);
		cms_signers_free(signers, count);
		free(sig.data);
	}
}

static void a_digest_that_can_be_made_to_collide_is_refused(void **state)
{
	struct people *p = *state;
	struct cms_signer *signers = NULL;
	struct err e = ERR_NONE;
	struct blob sig;
	size_t count = 0;

	people_do(p, "openssl cms -sign -in list.json -signer weber.pem -inkey weber.key "
		     "-binary -outform DER -md sha1 -out sig");
	sig = people_load(p, "sig");
	assert_int_equal(cms_verify_detached(sig.data, sig.size, LIST, &signers, &count, &e),
			 -1);
	assert_int_equal(e.code, MUNI_DAMAGED);
	assert_non_null(strstr(e.text, "signed with SHA-1"));
	assert_non_null(strstr(e.text, "sign the same text again with SHA-256"));
	free(sig.data);
}

static void no_changed_byte_of_a_signature_passes_as_another_person(void **state)
{
	struct people *p = *state;
	struct officer_key *k = key_of(p, "chen");
	struct blob pem = people_load(p, "chen.pem"), ca = people_load(p, "ca.pem");
	struct identity chen;
	struct err e = ERR_NONE;
	uint8_t *der = NULL;
	size_t size = 0;
	int64_t now = time(NULL) + 60;

	assert_int_equal(identity_parse(pem.data, pem.size, &chen, &e), 0);
	assert_int_equal(officer_sign(k, LIST, now, &der, &size, &e), 0);
	for (size_t i = 0; i < size; i++) {
		struct cms_signer *signers = NULL;
		size_t count = 0;

		der[i] ^= 0x01;
		if (cms_verify_detached(der, size, LIST, &signers, &count, &e) == 0) {
			/* A changed certificate is the chain's to refuse. */
			if (identity_check_chain(&signers[0].identity, ca.data, ca.size, NULL, 0,
						 now, &e) == 0)
				assert_true(digest_equal(&signers[0].identity.fingerprint,
							 &chen.fingerprint));
			cms_signers_free(signers, count);
		}
		der[i] ^= 0x01;
	}
	identity_clear(&chen);
	free(pem.data);
	free(ca.data);
	free(der);
	officer_key_close(k);
}

static void signatures_are_added_to_a_content_that_they_carry(void **state)
{
	struct people *p = *state;
	struct officer_key *chen = key_of(p, "chen"), *weber = key_of(p, "weber");
	struct signer *archive = NULL;
	struct cms_signer *signers = NULL;
	uint8_t *one = NULL, *two = NULL, *three = NULL, *content = NULL;
	uint8_t *cert;
	size_t one_size, two_size, three_size, size, cert_size, count = 0;
	struct err e = ERR_NONE;
	char *pem = NULL;

	assert_int_equal(signer_generate("00", SIGNER_P256, 1600000000, &archive, &e), 0);
	assert_int_equal(cms_sign_attached(archive, chen, LIST, 1700000000, &one, &one_size, &e),
			 0);
	assert_int_equal(cms_add_signature(one, one_size, weber, 1700000100, &two, &two_size,
					   &e), 0);
	assert_int_equal(cms_add_signature(two, two_size, weber, 1700000200, &three, &three_size,
					   &e), -1);
	assert_int_equal(e.code, MUNI_EXISTS);
	assert_int_equal(cms_verify_attached(two, two_size, &content, &size, &signers, &count,
					     &e), 0);
	assert_int_equal(size, sizeof list - 1);
	assert_memory_equal(content, list, size);
	assert_int_equal(count, 3);
	cms_signers_free(signers, count);
	free(content);
	assert_int_equal(signer_certificate(archive, &cert, &cert_size, &e), 0);
	assert_int_equal(sign_certificate_pem(cert, cert_size, &pem, &e), 0);
	free(cert);
	people_save(p, "archive.pem", pem, strlen(pem));
	people_save(p, "c.p7m", two, two_size);
	people_do(p, "cat ca.pem archive.pem > bundle.pem && openssl cms -verify -binary "
		     "-inform DER -in c.p7m -CAfile bundle.pem -purpose any -no_check_time "
		     "-out content && cmp content list.json");
	free(pem);
	free(one);
	free(two);
	signer_free(archive);
	officer_key_close(chen);
	officer_key_close(weber);
}

static void is_no_certificate(const uint8_t *cms, size_t size, const char *why)
{
	struct cms_signer *signers = NULL;
	uint8_t *content = NULL;
	size_t content_size, count = 0;
	struct err e = ERR_NONE;

	assert_int_equal(cms_verify_attached(cms, size, &content, &content_size, &signers, &count,
					     &e), -1);
	assert_int_equal(e.code, MUNI_DAMAGED);
	if (!strstr(e.text, why))
		fail_msg("not for \"%s\": %s", why, e.text);
}

/* What no signature covers, and OpenSSL reads past. */
static void the_frame_around_signatures_has_one_form(void **state)
{
	struct people *p = *state;
	struct officer_key *chen = key_of(p, "chen");
	uint8_t *cms = NULL, *longer, *version;
	struct err e = ERR_NONE;
	size_t size;

	assert_int_equal(cms_sign_attached(NULL, chen, LIST, 1700000000, &cms, &size, &e), 0);
	/* The version of the SignedData, before the set of digests. */
	version = memmem(cms, size, "\x02\x01\x01\x31", 4);
	assert_non_null(version);
	version[2] = 4;
	is_no_certificate(cms, size, "RFC 5652");
	version[2] = 1;
	/* A length with a zero before it: BER, and no DER. */
	assert_int_equal(cms[1], 0x82);
	longer = malloc(size + 1);
	assert_non_null(longer);
	memcpy(longer, "\x30\x83\0", 3);
	memcpy(longer + 3, cms + 2, size - 2);
	is_no_certificate(longer, size + 1, "not in DER");
	free(longer);
	free(cms);
	officer_key_close(chen);
}

static void nobody_signs_beside_a_signature_that_does_not_hold(void **state)
{
	struct people *p = *state;
	struct officer_key *chen = key_of(p, "chen"), *weber = key_of(p, "weber");
	uint8_t *one = NULL, *two = NULL, *at;
	size_t one_size, two_size;
	struct err e = ERR_NONE;

	assert_int_equal(cms_sign_attached(NULL, chen, LIST, 1700000000, &one, &one_size, &e), 0);
	at = memmem(one, one_size, "items", 5);
	assert_non_null(at);
	at[0] = 'I';
	assert_int_equal(cms_add_signature(one, one_size, weber, 1700000100, &two, &two_size,
					   &e), -1);
	assert_int_equal(e.code, MUNI_DAMAGED);
	free(one);
	officer_key_close(chen);
	officer_key_close(weber);
}

static void a_chain_is_judged_as_of_the_moment_that_is_given(void **state)
{
	struct people *p = *state;
	struct blob pem, ca, other;
	struct identity i;
	struct err e = ERR_NONE;
	int64_t now = time(NULL);

	people_do(p, "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
		     "-keyout o.key -out other.pem -days 10 -subj /CN=Other");
	pem = people_load(p, "chen.pem");
	ca = people_load(p, "ca.pem");
	other = people_load(p, "other.pem");
	assert_int_equal(identity_parse(pem.data, pem.size, &i, &e), 0);
	assert_int_equal(identity_check_chain(&i, ca.data, ca.size, NULL, 0, now + 60, &e), 0);
	assert_int_equal(identity_check_chain(&i, ca.data, ca.size, NULL, 0,
					      now + 3651LL * 86400, &e), -1);
	assert_int_equal(e.code, MUNI_REFUSED);
	assert_int_equal(identity_check_chain(&i, ca.data, ca.size, NULL, 0, now - 86400, &e),
			 -1);
	assert_int_equal(e.code, MUNI_REFUSED);
	assert_int_equal(identity_check_chain(&i, other.data, other.size, NULL, 0, now + 60,
					      &e), -1);
	assert_int_equal(e.code, MUNI_REFUSED);
	assert_int_equal(identity_check_chain(&i, "no", 2, NULL, 0, now, &e), -1);
	assert_int_equal(e.code, MUNI_FORMAT);
	identity_clear(&i);
	free(pem.data);
	free(ca.data);
	free(other.data);
}

static void another_persons_key_is_refused(void **state)
{
	struct people *p = *state;
	struct officer_key *k = NULL;
	struct blob cert = people_load(p, "chen.pem");
	struct err e = ERR_NONE;

	assert_int_equal(officer_key_open(people_path(p, "weber.key"), cert.data, cert.size, NULL,
					  NULL, &k, &e), -1);
	assert_int_equal(e.code, MUNI_USAGE);
	assert_null(k);
	assert_int_equal(officer_key_open(people_path(p, "none.key"), cert.data, cert.size, NULL,
					  NULL, &k, &e), -1);
	assert_int_equal(e.code, MUNI_NOT_FOUND);
	assert_int_equal(officer_key_open(people_path(p, "chen.pem"), cert.data, cert.size, NULL,
					  NULL, &k, &e), -1);
	assert_int_equal(e.code, MUNI_FORMAT);
	free(cert.data);
}

static int answer(void *arg, const char *question, char *out, size_t size)
{
	(void)question;
	snprintf(out, size, "%s", (const char *)arg);
	return 0;
}

static void an_encrypted_key_opens_with_its_passphrase_alone(void **state)
{
	struct people *p = *state;
	struct officer_key *k = NULL;
	struct blob cert = people_load(p, "chen.pem");
	struct err e = ERR_NONE;
	char path[128];

	people_do(p, "openssl pkcs8 -topk8 -in chen.key -out locked.key -passout pass:right");
	strcpy(path, people_path(p, "locked.key"));
	assert_int_equal(officer_key_open(path, cert.data, cert.size, answer, "right", &k, &e),
			 0);
	officer_key_close(k);
	assert_int_equal(officer_key_open(path, cert.data, cert.size, answer, "wrong", &k, &e),
			 -1);
	assert_int_equal(e.code, MUNI_CANNOT_UNLOCK);
	assert_int_equal(officer_key_open(path, cert.data, cert.size, NULL, NULL, &k, &e), -1);
	assert_int_equal(e.code, MUNI_CANNOT_UNLOCK);
	free(cert.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_comes_out_of_a_pipe),
		cmocka_unit_test(an_identity_says_whose_it_is_and_until_when),
		cmocka_unit_test(a_certificate_that_may_not_sign_says_so),
		cmocka_unit_test(a_certificate_of_nobody_is_read),
		cmocka_unit_test(a_certificate_for_servers_alone_is_not_for_documents),
		cmocka_unit_test(a_certificate_on_a_short_curve_may_not_sign),
		cmocka_unit_test(a_name_in_chinese_is_read_as_it_is_written),
		cmocka_unit_test(what_an_officer_signs_verifies_with_the_stock_tool),
		cmocka_unit_test(what_the_stock_tool_signs_verifies_here),
		cmocka_unit_test(a_digest_that_can_be_made_to_collide_is_refused),
		cmocka_unit_test(no_changed_byte_of_a_signature_passes_as_another_person),
		cmocka_unit_test(signatures_are_added_to_a_content_that_they_carry),
		cmocka_unit_test(the_frame_around_signatures_has_one_form),
		cmocka_unit_test(nobody_signs_beside_a_signature_that_does_not_hold),
		cmocka_unit_test(a_chain_is_judged_as_of_the_moment_that_is_given),
		cmocka_unit_test(another_persons_key_is_refused),
		cmocka_unit_test(an_encrypted_key_opens_with_its_passphrase_alone),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
