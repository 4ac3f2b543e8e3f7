/*
 * Money: payment cards (ISO/IEC 7812), IBAN (ISO 13616, the registry's lengths), BIC
 * (ISO 9362), the cards of China's banks (UnionPay).
 */
#include <string.h>

#include "policy/detect/around.h"
#include "policy/detect/beside.h"
#include "policy/detect/checksum.h"
#include "policy/detect/recogniser.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
	return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* The n-th byte left of the match (1: the neighbour), right of it (0: the neighbour);
 * 0 past the end. */
static char left_of(const struct candidate *c, size_t n)
{
	return n <= (size_t)(c->text - c->before) ? *(c->text - n) : '\0';
}

static char right_of(const struct candidate *c, size_t n)
{
	const char *at = c->text + c->size;

	return n < (size_t)(c->after - at) ? at[n] : '\0';
}

/* ---- cards ------------------------------------------------------------------------------ */

/* Four digits and no more stand `at` bytes left (right) of the match. */
static bool group_left(const struct candidate *c, size_t at)
{
	for (size_t i = 0; i < 4; i++)
		if (!is_digit(left_of(c, at + i)))
			return false;
	return !is_alnum(left_of(c, at + 4));
}

static bool group_right(const struct candidate *c, size_t at)
{
	for (size_t i = 0; i < 4; i++)
		if (!is_digit(right_of(c, at + i)))
			return false;
	return !is_alnum(right_of(c, at + 4));
}

/* Part of a longer number: a decimal, a UUID, more groups of the same kind. */
static bool goes_on(const struct candidate *c)
{
	char left = left_of(c, 1), right = right_of(c, 0);
	bool spaced = memchr(c->text, ' ', c->size) != NULL;

	if ((left == '.' || left == '-') && is_digit(left_of(c, 2)))
		return true;
	if ((right == '.' || right == '-') && is_digit(right_of(c, 1)))
		return true;
	/* What parts a mail: "===============8326429347238473==". */
	if (left == '=' && left_of(c, 2) == '=')
		return true;
	/* Hexadecimal groups: "a716-446655440000". */
	if (left == '-' && is_alnum(left_of(c, 2)) && is_alnum(left_of(c, 3)) &&
	    is_alnum(left_of(c, 4)) && is_alnum(left_of(c, 5)) && left_of(c, 6) == '-')
		return true;
	if (!spaced)
		return false;
	return (left == ' ' && group_left(c, 2)) ||
	       (right == ' ' && group_right(c, 1) && right_of(c, 5) == ' ' && group_right(c, 6));
}

struct issuer {
	uint32_t first, last;	/* of the first `digits` digits */
	uint8_t digits;
	uint8_t shortest, longest;	/* of the number */
};

/* ISO/IEC 7812-1 as the schemes publish their ranges; UnionPay's 62 is told apart. */
static const struct issuer issuers[] = {
	{ 4, 4, 1, 16, 16 }, { 4, 4, 1, 19, 19 },	/* Visa */
	{ 51, 55, 2, 16, 16 }, { 2221, 2720, 4, 16, 16 },		/* Mastercard */
	{ 34, 34, 2, 15, 15 }, { 37, 37, 2, 15, 15 },			/* American Express */
	{ 6011, 6011, 4, 16, 19 }, { 644, 649, 3, 16, 19 }, { 65, 65, 2, 16, 19 },	/* Discover */
	{ 300, 305, 3, 14, 14 }, { 3095, 3095, 4, 14, 14 }, { 36, 36, 2, 14, 14 },
	{ 38, 39, 2, 14, 14 }, { 300, 305, 3, 16, 16 }, { 36, 36, 2, 16, 16 },
	{ 38, 39, 2, 16, 16 },						/* Diners Club */
	{ 3528, 3589, 4, 16, 19 },					/* JCB */
	{ 62, 62, 2, 16, 19 },						/* UnionPay */
};
/* Of 12 to 19 digits, in ranges that other numbers use as well. */
static const struct issuer maestro[] = {
	{ 5018, 5018, 4, 12, 19 }, { 5020, 5020, 4, 12, 19 }, { 5038, 5038, 4, 12, 19 },
	{ 5893, 5893, 4, 12, 19 }, { 6304, 6304, 4, 12, 19 }, { 6759, 6759, 4, 12, 19 },
	{ 6761, 6763, 4, 12, 19 },
	{ 4, 4, 1, 13, 13 },	/* Visa's old ones; German goods have such numbers */
};

