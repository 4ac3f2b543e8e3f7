/*
 * Each kind of data is told as what it is and as nothing else, whatever else it might
 * be taken for: with its name beside it, in the column that bears its name, and, where
 * its form says enough, without.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "finds.h"
#include "rules.h"

#define EACH 150		/* values of each kind in each text */

/* ---- values that are not of identity numbers ------------------------------------------------ */

static void fill(struct dice *d, const char *set, size_t count, char *out)
{
	for (size_t i = 0; i < count; i++)
		out[i] = dice_one_of(d, set);
	out[count] = '\0';
}

#define ALNUM "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
#define HEX "0123456789abcdef"

static void make_card(struct dice *d, char *out)
{
	static const char *const prefixes[] = { "4", "51", "2345", "6011", "3530" };
	char digits[20];

	strcpy(digits, prefixes[dice_below(d, 5)]);
	dice_digits(d, digits + strlen(digits), 15 - strlen(digits));
	digits[15] = made_luhn(digits);
	if (dice_below(d, 2) == 0)
		sprintf(out, "%.16s", digits);
	else
		sprintf(out, "%.4s %.4s %.4s %.4s", digits, digits + 4, digits + 8, digits + 12);
}

static void make_bank_card(struct dice *d, char *out)
{
	strcpy(out, "62");
	dice_digits(d, out + 2, 16);
	out[18] = made_luhn(out);
	out[19] = '\0';
}

static void make_iban(struct dice *d, char *out)
{
	unsigned rest = 0;
	char account[32];

	dice_digits(d, account, 18);
	sprintf(out, "%s131400", account);	/* D is 13, E is 14 */
	for (size_t i = 0; out[i] != '\0'; i++)
		rest = (rest * 10 + (unsigned)(out[i] - '0')) % 97;
	sprintf(out, "DE%02u%s", 98 - rest, account);
	if (dice_below(d, 2) == 0)
		sprintf(out, "DE%02u %.4s %.4s %.4s %.4s %.2s", 98 - rest, account, account + 4,
			account + 8, account + 12, account + 16);
}

static void make_bic(struct dice *d, char *out)
{
	static const char *const codes[] = { "DEUTDEFF", "BOFAUS3N", "NWBKGB2L", "COBADEFFXXX",
		"ICBKCNBJ", "BNPAFRPP" };

	strcpy(out, codes[dice_below(d, 6)]);
}

static void make_email(struct dice *d, char *out)
{
	sprintf(out, "jane.doe%u@example.com", dice_below(d, 1000));
}

static void make_phone(struct dice *d, char *out)
{
	static const char *const forms[] = { "+44 20 7946 0%03u", "+49 30 901820%03u",
		"(212) 555-0%03u", "+1-415-555-0%03u", "+33 6 12 34 5%03u" };

	sprintf(out, forms[dice_below(d, 5)], 100 + dice_below(d, 100));
}

static void make_ipv4(struct dice *d, char *out)
{
	sprintf(out, "192.168.%u.%u", dice_below(d, 255), 1 + dice_below(d, 254));
}

static void make_ipv6(struct dice *d, char *out)
{
	sprintf(out, "2001:db8:%x:%x::%x", 1 + dice_below(d, 65535), 1 + dice_below(d, 65535),
		1 + dice_below(d, 65535));
}

static void make_mac(struct dice *d, char *out)
{
	sprintf(out, "00:1a:%02x:%02x:%02x:%02x", dice_below(d, 256), dice_below(d, 256),
		dice_below(d, 256), 1 + dice_below(d, 255));
}

static void make_birth(struct dice *d, char *out)
{
	int year, month, day;

	made_day(d, 1940, 2005, &year, &month, &day);
	sprintf(out, "%04d-%02d-%02d", year, month, day);
}

static void make_private_key(struct dice *d, char *out)
{
	char body[65];

	fill(d, ALNUM, 64, body);
	sprintf(out, "-----BEGIN %s KEY-----\n%s\n-----END", "RSA PRIVATE", body);
}

