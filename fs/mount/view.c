#include "fs/mount/view_inside.h"

#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/base/total.h"
#include "fs/mount/mount.h"
#include "fs/vault/late_classes.h"

struct gathering {
	const struct mount *m;
	struct state state;
	const char *wanted;	/* classes= that have to be there, or NULL */
	unsigned found;		/* of those named in it */
	bool failed;
};

/* ---- the rules --------------------------------------------------------------- */

/* Whether `word` is one of the words of `list` between `separator`s. */
static bool is_listed(const char *list, char separator, const char *word)
{
	size_t size = strlen(word);

	for (const char *at = list; at; at = strchr(at, separator)) {
		at += *at == separator;
		while (*at == ' ')
			at++;
		if (strncmp(at, word, size) == 0 &&
		    (at[size] == separator || at[size] == '\0' || at[size] == ' '))
			return true;
	}
	return false;
}

static bool is_shown(const struct mount_options *o, const struct record_class *k)
{
	if (k->is_restricted)	/* W1 */
		return false;
	if (o->classes && !is_listed(o->classes, ':', k->code[0] ? k->code : "-"))
		return false;
	if (!k->access[0])
		return true;
	if (o->audience)
		return is_listed(k->access, ',', o->audience);
	return !o->allow_other;	/* W2 */
}

/* ---- gathering --------------------------------------------------------------- */

static int on_class(void *arg, const struct record_class *k)
{
	struct gathering *g = arg;
	struct shown_class *more = realloc(g->state.classes,
					   (g->state.class_count + 1) * sizeof *more);

	if (!more) {
		g->failed = true;
		return 1;
	}
	g->state.classes = more;
	struct shown_class *added = &more[g->state.class_count++];
	*added = (struct shown_class){ .id = k->id, .is_shown = is_shown(&g->m->o, k),
				       .is_restricted = k->is_restricted };
	memcpy(added->code, k->code, sizeof added->code);
	g->state.hides_classes |= !added->is_shown && !added->is_restricted;
	if (g->wanted && is_listed(g->wanted, ':', k->code[0] ? k->code : "-"))
		g->found++;
	return 0;
}

static int on_version(void *arg, const struct version *v)
{
	struct gathering *g = arg;
	struct state *s = &g->state;

	if (g->m->shape == MOUNT_VERSION && v->id != g->m->version.id)
		return 0;
	if (s->version_count % 64 == 0) {
		struct view_version *more = realloc(s->versions, (s->version_count + 64) *
						    sizeof *more);
		if (!more) {
			g->failed = true;
			return 1;
		}
		s->versions = more;
	}
	s->versions[s->version_count++] = (struct view_version){
		.id = v->id, .system = v->system, .root = v->root, .ingested = v->ingested };
	total_add(&s->all.bytes, v->bytes);
	s->all.nodes += v->directories + v->files + v->others;
	return 0;
}

