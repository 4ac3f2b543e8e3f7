/* A folder of this process in memory where the system has one, for targets that read
 * files; removed at the end. */
#ifndef TESTS_FUZZ_SCRATCH_H
#define TESTS_FUZZ_SCRATCH_H

#include <stddef.h>

int scratch_folder(void);	/* its descriptor */
const char *scratch_path(void);
/* The whole file, anew; folders on the way are made. */
void scratch_put(int folder, const char *name, const void *data, size_t size);

#endif
