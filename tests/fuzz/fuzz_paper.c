/* A certificate that somebody signed, put on paper (`muni cert pdf FILE`): any JSON, in
 * either language, by the first byte. */
#include <jansson.h>
#include <string.h>

#include "fs/base/err.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/json_mutate.h"
#include "tools/paper_certificate.h"

/* What fonts and shapes Pango keeps for the next page. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libfontconfig\nleak:libpango\nleak:libcairo\nleak:libglib\nleak:libharfbuzz\n";
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	return json_mutate(data, size, max_size, 1, seed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct paper_signer people[] = { { "CN=Ann\x1b, O=B<b>oard", 1700000000 },
						      { "", -1 } };
	struct err e = ERR_NONE;
	uint8_t *pdf = NULL;
	size_t pdf_size = 0;
	json_t *content;

	if (size == 0)
		return 0;
	content = json_loadb((const char *)data + 1, size - 1, JSON_REJECT_DUPLICATES, NULL);
	if (!content)
		return 0;
	if (paper_certificate(content, "0123456789abcdef", people, 2, data[0] & 1, &pdf, &pdf_size,
			      &e) == 0)
		MUST(pdf_size > 4 && memcmp(pdf, "%PDF", 4) == 0);
	else
		MUST(pdf == NULL && *e.text);
	free(pdf);
	json_decref(content);
	return 0;
}
