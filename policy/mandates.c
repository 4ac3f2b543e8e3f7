#include "policy/mandates.h"

#include <stddef.h>
#include <string.h>

/*
 * Checked against the texts as in force in 2025 where they could be found.  A row says
 * the least that the provision asks for, over all kinds of records it covers, unless
 * a further word narrows it down.
 */
static const struct known_mandate rows[] = {
	/*
	 * China: Measures for the Administration of Accounting Archives (Ministry of
	 * Finance and State Archives Administration, order 79 of 2015).  Articles 14 and
	 * 15: periods are permanent, 30 and 10 years, counted from the first day after
	 * the fiscal year, and are minimums; annex 1 is for enterprises.
	 */
	{ { "会计档案管理办法", "固定资产卡" }, "P5Y", false,
	  "会计档案管理办法 (2015), annex 1: fixed asset cards, 5 years after disposal" },
	{ { "会计档案管理办法", "对账单" }, "P10Y", false,
	  "会计档案管理办法 (2015), annex 1: bank statements, 10 years" },
	{ { "会计档案管理办法", "余额调节表" }, "P10Y", false,
	  "会计档案管理办法 (2015), annex 1: bank reconciliations, 10 years" },
	{ { "会计档案管理办法", "半年度" }, "P10Y", false,
	  "会计档案管理办法 (2015), annex 1: half-yearly reports, 10 years" },
	{ { "会计档案管理办法", "年度财务" }, "forever", false,
	  "会计档案管理办法 (2015), annex 1: annual financial reports, permanent" },
	{ { "会计档案管理办法", "年度决算" }, "forever", false,
	  "会计档案管理办法 (2015), annexes 1 and 2: annual accounts, permanent" },
	{ { "会计档案管理办法", "移交清册" }, "P30Y", false,
	  "会计档案管理办法 (2015), annex 1: handover lists, 30 years" },
	{ { "会计档案管理办法", "保管清册" }, "forever", false,
	  "会计档案管理办法 (2015), annex 1: custody lists, permanent" },
	{ { "会计档案管理办法", "销毁清册" }, "forever", false,
	  "会计档案管理办法 (2015), annex 1: destruction lists, permanent" },
	{ { "会计档案管理办法", "鉴定意见" }, "forever", false,
	  "会计档案管理办法 (2015), annex 1: appraisal opinions, permanent" },
	{ { "会计档案管理办法", "凭证" }, "P30Y", false,
	  "会计档案管理办法 (2015), annex 1: vouchers, 30 years" },
	{ { "会计档案管理办法", "账" }, "P30Y", false,
	  "会计档案管理办法 (2015), annex 1: ledgers and journals, 30 years" },
	{ { "会计档案管理办法" }, "P10Y", false,
	  "会计档案管理办法 (2015), articles 14 and 15: at least 10 years" },
	{ { "accountingarchives", "fixedasset" }, "P5Y", false,
	  "Accounting Archives Measures (CN, 2015), annex 1: fixed asset cards, 5 years after "
	  "disposal" },
	{ { "accountingarchives", "voucher" }, "P30Y", false,
	  "Accounting Archives Measures (CN, 2015), annex 1: vouchers, 30 years" },
	{ { "accountingarchives", "ledger" }, "P30Y", false,
	  "Accounting Archives Measures (CN, 2015), annex 1: ledgers and journals, 30 years" },
	{ { "accountingarchives", "annual" }, "forever", false,
	  "Accounting Archives Measures (CN, 2015), annex 1: annual reports, permanent" },
	{ { "accountingarchives" }, "P10Y", false,
	  "Accounting Archives Measures (CN, 2015), articles 14 and 15: at least 10 years" },

	/* China: tax, labour, health, network, trade, money laundering. */
	{ { "税收征收管理法实施细则" }, "P10Y", false,
	  "税收征收管理法实施细则, article 29: books, vouchers, tax papers, 10 years" },
	{ { "企业文件材料归档范围和档案保管期限规定" }, "P10Y", false,
	  "国家档案局令第10号 (2012), articles 10 and 11: administrative records, by the annex, 10 "
	  "years at least" },
	{ { "劳动合同法", "50" }, "P2Y", false,
	  "劳动合同法, article 50: contracts that have ended, 2 years" },
	{ { "劳动合同法", "五十" }, "P2Y", false,
	  "劳动合同法, article 50: contracts that have ended, 2 years" },
	{ { "工资支付暂行规定" }, "P2Y", false,
	  "工资支付暂行规定 (1994), article 6: records of wages paid, 2 years" },
	{ { "病历管理规定", "住院" }, "P30Y", false,
	  "医疗机构病历管理规定 (2013), article 29: inpatient records, 30 years from discharge" },
	{ { "病历管理规定" }, "P15Y", false,
	  "医疗机构病历管理规定 (2013), article 29: outpatient records, 15 years from the last "
	  "visit" },
	{ { "医疗机构管理条例实施细则", "住院" }, "P30Y", false,
	  "医疗机构管理条例实施细则, article 53: inpatient records, 30 years" },
	{ { "医疗机构管理条例实施细则" }, "P15Y", false,
	  "医疗机构管理条例实施细则, article 53: outpatient records, 15 years" },
	/* Article 21 of 2017; the amendment in force from 2026 numbers it anew. */
	{ { "网络安全法" }, "P6M", false,
	  "网络安全法, article 21 (2017): network logs, 6 months" },
	{ { "电子商务法" }, "P3Y", false,
	  "电子商务法, article 31: transactions, 3 years" },
	/* The revision in force from 2025; it was 5 years before. */
	{ { "反洗钱法" }, "P10Y", false,
	  "反洗钱法 (2024), article 34: customers and transactions, 10 years" },
	{ { "个人信息保护法", "56" }, "P3Y", false,
	  "个人信息保护法, article 56: impact assessments and processing records, 3 years" },
	{ { "个人信息保护法", "五十六" }, "P3Y", false,
	  "个人信息保护法, article 56: impact assessments and processing records, 3 years" },
	{ { "个人信息保护法", "19" }, NULL, true,
	  "个人信息保护法, article 19: no longer than the purpose needs" },
	{ { "个人信息保护法", "十九" }, NULL, true,
	  "个人信息保护法, article 19: no longer than the purpose needs" },
	{ { "personalinformationprotectionlaw", "19" }, NULL, true,
	  "Personal Information Protection Law (CN), article 19: no longer than the purpose "
	  "needs" },
	{ { "pipl", "19" }, NULL, true,
	  "Personal Information Protection Law (CN), article 19: no longer than the purpose "
	  "needs" },

	/* European Union */
	{ { "gdpr", "51e" }, NULL, true,
	  "Regulation (EU) 2016/679, article 5(1)(e): storage limitation" },
	{ { "2016/679", "51e" }, NULL, true,
	  "Regulation (EU) 2016/679, article 5(1)(e): storage limitation" },
	{ { "generaldataprotectionregulation", "51e" }, NULL, true,
	  "Regulation (EU) 2016/679, article 5(1)(e): storage limitation" },

	/*
	 * Germany: HGB section 257(4) and AO section 147(3) as amended by the fourth
	 * bureaucracy relief act (BEG IV): vouchers 8 instead of 10 years from 2025.
	 * Banks, insurers and securities institutions had a year's grace, which was
	 * meant to be made permanent: whoever is one should look it up.
	 */
	{ { "hgb", "257abs.1nr.1" }, "P10Y", false,
	  "HGB section 257(4): books, inventories, annual accounts, 10 years" },
	{ { "hgb", "257abs.1nr.4" }, "P8Y", false,
	  "HGB section 257(4): vouchers, 8 years" },
	{ { "hgb", "257", "buchungsbeleg" }, "P8Y", false,
	  "HGB section 257(4): vouchers, 8 years" },
	{ { "hgb", "257" }, "P6Y", false,
	  "HGB section 257(4): commercial letters, 6 years" },
	{ { "handelsgesetzbuch", "257" }, "P6Y", false,
	  "HGB section 257(4): commercial letters, 6 years" },
	{ { "ao147", "147abs.1nr.1" }, "P10Y", false,
	  "AO section 147(3): books, inventories, annual accounts, 10 years" },
	{ { "ao147", "147abs.1nr.4" }, "P8Y", false,
	  "AO section 147(3): vouchers, 8 years" },
	{ { "ao147", "buchungsbeleg" }, "P8Y", false,
	  "AO section 147(3): vouchers, 8 years" },
	{ { "ao147" }, "P6Y", false, "AO section 147(3): at least 6 years" },
	{ { "abgabenordnung", "147" }, "P6Y", false, "AO section 147(3): at least 6 years" },
	{ { "estg", "41" }, "P6Y", false,
	  "EStG section 41(1): payroll accounts, to the end of the sixth year after" },
	{ { "arbzg", "16" }, "P2Y", false,
	  "ArbZG section 16(2): overtime records, 2 years" },
	{ { "bgb", "630f" }, "P10Y", false,
	  "BGB section 630f(3): patient records, 10 years after the treatment" },

	/* United States: accounting and audit */
	{ { "17cfr", "210.206" }, "P7Y", false,
	  "17 CFR 210.2-06: audit and review records, 7 years" },
	{ { "18usc", "1520" }, "P5Y", false,
	  "18 USC 1520(a)(1): audit workpapers, 5 years (17 CFR 210.2-06 makes it 7)" },
	{ { "sarbanes", "802" }, "P7Y", false,
	  "Sarbanes-Oxley Act, section 802, by 17 CFR 210.2-06: audit records, 7 years" },
	{ { "sox", "802" }, "P7Y", false,
	  "Sarbanes-Oxley Act, section 802, by 17 CFR 210.2-06: audit records, 7 years" },
	{ { "31cfr", "1010.430" }, "P5Y", false,
	  "31 CFR 1010.430(d): Bank Secrecy Act records, 5 years" },
	/* 26 CFR 1.6001-1(e), below, names no number ("so long as ... material"): three years is
	 * the time in which tax can be assessed, 26 USC 6501(a). */
	{ { "26cfr", "31.60011" }, "P4Y", false,
	  "26 CFR 31.6001-1(e)(2): employment tax records, 4 years" },
	{ { "26cfr", "1.60011" }, "P3Y", false,
	  "26 CFR 1.6001-1(e) with 26 USC 6501(a): tax records, at least 3 years" },

	/* United States: employment */
	{ { "29cfr", "516.5" }, "P3Y", false,
	  "29 CFR 516.5: payroll records and agreements, 3 years" },
	{ { "29cfr", "516.6" }, "P2Y", false,
	  "29 CFR 516.6: time cards and wage tables, 2 years" },
	{ { "29cfr", "1602.14" }, "P1Y", false,
	  "29 CFR 1602.14: personnel records, 1 year" },
	{ { "29cfr", "1627.3a" }, "P3Y", false, "29 CFR 1627.3(a): payroll records, 3 years" },
	{ { "29cfr", "1627.3" }, "P1Y", false, "29 CFR 1627.3(b): personnel records, 1 year" },
	{ { "8cfr", "274a.2" }, "P1Y", false,
	  "8 CFR 274a.2(b)(2): form I-9, 3 years from hiring or 1 year from leaving, the later" },
	{ { "29usc", "1027" }, "P6Y", false, "29 USC 1027: benefit plan records, 6 years" },
	{ { "erisa", "107" }, "P6Y", false,
	  "ERISA section 107 (29 USC 1027): benefit plan records, 6 years" },
	{ { "29cfr", "1904.33" }, "P5Y", false,
	  "29 CFR 1904.33: injury and illness records, 5 years" },
	{ { "29cfr", "1910.1020" }, "P30Y", false,
	  "29 CFR 1910.1020(d): exposure and medical records of employees, 30 years" },

	/* European Union and Germany: health */
	{ { "536/2014", "58" }, "P25Y", false,
	  "Regulation (EU) 536/2014, article 58: clinical trial master file, 25 years" },
	{ { "strlschg", "85" }, "P10Y", false,
	  "StrlSchG section 85(2): X-ray examinations, 10 years (treatment: 30)" },

	/* United States: health */
	{ { "45cfr", "164.316" }, "P6Y", false,
	  "45 CFR 164.316(b)(2)(i): HIPAA security documentation, 6 years" },
	{ { "45cfr", "164.530" }, "P6Y", false,
	  "45 CFR 164.530(j)(2): HIPAA privacy documentation, 6 years" },
	{ { "42cfr", "482.24" }, "P5Y", false,
	  "42 CFR 482.24(b)(1): hospital medical records, 5 years" },
};

