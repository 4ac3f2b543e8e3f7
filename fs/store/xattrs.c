#include "fs/store/xattrs.h"

#include <stdlib.h>
#include <string.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/base/text.h"

#define NAME_MAX_BYTES 255
#define VALUE_MAX_BYTES (64u * 1024)
#define SET_MAX_BYTES (16u * 1024 * 1024)

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct xattr *)a)->name, ((const struct xattr *)b)->name);
}

static int check_one(const struct xattr *x, const struct xattr *before, struct err *e)
{
	size_t size = strlen(x->name);

	if (size < 1 || size > NAME_MAX_BYTES)
		return err_set(e, MUNI_LIMIT, "an extended attribute's name of %zu bytes cannot "
			       "be kept; 1 to %d can", size, NAME_MAX_BYTES);
	if (x->size > VALUE_MAX_BYTES)
		return err_set(e, MUNI_LIMIT, "extended attribute \"%s\" has %u bytes; up to %u "
			       "can be kept", text_printable(x->name), x->size, VALUE_MAX_BYTES);
	if (before && strcmp(before->name, x->name) == 0)
		return err_set(e, MUNI_EXISTS, "extended attribute \"%s\" is given twice",
			       text_printable(x->name));
	return 0;
}

int xattrs_pack(struct xattr *list, size_t count, uint8_t **out, size_t *size,
		struct err *e)
{
	struct buffer b = { 0 };

	*out = NULL;
	*size = 0;
	if (count > 0)
		qsort(list, count, sizeof *list, compare_names);
	buffer_varint(&b, count);
	for (size_t i = 0; i < count; i++) {
		size_t name_size = strlen(list[i].name);

		if (check_one(&list[i], i ? &list[i - 1] : NULL, e) < 0)
			goto fail;
		buffer_varint(&b, name_size);
		buffer_append(&b, list[i].name, name_size + 1);
		buffer_varint(&b, list[i].size);
		buffer_append(&b, list[i].value, list[i].size);
		if (b.size > SET_MAX_BYTES) {
			err_set(e, MUNI_LIMIT, "the extended attributes have more than 16 MiB "
				"together; no more can be kept");
			goto fail;
		}
	}
	if (b.failed) {
		err_set(e, MUNI_NO_MEMORY, "packing extended attributes: no memory");
		goto fail;
	}
	*out = b.data;
	*size = b.size;
	return 0;
fail:
	buffer_free(&b);
	return -1;
}

static int damaged(struct err *e)
{
	return err_set(e, MUNI_DAMAGED, "a set of extended attributes in the catalogue does not "
		       "read; run `muni verify`");
}

/* Strict: names ascend, nothing follows; so equal sets are equal bytes. */
static bool parse_one(struct reader *r, const char *before, struct xattr *x)
{
	uint64_t name_size = reader_varint(r);

	if (name_size < 1 || name_size > NAME_MAX_BYTES)
		return false;
	const uint8_t *name = reader_view(r, (size_t)name_size + 1);
	uint64_t size = reader_varint(r);
	if (r->underflow || size > VALUE_MAX_BYTES ||
	    memchr(name, 0, (size_t)name_size + 1) != name + name_size)
		return false;
	*x = (struct xattr){ .name = (const char *)name, .size = (uint32_t)size };
	x->value = reader_view(r, (size_t)size);
	return !r->underflow && (!before || strcmp(before, x->name) < 0);
}

int xattrs_each(const void *blob, size_t size,
		int (*row)(void *arg, const struct xattr *x), void *arg, struct err *e)
{
	struct reader r = reader_over(blob, size);
	uint64_t count = reader_varint(&r);
	const char *before = NULL;

	if (r.underflow)
		return damaged(e);
	for (uint64_t i = 0; i < count; i++) {
		struct xattr x;

		if (!parse_one(&r, before, &x))
			return damaged(e);
		int answer = row(arg, &x);
		if (answer != 0)
			return answer > 0 ? 0 : -1;
		before = x.name;
	}
	return reader_left(&r) ? damaged(e) : 0;
}

struct wanted {
	const char *name;
	struct xattr *out;
	bool is_found;
};

static int match(void *arg, const struct xattr *x)
{
	struct wanted *w = arg;

	if (strcmp(w->name, x->name) != 0)
		return 0;
	*w->out = *x;
	w->is_found = true;
	return 1;
}

int xattrs_find(const void *blob, size_t size, const char *name, struct xattr *out,
		struct err *e)
{
	struct wanted w = { .name = name, .out = out };

	if (xattrs_each(blob, size, match, &w, e) < 0)
		return -1;
	if (!w.is_found)
		return err_set(e, MUNI_NOT_FOUND, "there is no extended attribute \"%s\"",
			       text_printable(name));
	return 0;
}
