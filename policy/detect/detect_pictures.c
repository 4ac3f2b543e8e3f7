/*
 * A picture is a row of signs; all rows together are an automaton that may stand in
 * many places at once.  detect_pictures_new() makes the sets of places that can occur
 * into states (the subset construction), so that a walk is one look-up a byte.
 */
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "policy/detect/detect_pictures_inside.h"
#include "policy/detect/recogniser.h"

static const char punctuation[] = " -./()+:,'_<";	/* kinds 4..15 */

/* Room for `wanted` rows; NULL, with the rows freed, where there is no memory. */
static void *grown(void *rows, size_t *room, size_t wanted, size_t size)
{
	size_t more = *room ? *room : 64;
	void *moved;

	if (wanted <= *room)
		return rows;
	while (more < wanted)
		more *= 2;
	moved = realloc(rows, more * size);
	if (!moved)
		free(rows);
	*room = moved ? more : 0;
	return moved;
}

static int no_memory(struct err *e)
{
	return err_set(e, MUNI_NO_MEMORY, "no memory for the pictures of numbers");
}

#define GROW(p, name, more, e) \
	(((p)->name##s = grown((p)->name##s, &(p)->name##_room, (p)->name##_count + (more), \
			       sizeof *(p)->name##s)) ? 0 : no_memory(e))

/* ---- signs ------------------------------------------------------------------------ */

static uint16_t kinds_of(char c)
{
	const char *at;
	unsigned kind;

	switch (c) {
	case '9': return 1u << KIND_DIGIT;
	case 'A': return 1u << KIND_UPPER;
	case 'a': return 1u << KIND_UPPER | 1u << KIND_LOWER;
	case 'X': return 1u << KIND_UPPER | 1u << KIND_DIGIT;
	case 'x': return 1u << KIND_UPPER | 1u << KIND_LOWER | 1u << KIND_DIGIT;
	default:
		at = c != '\0' ? strchr(punctuation, c) : NULL;
		if (!at)
			return 0;
		kind = KIND_PUNCTUATION + (unsigned)(at - punctuation);
		return (uint16_t)(1u << kind);
	}
}

/* "{n}" or "{n,m}" at *text, which moves behind it; without one it is 1 and 1. */
static int parse_times(const char **text, unsigned *least, unsigned *most)
{
	char *end;
	unsigned long n, m;

	*least = *most = 1;
	if (**text != '{')
		return 0;
	n = m = strtoul(*text + 1, &end, 10);
	if (*end == ',')
		m = strtoul(end + 1, &end, 10);
	if (*end != '}' || m == 0 || n > m || m > PICTURE_MAX)
		return -1;
	*text = end + 1;
	*least = (unsigned)n;
	*most = (unsigned)m;
	return 0;
}

static int bad_picture(struct err *e, const char *picture, const char *why)
{
	return err_set(e, MUNI_USAGE, "the picture \"%s\" %s", text_printable(picture), why);
}

/* "AA 99 99": two letters stand before the word that holds the first digit. */
static void note_lead(struct detect_pictures *p, const char *picture)
{
	unsigned letters = 0;

	while (kinds_of(picture[letters]) & (1u << KIND_UPPER | 1u << KIND_LOWER))
		letters++;
	if (letters > p->lead && picture[letters] != '\0' && strchr(" -.{", picture[letters]))
		p->lead = picture[letters] == '{' ? PICTURE_LEAD_MAX : letters;
}

static int add_picture(struct detect_pictures *p, const struct detect_picture *picture,
		       struct err *e)
{
	size_t length = 0;

	for (const char *at = picture->text; *at != '\0';) {
		uint16_t kinds = kinds_of(*at);
		unsigned least, most;

		if (kinds == 0)
			return bad_picture(e, picture->text, "holds a sign that stands for nothing");
		at++;
		if (parse_times(&at, &least, &most) < 0)
			return bad_picture(e, picture->text, "has a {n,m} that cannot be");
		length += most;
		if (length > PICTURE_MAX)
			return bad_picture(e, picture->text, "is too long");
		if (GROW(p, sign, most, e) < 0)
			return -1;
		for (unsigned i = 0; i < most; i++)
			p->signs[p->sign_count++] = (struct picture_sign){ .kinds = kinds,
								   .optional = i >= least };
	}
	if (length == 0)
		return bad_picture(e, picture->text, "is empty");
	note_lead(p, picture->text);
	if (GROW(p, sign, 1, e) < 0)
		return -1;
	p->signs[p->sign_count++] = (struct picture_sign){ .owner = picture->owner };
	return 0;
}

/* ---- states ----------------------------------------------------------------------- */

/* The place and those that are reached from it over optional signs go behind the
 * `count` that are there, unless they are. */
static int add_place(struct detect_pictures *p, uint32_t place, uint32_t *count, struct err *e)
{
	for (;; place++) {
		bool known = false;

		for (uint32_t i = 0; i < *count && !known; i++)
			known = p->places[p->place_count + i] == place;
		if (!known) {
			if (GROW(p, place, *count + 1, e) < 0)
				return -1;
			p->places[p->place_count + (*count)++] = place;
		}
		if (!p->signs[place].optional)
			return 0;
	}
}

static int compare_places(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static int add_owners(struct detect_pictures *p, struct picture_state *s, struct err *e)
{
	s->owners = (uint32_t)p->owner_count;
	for (uint32_t i = 0; i < s->count; i++) {
		const struct picture_sign *sign = &p->signs[p->places[s->first + i]];
		bool known = false;

		if (sign->kinds != 0)
			continue;
		for (size_t k = s->owners; k < p->owner_count && !known; k++)
			known = p->owners[k] == sign->owner;
		if (known)
			continue;
		if (GROW(p, owner, 1, e) < 0)
			return -1;
		p->owners[p->owner_count++] = (uint16_t)sign->owner;
	}
	s->owner_count = (uint32_t)(p->owner_count - s->owners);
	return 0;
}

/* The state of the `count` places that stand behind the known ones: an old one or a
 * new one. */
static int state_of(struct detect_pictures *p, uint32_t count, uint16_t *out, struct err *e)
{
	uint32_t *places = p->places + p->place_count;
	size_t bytes = count * sizeof *places;
	uint64_t hash = 14695981039346656037u;	/* FNV-1a */
	size_t slot;
	struct picture_state *s;

	qsort(places, count, sizeof *places, compare_places);
	for (uint32_t i = 0; i < count; i++)
		hash = (hash ^ places[i]) * 1099511628211u;
	for (slot = (hash ^ hash >> 32) % (2 * PICTURE_STATES_MAX); p->table[slot] != 0;
	     slot = (slot + 1) % (2 * PICTURE_STATES_MAX)) {
		s = &p->states[p->table[slot]];
		if (s->count == count && memcmp(p->places + s->first, places, bytes) == 0) {
			*out = (uint16_t)p->table[slot];
			return 0;
		}
	}
	if (p->state_count == PICTURE_STATES_MAX)
		return err_set(e, MUNI_LIMIT, "too many different pictures of numbers");
	if (GROW(p, state, 1, e) < 0)
		return -1;
	s = &p->states[p->state_count];
	*s = (struct picture_state){ .first = (uint32_t)p->place_count, .count = count };
	p->place_count += count;
	if (add_owners(p, s, e) < 0)
		return -1;
	*out = (uint16_t)p->state_count;
	p->table[slot] = (uint32_t)p->state_count++;
	return 0;
}

static int add_step(struct detect_pictures *p, size_t from, unsigned kind, uint16_t *to,
		    struct err *e)
{
	struct picture_state s = p->states[from];
	uint32_t count = 0;

	*to = 0;
	for (uint32_t i = 0; i < s.count; i++) {
		uint32_t place = p->places[s.first + i];

		if ((p->signs[place].kinds >> kind & 1) != 0 &&
		    add_place(p, place + 1, &count, e) < 0)
			return -1;
	}
	if (count == 0)
		return 0;
	if (state_of(p, count, to, e) < 0)
		return -1;
	if (p->states[*to].owner_count > 0)
		*to |= PICTURE_ACCEPTS;
	return 0;
}

static int make_states(struct detect_pictures *p, struct err *e)
{
	size_t room = 0;
	uint32_t count = 0;
	uint16_t start;

	if (GROW(p, state, 1, e) < 0)
		return -1;
	p->states[p->state_count++] = (struct picture_state){ .count = 0 };	/* 0: nowhere */
	for (size_t i = 0; i < p->sign_count; i++)
		if ((i == 0 || p->signs[i - 1].kinds == 0) &&
		    add_place(p, (uint32_t)i, &count, e) < 0)
			return -1;
	if (state_of(p, count, &start, e) < 0)
		return -1;
	for (size_t from = 0; from < p->state_count; from++) {
		p->next = grown(p->next, &room, p->state_room, sizeof *p->next);
		if (!p->next)
			return no_memory(e);
		for (unsigned kind = 0; kind < PICTURE_KINDS; kind++)
			if (add_step(p, from, kind, &p->next[from][kind], e) < 0)
				return -1;
	}
	p->run[0] = 1;
	for (size_t i = 1; i < PICTURE_RUN_MAX; i++)
		p->run[i] = p->next[p->run[i - 1] & ~PICTURE_ACCEPTS][KIND_DIGIT];
	return 0;
}

int detect_pictures_new(const struct detect_picture *pictures, size_t count,
			struct detect_pictures **out, struct err *e)
{
	struct detect_pictures *p = calloc(1, sizeof *p);
	int rc = -1;

	*out = NULL;
	if (!p || !(p->table = calloc(2 * PICTURE_STATES_MAX, sizeof *p->table))) {
		no_memory(e);
		goto out;
	}
	for (unsigned c = 0; c < 256; c++) {
		uint8_t kind = KIND_OTHER;

		if (c >= '0' && c <= '9')
			kind = KIND_DIGIT;
		else if (c >= 'A' && c <= 'Z')
			kind = KIND_UPPER;
		else if (c >= 'a' && c <= 'z')
			kind = KIND_LOWER;
		else if (c != 0 && strchr(punctuation, (int)c))
			kind = (uint8_t)(KIND_PUNCTUATION + (strchr(punctuation, (int)c) - punctuation));
		p->kind[c] = kind;
		p->joins[c] = (kind >= KIND_DIGIT && kind <= KIND_LOWER) ||
			      (c != 0 && strchr(" :-.+(", (int)c));
	}
	for (size_t i = 0; i < count; i++)
		if (add_picture(p, &pictures[i], e) < 0)
			goto out;
	if (count > 0 && make_states(p, e) < 0)
		goto out;
	*out = p;
	rc = 0;
out:
	if (p) {	/* what only its making needed */
		free(p->signs);
		free(p->places);
		free(p->table);
		p->signs = NULL;
		p->places = p->table = NULL;
	}
	if (rc < 0)
		detect_pictures_free(p);
	return rc;
}

void detect_pictures_free(struct detect_pictures *p)
{
	if (!p)
		return;
	free(p->next);
	free(p->states);
	free(p->owners);
	free(p);
}

size_t detect_pictures_states(const struct detect_pictures *p)
{
	return p->state_count;
}
