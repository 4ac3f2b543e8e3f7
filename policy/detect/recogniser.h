/*
 * A recogniser: how one kind of sensitive data looks, what makes it real, and
 * which words stand near it.  Pure tables and functions: text in, verdict out.
 *
 * The tables stand in recognisers_*.c, one a region or subject; a new kind of
 * data is one more row.  detect.h runs them, all patterns in one pass.
 *
 * The ids are used in policies and in output: never rename one.
 */
#ifndef POLICY_DETECT_RECOGNISER_H
#define POLICY_DETECT_RECOGNISER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where a pattern matched.  Text is UTF-8; the span never splits a character. */
struct candidate {
	const char *text;	/* the span that the pattern matched */
	size_t size;
	/* What stands around it, as far as the scanner holds it (at least 256 bytes
	 * to either side unless the text or the cell ends sooner): before..text,
	 * text + size..after. */
	const char *before, *after;
	/* Over the cell that it stands in (column, key, element), or NULL. */
	const char *label;
	bool has_context;	/* a word of the recogniser's stands near it or in the label */
	/* Most of what looks like a value is none.  At the first look check may leave
	 * out whatever costs time and can only lower the verdict (what numbers are
	 * called around it); has_context is true then.  What passes is looked at again
	 * before it counts. */
	bool is_first_look;
	/* The text is a whole cell, and the label over it names a secret
	 * (detect_names_secret()): only for those that take cells. */
	bool is_cell;
};

enum verdict {
	VERDICT_NO,		/* it only looks like one */
	VERDICT_WEAK,		/* may be one: counts only with context */
	VERDICT_VALID,		/* counts by itself */
};

/* How much of a value may be shown as a sample.  Never more than a quarter of
 * its letters and digits, and of those the ones named here. */
enum masking {
	MASK_ALL,		/* secrets: nothing but a public prefix ("AKIA", "ghp_") */
	MASK_ENDS,		/* the first one or two and the last two */
	MASK_TAIL,		/* the last few */
	MASK_MAIL,		/* the first letter, and the last label of the domain */
};

enum sensitivity {		/* in order: the greater wins */
	SENSITIVITY_PUBLIC,
	SENSITIVITY_INTERNAL,
	SENSITIVITY_CONFIDENTIAL,
	SENSITIVITY_RESTRICTED,
};

struct recogniser {
	const char *id;
	const char *title;	/* for people: "US social security number" */
	/* Pictures, ended by NULL, or NULL: how a number is written, sign for sign.
	 *
	 *   9  a digit             A  a letter A-Z       a  a letter of either case
	 *   X  A-Z or a digit      x  a letter of either case or a digit
	 *   {n} {n,m}              so many of the sign before it
	 *   space - . / ( ) + : , ' _ <    themselves
	 *
	 * "999-99-9999", "9{13,19}", "AA 99 99 99 A", "AA99X{11,30}".  A picture stands
	 * for whole words: what begins or ends it with a letter or digit has none of
	 * [A-Za-z0-9] beyond, and if it begins with a digit no digit and hyphen or dot
	 * before it (a piece of a longer number).  It has a digit among its first six
	 * characters, or in the first word behind short words of letters that are
	 * joined by one sign ("AA 99", "xx:xx:xx" of which the first two may be "ab:cd"),
	 * or begins with "AAAAAA" or "xx:xx:" ("-" and "." likewise).  It is PICTURE_MAX characters long at most.  Each way
	 * of writing is a picture of its own.
	 *
	 * For everything that is made of digits or capitals: pictures cost nothing
	 * where there are none, expressions without a fixed word cost much. */
	const char *const *pictures;
#define PICTURE_MAX 128
	/* Vectorscan expressions (its subset of PCRE, UTF-8 text, DOTALL off), ended
	 * by NULL, or NULL.  Wide enough for every way the value is written, narrow
	 * enough that prose matches none of them.  What is left of the match and right
	 * of it is check's to look at.  Fast are those in which three or more fixed
	 * characters must stand ("ghp_", "://"), and of those the ones whose matches
	 * are all of one length. */
	const char *const *patterns;
	bool ignores_case;
	/* Never called with a span outside min_size..max_size. */
	uint16_t min_size, max_size;
	enum verdict (*check)(const struct candidate *c);
	/* Lower case, English and Chinese (and of the country), ended by NULL.  An
	 * ASCII word must stand as a word ("ssn" not in "lessn"); "_" and "-" and a
	 * change of case part words ("homePhone", "card_no").  NULL: the form of such a
	 * value says as much as words could; it always counts as in context. */
	const char *const *context;
	/* Digits alone, with nothing to part them, are never VERDICT_VALID, and no value
	 * where they are not clear (beside.h).  Tables are full of such: they are put
	 * aside unread where no word is near. */
	bool bare_is_weak;
	uint8_t alone;		/* confidence in percent of VERDICT_VALID without context */
	uint8_t in_context;	/* ... of VALID or WEAK with it */
	enum masking masking;
	uint8_t public_prefix;	/* MASK_ALL: bytes that are the same for everybody */
	enum sensitivity sensitivity;
	/* Where two recognisers claim overlapping spans the one with context wins,
	 * then the one with the higher confidence, then the longer span, then the
	 * higher rank, then the one that stands first in the table. */
	uint8_t rank;
	/* Where the value itself stands, between before and after, when the pattern
	 * matches something else: a key word and the first letter of a password.
	 * Asked once check has not said no; this span is then counted, masked, told,
	 * and held against others.  NULL: the match is the value. */
	void (*value)(const struct candidate *c, const char **start, size_t *size);
	/* Asked about whole cells too, of any size, where the label over them names a
	 * secret: a password has no form to be found by. */
	bool takes_cells;
};

struct recogniser_table {
	const struct recogniser *rows;
	size_t count;
};

/* recognisers_money.c: payment-card iban swift-bic cn-bank-card */
extern const struct recogniser_table recognisers_money;
/* recognisers_china.c: cn-resident-id cn-uscc cn-mobile cn-plate hk-id tw-id */
extern const struct recogniser_table recognisers_china;
/* recognisers_europe.c: uk-nino uk-nhs de-tax-id fr-nir it-codice-fiscale es-dni
 * es-nie pl-pesel se-personnummer */
extern const struct recogniser_table recognisers_europe;
/* recognisers_world.c: us-ssn us-itin ca-sin au-tfn in-aadhaar in-pan br-cpf br-cnpj
 * jp-my-number kr-rrn passport-mrz */
extern const struct recogniser_table recognisers_world;
/* recognisers_contact.c: email phone ipv4 ipv6 mac date-of-birth */
extern const struct recogniser_table recognisers_contact;
/* recognisers_secrets.c: private-key aws-key gcp-key azure-key github-token
 * gitlab-token slack-token stripe-key jwt password high-entropy */
extern const struct recogniser_table recognisers_secrets;

#endif
