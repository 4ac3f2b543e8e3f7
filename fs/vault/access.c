#include "fs/vault/access.h"

#include "fs/base/err.h"
#include "fs/vault/inside.h"

int vault_log_opens(const char *path, const struct vault_options *o, const char *details,
		    struct err *e)
{
	struct vault *v;
	int rc = -1;

	if (vault_open(path, o, VAULT_WRITE, &v, e) < 0)
		return -1;
	if (catalogue_begin(v->catalogue, e) == 0)
		rc = vault_commit_act(v, LOG_OPEN, details, e);
	vault_close(v);
	return rc < 0 ? err_wrap(e, "logging what was opened on an audited mount") : 0;
}
