#include "fs/base/descriptors.h"

#include <limits.h>
#include <sys/resource.h>

unsigned descriptors_limit(void)
{
	struct rlimit most;

	if (getrlimit(RLIMIT_NOFILE, &most) < 0)
		return 0;
	return most.rlim_cur < UINT_MAX ? (unsigned)most.rlim_cur : UINT_MAX;
}

void descriptors_lift(unsigned wanted)
{
	struct rlimit most;

	if (getrlimit(RLIMIT_NOFILE, &most) < 0 || most.rlim_cur >= wanted)
		return;
	most.rlim_cur = most.rlim_max < wanted ? most.rlim_max : wanted;
	(void)setrlimit(RLIMIT_NOFILE, &most);	/* where it may not be: with fewer */
}
