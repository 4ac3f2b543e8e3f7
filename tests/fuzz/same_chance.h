/* Of OpenSSL's chance: the same in each process, so that keys and signatures are the same, and
 * what broke a target breaks it again. */
#ifndef TESTS_FUZZ_SAME_CHANCE_H
#define TESTS_FUZZ_SAME_CHANCE_H

void same_chance(void);

#endif
