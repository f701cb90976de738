#include "daemon/report_parts.h"

#include <stdlib.h>

#include "daemon/past.h"
#include "daemon/network.h"

/* Where something is counted. */
struct place {
	day_t day; /* its year counts */
	uint32_t sector, kind;
};

struct sample {
	struct report_cell *cell;
	enum report_span span;
	day_t days;
};

struct counting {
	const struct state *state;
	struct report *report;
	struct arena arena; /* of one household */
	struct past past;   /* the same */
	ms_t *answers;      /* for each fact: the first mail that answered it, or MS_NONE */
	day_t *firsts;      /* first referral by sector, opening and kind, or DAY_NONE */
	struct sample *samples;
	uint32_t sample_count, sample_capacity;
};

/* --- cells ------------------------------------------------------------------------------------ */

static int year_of(day_t day)
{
	return day_to_ymd(day).year;
}

uint32_t report_cell_count(const struct report *report)
{
	return (report->sector_all + 1) * KINDS;
}

struct report_cell *report_at(const struct report *report, int year, uint32_t sector, uint32_t kind)
{
	struct report_cell *cells = report->years[year - REPORT_YEAR_MIN];

	assert(sector <= report->sector_all);
	assert(kind && kind < REPORT_KIND_END);
	return cells ? &cells[sector * KINDS + kind - 1] : NULL;
}

static struct report_cell *make_cell(struct report *report, int year, uint32_t sector,
				     uint32_t kind)
{
	struct report_cell **cells = &report->years[year - REPORT_YEAR_MIN];

	if (!*cells)
		*cells = mem_new(report_cell_count(report) * sizeof(**cells));
	return report_at(report, year, sector, kind);
}

/* The cell of a place and the three of totals. */
enum { CELLS_OF_PLACE = 4 };

static void find_cells(struct report *report, struct place place,
		       struct report_cell *cells[CELLS_OF_PLACE])
{
	int year = year_of(place.day);

	cells[0] = make_cell(report, year, place.sector, place.kind);
	cells[1] = make_cell(report, year, place.sector, REPORT_KIND_ALL);
	cells[2] = make_cell(report, year, report->sector_all, place.kind);
	cells[3] = make_cell(report, year, report->sector_all, REPORT_KIND_ALL);
}

static void count_one(struct counting *counting, struct place place, uint32_t what)
{
	struct report_cell *cells[CELLS_OF_PLACE];

	find_cells(counting->report, place, cells);
	for (uint32_t i = 0; i < CELLS_OF_PLACE; i++)
		cells[i]->counts[what]++;
}

static void add_sample(struct counting *counting, struct report_cell *cell, enum report_span span,
		       day_t days)
{
	MEM_ROOM(counting->samples, counting->sample_count, counting->sample_capacity);
	counting->samples[counting->sample_count++] =
		(struct sample){cell, span, days > 0 ? days : 0};
}

static void add_span(struct counting *counting, struct place place, enum report_span span,
		     day_t days)
{
	struct report_cell *cells[CELLS_OF_PLACE];

	find_cells(counting->report, place, cells);
	for (uint32_t i = 0; i < CELLS_OF_PLACE; i++)
		add_sample(counting, cells[i], span, days);
}

/* --- where and who ---------------------------------------------------------------------------- */

/* The sector the household lived in on that day; before anybody said, where it lived first known. */
static uint32_t sector_on(const struct counting *counting, day_t day)
{
	const struct policy *policy = &counting->state->policy;
	const struct past *past = &counting->past;
	insee_t insee = season_commune(policy, past->facts, past->fact_count, day);
	const struct policy_sector *sector;

	if (!insee)
		insee = season_commune(policy, past->facts, past->fact_count, DAY_MAX);
	sector = season_sector(policy, insee);
	return sector ? (uint32_t)(sector - policy_sector_at(policy, 0)) + 1 : 0;
}

/* What the giver was on that day; registered later, what it became then. */
static uint32_t kind_on(const struct state *state, uint32_t giver, day_t day)
{
	uint32_t then = 0, later = 0;

	for (uint32_t at = state_get(state, parties, giver)->first_fact; at;
	     at = state->facts.items[at].next) {
		const struct fact *fact = &state->facts.items[at];

		if (fact->is_void || fact->is_replaced || !fact->giver.kind)
			continue;
		if (fact->day <= day)
			then = fact->giver.kind;
		else if (!later)
			later = fact->giver.kind;
	}
	if (!then)
		then = later;
	return then ? then : REPORT_KIND_UNKNOWN;
}

static day_t referral_day(const struct standing *referral)
{
	return referral->day < referral->accepted ? referral->day : referral->accepted;
}

