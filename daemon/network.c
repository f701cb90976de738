#include "daemon/network.h"

#include <stdlib.h>

#include "daemon/post.h"
#include "daemon/settle.h"

enum { REFERRED_MONTHS = 24 }; /* how long a referral makes its giver belong to the sector */

/* --- who belongs where --------------------------------------------------------------------------- */

static sectors_t sectors_of_canton(const struct state *state, struct str canton)
{
	const struct list *communes = &state->policy.communes;
	sectors_t sectors = 0;

	for (uint32_t i = 0; i < communes->count; i++) {
		const struct policy_commune *commune = list_at(communes, struct policy_commune, i);

		if (str_equal(commune->canton, canton))
			sectors |= (sectors_t)1 << commune->sector;
	}
	return sectors;
}

static sectors_t sectors_of_commune(const struct state *state, insee_t insee)
{
	const struct policy_commune *commune = policy_find_commune(&state->policy, insee);

	return commune ? (sectors_t)1 << commune->sector : 0;
}

static sectors_t sectors_of_places(const struct state *state, const struct giver *giver)
{
	sectors_t sectors = 0;

	for (uint32_t i = 0; i < giver->canton_count; i++)
		sectors |= sectors_of_canton(state, giver_canton(state, giver, i));
	for (uint32_t i = 0; i < giver->commune_count; i++)
		sectors |= sectors_of_commune(state, giver_commune(state, giver, i));
	return sectors;
}

bool network_has_canton(const struct state *state, struct str canton)
{
	return sectors_of_canton(state, canton) != 0;
}

static bool fact_holds(const struct fact *fact)
{
	return !fact->is_void && !fact->is_replaced;
}

/* A correction keeps the day of what it corrects. */
static day_t referred_on(const struct state *state, uint32_t at)
{
	const struct fact *facts = state->facts.items;
	day_t day = facts[at].day;

	for (at = facts[at].replaces; at; at = facts[at].replaces)
		if (!facts[at].is_void)
			day = facts[at].day;
	return day;
}

/* Where the household of a referral lives, or lived when it was referred. */
static sectors_t sectors_of_referral(const struct state *state, const struct fact *fact)
{
	uint32_t household = party_household(state, fact->party);

	if (fact->referral.insee)
		return sectors_of_commune(state, fact->referral.insee);
	return sectors_of_commune(state,
				  state->households.items[household_head(state, household)].insee);
}

static sectors_t sectors_referred_from(const struct state *state, const struct giver *giver,
				       day_t on)
{
	day_t since = day_add_months(on, -REFERRED_MONTHS);
	sectors_t sectors = 0;

	for (uint32_t at = giver->last_referral; at;
	     at = state->facts.items[at].referral.previous) {
		const struct fact *fact = &state->facts.items[at];
		day_t day = referred_on(state, at);

		if (fact->accepted < since)
			break; /* earlier ones came before it, and none lies a day ahead */
		if (fact_holds(fact) && day >= since && day <= on)
			sectors |= sectors_of_referral(state, fact);
	}
	return sectors;
}

static sectors_t all_sectors(const struct state *state)
{
	uint32_t count = state->policy.sectors.count;

	return count == 64 ? ~(sectors_t)0 : ((sectors_t)1 << count) - 1;
}

static sectors_t sectors_on(const struct state *state, const struct giver *giver, day_t on)
{
	if (giver->left_on != DAY_NONE && on > giver->left_on)
		return 0;
	if (!giver->kind) /* nobody registered it */
		return sectors_referred_from(state, giver, on);
	if (!giver->canton_count && !giver->commune_count)
		return all_sectors(state);
	return sectors_of_places(state, giver) | sectors_referred_from(state, giver, on);
}

sectors_t network_sectors(const struct state *state, uint32_t index)
{
	const struct giver *giver = state_get(state, givers, index);

	return giver->is_erased ? 0 : sectors_on(state, giver, state->today);
}

uint32_t network_empty_cantons(const struct state *state, struct arena *arena, struct str **cantons)
{
	const struct list *communes = &state->policy.communes;
	uint32_t count = 0;
	bool *is_served = arena_new(arena, (state->names.count + 1) * sizeof(*is_served));

	*cantons = arena_new(arena, (communes->count + 1) * sizeof(**cantons));
	for (uint32_t i = 1; i < state->givers.count; i++) {
		const struct giver *giver = &state->givers.items[i];

		for (uint32_t j = 0; j < giver->canton_count && giver->kind && !giver->is_erased &&
				     !giver_has_left(state, giver);
		     j++)
			is_served[state->places.items[giver->cantons + j]] = true;
	}
	for (uint32_t i = 0; i < communes->count; i++) {
		struct str canton = list_at(communes, struct policy_commune, i)->canton;
		bool is_listed = !canton.size || is_served[names_find(&state->names, canton)];

		for (uint32_t j = 0; j < count && !is_listed; j++)
			is_listed = str_equal((*cantons)[j], canton);
		if (!is_listed)
			(*cantons)[count++] = canton;
	}
	return count;
}

