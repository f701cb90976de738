#include "workers/schedule/week.h"

enum {
	ROUNDS_MAX = 32,       /* bounds the time; the fullest week takes seven */
	TURN_NONE = UINT32_MAX /* of a half-day without a case */
};

#define DAY_OUT_COST 1000000000LL   /* more than any distance */
#define SAVED_MIN    SPOT_KILOMETRE /* nobody's half-day changes for less */
#define NEAR         (15 * SPOT_KILOMETRE)

static bool exchange_visits(struct place *places, uint32_t count);
static bool exchange_days(struct place *places, uint32_t count);
static int64_t cost_of_day(const struct place *morning);

void week_share_days(struct place *places, uint32_t count)
{
	for (uint32_t first = 0; first + 1 < count; first += 2)
		places[first].cost = cost_of_day(&places[first]);
	for (uint32_t round = 0; round < ROUNDS_MAX; round++) {
		bool is_changed = exchange_visits(places, count);

		is_changed |= exchange_days(places, count);
		if (!is_changed)
			return;
	}
}

/* --- two visits ------------------------------------------------------------------------------- */

static bool may_exchange(const struct place *a, const struct place *b);
static bool should_exchange(struct place *places, uint32_t first, uint32_t second);
static void exchange(struct place *a, struct place *b);

static bool exchange_visits(struct place *places, uint32_t count)
{
	bool is_changed = false;

	for (uint32_t first = count; first-- > 0;) {
		for (uint32_t second = first + 1; second < count; second++) {
			struct place *a = &places[first], *b = &places[second];

			if (!may_exchange(a, b) || !should_exchange(places, first, second))
				continue;
			exchange(a, b);
			places[first & ~1u].cost = cost_of_day(&places[first & ~1u]);
			places[second & ~1u].cost = cost_of_day(&places[second & ~1u]);
			is_changed = true;
		}
	}
	return is_changed;
}

static bool may_go_over(const struct place *from, const struct place *to);

static bool may_exchange(const struct place *a, const struct place *b)
{
	if (a->is_fixed || b->is_fixed)
		return false;
	if (!b->stop.is_set)
		return may_go_over(a, b);
	if (!a->stop.is_set)
		return may_go_over(b, a);
	if (a->stop.item->tier != b->stop.item->tier)
		return false;
	return a->pair == b->pair ||
	       (pair_may_serve(a->pair, b->stop.item) && pair_may_serve(b->pair, a->stop.item));
}

static bool is_near_there(const struct stop *stop, const struct place *to);

/* To a half-day that the list left open. Behind a normal case nobody of another tier waits. */
static bool may_go_over(const struct place *from, const struct place *to)
{
	if (!from->stop.is_set || from->stop.item->tier != TIER_NORMAL || from->pair != to->pair)
		return false;
	return to->moment < from->moment || is_near_there(&from->stop, to);
}

/* Near to what the pair does on the other half of that day. */
static bool is_near_there(const struct stop *stop, const struct place *to)
{
	const struct stop *other = to->moment % 2 ? &to[-1].stop : &to[1].stop;

	return other->is_set && other->spot.is_known && stop->spot.is_known &&
	       spot_distance(other->spot, stop->spot) <= NEAR;
}

static int64_t least_cost_of_day(const struct place *morning);
static bool comes_sooner(const struct place *a, const struct place *b);

/* Two visits of one day only ever change their order. Most exchanges would cost more, whatever the way
 * from west to east: then it need not be measured. */
static bool should_exchange(struct place *places, uint32_t first, uint32_t second)
{
	struct place *a = &places[first], *b = &places[second];
	struct place *one = &places[first & ~1u], *other = &places[second & ~1u];
	int64_t before = one->cost + other->cost, after;

	exchange(a, b);
	after = least_cost_of_day(one) + least_cost_of_day(other);
	if (after <= before)
		after = cost_of_day(one) + cost_of_day(other);
	exchange(a, b);
	return after <= before - SAVED_MIN || (after == before && comes_sooner(a, b));
}

static void exchange(struct place *a, struct place *b)
{
	struct stop stop = a->stop;

	a->stop = b->stop;
	b->stop = stop;
}

static uint32_t turn_of(const struct place *place)
{
	return place->stop.item ? place->stop.turn : TURN_NONE;
}

/* By an exchange: the case that is higher in the list. */
static bool comes_sooner(const struct place *a, const struct place *b)
{
	if (a->moment < b->moment)
		return turn_of(b) < turn_of(a);
	return b->moment < a->moment && turn_of(a) < turn_of(b);
}

static int64_t cost_of_day(const struct place *morning)
{
	const struct stop *a = &morning[0].stop, *b = &morning[1].stop;

	if (!a->is_set || !b->is_set)
		return a->is_set || b->is_set ? DAY_OUT_COST : 0;
	return DAY_OUT_COST + spot_distance(a->spot, b->spot);
}

/* No more than cost_of_day(). */
static int64_t least_cost_of_day(const struct place *morning)
{
	const struct stop *a = &morning[0].stop, *b = &morning[1].stop;

	if (!a->is_set || !b->is_set)
		return a->is_set || b->is_set ? DAY_OUT_COST : 0;
	return DAY_OUT_COST + spot_distance_least(a->spot, b->spot);
}

/* --- two days --------------------------------------------------------------------------------- */

static bool may_exchange_days(const struct place *a, const struct place *b);
static bool day_comes_sooner(const struct place *a, const struct place *b);

/* Both stay whole: it costs nothing. */
static bool exchange_days(struct place *places, uint32_t count)
{
	bool is_changed = false;

	for (uint32_t first = count; first > 0; first -= 2) {
		for (uint32_t second = first; second < count; second += 2) {
			struct place *a = &places[first - 2], *b = &places[second];

			if (!day_comes_sooner(a, b) || !may_exchange_days(a, b))
				continue;
			exchange(&a[0], &b[0]);
			exchange(&a[1], &b[1]);
			a[0].cost = cost_of_day(a);
			b[0].cost = cost_of_day(b);
			is_changed = true;
		}
	}
	return is_changed;
}

static bool may_exchange_days(const struct place *a, const struct place *b)
{
	for (int half = 0; half < 2; half++) {
		if (a[half].stop.is_set != b[half].stop.is_set)
			return false;
		if (a[half].stop.is_set && !may_exchange(&a[half], &b[half]))
			return false;
	}
	return true;
}

static uint32_t first_turn_of(const struct place *morning)
{
	return (uint32_t)min_u64(turn_of(&morning[0]), turn_of(&morning[1]));
}

static bool day_comes_sooner(const struct place *a, const struct place *b)
{
	return a->moment < b->moment && first_turn_of(b) < first_turn_of(a);
}
