/*
 * muni-examine: looks into files for `muni scan`, behind a filter.  No command
 * for people.
 */
#include <stdio.h>

int main(void)
{
	fputs("muni-examine is started by `muni scan`, not by hand\n", stderr);
	return 2;
}
