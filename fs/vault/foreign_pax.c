#include "fs/vault/foreign_pax.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK 512
#define HEADERS_MAX 8		/* of one entry: g, x, L, K ... */
#define RECORDS_MAX (256u << 10)

/* An octal field, as tar writes small numbers; -1 if it is none. */
static int64_t octal(const uint8_t *field, size_t size)
{
	int64_t value = 0;
	size_t i = 0;

	while (i < size && field[i] == ' ')
		i++;
	for (; i < size && field[i] >= '0' && field[i] <= '7'; i++)
		value = value * 8 + (field[i] - '0');
	return i < size && field[i] != ' ' && field[i] != 0 ? -1 : value;
}

bool pax_is_tar(const uint8_t *data, size_t size)
{
	int64_t sum = 0, signed_sum = 0, said;

	if (size < BLOCK)
		return false;
	said = octal(data + 148, 8);
	for (size_t i = 0; i < BLOCK; i++) {
		uint8_t byte = i >= 148 && i < 156 ? ' ' : data[i];

		sum += byte;
		signed_sum += (int8_t)byte;
	}
	return said > 0 && (said == sum || said == signed_sum);
}

/* "[-]S[.F]"; is_floored: S is the floor, the fraction to be added to it. */
static bool parse_time(const char *text, size_t size, bool is_floored, struct stamp *out)
{
	bool is_negative = size > 0 && *text == '-';
	uint64_t seconds = 0;
	uint32_t ns = 0, unit = 100000000;
	size_t i = is_negative;

	if (i == size)
		return false;
	for (; i < size && text[i] >= '0' && text[i] <= '9'; i++) {
		if (seconds > INT64_MAX / 10 - 10)
			return false;
		seconds = seconds * 10 + (uint64_t)(text[i] - '0');
	}
	if (i < size && text[i++] != '.')
		return false;
	for (; i < size; i++, unit /= 10) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		ns += unit * (uint32_t)(text[i] - '0');
	}
	*out = (struct stamp){ is_negative ? -(int64_t)seconds : (int64_t)seconds, ns };
	if (is_negative && ns > 0 && !is_floored)
		*out = (struct stamp){ out->seconds - 1, 1000000000 - ns };
	return true;
}

static void apply(const char *key, size_t key_size, const char *value, size_t value_size,
		  bool is_floored, struct foreign_entry *f)
{
	const struct {
		const char *key;
		struct stamp *at;
		bool *has;
	} times[] = {
		{ "mtime", &f->mtime, &f->has_mtime },
		{ "atime", &f->atime, &f->has_atime },
		{ "ctime", &f->ctime, &f->has_ctime },
		{ "LIBARCHIVE.creationtime", &f->btime, &f->has_btime },
	};
	struct stamp t;

	for (size_t i = 0; i < sizeof times / sizeof *times; i++)
		if (strlen(times[i].key) == key_size && !memcmp(times[i].key, key, key_size) &&
		    parse_time(value, value_size, is_floored, &t)) {
			*times[i].at = t;
			*times[i].has = true;
		}
}

/* Records are "SIZE KEY=VALUE\n", SIZE of the whole record (POSIX pax). */
static void apply_records(const char *data, size_t size, bool is_floored,
			  struct foreign_entry *f)
{
	while (size > 0) {
		size_t length = 0, i = 0;
		const char *equals;

		for (; i < size && i < 8 && data[i] >= '0' && data[i] <= '9'; i++)
			length = length * 10 + (size_t)(data[i] - '0');
		if (i == 0 || i >= size || data[i] != ' ' || length > size || length < i + 3 ||
		    data[length - 1] != '\n')
			return;
		equals = memchr(data + i + 1, '=', length - i - 2);
		if (!equals)
			return;
		apply(data + i + 1, (size_t)(equals - data) - i - 1, equals + 1,
		      (size_t)(data + length - 1 - (equals + 1)), is_floored, f);
		data += length;
		size -= length;
	}
}

/* libarchive's writer names its headers ".../PaxHeader/NAME"; GNU tar says
 * "PaxHeaders", Python "@PaxHeader". */
static bool is_by_libarchive(const uint8_t *header)
{
	char path[1 + 155 + 1 + 100 + 1];

	snprintf(path, sizeof path, "/%.155s/%.100s", (const char *)header + 345,
		 (const char *)header);
	return strstr(path, "/PaxHeader/") != NULL;
}

void pax_correct_times(const struct source *s, uint64_t at, struct foreign_entry *f)
{
	uint8_t header[BLOCK];

	for (unsigned n = 0; n < HEADERS_MAX && source_recall(s, at, header, BLOCK); n++) {
		int64_t size = octal(header + 124, 12);
		char *records;

		if (!pax_is_tar(header, BLOCK) || !strchr("xXgLKV", header[156]) ||
		    header[156] == 0 || size < 0 || size > RECORDS_MAX)
			return;
		if (header[156] == 'x' || header[156] == 'X') {
			records = malloc((size_t)size + 1);
			if (records && source_recall(s, at + BLOCK, records, (size_t)size))
				apply_records(records, (size_t)size, is_by_libarchive(header), f);
			free(records);
		}
		at += BLOCK + ((uint64_t)size + BLOCK - 1) / BLOCK * BLOCK;
	}
}
