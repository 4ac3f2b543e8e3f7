#include "fs/content/extract_mail_mbox.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "fs/base/bytes.h"
#include "fs/base/err.h"
#include "fs/content/input.h"
#include "fs/content/look.h"

#define LINE_MAX_KEPT 512	/* an envelope is shorter */

struct splitter {
	struct look *look;
	bool can_seek, is_too_large;
	int (*each)(void *arg, const struct mbox_message *message, struct err *e);
	void *arg;
	unsigned long number;
	char line[LINE_MAX_KEPT];	/* the beginning of the line under way */
	size_t line_size;
	uint64_t line_start, position;
	char envelope[LINE_MAX_KEPT];
	size_t envelope_size;
	uint64_t start;			/* of the message under way */
	struct buffer held;		/* of it, where the input cannot be sought */
	bool is_begun;
};

/* "From somebody Thu Jan  1 00:00:00 1970": a time of day and four digits. */
static bool is_envelope(const char *line, size_t size)
{
	bool has_time = false, has_year = false;
	unsigned digits = 0;

	if (size < 5 || memcmp(line, "From ", 5) != 0)
		return false;
	for (size_t i = 5; i < size; i++) {
		bool is_digit = isdigit((unsigned char)line[i]);

		has_time = has_time || (line[i] == ':' && digits == 2 && i + 2 < size &&
					isdigit((unsigned char)line[i + 1]) &&
					isdigit((unsigned char)line[i + 2]));
		digits = is_digit ? digits + 1 : 0;
		has_year = has_year || (digits == 4 && has_time);
	}
	return has_time && has_year;
}

static int give(struct splitter *s, uint64_t end, struct err *e)
{
	const struct mbox_message message = {
		.number = s->number, .envelope = s->envelope, .envelope_size = s->envelope_size,
		.start = s->start, .end = end,
		.data = s->can_seek ? NULL : s->held.data, .size = s->held.size,
	};
	int rc = 0;

	if (s->held.failed)
		return err_set(e, MUNI_NO_MEMORY, "no memory to read a message");
	if (s->is_too_large)
		look_opaque(s->look, "message %lu is larger than %u MiB", s->number,
			    INPUT_WHOLE_MAX >> 20);
	if (s->is_begun)
		rc = s->each(s->arg, &message, e);
	buffer_reset(&s->held);
	s->is_too_large = false;
	return rc;
}

static int end_line(struct splitter *s, struct err *e)
{
	if (is_envelope(s->line, s->line_size)) {
		if (give(s, s->line_start, e) < 0)
			return -1;
		memcpy(s->envelope, s->line, s->line_size);
		s->envelope_size = s->line_size;
		while (s->envelope_size > 0 && (s->envelope[s->envelope_size - 1] == '\n' ||
						s->envelope[s->envelope_size - 1] == '\r'))
			s->envelope_size--;
		s->start = s->position;
		s->is_begun = true;
		s->number++;
		buffer_reset(&s->held);
	} else if (!s->is_begun) {	/* what stands before the first envelope */
		s->is_begun = true;
		s->start = s->line_start;
		s->number++;
	}
	s->line_start = s->position;
	s->line_size = 0;
	return 0;
}

static void hold(struct splitter *s, const uint8_t *data, size_t size)
{
	if (s->can_seek)
		return;
	if (s->held.size + size > INPUT_WHOLE_MAX)
		s->is_too_large = true;
	else
		buffer_append(&s->held, data, size);
}

static int take(struct splitter *s, const uint8_t *data, size_t size, struct err *e)
{
	while (size > 0) {
		const uint8_t *newline = memchr(data, '\n', size);
		size_t n = newline ? (size_t)(newline - data) + 1 : size;
		size_t kept = n < LINE_MAX_KEPT - s->line_size ? n : LINE_MAX_KEPT - s->line_size;
		bool was_start = s->line_size == 0;

		memcpy(s->line + s->line_size, data, kept);
		s->line_size += kept;
		s->position += n;
		/* An envelope is no part of the message before it. */
		if (!(was_start && newline && is_envelope(s->line, s->line_size)))
			hold(s, data, n);
		if (newline && end_line(s, e) < 0)
			return -1;
		data += n;
		size -= n;
	}
	return 0;
}

int mbox_read(struct look *l, struct input *in, int can_seek,
	      int (*each)(void *arg, const struct mbox_message *message, struct err *e),
	      void *arg, struct err *e)
{
	struct splitter s = { .look = l, .can_seek = can_seek, .each = each, .arg = arg };
	const void *data;
	ssize_t n;
	int rc = -1;

	while ((n = input_next(in, &data, e)) > 0)
		if (take(&s, data, (size_t)n, e) < 0)
			goto out;
	if (n < 0 || (s.line_size > 0 && end_line(&s, e) < 0))
		goto out;
	rc = give(&s, s.position, e);
out:
	if (s.held.data)	/* letters stood in it */
		explicit_bzero(s.held.data, s.held.capacity);
	buffer_free(&s.held);
	return rc;
}
