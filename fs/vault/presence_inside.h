/*
 * The wire and the names that both sides of presence share.  Only
 * fs/vault/presence*.c include this.
 */
#ifndef FS_VAULT_PRESENCE_INSIDE_H
#define FS_VAULT_PRESENCE_INSIDE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "fs/vault/presence.h"

#define PRESENCE_MAGIC 0x3172506du	/* "mPr1" */
#define PRESENCE_MESSAGE_SIZE 32 /* 4 magic + 2 kind + 2 done + 8 epoch + 8 number + 8 zero */
#define PRESENCE_ANSWER 0x8000u	/* set in `kind` of an answer */
#define PRESENCE_NAME_MAX 64	/* "mount.PID.RANDOM.sock" fits with room */
#define PRESENCE_ABOUT_MAX 512

struct presence_message {
	uint16_t kind;
	uint16_t is_done;
	uint64_t epoch;
	uint64_t number;
};

void presence_pack(const struct presence_message *m, uint8_t out[PRESENCE_MESSAGE_SIZE]);
/* false: not a message of ours. */
bool presence_unpack(const uint8_t *data, long size, struct presence_message *out);

/* A socket's address has room for 107 bytes only: name it through the folder's
 * descriptor.  false where even that does not fit. */
bool presence_address(int rundir, const char *name, struct sockaddr_un *out);
/* P2 */
bool presence_peer_may_speak(int fd);

#endif
