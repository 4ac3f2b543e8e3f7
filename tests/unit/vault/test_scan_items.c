#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/vault/scan_inside.h"

static struct scan_item *name_of(struct scan_group *g, const char *path, bool is_leader)
{
	struct scan_item *i = scan_item_new(SCAN_ITEM, path, strlen(path));

	i->group = g;
	i->is_leader = is_leader;
	atomic_fetch_add(&g->refs, 1);
	return i;
}

static void an_items_name_is_the_last_part_of_its_path(void **state)
{
	struct scan_item *i = scan_item_new(SCAN_ITEM, "a/b\xff.txt", 8);

	(void)state;
	assert_string_equal(i->path, "a/b\xff.txt");
	assert_string_equal(i->name, "b\xff.txt");
	scan_item_free(i);
	i = scan_item_new(SCAN_ITEM, "top", 3);
	assert_ptr_equal(i->name, i->path);
	scan_item_free(i);
}

static void who_waits_gets_what_the_leader_read(void **state)
{
	struct scan_group *g = scan_group_new();
	struct scan_item *leader = name_of(g, "a", true), *early = name_of(g, "b", false),
			 *late = name_of(g, "c", false);
	struct content *c = content_of_format("text/plain");

	(void)state;
	assert_int_equal(scan_group_join(early), SCAN_WAITS);
	leader->content = c;
	struct scan_item *list = scan_group_lead(g, c);
	assert_ptr_equal(list, early);
	assert_null(list->next);
	assert_ptr_equal(early->content, c);
	assert_int_equal(scan_group_join(late), SCAN_KNOWN);
	assert_ptr_equal(late->content, c);
	scan_item_free(leader);
	scan_item_free(early);
	scan_item_free(late);
	scan_group_unref(g);
}

static void where_the_leader_is_gone_the_next_leads(void **state)
{
	struct scan_group *g = scan_group_new();
	struct scan_item *leader = name_of(g, "a", true), *second = name_of(g, "b", false),
			 *third = name_of(g, "c", false), *fourth = name_of(g, "d", false);

	(void)state;
	assert_int_equal(scan_group_join(second), SCAN_WAITS);
	assert_ptr_equal(scan_group_hand_on(g), second);
	assert_true(second->is_leader);
	assert_int_equal(scan_group_join(third), SCAN_WAITS);
	assert_ptr_equal(scan_group_hand_on(g), third);
	assert_null(scan_group_hand_on(g));
	assert_int_equal(scan_group_join(fourth), SCAN_LEADS);
	scan_item_free(leader);
	scan_item_free(second);
	scan_item_free(third);
	scan_item_free(fourth);
	scan_group_unref(g);
}

/* As when a scan is stopped; the sanitizer sees what is left. */
static void who_waits_goes_with_a_leader_that_never_read(void **state)
{
	struct scan_group *g = scan_group_new();
	struct scan_item *leader = name_of(g, "a", true);

	(void)state;
	assert_int_equal(scan_group_join(name_of(g, "b", false)), SCAN_WAITS);
	assert_int_equal(scan_group_join(name_of(g, "c", false)), SCAN_WAITS);
	scan_item_free(leader);
	scan_group_unref(g);
}

static void a_claim_of_its_own_leaves_the_shared_content_as_it_is(void **state)
{
	struct examination x = { .size = 1, .has_sha256 = true, .format = "text/plain",
				 .encoding = "utf-8" };
	struct finding f = { .id = "iban", .count = 2, .confidence = 90, .sample_count = 1,
			     .samples = { { .text = "DE\"**", .where = "line 1",
					    .offset = 7 } } };

	(void)state;
	x.findings = &f;
	x.finding_count = 1;
	struct content *shared = content_of_examination(&x);
	struct content *own = content_claimed(shared, "application/pdf");
	assert_null(shared->claimed);
	assert_string_equal(own->claimed, "application/pdf");
	assert_string_equal(own->format, "text/plain");
	assert_string_equal(own->encoding, "utf-8");
	assert_null(own->opaque);
	assert_int_equal(own->finding_count, 1);
	assert_string_equal(own->findings[0].samples,
			    "[{\"text\":\"DE\\\"**\",\"offset\":7,\"where\":\"line 1\"}]");
	content_unref(shared);
	assert_int_equal(own->findings[0].count, 2);
	content_unref(own);
}

