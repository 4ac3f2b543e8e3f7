/*
 * What destroying records costs, part by part: for docs/performance.md.
 *
 *   destroy ARCHIVE KEYRING KEYFILE COUNT SEED
 *
 * Chooses COUNT records of the archive by the seed, makes the next epoch's catalogue
 * without them beside the present one, and takes it back: the archive is left as it was,
 * but for new segments that no row names.  One line of JSON.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/crypt/seal.h"
#include "fs/store/catalogue_copy.h"
#include "fs/store/pagevfs.h"
#include "fs/vault/doom.h"
#include "fs/vault/inside.h"

struct choice {
	struct record_key *keys;
	size_t count, capacity;
	uint64_t random, seen, wanted;
};

static int fail(const struct err *e)
{
	fprintf(stderr, "destroy: %s\n", e->text);
	return 1;
}

static uint64_t next_random(struct choice *c)
{
	/* splitmix64 (Steele, Lea, Flood 2014) */
	uint64_t z = c->random += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* Each record with the same chance (Vitter 1985, algorithm R). */
static int consider(void *arg, const struct entry_row *r)
{
	struct choice *c = arg;
	uint64_t at;

	if (r->kind == NODE_DIRECTORY)
		return 0;
	at = c->seen < c->wanted ? c->seen : next_random(c) % (c->seen + 1);
	c->seen++;
	if (at >= c->wanted)
		return 0;
	if (at >= c->count)
		c->count = (size_t)at + 1;
	c->keys[at] = (struct record_key){ .directory = r->directory, .first = r->first,
					   .name_size = (uint16_t)r->name_size };
	memcpy(c->keys[at].name, r->name, r->name_size);
	return 0;
}

static int propose(struct vault *v, const struct choice *c, int64_t *id, struct err *e)
{
	struct disposition_row d = { .kind = DISPOSITION_RECORDS,
				     .state = DISPOSITION_SWITCHING, .proposer = (char *)"x",
				     .scope = (char *)"{}", .statement = (char *)"{}" };

	if (catalogue_disposition_add(v->catalogue, &d, e) < 0)
		return -1;
	for (size_t i = 0; i < c->count; i++) {
		struct disposition_item item = { .key = c->keys[i], .class_code = "",
						 .names = ITEM_NAMES_COMMIT, .text = "{}" };

		item.leaf = digest_of(&i, sizeof i);
		if (catalogue_disposition_item_put(v->catalogue, d.id, &item, e) < 0)
			return -1;
	}
	*id = d.id;
	return 0;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int measure(struct vault *v, int64_t disposition, const struct choice *c,
		   struct err *e)
{
	struct catalogue *next = NULL;
	struct doom *d = NULL;
	struct doom_result r;
	struct rusage usage;
	uint8_t key[32];
	unsigned key_id;
	double times[5];
	int rc = -1;

	if (random_bytes(key, sizeof key, e) < 0 ||
	    pagevfs_key_add(key, v->id, v->epoch + 1, &key_id, e) < 0 ||
	    catalogue_create(v->dirfd, v->epoch + 1, key_id, &next, e) < 0)
		return -1;
	times[0] = seconds();
	if (doom_mark(v, disposition, &d, e) < 0)
		goto out;
	times[1] = seconds();
	if (doom_repack(d, v, NULL, e) < 0)
		goto out;
	times[2] = seconds();
	if (doom_copy(d, v, next, NULL, e) < 0)
		goto out;
	times[3] = seconds();
	if (catalogue_checkpoint(next, e) < 0)
		goto out;
	times[4] = seconds();
	doom_result(d, &r);
	getrusage(RUSAGE_SELF, &usage);
	printf("{\"records\":%" PRIu64 ",\"destroyed\":%zu,\"mark\":%.2f,\"repack\":%.2f,"
	       "\"copy\":%.2f,\"checkpoint\":%.2f,\"blocks_gone\":%" PRIu64
	       ",\"bytes_repacked\":%" PRIu64 ",\"rss_kib\":%ld}\n", c->seen, c->count,
	       times[1] - times[0], times[2] - times[1], times[3] - times[2],
	       times[4] - times[3], r.blocks_gone, r.bytes_repacked, usage.ru_maxrss);
	rc = 0;
out:
	doom_free(d);
	catalogue_close(next);
	return rc;
}

static void take_back(struct vault *v)
{
	static const char *const suffixes[] = { "", "-wal", "-shm" };
	char name[64];

	for (size_t i = 0; i < 3; i++) {
		snprintf(name, sizeof name, "catalogue.%" PRIu64 "%s", v->epoch + 1, suffixes[i]);
		unlinkat(v->dirfd, name, 0);
	}
}

int main(int argc, char **argv)
{
	struct vault_options o = { .now = NULL };
	struct choice c = { .keys = NULL };
	struct err e = ERR_NONE;
	struct vault *v;
	int64_t disposition;
	int rc = 1;

	if (argc != 6) {
		fprintf(stderr, "usage: destroy ARCHIVE KEYRING KEYFILE COUNT SEED\n");
		return 2;
	}
	o.keys.keyring = argv[2];
	o.keys.key_file = argv[3];
	c.wanted = strtoull(argv[4], NULL, 10);
	c.random = strtoull(argv[5], NULL, 10);
	c.keys = calloc(c.wanted + 1, sizeof *c.keys);
	if (!c.keys || vault_open(argv[1], &o, VAULT_WRITE, &v, &e) < 0) {
		free(c.keys);
		return fail(&e);
	}
	/* Committed, for the copy reads what is, and undone at the end. */
	if (catalogue_each_entry(v->catalogue, consider, &c, &e) < 0 ||
	    catalogue_begin(v->catalogue, &e) < 0 || propose(v, &c, &disposition, &e) < 0 ||
	    vault_commit_act(v, LOG_PROPOSED, "{}", &e) < 0 ||
	    measure(v, disposition, &c, &e) < 0)
		fail(&e);
	else
		rc = 0;
	take_back(v);
	vault_close(v);
	free(c.keys);
	return rc;
}
