/*
 * The parts of an ingest: made, opened, freed.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/base/descriptors.h"
#include "fs/base/file.h"
#include "fs/base/team.h"
#include "fs/base/text.h"
#include "fs/store/segment.h"
#include "fs/vault/foreign.h"
#include "fs/vault/graft.h"
#include "fs/vault/ingest_tree.h"
#include "fs/vault/pack_bases.h"
#include "fs/vault/pack_reach.h"

#define WORKERS_MAX 32
#define LOOKUP_CACHE (64u * 1024 * 1024)	/* over all workers */
#define LARGE_AHEAD 8

static void segment_sealed(void *arg, struct pack_segment *s)
{
	struct ingest *g = arg;

	events_push(g->events, (struct event){ EVENT_SEGMENT, .segment = s });
}

static void packer_failed(void *arg, const struct err *e)
{
	ingest_fail(arg, e);
}

int ingest_make_parts(struct ingest *g, struct err *e)
{
	struct vault *v = g->vault;
	struct catalogue_settings settings;
	struct pack_options o = { .segment_size = SEGMENT_SIZE_DEFAULT,
				  .dry_run = g->options->dry_run,
				  .lookup_cache = LOOKUP_CACHE / g->workers,
				  .sealed = segment_sealed, .failed = packer_failed,
				  .arg = g };

	if (catalogue_settings_get(v->catalogue, &settings, e) < 0 ||
	    catalogue_chunk_any(v->catalogue, &o.has_chunks, e) < 0 ||
	    chunker_init(&g->chunker, keyring_chunker_key(v->keyring), settings.block_size,
			 e) < 0)
		return -1;
	o.block_size = settings.block_size;
	o.level = settings.level;
	o.chunk_names = settings.chunk_names;
	o.parity = settings.parity;
	o.bases = base_limits_of(settings.is_dense);
	g->is_ordered = o.has_chunks || settings.is_dense;
	o.hand_over = g->is_ordered ? ingest_hand_over : NULL;
	g->pool = ingest_pool_new(PIECE_SIZE + g->chunker.max);
	if (!g->pool)
		return err_set(e, MUNI_NO_MEMORY, "out of memory for an ingest");
	return packer_new(v, &o, &g->packer, e);
}

/*
 * A table of descriptors that grows while threads share it makes each of them wait
 * for the kernel, 20 ms and more each time it doubles: let it grow before they start.
 */
static void make_room_for_descriptors(int fd)
{
	unsigned limit = descriptors_limit();
	unsigned wanted = INGEST_DESCRIPTORS / 2;	/* with all the rest */
	int high = fcntl(fd, F_DUPFD_CLOEXEC, limit > wanted ? (int)wanted : (int)limit - 1);

	if (high >= 0)
		close(high);
}

int ingest_new(struct vault *v, const char *source, const struct ingest_options *o,
		      const struct vault_monitor *m, struct ingest **out, struct err *e)
{
	struct ingest *g = calloc(1, sizeof *g);

	*out = g;
	if (!g)
		return err_set(e, MUNI_NO_MEMORY, "out of memory for an ingest");
	g->vault = v;
	g->options = o;
	g->monitor = m;
	g->source = source;
	g->source_fd = -1;
	g->workers = o->threads ? o->threads : team_processors();
	if (g->workers > WORKERS_MAX)
		g->workers = WORKERS_MAX;
	g->started = vault_now(v);
	make_room_for_descriptors(v->dirfd);
	pthread_mutex_init(&g->failure_lock, NULL);
	pthread_mutex_init(&g->alive_lock, NULL);
	pthread_mutex_init(&g->links.lock, NULL);
	pthread_mutex_init(&g->loose_lock, NULL);
	pthread_cond_init(&g->loose_none, NULL);
	ingest_accounts_init(&g->accounts);
	g->threads = calloc(g->workers + 3, sizeof *g->threads);
	g->tasks = queue_new(g->workers * 2 + 4);
	g->large = queue_new(LARGE_AHEAD);
	g->events = events_new();
	if (!g->threads || !g->tasks || !g->large || !g->events)
		return err_set(e, MUNI_NO_MEMORY, "out of memory for an ingest");
	return graft_new(g, &g->graft, e);
}

static void free_links(struct map *bodies)
{
	for (size_t i = 0; i < bodies->capacity; i++)
		body_unref((struct body *)(uintptr_t)bodies->slots[i].value);
	map_free(bodies);
}

/* After all threads have ended but the packer's own, which a cancel leaves. */
void ingest_free(struct ingest *g)
{
	if (!g)
		return;
	if (g->tasks)
		queue_free(g->tasks, task_free);
	if (g->large)
		queue_free(g->large, large_file_free);
	packer_free(g->packer);	/* its writer may still be telling of a segment */
	events_free(g->events);
	graft_free(g->graft);
	while (g->runs)
		run_free(g, g->runs);
	while (g->dirs)
		dir_free(g, g->dirs);
	free_links(&g->links.bodies);
	ingest_tree_free(g->tree);
	foreign_close(g->foreign);
	ingest_pool_free(g->pool);
	map_free(&g->claimed);
	selection_free(g->selection);
	free(g->restricted);
	ingest_accounts_free(&g->accounts);
	file_close(&g->source_fd);
	free(g->threads);
	pthread_cond_destroy(&g->loose_none);
	pthread_mutex_destroy(&g->loose_lock);
	pthread_mutex_destroy(&g->links.lock);
	pthread_mutex_destroy(&g->alive_lock);
	pthread_mutex_destroy(&g->failure_lock);
	free(g);
}

static bool is_stopped(void *arg)
{
	return ingest_is_stopped(arg);
}

/* Forks the reader's child: this comes before any thread is started. */
static int open_foreign(struct ingest *g, const struct stat *st, const char **kind,
			struct err *e)
{
	const struct ingest_options *o = g->options;
	struct foreign_options f = { .allow_rar = o->allow_rar, .allow_raw = o->allow_raw,
				     .name_encoding = o->name_encoding,
				     .bomb_limit = o->bomb_limit,
				     .is_cancelled = is_stopped, .arg = g };
	const char *name = strrchr(g->source, '/');

	if (S_ISREG(st->st_mode))
		atomic_store(&g->input_total, (unsigned long long)st->st_size);
	if (foreign_open(g->source_fd, name ? name + 1 : g->source, &f, &g->foreign, e) < 0) {
		/* A source that is damaged is no damage found in our archive. */
		if (e->code == MUNI_DAMAGED)
			e->code = MUNI_FORMAT;
		return err_wrap(e, "ingesting %s", text_printable(g->source));
	}
	*kind = foreign_kind(g->foreign);
	return 0;
}

int ingest_open_source(struct ingest *g, const char **kind, struct err *e)
{
	struct stat st;

	if (strcmp(g->source, "-") == 0)
		g->source_fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	else
		g->source_fd = file_open_user(g->source, O_RDONLY | O_NOCTTY, 0, e);
	if (g->source_fd < 0)
		return e->code ? -1 : err_errno(e, "opening standard input");
	if (fstat(g->source_fd, &st) < 0)
		return err_errno(e, "looking at %s", text_printable(g->source));
	*kind = "directory";
	return S_ISDIR(st.st_mode) ? 0 : open_foreign(g, &st, kind, e);
}
