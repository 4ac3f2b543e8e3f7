/*
 * Progress of long work on standard error: a bar on a terminal, a plain line
 * every few seconds elsewhere.
 *
 * All calls may come from any thread.
 */
#ifndef TOOLS_PROGRESS_H
#define TOOLS_PROGRESS_H

#include "fs/vault/vault.h"

struct progress;

struct progress *progress_new(void);	/* NULL without memory: then silent */
void progress_free(struct progress *p);	/* NULL is allowed, here and below */
void progress_silence(struct progress *p);	/* no bar and no lines; notices go on */

/* vault_monitor's two, with the progress as arg. */
void progress_show(void *progress, const struct vault_progress *now);
void progress_notice(void *progress, const char *sentence);

/* Around other output to the terminal: takes the bar away and keeps others out,
 * lets them in again. */
void progress_pause(struct progress *p);
void progress_resume(struct progress *p);
void progress_end(struct progress *p);	/* takes the bar away for good */

#endif
