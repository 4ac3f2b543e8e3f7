#include <string.h>
#include <strings.h>

#include "fs/content/encoding_guess.h"

static const struct {
	const char *ours, *iconv;
} names[] = {
	{ "us-ascii", "UTF-8" },	/* later bytes may go beyond */
	{ "utf-8", "UTF-8" },
	{ "utf-16le", "UTF-16LE" },
	{ "utf-16be", "UTF-16BE" },
	{ "utf-32le", "UTF-32LE" },
	{ "utf-32be", "UTF-32BE" },
	{ "utf-7", "UTF-7" },
	{ "gb18030", "GB18030" },
	{ "big5", "BIG5" },
	{ "big5-hkscs", "BIG5-HKSCS" },
	{ "euc-tw", "EUC-TW" },
	{ "shift_jis", "CP932" },
	{ "euc-jp", "EUC-JP-MS" },
	{ "iso-2022-jp", "ISO-2022-JP-2" },
	{ "euc-kr", "CP949" },
	{ "johab", "JOHAB" },
	{ "iso-2022-kr", "ISO-2022-KR" },
	{ "iso-2022-cn", "ISO-2022-CN-EXT" },
	{ "iso-8859-1", "ISO-8859-1" },
	{ "iso-8859-2", "ISO-8859-2" },
	{ "iso-8859-3", "ISO-8859-3" },
	{ "iso-8859-4", "ISO-8859-4" },
	{ "iso-8859-5", "ISO-8859-5" },
	{ "iso-8859-6", "ISO-8859-6" },
	{ "iso-8859-7", "ISO-8859-7" },
	{ "iso-8859-8", "ISO-8859-8" },
	{ "iso-8859-9", "ISO-8859-9" },
	{ "iso-8859-10", "ISO-8859-10" },
	{ "iso-8859-11", "ISO-8859-11" },
	{ "iso-8859-13", "ISO-8859-13" },
	{ "iso-8859-14", "ISO-8859-14" },
	{ "iso-8859-15", "ISO-8859-15" },
	{ "iso-8859-16", "ISO-8859-16" },
	{ "windows-874", "CP874" },
	{ "windows-1250", "CP1250" },
	{ "windows-1251", "CP1251" },
	{ "windows-1252", "CP1252" },
	{ "windows-1253", "CP1253" },
	{ "windows-1254", "CP1254" },
	{ "windows-1255", "CP1255" },
	{ "windows-1256", "CP1256" },
	{ "windows-1257", "CP1257" },
	{ "windows-1258", "CP1258" },
	{ "tis-620", "TIS-620" },
	{ "viscii", "VISCII" },
	{ "koi8-r", "KOI8-R" },
	{ "koi8-u", "KOI8-U" },
	{ "ibm037", "IBM037" },
	{ "ibm437", "IBM437" },
	{ "ibm850", "IBM850" },
	{ "ibm852", "IBM852" },
	{ "ibm855", "IBM855" },
	{ "ibm862", "IBM862" },
	{ "ibm865", "IBM865" },
	{ "ibm866", "IBM866" },
	{ "ibm1047", "IBM1047" },
	{ "macintosh", "MACINTOSH" },
	{ "x-mac-cyrillic", "MAC-CYRILLIC" },
};

const char *encoding_iconv_name(const char *encoding)
{
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcasecmp(names[i].ours, encoding) == 0)
			return names[i].iconv;
	return NULL;
}

/* As browsers read them (WHATWG Encoding): what a page calls Latin-1 is the wider
 * Windows code page. */
