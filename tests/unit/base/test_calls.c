/*
 * Lists of system calls: the program does what libseccomp's does that was made of the same
 * rules, for every call and for arguments on both sides of every rule; and so does the kernel.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "fs/base/calls.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1		/* they make calls of their own */
#else
#define IS_SANITIZED 0
#endif

#define REFUSED 61	/* of all errors, one that none of these calls has by itself */
#define NUMBERS 1024	/* above all calls that there are */
#define HIGH ((scmp_datum_t)1 << 32)

/* ---- rules, as the product has them ----------------------------------------------------- */

struct rule {
	uint32_t action;
	int call;
	unsigned count;
	struct scmp_arg_cmp arguments[2];
};

#define ALLOW SCMP_ACT_ALLOW
#define ERROR SCMP_ACT_ERRNO

static const struct rule some[] = {
	{ ALLOW, SCMP_SYS(read), 0, { { 0 } } },
	{ ALLOW, SCMP_SYS(write), 0, { { 0 } } },
	{ ALLOW, SCMP_SYS(exit), 0, { { 0 } } },
	{ ALLOW, SCMP_SYS(exit_group), 0, { { 0 } } },
	{ ALLOW, SCMP_SYS(getpid), 0, { { 0 } } },
	{ ALLOW, SCMP_SYS(gettid), 0, { { 0 } } },
	{ ALLOW, SCMP_SYS(rt_sigprocmask), 0, { { 0 } } },
	{ ERROR(ENOSYS), SCMP_SYS(clone3), 0, { { 0 } } },
	{ SCMP_ACT_KILL_PROCESS, SCMP_SYS(ptrace), 0, { { 0 } } },
	{ ALLOW, SCMP_SYS(mmap), 1, { SCMP_CMP(2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0) } },
	{ ALLOW, SCMP_SYS(clone), 1, { SCMP_CMP(0, SCMP_CMP_MASKED_EQ, 0x10000, 0x10000) } },
	{ ALLOW, SCMP_SYS(fcntl), 1, { SCMP_CMP(5, SCMP_CMP_MASKED_EQ, HIGH | 6, HIGH | 2) } },
	{ ALLOW, SCMP_SYS(close), 1, { SCMP_CMP(0, SCMP_CMP_LT, 3) } },
	{ ALLOW, SCMP_SYS(lseek), 1, { SCMP_CMP(1, SCMP_CMP_EQ, HIGH + 5) } },
	{ ALLOW, SCMP_SYS(lseek), 1, { SCMP_CMP(1, SCMP_CMP_EQ, 5) } },
	{ ALLOW, SCMP_SYS(dup3), 1, { SCMP_CMP(1, SCMP_CMP_NE, HIGH + 5) } },
	{ ALLOW, SCMP_SYS(dup3), 1, { SCMP_CMP(1, SCMP_CMP_EQ, HIGH + 5) } },
	{ ERROR(EBADF), SCMP_SYS(setpriority), 2, { SCMP_CMP(0, SCMP_CMP_EQ, 7),
						    SCMP_CMP(1, SCMP_CMP_EQ, 9) } },
	{ ALLOW, SCMP_SYS(setpriority), 2, { SCMP_CMP(0, SCMP_CMP_NE, 7),
					     SCMP_CMP(1, SCMP_CMP_EQ, 9) } },
	{ ERROR(EACCES), SCMP_SYS(prlimit64), 2, { SCMP_CMP(0, SCMP_CMP_MASKED_EQ, 0xff, 3),
						   SCMP_CMP(1, SCMP_CMP_LT, 9) } },
};
#define SOME (sizeof some / sizeof *some)

static void make(struct calls *c, uint32_t otherwise)
{
	calls_begin(c, otherwise);
	for (size_t i = 0; i < SOME; i++)
		if (some[i].count)
			calls_rule_if(c, some[i].action, some[i].call, some[i].count,
				      some[i].arguments);
		else
			calls_rule(c, some[i].action, &some[i].call, 1);
	calls_end(c);
}

/* The same by libseccomp, which writes its program to files only. */
static void make_by_library(struct calls *c, uint32_t otherwise)
{
	scmp_filter_ctx library = seccomp_init(otherwise);
	int fd = memfd_create("calls", MFD_CLOEXEC);
	ssize_t n;

	assert_non_null(library);
	assert_true(fd >= 0);
	assert_int_equal(seccomp_attr_set(library, SCMP_FLTATR_ACT_BADARCH,
					  SCMP_ACT_KILL_PROCESS), 0);
	for (size_t i = 0; i < SOME; i++)
		if (some[i].action != otherwise)	/* which it takes for a mistake */
			assert_int_equal(seccomp_rule_add_array(library, some[i].action,
								some[i].call, some[i].count,
								some[i].arguments), 0);
	assert_int_equal(seccomp_export_bpf(library, fd), 0);
	n = pread(fd, c->code, sizeof c->code, 0);
	assert_true(n > 0 && (size_t)n < sizeof c->code);
	c->length = (size_t)n / sizeof *c->code;
	seccomp_release(library);
	close(fd);
}

