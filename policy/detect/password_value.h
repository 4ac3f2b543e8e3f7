/*
 * Is this the password itself, or what stands in its place?
 */
#ifndef POLICY_DETECT_PASSWORD_VALUE_H
#define POLICY_DETECT_PASSWORD_VALUE_H

#include <stdbool.h>

struct assignment;
struct candidate;
struct span;

/* Not a variable, a call, a type, a placeholder, masking, a path, a sentence. */
bool password_value_is_real(const struct candidate *c, const struct assignment *a);
/* ${VAR}, <password>, ****, changeme and what else documents put in its place. */
bool password_value_is_placeholder(struct span value);

#endif
