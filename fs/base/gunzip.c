#include "fs/base/gunzip.h"

#include <stdlib.h>
#include <zlib.h>

#include "fs/base/err.h"

#define PLAIN_SIZE (256u << 10)
#define WINDOW_GZIP_ONLY (MAX_WBITS + 16)	/* zlib then checks header and trailer */

struct gunzip {
	z_stream z;
	gunzip_fetch fetch;
	void *arg;
	bool is_between;	/* before a member's first byte */
	bool is_first;
	bool has_trailing, is_over;
	struct err failure;	/* told once what came before it was given */
	uint8_t plain[PLAIN_SIZE];
};

struct gunzip *gunzip_new(gunzip_fetch fetch, void *arg)
{
	struct gunzip *g = calloc(1, sizeof *g);

	if (!g)
		return NULL;
	g->fetch = fetch;
	g->arg = arg;
	g->is_between = g->is_first = true;
	if (inflateInit2(&g->z, WINDOW_GZIP_ONLY) != Z_OK) {
		free(g);
		return NULL;
	}
	return g;
}

static ssize_t refill(struct gunzip *g, struct err *e)
{
	const void *data;
	ssize_t n = g->fetch(g->arg, &data, e);

	if (n > 0) {
		g->z.next_in = (Bytef *)(uintptr_t)data;
		g->z.avail_in = (uInt)n;
	}
	return n;
}

/*
 * Between members: 1 when another begins, 0 at the end.  Tapes and disks leave
 * zeros behind the last; gzip(1) ignores them too.
 */
static int next_member(struct gunzip *g, struct err *e)
{
	for (;;) {
		if (g->z.avail_in == 0) {
			ssize_t n = refill(g, e);

			if (n <= 0)
				return (int)n;
		}
		if (g->is_first || *g->z.next_in == 0x1f)
			break;
		if (*g->z.next_in != 0)
			g->has_trailing = true;
		g->z.next_in++;
		g->z.avail_in--;
		if (g->has_trailing)
			return 0;
	}
	if (!g->is_first)
		(void)inflateReset(&g->z);
	g->is_first = g->is_between = false;
	return 1;
}

static int failed(const struct gunzip *g, int code, struct err *e)
{
	if (code == Z_MEM_ERROR)
		return err_set(e, MUNI_NO_MEMORY, "no memory to unpack gzip");
	return err_set(e, MUNI_DAMAGED, "its gzip packing is damaged (%s)",
		       g->z.msg ? g->z.msg : "bad data");
}

/* -1: g->failure says why; what came out before stands in g->plain. */
static int unpack(struct gunzip *g)
{
	struct err *e = &g->failure;

	while (g->z.avail_out > 0 && !g->is_over) {
		int code;

		if (g->is_between) {
			int n = next_member(g, e);

			if (n < 0)
				return -1;
			g->is_over = n == 0;
			continue;
		}
		if (g->z.avail_in == 0) {
			ssize_t n = refill(g, e);

			if (n < 0)
				return -1;
			if (n == 0)
				return err_set(e, MUNI_DAMAGED, "it was cut off: its gzip "
					       "packing has no end");
		}
		code = inflate(&g->z, Z_NO_FLUSH);
		if (code == Z_STREAM_END)
			g->is_between = true;
		else if (code != Z_OK && code != Z_BUF_ERROR)
			return failed(g, code, e);
	}
	return 0;
}

ssize_t gunzip_read(struct gunzip *g, const void **data, struct err *e)
{
	g->z.next_out = g->plain;
	g->z.avail_out = PLAIN_SIZE;
	if (g->failure.code != MUNI_OK || unpack(g) < 0) {
		if (g->z.avail_out == PLAIN_SIZE) {
			*e = g->failure;
			return -1;
		}
	}
	*data = g->plain;
	return (ssize_t)(PLAIN_SIZE - g->z.avail_out);
}

bool gunzip_has_trailing(const struct gunzip *g)
{
	return g->has_trailing;
}

void gunzip_free(struct gunzip *g)
{
	if (!g)
		return;
	inflateEnd(&g->z);
	free(g);
}
