#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "finds.h"
#include "made_numbers.h"

#define SEED 0x6d6f6e6579u

static uint64_t found(struct finds *f, const char *id, const char *text)
{
	size_t count;
	const struct finding *findings;

	findings = finds_in(f, text, NULL, &count);
	for (size_t i = 0; i < count; i++)
		if (strcmp(findings[i].id, id) == 0)
			return findings[i].count;
	return 0;
}

/* ---- cards ------------------------------------------------------------------------------- */

struct issuer {
	const char *prefix;
	size_t length;
	const char *groups;	/* as it is printed */
};

static const struct issuer issuers[] = {
	{ "4", 16, "4444" }, { "4", 19, "44443" }, { "51", 16, "4444" },
	{ "55", 16, "4444" }, { "2221", 16, "4444" }, { "2720", 16, "4444" }, { "34", 15, "465" },
	{ "37", 15, "465" }, { "6011", 16, "4444" }, { "644", 16, "4444" }, { "65", 16, "4444" },
	{ "300", 14, "464" }, { "305", 14, "464" }, { "36", 14, "464" }, { "38", 14, "464" },
	{ "3528", 16, "4444" }, { "3589", 16, "4444" }, { "6759", 16, "4444" },
	{ "5018", 16, "4444" },
};

static void make_card(struct dice *d, const char *prefix, size_t length, char *out)
{
	size_t used = strlen(prefix);

	do {
		memcpy(out, prefix, used + 1);
		dice_digits(d, out + used, length - used - 1);
		out[length - 1] = made_luhn(out);
		out[length] = '\0';
	} while (strstr(out, "00000000"));
}

static void in_groups(const char *digits, const char *groups, char by, char *out)
{
	for (; *groups != '\0'; groups++) {
		size_t size = (size_t)(*groups - '0');

		memcpy(out, digits, size);
		out += size;
		digits += size;
		if (groups[1] != '\0')
			*out++ = by;
	}
	*out = '\0';
}

static const char *const carriers[] = { "%s", "Paid with %s on 2024-05-01.", "客户卡%s已登记",
	"1,%s,EUR", "{\"n\": \"%s\"}", "a=1&c=%s&x=2", "<card>%s</card>", "\t%s\t12/27\t",
	"card no: %s, exp 12/27", "%s." };

static void cards_of_every_issuer_are_found_however_they_are_written(void **state)
{
	struct dice d = { SEED };
	char digits[32], grouped[40], text[128];

	for (unsigned n = 0; n < 2000; n++) {
		const struct issuer *i = &issuers[n % (sizeof issuers / sizeof issuers[0])];
		const char *carrier = carriers[dice_below(&d, sizeof carriers / sizeof carriers[0])];

		make_card(&d, i->prefix, i->length, digits);
		snprintf(text, sizeof text, carrier, digits);
		if (found(*state, "payment-card", text) != 1)
			fail_msg("not found: %s", text);
		if (!i->groups)
			continue;
		in_groups(digits, i->groups, n / 20 % 2 ? ' ' : '-', grouped);
		snprintf(text, sizeof text, carrier, grouped);
		if (found(*state, "payment-card", text) != 1)
			fail_msg("not found: %s", text);
	}
}

static void a_card_with_a_wrong_digit_is_none(void **state)
{
	struct dice d = { SEED };
	char digits[32], text[128];

	for (unsigned n = 0; n < 2000; n++) {
		const struct issuer *i = &issuers[n % (sizeof issuers / sizeof issuers[0])];
		const char *carrier = carriers[dice_below(&d, sizeof carriers / sizeof carriers[0])];
		size_t at;

		make_card(&d, i->prefix, i->length, digits);
		at = 4 + dice_below(&d, (unsigned)i->length - 4);
		digits[at] = (char)('0' + (digits[at] - '0' + 1 + (int)dice_below(&d, 9)) % 10);
		snprintf(text, sizeof text, carrier, digits);
		assert_int_equal(found(*state, "payment-card", text), 0);
	}
}

