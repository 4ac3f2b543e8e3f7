/*
 * The catalogue's file and its WAL as somebody without the key can leave them: bytes
 * changed, cut, longer, pages and frames put in each other's place or in the other file's,
 * those of an earlier moment.  What is read of it is what was written (V2, V4), or the
 * catalogue is damaged; an earlier commit may come back, which is the anchor's to notice.
 *
 * The input is a list of acts of 8 bytes: which, and three numbers.
 */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/store/catalogue_inside.h"
#include "fs/store/pagevfs.h"
#include "fs/store/pagevfs_file.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/scratch.h"

#define EPOCH 3
#define CACHE (1u << 20)
#define FILE_MAX (2u << 20)
#define ROWS 12
#define EARLY 5			/* rows of the earlier moment */
#define ACTS_MAX 8
#define MAIN 0
#define WAL 1
#define FILES 2

struct held {
	uint8_t data[FILE_MAX];
	size_t size;
};

static int folder;
static unsigned key_id;
static const char *const names[FILES] = { "catalogue.3", "catalogue.3-wal" };
static struct held early[FILES], fresh[FILES], now[FILES];

static void hold(struct held *out)
{
	struct err e = ERR_NONE;

	for (int i = 0; i < FILES; i++) {
		uint8_t *data;

		MUST(file_load(folder, names[i], FILE_MAX, &data, &out[i].size, &e) == 0);
		memcpy(out[i].data, data, out[i].size);
		free(data);
	}
}

static void name_of(int id, char out[32])
{
	snprintf(out, 32, "account number %d", id);
}

static void add(struct catalogue *c, int id)
{
	char sql[128], name[32];

	name_of(id, name);
	snprintf(sql, sizeof sql, "INSERT INTO account VALUES(%d, '%s')", id, name);
	MUST(sqlite3_exec(c->db, sql, NULL, NULL, NULL) == SQLITE_OK);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const uint8_t key[32] = "the key of the fuzzed catalogue";
	struct catalogue *c;
	struct err e = ERR_NONE;

	(void)argc;
	(void)argv;
	folder = scratch_folder();
	MUST(pagevfs_register(&e) == 0 && pagevfs_key_add(key, key, EPOCH, &key_id, &e) == 0);
	MUST(catalogue_create(folder, EPOCH, key_id, &c, &e) == 0);
	for (int id = 1; id <= ROWS; id++) {
		add(c, id);
		if (id == 2)
			MUST(catalogue_checkpoint(c, &e) == 0);
		if (id == EARLY)
			hold(early);
	}
	hold(fresh);
	catalogue_close(c);
	return 0;
}

/* ---- changes ----------------------------------------------------------------------------- */

struct place {			/* a page in its file, or a frame in its WAL */
	uint8_t *at;
	size_t size;
};

static struct place place_of(struct held *files, int which, size_t number)
{
	const size_t unit = which == MAIN ? PAGEVFS_PAGE_SIZE : PAGEVFS_FRAME;
	const size_t head = which == MAIN ? 0 : PAGEVFS_WAL_HEAD;
	struct held *f = &files[which];
	size_t count = f->size > head ? (f->size - head) / unit : 0;

	if (count == 0)
		return (struct place){ NULL, 0 };
	return (struct place){ f->data + head + number % count * unit, unit };
}

static void move(struct place to, struct place from)
{
	/* Of a frame for a page: what stands behind its head. */
	if (to.at == NULL || from.at == NULL)
		return;
	if (from.size > to.size)
		from.at += PAGEVFS_FRAME_HEAD;
	else if (to.size > from.size)
		to.at += PAGEVFS_FRAME_HEAD;
	memmove(to.at, from.at, to.size < from.size ? to.size : from.size);
}

static void change(struct reader *r)
{
	uint8_t act = reader_u8(r), bits = reader_u8(r);
	size_t a = reader_u16(r), b = reader_u16(r), c = reader_u16(r);
	int which = bits & 1;
	struct held *f = &now[which];

	switch (act % 6) {
	case 0:		/* a byte of a page or frame */
		if (place_of(now, which, a).at)
			place_of(now, which, a).at[b % PAGEVFS_PAGE_SIZE] ^= (uint8_t)(c | 1);
		break;
	case 1:
		f->size = ((a << 16 | b) >> (c & 15)) % (f->size + 1);
		break;
	case 2:
		move(place_of(now, which, a), place_of(now, bits >> 1 & 1, b));
		break;
	case 3:
		move(place_of(now, which, a), place_of(early, bits >> 1 & 1, b));
		break;
	case 4:
		*f = early[which];
		break;
	default:	/* the head: of the file, of its WAL */
		if (f->size > 128)
			f->data[a % 128] = (uint8_t)b;
	}
}

/* ---- reading --------------------------------------------------------------------------------- */

static void read_back(void)
{
	struct catalogue *c;
	struct err e = ERR_NONE;

	if (catalogue_open(folder, EPOCH, key_id, CATALOGUE_READ, CACHE, &c, &e) < 0) {
		MUST(e.code != MUNI_OK && *e.text);
		return;
	}
	for (int id = 1; id <= ROWS; id++) {
		char name[256], wanted[32];

		e = ERR_NONE;
		name_of(id, wanted);
		if (catalogue_account(c, id, name, &e) == 0)
			MUST(strcmp(name, wanted) == 0);
		else
			MUST(*e.text);
	}
	catalogue_check_sound(c, &e);
	catalogue_close(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_over(data, size);

	for (int i = 0; i < FILES; i++) {
		memcpy(now[i].data, fresh[i].data, fresh[i].size);
		now[i].size = fresh[i].size;
	}
	for (int i = 0; i < ACTS_MAX && reader_left(&r) >= 8; i++)
		change(&r);
	for (int i = 0; i < FILES; i++)
		scratch_put(folder, names[i], now[i].data, now[i].size);
	unlinkat(folder, "catalogue.3-shm", 0);
	read_back();
	return 0;
}
