/*
 * Policies and items for the units of policy/.
 */
#ifndef TESTS_UNIT_POLICY_POLICIES_H
#define TESTS_UNIT_POLICY_POLICIES_H

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdint.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "policy/policy.h"

#define NOW "2024-03-01T12:00:00Z"

static inline int64_t moment(const char *text)
{
	int64_t s;

	assert_int_equal(text_parse_time(text, false, &s), 0);
	return s;
}

/* The test ends where the text is no policy. */
static inline struct policy *load(const char *text)
{
	struct err e = ERR_NONE;
	struct policy *p = NULL;

	if (policy_load(text, strlen(text), "test.yaml", &p, &e) < 0)
		fail_msg("%s\n%s", e.text, text);
	return p;
}

/* ... and where it is one. */
static inline struct err refused(const char *text, size_t size)
{
	struct err e = ERR_NONE;
	struct policy *p = (struct policy *)1;

	if (policy_load(text, size, "test.yaml", &p, &e) == 0)
		fail_msg("loaded:\n%s", text);
	assert_null(p);
	assert_int_equal(e.code, MUNI_USAGE);
	return e;
}

#define HEAD "policy: test\nversion: 1\ncalendar: UTC\n"
#define CLASS(id) \
	"  - {id: " id ", title: {en: T}, retain: {trigger: modified, period: P1Y}, then: destroy, " \
	"approve: {quorum: 1, roles: [records]}}\n"

/* A policy with classes A, B and the rules given. */
static inline struct policy *load_rules(const char *rules)
{
	static char text[20000];

	snprintf(text, sizeof text, HEAD "classes:\n" CLASS("A") CLASS("B") "rules:\n%s", rules);
	return load(text);
}

/* A file that was looked into, and has nothing special. */
static inline struct facts item(const char *path)
{
	return (struct facts){
		.path = path, .kind = FACTS_FILE, .size = 1000, .mode = 0100640, .uid = 1000,
		.gid = 100, .modified = moment("2020-06-15T00:00:00Z"),
		.changed = moment("2021-06-15T00:00:00Z"),
		.accessed = moment("2022-06-15T00:00:00Z"), .copies = 1, .format = "text/plain",
		.encoding = "us-ascii", .script = "Latn",
	};
}

static inline struct judgement judge(const struct policy *p, const struct facts *f)
{
	struct judgement j = { .matched = NULL };

	policy_decide(p, f, moment(NOW), &j);
	return j;
}

#endif
