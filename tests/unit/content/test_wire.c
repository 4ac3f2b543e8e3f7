/* What passes between a scan and muni-examine: whole, bounded, believed in nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/content/wire.h"

static uint32_t random_state;

static uint32_t next_random(void)
{
	random_state = random_state * 1664525 + 1013904223;
	return random_state >> 8;
}

/* ---- examinations ------------------------------------------------------------------------ */

static void fill(char *out, size_t size, char with)
{
	memset(out, with, size - 1);
	out[size - 1] = '\0';
}

/* As much of everything as there may be. */
static struct examination a_full_examination(size_t findings)
{
	struct examination x = { .size = 1ull << 40, .has_sha256 = true };

	memset(x.sha256.bytes, 0xab, sizeof x.sha256.bytes);
	fill(x.format, sizeof x.format, 'f');
	fill(x.claimed, sizeof x.claimed, 'c');
	fill(x.encoding, sizeof x.encoding, 'e');
	fill(x.script, sizeof x.script, 's');
	fill(x.opaque, sizeof x.opaque, 'o');
	x.findings = calloc(findings + 1, sizeof *x.findings);
	assert_non_null(x.findings);
	x.finding_count = findings;
	for (size_t i = 0; i < findings; i++) {
		struct finding *f = &x.findings[i];

		fill(f->id, sizeof f->id, 'i');
		fill(f->where, sizeof f->where, 'w');
		f->count = 1000 + i;
		f->confidence = 100;
		f->sensitivity = SENSITIVITY_RESTRICTED;
		f->sample_count = SAMPLES_MAX;
		for (unsigned k = 0; k < SAMPLES_MAX; k++) {
			fill(f->samples[k].text, sizeof f->samples[k].text, '*');
			fill(f->samples[k].where, sizeof f->samples[k].where, 'p');
			f->samples[k].offset = UINT64_MAX - k;
		}
	}
	return x;
}

static void an_examination_survives_the_wire(void **state)
{
	struct examination in = a_full_examination(FINDINGS_MAX), out;
	struct buffer b = { .data = NULL };
	struct err e = ERR_NONE;
	struct reader r;

	(void)state;
	assert_int_equal(examination_write(&in, &b, &e), 0);
	assert_true(b.size <= EXAMINATION_MAX);
	r = reader_over(b.data, b.size);
	assert_int_equal(examination_read(&r, &out, &e), 0);
	assert_int_equal(out.size, in.size);
	assert_true(digest_equal(&out.sha256, &in.sha256));
	assert_string_equal(out.format, in.format);
	assert_string_equal(out.opaque, in.opaque);
	assert_int_equal(out.finding_count, FINDINGS_MAX);
	assert_memory_equal(out.findings, in.findings, FINDINGS_MAX * sizeof *in.findings);
	examination_clear(&out);
	examination_clear(&in);
	buffer_free(&b);
}

static void more_findings_than_fit_are_left_out(void **state)
{
	struct examination in = a_full_examination(FINDINGS_MAX + 10), out;
	struct buffer b = { .data = NULL };
	struct err e = ERR_NONE;
	struct reader r;

	(void)state;
	assert_int_equal(examination_write(&in, &b, &e), 0);
	r = reader_over(b.data, b.size);
	assert_int_equal(examination_read(&r, &out, &e), 0);
	assert_int_equal(out.finding_count, FINDINGS_MAX);
	examination_clear(&out);
	examination_clear(&in);
	buffer_free(&b);
}

static void a_text_of_any_bytes_arrives_as_printable_text(void **state)
{
	static const char *const bad[] = { "a\nb", "a\x1b[2Jb", "\xff\xfe", "\xc3", "\xed\xa0\x80" };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct examination in = a_full_examination(1), out;
		struct buffer b = { .data = NULL };
		struct err e = ERR_NONE;
		struct reader r;

		snprintf(in.opaque, sizeof in.opaque, "%s", bad[i]);
		snprintf(in.findings->where, sizeof in.findings->where, "%s", bad[i]);
		assert_int_equal(examination_write(&in, &b, &e), 0);
		r = reader_over(b.data, b.size);
		assert_int_equal(examination_read(&r, &out, &e), 0);
		assert_string_equal(out.opaque, text_printable(bad[i]));
		assert_string_equal(out.findings->where, text_printable(bad[i]));
		examination_clear(&out);
		examination_clear(&in);
		buffer_free(&b);
	}
}

