/*
 * The path of containers, and what is told with it: places, and reasons why
 * something could not be looked into.
 */
#include <stdio.h>
#include <string.h>

#include "fs/base/text.h"
#include "fs/content/look_inside.h"

#define NAME_MAX_SHOWN 400	/* of one member's name */

/* The end of text, from a character's beginning, in at most size bytes. */
static const char *tail(const char *text, size_t size)
{
	size_t length = strlen(text);
	const char *at = length > size ? text + length - size : text;

	while (((unsigned char)*at & 0xc0) == 0x80)
		at++;
	return at;
}

/* Appends as much as fits, cut between characters; the new length. */
static size_t append(char *out, size_t room, size_t used, const char *text)
{
	size_t size = strlen(text);

	if (size >= room - used) {
		size = room - used - 1;
		while (size > 0 && ((unsigned char)text[size] & 0xc0) == 0x80)
			size--;
	}
	memcpy(out + used, text, size);
	out[used + size] = '\0';
	return used + size;
}

void path_push(struct look *l, const char *name)
{
	const char *shown = text_printable(name && *name ? name : "(unnamed)");
	const char *end = tail(shown, NAME_MAX_SHOWN);
	size_t room = sizeof l->path - l->path_size;
	int n = snprintf(l->path + l->path_size, room, "%s%s: ", end == shown ? "" : "...", end);

	/* A limit of depth that was set high: what does not fit is left out. */
	if (n < 0 || (size_t)n >= room)
		l->path[l->path_size] = '\0';
	else
		l->path_size += (size_t)n;
}

void path_cut(struct look *l, size_t size)
{
	l->path_size = size;
	l->path[size] = '\0';
}

void look_place(const struct look *l, char out[SAMPLE_WHERE_MAX], const char *format, ...)
{
	char place[1024];
	size_t used = 0, size, room;
	va_list args;

	va_start(args, format);
	vsnprintf(place, sizeof place, format, args);
	va_end(args);
	/* The innermost names say most: what is too long loses its front. */
	size = strlen(place);
	room = size < SAMPLE_WHERE_MAX - 1 ? SAMPLE_WHERE_MAX - 1 - size : 0;
	if (l->path_size <= room) {
		used = append(out, SAMPLE_WHERE_MAX, used, l->path);
	} else if (room > 3) {
		used = append(out, SAMPLE_WHERE_MAX, used, "...");
		used = append(out, SAMPLE_WHERE_MAX, used, tail(l->path, room - 3));
	}
	append(out, SAMPLE_WHERE_MAX, used, place);
}

/* As one of the "; " parted reasons in all? */
static bool is_said(const char *all, const char *reason)
{
	size_t size = strlen(reason);

	for (const char *at = all; (at = strstr(at, reason)); at++)
		if ((at == all || (at - all >= 2 && !strncmp(at - 2, "; ", 2))) &&
		    (at[size] == '\0' || !strncmp(at + size, "; ", 2)))
			return true;
	return false;
}

void look_opaque(struct look *l, const char *format, ...)
{
	static const char more[] = "; and more";
	char text[sizeof l->out->opaque - sizeof more], reason[1200];
	char *opaque = l->out->opaque;
	size_t used = strlen(opaque), size;
	va_list args;

	va_start(args, format);
	vsnprintf(reason, sizeof reason, format, args);
	va_end(args);
	size = append(text, sizeof text, 0, tail(l->path, sizeof text / 2));
	append(text, sizeof text, size, reason);
	if (is_said(opaque, text) ||
	    (used >= sizeof more && !strcmp(opaque + used - (sizeof more - 1), more)))
		return;
	size = strlen(text) + (used ? 2 : 0);
	if (used + size + sizeof more > sizeof l->out->opaque) {
		append(opaque, sizeof l->out->opaque, used, more);
		return;
	}
	if (used > 0)
		used = append(opaque, sizeof l->out->opaque, used, "; ");
	append(opaque, sizeof l->out->opaque, used, text);
}
