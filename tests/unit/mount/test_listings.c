/*
 * Listings made ahead, over a tree that is made up: directory 1 holds 2..N, of which
 * every tenth holds one more.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fs/base/err.h"
#include "fs/mount/family.h"
#include "fs/mount/listing.h"
#include "fs/mount/listings.h"
#include "fs/mount/mount.h"

#define COUNT 400u
#define INNER 100000u		/* the directory inside 10 is 100010 */
#define SIZE 32768u

static atomic_uint made_count;
static atomic_uint truth;	/* what a listing says now */

static int pretend_make(struct mount *m, struct catalogue *c, uint64_t ino, uint64_t offset,
			size_t size, enum look_depth depth, struct listing *out, struct err *e)
{
	(void)c; (void)depth; (void)e; (void)size;
	unsigned now = atomic_load(&truth);
	atomic_fetch_add(&made_count, 1);
	*out = (struct listing){ .next = 50, .is_all = true };
	if (offset == 0) {
		family_begin(m->family, ino);
		for (unsigned i = 2; ino == 1 && i <= COUNT; i++)
			family_add(m->family, 1, i);
		if (ino > 1 && ino <= COUNT && ino % 10 == 0)
			family_add(m->family, ino, INNER + ino);
		usleep(50);
		out->buffer = malloc(64);
		out->used = 1 + (size_t)snprintf(out->buffer, 64, "%llu as of %u",
						 (unsigned long long)ino, now);
	}
	return 0;
}

static struct vault_reader *const pretend_reader = (struct vault_reader *)&truth;

static int pretend_take(struct pool *p, struct vault_reader **out, struct err *e)
{
	(void)p; (void)e;
	*out = pretend_reader;
	return 0;
}

static void pretend_give(struct pool *p, struct vault_reader *r)
{
	(void)p;
	assert_ptr_equal(r, pretend_reader);
}

static struct catalogue *pretend_catalogue(struct vault_reader *r)
{
	(void)r;
	return NULL;
}

static void pretend_warm(struct catalogue *c, uint64_t most)
{
	(void)c; (void)most;
}

struct fixture {
	struct mount m;
	unsigned ready;		/* replies that stood ready */
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct err e = ERR_NONE;

