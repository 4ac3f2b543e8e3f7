/*
 * What an identifier says of its value: its words are parted at "_", "-", "." and
 * changes of case, and looked up.
 */
#include <string.h>

#include "policy/detect/assignment.h"
#include "policy/detect/detect.h"

enum { PARTS_MAX = 12, PART_MAX = 32 };

struct parts {
	char words[PARTS_MAX][PART_MAX + 1];	/* lower case, digits at the end cut off */
	size_t count;
	size_t last;		/* the first of the last piece: "row/api_key", "row api_key" */
};

static const char *const passwords[] = {
	"password", "passwords", "passwd", "passwort", "passphrase", "passcode", "pwd", "pass",
	"pw", "psw", "pswd", "kennwort", "senha", "contraseña", "contrasena", "requirepass",
	"masterauth", "密码", "密碼", "口令", "パスワード", "비밀번호", "userpass", "dbpass",
	"sshpass", "ftppass", "rootpass", "adminpass", "userpw", "rootpw", "dbpw", "psk", NULL,
};

/* Words that end in these are passwords too: "dbpassword", "userpwd". */
static const char *const password_ends[] = { "password", "passwd", "passphrase", "pwd", NULL };

/* What may follow without making it something else. */
static const char *const still_the_value[] = {
	"value", "text", "plain", "plaintext", "clear", "string", "str", "new", "old", "current",
	"confirm", "confirmation", "again", "repeat", "verify", "prod", "production", "dev",
	"test", "staging", "live", "qa", "uat", "db", "database", "root", "admin", "user",
	"default", "temp", "tmp", "main", "master", "primary", "secondary", "backup", "local",
	"remote", "ldap", "smtp", "ftp", "a", "b", "", NULL,
};

static const char *const keys[] = {
	"key", "keys", "token", "tokens", "apikey", "credential", "credentials", "creds", "cred",
	"auth", "authorization", "bearer", "api", "密钥", "令牌", "秘钥", "私钥", NULL,
};

static const char *const key_ends[] = { "key", "token", "apikey", NULL };

/* Ends that are no key's. */
static const char *const not_keys[] = {
	"monkey", "turkey", "donkey", "hockey", "jockey", "whiskey", "hotkey", "passkey",
	"tokenizer", "lackey", "mickey", "disney", NULL,
};

/* Whatever else the name says, its value is for everybody to see, or no value. */
static const char *const never_secret[] = {
	"public", "pub", "publishable", "hash", "hashed", "sha", "md", "digest", "checksum",
	"etag", "commit", "fingerprint", "thumbprint", "uuid", "guid", "primary", "foreign",
	"sort", "partition", "cache", "algorithm", "cursor", "continuation", "pagination",
	"idempotency", "registry", "crc", "integrity", "revision", "captcha", "tracking",
	"translation", NULL,
};

/* The same, where they stand in the last piece of it: "row_key", but not the element
 * "token" in the element "row". */
static const char *const not_there[] = {
	"path", "file", "filename", "dir", "url", "uri", "endpoint", "host", "index", "length",
	"len", "page", "next", "object", "row", "group", "type", "label", "title", "hint",
	"policy", "min", "max", "size", "count", "expiry", "expires", "expiration", "version",
	"column", "field", "prefix", "author", "site", "usage", "press", "code", "down", "up",
	"word", "words", "board", "stone", "pair", NULL,
};

static bool is_one_of(const char *word, const char *const *list)
{
	for (size_t i = 0; list[i] != NULL; i++) {
		if (list[i][0] == word[0] && strcmp(word, list[i]) == 0)
			return true;
	}
	return false;
}

