/*
 * muni-unpack: reads one archive of another format for `muni ingest` and `muni scan`,
 * behind a filter.  No command for people.  The archive is descriptor 0; what it says goes
 * to descriptor 1 (fs/vault/foreign_wire.h).
 */
#include <stdio.h>

#include "fs/base/err.h"
#include "fs/vault/foreign_child.h"
#include "fs/vault/foreign_spawn.h"

int main(int argc, char **argv)
{
	struct foreign_options options;
	struct err e = ERR_NONE;
	const char *name;

	if (foreign_heed(argc, argv, &name, &options, &e) < 0) {
		fprintf(stderr, "%s\n", e.text);
		return 2;
	}
	foreign_child(0, 1, name, &options);
}
