/*
 * The annex: its digest, every item against its leaf, all leaves against the root.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/crypt/merkle.h"
#include "fs/vault/certificate_verify_inside.h"

static const char before_item[] = "{\"item\":", before_leaf[] = "\"leaf\":\"";

struct reading {
	struct buffer leaves;	/* struct digest, one after the other */
	uint64_t lines, readable;
	uint64_t first_bad;	/* line; 0: none */
	struct hasher *hasher;
};

/* Where the leaf's hex begins: behind the last "leaf":" of the line, since an item may
 * have those words in a name. */
static const char *find_leaf(const char *line, size_t size)
{
	const size_t step = sizeof before_leaf - 1;

	for (size_t at = size; at >= step; at--)
		if (memcmp(line + at - step, before_leaf, step) == 0)
			return size - at > 2 * DIGEST_SIZE ? line + at : NULL;
	return NULL;
}

static bool line_holds(struct reading *r, const char *line, size_t size)
{
	const char *hex = find_leaf(line, size);
	const size_t head = sizeof before_item - 1;
	char text[DIGEST_HEX_SIZE] = { 0 };
	struct digest leaf, made;

	if (!hex)
		return false;
	memcpy(text, hex, 2 * DIGEST_SIZE);
	if (text_unhex(text, leaf.bytes, DIGEST_SIZE) < 0)
		return false;
	if (r->leaves.size > 0 &&
	    memcmp(r->leaves.data + r->leaves.size - DIGEST_SIZE, leaf.bytes, DIGEST_SIZE) >= 0)
		return false;	/* not in order, or twice */
	buffer_append(&r->leaves, leaf.bytes, DIGEST_SIZE);
	if (strncmp(line, before_item, head) != 0)
		return true;
	/* The item ends before the comma that stands before "leaf". */
	const char *end = hex - (sizeof before_leaf - 1) - 1;

	if (end <= line + head || *end != ',')
		return false;
	r->readable++;
	made = merkle_leaf(line + head, (size_t)(end - line) - head);
	return digest_equal(&made, &leaf);
}

/* -1: it could not be read to its end. */
static int read_lines(struct reading *r, FILE *from, struct err *e)
{
	char *line = NULL;
	size_t capacity = 0;
	ssize_t got;
	int rc = 0;

	errno = 0;
	while ((got = getline(&line, &capacity, from)) > 0) {
		size_t size = (size_t)got;

		hasher_update(r->hasher, line, size);
		r->lines++;
		if (line[size - 1] == '\n')
			size--;
		if (!line_holds(r, line, size) && r->first_bad == 0)
			r->first_bad = r->lines;
	}
	if (!feof(from))
		rc = err_errno(e, "reading the annex");
	free(line);
	return rc;
}

/* Items of which the annex, as it was signed, has no line: under `names: drop`. */
static uint64_t dropped_items(const json_t *what)
{
	json_int_t items = json_integer_value(json_object_get(what, "items"));
	json_int_t lines = json_integer_value(
		json_object_get(json_object_get(what, "annex"), "lines"));

	return lines >= 0 && items > lines ? (uint64_t)(items - lines) : 0;
}

static void judge_reading(struct judging *j, struct reading *r, const json_t *what)
{
	struct digest root, wanted, annex, made = hasher_finish(r->hasher);
	uint64_t dropped;
	bool has_digest;

	if (r->leaves.failed) {
		judge_no_memory(j, "annex");
		return;
	}
	has_digest = judge_digest(json_object_get(what, "annex"), "sha256", &annex) == 0 &&
		     digest_equal(&annex, &made);
	dropped = dropped_items(what);
	root = merkle_root((const struct digest *)(const void *)r->leaves.data,
			   r->leaves.size / DIGEST_SIZE);
	if (r->first_bad != 0)
		judge_tell(j, "annex", CHECK_FAILS, "line %" PRIu64 " is not what was approved",
			   r->first_bad);
	else if (dropped > 0 && has_digest)
		judge_tell(j, "annex", CHECK_HOLDS, "%" PRIu64 " items, of which %" PRIu64 " can be "
			   "read; %" PRIu64 " more are known by the root alone, as their classes "
			   "ask (names: drop)", r->lines, r->readable, dropped);
	else if (judge_digest(what, "root", &wanted) < 0 || !digest_equal(&root, &wanted))
		judge_tell(j, "annex", CHECK_FAILS, "its leaves do not give the root that was "
			   "approved: a line is missing, or too many");
	else if (!has_digest)
		judge_tell(j, "annex", CHECK_FAILS, "it was changed: its SHA-256 is another");
	else
		judge_tell(j, "annex", CHECK_HOLDS, "%" PRIu64 " items, of which %" PRIu64 " can be "
			   "read; their leaves give the root that was approved", r->lines,
			   r->readable);
}

void judge_annex(struct judging *j)
{
	struct reading r = { .hasher = hasher_new() };
	struct err e = ERR_NONE;

	if (!j->with->annex)
		judge_tell(j, "annex", CHECK_SKIPPED, "the annex was not given: the list is known "
			   "by its root alone");
	else if (!r.hasher)
		judge_no_memory(j, "annex");
	else if (read_lines(&r, j->with->annex, &e) < 0)
		judge_lacks(j, "annex", &e);
	else
		judge_reading(j, &r, json_object_get(j->content, "what"));
	hasher_free(r.hasher);
	buffer_free(&r.leaves);
}
