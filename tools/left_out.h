/*
 * How muni shows what a decision kept out of an ingest or a migration.
 */
#ifndef TOOLS_LEFT_OUT_H
#define TOOLS_LEFT_OUT_H

#include <jansson.h>
#include <stdio.h>

#include "fs/vault/ingest.h"
#include "policy/policy.h"

/* A table with the decisions but `taken`, and what to do about the undecided. */
void left_out_print(FILE *to, const struct left_out *out, enum decision taken);
json_t *left_out_json(const struct left_out *out, enum decision taken);

#endif
