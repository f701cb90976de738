#include "daemon/handout.h"

#include "daemon/absence.h"

#define push(list, type, item) (((type *)(list)->items)[(list)->count++] = (item))

/* From the next working day through the Sunday that completes the weeks asked for. */
static void plan_weeks(const struct state *state, struct plan_request *request)
{
	const struct policy_planning *planning = &state->policy.planning;

	request->alsace_moselle = planning->alsace_moselle;
	request->today = state->today;
	request->first = day_next_working(state->today, planning->alsace_moselle == SAID_YES);
	request->last =
		request->first - day_weekday(request->first) + 7 * (day_t)planning->weeks - 1;
}

static void list_absences(const struct state *state, const struct policy_pair *pair,
			  struct arena *arena, struct list *absences)
{
	uint32_t name = names_find(&state->names, pair->id), count = 0;

	for (uint32_t at = state->first_absence; at; at = state->facts.items[at].next)
		count++;
	absences->items = arena_new(arena, (count + 1) * sizeof(struct plan_absence));
	for (uint32_t at = state->first_absence; at; at = state->facts.items[at].next) {
		const struct fact *fact = &state->facts.items[at];

		if (fact->absence.pair == name && absence_is_coming(state, fact))
			push(absences, struct plan_absence,
			     ((struct plan_absence){true, fact->absence.from, fact->absence.to}));
	}
}

static void list_pairs(const struct state *state, struct arena *arena, struct list *pairs)
{
	pairs->items = arena_new(arena, (state->policy.pairs.count + 1) * sizeof(struct plan_pair));
	for (uint32_t i = 0; i < state->policy.pairs.count; i++) {
		const struct policy_pair *pair =
			list_at(&state->policy.pairs, struct policy_pair, i);
		struct plan_pair row = {
			.is_set = true,
			.pair = pair->id,
			.half_days = pair->half_days,
			.visits_a_week = pair->visits_a_week,
			.sectors = pair->sectors,
			.closed_sectors = pair->closed_sectors,
		};

		list_absences(state, pair, arena, &row.absences);
		push(pairs, struct plan_pair, row);
	}
}

/* Left alone by plans; and those held already: in the plan's first week, which they count for, or today,
 * since their cases aren't planned again until the day is past. */
static bool is_booked(const struct visit *visit, const struct plan_request *request)
{
	day_t monday = request->first - day_weekday(request->first);

	if ((visit->day < monday && visit->day < request->today) || visit->day > request->last)
		return false;
	switch (visit->state) {
	case VISIT_STATE_DONE:
	case VISIT_STATE_NO_SHOW:
	case VISIT_STATE_DECLINED:
	case VISIT_STATE_MOVED_AWAY:
	case VISIT_STATE_UNSAFE:
		return true;
	default:
		return visit_is_left_alone(visit, request->today);
	}
}

/* Nobody may know where: both absent then. */
static void find_commune(const struct state *state, insee_t insee, int64_t *lat, int64_t *lon)
{
	const struct policy_commune *commune = policy_find_commune(&state->policy, insee);

	*lat = commune ? commune->lat : SINT_NONE;
	*lon = commune ? commune->lon : SINT_NONE;
}

static struct plan_booking plan_booking(const struct state *state, const struct visit *visit)
{
	uint32_t owner = case_resolve(state, visit->case_number);
	struct plan_booking row = {
		.is_set = true,
		.case_number = owner ? owner : visit->case_number,
		.pair = names_get(&state->names, visit->pair),
		.day = visit->day,
		.half = visit->half,
	};

	find_commune(state, state->cases.items[row.case_number].insee, &row.lat, &row.lon);
	return row;
}

static void list_bookings(const struct state *state, struct arena *arena,
			  struct plan_request *request)
{
	struct list *bookings = &request->bookings;
	uint32_t count = 0;

	for (uint32_t i = 1; i < state->visits.count; i++)
		count += is_booked(&state->visits.items[i], request);
	bookings->items = arena_new(arena, (count + 1) * sizeof(struct plan_booking));
	for (uint32_t i = 1; i < state->visits.count; i++) {
		const struct visit *visit = &state->visits.items[i];

		if (is_booked(visit, request))
			push(bookings, struct plan_booking, plan_booking(state, visit));
	}
}

/* A case whose visit is left alone waits for it, or for its record, even when the day has passed. */
static bool is_to_plan(const struct state *state, const struct case_record *record)
{
	if (!record->is_eligible)
		return false;
	return record->state == CASE_STATE_WAITING ||
	       (record->state == CASE_STATE_PLANNED &&
		!visit_is_left_alone(&state->visits.items[record->visit], state->today));
}

static struct plan_case plan_case(const struct state *state, uint32_t number)
{
	const struct case_record *record = &state->cases.items[number];
	struct plan_case row = {
		.is_set = true,
		.case_number = number,
		.tier = record->tier,
		.closed = record->is_closed_sector ? SAID_YES : SAID_NO,
	};

	if (record->sector)
		row.sector =
			list_at(&state->policy.sectors, struct policy_sector, record->sector - 1)
				->id;
	find_commune(state, record->insee, &row.lat, &row.lon);
	return row;
}

static void list_cases(const struct state *state, struct arena *arena, struct list *cases)
{
	struct queue_cursor cursor = {.depth = 0};
	uint32_t number;

	cases->items = arena_new(arena, PLAN_CASES_MAX * sizeof(struct plan_case));
	while (cases->count < PLAN_CASES_MAX && (number = queue_next(&state->queue, &cursor))) {
		if (is_to_plan(state, &state->cases.items[number]))
			push(cases, struct plan_case, plan_case(state, number));
	}
}

void handout_plan(const struct state *state, struct arena *arena, struct plan_request *request)
{
	record_clear(&record_plan_request, request);
	plan_weeks(state, request);
	list_pairs(state, arena, &request->pairs);
	list_bookings(state, arena, request);
	list_cases(state, arena, &request->cases);
}
