/*
 * What a zip is, by the names of its members wherever they stand among the others,
 * and by the member "mimetype" of OpenDocument and EPUB.
 */
#include <string.h>

#include "fs/base/bytes.h"
#include "fs/content/format_inside.h"

#define LOCAL "PK\3\4"
#define LOCAL_SIZE 30
#define CENTRAL "PK\1\2"
#define CENTRAL_SIZE 46

/* Seen among the members. */
enum {
	HAS_CONTENT_TYPES = 1 << 0, HAS_WORD = 1 << 1, HAS_XL = 1 << 2, HAS_PPT = 1 << 3,
	HAS_VISIO = 1 << 4, HAS_VBA = 1 << 5, HAS_MANIFEST = 1 << 6, HAS_ANDROID = 1 << 7,
	HAS_KML = 1 << 8, HAS_XPS = 1 << 9, HAS_XLSB = 1 << 10, HAS_CLASS = 1 << 11,
	HAS_KEYNOTE = 1 << 12, HAS_NUMBERS = 1 << 13, HAS_IWORK = 1 << 14, HAS_EPUB = 1 << 15,
	HAS_ODF_MANIFEST = 1 << 16, HAS_ODF_CONTENT = 1 << 17, HAS_OOXML_PART = 1 << 18,
	HAS_3D = 1 << 19,
};

static const struct {
	const char *name;
	bool is_start;		/* of the name; else all of it */
	unsigned seen;
} members[] = {
	{ "[Content_Types].xml", false, HAS_CONTENT_TYPES },
	{ "_rels/.rels", false, HAS_OOXML_PART },
	{ "docProps/", true, HAS_OOXML_PART },
	{ "word/vbaProject.bin", false, HAS_WORD | HAS_VBA },
	{ "xl/vbaProject.bin", false, HAS_XL | HAS_VBA },
	{ "ppt/vbaProject.bin", false, HAS_PPT | HAS_VBA },
	{ "xl/workbook.bin", false, HAS_XL | HAS_XLSB },
	{ "word/", true, HAS_WORD },
	{ "xl/", true, HAS_XL },
	{ "ppt/", true, HAS_PPT },
	{ "visio/", true, HAS_VISIO },
	{ "AndroidManifest.xml", false, HAS_ANDROID },
	{ "META-INF/MANIFEST.MF", false, HAS_MANIFEST },
	{ "META-INF/manifest.xml", false, HAS_ODF_MANIFEST },
	{ "content.xml", false, HAS_ODF_CONTENT },
	{ "META-INF/container.xml", false, HAS_EPUB },
	{ "doc.kml", false, HAS_KML },
	{ "FixedDocSeq.fdseq", false, HAS_XPS },
	{ "FixedDocumentSequence.fdseq", false, HAS_XPS },
	{ "3D/3dmodel.model", false, HAS_3D },
	{ "Index/Slide", true, HAS_KEYNOTE },
	{ "Index/CalculationEngine", true, HAS_NUMBERS },
	{ "Index/Document.iwa", false, HAS_IWORK },
};

static unsigned name_member(const char *name, size_t size)
{
	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
		size_t length = strlen(members[i].name);

		if ((members[i].is_start ? size >= length : size == length) &&
		    memcmp(name, members[i].name, length) == 0)
			return members[i].seen;
	}
	if (size > 6 && memcmp(name + size - 6, ".class", 6) == 0)
		return HAS_CLASS;
	return 0;
}

