/*
 * The files of renewals: made from the log, copied from beside certificates, and held
 * against each other in the two folders that have them.
 */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/crypt/sign.h"
#include "fs/vault/archive_inside.h"
#include "fs/vault/renewal.h"
#include "fs/vault/renewal_inside.h"
#include "fs/vault/renewal_parts.h"

/* Made where it is not there. */
static int put_in(struct vault *v, const char *name, const struct renewal_parts *p,
		  struct err *e)
{
	int folder, rc;

	if (file_make_dir(v->dirfd, name, 0700, e) < 0)
		return -1;
	folder = file_open_dir(v->dirfd, name, e);
	if (folder < 0)
		return -1;
	rc = renewal_parts_put(folder, p, e);
	file_close(&folder);
	return rc;
}

static int put(struct vault *v, const struct renewal_parts *p, struct err *e)
{
	struct err why = ERR_NONE;

	if (put_in(v, ARCHIVE_CERTIFICATES, p, e) < 0)
		return -1;
	if (put_in(v, ARCHIVE_CERTIFICATE_COPIES, p, &why) < 0)
		vault_add_notice(v, "what tells of a renewed signing key has no second copy in the "
				 "archive yet (%s); `muni repair` makes it", why.text);
	return 0;
}

int renewal_files_put(struct vault *v, uint64_t entry, struct err *e)
{
	struct renewal_parts p;
	int rc = renewal_parts_from_log(v, entry, &p, e);

	if (rc == 0)
		rc = put(v, &p, e);
	renewal_parts_clear(&p);
	return rc;
}

static int keep(void *arg, const struct renewal_parts *p, struct err *e)
{
	return put(arg, p, e);
}

int renewal_links_keep(struct vault *v, int beside, struct err *e)
{
	return renewal_parts_each(beside, v->id_hex, keep, v, e);
}

static int save(void *arg, const struct renewal_parts *p, struct err *e)
{
	return renewal_parts_put(*(const int *)arg, p, e);
}

int vault_renewals_save(struct vault *v, int folder, struct err *e)
{
	int own = file_open_dir(v->dirfd, ARCHIVE_CERTIFICATES, e);
	int rc = own < 0 ? -1 : renewal_parts_each(own, v->id_hex, save, &folder, e);

	file_close(&own);
	return rc;
}

/* ---- all that there are ----------------------------------------------------------------------- */

struct review {
	struct vault *v;
	int first, copies;	/* folders; -1: not there */
	bool is_mending;
	renewal_files_found *found;
	void *arg;
	char (*names)[RENEWAL_NAME_SIZE];	/* owned; files of renewals that are whole somewhere */
	size_t count, capacity;
};

static bool is_named(const struct review *r, const char *name)
{
	for (size_t i = 0; i < r->count; i++)
		if (strcmp(r->names[i], name) == 0)
			return true;
	return false;
}

static int name_all(struct review *r, const struct renewal_file files[RENEWAL_FILES],
		    struct err *e)
{
	if (r->count + RENEWAL_FILES > r->capacity) {
		size_t capacity = 2 * r->capacity + 16 * RENEWAL_FILES;
		void *names = realloc(r->names, capacity * sizeof *r->names);

		if (!names)
			return err_set(e, MUNI_NO_MEMORY, "no memory to look at renewals of the "
				       "signing key");
		r->names = names;
		r->capacity = capacity;
	}
	for (size_t i = 0; i < RENEWAL_FILES; i++)
		memcpy(r->names[r->count++], files[i].name, RENEWAL_NAME_SIZE);
	return 0;
}

static bool are_there(int folder, const struct renewal_file files[RENEWAL_FILES])
{
	bool are = folder >= 0;

	for (size_t i = 0; are && i < RENEWAL_FILES; i++)
		are = renewal_file_is_there(folder, &files[i]);
	return are;
}

