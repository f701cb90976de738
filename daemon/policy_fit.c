#include "daemon/policy_fit.h"

#include <stdarg.h>
#include <stdio.h>

struct fitting {
	const struct state *state;
	const struct policy *policy;
	policy_report_fn *report;
	void *context;
};

static void report(const struct fitting *fitting, const char *path, const char *format, ...)
	printf_like(3, 4);

static void report(const struct fitting *fitting, const char *path, const char *format, ...)
{
	char what[FAULT_TEXT_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	fitting->report(fitting->context, path, what);
}

/* --- the department --------------------------------------------------------------------------- */

/* Whoever lives elsewhere has left: another department's policy would close every case. */
static void fit_department(const struct fitting *fitting)
{
	struct str ours = fitting->state->policy.department;

	if (!str_equal(ours, fitting->policy->department))
		report(fitting, "department",
		       "must stay \"%.*s\": the cases are of that department; another one needs a "
		       "state_dir of its own",
		       (int)ours.size, ours.data);
}

/* --- sectors ---------------------------------------------------------------------------------- */

struct sector_use {
	uint32_t cases, open;
};

static void count_uses(const struct state *state, struct sector_use uses[POLICY_SECTORS_MAX + 1])
{
	for (uint32_t i = 1; i < state->cases.count; i++) {
		const struct case_record *record = &state->cases.items[i];

		if (record->is_gone || record->joined)
			continue;
		uses[record->sector].cases++;
		uses[record->sector].open += record->state != CASE_STATE_CLOSED;
	}
}

static void fit_sectors(const struct fitting *fitting)
{
	struct sector_use uses[POLICY_SECTORS_MAX + 1] = {0};
	const struct list *sectors = &fitting->state->policy.sectors;

	count_uses(fitting->state, uses);
	for (uint32_t i = 0; i < sectors->count; i++) {
		struct str id = list_at(sectors, struct policy_sector, i)->id;

		if (uses[i + 1].cases && !policy_find_sector(fitting->policy, id))
			report(fitting, "sectors",
			       "\"%.*s\" is in use (cases: %u, open: %u) and must stay; a sector "
			       "that is over has no communes and no openings to come",
			       (int)id.size, id.data, uses[i + 1].cases, uses[i + 1].open);
	}
}

/* --- pairs ------------------------------------------------------------------------------------ */

/* Visits to come that no plan takes from the pair. */
static uint32_t count_fixed_visits(const struct state *state, uint32_t pair)
{
	uint32_t count = 0;

	for (uint32_t i = 1; i < state->active_visits.count; i++) {
		const struct visit *visit = &state->visits.items[state->active_visits.items[i]];

		count += visit->pair == pair && visit->day >= state->today &&
			 visit_is_left_alone(visit, state->today);
	}
	return count;
}

static void fit_pairs(const struct fitting *fitting)
{
	const struct state *state = fitting->state;
	const struct list *pairs = &state->policy.pairs;

	for (uint32_t i = 0; i < pairs->count; i++) {
		struct str id = list_at(pairs, struct policy_pair, i)->id;
		uint32_t visits = count_fixed_visits(state, names_find(&state->names, id));

		if (visits && !policy_find_pair(fitting->policy, id))
			report(fitting, "pairs",
			       "\"%.*s\" must stay while visits await it (%u): cancel "
			       "them first, or let their days pass",
			       (int)id.size, id.data, visits);
	}
}

void policy_fit(const struct state *state, const struct policy *policy, policy_report_fn *report_fn,
		void *context)
{
	const struct fitting fitting = {state, policy, report_fn, context};

	if (!state->has_policy)
		return;
	fit_department(&fitting);
	fit_sectors(&fitting);
	fit_pairs(&fitting);
}