static void reasons_are_joined_and_never_cut_within_a_character(void **state)
{
	struct content *c = content_unread("it cannot be read");
	char sound[64];

	(void)state;
	assert_true(c->is_unsettled);
	assert_true(content_add_reason(c, "it changed"));
	assert_string_equal(c->opaque, "it cannot be read; it changed");
	for (int i = 0; i < 200; i++)
		assert_true(content_add_reason(c, "\xe4\xb8\xad\xe6\x96\x87"));
	assert_true(strlen(c->opaque) <= ITEM_OPAQUE_MAX);
	snprintf(sound, sizeof sound, "%s", c->opaque + strlen(c->opaque) - 3);
	assert_true((unsigned char)sound[0] == 0xe4 || (unsigned char)sound[0] == 0xe6 ||
		    strchr(sound, ';'));
	content_unref(c);
}

static void ids_are_seen_one_by_one(void **state)
{
	struct seen s = { .capacity = 0 };

	(void)state;
	assert_false(seen_has(&s, 5));
	assert_true(seen_set(&s, 5, true));
	assert_true(seen_set(&s, 1000000, true));
	assert_true(seen_has(&s, 5) && seen_has(&s, 1000000));
	assert_false(seen_has(&s, 4) || seen_has(&s, 999999) || seen_has(&s, INT64_MAX / 2));
	assert_true(seen_set(&s, 5, false));
	assert_false(seen_has(&s, 5));
	free(s.words);
}

/* ---- the flow --------------------------------------------------------------------- */

static void *push_many(void *arg)
{
	struct flow *f = arg;

	for (int i = 0; i < 500; i++) {
		scan_flow_begin(f);
		scan_flow_push(f, scan_batch_new());
	}
	scan_flow_done(f);		/* its own hold */
	return NULL;
}

static void every_batch_comes_and_then_it_is_over(void **state)
{
	struct flow *f = scan_flow_new();
	struct scan_batch *b;
	pthread_t threads[4];
	unsigned count = 0;

	(void)state;
	for (int i = 0; i < 4; i++)
		scan_flow_begin(f);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, push_many, f), 0);
	while (!scan_flow_is_over(f)) {
		b = scan_flow_pop(f, 1000);
		if (!b)
			continue;
		count++;
		scan_batch_free(b);
		scan_flow_done(f);
	}
	assert_int_equal(count, 2000);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_null(scan_flow_pop(f, 0));
	scan_flow_free(f);
}

static void *stop_soon(void *arg)
{
	usleep(20000);
	scan_flow_stop(arg);
	return NULL;
}

static void a_stop_wakes_who_waits(void **state)
{
	struct flow *f = scan_flow_new();
	pthread_t thread;

	(void)state;
	scan_flow_begin(f);
	scan_flow_begin(f);
	assert_int_equal(pthread_create(&thread, NULL, stop_soon, f), 0);
	assert_false(scan_flow_wait(f, 1));
	for (int i = 0; i < 200; i++)	/* more than there is room for: dropped */
		scan_flow_push(f, scan_batch_new());
	pthread_join(thread, NULL);
	scan_flow_free(f);
}

static void bytes_that_failed_half_way_are_not_whole(void **state)
{
	struct pour *p = pour_new();
	char why[SCAN_FAILURE_MAX];

	(void)state;
	pour_end(p, "its checksum is wrong");
	assert_false(pour_wait(p, why));
	assert_string_equal(why, "its checksum is wrong");
	pour_unref(p);
	pour_unref(p);
	p = pour_new();
	pour_end(p, NULL);
	assert_true(pour_wait(p, why));
	pour_unref(p);
	pour_unref(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_items_name_is_the_last_part_of_its_path),
		cmocka_unit_test(who_waits_gets_what_the_leader_read),
		cmocka_unit_test(where_the_leader_is_gone_the_next_leads),
		cmocka_unit_test(who_waits_goes_with_a_leader_that_never_read),
		cmocka_unit_test(a_claim_of_its_own_leaves_the_shared_content_as_it_is),
		cmocka_unit_test(reasons_are_joined_and_never_cut_within_a_character),
		cmocka_unit_test(ids_are_seen_one_by_one),
		cmocka_unit_test(every_batch_comes_and_then_it_is_over),
		cmocka_unit_test(a_stop_wakes_who_waits),
		cmocka_unit_test(bytes_that_failed_half_way_are_not_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