static bool ends_in_one_of(const char *word, const char *const *list)
{
	size_t size = strlen(word);

	for (size_t i = 0; list[i] != NULL; i++) {
		size_t end = strlen(list[i]);

		if (size >= end && strcmp(word + size - end, list[i]) == 0)
			return true;
	}
	return false;
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

/* Does a word begin at p: homePhone, APIKey? */
static bool begins_word(const char *from, const char *p, const char *end)
{
	if (p == from || !around_is_letter(*p) || is_lower(*p))
		return false;
	return is_lower(p[-1]) || (around_is_letter(p[-1]) && p + 1 < end && is_lower(p[1]));
}

static void end_part(struct parts *out, size_t *size)
{
	char *word = out->words[out->count];

	if (*size == 0)
		return;
	while (*size > 1 && around_is_digit(word[*size - 1]))
		(*size)--;
	word[*size] = '\0';
	out->count++;
	*size = 0;
}

static void split(struct span name, struct parts *out)
{
	size_t size = 0;

	out->count = out->last = 0;
	for (const char *p = name.from; p < name.end && out->count < PARTS_MAX - 1; p++) {
		bool is_word = around_is_alnum(*p) || (unsigned char)*p >= 0x80;

		if (!is_word && (*p == '/' || *p == ' ')) {
			end_part(out, &size);
			out->last = out->count;
		}
		if (!is_word || begins_word(name.from, p, name.end) || size == PART_MAX ||
		    (p > name.from && ((p[-1] ^ *p) & 0x80) != 0))
			end_part(out, &size);
		if (is_word)
			out->words[out->count][size++] = around_lower(*p);
	}
	end_part(out, &size);
}

static bool has(const struct parts *p, const char *word)
{
	for (size_t i = 0; i < p->count; i++) {
		if (strcmp(p->words[i], word) == 0)
			return true;
	}
	return false;
}

static bool has_any(const struct parts *p, size_t from, const char *const *list)
{
	for (size_t i = from; i < p->count; i++) {
		if (is_one_of(p->words[i], list))
			return true;
	}
	return false;
}

static bool is_password_word(const char *word)
{
	return is_one_of(word, passwords) || ends_in_one_of(word, password_ends) ||
	       strstr(word, "密码") != NULL || strstr(word, "口令") != NULL ||
	       strstr(word, "密碼") != NULL;
}

static bool is_rest_harmless(const struct parts *p, size_t from)
{
	for (size_t i = from; i < p->count; i++) {
		if (!is_one_of(p->words[i], still_the_value))
			return false;
	}
	return true;
}

static enum named secret_kind(const struct parts *p)
{
	for (size_t i = p->count; i > 0; i--) {
		const char *word = p->words[i - 1];
		size_t size = strlen(word);

		if (size >= 6 && strcmp(word + size - 6, "secret") == 0 &&
		    is_rest_harmless(p, i))
			return NAMED_SECRET;
	}
	return NAMED_NOTHING;
}

static enum named key_kind(const struct parts *p)
{
	for (size_t i = p->count; i > 0; i--) {
		const char *word = p->words[i - 1];

		if (!is_one_of(word, keys) &&
		    (!ends_in_one_of(word, key_ends) || is_one_of(word, not_keys)))
			continue;
		/* "key_id" names a key and is none. */
		if (i < p->count && strcmp(p->words[i], "id") == 0)
			return NAMED_NOTHING;
		return NAMED_KEY;
	}
	return NAMED_NOTHING;
}

static enum named cloud_kind(const struct parts *p)
{
	bool is_secret = has(p, "secret") || has(p, "secretaccesskey") || has(p, "secretkey") ||
			 has(p, "clientsecret");

	if (is_secret && (has(p, "aws") || has(p, "amazon") || has(p, "secretaccesskey") ||
			  (has(p, "access") && has(p, "key"))))
		return NAMED_AWS;
	if (has(p, "accountkey") || has(p, "sharedaccesskey") ||
	    (has(p, "account") && has(p, "key")) ||
	    (has(p, "shared") && has(p, "access") && has(p, "key")) || has(p, "azure") ||
	    has(p, "ocp") || has(p, "aad") || has(p, "entra"))
		return NAMED_AZURE;
	if (has(p, "private") && has(p, "key") && has(p, "id"))
		return NAMED_GCP;
	return NAMED_NOTHING;
}

enum named named_kind(struct span name)
{
	struct parts p;
	enum named kind;

	split(name, &p);
	for (size_t i = p.count; i > 0; i--) {
		if (is_password_word(p.words[i - 1]))
			return is_rest_harmless(&p, i) ? NAMED_PASSWORD : NAMED_NOTHING;
	}
	kind = cloud_kind(&p);
	if (kind != NAMED_NOTHING)
		return kind;
	if (has_any(&p, 0, never_secret) || has_any(&p, p.last, not_there))
		return NAMED_NOTHING;
	kind = secret_kind(&p);
	return kind != NAMED_NOTHING ? kind : key_kind(&p);
}

bool detect_names_secret(const char *label)
{
	return named_kind((struct span){ label, label + strlen(label) }) != NAMED_NOTHING;
}