static bool is_issued(const struct issuer *rows, size_t count, const char *digits, size_t length)
{
	for (size_t i = 0; i < count; i++) {
		uint32_t number = 0;

		for (size_t k = 0; k < rows[i].digits; k++)
			number = number * 10 + (uint32_t)(digits[k] - '0');
		if (number >= rows[i].first && number <= rows[i].last &&
		    length >= rows[i].shortest && length <= rows[i].longest)
			return true;
	}
	return false;
}

/* Its digits, if it is a number that Luhn passes and that stands for itself; else 0. */
static size_t card_digits(const struct candidate *c, char digits[24])
{
	int count = checksum_digits(c->text, c->size, " -", digits, 24);

	if (count < 12 || !checksum_luhn(digits, (size_t)count) ||
	    checksum_is_trivial(digits, (size_t)count) || goes_on(c))
		return 0;
	return (size_t)count;
}

static bool begins_62(const char *digits)
{
	return digits[0] == '6' && digits[1] == '2';
}

static const char *const china_words[] = { "银行卡", "借记卡", "储蓄卡", "信用卡", "卡号",
	"银联", "银行", "账号", "帐号", "账户", "帐户", "工资卡", "开户", "打款", "收款", "汇款",
	"转账", "付款", "bank card", "bankcard", "bank account", "account", "account no",
	"account number", "unionpay", "union pay", "cup", "debit card", "salary card", NULL };

/* Near enough to count as context (detect_near.h: 100 bytes before, 50 after). */
static bool has_china_words(const struct candidate *c)
{
	return around_has_word(around_before(c, 100, false), china_words) ||
	       around_has_word(around_after(c, 50, true), china_words) ||
	       around_label_has(c, china_words);
}

/* Bare digits right behind the name of something else ("order no. ", "身份证号"): one
 * such number in fifty has an issuer and passes Luhn, so they need a word of their own. */
static enum verdict unless_named(const struct candidate *c, enum verdict form)
{
	struct candidate own = *c;

	if (form != VERDICT_VALID || c->is_first_look || memchr(c->text, ' ', c->size) ||
	    memchr(c->text, '-', c->size))
		return form;
	/* What stands before another number belongs to that one. */
	own.before = around_words_before(c, c->text, (size_t)(c->text - c->before), 0).from;
	return beside_naming(&own, "card") == NAMING_OTHER &&
	       beside_naming(&own, "account") == NAMING_OTHER ? VERDICT_WEAK : VERDICT_VALID;
}

/* UnionPay's own numbers are a Chinese bank's unless words speak of a card to pay
 * with, and none of a bank. */
static enum verdict check_payment_card(const struct candidate *c)
{
	char digits[24];
	size_t count = card_digits(c, digits);

	if (count == 0)
		return VERDICT_NO;
	if (begins_62(digits) && (!c->has_context || has_china_words(c)))
		return VERDICT_NO;
	if (is_issued(issuers, sizeof issuers / sizeof issuers[0], digits, count))
		return unless_named(c, VERDICT_VALID);
	if (is_issued(maestro, sizeof maestro / sizeof maestro[0], digits, count))
		return unless_named(c, count == 16 ? VERDICT_VALID : VERDICT_WEAK);
	return VERDICT_NO;
}

static enum verdict check_cn_bank_card(const struct candidate *c)
{
	char digits[24];
	size_t count = card_digits(c, digits);

	return count >= 16 && begins_62(digits) ? unless_named(c, VERDICT_VALID) : VERDICT_NO;
}

static const char *const card_pictures[] = { "9{12,19}", "9999 9999 9999 9999",
	"9999-9999-9999-9999", "9999 999999 99999", "9999-999999-99999", "9999 999999 9999",
	"9999-999999-9999", "9999 9999 9999 9999 9{1,3}", "9999-9999-9999-9999-9{1,3}",
	"9999 9999 9999", "9999 9999 9999 9{1,3}", "9999-9999-9999", "9999-9999-9999-9{1,3}",
	"999999 9{10,13}", NULL };
