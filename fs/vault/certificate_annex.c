/*
 * The annex: the list as far as the classes let it be read, one canonical JSON a line,
 * in the order of the leaves.  An item stands in its line as the very bytes that its
 * leaf was made of, so that stock tools can cut it out and hash it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/base/bytes.h"
#include "fs/base/canonical.h"
#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/vault/certificate_inside.h"

#define PIECE (1u << 20)

struct annex {
	struct certificate_facts *facts;
	struct buffer pending;
	struct hasher *hasher;
	int fd;
	uint64_t size;
	struct err *e;
};

static int flush(struct annex *a)
{
	if (a->pending.failed)
		return err_set(a->e, MUNI_NO_MEMORY, "no memory for the annex");
	if (file_write_at(a->fd, a->size, a->pending.data, a->pending.size, a->e) < 0)
		return -1;
	hasher_update(a->hasher, a->pending.data, a->pending.size);
	a->size += a->pending.size;
	buffer_reset(&a->pending);
	return 0;
}

static void put(struct annex *a, const char *text)
{
	buffer_append(&a->pending, text, strlen(text));
}

static const char *outcome_word(enum item_outcome o)
{
	switch (o) {
	case OUTCOME_GONE:
		return "gone";
	case OUTCOME_BYTES_STAY:
		return "gone, its bytes stay with a kept record";
	case OUTCOME_FAILED:
		return "not destroyed";
	case OUTCOME_PENDING:
		break;
	}
	return "pending";
}

static int put_why(struct annex *a, const char *why)
{
	json_t *value = json_string(why);
	char *text = NULL;
	size_t size;
	int rc = value ? canonical_dump(value, &text, &size, a->e)
		       : err_set(a->e, MUNI_DAMAGED, "a reason in the list is not UTF-8");

	if (rc == 0) {
		put(a, ",\"why\":");
		put(a, text);
	}
	free(text);
	json_decref(value);
	return rc;
}

/* Canonical because its names stand in order and its values are written so. */
static int on_item(void *arg, const struct disposition_item *i)
{
	struct annex *a = arg;
	char hex[DIGEST_HEX_SIZE];

	digest_hex(&i->leaf, hex);
	put(a, "{");
	if (i->text) {
		put(a, "\"item\":");
		put(a, i->text);
		put(a, ",");
	}
	put(a, "\"leaf\":\"");
	put(a, hex);
	put(a, "\",\"outcome\":\"");
	put(a, outcome_word(i->outcome));
	put(a, "\"");
	if (i->why && put_why(a, i->why) < 0)
		return -1;
	put(a, "}\n");
	a->facts->annex_lines++;
	return a->pending.size >= PIECE ? flush(a) : 0;
}

static int write_annex(struct annex *a, int64_t disposition)
{
	return catalogue_disposition_items(a->facts->vault->catalogue, disposition, on_item, a,
					   a->e) < 0 ||
	       flush(a) < 0 || file_sync(a->fd, a->e) < 0 ? -1 : 0;
}

int certificate_annex(struct certificate_facts *f, int fd, const char *name, struct err *e)
{
	struct annex a = { .facts = f, .hasher = hasher_new(), .fd = -1, .e = e };
	char temporary[64];
	int rc = -1;

	f->annex_lines = 0;
	snprintf(temporary, sizeof temporary, "%s.tmp", name);
	if (!a.hasher) {
		err_set(e, MUNI_NO_MEMORY, "no memory for the annex");
		goto out;
	}
	if (file_remove(fd, temporary, e) < 0)
		goto out;
	a.fd = file_open(fd, temporary, O_WRONLY | O_CREAT | O_EXCL, 0400, e);
	if (a.fd < 0 || write_annex(&a, f->row.id) < 0)
		goto out;
	if (renameat(fd, temporary, fd, name) < 0) {
		err_errno(e, "renaming %s", temporary);
		goto out;
	}
	f->annex = hasher_finish(a.hasher);
	rc = file_sync_dir(fd, e);
out:
	file_close(&a.fd);
	buffer_free(&a.pending);
	hasher_free(a.hasher);
	return rc < 0 ? err_wrap(e, "writing the annex of the certificate") : 0;
}
