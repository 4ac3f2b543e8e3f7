/*
 * From the tree of a policy's text to the policy: tables of fields, one function a
 * kind of value.  Every refusal is "FILE:LINE: FIELD: what is wrong; expected ...".
 */
#ifndef POLICY_LOAD_H
#define POLICY_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/condition.h"
#include "policy/load_yaml.h"
#include "policy/policy.h"

struct err;
struct memory;

struct load {
	struct memory *memory;
	const char *name;	/* of the file */
	struct policy_info *info;	/* as far as it is loaded */
	struct err *e;
};

/* The way from the top to a field, for messages: "rules[3].when.size". */
struct where {
	const struct where *up;	/* NULL: the top */
	const char *field;	/* NULL: an item of a list */
	size_t index;		/* of the item, from 1 */
};

/* Both return -1.  The first ends in "; expected ", and what it is that is. */
int load_refuse(struct load *l, const struct where *w, const struct tree *t,
		const char *expected, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
int load_no_memory(struct load *l);

/* ---- maps and lists ---------------------------------------------------------------- */

struct field {
	const char *name;
	bool is_required;
	int (*take)(struct load *l, const struct where *w, const struct tree *t, void *out);
};

/*
 * Takes every field of a map, in the order of the file, each into the same out.
 * Unknown ones, ones given twice, ones that are missing are refused; what: "a class",
 * for messages.
 */
int load_map(struct load *l, const struct where *w, const struct tree *t,
	     const struct field *fields, size_t count, const char *what, void *out);
/* A list of at least one item and at most `max`. */
int load_check_list(struct load *l, const struct where *w, const struct tree *t, size_t max,
		    const char *expected);

/* ---- values ---------------------------------------------------------------------------- */

#define LOAD_TEXT_MAX 2000

/* A text of 1 to max bytes, without control characters but newlines. */
int load_text(struct load *l, const struct where *w, const struct tree *t, size_t max,
	      const char *expected, char **out);
/* 1 to POLICY_ID_MAX bytes: letters (of any script), digits, "-", "_", "."; the first
 * is a letter or digit. */
int load_id(struct load *l, const struct where *w, const struct tree *t, char **out);
/* One text or a list of them, ended by NULL. */
int load_texts(struct load *l, const struct where *w, const struct tree *t,
	       const char *expected, char ***out, size_t *count);
int load_bool(struct load *l, const struct where *w, const struct tree *t, bool *out);
int load_number(struct load *l, const struct where *w, const struct tree *t, uint64_t min,
		uint64_t max, uint64_t *out);
/* The index of one of the words. */
int load_word(struct load *l, const struct where *w, const struct tree *t,
	      const char *const *words, size_t count, unsigned *out);
int load_period(struct load *l, const struct where *w, const struct tree *t,
		struct period *out);

/* ---- parts of a policy -------------------------------------------------------------------- */

int load_class(struct load *l, const struct where *w, const struct tree *t,
	       struct policy_class *out);
int load_rule(struct load *l, const struct where *w, const struct tree *t,
	      struct policy_rule *out);
int load_recogniser(struct load *l, const struct where *w, const struct tree *t,
		    struct custom_recogniser *out);
/* A map of conditions, all of which are meant. */
int load_condition(struct load *l, const struct where *w, const struct tree *t,
		   struct condition *out);

#endif
