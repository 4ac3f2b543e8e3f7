/*
 * What lies in clear of renewals, for whoever has no key: statement, both signatures, the
 * former certificate.  Files are named by certificates, so that those of another history of
 * the archive (a copy that was restored) have room beside them.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/canonical.h"
#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/base/text.h"
#include "fs/crypt/sign.h"
#include "fs/vault/archive_inside.h"
#include "fs/vault/renewal.h"
#include "fs/vault/renewal_inside.h"

#define PREFIX "archive-"
#define HEX 16			/* digits of a certificate's SHA-256 in a name */
#define NAME_SIZE (sizeof PREFIX + HEX + 12)

static const char by_former[] = ".p7s", by_next[] = ".new.p7s", statement_end[] = ".json",
	certificate_end[] = ".pem";

static void name_of(const struct digest *certificate, const char *end, char out[NAME_SIZE])
{
	char hex[DIGEST_HEX_SIZE];

	digest_hex(certificate, hex);
	snprintf(out, NAME_SIZE, PREFIX "%.*s%s", HEX, hex, end);
}

/* Its ending; NULL: none of ours. */
static const char *ending(const char *name)
{
	static const char *const ends[] = { by_former, by_next, statement_end, certificate_end };
	size_t start = strlen(PREFIX);

	if (strncmp(name, PREFIX, start) != 0 || strspn(name + start, "0123456789abcdef") != HEX)
		return NULL;
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
		if (strcmp(name + start + HEX, ends[i]) == 0)
			return ends[i];
	return NULL;
}

bool renewal_is_file(const char *name)
{
	return ending(name) != NULL;
}

/* ---- one link ----------------------------------------------------------------------------- */

struct parts {			/* owned */
	uint8_t *statement, *before_signature, *after_signature;
	size_t statement_size, before_signature_size, after_signature_size;
	uint8_t *before, *after;	/* certificates, DER */
	size_t before_size, after_size;
	uint64_t entry;
};

static void parts_clear(struct parts *p)
{
	free(p->statement);
	free(p->before_signature);
	free(p->after_signature);
	free(p->before);
	free(p->after);
	*p = (struct parts){ .statement = NULL };
}

static uint8_t *bytes_at(const json_t *o, const char *key, size_t *size)
{
	const char *text = json_string_value(json_object_get(o, key));

	*size = 0;
	return text ? text_unbase64_bytes(text, size) : NULL;
}

static bool signs(const uint8_t *cert, size_t cert_size, const uint8_t *signature,
		  size_t signature_size, const struct parts *p, struct err *e)
{
	return sign_verify_detached(signature, signature_size, p->statement, p->statement_size,
				    cert, cert_size, e) == 0;
}

/* From statement and signatures; false: none of this archive that both keys signed. */
static bool read_parts(struct parts *p, const char *archive_id, struct err *e)
{
	json_t *o = NULL;
	const char *type, *archive;
	json_int_t entry;
	bool is_link = false;

	if (canonical_load(p->statement, p->statement_size, &o, e) < 0)
		return false;
	type = json_string_value(json_object_get(o, "type"));
	archive = json_string_value(json_object_get(o, "archive"));
	entry = json_integer_value(json_object_get(o, "entry"));
	p->before = bytes_at(json_object_get(o, "before"), "certificate", &p->before_size);
	p->after = bytes_at(json_object_get(o, "after"), "certificate", &p->after_size);
	if (type && strcmp(type, RENEWAL_TYPE) == 0 && archive &&
	    strcmp(archive, archive_id) == 0 && entry > 0 && p->before && p->after)
		is_link = signs(p->before, p->before_size, p->before_signature,
				p->before_signature_size, p, e) &&
			  signs(p->after, p->after_size, p->after_signature,
				p->after_signature_size, p, e);
	p->entry = (uint64_t)entry;
	json_decref(o);
	return is_link;
}

/* name: of the statement. */
static bool load_parts(int folder, const char *name, const char *archive_id, struct parts *p,
		       struct err *e)
{
	char beside[NAME_SIZE];
	int stem = (int)(strlen(PREFIX) + HEX);

	*p = (struct parts){ .statement = NULL };
	if (file_load(folder, name, RENEWAL_TEXT_MAX, &p->statement, &p->statement_size, e) < 0)
		return false;
	snprintf(beside, sizeof beside, "%.*s%s", stem, name, by_former);
	if (file_load(folder, beside, RENEWAL_TEXT_MAX, &p->before_signature,
		      &p->before_signature_size, e) < 0)
		return false;
	snprintf(beside, sizeof beside, "%.*s%s", stem, name, by_next);
	return file_load(folder, beside, RENEWAL_TEXT_MAX, &p->after_signature,
			 &p->after_signature_size, e) == 0 &&
	       read_parts(p, archive_id, e);
}

