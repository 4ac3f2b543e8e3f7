/*
 * What extensions stand for, and which formats are to be read as text, or hold
 * none.
 *
 * An extension lies only where people would say so: a table says what else a file
 * of that name may honestly be (what it is built on, what a general detector calls
 * it, what the same extension means elsewhere).
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "fs/content/format.h"
#include "fs/content/format_inside.h"

#define WORD "application/vnd.openxmlformats-officedocument.wordprocessingml."
#define SHEET "application/vnd.openxmlformats-officedocument.spreadsheetml."
#define SLIDES "application/vnd.openxmlformats-officedocument.presentationml."
#define ODF "application/vnd.oasis.opendocument."

/* ---- text, and what holds none ------------------------------------------------------ */

/* ended by '*': whatever begins so. */
static bool is_among(const char *const *patterns, const char *format)
{
	for (; *patterns != NULL; patterns++) {
		size_t size = strlen(*patterns);

		if ((*patterns)[size - 1] == '*' ? strncmp(*patterns, format, size - 1) == 0
						 : strcmp(*patterns, format) == 0)
			return true;
	}
	return false;
}

static bool is_xml(const char *format)
{
	size_t size = strlen(format);

	return (size > 4 && strcmp(format + size - 4, "+xml") == 0) ||
	       strcmp(format, "text/xml") == 0 || strcmp(format, "application/xml") == 0;
}

bool format_is_text(const char *format)
{
	static const char *const text[] = { "text/*", "application/json", "application/x-ndjson",
		"application/jsonl", "application/ld+json", "application/geo+json",
		"application/sql", "application/x-sql", "application/yaml", "application/x-yaml",
		"application/toml", "application/javascript", "application/x-javascript",
		"application/ecmascript", "application/typescript", "application/x-sh",
		"application/x-shellscript", "application/x-csh", "application/x-perl",
		"application/x-php", "application/x-ruby", "application/x-python",
		"application/x-tcl", "application/x-tex", "application/x-latex",
		"application/x-texinfo", "application/x-troff*", "application/x-pem-file",
		"application/pgp*", "application/x-setupscript", "application/x-wine-extension-ini",
		"application/x-mswinurl", "application/x-desktop", "application/x-subrip",
		"application/x-bittorrent-magnet", "application/x-ms-regedit", "application/inf",
		"application/postscript", "application/x-awk", "application/x-gdbinit",
		"application/x-ldif", "application/x-git", "application/x-wais-source",
		"application/hl7*", "application/edi*", "application/rtf", "application/x-plist",
		"image/x-xpixmap", "image/x-xbitmap", "image/svg", "message/*", "application/mbox",
		"model/vrml", "model/step", "image/vnd.dxf", "application/dxf", NULL };

	return is_among(text, format) || is_xml(format);
}

bool format_is_textless(const char *format)
{
	static const char *const with_text[] = { "image/svg*", "image/x-xpixmap",
		"image/x-xbitmap", "image/vnd.djvu*", "image/vnd.dxf", "image/vnd.dwg",
		"image/x-portable-arbitrarymap-text", NULL };
	static const char *const without[] = { "image/*", "audio/*", "video/*", "font/*",
		"application/x-executable", "application/x-pie-executable",
		"application/x-sharedlib", "application/x-object", "application/x-mach-binary",
		"application/x-dosexec", "application/vnd.microsoft.portable-executable",
		"application/x-ms-dos-executable", "application/x-msdownload",
		"application/x-coredump", "application/java-vm", "application/x-java-applet",
		"application/x-java-image", "application/x-bytecode.python",
		"application/x-python-code", "application/wasm", "application/vnd.ms-opentype",
		"application/x-font*", "application/font*", "application/vnd.ms-fontobject",
		"application/x-terminfo*", "application/x-gettext-translation",
		"application/ogg", "application/mxf", "application/vnd.rn-realmedia",
		"application/x-shockwave-flash", "inode/x-empty", NULL };

	return is_among(without, format) && !is_among(with_text, format) && !is_xml(format);
}

/* ---- names of the same thing ---------------------------------------------------------- */

