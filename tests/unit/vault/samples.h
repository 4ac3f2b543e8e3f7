/*
 * Archives for the tests of fs/vault/foreign: made in memory, through
 * libarchive's writers or by hand where it has none.
 */
#ifndef TESTS_UNIT_VAULT_SAMPLES_H
#define TESTS_UNIT_VAULT_SAMPLES_H

#include <archive.h>
#include <archive_entry.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fs/base/bytes.h"

/* First in main(): build/unit/vault/test_x reads archives by build/muni-unpack. */
static inline void sample_begin(void)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 40);

	if (n < 0)
		return;
	path[n] = '\0';
	for (unsigned i = 0; i < 3 && strrchr(path, '/'); i++)
		*strrchr(path, '/') = '\0';
	strcat(path, "/muni-unpack");
	setenv("MUNIMENT_UNPACK", path, 0);
}

struct sample_file {
	const char *path;
	const void *data;
	size_t size;
};

/* An fd at its start that holds the bytes. */
static inline int sample_fd(const void *data, size_t size)
{
	int fd = memfd_create("sample", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, size), (ssize_t)size);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static inline la_ssize_t sample_collect(struct archive *a, void *arg, const void *data,
					size_t size)
{
	(void)a;
	buffer_append(arg, data, size);
	return (la_ssize_t)size;
}

/* format, filter: names that libarchive's writer knows; options may be NULL. */
static inline struct buffer sample_make(const char *format, const char *filter,
					const char *options, const struct sample_file *files,
					size_t count)
{
	struct buffer out = { .data = NULL };
	struct archive *a = archive_write_new();
	struct archive_entry *entry = archive_entry_new();

	assert_int_equal(archive_write_set_format_by_name(a, format), ARCHIVE_OK);
	if (filter)
		assert_true(archive_write_add_filter_by_name(a, filter) >= ARCHIVE_WARN);
	if (options)
		assert_int_equal(archive_write_set_options(a, options), ARCHIVE_OK);
	if (options && strstr(options, "encryption"))
		assert_int_equal(archive_write_set_passphrase(a, "secret"), ARCHIVE_OK);
	archive_write_set_bytes_in_last_block(a, 1);
	assert_int_equal(archive_write_open(a, &out, NULL, sample_collect, NULL), ARCHIVE_OK);
	for (size_t i = 0; i < count; i++) {
		archive_entry_clear(entry);
		archive_entry_set_pathname(entry, files[i].path);
		archive_entry_set_filetype(entry, AE_IFREG);
		archive_entry_set_perm(entry, 0640);
		archive_entry_set_size(entry, (la_int64_t)files[i].size);
		archive_entry_set_mtime(entry, 1000000000, 0);
		archive_entry_set_uid(entry, 1234);
		archive_entry_set_gid(entry, 567);
		assert_true(archive_write_header(a, entry) >= ARCHIVE_WARN);
		if (files[i].size)
			assert_int_equal(archive_write_data(a, files[i].data, files[i].size),
					 (la_ssize_t)files[i].size);
	}
	assert_int_equal(archive_write_close(a), ARCHIVE_OK);
	archive_entry_free(entry);
	archive_write_free(a);
	assert_false(out.failed);
	return out;
}

/* ---- tar blocks by hand ------------------------------------------------------- */

static inline void sample_tar_header(struct buffer *b, const char *name, char type,
				     uint64_t size)
{
	char block[512] = { 0 };
	unsigned sum = 0;

	snprintf(block, 100, "%s", name);
	snprintf(block + 100, 8, "%07o", 0644);
	snprintf(block + 108, 8, "%07o", 0);
	snprintf(block + 116, 8, "%07o", 0);
	snprintf(block + 124, 12, "%011llo", (unsigned long long)size);
	snprintf(block + 136, 12, "%011o", 0);
	memset(block + 148, ' ', 8);
	block[156] = type;
	memcpy(block + 257, "ustar\00000", 8);
	for (size_t i = 0; i < sizeof block; i++)
		sum += (uint8_t)block[i];
	snprintf(block + 148, 8, "%06o", sum);
	buffer_append(b, block, sizeof block);
}

static inline void sample_tar_data(struct buffer *b, const void *data, size_t size)
{
	static const char zeros[512];

	buffer_append(b, data, size);
	if (size % 512)
		buffer_append(b, zeros, 512 - size % 512);
}

static inline void sample_tar_end(struct buffer *b)
{
	static const char zeros[1024];

	buffer_append(b, zeros, sizeof zeros);
}

