#include "daemon/past.h"

#include <stdlib.h>

#include "daemon/standing.h"

/* What looking back needs: facts in the order of their places, so that those known by an earlier day
 * come first; and visits to be written to. */
struct look {
	const struct state *state;
	struct arena *arena;
	struct past *past;
	const struct life_visit *scratch;
};

/* How things stood on a day, as far as the first `count` facts tell. */
static void look_back(const struct look *look, uint32_t count, day_t on, struct portrait *portrait)
{
	portrait->facts = look->past->facts;
	portrait->fact_count = count;
	portrait->visits = look->scratch;
	portrait->visit_count = look->past->visit_count;
	portrait_draw(look->state, on, look->arena, portrait);
}

/* --- stays ------------------------------------------------------------------------------------ */

static uint32_t find_place(const struct past *past, uint64_t seq)
{
	uint32_t at = 0;

	while (at < past->fact_count && past->facts[at].seq < seq)
		at++;
	assert(at < past->fact_count);
	return at;
}

static uint32_t find_referral(const struct past *past, uint32_t from, uint32_t until,
			      uint32_t joined)
{
	for (uint32_t i = from; i < until; i++)
		if (past->joined[i] == joined &&
		    past->facts[i].fact->kind == EVENT_REFERRAL_RECEIVED)
			return i + 1;
	return 0;
}

/* `until`: the place at which the next stay of the same case begins. Returns where this one does. */
static uint32_t add_stay(const struct look *look, uint32_t position,
			 const struct life_case *life_case, uint32_t until)
{
	struct past *past = look->past;
	uint32_t start = find_place(past, life_case->order_seq);

	past->stays[past->stay_count++] = (struct stay){
		.number = case_resolve(look->state, life_case->number),
		.order_seq = life_case->order_seq,
		.start = start,
		.referral = find_referral(past, start, until, position + 1),
		.first_date = life_case->first_date,
		.carry = life_case->carry,
		.deferred_on = DAY_NONE,
		.visited_on = DAY_NONE,
		.closed_on = life_case->is_closed ? life_case->closed_on : DAY_NONE,
		.closing = life_case->is_closed ? life_case->closing : 0,
	};
	return start;
}

/* A case that was reopened remembers its last stay only: the one before is as it was just before the
 * fact that reopened it. */
static void add_stays(const struct look *look, const struct life *life, uint32_t position)
{
	const struct past *past = look->past;
	const struct life_case *life_case = &life->cases[position];
	uint32_t start = add_stay(look, position, life_case, past->fact_count);
	struct portrait portrait;

	while (life_case->order_seq != past->facts[life_case->opening].seq) {
		look_back(look, start, past->facts[start].accepted, &portrait);
		life_case = &portrait.life.cases[position];
		assert(life_case->is_closed);
		start = add_stay(look, position, life_case, start);
	}
}

static int compare_stays(const void *first, const void *second)
{
	const struct stay *a = first, *b = second;

	return a->order_seq < b->order_seq ? -1 : a->order_seq > b->order_seq;
}

static bool is_last_of_case(const struct past *past, uint32_t position)
{
	for (uint32_t i = position + 1; i < past->stay_count; i++)
		if (past->stays[i].number == past->stays[position].number)
			return false;
	return true;
}

/* An erasure is no fact: it closed the case that was open then. A case that only a later policy would have
 * opened, or parted, has no number: nothing is derived any more for who was erased. */
static void end_erased(const struct look *look)
{
	struct past *past = look->past;

	for (uint32_t i = 0; i < past->stay_count; i++) {
		struct stay *stay = &past->stays[i];
		const struct case_record *record = &look->state->cases.items[stay->number];

		if (record->closing != CLOSING_ERASED || !is_last_of_case(past, i))
			continue;
		stay->closing = CLOSING_ERASED;
		stay->closed_on = record->closed_on;
	}
}

/* --- visits ----------------------------------------------------------------------------------- */

/* The last stay of that number that had begun when a visit was placed, else the first. */
static const struct stay *find_stay(const struct past *past, uint32_t number, uint64_t placed)
{
	const struct stay *found = NULL;

	for (uint32_t i = 0; i < past->stay_count; i++)
		if (past->stays[i].number == number &&
		    (!found || past->stays[i].order_seq < placed))
			found = &past->stays[i];
	return found;
}

