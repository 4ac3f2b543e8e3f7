#include "fs/vault/barred.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/json_memory.h"
#include "fs/base/text.h"
#include "fs/vault/inside.h"

struct reading {
	struct barred *out;
	bool failed;
};

static int on_class(void *arg, const struct record_class *k)
{
	struct reading *r = arg;
	struct barred *b = r->out;

	if (!k->is_restricted)
		return 0;
	int64_t *more = realloc(b->classes, (b->count + 1) * sizeof *more);
	r->failed = !more;
	if (!more)
		return 1;
	b->classes = more;
	more[b->count++] = k->id;
	return 0;
}

int barred_read(struct catalogue *c, struct barred *out, struct err *e)
{
	struct reading r = { .out = out };

	*out = (struct barred){ .classes = NULL };
	if (catalogue_classes(c, on_class, &r, e) == 0 && !r.failed)
		return 0;
	barred_free(out);
	return r.failed ? err_set(e, MUNI_NO_MEMORY, "no memory for the classes") : -1;
}

void barred_free(struct barred *b)
{
	free(b->classes);
	*b = (struct barred){ .classes = NULL };
}

bool barred_has(const struct barred *b, const struct node *n)
{
	for (size_t i = 0; b && i < b->count; i++)
		if (b->classes[i] == n->class_id)
			return true;
	return false;
}

/* ---- the log ------------------------------------------------------------------------ */

/* {"path": ...}, of bytes that are no UTF-8 {"path_base64": ...}. */
static json_t *path_object(const char *path)
{
	size_t size = strlen(path);
	char *encoded;
	json_t *o;

	if (text_is_utf8(path, size))
		return json_pack("{s:s}", "path", path);
	encoded = json_needs(text_base64(path, size));
	o = encoded ? json_pack("{s:s}", "path_base64", encoded) : NULL;
	free(encoded);
	return o;
}

static char *details_of(const struct barred_use *use)
{
	json_t *paths = json_array();
	json_t *o = json_pack("{s:s, s:s, s:s, s:s}", "command", use->command,
			      "reason", use->reason, "system", use->system,
			      "version", use->version);
	char *text = NULL;

	for (size_t i = 0; i < use->path_count; i++)
		if (*use->paths[i] && json_array_append_new(paths, path_object(use->paths[i])) < 0)
			goto out;
	if (use->other_version &&
	    json_object_set_new(o, "other_version", json_string(use->other_version)) < 0)
		goto out;
	if (json_object_set(o, "paths", paths) == 0)
		text = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS);
out:
	json_decref(paths);
	json_decref(o);
	return text;
}

int barred_log_use(struct vault *v, const struct barred_use *use, struct err *e)
{
	char *details;
	int rc = -1;

	if (!*use->reason || !text_is_utf8(use->reason, strlen(use->reason)))
		return err_set(e, MUNI_USAGE, "a reason (UTF-8) is needed to use restricted "
			       "records: it goes into the log");
	details = details_of(use);
	if (!details)
		return err_set(e, MUNI_NO_MEMORY, "no memory for an entry of the log");
	if (catalogue_begin(v->catalogue, e) == 0)
		rc = vault_commit_act(v, LOG_RESTRICTED_USED, details, e);
	free(details);
	return rc < 0 ? err_wrap(e, "logging that restricted records are used") : 0;
}
