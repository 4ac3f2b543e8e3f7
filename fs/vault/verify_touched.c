/* Which files, in which versions, the damage touches. */
#include <stdlib.h>
#include <string.h>

#include "fs/base/text.h"
#include "fs/vault/verify_inside.h"

struct telling {
	struct verify *verify;
	struct err *e;
	const char *what;
	bool can_repair;
	int64_t content;	/* only files that have it; 0: all */
};

static bool is_wanted(const struct telling *t, int64_t node)
{
	struct err ignored = ERR_NONE;
	struct node n;

	return t->content == 0 ||
	       (catalogue_node(t->verify->v->catalogue, node, false, &n, &ignored) == 0 &&
		n.content == t->content);
}

static void label_of(struct catalogue *c, int64_t id, char out[132])
{
	struct err ignored = ERR_NONE;
	struct version v;

	strcpy(out, "?");
	if (catalogue_version_get(c, id, &v, &ignored) == 0)
		memcpy(out, v.label, sizeof v.label);
}

struct newest {
	int64_t last;		/* a version id, may be open ended */
	char label[132];
};

static int keep_newest(void *arg, const struct version *v)
{
	struct newest *n = arg;

	if (v->id <= n->last)
		memcpy(n->label, v->label, sizeof v->label);
	return 0;
}

static int tell_file(void *arg, int64_t system, const void *path, size_t path_size,
		     int64_t first, int64_t last, int64_t node)
{
	struct telling *t = arg;
	struct catalogue *c = t->verify->v->catalogue;
	struct newest newest = { .last = last, .label = "?" };
	struct verify_finding f = { .kind = FINDING_FILE, .what = t->what, .path = path,
				    .path_size = path_size, .can_repair = t->can_repair };
	struct err ignored = ERR_NONE;
	char first_label[132];
	struct system s;

	if (verify_go_on(t->verify, t->e) < 0)
		return -1;
	if (!is_wanted(t, node))
		return 0;
	strcpy(s.name, "?");
	catalogue_system_get(c, system, &s, &ignored);
	label_of(c, first, first_label);
	/* `last` may lie behind the system's newest version. */
	catalogue_versions(c, system, keep_newest, &newest, &ignored);
	f.system = s.name;
	f.where = text_printable_n(path, path_size);
	f.first_label = first_label;
	f.last_label = newest.label;
	verify_file(t->verify, &f);
	return 0;
}

int verify_touched_files(struct verify *k, struct err *e)
{
	struct telling lost = { .verify = k, .e = e, .what = "part of it is damaged" };
	struct telling mendable = { .verify = k, .e = e, .what = "part of it is damaged",
				    .can_repair = true };

	if (!k->is_catalogue_open)
		return 0;
	verify_stage(k, "looking up files", 0, 0);
	if (k->lost.count > 0 &&
	    catalogue_files_of_blocks(k->v->catalogue, k->lost.ids, k->lost.count, tell_file,
				      &lost, e) < 0)
		return -1;
	/* After a repair what was mended is no news of any file. */
	if (k->mendable.count > 0 && !k->is_repair &&
	    catalogue_files_of_blocks(k->v->catalogue, k->mendable.ids, k->mendable.count,
				      tell_file, &mendable, e) < 0)
		return -1;
	return 0;
}

int verify_files_of_content(struct verify *k, int64_t content, const char *what,
			    struct err *e)
{
	struct telling t = { .verify = k, .e = e, .what = what, .content = content };
	struct extent_page *page = malloc(sizeof *page);
	int64_t block = 0;
	int rc = -1;

	if (page == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory to look up files");
	rc = catalogue_extents(k->v->catalogue, content, 0, page, e);
	if (rc == 0 && page->count > 0)
		block = page->extents[0].block;
	free(page);
	if (rc < 0 || block == 0)
		return rc;
	return catalogue_files_of_blocks(k->v->catalogue, &block, 1, tell_file, &t, e);
}
