#include "workers/schedule/plan.h"

#include <stdlib.h>

enum {
	WEEK_DAYS = 7,
	WORKING_DAYS = 5,               /* of a week: half-days of policy end on Friday */
	HALVES = 2,                     /* of a day */
	WEEKS_MAX = PLAN_WEEKS_MAX + 1, /* the first one is rarely whole */
	DAYS_MAX = WEEKS_MAX * WEEK_DAYS,
	SLOTS_MAX = DAYS_MAX * HALVES,
};

/* One pair's weeks. A slot is a half-day, counted from the morning of the first Monday. */
struct diary {
	const struct plan_pair *pair;
	bool taken[SLOTS_MAX];
	uint32_t visits[WEEKS_MAX];
	uint32_t next; /* no slot before it is left to those that are placed now */
};

struct plan {
	const struct plan_request *request;
	day_t monday; /* of the week in which the plan begins */
	uint32_t slots;
	bool working[DAYS_MAX];
	bool is_pressing;      /* those that are placed now are cut or critical */
	struct diary *diaries; /* in the order of the request's pairs */
	uint64_t *booked;      /* sorted numbers of the cases that aren't planned again */
	uint32_t booked_count;
	struct list *visits;
};

static void plan_begin(struct plan *plan, const struct plan_request *request, struct arena *arena,
		       struct plan_answer *answer);
static void plan_place_all(struct plan *plan, bool is_pressing);

void plan_make(const struct plan_request *request, struct arena *arena, struct plan_answer *answer)
{
	struct plan plan;

	plan_begin(&plan, request, arena, answer);

	plan_place_all(&plan, true);
	plan_place_all(&plan, false);
}

static bool is_pressing(const struct plan_case *item);
static void plan_place(struct plan *plan, const struct plan_case *item);

/* The list has cut and critical on top anyway; a plan does not depend on it. */
static void plan_place_all(struct plan *plan, bool pressing)
{
	const struct list *cases = &plan->request->cases;

	plan->is_pressing = pressing;
	for (uint32_t i = 0; i < plan->request->pairs.count; i++)
		plan->diaries[i].next = 0;
	for (uint32_t i = 0; i < cases->count; i++) {
		const struct plan_case *item = list_at(cases, struct plan_case, i);

		if (is_pressing(item) == pressing)
			plan_place(plan, item);
	}
}

static bool is_pressing(const struct plan_case *item)
{
	return item->tier == TIER_CUT || item->tier == TIER_CRITICAL;
}

/* --- what is already settled --- */

static void plan_find_working_days(struct plan *plan);
static void plan_open_diaries(struct plan *plan, struct arena *arena);
static void plan_enter_bookings(struct plan *plan, struct arena *arena);

static void plan_begin(struct plan *plan, const struct plan_request *request, struct arena *arena,
		       struct plan_answer *answer)
{
	*plan = (struct plan){.request = request, .visits = &answer->visits};
	plan->monday = request->first - day_weekday(request->first);

	plan_find_working_days(plan);
	plan_open_diaries(plan, arena);
	plan_enter_bookings(plan, arena);

	record_clear(&record_plan_answer, answer);
	answer->visits.items =
		arena_new(arena, (request->cases.count + 1) * sizeof(struct planned_visit));
}

/* Days before `first` stay false: nothing is planned there, but bookings count for their week. */
static void plan_find_working_days(struct plan *plan)
{
	const struct plan_request *request = plan->request;

	for (int i = 0; i < DAYS_MAX; i++) {
		day_t day = plan->monday + i;

		if (day > request->last)
			break;
		plan->slots = (i + 1) * HALVES;
		plan->working[i] = day >= request->first &&
				   day_is_working(day, request->alsace_moselle == SAID_YES);
	}
}

static void plan_open_diaries(struct plan *plan, struct arena *arena)
{
	const struct list *pairs = &plan->request->pairs;

	plan->diaries = arena_new(arena, (pairs->count + 1) * sizeof(struct diary));
	for (uint32_t i = 0; i < pairs->count; i++)
		plan->diaries[i].pair = list_at(pairs, struct plan_pair, i);
}

