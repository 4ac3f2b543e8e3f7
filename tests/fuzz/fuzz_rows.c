/* Blobs of the catalogue's rows: attributes, extents, extended attributes.  The first
 * byte says which.  What parses is packed to something that parses to the same. */
#include <string.h>

#include "fs/base/err.h"
#include "fs/store/catalogue_inside.h"
#include "fs/store/xattrs.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

static void attrs(const uint8_t *data, size_t size)
{
	struct node n = { .id = 1 }, again = { .id = 1 };
	const uint8_t *target, *other;
	uint8_t packed[ATTRS_MAX];
	size_t used;

	if (!attrs_parse(data, size, &n, &target))
		return;
	if (target)	/* within the bytes that were given */
		MUST(target >= data && n.size <= (size_t)(data + size - target));
	used = attrs_pack(&n, packed);
	if (used == 0 || target)
		return;
	MUST(attrs_parse(packed, used, &again, &other));
	MUST(again.kind == n.kind && again.mode == n.mode && again.uid == n.uid &&
	     again.gid == n.gid && again.size == n.size && again.links == n.links &&
	     again.mtime.seconds == n.mtime.seconds && again.mtime.ns == n.mtime.ns);
}

static void extents(const uint8_t *data, size_t size)
{
	static struct extent_page page, again;
	uint8_t packed[EXTENTS_PACKED_MAX];
	bool has_more, more_again;
	size_t used;

	if (!extents_parse(3, data, size, &page, &has_more))
		return;
	MUST(page.count <= EXTENTS_A_PAGE);
	used = extents_pack(3, page.extents, page.count, has_more, packed);
	MUST(used > 0 && extents_parse(3, packed, used, &again, &more_again));
	MUST(again.count == page.count && more_again == has_more);
	for (unsigned i = 0; i < page.count; i++)
		MUST(again.extents[i].offset == page.extents[i].offset &&
		     again.extents[i].block == page.extents[i].block &&
		     again.extents[i].at == page.extents[i].at &&
		     again.extents[i].size == page.extents[i].size);
}

static int on_xattr(void *arg, const struct xattr *x)
{
	size_t *sum = arg;

	*sum += strlen(x->name);
	for (uint32_t i = 0; i < x->size; i++)
		*sum += x->value[i];
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = ERR_NONE;
	struct xattr found;
	size_t sum = 0;

	if (size == 0)
		return 0;
	switch (data[0] % 3) {
	case 0:
		attrs(data + 1, size - 1);
		break;
	case 1:
		extents(data + 1, size - 1);
		break;
	default:
		xattrs_each(data + 1, size - 1, on_xattr, &sum, &e);
		xattrs_find(data + 1, size - 1, "user.comment", &found, &e);
	}
	return 0;
}
