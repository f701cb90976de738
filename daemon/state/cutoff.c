#include "daemon/state/cutoff.h"

const char *const cutoff_rule_names[CUTOFF_RULE_COUNT] = {
	[CUTOFF_NOTICE_1] = "notice_1",           [CUTOFF_NOTICE_2] = "notice_2",
	[CUTOFF_PROTECTED] = "protected",         [CUTOFF_NOTICE_ENDS] = "notice_ends",
	[CUTOFF_REDUCED_POWER] = "reduced_power", [CUTOFF_FSL_PENDING] = "fsl_pending",
	[CUTOFF_FSL_DECIDED] = "fsl_decided",     [CUTOFF_TRUCE] = "truce",
};

/* The facts of one household, seen for one supplier and energy. */
struct view {
	const struct policy *policy;
	const struct standing *facts;
	uint32_t count, supplier, energy;
};

/* The running procedure: its notices, and what they say. */
struct procedure {
	const struct standing *notice_1, *notice_2;
	day_t d0; /* the first of the two that is known */
	bool has_smart_meter;
};

bool energy_is_cuttable(uint32_t energy)
{
	return energy == ENERGY_ELECTRICITY || energy == ENERGY_GAS || energy == ENERGY_HEAT;
}

/* Facts of one day are in the order of their numbers. */
static bool is_after(day_t day, uint64_t seq, day_t other_day, uint64_t other_seq)
{
	return day != other_day ? day > other_day : seq > other_seq;
}

bool supply_is_restored_after(const struct standing *facts, uint32_t count, uint32_t supplier,
			      uint32_t energy, day_t day, uint64_t seq)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct fact *fact = facts[i].fact;

		if (fact->kind == EVENT_SUPPLIER_RESTORED && fact->supply.supplier == supplier &&
		    fact->supply.energy == energy &&
		    is_after(fact->supply.on, facts[i].seq, day, seq))
			return true;
	}
	return false;
}

static bool notice_counts(const struct view *view, const struct standing *standing, uint32_t step)
{
	const struct fact *fact = standing->fact;

	return fact->kind == EVENT_SUPPLIER_NOTICE && fact->notice.step == step &&
	       fact->notice.supplier == view->supplier && fact->notice.energy == view->energy &&
	       !supply_is_restored_after(view->facts, view->count, view->supplier, view->energy,
					 fact->notice.issued_on, standing->seq);
}

static bool notice_is_after(const struct standing *a, const struct standing *b)
{
	return is_after(a->fact->notice.issued_on, a->seq, b->fact->notice.issued_on, b->seq);
}

/* The latest notice of a step that counts and is not older than `since` (NULL: any). */
static const struct standing *latest_notice(const struct view *view, uint32_t step,
					    const struct standing *since)
{
	const struct standing *latest = NULL;

	for (uint32_t i = 0; i < view->count; i++) {
		const struct standing *notice = &view->facts[i];

		if (!notice_counts(view, notice, step) || (since && notice_is_after(since, notice)))
			continue;
		if (!latest || notice_is_after(notice, latest))
			latest = notice;
	}
	return latest;
}

/* What the latest notice of the procedure that states it says of the meter, else no. */
static bool smart_meter(const struct view *view, const struct procedure *procedure)
{
	const struct standing *latest = NULL;

	for (uint32_t i = 0; i < view->count; i++) {
		const struct standing *notice = &view->facts[i];

		if (notice != procedure->notice_1 &&
		    (!notice_counts(view, notice, 2) ||
		     (procedure->notice_1 && notice_is_after(procedure->notice_1, notice))))
			continue;
		if (notice->fact->notice.smart_meter != UNSAID &&
		    (!latest || notice_is_after(notice, latest)))
			latest = notice;
	}
	return latest && latest->fact->notice.smart_meter == SAID_YES;
}

static bool procedure_find(const struct view *view, struct procedure *procedure)
{
	procedure->notice_1 = latest_notice(view, 1, NULL);
	procedure->notice_2 = latest_notice(view, 2, procedure->notice_1);
	if (!procedure->notice_1 && !procedure->notice_2)
		return false;
	procedure->d0 = (procedure->notice_1 ? procedure->notice_1 : procedure->notice_2)
				->fact->notice.issued_on;
	procedure->has_smart_meter = smart_meter(view, procedure);
	return true;
}

