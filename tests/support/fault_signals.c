/*
 * Preloaded: handlers without SA_RESTART for SIGURG and SIGWINCH, and a timer that sends
 * the first all the time, so that any system call may be interrupted.  Who has no handler yet,
 * just behind an exec, ignores both.
 * SIGNALS_US: microseconds between two; 0: no timer, others send.
 */
#include <signal.h>
#include <stdlib.h>
#include <time.h>

static void nothing(int number)
{
	(void)number;
}

__attribute__((constructor)) static void begin(void)
{
	const struct sigaction act = { .sa_handler = nothing };
	const char *text = getenv("SIGNALS_US");
	long pause = text ? strtol(text, NULL, 10) : 1000;
	const struct itimerspec often = { .it_interval = { .tv_nsec = pause * 1000 },
					  .it_value = { .tv_nsec = pause * 1000 } };
	struct sigevent alarm = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGURG };
	timer_t timer;

	sigaction(SIGURG, &act, NULL);
	sigaction(SIGWINCH, &act, NULL);
	/* Unlike setitimer()'s this one ends with exec, which the handlers do not survive. */
	if (pause > 0 && timer_create(CLOCK_MONOTONIC, &alarm, &timer) == 0)
		timer_settime(timer, 0, &often, NULL);
}
