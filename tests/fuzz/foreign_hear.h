/* Everything that a reading child said, heard to its end; F2 to F4 are held against it.
 * is_honest: nonsense is a crash. */
#ifndef TESTS_FUZZ_FOREIGN_HEAR_H
#define TESTS_FUZZ_FOREIGN_HEAR_H

#include <stdbool.h>

struct foreign_options;

void foreign_hear(int said, const struct foreign_options *o, bool is_honest);

#endif