static int compare(struct review *r, int folder, enum renewal_files what,
		   const struct renewal_parts *p,
		   const struct renewal_file files[RENEWAL_FILES], struct err *e)
{
	if (are_there(folder, files))
		return 0;
	r->found(r->arg, what, files[RENEWAL_FILES - 1].name);
	return r->is_mending ? renewal_parts_put(folder, p, e) : 0;
}

static int consider(struct review *r, const struct renewal_parts *p, bool is_under_way,
		    struct err *e)
{
	struct renewal_file files[RENEWAL_FILES];
	char *pem = NULL;
	int rc = renewal_parts_lay_out(p, files, &pem, e);

	if (rc == 0 && !is_named(r, files[RENEWAL_FILES - 1].name)) {
		rc = name_all(r, files, e);
		if (rc == 0 && !is_under_way &&
		    (compare(r, r->first, RENEWAL_FILES_DAMAGED, p, files, e) < 0 ||
		     compare(r, r->copies, RENEWAL_FILES_NO_COPY, p, files, e) < 0))
			rc = -1;
	}
	free(pem);
	return rc;
}

static int consider_here(void *arg, const struct renewal_parts *p, struct err *e)
{
	return consider(arg, p, false, e);
}

/* *is_of_another: of one the log does not tell. */
static int consider_logged(struct review *r, bool *is_of_another, struct err *e)
{
	const struct signatories *s = &r->v->signatories;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i + 1 < s->count; i++) {
		uint64_t begun, entry = s->list[i].until;
		struct renewal_parts p;

		if (renewal_parts_from_log(r->v, entry, &p, e) == 0) {
			/* One that was cut off is brought to its end by the next writer. */
			rc = consider(r, &p, keyring_signing_next(r->v->keyring, &begun) &&
				      entry == begun, e);
			renewal_parts_clear(&p);
			continue;
		}
		if (e->code != MUNI_NOT_FOUND)
			return -1;
		*e = ERR_NONE;	/* of a history that a restoring left behind */
		*is_of_another = true;
	}
	return rc;
}

static int tell_lost(struct review *r, struct err *e)
{
	int fd = r->first < 0 ? -1 : file_open_dir(r->first, ".", e);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d) {
		file_close(&fd);
		return r->first < 0 ? 0 : e->code ? -1 :
		       err_errno(e, "reading the folder " ARCHIVE_CERTIFICATES);
	}
	for (struct dirent *entry; (entry = readdir(d)) != NULL;)
		if (renewal_is_file(entry->d_name) && !is_named(r, entry->d_name))
			r->found(r->arg, RENEWAL_FILES_LOST, entry->d_name);
	closedir(d);
	return 0;
}

static int open_folder(struct review *r, const char *name, int *out, struct err *e)
{
	if (r->is_mending && file_make_dir(r->v->dirfd, name, 0700, e) < 0)
		return -1;
	*out = file_open_dir(r->v->dirfd, name, e);
	if (*out < 0 && e->code != MUNI_NOT_FOUND)
		return -1;
	*e = ERR_NONE;
	return 0;
}

int renewal_files_review(struct vault *v, bool mends, renewal_files_found *found, void *arg,
			 bool *is_of_another, struct err *e)
{
	struct review r = { .v = v, .first = -1, .copies = -1, .is_mending = mends, .found = found,
			    .arg = arg };
	int rc = -1;

	*is_of_another = false;
	if (open_folder(&r, ARCHIVE_CERTIFICATES, &r.first, e) == 0 &&
	    open_folder(&r, ARCHIVE_CERTIFICATE_COPIES, &r.copies, e) == 0 &&
	    consider_logged(&r, is_of_another, e) == 0 &&
	    (r.first < 0 ||
	     renewal_parts_each(r.first, v->id_hex, consider_here, &r, e) == 0) &&
	    (r.copies < 0 ||
	     renewal_parts_each(r.copies, v->id_hex, consider_here, &r, e) == 0))
		rc = tell_lost(&r, e);
	file_close(&r.first);
	file_close(&r.copies);
	free(r.names);
	return rc;
}
