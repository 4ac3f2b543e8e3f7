/*
 * A picture is a row of signs; all rows together are an automaton that may stand in
 * many places at once.  detect_pictures_new() makes the sets of places that can occur
 * into states (the subset construction), so that a walk is one look-up a byte.
 */
#include "policy/detect/detect_pictures.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/err.h"
#include "fs/base/text.h"
#include "policy/detect/detect_masks.h"
#include "policy/detect/recogniser.h"

#define KINDS 16		/* of bytes */
#define STATES_MAX 32768u
#define ACCEPTS 0x8000u		/* in a step: a picture may end there */
#define LEAD_MAX 5		/* letters before the first digit of a word */
#define CAPITALS 6		/* that begin a word without digits */
#define RUN_MAX 32		/* digits that are taken in one step */

static const char punctuation[] = " -./()+:,'_<";	/* kinds 4..15 */
enum { KIND_OTHER, KIND_DIGIT, KIND_UPPER, KIND_LOWER, KIND_PUNCTUATION };

struct sign {			/* a place in a picture */
	uint16_t kinds;		/* bits; 0: the end, owned by .owner */
	bool optional;
	unsigned owner;
};

struct state {
	uint32_t first, count;	/* places, in `places` */
	uint32_t owners, owner_count;	/* in `owners` */
};

struct detect_pictures {
	uint8_t kind[256];
	uint16_t (*next)[KINDS];	/* by state: a state, perhaps with ACCEPTS; 0: nowhere */
	unsigned lead;		/* letters that a picture has before its first separator */
	uint16_t run[RUN_MAX];	/* the state after so many digits, perhaps with ACCEPTS */
	struct state *states;
	size_t state_count, state_room;
	uint16_t *owners;
	size_t owner_count, owner_room;
	/* While it is made: */
	struct sign *signs;
	size_t sign_count, sign_room;
	uint32_t *places;
	size_t place_count, place_room;
	uint32_t *table;	/* states by their places; 0: free */
};

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
		p->lead = picture[letters] == '{' ? LEAD_MAX : letters;
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
			p->signs[p->sign_count++] = (struct sign){ .kinds = kinds,
								   .optional = i >= least };
	}
	if (length == 0)
		return bad_picture(e, picture->text, "is empty");
	note_lead(p, picture->text);
	if (GROW(p, sign, 1, e) < 0)
		return -1;
	p->signs[p->sign_count++] = (struct sign){ .owner = picture->owner };
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

static int add_owners(struct detect_pictures *p, struct state *s, struct err *e)
{
	s->owners = (uint32_t)p->owner_count;
	for (uint32_t i = 0; i < s->count; i++) {
		const struct sign *sign = &p->signs[p->places[s->first + i]];
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
	struct state *s;

	qsort(places, count, sizeof *places, compare_places);
	for (uint32_t i = 0; i < count; i++)
		hash = (hash ^ places[i]) * 1099511628211u;
	for (slot = (hash ^ hash >> 32) % (2 * STATES_MAX); p->table[slot] != 0;
	     slot = (slot + 1) % (2 * STATES_MAX)) {
		s = &p->states[p->table[slot]];
		if (s->count == count && memcmp(p->places + s->first, places, bytes) == 0) {
			*out = (uint16_t)p->table[slot];
			return 0;
		}
	}
	if (p->state_count == STATES_MAX)
		return err_set(e, MUNI_LIMIT, "too many different pictures of numbers");
	if (GROW(p, state, 1, e) < 0)
		return -1;
	s = &p->states[p->state_count];
	*s = (struct state){ .first = (uint32_t)p->place_count, .count = count };
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
	struct state s = p->states[from];
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
		*to |= ACCEPTS;
	return 0;
}

static int make_states(struct detect_pictures *p, struct err *e)
{
	size_t room = 0;
	uint32_t count = 0;
	uint16_t start;

	if (GROW(p, state, 1, e) < 0)
		return -1;
	p->states[p->state_count++] = (struct state){ .count = 0 };	/* 0: nowhere */
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
		for (unsigned kind = 0; kind < KINDS; kind++)
			if (add_step(p, from, kind, &p->next[from][kind], e) < 0)
				return -1;
	}
	p->run[0] = 1;
	for (size_t i = 1; i < RUN_MAX; i++)
		p->run[i] = p->next[p->run[i - 1] & ~ACCEPTS][KIND_DIGIT];
	return 0;
}

int detect_pictures_new(const struct detect_picture *pictures, size_t count,
			struct detect_pictures **out, struct err *e)
{
	struct detect_pictures *p = calloc(1, sizeof *p);
	int rc = -1;

