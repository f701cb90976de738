#include "daemon/check.h"

#include <stdlib.h>

#include "daemon/booking.h"
#include "daemon/policy_fit.h"

struct check {
	const struct checker *checker;
	const struct state *state;
	enum authority authority;
	ms_t now;
	struct event *event;
	struct fault *fault;
	uint32_t next_party; /* the number the next new household or giver will get */
};

/* --- households ------------------------------------------------------------------------------- */

#define URN_CASE      "urn:vigie"
#define URN_HOUSEHOLD "urn:vigie:household"

static bool parse_number(struct str text, uint32_t *number)
{
	uint64_t value = 0;

	if (!text.size || text.size > 10)
		return false;
	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		value = value * 10 + (uint64_t)(text.data[i] - '0');
	}
	*number = (uint32_t)value;
	return value > 0 && value < UINT32_MAX;
}

/* A household named by its case's number, or by its own. 0 when there is none. */
static uint32_t find_by_number(const struct state *state, struct str source, struct str subject)
{
	uint32_t number;

	if (!parse_number(subject, &number))
		return 0;
	if (str_is(source, URN_HOUSEHOLD))
		return number < state->parties.count &&
				       state->parties.items[number].kind == PARTY_HOUSEHOLD
			       ? number
			       : 0;
	number = case_resolve(state, number);
	if (!number)
		return 0;
	return state->households.items[state->cases.items[number].household].party;
}

static bool is_own_number(struct str source)
{
	return str_is(source, URN_CASE) || str_is(source, URN_HOUSEHOLD);
}

/* The party named by a number, 0 when it is new; `hash` is what the state will know it by. */
static uint32_t find_household(const struct check *check, struct str source, struct str subject,
			       uint8_t hash[DIGEST_SIZE])
{
	const struct keys_port *keys = check->checker->keys;
	uint32_t household;

	if (is_own_number(source))
		return find_by_number(check->state, source, subject);
	keys->hash_subject(keys->context, source, subject, hash);
	household = state_find_alias(check->state, hash);
	return household ? check->state->households.items[household].party : 0;
}

static enum err refuse_unknown(const struct check *check, const char *path)
{
	return fault_set(check->fault, ERR_NOT_FOUND, path,
			 "no household is known by this number; send a referral, a request or a "
			 "notice about it first");
}

static bool is_independent(uint32_t likeness)
{
	return (likeness & (likeness - 1)) != 0; /* two bits or more */
}

/* A referral under a number nobody knows, or none: joins whom two likenesses name; one alone is told
 * to the coordinator. */
static void match_person(struct check *check)
{
	struct event *event = check->event;
	const struct keys_port *keys = check->checker->keys;
	struct candidate candidates[CANDIDATES_MAX];
	uint32_t count = keys->match(keys->context, &event->data.referral_received.person,
				     event->data.referral_received.insee, candidates);

	event->found.match = MATCH_NEW;
	for (uint32_t i = 0; i < count; i++) {
		if (candidates[i].number >= check->state->parties.count ||
		    check->state->parties.items[candidates[i].number].is_erased)
			continue;
		event->found.match =
			is_independent(candidates[i].likeness) ? MATCH_JOINED : MATCH_POSSIBLE;
		event->found.other = candidates[i].number;
		return;
	}
}

/* A form sent again without a number is about whom it was about. */
static uint32_t find_by_key(const struct check *check)
{
	uint64_t key[2];
	uint32_t fact;

	if (!apply_key(check->state, check->event, 0, key))
		return 0;
	fact = state_find_key(check->state, key);
	return fact ? check->state->facts.items[fact].party : 0;
}

static enum err resolve_referral(struct check *check)
{
	struct event *event = check->event;

	if (!event->found.household && !event->subject.size)
		event->found.household = find_by_key(check);
	if (event->found.household) {
		event->found.match = MATCH_KNOWN;
		return ERR_OK;
	}
	if (!event->data.referral_received.insee)
		return fault_set(check->fault, ERR_INVALID_EVENT, "data.insee",
				 "missing: a household nobody knows yet needs its commune's INSEE "
				 "code");
	match_person(check);
	event->found.household = check->next_party++;
	return ERR_OK;
}

