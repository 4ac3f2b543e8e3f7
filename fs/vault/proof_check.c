/*
 * Checking a proof: from bytes that somebody handed us to what they prove.  Needs no
 * archive.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/base/bytes.h"
#include "fs/base/canonical.h"
#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/base/json_memory.h"
#include "fs/base/text.h"
#include "fs/crypt/merkle.h"
#include "fs/crypt/officer.h"
#include "fs/vault/leaf.h"
#include "fs/vault/proof.h"

#define STEPS_MAX 4096
#define LEAF_MAX (1u << 20)
#define PATH_HASHES_MAX 64
#define PIECE (256u * 1024)

static int not_a_proof(struct err *e, const char *why)
{
	return json_memory_refused(e, MUNI_FORMAT, "that is no proof of a file: %s", why);
}

static int proves_nothing(struct err *e, const char *why)
{
	return json_memory_refused(e, MUNI_DAMAGED, "the proof does not hold: %s", why);
}

/* ---- a leaf's bytes (docs/format.md, "Leaves") ----------------------------------------- */

struct parsed {
	uint8_t *bytes;		/* owned */
	size_t size;
	unsigned kind;
	const uint8_t *name;
	size_t name_size;
	uint64_t file_size, allocated;
	int64_t modified;
	const uint8_t *holds;	/* 32 bytes: file, directory */
};

static const uint8_t *view_text(struct reader *r, size_t *size)
{
	*size = reader_u32(r);
	return reader_view(r, *size);
}

static void skip(struct reader *r, size_t size)
{
	reader_view(r, size);
}

static bool parse_leaf(struct parsed *p)
{
	struct reader r = reader_over(p->bytes, p->size);
	size_t size;

	skip(&r, 16);			/* salt */
	p->kind = reader_u8(&r);
	p->name = view_text(&r, &p->name_size);
	skip(&r, 12);			/* mode, uid, gid */
	view_text(&r, &size);		/* owner */
	view_text(&r, &size);		/* group */
	p->file_size = reader_u64(&r);
	p->allocated = reader_u64(&r);
	skip(&r, 12);			/* links, device numbers */
	p->modified = (int64_t)reader_u64(&r);
	skip(&r, 4 + 12 + 12);		/* nanoseconds, ctime, atime */
	skip(&r, 1 + 12 + 1 + 16 + 32);	/* birth time, unstable, source, attributes */
	if (p->kind == NODE_SYMLINK)
		view_text(&r, &size);
	if (p->kind == NODE_FILE || p->kind == NODE_DIRECTORY)
		p->holds = reader_view(&r, DIGEST_SIZE);
	return !r.underflow && reader_left(&r) == 0 && p->kind >= NODE_FILE &&
	       p->kind <= NODE_BLOCK;
}

