/*
 * The text of a policy as a tree: every node knows its line.  Hostile until
 * checked: what YAML knows beyond maps, lists and scalars is refused.
 */
#ifndef POLICY_LOAD_YAML_H
#define POLICY_LOAD_YAML_H

#include <stdbool.h>
#include <stddef.h>

struct err;
struct memory;

enum tree_kind { TREE_SCALAR, TREE_LIST, TREE_MAP };

struct tree {
	enum tree_kind kind;
	unsigned line;		/* 1: the first */
	bool is_quoted;		/* a scalar in quotes or a block: text, whatever it says */
	char *text;		/* of a scalar: UTF-8, no NUL inside */
	/* Of lists the items; of maps key, value, key, value ...; keys are scalars. */
	struct tree *first, *next;
	size_t count;		/* items, or pairs */
};

#define TREE_DEPTH_MAX 24
#define TREE_NODES_MAX 200000

/* The tree lives in m.  MUNI_USAGE: "NAME:LINE: YAML: ...". */
int tree_read(struct memory *m, const void *text, size_t size, const char *name,
	      struct tree **out, struct err *e);
const char *tree_kind_name(const struct tree *t);	/* "a list" */

#endif