static const char *const card_words[] = { "card", "credit card", "debit card", "card number",
	"card no", "card num", "payment card", "bank card", "credit", "debit", "cc", "ccn", "cc no",
	"cc num", "pan", "primary account number", "visa", "mastercard", "master card", "amex",
	"american express", "discover", "diners", "diners club", "jcb", "maestro", "unionpay",
	"cvv", "cvc", "cvv2", "expiry", "expires", "exp date", "valid thru", "cardholder", "payment",
	"信用卡", "卡号", "银行卡", "支付卡", "借记卡", "持卡人", "有效期", "刷卡", "carte", "karte",
	"tarjeta", NULL };

static const char *const cn_card_pictures[] = { "9{16,19}", "9999 9999 9999 9999",
	"9999-9999-9999-9999", "9999 9999 9999 9999 9{1,3}", "9999-9999-9999-9999-9{1,3}",
	"999999 9{10,13}", NULL };

/* ---- iban -------------------------------------------------------------------------------- */

/* The IBAN registry's countries and lengths, in order. */
static const struct {
	char country[3];
	uint8_t length;
} iban_lengths[] = {
	{ "AD", 24 }, { "AE", 23 }, { "AL", 28 }, { "AT", 20 }, { "AZ", 28 }, { "BA", 20 },
	{ "BE", 16 }, { "BG", 22 }, { "BH", 22 }, { "BI", 27 }, { "BR", 29 }, { "BY", 28 },
	{ "CH", 21 }, { "CR", 22 }, { "CY", 28 }, { "CZ", 24 }, { "DE", 22 }, { "DJ", 27 },
	{ "DK", 18 }, { "DO", 28 }, { "EE", 20 }, { "EG", 29 }, { "ES", 24 }, { "FI", 18 },
	{ "FK", 18 }, { "FO", 18 }, { "FR", 27 }, { "GB", 22 }, { "GE", 22 }, { "GI", 23 },
	{ "GL", 18 }, { "GR", 27 }, { "GT", 28 }, { "HN", 28 }, { "HR", 21 }, { "HU", 28 },
	{ "IE", 22 }, { "IL", 23 }, { "IQ", 23 }, { "IS", 26 }, { "IT", 27 }, { "JO", 30 },
	{ "KW", 30 }, { "KZ", 20 }, { "LB", 28 }, { "LC", 32 }, { "LI", 21 }, { "LT", 20 },
	{ "LU", 20 }, { "LV", 21 }, { "LY", 25 }, { "MC", 27 }, { "MD", 24 }, { "ME", 22 },
	{ "MK", 19 }, { "MN", 20 }, { "MR", 27 }, { "MT", 31 }, { "MU", 30 }, { "NI", 28 },
	{ "NL", 18 }, { "NO", 15 }, { "OM", 23 }, { "PK", 24 }, { "PL", 28 }, { "PS", 29 },
	{ "PT", 25 }, { "QA", 29 }, { "RO", 24 }, { "RS", 22 }, { "RU", 33 }, { "SA", 24 },
	{ "SC", 31 }, { "SD", 18 }, { "SE", 24 }, { "SI", 19 }, { "SK", 24 }, { "SM", 27 },
	{ "SO", 23 }, { "ST", 25 }, { "SV", 28 }, { "TL", 23 }, { "TN", 24 }, { "TR", 26 },
	{ "UA", 29 }, { "VA", 22 }, { "VG", 24 }, { "XK", 20 }, { "YE", 30 },
};

static bool has_lower(const struct candidate *c)
{
	for (size_t i = 0; i < c->size; i++)
		if (c->text[i] >= 'a' && c->text[i] <= 'z')
			return true;
	return false;
}

static enum verdict check_iban(const struct candidate *c)
{
	char text[40];
	int count = checksum_alnum(c->text, c->size, " -", text, sizeof text);

