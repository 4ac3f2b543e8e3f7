#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fs/mount/place.c"

static void check(struct place p)
{
	struct place back;
	uint64_t ino;

	assert_true(place_pack(&p, &ino));
	assert_true(ino >> 63 == 0);	/* some programs take it as signed */
	assert_true(place_unpack(ino, &back));
	assert_int_equal(back.kind, p.kind);
	assert_int_equal(back.id, p.id);
	assert_int_equal(back.version, p.version);
	assert_int_equal(back.is_dated, p.is_dated);
}

static void a_place_comes_back_from_its_node_id(void **state)
{
	(void)state;
	check((struct place){ .kind = PLACE_FIXED, .id = PLACE_STATUS });
	check((struct place){ .kind = PLACE_SYSTEM, .id = 7 });
	check((struct place){ .kind = PLACE_VERSIONS, .id = 7 });
	check((struct place){ .kind = PLACE_LINK, .version = 9, .is_dated = true });
	check((struct place){ .kind = PLACE_LINK, .version = VERSION_MAX });
	check((struct place){ .kind = PLACE_DIRECTORY, .id = ID_MAX, .version = VERSION_MAX });
	check((struct place){ .kind = PLACE_NODE, .id = 1 });
	check((struct place){ .kind = PLACE_NODE, .id = ID_MAX, .version = 3 });
	check((struct place){ .kind = PLACE_CERTIFICATE, .id = (int64_t)VALUE_MASK });
}

static void the_root_is_the_kernels_root(void **state)
{
	struct place root = { .kind = PLACE_FIXED, .id = PLACE_ROOT };
	uint64_t ino;

	(void)state;
	assert_true(place_pack(&root, &ino));
	assert_int_equal(ino, 1);
}

static void an_id_that_does_not_fit_is_refused_not_cut(void **state)
{
	struct place wide = { .kind = PLACE_NODE, .id = ID_MAX + 1 };
	struct place late = { .kind = PLACE_DIRECTORY, .id = 1, .version = VERSION_MAX + 1 };
	struct place negative = { .kind = PLACE_NODE, .id = -1 };
	uint64_t ino;

	(void)state;
	assert_false(place_pack(&wide, &ino));
	assert_false(place_pack(&late, &ino));
	assert_false(place_pack(&negative, &ino));
}

static void a_number_that_was_never_given_out_is_no_place(void **state)
{
	struct place p;

	(void)state;
	assert_false(place_unpack(0, &p));
	assert_false(place_unpack(99, &p));
	assert_false(place_unpack(UINT64_C(7) << KIND_SHIFT, &p));
	assert_false(place_unpack(UINT64_MAX, &p));
	assert_false(place_unpack((uint64_t)PLACE_NODE << KIND_SHIFT, &p));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_place_comes_back_from_its_node_id),
		cmocka_unit_test(the_root_is_the_kernels_root),
		cmocka_unit_test(an_id_that_does_not_fit_is_refused_not_cut),
		cmocka_unit_test(a_number_that_was_never_given_out_is_no_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
