#include "fs/base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Takes the text in: one line, cut between characters and never inside one. */
static void settle(struct err *e, const char *text)
{
	size_t size = strlen(text);

	if (size >= sizeof e->text) {
		size = sizeof e->text - 1;
		while (size > 0 && ((unsigned char)text[size] & 0xc0) == 0x80)
			size--;
	}
	for (size_t i = 0; i < size; i++)
		e->text[i] = text[i] == '\n' ? ' ' : text[i];
	e->text[size] = '\0';
}

int err_set(struct err *e, enum muni_code code, const char *format, ...)
{
	/* Formatted apart: an argument may be e->text itself. */
	char text[sizeof e->text + 64];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	e->code = code;
	e->sys = 0;
	settle(e, text);
	return -1;
}

int err_wrap(struct err *e, const char *format, ...)
{
	char purpose[sizeof e->text];
	char text[2 * sizeof e->text + 8];
	va_list args;

	va_start(args, format);
	vsnprintf(purpose, sizeof purpose, format, args);
	va_end(args);
	snprintf(text, sizeof text, "%s: %s", purpose, e->text);
	settle(e, text);
	return -1;
}

static enum muni_code code_of(int sys)
{
	switch (sys) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return MUNI_NO_SPACE;
	case ENOMEM:
	case EMFILE:
	case ENFILE:
		return MUNI_NO_MEMORY;
	default:
		return MUNI_IO;
	}
}

bool err_is_want(int sys)
{
	return code_of(sys) == MUNI_NO_MEMORY;
}

int err_errno(struct err *e, const char *format, ...)
{
	int sys = errno;
	char what[sizeof e->text];
	char text[sizeof e->text + 256];
	char reason[128];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof what, format, args);
	va_end(args);
	snprintf(text, sizeof text, "%s: %s", what,
		 strerror_r(sys, reason, sizeof reason));
	e->code = code_of(sys);
	e->sys = sys;
	settle(e, text);
	return -1;
}

int err_want(struct err *e, int sys, const char *format, ...)
{
	char what[sizeof e->text];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof what, format, args);
	va_end(args);
	errno = sys;
	err_errno(e, "%.700s", what);
	snprintf(what, sizeof what, "%.750s; that is %s, and says nothing of what was to be read: %s, and run "
		 "the same command again", e->text,
		 sys == EMFILE ? "this process's own limit" : "the system's own want",
		 sys == EMFILE ? "raise the limit (ulimit -n)" :
		 sys == ENFILE ? "close some files" : "make room");
	settle(e, what);
	return -1;
}

int err_exit_status(enum muni_code code)
{
	switch (code) {
	case MUNI_OK:
		return 0;
	case MUNI_USAGE:
		return 2;
	case MUNI_REFUSED:
		return 3;
	case MUNI_CANNOT_UNLOCK:
		return 4;
	case MUNI_DAMAGED:
		return 5;
	default:
		return 1;
	}
}
