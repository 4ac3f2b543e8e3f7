/*
 * Failures, problems and notices, from any thread; batches handed on.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/text.h"
#include "fs/vault/scan_inside.h"

#define SENTENCE_MAX 900	/* the catalogue keeps less than 1,000 bytes */

void scan_fail(struct scanning *s, const struct err *e)
{
	pthread_mutex_lock(&s->failure_lock);
	if (s->failure.code == MUNI_OK)
		s->failure = *e;
	pthread_mutex_unlock(&s->failure_lock);
	atomic_store(&s->is_stopped, true);
	queue_cancel(s->tasks);
	scan_flow_stop(s->flow);
}

static void fail_no_memory(struct scanning *s)
{
	struct err e = ERR_NONE;

	err_set(&e, MUNI_NO_MEMORY, "out of memory");
	scan_fail(s, &e);
}

void scan_pass_on(struct scanning *s, struct scan_batch *b)
{
	scan_flow_begin(s->flow);
	scan_flow_push(s->flow, b);
}

int scan_send(struct scanning *s, struct scan_batch *b, struct err *e)
{
	scan_flow_begin(s->flow);
	if (queue_push(s->tasks, b))
		return 0;
	scan_batch_free(b);
	return err_set(e, MUNI_CANCELLED, "stopped, because another part failed");
}

/* Not cut within a character. */
static void clip(char *sentence)
{
	size_t size = strlen(sentence);

	if (size <= SENTENCE_MAX)
		return;
	size = SENTENCE_MAX;
	while (size > 0 && ((unsigned char)sentence[size] & 0xc0) == 0x80)
		size--;
	sentence[size] = '\0';
}

static void report(struct scanning *s, enum scan_outcome outcome, const char *path,
		   size_t path_size, const char *format, va_list args)
{
	struct scan_item *i = scan_item_new(outcome, path, path_size);
	struct scan_batch *b = scan_batch_new();

	if (!i || !b || vasprintf(&i->text, format, args) < 0) {
		if (i)
			i->text = NULL;
		scan_item_free(i);
		scan_batch_free(b);
		fail_no_memory(s);	/* an item left out without a word: never */
		return;
	}
	clip(i->text);
	scan_batch_add(b, i);
	scan_pass_on(s, b);
}

void scan_problem(struct scanning *s, const char *path, size_t path_size,
		  const char *format, ...)
{
	va_list args;

	atomic_fetch_add(&s->problems, 1);
	va_start(args, format);
	report(s, SCAN_PROBLEM, path, path_size, format, args);
	va_end(args);
}

int scan_want(const char *path, size_t path_size, const char *what, int why, struct err *e)
{
	return err_is_want(why) ?
		err_want(e, why, "%.500s: %s", text_printable_n(path, path_size), what) : 0;
}

void scan_notice(struct scanning *s, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	report(s, SCAN_NOTICE, NULL, 0, format, args);
	va_end(args);
}