/* One record of an extended header. */
static inline void sample_pax_record(struct buffer *b, const char *key, const void *value,
				     size_t value_size)
{
	size_t rest = strlen(key) + value_size + 3, size = rest + 1;
	char head[16];

	while ((size_t)snprintf(head, sizeof head, "%zu", size) + rest != size)
		size++;
	buffer_append(b, head, strlen(head));
	buffer_u8(b, ' ');
	buffer_append(b, key, strlen(key));
	buffer_u8(b, '=');
	buffer_append(b, value, value_size);
	buffer_u8(b, '\n');
}

static inline void sample_pax_text(struct buffer *b, const char *key, const char *value)
{
	sample_pax_record(b, key, value, strlen(value));
}

static inline void sample_pax_header(struct buffer *b, struct buffer *records)
{
	sample_tar_header(b, "PaxHeaders/x", 'x', records->size);
	sample_tar_data(b, records->data, records->size);
	buffer_free(records);
}

/* ---- formats that libarchive only reads --------------------------------------- */

static inline uint16_t sample_crc16(const uint8_t *data, size_t size)
{
	uint16_t crc = 0;

	for (size_t i = 0; i < size; i++) {
		crc ^= data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (uint16_t)(crc & 1 ? crc >> 1 ^ 0xA001 : crc >> 1);
	}
	return crc;
}

/* LHA, header level 0, stored ("-lh0-"). */
static inline struct buffer sample_lha(const struct sample_file *files, size_t count)
{
	struct buffer out = { .data = NULL };

	for (size_t i = 0; i < count; i++) {
		struct buffer h = { .data = NULL };
		size_t name = strlen(files[i].path);
		uint8_t sum = 0;

		buffer_append(&h, "-lh0-", 5);
		buffer_u32(&h, (uint32_t)files[i].size);
		buffer_u32(&h, (uint32_t)files[i].size);
		buffer_u32(&h, 0x2a210000);
		buffer_u8(&h, 0x20);
		buffer_u8(&h, 0);
		buffer_u8(&h, (uint8_t)name);
		buffer_append(&h, files[i].path, name);
		buffer_u16(&h, sample_crc16(files[i].data, files[i].size));
		for (size_t k = 0; k < h.size; k++)
			sum = (uint8_t)(sum + h.data[k]);
		buffer_u8(&out, (uint8_t)h.size);
		buffer_u8(&out, sum);
		buffer_append(&out, h.data, h.size);
		buffer_append(&out, files[i].data, files[i].size);
		buffer_free(&h);
	}
	buffer_u8(&out, 0);
	return out;
}

/* CAB, one folder, stored, files below 32 KiB in all. */
static inline struct buffer sample_cab(const struct sample_file *files, size_t count)
{
	struct buffer out = { .data = NULL };
	size_t names = 0, total = 0, data_at;

	for (size_t i = 0; i < count; i++) {
		names += 16 + strlen(files[i].path) + 1;
		total += files[i].size;
	}
	data_at = 36 + 8 + names;
	buffer_append(&out, "MSCF", 4);
	buffer_u32(&out, 0);
	buffer_u32(&out, (uint32_t)(data_at + 8 + total));
	buffer_u32(&out, 0);
	buffer_u32(&out, 36 + 8);
	buffer_u32(&out, 0);
	buffer_u8(&out, 3);
	buffer_u8(&out, 1);
	buffer_u16(&out, 1);
	buffer_u16(&out, (uint16_t)count);
	buffer_u16(&out, 0);
	buffer_u16(&out, 77);
	buffer_u16(&out, 0);
	buffer_u32(&out, (uint32_t)data_at);
	buffer_u16(&out, 1);
	buffer_u16(&out, 0);
	total = 0;
	for (size_t i = 0; i < count; i++) {
		buffer_u32(&out, (uint32_t)files[i].size);
		buffer_u32(&out, (uint32_t)total);
		buffer_u16(&out, 0);
		buffer_u16(&out, 0x2a21);
		buffer_u16(&out, 0);
		buffer_u16(&out, 0x20);
		buffer_append(&out, files[i].path, strlen(files[i].path) + 1);
		total += files[i].size;
	}
	buffer_u32(&out, 0);
	buffer_u16(&out, (uint16_t)total);
	buffer_u16(&out, (uint16_t)total);
	for (size_t i = 0; i < count; i++)
		buffer_append(&out, files[i].data, files[i].size);
	return out;
}

#endif
