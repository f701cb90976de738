/* What it saves to bring neighbours together, and what it costs: kilometres by the list alone and by the
 * plan, for the same cases in the same weeks.
 *
 *   vigie-feed --print … | plan_km POLICY [BASE]        (bench/kilometres puts the two together)
 *
 * First the events on standard input are lived by the rules of that policy, as `vigie-sim` does it, with
 * a coordinator who confirms the week ahead on Fridays and records what came of it. Each Friday both
 * plans are made of the same request, and next week's kilometres are counted. Then weeks are drawn from
 * the communes of those referrals, by a fixed seed, for departments of other sizes. Last, the largest
 * request there can be is timed.
 *
 * Kilometres are as the crow flies. A day goes from BASE (a commune's code, 39300: Lons-le-Saunier) to
 * the morning's visit, to the afternoon's, and back. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "config/policy_file.h"
#include "daemon/handout.h"
#include "proto/json.h"
#include "tools/sim/world.h"
#include "workers/schedule/plan.h"
#include "workers/schedule/spot.h"

enum {
	STOPS_MAX = 20000,
	DRAWN_WEEKS = 200,
	NO_SHOW_EVERY = 9, /* nobody was there */
};

/* One visit or booking of a plan. */
struct stop {
	struct str pair;
	day_t day;
	uint32_t half;
	struct spot spot;
};

/* Of one way of planning. */
struct tally {
	uint64_t visits, days;
	int64_t between, total; /* as spot_distance() measures */
};

/* Of the two compared. */
struct comparison {
	struct tally by_list, plan;
	uint64_t sooner, later, days_later, most_later, another_week;
};

struct bench {
	struct arena arena; /* policy and events */
	struct policy policy;
	struct spot base;
	struct event *events;
	uint32_t event_count, event_capacity;
	struct spot *homes; /* of the referrals, one each: what is drawn from */
	uint32_t home_count, home_capacity;
	struct stop stops[STOPS_MAX];
	uint32_t stop_count;
};

static void bench_read_policy(struct bench *bench, const char *path, const char *base);
static void bench_read_events(struct bench *bench);
static void bench_live(struct bench *bench);
static void bench_draw(struct bench *bench);
static void bench_time_largest(void);

int main(int argc, char **argv)
{
	static struct bench bench;

	if (argc < 2 || argc > 3) {
		fputs("usage: vigie-feed --print ... | plan_km POLICY [BASE]\n", stderr);
		return 2;
	}
	bench_read_policy(&bench, argv[1], argc > 2 ? argv[2] : "39300");
	bench_read_events(&bench);
	bench_live(&bench);
	bench_draw(&bench);
	bench_time_largest();
	return 0;
}

static void fail(const char *what, const char *why)
{
	fprintf(stderr, "plan_km: %s: %s\n", what, why);
	exit(1);
}

/* --- what is read ----------------------------------------------------------------------------- */

static struct spot spot_of(int64_t lat, int64_t lon)
{
	return (struct spot){lat != SINT_NONE && lon != SINT_NONE, lat, lon};
}

static void bench_read_policy(struct bench *bench, const char *path, const char *base)
{
	struct complaints complaints = {0};
	const struct policy_commune *commune;
	insee_t insee;

	if (policy_read(path, &bench->arena, &bench->policy, &complaints))
		fail(path, buf_str(&complaints.text).data);
	if (!insee_parse(str_from(base), &insee))
		fail(base, "not a commune's code");
	commune = policy_find_commune(&bench->policy, insee);
	if (!commune)
		fail(base, "the policy has no such commune");
	bench->base = spot_of(commune->lat, commune->lon);
}

static void bench_take_event(struct bench *bench, const struct event *event)
{
	MEM_ROOM(bench->events, bench->event_count, bench->event_capacity);
	bench->events[bench->event_count++] = *event;
	if (event->kind == EVENT_REFERRAL_RECEIVED) {
		const struct policy_commune *commune =
			policy_find_commune(&bench->policy, event->data.referral_received.insee);

		if (!commune)
			return;
		MEM_ROOM(bench->homes, bench->home_count, bench->home_capacity);
		bench->homes[bench->home_count++] = spot_of(commune->lat, commune->lon);
	}
}

static void bench_read_events(struct bench *bench)
{
	char *line = NULL;
	size_t capacity = 0;
	ssize_t size;

	while ((size = getline(&line, &capacity, stdin)) > 1) {
		struct event event;
		struct fault fault = {0};
		struct str text = {line, (size_t)size - 1};

		if (event_from_json_line(text, &bench->arena, &event, &fault))
			fail("standard input", fault.text);
		bench_take_event(bench, &event);
	}
	free(line);
	if (!bench->home_count)
		fail("standard input", "no referral from a commune of the policy");
}

