/*
 * Does a run of characters look drawn, or written?
 */
#ifndef POLICY_DETECT_RANDOMNESS_H
#define POLICY_DETECT_RANDOMNESS_H

#include <stdbool.h>

#include "policy/detect/around.h"

/* Bits a character (Shannon), of its own distribution; at most 256 bytes are looked at. */
double randomness_entropy(struct span s);

/*
 * Base64, base32, base62 or hexadecimal of at least 16 characters (hexadecimal: 24)
 * whose letters, cases and digits follow each other as drawn ones do: not a path, an
 * identifier, a UUID, a sentence, a number.
 */
bool randomness_is_key(struct span s);

/* xxxx, 0000, ****, abcdefgh, 1234: drawn by nobody. */
bool randomness_is_filler(struct span s);

#endif