/* A decision has effect only when its request is known. */
static const struct standing *find_request(const struct view *view, uint64_t request)
{
	for (uint32_t i = 0; i < view->count; i++)
		if (view->facts[i].fact->kind == EVENT_FSL_REQUEST_FILED &&
		    view->facts[i].fact->request.request == request)
			return &view->facts[i];
	return NULL;
}

static const struct fact *find_decision(const struct view *view, uint64_t request)
{
	for (uint32_t i = 0; i < view->count; i++)
		if (view->facts[i].fact->kind == EVENT_FSL_DECIDED &&
		    view->facts[i].fact->decision.request == request)
			return view->facts[i].fact;
	return NULL;
}

static bool fact_protects(const struct view *view, const struct fact *fact, day_t d0)
{
	if (fact->kind == EVENT_HOUSEHOLD_PROTECTION)
		return fact->protection.energy_voucher == SAID_YES &&
		       fact->protection.valid_from <= d0 && d0 <= fact->protection.valid_to;
	if (fact->kind == EVENT_FSL_DECIDED)
		return (fact->decision.outcome == OUTCOME_GRANTED ||
			fact->decision.outcome == OUTCOME_PARTIAL) &&
		       day_add_months(d0, -12) <= fact->decision.decided_on &&
		       fact->decision.decided_on < d0 && find_request(view, fact->decision.request);
	return false;
}

static bool is_protected(const struct view *view, day_t d0)
{
	for (uint32_t i = 0; i < view->count; i++)
		if (fact_protects(view, view->facts[i].fact, d0))
			return true;
	return false;
}

static void add_step(struct cutoff *cutoff, enum cutoff_rule rule, day_t date)
{
	assert(cutoff->step_count < CUTOFF_STEPS_MAX);
	cutoff->steps[cutoff->step_count++] = (struct cutoff_step){rule, date};
}

/* A rule holds the cutoff back until `date`, if that is later. */
static void hold_until(struct cutoff *cutoff, enum cutoff_rule rule, day_t date)
{
	add_step(cutoff, rule, date);
	if (date > cutoff->earliest)
		cutoff->earliest = date;
}

/* Step 1: what the notices alone allow. */
static void allow_by_notices(const struct policy_law *law, const struct procedure *procedure,
			     uint64_t grace, struct cutoff *cutoff)
{
	const struct standing *first = procedure->notice_1, *second = procedure->notice_2;

	if (first)
		add_step(cutoff, CUTOFF_NOTICE_1, first->fact->notice.issued_on);
	if (second) {
		uint64_t said = second->fact->notice.notice_days;
		uint64_t days = said == NOTICE_DAYS_NONE ? 0 : said;

		add_step(cutoff, CUTOFF_NOTICE_2, second->fact->notice.issued_on);
		cutoff->earliest =
			second->fact->notice.issued_on + (day_t)max_u64(days, law->final_notice);
	} else {
		cutoff->earliest =
			first->fact->notice.issued_on + (day_t)(grace + law->final_notice);
	}
}

/* The day that completes the days at reduced power counted from the day after `start`. */
static day_t complete_reduced_power(const struct policy_law *law, day_t start)
{
	day_t day = start;

	for (uint64_t counted = 0; counted < law->reduced_power && day < DAY_MAX;)
		if (!law_in_truce(law, ++day))
			counted++;
	return day;
}

static day_t earliest_limitation(const struct view *view, day_t d0)
{
	day_t earliest = DAY_NONE;

	for (uint32_t i = 0; i < view->count; i++) {
		const struct fact *fact = view->facts[i].fact;

		if (fact->kind != EVENT_SUPPLIER_LIMITED || fact->supply.on < d0 ||
		    fact->supply.supplier != view->supplier ||
		    fact->supply.energy != view->energy ||
		    supply_is_restored_after(view->facts, view->count, view->supplier, view->energy,
					     fact->supply.on, view->facts[i].seq))
			continue;
		if (earliest == DAY_NONE || fact->supply.on < earliest)
			earliest = fact->supply.on;
	}
	return earliest;
}