static uint32_t referral_kind(const struct counting *counting, const struct standing *referral)
{
	return kind_on(counting->state, referral->fact->referral.giver, referral_day(referral));
}

/* A stay, its visits and its end belong to the giver of its first referral. */
static uint32_t stay_kind(const struct counting *counting, const struct stay *stay)
{
	if (!stay->referral)
		return REPORT_KIND_UNKNOWN;
	return referral_kind(counting, &counting->past.facts[stay->referral - 1]);
}

static struct place stay_place(const struct counting *counting, const struct stay *stay, day_t day)
{
	return (struct place){day, sector_on(counting, day), stay_kind(counting, stay)};
}

/* --- referrals -------------------------------------------------------------------------------- */

static void note_answer(struct counting *counting, const struct mail *mail, ms_t at)
{
	uint32_t fact = mail->referral ? state_find_fact(counting->state, mail->referral) : 0;
	ms_t *answer = &counting->answers[fact];

	if (fact && (*answer == MS_NONE || at < *answer))
		*answer = at;
}

/* Mails that went to the giver, or to its successor, about a referral, alone or in a digest. */
static void find_answers(struct counting *counting)
{
	const struct state *state = counting->state;

	counting->answers = mem_new(state->facts.count * sizeof(*counting->answers));
	for (uint32_t i = 0; i < state->facts.count; i++)
		counting->answers[i] = MS_NONE;
	for (uint32_t i = 1; i < state->tasks.count; i++) {
		const struct task *task = &state->tasks.items[i];

		if (task->kind != TASK_KIND_MAIL || task->state != TASK_STATE_DONE ||
		    task->mail.to != TO_GIVER)
			continue;
		note_answer(counting, &task->mail, task->due);
		for (uint32_t at = task->mail.parts; at; at = state->parts.items[at].next)
			note_answer(counting, &state->parts.items[at], task->due);
	}
}

/* A correction is not answered again: an answer to any version is one. */
static ms_t find_answer(const struct counting *counting, const struct standing *referral)
{
	ms_t first = MS_NONE;

	for (uint32_t at = referral->index; at; at = counting->state->facts.items[at].replaces) {
		ms_t answer = counting->answers[at];

		if (answer != MS_NONE && (first == MS_NONE || answer < first))
			first = answer;
	}
	return first;
}

static day_t *first_referral(const struct counting *counting, uint32_t sector, uint32_t opening,
			     uint32_t kind)
{
	return &counting->firsts[((sector - 1) * POLICY_OPENINGS_MAX + opening) * KINDS + kind - 1];
}

static void note_first(struct counting *counting, struct place place)
{
	const struct policy_sector *sector;
	const struct policy_opening *opening;
	uint32_t kinds[] = {place.kind, REPORT_KIND_ALL};

	if (!place.sector)
		return;
	sector = policy_sector_at(&counting->state->policy, place.sector - 1);
	opening = sector_opening_on(sector, place.day);
	for (size_t i = 0; opening && i < ARRAY_SIZE(kinds); i++) {
		uint32_t position =
			(uint32_t)(opening - list_at(&sector->openings, struct policy_opening, 0));
		day_t *first = first_referral(counting, place.sector, position, kinds[i]);

		if (*first == DAY_NONE || place.day < *first)
			*first = place.day;
	}
}

static void count_referral(struct counting *counting, const struct standing *referral)
{
	day_t day = referral_day(referral);
	struct place place = {day, sector_on(counting, day), referral_kind(counting, referral)};
	ms_t answer = find_answer(counting, referral);

	count_one(counting, place, REPORT_REFERRALS);
	note_first(counting, place);
	if (answer == MS_NONE)
		return;
	count_one(counting, place, REPORT_ANSWERED);
	add_span(counting, place, REPORT_TO_ANSWER, time_paris_day(answer) - referral->accepted);
}

/* --- visits ----------------------------------------------------------------------------------- */

static uint32_t onward_of(const struct past *past, uint32_t visit)
{
	for (uint32_t i = past->fact_count; i-- > 0;) {
		const struct fact *fact = past->facts[i].fact;

		if (fact->kind == EVENT_VISIT_RECORDED && fact->visit.visit == visit)
			return fact->visit.onward;
	}
	return 0;
}

static void count_done(struct counting *counting, struct place place, const struct stay *stay,
		       uint32_t position)
{
	const struct past *past = &counting->past;
	uint32_t onward = onward_of(past, past->visits[position].number);

	count_one(counting, place, REPORT_VISITS);
	if (stay->visit == position + 1)
		add_span(counting, place, REPORT_TO_VISIT, place.day - stay->first_date);
	else
		count_one(counting, place, REPORT_SECOND_VISITS);
	for (uint32_t word = 1; word < ONWARD_END; word++)
		if (onward & 1u << (word - 1))
			count_one(counting, place, REPORT_ONWARD + word - 1);
}

