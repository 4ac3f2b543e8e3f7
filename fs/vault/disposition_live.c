/*
 * A list of items of a live source, which its newest inventory has and which are decided
 * destroy; and the same list made again when it is to be executed.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/json_memory.h"
#include "fs/base/text.h"
#include "fs/vault/clearance_inside.h"
#include "fs/vault/live.h"
#include "fs/vault/retain_live.h"

struct live_choosing {
	const struct propose_request *request;
	struct system system;
	struct item_list *list;
	struct left_out *left;
	struct live_judge *judge;
	int root;			/* of the source */
	struct err *e;
};

/* ---- the source -------------------------------------------------------------------------- */

/* The scan's own source, where it stands now; *real malloc'ed. */
static int find_source(struct catalogue *c, const struct propose_request *r,
		       const struct system *system, char **real, struct err *e)
{
	struct stat mine, theirs;
	struct scan scan;
	int rc = -1;

	*real = NULL;
	if (catalogue_scan_latest(c, system->id, &scan, e) < 0)
		return -1;
	if (!scan.is_complete)
		err_set(e, MUNI_USAGE, "the newest inventory of %s is not whole: scan it again",
			system->name);
	else if (strcmp(scan.source_kind, "directory") != 0)
		err_set(e, MUNI_USAGE, "%s was scanned from an archive file (%s): nothing can be "
			"destroyed inside of one", system->name, scan.source_kind);
	else if (!(*real = realpath(r->source, NULL)) || stat(*real, &mine) < 0)
		err_errno(e, "the source %s", text_printable(r->source));
	else if (stat(scan.source, &theirs) < 0 || mine.st_dev != theirs.st_dev ||
		 mine.st_ino != theirs.st_ino)
		err_set(e, MUNI_USAGE, "the inventory of %s was made of %s, not of %s",
			system->name, text_printable(scan.source), text_printable(r->source));
	else
		rc = 0;
	scan_clear(&scan);
	if (rc < 0) {
		free(*real);
		*real = NULL;
	}
	return rc;
}

/* ---- choosing -------------------------------------------------------------------------------- */

static bool is_asked_for(const struct live_choosing *k, const struct decided_row *r)
{
	const char *code = decided_class(r), *want = k->request->filter.class_code;

	return live_judge_wants(k->judge, r->item->path, r->item->path_size) &&
	       (!want || (code && strcmp(code, want) == 0));
}

static bool may_go(const struct live_state *s, bool by_review)
{
	return s->standing == STANDING_DUE ||
	       (s->standing == STANDING_REVIEW && by_review && s->then == THEN_REVIEW);
}

static int add_demands(struct demands *d, const struct live_state *s, struct err *e)
{
	if (s->definition_count == 0)
		return demands_add(d, NULL, e);
	for (size_t i = 0; i < s->definition_count; i++)
		if (demands_add(d, s->definitions[i], e) < 0)
			return -1;
	return 0;
}

static const char *due_text(const struct live_state *s, char out[16])
{
	if (!s->has_due)
		return NULL;
	civil_text(s->until, out);
	return out;
}

static enum item_names live_names(const struct live_state *s)
{
	enum item_names strictest = ITEM_NAMES_KEEP;

	for (size_t i = 0; i < s->definition_count; i++)
		if (item_names_of_class(s->definitions[i]) > strictest)
			strictest = item_names_of_class(s->definitions[i]);
	return s->definition_count ? strictest : ITEM_NAMES_COMMIT;
}

static int take(struct live_choosing *k, const struct decided_row *r,
		const struct live_state *s)
{
	const struct item_row *i = r->item;
	const struct item_facts_sum facts = {
		.class = s->ruling, .policy = s->policy, .system = k->system.name,
		.rule = r->has_override ? NULL : r->policy.rule, .format = i->format,
		.is_file = i->kind == NODE_FILE, .bytes = i->size,
		.from = s->has_due ? &s->from : NULL, .until = s->has_due ? &s->until : NULL,
		.path = i->path, .path_size = i->path_size,
	};
	struct listed item = { .directory = k->system.id, .name = i->path,
			       .name_size = i->path_size, .names = live_names(s) };
	uint8_t salt[ITEM_SALT_SIZE];
	char due[16];

	if (add_demands(&k->list->demands, s, k->e) < 0 ||
	    random_bytes(salt, sizeof salt, k->e) < 0 ||
	    live_item_text(&k->system, r, s->ruling, due_text(s, due), k->list->key, salt,
			   &item.text, &item.leaf, k->e) < 0)
		return -1;
	k->left->taken++;
	return item_list_add(k->list, &item, &facts, k->e);
}

