/*
 * Does all of the log hold?  Entries and heads by what needs no key, details and the
 * catalogue's position with it.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/base/text.h"
#include "fs/crypt/officer.h"
#include "fs/vault/archive_inside.h"
#include "fs/vault/audit.h"
#include "fs/vault/renewal_inside.h"
#include "fs/vault/roster.h"

#define CERTIFICATE_MAX (16 * 1024)

struct check {
	struct audit_summary *out;
	void (*found)(void *arg, enum audit_fault fault, const char *what);
	void *arg;
	struct err first;	/* of the damages */
	int64_t now;
	bool has_before;
	int64_t before;		/* time of the entry before */
};

static void tell(struct check *k, enum audit_fault fault, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void tell(struct check *k, enum audit_fault fault, const char *format, ...)
{
	char text[900];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (fault == AUDIT_DAMAGE && k->out->damages++ == 0)
		err_set(&k->first, MUNI_DAMAGED, "%s", text);
	if (fault == AUDIT_CLOCK)
		k->out->clocks++;
	if (k->found != NULL)
		k->found(k->arg, fault, text);
}

static void log_fault(void *arg, bool is_damage, bool can_mend, const char *what)
{
	tell(arg, is_damage ? AUDIT_DAMAGE : AUDIT_UNFINISHED, "%s%s", what,
	     is_damage && can_mend ? " (`muni repair` mends it)" : "");
}

static int check_files(struct check *k, int auditfd, const struct signatories *who,
		       struct err *e)
{
	k->out->keys = (unsigned)who->count;
	if (log_verify(auditfd, who, &k->out->entries, &k->out->heads, log_fault, k,
		       e) == 0)
		return 0;
	if (e->code != MUNI_DAMAGED)
		return -1;
	*e = ERR_NONE;		/* told, and counted */
	return 0;
}

/* ---- what needs the key ------------------------------------------------------------- */

static void check_time(struct check *k, const struct log_entry *entry)
{
	char now[TEXT_TIME_MAX], time[TEXT_TIME_MAX], before[TEXT_TIME_MAX];

	text_time(entry->time, 0, time);
	if (k->has_before && entry->time < k->before)
		tell(k, AUDIT_CLOCK, "entry %" PRIu64 " (%s) says %s, the entry before it %s: the "
		     "host's clock was set back between them, or had been ahead before",
		     entry->sequence, audit_act_name(entry->act), time,
		     text_time(k->before, 0, before));
	if (entry->time > k->now)
		tell(k, AUDIT_CLOCK, "entry %" PRIu64 " (%s) says %s, which is yet to come by this "
		     "host's clock (%s): one of the two clocks is wrong", entry->sequence,
		     audit_act_name(entry->act), time, text_time(k->now, 0, now));
	k->has_before = true;
	k->before = entry->time;
}

static int check_entry(void *arg, const struct audit_entry *a)
{
	struct check *k = arg;

	check_time(k, &a->entry);
	if (a->state == AUDIT_DESTROYED)
		k->out->destroyed++;
	if (a->state == AUDIT_ALTERED)
		tell(k, AUDIT_DAMAGE, "the details of entry %" PRIu64 " (%s) are not those that "
		     "the log commits to: they were altered", a->entry.sequence,
		     audit_act_name(a->entry.act));
	return 0;
}

static int check_since(struct check *k, struct vault *v, const struct kept_head *since,
		       struct err *e)
{
	struct digest *path = NULL;
	size_t count;

	if (audit_consistency(v, since, &path, &count, e) < 0) {
		if (e->code != MUNI_DAMAGED)
			return -1;
		tell(k, AUDIT_DAMAGE, "%s", e->text);
		*e = ERR_NONE;
	}
	free(path);
	return 0;
}

/* ---- without ------------------------------------------------------------------------- */

static int keyless_id(int dir, char hex[33], struct err *e)
{
	struct archive_file a;

	if (archive_file_read(dir, &a, e) < 0)
		return -1;
	memcpy(hex, a.id_hex, sizeof a.id_hex);
	return 0;
}

/* What was the reason that it cannot be opened is damage too. */
static int check_keyless(struct check *k, const char *path, struct err *e)
{
	struct identity id = { .cert = NULL };
	struct renewal_links links;
	struct signatories who;
	char id_hex[33];
	uint8_t *pem = NULL;
	size_t size = 0;
	int dir = -1, folder = -1, auditfd = -1, rc = -1;

	k->out->is_keyless = true;
	tell(k, AUDIT_DAMAGE, "%s", e->text);
	*e = ERR_NONE;
	dir = file_open_user(path, O_RDONLY | O_DIRECTORY, 0, e);
	if (dir < 0)
		return -1;
	folder = file_open_dir(dir, ARCHIVE_CERTIFICATES, e);
	auditfd = folder < 0 ? -1 : file_open_dir(dir, ARCHIVE_AUDIT, e);
	if (auditfd < 0 || file_load(folder, "archive.pem", CERTIFICATE_MAX, &pem, &size, e) < 0 ||
	    identity_parse(pem, size, &id, e) < 0) {
		tell(k, AUDIT_DAMAGE, "%s", e->text);
		*e = ERR_NONE;
		rc = 0;
		goto out;
	}
	signatories_one(&who, id.cert, id.cert_size);
	if (keyless_id(dir, id_hex, e) == 0 && renewal_links_load(folder, id_hex, &links, e) == 0)
		renewal_links_back(&links, &who);
	else if (e->code == MUNI_NO_MEMORY)
		goto out;
	*e = ERR_NONE;
	rc = check_files(k, auditfd, &who, e);
out:
	identity_clear(&id);
	free(pem);
	file_close(&folder);
	file_close(&auditfd);
	file_close(&dir);
	return rc;
}

/* What the log says of who was let in is only as good as the signatures there. */
static int check_officers(struct check *k, struct vault *v, struct err *e)
{
	struct roster roster;

	if (roster_load(v, &roster, e) < 0)
		return -1;
	if (roster.forged > 0)
		tell(k, AUDIT_DAMAGE, "entry %" PRIu64 "%s: says that an officer was approved, and "
		     "bears no signature over his addition of anybody who could sign for him: it "
		     "was not written by muni, and lets nobody in", roster.forged_at,
		     roster.forged > 1 ? " is the first of several" : "");
	roster_clear(&roster);
	return 0;
}

static int check_open(struct check *k, struct vault *v, const struct kept_head *since,
		      struct err *e)
{
	struct log_head head;

	if (check_files(k, v->auditfd, &v->signatories, e) < 0)
		return -1;
	/* Entries that cannot be read were told above. */
	if (k->out->damages == 0 && audit_each(v, 0, check_entry, k, e) < 0)
		return -1;
	if (k->out->damages == 0 && log_newest_head(v->log, &head, e) < 0)
		return -1;
	if (k->out->damages == 0 && check_officers(k, v, e) < 0)
		return -1;
	return since != NULL ? check_since(k, v, since, e) : 0;
}

int audit_verify(const char *path, const struct vault_options *o,
		 const struct kept_head *since,
		 void (*found)(void *arg, enum audit_fault fault, const char *what), void *arg,
		 struct audit_summary *out, struct err *e)
{
	struct check k = { .out = out, .found = found, .arg = arg,
			   .now = o->now ? o->now() : (int64_t)time(NULL) };
	struct vault *v = NULL;
	int rc;

	*out = (struct audit_summary){ .entries = 0 };
	if (vault_open(path, o, VAULT_READ, &v, e) == 0)
		rc = check_open(&k, v, since, e);
	else
		rc = e->code == MUNI_DAMAGED ? check_keyless(&k, path, e) : -1;
	vault_close(v);
	if (rc == 0 && out->damages > 0) {
		*e = k.first;
		rc = -1;
	}
	return rc;
}
