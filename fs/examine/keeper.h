/*
 * The keeper of workers: what muni-examine does once its door is closed.  It
 * forks a worker for each request, ends and reaps it when it is told to, and never
 * sees a byte of a file.
 */
#ifndef FS_EXAMINE_KEEPER_H
#define FS_EXAMINE_KEEPER_H

struct inbox;
struct looker;

/* Until control is closed; never returns.  Workers die with this process. */
_Noreturn void keeper_run(struct looker *k, struct inbox *control);

#endif