static void a_card_of_no_issuer_or_of_another_length_is_none(void **state)
{
	static const struct issuer none[] = { { "1", 16, NULL }, { "9", 16, NULL },
		{ "7", 16, NULL }, { "2220", 16, NULL }, { "2721", 16, NULL }, { "50", 14, NULL },
		{ "4", 15, NULL }, { "4", 14, NULL }, { "51", 15, NULL }, { "51", 17, NULL },
		{ "34", 16, NULL }, { "3527", 16, NULL }, { "3590", 14, NULL }, { "62", 16, NULL } };
	struct dice d = { SEED };
	char digits[32], text[128];

	for (unsigned n = 0; n < 1000; n++) {
		const struct issuer *i = &none[n % (sizeof none / sizeof none[0])];

		make_card(&d, i->prefix, i->length, digits);
		snprintf(text, sizeof text, "Paid with %s today", digits);
		assert_int_equal(found(*state, "payment-card", text), 0);
	}
}

/* Goods sold in Germany bear numbers of thirteen digits that begin with a 4. */
static void old_cards_of_thirteen_digits_need_a_word(void **state)
{
	struct dice d = { SEED };
	char digits[32], text[128];

	for (unsigned n = 0; n < 100; n++) {
		make_card(&d, "4", 13, digits);
		assert_int_equal(found(*state, "payment-card", digits), 0);
		snprintf(text, sizeof text, "Visa card: %s", digits);
		assert_int_equal(found(*state, "payment-card", text), 1);
	}
}

static void a_piece_of_something_longer_is_no_card(void **state)
{
	static const char *const texts[] = { "0.4111111111111111", "4111111111111111.25",
		"x4111111111111111", "41111111111111110000", "12-4111111111111111",
		"550e8400-e29b-41d4-a716-501800000009", "4111111111111111e5", "-0.5500005555555559",
		"9999 4111 1111 1111 1111", "4111 1111 1111 1111 1111 1111", "0000 0000 0000 0000",
		"0x4111111111111111", "1714553000000000", "4111 1111-1111 1111" };

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		if (found(*state, "payment-card", texts[i]) != 0)
			fail_msg("found in %s", texts[i]);
}

/* Nor is what is called something else, unless it is called a card as well. */
static void an_order_number_is_no_card(void **state)
{
	static const char *const none[] = { "order no. 4111111111111111",
		"tracking number: 5500005555555559", "身份证号 6011000990139424",
		"订单号：6222021234567890128", "3 items, txn 4111111111111111" };
	static const char *const cards[] = { "order no. 17, card 4111111111111111",
		"order 17 paid by 4111111111111111", "order no. 4111 1111 1111 1111",
		"order card 4111111111111111", "account number 4111111111111111" };

	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
		if (found(*state, "payment-card", none[i]) + found(*state, "cn-bank-card", none[i]) != 0)
			fail_msg("found in %s", none[i]);
	for (size_t i = 0; i < sizeof cards / sizeof cards[0]; i++)
		if (found(*state, "payment-card", cards[i]) != 1)
			fail_msg("not found in %s", cards[i]);
}

static void unionpay_numbers_are_chinese_unless_english_words_speak_of_a_card(void **state)
{
	static const struct { const char *text, *id; } cases[] = {
		{ "%s", "cn-bank-card" }, { "银行卡号：%s", "cn-bank-card" },
		{ "开户行账号%s，请打款", "cn-bank-card" }, { "paid by %s today", "cn-bank-card" },
		{ "credit card: %s", "payment-card" }, { "Visa or Amex card number %s", "payment-card" },
		{ "UnionPay card number %s", "cn-bank-card" },
		{ "card no. 银行卡 %s", "cn-bank-card" }, { "银行卡 card number %s", "cn-bank-card" },
	};
	struct dice d = { SEED };
	char digits[32], text[128];

	for (unsigned n = 0; n < 800; n++) {
		size_t i = n % (sizeof cases / sizeof cases[0]);
		const char *other;

		make_card(&d, "62", 16 + n / 8 % 4, digits);
		snprintf(text, sizeof text, cases[i].text, digits);
		other = cases[i].id[0] == 'c' ? "payment-card" : "cn-bank-card";
		if (found(*state, cases[i].id, text) != 1 || found(*state, other, text) != 0)
			fail_msg("no %s in %s", cases[i].id, text);
		digits[10] = digits[10] == '9' ? '0' : (char)(digits[10] + 1);
		snprintf(text, sizeof text, cases[i].text, digits);
		assert_int_equal(found(*state, cases[i].id, text), 0);
	}
}

/* ---- iban -------------------------------------------------------------------------------- */

