/*
 * Time zones: opened by name, asked for offsets and dates.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/calendar.h"
#include "fs/base/err.h"
#include "fs/base/file.h"
#include "fs/base/text.h"
#include "policy/period.h"
#include "policy/zone_inside.h"

#define FILE_MAX (1u << 20)
#define NAME_MAX_SIZE 64

/* ---- opening ------------------------------------------------------------------------ */

int zone_parse(const void *tzif, size_t size, const char *name, struct zone **out,
	       struct err *e)
{
	struct zone *z = calloc(1, sizeof *z);

	*out = NULL;
	if (z == NULL)
		return err_set(e, MUNI_NO_MEMORY, "no memory for a time zone");
	if (zone_read(z, tzif, size, e) < 0) {
		zone_close(z);
		return err_wrap(e, "the time zone %s", text_printable(name));
	}
	*out = z;
	return 0;
}

/* Letters, digits, "_", "-", "+", one "/" between parts: no path leads out. */
static bool is_zone_name(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_+-/";
	size_t size = strlen(name);

	return size > 0 && size <= NAME_MAX_SIZE && strspn(name, allowed) == size &&
	       name[0] != '/' && name[size - 1] != '/' && strstr(name, "//") == NULL;
}

static int load(const char *path, uint8_t **out, size_t *size, struct err *e)
{
	int fd = file_open_user(path, O_RDONLY, 0, e), rc = -1;
	uint64_t bytes;

	*out = NULL;
	if (fd < 0)
		return -1;
	if (file_size(fd, &bytes, e) < 0)
		goto out;
	if (bytes > FILE_MAX) {
		err_set(e, MUNI_DAMAGED, "%s is too large to be a time zone",
			text_printable(path));
		goto out;
	}
	*out = malloc((size_t)bytes + 1);
	if (*out == NULL) {
		err_set(e, MUNI_NO_MEMORY, "no memory for a time zone");
		goto out;
	}
	*size = (size_t)bytes;
	rc = file_read_at(fd, 0, *out, *size, e);
out:
	file_close(&fd);
	return rc;
}

int zone_open(const char *name, struct zone **out, struct err *e)
{
	static const char *const folders[] = { "/usr/share/zoneinfo", "/usr/lib/zoneinfo" };
	char path[NAME_MAX_SIZE + 64];
	uint8_t *bytes = NULL;
	size_t size = 0;
	int rc = -1;

	*out = NULL;
	if (strcmp(name, "UTC") == 0) {
		*out = calloc(1, sizeof **out);
		return *out != NULL ? 0 : err_set(e, MUNI_NO_MEMORY,
						  "no memory for a time zone");
	}
	if (!is_zone_name(name))
		return err_set(e, MUNI_USAGE, "\"%s\" is no name of a time zone; expected one "
			       "as in Asia/Shanghai, Europe/Berlin, UTC", text_printable(name));
	for (size_t i = 0; i < sizeof folders / sizeof *folders && rc < 0; i++) {
		free(bytes);
		snprintf(path, sizeof path, "%s/%s", folders[i], name);
		rc = load(path, &bytes, &size, e);
	}
	if (rc == 0)
		rc = zone_parse(bytes, size, name, out, e);
	else if (e->code != MUNI_NO_MEMORY)
		rc = err_set(e, MUNI_USAGE, "the time zone %s is not in this system's "
			     "database (/usr/share/zoneinfo); expected one as in "
			     "Asia/Shanghai, or the package tzdata installed, or UTC",
			     text_printable(name));
	free(bytes);
	return rc;
}

void zone_close(struct zone *z)
{
	if (z == NULL)
		return;
	free(z->transitions);
	free(z);
}

/* ---- asking ------------------------------------------------------------------------- */

/* The number of transitions at or before a second. */
static size_t transitions_before(const struct zone *z, int64_t seconds)
{
	size_t low = 0, high = z->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (z->transitions[middle].at <= seconds)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int64_t bounded(int64_t seconds)
{
	return seconds > ZONE_SECONDS_MAX ? ZONE_SECONDS_MAX
				     : seconds < -ZONE_SECONDS_MAX ? -ZONE_SECONDS_MAX : seconds;
}

int32_t zone_offset(const struct zone *z, int64_t seconds)
{
	int64_t s = bounded(seconds);
	size_t n;

	if (z->is_cyclic && s >= z->cycle + ZONE_CYCLE)
		s = z->cycle + (s - z->cycle) % ZONE_CYCLE;
	n = transitions_before(z, s);
	return n == 0 ? z->before : z->transitions[n - 1].offset;
}

struct civil zone_date(const struct zone *z, int64_t seconds)
{
	int64_t local = bounded(seconds) + zone_offset(z, seconds);

	return civil_of_day(calendar_floor_divide(local, CALENDAR_DAY));
}

int64_t zone_start_of_day(const struct zone *z, struct civil day)
{
	int64_t wanted = bounded(civil_day(day) * CALENDAR_DAY), shift = 0, at;
	size_t n;

	/* Into the years that are written out, and back at the end. */
	if (z->is_cyclic && wanted >= z->cycle + ZONE_CYCLE)
		shift = (wanted - z->cycle) / ZONE_CYCLE * ZONE_CYCLE;
	wanted -= shift;
	/* No stretch of one offset ends before here in which the day could begin. */
	n = transitions_before(z, wanted - 2 * ZONE_OFFSET_MAX);
	for (;; n++) {
		int32_t offset = n == 0 ? z->before : z->transitions[n - 1].offset;

		at = wanted - offset;
		if (n > 0 && at < z->transitions[n - 1].at)
			at = z->transitions[n - 1].at;
		if (n == z->count || at < z->transitions[n].at)
			return at + shift;
	}
}
