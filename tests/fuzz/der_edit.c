#include "tests/fuzz/der_edit.h"

#include <string.h>

#include "fs/base/bytes.h"
#include "tests/fuzz/fuzz.h"

#define ELEMENTS_MAX 512
#define DEPTH_MAX 24
#define CHANGES_MAX 32
#define OCTET_STRING 0x04
#define CONSTRUCTED 0x20
#define HEAD_MAX 6		/* tag, and a length of five bytes */

struct element {
	size_t at, content, end;	/* offsets */
	int in;				/* the element that it stands in; -1: none */
};

struct elements {
	struct element list[ELEMENTS_MAX];
	int count;
};

/* One with a tag of one byte and a definite length. */
static bool head_at(const struct der *d, size_t at, size_t end, struct element *out)
{
	size_t size = 0, more;

	if (end - at < 2)
		return false;
	out->at = at;
	out->content = at + 2;
	if (d->bytes[at + 1] < 0x80) {
		size = d->bytes[at + 1];
	} else {
		more = d->bytes[at + 1] & 0x7f;
		if (more == 0 || more > 4 || end - out->content < more)
			return false;
		for (; more > 0; more--)
			size = size << 8 | d->bytes[out->content++];
	}
	if (size > end - out->content)
		return false;
	out->end = out->content + size;
	return true;
}

static bool is_whole(const struct der *d, size_t at, size_t end)
{
	struct element one;

	while (at < end && head_at(d, at, end, &one))
		at = one.end;
	return at == end;
}

static void gather(const struct der *d, size_t at, size_t end, int in, int depth,
		   struct elements *out)
{
	struct element one;

	while (at < end && out->count < ELEMENTS_MAX && head_at(d, at, end, &one)) {
		const int number = out->count++;
		const uint8_t tag = d->bytes[at];

		one.in = in;
		out->list[number] = one;
		if (depth < DEPTH_MAX && one.end > one.content &&
		    ((tag & CONSTRUCTED) != 0 ||
		     (tag == OCTET_STRING && is_whole(d, one.content, one.end))))
			gather(d, one.content, one.end, number, depth + 1, out);
		at = one.end;
	}
}

/* `size` bytes in place of those from `at` to `end`. */
static bool splice(struct der *d, size_t at, size_t end, const uint8_t *bytes, size_t size)
{
	uint8_t copy[DER_MAX];		/* they may be of d itself */

	if (size > DER_MAX - (d->size - (end - at)))
		return false;
	if (size > 0)
		memcpy(copy, bytes, size);
	memmove(d->bytes + at + size, d->bytes + end, d->size - end);
	if (size > 0)
		memcpy(d->bytes + at, copy, size);
	d->size = d->size - (end - at) + size;
	return true;
}

static size_t put_head(uint8_t *out, uint8_t tag, size_t content)
{
	size_t n = 0;

	out[n++] = tag;
	if (content >= 0x100)
		out[n++] = 0x82, out[n++] = (uint8_t)(content >> 8);
	else if (content >= 0x80)
		out[n++] = 0x81;
	out[n++] = (uint8_t)content;
	return n;
}

/* What `from` and those around it hold has grown by `by` bytes: their heads say it. */
static void fit(struct der *d, const struct elements *all, int from, ptrdiff_t by)
{
	for (int i = from; i >= 0; i = all->list[i].in) {
		const struct element *one = &all->list[i];
		const size_t content = (size_t)((ptrdiff_t)(one->end - one->content) + by);
		uint8_t head[HEAD_MAX];
		size_t n = put_head(head, d->bytes[one->at], content);

		if (!splice(d, one->at, one->content, head, n))
			return;
		by += (ptrdiff_t)n - (ptrdiff_t)(one->content - one->at);
	}
}

