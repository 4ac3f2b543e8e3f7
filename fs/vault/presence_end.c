/*
 * Mounts that do not answer: who they are, and their end.
 *
 * Ending the process frees its memory, keys too, and cuts the kernel's connection.
 * What stays are pages in the kernel's cache for whoever holds a file of it open: so
 * the mount is taken away and clean pages are dropped, which only root can ask for.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/vault/presence_inside.h"

#define DEATH_MS 10000		/* a process waiting for a failing disk takes long */
#define MOUNTS_MAX 64		/* places that one mount may be bound to */

/* ---- is it there -------------------------------------------------------------------- */

static void read_lock(int fd, struct presence_round *r)
{
	uint8_t raw[8];
	ssize_t got = pread(fd, r->about, PRESENCE_ABOUT_MAX - 1, 0);

	r->about[got > 0 ? got : 0] = '\0';
	if (pread(fd, raw, sizeof raw, PRESENCE_DEVICE_AT) == sizeof raw) {
		struct reader in = reader_over(raw, sizeof raw);
		r->device = reader_u64(&in);
	}
}

bool presence_is_alive(int rundir, struct presence_round *r)
{
	struct err ignored = ERR_NONE;
	char lock[PRESENCE_NAME_MAX + 8], sock[PRESENCE_NAME_MAX + 8];

	snprintf(lock, sizeof lock, "%s.lock", r->stem);
	snprintf(sock, sizeof sock, "%s.sock", r->stem);
	int fd = file_open(rundir, lock, O_RDWR, 0, &ignored);
	if (fd < 0)
		return false;
	bool is_free = file_lock(fd, true, 0, &ignored) == 0;
	if (is_free) {
		unlinkat(rundir, sock, 0);
		unlinkat(rundir, lock, 0);
	} else {
		read_lock(fd, r);
	}
	file_close(&fd);
	return !is_free;
}

/* ---- what is mounted ------------------------------------------------------------------ */

struct mounted {		/* one line of mountinfo; borrowed from it */
	uint64_t device;
	char *mountpoint, *type, *source;
};

/* "\040" and its like, as the kernel writes odd bytes. */
static void unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; to++) {
		if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] >= '0' &&
		    from[2] <= '7' && from[3] >= '0' && from[3] <= '7') {
			*to = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + from[3] - '0');
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
}

/* "ID PARENT MAJOR:MINOR ROOT MOUNTPOINT ... - TYPE SOURCE OPTIONS" */
static bool parse_line(char *line, struct mounted *out)
{
	unsigned major, minor;
	char *dash = strstr(line, " - "), *at = line, *save = NULL;

	if (!dash || sscanf(line, "%*u %*u %u:%u", &major, &minor) != 2)
		return false;
	for (unsigned field = 0; field < 4 && at; field++)
		at = (at = strchr(at, ' ')) ? at + 1 : NULL;
	if (!at || at > dash)
		return false;
	out->device = makedev(major, minor);
	out->type = strtok_r(dash + 3, " \n", &save);
	out->source = strtok_r(NULL, " \n", &save);
	at[strcspn(at, " ")] = '\0';
	out->mountpoint = at;
	if (!out->type || !out->source)
		return false;
	unescape(out->mountpoint);
	unescape(out->source);
	return strcmp(out->type, "fuse.munifs") == 0;
}

/* Calls row for every mount of munifs in our sight until it says true. */
static void each_mount(bool (*row)(void *arg, const struct mounted *m), void *arg)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	struct mounted m;
	char *line = NULL;
	size_t room = 0;
	bool is_stopped = false;

	while (f && !is_stopped && getline(&line, &room, f) > 0)
		is_stopped = parse_line(line, &m) && row(arg, &m);
	free(line);
	if (f)
		fclose(f);
}

struct sought {
	uint64_t device;
	char *mountpoint;	/* malloc'ed */
};

static bool is_device(void *arg, const struct mounted *m)
{
	struct sought *s = arg;

	if (m->device != s->device)
		return false;
	s->mountpoint = strdup(m->mountpoint);
	return true;
}

struct place {
	const char *mountpoint;
	uint64_t device;
};

