/* Asks for a passphrase on the terminal; shaped for vault_keys.prompt. */
#ifndef FS_MOUNT_PROMPT_H
#define FS_MOUNT_PROMPT_H

#include <stddef.h>

int prompt_terminal(void *unused, const char *question, char *out, size_t size);

#endif
