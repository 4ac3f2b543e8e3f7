/*
 * All our own recognisers as one table.
 */
#include <string.h>

#include "policy/detect/detect.h"

const struct recogniser *recogniser_builtin(size_t index)
{
	static const struct recogniser_table *const tables[] = {
		&recognisers_money, &recognisers_china, &recognisers_europe,
		&recognisers_world, &recognisers_contact, &recognisers_secrets,
	};

	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
		if (index < tables[i]->count)
			return &tables[i]->rows[index];
		index -= tables[i]->count;
	}
	return NULL;
}

const struct recogniser *recogniser_find(const char *id)
{
	const struct recogniser *r;

	for (size_t i = 0; (r = recogniser_builtin(i)) != NULL; i++)
		if (strcmp(r->id, id) == 0)
			return r;
	return NULL;
}
