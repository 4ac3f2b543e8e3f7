/*
 * Office documents: which part of a package goes to whom.
 *
 * Parts are known by their root element, not by where they stand: writers differ
 * in that.  What describes only how things look is left alone; all else is read.
 */
#include "fs/content/extract_office.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/content/extract_members.h"
#include "fs/content/extract_xml.h"
#include "fs/content/input.h"
#include "fs/content/look.h"

struct package {
	struct look *look;
	struct book *book;	/* of a workbook; else NULL */
	bool is_encrypted;
};

/* ---- what a part is ------------------------------------------------------------------------- */

void office_root(const char *head, size_t size, char out[OFFICE_ROOT_MAX])
{
	const char *end = head + size, *at = head;
	size_t n = 0;

	out[0] = '\0';
	while ((at = memchr(at, '<', (size_t)(end - at))) && at + 1 < end &&
	       (at[1] == '?' || at[1] == '!'))
		at++;
	if (!at || at + 1 >= end)
		return;
	for (at++; at < end && n < OFFICE_ROOT_MAX - 1; at++) {
		if (*at == ':')
			n = 0;
		else if (isalnum((unsigned char)*at) || *at == '-' || *at == '_')
			out[n++] = *at;
		else
			break;
	}
	out[n] = '\0';
}

static bool is_one_of(const char *word, const char *const *words)
{
	for (; *words; words++)
		if (!strcasecmp(word, *words))
			return true;
	return false;
}

static bool ends(const char *name, const char *with)
{
	size_t size = strlen(name), tail = strlen(with);

	return size >= tail && !strcasecmp(name + size - tail, with);
}

static bool holds(const char *name, const char *what)
{
	return strcasestr(name, what) != NULL;
}

static const char *base_name(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash ? slash + 1 : name;
}

/* Parts that hold no text of anybody: looks, layout, previews. */
static bool is_only_looks(const char *name, const char *root)
{
	static const char *const roots[] = {
		"theme", "themeOverride", "fonts", "webSettings", "numbering", "styleSheet",
		"styles", "Types", "presProps", "viewPr", "tblStyleLst", "colors", "clrMapOvr",
		"styleData", "colorsDef", "styleDef", "layoutDef", "calcChain", "chartStyle",
		"colorStyle", "document-settings", "manifest", "sst", NULL,
	};
	const char *base = base_name(name);

	return is_one_of(root, roots) || holds(name, "printerSettings") || ends(name, ".odttf") ||
	       ends(name, ".fntdata") || ends(name, ".svm") || ends(name, ".wdp") ||
	       holds(name, "Configurations2/") || holds(name, "ObjectReplacements/") ||
	       !strcasecmp(base, "layout-cache") || !strcasecmp(base, "mimetype");
}

/* "ppt/slides/slide3.xml" is "slide 3"; a document's own text has no name. */
static void place_of(const char *name, const char *root, char out[128])
{
	static const struct {
		const char *root, *place;
	} known[] = {
		{ "document", "" }, { "wordDocument", "" }, { "hdr", "header" },
		{ "ftr", "footer" }, { "comments", "comment" }, { "footnotes", "footnote" },
		{ "endnotes", "endnote" }, { "glossaryDocument", "building block" },
		{ "coreProperties", "document properties" },
		{ "Properties", "document properties" }, { "sldMaster", "slide master" },
		{ "sldLayout", "slide layout" }, { "cmLst", "comment" }, { "Relationships", "link" },
		{ "chartSpace", "chart" },
	};
	const char *base = base_name(name);
	size_t digits = strcspn(base, "0123456789");

	if (!strcmp(root, "sld") || !strcmp(root, "notes")) {
		snprintf(out, 128, "%sslide %.*s", *root == 'n' ? "notes of " : "",
			 (int)strspn(base + digits, "0123456789"), base + digits);
		return;
	}
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (!strcmp(root, known[i].root)) {
			snprintf(out, 128, "%s", known[i].place);
			return;
		}
	snprintf(out, 128, "%s", text_printable(base));
}

/* ---- one part --------------------------------------------------------------------------------- */

static bool has_paragraphs(const char *root)
{
	static const char *const roots[] = {
		"document", "hdr", "ftr", "comments", "footnotes", "endnotes",
		"glossaryDocument", "sld", "notes", "sldMaster", "sldLayout", "notesMaster",
		"handoutMaster", "cmLst", "wsDr", "dataModel", "drawing", "chartSpace",
		"userShapes", "ThreadedComments", "xml", "wordDocument", "settings",
		"Relationships", NULL,
	};

	return is_one_of(root, roots);
}