	/* Check digits 00, 01 and 99 cannot come out of 98 - n mod 97. */
	if (count < 15 || (text[2] == '0' && text[3] <= '1') || (text[2] == '9' && text[3] == '9'))
		return VERDICT_NO;
	for (size_t i = 0; i < sizeof iban_lengths / sizeof iban_lengths[0]; i++)
		if (memcmp(iban_lengths[i].country, text, 2) == 0) {
			if (iban_lengths[i].length != count || !checksum_mod97(text, (size_t)count))
				return VERDICT_NO;
			return has_lower(c) ? VERDICT_WEAK : VERDICT_VALID;
		}
	return VERDICT_NO;
}

/* Fours, with a rest of one to three or none. */
#define FOURS(s) "aa99" s "xxxx" s "xxxx" s "xxx"
#define FOURS_4(s) "aa99" s "xxxx" s "xxxx" s "xxxx"
static const char *const iban_pictures[] = { "aa99x{11,30}",
	FOURS(" "), FOURS_4(" "), FOURS_4(" ") " x{1,4}", FOURS_4(" ") " xxxx x{1,4}",
	FOURS_4(" ") " xxxx xxxx x{1,4}", FOURS_4(" ") " xxxx xxxx xxxx x{1,4}",
	FOURS_4(" ") " xxxx xxxx xxxx xxxx x{1,4}",
	FOURS("-"), FOURS_4("-"), FOURS_4("-") "-x{1,4}", FOURS_4("-") "-xxxx-x{1,4}",
	FOURS_4("-") "-xxxx-xxxx-x{1,4}", FOURS_4("-") "-xxxx-xxxx-xxxx-x{1,4}",
	FOURS_4("-") "-xxxx-xxxx-xxxx-xxxx-x{1,4}", NULL };
static const char *const iban_words[] = { "iban", "account", "account number", "account no",
	"acct", "bank account", "bank", "international bank account number", "beneficiary",
	"transfer", "sepa", "konto", "kontonummer", "bankverbindung", "compte", "cuenta", "conto",
	"rekening", "payee", "银行账号", "银行帐号", "账号", "帐号", "账户", "国际银行账号", "收款",
	"汇款", NULL };

/* ---- bic --------------------------------------------------------------------------------- */

/* ISO 3166-1 alpha-2, and XK, which SWIFT uses for Kosovo. */
static const char countries[] =
	"ADAEAFAGAIALAMAOAQARASATAUAWAXAZBABBBDBEBFBGBHBIBJBLBMBNBOBQBRBSBTBVBWBYBZ"
	"CACCCDCFCGCHCICKCLCMCNCOCRCUCVCWCXCYCZDEDJDKDMDODZECEEEGEHERESETFIFJFKFMFOFR"
	"GAGBGDGEGFGGGHGIGLGMGNGPGQGRGSGTGUGWGYHKHMHNHRHTHUIDIEILIMINIOIQIRISITJEJMJOJP"
	"KEKGKHKIKMKNKPKRKWKYKZLALBLCLILKLRLSLTLULVLYMAMCMDMEMFMGMHMKMLMMMNMOMPMQMRMSMT"
	"MUMVMWMXMYMZNANCNENFNGNINLNONPNRNUNZOMPAPEPFPGPHPKPLPMPNPRPSPTPWPYQARERORSRURW"
	"SASBSCSDSESGSHSISJSKSLSMSNSOSRSSSTSVSXSYSZTCTDTFTGTHTJTKTLTMTNTOTRTTTVTWTZ"
	"UAUGUMUSUYUZVAVCVEVGVIVNVUWFWSXKYEYTZAZMZW";

static bool is_country(const char *two)
{
	for (const char *at = countries; *at != '\0'; at += 2)
		if (memcmp(at, two, 2) == 0)
			return true;
	return false;
}

