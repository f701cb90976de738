#include "tools/sim/arrivals.h"

#include <stdlib.h>

enum { STREAM_GIVERS = 1, STREAM_BURSTS = 2, STREAM_ARRIVALS = 3, STREAM_NEEDS = 1000 };
enum { SHARE = 1000, PATIENCE_MAX = 520, FSL_DAYS = 700, REQUESTS_MAX = 6 };

struct making {
	const struct scenario *scenario;
	const struct policy *policy;
	day_t to;
	uint64_t seed;
	struct arrivals *arrivals;
	uint32_t *communes;                     /* positions in the policy, by sector */
	uint32_t first[POLICY_SECTORS_MAX + 1]; /* where each sector's begin in them */
};

/* --- places ----------------------------------------------------------------------------------- */

static void sort_communes(struct making *making)
{
	const struct list *communes = &making->policy->communes;
	uint32_t count = 0;

	making->communes = mem_new((communes->count + 1) * sizeof(*making->communes));
	for (uint32_t sector = 0; sector < making->policy->sectors.count; sector++) {
		making->first[sector] = count;
		for (uint32_t i = 0; i < communes->count; i++)
			if (list_at(communes, struct policy_commune, i)->sector == sector)
				making->communes[count++] = i;
	}
	making->first[making->policy->sectors.count] = count;
}

static uint32_t commune_count(const struct making *making, uint32_t sector)
{
	return making->first[sector + 1] - making->first[sector];
}

static insee_t pick_commune(const struct making *making, uint32_t sector, struct dice *dice)
{
	uint32_t at = making->first[sector] + dice_below(dice, commune_count(making, sector));

	return list_at(&making->policy->communes, struct policy_commune, making->communes[at])
		->insee;
}

/* How much of a stream is this sector's: its households; nothing where it is not meant. */
static uint64_t sector_weight(const struct making *making, const struct texts *sectors,
			      uint32_t sector)
{
	const struct policy_sector *its = policy_sector_at(making->policy, sector);
	bool is_meant = sectors->count == 0;

	for (uint32_t i = 0; i < sectors->count; i++)
		is_meant |= str_equal(sectors->item[i], its->id);
	if (!is_meant || !commune_count(making, sector))
		return 0;
	return its->households == UINT_NONE ? 1 : its->households;
}

/* False when there is no commune in any of them. */
static bool pick_sector(const struct making *making, const struct texts *sectors, struct dice *dice,
			uint32_t *sector)
{
	uint64_t total = 0, at;

	for (uint32_t i = 0; i < making->policy->sectors.count; i++)
		total += sector_weight(making, sectors, i);
	if (!total)
		return false;
	at = dice_next(dice) % total;
	for (*sector = 0; at >= sector_weight(making, sectors, *sector); ++*sector)
		at -= sector_weight(making, sectors, *sector);
	return true;
}

/* --- one need --------------------------------------------------------------------------------- */

static void add_telling(struct arrivals *arrivals, ms_t at, uint32_t kind, day_t day)
{
	MEM_ROOM(arrivals->tellings, arrivals->telling_count, arrivals->telling_capacity);
	arrivals->tellings[arrivals->telling_count++] =
		(struct telling){at, arrivals->need_count, (uint8_t)kind, day};
}

/* What was before the scenario begins is told on its first morning. */
static void tell_on(struct making *making, day_t day, uint32_t kind)
{
	day_t told = day < making->scenario->from ? making->scenario->from : day;

	add_telling(making->arrivals, time_at_paris(told, 8, 0), kind, day);
}

static void throw_requests(struct making *making, struct dice *dice, day_t referred)
{
	const struct household_settings *households = &making->scenario->households;
	uint64_t chance = households->fsl;

	for (uint32_t i = 0; i < REQUESTS_MAX && dice_permille(dice, chance); i++) {
		tell_on(making, referred - 1 - (day_t)dice_below(dice, FSL_DAYS), TELL_REQUEST);
		chance = households->fsl_again;
	}
}

/* A first notice in the month before, a second two to four weeks later, a cut when that ends. */
static void throw_notices(struct making *making, struct dice *dice, day_t referred,
			  struct need *need)
{
	const struct household_settings *households = &making->scenario->households;
	day_t first = referred - (day_t)dice_below(dice, 30);
	day_t second = first + 14 + (day_t)dice_below(dice, 15);
	day_t cut = second + 21 + (day_t)dice_below(dice, 10);
	bool has_second = dice_permille(dice, households->second_notice);
	bool has_cut = dice_permille(dice, households->cut);

