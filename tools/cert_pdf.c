/*
 * muni cert pdf: of an archive's certificate, or of a file alone.
 */
#include <stdlib.h>
#include <string.h>

#include "fs/base/canonical.h"
#include "tools/cert.h"
#include "tools/paper_certificate.h"
#include "tools/user_file.h"

#define CERTIFICATE_MAX (64u << 20)

static int lay_out(const struct cms_signer *signers, size_t count, const char *hex,
		   const json_t *content, const struct cert_words *w, struct err *e)
{
	struct paper_signer *people = calloc(count + 1, sizeof *people);
	uint8_t *pdf = NULL;
	size_t size = 0;
	int rc;

	if (!people)
		return err_set(e, MUNI_NO_MEMORY, "no memory for the signers");
	for (size_t i = 0; i < count; i++)
		people[i] = (struct paper_signer){ signers[i].identity.subject,
						   signers[i].signed_at };
	rc = paper_certificate(content, hex, people, count, strcmp(w->lang, "zh") == 0, &pdf,
			       &size, e);
	if (rc == 0)
		rc = user_file_save(w->to, pdf, size, e);
	free(pdf);
	free(people);
	return rc;
}

/* Only what its signatures hold for is put on paper. */
static int print(const uint8_t *der, size_t size, const struct cert_words *w, struct err *e)
{
	struct cms_signer *signers = NULL;
	uint8_t *text = NULL;
	size_t text_size, count = 0;
	json_t *content = NULL;
	char hex[DIGEST_HEX_SIZE];
	int rc = -1;

	if (cms_verify_attached(der, size, &text, &text_size, &signers, &count, e) == 0 &&
	    canonical_load(text, text_size, &content, e) == 0) {
		struct digest of = digest_of(text, text_size);

		digest_hex(&of, hex);
		rc = lay_out(signers, count, hex, content, w, e);
	}
	cms_signers_free(signers, count);
	json_decref(content);
	free(text);
	return rc;
}

int cert_pdf(struct cli *cli, struct vault *v, const void *words, struct err *e)
{
	const struct cert_words *w = words;
	uint8_t *der = NULL;
	size_t size;
	int rc = certificate_read(v, w->id, &der, &size, e);

	(void)cli;
	if (rc == 0)
		rc = print(der, size, w, e);
	free(der);
	return rc;
}

int cert_pdf_of_file(struct cli *cli, const struct cert_words *w, struct err *e)
{
	uint8_t *der = NULL;
	size_t size;
	int rc = user_file_load(cli->operands[1], CERTIFICATE_MAX, &der, &size, e);

	if (rc == 0)
		rc = print(der, size, w, e);
	free(der);
	return rc;
}
