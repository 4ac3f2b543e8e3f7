/*
 * What makes a secret of recognisers_secrets.c real, one file a family.  Patterns are
 * the fixed words that such a secret begins with, or that stand before it; value()
 * tells where it stands.
 */
#ifndef POLICY_DETECT_CHECK_SECRET_H
#define POLICY_DETECT_CHECK_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/detect/recogniser.h"

struct span;

/* check_pem.c */
enum verdict pem_check(const struct candidate *c);

/* check_token.c */
enum verdict github_check(const struct candidate *c);
enum verdict gitlab_check(const struct candidate *c);
enum verdict slack_check(const struct candidate *c);
enum verdict stripe_check(const struct candidate *c);
void github_value(const struct candidate *c, const char **start, size_t *size);
void gitlab_value(const struct candidate *c, const char **start, size_t *size);
void slack_value(const struct candidate *c, const char **start, size_t *size);
void stripe_value(const struct candidate *c, const char **start, size_t *size);

/* check_jwt.c */
enum verdict jwt_check(const struct candidate *c);
void jwt_value(const struct candidate *c, const char **start, size_t *size);

/* check_cloud.c */
enum verdict aws_check(const struct candidate *c);
enum verdict gcp_check(const struct candidate *c);
enum verdict azure_check(const struct candidate *c);
void aws_value(const struct candidate *c, const char **start, size_t *size);
void gcp_value(const struct candidate *c, const char **start, size_t *size);
void azure_value(const struct candidate *c, const char **start, size_t *size);

/* check_password.c */
enum verdict password_check(const struct candidate *c);
void password_value(const struct candidate *c, const char **start, size_t *size);

/* check_entropy.c */
enum verdict entropy_check(const struct candidate *c);
void entropy_value(const struct candidate *c, const char **start, size_t *size);

#endif