/* ---- all in a folder ------------------------------------------------------------------------- */

/* each() for every link; it takes nothing over. */
static int each_link(int folder, const char *archive_id,
		     int (*each)(void *arg, const struct parts *p, struct err *e), void *arg,
		     struct err *e)
{
	int fd = file_open_dir(folder, ".", e), rc = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d) {
		if (fd < 0)
			return -1;
		file_close(&fd);
		return err_errno(e, "reading the folder " ARCHIVE_CERTIFICATES);
	}
	for (struct dirent *entry; rc == 0 && (entry = readdir(d)) != NULL;) {
		struct err why = ERR_NONE;
		struct parts p;

		if (ending(entry->d_name) != statement_end)
			continue;
		if (load_parts(folder, entry->d_name, archive_id, &p, &why))
			rc = each(arg, &p, e);
		else if (why.code == MUNI_NO_MEMORY) {
			*e = why;
			rc = -1;
		}
		parts_clear(&p);
	}
	closedir(d);
	return rc;
}

static int take_link(void *arg, const struct parts *p, struct err *e)
{
	struct renewal_links *links = arg;

	(void)e;
	if (links->count < SIGNATORIES_MAX)
		links->list[links->count++] = (struct renewal_link){
			digest_of(p->before, p->before_size), digest_of(p->after, p->after_size),
			p->entry,
		};
	return 0;
}

int renewal_links_load(int folder, const char *archive_id, struct renewal_links *out,
		       struct err *e)
{
	out->count = 0;
	return each_link(folder, archive_id, take_link, out, e);
}

void renewal_links_back(const struct renewal_links *links, struct signatories *s)
{
	bool is_found = true;

	while (is_found && s->count < SIGNATORIES_MAX) {
		is_found = false;
		for (size_t i = 0; i < links->count && !is_found; i++) {
			const struct renewal_link *l = &links->list[i];

			if (!digest_equal(&l->after, &s->list[0].certificate) ||
			    signatories_find(s, &l->before))
				continue;
			memmove(s->list + 1, s->list, s->count++ * sizeof *s->list);
			s->list[0] = (struct signatory){ l->before, l->entry };
			is_found = true;
		}
	}
}

/* Of two that followed the same key (one in a history that was lost) both are taken. */
bool renewal_links_forward(const struct renewal_links *links, struct signatories *s)
{
	size_t before = s->count, seen;

	do {
		seen = s->count;
		for (size_t i = 0; i < links->count; i++)
			if (signatories_find(s, &links->list[i].before) &&
			    !signatories_find(s, &links->list[i].after))
				(void)signatories_add(s, &links->list[i].after, SIGNATORY_PRESENT);
	} while (s->count > seen);
	return s->count > before;
}

/* ---- writing ------------------------------------------------------------------------------- */

struct file {
	char name[NAME_SIZE];
	const void *data;
	size_t size;
};

#define FILES 4

/* *pem: owned by the caller. */
static int lay_out(const struct parts *p, struct file out[FILES], char **pem, struct err *e)
{
	const struct digest before = digest_of(p->before, p->before_size);
	const struct digest after = digest_of(p->after, p->after_size);

	if (sign_certificate_pem(p->before, p->before_size, pem, e) < 0)
		return -1;
	out[0] = (struct file){ "", *pem, strlen(*pem) };
	out[1] = (struct file){ "", p->before_signature, p->before_signature_size };
	out[2] = (struct file){ "", p->after_signature, p->after_signature_size };
	out[3] = (struct file){ "", p->statement, p->statement_size };
	name_of(&before, certificate_end, out[0].name);
	name_of(&after, by_former, out[1].name);
	name_of(&after, by_next, out[2].name);
	name_of(&after, statement_end, out[3].name);
	return 0;
}

static bool is_there(int folder, const struct file *f)
{
	struct err ignored = ERR_NONE;
	uint8_t *data = NULL;
	size_t size;
	bool is_it = file_load(folder, f->name, RENEWAL_TEXT_MAX, &data, &size, &ignored) == 0 &&
		     size == f->size && memcmp(data, f->data, size) == 0;

	free(data);
	return is_it;
}

static int put_parts(int folder, const struct parts *p, struct err *e)
{
	struct file files[FILES];
	char *pem = NULL;
	int rc = lay_out(p, files, &pem, e);

	for (size_t i = 0; rc == 0 && i < FILES; i++)
		if (!is_there(folder, &files[i]))
			rc = file_replace_synced(folder, files[i].name, files[i].data,
						 files[i].size, 0400, e);
	free(pem);
	return rc;
}