/* Countries, lengths, and the form of the account as the registry prints it. */
static const struct { const char *country, *form; } ibans[] = {
	{ "AD", "99999999XXXXXXXXXXXX" }, { "AT", "9999999999999999" }, { "BE", "999999999999" },
	{ "BR", "99999999999999999999999AX" }, { "CH", "99999XXXXXXXXXXXX" },
	{ "DE", "999999999999999999" }, { "ES", "99999999999999999999" },
	{ "FI", "99999999999999" }, { "FR", "9999999999XXXXXXXXXXX99" },
	{ "GB", "AAAA99999999999999" }, { "IE", "AAAA99999999999999" },
	{ "IT", "A9999999999XXXXXXXXXXXX" }, { "LC", "AAAAXXXXXXXXXXXXXXXXXXXXXXXX" },
	{ "MT", "AAAA99999XXXXXXXXXXXXXXXXXX" }, { "NL", "AAAA9999999999" },
	{ "NO", "99999999999" }, { "PL", "999999999999999999999999" },
	{ "RU", "99999999999999XXXXXXXXXXXXXXX" }, { "SA", "99XXXXXXXXXXXXXXXXXX" },
	{ "SE", "99999999999999999999" }, { "TR", "999999XXXXXXXXXXXXXXXX" },
};
#define IBANS (sizeof ibans / sizeof ibans[0])

/* 98 less the remainder, by the standard's long division over the written-out number. */
static void make_iban(struct dice *d, size_t which, char *out)
{
	const char *form = ibans[which].form;
	char written[160];
	unsigned rest = 0;
	size_t size = strlen(form), used = 0;

	for (size_t i = 0; i < size; i++) {
		unsigned drawn = dice_below(d, form[i] == '9' ? 10 : form[i] == 'A' ? 26 : 36);

		out[4 + i] = (char)(form[i] == '9' ? '0' + drawn : form[i] == 'A' ? 'A' + drawn :
				    drawn < 10 ? '0' + drawn : 'A' + drawn - 10);
	}
	out[4 + size] = '\0';
	memcpy(out, ibans[which].country, 2);
	for (size_t i = 4; i < 4 + size + 2; i++) {
		char c = i < 4 + size ? out[i] : out[i - 4 - size];

		used += (size_t)snprintf(written + used, sizeof written - used, "%d",
					 c <= '9' ? c - '0' : c - 'A' + 10);
	}
	for (size_t i = 0; i < used; i++)
		rest = (rest * 10 + (unsigned)(written[i] - '0')) % 97;
	rest = 98 - rest * 100 % 97;
	out[2] = (char)('0' + rest / 10);
	out[3] = (char)('0' + rest % 10);
}

static void in_fours(const char *iban, char *out)
{
	for (size_t i = 0; iban[i] != '\0'; i++) {
		if (i > 0 && i % 4 == 0)
			*out++ = ' ';
		*out++ = iban[i];
	}
	*out = '\0';
}

static const char *const letters[] = { "%s", "Please pay to %s by Friday.", "账号：%s。",
	"1;%s;EUR", "{\"n\":\"%s\"}", "IBAN %s BIC", "%s EUR 12,50" };

static void ibans_are_found_however_they_are_written(void **state)
{
	struct dice d = { SEED };
	char iban[64], fours[80], text[256];

	for (unsigned n = 0; n < 2100; n++) {
		const char *letter = letters[dice_below(&d, sizeof letters / sizeof letters[0])];

		make_iban(&d, n % IBANS, iban);
		snprintf(text, sizeof text, letter, iban);
		if (found(*state, "iban", text) != 1)
			fail_msg("not found: %s", text);
		in_fours(iban, fours);
		snprintf(text, sizeof text, letter, fours);
		if (found(*state, "iban", text) != 1)
			fail_msg("not found: %s", text);
		iban[3] = iban[3] == '5' ? '6' : '5';
		snprintf(text, sizeof text, letter, iban);
		assert_int_equal(found(*state, "iban", text), 0);
	}
}

static void small_letters_make_an_iban_in_context_alone(void **state)
{
	struct dice d = { SEED };
	char iban[64], text[128];

	for (unsigned n = 0; n < 2 * IBANS; n++) {
		make_iban(&d, n % IBANS, iban);
		for (char *c = iban; *c != '\0'; c++)
			*c = (char)(*c >= 'A' ? *c + 32 : *c);
		assert_int_equal(found(*state, "iban", iban), 0);
		snprintf(text, sizeof text, "iban: %s", iban);
		assert_int_equal(found(*state, "iban", text), 1);
	}
}

