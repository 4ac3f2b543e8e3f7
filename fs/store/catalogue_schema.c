/*
 * The tables, as numbered steps forward.  A step, once released, is never
 * edited: a change is a new step.  docs/format.md, "Tables", says what each
 * column holds.
 */
#include "fs/store/catalogue_inside.h"

#include <inttypes.h>
#include <stdio.h>

static const char step_1[] =
	"CREATE TABLE meta(key TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;"
	"CREATE TABLE sequence(name TEXT PRIMARY KEY, next INTEGER NOT NULL)"
	"  STRICT, WITHOUT ROWID;"
	"CREATE TABLE system(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
	"  root INTEGER NOT NULL UNIQUE) STRICT;"
	"CREATE TABLE version(id INTEGER PRIMARY KEY, system INTEGER NOT NULL,"
	"  label TEXT NOT NULL, previous INTEGER NOT NULL, at INTEGER NOT NULL,"
	"  ingested INTEGER NOT NULL, state INTEGER NOT NULL, source_kind TEXT NOT NULL,"
	"  merkle BLOB, directories INTEGER, files INTEGER, others INTEGER, bytes INTEGER,"
	"  added_raw INTEGER, added_stored INTEGER, problems INTEGER, marks BLOB,"
	"  statement TEXT, signature BLOB, UNIQUE(system, label)) STRICT;"
	"CREATE TABLE problem(version INTEGER NOT NULL, path BLOB NOT NULL,"
	"  what TEXT NOT NULL, PRIMARY KEY(version, path, what)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE directory(id INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER,"
	"  parent INTEGER NOT NULL, node INTEGER NOT NULL, root BLOB NOT NULL,"
	"  PRIMARY KEY(id, first)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE entry(dir INTEGER NOT NULL, name BLOB NOT NULL,"
	"  first INTEGER NOT NULL, last INTEGER, kind INTEGER NOT NULL,"
	"  target INTEGER NOT NULL, salt BLOB NOT NULL, PRIMARY KEY(dir, name, first))"
	"  STRICT, WITHOUT ROWID;"
	"CREATE INDEX entry_directory ON entry(target) WHERE kind = 2;"
	"CREATE TABLE node(id INTEGER PRIMARY KEY, content INTEGER NOT NULL,"
	"  class INTEGER NOT NULL, attrs BLOB NOT NULL) STRICT;"
	"CREATE TABLE content(id INTEGER PRIMARY KEY, extents BLOB NOT NULL,"
	"  sha BLOB NOT NULL) STRICT;"
	"CREATE TABLE content_page(content INTEGER NOT NULL, page INTEGER NOT NULL,"
	"  extents BLOB NOT NULL, PRIMARY KEY(content, page)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE xattr(id INTEGER PRIMARY KEY, value BLOB NOT NULL) STRICT;"
	"CREATE TABLE account(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;"
	"CREATE TABLE class(id INTEGER PRIMARY KEY, code TEXT NOT NULL UNIQUE,"
	"  access TEXT NOT NULL, restricted INTEGER NOT NULL) STRICT;"
	"CREATE TABLE segment(id INTEGER PRIMARY KEY, uid BLOB NOT NULL) STRICT;"
	"CREATE TABLE block(id INTEGER PRIMARY KEY, uid BLOB NOT NULL, key BLOB NOT NULL,"
	"  segment INTEGER NOT NULL, offset INTEGER NOT NULL, stored INTEGER NOT NULL,"
	"  raw INTEGER NOT NULL, codec INTEGER NOT NULL, class INTEGER NOT NULL,"
	"  year INTEGER NOT NULL, base1 INTEGER, base2 INTEGER) STRICT;"
	"CREATE INDEX block_place ON block(segment, offset);"
	"CREATE INDEX block_base1 ON block(base1) WHERE base1 IS NOT NULL;"
	"CREATE INDEX block_base2 ON block(base2) WHERE base2 IS NOT NULL;"
	"CREATE TABLE chunk(name BLOB PRIMARY KEY, block INTEGER NOT NULL,"
	"  at INTEGER NOT NULL, size INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE log_detail(seq INTEGER PRIMARY KEY, salt BLOB, details TEXT) STRICT;"
	"INSERT INTO class(id, code, access, restricted) VALUES(1, '', '', 0);"
	"INSERT INTO sequence(name, next) VALUES('directory', 1), ('node', 1),"
	"  ('content', 1), ('block', 1), ('segment', 1), ('xattrs', 1), ('version', 1),"
	"  ('system', 1), ('account', 1), ('class', 2);";

