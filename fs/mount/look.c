#include "fs/mount/look.h"

#include <string.h>

#include "fs/base/err.h"
#include "fs/mount/mount.h"
#include "fs/mount/recent.h"
#include "fs/mount/view.h"

static struct place root_of(const struct mount *m)
{
	switch (m->shape) {
	case MOUNT_SYSTEM:
		return (struct place){ .kind = PLACE_SYSTEM, .id = m->system.id };
	case MOUNT_VERSION:
		return (struct place){ .kind = PLACE_DIRECTORY, .id = m->version.root,
				       .version = m->version.id };
	case MOUNT_ARCHIVE:
		break;
	}
	return (struct place){ .kind = PLACE_FIXED, .id = PLACE_ROOT };
}

bool look_place(const struct mount *m, uint64_t ino, struct place *out)
{
	if (ino == PLACE_ROOT) {
		*out = root_of(m);
		return true;
	}
	return place_unpack(ino, out);
}

bool look_ino(const struct mount *m, const struct place *p, uint64_t *out)
{
	struct place root = root_of(m);

	if (p->kind == root.kind && p->id == root.id && p->version == root.version) {
		*out = PLACE_ROOT;
		return true;
	}
	return place_pack(p, out);
}

/* Node ids come back from NFS clients too: places that this mount does not have are not
 * there, whoever knows their number.  A file's number does not tell in which system it stands,
 * and no index leads from it there: system= guards no files (docs/threat-model.md); classes
 * do, which within_node() asks. */
static int place_in_scope(struct mount *m, struct catalogue *c, uint64_t ino,
			  struct place *out, struct err *e)
{
	struct view_version v;
	bool is_in = look_place(m, ino, out);

	if (is_in && out->version != 0)
		is_in = view_version(m->view, c, out->version, &v);
	if (is_in && (out->kind == PLACE_SYSTEM || out->kind == PLACE_VERSIONS))
		is_in = m->shape == MOUNT_ARCHIVE ||
			(m->shape == MOUNT_SYSTEM && out->id == m->system.id);
	if (is_in && (out->kind == PLACE_FIXED || out->kind == PLACE_CERTIFICATE))
		is_in = m->shape != MOUNT_VERSION;
	if (is_in && out->kind == PLACE_NODE)
		is_in = (out->version != 0) == m->o.audit;
	if (!is_in)
		return err_set(e, MUNI_NOT_FOUND, "this mount has no node %llx",
			       (unsigned long long)ino);
	return 0;
}

static bool is_within(const struct place *p)
{
	return p->kind == PLACE_DIRECTORY || p->kind == PLACE_NODE;
}

int look_up(struct mount *m, struct catalogue *c, uint64_t parent, const char *name,
	    struct found *out, struct err *e)
{
	struct place p;
	uint64_t up;

	*out = (struct found){ 0 };
	if (strcmp(name, ".") == 0)	/* NFS asks for these two */
		return look_at(m, c, parent, out, e);
	if (strcmp(name, "..") == 0)
		return look_parent(m, c, parent, &up, e) < 0 ? -1 : look_at(m, c, up, out, e);
	if (place_in_scope(m, c, parent, &p, e) < 0)
		return -1;
	return is_within(&p) ? within_up(m, c, &p, name, out, e)
			     : above_up(m, c, &p, name, out, e);
}

int look_at(struct mount *m, struct catalogue *c, uint64_t ino, struct found *out,
	    struct err *e)
{
	struct place p;

	*out = (struct found){ 0 };
	if (place_in_scope(m, c, ino, &p, e) < 0)
		return -1;
	return is_within(&p) ? within_at(m, c, &p, out, e) : above_at(m, c, &p, out, e);
}

int look_parent(struct mount *m, struct catalogue *c, uint64_t ino, uint64_t *out,
		struct err *e)
{
	struct place p, up = { .kind = PLACE_FIXED, .id = PLACE_ROOT };

	*out = PLACE_ROOT;
	if (ino == PLACE_ROOT)
		return 0;
	if (place_in_scope(m, c, ino, &p, e) < 0)
		return -1;
	if (p.kind == PLACE_DIRECTORY) {
		if (within_parent(m, c, &p, &up, e) < 0)
			return -1;
	} else if (p.kind == PLACE_VERSIONS) {
		up = (struct place){ .kind = PLACE_SYSTEM, .id = p.id };
	} else if (p.kind == PLACE_CERTIFICATE ||
		   (p.kind == PLACE_FIXED && p.id != PLACE_MUNIMENT)) {
		up.id = p.kind == PLACE_CERTIFICATE ? PLACE_CERTIFICATES : PLACE_MUNIMENT;
	} else if (p.kind == PLACE_NODE || p.kind == PLACE_LINK) {
		return err_set(e, MUNI_NOT_FOUND, "only a directory has a parent");
	}
	if (!look_ino(m, &up, out))
		return err_set(e, MUNI_LIMIT, "a number past what node ids can hold");
	return 0;
}

int look_list(struct mount *m, struct catalogue *c, uint64_t ino, uint64_t offset,
	      enum look_depth depth, int (*row)(void *arg, const struct look_row *r), void *arg,
	      struct err *e)
{
	struct place p;
	struct look_row dot = { .name = ".", .next = 1, .type = S_IFDIR, .ino = ino };

	if (place_in_scope(m, c, ino, &p, e) < 0)
		return -1;
	if (offset < 1 && row(arg, &dot) != 0)
		return 0;
	if (offset < 2) {
		dot.name = "..";
		dot.next = 2;
		if (look_parent(m, c, ino, &dot.ino, e) < 0)
			return -1;
		if (row(arg, &dot) != 0)
			return 0;
		offset = 2;
	}
	return is_within(&p) ? within_list(m, c, &p, offset, depth, row, arg, e)
			     : above_list(m, c, &p, offset, depth != LOOK_NAMES, row, arg, e);
}

int look_link(struct mount *m, struct catalogue *c, uint64_t ino, char **out,
	      struct err *e)
{
	struct recent_node n;
	struct place p;
	size_t size;

	*out = NULL;
	if (place_in_scope(m, c, ino, &p, e) < 0)
		return -1;
	if (p.kind == PLACE_LINK)
		return above_link(m, c, &p, out, e);
	if (look_node(m, c, ino, &n, e) < 0)
		return -1;
	return catalogue_symlink(c, n.node, out, &size, e);
}

int look_node(struct mount *m, struct catalogue *c, uint64_t ino,
	      struct recent_node *out, struct err *e)
{
	struct place p;
	struct node n;

	if (recent_get(m->recent, ino, out))
		return 0;
	if (place_in_scope(m, c, ino, &p, e) < 0)
		return -1;
	if (!is_within(&p))
		return err_set(e, MUNI_NOT_FOUND, "no node of a version");
	if (within_node(m, c, &p, &n, e) < 0)
		return -1;
	within_note(m, ino, &n, out);
	return 0;
}
