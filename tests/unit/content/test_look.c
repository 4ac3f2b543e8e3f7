/* What lies in one another, the limits over all of it, and what is said of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <archive.h>
#include <archive_entry.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/content/look.h"

static const char card[] = "paid by payment card 4111 1111 1111 1111 on Monday\n";
#define CARD_SIZE (sizeof card - 1)

/* ---- containers ------------------------------------------------------------------------------ */

struct packed {
	uint8_t *data;
	size_t size;
};

struct packing {
	struct archive *a;
	struct packed out;
};

/* libarchive keeps the address of p->out.size. */
static void packing_begin(struct packing *p, size_t room)
{
	*p = (struct packing){ .a = archive_write_new() };
	p->out.data = malloc(room);
	assert_non_null(p->out.data);
	assert_int_equal(archive_write_set_format_zip(p->a), ARCHIVE_OK);
	assert_int_equal(archive_write_open_memory(p->a, p->out.data, room, &p->out.size),
			 ARCHIVE_OK);
}

static void packing_add(struct packing *p, const char *name, const void *data, size_t size)
{
	struct archive_entry *entry = archive_entry_new();

	archive_entry_set_pathname(entry, name);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0644);
	archive_entry_set_size(entry, (int64_t)size);
	assert_int_equal(archive_write_header(p->a, entry), ARCHIVE_OK);
	assert_int_equal(archive_write_data(p->a, data, size), (ssize_t)size);
	archive_entry_free(entry);
}

static struct packed packing_end(struct packing *p)
{
	assert_int_equal(archive_write_close(p->a), ARCHIVE_OK);
	archive_write_free(p->a);
	return p->out;
}

static struct packed pack(const char *name, const void *data, size_t size)
{
	struct packing p;

	packing_begin(&p, size + 4096);
	packing_add(&p, name, data, size);
	return packing_end(&p);
}

/* ---- looking --------------------------------------------------------------------------------- */

static struct recognisers *recognisers;		/* of the whole run: they take a while */

static int load(void **state)
{
	struct err e = ERR_NONE;

	(void)state;
	return recognisers_new(NULL, 0, &recognisers, &e);
}

static int unload(void **state)
{
	(void)state;
	recognisers_free(recognisers);
	return 0;
}

static struct examination look_with(const struct look_limits *limits, const char *name,
				    const void *data, size_t size)
{
	struct input *in = input_of_memory(data, size);
	struct looker *k = NULL;
	struct examination x;
	struct err e = ERR_NONE;
	struct digest wanted = digest_of(data, size);

	assert_int_equal(looker_new(recognisers, limits, &k, &e), 0);
	if (looker_examine(k, in, name, &x, &e) < 0)
		fail_msg("%s", e.text);
	/* K3, whatever else came of it. */
	assert_int_equal(x.size, size);
	assert_true(x.has_sha256 && digest_equal(&x.sha256, &wanted));
	assert_true(text_is_utf8(x.opaque, strlen(x.opaque)));
	input_free(in);
	looker_free(k);
	return x;
}

static struct examination look_at(const char *name, const void *data, size_t size)
{
	return look_with(NULL, name, data, size);
}

static void assert_said(const struct examination *x, const char *what)
{
	if (!strstr(x->opaque, what))
		fail_msg("\"%s\" does not say \"%s\"", x->opaque, what);
}

/* card.txt in 0.zip in 1.zip ... */
static struct packed nest(unsigned depth)
{
	struct packed p = pack("card.txt", card, CARD_SIZE);

	for (unsigned i = 1; i < depth; i++) {
		char name[20];
		struct packed outer;

		snprintf(name, sizeof name, "%u.zip", i - 1);
		outer = pack(name, p.data, p.size);
		free(p.data);
		p = outer;
	}
	return p;
}

