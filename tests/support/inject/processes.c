/* Threads, processes, and what connects them; and programs that are started are told what we are. */
#include <errno.h>
#include <pthread.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "inject.h"

#define VARIABLES_MAX 1024

static bool is_refused(const char *name)
{
	enum verdict v = inject(OP_PROCESS, name);

	if (v == GOES_ON)
		return false;
	if (v == ENDS_AFTER)
		inject_end();
	errno = inject_code();
	return true;
}

int pthread_create(pthread_t *out, const pthread_attr_t *how, void *(*body)(void *), void *arg)
{
	REAL(int, pthread_create, pthread_t *, const pthread_attr_t *, void *(*)(void *), void *)
	return is_refused("pthread_create") ? EAGAIN : real(out, how, body, arg);
}

pid_t fork(void)
{
	REAL(pid_t, fork, void)
	return is_refused("fork") ? -1 : real();
}

int pipe2(int ends[2], int flags)
{
	REAL(int, pipe2, int *, int)
	return is_refused("pipe2") ? -1 : real(ends, flags);
}

int pipe(int ends[2])
{
	REAL(int, pipe, int *)
	return is_refused("pipe") ? -1 : real(ends);
}

int socketpair(int domain, int type, int protocol, int ends[2])
{
	REAL(int, socketpair, int, int, int, int *)
	return is_refused("socketpair") ? -1 : real(domain, type, protocol, ends);
}

int socket(int domain, int type, int protocol)
{
	REAL(int, socket, int, int, int)
	return is_refused("socket") ? -1 : real(domain, type, protocol);
}

int memfd_create(const char *name, unsigned flags)
{
	REAL(int, memfd_create, const char *, unsigned)
	return is_refused("memfd_create") ? -1 : real(name, flags);
}

int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
		const posix_spawnattr_t *how, char *const args[], char *const environment[])
{
	REAL(int, posix_spawn, pid_t *, const char *, const posix_spawn_file_actions_t *,
	     const posix_spawnattr_t *, char *const *, char *const *)
	extern char **environ;
	char *all[VARIABLES_MAX];
	unsigned count = 0;

	if (is_refused("posix_spawn"))
		return inject_code();
	if (getenv("FAULT_FOLLOW") == NULL)
		return real(pid, path, actions, how, args, environment);
	while (environment[count] != NULL && count < VARIABLES_MAX - 32) {
		all[count] = environment[count];
		count++;
	}
	for (char **v = environ; *v != NULL && count < VARIABLES_MAX - 1; v++)
		if (strncmp(*v, "FAULT_", 6) == 0 || strncmp(*v, "LD_PRELOAD=", 11) == 0)
			all[count++] = *v;
	all[count] = NULL;
	return real(pid, path, actions, how, args, all);
}
