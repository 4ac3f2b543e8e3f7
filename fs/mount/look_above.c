#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/mount/attr.h"
#include "fs/mount/certificates.h"
#include "fs/mount/look.h"
#include "fs/mount/mount.h"
#include "fs/mount/status.h"
#include "fs/mount/view.h"

static int absent(struct err *e)
{
	return err_set(e, MUNI_NOT_FOUND, "there is no such name");
}

/* ---- attributes ------------------------------------------------------------------ */

static bool label_of(struct catalogue *c, int64_t version, char out[160])
{
	struct err ignored = ERR_NONE;
	struct version v;

	if (catalogue_version_get(c, version, &v, &ignored) < 0)
		return false;
	snprintf(out, 160, "versions/%s", v.label);
	return true;
}

int above_link(struct mount *m, struct catalogue *c, const struct place *p, char **out,
	       struct err *e)
{
	char target[160];

	(void)m;
	if (!label_of(c, p->version, target))
		return absent(e);
	*out = strdup(target);
	return *out ? 0 : err_set(e, MUNI_NO_MEMORY, "no memory for a link");
}

/* A folder changes when a version comes: the newest one's number in the
 * nanoseconds tells the kernel that its copy of the listing is old. */
static void folder_at(struct mount *m, uint64_t ino, int64_t system, struct found *out)
{
	struct view_version v = { 0 };

	view_newest(m->view, system, &v);
	attr_of_ours(m, ino, S_IFDIR | 0555, v.ingested, v.id % 1000000000, &out->st);
}

static int fixed_at(struct mount *m, struct catalogue *c, const struct place *p, uint64_t ino,
		    struct found *out, struct err *e)
{
	struct timespec changed;

	switch ((enum place_fixed)p->id) {
	case PLACE_ROOT:
		folder_at(m, ino, 0, out);
		return 0;
	case PLACE_MUNIMENT:
	case PLACE_CERTIFICATES:
		folder_at(m, ino, 0, out);
		out->attr_timeout = 0;	/* certificates come unannounced */
		if (p->id == PLACE_CERTIFICATES)
			certificates_changed(m, &out->st.st_mtim);
		return 0;
	case PLACE_STATUS:
		attr_of_ours(m, ino, S_IFREG | 0444, 0, 0, &out->st);
		if (status_stat(m, c, &out->st.st_size, &changed, e) < 0)
			return -1;
		out->st.st_mtim = out->st.st_ctim = out->st.st_atim = changed;
		out->attr_timeout = 0;
		return 0;
	}
	return absent(e);
}

int above_at(struct mount *m, struct catalogue *c, const struct place *p,
	     struct found *out, struct err *e)
{
	struct system system;
	struct view_version v;
	char target[160];

	*out = (struct found){ .entry_timeout = LOOK_MOMENT, .attr_timeout = LOOK_MOMENT };
	if (!look_ino(m, p, &out->ino))
		return err_set(e, MUNI_LIMIT, "a number past what node ids hold");
	switch (p->kind) {
	case PLACE_FIXED:
		return fixed_at(m, c, p, out->ino, out, e);
	case PLACE_SYSTEM:
	case PLACE_VERSIONS:
		if (catalogue_system_get(c, p->id, &system, e) < 0)
			return -1;
		folder_at(m, out->ino, p->id, out);
		return 0;
	case PLACE_LINK:
		if (!view_version(m->view, c, p->version, &v) ||
		    !label_of(c, p->version, target))
			return absent(e);
		attr_of_ours(m, out->ino, S_IFLNK | 0777, v.ingested, 0, &out->st);
		out->st.st_size = (off_t)strlen(target);
		out->entry_timeout = 0;	/* what "latest" names is asked anew each time */
		return 0;
	case PLACE_CERTIFICATE:
		return certificates_at(m, out->ino, p->id, out, e);
	case PLACE_DIRECTORY:
	case PLACE_NODE:
		break;
	}
	return absent(e);
}

/* ---- names ------------------------------------------------------------------------ */

static int dated_link(struct catalogue *c, int64_t system, const char *date,
		      struct place *out, struct err *e)
{
	struct version v;
	int64_t when;

	if (text_parse_time(date, true, &when) < 0 ||
	    catalogue_version_at(c, system, when, &v, e) < 0)
		return absent(e);
	*out = (struct place){ .kind = PLACE_LINK, .version = v.id, .is_dated = true };
	return 0;
}

static int name_in_system(struct catalogue *c, int64_t system, const char *name,
			  struct place *out, struct err *e)
{
	struct version v;

	if (strcmp(name, "versions") == 0) {
		*out = (struct place){ .kind = PLACE_VERSIONS, .id = system };
		return 0;
	}
	if (strcmp(name, "latest") == 0) {
		if (catalogue_version_find(c, system, NULL, &v, e) < 0)
			return -1;
		*out = (struct place){ .kind = PLACE_LINK, .version = v.id };
		return 0;
	}
	return name[0] == '@' ? dated_link(c, system, name + 1, out, e) : absent(e);
}

static int name_in_fixed(struct catalogue *c, const struct place *parent,
			 const char *name, struct place *out, struct err *e)
{
	struct system system;

	*out = (struct place){ .kind = PLACE_FIXED };
	if (parent->id == PLACE_ROOT) {
		if (strcmp(name, ".muniment") == 0) {
			out->id = PLACE_MUNIMENT;
			return 0;
		}
		if (catalogue_system_find(c, name, &system, e) < 0)
			return -1;
		*out = (struct place){ .kind = PLACE_SYSTEM, .id = system.id };
		return 0;
	}
	if (parent->id == PLACE_MUNIMENT) {
		out->id = strcmp(name, "status") == 0 ? PLACE_STATUS :
			  strcmp(name, "certificates") == 0 ? PLACE_CERTIFICATES : 0;
		return out->id ? 0 : absent(e);
	}
	if (parent->id == PLACE_CERTIFICATES && name[0] != '.') {
		*out = (struct place){ .kind = PLACE_CERTIFICATE,
				       .id = certificates_id(name) };
		return 0;
	}
	return absent(e);
}

