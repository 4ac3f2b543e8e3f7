/*
 * What the files of `muni cert` share.
 */
#ifndef TOOLS_CERT_H
#define TOOLS_CERT_H

#include <jansson.h>

#include "fs/vault/certificate.h"
#include "tools/cli.h"
#include "tools/officer_key.h"

struct cert_words {		/* borrowed; NULL: not given */
	const char *to, *lang, *ca, *annex, *timestamp, *authority, *archive_signature, *url;
	bool all, none;
	struct officer_words officer;
	int64_t id;
};

/* "C1" or "1" */
int cert_take_id(const char *text, int64_t *id, struct err *e);
/* Beside `path` (a certificate's file): its name with another suffix, malloc'ed. */
char *cert_beside(const char *path, const char *suffix);

int cert_list(struct cli *cli, struct vault *v, const void *words, struct err *e);
int cert_show(struct cli *cli, struct vault *v, const void *words, struct err *e);
int cert_pdf(struct cli *cli, struct vault *v, const void *words, struct err *e);
int cert_sign(struct cli *cli, struct vault *v, const void *words, struct err *e);
int cert_stamp(struct cli *cli, struct vault *v, const void *words, struct err *e);
int cert_authority(struct cli *cli, struct vault *v, const void *words, struct err *e);
/* Without an archive: the certificate is the file in operands[1]. */
int cert_verify(struct cli *cli, const struct cert_words *w, struct err *e);
int cert_pdf_of_file(struct cli *cli, const struct cert_words *w, struct err *e);

#endif