/* Kinds that make a household known when it was not. */
static bool makes_known(enum event_kind kind)
{
	switch (kind) {
	case EVENT_SUPPLIER_NOTICE:
	case EVENT_SUPPLIER_LIMITED:
	case EVENT_SUPPLIER_CUT:
	case EVENT_SUPPLIER_RESTORED:
	case EVENT_FSL_REQUEST_FILED:
	case EVENT_FSL_DECIDED:
	case EVENT_HOUSEHOLD_PROTECTION:
	case EVENT_HOUSEHOLD_MOVED:
		return true;
	default:
		return false;
	}
}

static enum err resolve_household(struct check *check)
{
	struct event *event = check->event;
	struct resolution *found = &event->found;

	if (event->subject.size)
		found->household = find_household(check, event->subject_source, event->subject,
						  found->subject_hash);
	if (!found->household && is_own_number(event->subject_source))
		return refuse_unknown(check, "subject");
	if (event->kind == EVENT_REFERRAL_RECEIVED)
		return resolve_referral(check);
	if (!event->subject.size)
		return ERR_OK;
	if (!found->household && !makes_known(event->kind))
		return refuse_unknown(check, "subject");
	found->match = found->household ? MATCH_KNOWN : MATCH_NEW;
	if (!found->household)
		found->household = check->next_party++;
	return ERR_OK;
}

static enum err check_household(const struct check *check)
{
	uint32_t party = check->event->found.household;
	uint32_t head;

	if (!party || party >= check->state->parties.count)
		return ERR_OK;
	if (check->state->parties.items[party].is_erased)
		return fault_set(
			check->fault, ERR_ERASED, "subject",
			"this household asked to be forgotten; nothing more is kept of it");
	head = household_head(check->state, party_household(check->state, party));
	if (state_count_facts(check->state, head) >= HOUSEHOLD_FACTS_MAX)
		return fault_set(check->fault, ERR_TOO_LARGE, "subject",
				 "%d facts are kept of this household, the most there may be",
				 HOUSEHOLD_FACTS_MAX);
	return ERR_OK;
}

/* --- givers ----------------------------------------------------------------------------------- */

static uint32_t resolve_giver(struct check *check, struct str id)
{
	uint32_t giver;

	if (!id.size)
		return 0;
	giver = state_find_giver(check->state, id);
	return giver ? check->state->givers.items[giver].party : check->next_party++;
}

/* Directories name a giver as its own successor, and are not wrong enough to be refused: then it is the
 * same new number, and a circle when that giver leaves. */
static void resolve_givers(struct check *check, struct str giver, struct str successor)
{
	struct resolution *found = &check->event->found;

	found->giver = resolve_giver(check, giver);
	found->successor =
		str_equal(giver, successor) ? found->giver : resolve_giver(check, successor);
}

static enum err check_registered(struct check *check)
{
	const struct giver_registered *data = &check->event->data.giver_registered;
	struct resolution *found = &check->event->found;

	if (data->kind != GIVER_KIND_HOUSEHOLD && !data->name.size)
		return fault_set(check->fault, ERR_INVALID_EVENT, "data.name",
				 "missing: only a household may be registered without a name");
	if (data->kind != GIVER_KIND_HOUSEHOLD && !data->email.size)
		return fault_set(check->fault, ERR_INVALID_EVENT, "data.email",
				 "missing: a giver is written to at each step, so an address is "
				 "needed");
	resolve_givers(check, data->giver, data->successor);
	found->has_name = data->name.size > 0;
	found->has_email = data->email.size > 0;
	return ERR_OK;
}

static enum err check_moved_giver(struct check *check)
{
	const struct giver_moved *data = &check->event->data.giver_moved;

	resolve_givers(check, data->giver, (struct str){0});
	check->event->found.has_name = data->name.size > 0;
	check->event->found.has_email = data->email.size > 0;
	return ERR_OK;
}

static enum err check_left(struct check *check)
{
	const struct giver_left *data = &check->event->data.giver_left;

	resolve_givers(check, data->giver, data->successor);
	return ERR_OK;
}

static enum err check_referral(struct check *check)
{
	resolve_givers(check, check->event->data.referral_received.giver, (struct str){0});
	return ERR_OK;
}

