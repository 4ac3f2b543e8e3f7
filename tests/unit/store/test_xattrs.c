#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/store/xattrs.h"

static struct xattr of(const char *name, const void *value, uint32_t size)
{
	return (struct xattr){ .name = name, .value = value, .size = size };
}

static void pack(struct xattr *list, size_t count, uint8_t **out, size_t *size)
{
	struct err e = ERR_NONE;

	if (xattrs_pack(list, count, out, size, &e) < 0)
		fail_msg("%s", e.text);
}

static int join(void *arg, const struct xattr *x)
{
	char *out = arg;

	snprintf(out + strlen(out), 300, "%s=%.*s;", x->name, (int)x->size,
		 (const char *)x->value);
	return 0;
}

static void a_set_reads_back_by_name_and_in_order(void **state)
{
	(void)state;
	struct xattr list[] = { of("user.b", "2", 1), of("security.capability", "\1\0\2", 3),
				of("user.a", NULL, 0) };
	struct err e = ERR_NONE;
	struct xattr x;
	char out[256] = "";
	uint8_t *blob;
	size_t size;

	pack(list, 3, &blob, &size);
	assert_int_equal(xattrs_each(blob, size, join, out, &e), 0);
	assert_string_equal(out, "security.capability=\1;user.a=;user.b=2;");
	assert_int_equal(xattrs_find(blob, size, "user.b", &x, &e), 0);
	assert_int_equal(x.size, 1);
	assert_string_equal(x.name, "user.b");
	assert_int_equal(xattrs_find(blob, size, "user.a", &x, &e), 0);
	assert_int_equal(x.size, 0);
	assert_int_equal(xattrs_find(blob, size, "user", &x, &e), -1);
	assert_int_equal(e.code, MUNI_NOT_FOUND);
	free(blob);
	pack(NULL, 0, &blob, &size);
	assert_int_equal(size, 1);
	assert_int_equal(xattrs_each(blob, size, join, out, &e), 0);
	free(blob);
}

static void equal_sets_are_equal_bytes(void **state)
{
	(void)state;
	struct xattr one[] = { of("a", "1", 1), of("b", "2", 1), of("c", "", 0) };
	struct xattr two[] = { of("c", NULL, 0), of("b", "2", 1), of("a", "1", 1) };
	uint8_t *p, *q;
	size_t p_size, q_size;

	pack(one, 3, &p, &p_size);
	pack(two, 3, &q, &q_size);
	assert_int_equal(p_size, q_size);
	assert_memory_equal(p, q, p_size);
	free(p);
	free(q);
}

static void what_is_too_large_or_given_twice_is_refused(void **state)
{
	(void)state;
	static uint8_t large[65537];
	char name[257];
	struct err e = ERR_NONE;
	struct xattr list[300], x;
	char names[300][16];
	uint8_t *blob;
	size_t size;

	memset(name, 'n', 256);
	name[256] = '\0';
	list[0] = of(name, "", 0);
	assert_int_equal(xattrs_pack(list, 1, &blob, &size, &e), -1);
	assert_int_equal(e.code, MUNI_LIMIT);
	assert_null(blob);
	name[255] = '\0';
	list[0] = of(name, large, 65536);
	pack(list, 1, &blob, &size);
	assert_int_equal(xattrs_find(blob, size, name, &x, &e), 0);
	assert_int_equal(x.size, 65536);
	free(blob);
	list[0] = of("a", large, 65537);
	assert_int_equal(xattrs_pack(list, 1, &blob, &size, &e), -1);
	assert_int_equal(e.code, MUNI_LIMIT);
	list[0] = list[1] = of("a", "", 0);
	assert_int_equal(xattrs_pack(list, 2, &blob, &size, &e), -1);
	assert_int_equal(e.code, MUNI_EXISTS);
	for (int i = 0; i < 300; i++) {
		snprintf(names[i], sizeof names[i], "%d", i);
		list[i] = of(names[i], large, 65536);
	}
	assert_int_equal(xattrs_pack(list, 300, &blob, &size, &e), -1);
	assert_int_equal(e.code, MUNI_LIMIT);
}

/* Cut at every byte, every byte changed: a set or damage, never more. */
static void hostile_blobs_are_damage(void **state)
{
	(void)state;
	struct xattr list[] = { of("user.a", "12", 2), of("user.b", "345", 3) }, x;
	static const uint8_t unsorted[] = { 2, 1, 'b', 0, 0, 1, 'a', 0, 0 };
	static const uint8_t no_nul[] = { 1, 1, 'b', 'c', 0 };
	static const uint8_t inner_nul[] = { 1, 2, 'b', 0, 0, 0 };
	static const uint8_t endless[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1 };
	struct err e = ERR_NONE;
	char out[1024] = "";
	uint8_t *blob;
	size_t size;

	pack(list, 2, &blob, &size);
	for (size_t cut = 0; cut < size; cut++) {
		uint8_t *part = malloc(cut ? cut : 1);

		memcpy(part, blob, cut);
		out[0] = '\0';
		assert_int_equal(xattrs_each(part, cut, join, out, &e), -1);
		assert_int_equal(e.code, MUNI_DAMAGED);
		free(part);
	}
	for (size_t at = 0; at < size; at++)
		for (int v = 0; v < 256; v++) {
			uint8_t keep = blob[at];

			blob[at] = (uint8_t)v;
			e = ERR_NONE;
			if (xattrs_find(blob, size, "user.b", &x, &e) < 0)
				assert_true(e.code == MUNI_DAMAGED || e.code == MUNI_NOT_FOUND);
			blob[at] = keep;
		}
	free(blob);
	assert_int_equal(xattrs_each(unsorted, sizeof unsorted, join, out, &e), -1);
	assert_int_equal(xattrs_each(no_nul, sizeof no_nul, join, out, &e), -1);
	assert_int_equal(xattrs_each(inner_nul, sizeof inner_nul, join, out, &e), -1);
	assert_int_equal(xattrs_each(endless, sizeof endless, join, out, &e), -1);
	assert_int_equal(xattrs_each("\0\0", 2, join, out, &e), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_set_reads_back_by_name_and_in_order),
		cmocka_unit_test(equal_sets_are_equal_bytes),
		cmocka_unit_test(what_is_too_large_or_given_twice_is_refused),
		cmocka_unit_test(hostile_blobs_are_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
