/*
 * A time-stamp of which others changed bytes: the input is a list of changes (der_edit.h) of an
 * authority's whole answer, or, by its first byte, stands for itself.  What is taken speaks of
 * the digest that is asked about; where a certificate is in it, and always where the authority
 * is named, what was signed is as it was, and so is the time.
 */
#include <string.h>

#include <openssl/ts.h>

#include "fs/base/err.h"
#include "fs/crypt/officer.h"
#include "tests/fuzz/authority.h"
#include "tests/fuzz/der_edit.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/same_chance.h"

#define WHEN 1700000000
#define IS_RAW 1		/* of the first byte */
#define IS_BARE 2		/* the answer to change is one without a certificate */

static struct authority authority;
static struct digest of, another;
static struct der whole, bare;
static uint8_t *info;		/* TSTInfo, as it was signed */
static size_t info_size;

static void close_all(void)
{
	authority_close(&authority);
	free(info);
}

/* Of what is taken: TSTInfo as it stands in it, malloc'ed by OpenSSL, and whether it brings a
 * certificate along. */
static int read_info(const struct der *d, uint8_t **out, bool *is_carried)
{
	const uint8_t *at = d->bytes;
	TS_RESP *response = d2i_TS_RESP(NULL, &at, (long)d->size);
	PKCS7 *token = response ? TS_RESP_get_token(response) : NULL;
	int size;

	MUST(token && PKCS7_type_is_signed(token));
	size = i2d_TS_TST_INFO(TS_RESP_get_tst_info(response), out);
	*is_carried = sk_X509_num(token->d.sign->cert) > 0;
	TS_RESP_free(response);
	return size;
}

/* is_checked: its signature was; is_known: by the authority that is named. */
static void check_taken(const struct der *d, const struct digest *asked, bool is_checked,
			bool is_known)
{
	uint8_t *now = NULL;
	bool is_carried;
	const int size = read_info(d, &now, &is_carried);

	MUST(size > 0 && memmem(now, (size_t)size, asked->bytes, DIGEST_SIZE));
	MUST(is_known || is_checked == is_carried);
	if (is_checked)
		MUST((size_t)size == info_size && memcmp(now, info, info_size) == 0);
	OPENSSL_free(now);
}

static void judge(const struct der *d)
{
	const struct digest *const asked[] = { &of, &another };
	struct err e = ERR_NONE;
	int64_t when = 0;
	bool is_checked;

	for (unsigned i = 0; i < 2; i++) {
		if (timestamp_check(d->bytes, d->size, asked[i], &is_checked, &e) == 0)
			check_taken(d, asked[i], is_checked, false);
		else
			MUST(e.code == MUNI_DAMAGED && *e.text);
		e = ERR_NONE;
	}
	if (timestamp_verify(d->bytes, d->size, &of, authority.pem, strlen(authority.pem), &when,
			     &e) == 0) {
		MUST(when == WHEN);
		check_taken(d, &of, true, true);
	} else {
		MUST((e.code == MUNI_DAMAGED || e.code == MUNI_REFUSED) && *e.text);
	}
}

/* The token's certificates are the one element of tag [0] that has an X.509 in it: as a
 * change by each number in turn, until what is left is judged as one without. */
static void make_bare(void)
{
	size_t last, content, end;
	bool is_checked;

	der_last(&whole, &last, &content, &end);
	for (size_t number = 0; number <= last; number++) {
		const uint8_t change[] = { DER_WITHOUT, (uint8_t)number, (uint8_t)(number >> 8), 0 };
		struct err e = ERR_NONE;

		bare = whole;
		der_edit(&bare, change, sizeof change);
		if (bare.size + 300 < whole.size &&
		    timestamp_check(bare.bytes, bare.size, &of, &is_checked, &e) == 0 &&
		    !is_checked)
			return;
	}
	MUST(!"there is a certificate in it");
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct err e = ERR_NONE;
	uint8_t *answer;
	bool is_checked;
	int64_t when;

	(void)argc;
	(void)argv;
	same_chance();
	of = digest_of("x", 1);
	another = digest_of("y", 1);
	authority_open(&authority);
	info_size = authority_info(&of, WHEN, &info);
	whole.size = authority_answer(&authority, info, info_size, &answer);
	MUST(whole.size <= sizeof whole.bytes);
	memcpy(whole.bytes, answer, whole.size);
	free(answer);
	MUST(atexit(close_all) == 0);
	/* What is never taken would pass for a sound judge. */
	MUST(timestamp_check(whole.bytes, whole.size, &of, &is_checked, &e) == 0 && is_checked);
	MUST(timestamp_verify(whole.bytes, whole.size, &of, authority.pem, strlen(authority.pem),
			      &when, &e) == 0 && when == WHEN);
	make_bare();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct der d;

	if (size == 0 || size - 1 > sizeof d.bytes)
		return 0;
	if ((data[0] & IS_RAW) != 0) {
		memcpy(d.bytes, data + 1, size - 1);
		d.size = size - 1;
	} else {
		d = (data[0] & IS_BARE) != 0 ? bare : whole;
		der_edit(&d, data + 1, size - 1);
	}
	judge(&d);
	return 0;
}
