#include "fs/store/columns_guess.h"

#include "fs/crypt/arena.h"
#include "fs/store/columns_inside.h"

#define VALUES 2048u	/* that are counted */
#define LEAST 48u	/* fewer say nothing */
#define LONG 96u	/* on average: text, most likely */

struct columns_counts {
	uint32_t values, bytes;
	uint32_t all[256], in_all;
	uint32_t at[COLUMNS_PLACES][256], in[COLUMNS_PLACES];
};

static unsigned bits(uint64_t v)
{
	return v == 0 ? 0 : 64 - (unsigned)__builtin_clzll(v);
}

void columns_guess_int(struct columns_guess *g, uint64_t value, uint64_t folded)
{
	if (!g->has_first)
		g->first = value;
	else
		g->differences += bits(folded);
	g->has_first = true;
	g->plain += bits(columns_fold(value - g->first));
}

void columns_guess_bytes(struct columns_guess *g, const uint8_t *bytes, uint32_t size)
{
	struct columns_counts *n = g->counts;

	if (size == 0)
		return;
	if (!n && !g->is_counted)
		n = g->counts = arena_new_zeroed(sizeof *n);
	g->is_counted = true;
	if (!n || n->values == VALUES)
		return;
	n->values++;
	n->bytes += size;
	for (uint32_t i = 0; i < size && i < COLUMNS_PLACES; i++) {
		n->all[bytes[i]]++;
		n->in_all++;
		n->at[i][bytes[i]]++;
		n->in[i]++;
	}
}

/* 256 times the binary logarithm. */
static uint64_t log256(uint64_t v)
{
	unsigned whole = bits(v) - 1;
	uint64_t x = whole > 31 ? v >> (whole - 31) : v << (31 - whole), fraction = 0;

	for (int i = 0; i < 8; i++) {
		x = x * x >> 31;
		fraction <<= 1;
		if (x >> 32) {
			fraction |= 1;
			x >>= 1;
		}
	}
	return (uint64_t)whole << 8 | fraction;
}

/* 256 times the bits that these counts stand for, and something for few of them: rare bytes
 * look more regular than they are (Miller and Madow). */
static uint64_t entropy(const uint32_t counts[256], uint32_t sum)
{
	uint64_t total = 0, kinds = 0;

	for (int i = 0; i < 256; i++)
		if (counts[i] != 0) {
			total += counts[i] * (log256(sum) - log256(counts[i]));
			kinds++;
		}
	return total + (kinds > 1 ? (kinds - 1) * 185 : 0);
}

static bool is_better_apart(const struct columns_counts *n)
{
	uint64_t apart = 0;

	if (n->values < LEAST || n->bytes / n->values > LONG)
		return false;
	for (uint32_t i = 0; i < COLUMNS_PLACES && n->in[i] > 0; i++)
		apart += entropy(n->at[i], n->in[i]);
	return apart * 5 < entropy(n->all, n->in_all) * 4;
}

unsigned columns_guess_end(const struct columns_guess *g)
{
	unsigned flags = 0;

	if (g->differences < g->plain)
		flags |= COLUMN_IS_DIFFERENCE;
	if (g->counts && is_better_apart(g->counts))
		flags |= COLUMN_IS_APART;
	return flags;
}

void columns_guess_free(struct columns_guess *g)
{
	arena_free(g->counts);
	g->counts = NULL;
}
