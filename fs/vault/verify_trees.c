/*
 * verify --deep: every directory's Merkle root computed again from its entries, and
 * every version's from its top.
 *
 * Directories are checked a round at a time, each by one of several threads with a
 * catalogue connection of its own; what was found is told between the rounds, in the
 * catalogue's order.
 */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "fs/base/team.h"
#include "fs/base/text.h"
#include "fs/vault/leaf.h"
#include "fs/vault/verify_inside.h"

#define ROUND 512
#define THREADS_MAX 64
#define CATALOGUE_CACHE_BYTES (4u << 20)

/* A directory as it stands in a version. */
struct sight {
	int64_t directory, version;
	struct digest root;	/* as it was signed */
	struct err failed;	/* code MUNI_OK: it could be computed */
	bool is_same;
};

struct trees {
	struct verify *verify;
	struct err *e;
	int64_t newest;		/* version id */
	struct catalogue *catalogues[THREADS_MAX];	/* owned; one a thread */
	unsigned threads;	/* that have one */
	struct sight *round;	/* owned; ROUND */
	size_t count;
	atomic_size_t next;	/* of the round, for a thread to take */
};

/* On a thread's own connection. */
static void compute(struct catalogue *c, struct sight *s)
{
	struct digest now;

	if (leaf_root_of_directory(c, s->version, s->directory, &now, &s->failed) == 0)
		s->is_same = digest_equal(&now, &s->root);
}

static void work(void *arg, size_t thread)
{
	struct trees *t = arg;
	struct catalogue *c = t->catalogues[thread];
	struct err ignored = ERR_NONE;
	size_t i;

	/* One for all: without it every question is a transaction, slower but as
	 * right.  Nobody writes while we look. */
	(void)catalogue_begin(c, &ignored);
	while ((i = atomic_fetch_add(&t->next, 1)) < t->count)
		compute(c, &t->round[i]);
	catalogue_rollback(c);
}

static int tell(struct trees *t, struct sight *s)
{
	char where[64];

	snprintf(where, sizeof where, "directory %" PRId64 " in version %" PRId64,
		 s->directory, s->version);
	if (s->failed.code != MUNI_OK) {
		*t->e = s->failed;
		return verify_absorb(t->verify, false, where, t->e);
	}
	if (!s->is_same)
		verify_damage(t->verify, false, where, "its entries do not have the Merkle "
			      "root that was signed");
	return 0;
}

static int finish_round(struct trees *t)
{
	unsigned wanted = t->verify->threads < THREADS_MAX ? t->verify->threads : THREADS_MAX;
	size_t count = t->count;

	if (count == 0)
		return 0;
	if (wanted > count)
		wanted = (unsigned)count;
	for (; t->threads < wanted; t->threads++)
		if (vault_connect(t->verify->v, CATALOGUE_CACHE_BYTES,
				  &t->catalogues[t->threads], t->e) < 0)
			return -1;
	atomic_store(&t->next, 0);
	team_run(wanted, wanted, work, t);
	t->count = 0;
	for (size_t i = 0; i < count; i++)
		if (tell(t, &t->round[i]) < 0)
			return -1;
	return verify_go_on(t->verify, t->e);
}

static int look_at(struct trees *t, const struct directory *d, int64_t version)
{
	t->round[t->count++] = (struct sight){ .directory = d->id, .version = version,
					       .root = d->root, .failed = ERR_NONE };
	return t->count == ROUND ? finish_round(t) : 0;
}

/* A range of a directory begins and ends with versions that see the same. */
static int take_directory(void *arg, const struct directory *d)
{
	struct trees *t = arg;
	int64_t last = d->last < t->newest ? d->last : t->newest;

	verify_advance(t->verify, 1, 0);
	if (verify_go_on(t->verify, t->e) < 0 || look_at(t, d, d->first) < 0)
		return -1;
	return last > d->first ? look_at(t, d, last) : 0;
}

static int check_top(void *arg, const struct version *v)
{
	struct trees *t = arg;
	struct verify *k = t->verify;
	struct digest now;
	char where[300];

	if (v->id > t->newest)
		t->newest = v->id;
	snprintf(where, sizeof where, "%s@%s", text_printable(v->system_name),
		 text_printable(v->label));
	if (leaf_of_version(k->v->catalogue, v->id, v->root, &now, t->e) < 0)
		return verify_absorb(k, false, where, t->e);
	if (!digest_equal(&now, &v->merkle))
		verify_damage(k, false, where, "its tree does not have the Merkle root that was "
			      "signed");
	return 0;
}

int verify_trees(struct verify *k, struct err *e)
{
	struct trees t = { .verify = k, .e = e };
	int rc = -1;

	if (!k->is_catalogue_open)
		return 0;
	verify_stage(k, "checking trees", 0, 0);
	atomic_init(&t.next, 0);
	t.round = calloc(ROUND, sizeof *t.round);
	if (t.round == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory to check trees");
	if (catalogue_versions(k->v->catalogue, 0, check_top, &t, e) == 0 &&
	    catalogue_directories(k->v->catalogue, take_directory, &t, e) == 0)
		rc = finish_round(&t);
	while (t.threads > 0)
		catalogue_close(t.catalogues[--t.threads]);
	free(t.round);
	return rc;
}
