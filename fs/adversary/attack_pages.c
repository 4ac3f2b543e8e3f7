/*
 * The catalogue's pages, opened one by one as they lie in the file: also those that SQLite
 * holds for free, and what is left in the unused parts of others.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/adversary/attack.h"
#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/crypt/secret.h"
#include "fs/store/pagevfs_cipher.h"
#include "fs/store/redo_object.h"
#include "fs/store/redo_pack.h"

#define PENDING_PAGE 131073u	/* never sealed: docs/format.md, "Sealed pages" */
#define WAL_HEAD 32
#define FRAME_HEAD 24

/* Page after page of one file. */
struct pages {
	struct attack *attack;
	struct pagevfs_cipher *cipher;
	unsigned key_id;		/* the same key, for copies */
	uint8_t *sealed, *plain;	/* secret_new(): plain holds keys */
};

static int pages_begin(struct pages *p, struct attack *a, const uint8_t head[PAGEVFS_HEAD_SIZE],
		       struct err *e)
{
	uint8_t file_id[PAGEVFS_FILE_ID_SIZE];

	*p = (struct pages){ .attack = a };
	if (!pagevfs_cipher_parse_head(head, file_id))
		return err_set(e, MUNI_DAMAGED, "the catalogue's first page does not read");
	p->sealed = malloc(PAGEVFS_PAGE_SIZE);
	p->plain = secret_new(PAGEVFS_PAGE_SIZE);
	if (p->sealed == NULL || p->plain == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory to open the catalogue's pages");
	if (pagevfs_key_add(a->request->catalogue_key, a->request->archive_id,
			    a->request->epoch, &p->key_id, e) < 0)
		return -1;
	return pagevfs_cipher_new(a->request->catalogue_key, a->request->archive_id,
				  a->request->epoch, file_id, &p->cipher, e);
}

static void pages_end(struct pages *p)
{
	pagevfs_cipher_free(p->cipher);
	pagevfs_key_drop(p->key_id);
	free(p->sealed);
	secret_free(p->plain);
}

static bool search_page(struct pages *p, uint32_t number, const uint8_t *sealed,
			const char *where)
{
	struct err ignored = ERR_NONE;

	if (pagevfs_cipher_open(p->cipher, number, sealed, p->plain, &ignored) < 0)
		return false;
	attack_search(p->attack, p->plain, PAGEVFS_PAGE_SIZE, where);
	return true;
}

static int attack_main(struct pages *p, int fd, uint64_t size, struct err *e)
{
	for (uint64_t at = 0; at + PAGEVFS_PAGE_SIZE <= size; at += PAGEVFS_PAGE_SIZE) {
		uint32_t number = (uint32_t)(at / PAGEVFS_PAGE_SIZE) + 1;
		char where[64];

		if (number == PENDING_PAGE)
			continue;
		snprintf(where, sizeof where, "the catalogue's page %" PRIu32, number);
		if (file_read_at(fd, at, p->sealed, PAGEVFS_PAGE_SIZE, e) < 0)
			return -1;
		if (!search_page(p, number, p->sealed, where))
			attack_found(p->attack, "%s does not open under the present key", where);
		p->attack->pages++;
	}
	return 0;
}

static int attack_wal(struct pages *p, int fd, uint64_t size, struct err *e)
{
	uint8_t head[FRAME_HEAD];

	for (uint64_t at = WAL_HEAD; at + FRAME_HEAD + PAGEVFS_PAGE_SIZE <= size;
	     at += FRAME_HEAD + PAGEVFS_PAGE_SIZE) {
		uint32_t number;

		if (file_read_at(fd, at, head, sizeof head, e) < 0 ||
		    file_read_at(fd, at + sizeof head, p->sealed, PAGEVFS_PAGE_SIZE, e) < 0)
			return -1;
		pagevfs_cipher_show(p->cipher, at, head, sizeof head);
		number = (uint32_t)head[0] << 24 | (uint32_t)head[1] << 16 |
			 (uint32_t)head[2] << 8 | head[3];
		search_page(p, number, p->sealed, "the catalogue's write-ahead log");
		p->attack->pages++;
	}
	return 0;
}

int attack_pages(struct attack *a, struct err *e)
{
	uint8_t head[PAGEVFS_HEAD_SIZE];
	struct pages p = { .attack = a };
	char name[64];
	uint64_t size;
	int fd, wal = -1, rc = -1;

	snprintf(name, sizeof name, "catalogue.%" PRIu64, a->request->epoch);
	fd = file_open(a->dirfd, name, O_RDONLY, 0, e);
	if (fd < 0)
		return -1;
	if (file_size(fd, &size, e) < 0 || file_read_at(fd, 0, head, sizeof head, e) < 0 ||
	    pages_begin(&p, a, head, e) < 0 || attack_main(&p, fd, size, e) < 0)
		goto out;
	strcat(name, "-wal");
	wal = file_open(a->dirfd, name, O_RDONLY, 0, e);
	if (wal < 0 && e->code != MUNI_NOT_FOUND)
		goto out;
	*e = ERR_NONE;
	rc = wal < 0 ? 0 : file_size(wal, &size, e);
	if (wal >= 0 && rc == 0)
		rc = attack_wal(&p, wal, size, e);
out:
	pages_end(&p);
	file_close(&wal);
	file_close(&fd);
	return rc;
}

/* ---- base and redo -------------------------------------------------------------------- */

static void attack_copy(struct pages *p, const struct redo_object *r)
{
	for (uint32_t i = 0; i < r->head.pages; i++) {
		uint32_t number = redo_object_number(r, i);

		if (number != PENDING_PAGE &&
		    !search_page(p, number, redo_object_page(r, i), "a copy of the catalogue"))
			attack_found(p->attack, "page %" PRIu32 " of a copy of the catalogue does "
				     "not open under the present key", number);
		p->attack->copied_pages++;
	}
}

/* A copy of a catalogue that is gone names its pages by seals that the present key
 * does not make. */
static int open_copy(struct pages *p, struct redo_object *r, const char *name, struct err *e)
{
	if (redo_unpack(r, p->key_id, e) == 0) {
		attack_copy(p, r);
		return 0;
	}
	if (e->code != MUNI_DAMAGED)
		return -1;
	attack_found(p->attack, "%s does not open under the present key", name);
	*e = ERR_NONE;
	return 0;
}

static int attack_object(struct pages *p, struct objects *o, const struct object_name *name,
			 struct err *e)
{
	struct redo_object r = { .payload = NULL };
	char text[OBJECT_TEXT_MAX];
	int rc = redo_object_load(o, name, &r, e);

