/*
 * Source code, scripts, markup of old: what libmagic knows text by.
 *
 * It takes milliseconds for a file of text, nearly all of them to find nothing: here
 * is what its rules (5.44) look for, as words at the beginning, at the beginning of
 * lines, or anywhere.  Where none of them stands it would say text/plain; where one
 * does, it is asked, unless extension and words agree on a language.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "fs/content/format_inside.h"

#define PROBE_MAX (8u << 10)	/* libmagic's own searches go no further */

static bool has(const char *p, const char *end, const char *what)
{
	return memmem(p, (size_t)(end - p), what, strlen(what)) != NULL;
}

static bool starts(const char *p, const char *end, const char *with)
{
	size_t size = strlen(with);

	return (size_t)(end - p) >= size && strncasecmp(p, with, size) == 0;
}

/* ---- extension and words agree ---------------------------------------------------- */

static const struct {
	const char *extensions, *format;
	const char *words[12];	/* one of them is enough */
} languages[] = {
	{ " c h ", "text/x-c", { "#include", "#define", "#ifdef", "#ifndef", "struct ",
				 "typedef ", "int main(", "void ", "static " } },
	{ " cc cpp cxx c++ hh hpp hxx ipp tcc cuh cu ", "text/x-c++",
	  { "#include", "#define", "namespace ", "template", "class ", "std::" } },
	{ " java ", "text/x-java", { "class ", "interface ", "enum ", "import ", "package " } },
	{ " py pyi pyw ", "text/x-script.python", { "import ", "def ", "class ", "print(",
						     "print ", "__name__" } },
	{ " rb ", "text/x-ruby", { "def ", "require ", "class ", "module ", "puts ", "end\n" } },
	{ " pl pm ", "text/x-perl", { "use strict", "my $", "sub ", "package ", "use " } },
	{ " php phtml ", "text/x-php", { "<?php", "<?=" } },
	{ " js mjs cjs ", "application/javascript",
	  { "function", "=>", "var ", "const ", "let ", "require(", "export ", "import ",
	    "document.", "window.", "console." } },
	{ " css ", "text/css", { "{" } },
	{ " bat cmd ", "text/x-msdos-batch", { "@echo", "echo ", "rem ", "REM ", "@ECHO", "set ",
						 "SET " } },
	{ " tex ltx sty cls ", "text/x-tex", { "\\" } },
	{ " el lisp lsp scm ", "text/x-lisp", { "(def", "(setq ", "(let " } },
	{ " po pot ", "text/x-po", { "msgid " } },
	{ " diff patch ", "text/x-diff", { "\n+++ ", "\n@@ ", "\n*** " } },
};

static const char *by_language(const struct format_head *h, const char *end)
{
	char sought[FORMAT_EXTENSION_MAX + 3] = " ";

	if (h->extension[0] == '\0')
		return NULL;
	strcat(strcat(sought, h->extension), " ");
	for (size_t i = 0; i < sizeof languages / sizeof languages[0]; i++) {
		if (strstr(languages[i].extensions, sought) == NULL)
			continue;
		for (size_t k = 0; k < 12 && languages[i].words[k] != NULL; k++)
			if (has(h->text, end, languages[i].words[k]))
				return languages[i].format;
		return NULL;
	}
	return NULL;
}

/* ---- what libmagic looks for --------------------------------------------------------- */

