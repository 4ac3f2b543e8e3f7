/*
 * muni-adversary: one attack a file, all into one report.
 */
#ifndef FS_ADVERSARY_ATTACK_H
#define FS_ADVERSARY_ATTACK_H

#include <jansson.h>
#include <stdbool.h>

#include "fs/vault/adversary.h"

struct err;

struct attack {
	const struct adversary_request *request;
	int dirfd;		/* the archive's folder */
	struct trace_search *search;
	bool *controls;		/* by trace: a control that was found */
	uint64_t files, bytes;	/* looked through as they are */
	uint64_t pages;		/* of the catalogue and its write-ahead log, opened */
	uint64_t copies, copied_pages;	/* objects of base and redo; pages in them */
	uint64_t blocks_present;	/* of what went: ciphertext that still lies there */
	uint64_t keys_tried;	/* on each of them, at most */
	json_t *found;		/* what must not be: sentences */
};

void attack_found(struct attack *a, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Looks for every trace in data; `where` is for the report. */
void attack_search(struct attack *a, const void *data, size_t size, const char *where);

int attack_folder(struct attack *a, struct err *e);	/* files, as they are */
int attack_pages(struct attack *a, struct err *e);	/* catalogue and write-ahead log */
int attack_copies(struct attack *a, struct err *e);	/* base and redo */
int attack_blocks(struct attack *a, struct err *e);	/* ciphertext of what went */

#endif