static void make_aws(struct dice *d, char *out)
{
	strcpy(out, "AK" "IA");
	fill(d, UPPER, 16, out + 4);
}

static void make_gcp(struct dice *d, char *out)
{
	strcpy(out, "AI" "za");
	fill(d, ALNUM, 35, out + 4);
}

static void make_azure(struct dice *d, char *out)
{
	fill(d, ALNUM, 3, out);
	strcat(out, "8" "Q~");
	fill(d, ALNUM, 34, out + 6);
}

/* The last six characters of a token are a checksum that only the maker's site knows to
 * check offline; any will do here. */
static void make_github(struct dice *d, char *out)
{
	strcpy(out, "gh" "p_");
	fill(d, ALNUM, 36, out + 4);
}

static void make_gitlab(struct dice *d, char *out)
{
	strcpy(out, "glp" "at-");
	fill(d, ALNUM, 20, out + 6);
}

static void make_slack(struct dice *d, char *out)
{
	char secret[32];

	fill(d, ALNUM, 24, secret);
	sprintf(out, "%s-%u%u-%u%u-%s", "xo" "xb", 123456 + dice_below(d, 800000), 123456,
		654321 - dice_below(d, 300000), 654321, secret);
}

static void make_stripe(struct dice *d, char *out)
{
	strcpy(out, "sk_" "live_");
	fill(d, ALNUM, 24, out + 8);
}

static void make_jwt(struct dice *d, char *out)
{
	char signature[44];

	fill(d, ALNUM, 43, signature);
	/* {"alg":"HS256","typ":"JWT"} . {"sub":"1234567890"} */
	sprintf(out, "%s.%s.%s", "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9",
		"eyJzdWIiOiIxMjM0NTY3ODkwIn0", signature);
}

static void make_password(struct dice *d, char *out)
{
	strcpy(out, "kV7#");
	fill(d, ALNUM, 8, out + 4);
}

static void make_entropy(struct dice *d, char *out)
{
	fill(d, HEX, 40, out);
}

static const struct maker others[] = {
	{ "payment-card", make_card }, { "cn-bank-card", make_bank_card }, { "iban", make_iban },
	{ "swift-bic", make_bic }, { "email", make_email }, { "phone", make_phone },
	{ "ipv4", make_ipv4 }, { "ipv6", make_ipv6 }, { "mac", make_mac },
	{ "date-of-birth", make_birth }, { "private-key", make_private_key },
	{ "aws-key", make_aws }, { "gcp-key", make_gcp }, { "azure-key", make_azure },
	{ "github-token", make_github }, { "gitlab-token", make_gitlab },
	{ "slack-token", make_slack }, { "stripe-key", make_stripe }, { "jwt", make_jwt },
	{ "password", make_password }, { "high-entropy", make_entropy },
};

static void make(struct dice *d, const char *id, char *out)
{
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		if (strcmp(others[i].id, id) == 0) {
			others[i].make(d, out);
			return;
		}
	maker_of(id)->make(d, out);
}

/* ---- kinds ------------------------------------------------------------------------------------ */

enum { ALONE_OF = 1, NO_PROSE = 2 };	/* alone: its form says what it is */

