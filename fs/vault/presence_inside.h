/*
 * The wire and the names that both sides of presence share.  Only
 * fs/vault/presence*.c include this.
 */
#ifndef FS_VAULT_PRESENCE_INSIDE_H
#define FS_VAULT_PRESENCE_INSIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "fs/vault/presence.h"

#define PRESENCE_MAGIC 0x3172506du	/* "mPr1" */
#define PRESENCE_MESSAGE_SIZE 32 /* 4 magic + 2 kind + 2 done + 8 epoch + 8 number + 8 zero */
#define PRESENCE_KEY_SIZE 32	/* behind a message of kind EPOCH */
#define PRESENCE_WHY_MAX 320	/* a sentence behind an answer, no NUL */
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
/* From the first PRESENCE_MESSAGE_SIZE bytes; false: not a message of ours. */
bool presence_unpack(const uint8_t *data, long size, struct presence_message *out);

/* A socket's address has room for 107 bytes only: name it through the folder's
 * descriptor.  false where even that does not fit. */
bool presence_address(int rundir, const char *name, struct sockaddr_un *out);
/* P2 */
bool presence_peer_may_speak(int fd);

/* ---- the teller's files -------------------------------------------------------- */

/* The lock file: a sentence, zeros up to here, 8 bytes of device (0: not mounted yet). */
#define PRESENCE_DEVICE_AT PRESENCE_ABOUT_MAX

struct presence_round {		/* one registration that is being told */
	char stem[PRESENCE_NAME_MAX];
	char about[PRESENCE_ABOUT_MAX];
	char why[PRESENCE_WHY_MAX + 64];
	uint64_t device;	/* 0: not known */
	int pid;		/* who listens, by the kernel; 0: not known */
	int fd;			/* -1: not connected */
	int64_t retry_at;	/* monotonic ms; told again no earlier */
	bool is_over;		/* answered, or gone */
	enum presence_outcome outcome;
};

/* P1: true if its process lives; a dead one's files are removed. */
bool presence_is_alive(int rundir, struct presence_round *r);
/* Of the munifs that was mounted there last; 0: there is none. */
uint64_t presence_device_of(const char *mountpoint);
/* P4.  Ends it, unmounts what it served, drops what the kernel keeps of it; false: it
 * lives, r->why says why. */
bool presence_end(int rundir, struct presence_round *r);
/* Mounts of the archive on this host whose device is none of the rounds'. */
void presence_each_unregistered(const char *archive, const struct presence_round *rounds,
				size_t count, void (*row)(void *arg, const char *mountpoint),
				void *arg);

#endif
