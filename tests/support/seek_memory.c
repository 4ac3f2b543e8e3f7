/*
 * seek_memory PID | FILE: where byte strings stand in a process's memory, or in a file (a
 * core), whose name has a slash in it.
 *
 * Standard input: the strings, a line of hexadecimal each, two bytes at least.  Prints
 * "STRING ADDRESS COUNT" for each and each mapping that it stands in, numbers from 0, the
 * address of the first in hexadecimal.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STRINGS_MAX 8192
#define SIZE_MAX_OF_ONE 256
#define PIECE ((size_t)4 << 20)

struct string {
	size_t size;
	int next;		/* of those that begin with the same two bytes; -1: none */
	unsigned long first, count;	/* in the present mapping */
	uint8_t bytes[SIZE_MAX_OF_ONE];
};

struct search {
	struct string *strings;
	int count;
	int begins[65536];	/* by the first two bytes; -1: none */
};

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_strings(struct search *s)
{
	char line[2 * SIZE_MAX_OF_ONE + 2];

	memset(s->begins, -1, sizeof s->begins);
	while (fgets(line, sizeof line, stdin)) {
		if (s->count == STRINGS_MAX)
			return false;
		struct string *t = &s->strings[s->count];
		for (const char *at = line; digit(at[0]) >= 0 && digit(at[1]) >= 0; at += 2)
			t->bytes[t->size++] = (uint8_t)(digit(at[0]) << 4 | digit(at[1]));
		if (t->size < 2)
			return false;
		int *begin = &s->begins[t->bytes[0] << 8 | t->bytes[1]];
		t->next = *begin;
		*begin = s->count++;
	}
	return true;
}

/* data[0..size), of which strings that begin before `until` count; it stands at `at`. */
static void search_in(struct search *s, const uint8_t *data, size_t size, size_t until,
		      unsigned long at)
{
	for (size_t i = 0; i < until && i + 1 < size; i++) {
		for (int n = s->begins[data[i] << 8 | data[i + 1]]; n >= 0;
		     n = s->strings[n].next) {
			struct string *t = &s->strings[n];
			if (t->size <= size - i && memcmp(t->bytes, data + i, t->size) == 0 &&
			    t->count++ == 0)
				t->first = at + i;
		}
	}
}

/* What cannot be read of a piece (a page that is not there) counts as zeros. */
static void read_piece(int mem, unsigned long at, uint8_t *data, size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), done = 0;

	while (done < size) {
		ssize_t n = pread(mem, data + done, size - done, (off_t)(at + done));
		if (n <= 0) {
			n = (ssize_t)(page - done % page);
			if ((size_t)n > size - done)
				n = (ssize_t)(size - done);
			memset(data + done, 0, (size_t)n);
		}
		done += (size_t)n;
	}
}

/* Pages that lie side by side. */
static void search_run(struct search *s, int mem, unsigned long begin, unsigned long end)
{
	static uint8_t data[PIECE + SIZE_MAX_OF_ONE];

	for (unsigned long at = begin; at < end; at += PIECE) {
		size_t left = end - at;
		size_t size = left < sizeof data ? left : sizeof data;
		read_piece(mem, at, data, size);
		search_in(s, data, size, left < PIECE ? left : PIECE, at);
	}
}

/* Has the page been touched, and is it not one of a file that can only be read? */
static bool is_worth_reading(uint64_t entry, bool is_writable)
{
	return entry >> 62 != 0 && (is_writable || (entry >> 61 & 1) == 0);
}

#define PAGES 65536u	/* looked up at once: a sanitizer has reserved terabytes */

/* What the kernel says of `count` pages from `at` on; where it does not, all are read. */
static void look_up(int pagemap, unsigned long at, unsigned long page, size_t count,
		    uint64_t entries[PAGES])
{
	ssize_t got = pread(pagemap, entries, count * sizeof *entries,
			    (off_t)(at / page * sizeof *entries));

	for (size_t i = got < 0 ? 0 : (size_t)got / sizeof *entries; i < count; i++)
		entries[i] = UINT64_MAX << 62;
}

static void report(const struct search *s)
{
	for (int i = 0; i < s->count; i++)
		if (s->strings[i].count > 0)
			printf("%d %lx %lu\n", i, s->strings[i].first, s->strings[i].count);
}

static void search_mapping(struct search *s, int mem, int pagemap, unsigned long begin,
			   unsigned long end, bool is_writable)
{
	static uint64_t entries[PAGES];
	unsigned long page = (unsigned long)sysconf(_SC_PAGESIZE), run = begin;

	for (int i = 0; i < s->count; i++)
		s->strings[i].count = 0;
	for (unsigned long at = begin; at < end; at += PAGES * page) {
		size_t left = (end - at) / page, count = left < PAGES ? left : PAGES;

		look_up(pagemap, at, page, count, entries);
		for (size_t i = 0; i < count; i++) {
			if (is_worth_reading(entries[i], is_writable))
				continue;
			search_run(s, mem, run, at + i * page);
			run = at + (i + 1) * page;
		}
	}
	search_run(s, mem, run, end);
	report(s);
}

static int search_file(struct search *s, const char *path)
{
	int fd = open(path, O_RDONLY);
	off_t size = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);

	if (size < 0) {
		perror(path);
		return 1;
	}
	search_run(s, fd, 0, (unsigned long)size);
	report(s);
	return fflush(stdout) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	static struct search s;
	char path[64], line[4096], rights[8];
	unsigned long begin, end;
	FILE *maps;
	int mem, pagemap;

	s.strings = calloc(STRINGS_MAX, sizeof *s.strings);
	if (argc != 2 || !s.strings || !read_strings(&s))
		return 2;
	if (strchr(argv[1], '/'))
		return search_file(&s, argv[1]);
	snprintf(path, sizeof path, "/proc/%ld/maps", atol(argv[1]));
	maps = fopen(path, "r");
	snprintf(path, sizeof path, "/proc/%ld/mem", atol(argv[1]));
	mem = open(path, O_RDONLY);
	snprintf(path, sizeof path, "/proc/%ld/pagemap", atol(argv[1]));
	pagemap = open(path, O_RDONLY);
	if (!maps || mem < 0 || pagemap < 0) {
		perror(path);
		return 1;
	}
	while (fgets(line, sizeof line, maps))
		if (sscanf(line, "%lx-%lx %7s", &begin, &end, rights) == 3 && rights[0] == 'r' &&
		    begin < 1UL << 63)
			search_mapping(&s, mem, pagemap, begin, end, rights[1] == 'w');
	return fflush(stdout) == 0 ? 0 : 1;
}
