/*
 * From buffers to segments on stable storage: one thread writes, and makes parity of
 * what passes through its hands; others sync, so that no write waits for the disk.
 */
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/vault/pack_inside.h"

/* Parity in memory stays below this, all cohorts together; what would not is made
 * by parity_update() at the end. */
#define PARITY_MEMORY (256u << 20)

/* What an ingest stores up to here stays in the kernel's memory, for who reads it next. What
 * comes after would take that of others; pages that were just given back cost less, too. */
#define KEPT_AT_HAND (64u << 20)

static void fail(struct packer *p, const struct err *e)
{
	p->o.failed(p->o.arg, e);
}

/* ---- cohorts ------------------------------------------------------------------------ */

/* With cohort_lock held; of NULL: a place that is free, if there is one. */
static struct cohort **place_of(struct packer *p, const struct cohort *c)
{
	for (size_t i = 0; i < COHORTS; i++)
		if (p->cohorts[i] == c)
			return &p->cohorts[i];
	return NULL;
}

static void cohort_free(struct packer *p, struct cohort *c)
{
	pthread_mutex_lock(&p->cohort_lock);
	*place_of(p, c) = NULL;
	pthread_cond_broadcast(&p->cohort_gone);
	pthread_mutex_unlock(&p->cohort_lock);
	parity_batch_free(c->batch);
	free(c);
}

/* Waits for a free place.  NULL: e is filled. */
static struct cohort *cohort_new(struct packer *p, struct err *e)
{
	struct cohort *c = calloc(1, sizeof *c);
	struct cohort **place = NULL;

	if (!c) {
		err_set(e, MUNI_NO_MEMORY, "out of memory for parity");
		return NULL;
	}
	pthread_mutex_lock(&p->cohort_lock);
	while (!atomic_load(&p->is_cancelled)) {
		place = place_of(p, NULL);
		if (place)
			break;
		pthread_cond_wait(&p->cohort_gone, &p->cohort_lock);
	}
	if (place)
		*place = c;
	pthread_mutex_unlock(&p->cohort_lock);
	if (place)
		return c;
	free(c);
	err_set(e, MUNI_CANCELLED, "stopped, because another part failed");
	return NULL;
}

/* One step of a cohort's life: whoever takes the last one writes its parity. */
static int cohort_step(struct packer *p, struct cohort *c, struct parity_batch *closed,
		       size_t durable, struct err *e)
{
	bool is_over;
	int rc = 0;

	pthread_mutex_lock(&p->cohort_lock);
	if (closed)
		c->batch = closed;
	c->pending -= durable;
	is_over = c->batch && c->pending == 0;
	pthread_mutex_unlock(&p->cohort_lock);
	if (!is_over)
		return 0;
	rc = parity_batch_write(c->batch, e);
	cohort_free(p, c);
	return rc;
}

static int close_cohort(struct packer *p, struct parity_batch *closed, struct err *e)
{
	struct cohort *c = p->cohort;

	p->cohort = NULL;
	return cohort_step(p, c, closed, 0, e);
}

/* ---- the writer ----------------------------------------------------------------------- */

static int begin_parity(struct packer *p, struct filling *f, struct err *e)
{
	struct parity_batch *closed = NULL;

	if (parity_stream_begin(p->parity, f->plan.uid, f->target, &closed, e) < 0 ||
	    (closed && close_cohort(p, closed, e) < 0))
		return -1;
	if (!p->cohort)
		p->cohort = cohort_new(p, e);
	if (!p->cohort)
		return -1;
	f->cohort = p->cohort;
	pthread_mutex_lock(&p->cohort_lock);
	f->cohort->pending++;
	pthread_mutex_unlock(&p->cohort_lock);
	return 0;
}

static int begin(struct packer *p, struct filling *f, struct err *e)
{
	struct object_name name = { .kind = OBJECTS_SEGMENT };

	memcpy(name.uid, f->plan.uid, sizeof name.uid);
	if (objects_writer_open(p->vault->objects, &name, &f->writer, e) < 0)
		return -1;
	return p->parity ? begin_parity(p, f, e) : 0;
}

static int append(struct packer *p, struct filling *f, const void *data, size_t size,
		  struct err *e)
{
	if (objects_writer_append(f->writer, data, size, e) < 0)
		return -1;
	return p->parity ? parity_stream_append(p->parity, data, size, e) : 0;
}

/* Takes f.  Its cohort is closed first: then it is the last step that writes. */
static int end(struct packer *p, struct filling *f, struct err *e)
{
	struct parity_batch *closed = NULL;

	if (segment_plan_end(&f->plan, e) < 0 ||
	    append(p, f, f->plan.footer.data, f->plan.footer.size, e) < 0 ||
	    (p->parity && parity_stream_end(p->parity, &closed, e) < 0) ||
	    (closed && close_cohort(p, closed, e) < 0))
		goto fail;
	if (queue_push(p->written, f))
		return 0;
	err_set(e, MUNI_CANCELLED, "stopped, because another part failed");
fail:
	filling_free(f);
	return -1;
}

