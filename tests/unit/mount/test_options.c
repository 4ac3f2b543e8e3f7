#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "fs/mount/options.c"

static int parse(struct mount_options *o, struct err *e, const char *words)
{
	static char copy[512];
	char *argv[16], *save = NULL;
	int argc = 0;

	snprintf(copy, sizeof copy, "%s", words);
	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	argv[argc] = NULL;
	optind = 0;
	*e = ERR_NONE;
	return options_parse(argc, argv, o, e);
}

static void options_are_taken_as_documented(void **state)
{
	struct mount_options o;
	struct err e;

	(void)state;
	assert_int_equal(parse(&o, &e, "munifs /a /m -f -o system=HR,version=2,uid=7,gid=8,"
			       "umask=027,cache=8M,threads=3 -o readahead=1M,kernel-readahead=256K,allow_other,dev,"
			       "suid,audit,classes=A:B,audience=staff"), 0);
	assert_string_equal(o.archive, "/a");
	assert_string_equal(o.mountpoint, "/m");
	assert_string_equal(o.system, "HR");
	assert_string_equal(o.version, "2");
	assert_int_equal(o.uid, 7);
	assert_int_equal(o.gid, 8);
	assert_int_equal(o.umask, 027);
	assert_int_equal(o.cache, 8 << 20);
	assert_int_equal(o.readahead, 1 << 20);
	assert_int_equal(o.kernel_readahead, 256 << 10);
	assert_int_equal(o.threads, 3);
	assert_true(o.has_uid && o.has_gid && o.has_umask && o.allow_other && o.dev &&
		    o.suid && o.audit && o.foreground);
	assert_string_equal(o.classes, "A:B");
	assert_string_equal(o.audience, "staff");
	options_free(&o);
	assert_int_equal(parse(&o, &e, "munifs /a /m -o allow_dev,allow_suid"), 0);
	assert_true(o.dev && o.suid);
	options_free(&o);
}

static void a_comma_in_a_value_is_escaped(void **state)
{
	struct mount_options o;
	struct err e;

	(void)state;
	assert_int_equal(parse(&o, &e, "munifs /a /m -o key-file=/k\\,ey,system=a\\\\b"), 0);
	assert_string_equal(o.key_file, "/k,ey");
	assert_string_equal(o.system, "a\\b");
	options_free(&o);
}

static void what_fstab_adds_is_swallowed(void **state)
{
	struct mount_options o;
	struct err e;

	(void)state;
	assert_int_equal(parse(&o, &e, "munifs /a /m -o rw,defaults,noauto,_netdev,nofail,"
			       "x-systemd.automount,nosuid,nodev,noexec"), 0);
	assert_false(o.dev || o.suid);
	assert_non_null(strstr(o.pass_on, "noexec"));
	options_free(&o);
}

static void a_word_that_is_no_option_is_wrong_usage(void **state)
{
	static const char *const wrong[] = {
		"munifs /a /m -o cach=1M", "munifs /a /m -o cache=lots", "munifs /a /m -o cache",
		"munifs /a /m -o threads=0", "munifs /a /m -o threads=65", "munifs /a",
		"munifs /a /m /x", "munifs /a /m -o version=1", "munifs /a /m -o umask=9",
		"munifs /a /m -o uid=nobody-of-that-name", "munifs /a /m -q",
		"munifs /a /m -o key-file=a,passphrase-file=b", "munifs /a /m -o",
	};
	struct mount_options o;
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		assert_int_equal(parse(&o, &e, wrong[i]), -1);
		assert_int_equal(e.code, MUNI_USAGE);
		assert_true(strlen(e.text) > 0);
		options_free(&o);
	}
}

static void called_by_mount_the_flag_f_means_fake(void **state)
{
	struct mount_options o;
	struct err e;

	(void)state;
	assert_int_equal(parse(&o, &e, "/sbin/mount.munifs /a /m -n -v -f -o rw"), 0);
	assert_true(o.is_fake);
	assert_false(o.foreground);
	options_free(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_are_taken_as_documented),
		cmocka_unit_test(a_comma_in_a_value_is_escaped),
		cmocka_unit_test(what_fstab_adds_is_swallowed),
		cmocka_unit_test(a_word_that_is_no_option_is_wrong_usage),
		cmocka_unit_test(called_by_mount_the_flag_f_means_fake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
