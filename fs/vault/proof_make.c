/*
 * Making a proof: from the file upwards, at each folder its leaf among the others.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/canonical.h"
#include "fs/base/err.h"
#include "fs/base/json_memory.h"
#include "fs/base/text.h"
#include "fs/crypt/merkle.h"
#include "fs/vault/audit.h"
#include "fs/vault/inside.h"
#include "fs/vault/leaf.h"
#include "fs/vault/proof.h"
#include "fs/vault/tree.h"

struct maker {
	struct vault *v;
	struct catalogue *c;
	struct version version;
	json_t *steps;
};

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "no memory for a proof");
}

static json_t *hex_of(const void *data, size_t size)
{
	char *text = malloc(2 * size + 1);
	json_t *out;

	if (text == NULL)
		return NULL;
	text_hex(data, size, text);
	out = json_string(text);
	free(text);
	return out;
}

static json_t *hex_list(const struct digest *path, size_t count)
{
	json_t *out = json_array();

	for (size_t i = 0; out != NULL && i < count; i++) {
		if (json_array_append_new(out, hex_of(path[i].bytes, DIGEST_SIZE)) < 0) {
			json_decref(out);
			return NULL;
		}
	}
	return out;
}

static int find_leaf(const struct digest *leaves, size_t count, const struct digest *leaf,
		     size_t *index, struct err *e)
{
	for (*index = 0; *index < count; (*index)++)
		if (digest_equal(&leaves[*index], leaf))
			return 0;
	return err_set(e, MUNI_DAMAGED, "the leaf of an entry is not among its folder's");
}

static int add_step(struct maker *m, const uint8_t *bytes, size_t size,
		    const struct digest *leaves, size_t count, struct err *e)
{
	struct digest leaf = merkle_leaf(bytes, size), *path = NULL;
	size_t index, path_count;
	json_t *step = NULL;
	int rc = -1;

	if (find_leaf(leaves, count, &leaf, &index, e) < 0 ||
	    merkle_inclusion(leaves, count, index, &path, &path_count, e) < 0)
		goto out;
	step = json_pack("{so sI sI so}", "leaf", hex_of(bytes, size), "index",
			 (json_int_t)index, "size", (json_int_t)count, "path",
			 hex_list(path, path_count));
	rc = step != NULL && json_array_append(m->steps, step) == 0 ? 0 : no_memory(e);
out:
	json_decref(step);
	free(path);
	return rc;
}

/* The entry as its folder's tree has it. */
static int prove_entry(struct maker *m, int64_t directory, const struct entry *entry,
		       struct err *e)
{
	struct digest *leaves = NULL;
	uint8_t *bytes = NULL;
	size_t count = 0, size = 0;
	int rc = -1;

	if (leaf_leaves(m->c, m->version.id, directory, &leaves, &count, e) == 0 &&
	    leaf_bytes_of_entry(m->c, m->version.id, entry, &bytes, &size, e) == 0)
		rc = add_step(m, bytes, size, leaves, count, e);
	free(leaves);
	free(bytes);
	return rc;
}

/* Down to the path, then proofs from there up: steps are wanted in that order. */
static int prove_path(struct maker *m, int64_t directory, const char *path, size_t size,
		      struct err *e)
{
	const char *slash = memchr(path, '/', size);
	size_t name_size = slash != NULL ? (size_t)(slash - path) : size;
	struct entry entry;

	if (catalogue_lookup(m->c, m->version.id, directory, path, name_size, &entry, e) < 0)
		return -1;
	if (slash != NULL &&
	    prove_path(m, entry.directory, slash + 1, size - name_size - 1, e) < 0)
		return -1;
	return prove_entry(m, directory, &entry, e);
}

static int prove_version(struct maker *m, struct err *e)
{
	uint8_t *bytes = NULL;
	size_t size;
	json_t *top;

	if (leaf_bytes_of_version(m->c, m->version.id, m->version.root, &bytes, &size, e) < 0)
		return -1;
	top = json_pack("{so}", "leaf", hex_of(bytes, size));
	free(bytes);
	return top != NULL && json_array_append_new(m->steps, top) == 0 ? 0 : no_memory(e);
}

/* ---- the salt of the names' commitment: in the ingest's details ------------------------ */

struct names {
	int64_t version;
	json_t *salt;
};

static int look_for_salt(void *arg, const struct audit_entry *a)
{
	struct names *n = arg;
	json_t *details;

	if (a->entry.act != LOG_INGEST || a->details == NULL)
		return 0;
	details = json_loads(a->details, 0, NULL);
	if (json_integer_value(json_object_get(details, "version")) == n->version)
		n->salt = json_incref(json_object_get(details, "names_salt"));
	json_decref(details);
	return n->salt != NULL;
}

static int add_names(struct maker *m, json_t *o, struct err *e)
{
	struct names n = { .version = m->version.id };

	if (audit_each(m->v, 0, look_for_salt, &n, e) < 0)
		return -1;
	if (json_memory_lacked())
		return err_set(e, MUNI_NO_MEMORY, "no memory for a proof");
	if (n.salt == NULL)
		return 0;
	if (json_object_set_new(o, "names_salt", n.salt) < 0 ||
	    json_object_set_new(o, "system", json_string(m->version.system_name)) < 0 ||
	    json_object_set_new(o, "label", json_string(m->version.label)) < 0)
		return no_memory(e);
	return 0;
}

static int assemble(struct maker *m, char **out, size_t *size, struct err *e)
{
	char *statement = NULL, *base64 = NULL;
	uint8_t *signature = NULL;
	size_t signature_size;
	json_t *o = NULL;
	int rc = -1;

	if (catalogue_version_proof(m->c, m->version.id, &statement, &signature,
				    &signature_size, e) < 0)
		return -1;
	base64 = text_base64(signature, signature_size);
	o = json_pack("{ss ss ss sO}", "type", "muniment.proof.1", "statement", statement,
		      "signature", base64 != NULL ? base64 : "", "steps", m->steps);
	if (o == NULL || base64 == NULL)
		no_memory(e);
	else if (add_names(m, o, e) == 0)
		rc = canonical_dump(o, out, size, e);
	json_decref(o);
	free(base64);
	free(statement);
	free(signature);
	return rc;
}

int proof_make(struct vault *v, const char *spec, const void *path, size_t path_size,
	       char **out, size_t *size, struct err *e)
{
	struct maker m = { .v = v, .c = vault_catalogue(v) };
	struct entry entry;
	struct node node;
	int rc = -1;

	if (vault_resolve(m.c, spec, &m.version, e) < 0 ||
	    tree_find(m.c, &m.version, path, path_size, &entry, &node, e) < 0)
		return -1;
	m.steps = json_array();
	if (m.steps == NULL)
		return no_memory(e);
	if (path_size == 0 || prove_path(&m, m.version.root, path, path_size, e) == 0) {
		if (prove_version(&m, e) == 0)
			rc = assemble(&m, out, size, e);
	}
	json_decref(m.steps);
	return rc;
}
