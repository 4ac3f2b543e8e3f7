/*
 * Items of a list as canonical JSON.  docs/format.md, "Disposition", gives the fields.
 */
#include <stdlib.h>
#include <string.h>

#include "fs/base/canonical.h"
#include "fs/base/err.h"
#include "fs/base/json_memory.h"
#include "fs/base/text.h"
#include "fs/crypt/merkle.h"
#include "fs/vault/disposition_inside.h"
#include "fs/vault/live.h"

/* ---- fields ------------------------------------------------------------------------- */

void item_put_path(json_t *o, const void *path, size_t size)
{
	if (text_is_utf8(path, size) && !memchr(path, 0, size)) {
		json_object_set_new(o, "path", json_stringn(path, size));
		return;
	}
	char *base64 = json_needs(text_base64(path, size));

	json_object_set_new(o, "path_base64", base64 ? json_string(base64) : NULL);
	free(base64);
}

static void put_hex(json_t *o, const char *key, const void *data, size_t size)
{
	char hex[2 * DIGEST_SIZE + 1];

	text_hex(data, size, hex);
	json_object_set_new(o, key, json_string(hex));
}

static void put_day(json_t *o, const char *key, struct civil day)
{
	char text[16];

	civil_text(day, text);
	json_object_set_new(o, key, json_string(text));
}

static void put_stamp(json_t *o, const char *key, struct stamp t)
{
	char text[TEXT_TIME_MAX];

	json_object_set_new(o, key, json_string(text_time(t.seconds, t.ns, text)));
}

static const char *kind_name(enum node_kind kind)
{
	static const char *const names[] = {
		[NODE_FILE] = "file", [NODE_DIRECTORY] = "directory",
		[NODE_SYMLINK] = "symlink", [NODE_FIFO] = "fifo", [NODE_SOCKET] = "socket",
		[NODE_CHAR] = "char", [NODE_BLOCK] = "block",
	};

	return kind >= NODE_FILE && kind <= NODE_BLOCK ? names[kind] : "unknown";
}

/* Takes o. */
static int finish_item(json_t *o, const uint8_t salt[ITEM_SALT_SIZE], char **text,
		       struct digest *leaf, struct err *e)
{
	size_t size;
	int rc;

	*text = NULL;
	put_hex(o, "salt", salt, ITEM_SALT_SIZE);
	rc = o ? canonical_dump(o, text, &size, e) :
	     err_set(e, MUNI_NO_MEMORY, "no memory for an item of the list");
	json_decref(o);
	if (rc == 0)
		*leaf = merkle_leaf(*text, size);
	return rc;
}

int item_salt(const char *text, uint8_t salt[ITEM_SALT_SIZE], struct err *e)
{
	json_t *o = NULL;
	int rc = canonical_load(text, strlen(text), &o, e);
	const char *hex = json_string_value(json_object_get(o, "salt"));

	if (rc == 0 && (!hex || text_unhex(hex, salt, ITEM_SALT_SIZE) < 0))
		rc = -1;
	json_decref(o);
	return rc == 0 ? 0 : err_set(e, MUNI_DAMAGED, "an item of the list does not read");
}

/* ---- records ----------------------------------------------------------------------------- */

enum item_names item_names_of_class(const struct policy_class *k)
{
	if (!k || strcmp(k->names, "commit") == 0)
		return ITEM_NAMES_COMMIT;
	return strcmp(k->names, "keep") == 0 ? ITEM_NAMES_KEEP : ITEM_NAMES_DROP;
}

enum item_names item_names_of_record(const struct record_state *s)
{
	enum item_names strictest = ITEM_NAMES_KEEP;

	for (size_t i = 0; i < s->term_count; i++) {
		enum item_names one = item_names_of_class(s->terms[i].definition);

		if (one > strictest)
			strictest = one;
	}
	return s->term_count ? strictest : ITEM_NAMES_COMMIT;
}

