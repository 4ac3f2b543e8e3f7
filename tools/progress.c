#include "tools/progress.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "fs/base/text.h"

#define BAR_EVERY 0.1		/* seconds */
#define LINE_EVERY 5.0
#define RATE_OVER 4.0		/* the rate is smoothed over about so many seconds */

struct progress {
	pthread_mutex_t lock;
	/* all below: protected by lock */
	bool is_terminal;
	bool is_silent;
	bool is_drawn;		/* a bar stands on the terminal's line */
	char stage[32];		/* a new stage starts the clock anew */
	double started;
	double shown;		/* when something was shown last */
	double measured;	/* when the rate was taken last */
	uint64_t measured_bytes;
	double rate;		/* bytes a second */
};

static double seconds_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct progress *progress_new(void)
{
	struct progress *p = calloc(1, sizeof *p);
	const char *terminal = getenv("TERM");

	if (p == NULL)
		return NULL;
	pthread_mutex_init(&p->lock, NULL);
	p->is_terminal = isatty(STDERR_FILENO) == 1 &&
			 (terminal == NULL || strcmp(terminal, "dumb") != 0);
	return p;
}

void progress_free(struct progress *p)
{
	if (p == NULL)
		return;
	progress_end(p);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

void progress_silence(struct progress *p)
{
	if (p == NULL)
		return;
	pthread_mutex_lock(&p->lock);
	p->is_silent = true;
	pthread_mutex_unlock(&p->lock);
}

static void clear_bar(struct progress *p)
{
	if (!p->is_drawn)
		return;
	fputs("\r\033[K", stderr);
	fflush(stderr);
	p->is_drawn = false;
}

static void measure(struct progress *p, const struct vault_progress *now, double t)
{
	double gone = t - p->measured, latest;

	if (strncmp(p->stage, now->stage, sizeof p->stage - 1) != 0 ||
	    now->bytes_done < p->measured_bytes) {
		snprintf(p->stage, sizeof p->stage, "%s", now->stage);
		p->started = p->measured = t;
		p->measured_bytes = now->bytes_done;
		p->rate = 0;
		return;
	}
	if (gone < 0.25)
		return;
	latest = (double)(now->bytes_done - p->measured_bytes) / gone;
	p->rate = p->rate > 0 ? p->rate + (latest - p->rate) * (gone / (gone + RATE_OVER))
			      : latest;
	p->measured = t;
	p->measured_bytes = now->bytes_done;
}

/* Of the work, by bytes where their sum is known, else by items; -1: unknown. */
static double share_done(const struct vault_progress *now)
{
	double share = -1;

	if (now->bytes_total > 0)
		share = (double)now->bytes_done / (double)now->bytes_total;
	else if (now->items_total > 0)
		share = (double)now->items_done / (double)now->items_total;
	return share > 1 ? 1 : share;
}

static void clock_text(double seconds, char out[24])
{
	unsigned long s = seconds < 359999 ? (unsigned long)seconds : 359999;

	if (s >= 3600)
		snprintf(out, 24, "%lu:%02lu:%02lu", s / 3600, s / 60 % 60, s % 60);
	else
		snprintf(out, 24, "%lu:%02lu", s / 60, s % 60);
}

/* "1.2 GiB of 2.8 GiB  312.0 MiB/s  12,345 files  0:42 left" */
static void facts_text(const struct progress *p, const struct vault_progress *now,
		       double t, char *out, size_t size)
{
	char done[TEXT_SIZE_MAX], total[TEXT_SIZE_MAX + 4] = "", rate[TEXT_SIZE_MAX];
	char files[TEXT_COUNT_MAX], all[TEXT_COUNT_MAX + 4] = "", when[24], problems[48] = "";
	double share = share_done(now), gone = t - p->started;
	bool has_estimate = share > 0.001 && gone > 1;

	text_size(now->bytes_done, done);
	text_size(p->rate > 0 ? (uint64_t)p->rate : 0, rate);
	text_count(now->items_done, files);
	if (now->bytes_total > 0) {
		memcpy(total, " of ", 4);
		text_size(now->bytes_total, total + 4);
	}
	if (now->items_total > 0) {
		memcpy(all, " of ", 4);
		text_count(now->items_total, all + 4);
	}
	if (now->problems > 0)
		snprintf(problems, sizeof problems, "  %llu problem%s",
			 (unsigned long long)now->problems, now->problems == 1 ? "" : "s");
	clock_text(has_estimate ? gone / share - gone : gone, when);
	snprintf(out, size, "%s%s  %s/s  %s%s files%s  %s%s", done, total, rate, files, all,
		 problems, when, has_estimate ? " left" : "");
}

static unsigned terminal_width(void)
{
	struct winsize w;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &w) < 0 || w.ws_col < 20)
		return 80;
	return w.ws_col;
}

static void draw_bar(struct progress *p, const struct vault_progress *now,
		     const char *facts)
{
	enum { WIDEST = 30 };
	char bar[WIDEST + 16] = "", line[512];
	double share = share_done(now);
	size_t width = terminal_width(), fixed;

	fixed = strlen(p->stage) + strlen(facts) + 13;	/* "  [] 100 %  " and a column */
	if (share >= 0 && width > fixed + 5) {
		size_t cells = width - fixed < WIDEST ? width - fixed : WIDEST;
		size_t full = (size_t)(share * (double)cells);
		char *b = bar;

		*b++ = '[';
		for (size_t i = 0; i < cells; i++)
			*b++ = i < full ? '=' : i == full ? '>' : ' ';
		snprintf(b, 12, "] %3u %%  ", (unsigned)(share * 100));
	}
	snprintf(line, sizeof line, "%s  %s%s", p->stage, bar, facts);
	/* All of it is ASCII: bytes are columns.  Never into the last one. */
	fprintf(stderr, "\r\033[K%.*s", (int)(width - 1), line);
	fflush(stderr);
	p->is_drawn = true;
}

void progress_show(void *progress, const struct vault_progress *now)
{
	struct progress *p = progress;
	double t = seconds_now();
	char facts[320];

	if (p == NULL)
		return;
	pthread_mutex_lock(&p->lock);
	measure(p, now, t);
	if (p->is_silent)
		goto out;
	/* The first plain line comes after the first few seconds. */
	if (p->shown <= 0 && !p->is_terminal)
		p->shown = t;
	if (t - p->shown < (p->is_terminal ? BAR_EVERY : LINE_EVERY))
		goto out;
	p->shown = t;
	facts_text(p, now, t, facts, sizeof facts);
	if (p->is_terminal)
		draw_bar(p, now, facts);
	else
		fprintf(stderr, "%s: %s\n", p->stage, facts);
out:
	pthread_mutex_unlock(&p->lock);
}

void progress_notice(void *progress, const char *sentence)
{
	progress_pause(progress);
	fprintf(stderr, "muni: %s\n", sentence);
	progress_resume(progress);
}

void progress_pause(struct progress *p)
{
	if (p == NULL)
		return;
	pthread_mutex_lock(&p->lock);
	clear_bar(p);
}

void progress_resume(struct progress *p)
{
	if (p != NULL)
		pthread_mutex_unlock(&p->lock);
}

void progress_end(struct progress *p)
{
	progress_pause(p);
	progress_resume(p);
}
