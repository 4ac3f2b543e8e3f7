/*
 * Names are kept once; a dump that names more than NAMES_MAX bytes of them goes on
 * without names.
 */
#include "fs/content/sql_names.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "policy/detect/detect.h"

#define NAMES_MAX (4u << 20)
#define NAME_SIZE 129u		/* of one, with its NUL; longer ones are cut */
#define COLUMNS_MAX 4096u
#define TABLES_MAX 4096u	/* with different lists of columns counted apart */

struct entry {
	struct sql_columns columns;
	bool is_created;	/* by CREATE TABLE: of rows that name no columns */
	struct entry *older;
};

struct sql_names {
	struct entry *newest;
	size_t used;
	unsigned tables;
	bool failed;
};

struct words {			/* what is left of a statement */
	const char *p, *end;
};

struct sql_names *sql_names_new(void)
{
	return calloc(1, sizeof(struct sql_names));
}

static void free_entry(struct entry *entry)
{
	for (size_t i = 0; i < entry->columns.count; i++)
		free(entry->columns.names[i]);
	free(entry->columns.names);
	free(entry->columns.table);
	free(entry);
}

void sql_names_free(struct sql_names *n)
{
	if (n == NULL)
		return;
	while (n->newest != NULL) {
		struct entry *entry = n->newest;

		n->newest = entry->older;
		free_entry(entry);
	}
	free(n);
}

/* ---- reading a statement ------------------------------------------------------------ */

static void skip_blanks(struct words *w)
{
	while (w->p < w->end && isspace((unsigned char)*w->p))
		w->p++;
}

static bool is_name_char(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '$' || (c & 0x80) != 0;
}

/* This word is next, in any case: past it. */
static bool take_word(struct words *w, const char *word)
{
	size_t size = strlen(word);

	skip_blanks(w);
	if ((size_t)(w->end - w->p) < size || strncasecmp(w->p, word, size) != 0)
		return false;
	if ((size_t)(w->end - w->p) > size && is_name_char(w->p[size]))
		return false;
	w->p += size;
	return true;
}

/* A name, in quotes of any kind or none. */
static bool take_name(struct words *w, char out[NAME_SIZE])
{
	char close = '\0';
	size_t size = 0;

	skip_blanks(w);
	if (w->p == w->end)
		return false;
	if (*w->p == '`' || *w->p == '"')
		close = *w->p++;
	else if (*w->p == '[') {
		close = ']';
		w->p++;
	}
	for (; w->p < w->end; w->p++) {
		if (close != '\0' ? *w->p == close : !is_name_char(*w->p))
			break;
		if (size + 1 < NAME_SIZE)
			out[size++] = *w->p;
	}
	out[size] = '\0';
	if (close != '\0' && w->p < w->end)
		w->p++;
	return size > 0;
}

/* a, a.b, a.b.c: the last. */
static bool take_table(struct words *w, char out[NAME_SIZE])
{
	if (!take_name(w, out))
		return false;
	for (skip_blanks(w); w->p < w->end && *w->p == '.'; skip_blanks(w)) {
		w->p++;
		if (!take_name(w, out))
			return false;
	}
	return true;
}

static bool to_insert(struct words *w)
{
	if (!take_word(w, "INSERT") && !take_word(w, "REPLACE"))
		return false;
	while (take_word(w, "LOW_PRIORITY") || take_word(w, "DELAYED") ||
	       take_word(w, "HIGH_PRIORITY") || take_word(w, "IGNORE") || take_word(w, "OR") ||
	       take_word(w, "REPLACE") || take_word(w, "OVERWRITE"))
		;
	take_word(w, "INTO");
	take_word(w, "TABLE");
	return true;
}

static bool to_create(struct words *w)
{
	if (!take_word(w, "CREATE"))
		return false;
	while (take_word(w, "GLOBAL") || take_word(w, "LOCAL") || take_word(w, "TEMPORARY") ||
	       take_word(w, "TEMP") || take_word(w, "UNLOGGED") || take_word(w, "FOREIGN"))
		;
	if (!take_word(w, "TABLE"))
		return false;
	if (take_word(w, "IF")) {
		take_word(w, "NOT");
		take_word(w, "EXISTS");
	}
	return true;
}

bool sql_is_create(const char *head, size_t size)
{
	struct words w = { head, head + size };

	return to_create(&w);
}

bool sql_is_insert(const char *head, size_t size)
{
	struct words w = { head, head + size };

	return to_insert(&w);
}

bool sql_is_copy(const char *head, size_t size)
{
	struct words w = { head, head + size };
	char table[NAME_SIZE];

	if (!take_word(&w, "COPY") || !take_table(&w, table))
		return false;
	skip_blanks(&w);
	if (w.p < w.end && *w.p == '(')
		while (w.p < w.end && *w.p++ != ')')
			;
	return take_word(&w, "FROM") && take_word(&w, "STDIN");
}

