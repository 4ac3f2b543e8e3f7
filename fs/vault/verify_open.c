/*
 * Opening an archive that may be damaged, piece by piece; what stands beside
 * store and catalogue.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/base/file.h"
#include "fs/base/team.h"
#include "fs/base/text.h"
#include "fs/vault/renewal_inside.h"
#include "fs/vault/verify_inside.h"

/* Verify keeps writers away while it looks; repair is one. */
static int take_lock(struct verify *k, struct err *e)
{
	if (archive_lock(k->v, k->options, e) == 0)
		return 0;
	if (k->is_repair || (e->code != MUNI_DAMAGED && e->code != MUNI_IO))
		return -1;
	if (e->code == MUNI_DAMAGED)
		verify_damage(k, false, ARCHIVE_LOCK, "%s", e->text);
	*e = ERR_NONE;
	return 0;
}

static int read_file(struct verify *k, struct archive_file *file, struct err *e)
{
	const char *what = NULL;

	if (archive_file_check(k->v->dirfd, k->is_repair && !k->v->is_folder_read_only, file,
			       &what, e) < 0)
		return -1;
	if (what != NULL)
		verify_damage(k, true, ARCHIVE_FILE, "%s", what);
	memcpy(k->v->id, file->id, sizeof k->v->id);
	memcpy(k->v->id_hex, file->id_hex, sizeof k->v->id_hex);
	return 0;
}

/* A keyring that is lost for good still lets the keyless checks run. */
static int unlock(struct verify *k, const struct archive_file *file, struct err *e)
{
	struct secrets secrets = { .list = NULL };
	struct vault *v = k->v;
	int rc;

	v->keyring_path = archive_keyring_path(v->path, file, &k->options->keys, e);
	if (v->keyring_path == NULL)
		return -1;
	rc = archive_unlock_keys(v, &k->options->keys, &secrets, e);
	secrets_free(&secrets);
	if (rc == 0)
		return 0;
	if (e->code != MUNI_DAMAGED || k->is_repair)
		return -1;
	verify_damage(k, false, v->keyring_path, "%s. Without a keyring nothing can be read: "
		      "bring it back from its backup", e->text);
	*e = ERR_NONE;
	return 0;
}