/* A stay may have lost its number: an erased household's, whose facts were taken back in part. */
const struct stay *past_stay_of(const struct state *state, const struct past *past, uint32_t visit)
{
	const struct visit *its = past->visits[visit].visit;
	uint32_t number = case_resolve(state, its->case_number);
	const struct stay *found = number ? find_stay(past, number, its->placed) : NULL;

	return found || !number ? found : find_stay(past, 0, its->placed);
}

static void find_first_visits(const struct look *look)
{
	const struct past *past = look->past;

	for (uint32_t i = 0; i < past->visit_count; i++) {
		const struct visit *visit = past->visits[i].visit;
		const struct stay *of = past_stay_of(look->state, past, i);
		struct stay *stay = of ? &past->stays[of - past->stays] : NULL;

		if (!stay || visit->state != VISIT_STATE_DONE)
			continue;
		if (stay->visit && visit->day >= stay->visited_on)
			continue;
		stay->visit = i + 1;
		stay->visited_on = visit->day;
	}
}

/* --- deferral --------------------------------------------------------------------------------- */

/* The first fact that was not known yet on that day. */
static uint32_t count_known(const struct past *past, day_t on)
{
	uint32_t count = 0;

	while (count < past->fact_count && past->facts[count].accepted <= on)
		count++;
	return count;
}

/* May it be visited on that day; and until when is nothing else to be expected? In an open sector
 * whoever waits may, whatever its rank. */
static bool is_eligible_on(const struct look *look, day_t on, day_t *until)
{
	const struct policy *policy = &look->state->policy;
	const struct past *past = look->past;
	uint32_t known = count_known(past, on);
	struct horizon horizon = horizon_on(on);
	struct portrait portrait;
	const struct life_case *open;
	bool is_eligible;

	is_eligible = season_is_open(
		season_sector(policy, season_commune(policy, past->facts, known, DAY_MAX)),
		&horizon);
	if (!is_eligible) {
		look_back(look, known, on, &portrait);
		open = life_open_case(&portrait.life);
		is_eligible = !open || portrait_is_eligible(look->state, &portrait, open);
		horizon = portrait.horizon;
	}
	*until = horizon.next;
	if (known < past->fact_count && past->facts[known].accepted < *until)
		*until = past->facts[known].accepted;
	return is_eligible;
}

static day_t earlier(day_t a, day_t b)
{
	if (a == DAY_NONE || b == DAY_NONE)
		return a == DAY_NONE ? b : a;
	return a < b ? a : b;
}

/* From the day it was known and had a referral until it was visited or ended. A deferral that a closing
 * brought is dated to the last open day: it was put off to the next year, not in it. */
static void find_deferral(const struct look *look, struct stay *stay)
{
	const struct standing *referral = &look->past->facts[stay->referral - 1];
	day_t end = earlier(earlier(stay->visited_on, stay->closed_on), look->state->today + 1);
	day_t day = referral->accepted > stay->first_date ? referral->accepted : stay->first_date;
	day_t next;

	for (; day < end; day = next) {
		if (is_eligible_on(look, day, &next))
			continue;
		stay->deferred_on = stay->carry.closing == day - 1 ? day - 1 : day;
		return;
	}
}

/* --- the whole -------------------------------------------------------------------------------- */

/* As many stays as facts at most: each begins with one. */
static void tell_stays(const struct look *look)
{
	struct past *past = look->past;
	struct portrait now;

	past->stays = arena_new(look->arena, (past->fact_count + 1) * sizeof(struct stay));
	look_back(look, past->fact_count, look->state->today, &now);
	past->joined = now.life.joined;
	for (uint32_t i = 0; i < now.life.case_count; i++)
		add_stays(look, &now.life, i);
	qsort(past->stays, past->stay_count, sizeof(*past->stays), compare_stays);
	end_erased(look);
}

void past_make(const struct state *state, uint32_t head, struct arena *arena, struct past *past)
{
	struct look look = {.state = state, .arena = arena, .past = past};

	*past = (struct past){0};
	past->facts = standing_gather_whole(state, head, arena, &past->fact_count);
	past->visits = standing_gather_visits(state, past->facts, past->fact_count, arena,
					      &past->visit_count);
	look.scratch = portrait_copy_visits(arena, past->visits, past->visit_count);
	tell_stays(&look);
	find_first_visits(&look);
	for (uint32_t i = 0; i < past->stay_count; i++)
		if (past->stays[i].referral)
			find_deferral(&look, &past->stays[i]);
}