static const char *plain_name(const char *format)
{
	static const char *const same[][2] = {
		{ "application/xml", "text/xml" },
		{ "application/x-gzip", "application/gzip" },
		{ "application/x-zip-compressed", "application/zip" },
		{ "application/x-sqlite3", "application/vnd.sqlite3" },
		{ "application/x-bzip", "application/x-bzip2" },
		{ "application/vnd.rar", "application/x-rar" },
		{ "application/x-zstd", "application/zstd" },
		{ "application/rtf", "text/rtf" },
		{ "application/x-rtf", "text/rtf" },
		{ "application/x-ms-msg", "application/vnd.ms-outlook" },
		{ "audio/x-wav", "audio/wav" },
		{ "audio/vnd.wave", "audio/wav" },
		{ "audio/x-flac", "audio/flac" },
		{ "audio/x-m4a", "audio/mp4" },
		{ "audio/mp3", "audio/mpeg" },
		{ "audio/x-aiff", "audio/aiff" },
		{ "audio/x-midi", "audio/midi" },
		{ "video/x-m4v", "video/mp4" },
		{ "video/x-msvideo", "video/avi" },
		{ "image/x-ms-bmp", "image/bmp" },
		{ "image/x-icon", "image/vnd.microsoft.icon" },
		{ "image/jpg", "image/jpeg" },
		{ "image/x-tiff", "image/tiff" },
		{ "image/x-emf", "image/emf" },
		{ "image/x-wmf", "image/wmf" },
		{ "text/x-vcard", "text/vcard" },
		{ "text/x-csv", "text/csv" },
		{ "application/csv", "text/csv" },
		{ "application/x-java-archive", "application/java-archive" },
		{ "application/x-jar", "application/java-archive" },
		{ "application/vnd.ms-xpsdocument", "application/oxps" },
		{ "application/font-sfnt", "font/sfnt" },
		{ "application/vnd.ms-opentype", "font/otf" },
		{ "application/x-font-ttf", "font/ttf" },
		{ "font/sfnt", "font/ttf" },
		{ "application/vnd.microsoft.portable-executable", "application/x-dosexec" },
		{ "application/x-ms-dos-executable", "application/x-dosexec" },
		{ "application/x-msdownload", "application/x-dosexec" },
	};

	for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
		if (strcmp(same[i][0], format) == 0)
			return same[i][1];
	return format;
}

/* ---- what extensions stand for ---------------------------------------------------------- */

/*
 * may: besides what it claims, parted by blanks: MIME types, "x/..." with '*' at the
 * end, or a family: @text (all that is text), @xml, @zip (built on zip), @ole, @exe.
 * is_sure: a file of this kind shows its signature: unknown bytes are none of it.
 */
struct claim {
	const char *extensions, *format, *may;
	bool is_sure;
};