static void count_visit(struct counting *counting, uint32_t position)
{
	const struct visit *visit = counting->past.visits[position].visit;
	const struct stay *stay = past_stay_of(counting->state, &counting->past, position);

	if (!stay)
		return;
	if (visit->state == VISIT_STATE_DONE)
		count_done(counting, stay_place(counting, stay, visit->day), stay, position);
	else if (visit->state == VISIT_STATE_NO_SHOW)
		count_one(counting, stay_place(counting, stay, visit->day), REPORT_NO_SHOWS);
}

/* --- stays ------------------------------------------------------------------------------------ */

/* Closed behind it while it waited, and not visited before, however late that was recorded. */
static bool is_carried_over(const struct stay *stay)
{
	return stay->carry.closing != DAY_NONE &&
	       (stay->visited_on == DAY_NONE || stay->visited_on > stay->carry.closing);
}

/* Counted in the year in which it was put off, whenever it ended. */
static void count_put_off(struct counting *counting, const struct stay *stay, struct place place)
{
	if (stay->visited_on != DAY_NONE)
		count_one(counting, place, REPORT_VISITED_AFTER_DEFERRAL);
	else if (stay->closed_on != DAY_NONE)
		count_one(counting, place, REPORT_LOST_AFTER_DEFERRAL);
}

static void count_stay(struct counting *counting, const struct stay *stay)
{
	struct place carried = {stay->carry.closing, stay->carry.sector, stay_kind(counting, stay)};
	bool is_deferred = stay->deferred_on != DAY_NONE, is_carried = is_carried_over(stay);
	struct place deferred = stay_place(counting, stay, stay->deferred_on);

	if (is_carried)
		count_one(counting, carried, REPORT_CARRIED_OVER);
	if (is_deferred)
		count_one(counting, deferred, REPORT_DEFERRED);
	if (is_deferred && (!is_carried || deferred.day < carried.day))
		count_put_off(counting, stay, deferred);
	else if (is_carried)
		count_put_off(counting, stay, carried);
	if (stay->closing == CLOSING_WITHDRAWN)
		count_one(counting, stay_place(counting, stay, stay->closed_on), REPORT_WITHDRAWN);
}

static void count_household(struct counting *counting, uint32_t head)
{
	struct past *past = &counting->past;

	arena_reset(&counting->arena);
	past_make(counting->state, head, &counting->arena, past);
	for (uint32_t i = 0; i < past->fact_count; i++)
		if (past->facts[i].fact->kind == EVENT_REFERRAL_RECEIVED && past->joined[i])
			count_referral(counting, &past->facts[i]);
	for (uint32_t i = 0; i < past->visit_count; i++)
		count_visit(counting, i);
	for (uint32_t i = 0; i < past->stay_count; i++)
		count_stay(counting, &past->stays[i]);
}

/* --- openings --------------------------------------------------------------------------------- */

/* By sector it is one span an opening; over all sectors there are several. */
static void count_opening(struct counting *counting, uint32_t sector, uint32_t opening, day_t from)
{
	struct report *report = counting->report;

	for (uint32_t kind = 1; kind < REPORT_KIND_END; kind++) {
		day_t first = *first_referral(counting, sector, opening, kind);
		int year = year_of(from);

		if (first == DAY_NONE)
			continue;
		add_sample(counting, make_cell(report, year, sector, kind), REPORT_TO_REFERRAL,
			   first - from);
		add_sample(counting, make_cell(report, year, report->sector_all, kind),
			   REPORT_TO_REFERRAL, first - from);
	}
}

static void count_openings(struct counting *counting)
{
	const struct policy *policy = &counting->state->policy;

	for (uint32_t i = 0; i < policy->sectors.count; i++) {
		const struct list *openings = &policy_sector_at(policy, i)->openings;

		for (uint32_t k = 0; k < openings->count; k++)
			count_opening(counting, i + 1, k,
				      list_at(openings, struct policy_opening, k)->from);
	}
}

/* --- givers ------------------------------------------------------------------------------------ */

/* The sectors with an opening in that year in which a giver was quiet. */
static sectors_t quiet_in(const struct state *state, uint32_t giver, int year)
{
	sectors_t quiet = 0;

	for (uint32_t i = 0; i < state->policy.sectors.count; i++) {
		const struct list *openings = &policy_sector_at(&state->policy, i)->openings;

		for (uint32_t k = 0; k < openings->count; k++) {
			const struct policy_opening *opening =
				list_at(openings, struct policy_opening, k);

			if (year_of(opening->from) == year &&
			    network_was_quiet(state, giver, i, opening))
				quiet |= (sectors_t)1 << i;
		}
	}
	return quiet;
}