/* Each in a block of exactly its size, so that a read past it is seen by ASan. */
static int read_copy(const uint8_t *data, size_t size)
{
	uint8_t *exact = malloc(size ? size : 1);
	struct examination out;
	struct err e = ERR_NONE;
	struct reader r;
	int rc;

	assert_non_null(exact);
	memcpy(exact, data, size);
	r = reader_over(exact, size);
	rc = examination_read(&r, &out, &e);
	if (rc < 0) {
		assert_int_equal(e.code, MUNI_DAMAGED);
		assert_null(out.findings);
	}
	for (size_t i = 0; rc == 0 && i < out.finding_count; i++) {
		assert_true(out.findings[i].sample_count <= SAMPLES_MAX);
		assert_true(out.findings[i].confidence <= 100);
		assert_true(text_is_utf8(out.findings[i].where, strlen(out.findings[i].where)));
	}
	examination_clear(&out);
	free(exact);
	return rc;
}

static void an_examination_cut_anywhere_is_refused(void **state)
{
	struct examination in = a_full_examination(3);
	struct buffer b = { .data = NULL };
	struct err e = ERR_NONE;

	(void)state;
	assert_int_equal(examination_write(&in, &b, &e), 0);
	for (size_t size = 0; size < b.size; size++)
		assert_int_equal(read_copy(b.data, size), -1);
	assert_int_equal(read_copy(b.data, b.size), 0);
	buffer_u8(&b, 0);
	assert_int_equal(read_copy(b.data, b.size), -1);
	examination_clear(&in);
	buffer_free(&b);
}

static void nonsense_in_an_examination_is_refused_or_harmless(void **state)
{
	struct examination in = a_full_examination(3);
	struct buffer b = { .data = NULL };
	struct err e = ERR_NONE;

	(void)state;
	random_state = 7;
	assert_int_equal(examination_write(&in, &b, &e), 0);
	for (unsigned n = 0; n < 5000; n++) {
		uint8_t *copy = malloc(b.size);

		assert_non_null(copy);
		memcpy(copy, b.data, b.size);
		for (unsigned k = 0; k <= n % 4; k++) {
			size_t at = next_random() % b.size;

			copy[at] = (uint8_t)next_random();
		}
		(void)read_copy(copy, b.size);
		free(copy);
	}
	examination_clear(&in);
	buffer_free(&b);
}

static void what_no_honest_worker_says_is_refused(void **state)
{
	struct err e = ERR_NONE;

	(void)state;
	for (unsigned n = 0; n < 5; n++) {
		struct examination in = a_full_examination(1);
		struct buffer b = { .data = NULL };

		if (n == 0)
			in.findings->confidence = 101;
		else if (n == 1)
			in.findings->count = 0;
		else if (n == 2)
			*in.findings->id = '\0';
		else if (n == 3)
			in.findings->sensitivity = (enum sensitivity)4;
		else
			in.size = UINT64_MAX;
		assert_int_equal(examination_write(&in, &b, &e), 0);
		assert_int_equal(read_copy(b.data, b.size), -1);
		examination_clear(&in);
		buffer_free(&b);
	}
}

/* ---- messages ----------------------------------------------------------------------------- */

static void a_custom_recogniser_survives_the_wire(void **state)
{
	char id[] = "staff-id", pattern[] = "S[0-9]{6}", check[] = "luhn", one[] = "staff",
	     two[] = "\xe5\xb7\xa5\xe5\x8f\xb7", *context[] = { one, two, NULL };
	const struct custom_recogniser in = { .id = id, .pattern = pattern, .check = check,
					      .context = context, .alone = 50, .in_context = 90,
					      .sensitivity = SENSITIVITY_CONFIDENTIAL,
					      .ignores_case = true };
	struct custom_recogniser out;
	struct buffer b = { .data = NULL };
	struct err e = ERR_NONE;
	struct reader r;

	(void)state;
	assert_int_equal(wire_put_custom(&b, &in, &e), 0);
	for (size_t size = 0; size <= b.size; size++) {
		uint8_t *exact = malloc(size ? size : 1);

		assert_non_null(exact);
		memcpy(exact, b.data, size);
		r = reader_over(exact, size);
		assert_int_equal(wire_get_custom(&r, &out, &e), size < b.size ? -1 : 0);
		free(exact);
		if (size < b.size)
			assert_null(out.id);
	}
	assert_string_equal(out.id, id);
	assert_null(out.title);
	assert_string_equal(out.pattern, pattern);
	assert_string_equal(out.check, check);
	assert_string_equal(out.context[1], two);
	assert_null(out.context[2]);
	assert_int_equal(out.alone, 50);
	assert_int_equal(out.sensitivity, SENSITIVITY_CONFIDENTIAL);
	assert_true(out.ignores_case);
	wire_custom_clear(&out);
	buffer_free(&b);
}

static void a_recogniser_that_is_too_large_is_refused(void **state)
{
	char id[] = "large", *pattern = malloc(WIRE_CUSTOM_MAX + 1);
	struct custom_recogniser in = { .id = id, .pattern = pattern };
	struct buffer b = { .data = NULL };
	struct err e = ERR_NONE;

	(void)state;
	assert_non_null(pattern);
	fill(pattern, WIRE_CUSTOM_MAX + 1, 'a');
	assert_int_equal(wire_put_custom(&b, &in, &e), -1);
	assert_int_equal(e.code, MUNI_LIMIT);
	free(pattern);
	buffer_free(&b);
}

