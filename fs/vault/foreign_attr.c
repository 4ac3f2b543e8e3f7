/*
 * tar writes ACLs as text with names; the kernel wants numbers, sorted, with a
 * mask wherever somebody is named (fs/posix_acl.c, linux/posix_acl_xattr.h).
 */
#include "fs/vault/foreign_attr.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/store/xattrs.h"

#define ACL_VERSION 2
#define ACL_NO_ID UINT32_MAX
#define LOOKUP_SIZE 16384

static void learn(struct account *list, size_t *count, const char *name, int64_t id)
{
	if (!name || !*name || id < 0 || *count == ACCOUNTS_MAX)
		return;
	for (size_t i = 0; i < *count; i++)
		if (!strcmp(list[i].name, name))
			return;	/* the first that said so */
	list[*count].name = strdup(name);
	list[*count].id = (uint32_t)id;
	if (list[*count].name)
		++*count;
}

void accounts_learn(struct accounts *a, const struct foreign_entry *f)
{
	learn(a->users, &a->user_count, f->uname, f->uid);
	learn(a->groups, &a->group_count, f->gname, f->gid);
}

void accounts_free(struct accounts *a)
{
	for (size_t i = 0; i < a->user_count; i++)
		free(a->users[i].name);
	for (size_t i = 0; i < a->group_count; i++)
		free(a->groups[i].name);
	a->user_count = a->group_count = 0;
}

static int64_t host_number(const char *name, bool is_group)
{
	char scratch[LOOKUP_SIZE];
	struct passwd user, *u = NULL;
	struct group group, *g = NULL;

	if (is_group) {
		if (getgrnam_r(name, &group, scratch, sizeof scratch, &g) == 0 && g)
			return g->gr_gid;
	} else if (getpwnam_r(name, &user, scratch, sizeof scratch, &u) == 0 && u) {
		return u->pw_uid;
	}
	return -1;
}

static int64_t number_of(const struct accounts *a, const char *name, bool is_group)
{
	const struct account *list = is_group ? a->groups : a->users;
	size_t count = is_group ? a->group_count : a->user_count;

	for (size_t i = 0; i < count; i++)
		if (!strcmp(list[i].name, name))
			return list[i].id;
	return host_number(name, is_group);
}

struct acl_entry {
	uint8_t tag, perm;
	uint32_t id;
};

static int compare_entries(const void *a, const void *b)
{
	const struct acl_entry *x = a, *y = b;

	if (x->tag != y->tag)
		return x->tag < y->tag ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

/* Exactly one of each base entry, no two of one id (fs/posix_acl.c). */
static bool is_valid_acl(const struct acl_entry *list, size_t count)
{
	unsigned seen = 0;

	for (size_t i = 0; i < count; i++) {
		bool is_named = list[i].tag == WIRE_ACL_USER || list[i].tag == WIRE_ACL_GROUP;

		if (!is_named && (seen & list[i].tag))
			return false;
		if (is_named && i > 0 && list[i - 1].tag == list[i].tag &&
		    list[i - 1].id == list[i].id)
			return false;
		seen |= list[i].tag;
	}
	return (seen & WIRE_ACL_USER_OBJ) && (seen & WIRE_ACL_GROUP_OBJ) &&
	       (seen & WIRE_ACL_OTHER);
}

/* A mask is needed as soon as somebody is named: the union, as setfacl makes it. */
static size_t complete_mask(struct acl_entry *list, size_t count)
{
	uint8_t all = 0;
	bool is_named = false;

	for (size_t i = 0; i < count; i++) {
		if (list[i].tag == WIRE_ACL_MASK)
			return count;
		if (list[i].tag == WIRE_ACL_USER || list[i].tag == WIRE_ACL_GROUP)
			is_named = true;
		if (list[i].tag & (WIRE_ACL_USER | WIRE_ACL_GROUP | WIRE_ACL_GROUP_OBJ))
			all |= list[i].perm;
	}
	if (!is_named)
		return count;
	list[count] = (struct acl_entry){ WIRE_ACL_MASK, all, ACL_NO_ID };
	return count + 1;
}

/* Number of entries in list, which has room for all of w's and a mask. */
static size_t gather_acl(const struct wire_entry *w, const struct accounts *a,
			 bool is_default, struct acl_entry *list, char *remark,
			 size_t remark_size)
{
	size_t count = 0;

	for (size_t i = 0; i < w->acl_count; i++) {
		const struct wire_acl *from = &w->acls[i];
		bool is_named = from->tag == WIRE_ACL_USER || from->tag == WIRE_ACL_GROUP;
		int64_t id = from->id;

		if (from->is_default != is_default)
			continue;
		if (is_named && id < 0)
			id = number_of(a, from->name, from->tag == WIRE_ACL_GROUP);
		if (is_named && id < 0) {
			snprintf(remark, remark_size, "its access list names \"%.200s\", whose "
				 "number neither the archive nor this host knows: that "
				 "line was left out", text_printable(from->name));
			continue;
		}
		list[count++] = (struct acl_entry){ from->tag, from->perm,
						    is_named ? (uint32_t)id : ACL_NO_ID };
	}
	if (count == 0)
		return 0;
	count = complete_mask(list, count);
	qsort(list, count, sizeof *list, compare_entries);
	if (!is_valid_acl(list, count)) {
		snprintf(remark, remark_size, "its %saccess list makes no sense and was left "
			 "out", is_default ? "default " : "");
		return 0;
	}
	return count;
}

static uint32_t mode_with_acl(uint32_t mode, const struct acl_entry *list, size_t count)
{
	uint32_t user = 0, group = 0, mask = 8, other = 0;

	for (size_t i = 0; i < count; i++) {
		if (list[i].tag == WIRE_ACL_USER_OBJ)
			user = list[i].perm;
		else if (list[i].tag == WIRE_ACL_GROUP_OBJ)
			group = list[i].perm;
		else if (list[i].tag == WIRE_ACL_MASK)
			mask = list[i].perm;
		else if (list[i].tag == WIRE_ACL_OTHER)
			other = list[i].perm;
	}
	return (mode & ~0777u) | user << 6 | (mask < 8 ? mask : group) << 3 | other;
}

static void pack_acl(struct buffer *b, const struct acl_entry *list, size_t count)
{
	buffer_u32(b, ACL_VERSION);
	for (size_t i = 0; i < count; i++) {
		buffer_u16(b, list[i].tag);
		buffer_u16(b, list[i].perm);
		buffer_u32(b, list[i].id);
	}
}

static bool has_name(const struct xattr *list, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(list[i].name, name))
			return true;
	return false;
}

