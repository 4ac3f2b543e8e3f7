#include "fs/vault/export_pax.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/text.h"
#include "fs/store/xattrs.h"

#define OCTAL_7 07777777u		/* what a field of 7 digits holds */
#define OCTAL_11 077777777777ull	/* ... of 11 */
#define ACL_ACCESS "system.posix_acl_access"
#define ACL_DEFAULT "system.posix_acl_default"

/* ---- numbers ---------------------------------------------------------------------- */

/* Three times and eight fields an entry: by printf they took a third of the writer's time. */
#define DECIMAL_MAX 20			/* digits of a uint64_t */

/* Without a NUL; how many digits. */
static size_t decimal(char out[DECIMAL_MAX], uint64_t n)
{
	char digits[DECIMAL_MAX];
	size_t first = sizeof digits;

	do {
		digits[--first] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	memcpy(out, digits + first, sizeof digits - first);
	return sizeof digits - first;
}

/* `digits` of them, and a NUL. */
static void put_octal(char *field, unsigned digits, uint64_t n)
{
	field[digits] = 0;
	while (digits-- > 0) {
		field[digits] = (char)('0' + (n & 7));
		n >>= 3;
	}
}

/* ---- records -------------------------------------------------------------------- */

/* "SIZE KEY=VALUE\n", SIZE of the whole, its own digits included. */
static void put_record(struct buffer *b, const char *key, const void *value, size_t size)
{
	size_t key_size = strlen(key), rest = key_size + size + 3, whole = rest + 1, digits;
	char head[DECIMAL_MAX];

	while ((digits = decimal(head, whole)) + rest != whole)
		whole++;
	buffer_append(b, head, digits);
	buffer_u8(b, ' ');
	buffer_append(b, key, key_size);
	buffer_u8(b, '=');
	buffer_append(b, value, size);
	buffer_u8(b, '\n');
}

static void put_text(struct buffer *b, const char *key, const char *value)
{
	put_record(b, key, value, strlen(value));
}

static void put_number(struct buffer *b, const char *key, uint64_t n)
{
	char text[DECIMAL_MAX];

	put_record(b, key, text, decimal(text, n));
}

/* The number itself: half a second before 1970 is "-0.5". */
static void put_time(struct buffer *b, const char *key, const struct stamp *t)
{
	bool is_negative = t->seconds < 0;
	uint64_t seconds = is_negative ? 0 - (uint64_t)t->seconds : (uint64_t)t->seconds;
	uint32_t ns = t->ns;
	char text[1 + DECIMAL_MAX + 1 + 9];
	size_t size = 0;

	if (is_negative && ns > 0) {
		seconds--;
		ns = 1000000000 - ns;
	}
	if (is_negative)
		text[size++] = '-';
	size += decimal(text + size, seconds);
	text[size++] = '.';
	for (uint32_t unit = 100000000; unit > 0; unit /= 10)
		text[size++] = (char)('0' + ns / unit % 10);
	while (text[size - 1] == '0')
		size--;
	if (text[size - 1] == '.')
		size--;
	put_record(b, key, text, size);
}

/* ---- attributes ------------------------------------------------------------------- */

/* The kernel's bytes as text with numbers; false: they make no sense. */
static bool acl_text(const struct xattr *x, struct buffer *out)
{
	struct reader r = reader_over(x->value, x->size);

	if (reader_u32(&r) != 2 || reader_left(&r) % 8 != 0)
		return false;
	while (reader_left(&r) > 0) {
		unsigned tag = reader_u16(&r), perm = reader_u16(&r);
		uint32_t id = reader_u32(&r);
		const char *who = tag == 1 || tag == 2 ? "user" : tag == 4 || tag == 8 ? "group"
				  : tag == 16 ? "mask" : tag == 32 ? "other" : NULL;
		char text[48];

		if (!who || perm > 7)
			return false;
		snprintf(text, sizeof text, "%s%s:", out->size ? "," : "", who);
		buffer_append(out, text, strlen(text));
		if (tag == 2 || tag == 8) {
			snprintf(text, sizeof text, "%u", id);
			buffer_append(out, text, strlen(text));
		}
		snprintf(text, sizeof text, ":%c%c%c", perm & 4 ? 'r' : '-',
			 perm & 2 ? 'w' : '-', perm & 1 ? 'x' : '-');
		buffer_append(out, text, strlen(text));
	}
	return out->size > 0;
}

/* A "=" in its name would end the key: libarchive's spelling, which encodes. */
static void put_encoded(struct buffer *b, const struct xattr *x)
{
	struct buffer key = { .data = NULL };
	char *value = text_base64(x->value, x->size);

	buffer_append(&key, "LIBARCHIVE.xattr.", strlen("LIBARCHIVE.xattr."));
	for (const char *p = x->name; *p; p++) {
		char escape[4];

		snprintf(escape, sizeof escape, "%%%02X", (uint8_t)*p);
		if (*p == '=' || *p == '%' || (uint8_t)*p < 0x21 || (uint8_t)*p > 0x7e)
			buffer_append(&key, escape, 3);
		else
			buffer_u8(&key, (uint8_t)*p);
	}
	buffer_u8(&key, 0);
	if (value && !key.failed)
		put_record(b, (const char *)key.data, value, strcspn(value, "="));
	else
		b->failed = true;
	free(value);
	buffer_free(&key);
}

static int put_xattr(void *arg, const struct xattr *x)
{
	struct buffer *b = arg, text = { .data = NULL };
	char key[300];
	bool is_access = !strcmp(x->name, ACL_ACCESS);

	if ((is_access || !strcmp(x->name, ACL_DEFAULT)) && acl_text(x, &text)) {
		put_record(b, is_access ? "SCHILY.acl.access" : "SCHILY.acl.default",
			   text.data, text.size);
	} else if (strchr(x->name, '=')) {
		put_encoded(b, x);
	} else {
		snprintf(key, sizeof key, "SCHILY.xattr.%s", x->name);
		put_record(b, key, x->value, x->size);
	}
	if (text.failed)
		b->failed = true;
	buffer_free(&text);
	return 0;
}

/* ---- headers ------------------------------------------------------------------------- */

static bool is_ascii(const char *text)
{
	for (; *text; text++)
		if ((uint8_t)*text >= 0x80)
			return false;
	return true;
}

static bool is_text(const char *text)
{
	return text_is_utf8(text, strlen(text));
}

/* Does the ustar field hold it as it is? */
static bool fits(const char *text, size_t field)
{
	return strlen(text) <= field && is_ascii(text);
}

static void put_block(struct buffer *b, const struct pax_entry *p, const char *name, char type,
		      uint64_t size)
{
	const struct node *n = &p->item->node;
	char block[PAX_BLOCK + 1] = { 0 };
	bool is_device = type == '3' || type == '4';
	uint64_t mtime = n->mtime.seconds < 0 ? 0 : (uint64_t)n->mtime.seconds;
	unsigned sum = 0;

	memcpy(block, name, strnlen(name, 100));
	put_octal(block + 100, 7, n->mode & 07777);
	put_octal(block + 108, 7, n->uid > OCTAL_7 ? 0 : n->uid);
	put_octal(block + 116, 7, n->gid > OCTAL_7 ? 0 : n->gid);
	put_octal(block + 124, 11, size > OCTAL_11 ? 0 : size);
	put_octal(block + 136, 11, mtime > OCTAL_11 ? OCTAL_11 : mtime);
	memset(block + 148, ' ', 8);
	block[156] = type;
	if (p->link && type != 'x')
		memcpy(block + 157, p->link, strnlen(p->link, 100));
	memcpy(block + 257, "ustar\00000", 8);
	if (fits(p->item->owner, 31))
		memcpy(block + 265, p->item->owner, strlen(p->item->owner));
	if (fits(p->item->group, 31))
		memcpy(block + 297, p->item->group, strlen(p->item->group));
	put_octal(block + 329, 7, is_device ? n->rdev_major & OCTAL_7 : 0);
	put_octal(block + 337, 7, is_device ? n->rdev_minor & OCTAL_7 : 0);
	for (size_t i = 0; i < PAX_BLOCK; i++)
		sum += (uint8_t)block[i];
	put_octal(block + 148, 6, sum);	/* then the blank that is left */
	buffer_append(b, block, PAX_BLOCK);
}

static void pad(struct buffer *b, uint64_t size)
{
	static const uint8_t zeros[PAX_BLOCK];

	if (size % PAX_BLOCK)
		buffer_append(b, zeros, PAX_BLOCK - size % PAX_BLOCK);
}

static void put_names(struct buffer *b, const struct pax_entry *p)
{
	const struct export_item *item = p->item;

	/* POSIX wants UTF-8 unless it is told otherwise. */
	if (!is_text(p->path) || (p->link && !is_text(p->link)) || !is_text(item->owner) ||
	    !is_text(item->group))
		put_text(b, "hdrcharset", "BINARY");
	if (p->is_sparse)
		put_text(b, "GNU.sparse.name", p->path);
	else if (!fits(p->path, 100))
		put_text(b, "path", p->path);
	if (p->link && !fits(p->link, 100))
		put_text(b, "linkpath", p->link);
	if (!fits(item->owner, 31))
		put_text(b, "uname", item->owner);
	if (!fits(item->group, 31))
		put_text(b, "gname", item->group);
}

static int put_records(struct buffer *b, const struct pax_entry *p, struct err *e)
{
	const struct node *n = &p->item->node;

	put_names(b, p);
	if (p->is_sparse) {
		put_number(b, "GNU.sparse.major", 1);
		put_number(b, "GNU.sparse.minor", 0);
		put_number(b, "GNU.sparse.realsize", n->size);
	}
	if (p->stored > OCTAL_11)
		put_number(b, "size", p->stored);
	if (n->uid > OCTAL_7)
		put_number(b, "uid", n->uid);
	if (n->gid > OCTAL_7)
		put_number(b, "gid", n->gid);
	if (n->rdev_major > OCTAL_7)
		put_number(b, "SCHILY.devmajor", n->rdev_major);
	if (n->rdev_minor > OCTAL_7)
		put_number(b, "SCHILY.devminor", n->rdev_minor);
	put_time(b, "mtime", &n->mtime);
	put_time(b, "atime", &n->atime);
	put_time(b, "ctime", &n->ctime);
	if (n->has_btime)
		put_time(b, "LIBARCHIVE.creationtime", &n->btime);
	/* Another name of what stands before has its attributes already. */
	if (p->item->xattrs && p->type != '1' &&
	    xattrs_each(p->item->xattrs, p->item->xattrs_size, put_xattr, b, e) < 0)
		return -1;
	return 0;
}

/* "PaxHeaders/NAME": only ever seen by a tar that does not know the format. */
static void header_name(const struct pax_entry *p, char out[101])
{
	static const char folder[] = "PaxHeaders/";
	size_t size = sizeof folder - 1, name = strnlen(p->item->name, 80);

	memcpy(out, folder, size);
	for (size_t i = 0; i < name; i++) {
		uint8_t c = (uint8_t)p->item->name[i];

		out[size++] = c < 0x20 || c >= 0x7f ? '_' : (char)c;
	}
	out[size] = 0;
}

int pax_put_header(struct buffer *b, const struct pax_entry *p, struct err *e)
{
	struct buffer records = { .data = NULL };
	char name[128];
	int rc = -1;

	if (put_records(&records, p, e) < 0)
		goto out;
	if (records.failed) {
		err_set(e, MUNI_NO_MEMORY, "no memory for a header");
		goto out;
	}
	header_name(p, name);
	put_block(b, p, name, 'x', records.size);
	buffer_append(b, records.data, records.size);
	pad(b, records.size);
	if (p->is_sparse)
		snprintf(name, sizeof name, "GNUSparseFile.0/%.80s", p->item->name);
	put_block(b, p, p->is_sparse ? name : p->path, p->type, p->stored);
	rc = b->failed ? err_set(e, MUNI_NO_MEMORY, "no memory for a header") : 0;
out:
	buffer_free(&records);
	return rc;
}

void pax_put_map(struct buffer *b, const struct export_hole_map *map, uint64_t size)
{
	size_t before = b->size;
	bool ends_in_hole = map->count == 0 ||
		map->runs[map->count - 1].offset + map->runs[map->count - 1].size < size;
	char text[64];

	snprintf(text, sizeof text, "%zu\n", map->count + ends_in_hole);
	buffer_append(b, text, strlen(text));
	for (size_t i = 0; i < map->count; i++) {
		snprintf(text, sizeof text, "%llu\n%llu\n",
			 (unsigned long long)map->runs[i].offset,
			 (unsigned long long)map->runs[i].size);
		buffer_append(b, text, strlen(text));
	}
	if (ends_in_hole) {
		snprintf(text, sizeof text, "%llu\n0\n", (unsigned long long)size);
		buffer_append(b, text, strlen(text));
	}
	pad(b, b->size - before);
}