/* ---- bic --------------------------------------------------------------------------------- */

static void bics_are_found_in_context_and_words_are_not(void **state)
{
	static const char *const codes[] = { "DEUTDEFF", "DEUTDEFF500", "BOFAUS3N", "NWBKGB2L",
		"HSBCHKHH", "ICBKCNBJ", "BKCHCNBJ110", "COBADEFFXXX", "CHASUS33", "BNPAFRPP",
		"MIDLGB22", "POFICHBE", "SBININBB" };
	static const char *const words[] = { "DOCUMENT", "CUSTOMER", "TRANSFER", "TRANSACTION",
		"CODES", "DEUTXXFF", "A_DEUTDEFF", "DEUTDEFF_B", "xDEUTDEFF", "DEUTDEFFX",
		"deutdeff", "12345678", "DEUTDE", "INFORMATION" };
	char text[128];

	for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
		snprintf(text, sizeof text, "SWIFT code: %s", codes[i]);
		assert_int_equal(found(*state, "swift-bic", text), 1);
		snprintf(text, sizeof text, "银行国际代码 %s", codes[i]);
		assert_int_equal(found(*state, "swift-bic", text), 1);
		snprintf(text, sizeof text, "THE %s IS HERE", codes[i]);
		assert_int_equal(found(*state, "swift-bic", text),
				 strlen(codes[i]) == 11 && !strcmp(codes[i] + 8, "XXX"));
	}
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		snprintf(text, sizeof text, "SWIFT code: %s", words[i]);
		if (found(*state, "swift-bic", text) != 0)
			fail_msg("found in %s", text);
	}
}

/* ---- numbers of other kinds --------------------------------------------------------------- */

static void ordinary_numbers_are_no_money(void **state)
{
	static const char *const ids[] = { "payment-card", "iban", "swift-bic", "cn-bank-card" };
	struct finds *f = *state;
	struct dice d = { SEED };
	uint64_t wrong[4] = { 0 };

	for (unsigned n = 0; n < 5000; n++) {
		unsigned long long r = dice_next(&d), s = dice_next(&d);
		char text[512];

		snprintf(text, sizeof text,
			 "2024-%02llu-%02llu 12:34:56.%06llu id=%016llu ts=%llu ns=%llu %016llx "
			 "%08llx-%04llx-4%03llx-a%03llx-%012llx 0.%016llu %llu.%llu.%llu\n"
			 "ORDER NO %012llu INVOICE GB%02llu%llu REF%llu",
			 1 + r % 12, 1 + s % 28, r % 1000000, r % 10000000000000000,
			 1600000000000 + s % 200000000000, 1600000000000000000 + s % 200000000000000000,
			 r, r >> 32, s & 0xffff, r & 0xfff, s >> 52, s >> 16, s % 10000000000000000,
			 r % 20, s % 20, r % 9999, s % 1000000000000, r % 100, s % 100000000000, r);
		for (size_t i = 0; i < 4; i++)
			wrong[i] += found(f, ids[i], text);
	}
	/* One number of sixteen digits in fifty has an issuer and passes Luhn. */
	assert_in_range(wrong[0] + wrong[3], 1, 5000 / 30);
	assert_int_equal(wrong[1], 0);
	assert_int_equal(wrong[2], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cards_of_every_issuer_are_found_however_they_are_written),
		cmocka_unit_test(a_card_with_a_wrong_digit_is_none),
		cmocka_unit_test(a_card_of_no_issuer_or_of_another_length_is_none),
		cmocka_unit_test(old_cards_of_thirteen_digits_need_a_word),
		cmocka_unit_test(a_piece_of_something_longer_is_no_card),
		cmocka_unit_test(an_order_number_is_no_card),
		cmocka_unit_test(unionpay_numbers_are_chinese_unless_english_words_speak_of_a_card),
		cmocka_unit_test(ibans_are_found_however_they_are_written),
		cmocka_unit_test(small_letters_make_an_iban_in_context_alone),
		cmocka_unit_test(bics_are_found_in_context_and_words_are_not),
		cmocka_unit_test(ordinary_numbers_are_no_money),
	};

	return cmocka_run_group_tests(tests, finds_open, finds_close);
}
