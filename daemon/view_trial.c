#include "daemon/view_trial.h"

#include "daemon/view.h"

/* Both lists, and what is counted and told of them. */
struct trial {
	const struct state *before, *after;
	uint64_t limit;
	json_t *cases, *visits;

	uint64_t total; /* of cases that belong among `cases` */
	uint32_t moved, changed, shifted, opened, closed;
	uint32_t eligible, ineligible, deferred, resumed;
	uint32_t entered[TIER_END], left[TIER_END];
	uint32_t visits_cancelled;
	uint32_t mails[TEMPLATE_END];
};

/* --- one case in both ------------------------------------------------------------------------- */

/* NULL while it is not on the list. */
static const struct case_record *listed(const struct state *state, uint32_t number)
{
	return queue_has(&state->queue, number) ? &state->cases.items[number] : NULL;
}

static struct str sector_of(const struct state *state, const struct case_record *record)
{
	if (!record->sector)
		return (struct str){0};
	return list_at(&state->policy.sectors, struct policy_sector, record->sector - 1)->id;
}

/* Does anything but its rank change? */
static bool changes_itself(const struct trial *trial, uint32_t number)
{
	const struct case_record *before = listed(trial->before, number);
	const struct case_record *after = listed(trial->after, number);

	if (!before || !after)
		return before != after;
	return before->tier != after->tier || before->state != after->state ||
	       before->effective_date != after->effective_date ||
	       before->is_eligible != after->is_eligible ||
	       !str_equal(sector_of(trial->before, before), sector_of(trial->after, after));
}

static uint32_t rank_before(const struct trial *trial, uint32_t number)
{
	return queue_rank(&trial->before->queue, number);
}

static uint32_t rank_after(const struct trial *trial, uint32_t number)
{
	return queue_rank(&trial->after->queue, number);
}

/* --- counting --------------------------------------------------------------------------------- */

static void count_tier(struct trial *trial, const struct case_record *before,
		       const struct case_record *after)
{
	if (before && after && before->tier == after->tier)
		return;
	if (before)
		trial->left[before->tier]++;
	if (after)
		trial->entered[after->tier]++;
}

static void count_states(struct trial *trial, const struct case_record *before,
			 const struct case_record *after)
{
	bool was_deferred = before->state == CASE_STATE_DEFERRED;
	bool is_deferred = after->state == CASE_STATE_DEFERRED;

	trial->eligible += !before->is_eligible && after->is_eligible;
	trial->ineligible += before->is_eligible && !after->is_eligible;
	trial->deferred += !was_deferred && is_deferred;
	trial->resumed += was_deferred && !is_deferred;
}

static void count_case(struct trial *trial, uint32_t number)
{
	const struct case_record *before = listed(trial->before, number);
	const struct case_record *after = listed(trial->after, number);
	bool has_moved = before && after && rank_before(trial, number) != rank_after(trial, number);

	if (!before && !after)
		return;
	count_tier(trial, before, after);
	trial->moved += has_moved;
	trial->opened += !before;
	trial->closed += !after;
	if (before && after)
		count_states(trial, before, after);
	if (changes_itself(trial, number))
		trial->changed++;
	else
		trial->shifted += has_moved;
}

static void count_cases(struct trial *trial)
{
	for (uint32_t i = 1; i < trial->after->cases.count; i++)
		count_case(trial, i);
	trial->total = (uint64_t)trial->changed + trial->shifted;
}

/* Mails that the policy would have written at once. */
static void count_mails(struct trial *trial)
{
	for (uint32_t i = trial->before->tasks.count; i < trial->after->tasks.count; i++) {
		const struct task *task = &trial->after->tasks.items[i];

		if (task->kind == TASK_KIND_MAIL)
			trial->mails[task->mail.template]++;
	}
}

static void take_visits(struct trial *trial)
{
	for (uint32_t i = 1; i < trial->before->visits.count; i++) {
		if (!visit_is_active(&trial->before->visits.items[i]) ||
		    visit_is_active(&trial->after->visits.items[i]))
			continue;
		if (trial->visits_cancelled++ < trial->limit)
			json_array_append_new(trial->visits, view_visit(trial->before, i));
	}
}

/* --- reasons ---------------------------------------------------------------------------------- */

/* What is derived for a case that is listed, or nothing. */
static void draw(const struct state *state, uint32_t number, struct arena *arena,
		 struct portrait *portrait)
{
	*portrait = (struct portrait){0};
	if (listed(state, number))
		portrait_make(state, state->cases.items[number].household, arena, portrait);
}

static bool has_reason(const struct rank *rank, const struct reason_given *reason)
{
	for (uint32_t i = 0; i < rank->reason_count; i++)
		if (rank->reasons[i].code == reason->code &&
		    rank->reasons[i].days == reason->days && rank->reasons[i].tier == reason->tier)
			return true;
	return false;
}

/* Those of one that the other has not, or not with as many days. */
static json_t *reasons_beyond(const struct state *state, const struct portrait *of,
			      const struct portrait *other)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < of->rank.reason_count; i++)
		if (!has_reason(&other->rank, &of->rank.reasons[i]))
			json_array_append_new(list,
					      view_told_reason(state, of, &of->rank.reasons[i]));
	return list;
}

