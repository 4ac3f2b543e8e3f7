/* What jansson does not say: that it found no memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "fs/base/canonical.h"
#include "fs/base/err.h"
#include "fs/base/json_memory.h"

#define MORE_THAN_THERE_IS ((size_t)1 << 60)

/* A sanitizer ends who asks for so much, unless it is told that this is on purpose. */
__attribute__((visibility("default"))) const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

__attribute__((visibility("default"))) const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
	return "allocator_may_return_null=1";
}

static void a_refusal_is_believed_where_memory_was_never_lacking(void **state)
{
	struct err e = ERR_NONE;
	json_t *value = NULL;

	(void)state;
	json_memory_begin();
	assert_int_equal(canonical_load("{", 1, &value, &e), -1);
	assert_int_equal(e.code, MUNI_FORMAT);
	assert_int_equal(json_memory_refused(&e, MUNI_DAMAGED, "of %d", 3), -1);
	assert_int_equal(e.code, MUNI_DAMAGED);
	assert_string_equal(e.text, "of 3");
}

static void once_it_was_lacking_no_document_is_written_or_refused(void **state)
{
	struct err e = ERR_NONE;
	json_t *o = json_object(), *value = NULL;
	char *text = NULL;
	size_t size;

	(void)state;
	/* The member is not there, and nobody was told. */
	json_object_set_new(o, "root", json_stringn_nocheck("x", MORE_THAN_THERE_IS));
	assert_true(json_memory_lacked());
	assert_int_equal(json_object_size(o), 0);
	assert_int_equal(canonical_dump(o, &text, &size, &e), -1);
	assert_int_equal(e.code, MUNI_NO_MEMORY);
	assert_int_equal(canonical_load("{", 1, &value, &e), -1);
	assert_int_equal(e.code, MUNI_NO_MEMORY);
	assert_int_equal(json_memory_refused(&e, MUNI_DAMAGED, "of %d", 3), -1);
	assert_int_equal(e.code, MUNI_NO_MEMORY);
	json_decref(o);
}

static void a_text_that_found_no_memory_counts_as_lacking(void **state)
{
	char text[] = "x";
	int status = 0;
	pid_t child;

	(void)state;
	assert_ptr_equal(json_needs(text), text);
	assert_false(json_memory_lacked());
	child = fork();		/* what is noted is noted for good */
	if (child == 0)
		_exit(!json_needs(NULL) && json_memory_lacked() ? 0 : 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_refusal_is_believed_where_memory_was_never_lacking),
		cmocka_unit_test(a_text_that_found_no_memory_counts_as_lacking),
		cmocka_unit_test(once_it_was_lacking_no_document_is_written_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