	f->m.family = family_new();
	f->m.listings = listings_new(&f->m);
	assert_int_equal(listings_start(f->m.listings, &e), 0);
	atomic_store(&made_count, 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	listings_free(f->m.listings);
	family_free(f->m.family);
	free(f);
	return 0;
}

/* As op_readdirplus() does it.  Returns what the reply said it was as of. */
static unsigned ask(struct fixture *f, uint64_t ino, uint64_t offset)
{
	unsigned long long said = 0;
	unsigned asof = 0;
	struct listing l;
	struct err e = ERR_NONE;
	bool was_ready = listings_take(f->m.listings, ino, offset, SIZE, &l);

	if (was_ready)
		f->ready++;
	else
		pretend_make(&f->m, NULL, ino, offset, SIZE,
			     listings_depth(f->m.listings, ino), &l, &e);
	if (offset == 0) {
		assert_int_equal(sscanf(l.buffer, "%llu as of %u", &said, &asof), 2);
		assert_int_equal(said, ino);
	} else {
		assert_int_equal(l.used, 0);
	}
	listings_given(f->m.listings, ino, offset, SIZE, &l, was_ready);
	listing_free(&l);
	return asof;
}

static void settle(struct fixture *f);	/* what was begun is made */

static unsigned walk(struct fixture *f, bool is_patient)
{
	unsigned asked = 0;

	for (uint64_t i = 1; i <= COUNT; i++) {
		if (is_patient)
			settle(f);
		ask(f, i, 0);
		ask(f, i, 50);
		asked += 2;
		if (i > 1 && i % 10 == 0) {
			ask(f, INNER + i, 0);
			ask(f, INNER + i, 50);
			asked += 2;
		}
	}
	return asked;
}

static void a_walk_finds_its_listings_ready(void **state)
{
	struct fixture *f = *state;
	unsigned asked = walk(f, true);

	assert_true(f->ready >= asked - 5);	/* the first few show that it is one */
	assert_true(atomic_load(&made_count) <= asked / 2 + 20);
}

static void who_lists_here_and_there_has_nothing_made(void **state)
{
	struct fixture *f = *state;

	ask(f, 1, 0);
	for (uint64_t i = COUNT; i > 2; i -= 7)
		ask(f, i, 0);
	settle(f);
	assert_int_equal(atomic_load(&made_count), 1 + (COUNT - 2 + 6) / 7);
	assert_int_equal(f->ready, 0);
}

static void one_look_is_told_less_until_a_second_directory_is_asked_for(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(listings_depth(f->m.listings, 1), LOOK_GLANCE);
	ask(f, 1, 0);
	ask(f, 1, 50);
	settle(f);
	assert_int_equal(listings_depth(f->m.listings, 1), LOOK_GLANCE);
	assert_int_equal(listings_depth(f->m.listings, 2), LOOK_ATTRS);
	assert_int_equal(atomic_load(&made_count), 1);	/* and nothing is begun in vain */
	ask(f, 2, 0);
	assert_int_equal(listings_depth(f->m.listings, 1), LOOK_ATTRS);
}

static void *walk_again_and_again(void *arg)
{
	struct fixture mine = *(struct fixture *)arg;

	for (unsigned i = 0; i < 4; i++)
		walk(&mine, false);
	return NULL;
}

static void what_was_made_before_a_change_is_not_given_after_it(void **state)
{
	struct fixture *f = *state;
	pthread_t other;

	assert_int_equal(pthread_create(&other, NULL, walk_again_and_again, f), 0);
	for (unsigned round = 0; round < 100; round++) {
		unsigned now = atomic_fetch_add(&truth, 1) + 1;
		listings_clear(f->m.listings);
		for (uint64_t i = 1; i < 12; i++)
			assert_true(ask(f, i, 0) >= now);
	}
	pthread_join(other, NULL);
}

static void a_reply_that_does_not_fit_is_made_anew(void **state)
{
	struct fixture *f = *state;
	struct listing l;

	ask(f, 1, 0);
	ask(f, 2, 0);
	settle(f);
	assert_false(listings_take(f->m.listings, 3, 0, 4, &l));
	assert_true(listings_take(f->m.listings, 3, 0, SIZE, &l));
	listing_free(&l);
}

static void a_walk_is_followed_down_aside_and_up(void **state)
{
	struct family *f = family_new();

	(void)state;
	family_begin(f, 1);
	family_add(f, 1, 2);
	family_add(f, 1, 3);
	assert_int_equal(family_next(f, 1), 2);
	family_begin(f, 2);
	family_add(f, 2, 20);
	family_add(f, 2, 21);
	assert_int_equal(family_next(f, 2), 20);
	assert_int_equal(family_next(f, 20), 21);
	assert_int_equal(family_next(f, 21), 3);
	assert_int_equal(family_next(f, 3), 0);
	assert_int_equal(family_next(f, 99), 0);
	family_begin(f, 2);	/* listed again */
	family_add(f, 2, 20);
	family_add(f, 2, 21);
	assert_int_equal(family_next(f, 20), 21);
	assert_int_equal(family_next(f, 21), 3);
	family_clear(f);
	assert_int_equal(family_next(f, 2), 0);
	family_free(f);
}

static void a_family_that_overflows_only_forgets(void **state)
{
	struct family *f = family_new();
	unsigned known = 0;

	(void)state;
	family_begin(f, 1);
	for (uint64_t i = 2; i < 50000; i++)
		family_add(f, 1, i);
	for (uint64_t i = 2; i < 49999; i++) {
		uint64_t next = family_next(f, i);
		assert_true(next == 0 || next == i + 1);
		known += next != 0;
	}
	assert_true(known > 1000);
	family_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_walk_finds_its_listings_ready, setup, teardown),
		cmocka_unit_test_setup_teardown(
			one_look_is_told_less_until_a_second_directory_is_asked_for, setup, teardown),
		cmocka_unit_test_setup_teardown(who_lists_here_and_there_has_nothing_made, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			what_was_made_before_a_change_is_not_given_after_it, setup, teardown),
		cmocka_unit_test_setup_teardown(a_reply_that_does_not_fit_is_made_anew, setup,
						teardown),
		cmocka_unit_test(a_walk_is_followed_down_aside_and_up),
		cmocka_unit_test(a_family_that_overflows_only_forgets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* munifs is a program: its parts are in no library. */
void listing_free(struct listing *l)
{
	free(l->buffer);
	*l = (struct listing){ .buffer = NULL };
}

#define find find_in_family
#include "fs/mount/family.c"
#undef find
#define listing_make pretend_make
#define pool_take pretend_take
#define pool_give pretend_give
#define vault_reader_catalogue pretend_catalogue
#define catalogue_warm pretend_warm
#include "fs/mount/listings.c"

static void settle(struct fixture *f)
{
	struct listings *l = f->m.listings;
	bool is_settled = false;

	while (!is_settled) {
		pthread_mutex_lock(&l->lock);
		is_settled = l->wanted == 0;
		for (unsigned i = 0; i < LISTINGS_MAX; i++)
			is_settled = is_settled && l->slots[i].stage != MAKING;
		pthread_mutex_unlock(&l->lock);
		if (!is_settled)
			usleep(100);
	}
}
