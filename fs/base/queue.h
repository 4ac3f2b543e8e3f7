/*
 * A bounded queue of pointers between threads.
 *
 * Full: push waits.  Empty: pop waits.  After queue_close() pushes are refused
 * and pops drain what is left, then say so.  queue_cancel() wakes everybody at
 * once; what is left is handed to nobody until queue_free() gives it to `drop`.
 */
#ifndef FS_BASE_QUEUE_H
#define FS_BASE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

struct queue;

struct queue *queue_new(size_t capacity);	/* NULL without memory */
bool queue_push(struct queue *q, void *item);	/* false: closed or cancelled */
bool queue_pop(struct queue *q, void **item);	/* false: no more will come */
/* Would a push now be taken by somebody who waits for it?  A hint: it may be over already. */
bool queue_is_awaited(struct queue *q);
void queue_close(struct queue *q);
void queue_cancel(struct queue *q);
void queue_free(struct queue *q, void (*drop)(void *item));

#endif
