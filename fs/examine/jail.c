#include "fs/examine/jail.h"

#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "fs/base/confine.h"
#include "fs/base/err.h"
#include "fs/examine/jail_filter.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1	/* then malloc is not ours: growth.c */
#else
#define IS_SANITIZED 0
#endif
#define HEADROOM (1u << 20)	/* for muni-examine itself */
#define DESCRIPTORS_MAX 32	/* standard, socket, the file, and what libraries keep */

/* ---- descriptors and signals ----------------------------------------------------------- */

int jail_descriptors(struct err *e)
{
	static const int ignored[] = { SIGINT, SIGQUIT, SIGHUP, SIGPIPE, SIGTSTP };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	confine_signals(ignored, sizeof ignored / sizeof *ignored);
	if (null < 0)
		return err_errno(e, "opening /dev/null");
	for (int fd = 0; fd < JAIL_SOCKET; fd++)
		if (dup2(null, fd) < 0)
			return err_errno(e, "arranging descriptors");
	return confine_descriptors(JAIL_SOCKET + 1, e);
}

/* ---- limits ---------------------------------------------------------------------------- */

/* Never above what this process was given. */
static int lower(int resource, uint64_t most)
{
	struct rlimit l;

	if (getrlimit(resource, &l) < 0)
		return -1;
	if (l.rlim_max == RLIM_INFINITY || l.rlim_max > most)
		l.rlim_max = most;
	l.rlim_cur = l.rlim_max;
	return setrlimit(resource, &l);
}

static int limit_memory(const struct jail_memory *m)
{
	uint64_t mapped, used, spare, lean;
	struct rlimit l;

	/* What warming up left free in the heap is mapped, and will be used first: it
	 * counts as taken by whoever takes it. */
	(void)malloc_trim(0);
	mapped = used = confine_mapped();
	if (mapped == 0)
		return 0;
	spare = mallinfo2().fordblks;
	used -= spare < used ? spare : used;
	lean = used + m->lean < mapped + HEADROOM ? mapped + HEADROOM : used + m->lean;
	if (lower(RLIMIT_AS, used + m->most) < 0 || getrlimit(RLIMIT_AS, &l) < 0)
		return -1;
	if (!IS_SANITIZED && l.rlim_cur > lean)
		l.rlim_cur = lean;
	return setrlimit(RLIMIT_AS, &l);
}

static int set_limits(const struct jail_memory *m, struct err *e)
{
	if (limit_memory(m) < 0 ||
	    lower(RLIMIT_NOFILE, DESCRIPTORS_MAX) < 0 || lower(RLIMIT_CORE, 0) < 0 ||
	    lower(RLIMIT_FSIZE, 0) < 0)
		return err_errno(e, "limiting the process that looks into files");
	return 0;
}

static void limit_seconds(struct rlimit *l, rlim_t until)
{
	if (until > l->rlim_max)
		until = l->rlim_max;
	if (l->rlim_cur == until)
		return;
	l->rlim_cur = until;
	(void)setrlimit(RLIMIT_CPU, l);
}

void jail_allow_seconds(unsigned seconds)
{
	struct rlimit l;
	struct timespec used;

	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) == 0 && getrlimit(RLIMIT_CPU, &l) == 0)
		limit_seconds(&l, (rlim_t)used.tv_sec + 1 + seconds);
}

void jail_add_seconds(unsigned seconds)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_CPU, &l) == 0 && l.rlim_cur != RLIM_INFINITY)
		limit_seconds(&l, l.rlim_cur + seconds);
}

/* ---- the door -------------------------------------------------------------------------- */

int jail_lift(pid_t worker, struct err *e)
{
	struct rlimit l;

	if (prlimit(worker, RLIMIT_AS, NULL, &l) < 0)
		return err_errno(e, "reading the limit of a process that looks into files");
	l.rlim_cur = l.rlim_max;
	if (prlimit(worker, RLIMIT_AS, &l, NULL) < 0)
		return err_errno(e, "lifting the limit of a process that looks into files");
	return 0;
}

int jail_close(const struct jail_memory *m, struct err *e)
{
	/* The limit needs /proc, which goes with the first of these. */
	if (set_limits(m, e) < 0 || confine_powers(e) < 0 || confine_files(e) < 0)
		return -1;
	return jail_filter(e);
}

int jail_close_worker(struct err *e)
{
	return jail_filter_worker(e);
}
