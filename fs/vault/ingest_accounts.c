/*
 * Names of accounts: asked of the system once a number, kept once a name.
 */
#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/shortage.h"
#include "fs/vault/ingest_inside.h"

#define NAME_MAX_KEPT 255
#define ANSWER_MAX (1u << 20)	/* a group of very many members */
/* glibc reads its settings at the first look-up and when they have changed, and crashes where it
 * finds no memory for that: a file's buffer, a line, a table (nss_database.c, glibc 2.36). */
#define SETTINGS_ROOM (64u << 10)

static const char nobody[] = "";	/* the number has no name */

void ingest_accounts_init(struct ingest_accounts *a)
{
	*a = (struct ingest_accounts){ .users = { 0 } };
	pthread_mutex_init(&a->lock, NULL);
}

void ingest_accounts_free(struct ingest_accounts *a)
{
	for (size_t i = 0; i < a->names.capacity; i++)
		if (a->names.slots[i].value != 0)
			free((char *)(uintptr_t)a->names.slots[i].value);
	map_free(&a->names);
	map_free(&a->users);
	map_free(&a->groups);
	pthread_mutex_destroy(&a->lock);
}

/* With the lock held. */
static const char *intern(struct ingest_accounts *a, const char *name)
{
	struct digest d = digest_of(name, strlen(name));
	uint64_t key[2], found;
	char *copy;

	memcpy(key, d.bytes, sizeof key);
	found = map_get(&a->names, key[0], key[1]);
	if (found)
		return (const char *)(uintptr_t)found;
	copy = strdup(name);
	if (!copy || !map_put(&a->names, key[0], key[1], (uintptr_t)copy)) {
		free(copy);
		return NULL;
	}
	return copy;
}

const char *ingest_accounts_intern(struct ingest_accounts *a, const char *name)
{
	const char *kept;

	pthread_mutex_lock(&a->lock);
	kept = intern(a, name);
	pthread_mutex_unlock(&a->lock);
	return kept;
}

/* A name longer than the format keeps is as good as none.  NULL: no memory. */
static const char *keep(struct ingest_accounts *a, const char *name)
{
	return name && *name && strlen(name) <= NAME_MAX_KEPT ? intern(a, name) : nobody;
}

/* What there was no memory or no descriptor to look up is not nobody: the name would be
 * missing for good.  A service of names that does not answer knows nobody. */
static const char *ask_user(struct ingest_accounts *a, uint32_t uid, char *answer,
			    int *want)
{
	struct passwd entry, *found = NULL;
	int code;

	do
		code = getpwuid_r(uid, &entry, answer, ANSWER_MAX, &found);
	while (code == EINTR);
	if (err_is_want(code)) {
		*want = code;
		return NULL;
	}
	if (code != 0 || !found)
		return nobody;
	return keep(a, found->pw_name);
}

static const char *ask_group(struct ingest_accounts *a, uint32_t gid, char *answer,
			     int *want)
{
	struct group entry, *found = NULL;
	int code;

	do
		code = getgrgid_r(gid, &entry, answer, ANSWER_MAX, &found);
	while (code == EINTR);
	if (err_is_want(code)) {
		*want = code;
		return NULL;
	}
	if (code != 0 || !found)
		return nobody;
	return keep(a, found->gr_name);
}

/* *out: NULL where there is none. */
static int look_up(struct ingest_accounts *a, struct map *known, uint32_t number,
		   const char *(*ask)(struct ingest_accounts *, uint32_t, char *, int *want),
		   const char **out, struct err *e)
{
	const char *name;
	char *answer;
	int want = ENOMEM;

	pthread_mutex_lock(&a->lock);
	name = (const char *)(uintptr_t)map_get(known, (uint64_t)number + 1, 0);
	if (!name) {
		answer = malloc(ANSWER_MAX);
		name = answer && shortage_has_room(SETTINGS_ROOM) ?
			       ask(a, number, answer, &want) : NULL;
		free(answer);
		if (name && !map_put(known, (uint64_t)number + 1, 0, (uintptr_t)name))
			name = NULL;
	}
	pthread_mutex_unlock(&a->lock);
	*out = name && *name ? name : NULL;
	if (name)
		return 0;
	errno = want;
	return err_errno(e, "looking up the account %" PRIu32, number);
}

int ingest_accounts_name(struct ingest_accounts *a, struct meta *m, struct err *e)
{
	return look_up(a, &a->users, m->uid, ask_user, &m->owner, e) < 0 ||
	       look_up(a, &a->groups, m->gid, ask_group, &m->group, e) < 0 ? -1 : 0;
}
