/* What identifiers say, what looks drawn, what is a date: the parts of recognisers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "policy/detect/assignment.h"
#include "policy/detect/date_written.h"
#include "policy/detect/detect.h"
#include "policy/detect/password_value.h"
#include "policy/detect/randomness.h"

static struct span span_of(const char *text)
{
	return (struct span){ text, text + strlen(text) };
}

static void a_name_is_read_as_words(void **state)
{
	static const struct {
		const char *name;
		enum named kind;
	} names[] = {
		{ "password", NAMED_PASSWORD }, { "DB_PASSWORD", NAMED_PASSWORD },
		{ "dbPassword", NAMED_PASSWORD }, { "spring.datasource.password", NAMED_PASSWORD },
		{ "userpwd", NAMED_PASSWORD }, { "password2", NAMED_PASSWORD },
		{ "登录密码", NAMED_PASSWORD }, { "root-passwd", NAMED_PASSWORD },
		{ "users/row/password", NAMED_PASSWORD }, { "passwordHash", NAMED_NOTHING },
		{ "password_min_length", NAMED_NOTHING }, { "password_file", NAMED_NOTHING },
		{ "bypass", NAMED_NOTHING }, { "compass", NAMED_NOTHING },
		{ "passenger", NAMED_NOTHING }, { "secret", NAMED_SECRET },
		{ "clientSecret", NAMED_SECRET }, { "secretary", NAMED_NOTHING },
		{ "api_key", NAMED_KEY }, { "APIKey", NAMED_KEY }, { "accessToken", NAMED_KEY },
		{ "row api_token", NAMED_KEY }, { "row_key", NAMED_NOTHING },
		{ "public_key", NAMED_NOTHING }, { "cache-key", NAMED_NOTHING },
		{ "Public Key", NAMED_NOTHING }, { "keyboard", NAMED_NOTHING },
		{ "monkey", NAMED_NOTHING }, { "token_endpoint", NAMED_NOTHING },
		{ "aws_secret_access_key", NAMED_AWS }, { "SecretAccessKey", NAMED_AWS },
		{ "AccountKey", NAMED_AZURE }, { "SharedAccessKey", NAMED_AZURE },
		{ "private_key_id", NAMED_GCP }, { "aws_access_key_id", NAMED_NOTHING },
		{ "", NAMED_NOTHING }, { "___", NAMED_NOTHING },
	};

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		if (named_kind(span_of(names[i].name)) != names[i].kind)
			fail_msg("\"%s\" is read as %d", names[i].name,
				 (int)named_kind(span_of(names[i].name)));
		assert_int_equal(detect_names_secret(names[i].name),
				 names[i].kind != NAMED_NOTHING);
	}
}

static void a_very_long_name_is_read_without_harm(void **state)
{
	char name[4096];

	(void)state;
	memset(name, 'a', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	assert_int_equal(named_kind(span_of(name)), NAMED_NOTHING);
	for (size_t i = 0; i < sizeof name - 1; i += 2)
		name[i] = '_';
	assert_int_equal(named_kind(span_of(name)), NAMED_NOTHING);
}

static void drawn_characters_are_told_from_written_ones(void **state)
{
	static const char *const drawn[] = {
		"G2EMRVK52XCMEk1rR0HtKWZzMIqqtaMWcYDD5woG", "f4556650ac31d35461610bac4ed81b1a",
		"OCx7NDMKXXY1bwzt6J7CbGve2Qoa1lww9bsJPLuUvp0=", "4_fGswxr0A4fG_vbBwqB1b5BW12lQ9u",
		"qe08k9234lkjsdf7x2m1", NULL,
	};
	static const char *const written[] = {
		"customer_identifier_number", "CFBundleShortVersionString12", "x509_privkey_t_of_me",
		"550e8400-e29b-41d4-a716-446655440000", "supercalifragilistic", "internationalization2023",
		"1234567890123456789", "uploads/2021/05/image.jpeg", "aaaaaaaaaaaaaaaaaaaaaaaa", "short1A",
		"id-Gost28147-None-Meshing", "RegOpenKeyExRegEnumKey", "", NULL,
	};

	(void)state;
	for (size_t i = 0; drawn[i] != NULL; i++) {
		if (!randomness_is_key(span_of(drawn[i])))
			fail_msg("\"%s\" was drawn", drawn[i]);
	}
	for (size_t i = 0; written[i] != NULL; i++) {
		if (randomness_is_key(span_of(written[i])))
			fail_msg("\"%s\" was written", written[i]);
	}
}

static void what_stands_for_a_password_is_known(void **state)
{
	static const char *const placeholders[] = {
		"${DB_PASS}", "$DB_PASS", "$row['pw']", "%PASS%", "%s", "{{ pw }}", "<password>",
		"****", "xxxxxxxx", "changeme", "CHANGE_ME", "your_password", "null", "None",
		":password", "@Model.Password", "[hidden]", "#{pw}", NULL,
	};
	static const char *const real[] = {
		"hunter2", "$ecret!23", "$2b$12$abcdefghijklmnopqrstuv", "admin", "123456", "88888888",
		"P@ssw0rd", "%tgbNHY6", NULL,
	};

	(void)state;
	for (size_t i = 0; placeholders[i] != NULL; i++) {
		if (!password_value_is_placeholder(span_of(placeholders[i])))
			fail_msg("\"%s\" stands for one", placeholders[i]);
	}
	for (size_t i = 0; real[i] != NULL; i++) {
		if (password_value_is_placeholder(span_of(real[i])))
			fail_msg("\"%s\" is one", real[i]);
	}
}

static void a_date_is_read_to_its_end_in_every_writing(void **state)
{
	static const char *const dates[] = {
		"1984-03-12", "1984/3/12", "1984.03.12", "12.03.1984", "12. 3. 1984", "03/12/84",
		"12/31/1984", "31/12/1984", "12 March 1984", "12-Mar-1984", "12th of March, 1984",
		"March 12, 1984", "12. März 1984", "12 de marzo de 1984", "1984年3月12日",
		"1984 年 3 月 12 日", "一九八四年三月十二日", "昭和59年3月12日", "1984년 3월 12일",
		"19840312", "29.02.1984", "29/02/00", "12MAR1984", NULL,
	};
	static const char *const none[] = {
		"1984-13-01", "1984-02-30", "31.04.1984", "29.02.1985", "1984-3", "12 Foo 1984", "19841312",
		"1984年13月1日", "0000-00-00", "1984", "", "3/12", "12.03/1984", NULL,
	};

	(void)state;
	for (size_t i = 0; dates[i] != NULL; i++) {
		struct span s = span_of(dates[i]);

		if (date_written(s.from, s.end) != s.end)
			fail_msg("\"%s\" is a date", dates[i]);
	}
	for (size_t i = 0; none[i] != NULL; i++) {
		struct span s = span_of(none[i]);

		if (date_written(s.from, s.end) != NULL)
			fail_msg("\"%s\" is no date", none[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_is_read_as_words),
		cmocka_unit_test(a_very_long_name_is_read_without_harm),
		cmocka_unit_test(drawn_characters_are_told_from_written_ones),
		cmocka_unit_test(what_stands_for_a_password_is_known),
		cmocka_unit_test(a_date_is_read_to_its_end_in_every_writing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
