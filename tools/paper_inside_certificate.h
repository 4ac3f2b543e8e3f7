/*
 * What the files that lay a certificate out share.
 */
#ifndef TOOLS_PAPER_INSIDE_CERTIFICATE_H
#define TOOLS_PAPER_INSIDE_CERTIFICATE_H

#include "tools/paper.h"
#include "tools/paper_certificate.h"

#define LINE_SIZE 4096

struct sheet {			/* one certificate in one language */
	struct paper *paper;
	const json_t *content;
	const char *hex;
	const struct paper_signer *signers;
	size_t signer_count;
	bool is_chinese;
};

const char *sheet_word(const struct sheet *s, const char *english);
const json_t *sheet_part(const struct sheet *s, const char *key);	/* of the content */
/* "" where there is none. */
const char *sheet_text(const json_t *from, const char *key);
/* "1,234"; out: 32 bytes. */
const char *sheet_count(const json_t *from, const char *key, char out[32]);
/* Texts of an array, joined; each through sheet_word(). */
const char *sheet_join(const struct sheet *s, const json_t *list, const char *between,
		       char out[LINE_SIZE]);
/* "2026-11-22 10:04 UTC" of an RFC 3339 time. */
const char *sheet_time(const char *rfc3339, char out[48]);
void sheet_heading(struct sheet *s, const char *english);
void sheet_pair(struct sheet *s, const char *english, const char *text);
void sheet_pair_mono(struct sheet *s, const char *english, const char *text);
void sheet_pair_count(struct sheet *s, const char *english, const json_t *from,
		      const char *key);

void sheet_what(struct sheet *s);
void sheet_why(struct sheet *s);
void sheet_clearance(struct sheet *s);
void sheet_media(struct sheet *s);
void sheet_how(struct sheet *s);
void sheet_verification(struct sheet *s);
void sheet_people(struct sheet *s);
void sheet_stays(struct sheet *s);
void sheet_proof(struct sheet *s);

#endif
