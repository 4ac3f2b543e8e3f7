/*
 * Verifying the audit log: entries and heads side by side, in both copies.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/store/log_inside.h"

#define BATCH 512		/* entries read at once */
#define PAGE 4096		/* a killed write ends at a multiple of it */

struct check {
	int fds[LOG_FILE_COUNT][LOG_COPIES];
	uint64_t sizes[LOG_FILE_COUNT][LOG_COPIES];
	const struct signatories *who;
	const struct signatory *newest;	/* whose the head before is; NULL: none yet */
	void (*found)(void *arg, bool is_damage, bool can_mend, const char *what);
	void *arg;
	uint64_t damages;
	struct err first;
	struct log_trust trust;

	/* While walking entries and heads side by side: */
	struct merkle_frontier frontier;
	uint64_t heads;
	uint64_t heads_at;		/* the next head's offset */
	uint64_t covered;		/* entries under the newest head so far */
	bool heads_torn[LOG_COPIES];	/* what lies from heads_at on is no head, in neither */
	bool is_unfinished[LOG_COPIES];	/* and a killed write may have left it */
	struct log_record record;	/* the next head, valid when has_record */
	bool has_record;
	uint8_t raw[LOG_COPIES][LOG_RECORD_MAX];
};

static void tell(struct check *k, bool is_damage, bool can_mend, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static void tell(struct check *k, bool is_damage, bool can_mend, const char *format, ...)
{
	char text[500];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (is_damage && k->damages++ == 0)
		err_set(&k->first, MUNI_DAMAGED, "%s", text);
	if (k->found != NULL)
		k->found(k->arg, is_damage, can_mend, text);
}

static struct check *check_new(struct err *e)
{
	struct check *k = calloc(1, sizeof *k);

	if (k == NULL) {
		err_set(e, MUNI_NO_MEMORY, "no memory to verify the audit log");
		return NULL;
	}
	for (int f = 0; f < LOG_FILE_COUNT; f++)
		for (int c = 0; c < LOG_COPIES; c++)
			k->fds[f][c] = -1;
	k->heads_at = LOG_FILE_HEAD;
	return k;
}

static void check_free(struct check *k)
{
	for (int f = 0; f < LOG_FILE_COUNT; f++)
		for (int c = 0; c < LOG_COPIES; c++)
			file_close(&k->fds[f][c]);
	free(k);
}

static int open_files(struct check *k, int auditfd, struct err *e)
{
	for (int f = 0; f < LOG_FILE_COUNT; f++) {
		for (int c = 0; c < LOG_COPIES; c++) {
			const char *name = log_file_names[f][c];
			int *fd = &k->fds[f][c];

			*fd = file_open(auditfd, name, O_RDONLY, 0, e);
			if (*fd < 0 && e->code != MUNI_NOT_FOUND && e->code != MUNI_DAMAGED)
				return -1;
			if (*fd < 0) {
				tell(k, true, true, "audit/%s is missing%s", name,
				     e->code == MUNI_DAMAGED ?
				     ": something else has its name" : "");
				continue;
			}
			if (file_size(*fd, &k->sizes[f][c], e) < 0)
				return -1;
			if (log_check_file_head(*fd, (enum log_file)f, e) == 0)
				continue;
			if (e->code != MUNI_DAMAGED)
				return err_wrap(e, "audit/%s", name);
			tell(k, true, true, "audit/%s: %s", name, e->text);
		}
	}
	*e = ERR_NONE;
	return 0;
}

/* Both copies have a whole head at heads_at, and not the same: k->record becomes
 * the one that was signed, where that can be told. */
static void tell_difference(struct check *k)
{
	struct err e = ERR_NONE;

	if (k->trust.heads == 1)
		log_record_read(k->fds[LOG_FILE_HEADS][1], k->sizes[LOG_FILE_HEADS][1],
				k->heads_at, k->raw[1], &k->record, &e);
	tell(k, true, k->trust.heads >= 0, "audit/heads and its copy differ at byte %" PRIu64
	     "%s", k->heads_at, k->trust.heads == 0 ? ": the copy was not signed here" :
	     k->trust.heads == 1 ? ": audit/heads was not signed here" : "");
}

/* The next head from either copy into k->record. */
static void next_head(struct check *k)
{
	bool is_good[LOG_COPIES], is_behind[LOG_COPIES];

	k->has_record = false;
	for (int c = LOG_COPIES - 1; c >= 0; c--) {
		struct err e = ERR_NONE;
		int fd = k->fds[LOG_FILE_HEADS][c];
		uint64_t size = k->sizes[LOG_FILE_HEADS][c];

		/* L5: an unfinished write ends where a page does. */
		is_behind[c] = fd >= 0 && (size == k->heads_at || size % PAGE == 0) &&
			       size < k->heads_at + LOG_RECORD_MAX;
		is_good[c] = fd >= 0 && log_record_read(fd, size, k->heads_at, k->raw[c],
							&k->record, &e) == 0;
	}
	/* What follows in a copy that another archive signed is no head of ours. */
	if (k->trust.heads >= 0 && !is_good[k->trust.heads] && is_good[!k->trust.heads]) {
		is_good[!k->trust.heads] = false;
		if (k->trust.heads == 0 && k->sizes[LOG_FILE_HEADS][0] == k->heads_at)
			tell(k, true, true, "audit/heads.2 goes on after the last head that was "
			     "signed here");
	}
	if (!is_good[0] && !is_good[1]) {
		for (int c = 0; c < LOG_COPIES; c++) {
			k->heads_torn[c] = k->sizes[LOG_FILE_HEADS][c] > k->heads_at;
			k->is_unfinished[c] = is_behind[c];
		}
		return;
	}
	k->has_record = true;
	if (!is_good[0]) {
		struct err e = ERR_NONE;

		log_record_read(k->fds[LOG_FILE_HEADS][1], k->sizes[LOG_FILE_HEADS][1],
				k->heads_at, k->raw[1], &k->record, &e);
		tell(k, true, true, "audit/heads: the head at byte %" PRIu64
		     " is not what was written", k->heads_at);
	} else if (!is_good[1] && k->fds[LOG_FILE_HEADS][1] >= 0) {
		bool is_last = k->heads_at + k->record.size ==
			       k->sizes[LOG_FILE_HEADS][0];
		bool is_unfinished = is_last && is_behind[1];

		tell(k, !is_unfinished, true, "audit/heads.2: the head at byte %" PRIu64
		     " is %s", k->heads_at,
		     is_unfinished ? "not there yet: a write was interrupted"
				   : "not what was written");
	} else if (is_good[1] &&
		   memcmp(k->raw[0], k->raw[1], (size_t)k->record.size) != 0) {
		tell_difference(k);
	}
}

/* The one signatures go over to is never left again. */
static int check_signer(struct check *k, struct err *e)
{
	const struct signatory *now;

	if (log_record_check_signature(&k->record, k->who, e) < 0) {
		if (e->code != MUNI_DAMAGED)
			return -1;
		tell(k, true, false, "audit/heads: %s", e->text);
		*e = ERR_NONE;
		return 0;
	}
	now = signatories_find(k->who, &k->record.head.signer);
	if (k->newest && now < k->newest)
		tell(k, true, false, "audit/heads: the head at byte %" PRIu64 " is signed by a key "
		     "that the heads before it had left: it was renewed", k->heads_at);
	else
		k->newest = now;
	return 0;
}

/* All heads over exactly the entries seen so far. */
static int check_heads_here(struct check *k, struct err *e)
{
	struct digest root = merkle_frontier_root(&k->frontier);

	while (k->has_record && k->record.head.count <= k->frontier.count) {
		if (k->record.head.count < k->frontier.count)
			tell(k, true, false, "audit/heads: the head at byte %" PRIu64
			     " goes back behind the one before", k->heads_at);
		else if (!digest_equal(&root, &k->record.head.root))
			tell(k, true, false, "audit/log: its first %" PRIu64 " entries are "
			     "not those that the signed head covers", k->frontier.count);
		if (check_signer(k, e) < 0)
			return -1;
		k->heads++;
		k->covered = k->record.head.count;
		k->heads_at += k->record.size;
		next_head(k);
	}
	return 0;
}

/* Reads up to BATCH entries of copy c; those that are not there are zeros. */
static int read_batch(struct check *k, int c, uint64_t first, size_t count, uint8_t *out,
		      struct err *e)
{
	int fd = k->fds[LOG_FILE_ENTRIES][c];
	uint64_t at = log_entry_offset(first), size = k->sizes[LOG_FILE_ENTRIES][c];
	uint64_t have = size > at ? (size - at) / LOG_ENTRY : 0;

	memset(out, 0, count * LOG_ENTRY);
	if (fd < 0)
		return 0;
	return file_read_at(fd, at, out, (have < count ? (size_t)have : count) * LOG_ENTRY,
			    e);
}

/* One entry from either copy; false: lost in both. */
static bool check_entry(struct check *k, uint64_t i, const uint8_t *a, const uint8_t *b,
			uint64_t total)
{
	struct log_entry entry;
	struct err e = ERR_NONE;
	bool in_first = log_entry_parse(a, i, &entry, &e) == 0;
	bool in_copy = log_entry_parse(b, i, &entry, &e) == 0;
	struct digest leaf;

	if (!in_first && !in_copy) {
		/* What no head covers, nobody counts on: L2. */
		bool is_tail = !k->has_record && !k->heads_torn[0] && !k->heads_torn[1];

		if (is_tail)
			tell(k, true, true, "audit/log, or its copy, goes on after its last entry, "
			     "at byte %" PRIu64 ", with what is none", log_entry_offset(i));
		else
			tell(k, true, false, "audit/log: entry %" PRIu64 " is lost, in the copy "
			     "too", i);
		return false;
	}
	if (!in_first && k->fds[LOG_FILE_ENTRIES][0] >= 0) {
		tell(k, true, true, "audit/log: entry %" PRIu64 " at byte %" PRIu64
		     " is not what was written", i, log_entry_offset(i));
	} else if (!in_copy && k->fds[LOG_FILE_ENTRIES][1] >= 0) {
		bool is_behind = i + 1 == total &&
				 k->sizes[LOG_FILE_ENTRIES][1] == log_entry_offset(i);

		tell(k, !is_behind, true, "audit/log.2: entry %" PRIu64 " is %s", i,
		     is_behind ? "not there yet: a write was interrupted"
			       : "not what was written");
	} else if (in_first && in_copy && memcmp(a, b, LOG_ENTRY) != 0) {
		tell(k, true, k->trust.entries >= 0, "audit/log and its copy differ in entry %"
		     PRIu64 "%s", i, k->trust.entries == 0 ? ": the copy was altered" :
		     k->trust.entries == 1 ? ": audit/log was altered" : "");
		in_first = k->trust.entries != 1;
	}
	leaf = log_entry_leaf(in_first ? a : b);
	merkle_frontier_add(&k->frontier, &leaf);
	return true;
}

static int walk(struct check *k, struct err *e)
{
	uint8_t *batch = malloc((size_t)2 * BATCH * LOG_ENTRY);
	uint64_t total = log_entries_in(k->sizes[LOG_FILE_ENTRIES][0]);
	uint64_t copied = log_entries_in(k->sizes[LOG_FILE_ENTRIES][1]);
	bool go_on = true;
	int rc = -1;

	if (batch == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory to verify the audit log");
	if (copied > total)
		total = copied;
	next_head(k);
	if (check_heads_here(k, e) < 0)
		goto out;
	for (uint64_t i = 0; i < total && go_on; i += BATCH) {
		size_t count = total - i < BATCH ? (size_t)(total - i) : BATCH;
		uint8_t *copy = batch + (size_t)BATCH * LOG_ENTRY;

		if (read_batch(k, 0, i, count, batch, e) < 0 ||
		    read_batch(k, 1, i, count, copy, e) < 0)
			goto out;
		for (size_t n = 0; n < count && go_on; n++) {
			go_on = check_entry(k, i + n, batch + n * LOG_ENTRY,
					    copy + n * LOG_ENTRY, total);
			if (go_on && check_heads_here(k, e) < 0)
				goto out;
		}
	}
	if (go_on && k->has_record)
		tell(k, true, false, "audit/log ends after %" PRIu64 " entries, a signed head "
		     "covers %" PRIu64, k->frontier.count, k->record.head.count);
	rc = 0;
out:
	free(batch);
	return rc;
}

/* What stands behind the last head, in one copy or in both.  Where all entries are under a
 * head, no head is missing, and it is nothing; else the newest one may have been there. */
static void check_heads_end(struct check *k)
{
	bool is_nothing = k->frontier.count == k->covered;

	for (int c = 0; c < LOG_COPIES && !k->has_record; c++) {
		const char *name = log_file_names[LOG_FILE_HEADS][c];

		if (!k->heads_torn[c])
			continue;
		if (k->is_unfinished[c])
			tell(k, false, false, "audit/%s is unfinished from byte %" PRIu64 " on",
			     name, k->heads_at);
		else if (is_nothing || k->trust.heads == !c)
			tell(k, true, true, "audit/%s goes on after the last head that was signed "
			     "here, at byte %" PRIu64, name, k->heads_at);
		else if (log_is_cut_off(k->sizes[LOG_FILE_HEADS], k->heads_at))
			tell(k, true, true, "audit/%s: the writing of the head at byte %" PRIu64
			     " was cut off: the next writing, or \"muni repair\", ends it", name,
			     k->heads_at);
		else
			tell(k, true, false, "audit/%s is damaged from byte %" PRIu64 " on, and "
			     "the other copy has nothing better", name, k->heads_at);
	}
}

/* Bytes after the last whole entry. */
static void check_ends(struct check *k)
{
	for (int c = 0; c < LOG_COPIES; c++) {
		uint64_t size = k->sizes[LOG_FILE_ENTRIES][c];

		if (k->fds[LOG_FILE_ENTRIES][c] >= 0 && size > LOG_FILE_HEAD &&
		    (size - LOG_FILE_HEAD) % LOG_ENTRY != 0)
			tell(k, true, true, "audit/%s ends in the middle of an entry",
			     log_file_names[LOG_FILE_ENTRIES][c]);
	}
	check_heads_end(k);
}

int log_verify(int auditfd, const struct signatories *who, uint64_t *entries,
	       uint64_t *heads,
	       void (*found)(void *arg, bool is_damage, bool can_mend, const char *what),
	       void *arg, struct err *e)
{
	struct check *k = check_new(e);
	int rc = -1;

	*entries = *heads = 0;
	if (k == NULL)
		return -1;
	k->who = who;
	k->found = found;
	k->arg = arg;
	if (open_files(k, auditfd, e) < 0 ||
	    log_trust(k->fds, k->sizes, who, &k->trust, e) < 0 || walk(k, e) < 0)
		goto out;
	check_ends(k);
	*entries = k->frontier.count;
	*heads = k->heads;
	if (k->damages > 0)
		*e = k->first;
	else
		rc = 0;
out:
	check_free(k);
	return rc;
}