static int read_leaf(json_t *step, struct parsed *out, struct err *e)
{
	const char *hex = json_string_value(json_object_get(step, "leaf"));
	size_t size = hex != NULL ? strlen(hex) : 0;

	*out = (struct parsed){ .size = size / 2 };
	if (size == 0 || size % 2 != 0 || out->size > LEAF_MAX)
		return not_a_proof(e, "a step has no leaf");
	out->bytes = malloc(out->size);
	if (out->bytes == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a proof");
	if (text_unhex(hex, out->bytes, out->size) < 0 || !parse_leaf(out))
		return not_a_proof(e, "a leaf does not read");
	return 0;
}

/* ---- from a leaf to the root of its folder ---------------------------------------------- */

/* The index is below 2^size's bits: RFC 9162, 2.1.3.2, but giving the root. */
static bool climb(const struct digest *leaf, uint64_t index, uint64_t count,
		  const struct digest *path, size_t path_count, struct digest *root)
{
	uint64_t fn = index, sn = count - 1;

	*root = *leaf;
	for (size_t i = 0; i < path_count; i++) {
		if (sn == 0)
			return false;
		if ((fn & 1) != 0 || fn == sn) {
			*root = merkle_node(&path[i], root);
			while ((fn & 1) == 0 && fn != 0) {
				fn >>= 1;
				sn >>= 1;
			}
		} else {
			*root = merkle_node(root, &path[i]);
		}
		fn >>= 1;
		sn >>= 1;
	}
	return sn == 0;
}

static int root_of_step(json_t *step, const struct parsed *leaf, struct digest *root,
			struct err *e)
{
	json_t *index = json_object_get(step, "index"), *count = json_object_get(step, "size");
	json_t *list = json_object_get(step, "path");
	struct digest path[PATH_HASHES_MAX], hash = merkle_leaf(leaf->bytes, leaf->size);
	size_t n = json_array_size(list);

	if (!json_is_integer(index) || !json_is_integer(count) || !json_is_array(list) ||
	    n > PATH_HASHES_MAX || json_integer_value(index) < 0 ||
	    json_integer_value(index) >= json_integer_value(count))
		return not_a_proof(e, "a step is not whole");
	for (size_t i = 0; i < n; i++) {
		const char *hex = json_string_value(json_array_get(list, i));

		if (hex == NULL || text_unhex(hex, path[i].bytes, DIGEST_SIZE) < 0)
			return not_a_proof(e, "a hash does not read");
	}
	if (!climb(&hash, (uint64_t)json_integer_value(index),
		   (uint64_t)json_integer_value(count), path, n, root))
		return proves_nothing(e, "a step has too many or too few hashes");
	return 0;
}

static bool is_name(const struct parsed *p)
{
	return p->name_size > 0 && p->name_size <= CATALOGUE_NAME_MAX &&
	       memchr(p->name, '/', p->name_size) == NULL &&
	       memchr(p->name, '\0', p->name_size) == NULL;
}

/* Names come from the file upwards: each goes in front. */
static int prepend(struct proof_facts *f, const struct parsed *p, struct err *e)
{
	bool is_first = f->path == NULL;
	size_t size = p->name_size + (is_first ? 0 : 1 + f->path_size);
	char *path = malloc(size + 1);

	if (path == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a proof");
	memcpy(path, p->name, p->name_size);
	if (!is_first) {
		path[p->name_size] = '/';
		memcpy(path + p->name_size + 1, f->path, f->path_size);
	}
	path[size] = '\0';
	free(f->path);
	f->path = path;
	f->path_size = size;
	return 0;
}

static int take_facts(struct proof_facts *f, const struct parsed *p, struct err *e)
{
	static const char *const kinds[] = { [NODE_FILE] = "file",
		[NODE_DIRECTORY] = "directory", [NODE_SYMLINK] = "symlink", [NODE_FIFO] = "fifo",
		[NODE_SOCKET] = "socket", [NODE_CHAR] = "character device",
		[NODE_BLOCK] = "block device" };

	f->kind = strdup(kinds[p->kind]);
	f->size = p->file_size;
	f->modified = p->modified;
	f->has_sha256 = p->kind == NODE_FILE &&
			(p->file_size < p->allocated ||
			 p->file_size - p->allocated <= LEAF_HOLE_MAX);
	if (f->has_sha256)
		memcpy(f->sha256.bytes, p->holds, DIGEST_SIZE);
	return f->kind != NULL ? 0 : err_set(e, MUNI_NO_MEMORY, "no memory for a proof");
}

static int take_step(json_t *step, bool is_first, bool is_top, struct digest *root,
		     struct proof_facts *f, struct err *e)
{
	struct parsed p;
	int rc = read_leaf(step, &p, e);

	if (rc == 0 && !is_first &&
	    (p.kind != NODE_DIRECTORY || memcmp(p.holds, root->bytes, DIGEST_SIZE) != 0))
		rc = proves_nothing(e, "a folder does not hold what is below it");
	if (rc == 0 && is_top && (p.kind != NODE_DIRECTORY || p.name_size != 0))
		rc = proves_nothing(e, "it does not end at a version's top folder");
	if (rc == 0 && !is_top && !is_name(&p))
		rc = not_a_proof(e, "a name does not read");
	if (rc == 0 && is_first)
		rc = take_facts(f, &p, e);
	if (rc == 0 && !is_top)
		rc = prepend(f, &p, e);
	if (rc == 0 && is_top)
		*root = merkle_leaf(p.bytes, p.size);
	else if (rc == 0)
		rc = root_of_step(step, &p, root, e);
	free(p.bytes);
	return rc;
}

/* *root: of the version. */
static int take_steps(json_t *steps, struct digest *root, struct proof_facts *f, struct err *e)
{
	size_t count = json_array_size(steps);

	if (!json_is_array(steps) || count == 0 || count > STEPS_MAX)
		return not_a_proof(e, "it has no steps");
	for (size_t i = 0; i < count; i++)
		if (take_step(json_array_get(steps, i), i == 0, i + 1 == count, root, f, e) < 0)
			return -1;
	if (f->path == NULL)
		f->path = strdup("");
	return f->path != NULL ? 0 : err_set(e, MUNI_NO_MEMORY, "no memory for a proof");
}

/* ---- the version --------------------------------------------------------------------------- */

static int check_signature(const char *statement, const char *base64, const uint8_t *cert,
			   size_t cert_size, struct proof_facts *f, struct err *e)
{
	struct cms_signer *signers = NULL;
	size_t size = 0, count = 0;
	uint8_t *cms = base64 != NULL ? text_unbase64_bytes(base64, &size) : NULL;
	int rc = -1;

	if (cms == NULL)
		return not_a_proof(e, "it has no signature");
	if (cms_verify_detached(cms, size, statement, strlen(statement), &signers, &count, e) < 0)
		goto out;
	if (count != 1) {
		proves_nothing(e, "the version has more than one signature");
		goto out;
	}
	if (cert != NULL && (signers[0].identity.cert_size != cert_size ||
			     memcmp(signers[0].identity.cert, cert, cert_size) != 0)) {
		proves_nothing(e, "the version was signed with another certificate than the one "
			       "that was given");
		goto out;
	}
	f->signer = strdup(signers[0].identity.subject);
	f->signer_fingerprint = signers[0].identity.fingerprint;
	f->signed_at = signers[0].signed_at;
	rc = f->signer != NULL ? 0 : err_set(e, MUNI_NO_MEMORY, "no memory for a proof");
out:
	cms_signers_free(signers, count);
	free(cms);
	return rc;
}

static int check_names(json_t *proof, json_t *statement, struct proof_facts *f, struct err *e)
{
	const char *salt = json_string_value(json_object_get(proof, "names_salt"));
	const char *wanted = json_string_value(json_object_get(statement, "names"));
	json_t *system = json_object_get(proof, "system"), *label = json_object_get(proof, "label");
	uint8_t raw[16];
	char *text = NULL, hex[DIGEST_HEX_SIZE];
	struct digest commitment;
	json_t *names;
	size_t size;
	int rc;

	if (salt == NULL)
		return 0;
	if (text_unhex(salt, raw, sizeof raw) < 0 || !json_is_string(system) ||
	    !json_is_string(label) || wanted == NULL)
		return not_a_proof(e, "the names of system and version do not read");
	names = json_pack("{sO sO}", "system", system, "label", label);
	rc = names == NULL ? err_set(e, MUNI_NO_MEMORY, "no memory for a proof") :
	     canonical_dump(names, &text, &size, e);
	json_decref(names);
	if (rc < 0)
		return -1;
	commitment = digest_of_pair(raw, sizeof raw, text, size);
	free(text);
	digest_hex(&commitment, hex);
	if (strcmp(hex, wanted) != 0)
		return proves_nothing(e, "system and version are not those that were signed");
	f->system = strdup(json_string_value(system));
	f->label = strdup(json_string_value(label));
	return f->system != NULL && f->label != NULL ? 0 :
	       err_set(e, MUNI_NO_MEMORY, "no memory for a proof");
}

static int check_statement(json_t *proof, const struct digest *root, struct proof_facts *f,
			   struct err *e)
{
	const char *text = json_string_value(json_object_get(proof, "statement"));
	json_t *statement = text != NULL ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;
	const char *merkle = json_string_value(json_object_get(statement, "merkle"));
	const char *archive = json_string_value(json_object_get(statement, "archive"));
	const char *time = json_string_value(json_object_get(statement, "time"));
	const char *type = json_string_value(json_object_get(statement, "type"));
	char hex[DIGEST_HEX_SIZE];
	int rc;

	digest_hex(root, hex);
	if (merkle == NULL || archive == NULL || strlen(archive) != 32 || time == NULL ||
	    type == NULL || strcmp(type, "muniment version") != 0)
		rc = not_a_proof(e, "its statement is not one about a version");
	else if (strcmp(hex, merkle) != 0)
		rc = proves_nothing(e, "it leads to another root than the one that was signed");
	else
		rc = check_names(proof, statement, f, e);
	if (rc == 0) {
		memcpy(f->archive, archive, sizeof f->archive);
		f->time = strdup(time);
		if (f->time == NULL)
			rc = err_set(e, MUNI_NO_MEMORY, "no memory for a proof");
	}
	json_decref(statement);
	return rc;
}

static int check_all(json_t *o, const char *statement, const struct identity *id,
		     struct proof_facts *out, struct err *e)
{
	const char *signature = json_string_value(json_object_get(o, "signature"));
	struct digest root;

	if (take_steps(json_object_get(o, "steps"), &root, out, e) < 0 ||
	    check_signature(statement, signature, id->cert, id->cert_size, out, e) < 0)
		return -1;
	return check_statement(o, &root, out, e);
}

int proof_check(const void *proof, size_t size, const uint8_t *certificate,
		size_t certificate_size, struct proof_facts *out, struct err *e)
{
	struct identity id = { .cert = NULL };
	json_t *o = json_loadb(proof, size, JSON_REJECT_DUPLICATES, NULL);
	const char *type = json_string_value(json_object_get(o, "type"));
	const char *statement = json_string_value(json_object_get(o, "statement"));
	int rc = -1;

	*out = (struct proof_facts){ .system = NULL };
	if (type == NULL || strcmp(type, "muniment.proof.1") != 0 || statement == NULL)
		not_a_proof(e, "its type is not \"muniment.proof.1\"");
	else if (certificate == NULL ||
		 identity_parse(certificate, certificate_size, &id, e) == 0)
		rc = check_all(o, statement, &id, out, e);
	identity_clear(&id);
	json_decref(o);
	if (rc < 0)
		proof_facts_clear(out);
	return rc;
}

static int digest_file(int fd, struct digest *out, struct err *e)
{
	struct hasher *h = hasher_new();
	uint8_t *piece = malloc(PIECE);
	int rc = -1;

	if (h == NULL || piece == NULL) {
		err_set(e, MUNI_NO_MEMORY, "no memory to read a file");
		goto out;
	}
	for (;;) {
		ssize_t n = read(fd, piece, PIECE);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			err_errno(e, "reading the file that is to be compared");
			goto out;
		}
		if (n == 0)
			break;
		hasher_update(h, piece, (size_t)n);
	}
	*out = hasher_finish(h);
	rc = 0;
out:
	hasher_free(h);
	free(piece);
	return rc;
}

int proof_check_file(const struct proof_facts *f, const char *path, struct err *e)
{
	struct digest d;
	int fd, rc;

	if (!f->has_sha256)
		return err_set(e, MUNI_UNSUPPORTED, "the proof is of a %s without a plain SHA-256: "
			       "it cannot be compared with a file", f->kind);
	fd = file_open_user(path, O_RDONLY, 0, e);
	if (fd < 0)
		return -1;
	rc = digest_file(fd, &d, e);
	file_close(&fd);
	if (rc == 0 && !digest_equal(&d, &f->sha256))
		return err_set(e, MUNI_DAMAGED, "\"%s\" is not the file that the proof speaks of: "
			       "its content is another", text_printable(path));
	return rc;
}

void proof_facts_clear(struct proof_facts *f)
{
	free(f->system);
	free(f->label);
	free(f->path);
	free(f->kind);
	free(f->signer);
	free(f->time);
	*f = (struct proof_facts){ .system = NULL };
}