/* At the very beginning, cut to what tells them from prose. */
static bool has_known_start(const char *p, const char *end)
{
	static const char *const known[] = {
		"\n%pdf-", "!<arch>\n", "# abook a", "# gimp cu", "# kde con", "# package", "# xmcd",
		"#%module", "#usda", "#vrml v1.", "#vrml v2.", "#x3d", "$sdi", "%fdf-", "%pdf-",
		"'.\\\"", "(c) ced 8", "***", "*ppd-adob", "-----begi", ".\\\"", ".snd", "0", "1gim",
		"8bps", ";elc", "<ar>", "<bookfile", "<html>", "<maker in", "<makerdic", "<makerfil",
		"<makerscr", "<map vers", "<miffile", "<mml", "<scribusu", "<svg", "<texmacs|", "=srl",
		"@ mfr", "@corelbmf", "[bitmapin", "[kde desk", "\\input te", "abf", "abort", "ac1.2",
		"ac1.3", "ac1.40", "ac1.50", "ac1001", "ac1002", "ac1003", "ac1004", "ac1006",
		"ac1009", "ac1012", "ac1013", "ac1014", "ac1015", "ac1018", "ac1021", "ac1024",
		"ac1027", "ac1032", "ac1035", "ac2.10", "ac2.21", "ac2.22", "adif", "adu1", "adu2",
		"alpha-tra", "android b", "antivir q", "article", "astm-e57", "at&tform", "ates medi",
		"atf\t", "audimg", "awbm", "axgx", "b&w256", "babyl opt", "bci2000v", "begin:vca",
		"begmf", "blender", "brain vis", "car 2.01", "cedfile", "ciso", "clamav-vd",
		"common su", "conectix", "cr24", "creative", "cstm", "ctmf", "cwav", "d13:annou",
		"d4:info", "d7:commen", "d8:announ", "date:", "dbpf", "delivered", "demg", "diff",
		"drpm", "dryaddata", "dsd", "dvdvideo-", "edilzss", "embla dat", "extended", "fgf95a",
		"file", "flac", "form", "forward t", "fovb", "from:", "fstm", "fujifilmc", "galileo e",
		"gdbm", "gdst", "gif8", "gif94z", "gimp grad", "gimp pale", "gimp xcf", "gltf", "glul",
		"grib", "grublayo", "gst2", "header", "hsi1", "iavsfo", "icns", "id;p", "igor", "iin1",
		"iio1$", "iio2h", "iiro", "iirs", "impm", "index:", "inno setu", "isc(", "ishne1.0",
		"itolitls", "jarcs", "kpgr", "lpkshhrh", "lrzi", "lynx", "lzip", "mac", "mas_utrac",
		"matlab", "mc0.0", "mdmp", "microsoft", "mmor", "movi", "mpck", "mthd", "n#! rnews",
		"neko", "nex1", "oggs", "only in", "otto", "p7 332", "pack", "path:", "pdn3",
		"pipe to", "po^q`", "poly samp", "push", "putty-use", "qoif", "qpress10", "received:",
		"regedit", "relay-ver", "return-pa", "re~^", "riff", "rstm", "sap\r\n", "sdpx",
		"sega sega", "segabootd", "segadiscs", "sga3", "simple  =", "sit!", "splinefon",
		"sqlite fo", "stuffit", "t3-state-", "table", "tads2 bin", "tads2 rsc", "tads2 sav",
		"tfmr", "this is i", "tnes", "tokyo cab", "ttcf", "type", "unif", "v3.0",
		"ver=9\r\nct", "vgm", "warc/", "wbfs", "webvtt", "windows r", "wine regi", "wof2",
		"woff", "xar!", "xbeh", "xbtf", "xcur", "xex1", "xex2", "xpds", "xref:", "{\\pwd",
		"{\\rtf", "{\\urtf",
		"%!", "#!", "<?", "\n(", "@", "1\r", "1\n", "[internetshortcut", "id=image",
		"__bundle_start",
	};

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if ((known[i][0] | 0x20) == (*p | 0x20) && starts(p, end, known[i]))
			return true;
	/* DXF: a group code, then its value. */
	if ((*p == ' ' || *p == '0' || *p == '9') && has(p, end - p > 40 ? p + 40 : end, "SECTION"))
		return true;
	/* Portable pixmaps: P1 .. P7; MARC records. */
	if (end - p > 3 && p[0] == 'P' && p[1] >= '1' && p[1] <= '7' &&
	    isspace((unsigned char)p[2]))
		return true;
	return end - p > 24 && memcmp(p + 20, "45", 2) == 0 && isdigit((unsigned char)p[0]) &&
	       isdigit((unsigned char)p[4]);
}

/* Anywhere. */
static bool has_known_words(const char *p, const char *end)
{
	static const char *const words[] = { "main(", "use strict", "(function", "(async function",
		"module.exports", "module[", "typeof", "if __name__", "%PDF-", "-*-latex-*-",
		"(input,", "\"libhdr\"", "\"LIBHDR\"", "EAPI=", "@ECLASS: ", "..OMR", " ncells:",
		"Start Component", "eval 'exec", "eval \"exec", "eval '(exit" };

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (has(p, end, words[i]))
			return true;
	return false;
}

/* Behind a character that is rare in prose. */
static bool has_known_mark(const char *p, const char *end, char mark, const char *const *words)
{
	while ((p = memchr(p, mark, (size_t)(end - p))) != NULL) {
		p++;
		for (size_t i = 0; words[i] != NULL; i++)
			if (starts(p, end, words[i]))
				return true;
	}
	return false;
}

static bool has_known_marks(const char *p, const char *end)
{
	static const char *const tex[] = { "input", "begin", "relax", "section", "chapter",
		"document", "setlength", "contentsline", NULL };
	static const char *const lisp[] = { "defun ", "defvar ", "defparam ", "setq ", "autoload ",
		"custom-set", NULL };
	static const char *const html[] = { "script", "a href=", "title", "style", "table", "head",
		"html", "!doctype", NULL };

	return has_known_mark(p, end, '\\', tex) || has_known_mark(p, end, '(', lisp) ||
	       has_known_mark(p, end, '<', html);
}

