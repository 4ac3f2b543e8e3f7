/*
 * What the files that judge a certificate share.
 */
#ifndef FS_VAULT_CERTIFICATE_VERIFY_INSIDE_H
#define FS_VAULT_CERTIFICATE_VERIFY_INSIDE_H

#include "fs/crypt/officer.h"
#include "fs/vault/certificate_verify.h"

struct judging {
	const struct evidence *with;
	void (*found)(void *arg, const char *check, enum check_result result,
		      const char *sentence);
	void *arg;
	json_t *content;	/* owned */
	uint8_t *text;		/* its bytes; owned */
	size_t text_size;
	struct cms_signer *signers;	/* owned */
	size_t signer_count;
	int64_t stamped;	/* what the time-stamp says; 0: none was given */
	struct err worst;	/* MUNI_OK: all holds */
	struct err lacks;	/* what could not be looked at for want of memory, or unread */
};

/* Tells it, and remembers the worst: damage before distrust, the first before the next. */
void judge_tell(struct judging *j, const char *check, enum check_result result,
		const char *format, ...) __attribute__((format(printf, 4, 5)));
/* What a call's error means: MUNI_DAMAGED is damage, MUNI_NO_MEMORY and MUNI_IO say nothing
 * about the certificate, all else is distrust. */
void judge_tell_err(struct judging *j, const char *check, const struct err *e);
/* It could not be looked at.  No refusal is told from then on: what it rests on may be lacking. */
void judge_lacks(struct judging *j, const char *check, const struct err *e);
void judge_no_memory(struct judging *j, const char *check);

const char *judge_text(const json_t *from, const char *key);	/* "" where there is none */
/* -1 unless it is 64 hex digits. */
int judge_digest(const json_t *from, const char *key, struct digest *out);
/* Bytes from base64, malloc'ed; NULL where it is none, or for want of memory, which it tells. */
uint8_t *judge_bytes(struct judging *j, const json_t *from, const char *key, size_t *size);

void judge_people(struct judging *j);
void judge_annex(struct judging *j);
void judge_log(struct judging *j);

#endif
