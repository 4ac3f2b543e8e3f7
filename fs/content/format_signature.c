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
	AT(0, "!BDN", "application/vnd.ms-outlook-pst"),
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
	AT(0, "8BPS", "image/vnd.adobe.photoshop"),
	AT(0, "LZIP", "application/lzip"),
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

const char *format_of_rare_signature(const struct format_head *h)
{
	return look_up(rare, sizeof rare / sizeof rare[0], h);
}
