#include "fs/mount/listing.h"

#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/mount/family.h"
#include "fs/mount/look.h"
#include "fs/mount/mount.h"
#include "fs/mount/ops.h"

#define LISTING_MAX (256u * 1024)	/* a reply; the kernel rarely asks for more */

struct making {
	struct mount *m;
	uint64_t ino;
	struct listing *out;
	size_t size;
	bool with_attrs;
};

static int add(void *arg, const struct look_row *row)
{
	struct making *k = arg;
	struct listing *l = k->out;
	struct fuse_entry_param entry = { 0 };
	size_t left = k->size - l->used, need;

	/* "." and ".." go without a node id: the kernel knows those already; what is bare,
	 * too: it asks when it needs to know more. */
	if (row->found) {
		entry.ino = row->found->ino;
		entry.attr = row->found->st;
		entry.attr_timeout = row->found->attr_timeout;
		entry.entry_timeout = row->found->entry_timeout;
	} else {
		entry.attr.st_ino = row->ino;
		entry.attr.st_mode = row->type;
	}
	/* libfuse does not look at the request. */
	need = k->with_attrs ? fuse_add_direntry_plus(NULL, l->buffer + l->used, left, row->name,
						      &entry, (off_t)row->next)
			     : fuse_add_direntry(NULL, l->buffer + l->used, left, row->name,
						 &entry.attr, (off_t)row->next);
	if (need > left) {
		l->is_all = false;
		return 1;
	}
	l->used += need;
	l->next = row->next;
	if ((row->found && S_ISDIR(row->type)) || (k->with_attrs && row->is_bare))
		family_add(k->m->family, k->ino, row->ino);
	return 0;
}

int listing_make(struct mount *m, struct catalogue *c, uint64_t ino, uint64_t offset,
		 size_t size, enum look_depth depth, struct listing *out, struct err *e)
{
	struct making k = { .m = m, .ino = ino, .out = out, .with_attrs = depth != LOOK_NAMES,
			    .size = size < LISTING_MAX ? size : LISTING_MAX };

	*out = (struct listing){ .next = offset, .is_all = true };
	out->buffer = malloc(k.size ? k.size : 1);
	if (!out->buffer)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a listing");
	if (k.with_attrs && offset == 0)
		family_begin(m->family, ino);
	if (look_list(m, c, ino, offset, depth, add, &k, e) < 0) {
		listing_free(out);
		return -1;
	}
	return 0;
}

void listing_free(struct listing *l)
{
	if (l->buffer)
		explicit_bzero(l->buffer, l->used);
	free(l->buffer);
	*l = (struct listing){ .buffer = NULL };
}