/* --- a giver's cases ------------------------------------------------------------------------------- */

static uint64_t case_opening_seq(const struct state *state, uint32_t number)
{
	return state->facts.items[state->cases.items[number].opening].seq;
}

/* The case a referral belongs to: the latest of its household that was opened no later. */
static uint32_t case_of_referral(const struct state *state, const struct fact *fact)
{
	uint32_t head = household_head(state, party_household(state, fact->party));
	uint32_t found = 0;

	if (state->parties.items[fact->party].is_erased)
		return 0;
	for (uint32_t member = head; member; member = state->households.items[member].next_member) {
		const struct party *party =
			&state->parties.items[state->households.items[member].party];

		for (uint32_t at = party->first_fact; at; at = state->facts.items[at].next) {
			uint32_t opened = state->facts.items[at].opened;
			uint32_t number = opened ? case_resolve(state, opened) : 0;

			if (number && number > found &&
			    (!found || case_opening_seq(state, number) <= fact->seq))
				found = number;
		}
	}
	return found;
}

struct network_case *network_cases(const struct state *state, uint32_t giver, struct arena *arena,
				   uint32_t *count)
{
	uint32_t most = 1, last = state_get(state, givers, giver)->last_referral;
	struct network_case *cases;

	*count = 0;
	for (uint32_t at = last; at; at = state->facts.items[at].referral.previous)
		most++;
	cases = arena_new(arena, most * sizeof(*cases));
	for (uint32_t at = last; at; at = state->facts.items[at].referral.previous) {
		uint32_t number = fact_holds(&state->facts.items[at])
					  ? case_of_referral(state, &state->facts.items[at])
					  : 0;
		uint32_t i = 0;

		while (i < *count && cases[i].number != number)
			i++;
		if (!number)
			continue;
		cases[i] = (struct network_case){number, at};
		*count += i == *count;
	}
	return cases;
}

static bool is_in_line(const struct case_record *record)
{
	return record->state == CASE_STATE_WAITING || record->state == CASE_STATE_PLANNED;
}

bool network_concerns(const struct state *state, uint32_t template, uint32_t case_number,
		      uint32_t sector, day_t day)
{
	const struct case_record *record = state_get(state, cases, case_number);

	if (record->state == CASE_STATE_CLOSED)
		return false;
	if (template == TEMPLATE_SECTOR_CLOSED)
		return record->carry.sector == sector && record->carry.closing == day - 1;
	return template == TEMPLATE_SECTOR_OPENED && record->sector == sector &&
	       is_in_line(record) && portrait_was_deferred(state, record->household, day - 1);
}

static bool is_concerned(const struct state *state, uint32_t giver, const struct mail *mail)
{
	struct arena arena = {0};
	uint32_t count, sector = policy_sector_number(&state->policy,
						      names_get(&state->names, mail->sector));
	struct network_case *cases = network_cases(state, giver, &arena, &count);
	bool found = false;

	for (uint32_t i = 0; i < count && !found; i++)
		found = network_concerns(state, mail->template, cases[i].number, sector, mail->day);
	arena_done(&arena);
	return found;
}

/* --- telling them ---------------------------------------------------------------------------------- */

/* A household that referred itself is no giver: it hears of its own case only. */
static bool is_to_be_told(const struct state *state, uint32_t giver, const struct mail *mail)
{
	return state->givers.items[giver].kind != GIVER_KIND_HOUSEHOLD ||
	       is_concerned(state, giver, mail);
}

/* One thing that is said of a sector (position): the day that is announced. */
struct notice_of {
	uint32_t sector;
	day_t day;
};

/* All that a template says in one mail, in the order of the days. */
struct telling {
	uint32_t template;
	sectors_t sectors; /* those it is about */
	struct notice_of *items;
	uint32_t count, capacity;
};

static void telling_add(struct telling *telling, uint32_t sector, day_t day)
{
	uint32_t at = telling->count;

	MEM_ROOM(telling->items, telling->count, telling->capacity);
	for (; at && telling->items[at - 1].day > day; at--)
		telling->items[at] = telling->items[at - 1];
	telling->items[at] = (struct notice_of){sector, day};
	telling->count++;
	telling->sectors |= (sectors_t)1 << sector;
}

