/*
 * What a compound file (OLE2, [MS-CFB]) is, by the names in its directory.
 */
#include <string.h>

#include "fs/base/bytes.h"
#include "fs/content/format_inside.h"

#define ENTRY_SIZE 128
#define SECTORS_MAX 512		/* of the directory, followed */
#define NO_SECTOR 0xfffffffau	/* and above: no sector */

/* In order: what says more stands first. */
static const struct {
	const char *name, *format;
} streams[] = {
	{ "EncryptedPackage", "application/encrypted" },
	{ "WordDocument", "application/msword" },
	{ "Workbook", "application/vnd.ms-excel" },
	{ "Book", "application/vnd.ms-excel" },
	{ "PowerPoint Document", "application/vnd.ms-powerpoint" },
	{ "PP40", "application/vnd.ms-powerpoint" },
	{ "__properties_version1.0", "application/vnd.ms-outlook" },
	{ "VisioDocument", "application/vnd.visio" },
	{ "Quill", "application/vnd.ms-publisher" },
	{ "HwpSummaryInformation", "application/x-hwp" },
	{ "StarWriterDocument", "application/vnd.stardivision.writer" },
	{ "StarCalcDocument", "application/vnd.stardivision.calc" },
	{ "MatOST", "application/vnd.ms-works" },
	{ "WksSSWorkBook", "application/vnd.ms-works" },
	{ "NativeContent_MAIN", "application/vnd.corel-quattro-pro" },
	{ "PerfectOffice_MAIN", "application/vnd.wordperfect" },
	{ "Catalog", "application/x-ms-thumbs" },
};

struct compound {
	const struct format_head *head;
	unsigned shift;		/* of a sector's size */
	uint32_t fat[109];	/* the sectors of the table, as far as the head lists them */
};

static bool read_sector(const struct compound *c, uint32_t number, uint32_t offset, void *out,
			size_t size)
{
	uint64_t at = ((uint64_t)number + 1) << c->shift;

	return number < NO_SECTOR && format_read(c->head, at + offset, out, size);
}

static uint32_t sector_after(const struct compound *c, uint32_t number)
{
	uint32_t each = (1u << c->shift) / 4;
	uint8_t raw[4];
	struct reader r;

	if (number / each >= 109 ||
	    !read_sector(c, c->fat[number / each], (number % each) * 4, raw, sizeof raw))
		return NO_SECTOR;
	r = reader_over(raw, sizeof raw);
	return reader_u32(&r);
}

/* Names are UTF-16; the ones we know are ASCII, some behind a control character. */
static bool is_named(const uint8_t *entry, const char *name)
{
	size_t length = (size_t)entry[64] / 2, at = 0, want = strlen(name);

	if (entry[65] != 0 || length < 2)
		return false;
	length--;			/* its NUL */
	if (length > 0 && entry[0] < 0x20 && entry[1] == 0)
		at = 1;
	if (length - at != want)
		return false;
	for (size_t i = 0; i < want; i++)
		if (entry[2 * (at + i)] != (uint8_t)name[i] || entry[2 * (at + i) + 1] != 0)
			return false;
	return true;
}

/* Installer packages pack two characters of a name into one from U+3800 on. */
static bool is_installer_name(const uint8_t *entry)
{
	return entry[0] == 0x40 && entry[1] == 0x48;	/* U+4840: a table */
}

const char *format_of_ole(const struct format_head *h)
{
	struct compound c = { .head = h };
	struct reader r = reader_over(h->data, h->size);
	const char *found = NULL;
	size_t rank = sizeof streams / sizeof streams[0];
	bool is_installer = false, is_project = false;
	uint32_t at;

	if (h->size < 512 || memcmp(h->data, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8) != 0)
		return NULL;
	reader_view(&r, 30);
	c.shift = reader_u16(&r);
	if (c.shift < 7 || c.shift > 16)
		return NULL;
	reader_view(&r, 16);
	at = reader_u32(&r);
	reader_view(&r, 76 - 52);
	for (unsigned i = 0; i < 109; i++)
		c.fat[i] = reader_u32(&r);
	for (unsigned n = 0; n < SECTORS_MAX && at < NO_SECTOR; n++, at = sector_after(&c, at)) {
		for (uint32_t i = 0; i + ENTRY_SIZE <= 1u << c.shift; i += ENTRY_SIZE) {
			uint8_t entry[ENTRY_SIZE];

			if (!read_sector(&c, at, i, entry, sizeof entry))
				break;
			for (size_t k = 0; k < rank; k++)
				if (is_named(entry, streams[k].name)) {
					rank = k;
					found = streams[k].format;
				}
			is_installer = is_installer || is_installer_name(entry);
			is_project = is_project || is_named(entry, "Props9") ||
				     is_named(entry, "Props12") || is_named(entry, "Props14") ||
				     is_named(entry, "   114");
		}
	}
	return found != NULL ? found : is_installer ? "application/x-msi" :
	       is_project ? "application/vnd.ms-project" : NULL;
}
