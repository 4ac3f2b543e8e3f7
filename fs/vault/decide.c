/*
 * Officers' overrides.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/json_memory.h"
#include "fs/base/text.h"
#include "fs/vault/classify_inside.h"
#include "policy/glob.h"
#include "policy/memory.h"

struct paths {			/* of the items that one request concerns */
	struct {
		char *path;	/* owned */
		size_t size;
	} *list;
	size_t count, capacity;
};

struct deciding {
	struct vault *vault;
	struct system system;
	int64_t policy;		/* that it was classified with; 0: not yet */
	struct paths paths;
	const struct glob *glob;
	bool is_withdrawn;
	struct err *e;
};

static void paths_clear(struct paths *p)
{
	for (size_t i = 0; i < p->count; i++)
		free(p->list[i].path);
	p->count = 0;
}

static int paths_add(struct paths *p, const char *path, size_t size, struct err *e)
{
	if (p->count == p->capacity) {
		size_t more = p->capacity ? 2 * p->capacity : 64;
		void *list = realloc(p->list, more * sizeof *p->list);

		if (!list)
			goto none;
		p->list = list;
		p->capacity = more;
	}
	char *copy = malloc(size + 1);
	if (!copy)
		goto none;
	memcpy(copy, path, size);
	copy[size] = '\0';
	p->list[p->count].path = copy;
	p->list[p->count++].size = size;
	return 0;
none:
	return err_set(e, MUNI_NO_MEMORY, "no memory for the paths");
}

/* ---- which items ----------------------------------------------------------------------- */

static int on_item(void *arg, const struct decided_row *r)
{
	struct deciding *d = arg;

	if (!glob_match(d->glob, r->item->path, r->item->path_size) ||
	    (d->is_withdrawn && !r->has_override))
		return 0;
	return paths_add(&d->paths, r->item->path, r->item->path_size, d->e);
}

static int find_by_glob(struct deciding *d, const struct override_request *r, struct err *e)
{
	struct memory m = { .blocks = NULL };
	struct glob *glob;

	int rc = glob_new(&m, r->path, 0, &glob, e);
	if (rc < 0) {
		err_wrap(e, "the glob %s", text_printable(r->path));
	} else {
		d->glob = glob;
		d->is_withdrawn = r->is_withdrawn;
		d->e = e;
		rc = catalogue_decided(d->vault->catalogue, d->system.id, NULL, 0, on_item, d,
				       e);
	}
	memory_clear(&m);
	if (rc == 0 && d->paths.count == 0)
		return err_set(e, MUNI_NOT_FOUND, "no item of %s matches %s%s",
			       d->system.name, text_printable(r->path),
			       r->is_withdrawn ? " and was decided by an officer" : "");
	return rc;
}

static int find_exact(struct deciding *d, const struct override_request *r, struct err *e)
{
	struct item_row item;
	size_t size = strlen(r->path);

	if (catalogue_item_find(d->vault->catalogue, d->system.id, r->path, size, false, &item,
				e) < 0)
		return e->code != MUNI_NOT_FOUND ? -1 :
			err_set(e, MUNI_NOT_FOUND, "%s is not in the inventory of %s. Give it "
				"as `muni inventory` shows it, or --glob for a pattern",
				text_printable(r->path), d->system.name);
	item_row_clear(&item);
	return paths_add(&d->paths, r->path, size, e);
}

/* ---- one request --------------------------------------------------------------------------- */

static int check_request(struct deciding *d, const struct override_request *r, struct err *e)
{
	char *definition;

	if (!r->officer || !*r->officer || !text_is_utf8(r->officer, strlen(r->officer)))
		return err_set(e, MUNI_USAGE, "an officer's name is needed: who decides this?");
	if (!r->reason || !*r->reason || !text_is_utf8(r->reason, strlen(r->reason)))
		return err_set(e, MUNI_USAGE, "a reason is needed: why is it decided otherwise?");
	if (r->is_withdrawn || !r->class_code)
		return 0;
	if (d->policy == 0)
		return err_set(e, MUNI_USAGE, "a class can be given once the system has been "
			       "classified: the policy defines the classes");
	if (catalogue_class_definition(d->vault->catalogue, r->class_code, d->policy,
				       &definition, e) < 0)
		return e->code != MUNI_NOT_FOUND ? -1 :
			err_set(e, MUNI_USAGE, "the policy that %s was classified with defines "
				"no class %s", d->system.name, text_printable(r->class_code));
	free(definition);
	return 0;
}

