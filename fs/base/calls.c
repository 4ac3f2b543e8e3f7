#include "fs/base/calls.h"

#include <endian.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#define X32 0x40000000u	/* above it x86-64 has the numbers of a third architecture */
#define DATA(field) ((uint32_t)offsetof(struct seccomp_data, field))
#define SHORT_JUMP_MAX 255
#define DOES_NOT_FIT (CALLS_PROGRAM_MAX + 1)	/* a length with which nobody enters */

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCHITECTURE AUDIT_ARCH_RISCV64
#elif defined(__powerpc64__) && BYTE_ORDER == LITTLE_ENDIAN
#define ARCHITECTURE AUDIT_ARCH_PPC64LE
#elif defined(__s390x__)
#define ARCHITECTURE AUDIT_ARCH_S390X
#else
#error "no number of this architecture for its filters of system calls"
#endif

/* ---- instructions ---------------------------------------------------------------------- */

static void put(struct calls *c, uint16_t code, uint32_t k, size_t if_so, size_t if_not)
{
	if (c->length >= CALLS_PROGRAM_MAX || if_so > SHORT_JUMP_MAX || if_not > SHORT_JUMP_MAX) {
		c->length = DOES_NOT_FIT;
		return;
	}
	c->code[c->length++] = (struct sock_filter){ code, (uint8_t)if_so, (uint8_t)if_not, k };
}

static void put_load(struct calls *c, uint32_t offset)
{
	put(c, BPF_LD | BPF_W | BPF_ABS, offset, 0, 0);
}

static void put_jump(struct calls *c, uint16_t test, uint32_t k, size_t if_so, size_t if_not)
{
	put(c, (uint16_t)(BPF_JMP | test | BPF_K), k, if_so, if_not);
}

static void put_return(struct calls *c, uint32_t action)
{
	put(c, BPF_RET | BPF_K, action, 0, 0);
}

/* ---- one argument ------------------------------------------------------------------------ */

static size_t length_of(const struct scmp_arg_cmp *a)
{
	return a->op == SCMP_CMP_MASKED_EQ ? 6 : 4;
}

/* 64 bits by halves.  Goes on behind itself where it holds, and where not `skip` further. */
static void put_comparison(struct calls *c, const struct scmp_arg_cmp *a, size_t skip)
{
	const uint32_t low = DATA(args) + a->arg * 8u + (BYTE_ORDER == BIG_ENDIAN ? 4 : 0);
	const uint32_t high = DATA(args) + a->arg * 8u + (BYTE_ORDER == BIG_ENDIAN ? 0 : 4);
	const uint32_t low_a = (uint32_t)a->datum_a, high_a = (uint32_t)(a->datum_a >> 32);

	switch (a->op) {
	case SCMP_CMP_EQ:
		put_load(c, high);
		put_jump(c, BPF_JEQ, high_a, 0, 2 + skip);
		put_load(c, low);
		put_jump(c, BPF_JEQ, low_a, 0, skip);
		break;
	case SCMP_CMP_NE:
		put_load(c, high);
		put_jump(c, BPF_JEQ, high_a, 0, 2);
		put_load(c, low);
		put_jump(c, BPF_JEQ, low_a, skip, 0);
		break;
	case SCMP_CMP_LT:
		if (high_a != 0)
			c->length = DOES_NOT_FIT;
		put_load(c, high);
		put_jump(c, BPF_JEQ, 0, 0, 2 + skip);
		put_load(c, low);
		put_jump(c, BPF_JGE, low_a, skip, 0);
		break;
	case SCMP_CMP_MASKED_EQ:
		put_load(c, high);
		put(c, BPF_ALU | BPF_AND | BPF_K, high_a, 0, 0);
		put_jump(c, BPF_JEQ, (uint32_t)(a->datum_b >> 32), 0, 3 + skip);
		put_load(c, low);
		put(c, BPF_ALU | BPF_AND | BPF_K, low_a, 0, 0);
		put_jump(c, BPF_JEQ, (uint32_t)a->datum_b, 0, skip);
		break;
	default:
		c->length = DOES_NOT_FIT;
	}
}

/* ---- the list ------------------------------------------------------------------------------ */

void calls_begin(struct calls *c, uint32_t otherwise)
{
	c->otherwise = otherwise;
	c->length = 0;
	put_load(c, DATA(arch));
	put_jump(c, BPF_JEQ, ARCHITECTURE, 1, 0);
	put_return(c, SECCOMP_RET_KILL_PROCESS);
	put_load(c, DATA(nr));
#ifdef __x86_64__
	put_jump(c, BPF_JGE, X32, 0, 1);
	put_return(c, SECCOMP_RET_KILL_PROCESS);
#endif
}

void calls_rule_if(struct calls *c, uint32_t action, int call, unsigned count,
		   const struct scmp_arg_cmp *arguments)
{
	size_t rest = 1;	/* from the next comparison to behind the return */

	if (call < 0)
		return;
	for (unsigned i = 0; i < count; i++)
		rest += length_of(arguments + i);
	put_jump(c, BPF_JEQ, (uint32_t)call, 0, rest + (count > 0));
	for (unsigned i = 0; i < count; i++) {
		rest -= length_of(arguments + i);
		put_comparison(c, arguments + i, rest);
	}
	put_return(c, action);
	if (count > 0)
		put_load(c, DATA(nr));
}

void calls_rule(struct calls *c, uint32_t action, const int *which, size_t count)
{
	for (size_t i = 0; i < count; i++)
		calls_rule_if(c, action, which[i], 0, NULL);
}

void calls_end(struct calls *c)
{
	put_return(c, c->otherwise);
}

int calls_enter(const struct calls *c)
{
	const struct sock_fprog program = { .len = (unsigned short)c->length,
					    .filter = (struct sock_filter *)c->code };

	if (c->length > CALLS_PROGRAM_MAX) {
		errno = E2BIG;
		return -1;
	}
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0 ? -1 : 0;
}
