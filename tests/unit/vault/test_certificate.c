#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "fs/base/canonical.h"
#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/base/text.h"
#include "fs/crypt/merkle.h"
#include "fs/vault/audit.h"
#include "fs/vault/certificate_inside.h"
#include "fs/vault/certificate_verify.h"
#include "fs/vault/clearance.h"
#include "fs/vault/copies.h"
#include "fs/vault/disposition.h"
#include "tests/unit/crypt/people.h"
#include "tests/unit/stride.h"

#define ITEMS 5
static int64_t now;	/* within the officers' certificates: setup() */

static int64_t clock_of_test(void)
{
	return now;
}

struct fixture {
	struct people people;
	struct vault *vault;
	struct vault_options options;
	char keyring[96], key[96], archive[96];
	int64_t disposition, id;
};

/* ---- a disposition that is gone, with all that stands about it in the catalogue -------- */

static struct officer_key *key_of(struct fixture *f, const char *name)
{
	struct officer_key *k = NULL;
	struct err e = ERR_NONE;

	if (people_key(&f->people, name, &k, &e) < 0)
		fail_msg("%s", e.text);
	return k;
}

static void item_text(unsigned i, char out[256])
{
	snprintf(out, 256, "{\"bytes\":%u,\"class\":\"FIN\",\"path\":\"invoices/\\\"leaf\\\":\\\"%u.txt\","
		 "\"salt\":\"%032x\"}", 100 * i, i, i + 1);
}

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, DIGEST_SIZE);
}

static struct digest list_root(void)
{
	struct digest leaves[ITEMS];
	char text[256];

	for (unsigned i = 0; i < ITEMS; i++) {
		item_text(i, text);
		leaves[i] = merkle_leaf(text, strlen(text));
	}
	qsort(leaves, ITEMS, sizeof *leaves, by_bytes);
	return merkle_root(leaves, ITEMS);
}

static char *statement_of(struct fixture *f, const struct digest *root)
{
	char hex[DIGEST_HEX_SIZE], *text = NULL;
	size_t size;
	struct err e = ERR_NONE;
	json_t *o;

	digest_hex(root, hex);
	assert_true(asprintf(&text, "{\"archive\":\"%s\",\"disposition\":\"D1\",\"kind\":\"records\","
		"\"root\":\"%s\",\"items\":%d,\"bytes\":1000,\"systems\":[\"crm\"],\"log\":{"
		"\"count\":1},\"reason\":\"period ran out\",\"asof\":\"2027-01-15T08:00:00Z\","
		"\"named\":[{\"path\":\"invoices/发票-0.txt\"}],\"approvals\":[{\"classes\":"
		"[\"FIN\"],\"quorum\":2,\"roles\":[\"records\",\"owner\"],\"witnesses\":[\"it\"]}],"
		"\"classes\":[{\"class\":\"FIN\",\"title\":{\"en\":\"Invoices of the retired "
		"billing system\",\"zh\":\"已退役计费系统发票\"},\"items\":%d,\"bytes\":1000,"
		"\"from\":\"1998-01-01\",\"to\":\"2003-12-31\",\"period\":\"P10Y\",\"due\":{"
		"\"first\":\"2008-12-31\",\"last\":\"2013-12-31\"},\"formats\":{\"text/plain\":%d},"
		"\"mandates\":[\"Accounting Archives Measures, 14 (CN)\"],\"policies\":[\"%s\"],"
		"\"rules\":[\"invoices\"]}]}", vault_id_hex(f->vault), hex, ITEMS, ITEMS, ITEMS,
		hex) > 0);
	o = json_loads(text, 0, NULL);
	free(text);
	assert_non_null(o);
	assert_int_equal(canonical_dump(o, &text, &size, &e), 0);
	json_decref(o);
	return text;
}

static void put_items(struct fixture *f)
{
	struct err e = ERR_NONE;
	char text[256];

	for (unsigned i = 0; i < ITEMS; i++) {
		struct disposition_item item = { .outcome = i == 1 ? OUTCOME_BYTES_STAY
								   : OUTCOME_GONE };

		item_text(i, text);
		item.leaf = merkle_leaf(text, strlen(text));
		item.class_code = "FIN";
		item.text = i == 2 ? NULL : text;
		item.key = (struct record_key){ .directory = 1, .first = 1, .name_size = 1 };
		item.key.name[0] = (char)('a' + i);
		if (catalogue_disposition_item_put(f->vault->catalogue, f->disposition, &item,
						   &e) < 0)
			fail_msg("%s", e.text);
	}
}

