/*
 * Errors: a code for deciding, a sentence for people.
 *
 * A fallible function takes `struct err *e` last, returns 0 or -1, and fills e
 * where the fault is seen.  err_wrap() puts the caller's purpose in front of a
 * sentence that is already there: "ingesting /srv/hr: reading a.csv: ...".
 * The sentence says what, where, why and what to do.
 */
#ifndef FS_BASE_ERR_H
#define FS_BASE_ERR_H

#include <stdbool.h>

enum muni_code {
	MUNI_OK = 0,
	MUNI_IO,		/* the system refused a read, write, sync, open */
	MUNI_NO_SPACE,		/* ENOSPC, EDQUOT, EFBIG */
	MUNI_NO_MEMORY,		/* or no descriptors: it says nothing about any bytes */
	MUNI_USAGE,		/* the caller's words are off */
	MUNI_NOT_FOUND,
	MUNI_EXISTS,
	MUNI_BUSY,		/* another writer holds the archive */
	MUNI_REFUSED,		/* policy: a hold, a period, an approval, a clock */
	MUNI_CANNOT_UNLOCK,	/* no key, wrong key, wrong passphrase */
	MUNI_DAMAGED,		/* bytes are not what was written */
	MUNI_FORMAT,		/* a format that this program does not know */
	MUNI_LIMIT,		/* over a stated limit */
	MUNI_UNSUPPORTED,	/* this system or build cannot do it */
	MUNI_INCOMPLETE,	/* done, but not whole: some items were left out */
	MUNI_CANCELLED,		/* a signal or another thread's failure */
};

struct err {
	enum muni_code code;
	int sys;		/* errno where one is known, else 0 */
	char text[1000];	/* UTF-8, no newline, names already printable */
};

#define ERR_NONE ((struct err){ .code = MUNI_OK })

/* Both return -1 always.  e may not be NULL. */
int err_set(struct err *e, enum muni_code code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int err_wrap(struct err *e, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* As err_set() from errno: picks MUNI_NO_SPACE, MUNI_NO_MEMORY or MUNI_IO
 * and appends ": " and strerror. */
int err_errno(struct err *e, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Was a call refused for want of descriptors or memory?  That is this process's or machine's
 * own: it says nothing of the file that was asked for, so no item is left out for it. */
bool err_is_want(int sys);
/* As err_errno() of such a refusal, with what to do about it. */
int err_want(struct err *e, int sys, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The exit status of docs/man/muni.1: 0..5. */
int err_exit_status(enum muni_code code);

#endif