static bool is_odf(const char *root)
{
	static const char *const roots[] = { "document-content", "document-styles", NULL };

	return is_one_of(root, roots);
}

/* Parts whose attributes hold data; those of the others are ids and looks. */
static bool has_telling_attributes(const char *name, const char *root)
{
	static const char *const roots[] = {
		"connections", "pivotCacheDefinition", "pivotCacheRecords", "externalLink",
		"queryTable", "FixedPage", NULL,
	};

	return is_one_of(root, roots) ||
	       (holds(name, "customXml/item") && !holds(name, "itemProps"));
}

/* The program that wrote it is nobody's data, and its version looks like some. */
static int read_any(struct package *p, struct input *in, const char *place,
		    bool with_attributes, bool *is_whole, struct err *e)
{
	static const char *const programs[] = { "generator", "Application", "AppVersion", NULL };
	const struct xml_manner manner = { .place = place, .with_attributes = with_attributes,
					   .left_out = programs };

	return xml_cells(p->look, in, &manner, is_whole, e);
}

static int read_xml(struct package *p, struct input *in, const char *name, const char *root,
		    struct err *e)
{
	char place[128];
	bool is_whole = true;
	int rc;

	place_of(name, root, place);
	if (!strcmp(root, "worksheet") || !strcmp(root, "dialogsheet") ||
	    !strcmp(root, "macrosheet"))
		rc = office_sheet(p->look, in, p->book, name, &is_whole, e);
	else if (is_odf(root))
		rc = office_odf(p->look, in, *root && ends(name, "styles.xml") ? "header or footer"
									     : "", &is_whole, e);
	else if (has_paragraphs(root))
		rc = office_words(p->look, in, place, &is_whole, e);
	else
		rc = read_any(p, in, place, has_telling_attributes(name, root), &is_whole, e);
	if (rc == 0 && !is_whole)
		look_opaque(p->look, "its part %s is damaged", text_printable(name));
	return rc;
}

static bool is_xml(const char *name, const char *head, size_t size)
{
	size_t i = size >= 3 && !memcmp(head, "\xef\xbb\xbf", 3) ? 3 : 0;

	while (i < size && isspace((unsigned char)head[i]))
		i++;
	return ends(name, ".xml") || ends(name, ".rels") || ends(name, ".vml") ||
	       ends(name, ".rdf") || ends(name, ".fpage") || (size - i > 5 && !memcmp(head + i, "<?xml", 5));
}

static bool is_page(const char *name)
{
	return ends(name, ".xhtml") || ends(name, ".html") || ends(name, ".htm");
}

/* Macros stand packed in an OLE2 file: their words mostly show through. */
static int read_macros(struct package *p, struct input *in, struct err *e)
{
	struct cells *cells = cells_new(p->look);
	const void *data;
	ssize_t n = -1;

	if (!cells)
		return err_set(e, MUNI_NO_MEMORY, "no memory to read a document");
	while ((n = input_next(in, &data, e)) > 0)
		if (cells_add(cells, NULL, "macros", data, (size_t)n, e) < 0)
			break;
	if (n == 0 && cells_end(cells, e) < 0)
		n = -1;
	cells_free(cells);
	return n == 0 ? 0 : -1;
}

static int read_part(struct package *p, struct members *m, const char *name, struct err *e)
{
	struct input *in = members_input(m);
	const void *head;
	char root[OFFICE_ROOT_MAX] = "";
	size_t size;
	int rc = -1;

	if (!in)
		return err_set(e, MUNI_NO_MEMORY, "no memory to read a part of a document");
	if (input_head(in, &head, &size, e) < 0)
		goto out;
	if (!is_page(name) && is_xml(name, head, size)) {
		office_root(head, size, root);
		rc = is_only_looks(name, root) ? 0 : read_xml(p, in, name, root, e);
	} else if (is_only_looks(name, "")) {
		rc = 0;
	} else if (!strcasecmp(base_name(name), "vbaProject.bin")) {
		rc = read_macros(p, in, e);
	} else {
		rc = look_into(p->look, in, name, e);
	}
out:
	input_free(in);
	if (rc == 0)
		members_check(m);
	return rc;
}

