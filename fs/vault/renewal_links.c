/*
 * What lies in clear of renewals, for whoever has no key: statement, both signatures, the
 * former certificate.  Files are named by certificates, so that those of another history of
 * the archive (a copy that was restored) have room beside them.
 */
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/vault/archive_inside.h"
#include "fs/vault/renewal.h"
#include "fs/vault/renewal_inside.h"
#include "fs/vault/renewal_parts.h"

static int take_link(void *arg, const struct renewal_parts *p, struct err *e)
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
	return renewal_parts_each(folder, archive_id, take_link, out, e);
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