static void four_containers_in_one_another_are_looked_into(void **state)
{
	(void)state;
	for (unsigned depth = 1; depth <= LOOK_DEPTH; depth++) {
		struct packed p = nest(depth);
		struct examination x = look_at("nest.zip", p.data, p.size);

		assert_string_equal(x.opaque, "");
		assert_int_equal(x.finding_count, 1);
		assert_int_equal(x.findings->count, 1);
		if (depth == 3)
			assert_string_equal(x.findings->where,
					    "1.zip: 0.zip: card.txt: line 1");
		examination_clear(&x);
		free(p.data);
	}
}

static void a_fifth_container_is_said_and_not_opened(void **state)
{
	struct packed p = nest(LOOK_DEPTH + 1);
	struct examination x = look_at("nest.zip", p.data, p.size);

	(void)state;
	assert_int_equal(x.finding_count, 0);
	assert_said(&x, "2.zip: 1.zip: 0.zip: card.txt: inside more than 4 containers");
	examination_clear(&x);
	free(p.data);
}

static void more_bytes_than_allowed_stop_the_look_and_keep_what_was_found(void **state)
{
	const struct look_limits limits = { .expanded = 1 << 20 };
	uint8_t *filler = calloc(1, 3 << 20);
	struct packing packing;
	struct packed p;
	struct examination x;

	(void)state;
	packing_begin(&packing, 1 << 20);
	assert_non_null(filler);
	memset(filler, 'a', 3 << 20);
	packing_add(&packing, "card.txt", card, CARD_SIZE);
	packing_add(&packing, "large.txt", filler, 3 << 20);
	packing_add(&packing, "late.txt", card, CARD_SIZE);
	p = packing_end(&packing);
	x = look_with(&limits, "bomb.zip", p.data, p.size);
	assert_said(&x, "more than 1.0 MiB come out of it");
	assert_int_equal(x.finding_count, 1);
	assert_int_equal(x.findings->count, 1);
	examination_clear(&x);
	free(p.data);
	free(filler);
}

static void more_times_its_size_than_allowed_stop_the_look(void **state)
{
	uint8_t *filler = malloc(120 << 20);
	struct packing packing;
	struct packed p;
	struct examination x;

	(void)state;
	packing_begin(&packing, 1 << 20);
	assert_non_null(filler);
	memset(filler, 'a', 120 << 20);
	packing_add(&packing, "large.txt", filler, 120 << 20);
	p = packing_end(&packing);
	free(filler);
	assert_true(p.size < (120u << 20) / LOOK_RATIO);
	x = look_at("bomb.zip", p.data, p.size);
	assert_said(&x, "more than 200 times its own size come out of it");
	examination_clear(&x);
	free(p.data);
}

static void limits_hold_over_all_levels_together(void **state)
{
	const struct look_limits limits = { .members = 10 };
	struct packing inner, outer;
	struct packed in, p;
	struct examination x;

	(void)state;
	packing_begin(&inner, 1 << 20);
	packing_begin(&outer, 1 << 20);
	for (unsigned i = 0; i < 6; i++) {
		char name[20];

		snprintf(name, sizeof name, "%u.txt", i);
		packing_add(&inner, name, card, CARD_SIZE);
	}
	in = packing_end(&inner);
	packing_add(&outer, "a.zip", in.data, in.size);
	packing_add(&outer, "b.zip", in.data, in.size);
	p = packing_end(&outer);
	x = look_with(&limits, "many.zip", p.data, p.size);
	assert_said(&x, "more than 10 files are inside");
	/* a.zip and its six, b.zip and two. */
	assert_int_equal(x.findings->count, 8);
	examination_clear(&x);
	free(in.data);
	free(p.data);
}

static void many_reasons_are_cut_and_said_to_be_more(void **state)
{
	struct packing packing;
	struct packed p;
	struct examination x;
	uint8_t noise[2000];
	uint32_t seed = 3;

	(void)state;
	packing_begin(&packing, 4 << 20);
	for (unsigned i = 0; i < 300; i++) {
		char name[80];

		for (size_t k = 0; k < sizeof noise; k++) {
			seed = seed * 1664525 + 1013904223;
			noise[k] = (uint8_t)(seed >> 24);
		}
		noise[0] = 0xd5;
		noise[1] = 0;
		snprintf(name, sizeof name, "\xe6\x96\x87\xe4\xbb\xb6 %u.dat", i);
		packing_add(&packing, name, noise, sizeof noise);
	}
	p = packing_end(&packing);
	x = look_at("noise.zip", p.data, p.size);
	assert_said(&x, "; and more");
	assert_string_equal(x.opaque + strlen(x.opaque) - 10, "; and more");
	examination_clear(&x);
	free(p.data);
}

