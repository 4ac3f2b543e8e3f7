/*
 * The first four digits of Chinese numbers: province and prefecture, after GB/T 2260
 * in all its editions, since a number is kept for life and the prefecture is not.
 */
#include "policy/detect/check.h"

#include "policy/detect/written.h"

struct province {
	char code[3];
	const char *prefectures;	/* "01-11 21-30 90"; 00 is the province itself */
};

static const struct province provinces[] = {
	{ "11", "00-03" },		/* Beijing: districts, counties */
	{ "12", "00-03" },		/* Tianjin */
	{ "13", "00-11 21-30 90" },	/* Hebei */
	{ "14", "00-11 21-27" },	/* Shanxi */
	{ "15", "00-09 21-29" },	/* Inner Mongolia: 21-29 leagues */
	{ "21", "00-14 21-24" },	/* Liaoning */
	{ "22", "00-08 21-24" },	/* Jilin: 24 Yanbian */
	{ "23", "00-12 21-27" },	/* Heilongjiang: 27 Daxing'anling */
	{ "31", "00-03" },		/* Shanghai */
	{ "32", "00-13 19-29" },	/* Jiangsu */
	{ "33", "00-11 21-28" },	/* Zhejiang */
	{ "34", "00-18 21-29" },	/* Anhui */
	{ "35", "00-09 21-27" },	/* Fujian */
	{ "36", "00-11 21-25" },	/* Jiangxi */
	{ "37", "00-17 20-30" },	/* Shandong */
	{ "41", "00-17 20-30 90" },	/* Henan: 90 Jiyuan */
	{ "42", "00-13 20-29 90" },	/* Hubei: 28 Enshi, 90 under the province */
	{ "43", "00-13 20-31" },	/* Hunan: 31 Xiangxi */
	{ "44", "00-20 21-29 51-53" },	/* Guangdong */
	{ "45", "00-14 21-28" },	/* Guangxi */
	{ "46", "00-04 90" },		/* Hainan */
	{ "50", "00-03" },		/* Chongqing */
	{ "51", "00-20 21-39" },	/* Sichuan: 32-34 Aba, Garze, Liangshan */
	{ "52", "00-06 21-28" },	/* Guizhou */
	{ "53", "00-09 21-35" },	/* Yunnan */
	{ "54", "00-06 21-28" },	/* Tibet */
	{ "61", "00-10 21-28" },	/* Shaanxi */
	{ "62", "00-12 20-30" },	/* Gansu */
	{ "63", "00-02 21-28" },	/* Qinghai */
	{ "64", "00-05 20-23" },	/* Ningxia */
	{ "65", "00-06 21-33 40-43 90" },	/* Xinjiang */
	{ "71", "00-99" },		/* Taiwan: not divided in the standard */
	{ "81", "00-99" },		/* Hong Kong; 810000 of residence permits */
	{ "82", "00-99" },		/* Macao */
	{ "83", "00-00" },		/* residence permits of people from Taiwan */
};

static const struct province *province_of(const char *digits)
{
	for (size_t i = 0; i < sizeof provinces / sizeof provinces[0]; i++) {
		if (digits[0] == provinces[i].code[0] && digits[1] == provinces[i].code[1])
			return &provinces[i];
	}
	return NULL;
}

bool check_is_cn_province(const char *digits)
{
	return province_of(digits) != NULL;
}

bool check_is_cn_prefecture(const char *digits)
{
	const struct province *p = province_of(digits);
	const char *at = p == NULL ? "" : p->prefectures;
	int wanted = written_number(digits + 2, 2);

	while (*at != '\0') {
		int from = written_number(at, 2), to = from;

		at += 2;
		if (*at == '-') {
			to = written_number(at + 1, 2);
			at += 3;
		}
		if (wanted >= from && wanted <= to)
			return true;
		if (*at == ' ')
			at++;
	}
	return false;
}