static const struct claim claims[] = {
	/* text of every kind; what is inside is its own business */
	{ "txt text asc log err lst md markdown rst readme nfo diz me", "text/plain",
	  "@text", true },
	{ "cfg conf cnf config ini inf properties prefs env rc settings", "text/plain", "@text",
	  true },
	{ "c h cc cpp cxx hpp hh java py pl pm rb php js ts jsx tsx mjs cs vb vbs bas go rs sh "
	  "bash ksh zsh csh bat cmd ps1 psm1 awk sed lua tcl r scala kt swift m mm asm s f f90 for "
	  "cob cbl cpy jcl rpg pas dpr sas do as asp aspx jsp jspx cfm erb ejs vue scss sass less css "
	  "sql ddl dml pks pkb prc fnc trg hql cypher gradle groovy cmake mk mak makefile dockerfile "
	  "tex bib cls sty pod man proto thrift graphql patch diff po pot srt vtt sub",
	  "text/plain", "@text application/octet-stream video/mp2t audio/*", true },
	{ "ldif ldap hl7 edi x12 edifact fix swift mt940 sta aba ofx qif qfx ach nacha bai psv",
	  "text/plain", "@text", true },
	{ "csv", "text/csv", "text/plain text/tab-separated-values text/x-* text/csv-schema", true },
	{ "tsv tab", "text/tab-separated-values", "text/plain text/csv", true },
	{ "json geojson jsonld webmanifest har ipynb topojson", "application/json",
	  "text/plain application/x-ndjson text/x-* application/javascript", true },
	{ "jsonl ndjson", "application/x-ndjson", "text/plain application/json", true },
	{ "yaml yml", "application/yaml", "@text", true },
	{ "toml", "application/toml", "@text", true },
	{ "xml xsd xsl xslt wsdl xsi rdf rss atom kml gpx tei xbrl dtd ent resx csproj vcxproj "
	  "pom nuspec config.xml plist xlf xliff tmx svgx wadl",
	  "text/xml", "@xml text/plain text/html application/x-plist application/x-bplist "
	  "text/x-*", true },
	{ "svg", "image/svg+xml", "text/xml text/plain text/html application/gzip", true },
	{ "html htm shtml", "text/html", "@xml text/plain text/x-*", true },
	{ "xhtml xht", "application/xhtml+xml", "@xml text/html text/plain", true },
	{ "mht mhtml", "message/rfc822", "@text multipart/related", true },
	{ "eml", "message/rfc822", "text/plain text/html application/mbox text/x-mail message/*",
	  true },
	{ "emlx", "message/rfc822", "@text", true },
	{ "mbox mbx", "application/mbox", "message/rfc822 text/plain", true },
	{ "vcf vcard", "text/vcard", "text/plain", true },
	{ "ics ical ifb", "text/calendar", "text/plain", true },
	{ "pem crt cer key csr p7b p7c p8 pub der", "application/x-pem-file",
	  "@text application/octet-stream application/x-x509* application/pkix* application/pkcs* "
	  "application/vnd.iso* application/x-*", false },
	{ "asc sig gpg pgp", "application/pgp-encrypted", "@text application/*", false },
	{ "p12 pfx", "application/x-pkcs12", "application/octet-stream", false },
	{ "jks keystore", "application/x-java-keystore", "application/octet-stream "
	  "application/x-java-jce-keystore application/x-pkcs12", false },
	{ "url", "application/x-mswinurl", "@text", true },
	{ "reg", "text/x-ms-regedit", "@text", true },
	{ "rtf", "text/rtf", "", true },
	/* office */
	{ "pdf", "application/pdf", "", true },
	{ "ai", "application/postscript", "application/pdf application/illustrator", true },
	{ "ps eps epsf", "application/postscript", "image/x-eps application/pdf", true },
	{ "doc", "application/msword", "text/rtf application/vnd.ms-word* application/encrypted "
	  "@ole-only", true },
	{ "dot wiz", "application/msword", "text/rtf text/* @ole-only", true },
	{ "xls xlt xlw", "application/vnd.ms-excel", "application/encrypted application/x-ole-storage "
	  "@ole-only", true },
	{ "ppt pps pot", "application/vnd.ms-powerpoint", "application/encrypted @ole-only text/x-po",
	  true },
	{ "docx", WORD "document", "application/encrypted", true },
	{ "docm", "application/vnd.ms-word.document.macroenabled.12", WORD "document "
	  "application/encrypted", true },
	{ "dotx", WORD "template", WORD "document application/encrypted", true },
	{ "dotm", "application/vnd.ms-word.template.macroenabled.12", WORD "document "
	  "application/vnd.ms-word.document.macroenabled.12 application/encrypted", true },
	{ "xlsx", SHEET "sheet", "application/encrypted", true },
	{ "xlsm", "application/vnd.ms-excel.sheet.macroenabled.12", SHEET "sheet "
	  "application/encrypted", true },
	{ "xlsb", "application/vnd.ms-excel.sheet.binary.macroenabled.12", SHEET "sheet "
	  "application/encrypted", true },
	{ "xltx", SHEET "template", SHEET "sheet application/encrypted", true },
	{ "xltm xlam", "application/vnd.ms-excel.template.macroenabled.12", SHEET "sheet "
	  "application/vnd.ms-excel.sheet.macroenabled.12 application/encrypted", true },
	{ "pptx", SLIDES "presentation", "application/encrypted", true },
	{ "pptm", "application/vnd.ms-powerpoint.presentation.macroenabled.12",
	  SLIDES "presentation application/encrypted", true },
	{ "ppsx", SLIDES "slideshow", SLIDES "presentation application/encrypted", true },
	{ "potx", SLIDES "template", SLIDES "presentation application/encrypted", true },
	{ "vsd vst vss", "application/vnd.visio", "@ole-only", true },
	{ "vsdx vsdm", "application/vnd.ms-visio.drawing.main+xml", "application/vnd.visio", true },
	{ "mpp mpt", "application/vnd.ms-project", "@ole-only", true },
	{ "pub", "application/vnd.ms-publisher", "@ole-only @text application/*", false },
	{ "msg oft", "application/vnd.ms-outlook", "@ole-only", true },
	{ "pst ost", "application/vnd.ms-outlook", "application/vnd.ms-outlook-pst", true },
	{ "msi msp", "application/x-msi", "@ole-only", true },
	{ "mdb mde", "application/x-msaccess", "application/vnd.ms-access", true },
	{ "accdb accde", "application/x-msaccess", "application/vnd.ms-access", true },
	{ "one", "application/onenote", "application/*", false },
	{ "wps wks wdb", "application/vnd.ms-works", "application/* @ole-only", false },
	{ "wpd wp wp5", "application/vnd.wordperfect", "application/*", false },
	{ "123 wk1 wk3 wk4", "application/vnd.lotus-1-2-3", "application/*", false },
	{ "dbf", "application/x-dbf", "application/*", false },
	{ "odt fodt", ODF "text", ODF "text* application/encrypted", true },
	{ "ott", ODF "text-template", ODF "text", true },
	{ "ods fods", ODF "spreadsheet", ODF "spreadsheet* " ODF "text-flat-xml", true },
	{ "ots", ODF "spreadsheet-template", ODF "spreadsheet", true },
	{ "odp fodp", ODF "presentation", ODF "presentation* " ODF "text-flat-xml", true },
	{ "otp", ODF "presentation-template", ODF "presentation", true },
	{ "odg fodg", ODF "graphics", ODF "graphics* " ODF "text-flat-xml", true },
	{ "odf", ODF "formula", ODF "*", true },
	{ "odb", ODF "database", ODF "base", true },
	{ "sxw", "application/vnd.sun.xml.writer", "", true },
	{ "sxc", "application/vnd.sun.xml.calc", "", true },
	{ "epub", "application/epub+zip", "", true },
	{ "mobi azw azw3 prc", "application/x-mobipocket-ebook", "application/*", false },
	{ "pages", "application/vnd.apple.pages", "@zip", true },
	{ "numbers", "application/vnd.apple.numbers", "@zip", true },
	{ "key", "application/vnd.apple.keynote", "@zip @text application/*", false },
	{ "xps oxps", "application/oxps", "", true },
	{ "djvu djv", "image/vnd.djvu", "image/vnd.djvu*", true },
	{ "dwg", "image/vnd.dwg", "", true },
	{ "dxf", "image/vnd.dxf", "@text application/*", false },
	/* pictures, sound, video, fonts */
	{ "png apng", "image/png", "image/apng image/vnd.mozilla.apng", true },
	{ "jpg jpeg jpe jfif", "image/jpeg", "", true },
	{ "gif", "image/gif", "", true },
	{ "bmp dib", "image/bmp", "", true },
	{ "tif tiff", "image/tiff", "", true },
	{ "webp", "image/webp", "", true },
	{ "heic heif hif", "image/heic", "image/heif* image/heic*", true },
	{ "avif", "image/avif", "image/avif*", true },
	{ "jp2 j2k jpx", "image/jp2", "image/jpx image/jpm image/x-jp2*", true },
	{ "jxl", "image/jxl", "", true },
	{ "ico cur", "image/vnd.microsoft.icon", "image/png image/*", true },
	{ "psd psb", "image/vnd.adobe.photoshop", "", true },
	{ "emf", "image/emf", "", true },
	{ "wmf", "image/wmf", "", true },
	{ "pcx", "image/x-pcx", "image/vnd.zbrush.pcx", true },
	{ "tga", "image/x-tga", "application/octet-stream", false },
	{ "mp3", "audio/mpeg", "application/octet-stream audio/x-*", true },
	{ "wav wave", "audio/wav", "", true },
	{ "flac", "audio/flac", "", true },
	{ "ogg oga opus spx", "audio/ogg", "application/ogg video/ogg audio/*", true },
	{ "m4a m4b aac", "audio/mp4", "audio/* video/mp4 application/mp4", true },
	{ "wma", "audio/x-ms-wma", "video/x-ms-asf audio/x-ms-* application/vnd.ms-asf", true },
	{ "aif aiff aifc", "audio/aiff", "", true },
	{ "mid midi", "audio/midi", "", true },
	{ "amr", "audio/amr", "audio/*", true },
	{ "mp4 m4v", "video/mp4", "video/* audio/mp4 application/mp4", true },
	{ "mov qt", "video/quicktime", "video/mp4", true },
	{ "avi", "video/avi", "", true },
	{ "mkv mka", "video/x-matroska", "audio/x-matroska video/webm", true },
	{ "webm", "video/webm", "video/x-matroska audio/webm", true },
	{ "wmv asf", "video/x-ms-asf", "video/x-ms-*", true },
	{ "flv", "video/x-flv", "", true },
	{ "mpg mpeg mpe vob", "video/mpeg", "video/* audio/mpeg", true },
	{ "ogv", "video/ogg", "application/ogg audio/ogg", true },
	{ "3gp 3g2", "video/3gpp", "video/* audio/*", true },
	{ "swf", "application/x-shockwave-flash", "", true },
	{ "ttf ttc", "font/ttf", "font/*", true },
	{ "otf", "font/otf", "font/*", true },
	{ "woff", "font/woff", "", true },
	{ "woff2", "font/woff2", "", true },
	{ "eot", "application/vnd.ms-fontobject", "", true },
	/* packed */
	{ "zip", "application/zip", "@zip", true },
	{ "jar war ear", "application/java-archive", "application/zip", true },
	{ "apk", "application/vnd.android.package-archive", "application/java-archive "
	  "application/zip", true },
	{ "kmz", "application/vnd.google-earth.kmz", "application/zip", true },
	{ "xpi vsix nupkg whl egg crx ipa aar", "application/zip", "@zip application/x-chrome*",
	  true },
	{ "gz gzip emz wmz svgz", "application/gzip", "", true },
	{ "tgz", "application/gzip", "application/x-tar", true },
	{ "bz2 tbz2 tbz", "application/x-bzip2", "", true },
	{ "xz txz", "application/x-xz", "", true },
	{ "lzma", "application/x-lzma", "application/octet-stream", false },
	{ "lz", "application/lzip", "application/x-lzip", true },
	{ "zst tzst", "application/zstd", "", true },
	{ "lz4", "application/x-lz4", "", true },
	{ "z", "application/x-compress", "application/*", false },
	{ "7z", "application/x-7z-compressed", "", true },
	{ "rar", "application/x-rar", "application/x-dosexec", true },
	{ "tar", "application/x-tar", "application/x-gtar application/x-ustar", true },
	{ "cpio", "application/x-cpio", "", true },
	{ "cab", "application/vnd.ms-cab-compressed", "application/x-installshield", true },
	{ "arj", "application/x-arj", "application/arj application/x-arc", true },
	{ "lzh lha", "application/x-lzh-compressed", "application/x-lha application/x-lharc", true },
	{ "iso", "application/x-iso9660-image", "application/octet-stream application/x-*", false },
	{ "img dmg vhd vhdx vmdk vdi qcow2", "application/x-raw-disk-image", "application/* @text",
	  false },
	{ "deb udeb", "application/vnd.debian.binary-package", "application/x-archive", true },
	{ "rpm", "application/x-rpm", "", true },
	{ "a", "application/x-archive", "application/* @text", false },
	/* databases and data */
	{ "sqlite sqlite3 db3", "application/vnd.sqlite3", "", true },
	{ "parquet", "application/vnd.apache.parquet", "", true },
	{ "avro", "application/vnd.apache.avro", "", true },
	{ "orc", "application/vnd.apache.orc", "", true },
	{ "feather arrow", "application/vnd.apache.arrow.file", "application/*", false },
	{ "h5 hdf5", "application/x-hdf5", "application/x-hdf", true },
	{ "sav", "application/x-spss-sav", "application/*", false },
	{ "dta", "application/x-stata-dta", "application/*", false },
	{ "sas7bdat", "application/x-sas-data", "application/*", false },
	{ "torrent", "application/x-bittorrent", "", true },
	{ "shp", "application/vnd.shp", "application/*", false },
	/* programs */
	{ "exe dll sys scr ocx cpl com", "application/x-dosexec", "application/x-* application/zip",
	  false },
	{ "so o ko", "application/x-sharedlib", "application/x-* @text", false },
	{ "class", "application/java-vm", "application/x-java-applet application/x-java*", true },
	{ "pyc pyo", "application/x-bytecode.python", "application/octet-stream "
	  "text/x-bytecode.python application/x-python*", false },
	{ "wasm", "application/wasm", "", true },
	{ "lnk", "application/x-ms-shortcut", "", true },
	{ "chm", "application/vnd.ms-htmlhelp", "application/x-chm", true },
	{ "hlp", "application/winhlp", "application/*", false },
};

