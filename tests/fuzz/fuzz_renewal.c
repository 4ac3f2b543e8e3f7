/*
 * What lies in clear of renewals of the signing key (certificates/archive-*), where who has the
 * folder puts a link of his own beside the true one.  The input is 1 byte that says by whom its
 * two signatures are, two lists of changes of DER (der_edit.h), each behind 2 bytes of size, and the
 * text of the statement, in which a certificate of "A", "B" or "C" becomes theirs.
 *
 * A was the archive's key and B took its place: they signed that and nothing else.  C is whose
 * who likes.  Whatever is added, the keys that followed A's are B's alone, and so is what
 * came before B's: A's.
 */
#include <string.h>
#include <unistd.h>

#include "fs/base/bytes.h"
#include "fs/base/canonical.h"
#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/crypt/sign.h"
#include "fs/vault/renewal_inside.h"
#include "tests/fuzz/der_edit.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/json_mutate.h"
#include "tests/fuzz/same_chance.h"
#include "tests/fuzz/scratch.h"

#define NOW 1700000000
#define ID "0123456789abcdef0123456789abcdef"
#define TRUE_NAME "archive-00000000000000bb"
#define OTHER_NAME "archive-00000000000000cc"

enum who {
	A,
	B,
	C,
	PEOPLE
};

static struct person {
	struct signer *signer;
	struct digest certificate;
	char *text;		/* base64 of its DER */
	struct der signature;	/* over the true statement; C: none */
} people[PEOPLE];
static char *truth;
static size_t truth_size;
static int folder;

static void close_all(void)
{
	for (enum who w = A; w < PEOPLE; w++) {
		signer_free(people[w].signer);
		free(people[w].text);
	}
	free(truth);
	close(folder);
}

static void begin(struct person *p)
{
	struct err e = ERR_NONE;
	uint8_t *cert;
	size_t size;

	MUST(signer_generate(ID, SIGNER_P256, NOW, &p->signer, &e) == 0);
	MUST(signer_certificate(p->signer, &cert, &size, &e) == 0);
	p->certificate = digest_of(cert, size);
	p->text = text_base64(cert, size);
	MUST(p->text);
	free(cert);
}

static void sign(const struct person *p, const char *text, size_t size, struct der *out)
{
	struct err e = ERR_NONE;
	uint8_t *bytes;

	MUST(sign_detached(p->signer, text, size, NOW, &bytes, &out->size, &e) == 0);
	MUST(out->size <= sizeof out->bytes);
	memcpy(out->bytes, bytes, out->size);
	free(bytes);
}

static void put_link(const char *name, const char *text, size_t size, const struct der *before,
		     const struct der *after)
{
	char path[64];

	snprintf(path, sizeof path, "%s.json", name);
	scratch_put(folder, path, text, size);
	snprintf(path, sizeof path, "%s.p7s", name);
	scratch_put(folder, path, before->bytes, before->size);
	snprintf(path, sizeof path, "%s.new.p7s", name);
	scratch_put(folder, path, after->bytes, after->size);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct err e = ERR_NONE;
	json_t *o;

	(void)argc;
	(void)argv;
	same_chance();
	folder = scratch_folder();
	for (enum who w = A; w < PEOPLE; w++)
		begin(&people[w]);
	o = json_pack("{s:s, s:I, s:s, s:{s:s}, s:{s:s}}", "archive", ID, "entry", (json_int_t)7,
		      "type", RENEWAL_TYPE, "before", "certificate", people[A].text, "after",
		      "certificate", people[B].text);
	MUST(o && canonical_dump(o, &truth, &truth_size, &e) == 0);
	json_decref(o);
	sign(&people[A], truth, truth_size, &people[A].signature);
	sign(&people[B], truth, truth_size, &people[B].signature);
	put_link(TRUE_NAME, truth, truth_size, &people[A].signature, &people[B].signature);
	MUST(atexit(close_all) == 0);
	return 0;
}

static void put_certificate(json_t *o)
{
	const char *text = json_string_value(json_object_get(o, "certificate"));

	if (text && strlen(text) == 1 && *text >= 'A' && *text < 'A' + PEOPLE)
		json_object_set_new(o, "certificate", json_string(people[*text - 'A'].text));
}

/* malloc'ed. */
static char *text_of(const uint8_t *data, size_t size, size_t *out)
{
	json_t *o = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
	struct err e = ERR_NONE;
	char *text = NULL;

	put_certificate(json_object_get(o, "before"));
	put_certificate(json_object_get(o, "after"));
	if (!o || canonical_dump(o, &text, out, &e) < 0) {
		text = malloc(size + 1);
		MUST(text);
		memcpy(text, data, size);
		*out = size;
	}
	json_decref(o);
	return text;
}

/* A and B sign the truth alone, whatever is made of that afterwards. */
static void put_signature(enum who who, const char *text, size_t size, const uint8_t *changes,
			  size_t changes_size, struct der *out)
{
	if (who == C)
		sign(&people[C], text, size, out);
	else
		*out = people[who].signature;
	der_edit(out, changes, changes_size);
}

static void check(void)
{
	struct renewal_links links;
	struct signatories later = { .count = 0 }, former = { .count = 0 };
	struct err e = ERR_NONE;

	MUST(renewal_links_load(folder, ID, &links, &e) == 0);
	MUST(links.count == 1 || links.count == 2);	/* the true one is found */
	MUST(signatories_add(&later, &people[A].certificate, SIGNATORY_PRESENT) == 0);
	MUST(renewal_links_forward(&links, &later) && later.count == 2);
	MUST(digest_equal(&later.list[1].certificate, &people[B].certificate));
	MUST(signatories_add(&former, &people[B].certificate, SIGNATORY_PRESENT) == 0);
	renewal_links_back(&links, &former);
	MUST(former.count == 2 && former.list[0].until == 7);
	MUST(digest_equal(&former.list[0].certificate, &people[A].certificate));
	for (size_t i = 0; i < links.count; i++)
		MUST(links.list[i].entry > 0 && links.list[i].entry <= INT64_MAX);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	struct reader r = reader_over(data, size);

	reader_u8(&r);
	reader_view(&r, reader_u16(&r));
	reader_view(&r, reader_u16(&r));
	return json_mutate(data, size, max_size, r.underflow ? size : r.used, seed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct der before, after;
	struct reader r = reader_over(data, size);
	const uint8_t by = reader_u8(&r);
	const size_t before_size = reader_u16(&r);
	const uint8_t *of_before = reader_view(&r, before_size);
	const size_t after_size = reader_u16(&r);
	const uint8_t *of_after = reader_view(&r, after_size);
	size_t text_size = 0;
	char *text;

	if (r.underflow)
		return 0;
	text = text_of(data + r.used, reader_left(&r), &text_size);
	put_signature(by % PEOPLE, text, text_size, of_before, before_size, &before);
	put_signature(by / PEOPLE % PEOPLE, text, text_size, of_after, after_size, &after);
	put_link(OTHER_NAME, text, text_size, &before, &after);
	check();
	free(text);
	return 0;
}
