/*
 * Sketches: what a block's bytes resemble, in a few numbers.
 *
 * A feature is a hash of 64 bytes at a place that the bytes themselves choose: mostly a
 * line's end.  Blocks that share a run of bytes share its features, wherever in them it
 * stands.  docs/decisions/0103-bases-by-sketches.md.
 *
 *   F1  The same bytes give the same features on every machine: they are stored.
 */
#ifndef FS_VAULT_SKETCH_H
#define FS_VAULT_SKETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fs/store/catalogue.h"

#define SKETCH_FEATURES_MAX 16384	/* that are looked at of one block */

/*
 * Into out[SKETCH_FEATURES_MAX], some perhaps more than once; returns how many.
 * is_thorough: every place, to ask who resembles this; else some of them are passed over,
 * which is cheaper, and good enough to be asked for.
 */
size_t sketch_features(const uint8_t *raw, size_t size, bool is_thorough, uint32_t *out);

/* The lowest of them that are kept of a block of this size: apart, ascending. */
void sketch_keep(const uint32_t *features, size_t count, size_t raw_size,
		 struct sketch *out);

/* Sorts, drops what is there twice; returns how many are left. */
size_t sketch_apart(uint32_t *features, size_t count);

#endif
