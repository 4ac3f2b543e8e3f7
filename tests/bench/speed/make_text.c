/*
 * The two corpora that are made, not found: one large log, and many small texts.
 *
 *	make_text log FILE BYTES SEED
 *	make_text files FOLDER FOLDERS FILES-A-FOLDER SEED
 *
 * The same arguments give the same bytes on any machine and any number of threads:
 * each piece of the log and each folder has a generator of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	WORDS = 6000,
	WORD_SIZE = 16,
	DRAWS = 1 << 16,	/* words by their frequency, so that a draw is one look */
	PIECE = 8 << 20,
	LINE_MAX_SIZE = 512,
	URLS = 3000,
	URL_SIZE = 72,
	SMALLEST = 100,
	LARGEST = 4000,
	FILES_MAX = 5000000,
};

struct language {
	char word[WORDS][WORD_SIZE];
	uint16_t draw[DRAWS];
};

struct job {
	const struct language *language;
	const char *path;
	uint64_t seed;
	uint64_t size;		/* log: bytes */
	unsigned folders, files;
	atomic_uint next;	/* the piece or folder that nobody has begun */
	atomic_bool failed;
};

/* SplitMix64 (Steele, Lea, Flood 2014): any state is a good one. */
static uint64_t chance(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static unsigned below(uint64_t *state, unsigned limit)
{
	return (unsigned)((chance(state) >> 32) * limit >> 32);
}

static uint64_t seeded(uint64_t seed, uint64_t part)
{
	uint64_t state = seed ^ (part + 1) * 0xd1342543de82ef95;

	return chance(&state);
}

/* Words of one to four syllables; the nth is drawn in proportion to 1 / (n + 3). */
static struct language *language_new(uint64_t seed)
{
	static const char consonants[] = "bcdfghklmnprstvz", vowels[] = "aeiou", ends[] = "nrst";
	struct language *l = malloc(sizeof *l);
	uint64_t state = seeded(seed, 0);
	double all = 0, sum = 0;
	unsigned at = 0;

	if (!l)
		return NULL;
	for (unsigned i = 0; i < WORDS; i++) {
		char *w = l->word[i];

		for (unsigned k = 1 + below(&state, 4); k > 0; k--) {
			*w++ = consonants[below(&state, sizeof consonants - 1)];
			*w++ = vowels[below(&state, sizeof vowels - 1)];
		}
		if (below(&state, 2))
			*w++ = ends[below(&state, sizeof ends - 1)];
		*w = '\0';
		all += 1.0 / (i + 3);
	}
	for (unsigned i = 0; i < WORDS; i++) {
		sum += 1.0 / (i + 3);
		while (at < DRAWS && (double)at < sum / all * DRAWS)
			l->draw[at++] = (uint16_t)i;
	}
	while (at < DRAWS)
		l->draw[at++] = WORDS - 1;
	return l;
}

static const char *frequent(const struct language *l, uint64_t *state)
{
	return l->word[l->draw[chance(state) >> 48]];
}

static bool write_all(int fd, const char *data, size_t size, uint64_t offset)
{
	while (size > 0) {
		ssize_t n = pwrite(fd, data, size, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		data += n;
		size -= (size_t)n;
		offset += (uint64_t)n;
	}
	return true;
}

struct lines {
	uint64_t state;
	uint64_t clock;		/* milliseconds */
	uint64_t record;
	char url[URLS][URL_SIZE];
};

static size_t line(struct lines *s, const struct language *l, char *out)
{
	static const char *const agents[] = {
		"Mozilla/5.0 (X11; Linux x86_64)", "batch-client/3.1",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64)", "monitor/1.9",
	};
	unsigned level = below(&s->state, 100), status = below(&s->state, 100);
	uint64_t numbers = chance(&s->state);

	s->clock += below(&s->state, 400);
	s->record++;
	return (size_t)snprintf(out, LINE_MAX_SIZE,
		"%llu,%llu.%03llu,%s,user%05u,%s,%s,%u,%08x,%s,%s %s %s %s\n",
		(unsigned long long)s->record, (unsigned long long)(s->clock / 1000),
		(unsigned long long)(s->clock % 1000),
		level < 80 ? "info" : level < 90 ? "warning" : level < 97 ? "debug" : "error",
		below(&s->state, 64000), s->url[below(&s->state, URLS)],
		status < 85 ? "200" : status < 93 ? "304" : status < 98 ? "404" : "500",
		(unsigned)(numbers & 0xfffff), (unsigned)(numbers >> 32),
		agents[below(&s->state, 4)], frequent(l, &s->state), frequent(l, &s->state),
		frequent(l, &s->state), frequent(l, &s->state));
}

static bool make_piece(const struct job *job, int fd, unsigned piece, char *buffer, struct lines *s)
{
	uint64_t from = (uint64_t)piece * PIECE;
	size_t size = job->size - from < PIECE ? (size_t)(job->size - from) : PIECE, used = 0;

	s->state = seeded(job->seed, piece + 1);
	s->clock = 1500000000000 + (uint64_t)piece * 100000000;
	s->record = (uint64_t)piece * 100000;
	/* The addresses of a service stay the same for a while, not for ever. */
	uint64_t urls = seeded(job->seed, 1000000 + piece / 8);
	for (unsigned i = 0; i < URLS; i++) {
		size_t n = 0;

		for (unsigned k = 1 + below(&urls, 4); k > 0; k--)
			n += (size_t)snprintf(s->url[i] + n, URL_SIZE - n, "/%s",
					      job->language->word[below(&urls, WORDS)]);
	}
	while (used < size)
		used += line(s, job->language, buffer + used);
	if (size > 0 && from + size == job->size)
		buffer[size - 1] = '\n';	/* the last line is cut, and ends */
	return write_all(fd, buffer, size, from);
}

static void *make_log(void *argument)
{
	struct job *job = argument;
	unsigned pieces = (unsigned)((job->size + PIECE - 1) / PIECE), piece;
	char *buffer = malloc(PIECE + LINE_MAX_SIZE);
	struct lines *s = malloc(sizeof *s);
	int fd = open(job->path, O_WRONLY);

	if (!buffer || !s || fd < 0)
		atomic_store(&job->failed, true);
	while (!atomic_load(&job->failed) && (piece = atomic_fetch_add(&job->next, 1)) < pieces)
		if (!make_piece(job, fd, piece, buffer, s))
			atomic_store(&job->failed, true);
	if (fd >= 0)
		close(fd);
	free(s);
	free(buffer);
	return NULL;
}

static bool make_file(const struct job *job, int folder, unsigned number, uint64_t *state)
{
	char text[LARGEST + WORD_SIZE + 1], name[24];
	double share = (double)(chance(state) >> 11) / 9007199254740992.0;
	size_t size = (size_t)(SMALLEST * pow((double)LARGEST / SMALLEST, share)), used = 0;

	if (size < SMALLEST)
		size = SMALLEST;
	while (used < size)
		used += (size_t)snprintf(text + used, sizeof text - used, "%s ",
					 frequent(job->language, state));
	text[size - 1] = '\n';
	snprintf(name, sizeof name, "f%03u.txt", number);
	int fd = openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	bool ok = fd >= 0 && write_all(fd, text, size, 0);
	if (fd >= 0 && close(fd) < 0)
		ok = false;
	return ok;
}

static void *make_files(void *argument)
{
	struct job *job = argument;
	unsigned number;

	while (!atomic_load(&job->failed) &&
	       (number = atomic_fetch_add(&job->next, 1)) < job->folders) {
		uint64_t state = seeded(job->seed, number + 1);
		char path[4096];
		int folder = -1;

		snprintf(path, sizeof path, "%s/d%05u", job->path, number);
		if (mkdir(path, 0755) == 0 || errno == EEXIST)
			folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		bool ok = folder >= 0;
		for (unsigned i = 0; ok && i < job->files; i++)
			ok = make_file(job, folder, i, &state);
		if (folder >= 0)
			close(folder);
		if (!ok)
			atomic_store(&job->failed, true);
	}
	return NULL;
}

static bool on_all_cores(void *(*work)(void *), struct job *job)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	pthread_t thread[64];
	unsigned begun = 0;

	while (begun < 64 && (long)begun < cores &&
	       pthread_create(&thread[begun], NULL, work, job) == 0)
		begun++;
	if (begun == 0)
		work(job);
	for (unsigned i = 0; i < begun; i++)
		pthread_join(thread[i], NULL);
	return !atomic_load(&job->failed);
}

