/*
 * Preloaded: handlers without SA_RESTART for SIGALRM, SIGUSR1 and SIGWINCH, and a timer
 * that sends the first all the time, so that any system call may be interrupted.
 * SIGNALS_US: microseconds between two; 0: no timer, others send.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>

static void nothing(int number)
{
	(void)number;
}

__attribute__((constructor)) static void begin(void)
{
	const struct sigaction act = { .sa_handler = nothing };
	const char *text = getenv("SIGNALS_US");
	long pause = text ? strtol(text, NULL, 10) : 1000;
	const struct itimerval often = { .it_interval = { .tv_usec = pause },
					 .it_value = { .tv_usec = pause } };

	sigaction(SIGALRM, &act, NULL);
	sigaction(SIGUSR1, &act, NULL);
	sigaction(SIGWINCH, &act, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
}
