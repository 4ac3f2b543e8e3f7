#include "fs/vault/sibling.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/text.h"

/* The folder that this program lies in. */
static int own_folder(char out[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", out, PATH_MAX - 1);
	char *slash;

	if (n <= 0)
		return -1;
	out[n] = '\0';
	slash = strrchr(out, '/');
	if (!slash)
		return -1;
	*slash = '\0';
	return 0;
}

/* Whoever started itself would do so for ever. */
static bool is_ourselves(const char *path)
{
	struct stat own, there;

	return stat("/proc/self/exe", &own) == 0 && stat(path, &there) == 0 &&
	       own.st_dev == there.st_dev && own.st_ino == there.st_ino;
}

int sibling_find(const char *name, const char *variable, const char *what, char *out,
		 size_t size, struct err *e)
{
	static const char *const places[] = { "", "../libexec/muniment/" };
	const char *named = secure_getenv(variable);
	char folder[PATH_MAX];

	if (named) {
		snprintf(out, size, "%s", named);
		if (is_ourselves(out))
			return err_set(e, MUNI_USAGE, "$%s names this very program, %s: let it name %s, "
				       "which %s, or unset it", variable, text_printable(named), name,
				       what);
		if (access(out, X_OK) == 0)
			return 0;
		return err_set(e, MUNI_NOT_FOUND, "the program that %s is not at %s", what,
			       text_printable(named));
	}
	if (own_folder(folder) < 0)
		return err_set(e, MUNI_NOT_FOUND, "where this program lies cannot be told (is /proc "
			       "mounted?); name %s by $%s", name, variable);
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		int n = snprintf(out, size, "%s/%s%s", folder, places[i], name);

		if (n > 0 && (size_t)n < size && access(out, X_OK) == 0)
			return 0;
	}
	return err_set(e, MUNI_NOT_FOUND, "%s, which %s, is neither in %s nor in "
		       "%s/../libexec/muniment; reinstall muniment, or name it by $%s", name, what,
		       text_printable(folder), text_printable(folder), variable);
}

void sibling_variable(struct sibling_environment *v, const char *name, const char *value)
{
	int n;

	if (!value || v->count == SIBLING_VARIABLES_MAX)
		return;
	n = snprintf(v->room[v->count], SIBLING_VARIABLE_SIZE, "%s=%s", name, value);
	if (n < 0 || n >= SIBLING_VARIABLE_SIZE)
		return;
	v->list[v->count] = v->room[v->count];
	v->list[++v->count] = NULL;
}

void sibling_environment(struct sibling_environment *v)
{
	static const char *const kept[] = { "LD_LIBRARY_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS",
					    "TSAN_OPTIONS" };

	v->count = 0;
	v->list[0] = NULL;
	sibling_variable(v, "LC_ALL", "C.UTF-8");
	sibling_variable(v, "HOME", "/nonexistent");
	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
		sibling_variable(v, kept[i], secure_getenv(kept[i]));
}
