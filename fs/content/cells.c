/*
 * Cells are gathered into a stretch of text, a mark behind each and another behind
 * a row's last, and handed to the detector when there is enough of it: a pass for
 * each cell would cost more than the search.
 *
 * Labels and places repeat (a column's head, a sheet): each is kept once a
 * stretch, found by a small hash table.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/content/look.h"
#include "policy/detect/detect.h"

#define STRETCH_SIZE (128u << 10)	/* handed over when it is as long */
#define STRETCH_CELLS 16384u
#define WORDS_BITS 12
#define WORD_MAX 4096u		/* bytes of a label or place that are kept */

struct cell {
	uint32_t start;		/* in the stretch */
	uint32_t label, place;	/* offsets into `words`; 0: none */
};

struct cells {
	struct look *look;
	struct buffer text;
	struct buffer words;	/* NUL ended, one after the other */
	uint32_t table[1u << WORDS_BITS];	/* offsets into `words`; 0: free */
	struct cell *cells;	/* STRETCH_CELLS */
	size_t count;
	uint64_t last;		/* the cell whose place was asked for last */
	bool names_secrets;	/* some label does */
};

struct cells *cells_new(struct look *l)
{
	struct cells *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	c->look = l;
	c->cells = malloc(STRETCH_CELLS * sizeof *c->cells);
	if (!c->cells) {
		free(c);
		return NULL;
	}
	return c;
}

void cells_free(struct cells *c)
{
	if (!c)
		return;
	if (c->text.data)	/* values stood in it */
		explicit_bzero(c->text.data, c->text.capacity);
	buffer_free(&c->text);
	buffer_free(&c->words);
	free(c->cells);
	free(c);
}

/* ---- words ------------------------------------------------------------------------------ */

static uint32_t hash(const char *word, size_t size)
{
	uint32_t h = 2166136261u;	/* FNV-1a */

	for (size_t i = 0; i < size; i++)
		h = (h ^ (unsigned char)word[i]) * 16777619u;
	return h >> (32 - WORDS_BITS);
}

/* Its offset in `words`; a table that is full keeps what comes then more than once. */
static uint32_t intern(struct cells *c, const char *word)
{
	size_t size;
	uint32_t slot, at;

	if (!word || !*word)
		return 0;
	size = strnlen(word, WORD_MAX - 1);
	slot = hash(word, size);
	for (unsigned tries = 0; tries < 8; tries++, slot = (slot + 1) % (1u << WORDS_BITS)) {
		at = c->table[slot];
		if (at == 0)
			break;
		if (!strncmp((const char *)c->words.data + at, word, size) &&
		    c->words.data[at + size] == 0)
			return at;
	}
	if (c->words.size == 0)
		buffer_u8(&c->words, 0);	/* offset 0 stands for none */
	at = (uint32_t)c->words.size;
	buffer_append(&c->words, word, size);
	buffer_u8(&c->words, 0);
	if (c->table[slot] == 0)
		c->table[slot] = at;
	return at;
}

/* ---- what the detector asks ------------------------------------------------------------- */

static const struct cell *cell_at(const struct cells *c, uint64_t offset, uint64_t *last)
{
	size_t low = 0, high = c->count;

	/* Questions come nearly in order. */
	if (*last < c->count && c->cells[*last].start <= offset)
		low = (size_t)*last;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (c->cells[middle].start <= offset)
			low = middle;
		else
			high = middle;
	}
	*last = low;
	return &c->cells[low];
}

static const char *word_at(const struct cells *c, uint32_t at)
{
	return at ? (const char *)c->words.data + at : NULL;
}

static const char *label_of(void *arg, uint64_t offset, struct passage_cursor *cursor)
{
	const struct cells *c = arg;

	return word_at(c, cell_at(c, offset, &cursor->value)->label);
}

static void place_of(void *arg, uint64_t offset, char out[SAMPLE_WHERE_MAX])
{
	struct cells *c = arg;
	const char *place = word_at(c, cell_at(c, offset, &c->last)->place);

	look_place(c->look, out, "%s", place ? place : "");
}

/* In the cell. */
static uint64_t told(void *arg, uint64_t offset)
{
	struct cells *c = arg;

	return offset - cell_at(c, offset, &c->last)->start;
}

/* ---- filling ---------------------------------------------------------------------------- */

static void empty(struct cells *c)
{
	if (c->words.size > 0)
		memset(c->table, 0, sizeof c->table);
	buffer_reset(&c->text);
	buffer_reset(&c->words);
	c->count = 0;
	c->last = 0;
	c->names_secrets = false;
}

static int flush(struct cells *c, struct err *e)
{
	const struct passage passage = { .label = label_of, .place = place_of, .told = told,
					 .names_secrets = c->names_secrets, .arg = c };
	struct detector *d = look_detector(c->look);
	int rc = -1;

	if (c->text.failed || c->words.failed)
		return err_set(e, MUNI_NO_MEMORY, "no memory for the cells of a table");
	if (c->count == 0)
		return 0;
	detector_begin(d, &passage);
	if (detector_feed(d, c->text.data, c->text.size, e) == 0)
		rc = 0;
	if (detector_end(d, rc == 0 ? e : &(struct err){ .code = MUNI_OK }) < 0)
		rc = -1;
	empty(c);
	return rc;
}

int cells_add(struct cells *c, const char *label, const char *place, const void *text,
	      size_t size, struct err *e)
{
	size_t known;

	if (size == 0)
		return 0;
	if (size > UINT32_MAX / 2)
		return err_set(e, MUNI_LIMIT, "a field of it is larger than %u MiB",
			       UINT32_MAX / 2 >> 20);
	if ((c->count == STRETCH_CELLS || c->text.size + size > STRETCH_SIZE) && flush(c, e) < 0)
		return -1;
	known = c->words.size;
	c->cells[c->count] = (struct cell){ .start = (uint32_t)c->text.size,
					    .label = intern(c, label) };
	if (c->words.size > known && label && detect_names_secret(label))
		c->names_secrets = true;
	c->cells[c->count++].place = intern(c, place);
	buffer_append(&c->text, text, size);
	buffer_u8(&c->text, DETECT_CELL_END);
	if (c->text.failed || c->words.failed)
		return err_set(e, MUNI_NO_MEMORY, "no memory for the cells of a table");
	return 0;
}

int cells_row(struct cells *c, struct err *e)
{
	if (c->count == 0)
		return 0;
	buffer_u8(&c->text, DETECT_ROW_END);
	if (c->text.size >= STRETCH_SIZE || c->count > STRETCH_CELLS / 2)
		return flush(c, e);
	return 0;
}

int cells_end(struct cells *c, struct err *e)
{
	return flush(c, e);
}
