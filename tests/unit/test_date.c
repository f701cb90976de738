/* Days, times, Paris and holidays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/date.h"

static day_t day_of(const char *text)
{
	day_t day;

	assert_true(day_parse(str_from(text), &day));
	return day;
}

static ms_t time_of(const char *text)
{
	ms_t time;

	assert_true(time_parse(str_from(text), &time));
	return time;
}

static void assert_day(day_t day, const char *expected)
{
	char text[DAY_TEXT_SIZE];

	assert_string_equal(day_print(day, text), expected);
}

static void assert_time(ms_t time, const char *expected)
{
	char text[TIME_TEXT_SIZE];

	assert_string_equal(time_print(time, text), expected);
}

/* Days whose numbers are known from elsewhere keep them. */
static void test_known_days_have_their_numbers(void **unused)
{
	(void)unused;

	assert_int_equal(day_from_ymd(1970, 1, 1), 0);
	assert_int_equal(day_from_ymd(1969, 12, 31), -1);
	assert_int_equal(day_from_ymd(1900, 1, 1), DAY_MIN);
	assert_int_equal(day_from_ymd(2170, 1, 1), DAY_MAX);
	assert_int_equal(day_from_ymd(2000, 2, 29), 11016);
	assert_int_equal(day_from_ymd(1, 1, 1), -719162);
	assert_int_equal(day_from_ymd(-1, 3, 1), -719468 - 366); /* the year 0 is a leap year */
}

/* As sentences tell them. */
static void test_days_in_words(void **unused)
{
	char text[DAY_WORDS_SIZE];

	(void)unused;
	assert_string_equal(day_print_words(day_from_ymd(2016, 1, 1), text), "1 January 2016");
	assert_string_equal(day_print_words(day_from_ymd(2016, 12, 31), text), "31 December 2016");
	assert_string_equal(day_weekday_name(day_from_ymd(2016, 1, 3)), "Sunday");
	assert_string_equal(day_weekday_name(day_from_ymd(2016, 1, 4)), "Monday");
}

/* Every day that vigie knows goes to a date and back, and follows the day before it. */
static void test_every_day_goes_to_a_date_and_back(void **unused)
{
	struct ymd before = day_to_ymd(DAY_MIN - 1);

	(void)unused;

	for (day_t day = DAY_MIN; day <= DAY_MAX; day++) {
		struct ymd ymd = day_to_ymd(day);
		bool same_month = ymd.year == before.year && ymd.month == before.month;

		assert_true(ymd_is_real(ymd.year, ymd.month, ymd.day));
		assert_int_equal(day_from_ymd(ymd.year, ymd.month, ymd.day), day);
		assert_int_equal(ymd.day, same_month ? before.day + 1 : 1);
		if (!same_month)
			assert_false(ymd_is_real(before.year, before.month, before.day + 1));
		before = ymd;
	}
}

/* A date that no calendar has is not real. */
static void test_impossible_dates_are_not_real(void **unused)
{
	(void)unused;

	assert_true(ymd_is_real(2016, 2, 29));
	assert_true(ymd_is_real(2000, 2, 29));
	assert_false(ymd_is_real(2015, 2, 29));
	assert_false(ymd_is_real(1900, 2, 29));
	assert_false(ymd_is_real(2100, 2, 29));
	assert_false(ymd_is_real(2015, 4, 31));
	assert_false(ymd_is_real(2015, 0, 1));
	assert_false(ymd_is_real(2015, 13, 1));
	assert_false(ymd_is_real(2015, 1, 0));
}

/* Adding months keeps the day of the month, or takes that month's last day. */
static void test_months_end_where_the_month_ends(void **unused)
{
	static const struct {
		const char *from;
		int months;
		const char *to;
	} cases[] = {
		{"2015-01-31", 1, "2015-02-28"},   {"2016-01-31", 1, "2016-02-29"},
		{"2015-12-31", 2, "2016-02-29"},   {"2015-03-31", -1, "2015-02-28"},
		{"2016-02-29", 12, "2017-02-28"},  {"2016-02-29", -12, "2015-02-28"},
		{"2015-10-31", -2, "2015-08-31"},  {"2015-08-31", -2, "2015-06-30"},
		{"2015-01-15", -1, "2014-12-15"},  {"2015-12-15", 1, "2016-01-15"},
		{"2015-05-20", 0, "2015-05-20"},   {"2015-11-30", 3, "2016-02-29"},
		{"2015-06-30", -24, "2013-06-30"}, {"1970-01-31", -11, "1969-02-28"},
	};

	(void)unused;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_day(day_add_months(day_of(cases[i].from), cases[i].months), cases[i].to);
}

