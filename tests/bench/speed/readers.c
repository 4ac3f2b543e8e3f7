/*
 * Reads of one file as a client makes them, through the page cache (never O_DIRECT).
 *
 *	readers all FILE
 *		everything once, in order, a MiB at a time
 *	readers random FILE BLOCK READERS READS SECONDS SEED
 *		READS reads of BLOCK bytes in all, or as many as fit into SECONDS
 *
 * Random reads: each reader has a descriptor and a part of the file of its own, so no
 * reader finds another's pages, and visits the blocks of its part in an order without
 * repetition, so none finds its own.  The kernel is told that access is random, as fio
 * tells it, and reads nothing ahead.  Prints: reads, seconds, and the median and
 * 99th percentile of a read in microseconds.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { READERS_MAX = 64, PIECE = 1 << 20 };

struct reader {
	int fd;
	size_t block;
	uint64_t first, blocks;	/* its part of the file */
	uint64_t reads;		/* at most */
	uint64_t seed;
	double until;
	uint32_t *took;		/* nanoseconds, one a read */
	uint64_t done;
	int error;
	pthread_barrier_t *start;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t mixed(uint64_t z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

/*
 * The nth element of an order of 0..count-1 that a seed gives: a Feistel network over the
 * next even power of two, walked until it falls inside.  A bijection, so without repetition.
 */
static uint64_t shuffled(uint64_t n, uint64_t count, uint64_t seed)
{
	unsigned half = 1;

	while (half < 32 && (1ull << (2 * half)) < count)
		half++;
	uint64_t mask = (1ull << half) - 1;
	do {
		uint64_t left = n >> half, right = n & mask;

		for (unsigned round = 0; round < 4; round++) {
			uint64_t next = left ^ (mixed(seed + round * 0x9e3779b97f4a7c15 + right) & mask);

			left = right;
			right = next;
		}
		n = left << half | right;
	} while (n >= count);
	return n;
}

static void *read_random(void *argument)
{
	struct reader *r = argument;
	char *buffer = malloc(r->block);

	pthread_barrier_wait(r->start);
	if (!buffer)
		r->error = ENOMEM;
	double before = now();
	double until = before + r->until;
	while (!r->error && r->done < r->reads && before < until) {
		uint64_t block = r->first + shuffled(r->done, r->blocks, r->seed);

		if (pread(r->fd, buffer, r->block, (off_t)(block * r->block)) != (ssize_t)r->block)
			r->error = errno ? errno : EIO;
		double after = now();
		r->took[r->done++] = (uint32_t)((after - before) * 1e9);
		before = after;
	}
	free(buffer);
	return NULL;
}

static int by_time(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* The readers' times one after another, sorted; prints the line. */
static int told(struct reader *readers, unsigned count, double seconds)
{
	uint64_t done = 0, at = 0;

	for (unsigned i = 0; i < count; i++) {
		if (readers[i].error) {
			fprintf(stderr, "readers: %s\n", strerror(readers[i].error));
			return 1;
		}
		done += readers[i].done;
	}
	uint32_t *all = malloc((done + 1) * sizeof *all);
	if (!all || done == 0)
		return free(all), 1;
	for (unsigned i = 0; i < count; i++) {
		memcpy(all + at, readers[i].took, readers[i].done * sizeof *all);
		at += readers[i].done;
	}
	qsort(all, done, sizeof *all, by_time);
	printf("%llu %.6f %.1f %.1f\n", (unsigned long long)done, seconds,
	       all[done / 2] / 1e3, all[done - 1 - done / 100] / 1e3);
	free(all);
	return 0;
}

static int random_reads(const char *path, size_t block, unsigned count, uint64_t reads,
			double seconds, uint64_t seed)
{
	struct reader readers[READERS_MAX] = { 0 };
	pthread_t thread[READERS_MAX];
	pthread_barrier_t start;
	struct stat st;
	int rc = 1;

	if (stat(path, &st) < 0 || block == 0 || count == 0 || count > READERS_MAX ||
	    (uint64_t)st.st_size / block < count) {
		fprintf(stderr, "readers: %s: cannot be read like that\n", path);
		return 1;
	}
	uint64_t share = (uint64_t)st.st_size / block / count;
	pthread_barrier_init(&start, NULL, count + 1);
	for (unsigned i = 0; i < count; i++) {
		struct reader *r = &readers[i];

		*r = (struct reader){ .fd = open(path, O_RDONLY | O_CLOEXEC), .block = block,
			.first = i * share, .blocks = share,
			.reads = reads / count < share ? reads / count : share,
			.seed = mixed(seed + i), .until = seconds, .start = &start };
		r->took = calloc(r->reads + 1, sizeof *r->took);
		if (r->fd < 0 || !r->took) {
			fprintf(stderr, "readers: %s: %s\n", path, strerror(errno));
			exit(1);
		}
		posix_fadvise(r->fd, 0, 0, POSIX_FADV_RANDOM);
	}
	for (unsigned i = 0; i < count; i++)
		if (pthread_create(&thread[i], NULL, read_random, &readers[i]) != 0)
			exit(1);
	pthread_barrier_wait(&start);
	double began = now();
	for (unsigned i = 0; i < count; i++)
		pthread_join(thread[i], NULL);
	rc = told(readers, count, now() - began);
	for (unsigned i = 0; i < count; i++) {
		close(readers[i].fd);
		free(readers[i].took);
	}
	pthread_barrier_destroy(&start);
	return rc;
}

static int read_all(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *buffer = malloc(PIECE);
	uint64_t sum = 0;
	ssize_t n = -1;
	double began = now();

	while (fd >= 0 && buffer && (n = read(fd, buffer, PIECE)) > 0)
		sum += (uint64_t)n;
	if (n < 0)
		fprintf(stderr, "readers: %s: %s\n", path, strerror(errno));
	else
		printf("%llu %.6f\n", (unsigned long long)sum, now() - began);
	if (fd >= 0)
		close(fd);
	free(buffer);
	return n < 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "all") == 0)
		return read_all(argv[2]);
	if (argc == 8 && strcmp(argv[1], "random") == 0)
		return random_reads(argv[2], strtoul(argv[3], NULL, 10),
				    (unsigned)strtoul(argv[4], NULL, 10), strtoull(argv[5], NULL, 10),
				    strtod(argv[6], NULL), strtoull(argv[7], NULL, 10));
	fprintf(stderr, "usage: readers all FILE\n"
			"       readers random FILE BLOCK READERS READS SECONDS SEED\n");
	return 2;
}
