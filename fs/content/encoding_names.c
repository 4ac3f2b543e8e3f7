#include <string.h>

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

const char *encoding_known(size_t index)
{
	return index < sizeof names / sizeof names[0] ? names[index].ours : NULL;
}