static void a_long_path_keeps_its_end_in_a_place(void **state)
{
	char name[1000];
	struct packed p;
	struct examination x;

	(void)state;
	for (size_t i = 0; i + 3 < 900; i += 3)
		memcpy(name + i, "\xe6\x96\x87", 3);
	strcpy(name + 897, "/the end.txt");
	p = pack(name, card, CARD_SIZE);
	x = look_at("long.zip", p.data, p.size);
	assert_int_equal(x.finding_count, 1);
	assert_non_null(strstr(x.findings->samples[0].where, "/the end.txt: line 1"));
	assert_memory_equal(x.findings->samples[0].where, "...", 3);
	assert_true(text_is_utf8(x.findings->samples[0].where,
				 strlen(x.findings->samples[0].where)));
	examination_clear(&x);
	free(p.data);
}

static void a_name_inside_cannot_speak_to_a_terminal(void **state)
{
	struct packed p = pack("a\x1b[2J\nb.txt", card, CARD_SIZE);
	struct examination x = look_at("x.zip", p.data, p.size);

	(void)state;
	assert_int_equal(x.finding_count, 1);
	assert_null(strpbrk(x.findings->where, "\x1b\n"));
	examination_clear(&x);
	free(p.data);
}

/* ---- what is no container -------------------------------------------------------------------- */

static void what_is_unknown_is_opaque(void **state)
{
	uint8_t noise[5000];
	uint32_t seed = 5;
	struct examination x;

	(void)state;
	for (size_t i = 0; i < sizeof noise; i++) {
		seed = seed * 1664525 + 1013904223;
		noise[i] = (uint8_t)(seed >> 24);
	}
	noise[0] = 0xd5;
	noise[1] = 0;
	x = look_at("noise.dat", noise, sizeof noise);
	assert_string_equal(x.format, "application/octet-stream");
	assert_string_equal(x.opaque, "unknown format");
	assert_string_equal(x.encoding, "");
	examination_clear(&x);
}