static const struct {
	const char *label, *ours;
} labels[] = {
	{ "utf8", "utf-8" }, { "unicode-1-1-utf-8", "utf-8" }, { "utf-16", "utf-16le" },
	{ "unicode", "utf-16le" }, { "ucs-2", "utf-16le" }, { "utf-32", "utf-32le" },
	{ "ascii", "windows-1252" }, { "ansi_x3.4-1968", "windows-1252" },
	{ "iso-8859-1", "windows-1252" }, { "iso8859-1", "windows-1252" },
	{ "iso_8859-1", "windows-1252" }, { "latin1", "windows-1252" },
	{ "latin-1", "windows-1252" }, { "l1", "windows-1252" }, { "x-user-defined", "windows-1252" },
	{ "latin2", "iso-8859-2" }, { "latin9", "iso-8859-15" }, { "latin-9", "iso-8859-15" },
	{ "iso-8859-8-i", "iso-8859-8" }, { "iso-8859-6-i", "iso-8859-6" },
	{ "gb2312", "gb18030" }, { "gb_2312-80", "gb18030" }, { "gb_2312", "gb18030" },
	{ "gbk", "gb18030" }, { "x-gbk", "gb18030" }, { "cp936", "gb18030" },
	{ "ms936", "gb18030" }, { "windows-936", "gb18030" }, { "euc-cn", "gb18030" },
	{ "chinese", "gb18030" }, { "csgb2312", "gb18030" }, { "cn-gb", "gb18030" },
	{ "cn-big5", "big5" }, { "x-x-big5", "big5" }, { "csbig5", "big5" }, { "cp950", "big5" },
	{ "windows-950", "big5" }, { "big5hkscs", "big5-hkscs" },
	{ "sjis", "shift_jis" }, { "shift-jis", "shift_jis" }, { "x-sjis", "shift_jis" },
	{ "ms_kanji", "shift_jis" }, { "windows-31j", "shift_jis" }, { "cp932", "shift_jis" },
	{ "csshiftjis", "shift_jis" }, { "x-euc-jp", "euc-jp" }, { "eucjp", "euc-jp" },
	{ "csiso2022jp", "iso-2022-jp" }, { "iso-2022-jp-1", "iso-2022-jp" },
	{ "iso-2022-jp-2", "iso-2022-jp" },
	{ "ks_c_5601-1987", "euc-kr" }, { "ks_c_5601-1989", "euc-kr" }, { "ksc5601", "euc-kr" },
	{ "ksc_5601", "euc-kr" }, { "korean", "euc-kr" }, { "uhc", "euc-kr" }, { "cp949", "euc-kr" },
	{ "windows-949", "euc-kr" }, { "cseuckr", "euc-kr" }, { "euckr", "euc-kr" },
	{ "koi8", "koi8-r" }, { "koi", "koi8-r" }, { "cp866", "ibm866" }, { "866", "ibm866" },
	{ "cp437", "ibm437" }, { "cp850", "ibm850" }, { "cp852", "ibm852" },
	{ "mac", "macintosh" }, { "x-mac-roman", "macintosh" }, { "dos-874", "windows-874" },
};

/* "cp1251", "x-cp1251", "win-1251", "iso8859-5", "iso_8859-5" and the like. */
static const char *by_number(const char *label)
{
	static const struct {
		const char *theirs, *ours;
	} families[] = {
		{ "cp", "windows-" }, { "x-cp", "windows-" }, { "win-", "windows-" },
		{ "windows", "windows-" }, { "iso8859-", "iso-8859-" }, { "iso_8859-", "iso-8859-" },
	};

	for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
		size_t size = strlen(families[i].theirs), prefix = strlen(families[i].ours);

		if (strncasecmp(label, families[i].theirs, size) != 0)
			continue;
		for (size_t k = 0; k < sizeof names / sizeof names[0]; k++)
			if (strncmp(names[k].ours, families[i].ours, prefix) == 0 &&
			    strcasecmp(names[k].ours + prefix, label + size) == 0)
				return names[k].ours;
	}
	return NULL;
}

const char *encoding_by_label(const char *label)
{
	for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++)
		if (strcasecmp(labels[i].label, label) == 0)
			return labels[i].ours;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcasecmp(names[i].ours, label) == 0)
			return names[i].ours;
	return by_number(label);
}

const char *encoding_known(size_t index)
{
	return index < sizeof names / sizeof names[0] ? names[index].ours : NULL;
}