/* --- kilometres ------------------------------------------------------------------------------- */

static int compare_stops(const void *first, const void *second)
{
	const struct stop *a = first, *b = second;
	int pairs = str_compare(a->pair, b->pair);

	if (pairs)
		return pairs;
	if (a->day != b->day)
		return a->day < b->day ? -1 : 1;
	return (int)a->half - (int)b->half;
}

static const struct plan_case *case_of(const struct plan_request *request, uint64_t number)
{
	for (uint32_t i = 0; i < request->cases.count; i++) {
		const struct plan_case *item = list_at(&request->cases, struct plan_case, i);

		if (item->case_number == number)
			return item;
	}
	fail("plan", "a visit of a case that was not asked for");
	return NULL;
}

/* What the plan and the bookings put between two days, both inclusive. */
static void bench_gather(struct bench *bench, const struct plan_request *request,
			 const struct plan_answer *answer, day_t from, day_t to)
{
	bench->stop_count = 0;
	for (uint32_t i = 0; i < request->bookings.count; i++) {
		const struct plan_booking *booking =
			list_at(&request->bookings, struct plan_booking, i);

		if (booking->day >= from && booking->day <= to)
			bench->stops[bench->stop_count++] =
				(struct stop){booking->pair, booking->day, booking->half,
					      spot_of(booking->lat, booking->lon)};
	}
	for (uint32_t i = 0; i < answer->visits.count; i++) {
		const struct planned_visit *visit =
			list_at(&answer->visits, struct planned_visit, i);
		const struct plan_case *item = case_of(request, visit->case_number);

		if (visit->day >= from && visit->day <= to)
			bench->stops[bench->stop_count++] =
				(struct stop){visit->pair, visit->day, visit->half,
					      spot_of(item->lat, item->lon)};
	}
	qsort(bench->stops, bench->stop_count, sizeof(struct stop), compare_stops);
}

static bool is_same_day(const struct stop *a, const struct stop *b)
{
	return a->day == b->day && str_equal(a->pair, b->pair);
}

static void bench_drive(struct bench *bench, struct tally *tally)
{
	for (uint32_t i = 0; i < bench->stop_count; i++) {
		const struct stop *stop = &bench->stops[i], *next = stop;
		int64_t between = 0;

		if (i + 1 < bench->stop_count && is_same_day(stop, stop + 1)) {
			next = stop + 1;
			between = spot_distance(stop->spot, next->spot);
			i++;
		}
		tally->visits += next == stop ? 1 : 2;
		tally->days++;
		tally->between += between;
		tally->total += spot_distance(bench->base, stop->spot) + between +
				spot_distance(next->spot, bench->base);
	}
}

static day_t monday_of(day_t day)
{
	return day - day_weekday(day);
}

/* Who is visited when, by the plan and by the list: visits stand in the same order in both. */
static void compare_days(const struct plan_answer *plan, const struct plan_answer *by_list,
			 day_t from, day_t to, struct comparison *comparison)
{
	for (uint32_t i = 0; i < plan->visits.count; i++) {
		day_t day = list_at(&plan->visits, struct planned_visit, i)->day;
		day_t listed = list_at(&by_list->visits, struct planned_visit, i)->day;

		comparison->another_week += monday_of(day) != monday_of(listed);
		if (day < from || day > to)
			continue;
		comparison->sooner += day < listed;
		if (day <= listed)
			continue;
		comparison->later++;
		comparison->days_later += (uint64_t)(day - listed);
		comparison->most_later = max_u64(comparison->most_later, (uint64_t)(day - listed));
	}
}

static void bench_compare(struct bench *bench, const struct plan_request *request, day_t from,
			  day_t to, struct comparison *comparison)
{
	struct arena arena = {0};
	struct plan_answer plan, by_list;

	plan_make(request, &arena, &plan);
	plan_make_by_list(request, &arena, &by_list);
	if (plan.visits.count != by_list.visits.count)
		fail("plan", "visits others than the list's");
	bench_gather(bench, request, &by_list, from, to);
	bench_drive(bench, &comparison->by_list);
	bench_gather(bench, request, &plan, from, to);
	bench_drive(bench, &comparison->plan);
	compare_days(&plan, &by_list, from, to, comparison);
	arena_done(&arena);
}

static double km(int64_t distance)
{
	return (double)distance / SPOT_KILOMETRE;
}

static double ratio(int64_t plan, int64_t by_list)
{
	return by_list ? (double)plan / (double)by_list : 1;
}

