/*
 * Making an archive.  muniment.toml comes last: until it is there, nothing is an
 * archive, and the mark (archive_clear.c) says what may be cleared away.
 */
#include "fs/vault/archive_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/base/text.h"
#include "fs/crypt/secret.h"
#include "fs/store/parity.h"
#include "fs/vault/archive_secrets.h"

#define BLOCK_SIZE_LEAST 4096u
#define LEVEL_DEFAULT 3
/* Who asks for small is in no hurry: docs/decisions/0132-levels-where-there-is-time.md. */
#define LEVEL_DENSE 19
#define BLOCK_SIZE_DENSE (128u * 1024)	/* larger ones have too few features to find bases by */
#define LEVEL_MAX 22

struct making {
	struct vault *v;
	struct archive_file about;
	struct secrets secrets;
	bool made_folder;
	int dirfd;		/* from the mark on: what the folder holds is ours */
	bool made_keyring;
	unsigned made_levels;	/* of folders above the keyring */
	bool is_inside;
};

/* ---- settings ------------------------------------------------------------------ */

static int settings_of(const struct vault_init_options *o, const uint8_t id[16],
		       struct catalogue_settings *s, struct err *e)
{
	*s = (struct catalogue_settings){
		.epoch = 1,
		.level = o->level ? o->level : o->dense ? LEVEL_DENSE : LEVEL_DEFAULT,
		.is_dense = o->dense,
		.chunk_names = CHUNK_NAMES_HASHED,
		.parity = { PARITY_DATA_DEFAULT, PARITY_COUNT_DEFAULT },
	};
	s->block_size = o->block_size ? o->block_size :
			o->dense ? BLOCK_SIZE_DENSE : block_size_default((int)s->level);
	memcpy(s->archive_id, id, 16);
	if (o->parity)
		s->parity = *o->parity;
	if (s->block_size < BLOCK_SIZE_LEAST || s->block_size > BLOCK_RAW_MAX)
		return err_set(e, MUNI_USAGE, "a block size of %u is not between %u and %u",
			       s->block_size, BLOCK_SIZE_LEAST, BLOCK_RAW_MAX);
	if (s->level > LEVEL_MAX)
		return err_set(e, MUNI_USAGE, "there is no compression level %u", s->level);
	if (s->parity.data < 1 || s->parity.data > 200 || s->parity.parity > 20)
		return err_set(e, MUNI_USAGE, "a parity of %u+%u is not between 1+0 and 200+20",
			       s->parity.data, s->parity.parity);
	return 0;
}

/* ---- the keyring's place ----------------------------------------------------------- */

/* mkdir; 0700 whatever the umask.  -1 with errno. */
static int make_private(const char *path)
{
	if (mkdir(path, 0700) < 0)
		return -1;
	return fchmodat(AT_FDCWD, path, 0700, AT_SYMLINK_NOFOLLOW);
}

/* mkdir -p for the default place alone: one that was named must be there. */
static int make_folders_of(const char *path, unsigned *made, struct err *e)
{
	char *copy = strdup(path), *folder;
	int rc = -1;

	if (!copy)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a path");
	folder = dirname(copy);
	for (char *p = folder + 1; ; p++) {
		char was = *p;

		if (was != '/' && was != '\0')
			continue;
		*p = '\0';
		if (make_private(folder) == 0) {
			++*made;
		} else if (errno != EEXIST) {
			err_errno(e, "making the folder %s for the keyring",
				  text_printable(folder));
			goto out;
		}
		*p = was;
		if (was == '\0')
			break;
	}
	rc = 0;
out:
	free(copy);
	return rc;
}

/* Cuts the path, which it may: a copy would need memory. */
static void unmake_folders_of(char *path, unsigned made)
{
	for (char *folder = path; made > 0; made--) {
		folder = dirname(folder);
		if (rmdir(folder) < 0)
			break;
	}
}

/* The path with links and dots of its folder resolved; malloc'ed. */
static char *absolute(const char *path, struct err *e)
{
	char *for_dir = strdup(path), *for_base = strdup(path);
	char *folder = NULL, *out = NULL;

	if (!for_dir || !for_base) {
		err_set(e, MUNI_NO_MEMORY, "no memory for a path");
		goto out;
	}
	folder = realpath(dirname(for_dir), NULL);
	if (!folder) {
		err_errno(e, "the folder of the keyring %s", text_printable(path));
		goto out;
	}
	if (asprintf(&out, "%s/%s", strcmp(folder, "/") == 0 ? "" : folder,
		     basename(for_base)) < 0) {
		out = NULL;
		err_set(e, MUNI_NO_MEMORY, "no memory for a path");
	}
out:
	free(folder);
	free(for_dir);
	free(for_base);
	return out;
}

