/*
 * seek_memory PID: where byte strings stand in a process's memory.
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

static void search_mapping(struct search *s, int mem, unsigned long begin, unsigned long end)
{
	static uint8_t data[PIECE + SIZE_MAX_OF_ONE];

	for (int i = 0; i < s->count; i++)
		s->strings[i].count = 0;
	for (unsigned long at = begin; at < end; at += PIECE) {
		size_t left = end - at;
		size_t size = left < sizeof data ? left : sizeof data;
		read_piece(mem, at, data, size);
		search_in(s, data, size, left < PIECE ? left : PIECE, at);
	}
	for (int i = 0; i < s->count; i++)
		if (s->strings[i].count > 0)
			printf("%d %lx %lu\n", i, s->strings[i].first, s->strings[i].count);
}

int main(int argc, char **argv)
{
	static struct search s;
	char path[64], line[4096], rights[8];
	unsigned long begin, end;
	FILE *maps;
	int mem;

	s.strings = calloc(STRINGS_MAX, sizeof *s.strings);
	if (argc != 2 || !s.strings || !read_strings(&s))
		return 2;
	snprintf(path, sizeof path, "/proc/%ld/maps", atol(argv[1]));
	maps = fopen(path, "r");
	snprintf(path, sizeof path, "/proc/%ld/mem", atol(argv[1]));
	mem = open(path, O_RDONLY);
	if (!maps || mem < 0) {
		perror(path);
		return 1;
	}
	while (fgets(line, sizeof line, maps))
		if (sscanf(line, "%lx-%lx %7s", &begin, &end, rights) == 3 && rights[0] == 'r' &&
		    begin < 1UL << 63)
			search_mapping(&s, mem, begin, end);
	return fflush(stdout) == 0 ? 0 : 1;
}