static int keep_link(void *arg, const struct parts *p, struct err *e)
{
	return put_parts(*(const int *)arg, p, e);
}

int renewal_links_keep(struct vault *v, int beside, struct err *e)
{
	int own = file_open_dir(v->dirfd, ARCHIVE_CERTIFICATES, e);
	int rc = own < 0 ? -1 : each_link(beside, v->id_hex, keep_link, &own, e);

	file_close(&own);
	return rc;
}

static bool has_link(const struct renewal_links *links, const struct signatory *before,
		     const struct signatory *after)
{
	for (size_t i = 0; i < links->count; i++)
		if (digest_equal(&links->list[i].before, &before->certificate) &&
		    digest_equal(&links->list[i].after, &after->certificate))
			return true;
	return false;
}

int renewal_links_missing(struct vault *v, size_t *count, struct err *e)
{
	const struct signatories *s = &v->signatories;
	struct renewal_links links = { .count = 0 };
	int own, rc = 0;

	*count = 0;
	if (s->count < 2)
		return 0;
	own = file_open_dir(v->dirfd, ARCHIVE_CERTIFICATES, e);
	if (own >= 0)
		rc = renewal_links_load(own, v->id_hex, &links, e);
	else if (e->code == MUNI_NOT_FOUND)
		*e = ERR_NONE;
	else
		rc = -1;
	file_close(&own);
	for (size_t i = 0; rc == 0 && i + 1 < s->count; i++)
		*count += !has_link(&links, &s->list[i], &s->list[i + 1]);
	return rc;
}

int vault_renewals_save(struct vault *v, int folder, struct err *e)
{
	int own = file_open_dir(v->dirfd, ARCHIVE_CERTIFICATES, e);
	int rc = own < 0 ? -1 : each_link(own, v->id_hex, keep_link, &folder, e);

	file_close(&own);
	return rc;
}

/* ---- from the log ----------------------------------------------------------------------------- */

static int parts_from_log(struct vault *v, uint64_t entry, struct parts *p, struct err *e)
{
	const json_t *signatures;
	char *details = NULL;
	const char *text;
	uint8_t salt[16];
	json_t *o;

	*p = (struct parts){ .statement = NULL };
	if (catalogue_log_detail_get(v->catalogue, entry, salt, &details, e) < 0)
		return -1;
	o = json_loads(details, JSON_REJECT_DUPLICATES, NULL);
	free(details);
	signatures = json_object_get(o, "signatures");
	text = json_string_value(json_object_get(o, "statement"));
	p->statement = text ? (uint8_t *)strdup(text) : NULL;
	p->statement_size = text ? strlen(text) : 0;
	p->before_signature = bytes_at(signatures, "before", &p->before_signature_size);
	p->after_signature = bytes_at(signatures, "after", &p->after_signature_size);
	json_decref(o);
	if (p->statement && p->before_signature && p->after_signature &&
	    read_parts(p, v->id_hex, e) && p->entry == entry)
		return 0;
	parts_clear(p);
	return e->code == MUNI_NO_MEMORY ? -1 :
	       err_set(e, MUNI_NOT_FOUND, "entry %llu of the log is no renewal of the signing key",
		       (unsigned long long)entry);
}

int renewal_files_put(struct vault *v, uint64_t entry, struct err *e)
{
	struct parts p;
	int folder = -1, rc = -1;

	if (parts_from_log(v, entry, &p, e) == 0 &&
	    file_make_dir(v->dirfd, ARCHIVE_CERTIFICATES, 0700, e) == 0 &&
	    (folder = file_open_dir(v->dirfd, ARCHIVE_CERTIFICATES, e)) >= 0)
		rc = put_parts(folder, &p, e);
	file_close(&folder);
	parts_clear(&p);
	return rc;
}

int renewal_files_check(struct vault *v, uint64_t entry, bool *is_whole, struct err *e)
{
	struct file files[FILES];
	struct parts p;
	char *pem = NULL;
	int folder = -1, rc = -1;

	*is_whole = false;
	if (parts_from_log(v, entry, &p, e) < 0)
		return -1;
	if (lay_out(&p, files, &pem, e) < 0)
		goto out;
	folder = file_open_dir(v->dirfd, ARCHIVE_CERTIFICATES, e);
	*is_whole = folder >= 0;
	for (size_t i = 0; folder >= 0 && i < FILES; i++)
		*is_whole &= is_there(folder, &files[i]);
	*e = ERR_NONE;
	rc = 0;
out:
	file_close(&folder);
	free(pem);
	parts_clear(&p);
	return rc;
}
