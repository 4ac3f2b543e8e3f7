/* Letters: headers, bodies, attachments, and all the ways to write them badly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "fs/base/text.h"
#include "tests/unit/content/documents.h"
#include "tests/unit/content/examined.h"

#define HEAD "From: Al <al@example.org>\nTo: b@example.org\nDate: Mon, 1 Jan 2024 10:00:00 +0000\n"
#define MIXED HEAD "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"cut\"\n\n"

static const char *opaque(void **state)
{
	return ((struct bench *)*state)->seen.opaque;
}

static void assert_said(void **state, const char *what)
{
	if (!strstr(opaque(state), what))
		fail_msg("\"%s\" does not say \"%s\"", opaque(state), what);
}

static void assert_where(void **state, const char *mail, const char *where)
{
	const struct finding *f = examined(*state, "a.eml", mail, strlen(mail));

	assert_string_equal(((struct bench *)*state)->seen.format, "message/rfc822");
	if (!f)
		fail_msg("nothing found in: %s (\"%s\")", mail, opaque(state));
	assert_int_equal(f->count, 1);
	assert_string_equal(f->where, where);
}

static void assert_whole(void **state, const char *mail, const char *where)
{
	assert_where(state, mail, where);
	assert_string_equal(opaque(state), "");
}

static void headers_are_decoded(void **state)
{
	assert_whole(state, HEAD "Subject: =?utf-8?Q?token_TKN-47?= =?utf-8?B?MTE=?=\n\nbody\n",
		     "header");
	assert_whole(state, HEAD "Subject: a\n token\n TKN-4711\n\nbody\n", "header");
	assert_whole(state, HEAD "X-Token: TKN-4711\n\nbody\n", "header");
	assert_int_equal(((struct bench *)*state)->seen.findings[
		((struct bench *)*state)->seen.finding_count - 1].confidence, 90);
	/* Bytes that no charset was given for. */
	assert_whole(state, HEAD "Subject: \xb1\xe0\xba\xc5 token TKN-4711\n\nbody\n", "header");
}

static void bodies_are_decoded(void **state)
{
	assert_whole(state, HEAD "\nDear all,\nthe token TKN-4711 is gone\n", "body");
	assert_whole(state, HEAD "Content-Transfer-Encoding: quoted-printable\n\nthe token TKN=\n-47=31"
		     "1\n", "body");
	assert_whole(state, HEAD "Content-Transfer-Encoding: base64\n\ndGhlIHRva2VuIFRLTi00NzExIGlz\n"
		     "IGdvbmUK\n", "body");
	assert_whole(state, HEAD "Content-Type: text/plain; charset=gb2312\n\n\xb1\xe0\xba\xc5 token "
		     "TKN-4711\n", "body");
	assert_whole(state, HEAD "Content-Type: text/plain; charset=utf-16le\n"
		     "Content-Transfer-Encoding: base64\n\nVABLAE4ALQA0ADcAMQAxAAoA\n", "body");
	assert_whole(state, HEAD "Content-Type: text/html\n\n<p>token TKN<b>-47</b>11</p>\n", "body");
}

static void parts_and_letters_in_letters_are_read(void **state)
{
	assert_whole(state, MIXED "--cut\n\nhello\n--cut\nContent-Type: text/plain\n\nthe token "
		     "TKN-4711\n--cut--\n", "body");
	assert_whole(state, MIXED "--cut\nContent-Type: message/rfc822\n\n" HEAD "\nthe token TKN-4711\n"
		     "--cut--\n", "body");
	assert_whole(state, MIXED "before: token TKN-4711\n--cut\n\nhello\n--cut--\n",
		     "before its parts");
	assert_whole(state, MIXED "--cut\n\nhello\n--cut--\nbehind: token TKN-4711\n",
		     "behind its parts");
}