/* Words in capitals that a header or a heading has, and that read as a BIC. */
static const char *const bic_like[] = { "ACCEPTED", "ADDITION", "APPROVAL", "APPROVED",
	"BALANCES", "BUSINESS", "COMMERCE", "CONSUMER", "CONTRACT", "CUSTOMER", "DEADLINE",
	"DELIVERY", "DOCUMENT", "ELECTRIC", "EMPLOYEE", "EXPENSES", "EXTERNAL", "HOSPITAL",
	"INDUSTRY", "INVOICES", "MATERIAL", "MEMORIAL", "MERCHANT", "OPERATOR", "ORIGINAL",
	"OVERSEAS", "PERSONAL", "POSITION", "PREVIOUS", "PROGRESS", "PROPERTY", "QUARTERS",
	"REGISTER", "REMITTED", "REPORTED", "REQUIRED", "RESERVED", "RESOURCE", "SETTLING",
	"SOFTWARE", "STRATEGY", "STREAMED", "SUPPLIER", "TERMINAL", "TRANSACT", "UNIVERSE",
	"VERIFIED", "WARRANTY", "BENEFICIARY", "COMMUNICATE", "CORPORATION", "DEVELOPMENT",
	"DESCRIPTION", "DESTINATION", "ELECTRONICS", "ENVIRONMENT", "GOVERNMENTS", "INFORMATION",
	"INSTITUTION", "INSTRUCTION", "INTERMEDIARY", "INVESTMENTS", "MANAGEMENTS", "PERFORMANCE",
	"PERSONALITY", "TRANSACTION", "TRANSFERRED", NULL };

static enum verdict check_swift_bic(const struct candidate *c)
{
	char left = left_of(c, 1), right = right_of(c, 0);

	if (!is_country(c->text + 4))
		return VERDICT_NO;
	/* A piece of a longer name: A_CONSTANT, a.PATH, x-y. */
	if (left == '_' || right == '_' || left == '$' || left == '/' || left == '@' ||
	    (left == '.' && is_alnum(left_of(c, 2))) || (right == '.' && is_alnum(right_of(c, 1))) ||
	    (left == '-' && is_alnum(left_of(c, 2))) || (right == '-' && is_alnum(right_of(c, 1))))
		return VERDICT_NO;
	for (size_t i = 0; bic_like[i]; i++)
		if (strlen(bic_like[i]) == c->size && memcmp(bic_like[i], c->text, c->size) == 0)
			return VERDICT_NO;
	return c->size == 11 && memcmp(c->text + 8, "XXX", 3) == 0 ? VERDICT_VALID : VERDICT_WEAK;
}

static const char *const bic_pictures[] = { "AAAAAAXX", "AAAAAAXXXXX", NULL };
static const char *const bic_words[] = { "swift", "bic", "swift code", "bic code", "swift bic",
	"bank identifier code", "bank code", "iban", "beneficiary bank", "correspondent bank",
	"intermediary bank", "routing", "sepa", "wire", "银行代码", "国际代码", "银行识别码", NULL };

/* ---- the table ----------------------------------------------------------------------------- */

static const struct recogniser rows[] = {
	{ .id = "payment-card", .title = "Payment card number", .pictures = card_pictures,
	  .min_size = 12, .max_size = 23, .check = check_payment_card, .context = card_words,
	  .alone = 90, .in_context = 99, .masking = MASK_TAIL,
	  .sensitivity = SENSITIVITY_RESTRICTED, .rank = 20 },
	{ .id = "iban", .title = "International bank account number (IBAN)",
	  .pictures = iban_pictures, .min_size = 15, .max_size = 42, .check = check_iban,
	  .context = iban_words, .alone = 95, .in_context = 99, .masking = MASK_ENDS,
	  .sensitivity = SENSITIVITY_CONFIDENTIAL, .rank = 40 },
	{ .id = "swift-bic", .title = "Bank identifier code (SWIFT, BIC)",
	  .pictures = bic_pictures, .min_size = 8, .max_size = 11, .check = check_swift_bic,
	  .context = bic_words, .alone = 60, .in_context = 90, .masking = MASK_ENDS,
	  .sensitivity = SENSITIVITY_INTERNAL, .rank = 5 },
	{ .id = "cn-bank-card", .title = "Chinese bank card number (UnionPay)",
	  .pictures = cn_card_pictures, .min_size = 16, .max_size = 23,
	  .check = check_cn_bank_card, .context = china_words, .alone = 90, .in_context = 99,
	  .masking = MASK_TAIL, .sensitivity = SENSITIVITY_RESTRICTED, .rank = 30 },
};

const struct recogniser_table recognisers_money = { rows, sizeof rows / sizeof rows[0] };
