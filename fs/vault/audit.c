/*
 * Entries of the log with what the catalogue knows of them.
 */
#include "fs/vault/audit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/store/catalogue_dispositions.h"
#include "fs/vault/inside.h"

struct known {
	struct digest fingerprint;
	char id[132];
};

struct actors {
	struct known *list;
	size_t count, capacity;
};

static int keep_officer(void *arg, const struct officer_row *o)
{
	struct actors *a = arg;

	if (a->count == a->capacity) {
		size_t more = a->capacity > 0 ? a->capacity * 2 : 16;
		struct known *list = realloc(a->list, more * sizeof *list);

		if (list == NULL)
			return -1;
		a->list = list;
		a->capacity = more;
	}
	a->list[a->count].fingerprint = o->fingerprint;
	strncpy(a->list[a->count].id, o->id, sizeof a->list[0].id - 1);
	a->list[a->count].id[sizeof a->list[0].id - 1] = '\0';
	a->count++;
	return 0;
}

/* An archive of an older format has none. */
static int load_actors(struct catalogue *c, struct actors *out, struct err *e)
{
	*out = (struct actors){ NULL, 0, 0 };
	if (catalogue_officers(c, keep_officer, out, e) == 0)
		return 0;
	if (e->code == MUNI_NOT_FOUND) {
		*e = ERR_NONE;
		return 0;
	}
	if (e->code == MUNI_OK)
		return err_set(e, MUNI_NO_MEMORY, "no memory for the officers");
	return -1;
}

static bool is_zero(const struct digest *d)
{
	static const struct digest zero;

	return digest_equal(d, &zero);
}

static const char *actor_id(const struct actors *a, const struct digest *fingerprint)
{
	for (size_t i = 0; i < a->count; i++)
		if (digest_equal(&a->list[i].fingerprint, fingerprint))
			return a->list[i].id;
	return NULL;
}

static int load_details(struct vault *v, struct audit_entry *a, char **details,
			struct err *e)
{
	uint8_t salt[16];
	struct digest commitment;

	*details = NULL;
	a->details = NULL;
	if (catalogue_log_detail_get(v->catalogue, a->entry.sequence, salt, details, e) < 0) {
		if (e->code != MUNI_NOT_FOUND)
			return -1;
		*e = ERR_NONE;
		a->state = AUDIT_ALTERED;	/* destroyed details leave their row */
		return 0;
	}
	if (*details == NULL) {
		a->state = AUDIT_DESTROYED;
		return 0;
	}
	commitment = digest_of_pair(salt, sizeof salt, *details, strlen(*details));
	if (!digest_equal(&commitment, &a->entry.commitment)) {
		a->state = AUDIT_ALTERED;
		return 0;
	}
	a->state = AUDIT_WHOLE;
	a->details = *details;
	return 0;
}

int audit_details(struct vault *v, const struct log_entry *entry, char **details,
		  bool *is_whole, struct err *e)
{
	struct audit_entry a = { .entry = *entry };
	int rc = load_details(v, &a, details, e);

	*is_whole = rc == 0 && a.state == AUDIT_WHOLE;
	return rc;
}

int audit_each(struct vault *v, uint64_t first,
	       int (*row)(void *arg, const struct audit_entry *entry), void *arg,
	       struct err *e)
{
	struct actors actors;
	uint64_t count = log_count(v->log);
	int rc = load_actors(v->catalogue, &actors, e), got = 0;

	for (uint64_t i = first; rc == 0 && got == 0 && i < count; i++) {
		struct audit_entry a = { .state = AUDIT_WHOLE };
		char *details = NULL;

		rc = log_read(v->log, i, &a.entry, e);
		if (rc == 0)
			rc = load_details(v, &a, &details, e);
		if (rc == 0) {
			a.is_officer = !is_zero(&a.entry.actor);
			a.officer = a.is_officer ? actor_id(&actors, &a.entry.actor) : NULL;
			got = row(arg, &a);
			if (got < 0)
				rc = -1;
		}
		free(details);
	}
	free(actors.list);
	return rc;
}
