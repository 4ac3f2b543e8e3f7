/*
 * A date as people write it.
 */
#ifndef POLICY_DETECT_DATE_WRITTEN_H
#define POLICY_DETECT_DATE_WRITTEN_H

#include <stdbool.h>

/*
 * The end of the date that begins at p, or NULL: none that exists does.  Writings:
 * 1984-03-12 and with / and .; 12.03.1984, 03/12/84 and the like, day or month first;
 * 12 March 1984, 12-Mar-84, 12th of March, 1984, March 12, 1984 and as the languages of
 * western Europe have it; 1984年3月12日, in Chinese numerals and Japanese eras too;
 * 1984년 3월 12일; 19840312.  Years 1850 to 2100.
 */
const char *date_written(const char *p, const char *end);
/* Eight digits, and such a date? */
bool date_is_compact(const char *p, const char *end);

#endif
