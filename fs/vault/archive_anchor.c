#include "fs/vault/archive_anchor.h"

#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/base/text.h"

#define ANCHOR_SIZE_MAX (8 + 4 + 4 + 16 + 8 + 8 + 8 + 64 * DIGEST_SIZE + DIGEST_SIZE)
#define ANCHOR_FORMAT 1
#define ANCHOR_NAME_SIZE (32 + sizeof ".anchor")
#define BRING_NEWEST "What was destroyed since must not come back: bring the newest copy; where " \
	"there is none, `muni restore` takes this one"

static const char magic[8] = "MUNIANCH";

int anchor_folder(const char *keyring, struct err *e)
{
	/* Not from the heap: an init that found no memory cleans up by this. */
	char copy[PATH_MAX];

	if (snprintf(copy, sizeof copy, "%s", keyring) >= (int)sizeof copy)
		return err_set(e, MUNI_LIMIT, "the keyring's path is too long");
	return file_open_user(dirname(copy), O_RDONLY | O_DIRECTORY, 0, e);
}

static void anchor_name(const uint8_t id[16], char out[ANCHOR_NAME_SIZE])
{
	text_hex(id, 16, out);
	strcpy(out + 32, ".anchor");
}

static bool parse(const uint8_t *data, size_t size, const uint8_t id[16],
		  struct anchor *out)
{
	struct reader r = reader_over(data, size);
	uint8_t found[8], owner[16];
	struct digest sum, now;

	reader_bytes(&r, found, sizeof found);
	if (reader_u32(&r) != ANCHOR_FORMAT || reader_u32(&r) != 0)
		return false;
	reader_bytes(&r, owner, sizeof owner);
	out->epoch = reader_u64(&r);
	out->generation = reader_u64(&r);
	out->position.frontier.count = reader_u64(&r);
	for (unsigned i = 0; i < 64; i++)
		if (out->position.frontier.count >> i & 1)
			reader_bytes(&r, out->position.frontier.peaks[i].bytes, DIGEST_SIZE);
	now = digest_of(data, r.used);
	reader_bytes(&r, sum.bytes, DIGEST_SIZE);
	return !r.underflow && reader_left(&r) == 0 && digest_equal(&sum, &now) &&
	       memcmp(found, magic, sizeof magic) == 0 && memcmp(owner, id, 16) == 0;
}

int anchor_read(const char *keyring, const uint8_t id[16], struct anchor *out,
		struct err *e)
{
	char name[ANCHOR_NAME_SIZE];
	uint8_t *data;
	size_t size;
	int folder, rc;

	memset(out, 0, sizeof *out);
	anchor_name(id, name);
	folder = anchor_folder(keyring, e);
	if (folder < 0)
		return -1;
	rc = file_load(folder, name, ANCHOR_SIZE_MAX, &data, &size, e);
	file_close(&folder);
	if (rc < 0)
		return -1;
	if (!parse(data, size, id, out))
		rc = err_set(e, MUNI_DAMAGED, "%s does not parse", name);
	free(data);
	return rc;
}

int anchor_write(const char *keyring, const uint8_t id[16], const struct anchor *a,
		 struct err *e)
{
	char name[ANCHOR_NAME_SIZE];
	uint8_t raw[ANCHOR_SIZE_MAX];
	struct writer w = writer_over(raw, sizeof raw);
	struct digest sum;
	int folder, rc;

	writer_bytes(&w, magic, sizeof magic);
	writer_u32(&w, ANCHOR_FORMAT);
	writer_u32(&w, 0);
	writer_bytes(&w, id, 16);
	writer_u64(&w, a->epoch);
	writer_u64(&w, a->generation);
	writer_u64(&w, a->position.frontier.count);
	for (unsigned i = 0; i < 64; i++)
		if (a->position.frontier.count >> i & 1)
			writer_bytes(&w, a->position.frontier.peaks[i].bytes, DIGEST_SIZE);
	sum = digest_of(raw, w.used);
	writer_bytes(&w, sum.bytes, DIGEST_SIZE);

	anchor_name(id, name);
	folder = anchor_folder(keyring, e);
	if (folder < 0)
		return -1;
	rc = file_replace_synced(folder, name, raw, w.used, 0600, e);
	file_close(&folder);
	return rc < 0 ? err_wrap(e, "keeping the newest state beside the keyring") : 0;
}

int anchor_remove(const char *keyring, const uint8_t id[16], struct err *e)
{
	char name[ANCHOR_NAME_SIZE], draft[ANCHOR_NAME_SIZE + 4];
	int folder, rc;

	anchor_name(id, name);
	snprintf(draft, sizeof draft, "%s.tmp", name);
	folder = anchor_folder(keyring, e);
	if (folder < 0)
		return -1;
	/* Killed while it was written: file_replace_synced(). */
	rc = file_remove(folder, draft, e);
	if (rc == 0)
		rc = file_remove(folder, name, e);
	file_close(&folder);
	return rc;
}

/* N2: from where we were, does the log lead to where it is now? */
static int follow(const struct anchor *seen, const struct log *log, struct err *e)
{
	struct merkle_frontier f = seen->position.frontier;
	struct digest reached, now;

	while (f.count < log_count(log)) {
		struct digest leaf;

		if (log_leaf(log, f.count, &leaf, e) < 0)
			return -1;
		merkle_frontier_add(&f, &leaf);
	}
	reached = merkle_frontier_root(&f);
	now = merkle_frontier_root(&log_position(log)->frontier);
	if (!digest_equal(&reached, &now))
		return err_set(e, MUNI_DAMAGED, "the audit log does not continue the one that "
			       "this host saw when it had %" PRIu64 " acts: acts were taken "
			       "out or replaced", seen->position.frontier.count);
	return 0;
}

bool anchor_is_ahead(const struct anchor *seen, const struct log *log, uint64_t epoch,
		     uint64_t generation)
{
	return epoch < seen->epoch || log_count(log) < seen->position.frontier.count ||
	       generation < seen->generation;
}

int anchor_compare(const struct anchor *seen, const struct log *log, uint64_t epoch,
		   uint64_t generation, struct err *e)
{
	char was[TEXT_COUNT_MAX], is[TEXT_COUNT_MAX];

	if (epoch < seen->epoch)
		return err_set(e, MUNI_DAMAGED, "this is an older copy of the archive: its "
			       "keyring is of epoch %" PRIu64 ", which ended; this host has "
			       "seen epoch %" PRIu64 ". " BRING_NEWEST, epoch, seen->epoch);
	if (log_count(log) < seen->position.frontier.count)
		return err_set(e, MUNI_DAMAGED, "this is an older copy of the archive: it "
			       "knows %s acts, this host has seen %s. " BRING_NEWEST,
			       text_count(log_count(log), is),
			       text_count(seen->position.frontier.count, was));
	if (generation < seen->generation)
		return err_set(e, MUNI_DAMAGED, "this is an older copy of the archive's "
			       "catalogue (generation %" PRIu64 ", this host has seen %" PRIu64
			       "): bring the newest copy", generation, seen->generation);
	return follow(seen, log, e);
}
