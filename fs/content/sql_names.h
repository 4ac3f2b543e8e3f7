/*
 * The tables and columns that a dump names: in CREATE TABLE, or before the rows.
 */
#ifndef FS_CONTENT_SQL_NAMES_H
#define FS_CONTENT_SQL_NAMES_H

#include <stdbool.h>
#include <stddef.h>

struct sql_columns {
	char *table;
	char **names;
	size_t count;
	bool names_secrets;	/* one of them does, by detect_names_secret() */
};

struct sql_names;
struct sql_names *sql_names_new(void);	/* NULL without memory */
void sql_names_free(struct sql_names *n);	/* NULL is allowed */

/* head: a statement, UTF-8, without its strings and remarks.  Is it of this kind? */
bool sql_is_create(const char *head, size_t size);
bool sql_is_insert(const char *head, size_t size);
bool sql_is_copy(const char *head, size_t size);	/* COPY ... FROM stdin */

/* Learns the columns of CREATE TABLE. */
void sql_names_create(struct sql_names *n, const char *head, size_t size);
/* Of INSERT or COPY: what its rows are made of; NULL where it cannot be said.  Lives
 * as long as n. */
const struct sql_columns *sql_names_of(struct sql_names *n, const char *head, size_t size);
/* Some name could not be kept for want of memory: what is found would be less. */
bool sql_names_failed(const struct sql_names *n);

#endif