	if (!dice_permille(dice, households->notice))
		return;
	need->is_threatened = true;
	tell_on(making, first, TELL_NOTICE_1);
	if (!has_second)
		return;
	tell_on(making, second, TELL_NOTICE_2);
	if (!has_cut || law_in_truce(policy_law_on(making->policy, cut), cut))
		return;
	tell_on(making, cut, TELL_CUT);
	tell_on(making, cut + 21, TELL_RESTORED);
}

static uint32_t throw_vulnerable(const struct household_settings *households, struct dice *dice)
{
	uint32_t vulnerable = 0;

	if (dice_permille(dice, households->infant))
		vulnerable |= 1u << (VULNERABLE_INFANT - 1);
	if (dice_permille(dice, households->elderly))
		vulnerable |= 1u << (VULNERABLE_ELDERLY - 1);
	if (dice_permille(dice, households->ill))
		vulnerable |= 1u << (VULNERABLE_ILL - 1);
	return vulnerable;
}

static uint16_t throw_patience(const struct household_settings *households, struct dice *dice)
{
	uint16_t weeks = 0;

	if (!households->withdraws_a_week)
		return PATIENCE_NONE;
	while (weeks < PATIENCE_MAX && !dice_permille(dice, households->withdraws_a_week))
		weeks++;
	return weeks < PATIENCE_MAX ? weeks : PATIENCE_NONE;
}

static void add_need(struct making *making, struct need need)
{
	const struct household_settings *households = &making->scenario->households;
	struct arrivals *arrivals = making->arrivals;
	struct dice dice = dice_of(making->seed, STREAM_NEEDS + arrivals->need_count);
	day_t day = time_paris_day(need.at);

	need.vulnerable = throw_vulnerable(households, &dice);
	need.share = (uint16_t)dice_below(&dice, SHARE);
	need.patience_weeks = throw_patience(households, &dice);
	need.fate = dice_next(&dice);
	if (dice_permille(&dice, households->voucher))
		tell_on(making, day - 30, TELL_VOUCHER);
	throw_requests(making, &dice, day);
	throw_notices(making, &dice, day, &need);
	add_telling(arrivals, need.at, TELL_REFERRAL, day);
	MEM_ROOM(arrivals->needs, arrivals->need_count, arrivals->need_capacity);
	arrivals->needs[arrivals->need_count++] = need;
}

/* --- streams ---------------------------------------------------------------------------------- */

/* The givers of a stream, sector by sector: as many in each. Returns the first. */
static uint32_t add_givers(struct making *making, uint32_t kind, uint64_t count, struct dice *dice)
{
	struct arrivals *arrivals = making->arrivals;
	uint32_t first = arrivals->giver_count;

	for (uint32_t sector = 0; sector < making->policy->sectors.count; sector++)
		for (uint64_t i = 0; i < count; i++) {
			MEM_ROOM(arrivals->givers, arrivals->giver_count, arrivals->giver_capacity);
			arrivals->givers[arrivals->giver_count++] = (struct sim_giver){
				kind, commune_count(making, sector)
					      ? pick_commune(making, sector, dice)
					      : 0};
		}
	return first;
}

/* How a year's referrals are spread over its working days. */
struct year {
	int year;
	uint64_t weight; /* of all working days together */
};

static struct year weigh_year(const struct making *making, const struct stream_settings *stream,
			      int year)
{
	bool alsace_moselle = making->policy->planning.alsace_moselle == SAID_YES;
	struct year weighed = {.year = year};

	for (day_t day = day_from_ymd(year, 1, 1); day <= day_from_ymd(year, 12, 31); day++)
		if (day_is_working(day, alsace_moselle))
			weighed.weight += scenario_season(making->scenario, stream->season,
							  day_to_ymd(day).month);
	return weighed;
}

/* A throw for each of many moments of the day: about as many as expected, seldom just as many. */
static uint32_t throw_count(struct dice *dice, uint64_t expected_24_bits)
{
	uint64_t throws = 8 + 2 * (expected_24_bits >> 24);
	uint32_t count = 0;

	for (uint64_t i = 0; i < throws; i++)
		count += dice_next(dice) >> 40 < expected_24_bits / throws;
	return count;
}

