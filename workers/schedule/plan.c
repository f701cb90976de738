#include "workers/schedule/plan.h"

#include <stdlib.h>

#include "workers/schedule/week.h"

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
	struct stop stops[SLOTS_MAX];
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
	struct list *visits; /* a case's turn is its place here */
};

static void plan_begin(struct plan *plan, const struct plan_request *request, struct arena *arena,
		       struct plan_answer *answer);
static void plan_place_all(struct plan *plan, bool pressing);
static void plan_share_days(struct plan *plan, struct arena *arena);

static void plan_follow_list(struct plan *plan, const struct plan_request *request,
			     struct arena *arena, struct plan_answer *answer)
{
	plan_begin(plan, request, arena, answer);
	plan_place_all(plan, true);
	plan_place_all(plan, false);
}

void plan_make_by_list(const struct plan_request *request, struct arena *arena,
		       struct plan_answer *answer)
{
	struct plan plan;

	plan_follow_list(&plan, request, arena, answer);
}

void plan_make(const struct plan_request *request, struct arena *arena, struct plan_answer *answer)
{
	struct plan plan;

	plan_follow_list(&plan, request, arena, answer);
	plan_share_days(&plan, arena);
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

static struct spot spot_at(int64_t lat, int64_t lon)
{
	return (struct spot){
		.is_known = lat != SINT_NONE && lon != SINT_NONE,
		.lat = lat,
		.lon = lon,
	};
}

static struct diary *plan_find_diary(struct plan *plan, struct str pair)
{
	for (uint32_t i = 0; i < plan->request->pairs.count; i++) {
		if (str_equal(plan->diaries[i].pair->pair, pair))
			return &plan->diaries[i];
	}
	return NULL;
}

static void diary_take(struct diary *diary, uint32_t slot, struct stop stop)
{
	diary->stops[slot] = stop;
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
			diary_take(diary, slot,
				   (struct stop){
					   .is_set = true,
					   .spot = spot_at(booking->lat, booking->lon),
				   });
	}
	qsort(plan->booked, plan->booked_count, sizeof(uint64_t), compare_numbers);
}

/* --- one case after the other --- */

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

static bool plan_is_booked(const struct plan *plan, uint64_t number);
static struct diary *plan_choose(struct plan *plan, const struct plan_case *item);
static void plan_tell_visit(struct plan *plan, const struct diary *diary, uint32_t slot);

static void plan_place(struct plan *plan, const struct plan_case *item)
{
	struct diary *diary;

	if (plan_is_booked(plan, item->case_number))
		return;
	diary = plan_choose(plan, item);
	if (!diary)
		return;

	diary_take(diary, diary->next,
		   (struct stop){
			   .is_set = true,
			   .spot = spot_at(item->lat, item->lon),
			   .turn = plan->visits->count++,
			   .item = item,
		   });
	plan_tell_visit(plan, diary, diary->next);
}

/* Writes, or writes anew, when the case on that slot is visited. */
static void plan_tell_visit(struct plan *plan, const struct diary *diary, uint32_t slot)
{
	const struct stop *stop = &diary->stops[slot];

	*list_at(plan->visits, struct planned_visit, stop->turn) = (struct planned_visit){
		.is_set = true,
		.case_number = stop->item->case_number,
		.pair = diary->pair->pair,
		.day = plan->monday + (day_t)(slot / HALVES),
		.half = HALF_AM + slot % HALVES,
	};
}

static bool plan_is_booked(const struct plan *plan, uint64_t number)
{
	return bsearch(&number, plan->booked, plan->booked_count, sizeof(uint64_t),
		       compare_numbers) != NULL;
}

static void diary_advance(struct diary *diary, const struct plan *plan);

/* The pair that can come soonest, or NULL. Its half-day is diary->next. */
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

/* --- one half-day --- */

static bool diary_has_left(const struct diary *diary, const struct plan *plan, uint32_t slot);

/* Slots only ever become fewer for those that are placed in one go. */
static void diary_advance(struct diary *diary, const struct plan *plan)
{
	while (diary->next < plan->slots && !diary_has_left(diary, plan, diary->next))
		diary->next++;
}

static bool diary_is_open(const struct diary *diary, const struct plan *plan, uint32_t slot);
static bool diary_has_room(const struct diary *diary, uint32_t week, bool pressing);

static bool diary_has_left(const struct diary *diary, const struct plan *plan, uint32_t slot)
{
	return diary_is_open(diary, plan, slot) && !diary->stops[slot].is_set &&
	       diary_has_room(diary, slot / HALVES / WEEK_DAYS, plan->is_pressing);
}

static bool diary_is_open(const struct diary *diary, const struct plan *plan, uint32_t slot)
{
	uint32_t at = slot / HALVES;

	return plan->working[at] &&
	       pair_works_on(diary->pair, plan->monday + (day_t)at, HALF_AM + slot % HALVES);
}

/* Who is cut off does not wait for next week because this one has its number of visits. */
static bool diary_has_room(const struct diary *diary, uint32_t week, bool pressing)
{
	if (pressing)
		return diary->pair->visits_a_week > 0;
	return diary->visits[week] < diary->pair->visits_a_week;
}

/* --- one week after the other --- */

static void plan_share_week(struct plan *plan, uint32_t first_slot, struct place *places);

static void plan_share_days(struct plan *plan, struct arena *arena)
{
	uint32_t count = plan->request->pairs.count * WORKING_DAYS * HALVES;
	struct place *places = arena_new(arena, (count + 1) * sizeof(struct place));

	for (uint32_t slot = 0; slot < plan->slots; slot += WEEK_DAYS * HALVES)
		plan_share_week(plan, slot, places);
}

static struct place diary_place(const struct diary *diary, const struct plan *plan, uint32_t slot)
{
	const struct stop *stop = &diary->stops[slot];
	bool is_ours = stop->item && !is_pressing(stop->item);

	return (struct place){
		.pair = diary->pair,
		.moment = slot,
		.is_fixed = stop->is_set ? !is_ours : !diary_is_open(diary, plan, slot),
		.stop = *stop,
	};
}

/* Each pair's morning and afternoon of each day, as week.h wants them; and back. */
static void plan_share_week(struct plan *plan, uint32_t first_slot, struct place *places)
{
	uint32_t pairs = plan->request->pairs.count, count = WORKING_DAYS * HALVES * pairs;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t slot = first_slot + i / HALVES / pairs * HALVES + i % HALVES;

		places[i] = diary_place(&plan->diaries[i / HALVES % pairs], plan, slot);
	}
	week_share_days(places, count);
	for (uint32_t i = 0; i < count; i++) {
		struct diary *diary = &plan->diaries[i / HALVES % pairs];

		diary->stops[places[i].moment] = places[i].stop;
		if (places[i].stop.item)
			plan_tell_visit(plan, diary, places[i].moment);
	}
}
