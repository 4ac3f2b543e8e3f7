/*
 * Extended attributes: those of the source, listed as it had them; and of our
 * own two that are read by name and never listed, so that a copy of the tree
 * stays a copy.
 */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/mount/attr.h"
#include "fs/mount/look.h"
#include "fs/mount/mount.h"
#include "fs/mount/ops.h"
#include "fs/mount/recent.h"
#include "fs/store/xattrs.h"
#include "fs/vault/leaf.h"

#define OUR_SHA256 "user.muniment.sha256"
#define OUR_CLASS "user.muniment.class"

/* trusted.* is for those who may read it: the kernel checks that when one is
 * read, but not when they are listed. */
static bool may_see(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	const struct mount *m = ops_mount(req);

	if (strncmp(name, "trusted.", 8) == 0)
		return fuse_req_ctx(req)->uid == 0;
	if (strncmp(name, "system.posix_acl_", 17) == 0)
		return attr_has_acls(m, ino);
	return true;
}

/* What the kernel's own file systems say of one that is not there: that there is no such
 * family, that the name lacks its second half, or that it is absent. */
static int errno_of_absent(const char *name)
{
	static const char *const families[] = { "user.", "trusted.", "security." };

	for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
		size_t size = strlen(families[i]);
		if (strncmp(name, families[i], size) == 0)
			return name[size] ? ENODATA : EINVAL;
	}
	return strcmp(name, "system.posix_acl_access") == 0 ||
	       strcmp(name, "system.posix_acl_default") == 0 ? ENODATA : EOPNOTSUPP;
}

/* The size alone, the value, or ERANGE: the protocol of getxattr(2). */
static void reply_value(fuse_req_t req, const void *value, size_t size, size_t room)
{
	if (room == 0)
		fuse_reply_xattr(req, size);
	else if (size > room)
		fuse_reply_err(req, ERANGE);
	else
		fuse_reply_buf(req, value, size);
}

/* ---- ours ------------------------------------------------------------------------- */

static int class_code(void *arg, const struct record_class *k)
{
	struct record_class *wanted = arg;

	if (k->id != wanted->id)
		return 0;
	*wanted = *k;
	return 1;
}

/* An unclassified node has no class to tell, a directory no digest: MUNI_NOT_FOUND. */
static int our_value(struct catalogue *c, int64_t id, const char *name, char out[128],
		     struct err *e)
{
	struct node n;

	if (catalogue_node(c, id, true, &n, e) < 0)
		return -1;
	out[0] = '\0';
	if (strcmp(name, OUR_SHA256) == 0) {
		if (n.kind == NODE_FILE && n.has_sha256 && leaf_digest_is_plain(&n))
			digest_hex(&n.sha256, out);
	} else {
		struct record_class k = { .id = n.class_id };
		if (catalogue_classes(c, class_code, &k, e) < 0)
			return -1;
		memcpy(out, k.code, sizeof k.code);
	}
	return out[0] ? 0 : err_set(e, MUNI_NOT_FOUND, "no such attribute");
}

static bool is_ours(const char *name)
{
	return strcmp(name, OUR_SHA256) == 0 || strcmp(name, OUR_CLASS) == 0;
}

/* A node of the archive that is no more, as against one that is ours and has none. */
static bool is_gone(const struct mount *m, fuse_ino_t ino, const struct err *e)
{
	struct place p;

	return e->code == MUNI_NOT_FOUND && look_place(m, ino, &p) &&
	       (p.kind == PLACE_NODE || p.kind == PLACE_DIRECTORY);
}

/* ---- get -------------------------------------------------------------------------- */

/* What is destroyed later must not lie about in free memory. */
static void forget(uint8_t *blob)
{
	if (blob)
		explicit_bzero(blob, malloc_usable_size(blob));
	free(blob);
}

static int get(struct catalogue *c, const struct recent_node *n, const char *name,
	       uint8_t **blob, struct xattr *out, char ours[128], struct err *e)
{
	size_t size;

	if (n->xattrs != 0) {
		if (catalogue_xattrs(c, n->xattrs, blob, &size, e) < 0)
			return -1;
		if (xattrs_find(*blob, size, name, out, e) == 0)
			return 0;
		if (e->code != MUNI_NOT_FOUND)
			return -1;
	}
	if (!is_ours(name))
		return err_set(e, MUNI_NOT_FOUND, "no such attribute");
	if (our_value(c, n->node, name, ours, e) < 0)
		return -1;
	*out = (struct xattr){ .name = name, .value = (const uint8_t *)ours,
			       .size = (uint32_t)strlen(ours) };
	return 0;
}

void op_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	struct mount *m = ops_mount(req);
	struct vault_reader *r;
	struct recent_node n;
	struct err e = ERR_NONE;
	struct xattr x = { 0 };
	uint8_t *blob = NULL;
	char ours[128];

	if (!may_see(req, ino, name)) {
		fuse_reply_err(req, errno_of_absent(name));
		return;
	}
	r = ops_begin(req);
	if (!r)
		return;
	struct catalogue *c = vault_reader_catalogue(r);
	bool is_here = look_node(m, c, ino, &n, &e) == 0;
	if (is_here && get(c, &n, name, &blob, &x, ours, &e) == 0)
		reply_value(req, x.value, x.size, size);
	else if (!is_here && is_gone(m, ino, &e))
		ops_fail_node(req, ino, &e);
	else if (e.code == MUNI_NOT_FOUND)
		fuse_reply_err(req, errno_of_absent(name));
	else
		ops_fail(req, ino, &e);
	forget(blob);
	ops_forget_name(name);
	ops_end(m, r);
}

/* ---- list ------------------------------------------------------------------------- */

struct names {
	fuse_req_t req;
	fuse_ino_t ino;
	struct buffer list;
};

static int add_name(void *arg, const struct xattr *x)
{
	struct names *n = arg;

	if (may_see(n->req, n->ino, x->name))
		buffer_append(&n->list, x->name, strlen(x->name) + 1);
	return 0;
}

static int list(struct names *names, struct catalogue *c, struct err *e)
{
	struct mount *m = ops_mount(names->req);
	struct recent_node n;
	uint8_t *blob = NULL;
	size_t size;
	int rc = 0;

	if (look_node(m, c, names->ino, &n, e) < 0)
		return e->code == MUNI_NOT_FOUND && !is_gone(m, names->ino, e) ? 0 : -1;
	if (n.xattrs == 0)
		return 0;
	if (catalogue_xattrs(c, n.xattrs, &blob, &size, e) < 0)
		return -1;
	rc = xattrs_each(blob, size, add_name, names, e);
	if (rc == 0 && names->list.failed)
		rc = err_set(e, MUNI_NO_MEMORY, "no memory for a list of attributes");
	forget(blob);
	return rc;
}

void op_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	struct mount *m = ops_mount(req);
	struct vault_reader *r = ops_begin(req);
	struct names names = { .req = req, .ino = ino };
	struct err e = ERR_NONE;

	if (!r)
		return;
	if (list(&names, vault_reader_catalogue(r), &e) < 0)
		ops_fail_node(req, ino, &e);
	else
		reply_value(req, names.list.data, names.list.size, size);
	if (names.list.data)
		explicit_bzero(names.list.data, names.list.size);
	buffer_free(&names.list);
	ops_end(m, r);
}