static void what_holds_no_text_is_not_opaque(void **state)
{
	static const uint8_t png[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\2\0\0\0";
	struct examination x = look_at("a.png", png, sizeof png - 1);

	(void)state;
	assert_string_equal(x.format, "image/png");
	assert_string_equal(x.opaque, "");
	examination_clear(&x);
}

static void an_empty_file_is_not_opaque(void **state)
{
	struct examination x = look_at("a.pdf", "", 0);

	(void)state;
	assert_string_equal(x.opaque, "");
	assert_int_equal(x.finding_count, 0);
	examination_clear(&x);
}

static void an_extension_that_lies_is_told(void **state)
{
	struct examination x = look_at("card.pdf", card, CARD_SIZE);

	(void)state;
	assert_string_equal(x.format, "text/plain");
	assert_string_equal(x.claimed, "application/pdf");
	assert_string_equal(x.encoding, "us-ascii");
	assert_string_equal(x.script, "Latn");
	assert_int_equal(x.finding_count, 1);
	examination_clear(&x);
}

/* ---- the looker ------------------------------------------------------------------------------ */

struct noted {
	char formats[200];
	unsigned depth;
	uint64_t expanded;
};

static void take_note(void *arg, unsigned depth, const char *format)
{
	struct noted *n = arg;

	n->depth = depth;
	snprintf(n->formats + strlen(n->formats), sizeof n->formats - strlen(n->formats), "%u:%s ",
		 depth, format);
}

static void take_expanded(void *arg, uint64_t bytes)
{
	struct noted *n = arg;

	assert_true(bytes >= n->expanded);
	n->expanded = bytes;
}

static void each_reader_is_noted_before_it_runs(void **state)
{
	struct packed p = nest(2);
	struct input *in = input_of_memory(p.data, p.size);
	struct noted noted = { .formats = "" };
	const struct look_watcher watcher = { .reads = take_note, .expanded = take_expanded,
					      .arg = &noted };
	struct looker *k = NULL;
	struct examination x;
	struct err e = ERR_NONE;

	(void)state;
	assert_int_equal(looker_new(recognisers, NULL, &k, &e), 0);
	looker_watch(k, &watcher);
	assert_int_equal(looker_examine(k, in, "a.zip", &x, &e), 0);
	assert_string_equal(noted.formats, "0:application/zip 1:application/zip 2:text/plain ");
	assert_true(noted.expanded > CARD_SIZE);
	examination_clear(&x);
	input_free(in);
	looker_free(k);
	free(p.data);
}

static void one_file_leaves_nothing_to_the_next(void **state)
{
	struct looker *k = NULL;
	struct err e = ERR_NONE;

	(void)state;
	assert_int_equal(looker_new(recognisers, NULL, &k, &e), 0);
	for (unsigned i = 0; i < 10; i++) {
		bool is_card = i % 2 == 0;
		const char *text = is_card ? card : "nothing at all of note\n";
		struct input *in = input_of_memory(text, strlen(text));
		struct examination x;

		assert_int_equal(looker_examine(k, in, "a.txt", &x, &e), 0);
		assert_int_equal(x.finding_count, is_card);
		if (is_card)
			assert_int_equal(x.findings->count, 1);
		examination_clear(&x);
		input_free(in);
	}
	looker_free(k);
}

static ssize_t read_failing(void *arg, void *out, size_t size, struct err *e)
{
	unsigned *left = arg;

	if (*left == 0)
		return err_set(e, MUNI_IO, "the disk is gone");
	(*left)--;
	memset(out, 'a', size);
	return (ssize_t)size;
}

static void a_file_that_cannot_be_read_to_its_end_is_an_error(void **state)
{
	struct looker *k = NULL;
	struct err e = ERR_NONE;

	(void)state;
	assert_int_equal(looker_new(recognisers, NULL, &k, &e), 0);
	for (unsigned calls = 0; calls < 4; calls++) {
		unsigned left = calls;
		struct input *in = input_of_stream(read_failing, &left);
		struct examination x;

		assert_int_equal(looker_examine(k, in, "a.txt", &x, &e), -1);
		assert_int_equal(e.code, MUNI_IO);
		assert_string_equal(e.text, "the disk is gone");
		examination_clear(&x);
		input_free(in);
	}
	looker_free(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(four_containers_in_one_another_are_looked_into),
		cmocka_unit_test(a_fifth_container_is_said_and_not_opened),
		cmocka_unit_test(more_bytes_than_allowed_stop_the_look_and_keep_what_was_found),
		cmocka_unit_test(more_times_its_size_than_allowed_stop_the_look),
		cmocka_unit_test(limits_hold_over_all_levels_together),
		cmocka_unit_test(many_reasons_are_cut_and_said_to_be_more),
		cmocka_unit_test(a_long_path_keeps_its_end_in_a_place),
		cmocka_unit_test(a_name_inside_cannot_speak_to_a_terminal),
		cmocka_unit_test(what_is_unknown_is_opaque),
		cmocka_unit_test(what_holds_no_text_is_not_opaque),
		cmocka_unit_test(an_empty_file_is_not_opaque),
		cmocka_unit_test(an_extension_that_lies_is_told),
		cmocka_unit_test(each_reader_is_noted_before_it_runs),
		cmocka_unit_test(one_file_leaves_nothing_to_the_next),
		cmocka_unit_test(a_file_that_cannot_be_read_to_its_end_is_an_error),
	};

	return cmocka_run_group_tests_name("look", tests, load, unload);
}