/* The inventory.  A scan reads it in order of paths and writes it in nearly that
 * order, so the path is the key, once; nothing is looked up by an item's id. */
static const char step_2[] =
	"CREATE TABLE scan(id INTEGER PRIMARY KEY, system INTEGER NOT NULL,"
	"  state INTEGER NOT NULL, source BLOB NOT NULL, source_kind TEXT NOT NULL,"
	"  stamp BLOB NOT NULL, fingerprint BLOB NOT NULL, began INTEGER NOT NULL,"
	"  ended INTEGER NOT NULL, items INTEGER NOT NULL, files INTEGER NOT NULL,"
	"  bytes INTEGER NOT NULL, looked_into INTEGER NOT NULL,"
	"  unchanged INTEGER NOT NULL, problems INTEGER NOT NULL, digest BLOB NOT NULL)"
	"  STRICT;"
	"CREATE INDEX scan_system ON scan(system);"
	"CREATE TABLE scan_problem(scan INTEGER NOT NULL, path BLOB NOT NULL,"
	"  what TEXT NOT NULL, PRIMARY KEY(scan, path, what)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE word(id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;"
	"CREATE TABLE item(system INTEGER NOT NULL, path BLOB NOT NULL,"
	"  id INTEGER NOT NULL, scan INTEGER NOT NULL, attrs BLOB NOT NULL, sha BLOB,"
	"  format INTEGER, claimed INTEGER, encoding INTEGER, script INTEGER,"
	"  opaque TEXT, findings INTEGER NOT NULL, first INTEGER, original BLOB,"
	"  copies INTEGER NOT NULL, PRIMARY KEY(system, path)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE finding(item INTEGER NOT NULL, at INTEGER NOT NULL,"
	"  recogniser INTEGER NOT NULL, count INTEGER NOT NULL,"
	"  confidence INTEGER NOT NULL, sensitivity INTEGER NOT NULL,"
	"  places TEXT NOT NULL, samples TEXT NOT NULL, PRIMARY KEY(item, at))"
	"  STRICT, WITHOUT ROWID;"
	"INSERT INTO sequence(name, next) VALUES('scan', 1), ('item', 1), ('word', 1);";

/* Decisions go by the item's id, and go with it; overrides by its path, and stay. */
static const char step_3[] =
	"CREATE TABLE policy(id INTEGER PRIMARY KEY, name TEXT NOT NULL,"
	"  version INTEGER NOT NULL, digest BLOB NOT NULL UNIQUE, stored INTEGER NOT NULL,"
	"  text BLOB NOT NULL) STRICT;"
	"CREATE TABLE classification(system INTEGER PRIMARY KEY, policy INTEGER NOT NULL,"
	"  decided INTEGER NOT NULL, scan INTEGER NOT NULL) STRICT;"
	"CREATE TABLE decision(item INTEGER PRIMARY KEY, decision INTEGER NOT NULL,"
	"  class INTEGER, sensitivity INTEGER NOT NULL, importance INTEGER NOT NULL,"
	"  confidence INTEGER NOT NULL, rule INTEGER, matched TEXT, evidence TEXT NOT NULL)"
	"  STRICT;"
	"CREATE TABLE override(system INTEGER NOT NULL, path BLOB NOT NULL,"
	"  decision INTEGER NOT NULL, class TEXT, officer TEXT NOT NULL,"
	"  reason TEXT NOT NULL, made INTEGER NOT NULL, PRIMARY KEY(system, path))"
	"  STRICT, WITHOUT ROWID;"
	"CREATE TABLE class_definition(class INTEGER NOT NULL, policy INTEGER NOT NULL,"
	"  definition TEXT NOT NULL, PRIMARY KEY(class, policy)) STRICT, WITHOUT ROWID;"
	"INSERT INTO sequence(name, next) VALUES('policy', 1);";