/* --- cases ------------------------------------------------------------------------------------ */

static enum err check_open_case(struct check *check)
{
	uint32_t head = household_head(
		check->state, party_household(check->state, check->event->found.household));

	if (!check->state->households.items[head].open_case)
		return fault_set(check->fault, ERR_NOT_FOUND, "subject",
				 "this household has no open case");
	return ERR_OK;
}

static enum err check_derogation(struct check *check)
{
	if (check->state->has_policy && check->state->policy.rules.derogation == DEROGATION_NEVER)
		return fault_set(check->fault, ERR_INVALID_EVENT, "type",
				 "the policy allows no derogation");
	return check_open_case(check);
}

static enum err check_links(struct check *check)
{
	const struct reference *other = check->event->kind == EVENT_HOUSEHOLD_SAME_AS
						? &check->event->data.household_same_as.other
						: &check->event->data.household_not_same.other;
	struct resolution *found = &check->event->found;

	found->other = find_household(check, other->source, other->subject, found->other_hash);
	if (!found->other)
		return refuse_unknown(check, "data.other");
	if (check->state->parties.items[found->other].is_erased)
		return fault_set(check->fault, ERR_ERASED, "data.other",
				 "this household asked to be forgotten");
	if (found->other == found->household)
		return fault_set(check->fault, ERR_INVALID_EVENT, "data.other",
				 "both numbers already name one household");
	return ERR_OK;
}

/* --- visits ----------------------------------------------------------------------------------- */

/* The visit an event speaks of, and with it whose household it is. */
static enum err find_visit(struct check *check, uint64_t number, const struct visit **visit)
{
	const struct state *state = check->state;
	const struct case_record *record;

	if (number >= state->visits.count)
		return fault_set(check->fault, ERR_NOT_FOUND, "data.visit",
				 "no visit has this number");
	*visit = &state->visits.items[number];
	record = &state->cases.items[(*visit)->case_number];
	check->event->found.household = state->households.items[record->household].party;
	return ERR_OK;
}

static enum err refuse_over(const struct check *check, const struct visit *visit)
{
	return fault_set(check->fault, ERR_INVALID_EVENT, "data.visit",
			 "this visit is over (%s); only a planned or confirmed one can change",
			 words_name(&words_visit_state, visit->state));
}

static enum err check_half_day(const struct check *check, uint64_t number, day_t day, uint32_t half)
{
	const struct visit *visit = &check->state->visits.items[number];
	uint32_t booked;

	if (day == DAY_NONE)
		return ERR_OK;
	if (day < check->state->today)
		return fault_set(check->fault, ERR_INVALID_EVENT, "data.day",
				 "this day is past; a visit can be set on today or later");
	booked = booking_find(check->state, visit->pair, day, half, (uint32_t)number);
	if (booked)
		return fault_set(check->fault, ERR_INVALID_EVENT, "data.day",
				 "the pair has visit %u on this half-day; move that one first",
				 booked);
	return ERR_OK;
}

static enum err check_active_visit(struct check *check, uint64_t number, day_t day, uint32_t half)
{
	const struct visit *visit = NULL;
	enum err err = find_visit(check, number, &visit);

	if (err)
		return err;
	if (!visit_is_active(visit))
		return refuse_over(check, visit);
	return check_half_day(check, number, day, half);
}

static enum err check_confirmed(struct check *check)
{
	const struct visit_confirmed *data = &check->event->data.visit_confirmed;

	return check_active_visit(check, data->visit, data->day, data->half);
}

static enum err check_moved(struct check *check)
{
	const struct visit_moved *data = &check->event->data.visit_moved;

	return check_active_visit(check, data->visit, data->day, data->half);
}

static enum err check_cancelled(struct check *check)
{
	return check_active_visit(check, check->event->data.visit_cancelled.visit, DAY_NONE, 0);
}

/* A visit nobody confirmed may still have taken place. */
static enum err check_recorded(struct check *check)
{
	const struct visit *visit = NULL;
	enum err err = find_visit(check, check->event->data.visit_recorded.visit, &visit);

