/*
 * The memory of decoded blocks: pages of one size, so that no byte is lost between blocks of many
 * sizes, and what a cache takes is what it counts.  Only fs/vault/block_cache.c includes this.
 *
 *   P1  What is given back lies free as it was, for the next block overwrites it;
 *       block_pages_wipe() makes zeros of it.
 *   P2  It is left out of core dumps.
 *
 * Thread-safe.  Lock: its own, a leaf.
 */
#ifndef FS_VAULT_BLOCK_PAGES_H
#define FS_VAULT_BLOCK_PAGES_H

#include <stddef.h>
#include <stdint.h>

#define BLOCK_PAGE 4096u

struct block_pages;

struct block_pages *block_pages_new(void);	/* NULL without memory */
/* `count` of them into out[]; those that lay side by side mostly do again.  -1: no memory. */
int block_pages_take(struct block_pages *p, unsigned count, uint8_t **out);
void block_pages_give(struct block_pages *p, uint8_t *const *pages, unsigned count);
/* Of what lies free so many bytes, or all, go back to the kernel as zeros. */
void block_pages_shrink(struct block_pages *p, size_t size);
void block_pages_wipe(struct block_pages *p);
void block_pages_free(struct block_pages *p);	/* wipes; NULL is allowed */

#endif
