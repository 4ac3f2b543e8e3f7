/*
 * epoch_lose ARCHIVE KEYRING KEYFILE TIMEOUT_MS END SQL...
 *
 * A switch of epoch as open mounts see it, without all that keeps an archive sound: the
 * next catalogue is a copy on which SQL was run; mounts are told of it.  Prints the old
 * epoch's key, then a line for each mount.  END is 1 where those that do not answer are
 * to be ended.  The archive is for throwing away afterwards.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/base/text.h"
#include "fs/store/catalogue_copy.h"
#include "fs/store/pagevfs.h"
#include "fs/vault/inside.h"
#include "fs/vault/presence.h"

static void tell(void *arg, const struct presence_mount *m)
{
	(void)arg;
	printf("%s: %s: %s\n", presence_outcome_name(m->outcome), m->about, m->why);
}

static int run_sql(struct catalogue *c, char **sql, int count, struct err *e)
{
	for (int i = 0; i < count; i++) {
		char *message = NULL;
		if (sqlite3_exec(catalogue_sqlite(c), sql[i], NULL, NULL, &message) != SQLITE_OK)
			return err_set(e, MUNI_USAGE, "%s: %s", sql[i], message);
	}
	return 0;
}

/* catalogue.N+1 under the key of N+1. */
static int make_next(struct vault *v, char **sql, int count, struct catalogue **out,
		     struct err *e)
{
	const struct catalogue_copy whole = { .is_whole = true };
	struct catalogue_settings s;
	uint64_t to = v->epoch + 1;
	unsigned key_id;

	if (keyring_epoch_begin(v->keyring, e) < 0 ||
	    pagevfs_key_add(keyring_catalogue_key(v->keyring, to), v->id, to, &key_id, e) < 0 ||
	    catalogue_create(v->dirfd, to, key_id, out, e) < 0 ||
	    catalogue_copy_open(*out, v->catalogue, e) < 0 || catalogue_begin(*out, e) < 0 ||
	    catalogue_copy_rows(*out, &whole, e) < 0 || catalogue_settings_get(*out, &s, e) < 0)
		return -1;
	s.epoch = to;
	if (catalogue_settings_put(*out, &s, e) < 0 || run_sql(*out, sql, count, e) < 0)
		return -1;
	if (catalogue_commit(*out, e) < 0)
		return -1;
	catalogue_copy_close(*out);
	return 0;
}

static int lose(struct vault *v, char **argv, int argc, struct err *e)
{
	struct presence_ask ask = { .epoch = v->epoch + 1, .row = tell, .archive = v->path,
				    .timeout_ms = (unsigned)atoi(argv[4]),
				    .may_end = atoi(argv[5]) };
	struct catalogue *next = NULL;
	struct presence_count count;
	char hex[65];
	int run = vault_run_dir(v, true, e), rc = -1;

	text_hex(keyring_catalogue_key(v->keyring, v->epoch), 32, hex);
	printf("key %s\n", hex);
	if (run >= 0 && make_next(v, argv + 6, argc - 6, &next, e) == 0) {
		ask.key = keyring_catalogue_key(v->keyring, ask.epoch);
		rc = presence_switch(run, &ask, &count, e);
	}
	catalogue_close(next);
	file_close(&run);
	return rc;
}

int main(int argc, char **argv)
{
	struct err e = ERR_NONE;
	struct vault *v;
	int rc;

	if (argc < 6)
		return 2;
	struct vault_options o = { .keys = { .keyring = argv[2], .key_file = argv[3] } };
	if (vault_open(argv[1], &o, VAULT_WRITE, &v, &e) < 0) {
		fprintf(stderr, "%s\n", e.text);
		return 1;
	}
	rc = lose(v, argv, argc, &e);
	if (rc < 0)
		fprintf(stderr, "%s\n", e.text);
	fflush(stdout);
	/* No closing acts: what was begun here is no switch that could be ended. */
	_Exit(rc < 0);
}
