/*
 * How often the encoding of a text is told right: texts of 30, 200 and 5000 bytes,
 * drawn by seed from words of business, in every encoding that a scan promises.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "fs/base/err.h"
#include "fs/content/encoding.h"
#include "tests/unit/content/text_samples.h"

#define TRIALS 250

static const char *const simplified[] = { "员工姓名", "身份证号码", "联系电话", "家庭住址", "工资",
	"部门", "合同编号", "客户", "银行账户", "发票", "金额", "审批意见", "已经完成", "我们公司的",
	"请在三天内回复", "备注", "上海市", "浦东新区", "王小明", "李芳", "技术支持", "2021-03-05",
	"，", "。", "ID 4711", "\n", "：", "、", "项目报告", "不需要", "有关规定", "系统管理员" };
static const char *const traditional[] = { "員工姓名", "身分證字號", "聯絡電話", "地址", "薪資",
	"部門", "合約編號", "客戶", "銀行帳戶", "發票", "金額", "審核意見", "已經完成", "我們公司的",
	"請於三日內回覆", "備註", "臺北市", "信義區", "王小明", "陳美玲", "技術支援", "2021-03-05",
	"，", "。", "ID 4711", "\n", "：", "、", "專案報告", "不需要", "相關規定", "系統管理員" };
static const char *const japanese[] = { "社員名", "電話番号", "住所", "給与", "部署", "契約番号",
	"お客様", "銀行口座", "請求書", "金額", "承認済み", "です。", "ください", "東京都", "港区",
	"山田太郎", "サポート", "システム", "データ", "2021-03-05", "、", "ID 4711", "\n", "について",
	"ありがとうございます", "備考", "プロジェクト", "報告書", "の", "を" };
static const char *const western[] = { "numéro", "société", "payé à", "reçu", "été", "Müller",
	"Straße", "für", "Größe", "über", "señor", "número de teléfono", "dirección", "año",
	"João", "informações", "não", "città", "perché", "Jørgen", "går", "på", "invoice",
	"the customer", "order 4711", "payment", "due", "\n", "2021-03-05", "account", "naïve",
	"Besprechung", "Rechnung", "monsieur", "la facture", "est" };
static const char *const polish[] = { "imię", "nazwisko", "żółty", "wydział", "płatność", "księgowość",
	"zażalenie", "środa", "łódź", "proszę", "jest", "faktura", "umowa", "\n", "kwota", "że" };
static const char *const czech[] = { "příjmení", "účet", "částka", "žádost", "smlouva", "řízení",
	"město", "ulice", "číslo", "zaměstnanec", "platba", "\n", "děkuji", "je", "následující" };
static const char *const russian[] = { "Иванов", "сотрудник", "договор", "номер", "телефон", "счёт",
	"оплата", "адрес", "Москва", "улица", "сумма", "и", "на", "для", "отдел", "\n", "2021",
	"паспорт", "дата рождения" };
static const char *const greek[] = { "επώνυμο", "αριθμός", "τηλέφωνο", "διεύθυνση", "Αθήνα", "ποσό",
	"τιμολόγιο", "πληρωμή", "και", "για", "\n", "σύμβαση", "υπάλληλος" };
static const char *const korean[] = { "직원", "이름", "전화번호", "주소", "급여", "부서", "계약", "고객",
	"은행 계좌", "청구서", "금액", "서울특별시", "강남구", "합니다", "입니다.", "시스템", "\n", "2021",
	"보고서", "그리고" };

/* Words until there are `size` bytes or nearly so; some byte is no ASCII. */
static char *draw_text(const char *const *words, size_t count, const char *encoding,
		       size_t size, uint32_t *seed, size_t *made)
{
	char *utf8 = malloc(4 * size + 256), *stored;
	size_t used;

	do {
		used = 0;
		utf8[0] = '\0';
		for (;;) {
			const char *word = words[draw(seed, (uint32_t)count)];

			memcpy(utf8 + used, word, strlen(word) + 1);
			if (used * 5 > size * 2) {	/* it may be as long by now */
				stored = encoded(encoding, utf8, made);
				if (*made > size)
					break;
				free(stored);
			}
			used += strlen(word);
			if (draw(seed, 3) == 0)
				utf8[used++] = ' ';
			utf8[used] = '\0';
		}
		free(stored);
		utf8[used] = '\0';
		stored = encoded(encoding, utf8, made);
		/* As UTF-16 or in escapes ASCII bytes say nothing. */
		if (encoding_ascii_prefix(stored, *made) < *made ||
		    strncmp(encoding, "UTF-16", 6) == 0 || memchr(stored, 27, *made) != NULL)
			break;
		free(stored);
	} while (true);
	free(utf8);
	return stored;
}

