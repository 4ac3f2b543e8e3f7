/* A file of somebody's, looked into as muni-examine does: any bytes under any name. */
#include <string.h>

#include "fs/base/err.h"
#include "fs/content/input.h"
#include "fs/content/look.h"
#include "tests/fuzz/fuzz.h"

static const char *const names[] = {
	"a", "a.csv", "a.json", "a.jsonl", "a.xml", "a.html", "a.sql", "a.eml", "a.mbox",
	"a.pdf", "a.docx", "a.xlsx", "a.odt", "a.zip", "a.tar", "a.txt", "a.sqlite", "a.gz",
	"a.doc", "a.yaml",
};

static struct looker *looker;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const struct look_limits limits = { .depth = 3, .expanded = 4u << 20,
						   .ratio = 20, .members = 200 };
	struct recognisers *set;
	struct err e = ERR_NONE;

	(void)argc;
	(void)argv;
	MUST(recognisers_new(NULL, 0, &set, &e) == 0);
	MUST(looker_new(set, &limits, &looker, &e) == 0);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct examination x;
	struct err e = ERR_NONE;
	struct input *in;

	if (size == 0)
		return 0;
	in = input_of_memory(data + 1, size - 1);
	MUST(in);
	if (looker_examine(looker, in, names[data[0] % (sizeof names / sizeof *names)], &x,
			   &e) == 0)
		MUST(x.size == size - 1 && memchr(x.opaque, 0, sizeof x.opaque));
	examination_clear(&x);
	input_free(in);
	return 0;
}
