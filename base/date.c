#include "base/date.h"

#include <stdio.h>

/* Rounds towards the past, so that days before 1970 come out right. */
static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* Civil calendar. Years are counted from March here, so that the leap day comes last; an era is 400
 * years, after which the calendar repeats. */

enum { ERA_YEARS = 400, ERA_DAYS = 146097, DAYS_0000_TO_1970 = 719468 };

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int month_days(int year, int month)
{
	static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return days[month - 1] + (month == 2 && is_leap(year));
}

bool ymd_is_real(int year, int month, int day)
{
	return month >= 1 && month <= 12 && day >= 1 && day <= month_days(year, month);
}

day_t day_from_ymd(int year, int month, int day)
{
	int from_march = month > 2 ? month - 3 : month + 9;
	int64_t march_year = (int64_t)year - (month <= 2);
	int64_t era = floor_div(march_year, ERA_YEARS);
	int year_of_era = march_year - era * ERA_YEARS;
	int day_of_year = (153 * from_march + 2) / 5 + day - 1;

	assert(ymd_is_real(year, month, day));
	return era * ERA_DAYS + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
	       day_of_year - DAYS_0000_TO_1970;
}

struct ymd day_to_ymd(day_t day)
{
	int64_t from_0000 = (int64_t)day + DAYS_0000_TO_1970;
	int64_t era = floor_div(from_0000, ERA_DAYS);
	int day_of_era = from_0000 - era * ERA_DAYS;
	int year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int from_march = (5 * day_of_year + 2) / 153;
	int month = from_march < 10 ? from_march + 3 : from_march - 9;

	return (struct ymd){
		.year = era * ERA_YEARS + year_of_era + (month <= 2),
		.month = month,
		.day = day_of_year - (153 * from_march + 2) / 5 + 1,
	};
}

day_t day_add_months(day_t day, int months)
{
	struct ymd ymd = day_to_ymd(day);
	int64_t total = (int64_t)ymd.year * 12 + ymd.month - 1 + months;
	int year = floor_div(total, 12);
	int month = total - (int64_t)year * 12 + 1;
	int last = month_days(year, month);

	return day_from_ymd(year, month, ymd.day < last ? ymd.day : last);
}

int day_weekday(day_t day)
{
	enum { THURSDAY = 3 }; /* 1970-01-01 */
	int64_t from_monday = (int64_t)day + THURSDAY;

	return from_monday - floor_div(from_monday, 7) * 7;
}

/* A week belongs to the year in which its Thursday lies. */
struct iso_week day_iso_week(day_t day)
{
	day_t thursday = day - day_weekday(day) + 3;
	int year = day_to_ymd(thursday).year;

	return (struct iso_week){year, (thursday - day_from_ymd(year, 1, 1)) / 7 + 1};
}

/* Text. */

/* Exactly `count` digits from `text`; -1 when one of them is none. */
static int read_digits(const char *text, int count)
{
	int value = 0;

	for (int i = 0; i < count; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		value = value * 10 + text[i] - '0';
	}
	return value;
}

bool day_parse(struct str text, day_t *day)
{
	int year, month, day_of_month;
	day_t parsed;

	if (text.size != 10 || text.data[4] != '-' || text.data[7] != '-')
		return false;
	year = read_digits(text.data, 4);
	month = read_digits(text.data + 5, 2);
	day_of_month = read_digits(text.data + 8, 2);
	if (year < 0 || !ymd_is_real(year, month, day_of_month))
		return false;
	parsed = day_from_ymd(year, month, day_of_month);
	if (parsed < DAY_MIN || parsed > DAY_MAX)
		return false;

	*day = parsed;
	return true;
}

static void put_digits(char *text, int count, int value)
{
	while (count-- > 0) {
		text[count] = '0' + value % 10;
		value /= 10;
	}
}

const char *day_print(day_t day, char text[DAY_TEXT_SIZE])
{
	struct ymd ymd = day_to_ymd(day);

	assert(ymd.year >= 0 && ymd.year <= 9999);
	memcpy(text, "0000-00-00", DAY_TEXT_SIZE);
	put_digits(text, 4, ymd.year);
	put_digits(text + 5, 2, ymd.month);
	put_digits(text + 8, 2, ymd.day);
	return text;
}

