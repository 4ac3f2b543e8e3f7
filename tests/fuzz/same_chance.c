#define OPENSSL_SUPPRESS_DEPRECATED	/* the providers' way has no generator that never ends */
#include "tests/fuzz/same_chance.h"

#include <openssl/rand.h>

#include "tests/fuzz/fuzz.h"

static uint64_t state;

static int draw(unsigned char *out, int size)
{
	for (int i = 0; i < size; i++) {
		uint64_t z = state += 0x9e3779b97f4a7c15u;	/* splitmix64, as replay.c */

		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
		z = (z ^ z >> 27) * 0x94d049bb133111ebu;
		out[i] = (unsigned char)(z ^ z >> 31);
	}
	return 1;
}

static int is_ready(void)
{
	return 1;
}

void same_chance(void)
{
	static const RAND_METHOD method = { .bytes = draw, .pseudorand = draw,
					    .status = is_ready };

	MUST(RAND_set_rand_method(&method) == 1);
}
