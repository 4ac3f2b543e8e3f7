/*
 * A program that lets itself be dumped, for tests of what a core would hold: preloaded with
 * LD_PRELOAD.  What forbids cores is answered with success and not done; Landlock, which
 * would not let the core be made, is said not to be there.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

long syscall(long number, ...)
{
	__typeof__(&syscall) real = (__typeof__(&syscall))dlsym(RTLD_NEXT, "syscall");
	long words[6];
	va_list args;

	va_start(args, number);
	for (int i = 0; i < 6; i++)
		words[i] = va_arg(args, long);
	va_end(args);
	if (number == SYS_landlock_create_ruleset) {
		errno = ENOSYS;
		return -1;
	}
	return real(number, words[0], words[1], words[2], words[3], words[4], words[5]);
}

int prctl(int option, ...)
{
	__typeof__(&prctl) real = (__typeof__(&prctl))dlsym(RTLD_NEXT, "prctl");
	unsigned long words[4];
	va_list args;

	va_start(args, option);
	for (int i = 0; i < 4; i++)
		words[i] = va_arg(args, unsigned long);
	va_end(args);
	return option == PR_SET_DUMPABLE ? 0 : real(option, words[0], words[1], words[2], words[3]);
}

int setrlimit64(__rlimit_resource_t resource, const struct rlimit64 *limit)
{
	__typeof__(&setrlimit64) real = (__typeof__(&setrlimit64))dlsym(RTLD_NEXT, "setrlimit64");

	return resource == RLIMIT_CORE ? 0 : real(resource, limit);
}

int setrlimit(__rlimit_resource_t resource, const struct rlimit *limit)
{
	__typeof__(&setrlimit) real = (__typeof__(&setrlimit))dlsym(RTLD_NEXT, "setrlimit");

	return resource == RLIMIT_CORE ? 0 : real(resource, limit);
}