const char *day_print_words(day_t day, char text[DAY_WORDS_SIZE])
{
	static const char *const months[] = {"January",   "February", "March",    "April",
					     "May",       "June",     "July",     "August",
					     "September", "October",  "November", "December"};
	struct ymd ymd = day_to_ymd(day);

	snprintf(text, DAY_WORDS_SIZE, "%d %s %d", ymd.day, months[ymd.month - 1], ymd.year);
	return text;
}

const char *day_weekday_name(day_t day)
{
	static const char *const names[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
					    "Friday", "Saturday", "Sunday"};

	return names[day_weekday(day)];
}

/* "hh:mm", as milliseconds; -1 when it is none. */
static int64_t read_hour_minute(const char *text)
{
	int hour = read_digits(text, 2);
	int minute = text[2] == ':' ? read_digits(text + 3, 2) : -1;

	if (hour < 0 || hour > 23 || minute < 0 || minute > 59)
		return -1;
	return hour * MS_HOUR + minute * MS_MINUTE;
}

/* ".5", ".123456", or nothing, from *at on, which moves past it. */
static bool read_fraction(struct str text, size_t *at, int64_t *ms)
{
	int weight = 100;
	size_t first = *at + 1;

	*ms = 0;
	if (*at >= text.size || text.data[*at] != '.')
		return true;
	for (*at = first; *at < text.size; (*at)++) {
		int digit = read_digits(text.data + *at, 1);

		if (digit < 0)
			break;
		*ms += digit * weight;
		weight /= 10;
	}
	return *at > first;
}

/* "Z" or "+hh:mm", which must be all that is left. */
static bool read_offset(struct str text, size_t at, int64_t *offset_ms)
{
	size_t left = text.size - at;
	const char *zone = text.data + at;

	*offset_ms = 0;
	if (left == 1)
		return *zone == 'Z' || *zone == 'z';
	if (left != 6 || (*zone != '+' && *zone != '-'))
		return false;
	*offset_ms = read_hour_minute(zone + 1);
	if (*offset_ms < 0)
		return false;
	if (*zone == '-')
		*offset_ms = -*offset_ms;
	return true;
}

bool time_parse(struct str text, ms_t *time)
{
	enum { AT_T = 10, AT_HOUR = 11, AT_SECOND = 17, AT_FRACTION = 19 };
	day_t day;
	int64_t clock_ms, fraction_ms, offset_ms;
	int second;
	size_t at = AT_FRACTION;

	if (text.size <= AT_FRACTION || !day_parse((struct str){text.data, AT_T}, &day))
		return false;
	if ((text.data[AT_T] != 'T' && text.data[AT_T] != 't') || text.data[AT_SECOND - 1] != ':')
		return false;
	clock_ms = read_hour_minute(text.data + AT_HOUR);
	second = read_digits(text.data + AT_SECOND, 2);
	if (clock_ms < 0 || second < 0 || second > 59)
		return false;
	if (!read_fraction(text, &at, &fraction_ms) || !read_offset(text, at, &offset_ms))
		return false;

	*time = day * MS_DAY + clock_ms + second * MS_SECOND + fraction_ms - offset_ms;
	return true;
}

const char *time_print(ms_t time, char text[TIME_TEXT_SIZE])
{
	int64_t day = floor_div(time, MS_DAY);
	int ms = time - day * MS_DAY;
	char *at = text + 10;

	assert(day >= INT32_MIN && day <= INT32_MAX);
	day_print(day, text);
	memcpy(at, "T00:00:00", 9);
	put_digits(at + 1, 2, ms / MS_HOUR);
	put_digits(at + 4, 2, ms / MS_MINUTE % 60);
	put_digits(at + 7, 2, ms / MS_SECOND % 60);
	at += 9;
	ms %= MS_SECOND;
	if (ms) {
		*at = '.';
		put_digits(at + 1, 3, ms);
		at += 4;
	}
	memcpy(at, "Z", 2);
	return text;
}