int verify_open(struct verify *k, const char *path, struct err *e)
{
	struct archive_file *file = NULL;
	struct vault *v = archive_new(path, k->options->now);
	int rc = -1;

	k->v = v;
	if (v == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory to open an archive");
	v->mode = k->is_repair ? VAULT_WRITE : VAULT_READ;
	if (k->threads == 0)
		k->threads = team_processors();
	v->dirfd = file_open_user(path, O_RDONLY | O_DIRECTORY, 0, e);
	if (v->dirfd < 0)
		return -1;
	v->is_folder_read_only = faccessat(v->dirfd, ".", W_OK, AT_EACCESS) < 0;
	if (v->is_folder_read_only && k->is_repair)
		return err_errno(e, "the archive's folder cannot be written");
	file = malloc(sizeof *file);
	if (file == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory to open an archive");
	/* The lock first: muniment.toml may be written. */
	if (take_lock(k, e) < 0 || read_file(k, file, e) < 0 || unlock(k, file, e) < 0)
		goto out;
	if (k->is_repair && objects_make_folder(v->dirfd, e) < 0)
		goto out;
	if (objects_open_folder(v->dirfd, k->is_repair, &v->objects, e) < 0 &&
	    (k->is_repair || verify_absorb(k, false, ARCHIVE_SEGMENTS, e) < 0))
		goto out;
	v->auditfd = file_open_dir(v->dirfd, ARCHIVE_AUDIT, e);
	if (v->auditfd < 0 && verify_absorb(k, false, ARCHIVE_AUDIT, e) < 0)
		goto out;
	if (v->auditfd >= 0 && v->keyring != NULL && archive_choose_epoch(v, e) < 0 &&
	    (k->is_repair || verify_absorb(k, false, "archive", e) < 0))
		goto out;
	rc = 0;
out:
	free(file);
	return rc;
}

void verify_close(struct verify *k)
{
	verify_contents_drop(k);
	verify_redo_drop(k);
	verify_seen_free(k);
	archive_release(k->v);
	verify_drop(&k->redo);
	free(k->runs);
	free(k->uncovered);
	free(k->mendable.ids);
	free(k->lost.ids);
}

int verify_keyring(struct verify *k, struct err *e)
{
	struct vault *v = k->v;
	bool is_damaged = false;
	char what[300];

	if (v->keyring == NULL)
		return 0;
	if (keyring_check(v->keyring_path, v->id, &is_damaged, what, sizeof what, e) < 0)
		return verify_absorb(k, false, v->keyring_path, e);
	if (!is_damaged)
		return 0;
	if (k->is_repair && keyring_rewrite(v->keyring, e) < 0)
		return err_wrap(e, "writing the keyring anew");
	verify_damage(k, true, text_printable(v->keyring_path), "%s", what);
	return 0;
}

int verify_certificate(struct verify *k, struct err *e)
{
	bool is_whole = false;

	if (k->v->keyring == NULL)
		return 0;
	if (vault_certificate_check(k->v, &is_whole, e) < 0)
		/* A repair does not get at it either. */
		return verify_absorb(k, !k->is_repair, ARCHIVE_CERTIFICATES "/archive.pem", e);
	if (is_whole)
		return 0;
	if (k->is_repair && vault_certificate_put(k->v, e) < 0)
		return err_wrap(e, "writing the archive's certificate anew");
	verify_damage(k, true, ARCHIVE_CERTIFICATES "/archive.pem",
		      "the archive's certificate is missing or not what was written");
	return 0;
}

/* ---- strangers ------------------------------------------------------------------ */

static bool is_catalogue_of(const char *name, uint64_t epoch)
{
	static const char *const ends[] = { "", "-wal", "-shm" };

	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		char ours[48];

		snprintf(ours, sizeof ours, "catalogue.%" PRIu64 "%s", epoch, ends[i]);
		if (strcmp(name, ours) == 0)
			return true;
	}
	return false;
}

/* "C12.p7m" and what lies beside it, "C12.2.tsr" too; "muni cert verify" vouches for these. */
static bool is_certificate(const char *name)
{
	static const char *const ends[] = { ".p7m", ".p7s", ".tsr", ".annex.json", ".marks" };
	size_t digits = name[0] == 'C' ? strspn(name + 1, "0123456789") : 0, more;

	for (size_t i = 0; digits > 0 && i < sizeof ends / sizeof *ends; i++)
		if (strcmp(name + 1 + digits, ends[i]) == 0)
			return true;
	if (digits == 0 || name[1 + digits] != '.')
		return false;
	more = strspn(name + 2 + digits, "0123456789");
	return more > 0 && strcmp(name + 2 + digits + more, ".tsr") == 0;
}

static bool is_ours(const struct verify *k, const char *folder, const char *name)
{
	static const char *const top[] = { ARCHIVE_FILE, ARCHIVE_FILE_COPY, ARCHIVE_LOCK,
		ARCHIVE_AUDIT, ARCHIVE_CERTIFICATES, ARCHIVE_CERTIFICATE_COPIES,
		ARCHIVE_SEGMENTS };
	static const char *const audit[] = { "log", "log.2", "heads", "heads.2" };
	const char *keyring;

	if (strcmp(folder, ARCHIVE_CERTIFICATES) == 0)
		return strcmp(name, "archive.pem") == 0 || is_certificate(name) ||
		       renewal_is_file(name);
	if (strcmp(folder, ARCHIVE_CERTIFICATE_COPIES) == 0)
		return is_certificate(name) || renewal_is_file(name);
	if (strcmp(folder, ARCHIVE_AUDIT) == 0) {
		for (size_t i = 0; i < sizeof audit / sizeof *audit; i++)
			if (strcmp(name, audit[i]) == 0)
				return true;
		return false;
	}
	for (size_t i = 0; i < sizeof top / sizeof *top; i++)
		if (strcmp(name, top[i]) == 0)
			return true;
	if (strcmp(name, "repair.new") == 0)
		return true;	/* what a crashed repair left; the next one removes it */
	keyring = k->v->keyring_path != NULL ? strrchr(k->v->keyring_path, '/') : NULL;
	if (keyring != NULL && strcmp(name, keyring + 1) == 0)
		return true;	/* allowed here, with a warning at init */
	return k->v->epoch > 0 && is_catalogue_of(name, k->v->epoch);
}

/* What a switch of epoch that was cut off leaves beside the catalogue. */
static bool is_of_switch(const struct verify *k, const char *name)
{
	uint64_t epoch = k->v->epoch;

	return archive_is_switching(k->v) && (is_catalogue_of(name, epoch + 1) ||
					      is_catalogue_of(name, epoch - 1));
}

static int look_through(struct verify *k, const char *folder, struct err *e)
{
	int fd = file_open_dir(k->v->dirfd, folder, e);
	struct dirent *d;
	DIR *stream;

	if (fd < 0) {
		*e = ERR_NONE;	/* told where it was missed */
		return 0;
	}
	stream = fdopendir(fd);
	if (stream == NULL) {
		file_close(&fd);
		return err_errno(e, "listing %s", folder);
	}
	while ((d = readdir(stream)) != NULL) {
		char where[600];

		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0 ||
		    is_ours(k, folder, d->d_name))
			continue;
		snprintf(where, sizeof where, "%s%s%.500s", strcmp(folder, ".") != 0 ? folder : "",
			 strcmp(folder, ".") != 0 ? "/" : "", text_printable(d->d_name));
		if (is_of_switch(k, d->d_name))
			verify_note(k, where, "a switch of epoch was interrupted; the next "
				    "command that writes ends it or takes it back");
		else
			verify_note(k, where, "this is no file of the archive's; nothing here "
				    "vouches for it");
	}
	closedir(stream);
	return 0;
}

static int tell_stranger(void *arg, const char *path)
{
	verify_note(arg, path, "this is no file of the archive's; nothing here vouches for it");
	return 0;
}

int verify_strangers(struct verify *k, struct err *e)
{
	static const char *const folders[] = { ".", ARCHIVE_AUDIT, ARCHIVE_CERTIFICATES,
		ARCHIVE_CERTIFICATE_COPIES };

	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
		if (look_through(k, folders[i], e) < 0)
			return -1;
	if (k->v->objects != NULL && objects_strangers(k->v->objects, tell_stranger, k, e) < 0)
		return verify_absorb(k, false, ARCHIVE_SEGMENTS, e);
	return 0;
}
