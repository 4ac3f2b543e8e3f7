/*
 * What the log says of events, holds, extensions and restrictions: made when the act is
 * done, and made again from the tables to see that nobody changed them behind the
 * log's back.
 */
#ifndef FS_VAULT_RETAIN_WORDS_H
#define FS_VAULT_RETAIN_WORDS_H

#include <jansson.h>

#include "fs/store/catalogue_retention.h"

/* Each NULL without memory; to be released.  Systems stand in them by number: a name must
 * be able to go with its system. */
json_t *retain_words_event(const struct event_row *r);
json_t *retain_words_hold(const struct hold_row *h);	/* as it was placed */
json_t *retain_words_release(const struct hold_row *h);
json_t *retain_words_extension(const struct extension_row *x);
json_t *retain_words_scope(const struct scope_row *s);
/* Takes o; *text malloc'ed.  system: its name, only for acts whose details go with it
 * (fs/vault/doom_words.c); NULL: none. */
int retain_words_dump(json_t *o, const char *system, char **text, struct err *e);

#define RETAIN_WORDS_SYSTEM "system"	/* the field that retain_words_dump() adds */

#endif
