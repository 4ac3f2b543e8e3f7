/* The run folder, and the word to open mounts that something changed. */
#include "fs/vault/archive_inside.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/vault/presence.h"

/* A mount that is slow to answer has been told all the same. */
#define ANSWER_WAIT_MS 1000

/* Mounts that answer from there are given keys: it is the keyring's owner's, root's or ours. */
static int require_private(const struct vault *v, int run, struct err *e)
{
	struct stat st, keyring;

	if (fstat(run, &st) < 0)
		return err_errno(e, "looking at it");
	bool is_known = st.st_uid == 0 || st.st_uid == geteuid() ||
			(stat(v->keyring_path, &keyring) == 0 && keyring.st_uid == st.st_uid);
	if (is_known && (st.st_mode & (S_IWGRP | S_IWOTH)) == 0)
		return 0;
	return err_set(e, MUNI_EXISTS, "it belongs to user %ld and has mode %04o, so that "
		       "others could pass for mounts and be given keys: see who made it, and "
		       "remove it", (long)st.st_uid, st.st_mode & 07777u);
}

int vault_run_dir(struct vault *v, bool make, struct err *e)
{
	char name[sizeof v->id_hex + 4];
	int folder = anchor_folder(v->keyring_path, e), run = -1;

	if (folder < 0)
		return -1;
	snprintf(name, sizeof name, "%s.run", v->id_hex);
	if (!make || file_make_dir(folder, name, 0700, e) == 0)
		run = file_open_dir(folder, name, e);
	file_close(&folder);
	if (run >= 0 && require_private(v, run, e) < 0)
		file_close(&run);
	return run < 0 ? err_wrap(e, "the folder of open mounts beside the keyring") : run;
}

void vault_announce(struct vault *v)
{
	struct err ignored = ERR_NONE;
	struct presence_ask ask = { .kind = PRESENCE_CHANGED, .epoch = v->epoch,
				    .timeout_ms = ANSWER_WAIT_MS };
	struct presence_count unused;
	int run = vault_run_dir(v, false, &ignored);

	if (run < 0)
		return;		/* none was ever mounted from here */
	(void)presence_tell(run, &ask, &unused, &ignored);
	file_close(&run);
}
