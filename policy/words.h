/*
 * Words of the policy language: tables of them, and the nearest to a misspelt one.
 */
#ifndef POLICY_WORDS_H
#define POLICY_WORDS_H

#include <stddef.h>

#define WORDS_TEXT_MAX 600

/* The index of word among `count` of them; -1: none. */
int words_find(const char *const *words, size_t count, const char *word);
/* "a, b or c", cut short with "..." where they are too many. */
const char *words_list(const char *const *words, size_t count, char out[WORDS_TEXT_MAX]);
/* The nearest word within a third of its letters, or one that begins so; NULL: none. */
const char *words_nearest(const char *const *words, size_t count, const char *word);

#endif
