/*
 * What was seen in one file: its digest, format, encoding, and the sensitive
 * data in it.  Made in the program muni-examine, which parses hostile bytes in a
 * sandbox, and carried to the scan over a socket.
 *
 *   E1  examination_read() treats its bytes as hostile: bounded, complete, UTF-8.
 *   E2  A file of which any part could not be looked into has `opaque` set: it is
 *       never counted as clean, whatever else was found in it.
 */
#ifndef FS_CONTENT_EXAMINATION_H
#define FS_CONTENT_EXAMINATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fs/crypt/digest.h"
#include "policy/detect/detect.h"

struct err;
struct buffer;
struct reader;

#define EXAMINATION_MAX (512u << 10)	/* bytes of one on the wire */
#define FINDINGS_MAX 256

struct examination {
	uint64_t size;		/* bytes read */
	struct digest sha256;
	bool has_sha256;
	char format[128];	/* by content: MIME; "application/octet-stream" unknown */
	/* Where the extension stands for something else: what it stands for (MIME);
	 * else "". */
	char claimed[128];
	char encoding[32];	/* of text: "us-ascii", "utf-8", "utf-16le", "gb18030" ...; else "" */
	char script[32];	/* of text: ISO 15924 ("Latn", "Hani", "Cyrl"), the commonest; else "" */
	/* Why (a part of) it could not be looked into: one line a reason, "; " between;
	 * "" when all of it was. */
	char opaque[512];
	size_t finding_count;
	struct finding *findings;	/* owned, in the recognisers' order */
};

void examination_clear(struct examination *x);	/* frees, and empties it */
/* Appends at most EXAMINATION_MAX bytes; texts that are no UTF-8, or hold control
 * characters, go as text_printable() has them.  MUNI_NO_MEMORY. */
int examination_write(const struct examination *x, struct buffer *b, struct err *e);
/* All that r holds.  *out is empty or filled; examination_clear() it.
 * MUNI_DAMAGED: it is none. */
int examination_read(struct reader *r, struct examination *out, struct err *e);

#endif
