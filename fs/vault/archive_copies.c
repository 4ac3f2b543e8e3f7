/*
 * The catalogue's copies as witnesses: where those in segments/ are newer than catalogue and
 * log, the next act would write over the last that is left of the newest state.
 */
#include <inttypes.h>

#include "fs/base/err.h"
#include "fs/store/redo.h"
#include "fs/vault/archive_inside.h"

/* Before it makes anything of the next epoch a switch says in the catalogue that it will. */
static int is_switching(struct vault *v, bool *is, struct err *e)
{
	int64_t disposition;
	uint64_t to;

	if (catalogue_switch_get(v->catalogue, &to, &disposition, e) < 0)
		return -1;
	*is = to != 0 || archive_is_switching(v);
	return 0;
}

int archive_copies_compare(struct vault *v, const struct digest *pages,
			   enum archive_copies *is, uint64_t *later, struct err *e)
{
	static const struct digest none;
	struct digest end;
	bool is_explained;

	*is = ARCHIVE_COPIES_KNOWN;
	if (redo_reaches(v->objects, v->id, v->epoch, &end, later, e) < 0)
		return -1;
	if (*later != 0) {
		if (is_switching(v, &is_explained, e) < 0)
			return -1;
		if (!is_explained) {
			*is = ARCHIVE_COPIES_LATER;
			return 0;
		}
	}
	if (digest_equal(&end, &none) || digest_equal(&end, pages))
		return 0;
	if (log_has_pages(v->auditfd, &end, &is_explained, e) < 0) {
		if (e->code == MUNI_NO_MEMORY)
			return -1;
		*e = ERR_NONE;	/* of the log others tell */
		return 0;
	}
	if (!is_explained)
		*is = ARCHIVE_COPIES_UNSIGNED;
	return 0;
}

int archive_copies_check(struct vault *v, const struct digest *pages, struct err *e)
{
	enum archive_copies is;
	uint64_t later;

	if (archive_copies_compare(v, pages, &is, &later, e) < 0)
		return -1;
	if (is == ARCHIVE_COPIES_KNOWN)
		return 0;
	if (v->is_restoring) {
		v->has_newer_copies = true;
		return 0;
	}
	if (is == ARCHIVE_COPIES_LATER)
		return err_set(e, MUNI_DAMAGED, "this is an older copy of the archive, of epoch %"
			       PRIu64 ": segments/ has copies of the catalogue of epoch %" PRIu64
			       ", and going on would remove them. What was destroyed since must not "
			       "come back: bring the newest keyring and audit/; where there are "
			       "none, `muni restore` takes this one", v->epoch, later);
	return err_set(e, MUNI_DAMAGED, "catalogue and audit log were put back to an older state: the "
		       "catalogue's copies in segments/ are newer, and going on would remove them. "
		       "Bring the newest audit/ back, then `muni repair` makes the newest catalogue "
		       "of its copies; where there is none, `muni restore` takes this one");
}
