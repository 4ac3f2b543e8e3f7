#include "tools/ingest_policy.h"

#include "fs/base/err.h"
#include "fs/vault/classify.h"
#include "fs/vault/scan.h"

int ingest_decide_first(struct cli *cli, struct vault *v, const struct ingest_words *w,
			struct err *e)
{
	struct scan_options o = { .system = w->o.system, .excludes = w->o.excludes,
				  .exclude_count = w->o.exclude_count,
				  .one_file_system = w->o.one_file_system,
				  .reread = w->o.reread, .threads = w->o.threads };
	struct classify_result decided;
	struct scan_result seen;
	struct policy *policy;
	int rc;

	if (vault_policy_read(w->policy, &policy, NULL, NULL, e) < 0)
		return -1;
	/* Before the source is read, which takes long. */
	if (vault_policy_check(policy, w->policy, e) < 0) {
		policy_free(policy);
		return -1;
	}
	o.custom = policy_info(policy)->custom;
	o.custom_count = policy_info(policy)->custom_count;
	rc = vault_scan(v, cli->operands[1], &o, &cli->monitor, &seen, e);
	policy_free(policy);
	/* What could not be read is told again, and left out, by the ingest. */
	if (rc < 0 && e->code != MUNI_INCOMPLETE)
		return -1;
	*e = ERR_NONE;
	return vault_classify(v, w->o.system, w->policy, &cli->monitor, &decided, e);
}
