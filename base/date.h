/* Days and times. A day is a count of days since 1970-01-01 in the proleptic Gregorian calendar; a
 * time is milliseconds since 1970-01-01T00:00:00Z. "Paris" is Central European time by the rule of
 * the European Union in force since 1996 (summer time from the last Sunday of March to the last
 * Sunday of October, both at 01:00 UTC), applied to every year: no system zone file is read. */
#pragma once

#include "base/err.h"
#include "base/str.h"

typedef int32_t day_t;
#define DAY_NONE INT32_MIN
#define DAY_MIN  (-25567) /* 1900-01-01 */
#define DAY_MAX  73049    /* 2170-01-01: nothing vigie knows lies outside */

typedef int64_t ms_t;
#define MS_NONE   INT64_MIN
#define MS_SECOND 1000LL
#define MS_MINUTE 60000LL
#define MS_HOUR   3600000LL
#define MS_DAY    86400000LL

struct ymd {
	int year, month, day; /* month and day from 1 */
};

day_t day_from_ymd(int year, int month, int day); /* must be a real date */
struct ymd day_to_ymd(day_t day);
bool ymd_is_real(int year, int month, int day);

/* Same day of the month `months` later or earlier, or that month's last day. */
day_t day_add_months(day_t day, int months);

/* 0 Monday … 6 Sunday. */
int day_weekday(day_t day);

struct iso_week {
	int year, week;
};
struct iso_week day_iso_week(day_t day);

/* "YYYY-MM-DD", nothing else. False for an impossible date or one outside DAY_MIN..DAY_MAX. */
bool day_parse(struct str text, day_t *day) must_use;

enum { DAY_TEXT_SIZE = 11, TIME_TEXT_SIZE = 32 };
const char *day_print(day_t day, char text[DAY_TEXT_SIZE]);

/* "1 January 2016", for sentences; "Monday". */
enum { DAY_WORDS_SIZE = 40 };
const char *day_print_words(day_t day, char text[DAY_WORDS_SIZE]);
const char *day_weekday_name(day_t day);

/* RFC 3339 with any offset and any fraction (cut to the millisecond); leap second :60 is refused. */
bool time_parse(struct str text, ms_t *time) must_use;

/* "2015-02-03T11:00:00Z", with ".123" only when there are milliseconds. */
const char *time_print(ms_t time, char text[TIME_TEXT_SIZE]);

day_t time_paris_day(ms_t time);
int time_paris_hour(ms_t time); /* 0 … 23 */
ms_t time_at_paris(day_t day, int hour,
		   int minute); /* in the gap of spring, the instant after it */

/* French public holidays. `alsace_moselle` adds Good Friday and 26 December. */
bool day_is_holiday(day_t day, bool alsace_moselle);
day_t easter_sunday(int year);

/* Neither Saturday, Sunday nor a holiday; the first such day strictly after `day`. */
bool day_is_working(day_t day, bool alsace_moselle);
day_t day_next_working(day_t day, bool alsace_moselle);
