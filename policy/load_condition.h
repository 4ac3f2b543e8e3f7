/*
 * What the files that load conditions share: one function a kind, called by the
 * table in load_condition.c; out is a struct filling.
 */
#ifndef POLICY_LOAD_CONDITION_H
#define POLICY_LOAD_CONDITION_H

#include "policy/load.h"

/* What a map of conditions fills: one condition a key (a time stamp's map gives two);
 * min and confidence belong to detect, wherever they stand in the map. */
struct filling {
	struct condition *conditions;
	size_t count;
	const struct tree *min, *min_confidence;
	uint64_t least, percent;
};
struct condition *filling_next(struct filling *f, enum condition_kind kind,
			       const struct tree *t);

/* policy/load_match.c */
int load_path_condition(struct load *l, const struct where *w, const struct tree *t,
		void *out);
int load_name_condition(struct load *l, const struct where *w, const struct tree *t,
		void *out);
int load_format_condition(struct load *l, const struct where *w, const struct tree *t,
		void *out);
int load_claimed_condition(struct load *l, const struct where *w, const struct tree *t,
		void *out);
int load_encoding_condition(struct load *l, const struct where *w, const struct tree *t,
		void *out);
int load_script_condition(struct load *l, const struct where *w, const struct tree *t,
		void *out);
int load_duplicate_of_condition(struct load *l, const struct where *w, const struct tree *t,
		void *out);
int load_name_regex_condition(struct load *l, const struct where *w, const struct tree *t,
		void *out);
int load_extension_condition(struct load *l, const struct where *w, const struct tree *t,
		void *out);
int load_owner_condition(struct load *l, const struct where *w, const struct tree *t,
		void *out);
int load_group_condition(struct load *l, const struct where *w, const struct tree *t,
		void *out);

/* policy/load_measure.c */
int load_size_condition(struct load *l, const struct where *w, const struct tree *t,
		void *out);
int load_depth_condition(struct load *l, const struct where *w, const struct tree *t,
		void *out);
int load_older_condition(struct load *l, const struct where *w, const struct tree *t,
		void *out);
int load_newer_condition(struct load *l, const struct where *w, const struct tree *t,
		void *out);
int load_modified_condition(struct load *l, const struct where *w, const struct tree *t,
		void *out);
int load_created_condition(struct load *l, const struct where *w, const struct tree *t,
		void *out);
int load_changed_condition(struct load *l, const struct where *w, const struct tree *t,
		void *out);
int load_accessed_condition(struct load *l, const struct where *w, const struct tree *t,
		void *out);
int load_mode_condition(struct load *l, const struct where *w, const struct tree *t,
		void *out);

#endif
