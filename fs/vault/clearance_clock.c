/*
 * No clock games: a date is not believed because the log or the system says so.
 *
 * Trust in the time goes along the log: an entry within thirty days after one that is
 * trusted is trusted, one that leaps further is not, until two different persons have
 * signed the time: in two LOG_CLOCK within a day, or by their signatures under this very
 * disposition.  Refusals are no acts: they move nothing.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/vault/authority.h"
#include "fs/vault/clearance_inside.h"
#include "fs/vault/clock.h"

#define LEAP (30 * 86400)
#define A_DAY 86400
#define STAMP_SLACK 86400	/* an authority and we may be a day apart */

struct clock_walk {
	const struct roster *roster;
	const struct officer *signer;	/* of the newest LOG_CLOCK; NULL: none yet */
	int64_t signed_at;
	int64_t trusted;	/* the newest time that is believed */
	int64_t newest;		/* of any act since officers signed the time last */
	bool has_any;
};

/* The second of two persons who sign within a day settles the time. */
static int see_signature(struct vault *v, struct clock_walk *w, const struct log_entry *entry,
			 struct err *e)
{
	const struct officer *who;

	if (clock_signer(v, w->roster, entry, &who, e) < 0)
		return -1;
	if (!who)
		return 0;
	if (w->signer && !is_same_person(&w->signer->identity, &who->identity) &&
	    entry->time - w->signed_at <= A_DAY && w->signed_at - entry->time <= A_DAY)
		w->trusted = w->newest = entry->time;
	w->signer = who;
	w->signed_at = entry->time;
	return 0;
}

static void see(struct clock_walk *w, const struct log_entry *entry)
{
	if (!w->has_any) {
		w->trusted = w->newest = entry->time;
		w->has_any = true;
		return;
	}
	if (entry->time > w->newest)
		w->newest = entry->time;
	if (entry->time > w->trusted && entry->time - w->trusted <= LEAP)
		w->trusted = entry->time;
}

static int walk_log(struct vault *v, struct clock_walk *w, struct err *e)
{
	uint64_t count = log_count(v->log);
	struct log_entry entry;

	for (uint64_t i = 0; i < count; i++) {
		if (log_read(v->log, i, &entry, e) < 0)
			return -1;
		/* One signature alone, when the clock is wrong, is no act of its time. */
		if (entry.act == LOG_CLOCK && see_signature(v, w, &entry, e) < 0)
			return -1;
		if (entry.act != LOG_CLOCK && entry.act != LOG_REFUSED)
			see(w, &entry);
	}
	return 0;
}

/* The second newest of the times that different persons signed: two say that it was at
 * least then. */
static int64_t signed_by_two(const struct clearing *k)
{
	int64_t newest = k->row.proposed, second = INT64_MIN;

	for (size_t i = 0; i < k->consents.count; i++) {
		int64_t at = k->consents.list[i].signed_at;

		if (!k->consents.list[i].counts)
			continue;
		if (at > newest) {
			second = newest;
			newest = at;
		} else if (at > second) {
			second = at;
		}
	}
	return second;
}

#define HOW "; two officers can sign the present time (`muni audit clock`)"

/* 1: an authority says that it is about now, *now is the earlier of both; 0: none is named. */
static int ask_authority(struct vault *v, int64_t *now, struct err *e)
{
	char here[TEXT_TIME_MAX], there[TEXT_TIME_MAX];
	struct err none = ERR_NONE;
	bool is_silent;
	uint8_t *stamp = NULL;
	struct digest nonce;
	size_t size = 0;
	int64_t when = 0;
	int rc;

	if (random_bytes(nonce.bytes, sizeof nonce.bytes, e) < 0)
		return -1;
	rc = vault_authority_stamp(v, &nonce, &stamp, &size, &when, &is_silent, &none);
	free(stamp);
	if (rc < 0 && none.code == MUNI_NOT_FOUND && !is_silent)
		return 0;
	if (rc < 0 && !is_silent)	/* no judgement on the clock */
		return err_set(e, none.code, "%s", none.text);
	if (rc < 0)
		return err_set(e, MUNI_REFUSED, "clock: the time-stamping authority that the archive "
			       "names gave no time-stamp, and without it nothing is due (%.300s)",
			       none.text);
	if (when < *now - STAMP_SLACK || when > *now + STAMP_SLACK)
		return err_set(e, MUNI_REFUSED, "clock: it shows %s, and the time-stamping authority "
			       "says %s", text_time(*now, 0, here), text_time(when, 0, there));
	if (when < *now)
		*now = when;
	return 1;
}

int clock_check(struct vault *v, const struct clearing *k, const struct roster *roster,
		int64_t *now, struct err *e)
{
	struct clock_walk w = { .roster = roster };
	char here[TEXT_TIME_MAX], there[TEXT_TIME_MAX];
	int is_stamped;

	*now = vault_now(v);
	text_time(*now, 0, here);
	if (walk_log(v, &w, e) < 0)
		return -1;
	if (!w.has_any)
		return 0;
	if (*now < w.newest)
		return err_set(e, MUNI_REFUSED, "clock: it shows %s, which is before the newest act "
			       "in the log (%s): it was set back, or that act was made with a "
			       "clock ahead" HOW, here, text_time(w.newest, 0, there));
	is_stamped = ask_authority(v, now, e);
	if (is_stamped != 0)
		return is_stamped < 0 ? -1 : 0;
	if (k && signed_by_two(k) > w.trusted)
		w.trusted = signed_by_two(k);
	if (*now - w.trusted > LEAP)
		return err_set(e, MUNI_REFUSED, "clock: it shows %s, more than 30 days after the "
			       "newest time that can be trusted (%s)" HOW, here,
			       text_time(w.trusted, 0, there));
	return 0;
}