static int apply(struct deciding *d, const struct override_request *r, int64_t now,
		 uint64_t *count, struct err *e)
{
	struct catalogue *c = d->vault->catalogue;
	const struct override_row o = { .decision = (uint8_t)r->decision,
					.class_code = (char *)r->class_code,
					.officer = (char *)r->officer,
					.reason = (char *)r->reason, .made = now };

	paths_clear(&d->paths);
	if (check_request(d, r, e) < 0 ||
	    (r->is_glob ? find_by_glob(d, r, e) : find_exact(d, r, e)) < 0)
		return -1;
	for (size_t i = 0; i < d->paths.count; i++) {
		const char *path = d->paths.list[i].path;
		size_t size = d->paths.list[i].size;
		int rc = r->is_withdrawn ?
			catalogue_override_drop(c, d->system.id, path, size, e) :
			catalogue_override_put(c, d->system.id, path, size, &o, e);

		if (rc < 0)
			return err_wrap(e, "%s", text_printable_n(path, size));
	}
	*count += d->paths.count;
	return 0;
}

/* ---- the act ------------------------------------------------------------------------------- */

/* The requests as they were made: what was decided can be told from the log's
 * details even after a later override took its place. */
static char *details_of(const struct system *s, const struct override_request *r, size_t n,
			uint64_t count)
{
	json_t *list = json_array(), *o;

	for (size_t i = 0; i < n; i++) {
		char *path = json_needs(text_printable_dup(r[i].path, strlen(r[i].path)));

		o = json_pack("{s:s*, s:b, s:s, s:s, s:s}", "path", path, "glob", r[i].is_glob,
			      "decision", r[i].is_withdrawn ? "withdrawn" :
			      decision_name(r[i].decision), "officer", r[i].officer, "reason",
			      r[i].reason);
		if (o && r[i].class_code)
			json_object_set_new(o, "class", json_string(r[i].class_code));
		json_array_append_new(list, o);
		free(path);
	}
	o = json_pack("{s:s, s:I, s:o}", "system", s->name, "items", (json_int_t)count,
		      "overrides", list);
	char *text = o ? json_dumps(o, JSON_SORT_KEYS | JSON_COMPACT) : NULL;
	json_decref(o);
	return text;
}

static int decide_all(struct deciding *d, const struct override_request *r, size_t n,
		      uint64_t *count, struct err *e)
{
	int64_t now = vault_now(d->vault);

	for (size_t i = 0; i < n; i++)
		if (apply(d, &r[i], now, count, e) < 0)
			return n > 1 ? err_wrap(e, "request %zu of %zu; nothing was decided",
						i + 1, n) : -1;
	char *details = details_of(&d->system, r, n, *count);
	if (!details)
		return err_set(e, MUNI_NO_MEMORY, "no memory for the log's entry");
	int rc = vault_commit_act(d->vault, LOG_DECIDE, details, e);
	free(details);
	return rc;
}

int vault_decide(struct vault *v, const char *system, const struct override_request *r,
		 size_t n, uint64_t *count, struct err *e)
{
	struct deciding d = { .vault = v };
	struct classification k;
	struct err none = ERR_NONE;
	int rc = -1;

	*count = 0;
	if (catalogue_scanned_system(v->catalogue, system, &d.system, e) < 0)
		return -1;
	if (catalogue_classification_get(v->catalogue, d.system.id, &k, &none) == 0)
		d.policy = k.policy;
	else if (none.code != MUNI_NOT_FOUND) {
		*e = none;
		return -1;
	}
	if (catalogue_begin(v->catalogue, e) < 0)
		return -1;
	rc = decide_all(&d, r, n, count, e);
	if (rc < 0) {
		catalogue_rollback(v->catalogue);
		*count = 0;
	}
	paths_clear(&d.paths);
	free(d.paths.list);
	return rc;
}