/* At the beginning of a line; all that must stand in it. */
static const struct {
	const char *word, *also;
	bool is_indented;	/* blanks may stand before */
} lines[] = {
	{ "#include", NULL, true }, { "#import", NULL, true }, { "#define", NULL, true },
	{ "#if", NULL, true }, { "#endif", NULL, true }, { "#pragma", NULL, true },
	{ "# include", NULL, true }, { "# define", NULL, true }, { "# if", NULL, true },
	{ "# pragma", NULL, true }, { "# endif", NULL, true },
	{ "using ", "std", false }, { "using ", "namespace", false }, { "namespace ", "{", false },
	{ "protected:", NULL, true }, { "private:", NULL, true }, { "public:", NULL, true },
	{ "template", "<", true }, { "virtual ", ";", true }, { "virtual ", "}", true },
	{ "class ", ":", true }, { "class ", "{", true }, { "class ", NULL, true },
	{ "module ", NULL, true }, { "def ", NULL, true }, { "from ", " import", false },
	{ "import ", ";", false }, { "import ", " as ", false }, { "import ", " from ", false },
	{ "import \"", NULL, false }, { "import '", NULL, false }, { "try:", NULL, true },
	{ "float", ";", true }, { "char", ";", true }, { "double", ";", true },
	{ "union ", NULL, false }, { "struct ", NULL, false }, { "extern ", NULL, true },
	{ "export ", NULL, false }, { "const ", "require(", false }, { "var ", "require(", false },
	{ "let ", "require(", false }, { "require", "(", false }, { "require", "'", true },
	{ "include ", "::", true }, { "(ns ", NULL, false }, { "(defn", NULL, false },
	{ "AC_DEFUN", NULL, false }, { "dnl ", NULL, false }, { "CFLAGS", NULL, false },
	{ "VPATH", NULL, false }, { "LDFLAGS", NULL, false }, { "all:", NULL, false },
	{ ".PRECIOUS", NULL, false }, { ".BEGIN", NULL, false }, { ".endif", NULL, false },
	{ ".include", NULL, false }, { "SUBDIRS", "=", false }, { ".asciiz", NULL, true },
	{ ".globl", NULL, true }, { ".byte", NULL, true }, { ".even", NULL, true },
	{ ".text", NULL, true }, { ".file", NULL, true }, { ".type", NULL, true },
	{ "C ", NULL, false }, { "c ", NULL, false }, { "C\t", NULL, false }, { "c\t", NULL, false },
	{ "+++ ", NULL, false }, { "msgid ", NULL, false }, { ": ", "--", false },
	{ ":\t", "--", false },
};

/* "class X" of prose: of code only in capitals, before a bracket or colon. */
static bool is_known_line(const char *p, const char *end)
{
	const char *first = p;

	while (first < end && (*first == ' ' || *first == '\t'))
		first++;
	if (first == end)
		return false;
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		const char *at = lines[i].is_indented ? first : p;
		size_t size = strlen(lines[i].word);

		if (*at == lines[i].word[0] && (size_t)(end - at) >= size &&
		    memcmp(at, lines[i].word, size) == 0 &&
		    (lines[i].also == NULL || has(at + size, end, lines[i].also)))
			return true;
	}
	return false;
}

/* ".SH" and the like, in the first lines. */
static bool is_troff(const char *p, const char *end)
{
	return end - p >= 3 && p[0] == '.' && isalpha((unsigned char)p[1]) &&
	       isalnum((unsigned char)p[2]) &&
	       (end - p == 3 || p[3] == ' ' || p[3] == '\t' || p[3] == '\r');
}

static bool has_known_lines(const char *p, const char *end, unsigned wanted)
{
	for (unsigned n = 0; p < end && wanted > 0; n++) {
		const char *stop = memchr(p, '\n', (size_t)(end - p));

		if (stop == NULL)
			stop = end;
		wanted -= is_known_line(p, stop) || (n < 20 && is_troff(p, stop));
		p = stop + (stop < end);
	}
	return wanted == 0;
}

const char *format_of_source(const struct format_head *h)
{
	const char *end = h->text + (h->text_size < PROBE_MAX ? h->text_size : PROBE_MAX);
	const char *language;

	if (h->text_size == 0)
		return "text/plain";
	if (starts(h->text, end, "#!"))
		return NULL;
	language = by_language(h, end);
	if (language != NULL)
		return language;
	if (has_known_start(h->text, end))
		return NULL;
	/* Prose, logs and settings quote code: one line of it makes no program. */
	if (format_is_called_plain(h->extension))
		return has_known_lines(h->text, end, 3) ? NULL : "text/plain";
	return has_known_words(h->text, end) || has_known_marks(h->text, end) ||
	       has_known_lines(h->text, end, 1) ? NULL : "text/plain";
}