/* What is said of each of these sectors is of one day. */
static void telling_add_all(struct telling *telling, sectors_t sectors, day_t day)
{
	for (uint32_t i = 0; i < POLICY_SECTORS_MAX; i++)
		if (sectors & (sectors_t)1 << i)
			telling_add(telling, i, day);
}

/* A giver (index) that belongs to `sectors`: one mail. */
static void tell_giver(struct state *state, const struct cause *cause, uint32_t giver,
		       const struct telling *telling, sectors_t sectors)
{
	struct mail mail = {0};

	for (uint32_t i = 0; i < telling->count; i++) {
		const struct notice_of *notice = &telling->items[i];
		struct str id = policy_sector_at(&state->policy, notice->sector)->id;
		struct mail part = {
			.template = (uint8_t)telling->template,
			.sector = names_add(&state->names, id),
			.day = notice->day,
		};

		if (!(sectors & (sectors_t)1 << notice->sector) ||
		    !is_to_be_told(state, giver, &part))
			continue;
		if (mail.sector)
			mail_add_part(state, &mail, part);
		else
			mail = part;
	}
	if (mail.sector)
		mailing_to_member(state, cause, giver, mail);
}

static void tell_all(struct state *state, const struct cause *cause, const struct telling *telling)
{
	uint32_t count = telling->count ? state->givers.count : 0;

	for (uint32_t i = 1; i < count; i++) {
		sectors_t its = network_sectors(state, i) & telling->sectors;

		if (its)
			tell_giver(state, cause, i, telling, its);
	}
}

void network_tell(struct state *state, const struct cause *cause, uint32_t template,
		  sectors_t sectors)
{
	struct telling telling = {.template = template};

	telling_add_all(&telling, sectors, state->today);
	tell_all(state, cause, &telling);
	free(telling.items);
}

/* --- openings and closings ------------------------------------------------------------------------- */

/* What is said of an opening: from so many days before its first or after its last open day, until that
 * many; a notice that is late goes at once, but never after the day it announces. */
struct notice {
	uint32_t template;
	bool is_of_end;
	day_t from, until;
};

static void list_notices(const struct policy *policy, struct notice notices[NOTICE_COUNT])
{
	day_t announce = (day_t)policy->givers.announce_before;
	day_t closing = (day_t)policy->givers.closing_before;

	notices[0] = (struct notice){TEMPLATE_SECTOR_ANNOUNCED, false, -announce, -1};
	notices[1] = (struct notice){TEMPLATE_SECTOR_OPENED, false, 0, 0};
	notices[2] = (struct notice){TEMPLATE_SECTOR_CLOSING, true, -closing, 0};
	notices[3] = (struct notice){TEMPLATE_SECTOR_CLOSED, true, 1, 1};
}

static day_t notice_day(const struct notice *notice, const struct policy_opening *opening)
{
	return notice->is_of_end ? opening->to : opening->from;
}

/* Adds what is due today of a sector, for the first time. Openings may follow one another faster than
 * notices: then several are due, also at once when they are late. */
static void add_due(struct state *state, uint32_t position, uint32_t which,
		    const struct notice *notice, struct telling *telling)
{
	const struct policy_sector *sector = policy_sector_at(&state->policy, position);
	struct sector_record *record = state_sector(state, sector->id);

	for (uint32_t i = 0; i < sector->openings.count; i++) {
		const struct policy_opening *opening =
			list_at(&sector->openings, struct policy_opening, i);
		day_t day = notice_day(notice, opening);

		if (state->today < day + notice->from || state->today > day + notice->until ||
		    record->told[which] >= day)
			continue;
		record->told[which] = day;
		telling_add(telling, position,
			    notice->template == TEMPLATE_SECTOR_CLOSED ? day + 1 : day);
	}
}

static void tell_notices(struct state *state, const struct cause *cause)
{
	struct notice notices[NOTICE_COUNT];

	list_notices(&state->policy, notices);
	for (uint32_t which = 0; which < NOTICE_COUNT; which++) {
		struct telling telling = {.template = notices[which].template};

		for (uint32_t i = 0; i < state->policy.sectors.count; i++)
			add_due(state, i, which, &notices[which], &telling);
		tell_all(state, cause, &telling);
		free(telling.items);
	}
}

/* --- silence ---------------------------------------------------------------------------------------- */

/* Did it refer before `from`, and not since, until the end of a day? */
static bool is_silent(const struct state *state, const struct giver *giver, day_t from, day_t until)
{
	bool referred_before = false;

	for (uint32_t at = giver->last_referral; at;
	     at = state->facts.items[at].referral.previous) {
		day_t day = referred_on(state, at);

		if (!fact_holds(&state->facts.items[at]) || day > until)
			continue;
		if (day >= from)
			return false;
		referred_before = true;
	}
	return referred_before;
}

