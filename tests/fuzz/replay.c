/*
 * A fuzz target without a fuzzer: replay ROUNDS FOLDER... gives it every file of the
 * folders as it is, and then, ROUNDS times each, with some bytes changed by a seeded
 * chance.  What breaks is left in replay-crash.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"

#define INPUT_MAX (1u << 20)

static uint8_t now[2 * INPUT_MAX];
static size_t now_size;

static uint64_t draw(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;	/* splitmix64 (Steele, Lea, Flood 2014) */

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static void on_crash(int number)
{
	int fd = open("replay-crash", O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd >= 0 && write(fd, now, now_size) >= 0)
		close(fd);
	signal(number, SIG_DFL);
	raise(number);
}

static void change(uint64_t *seed)
{
	unsigned times = 1 + (unsigned)(draw(seed) % 8);

	for (unsigned i = 0; i < times && now_size > 0; i++) {
		size_t at = (size_t)(draw(seed) % now_size), n = (size_t)(draw(seed) % 16 + 1);

		switch (draw(seed) % 6) {
		case 0:
			now[at] ^= (uint8_t)(1u << draw(seed) % 8);
			break;
		case 1:
			now[at] = (uint8_t)draw(seed);
			break;
		case 2:		/* as a size: the largest, or none */
			memset(now + at, draw(seed) % 2 ? 0xff : 0,
			       n < now_size - at ? n : now_size - at);
			break;
		case 3:
			now_size = at;
			break;
		case 4:
			n = n < now_size - at ? n : now_size - at;
			memmove(now + at, now + at + n, now_size - at - n);
			now_size -= n;
			break;
		default:	/* a piece once more */
			n = n < now_size - at ? n : now_size - at;
			memmove(now + at + n, now + at, now_size - at);
			now_size += n;
			if (now_size > INPUT_MAX)
				now_size = INPUT_MAX;
		}
	}
}

static void play(const char *folder, const char *name, unsigned long rounds)
{
	static uint8_t whole[INPUT_MAX];
	char path[4096];
	struct stat st;
	uint64_t seed = 1;
	ssize_t size;
	int fd;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	fd = open(path, O_RDONLY);
	MUST(fd >= 0 && fstat(fd, &st) == 0);
	if (!S_ISREG(st.st_mode)) {
		close(fd);
		return;
	}
	size = read(fd, whole, sizeof whole);
	MUST(size >= 0);
	close(fd);
	for (unsigned long i = 0; i <= rounds; i++) {
		memcpy(now, whole, (size_t)size);
		now_size = (size_t)size;
		if (i > 0)
			change(&seed);
		/* In a place of its own size: a byte read past its end is seen. */
		uint8_t *copy = malloc(now_size + (now_size == 0));

		MUST(copy);
		memcpy(copy, now, now_size);
		LLVMFuzzerTestOneInput(copy, now_size);
		free(copy);
	}
}

int main(int argc, char **argv)
{
	unsigned long rounds, count = 0;

	MUST(argc >= 3);
	rounds = strtoul(argv[1], NULL, 10);
	signal(SIGABRT, on_crash);
	signal(SIGSEGV, on_crash);
	signal(SIGBUS, on_crash);
	signal(SIGFPE, on_crash);
	LLVMFuzzerInitialize(&argc, &argv);
	for (int i = 2; i < argc; i++) {
		DIR *d = opendir(argv[i]);

		if (!d)
			continue;	/* nothing broke it yet */
		for (struct dirent *at; (at = readdir(d)); )
			if (at->d_name[0] != '.') {
				play(argv[i], at->d_name, rounds);
				count++;
			}
		closedir(d);
	}
	printf("%lu inputs, each as it is and changed %lu times\n", count, rounds);
	return count > 0 ? 0 : 1;	/* a target without a seed tests nothing */
}
