#include "fs/vault/copies.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "fs/base/canonical.h"
#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/vault/inside.h"

#define PLACE_MAX 500

static int details_of(const struct copy_row *k, char **out, struct err *e)
{
	json_t *o = json_pack("{s:I, s:s, s:s, s:s}", "copy", (json_int_t)k->id, "of", k->of,
			      "place", k->place, "state", k->state);
	size_t size;
	int rc = o ? canonical_dump(o, out, &size, e)
		   : err_set(e, MUNI_USAGE, "the place of a copy is to be given in UTF-8");

	json_decref(o);
	return rc;
}

/* Row and entry of the log, in one act. */
static int put(struct vault *v, struct copy_row *k, struct err *e)
{
	char *details = NULL;
	int rc = -1;

	if (catalogue_begin(v->catalogue, e) < 0)
		return -1;
	if (catalogue_copy_put(v->catalogue, k, e) < 0 || details_of(k, &details, e) < 0)
		catalogue_rollback(v->catalogue);
	else
		rc = vault_commit_act(v, LOG_COPY, details, e);
	free(details);
	return rc;
}

int vault_copy_declare(struct vault *v, const char *of, const char *place, int64_t *id,
		       struct err *e)
{
	int64_t now = vault_now(v);
	struct copy_row k = { .of = of, .place = place, .declared = now, .state = "kept",
			      .changed = now };

	*id = 0;
	if (strcmp(of, "data") != 0 && strcmp(of, "keyring") != 0)
		return err_set(e, MUNI_USAGE, "a copy is of data or of the keyring, not of \"%s\"",
			       text_printable(of));
	if (!*place || strlen(place) > PLACE_MAX || !text_is_utf8(place, strlen(place)))
		return err_set(e, MUNI_USAGE, "the place of a copy is a text of 1 to %d bytes: where "
			       "it lies, and who keeps it", PLACE_MAX);
	if (put(v, &k, e) < 0)
		return -1;
	*id = k.id;
	return 0;
}

struct search {
	int64_t id;
	struct copy_row row;
	char *of, *place;
	bool failed;
};

static int on_copy(void *arg, const struct copy_row *k)
{
	struct search *s = arg;

	if (k->id != s->id)
		return 0;
	s->row = *k;
	s->of = strdup(k->of);
	s->place = strdup(k->place);
	s->failed = !s->of || !s->place;
	return 0;
}

int vault_copy_settle(struct vault *v, int64_t id, const char *state, struct err *e)
{
	struct search s = { .id = id };
	int rc = -1;

	if (strcmp(state, "kept") != 0 && strcmp(state, "destroyed") != 0 &&
	    strcmp(state, "lost") != 0)
		return err_set(e, MUNI_USAGE, "a copy is kept, destroyed or lost, not \"%s\"",
			       text_printable(state));
	if (catalogue_copies(v->catalogue, on_copy, &s, e) < 0)
		goto out;
	if (s.failed) {
		err_set(e, MUNI_NO_MEMORY, "no memory for a copy");
		goto out;
	}
	if (!s.of) {
		err_set(e, MUNI_NOT_FOUND, "no copy with the number %" PRId64 " was declared; "
			"`muni copy list` shows them", id);
		goto out;
	}
	s.row.of = s.of;
	s.row.place = s.place;
	s.row.state = state;
	s.row.changed = vault_now(v);
	rc = put(v, &s.row, e);
out:
	free(s.of);
	free(s.place);
	return rc;
}