static const struct claim *find_claim(const char *extension)
{
	size_t size = strlen(extension);

	for (size_t i = 0; i < sizeof claims / sizeof claims[0]; i++)
		for (const char *p = claims[i].extensions; *p != '\0';) {
			size_t length = strcspn(p, " ");

			if (length == size && memcmp(p, extension, size) == 0)
				return &claims[i];
			p += length;
			p += *p == ' ';
		}
	return NULL;
}

static bool is_zip(const char *format)
{
	static const char *const zip[] = { "application/zip", "application/epub+zip",
		"application/java-archive", "application/vnd.openxmlformats-officedocument*",
		"application/vnd.oasis.opendocument*", "application/vnd.sun.xml*",
		"application/vnd.android.package-archive", "application/vnd.google-earth.kmz",
		"application/vnd.apple.pages", "application/vnd.apple.numbers",
		"application/vnd.apple.keynote", "application/oxps", "model/3mf",
		"application/vnd.ms-visio*", "application/vnd.ms-word*",
		"application/vnd.ms-excel.sheet*", "application/vnd.ms-powerpoint.pres*",
		"image/openraster", "application/x-krita", NULL };

	return is_among(zip, format);
}

static bool is_family(const char *family, size_t size, const char *format)
{
	/* What libmagic says of a compound file whose directory lies too far in. */
	static const char *const ole[] = { "application/x-ole-storage", "application/CDFV2*",
		"application/cdfv2*", NULL };

	if (size == 5 && memcmp(family, "@text", 5) == 0)
		return format_is_text(format);
	if (size == 4 && memcmp(family, "@xml", 4) == 0)
		return is_xml(format);
	if (size == 4 && memcmp(family, "@zip", 4) == 0)
		return is_zip(format);
	return size == 9 && memcmp(family, "@ole-only", 9) == 0 && is_among(ole, format);
}