static bool is_place(void *arg, const struct mounted *m)
{
	struct place *p = arg;

	if (strcmp(m->mountpoint, p->mountpoint) == 0)
		p->device = m->device;	/* go on: a later one lies over it */
	return false;
}

uint64_t presence_device_of(const char *mountpoint)
{
	struct place p = { .mountpoint = mountpoint };

	each_mount(is_place, &p);
	return p.device;
}

/* Each round takes one away; one that cannot be ends it. */
static void unmount(uint64_t device)
{
	bool is_gone = device != 0;

	for (unsigned i = 0; is_gone && i < MOUNTS_MAX; i++) {
		struct sought s = { .device = device };
		each_mount(is_device, &s);
		is_gone = s.mountpoint &&
			  umount2(s.mountpoint, MNT_DETACH | UMOUNT_NOFOLLOW) == 0;
		free(s.mountpoint);
	}
}

struct strangers {
	struct stat archive;
	const struct presence_round *rounds;
	size_t count;
	void (*row)(void *arg, const char *mountpoint);
	void *arg;
};

static bool is_stranger(void *arg, const struct mounted *m)
{
	struct strangers *s = arg;
	struct stat st;

	if (m->source[0] != '/' || stat(m->source, &st) < 0 ||
	    st.st_dev != s->archive.st_dev || st.st_ino != s->archive.st_ino)
		return false;
	for (size_t i = 0; i < s->count; i++)
		if (s->rounds[i].device == m->device)
			return false;
	s->row(s->arg, m->mountpoint);
	return false;
}

void presence_each_unregistered(const char *archive, const struct presence_round *rounds,
				size_t count, void (*row)(void *arg, const char *mountpoint),
				void *arg)
{
	struct strangers s = { .rounds = rounds, .count = count, .row = row, .arg = arg };

	if (stat(archive, &s.archive) == 0)
		each_mount(is_stranger, &s);
}

/* ---- the end ------------------------------------------------------------------------------ */

/* P4: the lock is held after the descriptor was made, so the process that made the
 * socket lived in between and the number was its own.  Returns a pidfd. */
static int find_process(int rundir, struct presence_round *r)
{
	char *end = NULL;
	long named = strtol(r->stem + strlen("mount."), &end, 10);

	if (r->pid <= 1 || named != r->pid || *end != '.') {
		snprintf(r->why, sizeof r->why, "its process cannot be told for certain, as of "
			 "another container: end it there");
		return -1;
	}
	int process = (int)syscall(SYS_pidfd_open, r->pid, 0);
	if (process >= 0 && presence_is_alive(rundir, r))
		return process;
	snprintf(r->why, sizeof r->why, "process %d cannot be reached: %s", r->pid,
		 process < 0 ? strerror(errno) : "it ended");
	file_close(&process);
	return -1;
}

static bool kill_process(int rundir, int process, struct presence_round *r)
{
	struct pollfd polled = { .fd = process, .events = POLLIN };

	if (syscall(SYS_pidfd_send_signal, process, SIGKILL, NULL, 0) < 0) {
		snprintf(r->why, sizeof r->why, "process %d cannot be ended: %s", r->pid,
			 strerror(errno));
		return false;
	}
	if (poll(&polled, 1, DEATH_MS) == 1 && !presence_is_alive(rundir, r))
		return true;
	snprintf(r->why, sizeof r->why, "process %d was told to end and does not", r->pid);
	return false;
}

/* Clean pages of all file systems: no other way leads to those of a mount whose
 * program is gone. */
static bool drop_pages(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);
	bool is_done = fd >= 0 && write(fd, "1", 1) == 1;

	file_close(&fd);
	return is_done;
}

bool presence_end(int rundir, struct presence_round *r)
{
	int process = find_process(rundir, r);
	bool is_dead;

	if (process < 0)
		return false;
	is_dead = kill_process(rundir, process, r);
	file_close(&process);
	if (!is_dead)
		return false;
	unmount(r->device);
	snprintf(r->why, sizeof r->why, r->device == 0 ?
		 "process %d was ended before it had mounted" : drop_pages() ?
		 "process %d was ended, its mount taken away, cached pages were dropped" :
		 "process %d was ended and its mount taken away; who holds a file of it open "
		 "may read cached pages until he closes it, for only root can drop them",
		 r->pid);
	return true;
}
