#include "fs/vault/block_pages.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "fs/crypt/secret.h"

#define SLAB ((size_t)1 << 20)	/* asked of the kernel at once; costs what is touched of it */

/* Pages that are free, last in first out. */
struct stack {
	uint8_t **pages;	/* room for all */
	size_t count;
};

struct block_pages {
	pthread_mutex_t lock;	/* protects all below */
	uint8_t **slabs;
	size_t slab_count;
	struct stack used;	/* in memory, with what stood there last */
	struct stack fresh;	/* zeros that take no memory yet */
};

struct block_pages *block_pages_new(void)
{
	struct block_pages *p = calloc(1, sizeof *p);

	if (!p)
		return NULL;
	pthread_mutex_init(&p->lock, NULL);
	return p;
}

static uint8_t *map(void)
{
	uint8_t *at = mmap(NULL, SLAB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		return NULL;
	if (madvise(at, SLAB, MADV_DONTDUMP) < 0) {
		munmap(at, SLAB);
		return NULL;
	}
	return at;
}

static int widen(uint8_t ***list, size_t count)
{
	uint8_t **wider = realloc(*list, count * sizeof *wider);

	if (wider)
		*list = wider;
	return wider ? 0 : -1;
}

/* Under the lock: its pages, the first on top. */
static void spread(struct block_pages *p, uint8_t *slab)
{
	for (size_t at = SLAB; at > 0; at -= BLOCK_PAGE)
		p->fresh.pages[p->fresh.count++] = slab + at - BLOCK_PAGE;
}

/* Under the lock. */
static int add_slab(struct block_pages *p)
{
	size_t pages = (p->slab_count + 1) * (SLAB / BLOCK_PAGE);
	uint8_t *slab;

	if (widen(&p->slabs, p->slab_count + 1) < 0 || widen(&p->used.pages, pages) < 0 ||
	    widen(&p->fresh.pages, pages) < 0 || !(slab = map()))
		return -1;
	p->slabs[p->slab_count++] = slab;
	spread(p, slab);
	return 0;
}

int block_pages_take(struct block_pages *p, unsigned count, uint8_t **out)
{
	int rc = 0;

	pthread_mutex_lock(&p->lock);
	while (rc == 0 && p->used.count + p->fresh.count < count)
		rc = add_slab(p);
	for (unsigned i = 0; rc == 0 && i < count; i++) {
		struct stack *from = p->used.count > 0 ? &p->used : &p->fresh;
		out[i] = from->pages[--from->count];
	}
	pthread_mutex_unlock(&p->lock);
	return rc;
}

void block_pages_give(struct block_pages *p, uint8_t *const *pages, unsigned count)
{
	pthread_mutex_lock(&p->lock);
	for (unsigned i = count; i-- > 0;)
		p->used.pages[p->used.count++] = pages[i];
	pthread_mutex_unlock(&p->lock);
}

/* Under the lock: the top one of `used` becomes fresh. */
static void renew_one(struct block_pages *p)
{
	uint8_t *page = p->used.pages[--p->used.count];

	secret_wipe(page, BLOCK_PAGE);
	(void)madvise(page, BLOCK_PAGE, MADV_DONTNEED);
	p->fresh.pages[p->fresh.count++] = page;
}

/* Under the lock, where none is out: a call a slab, not one a page. */
static void renew_all(struct block_pages *p)
{
	while (p->used.count > 0)
		secret_wipe(p->used.pages[--p->used.count], BLOCK_PAGE);
	p->fresh.count = 0;
	for (size_t i = p->slab_count; i-- > 0;) {
		(void)madvise(p->slabs[i], SLAB, MADV_DONTNEED);
		spread(p, p->slabs[i]);
	}
}

void block_pages_shrink(struct block_pages *p, size_t size)
{
	pthread_mutex_lock(&p->lock);
	for (size_t n = size / BLOCK_PAGE; n > 0 && p->used.count > 0; n--)
		renew_one(p);
	pthread_mutex_unlock(&p->lock);
}

void block_pages_wipe(struct block_pages *p)
{
	pthread_mutex_lock(&p->lock);
	if (p->used.count + p->fresh.count == p->slab_count * (SLAB / BLOCK_PAGE))
		renew_all(p);
	while (p->used.count > 0)
		renew_one(p);
	pthread_mutex_unlock(&p->lock);
}

void block_pages_free(struct block_pages *p)
{
	if (!p)
		return;
	block_pages_wipe(p);
	for (size_t i = 0; i < p->slab_count; i++)
		munmap(p->slabs[i], SLAB);
	free(p->slabs);
	free(p->used.pages);
	free(p->fresh.pages);
	pthread_mutex_destroy(&p->lock);
	free(p);
}