/* --- lines ------------------------------------------------------------------------------------ */

static json_t *place(const struct state *state, uint32_t number)
{
	const struct case_record *record = listed(state, number);

	if (!record)
		return json_null();
	return json_pack("{s:i, s:o, s:o, s:o, s:o, s:b}", "rank",
			 (int)queue_rank(&state->queue, number), "state",
			 view_word(&words_case_state, record->state), "sector",
			 view_text(sector_of(state, record)), "tier",
			 view_word(&words_tier, record->tier), "effective_date",
			 view_day(record->effective_date), "eligible", record->is_eligible);
}

/* How many places earlier; negative: later. */
static json_t *places(const struct trial *trial, uint32_t number)
{
	if (!listed(trial->before, number) || !listed(trial->after, number))
		return json_null();
	return json_integer((json_int_t)rank_before(trial, number) -
			    (json_int_t)rank_after(trial, number));
}

static json_t *line(const struct trial *trial, uint32_t number, bool is_shifted)
{
	struct portrait before, after;
	struct arena arena = {0};
	json_t *json;

	draw(trial->before, number, &arena, &before);
	draw(trial->after, number, &arena, &after);
	json = json_pack("{s:i, s:o, s:b, s:o, s:o, s:o, s:o}", "case", (int)number, "places",
			 places(trial, number), "shifted", is_shifted, "before",
			 place(trial->before, number), "after", place(trial->after, number),
			 "gained", reasons_beyond(trial->after, &after, &before), "lost",
			 reasons_beyond(trial->before, &before, &after));
	if (!listed(trial->after, number))
		json_object_set_new(
			json, "closing",
			view_word(&words_closing, trial->after->cases.items[number].closing));
	arena_done(&arena);
	return json;
}

static void add_line(struct trial *trial, uint32_t number, bool is_shifted)
{
	if (json_array_size(trial->cases) < trial->limit)
		json_array_append_new(trial->cases, line(trial, number, is_shifted));
}

static void add_shifted(struct trial *trial, uint32_t number)
{
	if (!changes_itself(trial, number) &&
	    rank_before(trial, number) != rank_after(trial, number))
		add_line(trial, number, true);
}

/* Those that change themselves, in the new order; those that leave the list; then those that only
 * make room. */
static void take_cases(struct trial *trial)
{
	const struct queue *before = &trial->before->queue, *after = &trial->after->queue;

	for (uint32_t rank = 1; rank <= queue_count(after); rank++)
		if (changes_itself(trial, queue_at(after, rank)))
			add_line(trial, queue_at(after, rank), false);
	for (uint32_t rank = 1; rank <= queue_count(before); rank++)
		if (!queue_has(after, queue_at(before, rank)))
			add_line(trial, queue_at(before, rank), false);
	for (uint32_t rank = 1; rank <= queue_count(after); rank++)
		add_shifted(trial, queue_at(after, rank));
}

/* --- the whole -------------------------------------------------------------------------------- */

static json_t *tiers(const struct trial *trial)
{
	json_t *json = json_object();

	for (uint32_t i = 1; i < TIER_END; i++)
		json_object_set_new(json, words_name(&words_tier, i),
				    json_pack("{s:i, s:i}", "entered", (int)trial->entered[i],
					      "left", (int)trial->left[i]));
	return json;
}

static json_t *mails(const struct trial *trial)
{
	json_t *json = json_object();

	for (uint32_t i = 1; i < TEMPLATE_END; i++)
		if (trial->mails[i])
			json_object_set_new(json, words_name(&words_template, i),
					    json_integer(trial->mails[i]));
	return json;
}

static json_t *summary(const struct trial *trial)
{
	return json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:o, s:o}",
			 "open_before", (int)queue_count(&trial->before->queue), "open_after",
			 (int)queue_count(&trial->after->queue), "changed", (int)trial->changed,
			 "shifted", (int)trial->shifted, "moved", (int)trial->moved, "opened",
			 (int)trial->opened, "closed", (int)trial->closed, "eligible",
			 (int)trial->eligible, "ineligible", (int)trial->ineligible, "deferred",
			 (int)trial->deferred, "resumed", (int)trial->resumed, "visits_cancelled",
			 (int)trial->visits_cancelled, "tiers", tiers(trial), "mails",
			 mails(trial));
}

static json_t *changes_of(const struct trial *trial)
{
	if (!trial->before->has_policy)
		return json_array();
	return view_policy_changes(&trial->before->policy, &trial->after->policy);
}

json_t *view_trial(const struct state *before, const struct state *after, uint64_t limit)
{
	struct trial trial = {
		.before = before,
		.after = after,
		.limit = limit,
		.cases = json_array(),
		.visits = json_array(),
	};

	count_cases(&trial);
	count_mails(&trial);
	take_visits(&trial);
	take_cases(&trial);
	return json_pack("{s:I, s:o, s:o, s:o, s:o, s:I, s:o}", "seq", (json_int_t)before->seq,
			 "today", view_day(before->today), "options", changes_of(&trial), "summary",
			 summary(&trial), "visits", trial.visits, "total", (json_int_t)trial.total,
			 "cases", trial.cases);
}
