/*
 * Marks of the records that go, beside the certificates, before the salts that they are
 * made of are gone: an older copy is told by them what must not come back.
 */
#include <stdlib.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/vault/archive_inside.h"
#include "fs/vault/certificate.h"
#include "fs/vault/doom_inside.h"
#include "fs/vault/marks.h"

static int collect(const struct doom *d, struct marks *m, struct err *e)
{
	struct entry entry;

	for (size_t i = 0; i < d->record_count; i++) {
		const struct doomed *r = &d->records[i];
		uint8_t mark[MARK_SIZE];

		if (catalogue_lookup(d->catalogue, r->first, r->directory,
				     d->names.data + r->name, r->name_size, &entry, e) < 0)
			return -1;
		mark_of_salt(entry.salt, mark);
		if (marks_add(m, mark, e) < 0)
			return -1;
	}
	marks_sort(m);
	return 0;
}

int doom_put_marks(const struct doom *d, struct vault *v, struct err *e)
{
	struct marks m = { .list = NULL };
	char *text = NULL;
	size_t size;
	int rc = -1;

	if (!doom_takes(d))
		return 0;
	if (collect(d, &m, e) == 0 && marks_text(&m, &text, &size, e) == 0)
		rc = certificate_marks_put(v, d->disposition, text, size, e);
	free(text);
	marks_clear(&m);
	return rc < 0 ? err_wrap(e, "keeping the marks of what goes") : 0;
}