static void another_version_is_refused_by_name(void **state)
{
	const struct wire_hello in = { .version = WIRE_VERSION + 1 };
	struct wire_hello out;
	struct buffer b = { .data = NULL };
	struct err e = ERR_NONE;
	struct reader r;

	(void)state;
	wire_put_hello(&b, &in);
	r = reader_over(b.data, b.size);
	assert_int_equal(wire_get_hello(&r, &out, &e), -1);
	assert_int_equal(e.code, MUNI_UNSUPPORTED);
	buffer_free(&b);
}

static void a_name_of_any_bytes_is_asked_for(void **state)
{
	struct wire_look in = { .size = 5, .seconds = 7, .is_stream = true }, out;
	struct buffer b = { .data = NULL };
	struct err e = ERR_NONE;
	struct reader r;

	(void)state;
	fill(in.name, sizeof in.name, '\xff');
	wire_put_look(&b, &in);
	r = reader_over(b.data, b.size);
	assert_int_equal(wire_get_look(&r, &out, &e), 0);
	assert_string_equal(out.name, in.name);
	assert_true(out.is_stream);
	buffer_u8(&b, 'x');
	r = reader_over(b.data, b.size);
	assert_int_equal(wire_get_look(&r, &out, &e), -1);
	buffer_free(&b);
}

static void the_last_word_on_a_dead_worker_is_printable(void **state)
{
	struct wire_ended in = { .number = 3, .status = 11, .peak = 1 << 20 }, out;
	struct buffer b = { .data = NULL };
	struct err e = ERR_NONE;
	struct reader r;

	(void)state;
	memset(in.format, 0xff, sizeof in.format);	/* not even ended */
	snprintf(in.reader, sizeof in.reader, "application/\x1b[2Jpdf");
	wire_put_ended(&b, &in);
	r = reader_over(b.data, b.size);
	assert_int_equal(wire_get_ended(&r, &out, &e), 0);
	assert_string_equal(out.reader, "application/?[2Jpdf");
	assert_int_equal(strspn(out.format, "?"), sizeof out.format - 1);
	buffer_free(&b);
}

/* ---- packets ------------------------------------------------------------------------------ */

struct line {
	int ends[2];
	struct inbox inbox;
};

static struct line *line_open(bool takes_descriptors)
{
	struct line *l = calloc(1, sizeof *l);

	assert_non_null(l);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, l->ends), 0);
	inbox_init(&l->inbox, l->ends[1], takes_descriptors);
	return l;
}

static void line_close(struct line *l)
{
	inbox_clear(&l->inbox);
	close(l->ends[0]);
	close(l->ends[1]);
	free(l);
}

static void a_long_message_comes_in_packets(void **state)
{
	struct line *l = line_open(false);
	struct err e = ERR_NONE;
	uint8_t data[3 * WIRE_PACKET_MAX];

	(void)state;
	random_state = 11;
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)next_random();
	for (size_t size = 0; size < sizeof data; size += 7919) {
		assert_int_equal(wire_send(l->ends[0], WIRE_FOUND, data, size, -1, &e), 0);
		assert_int_equal(inbox_wait(&l->inbox, &e), 0);
		assert_int_equal(l->inbox.type, WIRE_FOUND);
		assert_int_equal(l->inbox.message.size, size);
		assert_true(size == 0 || !memcmp(l->inbox.message.data, data, size));
	}
	line_close(l);
}