/* Retention, dispositions, certificates.  An officer, event, hold, extension or
 * restriction is also in the log; what is here is found faster, not believed more. */
static const char step_4[] =
	"ALTER TABLE class ADD COLUMN base INTEGER NOT NULL DEFAULT 0;"
	"CREATE TABLE node_class(node INTEGER NOT NULL, class INTEGER NOT NULL,"
	"  PRIMARY KEY(node, class)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE stub(dir INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER,"
	"  leaf BLOB NOT NULL, PRIMARY KEY(dir, first, leaf)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE officer(number INTEGER PRIMARY KEY, id TEXT NOT NULL,"
	"  added INTEGER NOT NULL, fingerprint BLOB NOT NULL, roles TEXT NOT NULL,"
	"  person TEXT NOT NULL, cert BLOB NOT NULL, removed INTEGER) STRICT;"
	"CREATE TABLE event(system INTEGER NOT NULL, name TEXT NOT NULL, at INTEGER NOT NULL,"
	"  day INTEGER NOT NULL, recorded INTEGER NOT NULL, reason TEXT NOT NULL,"
	"  PRIMARY KEY(system, name, at, day)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE hold(id INTEGER PRIMARY KEY, case_ref TEXT NOT NULL, mandate TEXT,"
	"  reason TEXT NOT NULL, system INTEGER NOT NULL, path BLOB, class TEXT, query TEXT,"
	"  upto INTEGER, placed INTEGER NOT NULL, released INTEGER, released_because TEXT)"
	"  STRICT;"
	"CREATE TABLE extension(id INTEGER PRIMARY KEY, system INTEGER NOT NULL, path BLOB,"
	"  class TEXT, query TEXT, upto INTEGER, until INTEGER NOT NULL, reason TEXT NOT NULL,"
	"  made INTEGER NOT NULL) STRICT;"
	"CREATE TABLE shortening(class TEXT PRIMARY KEY, policy INTEGER NOT NULL,"
	"  upto INTEGER NOT NULL, disposition INTEGER NOT NULL, made INTEGER NOT NULL) STRICT;"
	"CREATE TABLE disposition(id INTEGER PRIMARY KEY, kind INTEGER NOT NULL,"
	"  state INTEGER NOT NULL, proposer TEXT NOT NULL, proposed INTEGER NOT NULL,"
	"  asof INTEGER NOT NULL, scope TEXT NOT NULL, root BLOB NOT NULL,"
	"  statement TEXT NOT NULL, signature BLOB, result TEXT) STRICT;"
	"CREATE TABLE disposition_item(disposition INTEGER NOT NULL, leaf BLOB NOT NULL,"
	"  dir INTEGER NOT NULL, name BLOB, first INTEGER NOT NULL, class TEXT NOT NULL,"
	"  names INTEGER NOT NULL, outcome INTEGER NOT NULL, why TEXT, text TEXT,"
	"  PRIMARY KEY(disposition, leaf)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE approval(disposition INTEGER NOT NULL, officer TEXT NOT NULL,"
	"  made INTEGER NOT NULL, signature BLOB NOT NULL, PRIMARY KEY(disposition, officer))"
	"  STRICT, WITHOUT ROWID;"
	"CREATE TABLE certificate(id INTEGER PRIMARY KEY, disposition INTEGER NOT NULL,"
	"  made INTEGER NOT NULL, digest BLOB NOT NULL) STRICT;"
	"CREATE TABLE copy(id INTEGER PRIMARY KEY, of TEXT NOT NULL, place TEXT NOT NULL,"
	"  declared INTEGER NOT NULL, state TEXT NOT NULL, changed INTEGER NOT NULL) STRICT;"
	"INSERT INTO sequence(name, next) VALUES('hold', 1), ('extension', 1),"
	"  ('disposition', 1), ('certificate', 1), ('copy', 1);";

