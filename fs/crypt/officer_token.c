/*
 * Keys on tokens, through OpenSSL's engine "pkcs11" (libp11): of OpenSSL 3.0 on
 * Debian 12 there is no provider for them yet, and the engine's interface, though marked
 * as deprecated, is the one that works.
 */
#define OPENSSL_SUPPRESS_DEPRECATED

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/engine.h>
#include <openssl/ui.h>

#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/base/text.h"
#include "fs/crypt/library.h"
#include "fs/crypt/officer_inside.h"
#include "fs/crypt/secret.h"

#define URI_MAX 1024
#define PIN_MAX 256

void token_close(void *engine)
{
	if (engine)
		ENGINE_finish(engine);
}

/* What of a URI the engine is given, and what we see to ourselves. */
struct token_uri {
	char rest[URI_MAX + PIN_MAX * 3 + 16];
	char module[URI_MAX];	/* module-path, decoded; "" none */
	char pin_file[URI_MAX];	/* pin-source, decoded; "" none */
};

/* Percent-decoding (RFC 3986); -1 where it is broken or has a NUL. */
static int decode(const char *from, size_t size, char *out, size_t out_size)
{
	size_t used = 0;

	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)from[i];

		if (c == '%') {
			char hex[3] = { 0 };

			if (i + 2 >= size)
				return -1;
			memcpy(hex, from + i + 1, 2);
			if (text_unhex(hex, &c, 1) < 0 || c == '\0')
				return -1;
			i += 2;
		}
		if (used + 1 >= out_size)
			return -1;
		out[used++] = (char)c;
	}
	out[used] = '\0';
	return 0;
}

/* One attribute behind the '?'. */
static int take_query(struct token_uri *u, const char *part, size_t size)
{
	static const char module[] = "module-path=", source[] = "pin-source=";
	size_t used = strlen(u->rest);

	if (size >= sizeof module - 1 && strncmp(part, module, sizeof module - 1) == 0)
		return decode(part + sizeof module - 1, size - (sizeof module - 1), u->module,
			      sizeof u->module);
	if (size >= sizeof source - 1 && strncmp(part, source, sizeof source - 1) == 0) {
		part += sizeof source - 1;
		size -= sizeof source - 1;
		if (size > 5 && strncmp(part, "file:", 5) == 0) {
			part += 5;
			size -= 5;
		}
		return decode(part, size, u->pin_file, sizeof u->pin_file);
	}
	u->rest[used] = strchr(u->rest, '?') ? '&' : '?';
	memcpy(u->rest + used + 1, part, size);
	u->rest[used + 1 + size] = '\0';
	return 0;
}

static int parse_uri(const char *uri, struct token_uri *u, struct err *e)
{
	size_t path = strcspn(uri, "?");
	const char *at = uri + path;

	*u = (struct token_uri){ 0 };
	if (strlen(uri) >= URI_MAX)
		return err_set(e, MUNI_USAGE, "a URI of a key is longer than %d bytes", URI_MAX);
	memcpy(u->rest, uri, path);
	while (*at) {
		size_t size = strcspn(++at, "&");

		if (take_query(u, at, size) < 0)
			return err_set(e, MUNI_USAGE, "module-path or pin-source in the URI of "
				       "the key cannot be read (RFC 7512)");
		at += size;
	}
	return 0;
}

/* The first line of the file, in the URI that the engine sees. */
static int take_pin(struct token_uri *u, struct err *e)
{
	char *pin = secret_new(PIN_MAX);
	int fd = -1, rc = -1;
	size_t size = 0, used = strlen(u->rest);

	if (!pin) {
		err_set(e, MUNI_NO_MEMORY, "no memory for a PIN");
		goto out;
	}
	fd = file_open_user(u->pin_file, O_RDONLY, 0, e);
	if (fd < 0 || file_read_rest(fd, pin, PIN_MAX, &size, e) < 0)
		goto out;
	if (size >= PIN_MAX) {
		err_set(e, MUNI_USAGE, "%s is too long for a PIN", text_printable(u->pin_file));
		goto out;
	}
	pin[strcspn(pin, "\r\n")] = '\0';
	memcpy(u->rest + used, strchr(u->rest, '?') ? "&pin-value=" : "?pin-value=", 11);
	used += 11;
	for (const char *c = pin; *c; c++, used += 3) {
		u->rest[used] = '%';
		text_hex(c, 1, u->rest + used + 1);
	}
	u->rest[used] = '\0';
	rc = 0;
out:
	file_close(&fd);
	secret_free(pin);
	return rc < 0 ? err_wrap(e, "reading the PIN of the token") : 0;
}

static int ui_read(UI *ui, UI_STRING *s)
{
	struct officer_ask *a = UI_get0_user_data(ui);
	enum UI_string_types type = UI_get_string_type(s);
	char *answer;
	int rc;

	if (type != UIT_PROMPT && type != UIT_VERIFY)
		return 1;
	answer = secret_new(PIN_MAX);
	a->was_asked = true;
	rc = answer && a->ask && a->ask(a->arg, "PIN of the token", answer, PIN_MAX) >= 0 &&
	     UI_set_result(ui, s, answer) >= 0;
	secret_free(answer);
	return rc ? 1 : 0;
}

static EVP_PKEY *load_key(ENGINE *engine, const char *uri, struct officer_ask *ask)
{
	UI_METHOD *ui = UI_create_method("muniment");
	EVP_PKEY *key = NULL;

	if (ui && UI_method_set_reader(ui, ui_read) == 0)
		key = ENGINE_load_private_key(engine, uri, ui, ask);
	UI_destroy_method(ui);
	return key;
}

static ENGINE *start_engine(const struct token_uri *u, struct err *e)
{
	ENGINE *engine;

	ENGINE_load_dynamic();
	engine = ENGINE_by_id("pkcs11");
	if (!engine) {
		library_forget();
		library_refused(e, MUNI_UNSUPPORTED, "keys on tokens need OpenSSL's engine pkcs11: install "
			"the package libengine-pkcs11-openssl");
		return NULL;
	}
	if ((u->module[0] && ENGINE_ctrl_cmd_string(engine, "MODULE_PATH", u->module, 0) != 1) ||
	    ENGINE_init(engine) != 1) {
		ENGINE_free(engine);
		library_forget();
		library_refused(e, MUNI_UNSUPPORTED, "the library of the token cannot be loaded: %s",
			u->module[0] ? text_printable(u->module) : "p11-kit's configuration");
		return NULL;
	}
	ENGINE_free(engine);	/* the one of ENGINE_init() stays */
	return engine;
}

int token_key_open(const char *uri, struct officer_ask *ask, EVP_PKEY **key, void **engine,
		   struct err *e)
{
	struct token_uri *u = secret_new(sizeof *u);	/* may hold a PIN */
	ENGINE *at = NULL;
	int rc = -1;

	*key = NULL;
	*engine = NULL;
	if (!u)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a PIN");
	if (parse_uri(uri, u, e) < 0 || (u->pin_file[0] && take_pin(u, e) < 0) ||
	    !(at = start_engine(u, e)))
		goto out;
	*key = load_key(at, u->rest, ask);
	library_forget();
	if (!*key) {
		token_close(at);
		library_refused(e, MUNI_CANNOT_UNLOCK, "the token gave no private key: it is not plugged "
			"in, the PIN is wrong or missing, or no key on it has this URI");
		goto out;
	}
	*engine = at;
	rc = 0;
out:
	secret_free(u);
	return rc;
}