struct joining {
	struct xattr *list;	/* room for w's attributes and two ACLs */
	size_t count;
	struct acl_entry *entries;
	struct buffer access, defaults;
};

static void join_acl(const struct wire_entry *w, const struct accounts *a, bool is_default,
		     uint32_t *mode, struct joining *j, char *remark, size_t remark_size)
{
	const char *name = is_default ? "system.posix_acl_default" : "system.posix_acl_access";
	struct buffer *to = is_default ? &j->defaults : &j->access;
	size_t count;

	if (is_default && w->f.kind != NODE_DIRECTORY)
		return;
	count = gather_acl(w, a, is_default, j->entries, remark, remark_size);
	if (count == 0)
		return;
	if (!is_default)
		*mode = mode_with_acl(*mode, j->entries, count);
	if (!is_default && count == 3)
		return;	/* says no more than the mode: the kernel keeps none either */
	if (has_name(j->list, j->count, name))
		return;	/* it came as an attribute too, in the kernel's own bytes */
	pack_acl(to, j->entries, count);
	if (!to->failed)
		j->list[j->count++] = (struct xattr){ name, to->data, (uint32_t)to->size };
}

int foreign_attributes(const struct wire_entry *w, const struct accounts *a,
		       uint32_t *mode, uint8_t **out, size_t *size, char *remark,
		       size_t remark_size, struct err *e)
{
	struct joining j = { .list = NULL };
	int rc = -1;

	*out = NULL;
	*size = 0;
	*remark = 0;
	if (w->xattr_count == 0 && w->acl_count == 0)
		return 0;
	j.list = calloc(w->xattr_count + 2, sizeof *j.list);
	j.entries = calloc(w->acl_count + 1, sizeof *j.entries);
	if (!j.list || !j.entries) {
		err_set(e, MUNI_NO_MEMORY, "no memory for extended attributes");
		goto out;
	}
	for (size_t i = 0; i < w->xattr_count; i++) {
		const struct wire_xattr *x = &w->xattrs[i];

		/* tar may bring one attribute in two spellings. */
		if (!has_name(j.list, j.count, x->name))
			j.list[j.count++] = (struct xattr){ x->name, x->value, x->size };
	}
	join_acl(w, a, false, mode, &j, remark, remark_size);
	join_acl(w, a, true, mode, &j, remark, remark_size);
	if (j.access.failed || j.defaults.failed) {
		err_set(e, MUNI_NO_MEMORY, "no memory for an access list");
		goto out;
	}
	rc = j.count == 0 ? 0 : xattrs_pack(j.list, j.count, out, size, e);
	if (rc < 0 && e->code == MUNI_LIMIT) {
		snprintf(remark, remark_size, "its extended attributes were left out: %s",
			 e->text);
		*e = ERR_NONE;
		rc = 0;
	}
out:
	free(j.list);
	free(j.entries);
	buffer_free(&j.access);
	buffer_free(&j.defaults);
	return rc;
}