/* ---- a program run as the kernel runs it ------------------------------------------------ */

/* Documentation/networking/filter.rst of the kernel's, in so far as the two make use of it. */
static uint32_t run(const struct calls *c, const struct seccomp_data *d)
{
	uint32_t a = 0;

	for (size_t at = 0; at < c->length; at++) {
		const struct sock_filter *i = c->code + at;

		switch (i->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			assert_true(i->k <= sizeof *d - sizeof a && i->k % sizeof a == 0);
			memcpy(&a, (const unsigned char *)d + i->k, sizeof a);
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= i->k;
			break;
		case BPF_JMP | BPF_JA:
			at += i->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			at += a == i->k ? i->jt : i->jf;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			at += a > i->k ? i->jt : i->jf;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			at += a >= i->k ? i->jt : i->jf;
			break;
		case BPF_RET | BPF_K:
			return i->k;
		default:
			fail_msg("instruction %zu: %#x", at, i->code);
		}
	}
	fail_msg("the program has no end");
	return 0;
}

static void assert_same(const struct calls *ours, const struct calls *theirs,
			const struct seccomp_data *d)
{
	if (run(ours, d) != run(theirs, d))
		fail_msg("call %d (%llx, %llx, %llx): %#x, by libseccomp %#x", d->nr, d->args[0],
			 d->args[1], d->args[2], run(ours, d), run(theirs, d));
}

/* Each value that the rules name, its neighbours, and each with one bit the other way. */
static size_t collect(scmp_datum_t *out)
{
	size_t count = 0;

	for (size_t i = 0; i < SOME; i++)
		for (unsigned k = 0; k < some[i].count; k++) {
			const struct scmp_arg_cmp *a = some[i].arguments + k;
			const scmp_datum_t named[] = { a->datum_a, a->datum_b, a->datum_a + 1,
						       a->datum_a - 1 };

			for (size_t n = 0; n < 4; n++) {
				out[count++] = named[n];
				for (unsigned bit = 0; bit < 64; bit++)
					out[count++] = named[n] ^ (scmp_datum_t)1 << bit;
			}
		}
	return count;
}

static void programs_agree(uint32_t otherwise)
{
	static scmp_datum_t values[SOME * 2 * 4 * 65];
	size_t count = collect(values);
	struct calls ours, theirs;
	struct seccomp_data d = { .arch = seccomp_arch_native() };

	make(&ours, otherwise);
	make_by_library(&theirs, otherwise);
	assert_true(ours.length <= CALLS_PROGRAM_MAX);
	for (d.nr = 0; d.nr < NUMBERS; d.nr++)
		assert_same(&ours, &theirs, &d);
	for (size_t i = 0; i < SOME; i++)
		for (size_t v = 0; v < count; v++) {
			const scmp_datum_t first[] = { 0, 3, 7, values[v] };

			d.nr = some[i].call;
			for (size_t f = 0; f < 4; f++) {
				memset(d.args, 0, sizeof d.args);
				d.args[0] = first[f];
				d.args[1] = d.args[2] = d.args[5] = values[v];
				assert_same(&ours, &theirs, &d);
				d.args[1] = 9;
				assert_same(&ours, &theirs, &d);
			}
		}
	d = (struct seccomp_data){ .nr = SYS_read, .arch = ~d.arch };
	assert_same(&ours, &theirs, &d);
	assert_int_equal(run(&ours, &d), SECCOMP_RET_KILL_PROCESS);
#ifdef __x86_64__
	d = (struct seccomp_data){ .nr = 0x40000000 | SYS_read, .arch = seccomp_arch_native() };
	assert_same(&ours, &theirs, &d);
#endif
}

static void it_does_what_that_of_libseccomp_does(void **state)
{
	(void)state;
	programs_agree(SCMP_ACT_ERRNO(REFUSED));
	programs_agree(SCMP_ACT_KILL_PROCESS);
}

