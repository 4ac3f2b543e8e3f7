/*
 * From a row of the inventory to what rules see; what holds for an item.
 */
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/vault/classify.h"

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "no memory for an item's facts");
}

static enum facts_kind kind_of(enum node_kind kind)
{
	switch (kind) {
	case NODE_FILE:
		return FACTS_FILE;
	case NODE_DIRECTORY:
		return FACTS_DIRECTORY;
	case NODE_SYMLINK:
		return FACTS_SYMLINK;
	default:
		return FACTS_OTHER;
	}
}

static int fill_findings(struct item_facts *f, const struct item_row *item, struct err *e)
{
	if (item->finding_count > f->capacity) {
		struct facts_finding *more = realloc(f->findings,
						     item->finding_count * sizeof *more);

		if (!more)
			return no_memory(e);
		f->findings = more;
		f->capacity = item->finding_count;
	}
	for (size_t i = 0; i < item->finding_count; i++) {
		const struct stored_finding *s = &item->findings[i];

		f->findings[i] = (struct facts_finding){
			.id = s->id, .count = s->count, .confidence = s->confidence,
			.sensitivity = s->sensitivity > SENSITIVITY_RESTRICTED ?
				SENSITIVITY_RESTRICTED : (enum sensitivity)s->sensitivity,
		};
	}
	return 0;
}

int item_facts_fill(struct item_facts *out, const struct item_row *item,
		    const char *duplicate_path, size_t duplicate_size, struct err *e)
{
	free(out->duplicate);
	out->duplicate = NULL;
	if (duplicate_path && !(out->duplicate = strndup(duplicate_path, duplicate_size)))
		return no_memory(e);
	if (fill_findings(out, item, e) < 0)
		return -1;
	out->facts = (struct facts){
		.path = item->path, .kind = kind_of(item->kind), .size = item->size,
		.modified = item->mtime.seconds, .changed = item->ctime.seconds,
		.accessed = item->atime.seconds, .has_created = item->has_btime,
		.created = item->btime.seconds, .uid = item->uid, .gid = item->gid,
		.mode = item->mode, .owner = item->owner, .group = item->group,
		.format = item->format, .claimed = item->claimed,
		.encoding = item->encoding, .script = item->script,
		.duplicate_of = out->duplicate, .copies = item->copies,
		.opaque = item->opaque, .findings = out->findings,
		.finding_count = item->finding_count,
	};
	return 0;
}

void item_facts_free(struct item_facts *f)
{
	free(f->findings);
	free(f->duplicate);
	*f = (struct item_facts){ .findings = NULL };
}

bool is_decided(const struct decided_row *r)
{
	return r->has_decision || r->has_override;
}

enum decision decided_decision(const struct decided_row *r)
{
	if (r->has_override)
		return (enum decision)r->override.decision;
	return r->has_decision ? (enum decision)r->policy.decision : DECISION_REVIEW;
}

const char *decided_class(const struct decided_row *r)
{
	if (r->has_override && r->override.class_code)
		return r->override.class_code;
	return r->has_decision ? r->policy.class_code : NULL;
}

bool is_differing(const struct decided_row *r)
{
	const char *class = r->override.class_code;

	if (!r->has_override || !r->has_decision)
		return false;
	return r->override.decision != r->policy.decision ||
	       (class && (!r->policy.class_code || strcmp(class, r->policy.class_code) != 0));
}
