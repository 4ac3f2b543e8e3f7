/*
 * The bytes of an entry, and whether they are what was declared.
 */
#include <archive.h>
#include <archive_entry.h>

#include "fs/vault/foreign_child_inside.h"

static uint64_t mapped_bytes(struct archive_entry *ae, bool *is_sparse)
{
	la_int64_t offset, length;
	uint64_t total = 0;

	*is_sparse = archive_entry_sparse_reset(ae) > 0;
	while (*is_sparse && archive_entry_sparse_next(ae, &offset, &length) == ARCHIVE_OK)
		total += length > 0 ? (uint64_t)length : 0;
	return total;
}

/* NULL: the data that came is what was declared. */
static const char *misfit(struct archive_entry *ae, const struct foreign_entry *f,
			  uint64_t position, uint64_t sum)
{
	bool is_sparse;
	uint64_t mapped = mapped_bytes(ae, &is_sparse);

	if (!is_sparse && sum != position)
		return "there are gaps in its data";
	if (is_sparse && sum != mapped)
		return "its map of holes does not fit its data";
	if (!is_sparse && f->has_size && position != f->size)
		return "it holds less data than it declares";
	return NULL;
}

static _Noreturn void bomb(struct child *c)
{
	child_broken(c, MUNI_LIMIT, "more comes out of it than a limit allows (a \"bomb\"); "
		     "raise the limit with --bomb-limit if you trust it");
}

int child_send_data(struct child *c, struct archive_entry *ae, const struct foreign_entry *f)
{
	uint64_t position = 0, sum = 0;
	const char *what = NULL;
	int rc;

	for (;;) {
		const void *data = NULL;
		size_t size = 0;
		la_int64_t at = 0;

		rc = archive_read_data_block(c->a, &data, &size, &at);
		if (rc != ARCHIVE_OK)
			break;
		if (size == 0)
			continue;
		if (at < 0 || (uint64_t)at < position)
			what = "its map of holes goes back or overlaps";
		else if ((uint64_t)at > INT64_MAX - size ||
			 (f->has_size && (uint64_t)at + size > f->size))
			what = "it holds more data than it declares";
		if (what)
			break;
		voice_data(&c->voice, (uint64_t)at, data, size);
		position = (uint64_t)at + size;
		sum += size;
		c->delivered += size;
		if (source_is_bomb(&c->source, c->delivered))
			bomb(c);
	}
	if (rc == ARCHIVE_EOF)
		what = misfit(ae, f, position, sum);
	if (what)
		voice_failure(&c->voice, WIRE_FAILED, MUNI_DAMAGED, what);
	else if (rc != ARCHIVE_EOF)
		voice_failure(&c->voice, WIRE_FAILED, child_code(c), child_why(c));
	else
		voice_number(&c->voice, WIRE_DONE, f->has_size ? f->size : position);
	return rc;
}
