/*
 * What makes an address, a number or a date of recognisers_contact.c real, one file
 * each.  Patterns are triggers; the value() beside a check tells the whole span.
 */
#ifndef POLICY_DETECT_CHECK_CONTACT_H
#define POLICY_DETECT_CHECK_CONTACT_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/detect/recogniser.h"

struct span;

enum verdict email_check(const struct candidate *c);
void email_value(const struct candidate *c, const char **start, size_t *size);

enum verdict phone_check(const struct candidate *c);
void phone_value(const struct candidate *c, const char **start, size_t *size);
extern const char *const phone_words[];	/* context */

enum verdict ipv4_check(const struct candidate *c);
enum verdict ipv6_check(const struct candidate *c);
void ipv6_value(const struct candidate *c, const char **start, size_t *size);
enum verdict mac_check(const struct candidate *c);

enum verdict birth_check(const struct candidate *c);
void birth_value(const struct candidate *c, const char **start, size_t *size);
/* They make a date one of birth. */
#define BIRTH_WORDS \
	"born", "dob", "d.o.b", "birth", "birthdate", "birthday", "birthdays", "bday", \
	"date of birth", "birth date", "geboren", "geburtsdatum", "geburtstag", "geb", \
	"naissance", "né le", "née le", "ne le", "nee le", "nacimiento", "nacido", "nacida", \
	"nascita", "nato il", "nata il", "nascimento", "nascido", "nascida", "geboortedatum", \
	"född", "födelsedatum", "urodzenia", "urodzony", "出生", "出生日期", "出生年月", \
	"出生年月日", "生日", "生年月日", "诞辰", "出生於", "생년월일", "출생"

/* ---- parts, for each other and for tests ------------------------------------------ */

/* A top-level domain of the root zone, or one that networks use inside; ASCII, any
 * case.  What begins with "xn--" is taken to be one. */
bool tld_is_known(const char *name, size_t size);

/* digits: all that follows "+" or "00", NUL ended.  Does an assigned calling code
 * stand first, and a number of its length behind? */
bool phone_is_e164(const char *digits, size_t count);

#endif
