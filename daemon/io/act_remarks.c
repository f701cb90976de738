#include "daemon/io/act_remarks.h"

#include <stdarg.h>
#include <stdio.h>

#include "daemon/absence.h"

struct remarking {
	const struct state *state;
	json_t *list;
};

static void remark(const struct remarking *remarking, const char *path, const char *format, ...)
	printf_like(3, 4);

static void remark(const struct remarking *remarking, const char *path, const char *format, ...)
{
	char text[FAULT_TEXT_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	json_array_append_new(remarking->list, json_pack("{s:s, s:s}", "path", path, "text", text));
}

/* --- where a visit was put -------------------------------------------------------------------- */

enum { SATURDAY = 5 };

static const char *part_of_day(uint32_t half)
{
	return half == HALF_AM ? "morning" : "afternoon";
}

static void remark_on_calendar(const struct remarking *remarking, day_t day)
{
	bool alsace_moselle = remarking->state->policy.planning.alsace_moselle == SAID_YES;
	char text[DAY_WORDS_SIZE];

	if (day_weekday(day) >= SATURDAY)
		remark(remarking, "day", "%s is a %s", day_print_words(day, text),
		       day_weekday_name(day));
	if (day_is_holiday(day, alsace_moselle))
		remark(remarking, "day", "%s is a public holiday", day_print_words(day, text));
}

static void remark_on_absence(const struct remarking *remarking, const struct visit *visit,
			      struct str pair)
{
	const struct fact *absence = absence_find(remarking->state, visit->pair, visit->day);
	char from[DAY_WORDS_SIZE], to[DAY_WORDS_SIZE];

	if (absence)
		remark(remarking, "day", "the pair is away on this day: %.*s, from %s to %s",
		       (int)pair.size, pair.data, day_print_words(absence->absence.from, from),
		       day_print_words(absence->absence.to, to));
}

/* Of Saturdays and Sundays the calendar has said enough. */
static void remark_on_half_day(const struct remarking *remarking, const struct visit *visit,
			       struct str id)
{
	const struct policy_pair *pair = policy_find_pair(&remarking->state->policy, id);
	uint32_t bit = 2 * (uint32_t)day_weekday(visit->day) + visit->half - HALF_AM;

	if (pair && day_weekday(visit->day) < SATURDAY && !(pair->half_days >> bit & 1))
		remark(remarking, "half", "%.*s does not work on %s %ss", (int)id.size, id.data,
		       day_weekday_name(visit->day), part_of_day(visit->half));
}

static void remark_on_visit(const struct remarking *remarking, uint64_t number)
{
	const struct visit *visit = &remarking->state->visits.items[number];
	struct str pair = names_get(&remarking->state->names, visit->pair);

	remark_on_absence(remarking, visit, pair);
	remark_on_calendar(remarking, visit->day);
	remark_on_half_day(remarking, visit, pair);
}

/* --- who is away ------------------------------------------------------------------------------ */

/* Would no plan take the visit elsewhere? */
static bool stays_in(const struct state *state, const struct visit *visit,
		     const struct pair_unavailable *absence)
{
	return visit->pair == names_find(&state->names, absence->pair) &&
	       visit->day >= state->today && visit->day >= absence->from &&
	       visit->day <= absence->to && visit_is_left_alone(visit, state->today);
}

static void remark_on_stay(const struct remarking *remarking, uint32_t number)
{
	const struct visit *visit = &remarking->state->visits.items[number];
	bool is_confirmed = visit->state == VISIT_STATE_CONFIRMED;
	char day[DAY_WORDS_SIZE];

	remark(remarking, "pair", "visit %u of case %u is %s %s %s, %s: move it, or cancel it",
	       number, case_resolve(remarking->state, visit->case_number),
	       is_confirmed ? "confirmed for" : "set for", day_weekday_name(visit->day),
	       day_print_words(visit->day, day), part_of_day(visit->half));
}

static void remark_on_stays(const struct remarking *remarking,
			    const struct pair_unavailable *absence)
{
	const struct state *state = remarking->state;
	uint32_t count = 0;

	for (uint32_t i = 1; i < state->active_visits.count; i++) {
		uint32_t number = state->active_visits.items[i];

		if (stays_in(state, &state->visits.items[number], absence) &&
		    count++ < SET_COUNT_MAX)
			remark_on_stay(remarking, number);
	}
	if (count > SET_COUNT_MAX)
		remark(remarking, "pair", "so are %u more visits", count - SET_COUNT_MAX);
}

/* --- what is denied --------------------------------------------------------------------------- */

/* NULL when there is none. */
static const struct case_record *find_case(const struct state *state, uint64_t number)
{
	uint32_t found = number < state->cases.count ? case_resolve(state, (uint32_t)number) : 0;

	return found ? &state->cases.items[found] : NULL;
}

struct act_before act_look(const struct state *state, uint64_t case_number)
{
	const struct case_record *record = find_case(state, case_number);

	return (struct act_before){
		.case_number = case_number,
		.is_eligible = record && record->is_eligible,
		.wants_derogation = record && record->wants_derogation,
	};
}

static void remark_on_denial(const struct remarking *remarking, const struct act_before *before)
{
	const struct case_record *record = find_case(remarking->state, before->case_number);
	unsigned long long number = before->case_number;

	if (!record)
		return;
	if (!record->is_closed_sector)
		remark(remarking, "allow",
		       "the sector of case %llu is open: while it is, the denial changes nothing, "
		       "and the case is visited in its turn; case close ends it",
		       number);
	else if (!before->is_eligible && !before->wants_derogation)
		remark(remarking, "allow",
		       "case %llu was not to be visited before either: for now the denial changes "
		       "nothing",
		       number);
}

/* --- the whole -------------------------------------------------------------------------------- */

json_t *act_remarks(const struct state *state, const struct event *event,
		    const struct act_before *before)
{
	const struct remarking remarking = {state, json_array()};

	switch (event->kind) {
	case EVENT_VISIT_CONFIRMED:
		remark_on_visit(&remarking, event->data.visit_confirmed.visit);
		break;
	case EVENT_VISIT_MOVED:
		remark_on_visit(&remarking, event->data.visit_moved.visit);
		break;
	case EVENT_PAIR_UNAVAILABLE:
		remark_on_stays(&remarking, &event->data.pair_unavailable);
		break;
	case EVENT_DEROGATION_DECIDED:
		if (event->data.derogation_decided.allow == SAID_NO)
			remark_on_denial(&remarking, before);
		break;
	default:
		break;
	}
	return remarking.list;
}
