#include "fs/vault/archive_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/base/text.h"
#include "fs/crypt/digest.h"
#include "fs/vault/vault.h"

#define FILE_SIZE_MAX (16 * 1024)
#define CHECK_LINE "check = \""
#define CHECK_LINE_SIZE (sizeof CHECK_LINE - 1 + 2 * DIGEST_SIZE + 2)	/* with "\n */

/* ---- writing ------------------------------------------------------------------ */

/* As a basic string of TOML; refuses what would need more than \" and \\. */
static int quote(const char *text, char *out, size_t size, struct err *e)
{
	size_t used = 0;

	if (!text_is_utf8(text, strlen(text)))
		return err_set(e, MUNI_USAGE, "the keyring's path %s is not UTF-8: choose "
			       "another", text_printable(text));
	for (; *text; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return err_set(e, MUNI_USAGE, "the keyring's path has control "
				       "characters: choose another");
		if (used + 3 > size)
			return err_set(e, MUNI_LIMIT, "the keyring's path is too long");
		if (*text == '"' || *text == '\\')
			out[used++] = '\\';
		out[used++] = *text;
	}
	out[used] = '\0';
	return 0;
}

static int render(const struct archive_file *a, char *out, size_t size, struct err *e)
{
	char path[2 * ARCHIVE_KEYRING_MAX];
	char hex[DIGEST_HEX_SIZE];
	struct digest d;
	int n;

	if (quote(a->keyring, path, sizeof path, e) < 0)
		return -1;
	n = snprintf(out, size,
		     "# A muniment archive.  The last line is a checksum over all before it.\n"
		     "format = %d\n"
		     "id = \"%s\"\n"
		     "keyring = \"%s\"\n", MUNIMENT_FORMAT, a->id_hex, path);
	if (n < 0 || (size_t)n + CHECK_LINE_SIZE >= size)
		return err_set(e, MUNI_LIMIT, "the keyring's path is too long");
	d = digest_of(out, (size_t)n);
	digest_hex(&d, hex);
	snprintf(out + n, size - (size_t)n, "%s%s\"\n", CHECK_LINE, hex);
	return 0;
}

static int write_as(int dirfd, const struct archive_file *a, const char *const *names,
		    size_t count, struct err *e)
{
	char *text = malloc(FILE_SIZE_MAX);
	int rc = -1;

	if (!text)
		return err_set(e, MUNI_NO_MEMORY, "no memory to write %s", names[0]);
	if (render(a, text, FILE_SIZE_MAX, e) < 0)
		goto out;
	for (size_t i = 0; i < count; i++)
		if (file_replace_synced(dirfd, names[i], text, strlen(text), 0400, e) < 0)
			goto out;
	rc = 0;
out:
	free(text);
	return rc;
}

int archive_file_write(int dirfd, const struct archive_file *a, struct err *e)
{
	/* The copy first: what has the name is the mark of a whole archive. */
	static const char *const names[] = { ARCHIVE_FILE_COPY, ARCHIVE_FILE };

	return write_as(dirfd, a, names, 2, e);
}

int archive_mark_write(int dirfd, const struct archive_file *a, struct err *e)
{
	static const char *const names[] = { ARCHIVE_MARK };

	return write_as(dirfd, a, names, 1, e);
}

/* ---- reading ------------------------------------------------------------------ */

static int damaged(const char *name, const char *what, struct err *e)
{
	return err_set(e, MUNI_DAMAGED, "%s is damaged (%s); \"muni repair\" mends it from its "
		       "copy if that is whole", name, what);
}

/* True, and the text cut before it, if the last line is a check that holds. */
static bool holds_check(char *text, size_t size)
{
	struct digest d;
	char hex[DIGEST_HEX_SIZE];
	char *line;

	if (size < CHECK_LINE_SIZE || strlen(text) != size)
		return false;
	line = text + size - CHECK_LINE_SIZE;
	d = digest_of(text, size - CHECK_LINE_SIZE);
	digest_hex(&d, hex);
	if (line > text && line[-1] != '\n')
		return false;
	if (strncmp(line, CHECK_LINE, sizeof CHECK_LINE - 1) != 0 ||
	    memcmp(line + sizeof CHECK_LINE - 1, hex, sizeof hex - 1) != 0 ||
	    strcmp(text + size - 2, "\"\n") != 0)
		return false;
	*line = '\0';
	return true;
}

/* "key = 12" or "key = \"text\"" as written by render(); the value is unquoted
 * in place. */
static bool split(char *line, char **key, char **value, bool *is_text)
{
	char *equals = strstr(line, " = "), *to;

	if (!equals)
		return false;
	*equals = '\0';
	*key = line;
	*value = equals + 3;
	*is_text = **value == '"';
	if (!*is_text)
		return **value != '\0' && strspn(*value, "0123456789") == strlen(*value);
	to = ++*value;
	for (char *from = to; *from; from++) {
		if (*from == '"') {
			*to = '\0';
			return from[1] == '\0';
		}
		if (*from == '\\' && *++from != '"' && *from != '\\')
			return false;
		*to++ = *from;
	}
	return false;
}

