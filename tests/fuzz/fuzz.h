/*
 * What every fuzz target has: libFuzzer calls these two; `make check` calls the same with
 * the seeds, with what once broke something, and with seeded changes of both (replay.c).
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* Of targets whose input has a form that changes of bytes seldom keep; a replay does without. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

/* A promise that does not hold is a crash. */
#define MUST(is_so) \
	do { \
		if (!(is_so)) { \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #is_so); \
			abort(); \
		} \
	} while (0)

#endif