static bool may_be_quiet(const struct giver *giver)
{
	return giver->last_referral && giver->kind && giver->kind != GIVER_KIND_HOUSEHOLD;
}

bool network_was_quiet(const struct state *state, uint32_t index, uint32_t sector,
		       const struct policy_opening *opening)
{
	const struct giver *giver = state_get(state, givers, index);
	day_t noticed = opening->from + (day_t)state->policy.givers.quiet_after;

	return may_be_quiet(giver) && noticed <= state->today && noticed <= opening->to &&
	       sectors_on(state, giver, noticed) & (sectors_t)1 << sector &&
	       is_silent(state, giver, opening->from, noticed);
}

/* The first day of the opening that has lasted long enough for silence to be noticed, or DAY_NONE. */
static day_t listening_since(const struct state *state, uint32_t position)
{
	const struct policy_opening *opening =
		sector_opening_on(policy_sector_at(&state->policy, position), state->today);
	day_t after = (day_t)state->policy.givers.quiet_after;

	return opening && state->today >= opening->from + after ? opening->from : DAY_NONE;
}

sectors_t network_quiet(const struct state *state, uint32_t index)
{
	const struct giver *giver = state_get(state, givers, index);
	sectors_t silent = 0;

	if (!may_be_quiet(giver))
		return 0;
	for (uint32_t i = 0; i < state->policy.sectors.count; i++) {
		day_t since = listening_since(state, i);

		if (since != DAY_NONE && is_silent(state, giver, since, state->today))
			silent |= (sectors_t)1 << i;
	}
	return silent ? silent & network_sectors(state, index) : 0; /* few are: the rest is dear */
}

/* On the day on which the silence of a sector's givers gets remarkable, and on no other. */
static sectors_t listened_today(const struct state *state)
{
	day_t after = (day_t)state->policy.givers.quiet_after;
	sectors_t sectors = 0;

	for (uint32_t i = 0; i < state->policy.sectors.count; i++)
		if (listening_since(state, i) == state->today - after)
			sectors |= (sectors_t)1 << i;
	return sectors;
}

static void nudge(struct state *state, const struct cause *cause)
{
	struct telling telling = {.template = TEMPLATE_QUIET};
	sectors_t sectors = listened_today(state);
	day_t opened = state->today - (day_t)state->policy.givers.quiet_after;

	if (!sectors || state->policy.givers.nudge_quiet != SAID_YES)
		return;
	telling_add_all(&telling, sectors, opened);
	for (uint32_t i = 1; i < state->givers.count; i++) {
		sectors_t quiet = network_quiet(state, i) & sectors;

		if (!quiet || state->givers.items[i].nudged_for == opened)
			continue;
		tell_giver(state, cause, i, &telling, quiet);
		state->givers.items[i].nudged_for = opened;
	}
	free(telling.items);
}

/* --- the night --------------------------------------------------------------------------------------- */

/* A closed sector forgets that its givers were asked to wait: when it opens, its wait is looked at anew. */
static void forget_suspensions(struct state *state)
{
	for (uint32_t i = 0; i < state->policy.sectors.count; i++) {
		struct sector_record *record =
			state_sector(state, policy_sector_at(&state->policy, i)->id);

		if (sector_opening_on(policy_sector_at(&state->policy, i), state->today))
			continue;
		record->is_suspended = false;
		record->weeks = WEEKS_NONE;
	}
}

void network_night(struct state *state, const struct cause *cause)
{
	forget_suspensions(state);
	tell_notices(state, cause);
	nudge(state, cause);
}

static bool is_planned(const struct policy_sector *sector, const struct notice *notice, day_t day)
{
	for (uint32_t i = 0; i < sector->openings.count; i++)
		if (notice_day(notice, list_at(&sector->openings, struct policy_opening, i)) == day)
			return true;
	return false;
}

/* What was told of a day that is given up says nothing about an earlier one that takes its place. */
static void forget_notices(struct state *state)
{
	struct notice notices[NOTICE_COUNT];

	list_notices(&state->policy, notices);
	for (uint32_t i = 0; i < state->policy.sectors.count; i++) {
		const struct policy_sector *sector = policy_sector_at(&state->policy, i);
		struct sector_record *record = state_sector(state, sector->id);

		for (uint32_t which = 0; which < NOTICE_COUNT; which++)
			if (!is_planned(sector, &notices[which], record->told[which]))
				record->told[which] = DAY_NONE;
	}
}

void network_policy_changed(struct state *state, const struct cause *cause)
{
	forget_suspensions(state);
	forget_notices(state);
	tell_notices(state, cause);
}
