/*
 * Signatures at fixed places.  The first table is of the commonest formats, where
 * libmagic would say the same and take a hundred times as long; the second of
 * formats that libmagic 5.44 has no MIME type for.
 */
#include <string.h>

#include "fs/content/format_inside.h"

struct signature {
	unsigned offset;
	const char *bytes;
	size_t size;
	const char *format;
};
#define AT(offset, bytes, format) { offset, bytes, sizeof bytes - 1, format }

static const struct signature common[] = {
	AT(0, "\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image/png"),
	AT(0, "\xff\xd8\xff\xe0\0\x10JFIF\0", "image/jpeg"),
	AT(0, "GIF87a", "image/gif"),
	AT(0, "GIF89a", "image/gif"),
	AT(0, "SQLite format 3\0", "application/vnd.sqlite3"),
	AT(0, "\x1f\x8b\x08", "application/gzip"),
	AT(0, "BZh91AY&SY", "application/x-bzip2"),
	AT(0, "\xfd" "7zXZ\0", "application/x-xz"),
	AT(0, "\x28\xb5\x2f\xfd", "application/zstd"),
	AT(0, "7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
	AT(0, "wOF2", "font/woff2"),
	AT(0, "wOFF", "font/woff"),
};

static const struct signature rare[] = {
	AT(0, "PAR1", "application/vnd.apache.parquet"),
	AT(0, "PARE", "application/vnd.apache.parquet"),
	AT(0, "Obj\x01", "application/vnd.apache.avro"),
	AT(0, "ORC", "application/vnd.apache.orc"),
	AT(0, "ARROW1\0\0", "application/vnd.apache.arrow.file"),
	AT(0, "\0\x01\0\0Standard Jet DB", "application/x-msaccess"),
	AT(0, "\0\x01\0\0Standard ACE DB", "application/x-msaccess"),
	AT(0, "PGDMP", "application/x-postgresql-dump"),
	AT(0, "<<< Oracle VM VirtualBox Disk Image >>>", "application/x-virtualbox-vdi"),
	AT(0, "vhdxfile", "application/x-vhdx"),
	AT(0, "conectix", "application/x-vhd"),
	AT(0, "KDMV", "application/x-vmdk"),
	AT(0, "QFI\xfb", "application/x-qemu-disk"),
	AT(0, "MSWIM\0\0\0", "application/x-ms-wim"),
	AT(0, "\x89HDF\r\n\x1a\n", "application/x-hdf5"),
	AT(0, "$FL2@(#)", "application/x-spss-sav"),
	AT(0, "$FL3@(#)", "application/x-spss-sav"),
	AT(0, "<stata_dta>", "application/x-stata-dta"),
	AT(84, "SAS FILE", "application/x-sas-data"),
	AT(0, "bplist00", "application/x-bplist"),
	AT(0, "\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3",
	   "application/onenote"),
	AT(0, "\x03\xd9\xa2\x9a\x67\xfb\x4b\xb5", "application/x-keepass2"),
	AT(28, "\xe8\x03\0\0", "application/vnd.shp"),
};

static const char *look_up(const struct signature *table, size_t count,
			   const struct format_head *h)
{
	for (size_t i = 0; i < count; i++)
		if (h->size >= table[i].offset + table[i].size &&
		    memcmp(h->data + table[i].offset, table[i].bytes, table[i].size) == 0)
			return table[i].format;
	return NULL;
}

const char *format_of_signature(const struct format_head *h)
{
	return look_up(common, sizeof common / sizeof common[0], h);
}

/* DER: a sequence of more than 255 bytes, and what it begins with. */
static const char *of_der(const struct format_head *h)
{
	static const struct {
		const char *bytes;
		size_t size;
		const char *format;
	} inside[] = {
		{ "\x02\x01\x03\x30", 4, "application/x-pkcs12" },
		{ "\x02\x01\x00\x30", 4, "application/pkcs8" },
		{ "\x02\x01\x00\x02\x82", 5, "application/pkcs8" },	/* RSA's own form */
		{ "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07", 10, "application/pkcs7-mime" },
		{ "\x30\x82", 2, "application/pkix-cert" },
	};

	if (h->size < 16 || h->data[0] != 0x30 || h->data[1] != 0x82)
		return NULL;
	for (size_t i = 0; i < sizeof inside / sizeof inside[0]; i++)
		if (memcmp(h->data + 4, inside[i].bytes, inside[i].size) == 0)
			return inside[i].format;
	return NULL;
}

const char *format_of_rare_signature(const struct format_head *h)
{
	const char *found = look_up(rare, sizeof rare / sizeof rare[0], h);

	/* Two small numbers alone are no map. */
	if (found != NULL && strcmp(found, "application/vnd.shp") == 0 &&
	    memcmp(h->data, "\0\0\x27\x0a", 4) != 0)
		found = NULL;
	return found != NULL ? found : of_der(h);
}
