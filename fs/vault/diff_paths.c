#include "fs/vault/diff_inside.h"

#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"

#define DEPTH_MAX (1u << 20)	/* a loop in a forged catalogue ends */

char *diff_join(const char *directory, const char *name, size_t size)
{
	size_t head = strlen(directory);
	char *out = malloc(head + 1 + size + 1);
	char *to = out;

	if (out == NULL)
		return NULL;
	if (head > 0) {
		memcpy(to, directory, head);
		to += head;
		*to++ = '/';
	}
	memcpy(to, name, size);
	to[size] = '\0';
	return out;
}

int diff_directory_path(struct catalogue *c, const struct version *v, int64_t id,
			  char **path, struct err *e)
{
	char *below = strdup("");

	*path = NULL;
	for (unsigned depth = 0; below != NULL && depth < DEPTH_MAX; depth++) {
		struct directory directory;
		struct entry entry;
		char *joined;

		if (catalogue_directory(c, v->id, id, &directory, e) < 0)
			goto not_there;
		if (id == v->root) {
			*path = below;
			return 0;
		}
		if (directory.parent == 0) {	/* of another system */
			free(below);
			return 0;
		}
		if (catalogue_directory_name(c, v->id, id, &entry, e) < 0)
			goto not_there;
		joined = *below != '\0' ? diff_join(entry.name, below, strlen(below))
					: strndup(entry.name, entry.name_size);
		free(below);
		below = joined;
		id = directory.parent;
	}
	free(below);
	return err_set(e, MUNI_NO_MEMORY, "no memory for a path");
not_there:
	free(below);
	return e->code == MUNI_NOT_FOUND ? 0 : -1;
}

int diff_is_directory_in(struct catalogue *c, const struct version *v, int64_t id,
			   bool *out, struct err *e)
{
	char *path = NULL;

	if (diff_directory_path(c, v, id, &path, e) < 0)
		return -1;
	*out = path != NULL;
	free(path);
	return 0;
}