static const struct kind {
	const char *id, *english, *chinese, *column;
	unsigned flags;
} kinds[] = {
	{ "payment-card", "credit card number", "信用卡号", "card_number", ALONE_OF },
	{ "iban", "IBAN", "银行账号", "iban", ALONE_OF },
	{ "swift-bic", "SWIFT code", "银行国际代码", "swift_bic", 0 },
	{ "cn-bank-card", "UnionPay account", "银行卡号", "银行卡", ALONE_OF },
	{ "cn-resident-id", "resident ID number", "身份证号", "id_card", ALONE_OF },
	{ "cn-uscc", "unified social credit code", "统一社会信用代码", "credit_code", ALONE_OF },
	{ "cn-mobile", "mobile", "手机号", "mobilePhone", ALONE_OF },
	{ "cn-plate", "licence plate", "车牌号", "plate_no", ALONE_OF },
	{ "hk-id", "HKID", "香港身份证号", "hkid", ALONE_OF },
	{ "tw-id", "Taiwan ID card", "台湾身份证号", "tw_id_card", ALONE_OF },
	{ "uk-nino", "National Insurance number", "英国国民保险号", "nino", ALONE_OF },
	{ "uk-nhs", "NHS number", "英国NHS号码", "nhsNumber", 0 },
	{ "de-tax-id", "Steuer-ID", "德国税号", "steuer_id", ALONE_OF },
	{ "fr-nir", "NIR", "法国社会保险号", "numero_securite_sociale", ALONE_OF },
	{ "it-codice-fiscale", "codice fiscale", "意大利税号", "codice_fiscale", ALONE_OF },
	{ "es-dni", "DNI", "西班牙身份证", "dni", ALONE_OF },
	{ "es-nie", "NIE", "外国人身份号", "nie", ALONE_OF },
	{ "pl-pesel", "PESEL", "波兰身份证号", "pesel", ALONE_OF },
	{ "se-personnummer", "personnummer", "瑞典个人号码", "personnummer", ALONE_OF },
	{ "us-ssn", "SSN", "社会安全号码", "employee_ssn", ALONE_OF },
	{ "us-itin", "ITIN", "个人纳税识别号", "itin", ALONE_OF },
	{ "ca-sin", "Social Insurance Number", "加拿大社会保险号", "sin", 0 },
	{ "au-tfn", "Tax File Number", "澳大利亚税号", "tfn", 0 },
	{ "in-aadhaar", "Aadhaar", "印度身份证号", "aadhaar_no", 0 },
	{ "in-pan", "PAN", "印度税号", "pan_number", ALONE_OF },
	{ "br-cpf", "CPF", "巴西个人税号", "cpf", ALONE_OF },
	{ "br-cnpj", "CNPJ", "巴西企业税号", "cnpj", ALONE_OF },
	{ "jp-my-number", "My Number", "个人番号", "my_number", 0 },
	{ "kr-rrn", "resident registration number", "韩国居民登记号", "rrn", ALONE_OF },
	{ "passport-mrz", "passport MRZ", "护照机读码", "mrz", ALONE_OF },
	{ "email", "e-mail", "电子邮箱", "email", ALONE_OF },
	{ "phone", "telephone", "电话", "phone", ALONE_OF },
	{ "ipv4", "IP address", "IP地址", "client_ip", ALONE_OF },
	{ "ipv6", "IPv6 address", "IP地址", "ipv6", ALONE_OF },
	{ "mac", "MAC address", "物理地址", "mac_addr", ALONE_OF },
	{ "date-of-birth", "date of birth", "出生日期", "birth_date", 0 },
	{ "private-key", "key", "私钥", "private_key", ALONE_OF },
	{ "aws-key", "AWS access key id", "AWS密钥", "aws_access_key_id", ALONE_OF },
	{ "gcp-key", "Google API key", "谷歌密钥", "google_api_key", ALONE_OF },
	{ "azure-key", "Azure client secret", "Azure密钥", "azure_client_secret", ALONE_OF },
	{ "github-token", "GitHub token", "令牌", "github_token", ALONE_OF },
	{ "gitlab-token", "GitLab token", "令牌", "gitlab_token", ALONE_OF },
	{ "slack-token", "Slack token", "令牌", "slack_token", ALONE_OF },
	{ "stripe-key", "Stripe key", "密钥", "stripe_key", ALONE_OF },
	{ "jwt", "bearer token", "令牌", "auth_token", ALONE_OF },
	{ "password", "password", "密码", "db_password", NO_PROSE },
	{ "high-entropy", "api_key", "密钥", "api_key", NO_PROSE },
};
#define KINDS (sizeof kinds / sizeof kinds[0])

/* ---- looking ---------------------------------------------------------------------------------- */

struct score {
	unsigned right, missed, other;
	char example[256];	/* of a value that was missed or taken for another */
};

