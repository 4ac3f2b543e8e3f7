/*
 * W4: what is not shown is taken out of what the catalogue counts of the versions.
 * Counted when somebody asks, not when the archive is mounted: it is a walk.
 */
#include <stdlib.h>

#include "fs/base/err.h"
#include "fs/mount/view_inside.h"

/* Of classes other than restricted ones.  Directories that were no records have no class,
 * and stand whatever is shown. */
static int count_classes(struct state *s, struct catalogue *c, struct err *e)
{
	struct node_set nodes = { .ids = NULL }, bare = { .ids = NULL }, none = { .ids = NULL };
	int rc = -1;

	for (size_t i = 0; i < s->class_count; i++) {
		const struct shown_class *k = &s->classes[i];
		if (!k->is_shown && !k->is_restricted &&
		    node_set_of_classes(k->id == UNCLASSIFIED ? &bare : &nodes, c, &k->id, 1,
					e) < 0)
			goto out;
	}
	if (node_set_add_difference(&nodes, &s->beside, &none, e) < 0)
		goto out;
	node_set_settle(&nodes);
	if (hidden_count(&nodes, true, c, s->versions, s->version_count, s->left_out, e) == 0)
		rc = hidden_count(&bare, false, c, s->versions, s->version_count, s->left_out, e);
out:
	node_set_free(&nodes);
	node_set_free(&bare);
	return rc;
}

static int count(struct state *s, struct catalogue *c, struct err *e)
{
	/* One more than needed: never NULL for want of a version. */
	s->left_out = calloc(s->version_count + 1, sizeof *s->left_out);
	if (!s->left_out)
		return err_set(e, MUNI_NO_MEMORY, "no memory to count what is shown");
	if (hidden_count(&s->hidden, true, c, s->versions, s->version_count, s->left_out, e) == 0 &&
	    count_classes(s, c, e) == 0)
		return 0;
	free(s->left_out);
	s->left_out = NULL;
	return -1;
}

int view_count(struct view *v, struct catalogue *c, struct err *e)
{
	int rc = 0;

	pthread_mutex_lock(&v->counting);
	pthread_rwlock_rdlock(&v->lock);
	if (!v->state.left_out)
		rc = count(&v->state, c, e);
	pthread_rwlock_unlock(&v->lock);
	pthread_mutex_unlock(&v->counting);
	return rc;
}

static void lower(uint64_t *from, uint64_t by)
{
	*from -= by < *from ? by : *from;
}

bool view_totals(struct view *v, struct view_totals *out)
{
	pthread_mutex_lock(&v->counting);
	pthread_rwlock_rdlock(&v->lock);
	const struct state *s = &v->state;
	bool is_counted = s->left_out || (s->hidden.count == 0 && !s->hides_classes);
	*out = s->all;
	for (size_t i = 0; s->left_out && i < s->version_count; i++) {
		lower(&out->nodes, s->left_out[i].nodes);
		lower(&out->bytes, s->left_out[i].bytes);
	}
	pthread_rwlock_unlock(&v->lock);
	pthread_mutex_unlock(&v->counting);
	return is_counted;
}

bool view_left_out(struct view *v, int64_t version, struct hidden_counts *out)
{
	*out = (struct hidden_counts){ 0 };
	pthread_mutex_lock(&v->counting);
	pthread_rwlock_rdlock(&v->lock);
	const struct state *s = &v->state;
	bool is_counted = s->left_out || (s->hidden.count == 0 && !s->hides_classes);
	const struct view_version *at = view_find_version(s, version);
	if (s->left_out && at)
		*out = s->left_out[at - s->versions];
	pthread_rwlock_unlock(&v->lock);
	pthread_mutex_unlock(&v->counting);
	return is_counted;
}