static bool may_be(const struct claim *c, const char *format)
{
	for (const char *p = c->may; *p != '\0';) {
		size_t length = strcspn(p, " ");

		if (*p == '@' ? is_family(p, length, format) :
		    p[length - 1] == '*' ? strncmp(p, format, length - 1) == 0 :
		    strlen(format) == length && memcmp(p, format, length) == 0)
			return true;
		p += length;
		p += *p == ' ';
	}
	return false;
}

bool format_is_called_plain(const char *extension)
{
	const struct claim *c = *extension != '\0' ? find_claim(extension) : NULL;

	return c == &claims[0] || c == &claims[1];
}

void format_extension(const char *name, char out[FORMAT_EXTENSION_MAX])
{
	const char *slash = name == NULL ? NULL : strrchr(name, '/');
	const char *base = slash != NULL ? slash + 1 : name;
	const char *dot = base == NULL ? NULL : strrchr(base, '.');
	size_t i = 0;

	out[0] = '\0';
	if (dot == NULL || dot == base || strlen(dot + 1) >= FORMAT_EXTENSION_MAX)
		return;
	for (; dot[1 + i] != '\0'; i++)
		out[i] = (char)tolower((unsigned char)dot[1 + i]);
	out[i] = '\0';
}

void format_claimed(const char *name, const char *format, char claimed[128])
{
	char extension[FORMAT_EXTENSION_MAX];
	const struct claim *c;

	claimed[0] = '\0';
	format_extension(name, extension);
	c = extension[0] == '\0' ? NULL : find_claim(extension);
	if (c == NULL || strcmp(format, "inode/x-empty") == 0)
		return;
	format = plain_name(format);
	if (strcmp(format, plain_name(c->format)) == 0 || may_be(c, format))
		return;
	if (!c->is_sure && strcmp(format, "application/octet-stream") == 0)
		return;
	snprintf(claimed, 128, "%s", c->format);
}
