/*
 * What a zip is, by the names of its members wherever they stand among the others,
 * and by the member "mimetype" of OpenDocument and EPUB.
 */
#include <stdlib.h>
#include <string.h>

#include "fs/base/bytes.h"
#include "fs/content/format_inside.h"
#include "fs/content/input.h"

#define LOCAL "PK\3\4"
#define LOCAL_SIZE 30
#define CENTRAL "PK\1\2"
#define CENTRAL_SIZE 46
#define TAIL_SIZE (256u << 10)	/* for the list of members at the end */

/* Seen among the members. */
enum {
	HAS_CONTENT_TYPES = 1 << 0, HAS_WORD = 1 << 1, HAS_XL = 1 << 2, HAS_PPT = 1 << 3,
	HAS_VISIO = 1 << 4, HAS_VBA = 1 << 5, HAS_MANIFEST = 1 << 6, HAS_ANDROID = 1 << 7,
	HAS_KML = 1 << 8, HAS_XPS = 1 << 9, HAS_XLSB = 1 << 10, HAS_CLASS = 1 << 11,
	HAS_KEYNOTE = 1 << 12, HAS_NUMBERS = 1 << 13, HAS_IWORK = 1 << 14, HAS_EPUB = 1 << 15,
	HAS_OOXML_PART = 1 << 16, HAS_3D = 1 << 17,
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

/* The content of the member "mimetype", whose header this is: stored, not packed. */
static const char *by_mimetype(const uint8_t *header, size_t left)
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
	struct reader r = reader_over(header, left);
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

struct seen {
	unsigned members;
	const char *mimetype;	/* what the member of that name says */
};

/* Every header in these bytes: members may be packed in any order, and their sizes
 * need not stand in front of them. */
static void survey(const uint8_t *data, size_t size, struct seen *seen)
{
	const uint8_t *p = data, *end = p + size;

	while ((p = memmem(p, (size_t)(end - p), "PK", 2)) != NULL) {
		size_t left = (size_t)(end - p), head;
		struct reader r = reader_over(p, left);
		const uint8_t *name, *header = p;
		uint16_t name_size;

		p += 2;
		if (left > LOCAL_SIZE && memcmp(header, LOCAL, 4) == 0)
			head = LOCAL_SIZE;
		else if (left > CENTRAL_SIZE && memcmp(header, CENTRAL, 4) == 0)
			head = CENTRAL_SIZE;
		else
			continue;
		reader_view(&r, head == LOCAL_SIZE ? 26 : 28);
		name_size = reader_u16(&r);
		reader_view(&r, head - (head == LOCAL_SIZE ? 28 : 30));
		name = reader_view(&r, name_size);
		if (name == NULL)
			continue;
		seen->members |= name_member((const char *)name, name_size);
		if (head == LOCAL_SIZE && seen->mimetype == NULL)
			seen->mimetype = by_mimetype(header, left);
	}
}

/* The list of members stands at the end. */
static void survey_end(const struct format_head *h, struct seen *seen)
{
	uint8_t *tail = NULL;
	uint64_t size;

	if (h->in == NULL || !input_size(h->in, &size) || size <= h->size)
		return;
	tail = malloc(TAIL_SIZE);
	if (tail == NULL)
		*h->no_memory = true;
	if (tail != NULL && format_read(h, size > TAIL_SIZE ? size - TAIL_SIZE : 0, tail,
					size > TAIL_SIZE ? TAIL_SIZE : (size_t)size))
		survey(tail, size > TAIL_SIZE ? TAIL_SIZE : (size_t)size, seen);
	free(tail);
}

static const char *by_members(unsigned seen)
{
#define OOXML "application/vnd.openxmlformats-officedocument."
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

const char *format_of_zip(const struct format_head *h)
{
	struct seen seen = { .members = 0 };
	const char *format;

	if (h->size < 22 || (memcmp(h->data, LOCAL, 4) != 0 && memcmp(h->data, "PK\5\6", 4) != 0 &&
			     memcmp(h->data, "PK\7\b", 4) != 0 &&
			     memcmp(h->data, "PK00PK\3\4", 8) != 0))
		return NULL;
	survey(h->data, h->size, &seen);
	if (seen.mimetype != NULL)
		return seen.mimetype;
	format = by_members(seen.members);
	/* What tells may stand behind what is large. */
	if (!h->is_all && strcmp(format, "application/zip") == 0) {
		survey_end(h, &seen);
		format = by_members(seen.members);
	}
	return format;
}
