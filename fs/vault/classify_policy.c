/*
 * Policies as text: read, held against what `muni policy check` asks, found again.
 */
#include "fs/vault/classify.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/base/text.h"
#include "fs/crypt/digest.h"

static int load(const char *text, size_t size, const char *name, struct policy **out,
		struct err *e)
{
	struct digest digest = digest_of(text, size);

	if (policy_load(text, size, name, out, e) < 0)
		return -1;
	policy_set_digest(*out, digest.bytes);
	return 0;
}

static int read_file(const char *path, char **text, size_t *size, struct err *e)
{
	int fd = file_open_user(path, O_RDONLY, 0, e), rc = -1;

	*text = NULL;
	if (fd < 0)
		goto out;
	*text = malloc(POLICY_TEXT_MAX + 1);
	if (!*text) {
		err_set(e, MUNI_NO_MEMORY, "no memory for it");
		goto out;
	}
	if (file_read_rest(fd, *text, POLICY_TEXT_MAX + 1, size, e) < 0)
		goto out;
	if (*size > POLICY_TEXT_MAX) {
		err_set(e, MUNI_LIMIT, "it has more than %u bytes: that is no policy",
			POLICY_TEXT_MAX);
		goto out;
	}
	(*text)[*size] = '\0';
	rc = 0;
out:
	file_close(&fd);
	if (rc < 0) {
		free(*text);
		*text = NULL;
		err_wrap(e, "reading the policy %s", text_printable(path));
	}
	return rc;
}

int vault_policy_read(const char *path, struct policy **out, char **text, size_t *size,
		      struct err *e)
{
	char *copy;
	size_t bytes;

	*out = NULL;
	if (text)
		*text = NULL;
	if (read_file(path, &copy, &bytes, e) < 0)
		return -1;
	int rc = load(copy, bytes, path, out, e);
	if (rc == 0 && text) {
		*text = copy;
		*size = bytes;
	} else {
		free(copy);
	}
	return rc;
}

int vault_policy_of(struct catalogue *c, int64_t system, struct policy **out,
		    struct policy_row *row, struct err *e)
{
	struct classification k;

	*out = NULL;
	*row = (struct policy_row){ .id = 0 };
	if (catalogue_classification_get(c, system, &k, e) < 0 ||
	    catalogue_policy_get(c, k.policy, row, e) < 0)
		return -1;
	if (load(row->text, row->text_size, row->name, out, e) == 0)
		return 0;
	policy_row_clear(row);
	return err_wrap(e, "the policy that the system was classified with");
}

/* ---- what is wrong with it --------------------------------------------------------------- */

struct faults {
	unsigned count, line;	/* errors; where the first stands */
	char first[400];
};

static int on_fault(void *arg, const struct lint *l)
{
	struct faults *f = arg;

	if (l->level != LINT_ERROR)
		return 0;
	if (f->count++ == 0) {
		snprintf(f->first, sizeof f->first, "%s: %s", l->where, l->text);
		f->line = l->line;
	}
	return 0;
}

int vault_policy_check(const struct policy *p, const char *path, struct err *e)
{
	struct faults f = { .count = 0 };
	const char *name = text_printable(path);
	char others[40] = "";

	if (policy_lint(p, on_fault, &f, e) < 0)
		return -1;
	if (f.count == 0)
		return 0;
	if (f.count > 1)
		snprintf(others, sizeof others, " (and %u more)", f.count - 1);
	return err_set(e, MUNI_USAGE, "%s:%u: %s%s; `muni policy check %s` says all. Nothing is decided "
		       "by a policy with errors: mend it first", name, f.line, f.first, others, name);
}
