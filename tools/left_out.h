/*
 * What is left out: patterns that the user gives, and how muni shows what a decision kept
 * out of an ingest or a migration.
 */
#ifndef TOOLS_LEFT_OUT_H
#define TOOLS_LEFT_OUT_H

#include <jansson.h>
#include <stdio.h>

#include "fs/vault/ingest.h"
#include "policy/policy.h"

/* Of an option --exclude: *list is grown by glob, which stays the caller's. */
int take_exclude(const char ***list, size_t *count, const char *glob, struct err *e);

/* A table with the decisions but `taken`, and what to do about the undecided. */
void left_out_print(FILE *to, const struct left_out *out, enum decision taken);
json_t *left_out_json(const struct left_out *out, enum decision taken);

#endif
