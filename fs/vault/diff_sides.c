#include "fs/vault/diff_inside.h"

#include <string.h>

static int take_entry(void *arg, const struct entry *entry, const struct node *unused)
{
	struct diff_side *s = arg;

	(void)unused;
	if (s->count == DIFF_RUN) {
		s->is_last = false;
		return 1;
	}
	s->entries[s->count++] = *entry;
	return 0;
}

int diff_side_entry(struct diff_side *s, const struct entry **out, struct err *e)
{
	char after[CATALOGUE_NAME_MAX + 1];
	size_t after_size = 0;

	*out = NULL;
	if (s->directory == 0)
		return 0;
	if (s->next == s->count && !s->is_last) {
		if (s->count > 0) {
			after_size = s->entries[s->count - 1].name_size;
			memcpy(after, s->entries[s->count - 1].name, after_size);
		}
		s->count = s->next = 0;
		s->is_last = true;
		if (catalogue_list(s->c, s->version, s->directory,
				   after_size > 0 ? after : NULL, after_size, false, take_entry,
				   s, e) < 0)
			return -1;
	}
	if (s->next < s->count)
		*out = &s->entries[s->next];
	return 0;
}

int diff_compare_names(const struct entry *a, const struct entry *b)
{
	size_t common = a->name_size < b->name_size ? a->name_size : b->name_size;
	int order = memcmp(a->name, b->name, common);

	if (order != 0)
		return order;
	return a->name_size < b->name_size ? -1 : a->name_size > b->name_size;
}