/* The content of the member "mimetype", stored first and not packed. */
static const char *by_mimetype(const struct format_head *h)
{
	static const char *const known[] = {
		"application/vnd.oasis.opendocument.text",
		"application/vnd.oasis.opendocument.text-template",
		"application/vnd.oasis.opendocument.text-master",
		"application/vnd.oasis.opendocument.text-web",
		"application/vnd.oasis.opendocument.spreadsheet",
		"application/vnd.oasis.opendocument.spreadsheet-template",
		"application/vnd.oasis.opendocument.presentation",
		"application/vnd.oasis.opendocument.presentation-template",
		"application/vnd.oasis.opendocument.graphics",
		"application/vnd.oasis.opendocument.graphics-template",
		"application/vnd.oasis.opendocument.chart",
		"application/vnd.oasis.opendocument.formula",
		"application/vnd.oasis.opendocument.image",
		"application/vnd.oasis.opendocument.database",
		"application/vnd.oasis.opendocument.base",
		"application/vnd.sun.xml.writer",
		"application/vnd.sun.xml.calc",
		"application/vnd.sun.xml.impress",
		"application/vnd.sun.xml.draw",
		"application/vnd.sun.xml.math",
		"application/epub+zip",
		"image/openraster",
		"application/x-krita",
	};
	struct reader r = reader_over(h->data, h->size);
	uint16_t method, name_size, extra_size;
	uint32_t size;
	const uint8_t *value;

	reader_view(&r, 8);
	method = reader_u16(&r);
	reader_view(&r, 12);
	size = reader_u32(&r);
	name_size = reader_u16(&r);
	extra_size = reader_u16(&r);
	value = reader_view(&r, name_size);
	if (value == NULL || name_size != 8 || memcmp(value, "mimetype", 8) != 0 || method != 0)
		return NULL;
	reader_view(&r, extra_size);
	if (size == 0 || size > 100)	/* its size stands behind it: to the next header */
		size = (uint32_t)(reader_left(&r) < 100 ? reader_left(&r) : 100);
	value = reader_view(&r, size);
	if (value == NULL)
		return NULL;
	for (size_t i = sizeof known / sizeof known[0]; i-- > 0;) {
		size_t length = strlen(known[i]);
		/* Without its size, what follows is the next header. */
		if (size >= length && memcmp(value, known[i], length) == 0 &&
		    (size == length || value[length] < 0x21 || value[length] == 'P'))
			return known[i];
	}
	return NULL;
}

/* Every header in what we have: members may be packed in any order, and their sizes
 * need not stand in front of them. */
static unsigned survey(const struct format_head *h)
{
	const uint8_t *p = h->data, *end = p + h->size;
	unsigned seen = 0;

	while ((p = memmem(p, (size_t)(end - p), "PK", 2)) != NULL) {
		size_t left = (size_t)(end - p), head;
		struct reader r = reader_over(p, left);
		uint16_t name_size;
		const uint8_t *name;

		p += 2;
		if (left > LOCAL_SIZE && memcmp(p - 2, LOCAL, 4) == 0)
			head = LOCAL_SIZE;
		else if (left > CENTRAL_SIZE && memcmp(p - 2, CENTRAL, 4) == 0)
			head = CENTRAL_SIZE;
		else
			continue;
		reader_view(&r, head == LOCAL_SIZE ? 26 : 28);
		name_size = reader_u16(&r);
		reader_view(&r, head - (head == LOCAL_SIZE ? 28 : 30));
		name = reader_view(&r, name_size);
		if (name != NULL)
			seen |= name_member((const char *)name, name_size);
	}
	return seen;
}

const char *format_of_zip(const struct format_head *h)
{
#define OOXML "application/vnd.openxmlformats-officedocument."
	const char *named;
	unsigned seen;

	if (h->size < 22 || (memcmp(h->data, LOCAL, 4) != 0 && memcmp(h->data, "PK\5\6", 4) != 0 &&
			     memcmp(h->data, "PK\7\b", 4) != 0 &&
			     memcmp(h->data, "PK00PK\3\4", 8) != 0))
		return NULL;
	named = by_mimetype(h);
	if (named != NULL)
		return named;
	seen = survey(h);
	if (seen & (HAS_CONTENT_TYPES | HAS_OOXML_PART)) {
		if (seen & HAS_WORD)
			return seen & HAS_VBA ? "application/vnd.ms-word.document.macroenabled.12" :
				OOXML "wordprocessingml.document";
		if (seen & HAS_XLSB)
			return "application/vnd.ms-excel.sheet.binary.macroenabled.12";
		if (seen & HAS_XL)
			return seen & HAS_VBA ? "application/vnd.ms-excel.sheet.macroenabled.12" :
				OOXML "spreadsheetml.sheet";
		if (seen & HAS_PPT)
			return seen & HAS_VBA ?
				"application/vnd.ms-powerpoint.presentation.macroenabled.12" :
				OOXML "presentationml.presentation";
		if (seen & HAS_VISIO)
			return "application/vnd.ms-visio.drawing.main+xml";
		if (seen & HAS_XPS)
			return "application/vnd.ms-xpsdocument";
		if (seen & HAS_3D)
			return "model/3mf";
	}
	if (seen & HAS_ANDROID)
		return "application/vnd.android.package-archive";
	if (seen & HAS_MANIFEST)
		return "application/java-archive";
	if (seen & HAS_KML)
		return "application/vnd.google-earth.kmz";
	if (seen & HAS_EPUB)
		return "application/epub+zip";
	if (seen & HAS_IWORK)
		return seen & HAS_KEYNOTE ? "application/vnd.apple.keynote" :
		       seen & HAS_NUMBERS ? "application/vnd.apple.numbers" :
					    "application/vnd.apple.pages";
	return "application/zip";
}