/* ---- the package ------------------------------------------------------------------------------ */

/* META-INF says so: of all parts (OpenDocument), or of some pages (EPUB). */
static int read_manifest(struct package *p, struct members *m, const char *name, struct err *e)
{
	struct input *in = members_input(m);
	const void *head;
	size_t size;
	int rc;

	if (!in)
		return err_set(e, MUNI_NO_MEMORY, "no memory to read a document");
	rc = input_head(in, &head, &size, e);
	if (rc == 0 && (memmem(head, size, "encryption-data", 15) ||
			(holds(name, "encryption.xml") && memmem(head, size, "html\"", 5))))
		p->is_encrypted = true;
	input_free(in);
	return rc;
}

/* What must be known before the other parts are read. */
static int read_first(struct package *p, struct members *m, const char *name,
			  struct err *e)
{
	static const struct {
		const char *name;
		int (*read)(struct book *b, struct input *in, bool *is_whole, struct err *e);
	} parts[] = {
		{ "xl/workbook.xml", book_read_workbook },
		{ "xl/_rels/workbook.xml.rels", book_read_relations },
		{ "xl/sharedStrings.xml", book_read_texts },
		{ "xl/styles.xml", book_read_styles },
	};
	struct input *in;
	bool is_whole;
	int rc;

	if (!strcmp(name, "META-INF/manifest.xml") || !strcmp(name, "META-INF/encryption.xml"))
		return read_manifest(p, m, name, e);
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		if (strcasecmp(name, parts[i].name) != 0)
			continue;
		in = members_input(m);
		if (!in)
			return err_set(e, MUNI_NO_MEMORY, "no memory to read a workbook");
		rc = parts[i].read(p->book, in, &is_whole, e);
		input_free(in);
		if (rc == 0 && !is_whole)
			look_opaque(p->look, "its part %s is damaged", text_printable(name));
		return rc;
	}
	return 0;
}

/* Goes over all parts, once for those that others refer to. */
static int walk(struct package *p, struct input *in,
		int (*each)(struct package *p, struct members *m, const char *name,
			    struct err *e), struct err *e)
{
	struct members *m = NULL;
	const char *name;
	int rc;

	if (members_open(p->look, in, &m, e) < 0)
		return -1;
	while ((rc = members_next(m, &name, e)) > 0) {
		rc = each(p, m, name, e);
		if (rc < 0)
			break;
	}
	members_close(m);
	return rc;
}

/* An OLE2 file: Office 97's own, or the shell around an encrypted package. */
static int refuse_compound(struct look *l, struct input *in, struct err *e)
{
	static const char encrypted[] = "E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e";
	const void *data;
	bool is_encrypted = !strcmp(look_format(l), "application/encrypted");
	ssize_t n = 0;

	/* Its directory may stand anywhere.  An entry is 128 bytes at a multiple of
	 * that, as pieces of a file are. */
	while (!is_encrypted && (n = input_next(in, &data, e)) > 0)
		is_encrypted = memmem(data, (size_t)n, encrypted, sizeof encrypted) != NULL;
	if (!is_encrypted && n < 0)
		return -1;
	if (is_encrypted)
		look_opaque(l, "encrypted");
	else
		look_opaque(l, "no reader for %s", text_printable(look_format(l)));
	return 0;
}

int extract_office(struct look *l, struct input *in, struct err *e)
{
	struct package p = { .look = l };
	struct err why = ERR_NONE;
	const void *head;
	size_t size;
	int rc = -1;

	if (input_head(in, &head, &size, e) < 0)
		return -1;
	if (size > 8 && !memcmp(head, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8))
		return refuse_compound(l, in, e);
	if (size < 4 || memcmp(head, "PK", 2) != 0)
		return extract_xml(l, in, e);
	/* A zip that can only be read in order: each part as it comes. */
	if (input_seekable(in, &why) < 0)
		return extract_archive(l, in, e);
	p.book = book_new(l);
	if (!p.book)
		return err_set(e, MUNI_NO_MEMORY, "no memory to read a workbook");
	if (walk(&p, in, read_first, e) < 0)
		goto out;
	if (p.is_encrypted) {
		look_opaque(l, "encrypted");
		rc = 0;
	} else if (walk(&p, in, read_part, e) == 0) {
		rc = book_unused_texts(p.book, e);
	}
out:
	book_free(p.book);
	return rc;
}
