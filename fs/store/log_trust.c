/*
 * Which copy of a file of the audit log to believe where both are whole and yet
 * differ: the one that this archive signed.
 */
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/store/log_inside.h"

/* The last of the records that follow each other from the start; false: none.  *most: the
 * largest count of them all, which is the last one's unless somebody signed one that goes
 * back. */
static bool last_record(int fd, uint64_t size, uint8_t *raw, struct log_record *out,
			struct log_record *walk, uint64_t *most)
{
	uint64_t at = LOG_FILE_HEAD;
	struct err ignored = ERR_NONE;
	bool has = false;

	while (fd >= 0 && log_record_read(fd, size, at, raw, walk, &ignored) == 0) {
		*out = *walk;
		if (walk->head.count > *most)
			*most = walk->head.count;
		has = true;
		at += walk->size;
	}
	return has;
}

/* Do the first entries of this copy have the root that was signed? */
static bool leads_to(int fd, uint64_t size, const struct log_head *head)
{
	struct merkle_frontier frontier = { .count = 0 };
	struct err ignored = ERR_NONE;
	struct log_entry entry;
	uint8_t raw[LOG_ENTRY];
	struct digest root;

	if (fd < 0 || log_entries_in(size) < head->count)
		return false;
	for (uint64_t i = 0; i < head->count; i++) {
		struct digest leaf;

		if (file_read_at(fd, log_entry_offset(i), raw, sizeof raw, &ignored) < 0 ||
		    log_entry_parse(raw, i, &entry, &ignored) < 0)
			return false;
		leaf = log_entry_leaf(raw);
		merkle_frontier_add(&frontier, &leaf);
	}
	root = merkle_frontier_root(&frontier);
	return digest_equal(&root, &head->root);
}

/* 0 or 1 if exactly that one is so, else -1. */
static int only(const bool is_so[LOG_COPIES])
{
	return is_so[0] == is_so[1] ? -1 : is_so[1];
}

int log_trust(int (*fds)[LOG_COPIES], uint64_t (*sizes)[LOG_COPIES],
	      const struct signatories *who, struct log_trust *out, struct err *e)
{
	struct log_record *record = calloc(2, sizeof *record);
	uint8_t *raw = malloc(LOG_RECORD_MAX);
	bool is_ours[LOG_COPIES] = { false }, leads[LOG_COPIES] = { false };
	struct log_head newest = { .count = 0 };
	uint64_t covered = 0;
	int rc = -1;

	*out = (struct log_trust){ .entries = -1, .heads = -1 };
	if (record == NULL || raw == NULL) {
		err_set(e, MUNI_NO_MEMORY, "no memory for the audit log");
		goto out;
	}
	for (int c = 0; c < LOG_COPIES; c++) {
		uint64_t most = 0;

		if (!last_record(fds[LOG_FILE_HEADS][c], sizes[LOG_FILE_HEADS][c], raw, record,
				 record + 1, &most))
			continue;
		if (log_record_check_signature(record, who, e) < 0) {
			if (e->code != MUNI_DAMAGED)
				goto out;
			*e = ERR_NONE;
			continue;
		}
		is_ours[c] = true;
		covered = most > covered ? most : covered;
		if (record->head.count > newest.count)
			newest = record->head;
	}
	for (int c = 0; c < LOG_COPIES && newest.count > 0; c++)
		leads[c] = leads_to(fds[LOG_FILE_ENTRIES][c], sizes[LOG_FILE_ENTRIES][c],
				    &newest);
	*out = (struct log_trust){ .entries = only(leads), .heads = only(is_ours),
				   .covered = covered };
	rc = 0;
out:
	free(record);
	free(raw);
	return rc;
}
