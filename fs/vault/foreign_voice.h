/*
 * The child's mouth: frames of foreign_wire.h, gathered, written to the pipe.
 * A pipe that nobody reads any more ends the process.
 */
#ifndef FS_VAULT_FOREIGN_VOICE_H
#define FS_VAULT_FOREIGN_VOICE_H

#include "fs/base/err.h"
#include "fs/vault/foreign_wire.h"

struct voice {
	int fd;
	struct buffer pending;
};

void voice_say(struct voice *v, enum wire_type type, const void *data, size_t size);
void voice_number(struct voice *v, enum wire_type type, uint64_t n);
void voice_text(struct voice *v, enum wire_type type, const char *text);
/* WIRE_FAILED and WIRE_BROKEN. */
void voice_failure(struct voice *v, enum wire_type type, enum muni_code code,
		   const char *text);
void voice_entry(struct voice *v, const struct wire_entry *w);
/* Any size; split into frames. */
void voice_data(struct voice *v, uint64_t offset, const void *data, size_t size);
void voice_flush(struct voice *v);

#endif
