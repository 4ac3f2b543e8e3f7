/*
 * What the primitives under the archive can do on this machine, by themselves.
 *
 *	limits code FILE LEVEL SECONDS	encode and decode with zstd, seal with AES-256-GCM, digest
 *				with SHA-256: blocks of 128 KiB of FILE in memory, each for so
 *				long, on one thread and on all
 *	limits disk FILE BYTES		write with fsync, and read again what is not in memory
 *	limits files FOLDER		read all files below it, on all threads, each asked for ahead
 *
 * Prints lines "NAME THREADS MiB/s", in bytes of the source, whatever they shrink to; of files
 * "NAME THREADS SECONDS".
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zstd.h>

enum { BLOCK = 128 << 10, THREADS_MAX = 64, SAMPLE = 64 << 20, PIECE = 1 << 20,
	AHEAD = 64, EXPECTED = 512 << 10, FILES_OPEN = 16 };

struct sample {
	uint8_t *data;
	size_t size;
	unsigned blocks;
	uint8_t **coded;	/* zstd's frame of each block */
	size_t *coded_size;
	int level;
	double seconds;		/* of each measure */
};

struct work {
	const struct sample *sample;
	int (*act)(struct work *w, unsigned block);
	unsigned first;		/* each thread begins elsewhere */
	ZSTD_CCtx *encoder;
	ZSTD_DCtx *decoder;
	EVP_CIPHER_CTX *cipher;
	EVP_MD_CTX *digest;
	uint8_t *out;
	uint64_t bytes;
	double seconds;
	pthread_barrier_t *start;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static size_t size_of(const struct sample *s, unsigned block)
{
	size_t from = (size_t)block * BLOCK;

	return s->size - from < BLOCK ? s->size - from : BLOCK;
}

static int encode(struct work *w, unsigned b)
{
	const struct sample *s = w->sample;

	return ZSTD_isError(ZSTD_compressCCtx(w->encoder, w->out, ZSTD_compressBound(BLOCK),
			    s->data + (size_t)b * BLOCK, size_of(s, b), s->level)) ? -1 : 0;
}

static int decode(struct work *w, unsigned b)
{
	const struct sample *s = w->sample;

	return ZSTD_isError(ZSTD_decompressDCtx(w->decoder, w->out, BLOCK, s->coded[b],
			    s->coded_size[b])) ? -1 : 0;
}

static int seal(struct work *w, unsigned b)
{
	static const uint8_t key[32] = { 1 }, nonce[12] = { 2 };
	const struct sample *s = w->sample;
	int n = 0;

	return EVP_EncryptInit_ex(w->cipher, EVP_aes_256_gcm(), NULL, key, nonce) == 1 &&
	       EVP_EncryptUpdate(w->cipher, w->out, &n, s->data + (size_t)b * BLOCK,
				 (int)size_of(s, b)) == 1 &&
	       EVP_EncryptFinal_ex(w->cipher, w->out + n, &n) == 1 ? 0 : -1;
}

static int digest(struct work *w, unsigned b)
{
	const struct sample *s = w->sample;

	return EVP_DigestInit_ex(w->digest, EVP_sha256(), NULL) == 1 &&
	       EVP_DigestUpdate(w->digest, s->data + (size_t)b * BLOCK, size_of(s, b)) == 1 &&
	       EVP_DigestFinal_ex(w->digest, w->out, NULL) == 1 ? 0 : -1;
}

static void *run(void *argument)
{
	struct work *w = argument;
	unsigned b = w->first;

	pthread_barrier_wait(w->start);
	double began = now();
	while (now() - began < w->sample->seconds) {
		if (w->act(w, b) < 0)
			return NULL;
		w->bytes += size_of(w->sample, b);
		b = (b + 1) % w->sample->blocks;
	}
	w->seconds = now() - began;
	return NULL;
}

static bool measured(const struct sample *s, const char *name, unsigned threads,
		     int (*act)(struct work *, unsigned))
{
	struct work works[THREADS_MAX] = { 0 };
	pthread_t thread[THREADS_MAX];
	pthread_barrier_t start;
	double rate = 0;

	pthread_barrier_init(&start, NULL, threads);
	for (unsigned i = 0; i < threads; i++) {
		works[i] = (struct work){ .sample = s, .act = act, .start = &start,
			.first = s->blocks / threads * i, .encoder = ZSTD_createCCtx(),
			.decoder = ZSTD_createDCtx(), .cipher = EVP_CIPHER_CTX_new(),
			.digest = EVP_MD_CTX_new(), .out = malloc(ZSTD_compressBound(BLOCK) + 64) };
		if (!works[i].out || pthread_create(&thread[i], NULL, run, &works[i]) != 0)
			exit(1);
	}
	bool ok = true;
	for (unsigned i = 0; i < threads; i++) {
		struct work *w = &works[i];

		pthread_join(thread[i], NULL);
		ok = ok && w->seconds > 0;
		rate += w->seconds > 0 ? (double)w->bytes / w->seconds : 0;
		ZSTD_freeCCtx(w->encoder);
		ZSTD_freeDCtx(w->decoder);
		EVP_CIPHER_CTX_free(w->cipher);
		EVP_MD_CTX_free(w->digest);
		free(w->out);
	}
	pthread_barrier_destroy(&start);
	if (ok)
		printf("%s %u %.1f\n", name, threads, rate / (1 << 20));
	return ok;
}

static bool sample_read(struct sample *s, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	s->data = malloc(SAMPLE);
	while (fd >= 0 && s->data && s->size < SAMPLE &&
	       (n = read(fd, s->data + s->size, SAMPLE - s->size)) > 0)
		s->size += (size_t)n;
	if (fd >= 0)
		close(fd);
	s->blocks = (unsigned)((s->size + BLOCK - 1) / BLOCK);
	s->coded = calloc(s->blocks + 1, sizeof *s->coded);
	s->coded_size = calloc(s->blocks + 1, sizeof *s->coded_size);
	return s->blocks > 0 && s->coded && s->coded_size;
}

static bool sample_encode(struct sample *s)
{
	uint8_t *out = malloc(ZSTD_compressBound(BLOCK));

	for (unsigned b = 0; out && b < s->blocks; b++) {
		size_t n = ZSTD_compress(out, ZSTD_compressBound(BLOCK),
					 s->data + (size_t)b * BLOCK, size_of(s, b), s->level);

		s->coded[b] = ZSTD_isError(n) ? NULL : malloc(n);
		if (!s->coded[b])
			return false;
		memcpy(s->coded[b], out, n);
		s->coded_size[b] = n;
	}
	free(out);
	return out != NULL;
}

static int code(const char *path, int level, double seconds)
{
	struct sample s = { .level = level, .seconds = seconds };
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned all = cores > THREADS_MAX ? THREADS_MAX : (unsigned)cores;
	bool ok = sample_read(&s, path) && sample_encode(&s);

	for (unsigned threads = 1; ok; threads = all) {
		ok = measured(&s, "zstd-encode", threads, encode) &&
		     measured(&s, "zstd-decode", threads, decode) &&
		     measured(&s, "aes-256-gcm", threads, seal) &&
		     measured(&s, "sha-256", threads, digest);
		if (threads == all)
			break;
	}
	for (unsigned b = 0; s.coded && b < s.blocks; b++)
		free(s.coded[b]);
	free(s.coded);
	free(s.coded_size);
	free(s.data);
	if (!ok)
		fprintf(stderr, "limits: %s: cannot be measured\n", path);
	return !ok;
}

static int disk(const char *path, uint64_t bytes)
{
	uint8_t *buffer = malloc(PIECE);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	double began = now();
	uint64_t done = 0;
	bool ok = buffer && fd >= 0;

	/* What is written differs from MiB to MiB: no disk may take it for one. */
	for (uint64_t i = 0; ok && i < PIECE; i += 8)
		memcpy(buffer + i, &(uint64_t){ i * 0x9e3779b97f4a7c15 }, 8);
	for (; ok && done < bytes; done += PIECE) {
		memcpy(buffer, &done, sizeof done);
		ok = write(fd, buffer, PIECE) == PIECE;
	}
	ok = ok && fsync(fd) == 0;
	if (ok)
		printf("disk-write 1 %.1f\n", (double)done / (now() - began) / (1 << 20));
	ok = ok && posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0 && lseek(fd, 0, SEEK_SET) == 0;
	began = now();
	for (uint64_t at = 0; ok && at < done; at += PIECE)
		ok = read(fd, buffer, PIECE) == PIECE;
	if (ok)
		printf("disk-read 1 %.1f\n", (double)done / (now() - began) / (1 << 20));
	else
		fprintf(stderr, "limits: %s: %s\n", path, strerror(errno));
	if (fd >= 0) {
		close(fd);
		unlink(path);
	}
	free(buffer);
	return !ok;
}

/* ---- files ------------------------------------------------------------------- */

struct piece {
	int fd;
	off_t at;
};

static struct {
	struct piece *list;	/* owned: of all files, one behind the other */
	size_t count, capacity;
	atomic_size_t next;
	atomic_bool has_failed;
} pieces;

static int add_file(const char *path, const struct stat *st, int kind, struct FTW *place)
{
	int fd = kind == FTW_F && S_ISREG(st->st_mode) ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	(void)place;
	for (off_t at = 0; fd >= 0 && at < st->st_size; at += PIECE) {
		if (pieces.count == pieces.capacity) {
			size_t room = pieces.capacity ? 2 * pieces.capacity : 1024;
			void *grown = realloc(pieces.list, room * sizeof *pieces.list);

			if (!grown)
				return -1;
			pieces.list = grown;
			pieces.capacity = room;
		}
		pieces.list[pieces.count++] = (struct piece){ fd, at };
	}
	return kind == FTW_F && S_ISREG(st->st_mode) && fd < 0 ? -1 : 0;
}

static void expect(size_t i)
{
	for (off_t done = 0; i < pieces.count && done < PIECE; done += EXPECTED)
		posix_fadvise(pieces.list[i].fd, pieces.list[i].at + done, EXPECTED,
			      POSIX_FADV_WILLNEED);
}

static void *read_pieces(void *unused)
{
	uint8_t *buffer = malloc(PIECE);
	size_t i;

	(void)unused;
	while (buffer && (i = atomic_fetch_add(&pieces.next, 1)) < pieces.count) {
		for (size_t k = 1; i == 0 && k < AHEAD; k++)
			expect(k);
		expect(i + AHEAD);
		if (pread(pieces.list[i].fd, buffer, PIECE, pieces.list[i].at) <= 0)
			atomic_store(&pieces.has_failed, true);
	}
	if (!buffer)
		atomic_store(&pieces.has_failed, true);
	free(buffer);
	return NULL;
}

static int files(const char *folder)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned threads = cores > THREADS_MAX ? THREADS_MAX : (unsigned)cores, made = 0;
	pthread_t thread[THREADS_MAX];
	double began = now();

	bool ok = nftw(folder, add_file, FILES_OPEN, FTW_PHYS) == 0;
	while (ok && made < threads && pthread_create(&thread[made], NULL, read_pieces, NULL) == 0)
		made++;
	ok = ok && made == threads;
	while (made > 0)
		pthread_join(thread[--made], NULL);
	ok = ok && !atomic_load(&pieces.has_failed);
	if (ok)
		printf("files %u %.4f\n", threads, now() - began);
	else
		fprintf(stderr, "limits: %s: cannot be read\n", folder);
	free(pieces.list);
	return !ok;
}

int main(int argc, char **argv)
{
	if (argc == 5 && strcmp(argv[1], "code") == 0)
		return code(argv[2], atoi(argv[3]), strtod(argv[4], NULL));
	if (argc == 4 && strcmp(argv[1], "disk") == 0)
		return disk(argv[2], strtoull(argv[3], NULL, 10));
	if (argc == 3 && strcmp(argv[1], "files") == 0)
		return files(argv[2]);
	fprintf(stderr, "usage: limits code FILE LEVEL SECONDS | disk FILE BYTES | files FOLDER\n");
	return 2;
}
