/*
 * Media, method, and what stays behind: location by location, in the terms of NIST SP
 * 800-88, and no more than can be claimed.
 */
#include <libgen.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/json_memory.h"
#include "fs/vault/certificate_inside.h"
#include "fs/vault/media.h"

#define ERASE_METHOD "cryptographic erase: the key of the epoch, which sealed the keys of all " \
	"blocks, was overwritten"
#define ALGORITHM "AES-256-GCM; keys of 256 bits, one a block, sealed under the epoch's key"

static json_t *media_json(const char *location, const char *path)
{
	struct media m;

	media_of(path, &m);
	return json_pack("{s:s, s:s*, s:s*, s:s*, s:s*, s:s*, s:s*, s:s, s:b}", "location",
			 location, "host", m.host[0] ? m.host : NULL, "filesystem",
			 m.filesystem[0] ? m.filesystem : NULL, "device",
			 m.device[0] ? m.device : NULL, "vendor", m.vendor[0] ? m.vendor : NULL,
			 "model", m.model[0] ? m.model : NULL, "serial",
			 m.serial[0] ? m.serial : NULL, "kind", m.kind, "overwrites_in_place",
			 m.overwrites_in_place);
}

static const char *source_of(const struct certificate_facts *f)
{
	return json_string_value(json_object_get(f->statement, "source"));
}

static bool keyring_overwrites(const struct certificate_facts *f)
{
	char *path = json_needs(strdup(f->vault->keyring_path));
	struct media m = { .overwrites_in_place = false };

	if (path)
		media_of(dirname(path), &m);
	free(path);
	return m.overwrites_in_place;
}

json_t *certificate_media(const struct certificate_facts *f)
{
	json_t *media = json_array();
	char *keyring = json_needs(strdup(f->vault->keyring_path));

	if (f->row.kind == DISPOSITION_LIVE) {
		if (source_of(f))
			json_array_append_new(media, media_json("live source", source_of(f)));
	} else {
		json_array_append_new(media, media_json("archive", f->vault->path));
		if (keyring)
			json_array_append_new(media, media_json("keyring", dirname(keyring)));
	}
	free(keyring);
	return media;
}

/* ---- how, by location --------------------------------------------------------------------- */

static json_t *location(const char *where, const char *sanitization, const char *method,
			const char *condition)
{
	return json_pack("{s:s, s:s, s:s, s:s?}", "location", where, "sanitization", sanitization,
			 "method", method, "condition", condition);
}

/* Is a key of the old epoch left anywhere that we know of? */
static bool key_is_gone(const struct certificate_facts *f)
{
	return f->execution.keyring_was_read_back && !f->execution.epoch.keyring_inside &&
	       !f->has_kept_keyring;
}

static json_t *keyring_location(const struct certificate_facts *f)
{
	if (!keyring_overwrites(f))
		return location("keyring", "none claimed", "the old epoch's key was overwritten "
				"with random bytes, synced and read back",
				"this medium or its file system may keep what was written "
				"before, snapshots too: the passphrases and key files must stay "
				"secret, or the medium be sanitised");
	return location("keyring", f->execution.keyring_was_read_back ? "Clear" : "none claimed",
			"the old epoch's key was overwritten with random bytes, synced and read "
			"back", "flash media may keep a copy that software cannot reach; it is "
			"sealed under a passphrase or key file");
}

static void add_copies(const struct certificate_facts *f, json_t *locations)
{
	json_t *copy;
	size_t i;

	json_array_foreach(f->copies, i, copy) {
		const char *of = json_string_value(json_object_get(copy, "of"));
		const char *state = json_string_value(json_object_get(copy, "state"));
		const char *place = json_string_value(json_object_get(copy, "place"));
		bool is_data = strcmp(of, "data") == 0;

		if (strcmp(state, "destroyed") == 0)
			json_array_append_new(locations, location(place, "none claimed",
				"declared as destroyed", "as its keeper says"));
		else if (!is_data)
			json_array_append_new(locations, location(place, "none claimed",
				"a copy of the keyring from before", "with it, its passphrase and "
				"an older copy of the data what was destroyed can be read: it is "
				"to be destroyed"));
		else
			json_array_append_new(locations, location(place,
				key_is_gone(f) ? "Clear" : "none claimed", ERASE_METHOD,
				"as long as no copy of the keyring from before is found"));
	}
}