static void it_takes_away_what_that_of_libseccomp_takes_away(void **state)
{
	const struct scmp_arg_cmp others = SCMP_A0(SCMP_CMP_NE, 4711);
	struct seccomp_data d = { .nr = SYS_tgkill, .arch = seccomp_arch_native() };
	struct calls c;

	(void)state;
	calls_begin(&c, SCMP_ACT_ALLOW);
	calls_rule_if(&c, SCMP_ACT_KILL_PROCESS, SCMP_SYS(tgkill), 1, &others);
	calls_end(&c);
	for (unsigned bit = 0; bit < 64; bit++) {
		d.args[0] = 4711u ^ (scmp_datum_t)1 << bit;
		assert_int_equal(run(&c, &d), SECCOMP_RET_KILL_PROCESS);
	}
	d.args[0] = 4711;
	assert_int_equal(run(&c, &d), SECCOMP_RET_ALLOW);
	d.nr = SYS_read;
	assert_int_equal(run(&c, &d), SECCOMP_RET_ALLOW);
}

/* ---- the kernel --------------------------------------------------------------------------- */

static bool fails_with(long rc, int why)
{
	return rc < 0 && errno == why;
}

/* Behind the list; 0, or which of these went another way. */
static int try_calls(void)
{
	if (getpid() <= 0 || !fails_with(write(-1, "", 1), EBADF))
		return 1;
	if (!fails_with(syscall(SYS_getppid), REFUSED) || !fails_with(syscall(SYS_getuid), REFUSED))
		return 2;
	if (syscall(SYS_mmap, 0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == -1)
		return 3;
	if (!fails_with(syscall(SYS_mmap, 0, 4096, PROT_READ | PROT_EXEC,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), REFUSED))
		return 4;
	if (!fails_with(syscall(SYS_close, 77), REFUSED) ||
	    !fails_with(syscall(SYS_close, HIGH + 1), REFUSED))
		return 5;
	/* There is no eighth "which": EINVAL is the kernel's to what the list lets through. */
	if (!fails_with(syscall(SYS_setpriority, 8, 9, 0), EINVAL) ||
	    !fails_with(syscall(SYS_setpriority, 7, 9, 0), EBADF) ||
	    !fails_with(syscall(SYS_setpriority, 8, 8, 0), REFUSED))
		return 6;
	return fails_with(syscall(SYS_clone3, NULL, 0), ENOSYS) ? 0 : 7;
}

static int behind(int (*act)(void))
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		struct calls c;

		make(&c, SCMP_ACT_ERRNO(REFUSED));
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || calls_enter(&c) < 0)
			_exit(100);
		_exit(act());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static int act_ptrace(void)
{
	return (int)syscall(SYS_ptrace, 0, 0, 0, 0);
}

static void the_kernel_does_what_the_list_says(void **state)
{
	(void)state;
	if (IS_SANITIZED)
		skip();
	assert_int_equal(behind(try_calls), 0);
	assert_int_equal(behind(act_ptrace), -SIGSYS);
}

/* ---- what is no list ------------------------------------------------------------------------ */

static void a_list_that_does_not_fit_cannot_be_entered(void **state)
{
	static const int one[] = { SCMP_SYS(read) };
	struct calls c;

	(void)state;
	calls_begin(&c, SCMP_ACT_ALLOW);
	for (int i = 0; i < CALLS_PROGRAM_MAX; i++)
		calls_rule(&c, SCMP_ACT_ALLOW, one, 1);
	calls_end(&c);
	errno = 0;
	assert_int_equal(calls_enter(&c), -1);
	assert_int_equal(errno, E2BIG);
}

static void a_comparison_that_is_not_known_makes_no_list(void **state)
{
	const struct scmp_arg_cmp unknown = SCMP_A0(SCMP_CMP_GT, 3), large = SCMP_A0(SCMP_CMP_LT, HIGH);
	struct calls c;

	(void)state;
	calls_begin(&c, SCMP_ACT_ALLOW);
	calls_rule_if(&c, SCMP_ACT_KILL_PROCESS, SCMP_SYS(read), 1, &unknown);
	calls_end(&c);
	assert_int_equal(calls_enter(&c), -1);
	calls_begin(&c, SCMP_ACT_ALLOW);
	calls_rule_if(&c, SCMP_ACT_KILL_PROCESS, SCMP_SYS(read), 1, &large);
	calls_end(&c);
	assert_int_equal(calls_enter(&c), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_does_what_that_of_libseccomp_does),
		cmocka_unit_test(it_takes_away_what_that_of_libseccomp_takes_away),
		cmocka_unit_test(the_kernel_does_what_the_list_says),
		cmocka_unit_test(a_list_that_does_not_fit_cannot_be_entered),
		cmocka_unit_test(a_comparison_that_is_not_known_makes_no_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