/* The content is bound by the salt of the record's leaf, which goes with the record:
 * who reads the list afterwards can guess no content from it. */
static int put_content(json_t *o, struct catalogue *c, const struct record *r, struct err *e)
{
	const struct node *n = r->node;
	struct digest bound;
	struct node full;

	json_object_set_new(o, "kind", json_string(kind_name(n->kind)));
	put_stamp(o, "modified", n->mtime);
	if (n->kind != NODE_FILE)
		return 0;
	json_object_set_new(o, "bytes", json_integer((json_int_t)n->size));
	if (catalogue_node(c, n->id, true, &full, e) < 0)
		return -1;
	if (full.has_sha256) {
		bound = digest_of_pair(r->salt, sizeof r->salt, full.sha256.bytes, DIGEST_SIZE);
		put_hex(o, "content", bound.bytes, DIGEST_SIZE);
	}
	return 0;
}

/* Labels of the first and the last version that it stands in; where it still stands in
 * the newest, a version that comes changes nothing about it. */
static int put_versions(json_t *o, struct catalogue *c, const struct record *r, struct err *e)
{
	struct version first, last;
	bool is_open = r->last == CATALOGUE_OPEN_ENDED;

	if (catalogue_version_get(c, r->key.first, &first, e) < 0 ||
	    (!is_open && catalogue_version_get(c, r->last, &last, e) < 0))
		return -1;
	json_t *labels = json_pack("[s]", first.label);
	if (!is_open && last.id != first.id)
		json_array_append_new(labels, json_string(last.label));
	json_object_set_new(o, "versions", labels);
	if (is_open)
		json_object_set_new(o, "stands", json_true());
	return 0;
}

static void put_retention(json_t *o, const struct record_state *s)
{
	const struct record_term *t = s->ruling_term;
	const char *code = s->ruling ? s->ruling->id : "";
	json_t *also = json_object();
	char period[32];

	json_object_set_new(o, "class", json_string(code));
	for (size_t i = 0; i < s->class_count; i++)
		if (strcmp(s->classes[i], code) != 0)
			json_object_set_new(also, s->classes[i], json_true());
	if (json_object_size(also) > 0)
		json_object_set(o, "also", also);
	json_decref(also);
	if (t) {
		put_hex(o, "policy", t->policy_digest, DIGEST_SIZE);
		put_day(o, "from", t->retention.from);
		period_text(&t->definition->period, period);
		json_object_set_new(o, "period", json_string(period));
	}
	if (s->has_due)
		put_day(o, "due", s->until);
	if (s->is_extended)
		json_object_set_new(o, "extended", json_true());
}

int record_item_text(struct catalogue *c, const struct record_state *s,
		     const uint8_t salt[ITEM_SALT_SIZE], char **text, struct digest *leaf,
		     struct err *e)
{
	const struct record *r = s->record;
	json_t *o = json_pack("{s:s, s:I, s:I}", "system", s->system_name, "directory",
			      (json_int_t)r->key.directory, "version",
			      (json_int_t)r->key.first);

	*text = NULL;
	item_put_path(o, r->path, r->path_size);
	put_retention(o, s);
	if (put_content(o, c, r, e) == 0 && put_versions(o, c, r, e) == 0)
		return finish_item(o, salt, text, leaf, e);
	json_decref(o);
	return -1;
}

/* ---- items of a live source --------------------------------------------------------------- */

int live_item_text(const struct system *system, const struct decided_row *r,
		   const struct policy_class *k, const char *due,
		   const uint8_t *key, const uint8_t salt[ITEM_SALT_SIZE], char **text,
		   struct digest *leaf, struct err *e)
{
	const struct item_row *i = r->item;
	struct digest bound;
	json_t *o = json_pack("{s:s, s:s, s:s, s:I, s:I, s:s*}", "system", system->name, "kind",
			      kind_name(i->kind), "class", k ? k->id : "", "device",
			      (json_int_t)i->device, "inode", (json_int_t)i->inode, "due", due);

