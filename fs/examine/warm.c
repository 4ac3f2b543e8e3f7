#include "fs/examine/warm.h"

#include <malloc.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/content/encoding.h"
#include "fs/content/look.h"

/* One small specimen of each family of readers: as little as makes its library
 * come up. */
struct specimen {
	const char *name;
	const char *bytes;
};

static const struct specimen specimens[] = {
	{ "a.txt", "A line of text.\n" },
	{ "a.xml", "<?xml version=\"1.0\"?>\n<a b=\"c\">text</a>\n" },
	{ "a.html", "<!DOCTYPE html>\n<html><head><title>t</title></head><body><p>text &amp; "
		    "more</p></body></html>\n" },
	{ "a.json", "{\"a\": [1, \"text\"]}\n" },
	{ "a.csv", "name,number\nAlice,1\nBob,2\n" },
	{ "a.sql", "CREATE TABLE t (a INTEGER, b TEXT);\nINSERT INTO t VALUES (1, 'text');\n" },
	{ "a.eml", "From: a@example.org\nTo: b@example.org\nDate: Mon, 1 Jan 2024 00:00:00 +0000\n"
		   "Subject: =?gb2312?B?1tDOxA==?=\nMIME-Version: 1.0\n"
		   "Content-Type: multipart/mixed; boundary=\"b\"\n\n--b\n"
		   "Content-Type: text/plain; charset=gb18030\n"
		   "Content-Transfer-Encoding: base64\n\n1tDOxAo=\n--b\n"
		   "Content-Type: text/plain; charset=iso-2022-jp\n"
		   "Content-Transfer-Encoding: quoted-printable\n\n=1B$B4A=1B(B\n--b--\n" },
};

static int look_at_specimen(struct looker *k, const struct specimen *s, struct err *e)
{
	struct input *in = input_of_memory(s->bytes, strlen(s->bytes));
	struct examination x = { .findings = NULL };
	int rc;

	if (!in)
		return err_set(e, MUNI_NO_MEMORY, "no memory to look into files");
	rc = looker_examine(k, in, s->name, &x, e);
	examination_clear(&x);
	input_free(in);
	return rc;
}

int warm_up(struct looker *k, struct err *e)
{
	/* What one small file needed the next one needs again: kept, for a fresh page
	 * costs more than the search of it.  What a large one needed goes back. */
	(void)mallopt(M_MMAP_THRESHOLD, 2 << 20);
	(void)mallopt(M_TRIM_THRESHOLD, 8 << 20);
	(void)mallopt(M_ARENA_MAX, 1);
	if (encoding_preload(e) < 0)
		return -1;
	for (size_t i = 0; i < sizeof specimens / sizeof *specimens; i++)
		if (look_at_specimen(k, &specimens[i], e) < 0)
			return err_wrap(e, "trying out the reader of %s", specimens[i].name);
	return 0;
}