static bool take(struct archive_file *a, unsigned *seen, const char *key, char *value,
		 bool is_text, unsigned long *format)
{
	enum { FORMAT = 1, ID = 2, KEYRING = 4 };
	unsigned which = 0;

	if (strcmp(key, "format") == 0 && !is_text && strlen(value) < 10) {
		which = FORMAT;
		*format = strtoul(value, NULL, 10);
	} else if (strcmp(key, "id") == 0 && is_text && strlen(value) == 32 &&
		   text_unhex(value, a->id, sizeof a->id) == 0) {
		which = ID;
		text_hex(a->id, sizeof a->id, a->id_hex);
	} else if (strcmp(key, "keyring") == 0 && is_text && *value &&
		   strlen(value) < sizeof a->keyring) {
		which = KEYRING;
		memcpy(a->keyring, value, strlen(value) + 1);
	}
	if (which == 0 || (*seen & which))
		return false;
	*seen |= which;
	return true;
}

/* The newer format first: what else stands in such a file is not ours to judge. */
static int parse(const char *name, char *text, struct archive_file *out, struct err *e)
{
	unsigned long format = 0;
	unsigned seen = 0;
	bool is_known = true;
	char *rest = NULL;

	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		char *key, *value;
		bool is_text;

		if (*line == '#')
			continue;
		if (!split(line, &key, &value, &is_text) ||
		    !take(out, &seen, key, value, is_text, &format))
			is_known = false;
	}
	if (format > MUNIMENT_FORMAT)
		return err_set(e, MUNI_FORMAT, "the archive is of format %lu, made by a newer "
			       "muniment; this one reads format %d: install the newer one",
			       format, MUNIMENT_FORMAT);
	if (!is_known || format < 1 || seen != 7)
		return damaged(name, "it does not parse", e);
	return 0;
}

static int read_one(int dirfd, const char *name, struct archive_file *out, struct err *e)
{
	uint8_t *data;
	size_t size;
	int rc;

	*out = (struct archive_file){ .keyring = "" };
	if (file_load(dirfd, name, FILE_SIZE_MAX, &data, &size, e) < 0) {
		if (e->code == MUNI_LIMIT || e->code == MUNI_DAMAGED)
			return damaged(name, "it is not what was written", e);
		return -1;
	}
	if (!holds_check((char *)data, size))
		rc = damaged(name, "its checksum does not hold", e);
	else
		rc = parse(name, (char *)data, out, e);
	free(data);
	return rc;
}

int archive_mark_read(int dirfd, struct archive_file *out, struct err *e)
{
	return read_one(dirfd, ARCHIVE_MARK, out, e);
}

/* Which of the two belongs here, only a person can say. */
static int refuse_two(const struct archive_file *a, const struct archive_file *b,
		      struct err *e)
{
	if (memcmp(a->id, b->id, sizeof a->id) == 0)
		return 0;
	return err_set(e, MUNI_DAMAGED, ARCHIVE_FILE " is of the archive %s, its copy "
		       ARCHIVE_FILE_COPY " of %s: one of them was put here from elsewhere; "
		       "copy the right one over it", a->id_hex, b->id_hex);
}

int archive_file_read(int dirfd, struct archive_file *out, struct err *e)
{
	struct archive_file copy;
	struct err second = ERR_NONE;
	bool has_copy = read_one(dirfd, ARCHIVE_FILE_COPY, &copy, &second) == 0;

	if (read_one(dirfd, ARCHIVE_FILE, out, e) == 0)
		return has_copy ? refuse_two(out, &copy, e) : 0;
	if (e->code != MUNI_NOT_FOUND)
		return -1;
	if (has_copy)
		return damaged(ARCHIVE_FILE, "it is missing", e);
	return err_set(e, MUNI_NOT_FOUND, "there is no muniment archive here (no %s)",
		       ARCHIVE_FILE);
}

int archive_file_check(int dirfd, bool is_mending, struct archive_file *out,
		       const char **what, struct err *e)
{
	struct archive_file copy;
	struct err second = ERR_NONE;
	bool has_copy = read_one(dirfd, ARCHIVE_FILE_COPY, &copy, &second) == 0;

	*what = NULL;
	if (read_one(dirfd, ARCHIVE_FILE, out, e) == 0) {
		if (has_copy && refuse_two(out, &copy, e) < 0)
			return -1;
		if (has_copy && strcmp(out->keyring, copy.keyring) == 0)
			return 0;
		*what = ARCHIVE_FILE_COPY " is damaged or missing";
	} else if (has_copy && e->code != MUNI_FORMAT && e->code != MUNI_IO) {
		*out = copy;
		*what = ARCHIVE_FILE " is damaged or missing";
	} else if (e->code == MUNI_DAMAGED) {
		return err_set(e, MUNI_DAMAGED, ARCHIVE_FILE " and its copy are both damaged: "
			       "bring one of them back from a backup; nothing else was "
			       "looked at");
	} else {
		return -1;
	}
	*e = ERR_NONE;
	return is_mending ? archive_file_write(dirfd, out, e) : 0;
}