	*out = NULL;
	if (!p || !(p->table = calloc(2 * STATES_MAX, sizeof *p->table))) {
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

/* ---- walking ---------------------------------------------------------------------- */

struct walk {
	const struct detect_pictures *pictures;
	const char *text;
	size_t size, from, to;
	size_t next;		/* words before it were tried */
	detect_pictures_found *found;
	void *arg;
};

static bool is_word(const struct walk *w, size_t at)
{
	uint8_t kind = w->pictures->kind[(unsigned char)w->text[at]];

	return kind >= KIND_DIGIT && kind <= KIND_LOWER;
}

static bool is_digit(const struct walk *w, size_t at)
{
	return w->pictures->kind[(unsigned char)w->text[at]] == KIND_DIGIT;
}

/* A picture ends before `at`, in `state`. */
static void tell_owners(const struct walk *w, unsigned state, size_t start, size_t at)
{
	const struct state *s = &w->pictures->states[state];

	if (at < w->size && is_word(w, at - 1) && is_word(w, at))
		return;
	for (uint32_t i = 0; i < s->owner_count; i++)
		w->found(w->arg, w->pictures->owners[s->owners + i], start, at);
}

/* The first `run` bytes are digits. */
static void walk_from(const struct walk *w, size_t start, size_t run)
{
	const uint16_t (*next)[KINDS] = (const uint16_t (*)[KINDS])w->pictures->next;
	const uint8_t *kind = w->pictures->kind;
	unsigned state = w->pictures->run[run];
	size_t at = start + run;

	while (state != 0) {
		if ((state & ACCEPTS) != 0) {
			state &= ~ACCEPTS;
			tell_owners(w, state, start, at);
		}
		if (at == w->size)
			return;
		state = next[state][kind[(unsigned char)w->text[at++]]];
	}
}

static void try_word(struct walk *w, size_t word, size_t run)
{
	size_t start = word;

	if (word < w->from || word >= w->to || word < w->next)
		return;
	w->next = word + 1;
	/* "+49 ...", "(0)30 ...", "(+49) ..." */
	while (start > 0 && word - start < 2 &&
	       (w->text[start - 1] == '+' || w->text[start - 1] == '('))
		start--;
	for (; start < word; start++)
		walk_from(w, start, 0);
	walk_from(w, word, run);
}

/* Where the word begins that ends before `at`, if that is near enough to `digit`; else
 * `at`. */
static size_t word_before(const struct walk *w, size_t at, size_t digit)
{
	size_t word = at;

	while (word > 0 && is_word(w, word - 1)) {
		if (digit - word == LEAD_MAX)
			return at;
		word--;
	}
	return word;
}

/* The word in which the digits at `digit` are the first, and a short one before it:
 * "AB 12 34 56 C". */
static void try_digits(struct walk *w, size_t digit, size_t run)
{
	size_t word = word_before(w, digit, digit), lead;
	char left = word > 0 ? w->text[word - 1] : '\0';

	if (word > 0 && is_word(w, word - 1))
		return;
	/* A time of day. */
	if (left == ':' && run <= 2 && word == digit && word > 1 && is_digit(w, word - 2))
		return;
	if (left == ' ' || left == '-' || left == '.') {
		lead = word_before(w, word - 1, digit);
		if (lead < word - 1 && word - 1 - lead <= w->pictures->lead)
			try_word(w, lead, 0);
	}
	try_word(w, word, word == digit ? run : 0);
}

static void try_capitals(struct walk *w, size_t word)
{
	for (size_t i = 0; i < CAPITALS; i++)
		if (word + i >= w->size ||
		    w->pictures->kind[(unsigned char)w->text[word + i]] != KIND_UPPER)
			return;
	try_word(w, word, 0);
}

/* Digits in `digits` from `bit` on, as many as can be told, at most `most`. */
static size_t run_of(uint64_t digits, unsigned bit, size_t most)
{
	uint64_t ends = ~(digits >> bit);
	size_t run = (size_t)__builtin_ctzll(ends | 1ull << (RUN_MAX - 1));

	return run < most ? run : most;
}

/* What stands left of 64 bytes, as bits to be shifted in. */
struct left {
	uint64_t digit, word, joint;
};

/* Where digits begin that are worth a try.  Behind a digit and a hyphen or dot stands
 * a piece of a longer number: "05" of "2024-05-01". */
static uint64_t beginnings_of(const struct detect_masks *m, const struct left *l)
{
	uint64_t joint = m->joint << 1 | l->joint >> 63;
	uint64_t digit_before = m->digit << 2 | l->digit >> 62;

	return m->digit & ~(m->digit << 1 | l->digit >> 63) & ~(joint & digit_before);
}

void detect_pictures_scan(const struct detect_pictures *p, const char *text, size_t size,
			  size_t from, size_t to, detect_pictures_found *found, void *arg)
{
	struct walk w = { .pictures = p, .text = text, .size = size, .from = from, .to = to,
			  .found = found, .arg = arg };
	struct left left = { 0 };

	if (p->state_count == 0 || from >= size)
		return;
	for (size_t i = 1; i <= 2 && i <= from; i++) {
		left.digit |= (uint64_t)is_digit(&w, from - i) << (64 - i);
		left.word |= (uint64_t)is_word(&w, from - i) << (64 - i);
		left.joint |= (uint64_t)(text[from - i] == '-' || text[from - i] == '.')
			      << (64 - i);
	}
	/* The first digit of a word may stand behind `to`. */
	for (size_t at = from; at < size && at < to + LEAD_MAX + 1; at += 64) {
		struct detect_masks m = detect_masks_of(text + at);
		uint64_t word = m.digit | m.upper | m.lower;
		uint64_t digits = beginnings_of(&m, &left);
		uint64_t capitals = m.upper & (m.upper >> 1 | 1ull << 63) &
				    ~(word << 1 | left.word >> 63);

		left = (struct left){ m.digit, word, m.joint };
		/* Both in order of place, so that words are tried in order. */
		for (uint64_t both = digits | capitals; both != 0; both &= both - 1) {
			unsigned bit = (unsigned)__builtin_ctzll(both);

			if (at + bit >= size)
				break;
			if ((digits >> bit & 1) != 0)
				try_digits(&w, at + bit, run_of(m.digit, bit, size - at - bit));
			else
				try_capitals(&w, at + bit);
		}
	}
}
