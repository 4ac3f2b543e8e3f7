/*
 * How an officer's key is named on the command line: --by ID --key KEY, its secret asked
 * for or taken from a file.
 */
#ifndef TOOLS_OFFICER_KEY_H
#define TOOLS_OFFICER_KEY_H

#include "fs/vault/disposition.h"
#include "tools/cli.h"

enum { OFFICER_BY = 512, OFFICER_KEY, OFFICER_PASSPHRASE, OFFICER_PIN };
#define OFFICER_KEY_OPTIONS \
	{ OFFICER_BY, "by", "ID", "the officer who acts" }, \
	{ OFFICER_KEY, "key", "KEY", "the officer's private key: a PEM file, or a pkcs11: URI" }, \
	{ OFFICER_PASSPHRASE, "key-passphrase-file", "FILE", \
	  "the passphrase of that key, in its first line" }, \
	{ OFFICER_PIN, "pin-file", "FILE", "the PIN of that token, in its first line" }

struct officer_words {		/* all borrowed; NULL: not given */
	const char *by, *key, *passphrase_file, *pin_file;
};
/* false: it is none of those options. */
bool officer_words_take(struct officer_words *w, int option, const char *value);
/* officer_key_close() it. */
int officer_words_open(struct cli *cli, struct vault *v, const struct officer_words *w,
		       struct officer_key **out, struct err *e);

#endif
