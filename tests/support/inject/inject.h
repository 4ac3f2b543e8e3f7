/*
 * Calls that fail on order, for tests: a library that is preloaded with LD_PRELOAD.  It
 * stands before libc and SQLite, counts the calls of the kinds that were asked for, and
 * lets one of them (or that one and all later) fail, be cut short, or be the process's
 * last.  What it is told stands in the environment:
 *
 *   FAULT_OPS=write,sync,name,truncate,open,read,alloc,sqlite,reply,process
 *                      kinds that are counted (default: write,sync,name,truncate)
 *   FAULT_NTH=N        the Nth call counted fails (1 is the first); 0: only count
 *   FAULT_SITE=HEX     only calls made from this place in the program are counted: a
 *                      digest of the return addresses on the stack, see FAULT_TRACE
 *   FAULT_DEPTH=N      of so many of them (default 12)
 *   FAULT_OWN=N        of N in the program itself instead; where it had called a library, of
 *                      N - 1 and of the four innermost there
 *   FAULT_CALLER=HEX   only calls from this very address: spares a look at each other's stack
 *   FAULT_PATH=TEXT    of files, only those with TEXT in their path
 *   FAULT_HOW=HOW      what happens: an errno (EIO, ENOSPC, ENOMEM, EINTR, EAGAIN, EMFILE),
 *                      for SQLite NOMEM, IOERR, FULL, BUSY, CORRUPT;
 *                      "short": half is written or read, and it says so;
 *                      "kill": the process ends before the call, "after": after it,
 *                      "tear": half is written, then it ends;
 *                      "grow": a file that is read is one byte longer by then, and its
 *                      bytes are turned over
 *   FAULT_STICKY=1     and every later call of these kinds, wherever it is made (a disk that
 *                      stays full)
 *   FAULT_FOLLOW=1     programs that are started are told the same
 *   FAULT_COUNT=F      on exit the number of calls counted is written to F
 *   FAULT_TRACE=F      F is mapped and shared by all processes: how many calls were
 *                      counted, whether the fault came up, where from, and a table of all
 *                      places with how often each was passed (struct trace)
 *   FAULT_RECORD=F     every change of a file or a folder goes to F, with the bytes, in
 *                      the order in which it was made (record.c)
 *
 * No call is counted while another is being looked at in the same thread.
 */
#ifndef TESTS_SUPPORT_INJECT_H
#define TESTS_SUPPORT_INJECT_H

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

enum op {
	OP_WRITE = 1 << 0,	/* write and its kin, of regular files */
	OP_SYNC = 1 << 1,
	OP_NAME = 1 << 2,	/* rename, link, unlink, mkdir, open that makes a file */
	OP_TRUNCATE = 1 << 3,	/* ftruncate, fallocate */
	OP_OPEN = 1 << 4,	/* any other open */
	OP_READ = 1 << 5,
	OP_ALLOC = 1 << 6,	/* malloc and its kin, mmap, SQLite's own heap */
	OP_SQLITE = 1 << 7,
	OP_REPLY = 1 << 8,	/* write to /dev/fuse */
	OP_PROCESS = 1 << 9,	/* threads, processes, pipes, sockets, memory files */
};

enum verdict { GOES_ON, FAILS, IS_SHORT, ENDS_AFTER, IS_TORN, GROWS };

/* What becomes of this call; `name` is the function's.  With "kill" it does not return. */
enum verdict inject(enum op op, const char *name);
/* The same for a descriptor, which FAULT_PATH may leave out. */
enum verdict inject_fd(enum op op, const char *name, int fd);
/* The value that a failing call is to give: an errno, or SQLite's code. */
int inject_code(void);
void inject_end(void) __attribute__((noreturn));

/* True: the calls that follow are ours.  The value before is given back at the end. */
bool inject_hush(bool is_hushed);
bool inject_is_recording(void);
/* Do both stand in the same program or library? */
bool inject_is_same_part(const void *at, void (*function)(void));

/* The next function of this name, found once. */
#define REAL(type, name, ...) \
	static type (*real)(__VA_ARGS__); \
	if (real == NULL) { \
		void *found = dlsym(RTLD_NEXT, #name); \
		memcpy(&real, &found, sizeof real); \
	}

/* ---- the record ------------------------------------------------------------------- */

/* Before a call that changes something, and after it: calls are put in one order. */
void record_begin(void);
void record_end(void);
void record_write(int fd, const void *data, size_t size, off64_t at);
void record_truncate(int fd, off64_t size);
void record_sync(int fd);
void record_sync_all(int fd);
/* The name `name` below the folder `at` has become that of the file open as fd (made). */
void record_make(int at, const char *name, int fd);
void record_make_dir(int at, const char *name);
void record_link(int from_at, const char *from, int at, const char *name, int flags);
void record_rename(int from_at, const char *from, int at, const char *name);
void record_unlink(int at, const char *name);

/* ---- what the driver reads ----------------------------------------------------------- */

#define TRACE_FRAMES 24
#define TRACE_PLACES 65536	/* a power of two */
#define TRACE_MODULES 128

struct trace_place {
	uint64_t site;		/* 0: free */
	uint32_t op;
	uint32_t count;
	uint64_t caller;	/* the innermost of the frames */
	char name[24];
	uint32_t frames[TRACE_FRAMES][2];	/* module, offset */
};

struct trace {
	uint64_t counted;
	uint64_t fired;		/* how often the fault came up */
	uint64_t fired_site;
	uint64_t lost;		/* places for which there was no room */
	char modules[TRACE_MODULES][120];	/* of all processes: free ones are empty */
	struct trace_place fired_at;
	struct trace_place places[TRACE_PLACES];
};

#endif