	if (err)
		return err;
	if (!visit_is_active(visit) && visit->state != VISIT_STATE_DROPPED)
		return fault_set(check->fault, ERR_INVALID_EVENT, "data.visit",
				 "this visit is over (%s); to correct a record, retract it first",
				 words_name(&words_visit_state, visit->state));
	return ERR_OK;
}

static enum err check_absence(struct check *check)
{
	const struct state *state = check->state;
	scoped(buf_done) struct buf pairs = {0};

	if (!state->has_policy ||
	    policy_find_pair(&state->policy, check->event->data.pair_unavailable.pair))
		return ERR_OK;
	policy_print_pairs(&state->policy, &pairs);
	return fault_set(check->fault, ERR_NOT_FOUND, "data.pair",
			 "the policy names no such pair; there are: %.*s", (int)pairs.size,
			 pairs.size ? pairs.data : "");
}

/* --- taking back ------------------------------------------------------------------------------ */

static bool is_link(const struct state *state, uint64_t seq)
{
	for (uint32_t i = 1; i < state->links.count; i++)
		if (state->links.items[i].seq == seq)
			return true;
	return false;
}

/* Is the event to be taken back about a household whose key is gone? */
static bool is_forgotten(const struct check *check)
{
	uint32_t party = check_sealing_party(check->state, check->event);

	return party && check->state->parties.items[party].is_erased;
}

static enum err check_retracted(struct check *check)
{
	const struct event_retracted *data = &check->event->data.event_retracted;
	const struct checker *checker = check->checker;

	if (check->authority == AUTHORITY_SENDER && !str_equal(data->source, check->event->source))
		return fault_set(check->fault, ERR_FORBIDDEN, "data.source",
				 "a sender takes back only what came from its own source");
	check->event->found.target = checker->find_event(checker->context, data->source, data->id);
	if (!check->event->found.target)
		return fault_set(check->fault, ERR_NOT_FOUND, "data.id",
				 "no event was taken under this source and id");
	if (!state_find_fact(check->state, check->event->found.target) &&
	    !is_link(check->state, check->event->found.target))
		return fault_set(check->fault, ERR_INVALID_EVENT, "data.id",
				 "this event cannot be taken back; only facts can");
	if (is_forgotten(check))
		return fault_set(check->fault, ERR_ERASED, "data.id",
				 "the household of this event asked to be forgotten");
	return ERR_OK;
}

/* --- policy and tasks ------------------------------------------------------------------------- */

static enum err check_policy(struct check *check)
{
	struct arena arena = {0};
	struct policy policy;
	enum err err = policy_decode(check->event->data.policy_applied.policy, &arena, &policy,
				     check->fault);

	if (!err) {
		policy_fit(check->state, &policy, policy_report_first, check->fault);
		err = check->fault->code;
	}
	arena_done(&arena);
	return err;
}

static enum err check_lease(struct check *check, uint64_t task, uint64_t token)
{
	const struct state *state = check->state;

	if (task >= state->tasks.count)
		return fault_set(check->fault, ERR_NOT_FOUND, "id", "no task has this number");
	if (state->tasks.items[task].state != TASK_STATE_LEASED ||
	    state->tasks.items[task].token != token)
		return fault_set(check->fault, ERR_STALE_LEASE, "token",
				 "this lease has ended; the task is no longer yours");
	return ERR_OK;
}

static enum err check_leased(struct check *check)
{
	uint64_t task = check->event->data.task_leased.task;

	if (task >= check->state->tasks.count ||
	    check->state->tasks.items[task].state != TASK_STATE_READY)
		return fault_set(check->fault, ERR_NOT_FOUND, "id", "this task is not ready");
	return ERR_OK;
}

static enum err check_kicked(struct check *check)
{
	uint64_t task = check->event->data.task_kicked.task;

	if (task >= check->state->tasks.count)
		return fault_set(check->fault, ERR_NOT_FOUND, "task", "no task has this number");
	if (check->state->tasks.items[task].state != TASK_STATE_BURIED &&
	    check->state->tasks.items[task].state != TASK_STATE_RETRYING)
		return fault_set(check->fault, ERR_BAD_REQUEST, "task",
				 "only a buried or retrying task can be kicked");
	return ERR_OK;
}