	p->attack->copies++;
	if (rc == 0 && r.head.epoch != p->attack->request->epoch)
		attack_found(p->attack, "%s is a copy of the catalogue of epoch %" PRIu64,
			     object_text(name, text), r.head.epoch);
	else if (rc == 0)
		rc = open_copy(p, &r, object_text(name, text), e);
	else if (e->code == MUNI_DAMAGED || e->code == MUNI_FORMAT) {
		attack_found(p->attack, "%s is no whole copy of the catalogue: what it holds cannot "
			     "be told", object_text(name, text));
		*e = ERR_NONE;
		rc = 0;
	}
	redo_object_free(&r);
	return rc;
}

int attack_copies(struct attack *a, struct err *e)
{
	struct objects *o = NULL;
	struct object_name *names = NULL;
	struct pages p = { .attack = a };
	uint8_t head[PAGEVFS_HEAD_SIZE];
	char name[64];
	size_t count = 0;
	int fd, rc = -1;

	snprintf(name, sizeof name, "catalogue.%" PRIu64, a->request->epoch);
	fd = file_open(a->dirfd, name, O_RDONLY, 0, e);
	if (fd < 0)
		return -1;
	if (file_read_at(fd, 0, head, sizeof head, e) < 0 || pages_begin(&p, a, head, e) < 0 ||
	    objects_open_folder(a->dirfd, false, &o, e) < 0 ||
	    objects_list(o, OBJECTS_CATALOGUE, &names, &count, NULL, e) < 0)
		goto out;
	rc = 0;
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = attack_object(&p, o, &names[i], e);
out:
	free(names);
	objects_close(o);
	pages_end(&p);
	file_close(&fd);
	return rc;
}