static void approve(struct fixture *f, const char *name, const char *statement)
{
	struct officer_key *k = key_of(f, name);
	struct approval_row a = { .officer = name, .made = now };
	uint8_t *der = NULL;
	struct err e = ERR_NONE;

	assert_int_equal(officer_sign(k, statement, strlen(statement), now, &der,
				      &a.signature_size, &e), 0);
	a.signature = der;
	assert_int_equal(catalogue_approval_put(f->vault->catalogue, f->disposition, &a, &e), 0);
	free(der);
	officer_key_close(k);
}

static void add_officers(struct fixture *f)
{
	static const char *const all[][2] = { { "chen", "records" }, { "weber", "owner,legal" },
					      { "novak", "records" }, { "li", "it,witness" } };
	struct err e = ERR_NONE;
	char file[64];

	for (size_t i = 0; i < 4; i++) {
		snprintf(file, sizeof file, "%s.pem", all[i][0]);
		if (vault_officer_add(f->vault, all[i][0], all[i][1],
				      people_path(&f->people, file), NULL, &e) < 0)
			fail_msg("%s", e.text);
	}
}

static char *result_of(struct fixture *f)
{
	struct execution x = { .officer = strdup("chen"), .began = now, .ended = now + 60,
			       .keyring_was_read_back = true };
	struct err e = ERR_NONE;
	char *json = NULL;

	x.epoch.old_epoch = 1;
	x.epoch.new_epoch = 2;
	x.epoch.doom.records = ITEMS;
	x.epoch.doom.bytes = 1000;
	x.epoch.doom.blocks_gone = 3;
	x.epoch.doom.blocks_repacked = 1;
	assert_int_equal(log_newest_head(f->vault->log, &x.epoch.before, &e), 0);
	x.mounts[x.mount_count++] = strdup("/mnt/crm: moved over to the new epoch");
	assert_int_equal(execution_write(&x, &json, &e), 0);
	execution_clear(&x);
	return json;
}

static void make_gone(struct fixture *f, bool with_witness)
{
	struct digest root = list_root();
	char *statement = statement_of(f, &root), *result;
	struct disposition_row d = { .kind = DISPOSITION_RECORDS, .proposer = strdup("chen"),
				     .proposed = now, .asof = now, .scope = strdup("{}"),
				     .root = root, .statement = statement };
	struct officer_key *chen = key_of(f, "chen");
	struct err e = ERR_NONE;

	assert_int_equal(officer_sign(chen, statement, strlen(statement), now, &d.signature,
				      &d.signature_size, &e), 0);
	result = result_of(f);
	assert_int_equal(catalogue_begin(f->vault->catalogue, &e), 0);
	assert_int_equal(catalogue_disposition_add(f->vault->catalogue, &d, &e), 0);
	f->disposition = d.id;
	put_items(f);
	approve(f, "weber", statement);
	approve(f, "novak", statement);
	if (with_witness)
		approve(f, "li", statement);
	assert_int_equal(catalogue_disposition_state(f->vault->catalogue, d.id,
						     DISPOSITION_GONE, result, &e), 0);
	assert_int_equal(vault_commit_act(f->vault, LOG_DESTROYED, "{}", &e), 0);
	free(result);
	disposition_row_clear(&d);
	officer_key_close(chen);
}

static void make_certificate(struct fixture *f)
{
	struct adversary_report report = { .was_run = true, .has_passed = true,
					   .text = strdup("{\"tried\":7}") };
	struct officer_key *chen = key_of(f, "chen");
	struct err e = ERR_NONE;

	if (certificate_make(f->vault, f->disposition, "chen", chen, &report, &f->id, &e) < 0)
		fail_msg("%s", e.text);
	officer_key_close(chen);
	free(report.text);
}

static void put(const char *path, char fill)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	for (int i = 0; i < 40; i++)
		fputc(fill, file);
	fclose(file);
}

