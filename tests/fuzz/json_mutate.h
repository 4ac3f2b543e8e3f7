/*
 * Changes of JSON that leave it JSON: what a fuzzer that knows bytes alone seldom hits.
 */
#ifndef TESTS_FUZZ_JSON_MUTATE_H
#define TESTS_FUZZ_JSON_MUTATE_H

#include <stddef.h>
#include <stdint.h>

/* As LLVMFuzzerCustomMutator(), of the bytes from `head` on; those before it, and every
 * fourth time all, are left to the fuzzer's own changes. */
size_t json_mutate(uint8_t *data, size_t size, size_t max_size, size_t head, unsigned seed);

#endif
