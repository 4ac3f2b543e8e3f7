/*
 * Runs the detector over texts from standard input, for evaluate.py: what it finds,
 * without the extractors that stand before it.
 *
 * In: "SIZE LABEL\n", then SIZE bytes, again and again; LABEL may be empty, else it is
 * what stands over the cell that the text is.  Out: a line of JSON for each text,
 * [[id, count, confidence, [[sample, offset], ...]], ...].
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "policy/detect/detect.h"

enum { LABEL_SIZE = 256 };

static const char *label_of(void *arg, uint64_t offset, struct passage_cursor *cursor)
{
	(void)cursor;
	(void)offset;
	return arg;
}

static void put_text(const char *text)
{
	putchar('"');
	for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
		if (*p == '"' || *p == '\\')
			printf("\\%c", *p);
		else if (*p < ' ' || *p == 0x7f)
			printf("\\u%04x", *p);
		else
			putchar(*p);
	}
	putchar('"');
}

static void put_findings(const struct detector *d)
{
	const char *comma = "";
	size_t count;
	const struct finding *findings = detector_findings(d, &count);

	putchar('[');
	for (size_t i = 0; i < count; i++) {
		const struct finding *f = &findings[i];

		if (f->count == 0)
			continue;
		printf("%s[\"%s\",%llu,%u,[", comma, f->id, (unsigned long long)f->count,
		       f->confidence);
		comma = ",";
		for (unsigned k = 0; k < f->sample_count; k++) {
			printf("%s[", k > 0 ? "," : "");
			put_text(f->samples[k].text);
			printf(",%llu]", (unsigned long long)f->samples[k].offset);
		}
		printf("]]");
	}
	puts("]");
	fflush(stdout);
}

static int look(struct detector *d, const char *label, const char *text, size_t size,
		struct err *e)
{
	struct passage passage = { .label = label_of, .arg = (void *)label,
				   .names_secrets = label != NULL };

	detector_reset(d);
	detector_begin(d, label != NULL ? &passage : NULL);
	if (detector_feed(d, text, size, e) < 0 || detector_end(d, e) < 0)
		return -1;
	put_findings(d);
	return 0;
}

/* 1: done, 0: no more, -1: not as it should be. */
static int read_text(char **text, size_t *size, char label[LABEL_SIZE])
{
	char *grown;

	label[0] = '\0';
	if (scanf("%zu", size) != 1)
		return 0;
	if (getchar() != ' ' || fgets(label, LABEL_SIZE, stdin) == NULL)
		return -1;
	label[strcspn(label, "\n")] = '\0';
	grown = realloc(*text, *size + 1);
	if (grown == NULL)
		return -1;
	*text = grown;
	return fread(*text, 1, *size, stdin) == *size ? 1 : -1;
}

int main(void)
{
	struct recognisers *r = NULL;
	struct detector *d = NULL;
	struct err e = ERR_NONE;
	char *text = NULL, label[LABEL_SIZE];
	size_t size;
	int more, rc = 1;

	if (recognisers_new(NULL, 0, &r, &e) < 0 || detector_new(r, &d, &e) < 0)
		goto out;
	while ((more = read_text(&text, &size, label)) > 0) {
		if (look(d, *label != '\0' ? label : NULL, text, size, &e) < 0)
			goto out;
	}
	rc = more == 0 ? 0 : 1;
out:
	if (rc != 0)
		fprintf(stderr, "detect_text: %s\n", e.code != MUNI_OK ? e.text :
			"standard input is not as it should be");
	free(text);
	detector_free(d);
	recognisers_free(r);
	return rc;
}