static int on_item(void *arg, const struct decided_row *r)
{
	struct live_choosing *k = arg;
	struct live_state s;
	enum live_check check;

	if (!is_asked_for(k, r))
		return 0;
	if (!is_decided(r) || decided_decision(r) != DECISION_DESTROY) {
		k->left->undecided++;
		return 0;
	}
	if (live_look(k->root, r->item, &check, k->e) < 0)
		return -1;
	if (check != LIVE_SAME || r->item->is_unsettled) {
		k->left->changed++;
		return 0;
	}
	if (live_judge_item(k->judge, r, &s, k->e) < 0)
		return -1;
	if (may_go(&s, k->request->by_review))
		return take(k, r, &s);
	k->left->count[s.standing]++;
	return 0;
}

static int say_left_out(struct left_out *left, struct err *e)
{
	size_t size = 0;
	FILE *to = text_stream(&left->text, &size);

	if (!to)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a sentence");
	for (int s = 0; s < 8; s++)
		if (left->count[s])
			fprintf(to, "%s: %" PRIu64 " items may not go\n", s == STANDING_HELD ? "hold" :
				s == STANDING_KEPT ? "retention period" : s == STANDING_GRACE ?
				"grace period" : s == STANDING_REVIEW ? "review" :
				s == STANDING_MISSING ? "missing trigger" : "no class",
				left->count[s]);
	if (left->changed)
		fprintf(to, "changed source: %" PRIu64 " items are not there as the inventory has "
			"them: scan and classify again\n", left->changed);
	if (left->undecided)
		fprintf(to, "decision: %" PRIu64 " items are not decided destroy\n",
			left->undecided);
	return text_stream_end(to, &left->text) == 0 ? 0 : err_set(e, MUNI_NO_MEMORY, "no memory for a sentence");
}

static int walk(struct live_choosing *k, struct catalogue *c)
{
	const char *path = k->request->filter.path;

	if ((path && live_judge_only(k->judge, path, k->e) < 0) ||
	    catalogue_decided(c, k->system.id, NULL, 0, on_item, k, k->e) < 0)
		return -1;
	return say_left_out(k->left, k->e);
}

static json_t *scope_json(const struct live_choosing *k, const char *real)
{
	json_t *o = json_pack("{s:s, s:s, s:I, s:b}", "scope", "live", "system", k->system.name,
			      "system_id", (json_int_t)k->system.id, "review",
			      (int)k->request->by_review);

	item_put_path(o, real, strlen(real));
	return o;
}

int propose_live(struct vault *v, const struct propose_request *r, struct item_list *l,
		 json_t **scope, struct left_out *left, struct err *e)
{
	struct live_choosing k = { .request = r, .list = l, .left = left, .root = -1, .e = e };
	struct catalogue *c = vault_catalogue(v);
	char *real = NULL;
	int rc = -1;

	*scope = NULL;
	if (random_bytes(l->key, sizeof l->key, e) < 0 ||
	    catalogue_scanned_system(c, r->filter.system, &k.system, e) < 0 ||
	    find_source(c, r, &k.system, &real, e) < 0 ||
	    live_judge_open(c, k.system.id, r->asof ? r->asof : vault_now(v), &k.judge, e) < 0)
		goto out;
	k.root = live_open_root(real, e);
	if (k.root < 0 || live_check_apart(v, k.root, e) < 0 || walk(&k, c) < 0)
		goto out;
	if (l->count == 0) {
		for (char *at = left->text; *at; at++)
			*at = *at == '\n' && at[1] == '\0' ? '\0' : *at == '\n' ? ';' : *at;
		err_set(e, MUNI_REFUSED, "nothing of it may be destroyed now: %s", left->text);
		goto out;
	}
	l->has_key = true;
	*scope = scope_json(&k, real);
	rc = *scope ? 0 : err_set(e, MUNI_NO_MEMORY, "no memory for the scope");
out:
	if (k.root >= 0)
		close(k.root);
	live_judge_close(k.judge);
	free(real);
	return rc;
}

/* ---- when it is executed ------------------------------------------------------------------- */

