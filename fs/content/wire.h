/*
 * What passes between a scan and muni-examine: messages on SOCK_SEQPACKET pairs,
 * one for control and one for each worker.  Numbers little-endian.
 *
 * The scan is the parent.  On control it says WIRE_HELLO and each WIRE_CUSTOM;
 * muni-examine loads its tables, closes the door and answers WIRE_READY.  For each
 * WIRE_WORKER (with the worker's end of a new pair) it forks a worker and answers
 * WIRE_STARTED; for each WIRE_END it ends and reaps one and answers WIRE_ENDED.  A
 * worker answers each WIRE_LOOK (with a descriptor) by WIRE_FOUND, or by
 * WIRE_FOUND_LAST where it should see no other file.  In between it may say
 * WIRE_GROW, once: it has used up the memory of its own and waits.  The scan tells
 * muni-examine, which lifts the limit and answers WIRE_GROWN; then the worker hears
 * WIRE_GROWN too.  WIRE_FAILED may stand for any answer.  Who sees the other end
 * closed ends itself.
 *
 * A packet is u8 type, u8 whether more packets of the same message follow, bytes.
 *
 *   W1  No message is larger than its type may be, nor held beyond that.
 *   W2  Descriptors are taken only where they are asked for; others are dropped.
 */
#ifndef FS_CONTENT_WIRE_H
#define FS_CONTENT_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fs/base/bytes.h"
#include "fs/content/look.h"

struct err;

#define WIRE_VERSION 3
#define WIRE_PACKET_MAX (32u << 10)
#define WIRE_NAME_MAX 4096u	/* bytes of the end of a path */
#define WIRE_WHY_MAX 1000u
/* A second of processor time more than was asked for, for so many unpacked bytes. */
#define WIRE_EXPANDED_A_SECOND (4u << 20)
#define WIRE_CUSTOM_MAX (256u << 10)
#define WIRE_CUSTOM_COUNT_MAX 200u

enum wire_type {
	WIRE_HELLO = 1,
	WIRE_CUSTOM = 2,
	WIRE_READY = 3,		/* empty */
	WIRE_WORKER = 4,	/* u32 number; with a descriptor */
	WIRE_STARTED = 5,	/* u32 number, u32 process id */
	WIRE_END = 6,		/* u32 number */
	WIRE_ENDED = 7,
	WIRE_LOOK = 8,		/* with a descriptor */
	WIRE_FOUND = 9,		/* an examination */
	WIRE_FAILED = 10,	/* u8 code, text */
	WIRE_FOUND_LAST = 11,	/* the same as WIRE_FOUND, of a worker that is worn */
	WIRE_GROW = 12,		/* on control u32 number; of a worker empty */
	WIRE_GROWN = 13,	/* empty */
};

/* ---- packets ------------------------------------------------------------------------ */

/* fd: goes along (borrowed); -1: none.  MUNI_IO. */
int wire_send(int socket, enum wire_type type, const void *data, size_t size, int fd,
	      struct err *e);

struct inbox {
	int socket;		/* borrowed */
	bool takes_descriptors;
	enum wire_type type;	/* of the message that is complete */
	struct buffer message;
	int fd;			/* that came along; -1: none; the taker sets it to -1 */
	bool is_partial;
	uint8_t packet[WIRE_PACKET_MAX];
};

enum inbox_state {
	INBOX_MESSAGE,		/* type and message are there until the next call */
	INBOX_MORE,		/* call again */
	INBOX_NOTHING,		/* nothing came in time (SO_RCVTIMEO, is_waiting) */
	INBOX_END,		/* the other end is closed */
};

void inbox_init(struct inbox *in, int socket, bool takes_descriptors);
void inbox_clear(struct inbox *in);
/* One packet.  MUNI_DAMAGED: nonsense; MUNI_IO. */
int inbox_receive(struct inbox *in, bool is_waiting, enum inbox_state *state, struct err *e);
/* A whole message; the end is MUNI_IO. */
int inbox_wait(struct inbox *in, struct err *e);
/* Takes MUNI_... and the sentence out of a WIRE_FAILED. */
int inbox_failure(const struct inbox *in, struct err *e);

/* ---- messages ----------------------------------------------------------------------- */

struct wire_hello {
	uint32_t version;
	uint64_t memory;	/* of a worker, over what it starts with, at the most ... */
	uint64_t lean;		/* ... and until it has grown */
	struct look_limits limits;
	uint32_t custom_count;
};
void wire_put_hello(struct buffer *b, const struct wire_hello *h);
int wire_get_hello(struct reader *r, struct wire_hello *out, struct err *e);

/* MUNI_LIMIT: larger than WIRE_CUSTOM_MAX. */
int wire_put_custom(struct buffer *b, const struct custom_recogniser *c, struct err *e);
/* *out: wire_custom_clear(). */
int wire_get_custom(struct reader *r, struct custom_recogniser *out, struct err *e);
void wire_custom_clear(struct custom_recogniser *c);

struct wire_look {
	uint64_t size;		/* of a file: it is read to there */
	uint32_t seconds;	/* of processor time */
	bool is_stream;		/* read() it to its end, whatever size says */
	char name[WIRE_NAME_MAX + 1];
};
void wire_put_look(struct buffer *b, const struct wire_look *l);
int wire_get_look(struct reader *r, struct wire_look *out, struct err *e);

struct wire_ended {
	uint32_t number;
	int32_t status;		/* as waitpid() gives it */
	uint64_t peak;		/* bytes: the most memory that was in use */
	/* Of the last file and of the innermost item in it, whose reader ran; hostile,
	 * but printable. */
	char format[128], reader[128];
	uint8_t shortage;	/* enum shortage: why memory was refused to it at last */
};
void wire_put_ended(struct buffer *b, const struct wire_ended *w);
int wire_get_ended(struct reader *r, struct wire_ended *out, struct err *e);

int wire_send_failure(int socket, const struct err *why, struct err *e);

#endif
