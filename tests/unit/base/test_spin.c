#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "fs/base/spin.h"

#define MINUTE 60000000u	/* microseconds */

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void what_changed_before_is_seen_at_once(void **state)
{
	atomic_uint what = 7;

	(void)state;
	assert_int_not_equal(spin_while(&what, 6, MINUTE), SPIN_IN_VAIN);
	assert_int_not_equal(spin_while(&what, 6, 0), SPIN_IN_VAIN);
}

/* On a busy machine the processor may be taken instead; either way it ends. */
static void what_stays_is_looked_at_no_longer_than_was_said(void **state)
{
	atomic_uint what = 7;
	int64_t before = now_us();

	(void)state;
	switch (spin_while(&what, 7, 500)) {
	case SPIN_IN_VAIN:
		assert_true(now_us() - before >= 500);
		break;
	case SPIN_TAKEN:
		assert_true(now_us() - before >= 1000);
		break;
	default:
		fail();
	}
}

struct looker {
	atomic_uint what, is_looking;
	enum spin how;
};

static void *look(void *arg)
{
	struct looker *l = arg;

	atomic_store(&l->is_looking, 1);
	do
		l->how = spin_while(&l->what, 7, MINUTE);
	while (atomic_load(&l->what) == 7);
	return NULL;
}

static void what_another_thread_changes_is_seen(void **state)
{
	struct looker l = { .what = 7 };
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, look, &l), 0);
	while (!atomic_load(&l.is_looking))
		;
	atomic_store(&l.what, 8);
	pthread_join(thread, NULL);
	assert_int_not_equal(l.how, SPIN_IN_VAIN);
}

static atomic_uint here;

/* As if others had the processor for two milliseconds. */
static void take(int signal)
{
	int64_t until = now_us() + 2000;

	(void)signal;
	while (now_us() < until)
		;
	atomic_store(&here, 1);
}

static void *interrupt(void *arg)
{
	pthread_kill(*(pthread_t *)arg, SIGUSR1);
	return NULL;
}

static void whose_processor_is_taken_hears_of_it(void **state)
{
	struct sigaction act = { .sa_handler = take };
	pthread_t self = pthread_self(), thread;
	atomic_uint what = 7;
	int64_t until = now_us() + MINUTE;
	unsigned taken = 0;

	(void)state;
	assert_int_equal(sigaction(SIGUSR1, &act, NULL), 0);
	/* Between two looks the signal may come while nobody looks: then again. */
	for (unsigned i = 0; i < 100 && taken == 0 && now_us() < until; i++) {
		atomic_store(&here, 0);
		assert_int_equal(pthread_create(&thread, NULL, interrupt, &self), 0);
		while (!atomic_load(&here))
			taken += spin_while(&what, 7, 100000) == SPIN_TAKEN;
		pthread_join(thread, NULL);
	}
	assert_true(taken > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_changed_before_is_seen_at_once),
		cmocka_unit_test(what_stays_is_looked_at_no_longer_than_was_said),
		cmocka_unit_test(what_another_thread_changes_is_seen),
		cmocka_unit_test(whose_processor_is_taken_hears_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
