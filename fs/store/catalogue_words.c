/*
 * Texts that very many rows name by a number.  A row is never changed once it is
 * there, so what a connection has read of them holds until a rollback.
 */
#include "fs/store/catalogue_inside.h"

#include <stdlib.h>
#include <string.h>

struct word {
	int64_t id;
	char text[];
};

/* Sorted lists: there are a few hundred, and each is added once. */
struct words {
	struct {
		struct word **by_id, **by_text;	/* by_id owns the words */
		size_t count, capacity;
	} kinds[2];
};

struct word_table {
	enum statement get, find, add;
	const char *get_sql, *find_sql, *add_sql;
	unsigned sequence;
	const char *name;	/* for messages */
};

static const struct word_table tables[] = {
	[WORD_PLAIN] = { STATEMENT_WORD_GET, STATEMENT_WORD_FIND, STATEMENT_WORD_ADD,
			 "SELECT text FROM word WHERE id = ?",
			 "SELECT id FROM word WHERE text = ?",
			 "INSERT INTO word(id, text) VALUES(?, ?)", SEQUENCE_WORD, "word" },
	[WORD_ACCOUNT] = { STATEMENT_ACCOUNT_GET, STATEMENT_ACCOUNT_FIND,
			   STATEMENT_ACCOUNT_ADD, "SELECT name FROM account WHERE id = ?",
			   "SELECT id FROM account WHERE name = ?",
			   "INSERT INTO account(id, name) VALUES(?, ?)", SEQUENCE_ACCOUNT,
			   "account" },
};

/* ---- what is known ----------------------------------------------------------- */

void catalogue_words_forget(struct catalogue *c)
{
	if (!c->words)
		return;
	for (unsigned k = 0; k < 2; k++) {
		for (size_t i = 0; i < c->words->kinds[k].count; i++)
			free(c->words->kinds[k].by_id[i]);
		free(c->words->kinds[k].by_id);
		free(c->words->kinds[k].by_text);
	}
	free(c->words);
	c->words = NULL;
}

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "no memory for the catalogue's words");
}

/* Where the word stands, or would: text NULL asks for the id. */
static size_t place_of(const struct catalogue *c, enum word_kind kind, int64_t id,
		       const char *text, bool *is_there)
{
	size_t low = 0, high = c->words->kinds[kind].count;

	*is_there = false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct word *w = text ? c->words->kinds[kind].by_text[middle]
					    : c->words->kinds[kind].by_id[middle];
		int order = text ? strcmp(text, w->text) : id < w->id ? -1 : id > w->id;

		if (order == 0) {
			*is_there = true;
			return middle;
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static const struct word *known(const struct catalogue *c, enum word_kind kind, int64_t id,
				const char *text)
{
	bool is_there;
	size_t at = place_of(c, kind, id, text, &is_there);

	if (!is_there)
		return NULL;
	return text ? c->words->kinds[kind].by_text[at] : c->words->kinds[kind].by_id[at];
}

static bool grow(struct word ***list, size_t capacity)
{
	struct word **grown = reallocarray(*list, capacity, sizeof **list);

	if (grown)
		*list = grown;
	return grown != NULL;
}

static void insert(struct word **list, size_t count, size_t at, struct word *w)
{
	memmove(list + at + 1, list + at, (count - at) * sizeof *list);
	list[at] = w;
}

/* Neither its id nor its text is known yet.  *out: the word as kept. */
static int keep(struct catalogue *c, enum word_kind kind, int64_t id, const char *text,
		const struct word **out, struct err *e)
{
	size_t count = c->words->kinds[kind].count;
	struct word *w;
	bool is_there;

	if (count == c->words->kinds[kind].capacity) {
		size_t more = count ? count * 2 : 64;

		if (!grow(&c->words->kinds[kind].by_id, more) ||
		    !grow(&c->words->kinds[kind].by_text, more))
			return no_memory(e);
		c->words->kinds[kind].capacity = more;
	}
	w = malloc(sizeof *w + strlen(text) + 1);
	if (!w)
		return no_memory(e);
	w->id = id;
	strcpy(w->text, text);
	insert(c->words->kinds[kind].by_id, count, place_of(c, kind, id, NULL, &is_there), w);
	insert(c->words->kinds[kind].by_text, count, place_of(c, kind, 0, text, &is_there), w);
	c->words->kinds[kind].count++;
	*out = w;
	return 0;
}

static int prepare(struct catalogue *c, struct err *e)
{
	if (c->words)
		return 0;
	c->words = calloc(1, sizeof *c->words);
	return c->words ? 0 : no_memory(e);
}

/* ---- from number to text ------------------------------------------------------- */

int catalogue_word(struct catalogue *c, enum word_kind kind, int64_t id, const char **text,
		   struct err *e)
{
	const struct word_table *t = &tables[kind];
	const struct word *found;
	struct query q;
	char room[WORD_MAX + 1];
	int rc = -1;

	*text = NULL;
	if (id == 0)
		return 0;
	if (prepare(c, e) < 0)
		return -1;
	found = known(c, kind, id, NULL);
	if (found) {
		*text = found->text;
		return 0;
	}
	if (query_open(&q, c, t->get, t->get_sql, e) < 0)
		return -1;
	query_int(&q, id);
	int got = query_step(&q, e);
	if (got > 0) {
		query_column_text(&q, 0, room, sizeof room);
		rc = query_check(&q, t->name, id, e);
	} else if (got == 0) {
		catalogue_damaged(c, e, "there is no %s %lld", t->name, (long long)id);
	}
	query_close(&q);
	/* Two rows of one text: the index that forbids it is broken. */
	if (rc == 0 && known(c, kind, 0, room))
		rc = catalogue_damaged(c, e, "%s %lld stands twice", t->name, (long long)id);
	if (rc < 0 || keep(c, kind, id, room, &found, e) < 0)
		return -1;
	*text = found->text;
	return 0;
}

/* ---- from text to number ------------------------------------------------------- */

static int add(struct catalogue *c, const struct word_table *t, const char *text, int64_t *id,
	       struct err *e)
{
	struct query q;

	if (catalogue_sequence_take(c, t->sequence, 1, id, e) < 0 ||
	    query_open_write(&q, c, t->add, t->add_sql, e) < 0)
		return -1;
	query_int(&q, *id);
	query_text(&q, text);
	return query_run(&q, e);
}

int catalogue_word_intern(struct catalogue *c, enum word_kind kind, const char *text,
			  int64_t *id, struct err *e)
{
	const struct word_table *t = &tables[kind];
	const struct word *kept;
	struct query q;

	*id = 0;
	if (!text)
		return 0;
	if (strlen(text) > WORD_MAX)
		return err_set(e, MUNI_LIMIT, "a name in the inventory is longer than %d bytes",
			       WORD_MAX);
	if (prepare(c, e) < 0)
		return -1;
	kept = known(c, kind, 0, text);
	if (kept) {
		*id = kept->id;
		return 0;
	}
	if (query_open(&q, c, t->find, t->find_sql, e) < 0)
		return -1;
	query_text(&q, text);
	int got = query_step(&q, e);
	if (got > 0) {
		*id = query_column_id(&q, 0);
		if (query_check(&q, t->name, *id, e) < 0)
			got = -1;
	}
	query_close(&q);
	if (got < 0 || (got == 0 && add(c, t, text, id, e) < 0))
		return -1;
	if (known(c, kind, *id, NULL))
		return catalogue_damaged(c, e, "%s %lld stands twice", t->name, (long long)*id);
	return keep(c, kind, *id, text, &kept, e);
}