static void judge(struct finds *f, const struct kind *k, const char *text, const char *label,
		  struct score *s)
{
	size_t count;
	const struct finding *found = finds_in(f, text, label, &count);

	if (count == 1 && strcmp(found->id, k->id) == 0 && found->count == 1) {
		s->right++;
		return;
	}
	if (count == 0)
		s->missed++;
	else
		s->other++;
	if (s->example[0] == '\0')
		snprintf(s->example, sizeof s->example, "%s%s in: %.150s",
			 count ? found[0].id : "nothing", count > 1 ? " and more" : "", text);
}

enum text { ENGLISH, CHINESE, FORM, COLUMN, ALONE, TEXTS };
static const char *const text_names[] = { "English", "Chinese", "form", "column", "alone" };

static void score_of(struct finds *f, const struct kind *k, enum text text, struct score *s)
{
	struct dice d = { SEED + text };

	for (unsigned n = 0; n < EACH; n++) {
		char value[512], out[1024];

		make(&d, k->id, value);
		switch (text) {
		case ENGLISH:
			snprintf(out, sizeof out, "The customer's %s is %s, please check.", k->english,
				 value);
			break;
		case CHINESE:
			snprintf(out, sizeof out, "客户的%s：%s，请核对。", k->chinese, value);
			break;
		case FORM:
			snprintf(out, sizeof out, "Name: J. Doe\n%s: %s\nRemarks: none\n", k->english,
				 value);
			break;
		case COLUMN:
		case ALONE:
		default:
			snprintf(out, sizeof out, "%s", value);
		}
		judge(f, k, out, text == COLUMN ? k->column : NULL, s);
	}
}

/* Of a hundred values at most two are missed or told as another kind. */
static void each_kind_is_told_as_what_it_is_and_nothing_else(void **state)
{
	unsigned failures = 0;

	for (size_t i = 0; i < KINDS; i++) {
		for (enum text text = ENGLISH; text < TEXTS; text++) {
			struct score s = { 0 };

			if ((text == ALONE && !(kinds[i].flags & ALONE_OF)) ||
			    (text < FORM && (kinds[i].flags & NO_PROSE)))
				continue;
			score_of(*state, &kinds[i], text, &s);
			if (s.right * 100 >= 98 * EACH)
				continue;
			print_error("%s, %s: %u right, %u missed, %u as another; %s\n", kinds[i].id,
				    text_names[text], s.right, s.missed, s.other, s.example);
			failures++;
		}
	}
	assert_int_equal(failures, 0);
}

/* All kinds in one text, each on a line of its own: none takes another's value or is
 * given context by another's name. */
static void kinds_side_by_side_are_told_apart(void **state)
{
	struct finds *f = *state;
	struct dice d = { SEED };
	unsigned wrong = 0, total = 0;

	for (unsigned n = 0; n < EACH; n++) {
		char text[32768];
		size_t used = 0, count;
		const struct finding *found;

		for (size_t i = 0; i < KINDS; i++) {
			char value[512];

			make(&d, kinds[i].id, value);
			used += (size_t)snprintf(text + used, sizeof text - used, "%s: %s\n",
						 kinds[i].english, value);
		}
		found = finds_in(f, text, NULL, &count);
		for (size_t i = 0; i < KINDS; i++) {
			uint64_t times = 0;

			for (size_t k = 0; k < count; k++)
				if (strcmp(found[k].id, kinds[i].id) == 0)
					times = found[k].count;
			total++;
			if (times != 1)
				wrong++;
			if (times != 1 && n < 10)
				print_message("%s is told %u times\n", kinds[i].id, (unsigned)times);
		}
	}
	print_message("%u of %u\n", wrong, total);
	assert_true(wrong * 100 <= 2 * total);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_is_told_as_what_it_is_and_nothing_else),
		cmocka_unit_test(kinds_side_by_side_are_told_apart),
	};

	return cmocka_run_group_tests(tests, finds_open, finds_close);
}