/* Weekdays run on through 1970, backwards too. */
static void test_weekdays_run_on(void **unused)
{
	(void)unused;

	assert_int_equal(day_weekday(day_of("1970-01-01")), 3);
	assert_int_equal(day_weekday(day_of("1969-12-31")), 2);
	assert_int_equal(day_weekday(day_of("1900-01-01")), 0);
	assert_int_equal(day_weekday(day_of("2015-03-29")), 6);
	for (day_t day = DAY_MIN; day < DAY_MAX; day++)
		assert_int_equal(day_weekday(day + 1), (day_weekday(day) + 1) % 7);
}

/* ISO weeks belong to the year of their Thursday. */
static void test_weeks_belong_to_the_year_of_their_thursday(void **unused)
{
	static const struct {
		const char *day;
		int year, week;
	} cases[] = {
		{"2015-01-01", 2015, 1},  {"2014-12-29", 2015, 1},  {"2015-12-31", 2015, 53},
		{"2016-01-03", 2015, 53}, {"2016-01-04", 2016, 1},  {"2017-01-01", 2016, 52},
		{"2018-12-31", 2019, 1},  {"2015-06-15", 2015, 25}, {"1970-01-01", 1970, 1},
	};

	(void)unused;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct iso_week week = day_iso_week(day_of(cases[i].day));

		assert_int_equal(week.year, cases[i].year);
		assert_int_equal(week.week, cases[i].week);
	}
}

/* Only "YYYY-MM-DD", of a real date within the known years, is a day. */
static void test_other_texts_are_no_day(void **unused)
{
	static const char *const bad[] = {
		"",           "2015",        "2015-1-01",   "2015-01-1",   "2015-02-29",
		"2015-13-01", "2015-00-01",  "2015-01-00",  "2015-01-32",  "2015/01/01",
		"20150101",   "2015-01-01 ", " 2015-01-01", "2015-01-01T", "+015-01-01",
		"-015-01-01", "1899-12-31",  "2170-01-02",  "0000-01-01",  "201a-01-01",
		"2015-01-0x", "2015-01- 1",  "31/12/2015",  "15-01-01",
	};
	day_t day = 7;

	(void)unused;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(day_parse(str_from(bad[i]), &day));
	assert_false(day_parse((struct str){0}, &day));

	assert_int_equal(day, 7);
	assert_int_equal(day_of("1900-01-01"), DAY_MIN);
	assert_int_equal(day_of("2170-01-01"), DAY_MAX);
}

/* A time is read with any offset and any fraction, cut to the millisecond. */
static void test_times_are_read_with_offset_and_fraction(void **unused)
{
	static const struct {
		const char *text, *printed;
	} cases[] = {
		{"2015-02-03T11:00:00Z", "2015-02-03T11:00:00Z"},
		{"2015-02-03t11:00:00z", "2015-02-03T11:00:00Z"},
		{"2015-02-03T12:00:00+01:00", "2015-02-03T11:00:00Z"},
		{"2015-02-03T00:30:00+01:00", "2015-02-02T23:30:00Z"},
		{"2015-12-31T20:00:00-05:30", "2016-01-01T01:30:00Z"},
		{"2015-02-03T11:00:00-00:00", "2015-02-03T11:00:00Z"},
		{"2015-02-03T11:00:00.5Z", "2015-02-03T11:00:00.500Z"},
		{"2015-02-03T11:00:00.001Z", "2015-02-03T11:00:00.001Z"},
		{"2015-02-03T11:00:00.9999999999Z", "2015-02-03T11:00:00.999Z"},
		{"2015-02-03T11:00:00.0009Z", "2015-02-03T11:00:00Z"},
		{"1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"},
		{"2015-02-03T11:00:00.25+23:59", "2015-02-02T11:01:00.250Z"},
		{"1900-01-01T00:00:00Z", "1900-01-01T00:00:00Z"},
	};

	(void)unused;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_time(time_of(cases[i].text), cases[i].printed);
	assert_int_equal(time_of("1970-01-01T00:00:00Z"), 0);
	assert_int_equal(time_of("2001-09-09T01:46:40Z"), 1000000000 * MS_SECOND);
}