static int lowest_free(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

static void a_descriptor_comes_along_where_it_is_asked_for(void **state)
{
	struct err e = ERR_NONE;

	(void)state;
	for (int takes = 0; takes < 2; takes++) {
		int before = lowest_free();
		struct line *l = line_open(takes);

		assert_int_equal(wire_send(l->ends[0], WIRE_LOOK, "x", 1, 0, &e), 0);
		assert_int_equal(inbox_wait(&l->inbox, &e), 0);
		assert_int_equal(l->inbox.fd >= 0, takes);
		line_close(l);
		/* W2: none that nobody asked for stays open. */
		assert_int_equal(lowest_free(), before);
	}
}

/* What inbox_wait() makes of raw packets, one after the other, then the end. */
static enum muni_code heard(const void *const *packets, const size_t *sizes, size_t count)
{
	struct line *l = line_open(false);
	struct err e = ERR_NONE;

	for (size_t i = 0; i < count; i++)
		assert_int_equal(send(l->ends[0], packets[i], sizes[i], 0), (ssize_t)sizes[i]);
	shutdown(l->ends[0], SHUT_RDWR);
	if (inbox_wait(&l->inbox, &e) == 0)
		e.code = MUNI_OK;
	line_close(l);
	return e.code;
}

static void packets_that_make_no_sense_are_refused(void **state)
{
	static const uint8_t unknown[] = { 99, 0 }, zero[] = { 0, 0 }, head[] = { WIRE_READY },
			     flags[] = { WIRE_READY, 2 }, large[] = { WIRE_READY, 0, 1, 2, 3, 4, 5,
			     6, 7, 8, 9 }, part[] = { WIRE_FOUND, 1, 1 }, other[] = { WIRE_READY, 0 },
			     empty[] = { WIRE_FOUND, 1 }, good[] = { WIRE_READY, 0 };
	const struct {
		const void *packets[2];
		size_t sizes[2], count;
		enum muni_code code;
	} cases[] = {
		{ { unknown }, { 2 }, 1, MUNI_DAMAGED }, { { zero }, { 2 }, 1, MUNI_DAMAGED },
		{ { head }, { 1 }, 1, MUNI_DAMAGED }, { { flags }, { 2 }, 1, MUNI_DAMAGED },
		{ { large }, { 11 }, 1, MUNI_DAMAGED }, { { part }, { 3 }, 1, MUNI_IO },
		{ { part, other }, { 3, 2 }, 2, MUNI_DAMAGED },
		{ { empty }, { 2 }, 1, MUNI_DAMAGED }, { { NULL }, { 0 }, 0, MUNI_IO },
		{ { good }, { 2 }, 1, MUNI_OK },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(heard(cases[i].packets, cases[i].sizes, cases[i].count),
				 cases[i].code);
}

static void a_message_without_an_end_is_cut_at_what_it_may_be(void **state)
{
	struct line *l = line_open(false);
	uint8_t packet[WIRE_PACKET_MAX] = { WIRE_FOUND, 1 };
	enum inbox_state state_now = INBOX_MORE;
	struct err e = ERR_NONE;
	unsigned sent = 0;

	(void)state;
	while (state_now == INBOX_MORE) {
		assert_true(sent++ < EXAMINATION_MAX / WIRE_PACKET_MAX + 2);
		assert_int_equal(send(l->ends[0], packet, sizeof packet, 0), sizeof packet);
		if (inbox_receive(&l->inbox, true, &state_now, &e) < 0)
			break;
	}
	assert_int_equal(e.code, MUNI_DAMAGED);
	assert_true(l->inbox.message.size <= EXAMINATION_MAX);
	line_close(l);
}

static void a_failure_keeps_its_code_and_sentence(void **state)
{
	struct line *l = line_open(false);
	struct err e = ERR_NONE, why = ERR_NONE, got = ERR_NONE;

	(void)state;
	err_set(&why, MUNI_UNSUPPORTED, "it cannot be done");
	assert_int_equal(wire_send_failure(l->ends[0], &why, &e), 0);
	assert_int_equal(inbox_wait(&l->inbox, &e), 0);
	assert_int_equal(inbox_failure(&l->inbox, &got), -1);
	assert_int_equal(got.code, MUNI_UNSUPPORTED);
	assert_string_equal(got.text, "it cannot be done");
	assert_int_equal(wire_send(l->ends[0], WIRE_FAILED, "\xff" "text", 5, -1, &e), 0);
	assert_int_equal(inbox_wait(&l->inbox, &e), 0);
	assert_int_equal(inbox_failure(&l->inbox, &got), -1);
	assert_int_equal(got.code, MUNI_DAMAGED);
	line_close(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_examination_survives_the_wire),
		cmocka_unit_test(more_findings_than_fit_are_left_out),
		cmocka_unit_test(a_text_of_any_bytes_arrives_as_printable_text),
		cmocka_unit_test(an_examination_cut_anywhere_is_refused),
		cmocka_unit_test(nonsense_in_an_examination_is_refused_or_harmless),
		cmocka_unit_test(what_no_honest_worker_says_is_refused),
		cmocka_unit_test(a_custom_recogniser_survives_the_wire),
		cmocka_unit_test(a_recogniser_that_is_too_large_is_refused),
		cmocka_unit_test(another_version_is_refused_by_name),
		cmocka_unit_test(a_name_of_any_bytes_is_asked_for),
		cmocka_unit_test(the_last_word_on_a_dead_worker_is_printable),
		cmocka_unit_test(a_long_message_comes_in_packets),
		cmocka_unit_test(a_descriptor_comes_along_where_it_is_asked_for),
		cmocka_unit_test(packets_that_make_no_sense_are_refused),
		cmocka_unit_test(a_message_without_an_end_is_cut_at_what_it_may_be),
		cmocka_unit_test(a_failure_keeps_its_code_and_sentence),
	};

	return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