/* --- the year --------------------------------------------------------------------------------- */

static void coordinate(struct world *world, struct event event, const char *what, uint32_t visit)
{
	struct verdict verdict = {0};
	char id[64];

	snprintf(id, sizeof(id), "%s-%u", what, visit);
	event.source = STR("urn:vigie:bench");
	event.id = str_from(id);
	event.time = world->ports.now;
	if (world_accept(world, &event, &verdict) || verdict.fault.code)
		fail(id, verdict.fault.text);
}

static void confirm(struct world *world, uint32_t visit)
{
	struct event event;

	event_clear(&event, EVENT_VISIT_CONFIRMED);
	event.data.visit_confirmed.visit = visit;
	event.data.visit_confirmed.by = CANCELLER_COORDINATOR;
	coordinate(world, event, "confirm", visit);
}

static void record(struct world *world, uint32_t visit)
{
	struct event event;

	event_clear(&event, EVENT_VISIT_RECORDED);
	event.data.visit_recorded.visit = visit;
	event.data.visit_recorded.second_visit = SAID_NO;
	event.data.visit_recorded.result = visit % NO_SHOW_EVERY ? RESULT_DONE : RESULT_NO_SHOW;
	coordinate(world, event, "record", visit);
}

/* Records what is over by Friday morning, confirms what is planned for the week that comes. */
static void play_coordinator(struct world *world, day_t friday)
{
	const struct state *state = engine_state(world->engine);

	for (uint32_t i = 1; i < state->visits.count; i++) {
		const struct visit *visit = &state->visits.items[i];

		if (visit->state == VISIT_STATE_CONFIRMED && visit->day < friday)
			record(world, i);
		else if (visit->state == VISIT_STATE_PLANNED && visit->day > friday + 2 &&
			 visit->day <= friday + 9)
			confirm(world, i);
	}
}

static void bench_live_week(struct bench *bench, struct world *world, day_t friday,
			    struct comparison *comparison)
{
	struct arena arena = {0};
	struct plan_request request;

	handout_plan(engine_state(world->engine), &arena, &request);
	bench_compare(bench, &request, friday + 3, friday + 9, comparison);
	arena_done(&arena);
	play_coordinator(world, friday);
}

static void print_year(const struct comparison *year)
{
	const struct tally *by_list = &year->by_list, *plan = &year->plan;

	printf("                          by the list      plan   ratio\n");
	printf("days out                   %10llu%10llu\n", (unsigned long long)by_list->days,
	       (unsigned long long)plan->days);
	printf("km between visits          %10.0f%10.0f   %5.2f\n", km(by_list->between),
	       km(plan->between), ratio(plan->between, by_list->between));
	printf("km with the way from base  %10.0f%10.0f   %5.2f\n", km(by_list->total),
	       km(plan->total), ratio(plan->total, by_list->total));
	printf("of %llu visits: %llu on an earlier day than by the list, %llu on a later one (%.1f "
	       "days on average, %llu at most), %llu in another week\n\n",
	       (unsigned long long)plan->visits, (unsigned long long)year->sooner,
	       (unsigned long long)year->later,
	       year->later ? (double)year->days_later / (double)year->later : 0.0,
	       (unsigned long long)year->most_later, (unsigned long long)year->another_week);
}

static void bench_live(struct bench *bench)
{
	struct comparison year = {0};
	struct world world;
	day_t first = time_paris_day(bench->events[0].time);
	day_t last = time_paris_day(bench->events[bench->event_count - 1].time);
	uint32_t next = 0;

	if (world_init(&world, bench->events[0].time, &bench->policy))
		fail("policy", "cannot be applied");
	for (day_t friday = monday_of(first) + 4; friday <= last; friday += 7) {
		ms_t morning = time_at_paris(friday, 6, 1);

		for (; next < bench->event_count && bench->events[next].time < morning; next++) {
			struct verdict verdict = {0};

			if (world_accept(&world, &bench->events[next], &verdict))
				fail("event", "memory failed");
		}
		if (world_advance(&world, morning))
			fail("time", "memory failed");
		bench_live_week(bench, &world, friday, &year);
	}
	world_done(&world);
	print_year(&year);
}

/* --- weeks that are drawn --------------------------------------------------------------------- */

static uint64_t random_state = 2015;

static uint32_t random_below(uint32_t limit)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(random_state >> 33) % limit;
}