static json_t *record_locations(const struct certificate_facts *f)
{
	const struct epoch_result *r = &f->execution.epoch;
	json_t *locations = json_array();

	json_array_append_new(locations, location("archive", key_is_gone(f) ? "Clear" :
		"none claimed", ERASE_METHOD "; the catalogue was built anew without what went, "
		"and files that held nothing else were removed",
		r->keyring_inside ? "the keyring lies inside the archive: every copy of the "
				    "archive from before has keys that read what was destroyed"
		: f->has_kept_keyring ? "declared copies of the keyring are not accounted for as "
					"destroyed"
				      : "as long as no copy or older state of the keyring "
					"from before is found"));
	json_array_append_new(locations, keyring_location(f));
	add_copies(f, locations);
	return locations;
}

static json_t *live_locations(const struct certificate_facts *f)
{
	const struct live_facts *l = &f->execution.live;
	json_t *locations = json_array();

	json_array_append_new(locations, location("live source",
		l->overwritten > 0 && l->overwritten == l->gone ? "Clear" : "none claimed",
		l->overwritten > 0 ? "overwritten in place, synced, unlinked; verified gone"
				   : "unlinked; verified gone", l->why));
	return locations;
}

static json_t *mounts_json(const struct certificate_facts *f)
{
	json_t *mounts = json_array();

	for (size_t i = 0; i < f->execution.mount_count; i++)
		json_array_append_new(mounts, json_string(f->execution.mounts[i]));
	return mounts;
}

static json_t *keys_json(const struct certificate_facts *f)
{
	const struct epoch_result *r = &f->execution.epoch;

	return json_pack("{s:o, s:o, s:o, s:o, s:b}", "epoch", count_value(r->old_epoch),
			 "epoch_since", count_value(r->new_epoch), "blocks",
			 count_value(r->doom.blocks_gone), "block_ids",
			 hex_value(&r->doom.keys), "keyring_in_archive", r->keyring_inside);
}

static json_t *verification_json(const struct certificate_facts *f)
{
	const struct adversary_report *a = f->adversary;
	json_t *o = json_pack("{s:b, s:o, s:o, s:o}", "keyring_read_back",
			      f->execution.keyring_was_read_back, "mounts", mounts_json(f),
			      "mounts_answered", count_value(f->execution.epoch.mounts_answered),
			      "mounts_aborted", count_value(f->execution.epoch.mounts_aborted));
	json_t *report = a && a->text ? json_loads(a->text, 0, NULL) : NULL;

	json_object_set_new(o, "adversary", json_pack("{s:b, s:b, s:o*}", "was_run",
						      a && a->was_run, "has_passed",
						      a && a->has_passed, "report", report));
	return o;
}

json_t *certificate_how(const struct certificate_facts *f)
{
	const struct execution *x = &f->execution;
	bool is_live = f->row.kind == DISPOSITION_LIVE;
	json_t *how = json_pack("{s:o, s:o, s:o, s:o, s:s}", "began", time_value(x->began),
				"ended", time_value(x->ended), "locations",
				is_live ? live_locations(f) : record_locations(f),
				"verification", verification_json(f), "tool", "muniment");

	if (!is_live) {
		json_object_set_new(how, "keys", keys_json(f));
		json_object_set_new(how, "algorithm", json_string(ALGORITHM));
	}
	return how;
}

/* ---- what stays ----------------------------------------------------------------------------- */

json_t *certificate_stays(const struct certificate_facts *f)
{
	const struct doom_result *d = &f->execution.epoch.doom;
	json_t *stays = json_pack("{s:o, s:s}", "items_not_destroyed",
				  count_value(f->outcomes[OUTCOME_FAILED]), "in_the_log",
				  "who, what, when and why of each act; no name of what was "
				  "destroyed");
	json_t *again = json_array();

	if (f->row.kind == DISPOSITION_RECORDS) {
		json_object_set_new(stays, "leaves", json_string("a salted hash in the place of "
			"each record, so that the versions' signatures still hold"));
		json_object_set_new(stays, "bytes_of_kept_records", json_pack("{s:o, s:O, s:s}",
			"items", count_value(f->outcomes[OUTCOME_BYTES_STAY]), "leaves",
			f->shared, "why", "a record that is kept has the same bytes; name, "
			"metadata and leaf of the item are gone"));
		json_object_set_new(stays, "contents_shared", count_value(d->contents_shared));
		json_array_append_new(again, json_string("keyring"));
		json_array_append_new(again, json_string("catalogue"));
		if (d->blocks_repacked > 0)
			json_array_append_new(again, json_string("segments packed anew"));
	}
	json_object_set_new(stays, "back_up_again", again);
	return stays;
}
