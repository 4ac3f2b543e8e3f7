#include "fs/vault/diff_inside.h"

#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"

static int are_xattrs_equal(struct catalogue *c, int64_t a, int64_t b, bool *out,
			    struct err *e)
{
	uint8_t *of_a = NULL, *of_b = NULL;
	size_t size_a = 0, size_b = 0;
	int rc = -1;

	*out = a == b;
	if (a == b || a == 0 || b == 0)
		return 0;
	if (catalogue_xattrs(c, a, &of_a, &size_a, e) < 0 ||
	    catalogue_xattrs(c, b, &of_b, &size_b, e) < 0)
		goto out;
	*out = size_a == size_b && memcmp(of_a, of_b, size_a) == 0;
	rc = 0;
out:
	free(of_a);
	free(of_b);
	return rc;
}

static int are_targets_equal(struct catalogue *c, const struct node *a,
			     const struct node *b, bool *out, struct err *e)
{
	char *of_a = NULL, *of_b = NULL;
	size_t size_a = 0, size_b = 0;
	int rc = -1;

	if (catalogue_symlink(c, a->id, &of_a, &size_a, e) < 0 ||
	    catalogue_symlink(c, b->id, &of_b, &size_b, e) < 0)
		goto out;
	*out = size_a == size_b && memcmp(of_a, of_b, size_a) == 0;
	rc = 0;
out:
	free(of_a);
	free(of_b);
	return rc;
}

bool diff_is_content_changed(const struct node *a, const struct node *b)
{
	if (a->kind != b->kind)
		return true;
	if (a->kind != NODE_FILE || (a->size == b->size && a->content == b->content))
		return false;
	return a->size != b->size || !a->has_sha256 || !b->has_sha256 ||
	       !digest_equal(&a->sha256, &b->sha256);
}

int diff_is_metadata_changed(struct catalogue *c, const struct node *a,
			       const struct node *b, bool with_mtime, bool *out,
			       struct err *e)
{
	bool is_equal = a->kind == b->kind && a->mode == b->mode && a->uid == b->uid &&
			a->gid == b->gid && a->rdev_major == b->rdev_major &&
			a->rdev_minor == b->rdev_minor;

	if (with_mtime)
		is_equal = is_equal && a->mtime.seconds == b->mtime.seconds &&
			   a->mtime.ns == b->mtime.ns;
	if (is_equal && a->kind == NODE_SYMLINK && are_targets_equal(c, a, b, &is_equal, e) < 0)
		return -1;
	if (is_equal && are_xattrs_equal(c, a->xattrs, b->xattrs, &is_equal, e) < 0)
		return -1;
	*out = !is_equal;
	return 0;
}
