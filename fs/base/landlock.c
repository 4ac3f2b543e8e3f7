#include "fs/base/landlock.h"

#include <linux/landlock.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel's struct, which grew: files, then (version 4) ports, then (version 6) abstract
 * sockets and signals. */
struct rules {
	uint64_t files, ports, scopes;
};

#define PORTS_ALL 3u		/* bind, connect */
#define SCOPES_ALL 3u		/* abstract sockets, signals */

/* By version of the interface: the last right to files that it knows. */
static uint64_t rights_of(long version)
{
	unsigned last = version >= 5 ? 15 : version >= 3 ? 14 : version >= 2 ? 13 : 12;

	return ((uint64_t)2 << last) - 1;
}

int landlock_begin(uint64_t *rights)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0,
			       LANDLOCK_CREATE_RULESET_VERSION);
	struct rules all = { .ports = PORTS_ALL, .scopes = SCOPES_ALL };
	size_t size = version >= 6 ? sizeof all :
		      version >= 4 ? offsetof(struct rules, scopes) : offsetof(struct rules, ports);

	*rights = version < 1 ? 0 : rights_of(version);
	if (version < 1)
		return -1;
	all.files = *rights;
	return (int)syscall(SYS_landlock_create_ruleset, &all, size, 0);
}

int landlock_allow(int ruleset, uint64_t known, int fd, uint64_t rights)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = rights & known,
						   .parent_fd = fd };

	return (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}

int landlock_close(int ruleset)
{
	return (int)syscall(SYS_landlock_restrict_self, ruleset, 0);
}
