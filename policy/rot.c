#include "policy/rot.h"

#include <stdbool.h>
#include <string.h>

#define SECONDS_A_YEAR 31556952	/* of 365.2425 days */

static const char *const trivial_names[] = {
	"thumbs.db", "desktop.ini", ".ds_store", "ehthumbs.db", "core", "nohup.out", "lost+found",
};
static const char *const trivial_ends[] = {
	".tmp", ".temp", ".swp", ".swo", ".bak", ".old", ".orig", ".rej", ".pyc", ".pyo", ".lock",
	".pid", ".crdownload", ".part", ".cache", "~",
};
static const char *const trivial_folders[] = {
	"cache", ".cache", "caches", "tmp", "temp", "__pycache__", ".trash", "$recycle.bin",
	"__macosx", ".git", ".svn", "node_modules",
};

/* ASCII only: the same in every locale. */
static bool equals(const char *text, size_t size, const char *word)
{
	if (strlen(word) != size)
		return false;
	for (size_t i = 0; i < size; i++) {
		char c = text[i];

		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if (c != word[i])
			return false;
	}
	return true;
}

#define COUNT(list) (sizeof list / sizeof *list)

static bool is_trivial_name(const char *name)
{
	size_t size = strlen(name);

	for (size_t i = 0; i < COUNT(trivial_names); i++)
		if (equals(name, size, trivial_names[i]))
			return true;
	for (size_t i = 0; i < COUNT(trivial_ends); i++) {
		size_t end = strlen(trivial_ends[i]);

		if (size > end && equals(name + size - end, end, trivial_ends[i]))
			return true;
	}
	return size > 2 && name[0] == '~' && name[1] == '$';
}

static bool is_in_trivial_folder(const char *path)
{
	for (const char *slash; (slash = strchr(path, '/')) != NULL; path = slash + 1)
		for (size_t i = 0; i < COUNT(trivial_folders); i++)
			if (equals(path, (size_t)(slash - path), trivial_folders[i]))
				return true;
	return false;
}

enum rot rot_of(const struct facts *f, int64_t now)
{
	const char *slash = strrchr(f->path, '/');

	if (f->duplicate_of)
		return ROT_REDUNDANT;
	if ((f->kind == FACTS_FILE && f->size == 0) ||
	    is_trivial_name(slash ? slash + 1 : f->path) || is_in_trivial_folder(f->path))
		return ROT_TRIVIAL;
	if (f->kind == FACTS_FILE && f->modified < now - (int64_t)ROT_YEARS * SECONDS_A_YEAR)
		return ROT_OBSOLETE;
	return ROT_NONE;
}

const char *rot_name(enum rot r)
{
	static const char *const names[] = { "none", "redundant", "trivial", "obsolete" };

	return names[r];
}