static int refuse_standing(struct clearing *k, const struct disposition_item *i,
			   const struct live_state *s)
{
	char mark[40], day[16] = "";

	item_mark(i, mark);
	if (s->standing == STANDING_HELD)
		return err_set(k->e, MUNI_REFUSED, "hold: %s is held by H%" PRId64 "; a hold "
			       "outranks every decision until it is released", mark, s->hold);
	if (s->has_due)
		civil_text(s->standing == STANDING_GRACE ? s->eligible : s->until, day);
	return err_set(k->e, MUNI_REFUSED, "%s: %s of class %s may not go%s%s",
		       s->standing == STANDING_GRACE ? "grace period" :
		       s->standing == STANDING_REVIEW ? "review" :
		       s->standing == STANDING_MISSING ? "missing trigger" : "retention period",
		       mark, s->ruling ? s->ruling->id : "", *day ? " before " : "", day);
}

static int judge_again(struct clearing *k, const struct disposition_item *i,
		       const struct decided_row *r, const uint8_t salt[ITEM_SALT_SIZE],
		       struct digest *leaf)
{
	const char *name = json_string_value(json_object_get(k->scope, "system"));
	struct system system = { .id = i->key.directory };
	struct live_state s;
	uint8_t key[LIST_KEY_SIZE];
	char *text = NULL, due[16], mark[40];
	bool has_key;
	int rc;

	if (!is_decided(r) || decided_decision(r) != DECISION_DESTROY)
		return json_memory_refused(k->e, MUNI_REFUSED, "altered list: %s is not decided destroy any "
			       "more", item_mark(i, mark));
	/* As it was told then: a system that was only scanned is found by its name alone. */
	snprintf(system.name, sizeof system.name, "%s", name ? name : "");
	if (live_judge_item(k->live, r, &s, k->e) < 0 ||
	    add_demands(&k->demands, &s, k->e) < 0)
		return -1;
	if (!may_go(&s, k->by_review))
		return refuse_standing(k, i, &s);
	if (catalogue_list_key_get(k->vault->catalogue, k->row.id, key, &has_key, k->e) < 0)
		return -1;
	rc = live_item_text(&system, r, s.ruling, due_text(&s, due), has_key ? key : NULL, salt,
			    &text, leaf, k->e);
	free(text);
	return rc;
}

/* Begun, cut off, and the source was scanned since: what is gone is in no inventory any
 * more.  The item is what was approved and cleared then; a hold stops it all the same. */
static int judge_begun(struct clearing *k, const struct disposition_item *i,
		       struct digest *leaf)
{
	struct decided_row r = { .has_decision = true, .policy = {
		.decision = DECISION_DESTROY,
		.class_code = *i->class_code ? (char *)i->class_code : NULL } };
	struct live_state s;
	struct item_row item;
	int rc = -1;

	if (live_item_parse(i->text, &item, k->e) < 0)
		return -1;
	r.item = &item;
	if (live_judge_item(k->live, &r, &s, k->e) == 0 &&
	    add_demands(&k->demands, &s, k->e) == 0)
		rc = s.standing == STANDING_HELD ? refuse_standing(k, i, &s) : 0;
	item_row_clear(&item);
	*leaf = i->leaf;
	return rc;
}

int clearance_live(struct clearing *k, const struct disposition_item *i,
		   const uint8_t salt[ITEM_SALT_SIZE], struct digest *leaf)
{
	struct catalogue *c = k->vault->catalogue;
	struct decided_row r = { .item = NULL };
	struct item_row item;
	char mark[40];
	int rc = -1;

	snprintf(k->name, sizeof k->name, "%s", text_printable_n(i->path, i->path_size));
	if (!k->live && live_judge_open(c, i->key.directory, k->now, &k->live, k->e) < 0)
		return -1;
	if (k->row.state == DISPOSITION_SWITCHING)
		return judge_begun(k, i, leaf);
	if (catalogue_item_find(c, i->key.directory, i->path, i->path_size, true, &item,
				k->e) < 0)
		return k->e->code != MUNI_NOT_FOUND ? -1 :
			json_memory_refused(k->e, MUNI_REFUSED, "altered list: %s is not in the inventory any "
				"more", item_mark(i, mark));
	if (catalogue_decided_find(c, &item, &r, k->e) == 0) {
		r.item = &item;
		rc = judge_again(k, i, &r, salt, leaf);
		r.item = NULL;
		decided_row_clear(&r);
	}
	item_row_clear(&item);
	return rc;
}
