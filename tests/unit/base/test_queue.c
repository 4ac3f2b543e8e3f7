#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <cmocka.h>

#include "fs/base/queue.h"

static void items_come_out_in_the_order_they_went_in(void **state)
{
	struct queue *q = queue_new(3);
	void *item;

	(void)state;
	for (uintptr_t round = 0; round < 10; round++) {
		assert_true(queue_push(q, (void *)(2 * round + 1)));
		assert_true(queue_push(q, (void *)(2 * round + 2)));
		assert_true(queue_pop(q, &item));
		assert_int_equal((uintptr_t)item, 2 * round + 1);
		assert_true(queue_pop(q, &item));
		assert_int_equal((uintptr_t)item, 2 * round + 2);
	}
	queue_free(q, NULL);
}

static void a_closed_queue_refuses_pushes_and_drains(void **state)
{
	struct queue *q = queue_new(3);
	void *item;

	(void)state;
	assert_true(queue_push(q, (void *)1));
	queue_close(q);
	assert_false(queue_push(q, (void *)2));
	assert_true(queue_pop(q, &item));
	assert_int_equal((uintptr_t)item, 1);
	assert_false(queue_pop(q, &item));
	assert_null(item);
	queue_free(q, NULL);
}

static void *pop_one(void *arg)
{
	void *item;

	return queue_pop(arg, &item) ? item : NULL;
}

static void who_waits_is_seen_until_somebody_gives(void **state)
{
	struct queue *q = queue_new(3);
	pthread_t thread;
	void *item;

	(void)state;
	assert_false(queue_is_awaited(q));
	assert_int_equal(pthread_create(&thread, NULL, pop_one, q), 0);
	while (!queue_is_awaited(q))
		sched_yield();
	assert_true(queue_push(q, (void *)7));
	assert_false(queue_is_awaited(q));	/* taken already, or as many items as wait */
	assert_int_equal(pthread_join(thread, &item), 0);
	assert_int_equal((uintptr_t)item, 7);
	assert_false(queue_is_awaited(q));
	queue_free(q, NULL);
}

static int dropped;

static void count_drop(void *item)
{
	dropped += (int)(uintptr_t)item;
}

static void a_cancelled_queue_hands_its_rest_to_drop_only(void **state)
{
	struct queue *q = queue_new(3);
	void *item;

	(void)state;
	dropped = 0;
	queue_push(q, (void *)1);
	queue_push(q, (void *)2);
	queue_cancel(q);
	assert_false(queue_pop(q, &item));
	assert_false(queue_push(q, (void *)4));
	queue_free(q, count_drop);
	assert_int_equal(dropped, 3);
}

static void *push_two(void *arg)
{
	queue_push(arg, (void *)1);
	return (void *)(uintptr_t)queue_push(arg, (void *)2);
}

static void a_push_that_waits_is_woken_by_room_and_by_cancel(void **state)
{
	struct queue *q = queue_new(1);
	pthread_t thread;
	void *item, *result;

	(void)state;
	pthread_create(&thread, NULL, push_two, q);
	assert_true(queue_pop(q, &item));
	assert_true(queue_pop(q, &item));
	assert_int_equal((uintptr_t)item, 2);
	pthread_join(thread, &result);
	assert_int_equal((uintptr_t)result, true);

	pthread_create(&thread, NULL, push_two, q);
	nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
	queue_cancel(q);
	pthread_join(thread, &result);
	assert_int_equal((uintptr_t)result, false);
	queue_free(q, NULL);
}

enum { PRODUCERS = 4, CONSUMERS = 4, EACH = 5000 };

static void *produce(void *arg)
{
	for (uintptr_t i = 1; i <= EACH; i++)
		queue_push(arg, (void *)i);
	return NULL;
}

static void *consume(void *arg)
{
	uintptr_t sum = 0;
	void *item;

	while (queue_pop(arg, &item))
		sum += (uintptr_t)item;
	return (void *)sum;
}

static void nothing_is_lost_or_doubled_between_many_threads(void **state)
{
	struct queue *q = queue_new(7);
	pthread_t makers[PRODUCERS], takers[CONSUMERS];
	uintptr_t sum = 0;

	(void)state;
	for (int i = 0; i < PRODUCERS; i++)
		pthread_create(&makers[i], NULL, produce, q);
	for (int i = 0; i < CONSUMERS; i++)
		pthread_create(&takers[i], NULL, consume, q);
	for (int i = 0; i < PRODUCERS; i++)
		pthread_join(makers[i], NULL);
	queue_close(q);
	for (int i = 0; i < CONSUMERS; i++) {
		void *part;

		pthread_join(takers[i], &part);
		sum += (uintptr_t)part;
	}
	assert_int_equal(sum, (uintptr_t)PRODUCERS * EACH * (EACH + 1) / 2);
	queue_free(q, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_come_out_in_the_order_they_went_in),
		cmocka_unit_test(a_closed_queue_refuses_pushes_and_drains),
		cmocka_unit_test(who_waits_is_seen_until_somebody_gives),
		cmocka_unit_test(a_cancelled_queue_hands_its_rest_to_drop_only),
		cmocka_unit_test(a_push_that_waits_is_woken_by_room_and_by_cancel),
		cmocka_unit_test(nothing_is_lost_or_doubled_between_many_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
