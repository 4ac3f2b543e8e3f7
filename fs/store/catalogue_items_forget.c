/* Items that were destroyed in their live source: the inventory forgets them at once. */
#include "fs/store/catalogue_items_inside.h"

int catalogue_item_forget(struct catalogue *c, int64_t system, const void *path,
			  size_t path_size, struct err *e)
{
	struct item_row item;
	struct query q;
	int64_t id;

	if (catalogue_item_find(c, system, path, path_size, false, &item, e) < 0) {
		if (e->code != MUNI_NOT_FOUND)
			return -1;
		*e = ERR_NONE;
		return 0;
	}
	id = item.id;
	item_row_clear(&item);
	if (item_findings_drop(c, id, e) < 0 || catalogue_decision_forget(c, id, e) < 0 ||
	    query_open_write(&q, c, STATEMENT_ITEM_DROP,
			     "DELETE FROM item WHERE system = ? AND path = ?", e) < 0)
		return -1;
	query_int(&q, system);
	query_blob(&q, path, path_size);
	return query_run(&q, e);
}

/* A digest over the inventory and all of it but one item would tell whether a guess at
 * that item is right. */
int catalogue_items_forgotten(struct catalogue *c, int64_t system, struct err *e)
{
	struct query q;

	if (query_open_write(&q, c, STATEMENT_ITEM_ORIGINALS,
			     "UPDATE item SET first = NULL, original = NULL WHERE system = ?1"
			     " AND first IS NOT NULL AND first NOT IN"
			     " (SELECT id FROM item WHERE system = ?1)", e) < 0)
		return -1;
	query_int(&q, system);
	if (query_run(&q, e) < 0 ||
	    query_open_write(&q, c, STATEMENT_SCAN_DIGEST_DROP,
			     "UPDATE scan SET digest = zeroblob(32) WHERE system = ?", e) < 0)
		return -1;
	query_int(&q, system);
	return query_run(&q, e);
}