static void arrive(struct making *making, const struct stream_settings *stream, uint32_t givers,
		   day_t day, struct dice *dice)
{
	uint32_t sector, minute = dice_below(dice, 8 * 60);

	if (!pick_sector(making, &stream->sectors, dice, &sector))
		return;
	add_need(making, (struct need){
				 .at = time_at_paris(day, 9 + (int)minute / 60, (int)minute % 60),
				 .giver = givers + sector * (uint32_t)stream->givers +
					  dice_below(dice, (uint32_t)stream->givers),
				 .insee = pick_commune(making, sector, dice),
				 .while_closed = (uint16_t)stream->while_closed,
				 .while_suspended = (uint16_t)stream->while_suspended,
			 });
}

static void run_stream(struct making *making, uint32_t position)
{
	const struct stream_settings *stream =
		list_at(&making->scenario->arrivals, struct stream_settings, position);
	bool alsace_moselle = making->policy->planning.alsace_moselle == SAID_YES;
	struct dice who = dice_of(making->seed, (uint64_t)STREAM_GIVERS << 32 | position);
	struct dice dice = dice_of(making->seed, (uint64_t)STREAM_ARRIVALS << 32 | position);
	uint32_t givers = add_givers(making, stream->kind, stream->givers, &who);
	struct year year = {0};

	for (day_t day = making->scenario->from; day <= making->to; day++) {
		struct ymd ymd = day_to_ymd(day);
		uint64_t percent, count;

		if ((stream->from != DAY_NONE && day < stream->from) ||
		    (stream->to != DAY_NONE && day > stream->to) ||
		    !day_is_working(day, alsace_moselle))
			continue;
		if (year.year != ymd.year)
			year = weigh_year(making, stream, ymd.year);
		assert(year.weight); /* no season is without any month */
		percent = scenario_season(making->scenario, stream->season, ymd.month);
		count = throw_count(&dice, (stream->a_year << 24) * percent / year.weight);
		for (uint64_t i = 0; i < count; i++)
			arrive(making, stream, givers, day, &dice);
	}
}

static void run_burst(struct making *making, uint32_t position)
{
	const struct burst_settings *burst =
		list_at(&making->scenario->bursts, struct burst_settings, position);
	struct stream_settings stream = {
		.kind = burst->kind,
		.sectors = burst->sectors,
		.givers = 1,
		.while_closed = SHARE,
		.while_suspended = SHARE,
	};
	struct dice dice = dice_of(making->seed, (uint64_t)STREAM_BURSTS << 32 | position);
	uint32_t givers = add_givers(making, burst->kind, 1, &dice);

	if (burst->on < making->scenario->from || burst->on > making->to)
		return;
	for (uint64_t i = 0; i < burst->count; i++)
		arrive(making, &stream, givers, burst->on, &dice);
}

/* --- the whole -------------------------------------------------------------------------------- */

static int compare_tellings(const void *first, const void *second)
{
	const struct telling *a = first, *b = second;

	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	if (a->need != b->need)
		return a->need < b->need ? -1 : 1;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	return a->day < b->day ? -1 : a->day > b->day;
}

void arrivals_make(const struct scenario *scenario, const struct policy *policy, day_t to,
		   uint64_t seed, struct arrivals *arrivals)
{
	struct making making = {
		.scenario = scenario,
		.policy = policy,
		.to = to,
		.seed = seed,
		.arrivals = arrivals,
	};

	*arrivals = (struct arrivals){0};
	sort_communes(&making);
	for (uint32_t i = 0; i < scenario->arrivals.count; i++)
		run_stream(&making, i);
	for (uint32_t i = 0; i < scenario->bursts.count; i++)
		run_burst(&making, i);
	if (arrivals->telling_count)
		qsort(arrivals->tellings, arrivals->telling_count, sizeof(*arrivals->tellings),
		      compare_tellings);
	free(making.communes);
}

void arrivals_done(struct arrivals *arrivals)
{
	free(arrivals->givers);
	free(arrivals->needs);
	free(arrivals->tellings);
	*arrivals = (struct arrivals){0};
}