/* ---- keeping ------------------------------------------------------------------------ */

static void add_name(struct sql_names *n, struct sql_columns *c, const char *name)
{
	char **more = c->names;

	if (c->count == COLUMNS_MAX || n->used > NAMES_MAX)
		return;
	if (c->count % 32 == 0)
		more = realloc(c->names, (c->count + 32) * sizeof *more);
	if (more == NULL) {
		n->failed = true;
		return;
	}
	c->names = more;
	more[c->count] = strdup(name);
	if (more[c->count] == NULL) {
		n->failed = true;
		return;
	}
	c->count++;
	n->used += strlen(name) + sizeof *more + 16;
	c->names_secrets = c->names_secrets || detect_names_secret(name);
}

static struct entry *add_table(struct sql_names *n, const char *table, bool is_created)
{
	struct entry *entry;

	if (n->used > NAMES_MAX || n->tables == TABLES_MAX)
		return NULL;
	entry = calloc(1, sizeof *entry);
	if (entry != NULL)
		entry->columns.table = strdup(table);
	if (entry == NULL || entry->columns.table == NULL) {
		n->failed = true;
		free(entry);
		return NULL;
	}
	n->tables++;
	entry->is_created = is_created;
	entry->older = n->newest;
	n->newest = entry;
	n->used += sizeof *entry + strlen(table);
	return entry;
}

/* What stands first in an item of CREATE TABLE and is no column. */
static bool is_clause(const char *name)
{
	static const char *const clauses[] = { "PRIMARY", "KEY", "UNIQUE", "INDEX", "CONSTRAINT",
		"FOREIGN", "CHECK", "FULLTEXT", "SPATIAL", "EXCLUDE", "LIKE", "PERIOD", NULL };

	for (size_t i = 0; clauses[i] != NULL; i++)
		if (strcasecmp(clauses[i], name) == 0)
			return true;
	return false;
}

/* To the comma or bracket that ends this item: true at a comma. */
static bool next_item(struct words *w)
{
	unsigned depth = 0;

	for (; w->p < w->end; w->p++) {
		if (*w->p == '(') {
			depth++;
		} else if (*w->p == ')') {
			if (depth-- == 0)
				return false;
		} else if (*w->p == ',' && depth == 0) {
			w->p++;
			return true;
		}
	}
	return false;
}

void sql_names_create(struct sql_names *n, const char *head, size_t size)
{
	struct words w = { head, head + size };
	char name[NAME_SIZE];
	struct entry *entry;

	if (!to_create(&w) || !take_table(&w, name))
		return;
	skip_blanks(&w);
	if (w.p == w.end || *w.p++ != '(')
		return;
	entry = add_table(n, name, true);
	if (entry == NULL)
		return;
	do {
		bool is_quoted;

		skip_blanks(&w);
		is_quoted = w.p < w.end && strchr("`\"[", *w.p) != NULL;
		if (take_name(&w, name) && (is_quoted || !is_clause(name)))
			add_name(n, &entry->columns, name);
	} while (next_item(&w));
}

/* The list in the statement is that of the entry. */
static bool is_same(const struct sql_columns *c, const char *table, struct words w)
{
	char name[NAME_SIZE];

	if (strcmp(c->table, table) != 0)
		return false;
	for (size_t i = 0; i < c->count; i++) {
		if (!take_name(&w, name) || strcmp(name, c->names[i]) != 0)
			return false;
		if (!next_item(&w))
			return i + 1 == c->count;
	}
	return false;
}

const struct sql_columns *sql_names_of(struct sql_names *n, const char *head, size_t size)
{
	struct words w = { head, head + size };
	char table[NAME_SIZE], name[NAME_SIZE];
	struct entry *entry;
	bool has_list;

	if ((!to_insert(&w) && !take_word(&w, "COPY")) || !take_table(&w, table))
		return NULL;
	skip_blanks(&w);
	has_list = w.p < w.end && *w.p == '(';
	w.p += has_list;
	for (entry = n->newest; entry != NULL; entry = entry->older)
		if (has_list ? !entry->is_created && is_same(&entry->columns, table, w)
			     : entry->is_created && strcmp(entry->columns.table, table) == 0)
			return &entry->columns;
	entry = add_table(n, table, !has_list);
	if (entry == NULL)
		return NULL;
	while (has_list && take_name(&w, name)) {
		add_name(n, &entry->columns, name);
		has_list = next_item(&w);
	}
	return &entry->columns;
}

bool sql_names_failed(const struct sql_names *n)
{
	return n->failed;
}