static enum err check_started(struct check *check)
{
	return check_lease(check, check->event->data.task_started.task,
			   check->event->data.task_started.token);
}

static enum err check_done(struct check *check)
{
	return check_lease(check, check->event->data.task_done.task,
			   check->event->data.task_done.token);
}

static enum err check_failed(struct check *check)
{
	return check_lease(check, check->event->data.task_failed.task,
			   check->event->data.task_failed.token);
}

static enum err check_lost(struct check *check)
{
	return check_lease(check, check->event->data.task_lost.task,
			   check->event->data.task_lost.token);
}

static enum err check_plan(struct check *check)
{
	return check_lease(check, check->event->data.plan_made.task,
			   check->event->data.plan_made.token);
}

/* --- the whole -------------------------------------------------------------------------------- */

typedef enum err check_fn(struct check *check);

static check_fn *const checks[EVENT_KIND_END] = {
	[EVENT_REFERRAL_RECEIVED] = check_referral,
	[EVENT_REFERRAL_WITHDRAWN] = check_open_case,
	[EVENT_GIVER_REGISTERED] = check_registered,
	[EVENT_GIVER_MOVED] = check_moved_giver,
	[EVENT_GIVER_LEFT] = check_left,
	[EVENT_HOUSEHOLD_SAME_AS] = check_links,
	[EVENT_HOUSEHOLD_NOT_SAME] = check_links,
	[EVENT_PAIR_UNAVAILABLE] = check_absence,
	[EVENT_VISIT_CONFIRMED] = check_confirmed,
	[EVENT_VISIT_MOVED] = check_moved,
	[EVENT_VISIT_CANCELLED] = check_cancelled,
	[EVENT_VISIT_RECORDED] = check_recorded,
	[EVENT_DEROGATION_DECIDED] = check_derogation,
	[EVENT_CASE_CLOSED] = check_open_case,
	[EVENT_EVENT_RETRACTED] = check_retracted,
	[EVENT_POLICY_APPLIED] = check_policy,
	[EVENT_TASK_KICKED] = check_kicked,
	[EVENT_TASK_LEASED] = check_leased,
	[EVENT_TASK_STARTED] = check_started,
	[EVENT_TASK_DONE] = check_done,
	[EVENT_TASK_FAILED] = check_failed,
	[EVENT_TASK_LOST] = check_lost,
	[EVENT_PLAN_MADE] = check_plan,
};

static enum err check_authority(const struct check *check)
{
	enum event_class class = event_info_find(check->event->kind)->class;
	bool is_allowed = check->authority == AUTHORITY_SYSTEM || class <= CLASS_COORDINATOR ||
			  (class == CLASS_OPERATOR && check->authority == AUTHORITY_COORDINATOR);

	if (is_allowed)
		return ERR_OK;
	return fault_set(check->fault, ERR_FORBIDDEN, "type",
			 "this type is not taken from senders");
}

static enum err check_time(const struct check *check)
{
	if (check->event->time <= check->now + FUTURE_SKEW_HOURS * MS_HOUR)
		return ERR_OK;
	return fault_set(check->fault, ERR_INVALID_EVENT, "time",
			 "more than %d hours ahead of the core's clock", FUTURE_SKEW_HOURS);
}

enum err check_event(const struct checker *checker, enum authority authority, ms_t now,
		     struct event *event, struct fault *fault)
{
	struct check check = {
		.checker = checker,
		.state = checker->state,
		.authority = authority,
		.now = now,
		.event = event,
		.fault = fault,
		.next_party = checker->state->parties.count,
	};
	enum err err;

	event->found = (struct resolution){0};
	if ((err = check_authority(&check)) || (err = check_time(&check)) ||
	    (err = resolve_household(&check)) || (err = check_household(&check)))
		return err;
	if (checks[event->kind])
		return checks[event->kind](&check);
	return ERR_OK;
}

uint32_t check_sealing_party(const struct state *state, const struct event *event)
{
	uint32_t fact;

	if (event->found.household)
		return event->found.household;
	if (event->found.giver)
		return event->found.giver;
	fact = event->found.target ? state_find_fact(state, event->found.target) : 0;
	return fact ? state->facts.items[fact].party : 0;
}
