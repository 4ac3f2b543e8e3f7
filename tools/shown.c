#include "tools/shown.h"

int shown_open(struct cli *cli, const char *path, struct vault **out, struct err *e)
{
	return cli_open(cli, path, cli->restricted ? VAULT_WRITE : VAULT_READ, out, e);
}

int shown_begin(struct cli *cli, struct vault *v, const struct version *version,
		const struct version *other, char *const *paths, int path_count,
		struct barred *out, struct err *e)
{
	const struct barred_use use = {
		.command = cli->command->name,
		.system = version->system_name,
		.version = version->label,
		.other_version = other ? other->label : NULL,
		.paths = paths,
		.path_count = path_count > 0 ? (size_t)path_count : 0,
		.reason = cli->restricted,
	};

	*out = (struct barred){ .classes = NULL };
	if (!cli->restricted)
		return barred_read(vault_catalogue(v), out, e);
	for (int i = 0; i < path_count; i++)
		if (cli_path(paths[i], e) < 0)
			return -1;
	return barred_log_use(v, &use, e);
}
