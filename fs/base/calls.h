/*
 * Lists of the system calls that a process may make: filters of the kernel's
 * (seccomp(2)), written here rule by rule.  Takes no memory, and so cannot fail for want
 * of it: libseccomp 2.5 then hangs, crashes, or leaves rules out and calls the filter good
 * (decision 0148).  Numbers and comparisons are libseccomp's; what the program does is held
 * against libseccomp's own in tests/unit/base/test_calls.c.
 *
 * Rules are tried in their order, the first that holds decides: what is called most
 * comes first.  A program of another architecture is ended by its first call.
 */
#ifndef FS_BASE_CALLS_H
#define FS_BASE_CALLS_H

#include <linux/filter.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>

#define CALLS_PROGRAM_MAX 1024

struct calls {
	uint32_t otherwise;
	size_t length;		/* over CALLS_PROGRAM_MAX: it did not fit */
	struct sock_filter code[CALLS_PROGRAM_MAX];
};

/* otherwise: what is done with a call (SCMP_ACT_...) of which no rule speaks. */
void calls_begin(struct calls *c, uint32_t otherwise);
/* What is done with these, whatever their arguments are.  Negative ones (SCMP_SYS() of what
 * this architecture does not have) are passed over. */
void calls_rule(struct calls *c, uint32_t action, const int *which, size_t count);
/* What is done with this one if all count arguments compare so: EQ, NE, MASKED_EQ, or
 * LT of less than 2^32. */
void calls_rule_if(struct calls *c, uint32_t action, int call, unsigned count,
		   const struct scmp_arg_cmp *arguments);
/* After the last rule. */
void calls_end(struct calls *c);

/* For this process and all that it starts from here on, for good; new privileges
 * (PR_SET_NO_NEW_PRIVS) must have been given up before.  0, or -1 and errno: EINVAL or
 * ENOSYS where the kernel has no filters, E2BIG: the list did not fit. */
int calls_enter(const struct calls *c);

#endif