/* Every half-day of the week, every sector. */
static void fill_pairs(struct arena *arena, struct plan_request *request, uint32_t count,
		       uint32_t visits_a_week)
{
	request->pairs.items = arena_new(arena, count * sizeof(struct plan_pair));
	request->pairs.count = count;
	for (uint32_t i = 0; i < count; i++) {
		struct plan_pair *pair = list_at(&request->pairs, struct plan_pair, i);
		char name[16];

		record_clear(&record_plan_pair, pair);
		snprintf(name, sizeof(name), "pair-%02u", i);
		pair->pair = arena_copy(arena, str_from(name));
		pair->half_days = 0x3ff;
		pair->visits_a_week = visits_a_week;
		pair->closed_sectors = SAID_YES;
	}
}

static void fill_cases(struct arena *arena, struct plan_request *request, uint32_t count)
{
	request->cases.items = arena_new(arena, count * sizeof(struct plan_case));
	request->cases.count = count;
	for (uint32_t i = 0; i < count; i++) {
		struct plan_case *item = list_at(&request->cases, struct plan_case, i);

		record_clear(&record_plan_case, item);
		item->case_number = i + 1;
		item->tier = TIER_NORMAL;
		item->closed = SAID_NO;
	}
}

static void begin_request(struct plan_request *request, uint32_t weeks)
{
	record_clear(&record_plan_request, request);
	request->today = day_from_ymd(2015, 1, 11);
	request->first = day_from_ymd(2015, 1, 12);
	request->last = request->first + 7 * (day_t)weeks - 1;
	request->alsace_moselle = SAID_NO;
}

static void bench_draw_weeks(struct bench *bench, uint32_t pairs, uint32_t visits_a_week)
{
	struct comparison drawn = {0};

	for (uint32_t week = 0; week < DRAWN_WEEKS; week++) {
		struct arena arena = {0};
		struct plan_request request;

		begin_request(&request, 1);
		fill_pairs(&arena, &request, pairs, visits_a_week);
		fill_cases(&arena, &request, pairs * visits_a_week);
		for (uint32_t i = 0; i < request.cases.count; i++) {
			struct plan_case *item = list_at(&request.cases, struct plan_case, i);
			struct spot home = bench->homes[random_below(bench->home_count)];

			item->lat = home.lat;
			item->lon = home.lon;
		}
		bench_compare(bench, &request, request.first, request.last, &drawn);
		arena_done(&arena);
	}
	printf("%5u %10u | %9.0f %9.0f %6.2f | %9.0f %9.0f %6.2f\n", pairs, visits_a_week,
	       km(drawn.by_list.between) / DRAWN_WEEKS, km(drawn.plan.between) / DRAWN_WEEKS,
	       ratio(drawn.plan.between, drawn.by_list.between),
	       km(drawn.by_list.total) / DRAWN_WEEKS, km(drawn.plan.total) / DRAWN_WEEKS,
	       ratio(drawn.plan.total, drawn.by_list.total));
}

static void bench_draw(struct bench *bench)
{
	static const uint32_t shapes[][2] = {{1, 3}, {1, 4}, {1, 6}, {1, 8},
					     {2, 4}, {2, 8}, {4, 4}, {4, 8}};

	printf("weeks drawn from %u referrals, %u of each, km a week\n", bench->home_count,
	       DRAWN_WEEKS);
	printf("                 | between visits             | with the way from base\n");
	printf("pairs each makes |   by list      plan  ratio |   by list      plan  ratio\n");
	for (uint32_t i = 0; i < ARRAY_SIZE(shapes); i++)
		bench_draw_weeks(bench, shapes[i][0], shapes[i][1]);
	printf("\n");
}

/* --- time ------------------------------------------------------------------------------------- */

static double processor_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void bench_time_largest(void)
{
	struct arena arena = {0};
	struct plan_request request;
	struct plan_answer answer;
	double start, by_list, plan;

	begin_request(&request, PLAN_WEEKS_MAX);
	fill_pairs(&arena, &request, POLICY_PAIRS_MAX, 10);
	fill_cases(&arena, &request, PLAN_CASES_MAX);
	for (uint32_t i = 0; i < request.cases.count; i++) {
		struct plan_case *item = list_at(&request.cases, struct plan_case, i);

		item->lat = 46300000 + random_below(900000);
		item->lon = 5300000 + random_below(900000);
	}
	start = processor_ms();
	plan_make_by_list(&request, &arena, &answer);
	by_list = processor_ms() - start;
	plan_make(&request, &arena, &answer);
	plan = processor_ms() - start - by_list;
	printf("the largest request (%u cases, %u pairs, %u weeks): by the list %.0f ms of "
	       "processor time, plan %.0f ms\n",
	       PLAN_CASES_MAX, POLICY_PAIRS_MAX, PLAN_WEEKS_MAX, by_list, plan);
	arena_done(&arena);
}