static void attachments_are_looked_into_by_name(void **state)
{
	static const struct sample_file file = { "in.txt", "a token, TKN-4711\n", 18 };
	struct buffer zip = sample_make("zip", NULL, NULL, &file, 1);
	char *packed = text_base64(zip.data, zip.size), mail[4000];

	assert_non_null(packed);
	snprintf(mail, sizeof mail, MIXED "--cut\n\nhello\n--cut\nContent-Type: application/octet-stream\n"
		 "Content-Disposition: attachment; filename*=utf-8''%%E9%%99%%84.zip\n"
		 "Content-Transfer-Encoding: base64\n\n%s\n--cut--\n", packed);
	assert_whole(state, mail, "\xe9\x99\x84.zip: in.txt: line 1");
	assert_whole(state, MIXED "--cut\nContent-Disposition: attachment; filename=a.csv\n\nname,token\n"
		     "Al,TKN-4711\nBo,x\n--cut--\n", "a.csv: column token, line 2");
	free(packed);
	buffer_free(&zip);
}

static void what_is_sealed_is_said(void **state)
{
	static const char *const sealed[][2] = {
		{ HEAD "Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; "
		  "boundary=cut\n\n--cut\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n--cut\n"
		  "Content-Type: application/octet-stream\n\nxxx\n--cut--\n", "encrypted (PGP)" },
		{ HEAD "Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\n"
		  "Content-Transfer-Encoding: base64\n\nMIIB\n", "encrypted (S/MIME)" },
		{ HEAD "\nhello\n\n-----BEGIN PGP " "MESSAGE-----\n\nabc\n-----END PGP MESSAGE-----\n",
		  "body: encrypted (PGP)" },
		{ HEAD "\nhello\n\nbegin 644 a.doc\nM`0``\n`\nend\n", "uuencoded" },
		{ HEAD "Content-Type: message/partial; id=x; number=1; total=2\n\nabc\n", "in pieces" },
	};

	for (size_t i = 0; i < sizeof sealed / sizeof *sealed; i++) {
		examined(*state, "a.eml", sealed[i][0], strlen(sealed[i][0]));
		assert_said(state, sealed[i][1]);
	}
}

static void broken_mail_loses_no_text(void **state)
{
	static const char *const broken[] = {
		/* a line that is no header, and with the value in it */
		HEAD "no header line\n\nthe token TKN-4711\n",
		HEAD "token TKN-4711\n\nbody\n",
		/* no end of the parts, no beginning, another boundary */
		MIXED "--cut\n\nthe token TKN-4711\n",
		MIXED "the token TKN-4711\n",
		MIXED "--other\n\nthe token TKN-4711\n--other--\n",
		/* said to be base64 */
		HEAD "Content-Transfer-Encoding: base64\n\nthe token: TKN-4711!\n",
		/* an unknown charset, an unknown encoding */
		HEAD "Content-Type: text/plain; charset=klingon\n\nthe token TKN-4711\n",
		HEAD "Content-Transfer-Encoding: rot13\n\nthe token TKN-4711\n",
		HEAD "Content-Type: nonsense\n\nthe token TKN-4711\n",
		/* cut off in the headers */
		HEAD "Subject: token TKN-4711",
	};

	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
		const struct finding *f = examined(*state, "a.eml", broken[i], strlen(broken[i]));

		if (!f)
			fail_msg("lost: %s (\"%s\")", broken[i], opaque(state));
	}
}

static void parts_without_end_in_one_another_are_stopped_and_said(void **state)
{
	struct buffer b = { .data = NULL };

	buffer_append(&b, HEAD, sizeof HEAD - 1);
	for (int i = 0; i < 3000; i++) {
		char part[200];
		int n = snprintf(part, sizeof part, "Content-Type: multipart/mixed; boundary=\"b%d\"\n\n"
				 "--b%d\n", i, i);

		buffer_append(&b, part, (size_t)n);
	}
	buffer_append(&b, "\nbottom\n", 8);
	examined(*state, "a.eml", b.data, b.size);
	assert_said(state, "nested");
	buffer_free(&b);
}

