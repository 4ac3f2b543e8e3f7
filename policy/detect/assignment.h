/*
 * "name = value" in the many ways that configuration, programs, documents and command
 * lines write it, found from a word of the name.
 */
#ifndef POLICY_DETECT_ASSIGNMENT_H
#define POLICY_DETECT_ASSIGNMENT_H

#include <stdbool.h>

#include "policy/detect/around.h"

struct candidate;

struct assignment {
	struct span name;	/* the whole identifier: "spring.datasource.password" */
	struct span value;	/* not empty */
	bool is_quoted;		/* has ends of its own: quotes, tags, a cell */
	bool is_cell;		/* the name is the label over it */
	bool is_prose;		/* "the password is ..." */
	bool is_call;		/* setPassword("..."), or no operator but a blank */
	bool is_tight;		/* "=" with no blank behind */
	char quote;		/* that it stands in, or '\0' */
};

bool assignment_find(const struct candidate *c, struct assignment *out);

/* What an identifier says of its value. */
enum named {
	NAMED_NOTHING,
	NAMED_PASSWORD,
	NAMED_SECRET,		/* "secret": a password, or a key if it was drawn */
	NAMED_KEY,		/* key, token, credential */
	NAMED_AWS,		/* the secret key of an AWS access key */
	NAMED_AZURE,
	NAMED_GCP,
};
enum named named_kind(struct span name);

#endif
