/*
 * The bytes of a foreign archive on their way to the parser: input, then its
 * packing (gzip, xz ...) taken off, then watched: how many, whether anything
 * but zeros, whether too many.
 */
#ifndef FS_VAULT_FOREIGN_SOURCE_H
#define FS_VAULT_FOREIGN_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "fs/base/err.h"
#include "fs/base/gunzip.h"

struct archive;

#define SOURCE_BLOCK (256u << 10)
/* So much of what went to the parser last is kept, for foreign_pax.h. */
#define SOURCE_MEMORY (1u << 20)

struct source {
	int fd;			/* borrowed */
	bool can_seek;
	uint64_t size;		/* of the input, where can_seek */
	uint64_t offset;	/* of the next read */
	uint64_t consumed;	/* the furthest byte of the input that was read */
	uint64_t bomb_limit;	/* foreign_options */
	uint8_t *raw;		/* SOURCE_BLOCK */
	size_t raw_start, raw_end;	/* read, not handed on yet */
	struct gunzip *gzip;	/* NULL: the input is not gzip */
	struct archive *unpacker;	/* libarchive's filters; NULL: taken away */
	const void *held;	/* peeked plain bytes, not handed on yet */
	size_t held_size;
	bool is_empty;		/* packed, with nothing inside */
	bool is_direct;		/* no packing: the parser may seek */
	char packing[48];	/* "gzip", "xz"; "" if none */
	uint64_t plain;		/* bytes handed to the parser; direct: furthest */
	bool is_remembering;	/* copies go to `memory` */
	uint8_t *memory;	/* ring of SOURCE_MEMORY, byte i at i % size */
	struct err failure;	/* why the bytes stopped; MUNI_OK: they did not */
	void (*pulse)(void *arg);	/* called now and then: consumed has grown */
	void (*idle)(void *arg);	/* called before a read that may wait */
	void *arg;
};

/* Before the door closes: memory, filters. */
int source_prepare(struct source *s, int fd, uint64_t bomb_limit, struct err *e);
/* Looks at the first bytes and takes the packing off.  MUNI_FORMAT: empty. */
int source_begin(struct source *s, struct err *e);
/* After a failure of libarchive's, which does not always say that memory was what it lacked. */
bool source_lacks_memory(struct archive *a);
/* The first plain bytes, which source_read() will give again; size 0: none. */
int source_peek(struct source *s, const uint8_t **data, size_t *size);
/* Plain bytes, good until the next call; 0: the end; -1: see s->failure. */
ssize_t source_read(struct source *s, const void **block);
/* is_direct only; whence as for lseek.  The new place, or -1. */
int64_t source_seek(struct source *s, int64_t offset, int whence);
/* Reads on to the end, so that every checksum is checked.  -1: s->failure. */
int source_drain(struct source *s);
/* A copy of the bytes [at, at + size) that went to the parser; false if they are
 * no longer, or not yet, known. */
bool source_recall(const struct source *s, uint64_t at, void *out, size_t size);
/* Would `out` bytes in all be too many? */
bool source_is_bomb(const struct source *s, uint64_t out);
void source_end(struct source *s);

#endif