/* ---- mbox -------------------------------------------------------------------------------------- */

#define ENVELOPE "From al@example.org Mon Jan  1 10:00:00 2024\n"

static void messages_of_an_mbox_are_numbered(void **state)
{
	static const char mbox[] = ENVELOPE HEAD "\none\n\n" ENVELOPE HEAD "\nthe token TKN-4711\n\n"
				   ENVELOPE HEAD "Subject: three\n\nthree\n";
	const struct finding *f = examined(*state, "mbox", mbox, sizeof mbox - 1);

	assert_string_equal(((struct bench *)*state)->seen.format, "application/mbox");
	assert_non_null(f);
	assert_int_equal(f->count, 1);
	assert_string_equal(f->where, "message 2, body");
	assert_string_equal(opaque(state), "");
}

static void a_line_that_begins_with_from_costs_nothing(void **state)
{
	static const char mbox[] = ENVELOPE HEAD "\none\nFrom the desk of Al: token TKN-4711\nmore\n\n"
				   ENVELOPE HEAD "\nthe token TKN-4711\n";
	const struct finding *f = examined(*state, "mbox", mbox, sizeof mbox - 1);

	assert_non_null(f);
	assert_int_equal(f->count, 2);
	assert_string_equal(f->where, "message 1, body; message 2, body");
}

struct pipe {
	const struct buffer *from;
	size_t at;
};

static ssize_t read_pipe(void *arg, void *out, size_t size, struct err *e)
{
	struct pipe *p = arg;
	size_t left = p->from->size - p->at;

	(void)e;
	size = size < left ? size : left;
	memcpy(out, p->from->data + p->at, size);
	p->at += size;
	return (ssize_t)size;
}

/* More than may be held in memory, out of a pipe: message by message. */
static void a_large_mbox_that_comes_through_a_pipe_is_read_to_its_end(void **state)
{
	struct bench *b = *state;
	struct buffer mbox = { .data = NULL };
	struct pipe pipe = { .from = &mbox };
	struct input *in;
	struct err e = ERR_NONE;
	uint64_t count = 0;

	while (mbox.size < INPUT_WHOLE_MAX + (2u << 20)) {
		buffer_append(&mbox, ENVELOPE HEAD "\n", sizeof ENVELOPE HEAD);
		for (int i = 0; i < 2000; i++)
			buffer_append(&mbox, "a line of a letter that says nothing\n", 37);
		buffer_append(&mbox, "\n", 1);
	}
	buffer_append(&mbox, ENVELOPE HEAD "\nthe token TKN-4711\n", sizeof ENVELOPE HEAD + 19);
	in = input_of_stream(read_pipe, &pipe);
	examination_clear(&b->seen);
	assert_int_equal(looker_examine(b->looker, in, "mbox", &b->seen, &e), 0);
	for (size_t i = 0; i < b->seen.finding_count; i++)
		if (!strcmp(b->seen.findings[i].id, "test-token"))
			count = b->seen.findings[i].count;
	assert_int_equal(count, 1);
	assert_string_equal(b->seen.opaque, "");
	assert_int_equal(b->seen.size, mbox.size);
	input_free(in);
	buffer_free(&mbox);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_are_decoded),
		cmocka_unit_test(bodies_are_decoded),
		cmocka_unit_test(parts_and_letters_in_letters_are_read),
		cmocka_unit_test(attachments_are_looked_into_by_name),
		cmocka_unit_test(what_is_sealed_is_said),
		cmocka_unit_test(broken_mail_loses_no_text),
		cmocka_unit_test(parts_without_end_in_one_another_are_stopped_and_said),
		cmocka_unit_test(messages_of_an_mbox_are_numbered),
		cmocka_unit_test(a_line_that_begins_with_from_costs_nothing),
		cmocka_unit_test(a_large_mbox_that_comes_through_a_pipe_is_read_to_its_end),
	};

	return cmocka_run_group_tests(tests, bench_open, bench_close);
}
