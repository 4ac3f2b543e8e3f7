/*
 * A policy's own recognisers: can their patterns be searched for?
 */
#include "fs/base/err.h"
#include "policy/lint_inside.h"

static bool can_be_compiled(const struct custom_recogniser *custom, size_t count, struct err *e)
{
	struct recognisers *r = NULL;

	if (recognisers_new(custom, count, &r, e) < 0)
		return false;
	recognisers_free(r);
	return true;
}

/* All at once; only where that fails, which takes a moment longer, one by one. */
void lint_recognisers(struct lints *l)
{
	const struct policy_info *info = &l->policy->info;
	struct err e = ERR_NONE;

	if (info->custom_count == 0 || can_be_compiled(info->custom, info->custom_count, &e))
		return;
	for (size_t i = 0; i < info->custom_count; i++)
		if (!can_be_compiled(&info->custom[i], 1, &e)) {
			lints_add(l, LINT_ERROR, l->policy->custom_lines[i], "recognisers", i,
				  info->custom[i].id, "%s; correct the pattern, which is one of "
				  "Vectorscan (a subset of PCRE)", e.text);
			return;
		}
	lints_add(l, LINT_ERROR, l->policy->custom_lines[0], "recognisers", 0, info->custom[0].id,
		  "%s", e.text);
}
