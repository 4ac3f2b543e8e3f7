/* One renewal, as its files and as the log have it. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/canonical.h"
#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/base/text.h"
#include "fs/crypt/officer.h"
#include "fs/crypt/sign.h"
#include "fs/vault/archive_inside.h"
#include "fs/vault/renewal_inside.h"
#include "fs/vault/renewal_parts.h"

#define PREFIX "archive-"
#define HEX 16			/* digits of a certificate's SHA-256 in a name */

static const char by_former[] = ".p7s", by_next[] = ".new.p7s", statement_end[] = ".json",
	certificate_end[] = ".pem";

static void name_of(const struct digest *certificate, const char *end, char out[RENEWAL_NAME_SIZE])
{
	char hex[DIGEST_HEX_SIZE];

	digest_hex(certificate, hex);
	snprintf(out, RENEWAL_NAME_SIZE, PREFIX "%.*s%s", HEX, hex, end);
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

void renewal_parts_clear(struct renewal_parts *p)
{
	free(p->statement);
	free(p->before_signature);
	free(p->after_signature);
	free(p->before);
	free(p->after);
	*p = (struct renewal_parts){ .statement = NULL };
}

static uint8_t *bytes_at(const json_t *o, const char *key, size_t *size)
{
	const char *text = json_string_value(json_object_get(o, key));

	*size = 0;
	return text ? text_unbase64_bytes(text, size) : NULL;
}

/* To the byte as it was made: in its own form, with its own certificate in it. */
static bool signs(const uint8_t *cert, size_t cert_size, const uint8_t *signature,
		  size_t signature_size, const struct renewal_parts *p, struct err *e)
{
	const struct digest of = digest_of(cert, cert_size);
	struct cms_signer *signers = NULL;
	size_t count = 0;
	bool signs_it = sign_verify_detached(signature, signature_size, p->statement,
					     p->statement_size, cert, cert_size, e) == 0 &&
			cms_verify_own(signature, signature_size, p->statement,
				       p->statement_size, &signers, &count, e) == 0 &&
			count == 1 && digest_equal(&signers[0].identity.fingerprint, &of);

	cms_signers_free(signers, count);
	return signs_it;
}

/* From statement and signatures; false: none of this archive that both keys signed. */
static bool read_parts(struct renewal_parts *p, const char *archive_id, struct err *e)
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
static bool load_parts(int folder, const char *name, const char *archive_id, struct renewal_parts *p,
		       struct err *e)
{
	char beside[RENEWAL_NAME_SIZE];
	int stem = (int)(strlen(PREFIX) + HEX);

	*p = (struct renewal_parts){ .statement = NULL };
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

/* ---- from the log ----------------------------------------------------------------------------- */

int renewal_parts_from_log(struct vault *v, uint64_t entry, struct renewal_parts *p,
			   struct err *e)
{
	const json_t *signatures;
	char *details = NULL;
	const char *text;
	uint8_t salt[16];
	json_t *o;

	*p = (struct renewal_parts){ .statement = NULL };
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
	renewal_parts_clear(p);
	return e->code == MUNI_NO_MEMORY ? -1 :
	       err_set(e, MUNI_NOT_FOUND, "entry %llu of the log is no renewal of the signing key",
		       (unsigned long long)entry);
}

/* ---- all in a folder ------------------------------------------------------------------------- */

int renewal_parts_each(int folder, const char *archive_id,
		     int (*each)(void *arg, const struct renewal_parts *p, struct err *e), void *arg,
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
		struct renewal_parts p;

		if (ending(entry->d_name) != statement_end)
			continue;
		if (load_parts(folder, entry->d_name, archive_id, &p, &why))
			rc = each(arg, &p, e);
		else if (why.code == MUNI_NO_MEMORY) {
			*e = why;
			rc = -1;
		}
		renewal_parts_clear(&p);
	}
	closedir(d);
	return rc;
}

/* ---- writing ------------------------------------------------------------------------------- */

int renewal_parts_lay_out(const struct renewal_parts *p, struct renewal_file out[RENEWAL_FILES], char **pem, struct err *e)
{
	const struct digest before = digest_of(p->before, p->before_size);
	const struct digest after = digest_of(p->after, p->after_size);

	if (sign_certificate_pem(p->before, p->before_size, pem, e) < 0)
		return -1;
	out[0] = (struct renewal_file){ "", *pem, strlen(*pem) };
	out[1] = (struct renewal_file){ "", p->before_signature, p->before_signature_size };
	out[2] = (struct renewal_file){ "", p->after_signature, p->after_signature_size };
	out[3] = (struct renewal_file){ "", p->statement, p->statement_size };
	name_of(&before, certificate_end, out[0].name);
	name_of(&after, by_former, out[1].name);
	name_of(&after, by_next, out[2].name);
	name_of(&after, statement_end, out[3].name);
	return 0;
}

bool renewal_file_is_there(int folder, const struct renewal_file *f)
{
	struct err ignored = ERR_NONE;
	uint8_t *data = NULL;
	size_t size;
	bool is_it = file_load(folder, f->name, RENEWAL_TEXT_MAX, &data, &size, &ignored) == 0 &&
		     size == f->size && memcmp(data, f->data, size) == 0;

	free(data);
	return is_it;
}

int renewal_parts_put(int folder, const struct renewal_parts *p, struct err *e)
{
	struct renewal_file files[RENEWAL_FILES];
	char *pem = NULL;
	int rc = renewal_parts_lay_out(p, files, &pem, e);

	for (size_t i = 0; rc == 0 && i < RENEWAL_FILES; i++)
		if (!renewal_file_is_there(folder, &files[i]))
			rc = file_replace_synced(folder, files[i].name, files[i].data,
						 files[i].size, 0400, e);
	free(pem);
	return rc;
}