/* How many of a hundred are told right.  ours: names, blanks around each. */
static unsigned rate(const char *const *words, size_t count, const char *iconv, const char *ours,
		     size_t size)
{
	unsigned right = 0, trials = size > 1000 ? TRIALS / 25 : TRIALS;
	uint32_t seed = 42;
	struct err e = ERR_NONE;

	for (unsigned i = 0; i < trials; i++) {
		char told[ENCODING_NAME_MAX], sought[ENCODING_NAME_MAX + 2];
		size_t made;
		char *text = draw_text(words, count, iconv, size, &seed, &made);

		assert_int_equal(encoding_detect(text, made, true, told, &e), 0);
		snprintf(sought, sizeof sought, " %s ", told);
		right += told[0] != '\0' && strstr(ours, sought) != NULL;
		free(text);
	}
	return right * 100 / trials;
}

struct language {
	const char *const *words;
	size_t count;
	const char *iconv, *ours;
	unsigned at_30, at_200;		/* promised, percent */
};
#define WORDS(list) list, sizeof list / sizeof list[0]

static void hold(const struct language *languages, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct language *l = &languages[i];
		unsigned at_30 = rate(l->words, l->count, l->iconv, l->ours, 30);
		unsigned at_200 = rate(l->words, l->count, l->iconv, l->ours, 200);
		unsigned at_5000 = rate(l->words, l->count, l->iconv, l->ours, 5000);

		print_message("  %-12s %3u %% of 30 bytes, %3u %% of 200, %3u %% of 5000\n",
			      l->iconv, at_30, at_200, at_5000);
		assert_true(at_30 >= l->at_30);
		assert_true(at_200 >= l->at_200);
		assert_int_equal(at_5000, 100);
	}
}

static void the_named_encodings_are_told_right(void **state)
{
	static const struct language languages[] = {
		{ WORDS(simplified), "UTF-8", " utf-8 ", 100, 100 },
		{ WORDS(western), "UTF-8", " utf-8 ", 100, 100 },
		{ WORDS(simplified), "UTF-16LE", " utf-16le ", 95, 99 },
		{ WORDS(western), "UTF-16LE", " utf-16le ", 95, 99 },
		{ WORDS(japanese), "UTF-16BE", " utf-16be ", 95, 99 },
		{ WORDS(simplified), "GB18030", " gb18030 ", 97, 99 },
		{ WORDS(traditional), "BIG5", " big5 ", 97, 99 },
		{ WORDS(japanese), "CP932", " shift_jis ", 97, 99 },
		{ WORDS(western), "ISO-8859-1", " iso-8859-1 windows-1252 ", 90, 98 },
		{ WORDS(western), "CP1252", " iso-8859-1 windows-1252 ", 90, 98 },
	};

	(void)state;
	hold(languages, sizeof languages / sizeof languages[0]);
}

static void others_are_told_right_where_there_is_more_text(void **state)
{
	static const struct language languages[] = {
		{ WORDS(japanese), "EUC-JP", " euc-jp ", 95, 99 },
		{ WORDS(japanese), "ISO-2022-JP", " iso-2022-jp ", 95, 99 },
		{ WORDS(korean), "CP949", " euc-kr ", 95, 99 },
		{ WORDS(russian), "CP1251", " windows-1251 ", 85, 98 },
		{ WORDS(russian), "KOI8-R", " koi8-r ", 85, 98 },
		{ WORDS(russian), "IBM866", " ibm866 ", 85, 98 },
		{ WORDS(greek), "ISO-8859-7", " iso-8859-7 windows-1253 ", 85, 98 },
		{ WORDS(polish), "CP1250", " windows-1250 iso-8859-2 ", 60, 90 },
		{ WORDS(czech), "ISO-8859-2", " windows-1250 iso-8859-2 ", 40, 90 },
	};

	(void)state;
	hold(languages, sizeof languages / sizeof languages[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_named_encodings_are_told_right),
		cmocka_unit_test(others_are_told_right_where_there_is_more_text),
	};
	struct err e = ERR_NONE;

	if (encoding_preload(&e) < 0)		/* as muni-examine does */
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