/* Step 2: a protected household with a smart meter first lives some time at reduced power. */
static void hold_for_reduced_power(const struct view *view, const struct policy_law *law,
				   const struct procedure *procedure, uint64_t grace,
				   struct cutoff *cutoff)
{
	day_t start = earliest_limitation(view, procedure->d0);

	if (start == DAY_NONE && procedure->notice_1)
		start = procedure->notice_1->fact->notice.issued_on + (day_t)grace;
	if (start != DAY_NONE)
		hold_until(cutoff, CUTOFF_REDUCED_POWER, complete_reduced_power(law, start));
}

static const struct standing *latest_request(const struct view *view)
{
	const struct standing *latest = NULL;

	for (uint32_t i = 0; i < view->count; i++) {
		const struct standing *request = &view->facts[i];

		if (request->fact->kind != EVENT_FSL_REQUEST_FILED ||
		    !(request->fact->request.energies & 1u << (view->energy - 1)))
			continue;
		if (!latest || is_after(request->fact->request.filed_on, request->seq,
					latest->fact->request.filed_on, latest->seq))
			latest = request;
	}
	return latest;
}

/* Step 3: a request for help holds the supplier back. False when granted help spends the notice. */
static bool hold_for_request(const struct view *view, const struct policy_law *law, day_t d0,
			     struct cutoff *cutoff)
{
	const struct standing *latest = latest_request(view);
	const struct fact *decision;
	day_t filed_on;

	if (!latest)
		return true;
	filed_on = latest->fact->request.filed_on;
	if (filed_on < day_add_months(d0, -(int)law->fsl_months))
		return true;

	decision = find_decision(view, latest->fact->request.request);
	if (!decision || decision->decision.outcome == OUTCOME_POSTPONED) {
		hold_until(cutoff, CUTOFF_FSL_PENDING,
			   day_add_months(filed_on, (int)law->fsl_months) +
				   (day_t)law->final_notice);
		return true;
	}
	if (decision->decision.outcome == OUTCOME_GRANTED)
		return decision->decision.decided_on < d0;
	hold_until(cutoff, CUTOFF_FSL_DECIDED,
		   decision->decision.decided_on + (day_t)law->final_notice);
	return true;
}

/* Step 4: never in the winter truce. */
static void hold_for_truce(const struct policy_law *law, struct cutoff *cutoff)
{
	day_t day = cutoff->earliest;

	if (!law_in_truce(law, day))
		return;
	while (law_in_truce(law, day) && day < DAY_MAX)
		day++;
	hold_until(cutoff, CUTOFF_TRUCE, day);
}

void cutoff_compute(const struct policy *policy, const struct standing *facts, uint32_t count,
		    uint32_t supplier, uint32_t energy, struct horizon *horizon,
		    struct cutoff *cutoff)
{
	struct view view = {policy, facts, count, supplier, energy};
	const struct policy_law *law;
	struct procedure procedure;
	uint64_t grace;
	bool protected;

	*cutoff = (struct cutoff){.supplier = supplier, .energy = energy, .earliest = DAY_NONE};
	if (!energy_is_cuttable(energy) || !procedure_find(&view, &procedure))
		return;

	law = policy_law_on(policy, procedure.d0);
	protected = is_protected(&view, procedure.d0);
	grace = protected ? law->grace_protected : law->grace;
	if (protected)
		add_step(cutoff, CUTOFF_PROTECTED, procedure.d0);
	allow_by_notices(law, &procedure, grace, cutoff);
	add_step(cutoff, CUTOFF_NOTICE_ENDS, cutoff->earliest);
	if (energy == ENERGY_ELECTRICITY && protected && procedure.has_smart_meter)
		hold_for_reduced_power(&view, law, &procedure, grace, cutoff);
	if (!hold_for_request(&view, law, procedure.d0, cutoff)) {
		cutoff->earliest = DAY_NONE;
		return;
	}
	hold_for_truce(law, cutoff);
	if (horizon_reached(horizon, cutoff->earliest + (day_t)law->stale + 1))
		cutoff->earliest = DAY_NONE;
}
