#include "fs/base/confine.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/landlock.h"

#define NOBODY 65534u

int confine_descriptors(int first, struct err *e)
{
	long limit = sysconf(_SC_OPEN_MAX);

	if (close_range((unsigned)first, ~0u, 0) == 0)
		return 0;
	if ((errno != ENOSYS && errno != EPERM) || limit < 0)
		return err_errno(e, "closing descriptors");
	/* A container's own filter may not know the call. */
	for (int fd = first; fd < limit; fd++)
		close(fd);
	return 0;
}

void confine_signals(const int *ignored, size_t count)
{
	sigset_t none;

	for (int n = 1; n < NSIG; n++)
		(void)signal(n, SIG_DFL);
	for (size_t i = 0; i < count; i++)
		(void)signal(ignored[i], SIG_IGN);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Where even root may not become nobody (a container with one user) it keeps its
 * name and loses its powers. */
int confine_powers(struct err *e)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { { 0 }, { 0 } };

	if (geteuid() == 0) {
		(void)!setgroups(0, NULL);
		(void)!setresgid(NOBODY, NOBODY, NOBODY);
		(void)!setresuid(NOBODY, NOBODY, NOBODY);
	}
	/* A container may forbid even to give up; the filter stands all the same. */
	(void)syscall(SYS_capset, &head, none);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_errno(e, "giving up privileges");
	return 0;
}

int confine_files(struct err *e)
{
	uint64_t known;
	int ruleset = landlock_begin(&known), rc;

	if (known == 0)
		return 0;	/* this kernel has none: the rest of the door stands */
	rc = ruleset < 0 ? -1 : landlock_close(ruleset);
	if (rc < 0)
		err_errno(e, "closing the sandbox (Landlock)");
	if (ruleset >= 0)
		close(ruleset);
	return rc;
}

uint64_t confine_mapped(void)
{
	unsigned long long pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (!f)
		return 0;
	if (fscanf(f, "%llu", &pages) != 1)
		pages = 0;
	fclose(f);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}
