/* Names of systems and labels of versions, and how people say which they mean. */
#include "fs/vault/vault.h"

#include <string.h>

#include "fs/base/err.h"
#include "fs/base/text.h"

#define NAME_SIZE_MAX 128

/* C0, DEL and C1 (U+0080..U+009F, in UTF-8 0xc2 0x80..0x9f). */
static bool has_control(const unsigned char *name)
{
	for (; *name; name++)
		if (*name < 0x20 || *name == 0x7f ||
		    (*name == 0xc2 && name[1] >= 0x80 && name[1] <= 0x9f))
			return true;
	return false;
}

int vault_check_name(const char *name, bool is_label, struct err *e)
{
	const char *what = is_label ? "a version's label" : "a system's name";
	size_t size = strlen(name);
	int64_t ignored;

	if (size < 1 || size > NAME_SIZE_MAX)
		return err_set(e, MUNI_USAGE, "%s has 1 to %d bytes, this one has %zu", what,
			       NAME_SIZE_MAX, size);
	if (!text_is_utf8(name, size))
		return err_set(e, MUNI_USAGE, "%s: %s is UTF-8", text_printable(name), what);
	if (has_control((const unsigned char *)name))
		return err_set(e, MUNI_USAGE, "%s: %s has no control characters",
			       text_printable(name), what);
	if (strpbrk(name, "/@"))
		return err_set(e, MUNI_USAGE, "%s: %s has no \"/\" and no \"@\"",
			       text_printable(name), what);
	if (name[0] == '.')
		return err_set(e, MUNI_USAGE, "%s: %s does not begin with a dot",
			       text_printable(name), what);
	if (is_label && text_parse_time(name, false, &ignored) == 0)
		return err_set(e, MUNI_USAGE, "%s: a label that looks like a date would "
			       "shadow SYSTEM@DATE: put a letter in front",
			       text_printable(name));
	return 0;
}

int vault_resolve(struct catalogue *c, const char *spec, struct version *out,
		  struct err *e)
{
	const char *at = strchr(spec, '@');
	char name[NAME_SIZE_MAX + 1];
	size_t size = at ? (size_t)(at - spec) : strlen(spec);
	struct system system;
	int64_t when;

	memset(out, 0, sizeof *out);
	if (size > NAME_SIZE_MAX)
		return err_set(e, MUNI_NOT_FOUND, "there is no system %s",
			       text_printable_n(spec, size));
	memcpy(name, spec, size);
	name[size] = '\0';
	if (catalogue_system_find(c, name, &system, e) < 0)
		return e->code == MUNI_NOT_FOUND
			? err_set(e, MUNI_NOT_FOUND, "there is no system %s in this archive; "
				  "\"muni log ARCHIVE\" lists them", text_printable(name))
			: -1;
	if (!at)
		return catalogue_version_find(c, system.id, NULL, out, e);
	if (text_parse_time(at + 1, true, &when) == 0) {
		if (catalogue_version_at(c, system.id, when, out, e) == 0)
			return 0;
		return e->code == MUNI_NOT_FOUND
			? err_set(e, MUNI_NOT_FOUND, "no version of %s was in force on %s",
				  text_printable(name), text_printable(at + 1))
			: -1;
	}
	if (catalogue_version_find(c, system.id, at + 1, out, e) == 0)
		return 0;
	return e->code == MUNI_NOT_FOUND
		? err_set(e, MUNI_NOT_FOUND, "%s has no version %s; \"muni log ARCHIVE %s\" "
			  "lists them", text_printable(name), text_printable(at + 1),
			  text_printable(name))
		: -1;
}