static void open_archive(struct fixture *f)
{
	struct vault_init_options o = { .now = clock_of_test };
	char id[33], *keyring = NULL;
	bool is_inside;
	struct err e = ERR_NONE;

	strcpy(f->keyring, people_path(&f->people, "a.keyring"));
	strcpy(f->key, people_path(&f->people, "a.key"));
	strcpy(f->archive, people_path(&f->people, "a"));
	put(f->key, 'k');
	f->options = (struct vault_options){ .keys = { .keyring = f->keyring,
						       .key_file = f->key },
					     .now = clock_of_test };
	o.keys = f->options.keys;
	if (vault_init(f->archive, &o, id, &keyring, &is_inside, &e) < 0)
		fail_msg("%s", e.text);
	free(keyring);
	if (vault_open(f->archive, &f->options, VAULT_WRITE, &f->vault, &e) < 0)
		fail_msg("%s", e.text);
}

static int setup(void **state)
{
	static const char *const names[] = { "chen", "weber", "novak", "li" };
	struct fixture *f = calloc(1, sizeof *f);

	people_begin(&f->people);
	people_authority(&f->people);
	for (size_t i = 0; i < 4; i++)
		people_officer(&f->people, names[i], EC_KEY, "3650");
	now = (int64_t)time(NULL) + 3600;
	open_archive(f);
	add_officers(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	vault_close(f->vault);
	if (getenv("KEEP") == NULL)
		people_end(&f->people);
	free(f);
	return 0;
}

/* ---- judging ------------------------------------------------------------------------------ */

struct checks {
	unsigned count[CHECK_NOTED + 1];	/* by enum check_result */
	char said[8192];
};

static void on_check(void *arg, const char *check, enum check_result result,
		     const char *sentence)
{
	struct checks *v = arg;
	size_t used = strlen(v->said);

	v->count[result]++;
	snprintf(v->said + used, sizeof v->said - used, "%s|%d|%s\n", check, (int)result, sentence);
}

static int judge(struct fixture *f, const struct blob *cms, const char *ca_name,
		 const struct blob *annex, struct checks *v, struct err *e)
{
	struct blob ca = people_load(&f->people, ca_name);
	struct evidence with = { .cms = cms->data, .cms_size = cms->size, .ca = ca.data,
				 .ca_size = ca.size };
	json_t *content = NULL;
	uint8_t *own = NULL;
	struct err ignored = ERR_NONE;
	int rc;

	*v = (struct checks){ 0 };
	*e = ERR_NONE;
	if (annex)
		with.annex = fmemopen(annex->data, annex->size, "r");
	if (certificate_file(f->vault, f->id, CERTIFICATE_ARCHIVE_SIGNATURE, &own,
			     &with.archive_signature_size, &ignored) == 0)
		with.archive_signature = own;
	rc = certificate_verify(&with, on_check, v, &content, e);
	json_decref(content);
	if (with.annex)
		fclose(with.annex);
	free(own);
	free(ca.data);
	return rc;
}

static struct blob load(struct fixture *f, enum certificate_file which)
{
	struct blob b = { 0 };
	struct err e = ERR_NONE;

	if (certificate_file(f->vault, f->id, which, &b.data, &b.size, &e) < 0)
		fail_msg("%s", e.text);
	return b;
}

static void a_certificate_holds_here_and_for_the_stock_tool(void **state)
{
	struct fixture *f = *state;
	struct checks v;
	struct err e;
	struct blob cms, annex;
	char line[512];

	make_gone(f, true);
	make_certificate(f);
	cms = load(f, CERTIFICATE_CMS);
	annex = load(f, CERTIFICATE_ANNEX);
	if (judge(f, &cms, "ca.pem", &annex, &v, &e) < 0)
		fail_msg("%s\n%s", e.text, v.said);
	assert_int_equal(v.count[CHECK_SKIPPED], 1);	/* no time-stamp */
	assert_non_null(strstr(v.said, "3 different persons"));
	/* All were made officers on the day of the destruction: told, and no fault. */
	assert_int_equal(v.count[CHECK_NOTED], 4);
	assert_non_null(strstr(v.said, "0 days before signing"));
	assert_non_null(strstr(v.said, "5 items, of which 4 can be read"));
	snprintf(line, sizeof line, "openssl cms -verify -binary -inform DER -in a/certificates/"
		 "C1.p7m -CAfile ca.pem -purpose any -attime %lld -out content",
		 (long long)now);
	people_do(&f->people, line);
	snprintf(line, sizeof line, "openssl cms -verify -binary -inform DER -in a/certificates/"
		 "C1.p7s -content content -CAfile a/certificates/archive.pem -purpose any -attime "
		 "%lld", (long long)now);
	people_do(&f->people, line);
	free(cms.data);
	free(annex.data);
}

static void who_was_an_officer_for_long_is_not_noted(void **state)
{
	struct fixture *f = *state;
	struct checks v;
	struct err e;
	struct blob cms;

	now += 31 * 86400;
	make_gone(f, true);
	make_certificate(f);
	cms = load(f, CERTIFICATE_CMS);
	if (judge(f, &cms, "ca.pem", NULL, &v, &e) < 0)
		fail_msg("%s\n%s", e.text, v.said);
	assert_int_equal(v.count[CHECK_NOTED], 0);
	assert_non_null(strstr(v.said, "was an officer since"));
	free(cms.data);
}

static void it_is_made_once(void **state)
{
	struct fixture *f = *state;
	struct officer_key *chen = key_of(f, "chen");
	struct err e = ERR_NONE;
	struct blob before, after;
	int64_t id = 0;

	make_gone(f, true);
	make_certificate(f);
	before = load(f, CERTIFICATE_CMS);
	assert_int_equal(certificate_make(f->vault, f->disposition, "chen", chen, NULL, &id, &e),
			 0);
	assert_int_equal(id, f->id);
	after = load(f, CERTIFICATE_CMS);
	assert_int_equal(before.size, after.size);
	assert_memory_equal(before.data, after.data, before.size);
	free(before.data);
	free(after.data);
	officer_key_close(chen);
}

static void what_is_not_gone_is_not_certified(void **state)
{
	struct fixture *f = *state;
	struct officer_key *chen = key_of(f, "chen");
	struct err e = ERR_NONE;
	int64_t id = 0;

	make_gone(f, true);
	assert_int_equal(catalogue_begin(f->vault->catalogue, &e), 0);
	assert_int_equal(catalogue_disposition_state(f->vault->catalogue, f->disposition,
						     DISPOSITION_SWITCHING, NULL, &e), 0);
	assert_int_equal(vault_commit_act(f->vault, LOG_EPOCH_INTENT, "{}", &e), 0);
	assert_int_equal(certificate_make(f->vault, f->disposition, "chen", chen, NULL, &id, &e),
			 -1);
	assert_int_equal(e.code, MUNI_REFUSED);
	officer_key_close(chen);
}

static void what_an_adversary_still_reads_is_not_certified(void **state)
{
	struct adversary_report found = { .was_run = true, .has_passed = false };
	struct fixture *f = *state;
	struct officer_key *chen = key_of(f, "chen");
	struct err e = ERR_NONE;
	int64_t id = 0;

	make_gone(f, true);
	assert_int_equal(certificate_make(f->vault, f->disposition, "chen", chen, &found, &id,
					  &e), -1);
	assert_int_equal(e.code, MUNI_DAMAGED);
	officer_key_close(chen);
}

static void one_changed_byte_anywhere_is_found(void **state)
{
	struct fixture *f = *state;
	struct checks v;
	struct err e;
	struct blob cms, annex;

	make_gone(f, true);
	make_certificate(f);
	cms = load(f, CERTIFICATE_CMS);
	annex = load(f, CERTIFICATE_ANNEX);
	for (size_t i = 0; i < annex.size; i += stride()) {
		annex.data[i] ^= 1;
		assert_int_equal(judge(f, &cms, "ca.pem", &annex, &v, &e), -1);
		assert_int_equal(e.code, MUNI_DAMAGED);
		annex.data[i] ^= 1;
	}
	annex.size -= 10;
	assert_int_equal(judge(f, &cms, "ca.pem", &annex, &v, &e), -1);
	for (size_t i = 0; i < cms.size; i += 61 * stride()) {
		cms.data[i] ^= 4;
		if (judge(f, &cms, "ca.pem", NULL, &v, &e) == 0)
			fail_msg("byte %zu of %zu", i, cms.size);
		cms.data[i] ^= 4;
	}
	free(cms.data);
	free(annex.data);
}

static void who_is_not_vouched_for_is_not_trusted(void **state)
{
	struct fixture *f = *state;
	struct checks v;
	struct err e;
	struct blob cms;

	make_gone(f, true);
	make_certificate(f);
	people_do(&f->people, "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 "
			      "-nodes -keyout o.key -out other.pem -days 3650 -subj /CN=Other");
	cms = load(f, CERTIFICATE_CMS);
	assert_int_equal(judge(f, &cms, "other.pem", NULL, &v, &e), -1);
	assert_int_equal(e.code, MUNI_REFUSED);
	free(cms.data);
}

static void a_quorum_that_was_not_met_is_found(void **state)
{
	struct fixture *f = *state;
	struct checks v;
	struct err e;
	struct blob cms;

	make_gone(f, false);
	make_certificate(f);
	cms = load(f, CERTIFICATE_CMS);
	assert_int_equal(judge(f, &cms, "ca.pem", NULL, &v, &e), -1);
	assert_int_equal(e.code, MUNI_REFUSED);
	assert_non_null(strstr(e.text, "witness"));
	free(cms.data);
}

static void four_people_sign_one_certificate(void **state)
{
	static const char *const more[] = { "weber", "novak", "li" };
	struct fixture *f = *state;
	struct checks v;
	struct err e = ERR_NONE;
	struct blob cms;
	char line[512];

	make_gone(f, true);
	make_certificate(f);
	for (size_t i = 0; i < 3; i++) {
		struct officer_key *k = key_of(f, more[i]);

		now += 60;
		if (certificate_sign(f->vault, f->id, more[i], k, &e) < 0)
			fail_msg("%s", e.text);
		assert_int_equal(certificate_sign(f->vault, f->id, more[i], k, &e), -1);
		assert_int_equal(e.code, MUNI_EXISTS);
		officer_key_close(k);
	}
	cms = load(f, CERTIFICATE_CMS);
	if (judge(f, &cms, "ca.pem", NULL, &v, &e) < 0)
		fail_msg("%s\n%s", e.text, v.said);
	assert_non_null(strstr(v.said, "4 signatures"));
	snprintf(line, sizeof line, "openssl cms -verify -binary -inform DER -in a/certificates/"
		 "C1.p7m -CAfile ca.pem -purpose any -attime %lld -out content",
		 (long long)now);
	people_do(&f->people, line);
	free(cms.data);
}

static int count_certified(void *arg, const struct audit_entry *a)
{
	unsigned *count = arg;

	*count += a->entry.act == LOG_CERTIFIED;
	return 0;
}

static unsigned certified_entries(struct fixture *f)
{
	struct err e = ERR_NONE;
	unsigned count = 0;

	if (audit_each(f->vault, 0, count_certified, &count, &e) < 0)
		fail_msg("%s", e.text);
	return count;
}

/* What a crash between the certificate and the log leaves: the one signed, the other not. */
static void a_signature_that_was_cut_off_before_the_log_is_named_when_given_again(void **state)
{
	struct fixture *f = *state;
	struct officer_key *weber = key_of(f, "weber"), *chen = key_of(f, "chen");
	uint8_t *der = NULL, *signed_der = NULL;
	size_t size, signed_size;
	struct err e = ERR_NONE;
	struct blob after;
	unsigned before;

	make_gone(f, true);
	make_certificate(f);
	before = certified_entries(f);
	if (certificate_read(f->vault, f->id, &der, &size, &e) < 0 ||
	    cms_add_signature(der, size, weber, now, &signed_der, &signed_size, &e) < 0 ||
	    certificate_file_put(f->vault, f->id, CERTIFICATE_CMS, signed_der, signed_size,
				 &e) < 0 ||
	    certificate_sign(f->vault, f->id, "weber", weber, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(certified_entries(f), before + 1);
	after = load(f, CERTIFICATE_CMS);
	assert_int_equal(after.size, signed_size);
	assert_memory_equal(after.data, signed_der, signed_size);
	assert_int_equal(certificate_sign(f->vault, f->id, "weber", weber, &e), -1);
	assert_int_equal(e.code, MUNI_EXISTS);
	/* Who made it is named by the entry of its making. */
	assert_int_equal(certificate_sign(f->vault, f->id, "chen", chen, &e), -1);
	assert_int_equal(e.code, MUNI_EXISTS);
	assert_int_equal(certified_entries(f), before + 1);
	free(after.data);
	free(der);
	free(signed_der);
	officer_key_close(weber);
	officer_key_close(chen);
}

/* Killed between the files and the row: the next run takes what lies there. */
static void a_certificate_that_a_crash_left_is_taken_not_made_again(void **state)
{
	struct fixture *f = *state;
	struct officer_key *chen = key_of(f, "chen");
	struct blob before, after;
	struct err e = ERR_NONE;

	make_gone(f, true);
	/* Everything but the row: as settle() would have found it. */
	people_do(&f->people, "cp -a a before && cp a.keyring before.keyring");
	make_certificate(f);
	before = load(f, CERTIFICATE_CMS);
	people_do(&f->people, "cp -a a/certificates kept");
	vault_close(f->vault);
	f->vault = NULL;
	people_do(&f->people, "rm -rf a a.anchor ./*.anchor && mv before a && rm -rf "
			      "a/certificates && mv kept a/certificates");
	if (vault_open(f->archive, &f->options, VAULT_WRITE, &f->vault, &e) < 0)
		fail_msg("%s", e.text);
	now += 500;
	make_certificate(f);
	after = load(f, CERTIFICATE_CMS);
	assert_int_equal(before.size, after.size);
	assert_memory_equal(before.data, after.data, before.size);
	free(before.data);
	free(after.data);
	officer_key_close(chen);
}

static void declared_copies_of_the_keyring_take_the_claim_away(void **state)
{
	struct fixture *f = *state;
	struct blob cms;
	struct err e = ERR_NONE;
	int64_t id;

	assert_int_equal(vault_copy_declare(f->vault, "keyring", "safe of the bank", &id, &e), 0);
	assert_int_equal(vault_copy_declare(f->vault, "tapes", "x", &id, &e), -1);
	assert_int_equal(e.code, MUNI_USAGE);
	assert_int_equal(vault_copy_settle(f->vault, 99, "lost", &e), -1);
	assert_int_equal(e.code, MUNI_NOT_FOUND);
	make_gone(f, true);
	make_certificate(f);
	cms = load(f, CERTIFICATE_CMS);
	assert_non_null(memmem(cms.data, cms.size, "safe of the bank", 16));
	assert_null(memmem(cms.data, cms.size, "no copy or older state of the keyring", 37));
	free(cms.data);
}

/* The catalogue cannot say who the authority is: nobody was asked, so nobody was silent. */
static void what_fails_before_an_authority_is_asked_is_not_its_silence(void **state)
{
	const size_t too_long = 300u * 1024;
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	char *url = calloc(1, too_long + 1);

	assert_non_null(url);
	memset(url, 'u', too_long);
	assert_int_equal(catalogue_begin(f->vault->catalogue, &e), 0);
	assert_int_equal(catalogue_authority_put(f->vault->catalogue, url, "ca", &e), 0);
	free(url);
	assert_int_equal(clearance_clock(f->vault, &e), -1);
	assert_int_equal(e.code, MUNI_DAMAGED);
	assert_null(strstr(e.text, "gave no time-stamp"));
	catalogue_rollback(f->vault->catalogue);

	/* One that is named and does not answer is, and that refuses. */
	e = ERR_NONE;
	assert_int_equal(catalogue_begin(f->vault->catalogue, &e), 0);
	assert_int_equal(catalogue_authority_put(f->vault->catalogue, "http://127.0.0.1:1/", "ca",
						 &e), 0);
	assert_int_equal(clearance_clock(f->vault, &e), -1);
	assert_int_equal(e.code, MUNI_REFUSED);
	assert_non_null(strstr(e.text, "gave no time-stamp"));
	catalogue_rollback(f->vault->catalogue);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_certificate_holds_here_and_for_the_stock_tool),
		T(who_was_an_officer_for_long_is_not_noted),
		T(it_is_made_once),
		T(what_is_not_gone_is_not_certified),
		T(what_an_adversary_still_reads_is_not_certified),
		T(one_changed_byte_anywhere_is_found),
		T(who_is_not_vouched_for_is_not_trusted),
		T(a_quorum_that_was_not_met_is_found),
		T(what_fails_before_an_authority_is_asked_is_not_its_silence),
		T(four_people_sign_one_certificate),
		T(a_signature_that_was_cut_off_before_the_log_is_named_when_given_again),
		T(a_certificate_that_a_crash_left_is_taken_not_made_again),
		T(declared_copies_of_the_keyring_take_the_claim_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
