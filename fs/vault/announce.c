/* The run folder, and the word to open mounts that something changed. */
#include "fs/vault/archive_inside.h"

#include <stdio.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/vault/presence.h"

/* A mount that is slow to answer has been told all the same. */
#define ANSWER_WAIT_MS 1000

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
