/*
 * The encoding that XML is in.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "fs/content/encoding.h"
#include "fs/content/extract_sax.h"

static bool begins(const void *head, size_t size, const char *with, size_t count)
{
	return size >= count && memcmp(head, with, count) == 0;
}

/* The name in <?xml ... encoding="NAME"?>; out is "" without one. */
static void declared_encoding(const char *head, size_t size, char out[SAX_ENCODING_MAX])
{
	const char *end = memchr(head, '>', size < 200 ? size : 200);
	const char *at;
	size_t n = 0;

	out[0] = '\0';
	if (!begins(head, size, "<?xml", 5) || !end)
		return;
	at = memmem(head, (size_t)(end - head), "encoding", 8);
	if (!at)
		return;
	at += 8;
	while (at < end && (*at == ' ' || *at == '=' || *at == '"' || *at == '\''))
		at++;
	for (; at < end && *at > ' ' && *at != '"' && *at != '\'' && *at != '?' &&
	     n < SAX_ENCODING_MAX - 1; at++)
		out[n++] = (char)(*at >= 'A' && *at <= 'Z' ? *at + 32 : *at);
	out[n] = '\0';
}

/* XML 1.0, appendix F: by mark or by how "<?" looks, then as declared. */
void sax_encoding(const void *head, size_t size, const char *seen,
		  char out[SAX_ENCODING_MAX])
{
	static const struct {
		const char *bytes;
		size_t size;
		const char *encoding;
	} shapes[] = {
		{ "\xff\xfe\0\0", 4, "utf-32le" }, { "\0\0\xfe\xff", 4, "utf-32be" },
		{ "<\0\0\0", 4, "utf-32le" },	   { "\0\0\0<", 4, "utf-32be" },
		{ "\xff\xfe", 2, "utf-16le" },	   { "\xfe\xff", 2, "utf-16be" },
		{ "<\0", 2, "utf-16le" },	   { "\0<", 2, "utf-16be" },
		{ "\xef\xbb\xbf", 3, "utf-8" },
	};
	const char *known;

	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
		if (begins(head, size, shapes[i].bytes, shapes[i].size)) {
			snprintf(out, SAX_ENCODING_MAX, "%s", shapes[i].encoding);
			return;
		}
	declared_encoding((const char *)head, size, out);
	known = encoding_by_label(out);
	if (known)
		snprintf(out, SAX_ENCODING_MAX, "%s", known);
	/* Bytes that are UTF-8, or are not, say more than a declaration does; and
	 * nobody declares UTF-16 in single bytes and means it. */
	if (*seen && strcmp(seen, "us-ascii") != 0 &&
	    (!*out || !strcmp(seen, "utf-8") || encoding_is_utf8(out) ||
	     !strncmp(out, "utf-16", 6)))
		snprintf(out, SAX_ENCODING_MAX, "%s", seen);
	if (!*out)
		snprintf(out, SAX_ENCODING_MAX, "utf-8");
}
