#include "tools/paper_certificate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "tools/paper_inside_certificate.h"
#include "tools/paper_words.h"

const char *sheet_word(const struct sheet *s, const char *english)
{
	return s->is_chinese ? paper_word_zh(english) : english;
}

const json_t *sheet_part(const struct sheet *s, const char *key)
{
	return json_object_get(s->content, key);
}

const char *sheet_text(const json_t *from, const char *key)
{
	const char *text = json_string_value(json_object_get(from, key));

	return text ? text : "";
}

const char *sheet_count(const json_t *from, const char *key, char out[32])
{
	json_int_t n = json_integer_value(json_object_get(from, key));

	return text_count(n > 0 ? (uint64_t)n : 0, out);
}

const char *sheet_join(const struct sheet *s, const json_t *list, const char *between,
		       char out[LINE_SIZE])
{
	json_t *value;
	size_t i, used = 0;

	out[0] = '\0';
	json_array_foreach(list, i, value) {
		const char *text = json_string_value(value);
		int n = snprintf(out + used, LINE_SIZE - used, "%s%s", i ? between : "",
				 text ? sheet_word(s, text) : "");

		if (n < 0 || (size_t)n >= LINE_SIZE - used)
			break;
		used += (size_t)n;
	}
	return out;
}

const char *sheet_time(const char *rfc3339, char out[48])
{
	if (strlen(rfc3339) < 16 || rfc3339[10] != 'T')
		snprintf(out, 48, "%s", rfc3339);
	else
		snprintf(out, 48, "%.10s %.5s UTC", rfc3339, rfc3339 + 11);
	return out;
}

void sheet_heading(struct sheet *s, const char *english)
{
	paper_heading(s->paper, sheet_word(s, english));
}

/* Texts come from names that others chose: no control reaches the page. */
void sheet_pair(struct sheet *s, const char *english, const char *text)
{
	paper_pair(s->paper, sheet_word(s, english), text);
}

void sheet_pair_mono(struct sheet *s, const char *english, const char *text)
{
	paper_pair_mono(s->paper, sheet_word(s, english), text);
}

void sheet_pair_count(struct sheet *s, const char *english, const json_t *from,
		      const char *key)
{
	char count[32];

	if (json_object_get(from, key))
		sheet_pair(s, english, sheet_count(from, key, count));
}

static void title(struct sheet *s)
{
	const json_t *identity = sheet_part(s, "identity");
	char below[200], qr[256], time[48];

	snprintf(below, sizeof below, "%s %s · %s %s", sheet_word(s, "Certificate"),
		 sheet_text(identity, "certificate"), sheet_word(s, "Disposition"),
		 sheet_text(identity, "disposition"));
	paper_title(s->paper, sheet_word(s, "Certificate of Destruction"), below);
	snprintf(qr, sizeof qr, "muniment:certificate:%s:%s:sha256:%s",
		 sheet_text(identity, "archive"), sheet_text(identity, "certificate"), s->hex);
	paper_digest(s->paper, sheet_word(s, "SHA-256 of the signed text of this certificate"),
		     s->hex, qr);
	sheet_heading(s, "1  Identity");
	sheet_pair(s, "Certificate", sheet_text(identity, "certificate"));
	sheet_pair_mono(s, "Archive", sheet_text(identity, "archive"));
	sheet_pair(s, "Disposition", sheet_text(identity, "disposition"));
	sheet_pair(s, "Kind", sheet_word(s, strcmp(sheet_text(identity, "kind"), "live") == 0 ?
		   "items of a live source" : "records of an archive"));
	sheet_pair(s, "Made", sheet_time(sheet_text(identity, "made"), time));
}

static void draw(struct paper *p, void *arg)
{
	struct sheet *s = arg;

	s->paper = p;
	title(s);
	sheet_what(s);
	sheet_why(s);
	sheet_clearance(s);
	sheet_media(s);
	sheet_how(s);
	sheet_verification(s);
	sheet_people(s);
	sheet_stays(s);
	sheet_proof(s);
}

int paper_certificate(const json_t *content, const char *hex, const struct paper_signer *signers,
		      size_t signer_count, bool is_chinese, uint8_t **pdf, size_t *size,
		      struct err *e)
{
	struct sheet s = { .content = content, .hex = hex, .signers = signers,
			   .signer_count = signer_count, .is_chinese = is_chinese };
	const json_t *identity = json_object_get(content, "identity");
	char heading[200], foot[200];
	struct paper_about about = { .title = heading, .subject = hex, .author = "muniment",
				     .made = sheet_text(identity, "made"), .foot = foot,
				     .is_chinese = is_chinese };

	snprintf(heading, sizeof heading, "%s %s",
		 sheet_word(&s, "Certificate of Destruction"),
		 sheet_text(identity, "certificate"));
	snprintf(foot, sizeof foot, "%s · %.8s · SHA-256 %.16s…",
		 sheet_text(identity, "certificate"), sheet_text(identity, "archive"), hex);
	return paper_make(&about, draw, &s, pdf, size, e);
}
