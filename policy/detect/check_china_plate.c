/*
 * Chinese licence plates, GA 36-2018: a character for the province, a letter for the
 * office, and a serial of five; six with a letter for the drive on new energy; four and
 * a character on the plates of the police, learners, trailers, Hong Kong, Macao and
 * consulates.  I and O stand in none.
 *
 * What is looked for is letter and serial, or the dot between them and four of the
 * serial: the characters around are found here.
 */
#include "policy/detect/check.h"

#include <string.h>

#include "policy/detect/beside.h"
#include "policy/detect/written.h"

#define HAN 3			/* bytes of a Chinese character */

struct plate {
	const char *start, *end;	/* from the province to the last character */
	char serial[8];
	size_t count;
	bool is_special;
};

static bool is_plate_char(char c)
{
	return written_is_digit(c) || (c >= 'A' && c <= 'Z' && c != 'I' && c != 'O');
}

static bool is_one_of(const char *at, const char *han)
{
	for (; *han != '\0'; han += HAN) {
		if (memcmp(at, han, HAN) == 0)
			return true;
	}
	return false;
}

/* "最新A12345" is the newest, not a plate of Xinjiang. */
static bool is_in_word(const struct candidate *c, const char *province)
{
	return memcmp(province, "新", HAN) == 0 && province - c->before >= HAN &&
	       is_one_of(province - HAN, "最全更崭创刷重");
}

static bool find_plate(const struct candidate *c, struct plate *p)
{
	static const char provinces[] =
		"京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼";
	bool is_dotted = (unsigned char)c->text[0] >= 0x80;
	const char *letter = is_dotted ? c->text - 1 : c->text, *at = letter;

	*p = (struct plate){ .count = 0 };
	if (letter - c->before < HAN || *letter < 'A' || !is_plate_char(*letter) ||
	    !is_one_of(letter - HAN, provinces) || is_in_word(c, letter - HAN))
		return false;
	p->start = letter - HAN;
	do	/* the dot, space or hyphen, if there is one */
		at++;
	while (at < c->after && !written_is_digit(*at) && !written_is_letter(*at));
	while (at < c->after && p->count < 7 && is_plate_char(*at))
		p->serial[p->count++] = *at++;
	p->is_special = p->count == 4 && c->after - at >= HAN && is_one_of(at, "警学挂港澳领");
	p->end = at + (p->is_special ? HAN : 0);
	return true;
}

static size_t digits_in(const char *chars, size_t count)
{
	size_t digits = 0;

	for (size_t i = 0; i < count; i++)
		digits += written_is_digit(chars[i]);
	return digits;
}

/* A letter of the kind of drive in front (small cars; a second letter may follow) or
 * at the end (large ones). */
static bool is_new_energy(const char *serial)
{
	static const char drives[] = "ABCDEFGHJK";

	return (strchr(drives, serial[0]) != NULL && digits_in(serial + 2, 4) == 4) ||
	       (strchr(drives, serial[5]) != NULL && digits_in(serial, 5) == 5);
}

enum verdict check_cn_plate(const struct candidate *c)
{
	struct candidate whole = *c;
	struct plate p;
	bool is_real;

	if (c->size == 0 || !find_plate(c, &p))
		return VERDICT_NO;
	whole.text = p.start;
	whole.size = (size_t)(p.end - p.start);
	if (!beside_is_clear(&whole))
		return VERDICT_NO;
	/* Of five at most two are letters; four need a character behind. */
	is_real = (p.is_special && digits_in(p.serial, 4) >= 2) ||
		  (p.count == 5 && digits_in(p.serial, 5) >= 3) ||
		  (p.count == 6 && is_new_energy(p.serial));
	return is_real ? VERDICT_VALID : VERDICT_NO;
}

void check_cn_plate_value(const struct candidate *c, const char **start, size_t *size)
{
	struct plate p;

	*start = c->text;
	*size = c->size;
	if (find_plate(c, &p)) {
		*start = p.start;
		*size = (size_t)(p.end - p.start);
	}
}