	item_put_path(o, i->path, i->path_size);
	put_stamp(o, "modified", i->mtime);
	if (i->kind == NODE_FILE) {
		json_object_set_new(o, "bytes", json_integer((json_int_t)i->size));
		if (i->has_sha256 && key) {
			bound = live_bind(key, &i->sha256, salt);
			put_hex(o, "content", bound.bytes, DIGEST_SIZE);
		} else if (i->has_sha256) {
			put_hex(o, "sha256", i->sha256.bytes, DIGEST_SIZE);
		}
	}
	if (r->has_override)
		json_object_set_new(o, "decided_by", json_string(r->override.officer));
	else if (r->has_decision && r->policy.rule)
		json_object_set_new(o, "rule", json_string(r->policy.rule));
	return finish_item(o, salt, text, leaf, e);
}

/* "2021-06-30T12:00:00.000000005Z", as put_stamp() writes it. */
static bool parse_stamp(const char *text, struct stamp *out)
{
	const char *dot = text ? strchr(text, '.') : NULL;
	char *end;

	*out = (struct stamp){ .seconds = 0 };
	if (!text || text_parse_time(text, false, &out->seconds) < 0)
		return false;
	if (!dot)
		return true;
	out->ns = (uint32_t)strtoul(dot + 1, &end, 10);
	return end == dot + 10 && out->ns < 1000000000u;
}

static bool parse_kind(const char *text, enum node_kind *out)
{
	for (int k = NODE_FILE; text && k <= NODE_BLOCK; k++)
		if (strcmp(text, kind_name((enum node_kind)k)) == 0) {
			*out = (enum node_kind)k;
			return true;
		}
	return false;
}

static const char *member(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

int live_item_parse(const char *text, struct item_row *out, struct err *e)
{
	const char *sha;
	json_t *o = NULL;
	bool is_good;

	*out = (struct item_row){ .id = 0 };
	if (canonical_load(text, strlen(text), &o, e) < 0)
		return -1;
	out->path = member(o, "path") ? strdup(member(o, "path")) :
		    member(o, "path_base64") ? text_unbase64(member(o, "path_base64")) : NULL;
	out->path_size = out->path ? strlen(out->path) : 0;
	out->device = (uint64_t)json_integer_value(json_object_get(o, "device"));
	out->inode = (uint64_t)json_integer_value(json_object_get(o, "inode"));
	out->size = (uint64_t)json_integer_value(json_object_get(o, "bytes"));
	sha = member(o, "content") ? member(o, "content") : member(o, "sha256");
	out->has_sha256 = sha != NULL;
	is_good = out->path && parse_kind(member(o, "kind"), &out->kind) &&
		  parse_stamp(member(o, "modified"), &out->mtime) &&
		  (!sha || text_unhex(sha, out->sha256.bytes, DIGEST_SIZE) == 0);
	json_decref(o);
	if (is_good)
		return 0;
	item_row_clear(out);
	return err_set(e, MUNI_DAMAGED, "an item of the list does not read");
}

/* ---- a class that is to be kept for a shorter time ------------------------------------------- */

int shorten_item_text(const char *code, const struct policy_row *p, const char *definition,
		      const uint8_t salt[ITEM_SALT_SIZE], char **text, struct digest *leaf,
		      struct err *e)
{
	const struct digest words = digest_of(definition, strlen(definition));
	json_t *o = json_pack("{s:s, s:s}", "class", code, "policy_name", p->name);

	json_object_set_new(o, "policy_version", json_integer((json_int_t)p->version));
	put_hex(o, "policy", p->digest.bytes, DIGEST_SIZE);
	put_hex(o, "definition", words.bytes, DIGEST_SIZE);
	return finish_item(o, salt, text, leaf, e);
}
