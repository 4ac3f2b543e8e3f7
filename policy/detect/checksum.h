/*
 * The check digits that identity numbers share.  digits: '0'..'9', no separators
 * (checksum_digits() strips them).  The check digit stands last, and a number of
 * fewer than two digits or with any other character is never right.
 */
#ifndef POLICY_DETECT_CHECKSUM_H
#define POLICY_DETECT_CHECKSUM_H

#include <stdbool.h>
#include <stddef.h>

/* Copies the digits of text to out (NUL ended), skipping the characters of
 * `separators`; the count, or -1 for any other character or more than room - 1. */
int checksum_digits(const char *text, size_t size, const char *separators, char *out,
		    size_t room);
/* The same for upper-case letters and digits; lower case is raised. */
int checksum_alnum(const char *text, size_t size, const char *separators, char *out,
		   size_t room);

bool checksum_luhn(const char *digits, size_t count);	/* ISO/IEC 7812-1 annex B */
/* ISO 7064 MOD 97-10 as ISO 13616 turns it: the first four characters go last. */
bool checksum_mod97(const char *alnum, size_t count);
bool checksum_verhoeff(const char *digits, size_t count);
bool checksum_mod11_2(const char *digits_or_x, size_t count);	/* ISO 7064 MOD 11-2 */
bool checksum_mod11_10(const char *digits, size_t count);	/* ISO 7064 MOD 11,10 */

/* A date of the proleptic Gregorian calendar that exists, years 1850..2100. */
bool checksum_is_date(int year, int month, int day);
/* All the same digit, or a run like 12345678 or 7890123 up or down. */
bool checksum_is_trivial(const char *digits, size_t count);

#endif
