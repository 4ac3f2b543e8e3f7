/*
 * Walking: words that may begin a picture are found 64 bytes at a time, and the
 * automaton is walked from each.
 */
#include "policy/detect/detect_masks.h"
#include "policy/detect/detect_pictures_inside.h"

#define CAPITALS 6		/* that begin a word without digits */
#define GROUPS 5		/* of letters, before the first digit */
/* From the beginning of a picture to its first digit. */
#define REACH (PICTURE_LEAD_MAX * (GROUPS + 1))

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
	const struct picture_state *s = &w->pictures->states[state];

	if (at < w->size && is_word(w, at - 1) && is_word(w, at))
		return;
	for (uint32_t i = 0; i < s->owner_count; i++)
		w->found(w->arg, w->pictures->owners[s->owners + i], start, at);
}

/* The first `run` bytes are digits. */
static void walk_from(const struct walk *w, size_t start, size_t run)
{
	const uint16_t (*next)[PICTURE_KINDS] = (const uint16_t (*)[PICTURE_KINDS])w->pictures->next;
	const uint8_t *kind = w->pictures->kind;
	unsigned state = w->pictures->run[run];
	size_t at = start + run;

	while (state != 0) {
		if ((state & PICTURE_ACCEPTS) != 0) {
			state &= ~PICTURE_ACCEPTS;
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
		if (digit - word == PICTURE_LEAD_MAX)
			return at;
		word--;
	}
	return word;
}

/* "ab:cd:12:34:56:78": groups of letters before the word, joined as it is. */
static size_t groups_before(const struct walk *w, size_t word, char by)
{
	for (unsigned i = 0; i < GROUPS && word > 1 && w->text[word - 1] == by; i++) {
		size_t group = word_before(w, word - 1, word - 1);

		if (group == word - 1 || (group > 0 && is_word(w, group - 1)))
			break;
		word = group;
	}
	return word;
}

/* The word in which the digits at `digit` are the first, and what short words stand
 * before it: "AB 12 34 56 C". */
static void try_digits(struct walk *w, size_t digit, size_t run)
{
	size_t word = word_before(w, digit, digit), lead;
	char left = word > 0 ? w->text[word - 1] : '\0';

	if (word > 0 && is_word(w, word - 1))
		return;
	/* A time of day. */
	if (left == ':' && run <= 2 && word == digit && word > 1 && is_digit(w, word - 2))
		return;
	if (left == ' ') {
		lead = word_before(w, word - 1, digit);
		if (lead < word - 1 && word - 1 - lead <= w->pictures->lead)
			try_word(w, lead, 0);
	} else if (left == ':' || left == '-' || left == '.') {
		lead = groups_before(w, word, left);
		if (lead < word)
			try_word(w, lead, 0);
	}
	try_word(w, word, word == digit ? run : 0);
}

/* Most numbers of a table: alone between signs that join nothing, and with the sign behind
 * them no picture's beginning. */
static bool is_dead(const struct walk *w, size_t digit, size_t run)
{
	const struct detect_pictures *p = w->pictures;
	unsigned state = p->run[run];

	if ((state & PICTURE_ACCEPTS) != 0 ||
	    (digit > 0 && p->joins[(unsigned char)w->text[digit - 1]]))
		return false;
	return digit + run == w->size ||
	       p->next[state][p->kind[(unsigned char)w->text[digit + run]]] == 0;
}

static void try_capitals(struct walk *w, size_t word)
{
	for (size_t i = 0; i < CAPITALS; i++)
		if (word + i >= w->size ||
		    w->pictures->kind[(unsigned char)w->text[word + i]] != KIND_UPPER)
			return;
	try_word(w, word, 0);
}

/* Two letters before the sign at `by`, and the same sign behind the next two: there may
 * be no digit at all. */
static void try_letters(struct walk *w, size_t by)
{
	size_t word = by - 2;

	if (by >= 2 && by + 3 < w->size && w->text[by + 3] == w->text[by] && is_word(w, word) &&
	    is_word(w, word + 1) && (word == 0 || !is_word(w, word - 1)))
		try_word(w, word, 0);
}

/* Digits in `digits` from `bit` on, as many as can be told, at most `most`. */
static size_t run_of(uint64_t digits, unsigned bit, size_t most)
{
	uint64_t ends = ~(digits >> bit);
	size_t run = (size_t)__builtin_ctzll(ends | 1ull << (PICTURE_RUN_MAX - 1));

	return run < most ? run : most;
}

struct masks {			/* of 64 bytes */
	uint64_t digit, capital, joint, colon;
};

/* What stands left of 64 bytes, as bits to be shifted in from the right. */
struct left {
	uint64_t digit, word, joint;
};

static struct left left_of(const struct walk *w, size_t at)
{
	struct left l = { 0 };

	for (size_t i = 1; i <= 2 && i <= at; i++) {
		char c = w->text[at - i];

		l.digit |= (uint64_t)is_digit(w, at - i) << (2 - i);
		l.word |= (uint64_t)is_word(w, at - i) << (2 - i);
		l.joint |= (uint64_t)(c == '-' || c == '.') << (2 - i);
	}
	return l;
}

/* Where digits begin that are worth a try.  Behind a digit and a hyphen or dot stands
 * a piece of a longer number: "05" of "2024-05-01". */
static uint64_t first_digits(const struct masks *m, const struct left *l)
{
	uint64_t joint_before = m->joint << 1 | l->joint >> 1;
	uint64_t digit_before = m->digit << 2 | l->digit;

	return m->digit & ~(m->digit << 1 | l->digit >> 1) & ~(joint_before & digit_before);
}

/* Where a word begins with two capitals; what the next 64 bytes hold is not known. */
static uint64_t pairs_of(uint64_t capital)
{
	return capital & (capital >> 1 | 1ull << 63);
}

/* A colon, hyphen or dot with another three bytes on: "ab:cd:ef". */
static uint64_t thirds_of(const struct masks *m)
{
	uint64_t by = m->joint | m->colon;

	return by & (by >> 3 | 7ull << 61);
}

static void try_block(struct walk *w, size_t at, const struct masks *m)
{
	struct left left = left_of(w, at);
	uint64_t word = m->digit | m->capital | detect_mask_small(w->text + at);
	uint64_t digits = first_digits(m, &left);
	uint64_t pairs = pairs_of(m->capital) & ~(word << 1 | left.word >> 1);
	uint64_t thirds = thirds_of(m);

	/* In order of place, so that words are tried in order. */
	for (uint64_t all = digits | pairs | thirds; all != 0; all &= all - 1) {
		unsigned bit = (unsigned)__builtin_ctzll(all);

		if (at + bit >= w->size)
			break;
		if ((digits >> bit & 1) != 0) {
			size_t run = run_of(m->digit, bit, w->size - at - bit);

			if (!is_dead(w, at + bit, run))
				try_digits(w, at + bit, run);
		} else if ((pairs >> bit & 1) != 0)
			try_capitals(w, at + bit);
		else
			try_letters(w, at + bit);
	}
}

void detect_pictures_scan(const struct detect_pictures *p, const char *text, size_t size,
			  size_t from, size_t to, detect_pictures_found *found, void *arg)
{
	struct walk w = { .pictures = p, .text = text, .size = size, .from = from, .to = to,
			  .found = found, .arg = arg };

	if (p->state_count == 0)
		return;
	/* The first digit of a word may stand behind `to`. */
	for (size_t at = from; at < size && at < to + REACH; at += 64) {
		struct masks m = { detect_mask_digits(text + at), detect_mask_capitals(text + at),
				   detect_mask_joints(text + at), detect_mask_colons(text + at) };

		if ((m.digit | pairs_of(m.capital) | thirds_of(&m)) != 0)
			try_block(&w, at, &m);
	}
}
