#include "daemon/io/calendar.h"

#include "base/log.h"
#include "base/mem.h"
#include "proto/limits.h"
#include "proto/loop.h"

static const ms_t leap_max_ms = CLOCK_LEAP_DAYS_MAX * MS_DAY;
static const ms_t ahead_max_ms = CLOCK_AHEAD_DAYS_MAX * MS_DAY;
static const ms_t behind_max_ms = CLOCK_BEHIND_MINUTES_MAX * MS_MINUTE;

static ms_t later(ms_t a, ms_t b)
{
	return a > b ? a : b;
}

static void log_clock(const char *what, ms_t stands, ms_t wall)
{
	char text[TIME_TEXT_SIZE], clock_text[TIME_TEXT_SIZE];

	log_warn(what, "calendar=%s clock=%s", time_print(stands, text),
		 time_print(wall, clock_text));
}

/* A clock that was behind and is put right may come as far as at a start. */
static bool has_leapt(const struct calendar *calendar, ms_t last, ms_t expected, ms_t wall)
{
	bool was_behind = calendar->now < last - behind_max_ms;

	return wall - expected > (was_behind ? ahead_max_ms : leap_max_ms);
}

ms_t calendar_now(struct calendar *calendar, ms_t last)
{
	ms_t wall, steady, expected;
	bool is_held;

	if (calendar->is_rehearsal)
		return calendar->now;
	wall = clock_wall_ms();
	steady = clock_boot_ms();
	expected = later(calendar->now + steady - calendar->steady, last);
	is_held = calendar->steady && has_leapt(calendar, last, expected, wall);
	if (is_held != calendar->is_held)
		log_clock(is_held ? "clock.leapt" : "clock.right_again", expected, wall);
	calendar->is_held = is_held;
	calendar->steady = steady;
	calendar->now = is_held ? expected : wall;
	return calendar->now;
}

enum err calendar_check(const struct calendar *calendar, ms_t last, bool accept,
			struct fault *fault)
{
	char text[TIME_TEXT_SIZE], clock_text[TIME_TEXT_SIZE];
	ms_t wall = clock_wall_ms(), ahead = wall - last;

	if (calendar->is_rehearsal)
		return ERR_OK;
	if (ahead > ahead_max_ms && !accept)
		return fault_set(fault, ERR_USAGE, "",
				 "the journal ends at %s, and this machine's clock says %s: set it "
				 "right, or start once with --accept-clock if vigied was off so "
				 "long",
				 time_print(last, text), time_print(wall, clock_text));
	if (ahead > leap_max_ms)
		log_clock("clock.ahead", last, wall);
	if (ahead < -behind_max_ms)
		log_clock("clock.behind", last, wall);
	return ERR_OK;
}

bool calendar_differs(struct calendar *calendar, ms_t last, struct fault *told)
{
	char text[TIME_TEXT_SIZE], clock_text[TIME_TEXT_SIZE];
	ms_t stands = later(calendar_now(calendar, last), last), wall = clock_wall_ms();

	if (calendar->is_rehearsal || (!calendar->is_held && wall >= last - behind_max_ms))
		return false;
	(void)fault_set(told, ERR_OK, "", "the calendar stands at %s, this machine's clock says %s",
			time_print(stands, text), time_print(wall, clock_text));
	return true;
}
