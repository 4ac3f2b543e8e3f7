#include <dirent.h>
#include <fcntl.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/crypt/secret.h"
#include "fs/vault/archive_inside.h"

#define FIRST_PART ((uint64_t)2 << 20)	/* of a catalogue: its schema, the tops of its trees */
#define LAST_PART ((uint64_t)64 << 10)		/* of a log: its newest entry and head */

static void expect_last(int folder, const char *name)
{
	struct err ignored = ERR_NONE;
	int fd = file_open(folder, name, O_RDONLY, 0, &ignored);
	uint64_t size;

	if (fd < 0)
		return;
	if (file_size(fd, &size, &ignored) == 0)
		file_expect(fd, size > LAST_PART ? size - LAST_PART : 0, LAST_PART);
	file_close(&fd);
}

static void expect_folder(int archive, const char *folder, const char *const *names)
{
	struct err ignored = ERR_NONE;
	int fd = file_open_dir(archive, folder, &ignored);

	for (; fd >= 0 && *names; names++)
		expect_last(fd, *names);
	file_close(&fd);
}

/* Two of them while an epoch switches; -shm and -wal belong to them. */
static void expect_catalogues(int archive)
{
	struct err ignored = ERR_NONE;
	int fd = file_open_dir(archive, ".", &ignored);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *d;

	if (!dir) {
		file_close(&fd);
		return;
	}
	while ((d = readdir(dir))) {
		fd = archive_catalogue_epoch(d->d_name) == 0 ? -1 :
		     file_open(archive, d->d_name, O_RDONLY, 0, &ignored);
		if (fd >= 0)
			file_expect(fd, 0, FIRST_PART);
		file_close(&fd);
	}
	closedir(dir);
}

/* In the order in which opening comes to them. */
void vault_expect(const char *path, const struct vault_keys *keys)
{
	static const char *const certificates[] = { ARCHIVE_PEM, NULL };
	static const char *const logs[] = { "log", "log.2", "heads", "heads.2", NULL };
	struct err ignored = ERR_NONE;

	secret_expect_library();
	if (keys->key_file)
		file_expect_user(keys->key_file);
	if (keys->keyring)
		file_expect_user(keys->keyring);
	int archive = file_open_user(path, O_RDONLY | O_DIRECTORY, 0, &ignored);
	if (archive < 0)
		return;
	expect_folder(archive, ARCHIVE_CERTIFICATES, certificates);
	expect_folder(archive, ARCHIVE_AUDIT, logs);
	expect_catalogues(archive);
	file_close(&archive);
}