#define ROWS (sizeof rows / sizeof *rows)

const struct known_mandate *mandate_row(unsigned index)
{
	return index < ROWS ? &rows[index] : NULL;
}

/* Letters, digits, "." and "/" stay, and all that is not ASCII but "§" (C2 A7) and what
 * Chinese puts round titles (《》, E3 80 8A and 8B). */
static size_t append_normal(const char *text, char out[MANDATE_TEXT_MAX], size_t used)
{
	for (const char *p = text; *p != '\0' && used < MANDATE_TEXT_MAX - 1; p++) {
		if (strncmp(p, "\xc2\xa7", 2) == 0)
			p++;
		else if (strncmp(p, "\xe3\x80\x8a", 3) == 0 || strncmp(p, "\xe3\x80\x8b", 3) == 0)
			p += 2;
		else if (*p >= 'A' && *p <= 'Z')
			out[used++] = (char)(*p | 0x20);
		else if ((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') || *p == '.' ||
			 *p == '/' || (unsigned char)*p >= 0x80)
			out[used++] = *p;
	}
	return used;
}

void mandate_normal(const struct mandate *m, char out[MANDATE_TEXT_MAX])
{
	size_t used = append_normal(m->instrument, out, 0);

	if (m->clause != NULL)
		used = append_normal(m->clause, out, used);
	out[used] = '\0';
}

const struct known_mandate *mandate_known(const struct mandate *m)
{
	const struct known_mandate *best = NULL;
	size_t most = 0;
	char text[MANDATE_TEXT_MAX];

	mandate_normal(m, text);
	for (size_t i = 0; i < ROWS; i++) {
		size_t n = 0;

		while (n < 3 && rows[i].words[n] != NULL &&
		       strstr(text, rows[i].words[n]) != NULL)
			n++;
		if ((n == 3 || rows[i].words[n] == NULL) && n > most) {
			best = &rows[i];
			most = n;
		}
	}
	return best;
}