static int write_part(struct packer *p, struct buffer_part *part, struct err *e)
{
	struct filling *f = part->filling;
	bool is_last = part->is_last;
	int rc = 0;

	if (!f->writer)
		rc = begin(p, f, e);
	if (rc == 0)
		rc = append(p, f, part->data, part->used, e);
	packer_give_back(p, part);
	if (!is_last)
		return rc;
	if (rc == 0)
		return end(p, f, e);
	filling_free(f);
	return -1;
}

static void *write_parts(void *arg)
{
	struct packer *p = arg;
	struct err e = ERR_NONE;
	void *item;

	while (queue_pop(p->parts, &item)) {
		if (write_part(p, item, &e) < 0) {
			fail(p, &e);
			break;
		}
	}
	queue_close(p->written);
	return NULL;
}

/* ---- the syncers ---------------------------------------------------------------------- */

/* P5: after all that were begun before it. */
static void tell(struct packer *p, struct pack_segment *s, uint64_t turn)
{
	pthread_mutex_lock(&p->turn_lock);
	while (p->turn != turn && !p->is_broken)
		pthread_cond_wait(&p->turn_comes, &p->turn_lock);
	if (p->is_broken) {
		pack_segment_free(s);
	} else {
		p->o.sealed(p->o.arg, s);	/* P2 */
		p->turn++;
	}
	pthread_cond_broadcast(&p->turn_comes);
	pthread_mutex_unlock(&p->turn_lock);
}

void pack_writers_break(struct packer *p)
{
	pthread_mutex_lock(&p->turn_lock);
	p->is_broken = true;
	pthread_cond_broadcast(&p->turn_comes);
	pthread_mutex_unlock(&p->turn_lock);
}

static int sync_one(struct packer *p, struct filling *f, struct err *e)
{
	struct objects_writer *w = f->writer;
	struct cohort *c = f->cohort;
	struct pack_segment *s = f->segment;
	uint64_t turn = f->turn;

	f->writer = NULL;
	if (f->before >= KEPT_AT_HAND)
		objects_writer_let_go(w);
	if (objects_writer_commit(w, false, e) < 0) {
		filling_free(f);
		return err_wrap(e, "writing a segment");
	}
	f->segment = NULL;
	filling_free(f);
	tell(p, s, turn);
	return c ? cohort_step(p, c, NULL, 1, e) : 0;
}

static void *sync_segments(void *arg)
{
	struct packer *p = arg;
	struct err e = ERR_NONE;
	void *item;

	while (queue_pop(p->written, &item)) {
		if (sync_one(p, item, &e) < 0) {
			pack_writers_break(p);
			fail(p, &e);
			break;
		}
	}
	return NULL;
}

/* ---- both ------------------------------------------------------------------------------- */

static int make_parity(struct packer *p, struct err *e)
{
	struct parity_strength s = p->o.parity;

	if (p->o.dry_run || s.parity == 0 ||
	    (uint64_t)s.parity * p->o.segment_size * COHORTS > PARITY_MEMORY)
		return 0;
	return parity_stream_new(p->vault->objects, p->vault->id, s, &p->parity, e);
}

int pack_writers_start(struct packer *p, struct err *e)
{
	if (make_parity(p, e) < 0)
		return -1;
	p->has_writer = pthread_create(&p->writer, NULL, write_parts, p) == 0;
	while (p->has_writer && p->syncer_count < SYNCERS &&
	       pthread_create(&p->syncers[p->syncer_count], NULL, sync_segments, p) == 0)
		p->syncer_count++;
	if (!p->has_writer || p->syncer_count == 0)
		return err_set(e, MUNI_NO_MEMORY, "starting the threads that write segments");
	return 0;
}

void pack_writers_join(struct packer *p)
{
	struct err e = ERR_NONE;

	if (p->has_writer)
		pthread_join(p->writer, NULL);
	p->has_writer = false;
	while (p->syncer_count > 0)
		pthread_join(p->syncers[--p->syncer_count], NULL);
	if (p->cohort && !atomic_load(&p->is_cancelled) &&
	    close_cohort(p, parity_stream_take(p->parity), &e) < 0)
		fail(p, &e);
}

void pack_writers_free(struct packer *p)
{
	for (size_t i = 0; i < COHORTS; i++) {
		if (!p->cohorts[i])
			continue;
		parity_batch_free(p->cohorts[i]->batch);
		free(p->cohorts[i]);
	}
	parity_stream_free(p->parity);
}
