#include <stdlib.h>
#include <string.h>

#include "fs/vault/walk.h"

#define PAGE 256

struct prior_list {
	struct catalogue *catalogue;
	int64_t version, directory;
	struct entry entries[PAGE];
	struct node nodes[PAGE];
	char after[CATALOGUE_NAME_MAX + 1];
	size_t after_size;
	size_t count, at;
	bool is_end;		/* nothing follows this page */
};

struct prior_list *prior_list_new(void)
{
	return calloc(1, sizeof(struct prior_list));
}

void prior_list_free(struct prior_list *p)
{
	free(p);
}

void prior_list_start(struct prior_list *p, struct catalogue *c, int64_t version,
		      int64_t directory, const char *after)
{
	p->catalogue = c;
	p->version = version;
	p->directory = directory;
	p->count = p->at = 0;
	p->is_end = directory == 0;
	p->after_size = strlen(after);
	memcpy(p->after, after, p->after_size);
}

static int keep_row(void *arg, const struct entry *entry, const struct node *node)
{
	struct prior_list *p = arg;

	p->entries[p->count] = *entry;
	p->nodes[p->count] = *node;
	return ++p->count == PAGE;
}

static int load(struct prior_list *p, struct err *e)
{
	if (p->count > 0) {
		p->after_size = p->entries[p->count - 1].name_size;
		memcpy(p->after, p->entries[p->count - 1].name, p->after_size);
	}
	p->count = p->at = 0;
	if (catalogue_list(p->catalogue, p->version, p->directory,
			   p->after_size ? p->after : NULL, p->after_size, true, keep_row, p,
			   e) < 0)
		return err_wrap(e, "reading the version before");
	p->is_end = p->count < PAGE;
	return 0;
}

int prior_list_peek(struct prior_list *p, const struct entry **entry,
		    const struct node **node, struct err *e)
{
	*entry = NULL;
	*node = NULL;
	if (p->at == p->count && !p->is_end && load(p, e) < 0)
		return -1;
	if (p->at < p->count) {
		*entry = &p->entries[p->at];
		*node = &p->nodes[p->at];
	}
	return 0;
}

void prior_list_next(struct prior_list *p)
{
	p->at++;
}