int main(int argc, char **argv)
{
	struct job job = { 0 };
	bool ok = false;

	if (argc == 5 && strcmp(argv[1], "log") == 0) {
		job.size = strtoull(argv[3], NULL, 10);
		job.seed = strtoull(argv[4], NULL, 10);
	} else if (argc == 6 && strcmp(argv[1], "files") == 0) {
		job.folders = (unsigned)strtoul(argv[3], NULL, 10);
		job.files = (unsigned)strtoul(argv[4], NULL, 10);
		job.seed = strtoull(argv[5], NULL, 10);
	} else {
		fprintf(stderr, "usage: make_text log FILE BYTES SEED\n"
				"       make_text files FOLDER FOLDERS FILES-A-FOLDER SEED\n");
		return 2;
	}
	if ((uint64_t)job.folders * job.files > FILES_MAX) {
		fprintf(stderr, "make_text: %u folders of %u files each would be more than %d "
			"files, which few disks have inodes for\n", job.folders, job.files,
			FILES_MAX);
		return 2;
	}
	job.path = argv[2];
	struct language *language = language_new(job.seed);
	job.language = language;
	if (language && job.size > 0) {
		int fd = open(job.path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

		ok = fd >= 0 && ftruncate(fd, (off_t)job.size) == 0 && close(fd) == 0 &&
		     on_all_cores(make_log, &job);
	} else if (language) {
		ok = (mkdir(job.path, 0755) == 0 || errno == EEXIST) &&
		     on_all_cores(make_files, &job);
	}
	free(language);
	if (!ok)
		fprintf(stderr, "make_text: %s: %s\n", job.path, strerror(errno));
	return ok ? 0 : 1;
}