/* disposition_key: a key for each list of a live source, by which its items hold digests; it
 * goes with the end of the list, so that what was published of it gives no content away.
 * sketch: what a block resembles, where it may be a base of later ones.
 * numbers: one digest over all numbers by which a directory's files are believed to be
 * unchanged, so that their rows need not be read to say so; no epoch takes it over. */
static const char step_5[] =
	"CREATE TABLE disposition_key(disposition INTEGER PRIMARY KEY, key BLOB NOT NULL) STRICT;"
	"CREATE TABLE sketch(block INTEGER PRIMARY KEY, class INTEGER NOT NULL,"
	"  depth INTEGER NOT NULL, features BLOB NOT NULL) STRICT;"
	"CREATE TABLE numbers(dir INTEGER PRIMARY KEY, version INTEGER NOT NULL,"
	"  device INTEGER NOT NULL, digest BLOB NOT NULL) STRICT;";

/* steps[n] leads from format n to n + 1. */
static const char *const steps[] = { step_1, step_2, step_3, step_4, step_5 };

#define FORMAT_NOW ((int64_t)(sizeof steps / sizeof steps[0]))

static int climb(struct catalogue *c, int64_t to, struct err *e)
{
	char pragma[48];

	for (int64_t n = c->format; n < to; n++)
		if (catalogue_exec(c, steps[n], e) < 0)
			return -1;
	snprintf(pragma, sizeof pragma, "PRAGMA user_version = %" PRId64, to);
	return catalogue_exec(c, pragma, e);
}

int catalogue_schema_create(struct catalogue *c, int64_t format, struct err *e)
{
	char pragma[48];

	snprintf(pragma, sizeof pragma, "PRAGMA application_id = %d",
		 CATALOGUE_APPLICATION_ID);
	if (catalogue_exec(c, pragma, e) < 0 || catalogue_exec(c, "BEGIN IMMEDIATE", e) < 0)
		return -1;
	format = format > 0 && format < FORMAT_NOW ? format : FORMAT_NOW;
	if (climb(c, format, e) < 0 || catalogue_exec(c, "COMMIT", e) < 0) {
		sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL);
		return -1;
	}
	c->format = format;
	return 0;
}

int catalogue_schema_check(struct catalogue *c, struct err *e)
{
	int64_t application, format;

	if (catalogue_exec_int(c, "PRAGMA application_id", &application, e) < 0 ||
	    catalogue_exec_int(c, "PRAGMA user_version", &format, e) < 0)
		return -1;
	if (application != CATALOGUE_APPLICATION_ID || format < 1)
		return catalogue_damaged(c, e, "it is no catalogue of muniment");
	if (format > FORMAT_NOW)
		return err_set(e, MUNI_FORMAT, "catalogue.%" PRIu64 " has format %" PRId64
			       ", this program knows up to %" PRId64 "; use a newer muniment",
			       c->epoch, format, FORMAT_NOW);
	c->format = format;
	return 0;
}

bool catalogue_is_older(const struct catalogue *c)
{
	return c->format < FORMAT_NOW;
}

int catalogue_upgrade(struct catalogue *c, struct err *e)
{
	if (!c->in_transaction)
		return err_set(e, MUNI_USAGE, "a write to the catalogue outside a transaction");
	if (climb(c, FORMAT_NOW, e) < 0)
		return err_wrap(e, "bringing the catalogue from format %" PRId64 " to %" PRId64,
				c->format, FORMAT_NOW);
	c->upgraded_from = c->format;
	c->format = FORMAT_NOW;
	return 0;
}

int catalogue_need_format(struct catalogue *c, int64_t format, const char *what,
			  struct err *e)
{
	if (c->format >= format)
		return 0;
	return err_set(e, MUNI_NOT_FOUND, "this archive has no %s: it was last written by an "
		       "older muniment (catalogue format %" PRId64 ")", what, c->format);
}
