/*
 * Heads that auditors keep, and the proof that the log continues them.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/json_memory.h"
#include "fs/base/text.h"
#include "fs/crypt/merkle.h"
#include "fs/vault/audit.h"
#include "fs/vault/inside.h"

#define COUNT_MAX (1ull << 40)

int audit_head(struct vault *v, struct log_head *head, char **statement, uint8_t **cms,
	       size_t *cms_size, struct err *e)
{
	if (log_newest_head(v->log, head, e) < 0)
		return -1;
	return log_newest_statement(v->log, statement, cms, cms_size, e);
}

static int not_a_head(struct err *e)
{
	return json_memory_refused(e, MUNI_USAGE, "that is no head of an audit log: give what `muni audit "
		       "head` printed, a file that holds it, or COUNT:ROOT (a number and 64 "
		       "hexadecimal digits)");
}

static int parse_pair(const char *text, struct kept_head *out, struct err *e)
{
	char *end = NULL;
	unsigned long long n = strtoull(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || *end != ':' || n == 0 || n > COUNT_MAX ||
	    text_unhex(end + 1, out->root.bytes, sizeof out->root.bytes) < 0)
		return not_a_head(e);
	out->count = n;
	return 0;
}

static int parse_json(json_t *o, struct kept_head *out, struct err *e)
{
	json_t *count = json_object_get(o, "count");
	const char *root = json_string_value(json_object_get(o, "root"));
	json_t *epoch = json_object_get(o, "epoch"), *time = json_object_get(o, "time");

	if (!json_is_integer(count) || json_integer_value(count) <= 0 || root == NULL ||
	    (uint64_t)json_integer_value(count) > COUNT_MAX ||
	    text_unhex(root, out->root.bytes, sizeof out->root.bytes) < 0)
		return not_a_head(e);
	out->count = (uint64_t)json_integer_value(count);
	if (json_is_integer(epoch) && json_is_integer(time)) {
		out->has_pages = true;
		out->epoch = (uint64_t)json_integer_value(epoch);
		out->time = json_integer_value(time);
	}
	return 0;
}

int audit_head_parse(const char *text, struct kept_head *out, struct err *e)
{
	size_t size = strlen(text);
	char *copy;
	json_t *o;
	int rc;

	*out = (struct kept_head){ .count = 0 };
	while (size > 0 && strchr(" \t\r\n", text[size - 1]) != NULL)
		size--;
	copy = strndup(text, size);
	if (copy == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a head");
	o = json_loads(copy, JSON_REJECT_DUPLICATES, NULL);
	rc = o != NULL ? parse_json(o, out, e) : parse_pair(copy, out, e);
	json_decref(o);
	free(copy);
	return rc;
}

static int load_leaves(const struct log *l, struct digest *leaves, uint64_t count,
		       struct err *e)
{
	for (uint64_t i = 0; i < count; i++)
		if (log_leaf(l, i, &leaves[i], e) < 0)
			return -1;
	return 0;
}

int audit_consistency(struct vault *v, const struct kept_head *since, struct digest **path,
		      size_t *count, struct err *e)
{
	uint64_t now = log_count(v->log);
	struct digest *leaves = NULL, old_root, new_root;
	int rc = -1;

	*path = NULL;
	*count = 0;
	if (since->count > now)
		return err_set(e, MUNI_DAMAGED, "the audit log has %" PRIu64 " entries, the head "
			       "that was kept covers %" PRIu64 ": entries were cut off, or an "
			       "older state of the archive was put back", now, since->count);
	leaves = calloc((size_t)now, sizeof *leaves);
	if (leaves == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory for %" PRIu64 " entries of the log",
			       now);
	if (load_leaves(v->log, leaves, now, e) < 0)
		goto out;
	old_root = merkle_root(leaves, (size_t)since->count);
	new_root = merkle_root(leaves, (size_t)now);
	if (!digest_equal(&old_root, &since->root)) {
		err_set(e, MUNI_DAMAGED, "the first %" PRIu64 " entries of the audit log are not "
			"those that the head covers which was kept: they were altered, or it is "
			"another archive's", since->count);
		goto out;
	}
	if (merkle_consistency(leaves, (size_t)now, (size_t)since->count, path, count, e) < 0)
		goto out;
	if (!merkle_verify_consistency(since->count, now, *path, *count, &old_root, &new_root)) {
		err_set(e, MUNI_DAMAGED, "the audit log does not continue the head that was kept");
		goto out;
	}
	rc = 0;
out:
	free(leaves);
	if (rc < 0) {
		free(*path);
		*path = NULL;
	}
	return rc;
}