static void replace(struct der *d, const struct elements *all, int in, size_t at, size_t end,
		    const uint8_t *bytes, size_t size)
{
	if (splice(d, at, end, bytes, size))
		fit(d, all, in, (ptrdiff_t)size - (ptrdiff_t)(end - at));
}

static void lengthen(struct der *d, const struct elements *all, const struct element *one)
{
	const size_t content = one->end - one->content;
	const uint8_t head[HEAD_MAX] = { d->bytes[one->at], 0x84, 0, 0, (uint8_t)(content >> 8),
					 (uint8_t)content };

	replace(d, all, one->in, one->at, one->content, head, sizeof head);
}

static void change_element(struct der *d, enum der_change what, size_t place,
			   const uint8_t *bytes, size_t size)
{
	static struct elements all;
	const struct element *one, *other;

	all.count = 0;
	gather(d, 0, d->size, -1, 0, &all);
	if (all.count == 0)
		return;
	one = &all.list[place % (size_t)all.count];
	switch (what) {
	case DER_CONTENT:
		replace(d, &all, (int)(one - all.list), one->content, one->end, bytes, size);
		break;
	case DER_WITHOUT:
		replace(d, &all, one->in, one->at, one->end, NULL, 0);
		break;
	case DER_TWICE:
		replace(d, &all, one->in, one->end, one->end, d->bytes + one->at,
			one->end - one->at);
		break;
	case DER_ANOTHER:
		if (size < 2)
			return;
		other = &all.list[(bytes[0] | (size_t)bytes[1] << 8) % (size_t)all.count];
		replace(d, &all, one->in, one->at, one->at, d->bytes + other->at,
			other->end - other->at);
		break;
	case DER_BEFORE:
		replace(d, &all, one->in, one->at, one->at, bytes, size);
		break;
	case DER_WITHIN:
		replace(d, &all, (int)(one - all.list), one->end, one->end, bytes, size);
		break;
	case DER_TAG:
		if (size > 0)
			d->bytes[one->at] = bytes[0];
		break;
	default:
		lengthen(d, &all, one);
	}
}

void der_last(const struct der *d, size_t *number, size_t *content, size_t *end)
{
	static struct elements all;

	all.count = 0;
	gather(d, 0, d->size, -1, 0, &all);
	MUST(all.count > 0);
	*number = (size_t)all.count - 1;
	*content = all.list[*number].content;
	*end = all.list[*number].end;
}

static void change_bytes(struct der *d, enum der_change what, size_t at, const uint8_t *bytes,
			 size_t size)
{
	size_t from, n, left = d->size - at;

	switch (what) {
	case DER_BYTES:
		if (size > 0)
			memcpy(d->bytes + at, bytes, size < left ? size : left);
		break;
	case DER_INSERT:
		splice(d, at, at, bytes, size);
		break;
	case DER_REMOVE:
		splice(d, at, at + (size < left ? size : left), NULL, 0);
		break;
	default:
		if (size < 3)
			return;
		from = (bytes[0] | (size_t)bytes[1] << 8) % d->size;
		n = bytes[2] < d->size - from ? bytes[2] : d->size - from;
		splice(d, at, at, d->bytes + from, n);
	}
}

bool der_edit(struct der *d, const uint8_t *changes, size_t size)
{
	struct reader r = reader_over(changes, size);
	bool is_in_place = true;

	for (unsigned i = 0; i < CHANGES_MAX && reader_left(&r) > 0 && d->size > 0; i++) {
		const enum der_change what = reader_u8(&r) % DER_CHANGES;
		const size_t place = reader_u16(&r), n = reader_u8(&r);
		const uint8_t *bytes = what == DER_REMOVE ? NULL : reader_view(&r, n);

		if (r.underflow)
			break;
		is_in_place = is_in_place && (what == DER_BYTES || what == DER_TAG);
		if (what <= DER_COPY)
			change_bytes(d, what, place % d->size, bytes, n);
		else
			change_element(d, what, place, bytes, n);
	}
	return is_in_place;
}
