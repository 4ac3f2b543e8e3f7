/*
 * The process around a command: signals and the prompt.  (What commands call
 * of it is declared in cli.h.)
 */
#ifndef TOOLS_TERMINAL_H
#define TOOLS_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

/* vault_keys.prompt: asks on /dev/tty, echo off; -1 where there is none. */
int terminal_prompt(void *unused, const char *question, char *out, size_t size);
/* vault_monitor.is_cancelled. */
bool terminal_is_cancelled(void *unused);
/* As they were at the start, for a program that we run. */
void terminal_restore_signals(void);

#endif
