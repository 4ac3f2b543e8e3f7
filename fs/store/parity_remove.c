/*
 * Segments leave their groups.
 */
#include <string.h>

#include "fs/base/err.h"
#include "fs/store/parity_inside.h"

static bool is_listed(const uint8_t uid[16], const uint8_t (*uids)[16], size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (memcmp(uid, uids[i], 16) == 0)
			return true;
	return false;
}

/* Writes the group without the listed members. */
static int shrink(struct objects *o, const uint8_t archive_id[16],
		  const struct parity_index *x, const struct parity_span *s,
		  const uint8_t (*uids)[16], size_t count, struct err *e)
{
	struct parity_group *old = NULL, *g = NULL;
	int rc = -1;

	if (parity_group_load(o, archive_id, x, s, &old, e) < 0)
		return -1;
	g = parity_group_new(old->data, old->parity, e);
	if (g == NULL)
		goto out;
	memcpy(g->uid, old->uid, sizeof g->uid);
	g->generation = old->generation;
	g->format = old->format;
	for (unsigned i = 0; i < old->count; i++) {
		struct parity_member *m = &old->members[i];

		if (is_listed(m->uid, uids, count))
			continue;
		parity_group_add(g, m->uid, m->size);
		g->members[g->count - 1].sums = m->sums;
		m->sums = NULL;
	}
	rc = 0;
	if (g->count > 0)
		rc = parity_group_write(o, archive_id, g, NULL, e);
	if (rc == 0)
		rc = parity_index_delete(o, x, s->first, s->first + s->count, e);
out:
	parity_group_free(g);
	parity_group_free(old);
	return rc;
}

int parity_remove(struct objects *o, const uint8_t archive_id[16],
		  const uint8_t (*uids)[16], size_t count, struct err *e)
{
	struct parity_index x;
	struct parity_span s;
	size_t at = 0;
	int rc = -1;

	if (parity_index_load(o, archive_id, &x, e) < 0)
		return -1;
	while (parity_index_next(&x, &at, &s)) {
		struct parity_group *g = NULL;
		bool touched = false;

		if (parity_group_members(o, archive_id, &x, &s, &g, e) < 0) {
			if (e->code != MUNI_DAMAGED)
				goto out;
			continue;
		}
		for (unsigned i = 0; i < g->count; i++)
			touched = touched || is_listed(g->members[i].uid, uids, count);
		parity_group_free(g);
		if (!touched)
			continue;
		if (parity_index_drop_left_overs(o, &x, &s, e) < 0 ||
		    shrink(o, archive_id, &x, &s, uids, count, e) < 0)
			goto out;
	}
	*e = ERR_NONE;
	rc = 0;
out:
	parity_index_free(&x);
	if (rc < 0)
		return err_wrap(e, "taking segments out of parity");
	return 0;
}