/* Paris. */

/* The last Sunday of March or October, 01:00 UTC: both months have 31 days. */
static ms_t switch_of(int year, int month)
{
	day_t last = day_from_ymd(year, month, 31);
	day_t sunday = last - (day_weekday(last) + 1) % 7;

	return sunday * MS_DAY + MS_HOUR;
}

static bool is_summer(ms_t time)
{
	struct ymd ymd = day_to_ymd(floor_div(time, MS_DAY));

	/* Only March and October have days of both kinds. */
	if (ymd.month == 3)
		return time >= switch_of(ymd.year, 3);
	if (ymd.month == 10)
		return time < switch_of(ymd.year, 10);
	return ymd.month > 3 && ymd.month < 10;
}

static ms_t to_paris(ms_t time)
{
	return time + (is_summer(time) ? 2 : 1) * MS_HOUR;
}

day_t time_paris_day(ms_t time)
{
	return floor_div(to_paris(time), MS_DAY);
}

int time_paris_hour(ms_t time)
{
	ms_t local = to_paris(time);

	return (local - floor_div(local, MS_DAY) * MS_DAY) / MS_HOUR;
}

/* The hour that autumn has twice means the first of them. */
ms_t time_at_paris(day_t day, int hour, int minute)
{
	ms_t local = day * MS_DAY + hour * MS_HOUR + minute * MS_MINUTE;
	ms_t if_summer = local - 2 * MS_HOUR, if_winter = local - MS_HOUR;

	assert(hour >= 0 && hour <= 23);
	assert(minute >= 0 && minute <= 59);
	if (is_summer(if_summer))
		return if_summer;
	if (!is_summer(if_winter))
		return if_winter;
	return switch_of(day_to_ymd(day).year, 3);
}

/* Holidays. */

/* Anonymous Gregorian computus: the Sunday after the full moon of the church's tables. */
day_t easter_sunday(int year)
{
	int golden = year % 19;
	int century = year / 100, of_century = year % 100;
	int sun_correction = century / 4, century_rest = century % 4;
	int moon_correction = (century - (century + 8) / 25 + 1) / 3;
	int epact = (19 * golden + century - sun_correction - moon_correction + 15) % 30;
	int weekday = (32 + 2 * century_rest + 2 * (of_century / 4) - epact - of_century % 4) % 7;
	int late = (golden + 11 * epact + 22 * weekday) / 451;
	int from_march = epact + weekday - 7 * late + 114;

	return day_from_ymd(year, from_march / 31, from_march % 31 + 1);
}

static bool is_fixed_holiday(struct ymd ymd)
{
	static const struct {
		uint8_t month, day;
	} holidays[] = {{1, 1}, {5, 1}, {5, 8}, {7, 14}, {8, 15}, {11, 1}, {11, 11}, {12, 25}};

	for (size_t i = 0; i < ARRAY_SIZE(holidays); i++)
		if (holidays[i].month == ymd.month && holidays[i].day == ymd.day)
			return true;
	return false;
}

bool day_is_holiday(day_t day, bool alsace_moselle)
{
	enum { GOOD_FRIDAY = -2, EASTER_MONDAY = 1, ASCENSION = 39, WHIT_MONDAY = 50 };
	struct ymd ymd = day_to_ymd(day);
	int from_easter = day - easter_sunday(ymd.year);

	if (is_fixed_holiday(ymd))
		return true;
	if (from_easter == EASTER_MONDAY || from_easter == ASCENSION || from_easter == WHIT_MONDAY)
		return true;
	return alsace_moselle && (from_easter == GOOD_FRIDAY || (ymd.month == 12 && ymd.day == 26));
}

bool day_is_working(day_t day, bool alsace_moselle)
{
	enum { SATURDAY = 5 };

	return day_weekday(day) < SATURDAY && !day_is_holiday(day, alsace_moselle);
}

day_t day_next_working(day_t day, bool alsace_moselle)
{
	do
		day++;
	while (!day_is_working(day, alsace_moselle));
	return day;
}