/* Who is quiet in several sectors counts once in their total. */
static void count_quiet(struct counting *counting, uint32_t giver, int year)
{
	struct report *report = counting->report;
	uint32_t party = counting->state->givers.items[giver].party;
	uint32_t kinds[] = {kind_on(counting->state, party, day_from_ymd(year, 12, 31)),
			    REPORT_KIND_ALL};
	sectors_t quiet = quiet_in(counting->state, giver, year);

	for (size_t k = 0; quiet && k < ARRAY_SIZE(kinds); k++) {
		make_cell(report, year, report->sector_all, kinds[k])
			->counts[REPORT_QUIET_GIVERS]++;
		for (uint32_t i = 0; i + 1 < report->sector_all; i++)
			if (quiet & (sectors_t)1 << i)
				make_cell(report, year, i + 1, kinds[k])
					->counts[REPORT_QUIET_GIVERS]++;
	}
}

static int first_opening_year(const struct policy *policy, int year)
{
	for (uint32_t i = 0; i < policy->sectors.count; i++) {
		const struct list *openings = &policy_sector_at(policy, i)->openings;

		day_t first = openings->count ? list_at(openings, struct policy_opening, 0)->from
					      : DAY_MAX;

		if (year_of(first) < year)
			year = year_of(first);
	}
	return year;
}

static void count_all_quiet(struct counting *counting)
{
	const struct state *state = counting->state;
	int this_year = year_of(state->today);

	for (int year = first_opening_year(&state->policy, this_year); year <= this_year; year++)
		for (uint32_t i = 1; i < state->givers.count; i++)
			count_quiet(counting, i, year);
}

/* --- spans ------------------------------------------------------------------------------------ */

static int compare_samples(const void *first, const void *second)
{
	const struct sample *a = first, *b = second;

	if (a->cell != b->cell)
		return (uintptr_t)a->cell < (uintptr_t)b->cell ? -1 : 1;
	if (a->span != b->span)
		return a->span < b->span ? -1 : 1;
	return a->days < b->days ? -1 : a->days > b->days;
}

/* The nearest rank: the smallest that so many in a hundred do not exceed. */
static day_t percentile(const struct sample *samples, uint32_t count, uint32_t percent)
{
	return samples[((uint64_t)count * percent + 99) / 100 - 1].days;
}

static void tell_spans(struct counting *counting)
{
	const struct sample *samples = counting->samples;
	uint32_t end;

	if (counting->sample_count)
		qsort(counting->samples, counting->sample_count, sizeof(*samples), compare_samples);
	for (uint32_t at = 0; at < counting->sample_count; at = end) {
		for (end = at + 1; end < counting->sample_count; end++)
			if (samples[end].cell != samples[at].cell ||
			    samples[end].span != samples[at].span)
				break;
		samples[at].cell->days[samples[at].span] = (struct report_days){
			.count = end - at,
			.median = percentile(&samples[at], end - at, 50),
			.ninety = percentile(&samples[at], end - at, 90),
		};
	}
}

/* --- the whole -------------------------------------------------------------------------------- */

static void count_all(struct counting *counting)
{
	const struct state *state = counting->state;
	uint32_t firsts = state->policy.sectors.count * POLICY_OPENINGS_MAX * KINDS;

	find_answers(counting);
	counting->firsts = mem_new(firsts * sizeof(*counting->firsts));
	for (uint32_t i = 0; i < firsts; i++)
		counting->firsts[i] = DAY_NONE;
	for (uint32_t i = 1; i < state->households.count; i++)
		if (state->households.items[i].head == i)
			count_household(counting, i);
	count_openings(counting);
	count_all_quiet(counting);
	tell_spans(counting);
}

void report_make(const struct state *state, struct report *report)
{
	struct counting counting = {.state = state, .report = report};

	*report = (struct report){
		.policy = &state->policy,
		.sector_all = state->policy.sectors.count + 1,
	};
	if (state->has_policy)
		count_all(&counting);
	free(counting.answers);
	free(counting.firsts);
	free(counting.samples);
	arena_done(&counting.arena);
}

void report_done(struct report *report)
{
	for (size_t i = 0; i < ARRAY_SIZE(report->years); i++)
		free(report->years[i]);
	*report = (struct report){0};
}

uint64_t report_households(const struct report *report, uint32_t sector)
{
	uint64_t households = 0;

	for (uint32_t i = 0; i + 1 < report->sector_all; i++) {
		uint64_t its = policy_sector_at(report->policy, i)->households;

		if ((sector == report->sector_all || sector == i + 1) && its != UINT_NONE)
			households += its;
	}
	return households;
}
