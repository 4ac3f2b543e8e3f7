/* The heaps of SQLite and of keys: whole, reused, given back, wiped, and in no dump. */
#include "tests/unit/store/folder.h"

#include <pthread.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fs/crypt/arena.h"

/* Of a program's own slabs one more than are mapped in a run: spare ones must not have taken
 * what may be locked.  In a process of its own, before any other test has slabs. */
static void spare_slabs_leave_room_for_those_in_use(void **state)
{
	const struct rlimit limit = { 1 << 20, 1 << 20 };
	pid_t child = fork();
	int status;

	(void)state;
	if (child == 0) {
		if (setrlimit(RLIMIT_MEMLOCK, &limit) < 0 || (geteuid() == 0 && setuid(65534) < 0))
			_exit(2);
		for (unsigned i = 0; i < 26 * 7; i++)	/* seven a slab of 32 KiB */
			if (!arena_key_new(4096))
				_exit(3);
		_exit(arena_keys_are_locked() ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void every_size_is_usable_whole_and_aligned(void **state)
{
	static uint8_t *pieces[4000];

	(void)state;
	for (unsigned i = 0; i < 4000; i++) {
		size_t size = i < 3000 ? i : (size_t)i * 37;
		pieces[i] = arena_new(size);
		assert_non_null(pieces[i]);
		assert_int_equal((uintptr_t)pieces[i] % 16, 0);
		assert_true(arena_size(pieces[i]) >= size);
		assert_true(size < 128 || arena_size(pieces[i]) <= size + size / 7 + 4096);
		memset(pieces[i], (int)(i & 0xff), arena_size(pieces[i]));
	}
	for (unsigned i = 0; i < 4000; i++) {
		for (size_t at = 0; at < arena_size(pieces[i]); at++)
			assert_int_equal(pieces[i][at], i & 0xff);
		arena_free(pieces[i]);
	}
}

/* In a thread of its own: at its end what it keeps for itself goes, too. */
static void *fill_and_empty(void *arg)
{
	enum { COUNT = 20000 };
	static void *pieces[COUNT];
	bool *was_filled = arg;

	*was_filled = true;
	for (unsigned i = 0; i < COUNT; i++)
		if (!(pieces[i] = arena_new(20 + i % 9000)))
			*was_filled = false;
	if (arena_mapped() <= (size_t)COUNT * 4000)
		*was_filled = false;
	for (unsigned i = 0; i < COUNT; i++)
		arena_free(pieces[(i * 7919) % COUNT]);
	return NULL;
}

static void all_but_a_little_is_given_back(void **state)
{
	size_t ours = arena_mapped();	/* this thread's own, of the tests before */

	(void)state;
	for (unsigned round = 0; round < 5; round++) {
		pthread_t thread;
		bool was_filled;

		assert_int_equal(pthread_create(&thread, NULL, fill_and_empty, &was_filled), 0);
		pthread_join(thread, NULL);
		assert_true(was_filled);
		assert_true(arena_mapped() <= ARENA_SPARE + ours);
	}
}

/* What a thread keeps is little, too, and is what it asks for next. */
static void a_thread_keeps_a_few_pieces_for_itself(void **state)
{
	enum { COUNT = 5000 };
	static void *pieces[COUNT];
	size_t before = arena_mapped();

	(void)state;
	for (unsigned i = 0; i < COUNT; i++)
		assert_non_null(pieces[i] = arena_new(1000));
	assert_true(arena_mapped() >= (size_t)COUNT * 1000);
	for (unsigned i = 0; i < COUNT; i++)
		arena_free(pieces[i]);
	assert_true(arena_mapped() <= before + ARENA_SPARE + ARENA_OWN * ARENA_SLAB);
	uint8_t *again = arena_new(1000);

	assert_ptr_equal(again, pieces[ARENA_OWN - 1]);
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(again[i], i < sizeof(void *) ? again[i] : 0);	/* wiped */
	arena_free(again);
}

static void a_resized_piece_keeps_its_content(void **state)
{
	(void)state;
	uint8_t *p = arena_resize(NULL, 10);
	size_t size = 10;
	for (size_t i = 0; i < size; i++)
		p[i] = (uint8_t)i;
	while (size < 300000) {
		size_t more = size * 3 / 2;
		p = arena_resize(p, more);
		assert_non_null(p);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(p[i], (uint8_t)i);
		for (size_t i = size; i < more; i++)
			p[i] = (uint8_t)i;
		size = more;
	}
	p = arena_resize(p, 50);
	assert_true(arena_size(p) < 100);
	for (size_t i = 0; i < 50; i++)
		assert_int_equal(p[i], (uint8_t)i);
	arena_free(p);
	assert_null(arena_new(SIZE_MAX - 10));
	arena_free(NULL);
}

/* A flag among those of the mapping in which p lies: " dd" out of dumps, " lo" locked. */
static bool is_marked(const void *p, const char *flag)
{
	FILE *maps = fopen("/proc/self/smaps", "r");
	char line[512];
	bool is_here = false, is_out = false;

	assert_non_null(maps);
	while (fgets(line, sizeof line, maps)) {
		unsigned long from, to;
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			is_here = (uintptr_t)p >= from && (uintptr_t)p < to;
		if (is_here && strncmp(line, "VmFlags:", 8) == 0)
			is_out = strstr(line, flag) != NULL;
	}
	fclose(maps);
	return is_out;
}

static void nothing_of_it_goes_into_a_core_dump(void **state)
{
	static const size_t sizes[] = { 1, 500, 8500, 32768, 32769, 1 << 20 };

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		void *p = arena_new(sizes[i]), *key = arena_key_new(sizes[i]);
		assert_true(is_marked(p, " dd"));
		assert_true(is_marked(key, " dd"));
		arena_free(p);
		arena_key_free(key);
	}
}

struct job {
	unsigned seed;
	bool is_sound;
};

static void *churn_keys(void *arg)
{
	struct job *job = arg;

	for (;;) {
		pthread_testcancel();
		arena_key_free(arena_key_new((unsigned)rand_r(&job->seed) % 5000));
	}
	return NULL;
}

static void keys_are_locked_or_it_is_told(void **state)
{
	void *pieces[300];

	(void)state;
	for (unsigned i = 0; i < 300; i++)
		assert_non_null(pieces[i] = arena_key_new(i * 17));
	if (arena_keys_are_locked())
		for (unsigned i = 0; i < 300; i++)
			assert_true(is_marked(pieces[i], " lo"));
	for (unsigned i = 0; i < 300; i++)
		arena_key_free(pieces[i]);
	/* What no limit allows. */
	struct rlimit none = { 0, 0 };
	if (geteuid() != 0 && setrlimit(RLIMIT_MEMLOCK, &none) == 0) {
		arena_key_free(arena_key_new(100000));
		assert_false(arena_keys_are_locked());
	}
}

static void freed_keys_are_wiped(void **state)
{
	uint8_t *key = arena_key_new(32), *beside = arena_key_new(32);
	volatile uint8_t *was = key;

	(void)state;
	memset(key, 0x5a, 32);
	arena_key_free(key);
	for (unsigned i = 8; i < 32; i++)	/* the first word links free pieces */
		assert_int_equal(was[i], 0);
	arena_key_free(beside);
}

static void a_child_of_a_busy_process_has_memory_for_keys(void **state)
{
	pthread_t busy;
	struct job job = { .seed = 3 };

	(void)state;
	assert_int_equal(pthread_create(&busy, NULL, churn_keys, &job), 0);
	for (unsigned i = 0; i < 50; i++) {
		int status;
		pid_t child = fork();
		if (child == 0) {
			alarm(20);
			arena_key_free(arena_key_new(500));
			_exit(7);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	}
	pthread_cancel(busy);
	pthread_join(busy, NULL);
}

static void *churn(void *arg)
{
	enum { LIVE = 200 };
	struct job *job = arg;
	uint8_t *pieces[LIVE] = { 0 };
	size_t sizes[LIVE] = { 0 };

	job->is_sound = true;
	for (unsigned i = 0; i < 60000; i++) {
		unsigned at = (unsigned)rand_r(&job->seed) % LIVE;
		if (pieces[at] && (pieces[at][0] != (uint8_t)at ||
				   pieces[at][sizes[at] - 1] != (uint8_t)at))
			job->is_sound = false;
		arena_free(pieces[at]);
		sizes[at] = 1 + (unsigned)rand_r(&job->seed) % (at % 8 ? 700 : 50000);
		pieces[at] = arena_new(sizes[at]);
		pieces[at][0] = pieces[at][sizes[at] - 1] = (uint8_t)at;
	}
	for (unsigned i = 0; i < LIVE; i++)
		arena_free(pieces[i]);
	return NULL;
}

static void threads_do_not_get_each_others_memory(void **state)
{
	pthread_t threads[4];
	struct job jobs[4];
	size_t ours = arena_mapped();

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		jobs[i].seed = i;
		assert_int_equal(pthread_create(&threads[i], NULL, churn, &jobs[i]), 0);
	}
	for (unsigned i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		assert_true(jobs[i].is_sound);
	}
	assert_true(arena_mapped() <= ARENA_SPARE + ours);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spare_slabs_leave_room_for_those_in_use),
		cmocka_unit_test(every_size_is_usable_whole_and_aligned),
		cmocka_unit_test(all_but_a_little_is_given_back),
		cmocka_unit_test(a_thread_keeps_a_few_pieces_for_itself),
		cmocka_unit_test(a_resized_piece_keeps_its_content),
		cmocka_unit_test(nothing_of_it_goes_into_a_core_dump),
		cmocka_unit_test(keys_are_locked_or_it_is_told),
		cmocka_unit_test(freed_keys_are_wiped),
		cmocka_unit_test(a_child_of_a_busy_process_has_memory_for_keys),
		cmocka_unit_test(threads_do_not_get_each_others_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
