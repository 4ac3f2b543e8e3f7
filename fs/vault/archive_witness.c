/*
 * Certificates as witnesses: one that lies in the archive's folder and speaks of a newer
 * log than the archive has says that the rest is an older copy, on a host too that has no
 * anchor.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/canonical.h"
#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/base/text.h"
#include "fs/crypt/officer.h"
#include "fs/vault/archive_inside.h"
#include "fs/vault/certificate.h"
#include "fs/vault/renewal_inside.h"

/* ---- which there are ------------------------------------------------------------------- */

/* The number in "C12.p7m"; 0: no certificate's name. */
static int64_t number_of(const char *name)
{
	char again[32];
	long long n;

	if (name[0] != 'C' || name[1] < '1' || name[1] > '9')
		return 0;
	errno = 0;
	n = strtoll(name + 1, NULL, 10);
	snprintf(again, sizeof again, "C%lld.p7m", n);
	return errno == 0 && strcmp(again, name) == 0 ? n : 0;
}

static int add_number(struct witnesses *w, int64_t n, struct err *e)
{
	int64_t *list = n == 0 ? w->list : reallocarray(w->list, w->count + 1, sizeof *list);

	if (n == 0)
		return 0;
	if (!list)
		return err_set(e, MUNI_NO_MEMORY, "no memory for the certificates in the folder");
	w->list = list;
	w->list[w->count++] = n;
	return 0;
}

static int newest_first(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (y > x) - (y < x);
}

int archive_witnesses_list(int dirfd, struct witnesses *w, struct err *e)
{
	int fd = file_open_dir(dirfd, ARCHIVE_CERTIFICATES, e);
	DIR *d;
	int rc = 0;

	*w = (struct witnesses){ .list = NULL };
	if (fd < 0) {
		if (e->code != MUNI_NOT_FOUND)
			return -1;
		*e = ERR_NONE;
		return 0;
	}
	d = fdopendir(fd);
	if (!d) {
		file_close(&fd);
		return err_errno(e, "reading the folder " ARCHIVE_CERTIFICATES);
	}
	errno = 0;
	for (struct dirent *entry; rc == 0 && (entry = readdir(d)) != NULL; errno = 0)
		rc = add_number(w, number_of(entry->d_name), e);
	if (rc == 0 && errno != 0)
		rc = err_errno(e, "reading the folder " ARCHIVE_CERTIFICATES);
	closedir(d);
	if (rc < 0)
		archive_witnesses_clear(w);
	else if (w->count > 1)
		qsort(w->list, w->count, sizeof *w->list, newest_first);
	return rc;
}

void archive_witnesses_clear(struct witnesses *w)
{
	free(w->list);
	*w = (struct witnesses){ .list = NULL };
}

/* ---- what it knows ------------------------------------------------------------------------ */

int archive_witness_read(struct vault *v, int64_t id, struct witness *out, struct err *e)
{
	uint8_t *cms = NULL, *own = NULL, *text = NULL;
	size_t cms_size, own_size, size, signers_count = 0;
	struct cms_signer *signers = NULL;
	struct err why = ERR_NONE;
	struct signatories who;
	struct digest root;
	json_t *json = NULL, *head;
	const char *hex;
	json_int_t count = 0;

	*out = (struct witness){ .acts = 0 };
	if (certificate_file(v, id, CERTIFICATE_CMS, &cms, &cms_size, &why) == 0 &&
	    certificate_file(v, id, CERTIFICATE_ARCHIVE_SIGNATURE, &own, &own_size, &why) == 0 &&
	    cms_verify_attached(cms, cms_size, &text, &size, &signers, &signers_count,
				&why) == 0 &&
	    canonical_load(text, size, &json, &why) == 0) {
		head = json_object_get(json_object_get(json, "proof"), "head");
		count = json_integer_value(json_object_get(head, "count"));
		hex = json_string_value(json_object_get(head, "root"));
		if (!hex || text_unhex(hex, root.bytes, DIGEST_SIZE) < 0)
			count = 0;
	}
	/* It may be of a later state than ours, and of a later key. */
	if (count > 0 && renewal_later_signatories(v, -1, &who, &why) == 0 &&
	    renewal_check_certificate(&who, json, text, size, own, own_size, &why) == 0)
		*out = (struct witness){ (uint64_t)count, root, digest_of(text, size) };
	cms_signers_free(signers, signers_count);
	json_decref(json);
	free(cms);
	free(own);
	free(text);
	if (why.code != MUNI_NO_MEMORY)
		return 0;
	*e = why;
	return err_wrap(e, "looking at the certificate C%" PRId64, id);
}

static int is_newer(void *arg, int64_t id, int64_t disposition, int64_t made,
		    const struct digest *content)
{
	(void)disposition;
	(void)made;
	(void)content;
	*(int64_t *)arg = id > *(int64_t *)arg ? id : *(int64_t *)arg;
	return 0;
}

int archive_witness_is_later(const struct witness *w, const struct log *log, bool *out,
			     struct err *e)
{
	struct merkle_frontier f = { .count = 0 };
	struct digest root;

	*out = true;
	if (w->acts > log_count(log))
		return 0;
	while (f.count < w->acts) {
		struct digest leaf;

		if (log_leaf(log, f.count, &leaf, e) < 0)
			return -1;
		merkle_frontier_add(&f, &leaf);
	}
	root = merkle_frontier_root(&f);
	*out = !digest_equal(&root, &w->root);
	return 0;
}

static int other_history(int64_t id, struct err *e)
{
	return err_set(e, MUNI_DAMAGED, "this is another copy of the archive than the newest: the "
		       "certificate C%" PRId64 " that lies in it tells of acts that its log has not. "
		       "What was destroyed there must not come back: bring the newest copy; where "
		       "there is none, `muni restore` takes this one", id);
}

static int older_than(int64_t id, uint64_t acts, const struct log *log, struct err *e)
{
	char knows[TEXT_COUNT_MAX], has[TEXT_COUNT_MAX];

	return err_set(e, MUNI_DAMAGED, "this is an older copy of the archive: it knows %s acts, "
		       "and the certificate C%" PRId64 " that lies in it was made when there were "
		       "%s. What was destroyed since must not come back: bring the newest copy; "
		       "where there is none, `muni restore` takes this one",
		       text_count(log_count(log), has), id, text_count(acts, knows));
}

int archive_witnesses_check(struct vault *v, const struct witnesses *w, const struct log *log,
			    struct err *e)
{
	int64_t known = 0;

	if (w->count == 0)
		return 0;
	if (catalogue_certificates(v->catalogue, is_newer, &known, e) < 0)
		return -1;
	/* One that does not read, or that a crash left before its act, speaks for no other. */
	for (size_t i = 0; i < w->count && w->list[i] > known; i++) {
		struct witness one;
		bool is_later;

		if (archive_witness_read(v, w->list[i], &one, e) < 0)
			return -1;
		if (one.acts > log_count(log))
			return older_than(w->list[i], one.acts, log, e);
		if (one.acts > 0 && archive_witness_is_later(&one, log, &is_later, e) < 0)
			return -1;
		if (one.acts > 0 && is_later)
			return other_history(w->list[i], e);
	}
	return 0;
}
