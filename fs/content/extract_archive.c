/*
 * Archives and packed files.  A packed tar counts as one container: that is how
 * people see it, and what "a depth of four" means to them.
 */
#include <stdio.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/content/extract_members.h"
#include "fs/content/extract_unpack.h"
#include "fs/content/look.h"

#define NAME_MAX_KEPT 256

static int look_at_members(struct look *l, struct input *in, struct err *e)
{
	struct members *m = NULL;
	const char *name;
	int rc;

	if (members_open(l, in, &m, e) < 0)
		return -1;
	while ((rc = members_next(m, &name, e)) > 0) {
		rc = members_look(m, e);
		if (rc < 0)
			break;
	}
	members_close(m);
	return rc;
}

/* As gzip stores it, else the packed file's own without its last extension. */
static void unpacked_name(const struct look *l, const struct unpack *u,
			  char out[NAME_MAX_KEPT])
{
	const char *name = unpack_stored_name(u), *slash, *dot;

	if (!*name) {
		name = look_name(l);
		slash = strrchr(name, '/');
		name = slash ? slash + 1 : name;
	}
	dot = strrchr(name, '.');
	if (name == unpack_stored_name(u) || !dot || dot == name)
		dot = name + strlen(name);
	snprintf(out, NAME_MAX_KEPT, "%.*s", (int)(dot - name), *name ? name : "content");
}

/* What came out of a packing: a tar's members, or the one file. */
static int look_at_content(struct look *l, struct unpack *u, struct input *in, struct err *e)
{
	char name[NAME_MAX_KEPT];
	const void *head;
	size_t size;

	if (input_head(in, &head, &size, e) < 0)
		return -1;
	if (members_is_stream(head, size))
		return look_at_members(l, in, e);
	unpacked_name(l, u, name);
	return look_into(l, in, name, e);
}

int extract_archive(struct look *l, struct input *in, struct err *e)
{
	struct unpack *u = NULL;
	struct input *inside = NULL;
	const void *head;
	size_t size;
	int rc = -1;

	if (input_head(in, &head, &size, e) < 0)
		return -1;
	if (!unpack_name(head, size))
		return look_at_members(l, in, e);
	if (unpack_new(l, in, &u, e) < 0)
		return -1;
	inside = input_of_stream(unpack_read, u);
	if (!inside) {
		err_set(e, MUNI_NO_MEMORY, "no memory to unpack a file");
		goto out;
	}
	rc = look_at_content(l, u, inside, e);
	if (rc == 0)
		rc = input_drain(inside, e);	/* its checksums stand at the end */
	if (rc == 0 && *unpack_damage(u))
		look_opaque(l, "%s", unpack_damage(u));
out:
	input_free(inside);
	unpack_free(u);
	return rc;
}
