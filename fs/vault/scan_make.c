/*
 * The parts of a scan: made, opened, freed.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/base/bytes.h"
#include "fs/base/file.h"
#include "fs/base/queue.h"
#include "fs/base/team.h"
#include "fs/base/text.h"
#include "fs/vault/scan_inside.h"

#define WORKERS_MAX 32

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "out of memory for a scan");
}

/* A scan of an archive has to hold its reader's child too, and entries on their way,
 * within the same 256 MiB (examiner_memory.c): what is widest is less wide there. */
#define ARCHIVE_READER (68ull << 20)	/* xz -9 is 64 MiB of window */
#define ARCHIVE_LARGE (72ull << 20)	/* an entry's, for the same */
#define ARCHIVE_WAITING 4		/* batches; with as many at work: */
#define ARCHIVE_ENTRIES (16ull << 20)

static bool is_stopped(void *arg)
{
	return scan_is_stopped(arg);
}

/* Forks the reader's child: this comes before any thread is started. */
static int open_foreign(struct scanning *s, struct err *e)
{
	struct foreign_options o = { .memory = ARCHIVE_READER, .is_cancelled = is_stopped,
				     .arg = s };
	const char *name = strrchr(s->source, '/');

	if (foreign_open(s->source_fd, name ? name + 1 : s->source, &o, &s->foreign, e) == 0) {
		snprintf(s->scan.source_kind, sizeof s->scan.source_kind, "%s",
			 foreign_kind(s->foreign));
		atomic_store(&s->bytes_total, s->source_sx.stx_size);
		return 0;
	}
	/* A source that is damaged is no damage found in our archive. */
	if (e->code == MUNI_DAMAGED)
		e->code = MUNI_FORMAT;
	return err_wrap(e, "scanning %s", text_printable(s->source));
}

static void hash_number(struct hasher *h, uint64_t n)
{
	uint8_t bytes[8];
	struct writer w = writer_over(bytes, sizeof bytes);

	writer_u64(&w, n);
	hasher_update(h, bytes, sizeof bytes);
}

/* An archive that is still the same file, of which the same is left out, says the
 * same again. */
static int make_stamp(struct scanning *s, struct err *e)
{
	const struct statx *sx = &s->source_sx;
	const struct scan_options *o = s->options;
	struct hasher *h = hasher_new();

	if (!h)
		return no_memory(e);
	hash_number(h, walk_device(sx));
	hash_number(h, sx->stx_ino);
	hash_number(h, sx->stx_size);
	hash_number(h, (uint64_t)sx->stx_mtime.tv_sec);
	hash_number(h, sx->stx_mtime.tv_nsec);
	hash_number(h, (uint64_t)sx->stx_ctime.tv_sec);
	hash_number(h, sx->stx_ctime.tv_nsec);
	for (size_t i = 0; i < o->exclude_count; i++)
		hasher_update(h, o->excludes[i], strlen(o->excludes[i]) + 1);
	s->scan.stamp = hasher_finish(h);
	hasher_free(h);
	return 0;
}

static int open_source(struct scanning *s, struct err *e)
{
	s->source_fd = file_open_user(s->source, O_RDONLY | O_NOCTTY | O_NONBLOCK, 0, e);
	if (s->source_fd < 0)
		return -1;
	if (statx(s->source_fd, "", AT_EMPTY_PATH, WALK_STATX_MASK, &s->source_sx) < 0)
		return err_errno(e, "looking at %s", text_printable(s->source));
	s->scan.source = realpath(s->source, NULL);
	if (!s->scan.source)
		return err_errno(e, "finding out where %s is", text_printable(s->source));
	if ((s->source_sx.stx_mode & S_IFMT) == S_IFDIR) {
		strcpy(s->scan.source_kind, "directory");
		return 0;
	}
	if ((s->source_sx.stx_mode & S_IFMT) != S_IFREG)
		return err_set(e, MUNI_USAGE, "%s is neither a directory nor an archive file",
			       text_printable(s->source));
	return make_stamp(s, e) < 0 ? -1 : open_foreign(s, e);
}

static int open_examiner(struct scanning *s, struct err *e)
{
	const struct scan_options *o = s->options;
	unsigned room;
	struct examiner_options x = { .custom = o->custom, .custom_count = o->custom_count,
				      .limits = o->limits, .workers = s->workers,
				      .is_cancelled = is_stopped, .arg = s };

	if (s->foreign) {
		x.memory = ARCHIVE_LARGE;
		x.besides = ARCHIVE_READER + ARCHIVE_ENTRIES;
	}
	if (examiner_open(&x, &s->examiner, e) < 0)
		return -1;
	/* More would only hold entries while they wait. */
	s->workers = examiner_workers(s->examiner);
	room = s->foreign ? ARCHIVE_WAITING : s->workers * 2 + 4;
	s->tasks = queue_new(room);
	return s->tasks ? 0 : no_memory(e);
}

int scanning_new(struct vault *v, const char *source, const struct scan_options *o,
		 const struct vault_monitor *m, struct scanning **out, struct err *e)
{
	struct scanning *s = calloc(1, sizeof *s);

	*out = s;
	if (!s)
		return no_memory(e);
	s->vault = v;
	s->options = o;
	s->monitor = m;
	s->source = source;
	s->source_fd = -1;
	s->left_out = (struct ingest_options){ .excludes = o->excludes,
					       .exclude_count = o->exclude_count,
					       .one_file_system = o->one_file_system };
	s->workers = o->threads ? o->threads : team_processors();
	if (s->workers > WORKERS_MAX)
		s->workers = WORKERS_MAX;
	s->scan.began = vault_now(v);
	s->scan.fingerprint = recognisers_fingerprint(o->custom, o->custom_count);
	pthread_mutex_init(&s->failure_lock, NULL);
	ingest_accounts_init(&s->accounts);
	s->threads = calloc(s->workers + 2, sizeof *s->threads);
	s->flow = scan_flow_new();
	if (!s->threads || !s->flow)
		return no_memory(e);
	return open_source(s, e) < 0 ? -1 : open_examiner(s, e);
}

static void free_groups(struct map *groups)
{
	for (size_t i = 0; i < groups->capacity; i++)
		scan_group_unref((struct scan_group *)(uintptr_t)groups->slots[i].value);
	map_free(groups);
}

void scanning_free(struct scanning *s)
{
	if (!s)
		return;
	if (s->tasks)
		queue_free(s->tasks, scan_batch_free);
	scan_flow_free(s->flow);
	free_groups(&s->groups);
	examiner_close(s->examiner);
	foreign_close(s->foreign);
	ingest_accounts_free(&s->accounts);
	scan_clear(&s->scan);
	file_close(&s->source_fd);
	free(s->seen.words);
	free(s->threads);
	pthread_mutex_destroy(&s->failure_lock);
	free(s);
}