static int compare_numbers(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

static struct diary *plan_find_diary(struct plan *plan, struct str pair)
{
	for (uint32_t i = 0; i < plan->request->pairs.count; i++) {
		if (str_equal(plan->diaries[i].pair->pair, pair))
			return &plan->diaries[i];
	}
	return NULL;
}

static void diary_take(struct diary *diary, uint32_t slot)
{
	diary->taken[slot] = true;
	diary->visits[slot / HALVES / WEEK_DAYS]++;
}

/* A booking may lie on a Saturday or a holiday, where a person put it; and its pair may be gone from
 * the policy since. */
static void plan_enter_bookings(struct plan *plan, struct arena *arena)
{
	const struct list *bookings = &plan->request->bookings;

	plan->booked = arena_new(arena, (bookings->count + 1) * sizeof(uint64_t));
	for (uint32_t i = 0; i < bookings->count; i++) {
		const struct plan_booking *booking = list_at(bookings, struct plan_booking, i);
		int64_t slot =
			((int64_t)booking->day - plan->monday) * HALVES + booking->half - HALF_AM;
		struct diary *diary = plan_find_diary(plan, booking->pair);

		if (booking->day >= plan->request->today)
			plan->booked[plan->booked_count++] = booking->case_number;
		if (diary && slot >= 0 && slot < SLOTS_MAX)
			diary_take(diary, slot);
	}
	qsort(plan->booked, plan->booked_count, sizeof(uint64_t), compare_numbers);
}

/* --- one case --- */

static bool plan_is_booked(const struct plan *plan, uint64_t number);
static struct diary *plan_choose(struct plan *plan, const struct plan_case *item);

static void plan_place(struct plan *plan, const struct plan_case *item)
{
	struct diary *diary;

	if (plan_is_booked(plan, item->case_number))
		return;
	diary = plan_choose(plan, item);
	if (!diary)
		return;

	*list_at(plan->visits, struct planned_visit, plan->visits->count++) =
		(struct planned_visit){
			.is_set = true,
			.case_number = item->case_number,
			.pair = diary->pair->pair,
			.day = plan->monday + (day_t)(diary->next / HALVES),
			.half = HALF_AM + diary->next % HALVES,
		};
	diary_take(diary, diary->next);
}

static bool plan_is_booked(const struct plan *plan, uint64_t number)
{
	return bsearch(&number, plan->booked, plan->booked_count, sizeof(uint64_t),
		       compare_numbers) != NULL;
}

static bool pair_may_serve(const struct plan_pair *pair, const struct plan_case *item);
static void diary_advance(struct diary *diary, const struct plan *plan);

/* The pair that can come soonest, or NULL. Its half-day is diary->next. This is the place where
 * neighbours will be brought together: by choosing among slots that nobody earlier wanted. */
static struct diary *plan_choose(struct plan *plan, const struct plan_case *item)
{
	struct diary *best = NULL;

	for (uint32_t i = 0; i < plan->request->pairs.count; i++) {
		struct diary *diary = &plan->diaries[i];

		if (!pair_may_serve(diary->pair, item))
			continue;
		diary_advance(diary, plan);
		if (diary->next < plan->slots && (!best || diary->next < best->next))
			best = diary;
	}
	return best;
}

static bool pair_may_serve(const struct plan_pair *pair, const struct plan_case *item)
{
	if (item->closed == SAID_YES && pair->closed_sectors != SAID_YES)
		return false;
	if (pair->sectors.count == 0)
		return true;
	for (uint32_t i = 0; i < pair->sectors.count; i++) {
		if (str_equal(pair->sectors.item[i], item->sector))
			return true;
	}
	return false;
}

/* --- one half-day --- */

static bool diary_has_left(const struct diary *diary, const struct plan *plan, uint32_t slot);

/* Slots only ever become fewer for those that are placed in one go. */
static void diary_advance(struct diary *diary, const struct plan *plan)
{
	while (diary->next < plan->slots && !diary_has_left(diary, plan, diary->next))
		diary->next++;
}

static bool diary_has_room(const struct diary *diary, uint32_t week, bool pressing);
static bool pair_works_on(const struct plan_pair *pair, uint32_t weekday, uint32_t half);
static bool pair_is_absent(const struct plan_pair *pair, day_t day);

static bool diary_has_left(const struct diary *diary, const struct plan *plan, uint32_t slot)
{
	uint32_t at = slot / HALVES;

	return plan->working[at] && !diary->taken[slot] &&
	       diary_has_room(diary, at / WEEK_DAYS, plan->is_pressing) &&
	       pair_works_on(diary->pair, at % WEEK_DAYS, slot % HALVES) &&
	       !pair_is_absent(diary->pair, plan->monday + (day_t)at);
}

/* Who is cut off does not wait for next week because this one has its number of visits. */
static bool diary_has_room(const struct diary *diary, uint32_t week, bool pressing)
{
	if (pressing)
		return diary->pair->visits_a_week > 0;
	return diary->visits[week] < diary->pair->visits_a_week;
}

/* The words of a half-day go mon.am, mon.pm, tue.am … fri.pm. */
static bool pair_works_on(const struct plan_pair *pair, uint32_t weekday, uint32_t half)
{
	assert(weekday < WORKING_DAYS); /* a working day is no Saturday and no Sunday */
	return pair->half_days >> (weekday * HALVES + half) & 1;
}

static bool pair_is_absent(const struct plan_pair *pair, day_t day)
{
	for (uint32_t i = 0; i < pair->absences.count; i++) {
		const struct plan_absence *absence =
			list_at(&pair->absences, struct plan_absence, i);

		if (day >= absence->from && day <= absence->to)
			return true;
	}
	return false;
}
