/*
 * Officers for tests: certificates and keys made by the stock tool in a folder of the
 * test's own.
 */
#ifndef TESTS_UNIT_CRYPT_PEOPLE_H
#define TESTS_UNIT_CRYPT_PEOPLE_H

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "fs/base/file.h"
#include "fs/crypt/officer.h"
#include "tests/unit/crypt/unit.h"

struct people {
	char dir[64];
	char path[128];
};

struct blob {
	uint8_t *data;
	size_t size;
};

/* Runs a line of shell in the folder; its exit status. */
static inline int people_sh(struct people *p, const char *line)
{
	char *command = NULL;
	int status;

	assert_true(asprintf(&command, "cd '%s' && { %s; } >>log 2>&1", p->dir, line) > 0);
	status = system(command);
	free(command);
	return status;
}

static inline void people_do(struct people *p, const char *line)
{
	if (people_sh(p, line) != 0)
		fail_msg("%s failed: see %s/log", line, p->dir);
}

static inline const char *people_path(struct people *p, const char *name)
{
	snprintf(p->path, sizeof p->path, "%s/%s", p->dir, name);
	return p->path;
}

static inline struct blob people_load(struct people *p, const char *name)
{
	struct blob b = { 0 };
	struct err e = ERR_NONE;
	int dir = open(p->dir, O_RDONLY | O_DIRECTORY);

	assert_int_equal(file_load(dir, name, 1 << 20, &b.data, &b.size, &e), 0);
	close(dir);
	return b;
}

static inline void people_save(struct people *p, const char *name, const void *data,
			       size_t size)
{
	FILE *f = fopen(people_path(p, name), "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, size, f), size);
	fclose(f);
}

/* An authority, and under it NAME.pem with NAME.key. */
static inline void people_authority(struct people *p)
{
	people_do(p, "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
		     "-keyout ca.key -out ca.pem -days 36500 -subj '/O=Board/CN=Authority' "
		     "-addext keyUsage=critical,keyCertSign");
}

static inline void people_officer(struct people *p, const char *name, const char *key_options,
				  const char *days)
{
	char *line = NULL;

	assert_true(asprintf(&line,
			     "openssl req -new -newkey %s -nodes -keyout %s.key -out %s.csr "
			     "-subj '/O=Board/CN=%s' && "
			     "printf 'keyUsage=critical,digitalSignature\\n' > ext && "
			     "openssl x509 -req -in %s.csr -CA ca.pem -CAkey ca.key "
			     "-CAcreateserial -days %s -extfile ext -out %s.pem",
			     key_options, name, name, name, name, days, name) > 0);
	people_do(p, line);
	free(line);
}

#define EC_KEY "ec -pkeyopt ec_paramgen_curve:P-256"

static inline void people_begin(struct people *p)
{
	strcpy(p->dir, "/tmp/muniment-people.XXXXXX");
	assert_non_null(mkdtemp(p->dir));
}

static inline void people_end(struct people *p)
{
	char line[128];

	snprintf(line, sizeof line, "rm -rf '%s'", p->dir);
	assert_int_equal(system(line), 0);
}

static inline int people_key(struct people *p, const char *name, struct officer_key **out,
			     struct err *e)
{
	char file[64];
	struct blob cert;
	int rc;

	snprintf(file, sizeof file, "%s.pem", name);
	cert = people_load(p, file);
	snprintf(file, sizeof file, "%s.key", name);
	rc = officer_key_open(people_path(p, file), cert.data, cert.size, NULL, NULL, out, e);
	free(cert.data);
	return rc;
}

#endif
