/*
 * A migration from its beginning to its place in the audit log.
 */
#include "fs/vault/migrate.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/base/file.h"
#include "fs/base/text.h"
#include "fs/store/catalogue_decisions.h"
#include "fs/vault/export_live.h"

/* ---- before --------------------------------------------------------------------- */

static int open_source(struct live *l, struct err *e)
{
	struct stat st;

	l->fd = file_open_user(l->path, O_RDONLY | O_NOCTTY | O_NONBLOCK, 0, e);
	if (l->fd < 0)
		return -1;
	if (fstat(l->fd, &st) < 0)
		return err_errno(e, "looking at %s", text_printable(l->path));
	if (!S_ISDIR(st.st_mode))
		return err_set(e, MUNI_USAGE, "%s is no directory: what was decided is taken from "
			       "a directory only; unpack it and scan that, or ingest it with "
			       "--all and export the version", text_printable(l->path));
	return 0;
}

/* Nothing in the source is written: neither may the target stand in it.  (G3) */
static int check_target(const struct live *l, const char *to, struct err *e)
{
	struct stat source, at, above;
	char *folder;
	int fd = -1, up, rc = -1;

	if (strcmp(to, "-") == 0)
		return 0;
	folder = strdup(to);
	if (!folder)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a path");
	for (size_t n = strlen(folder); n > 1 && folder[n - 1] == '/'; n--)
		folder[n - 1] = 0;
	char *slash = strrchr(folder, '/');
	if (slash)
		slash[slash == folder] = 0;
	fd = file_open_user(slash ? folder : ".", O_RDONLY | O_DIRECTORY, 0, e);
	if (fd < 0)
		goto out;
	if (fstat(l->fd, &source) < 0 || fstat(fd, &at) < 0) {
		err_errno(e, "looking at the source and the target");
		goto out;
	}
	for (;;) {
		if (at.st_dev == source.st_dev && at.st_ino == source.st_ino) {
			err_set(e, MUNI_USAGE, "--to %s stands in the source itself, which is only "
				"read: name a place outside it", text_printable(to));
			goto out;
		}
		up = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (up < 0 || fstat(up, &above) < 0) {
			err_errno(e, "looking at what stands above %s", text_printable(to));
			file_close(&up);
			goto out;
		}
		file_close(&fd);
		fd = up;
		if (above.st_dev == at.st_dev && above.st_ino == at.st_ino)
			break;
		at = above;
	}
	rc = 0;
out:
	file_close(&fd);
	free(folder);
	return rc;
}

static int read_decisions(struct vault *v, const struct migrate_options *o, struct live *l,
			  struct version *sums, struct err *e)
{
	struct catalogue *c = vault_catalogue(v);
	struct classification k;
	struct system system;

	if (catalogue_scanned_system(c, o->system, &system, e) < 0 ||
	    catalogue_classification_get(c, system.id, &k, e) < 0 ||
	    selection_make(c, system.id, false, &l->selection, e) < 0)
		return -1;
	l->system = system.id;
	snprintf(sums->system_name, sizeof sums->system_name, "%s", system.name);
	sums->files = selection_count(l->selection, o->decision);
	sums->bytes = selection_bytes(l->selection, o->decision);
	return 0;
}

static int prepare(struct vault *v, const struct migrate_options *o, struct live *l,
		   struct version *sums, struct err *e)
{
	struct stat st;

	if (v->mode != VAULT_WRITE)
		return err_set(e, MUNI_USAGE, "the archive was opened for reading only");
	if (fstat(v->dirfd, &st) < 0)
		return err_errno(e, "looking at the archive");
	l->archive_device = st.st_dev;
	l->archive_inode = st.st_ino;
	if (open_source(l, e) < 0 || check_target(l, o->target.to, e) < 0)
		return -1;
	return read_decisions(v, o, l, sums, e);
}

/* ---- after ---------------------------------------------------------------------- */

static void fill_result(const struct export *x, struct migrate_result *out)
{
	static const enum export_loss whole[] = { LOSS_SYMLINK, LOSS_DEVICE, LOSS_FIFO,
						  LOSS_SOCKET };

	out->left_out = x->live->left_out;
	out->items = out->left_out.taken;
	for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++)
		out->items -= x->losses[whole[i]];
}

static char *details_of(const struct export *x, const struct migrate_result *r)
{
	const struct left_out *out = &r->left_out;
	uint64_t left = out->missing;
	json_t *o;
	char *text;

	for (size_t i = 0; i < sizeof out->by / sizeof out->by[0]; i++)
		left += out->by[i].items;
	o = json_pack("{s:s, s:s, s:i, s:I, s:I, s:I, s:I, s:I, s:I}",
		      "system", x->version.system_name,
		      "decision", decision_name(x->live->wanted),
		      "format", (int)x->options->format,
		      "items", (json_int_t)r->items, "files", (json_int_t)r->target.files,
		      "bytes", (json_int_t)r->target.bytes, "left_out", (json_int_t)left,
		      "problems", (json_int_t)r->target.problems,
		      "losses", (json_int_t)r->target.losses);
	text = o ? json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
	json_decref(o);
	return text;
}

static int write_down(struct export *x, const struct migrate_result *r, struct err *e)
{
	char *text = details_of(x, r);
	int rc = -1;

	if (!text)
		return err_set(e, MUNI_NO_MEMORY, "no memory to log a migration");
	if (catalogue_begin(vault_catalogue(x->vault), e) == 0)
		rc = vault_commit_act(x->vault, LOG_EXPORT, text, e);
	free(text);
	return rc < 0 ? err_wrap(e, "it is migrated, but that could not be logged") : 0;
}

static void live_free(struct live *l)
{
	selection_free(l->selection);
	ingest_accounts_free(&l->accounts);
	spool_close(l->spool);
	map_free(&l->dropped);
	free(l->seen.words);
	file_close(&l->fd);
}

int vault_migrate(struct vault *v, const struct migrate_options *o,
		  const struct migrate_listener *to, const struct vault_monitor *m,
		  struct migrate_result *out, struct err *e)
{
	struct live live = { .path = o->source, .fd = -1, .wanted = o->decision };
	struct export x = {
		.vault = v, .source = &export_live, .live = &live, .options = &o->target,
		.monitor = m, .loss = to->loss, .problem = to->problem, .arg = to->arg,
		.result = &out->target,
	};
	int rc = -1;

	*out = (struct migrate_result){ .items = 0 };
	ingest_accounts_init(&live.accounts);
	if (prepare(v, o, &live, &x.version, e) == 0 && export_run_all(&x, e) == 0) {
		fill_result(&x, out);
		rc = write_down(&x, out, e);
	}
	live_free(&live);
	if (rc < 0)
		return err_wrap(e, "migrating %s", text_printable(o->system));
	if (out->target.problems > 0)
		return err_set(e, MUNI_INCOMPLETE, "%llu item(s) could not be migrated as they "
			       "are; all else is there",
			       (unsigned long long)out->target.problems);
	return 0;
}