/* Absolute, or relative where it lies in the archive: it then moves with it. */
static int place_keyring(struct making *m, const char *path, const char *given,
			 struct err *e)
{
	char *wanted = given ? strdup(given) : vault_default_keyring(m->about.id_hex);
	char *home = realpath(path, NULL);
	size_t size = home ? strlen(home) : 0;
	const char *recorded;
	int rc = -1;

	if (!wanted || !home) {
		err_errno(e, "finding a place for the keyring");
		goto out;
	}
	if (!given && make_folders_of(wanted, &m->made_levels, e) < 0)
		goto out;
	m->v->keyring_path = absolute(wanted, e);
	if (!m->v->keyring_path)
		goto out;
	recorded = m->v->keyring_path;
	if (strncmp(recorded, home, size) == 0 && recorded[size] == '/') {
		m->is_inside = true;
		recorded += size + 1;
	}
	if (strlen(recorded) >= sizeof m->about.keyring) {
		err_set(e, MUNI_LIMIT, "the keyring's path is too long");
		goto out;
	}
	memcpy(m->about.keyring, recorded, strlen(recorded) + 1);
	rc = 0;
out:
	free(wanted);
	free(home);
	return rc;
}

/* ---- the parts ------------------------------------------------------------------------ */

/* Whose the folder is can change what stands in it. */
static int require_own(int dirfd, const char *path, struct err *e)
{
	struct stat st;

	if (fstat(dirfd, &st) < 0)
		return err_errno(e, "looking at the folder %s", text_printable(path));
	if (st.st_uid == geteuid())
		return 0;
	return err_set(e, MUNI_EXISTS, "the folder %s belongs to user %ld: an archive's folder "
		       "is its maker's; `chown` it first, or name one that is not there yet",
		       text_printable(path), (long)st.st_uid);
}

/* The new folder's name, where it stands: all that is synced in it hangs on that. */
static int sync_name(const char *path, struct err *e)
{
	char *copy = strdup(path);
	int fd, rc;

	if (!copy)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a path");
	fd = file_open_user(dirname(copy), O_RDONLY | O_DIRECTORY, 0, e);
	rc = fd < 0 ? -1 : file_sync_dir(fd, e);
	file_close(&fd);
	free(copy);
	/* A folder that may be written in but not read cannot be synced. */
	return rc < 0 && e->sys != EACCES ? -1 : 0;
}

/* A link in the folder's place may be somebody else's, and lead to a folder that the user has
 * for something else. */
static int open_itself(const char *path, struct err *e)
{
	int fd = file_open_user(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, e);
	struct stat st;

	if (fd >= 0 || lstat(path, &st) < 0 || !S_ISLNK(st.st_mode))
		return fd;
	return err_set(e, MUNI_EXISTS, "%s is a symbolic link: an archive is made in the folder "
		       "that is named; name the one that it leads to", text_printable(path));
}

static int open_folder(struct making *m, const char *path, struct err *e)
{
	struct vault *v = m->v;

	if (make_private(path) == 0)
		m->made_folder = true;
	else if (errno != EEXIST)
		return err_errno(e, "making the folder %s", text_printable(path));
	v->dirfd = open_itself(path, e);
	if (v->dirfd < 0)
		return -1;
	if (archive_require_empty(path, v->dirfd, e) < 0 || require_own(v->dirfd, path, e) < 0)
		return -1;
	if (fchmod(v->dirfd, 0700) < 0)
		return err_errno(e, "setting the mode of %s", text_printable(path));
	return m->made_folder ? sync_name(path, e) : 0;
}

static int make_keyring(struct making *m, struct err *e)
{
	struct vault *v = m->v;
	struct keyring *k;

	if (keyring_create(v->keyring_path, v->id, m->secrets.list, m->secrets.count,
			   vault_now(v), &k, e) < 0)
		return -1;
	m->made_keyring = true;
	return archive_take_keyring(v, k, e);
}