static int by_id(const void *a, const void *b)
{
	const struct view_version *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static int by_number(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static unsigned words_in(const char *list)
{
	unsigned count = 1;

	for (; *list; list++)
		count += *list == ':';
	return count;
}

static void state_free(struct state *s)
{
	free(s->classes);
	free(s->versions);
	free(s->left_out);
	node_set_free(&s->hidden);
	node_set_free(&s->beside);
	node_set_free(&s->folders);
	*s = (struct state){ 0 };
}

static bool class_shown(const struct state *s, int64_t id)
{
	for (size_t i = 0; i < s->class_count; i++)
		if (s->classes[i].id == id)
			return s->classes[i].is_shown;
	return false;		/* W3 */
}

struct beside {
	const struct state *state;
	struct node_set *set;
	struct err *e;
};

static bool is_hidden_code(void *arg, const char *code)
{
	const struct beside *b = arg;

	for (size_t i = 0; i < b->state->class_count; i++)
		if (strcmp(b->state->classes[i].code, code) == 0)
			return !b->state->classes[i].is_shown;
	return true;		/* W3 */
}

static int on_beside(void *arg, int64_t node)
{
	struct beside *b = arg;

	return node_set_add(b->set, node, b->e);
}

/* What was classified after it was taken in. */
static int gather_beside(struct state *s, struct catalogue *c, struct err *e)
{
	struct err told = ERR_NONE;
	struct beside b = { s, &s->beside, &told };

	if (late_classes_nodes(c, is_hidden_code, on_beside, &b, e) < 0) {
		if (told.code != MUNI_OK)
			*e = told;
		return -1;
	}
	node_set_settle(&s->beside);
	return 0;
}

static int gather_hidden(struct state *s, struct catalogue *c, struct err *e)
{
	for (size_t i = 0; i < s->class_count; i++) {
		const struct shown_class *k = &s->classes[i];
		if (k->is_shown)
			continue;
		if (k->is_restricted ? node_set_of_classes(&s->hidden, c, &k->id, 1, e) < 0
				     : node_set_add_beside(&s->beside, c, k->id, e) < 0)
			return -1;
	}
	if (s->hides_classes && gather_beside(s, c, e) < 0)
		return -1;
	return node_set_add_folders(&s->folders, c, &s->hidden, e);
}

static int gather(struct gathering *g, struct catalogue *c, struct err *e)
{
	int64_t system = g->m->shape == MOUNT_ARCHIVE ? 0 : g->m->system.id;

	if (catalogue_classes(c, on_class, g, e) < 0 ||
	    catalogue_versions(c, system, on_version, g, e) < 0)
		return -1;
	if (g->failed)
		return err_set(e, MUNI_NO_MEMORY, "no memory for the list of versions");
	if (g->wanted && g->found < words_in(g->wanted))
		return err_set(e, MUNI_USAGE, "classes=%s names a class that this archive does "
			       "not have; '-' is the class of what nobody classified",
			       text_printable(g->wanted));
	if (g->state.version_count > 0)
		qsort(g->state.versions, g->state.version_count, sizeof *g->state.versions,
		      by_id);
	return gather_hidden(&g->state, c, e);
}

/* ---- what changed -------------------------------------------------------------- */

const struct view_version *view_find_version(const struct state *s, int64_t id)
{
	struct view_version key = { .id = id };

	if (s->version_count == 0)
		return NULL;
	return bsearch(&key, s->versions, s->version_count, sizeof key, by_id);
}

static bool is_shrunk(const struct state *before, const struct state *now)
{
	for (size_t i = 0; i < before->class_count; i++)
		if (before->classes[i].is_shown != class_shown(now, before->classes[i].id))
			return true;
	for (size_t i = 0; i < before->version_count; i++)
		if (!view_find_version(now, before->versions[i].id))
			return true;
	return false;
}

/* Nodes of classes that were shown and are not, or the other way round, and those that
 * moved into or out of a restricted one. */
static int find_changed(const struct state *before, const struct state *now,
			struct catalogue *c, struct node_set *out, struct err *e)
{
	struct node_set flipped = { .ids = NULL }, none = { .ids = NULL };
	int rc = -1;

	for (size_t i = 0; i < before->class_count; i++) {
		const struct shown_class *k = &before->classes[i];
		if (k->is_shown != class_shown(now, k->id) &&
		    node_set_of_classes(&flipped, c, &k->id, 1, e) < 0)
			goto out;
	}
	if (node_set_add_difference(out, &before->hidden, &now->hidden, e) < 0 ||
	    node_set_add_difference(out, &before->beside, &now->beside, e) < 0 ||
	    node_set_add_difference(out, &flipped, &none, e) < 0)
		goto out;
	node_set_settle(out);
	rc = 0;
out:
	node_set_free(&flipped);
	return rc;
}

int view_refresh(struct view *v, struct catalogue *c, struct view_change *what,
		 struct err *e)
{
	struct gathering g = { .m = v->m, .wanted = v->is_read ? NULL : v->m->o.classes };

	*what = (struct view_change){ .is_first = !v->is_read };
	/* Only who refreshes writes the state, one thread: no lock to read it. */
	if (gather(&g, c, e) < 0 ||
	    (v->is_read && find_changed(&v->state, &g.state, c, &what->nodes, e) < 0)) {
		node_set_free(&what->nodes);
		state_free(&g.state);
		return -1;
	}
	pthread_rwlock_wrlock(&v->lock);
	struct state before = v->state;
	what->is_shrunk = v->is_read && is_shrunk(&before, &g.state);
	what->newest_before = before.version_count ?
			      before.versions[before.version_count - 1].id : 0;
	v->state = g.state;
	v->is_read = true;
	pthread_rwlock_unlock(&v->lock);
	state_free(&before);
	return 0;
}

/* ---- questions ----------------------------------------------------------------- */

bool view_shows(struct view *v, const struct node *n)
{
	bool has_class = n->kind != NODE_DIRECTORY || n->class_id != UNCLASSIFIED;

	pthread_rwlock_rdlock(&v->lock);
	bool shown = (!has_class || class_shown(&v->state, n->class_id)) &&
		     !node_set_has(&v->state.beside, n->id);
	pthread_rwlock_unlock(&v->lock);
	return shown;
}

struct asked {
	const struct mount_options *o;
	bool hides_nothing;
};

static int on_class_asked(void *arg, const struct record_class *k)
{
	struct asked *a = arg;

	a->hides_nothing = is_shown(a->o, k);
	return a->hides_nothing ? 0 : 1;
}

int view_hides_nothing(const struct mount *m, struct catalogue *c, bool *out, struct err *e)
{
	struct asked a = { .o = &m->o, .hides_nothing = true };
	int rc = catalogue_classes(c, on_class_asked, &a, e);

	*out = rc == 0 && a.hides_nothing;
	return rc;
}

bool view_version(struct view *v, struct catalogue *c, int64_t id, struct view_version *out)
{
	struct err ignored = ERR_NONE;
	struct version row;

	pthread_rwlock_rdlock(&v->lock);
	const struct view_version *known = view_find_version(&v->state, id);
	if (known)
		*out = *known;
	pthread_rwlock_unlock(&v->lock);
	if (known)
		return true;
	if (v->m->shape == MOUNT_VERSION || catalogue_version_get(c, id, &row, &ignored) < 0)
		return false;
	if (row.state == VERSION_OPEN ||
	    (v->m->shape == MOUNT_SYSTEM && row.system != v->m->system.id))
		return false;
	*out = (struct view_version){ row.id, row.system, row.root, row.ingested };
	return true;
}

bool view_newest(struct view *v, int64_t system, struct view_version *out)
{
	bool is_found = false;

	pthread_rwlock_rdlock(&v->lock);
	for (size_t i = v->state.version_count; i > 0 && !is_found; i--) {
		*out = v->state.versions[i - 1];
		is_found = system == 0 || out->system == system;
	}
	pthread_rwlock_unlock(&v->lock);
	return is_found;
}

void view_each(struct view *v, int64_t after,
	       void (*row)(void *arg, const struct view_version *version), void *arg)
{
	pthread_rwlock_rdlock(&v->lock);
	for (size_t i = 0; i < v->state.version_count; i++)
		if (v->state.versions[i].id > after)
			row(arg, &v->state.versions[i]);
	pthread_rwlock_unlock(&v->lock);
}

bool view_hides_in(struct view *v, int64_t directory)
{
	pthread_rwlock_rdlock(&v->lock);
	const struct node_set *f = &v->state.folders;
	bool hides = v->state.hides_classes ||
		     (f->count > 0 && bsearch(&directory, f->ids, f->count, sizeof directory,
					      by_number));
	pthread_rwlock_unlock(&v->lock);
	return hides;
}

struct view *view_new(const struct mount *m)
{
	struct view *v = calloc(1, sizeof *v);

	if (!v)
		return NULL;
	v->m = m;
	pthread_mutex_init(&v->counting, NULL);
	pthread_rwlock_init(&v->lock, NULL);
	return v;
}

void view_free(struct view *v)
{
	if (!v)
		return;
	state_free(&v->state);
	pthread_rwlock_destroy(&v->lock);
	pthread_mutex_destroy(&v->counting);
	free(v);
}
