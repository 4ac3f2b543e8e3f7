/* Addresses, telephone numbers, dates of birth: in texts as people write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "finds.h"
#include "policy/detect/check_contact.h"

static void finds_each(void **state, const char *id, const char *const *texts)
{
	for (; *texts != NULL; texts++)
		assert_finds_only(*state, *texts, NULL, id);
}

static void an_address_of_mail_is_found_in_prose_of_any_script(void **state)
{
	static const char *const texts[] = {
		"write to bob.smith+tag@mail.example.co.uk.", "邮箱是zhang.san@example.com请联系",
		"用户@例子.中国", "an müller@bücher.de", "o'brien@example.ie", "'bob@example.com'",
		"\"john doe\"@example.com", "mailto:bob@example.com", "<bob@example.com>",
		"bob@xn--bcher-kva.example", "BOB@EXAMPLE.COM", "bob@163.com",
		"Kontakt.....bob@example.com", "bob@example.com:hunter", "to bob@example.com.Then",
		NULL,
	};

	finds_each(state, "email", texts);
}

static void what_only_has_an_at_sign_is_no_address(void **state)
{
	static const char *const texts[] = {
		"root@localhost", "icon@2x.png", "git clone git@github.com:org/repo.git",
		"systemctl start getty@tty1.service", "a..b@example.com", ".a@example.com",
		"a.@example.com", "a@b.c", "bob@example", "react@18.2.0", "core@7.0.dev", "@handle",
		"a@@example.com", "a@-example.com", "bob@x.example.com@y.example.com",
		"Message-ID: <20240101.abc@mail.example.com>", "ssh alice@host.example.com",
		"rsync alice@host.example.com:/srv/ .", "jdbc:oracle:thin:scott/x@db.example.com",
		"References: <a1@m.example.com>\n <a2@m.example.com>\n", NULL,
	};

	finds_each(state, NULL, texts);
}

static void a_telephone_number_is_found_where_its_writing_is_nothing_elses(void **state)
{
	static const char *const texts[] = {
		"+1 212 555 0123", "call (212) 555-0123 now", "212-555-0123", "1-212-555-0123",
		"+12125550123", "+44 20 7946 0958", "+44 (0)20 7946 0958", "07700 900123",
		"+49 30 123456", "030/12345678", "01 23 45 67 89", "+33 1 23 45 67 89",
		"0755-86012345", "(010)12345678", "+86 10 6552 9988", "03-1234-5678",
		"(02) 9123 4567", "0412 345 678", "+91 98765 43210", "(11) 98765-4321",
		"8 (495) 123-45-67", "400-810-8888", "001-212-555-0123x1234", "0049 30 1234567",
		"070-123 45 67", "+1-814-710-4885", "+39 06 1234567", NULL,
	};

	finds_each(state, "phone", texts);
}

static void other_numbers_are_telephones_only_behind_a_word(void **state)
{
	assert_finds_only(*state, "Tel. 512 345 678", NULL, "phone");
	assert_finds_only(*state, "电话：86012345", NULL, "phone");
	assert_finds_only(*state, "Phone: 2125550123", NULL, "phone");
	assert_finds_only(*state, "21234567", "home_phone", "phone");
	assert_finds_only(*state, "order 2125550123", NULL, NULL);
	assert_finds_only(*state, "21234567", "quantity", NULL);
}

static void what_cannot_be_dialled_is_no_telephone_number(void **state)
{
	static const char *const texts[] = {
		"Phone: 123-456-7890", "Phone: 555-01", "Phone: +44 20 7946 09", "tel +1 112 555 0123",
		"tel +999 264 538 946", "Call on 2021-03-04", "tel 212-555-01234", "phone 212-155-0123",
		"Phone: 111-111-1111", "+12", "SKU 0123-456789-001", "978-0-306-40615-7",
		"ORD-212-555-0123-9", "3.14159265358979", "$212-555-0123", NULL,
	};

	finds_each(state, NULL, texts);
}

static void a_chinese_mobile_number_is_left_to_its_own_recogniser(void **state)
{
	assert_finds_only(*state, "手机 13812345678", NULL, "cn-mobile");
	assert_finds_only(*state, "phone: +86 138 1234 5678", NULL, "cn-mobile");
}

static void calling_codes_and_the_lengths_behind_them_are_known(void **state)
{
	(void)state;
	assert_true(phone_is_e164("442079460958", 12));
	assert_true(phone_is_e164("4402079460958", 13));
	assert_true(phone_is_e164("390612345678", 12));
	assert_false(phone_is_e164("44207946", 8));
	assert_false(phone_is_e164("999264538946", 12));
	assert_false(phone_is_e164("10125550123", 11));
	assert_false(phone_is_e164("19115550123", 11));
}

static void ipv4_addresses_are_told_from_versions_and_masks(void **state)
{
	static const char *const found[] = {
		"from 192.168.1.10 port 22", "10.0.0.1:8080", "http://203.0.113.9/x", "10.0.0.0/8",
		"localhost/10.1.2.3:80", "服务器192.0.2.7已重启", "Server version 5.1 at 10.9.8.7", NULL,
	};
	static const char *const none[] = {
		"127.0.0.1", "0.0.0.0", "255.255.255.0", "255.255.255.255", "version 1.2.3.4",
		"v1.2.3.4", "\"version\": \"1.2.3.4\"", "1.2.3.4.5", "256.1.1.1", "1.2.3",
		"Chrome/120.0.0.0", "lib-1.2.3.4.jar", "1.2.3.4-rc1", "01.02.03.04", "第1.2.3.4条",
		"section 4.1.2.3", NULL,
	};

	finds_each(state, "ipv4", found);
	finds_each(state, NULL, none);
}

static void ipv6_addresses_are_found_in_every_form(void **state)
{
	static const char *const found[] = {
		"2001:db8::1", "fe80::1ff:fe23:4567:890a%eth0", "[2001:db8::5]:443", "::ffff:192.0.2.128",
		"2001:0db8:85a3:0000:0000:8a2e:0370:7334", "64:ff9b::203.0.113.1", "fd12:3456:789a:1::1",
		"2001:DB8::FF00:42:8329", "addr:2001:db8::7", "host1a:2001:db8::7", "2001:db8::/32", NULL,
	};
	static const char *const none[] = {
		"12:34:56", "std::string x", "a[1::2]", "x[::2]", "::", "::1", "Foo::bar()", "dead::beef",
		"00:1a:2b:3c:4d:5e:6f:70", "2001:db8:::1", "2001:db8::12345", "2001:db8::1::2",
		"2001:db8:1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8", NULL,
	};

	finds_each(state, "ipv6", found);
	finds_each(state, NULL, none);
}

static void mac_addresses_are_found_in_the_usual_forms(void **state)
{
	static const char *const found[] = {
		"00:1A:2b:3c:4D:5e", "00-1a-2b-3c-4d-5e", "001a.2b3c.4d5e", "aa:bb:cc:dd:ee:ff",
		"FA:C4:CA:C0:B3:A3", "AA-BB-CC-DD-EE-FF", "MAC 001A2B3C4D5E", NULL,
	};
	static const char *const none[] = {
		"00:1a:2b:3c:4d", "00:1a:2b:3c:4d:5e:6f", "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00",
		"0g:1a:2b:3c:4d:5e", "00:1a-2b:3c-4d:5e", "001A2B3C4D5E",
		"550e8400-e29b-41d4-a716-446655440000", NULL,
	};

	finds_each(state, "mac", found);
	finds_each(state, NULL, none);
}

static void a_date_is_one_of_birth_if_the_words_say_so(void **state)
{
	static const char *const found[] = {
		"Date of birth: 1984-03-12", "DOB 12/03/1984", "born 12 March 1984",
		"born on March 12, 1984 in", "出生日期：1984年3月12日", "1984年3月12日出生",
		"geboren am 12.03.1984", "geb. 12. März 1984", "né le 12 mars 1984",
		"出生于一九八四年三月十二日", "dob: 19840312", "昭和59年3月12日生",
		"Birth Date (MM/DD/YYYY): 03/12/84", "DOB=1984-03-12T00:00:00Z",
		"fecha de nacimiento: 12 de marzo de 1984", NULL,
	};
	static const char *const none[] = {
		"1984-03-12", "created 1984-03-12", "DOB: 1984-13-12", "DOB: 1984-02-30",
		"born in Berlin; admitted 2020-01-05", "2020年1月1日生效", "invoice 12/03/2019",
		"出生地 北京，入职 2020-01-05", NULL,
	};

	finds_each(state, "date-of-birth", found);
	finds_each(state, NULL, none);
	assert_finds_only(*state, "1984-03-12", "birth_date", "date-of-birth");
	assert_finds_only(*state, "1984-03-12", "DateOfBirth", "date-of-birth");
	assert_finds_only(*state, "1984-03-12", "hired", NULL);
}

static void top_level_domains_are_those_of_the_root(void **state)
{
	(void)state;
	assert_true(tld_is_known("com", 3));
	assert_true(tld_is_known("MUSEUM", 6));
	assert_true(tld_is_known("xn--fiqs8s", 10));
	assert_true(tld_is_known("local", 5));
	assert_false(tld_is_known("png", 3));
	assert_false(tld_is_known("service", 7));
	assert_false(tld_is_known("c", 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_of_mail_is_found_in_prose_of_any_script),
		cmocka_unit_test(what_only_has_an_at_sign_is_no_address),
		cmocka_unit_test(a_telephone_number_is_found_where_its_writing_is_nothing_elses),
		cmocka_unit_test(other_numbers_are_telephones_only_behind_a_word),
		cmocka_unit_test(what_cannot_be_dialled_is_no_telephone_number),
		cmocka_unit_test(a_chinese_mobile_number_is_left_to_its_own_recogniser),
		cmocka_unit_test(calling_codes_and_the_lengths_behind_them_are_known),
		cmocka_unit_test(ipv4_addresses_are_told_from_versions_and_masks),
		cmocka_unit_test(ipv6_addresses_are_found_in_every_form),
		cmocka_unit_test(mac_addresses_are_found_in_the_usual_forms),
		cmocka_unit_test(a_date_is_one_of_birth_if_the_words_say_so),
		cmocka_unit_test(top_level_domains_are_those_of_the_root),
	};

	return cmocka_run_group_tests(tests, finds_open, finds_close);
}