static int make_store(struct vault *v, const struct catalogue_settings *s, struct err *e)
{
	if (archive_lock(v, NULL, e) < 0 ||
	    file_make_dir(v->dirfd, ARCHIVE_AUDIT, 0700, e) < 0)
		return -1;
	v->auditfd = file_open_dir(v->dirfd, ARCHIVE_AUDIT, e);
	if (v->auditfd < 0 || objects_make_folder(v->dirfd, e) < 0 ||
	    objects_open_folder(v->dirfd, true, &v->objects, e) < 0 ||
	    catalogue_create(v->dirfd, v->epoch, v->key_id, &v->catalogue, e) < 0 ||
	    log_create(v->auditfd, &v->log, e) < 0 ||
	    vault_certificate_put(v, e) < 0)
		return -1;
	if (catalogue_begin(v->catalogue, e) < 0)
		return -1;
	if (catalogue_settings_put(v->catalogue, s, e) < 0) {
		catalogue_rollback(v->catalogue);
		return -1;
	}
	return 0;
}

static int log_init(struct making *m, const struct catalogue_settings *s, struct err *e)
{
	char details[200];

	snprintf(details, sizeof details,
		 "{\"block_size\":%u,\"dense\":%s,\"format\":%d,\"keyring_inside\":%s,\"level\":%u,"
		 "\"parity\":\"%u+%u\"}", s->block_size, s->is_dense ? "true" : "false", MUNIMENT_FORMAT,
		 m->is_inside ? "true" : "false", s->level, s->parity.data, s->parity.parity);
	return vault_commit_act(m->v, LOG_INIT, details, e);
}

static int make(struct making *m, const char *path, const struct vault_init_options *o,
		struct err *e)
{
	struct catalogue_settings s;
	struct vault *v = m->v;

	if (random_bytes(v->id, sizeof v->id, e) < 0 || settings_of(o, v->id, &s, e) < 0)
		return -1;
	text_hex(v->id, sizeof v->id, v->id_hex);
	memcpy(m->about.id, v->id, sizeof v->id);
	memcpy(m->about.id_hex, v->id_hex, sizeof v->id_hex);
	/* Nothing is touched before the secrets are there: a prompt may end it. */
	if (secrets_to_make(&o->keys, o->recipients, o->recipient_count, &m->secrets, e) < 0 ||
	    open_folder(m, path, e) < 0 ||
	    place_keyring(m, path, o->keys.keyring, e) < 0)
		return -1;
	/* Its own, and now: later there may be none, nor any memory. */
	m->dirfd = fcntl(v->dirfd, F_DUPFD_CLOEXEC, 0);
	if (m->dirfd < 0)
		return err_errno(e, "opening the folder %s", text_printable(path));
	if (archive_mark_write(v->dirfd, &m->about, e) < 0)
		return -1;
	if (make_keyring(m, e) < 0 ||
	    make_store(v, &s, e) < 0 ||
	    log_init(m, &s, e) < 0 ||
	    archive_file_write(v->dirfd, &m->about, e) < 0)
		return -1;
	return archive_mark_remove(v->dirfd, e);
}

/* As if nothing had been: also where the disk is full, or memory is. */
static void unmake(struct making *m, const char *path)
{
	struct err ignored = ERR_NONE;
	char *keyring = m->v->keyring_path;
	uint8_t id[16];

	m->v->keyring_path = NULL;
	memcpy(id, m->v->id, sizeof id);
	archive_release(m->v);	/* first: it writes as it closes */
	m->v = NULL;
	if (keyring && m->made_keyring) {
		unlink(keyring);
		(void)anchor_remove(keyring, id, &ignored);
	}
	if (keyring)
		unmake_folders_of(keyring, m->made_levels);
	if (m->dirfd >= 0)
		archive_clear(m->dirfd);
	if (m->made_folder)
		rmdir(path);
	free(keyring);
}

int vault_init(const char *path, const struct vault_init_options *o, char id_hex[33],
	       char **keyring_path, bool *keyring_inside, struct err *e)
{
	struct making m = { .v = archive_new(path, o->now), .dirfd = -1 };
	int rc;

	*keyring_path = NULL;
	*keyring_inside = false;
	id_hex[0] = '\0';
	if (!m.v)
		return err_set(e, MUNI_NO_MEMORY, "no memory to make an archive");
	m.v->mode = VAULT_WRITE;
	secret_forbid_cores();
	rc = make(&m, path, o, e);
	if (rc == 0) {
		memcpy(id_hex, m.v->id_hex, 33);
		*keyring_path = m.v->keyring_path;
		*keyring_inside = m.is_inside;
		m.v->keyring_path = NULL;
		vault_close(m.v);
	} else {
		unmake(&m, path);
		err_wrap(e, "making an archive in %s", text_printable(path));
	}
	file_close(&m.dirfd);
	secrets_free(&m.secrets);
	return rc;
}
