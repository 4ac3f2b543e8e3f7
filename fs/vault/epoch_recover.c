/*
 * What a crash left of a switch.  In a file of its own: munifs opens archives too, and is
 * to have nothing in it that begins a destruction.
 */
#include <inttypes.h>

#include "fs/base/err.h"
#include "fs/vault/epoch_inside.h"

int epoch_recover(struct vault *v, const struct epoch_options *o,
		  const struct vault_wait *wait, struct err *e)
{
	struct epoch_options how = o ? *o : (struct epoch_options){ .disposition = 0 };
	struct epoch_result result = { .new_epoch = v->epoch };
	int64_t disposition;
	uint64_t to;

	if (catalogue_switch_get(v->catalogue, &to, &disposition, e) < 0)
		return -1;
	if (to == 0 && !archive_is_switching(v))
		return 0;
	if (to == v->epoch || keyring_epoch(v->keyring) < v->epoch) {
		if (wait)
			how.wait = wait;
		if (epoch_end(v, &how, &result, e) < 0)
			return -1;
		vault_add_notice(v, "a switch to epoch %" PRIu64 " that was interrupted has been "
				 "brought to its end", v->epoch);
		return 0;
	}
	if (epoch_take_back(v, e) < 0)
		return -1;
	vault_add_notice(v, "a switch to epoch %" PRIu64 " that was interrupted before anything "
			 "was destroyed has been taken back: give the command again",
			 v->epoch + 1);
	return 0;
}