/* What RFC 3339 doesn't allow, and the leap second, are no time. */
static void test_other_texts_are_no_time(void **unused)
{
	static const char *const bad[] = {
		"",
		"2015-02-03",
		"2015-02-03T11:00:00",
		"2015-02-03 11:00:00Z",
		"2015-02-03T11:00Z",
		"2015-02-03T11:00:60Z",
		"2016-12-31T23:59:60Z",
		"2015-02-03T24:00:00Z",
		"2015-02-03T11:60:00Z",
		"2015-02-03T11:00:00.Z",
		"2015-02-03T11:00:00,5Z",
		"2015-02-03T11:00:00.5",
		"2015-02-03T11:00:00Zz",
		"2015-02-03T11:00:00+0100",
		"2015-02-03T11:00:00+01",
		"2015-02-03T11:00:00+24:00",
		"2015-02-03T11:00:00+01:60",
		"2015-02-03T11:00:00 01:00",
		"2015-02-03T11:00:00+01:00 ",
		"2015-02-29T11:00:00Z",
		"2015-02-03T1:00:00Z",
		"2015-02-03T11-00-00Z",
		"2015-02-03T11:00-00Z",
		"2015-02-03T-1:00:00Z",
		"1899-12-31T23:59:59Z",
		"2015-02-03T11:00:00.5e3Z",
		"2015-W06-2T11:00:00Z",
	};
	ms_t time = 7;

	(void)unused;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(time_parse(str_from(bad[i]), &time));
	assert_int_equal(time, 7);
}

/* Every prefix of a good time is refused, and nothing behind its end is read. */
static void test_a_time_cut_short_is_refused(void **unused)
{
	static const char text[] = "2015-02-03T11:00:00.123+01:00";
	ms_t time;

	(void)unused;

	for (size_t size = 0; size < sizeof(text) - 1; size++) {
		char *exact = size ? test_malloc(size) : NULL;

		if (exact)
			memcpy(exact, text, size);
		assert_false(time_parse((struct str){exact, size}, &time));
		if (exact)
			test_free(exact);
	}
}

/* Paris moves its clocks at 01:00 UTC on the last Sundays of March and October. */
static void test_paris_changes_its_clocks(void **unused)
{
	static const struct {
		const char *utc, *day;
		int hour;
	} cases[] = {
		{"2015-03-29T00:59:59.999Z", "2015-03-29", 1},
		{"2015-03-29T01:00:00Z", "2015-03-29", 3},
		{"2015-10-25T00:59:59Z", "2015-10-25", 2},
		{"2015-10-25T01:00:00Z", "2015-10-25", 2},
		{"2015-10-25T02:00:00Z", "2015-10-25", 3},
		{"2015-07-31T22:00:00Z", "2015-08-01", 0},
		{"2015-07-31T21:59:59Z", "2015-07-31", 23},
		{"2015-12-31T22:59:59Z", "2015-12-31", 23},
		{"2015-12-31T23:00:00Z", "2016-01-01", 0},
		{"2019-03-31T01:00:00Z", "2019-03-31", 3}, /* the 31st is itself a Sunday */
		{"2021-10-31T00:59:59Z", "2021-10-31", 2},
		{"1960-07-01T12:00:00Z", "1960-07-01", 14}, /* the rule is applied to every year */
	};

	(void)unused;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		ms_t time = time_of(cases[i].utc);

		assert_day(time_paris_day(time), cases[i].day);
		assert_int_equal(time_paris_hour(time), cases[i].hour);
	}
}

/* A Paris hour leads to an instant: after the gap in spring, the first of two in autumn. */
static void test_a_paris_hour_leads_to_an_instant(void **unused)
{
	static const struct {
		const char *day;
		int hour, minute;
		const char *utc;
	} cases[] = {
		{"2015-02-03", 12, 0, "2015-02-03T11:00:00Z"},
		{"2015-07-14", 12, 30, "2015-07-14T10:30:00Z"},
		{"2015-03-29", 0, 0, "2015-03-28T23:00:00Z"},
		{"2015-03-29", 1, 59, "2015-03-29T00:59:00Z"},
		{"2015-03-29", 2, 0, "2015-03-29T01:00:00Z"},
		{"2015-03-29", 2, 30, "2015-03-29T01:00:00Z"},
		{"2015-03-29", 3, 0, "2015-03-29T01:00:00Z"},
		{"2015-10-25", 0, 0, "2015-10-24T22:00:00Z"},
		{"2015-10-25", 2, 30, "2015-10-25T00:30:00Z"},
		{"2015-10-25", 3, 0, "2015-10-25T02:00:00Z"},
		{"2016-01-01", 0, 0, "2015-12-31T23:00:00Z"},
	};

	(void)unused;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_time(time_at_paris(day_of(cases[i].day), cases[i].hour, cases[i].minute),
			    cases[i].utc);
}

