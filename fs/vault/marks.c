#include "fs/vault/marks.h"

#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "fs/crypt/digest.h"

#define LINE (2 * MARK_SIZE + 1)	/* with its newline */

void mark_of_salt(const uint8_t salt[16], uint8_t mark[MARK_SIZE])
{
	const struct digest d = digest_of(salt, 16);

	memcpy(mark, d.bytes, MARK_SIZE);
}

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "no memory for the marks of what was destroyed");
}

int marks_add(struct marks *m, const uint8_t mark[MARK_SIZE], struct err *e)
{
	if (m->count == m->capacity) {
		size_t more = m->capacity ? 2 * m->capacity : 256;
		uint8_t (*list)[MARK_SIZE] = reallocarray(m->list, more, sizeof *list);

		if (!list)
			return no_memory(e);
		m->list = list;
		m->capacity = more;
	}
	memcpy(m->list[m->count++], mark, MARK_SIZE);
	return 0;
}

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, MARK_SIZE);
}

void marks_sort(struct marks *m)
{
	size_t kept = 0;

	if (m->count < 2)
		return;
	qsort(m->list, m->count, sizeof *m->list, by_bytes);
	for (size_t i = 1; i < m->count; i++)
		if (memcmp(m->list[i], m->list[kept], MARK_SIZE) != 0)
			memmove(m->list[++kept], m->list[i], MARK_SIZE);
	m->count = kept + 1;
}

bool marks_has(const struct marks *m, const uint8_t mark[MARK_SIZE])
{
	return m->count > 0 &&
	       bsearch(mark, m->list, m->count, sizeof *m->list, by_bytes) != NULL;
}

void marks_clear(struct marks *m)
{
	free(m->list);
	*m = (struct marks){ .list = NULL };
}

int marks_text(const struct marks *m, char **out, size_t *size, struct err *e)
{
	*size = m->count * LINE;
	*out = malloc(*size + 1);
	if (!*out)
		return no_memory(e);
	for (size_t i = 0; i < m->count; i++) {
		text_hex(m->list[i], MARK_SIZE, *out + i * LINE);
		(*out)[i * LINE + LINE - 1] = '\n';
	}
	(*out)[*size] = '\0';
	return 0;
}

/* Other hex digits than those that are written would be another file with the same
 * meaning. */
static bool read_line(const char *line, uint8_t mark[MARK_SIZE])
{
	char text[LINE], again[LINE];

	memcpy(text, line, LINE - 1);
	text[LINE - 1] = '\0';
	if (line[LINE - 1] != '\n' || text_unhex(text, mark, MARK_SIZE) < 0)
		return false;
	text_hex(mark, MARK_SIZE, again);
	return strcmp(text, again) == 0;
}

int marks_parse(struct marks *m, const void *data, size_t size, struct err *e)
{
	const char *text = data;
	uint8_t mark[MARK_SIZE], before[MARK_SIZE];

	for (size_t i = 0; i < size / LINE; i++) {
		if (!read_line(text + i * LINE, mark) ||
		    (i > 0 && memcmp(before, mark, MARK_SIZE) >= 0))
			return err_set(e, MUNI_DAMAGED, "line %zu of the marks is no mark, or not "
				       "in order", i + 1);
		if (marks_add(m, mark, e) < 0)
			return -1;
		memcpy(before, mark, MARK_SIZE);
	}
	if (size % LINE != 0)
		return err_set(e, MUNI_DAMAGED, "the last of the marks is cut off");
	return 0;
}
