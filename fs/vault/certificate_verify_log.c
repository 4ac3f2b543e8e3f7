/*
 * The log's proofs: the head that the archive signed, the acts below it, and that it goes
 * on from the head before the destruction.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/json_memory.h"
#include "fs/base/text.h"
#include "fs/crypt/sign.h"
#include "fs/store/log.h"
#include "fs/vault/certificate_verify_inside.h"

#define PATH_MAX_HASHES 64

struct path {
	struct digest hashes[PATH_MAX_HASHES];
	size_t count;
};

static int read_path(const json_t *list, struct path *out)
{
	json_t *hex;
	size_t i;

	out->count = 0;
	if (json_array_size(list) > PATH_MAX_HASHES)
		return -1;
	json_array_foreach(list, i, hex) {
		const char *text = json_string_value(hex);

		if (!text || text_unhex(text, out->hashes[i].bytes, DIGEST_SIZE) < 0)
			return -1;
		out->count++;
	}
	return 0;
}

static uint64_t read_count(const json_t *from, const char *key)
{
	json_int_t n = json_integer_value(json_object_get(from, key));

	return n > 0 ? (uint64_t)n : 0;
}

/* The head as the archive signed it. */
static int check_head(struct judging *j, const json_t *proof, uint64_t *count,
		      struct digest *root)
{
	const json_t *identity = json_object_get(j->content, "identity");
	const char *text = judge_text(proof, "statement");
	size_t cert_size = 0, cms_size = 0;
	uint8_t *cert = judge_bytes(j, identity, "archive_certificate", &cert_size);
	uint8_t *cms = judge_bytes(j, proof, "signature", &cms_size);
	json_t *statement = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	const json_t *head = json_object_get(proof, "head");
	struct digest said;
	struct err e = ERR_NONE;
	int rc = -1;

	if (!cert || !cms || !statement ||
	    sign_verify_detached(cms, cms_size, text, strlen(text), cert, cert_size, &e) < 0) {
		if (json_memory_lacked())
			judge_no_memory(j, "log");
		else if (e.code == MUNI_NO_MEMORY)
			judge_lacks(j, "log", &e);
		judge_tell(j, "log", CHECK_FAILS, "the head of the log is not signed by the "
			   "archive's key");
	} else if (judge_digest(statement, "root", root) < 0 ||
		 judge_digest(head, "root", &said) < 0 || !digest_equal(root, &said) ||
		 read_count(statement, "count") != read_count(head, "count"))
		judge_tell(j, "log", CHECK_FAILS, "the head of the log is not the one that was "
			   "signed");
	else {
		rc = 0;
	}
	*count = read_count(statement, "count");
	json_decref(statement);
	free(cert);
	free(cms);
	return rc;
}

static bool entry_holds(const json_t *o, uint64_t count, const struct digest *root)
{
	struct log_entry entry = {
		.sequence = read_count(o, "sequence"),
		.act = (enum log_act)read_count(o, "number"),
		.time = json_integer_value(json_object_get(o, "time")),
	};
	struct digest leaf;
	struct path path;

	if (judge_digest(o, "actor", &entry.actor) < 0 ||
	    judge_digest(o, "commitment", &entry.commitment) < 0 ||
	    read_path(json_object_get(o, "path"), &path) < 0)
		return false;
	leaf = log_leaf_of(&entry);
	return merkle_verify_inclusion(&leaf, entry.sequence, count, path.hashes, path.count,
				       root);
}

static void check_entries(struct judging *j, const json_t *proof, uint64_t count,
			  const struct digest *root)
{
	json_t *entry;
	size_t i, good = 0;

	json_array_foreach(json_object_get(proof, "entries"), i, entry) {
		if (entry_holds(entry, count, root))
			good++;
		else
			judge_tell(j, "log", CHECK_FAILS, "the act \"%s\" is not in the log as "
				   "it says", text_printable(judge_text(entry, "act")));
	}
	if (json_array_size(json_object_get(proof, "entries")) == 0)
		judge_tell(j, "log", CHECK_FAILS, "it names no act of the log: that anything was "
			   "done is not proved");
	if (good > 0)
		judge_tell(j, "log", CHECK_HOLDS, "%zu act%s of this destruction stand%s in the "
			   "log of %" PRIu64 " entries, whose head the archive signed", good,
			   good == 1 ? "" : "s", good == 1 ? "s" : "", count);
}

static void check_before(struct judging *j, const json_t *proof, uint64_t count,
			 const struct digest *root)
{
	const json_t *before = json_object_get(proof, "before");
	struct digest old_root;
	struct path path;

	if (!before) {
		judge_tell(j, "log before", CHECK_SKIPPED, "there was no log before");
		return;
	}
	if (judge_digest(before, "root", &old_root) < 0 ||
	    read_path(json_object_get(proof, "consistency"), &path) < 0 ||
	    !merkle_verify_consistency(read_count(before, "count"), count, path.hashes,
				       path.count, &old_root, root))
		judge_tell(j, "log before", CHECK_FAILS, "the log does not go on from where it "
			   "stood before the destruction");
	else
		judge_tell(j, "log before", CHECK_HOLDS, "the log goes on from its %" PRIu64
			   " entries before the destruction", read_count(before, "count"));
}

void judge_log(struct judging *j)
{
	const json_t *proof = json_object_get(j->content, "proof");
	struct digest root;
	uint64_t count = 0;

	if (check_head(j, proof, &count, &root) < 0)
		return;
	check_entries(j, proof, count, &root);
	check_before(j, proof, count, &root);
}