/* Every Paris midnight falls on its own day, one millisecond before it on the day before. */
static void test_every_midnight_begins_its_day(void **unused)
{
	(void)unused;

	for (day_t day = DAY_MIN; day < DAY_MAX; day++) {
		ms_t midnight = time_at_paris(day, 0, 0);

		assert_int_equal(time_paris_day(midnight), day);
		assert_int_equal(time_paris_hour(midnight), 0);
		assert_int_equal(time_paris_day(midnight - 1), day - 1);
	}
}

/* Easter as the church's tables have it, its earliest and latest days among them. */
static void test_easter_is_where_the_tables_have_it(void **unused)
{
	static const char *const sundays[] = {
		"1900-04-15", "1943-04-25", "1954-04-18", "1961-04-02", "1970-03-29", "1981-04-19",
		"2000-04-23", "2008-03-23", "2011-04-24", "2014-04-20", "2015-04-05", "2016-03-27",
		"2017-04-16", "2018-04-01", "2019-04-21", "2024-03-31", "2025-04-20", "2038-04-25",
		"2049-04-18", "2076-04-19", "2100-03-28", "2169-04-16",
	};

	(void)unused;

	for (size_t i = 0; i < ARRAY_SIZE(sundays); i++) {
		int year = day_to_ymd(day_of(sundays[i])).year;

		assert_day(easter_sunday(year), sundays[i]);
	}
}

/* 2015 has the eleven public holidays of France, and two more in Alsace-Moselle. */
static void test_a_year_has_its_holidays(void **unused)
{
	static const char *const holidays[] = {
		"2015-01-01", "2015-04-06", "2015-05-01", "2015-05-08", "2015-05-14", "2015-05-25",
		"2015-07-14", "2015-08-15", "2015-11-01", "2015-11-11", "2015-12-25",
	};
	day_t first = day_of("2015-01-01"), last = day_of("2015-12-31");
	size_t found = 0, found_alsace = 0;

	(void)unused;

	for (day_t day = first; day <= last; day++) {
		if (day_is_holiday(day, false))
			assert_day(day, holidays[found++]);
		found_alsace += day_is_holiday(day, true);
	}

	assert_int_equal(found, ARRAY_SIZE(holidays));
	assert_int_equal(found_alsace, found + 2);
	assert_true(day_is_holiday(day_of("2015-04-03"), true));
	assert_true(day_is_holiday(day_of("2015-12-26"), true));
}

/* The next working day leaps over weekends and holidays, and never stays where it is. */
static void test_the_next_working_day_leaps_over_holidays(void **unused)
{
	static const struct {
		const char *from;
		bool alsace_moselle;
		const char *next;
	} cases[] = {
		{"2015-02-03", false, "2015-02-04"}, {"2015-02-06", false, "2015-02-09"},
		{"2015-02-07", false, "2015-02-09"}, {"2015-04-02", false, "2015-04-03"},
		{"2015-04-02", true, "2015-04-07"},  {"2015-04-03", false, "2015-04-07"},
		{"2015-05-07", false, "2015-05-11"}, {"2015-05-13", false, "2015-05-15"},
		{"2014-12-24", true, "2014-12-29"},  {"2014-12-24", false, "2014-12-26"},
		{"2015-12-31", false, "2016-01-04"},
	};

	(void)unused;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		day_t next = day_next_working(day_of(cases[i].from), cases[i].alsace_moselle);

		assert_day(next, cases[i].next);
		assert_true(day_is_working(next, cases[i].alsace_moselle));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_days_have_their_numbers),
		cmocka_unit_test(test_days_in_words),
		cmocka_unit_test(test_every_day_goes_to_a_date_and_back),
		cmocka_unit_test(test_impossible_dates_are_not_real),
		cmocka_unit_test(test_months_end_where_the_month_ends),
		cmocka_unit_test(test_weekdays_run_on),
		cmocka_unit_test(test_weeks_belong_to_the_year_of_their_thursday),
		cmocka_unit_test(test_other_texts_are_no_day),
		cmocka_unit_test(test_times_are_read_with_offset_and_fraction),
		cmocka_unit_test(test_other_texts_are_no_time),
		cmocka_unit_test(test_a_time_cut_short_is_refused),
		cmocka_unit_test(test_paris_changes_its_clocks),
		cmocka_unit_test(test_a_paris_hour_leads_to_an_instant),
		cmocka_unit_test(test_every_midnight_begins_its_day),
		cmocka_unit_test(test_easter_is_where_the_tables_have_it),
		cmocka_unit_test(test_a_year_has_its_holidays),
		cmocka_unit_test(test_the_next_working_day_leaps_over_holidays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
