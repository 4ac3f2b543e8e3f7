/*
 * The entries of the first pass, for the second: the source may have changed in
 * between, and what was made has to be what is checked.  The file has no name and
 * is read by the very process that wrote it, so numbers stand in it as in memory.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/base/file.h"
#include "fs/vault/export_live.h"

#define SPOOL "entries"
#define BLOB_MAX ((size_t)32 << 20)	/* paths, targets and sets of attributes are less */

struct spool {
	FILE *file;
};

int spool_open(int dirfd, struct spool **out, struct err *e)
{
	struct spool *s = calloc(1, sizeof *s);
	int fd = -1;

	*out = NULL;
	if (!s)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a list of entries");
	fd = file_open(dirfd, SPOOL, O_RDWR | O_CREAT | O_TRUNC, 0600, e);
	if (fd < 0 || file_remove(dirfd, SPOOL, e) < 0)
		goto bad;
	s->file = fdopen(fd, "w+");
	if (!s->file) {
		err_errno(e, "keeping a list of entries");
		goto bad;
	}
	*out = s;
	return 0;
bad:
	file_close(&fd);
	free(s);
	return -1;
}

void spool_close(struct spool *s)
{
	if (s && s->file)
		fclose(s->file);
	free(s);
}

/* ---- writing ------------------------------------------------------------------ */

static void put_blob(FILE *f, const void *data, size_t size)
{
	fwrite(&size, sizeof size, 1, f);
	if (size > 0)
		fwrite(data, size, 1, f);
}

static void put_text(FILE *f, const char *text)
{
	put_blob(f, text, text ? strlen(text) : 0);
}

int spool_put(struct spool *s, const struct export_item *item, struct err *e)
{
	put_blob(s->file, item->path, item->path_size);
	put_blob(s->file, &item->node, sizeof item->node);
	put_blob(s->file, &item->has_plain_digest, sizeof item->has_plain_digest);
	put_text(s->file, item->symlink);
	put_blob(s->file, item->xattrs, item->xattrs_size);
	put_text(s->file, item->owner);
	put_text(s->file, item->group);
	return ferror(s->file) ? err_errno(e, "keeping a list of entries in the target") : 0;
}

int spool_rewind(struct spool *s, struct err *e)
{
	if (fflush(s->file) != 0 || fseek(s->file, 0, SEEK_SET) != 0)
		return err_errno(e, "keeping a list of entries in the target");
	return 0;
}

/* ---- reading ------------------------------------------------------------------- */

static int cut_off(struct err *e)
{
	return err_set(e, MUNI_IO, "the list of entries in the target reads back differently");
}

/* *out malloc'ed, NUL ended; NULL where it is empty and may_be_null. */
static int get_blob(FILE *f, bool may_be_null, uint8_t **out, size_t *size, struct err *e)
{
	*out = NULL;
	if (fread(size, sizeof *size, 1, f) != 1 || *size > BLOB_MAX)
		return cut_off(e);
	if (*size == 0 && may_be_null)
		return 0;
	*out = malloc(*size + 1);
	if (!*out)
		return err_set(e, MUNI_NO_MEMORY, "no memory for an entry");
	(*out)[*size] = 0;
	if (*size > 0 && fread(*out, *size, 1, f) != 1)
		return cut_off(e);
	return 0;
}

static int get_fixed(FILE *f, void *out, size_t size, struct err *e)
{
	size_t found;

	if (fread(&found, sizeof found, 1, f) != 1 || found != size ||
	    fread(out, size, 1, f) != 1)
		return cut_off(e);
	return 0;
}

static int get_name(FILE *f, char out[256], struct err *e)
{
	size_t size;

	if (fread(&size, sizeof size, 1, f) != 1 || size > 255 ||
	    (size > 0 && fread(out, size, 1, f) != 1))
		return cut_off(e);
	out[size] = 0;
	return 0;
}

static int get_rest(FILE *f, struct export_item *item, struct err *e)
{
	uint8_t *target;
	size_t size;
	int rc;

	if (get_fixed(f, &item->node, sizeof item->node, e) < 0 ||
	    get_fixed(f, &item->has_plain_digest, sizeof item->has_plain_digest, e) < 0)
		return -1;
	rc = get_blob(f, item->node.kind != NODE_SYMLINK, &target, &size, e);
	item->symlink = (char *)target;
	if (rc < 0 || get_blob(f, true, &item->xattrs, &item->xattrs_size, e) < 0 ||
	    get_name(f, item->owner, e) < 0)
		return -1;
	return get_name(f, item->group, e);
}

int spool_get(struct spool *s, struct export_item **out, struct err *e)
{
	struct export_item *item = NULL;
	uint8_t *path = NULL;
	size_t size;
	int c = getc(s->file);

	*out = NULL;
	if (c == EOF)
		return ferror(s->file) ? cut_off(e) : 0;
	ungetc(c, s->file);
	if (get_blob(s->file, false, &path, &size, e) < 0)
		goto bad;
	item = export_item_new((const char *)path, size);
	if (!item) {
		err_set(e, MUNI_NO_MEMORY, "no memory for an entry");
		goto bad;
	}
	if (get_rest(s->file, item, e) < 0)
		goto bad;
	free(path);
	*out = item;
	return 0;
bad:
	free(path);
	export_item_free(item);
	return -1;
}
