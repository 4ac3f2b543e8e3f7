#include "tests/fuzz/archive.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/vault/ingest.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/scratch.h"

#define NOW 1700000000
#define HOLED (300u << 10)

static char where[256], keyring[300], key_file[300], source[300];

static int64_t now(void)
{
	return NOW;
}

static void put(int folder, const char *name, size_t lines)
{
	size_t size = lines * strlen(ARCHIVE_TEXT);
	char *text = malloc(size + 1);

	MUST(text);
	for (size_t i = 0; i < lines; i++)
		memcpy(text + i * strlen(ARCHIVE_TEXT), ARCHIVE_TEXT, strlen(ARCHIVE_TEXT));
	scratch_put(folder, name, text, size);
	free(text);
}

static void make_source(int folder)
{
	char path[400];
	int fd;

	put(folder, "source/a.txt", 1);
	put(folder, "source/d/long.txt", 5000);
	put(folder, "source/d/e/empty", 0);
	for (int i = 0; i < 40; i++) {
		snprintf(path, sizeof path, "source/many/file %02d", i);
		put(folder, path, (size_t)i);
	}
	MUST(symlinkat("a.txt", folder, "source/link") == 0);
	MUST(linkat(folder, "source/a.txt", folder, "source/d/again", 0) == 0);
	MUST(mkfifoat(folder, "source/pipe", 0600) == 0);
	fd = openat(folder, "source/holes", O_WRONLY | O_CREAT, 0640);
	MUST(fd >= 0 && ftruncate(fd, HOLED) == 0);
	MUST(pwrite(fd, "middle", 6, HOLED / 2) == 6 && pwrite(fd, "end", 3, HOLED - 3) == 3);
	close(fd);
	snprintf(path, sizeof path, "%s/a.txt", source);
	(void)setxattr(path, "user.comment", "kept", 4, 0);	/* where the host can */
}

static void ingest(struct vault *v, const char *system)
{
	const struct ingest_options o = { .system = system, .threads = 1 };
	struct ingest_result result;
	struct err e = ERR_NONE;

	MUST(vault_ingest(v, source, &o, &(struct vault_monitor){ .arg = NULL }, &result,
			  &e) == 0);
}

void archive_make(enum vault_mode mode, struct vault **out)
{
	static const uint8_t key[32] = "thirty-two bytes of a key file.";
	struct vault_init_options init = { .now = now };
	struct vault_options o = { .now = now };
	int folder = scratch_folder();
	struct err e = ERR_NONE;
	char id[33], *path = NULL;
	bool inside;

	snprintf(where, sizeof where, "%s/archive", scratch_path());
	snprintf(keyring, sizeof keyring, "%s/keyring", scratch_path());
	snprintf(key_file, sizeof key_file, "%s/key", scratch_path());
	snprintf(source, sizeof source, "%s/source", scratch_path());
	scratch_put(folder, "key", key, sizeof key);
	make_source(folder);
	o.keys = (struct vault_keys){ .keyring = keyring, .key_file = key_file };
	init.keys = o.keys;
	MUST(vault_init(where, &init, id, &path, &inside, &e) == 0);
	free(path);
	MUST(vault_open(where, &o, VAULT_WRITE, out, &e) == 0);
	ingest(*out, "crm");
	ingest(*out, "erp");
	put(folder, "source/new", 3);
	MUST(unlinkat(folder, "source/many/file 07", 0) == 0);
	ingest(*out, "crm");
	scratch_put(folder, "archive/certificates/c-1.json", "{\"a\"}", 5);
	if (mode == VAULT_READ) {
		vault_close(*out);
		MUST(vault_open(where, &o, VAULT_READ, out, &e) == 0);
	}
	close(folder);
}