int above_up(struct mount *m, struct catalogue *c, const struct place *parent,
	     const char *name, struct found *out, struct err *e)
{
	struct version v;
	struct place p;

	switch (parent->kind) {
	case PLACE_FIXED:
		if (name_in_fixed(c, parent, name, &p, e) < 0)
			return -1;
		return above_at(m, c, &p, out, e);
	case PLACE_SYSTEM:
		if (m->shape == MOUNT_SYSTEM && strcmp(name, ".muniment") == 0)
			p = (struct place){ .kind = PLACE_FIXED, .id = PLACE_MUNIMENT };
		else if (name_in_system(c, parent->id, name, &p, e) < 0)
			return -1;
		return above_at(m, c, &p, out, e);
	case PLACE_VERSIONS:
		if (catalogue_version_find(c, parent->id, name, &v, e) < 0)
			return -1;
		p = (struct place){ .kind = PLACE_DIRECTORY, .id = v.root, .version = v.id };
		return within_at(m, c, &p, out, e);
	default:
		return absent(e);
	}
}

/* ---- listing ---------------------------------------------------------------------- */

struct above_listing {
	struct mount *m;
	struct catalogue *c;
	uint64_t offset;	/* entries up to here were given before */
	uint64_t at;		/* entries met so far, "." and ".." counted */
	bool with_attrs;
	bool is_full;
	bool failed;
	int (*row)(void *arg, const struct look_row *r);
	void *arg;
	struct err *e;
};

static int give(struct above_listing *l, const char *name, mode_t type, struct place p)
{
	struct look_row row = { .name = name, .type = type, .next = ++l->at };
	struct found found;

	if (l->at <= l->offset)
		return 0;
	if (l->with_attrs) {
		int rc = p.kind == PLACE_DIRECTORY ? within_at(l->m, l->c, &p, &found, l->e)
						   : above_at(l->m, l->c, &p, &found, l->e);
		if (rc < 0 && l->e->code == MUNI_NOT_FOUND)
			return 0;	/* it went while we looked */
		if (rc < 0) {
			l->failed = true;
			return 1;
		}
		row.found = &found;
	}
	if (!look_ino(l->m, &p, &row.ino))
		return 0;
	l->is_full = l->row(l->arg, &row) != 0;
	return l->is_full;
}

static int give_system(void *arg, const struct system *s)
{
	return give(arg, s->name, S_IFDIR, (struct place){ .kind = PLACE_SYSTEM, .id = s->id });
}

static int give_version(void *arg, const struct version *v)
{
	return give(arg, v->label, S_IFDIR,
		    (struct place){ .kind = PLACE_DIRECTORY, .id = v->root, .version = v->id });
}

static int give_certificate(void *arg, const char *name)
{
	return give(arg, name, S_IFREG, (struct place){ .kind = PLACE_CERTIFICATE,
							.id = certificates_id(name) });
}

static int give_fixed(struct above_listing *l, const char *name, mode_t type,
		      enum place_fixed id)
{
	return give(l, name, type, (struct place){ .kind = PLACE_FIXED, .id = (int64_t)id });
}

static int list_system(struct above_listing *l, int64_t system)
{
	struct version newest;

	if (l->m->shape == MOUNT_SYSTEM && give_fixed(l, ".muniment", S_IFDIR, PLACE_MUNIMENT))
		return 0;
	if (give(l, "versions", S_IFDIR,
		 (struct place){ .kind = PLACE_VERSIONS, .id = system }))
		return 0;
	if (catalogue_version_find(l->c, system, NULL, &newest, l->e) < 0)
		return l->e->code == MUNI_NOT_FOUND ? 0 : -1;
	give(l, "latest", S_IFLNK, (struct place){ .kind = PLACE_LINK, .version = newest.id });
	return 0;
}

static int list_fixed(struct above_listing *l, enum place_fixed id)
{
	switch (id) {
	case PLACE_ROOT:
		if (give_fixed(l, ".muniment", S_IFDIR, PLACE_MUNIMENT))
			return 0;
		return catalogue_systems(l->c, give_system, l, l->e);
	case PLACE_MUNIMENT:
		if (!give_fixed(l, "status", S_IFREG, PLACE_STATUS))
			give_fixed(l, "certificates", S_IFDIR, PLACE_CERTIFICATES);
		return 0;
	case PLACE_CERTIFICATES:
		certificates_each(l->m, give_certificate, l);
		return 0;
	case PLACE_STATUS:
		break;
	}
	return absent(l->e);
}

int above_list(struct mount *m, struct catalogue *c, const struct place *p, uint64_t offset,
	       bool with_attrs, int (*row)(void *arg, const struct look_row *r), void *arg,
	       struct err *e)
{
	struct above_listing l = { .m = m, .c = c, .offset = offset, .at = 2,
				   .with_attrs = with_attrs, .row = row, .arg = arg, .e = e };
	int rc = -1;

	if (p->kind == PLACE_FIXED)
		rc = list_fixed(&l, (enum place_fixed)p->id);
	else if (p->kind == PLACE_SYSTEM)
		rc = list_system(&l, p->id);
	else if (p->kind == PLACE_VERSIONS)
		rc = catalogue_versions(c, p->id, give_version, &l, e);
	else
		return absent(e);
	return l.failed ? -1 : rc;
}
