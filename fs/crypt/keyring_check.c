/* What can be said of a keyring, and taken from it, without any secret. */
#include "fs/crypt/keyring_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/text.h"

static void say(const struct keyring_state *s, char *what, size_t size)
{
	for (unsigned i = 0; i < HALF_COUNT; i++) {
		const struct half *h = &s->halves[i];

		if (!h->is_whole) {
			snprintf(what, size, "half %u of the keyring is lost; the other is "
				 "whole", i + 1);
			return;
		}
		if (h->mended > 0) {
			snprintf(what, size, "half %u of the keyring needed %u of its %d "
				 "columns mended", i + 1, h->mended, COLUMN_COUNT);
			return;
		}
	}
	snprintf(what, size, "one half of the keyring was left behind by an interrupted "
		 "change");
}

int keyring_check(const char *path, const uint8_t archive_id[KEYRING_ID_SIZE],
		  bool *is_damaged, char *what, size_t what_size, struct err *e)
{
	struct keyring_state *s;
	int rc;

	*is_damaged = false;
	what[0] = '\0';
	if (keyring_load(path, archive_id, &s, e) < 0)
		return -1;
	rc = keyring_usable(s, e);
	if (rc < 0) {
		err_wrap(e, "keyring %s", text_printable(path));
	} else if (!s->is_settled) {
		*is_damaged = true;
		say(s, what, what_size);
	}
	free(s);
	return rc;
}

static int find_message(const struct keyring_state *s, unsigned number, uint8_t **out,
			size_t *size, struct err *e)
{
	const struct half *h;
	struct slots slots;
	struct reader r;
	int rc;

	if (keyring_usable(s, e) < 0)
		return -1;
	h = &s->halves[s->newest];
	r = reader_over(h->payload + PAYLOAD_HEAD, h->slots_size);
	if (slots_read(&r, h->slot_count, &slots, e) < 0)
		return -1;
	rc = err_set(e, MUNI_NOT_FOUND, "there is no recipient with number %u", number);
	for (size_t i = 0; i < slots.count; i++) {
		struct slot *slot = &slots.list[i];

		if (slot->about.number != number || slot->about.kind != KEYRING_RECIPIENT)
			continue;
		*out = slot->message;
		*size = slot->message_size;
		slot->message = NULL;	/* now the caller's */
		*e = ERR_NONE;
		rc = 0;
		break;
	}
	slots_free(&slots);
	return rc;
}

int keyring_recipient_message(const char *path, const uint8_t archive_id[KEYRING_ID_SIZE],
			      unsigned number, uint8_t **out, size_t *size, struct err *e)
{
	struct keyring_state *s;
	int rc;

	*out = NULL;
	*size = 0;
	if (keyring_load(path, archive_id, &s, e) < 0)
		return -1;
	rc = find_message(s, number, out, size, e);
	free(s);
	return rc < 0 ? err_wrap(e, "keyring %s", text_printable(path)) : 0;
}
