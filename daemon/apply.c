#include "daemon/apply.h"

#include "proto/hash.h"

typedef void apply_fn(struct state *state, const struct event *event, const struct cause *cause);

static apply_fn *const handlers[EVENT_KIND_END] = {
#define EVENT(KIND, kind, ...) [EVENT_##KIND] = on_##kind,
#include "proto/events.def"
#undef EVENT
};

/* --- parties ---------------------------------------------------------------------------------- */

static bool hash_is_set(const uint8_t hash[DIGEST_SIZE])
{
	static const uint8_t none[DIGEST_SIZE];

	return memcmp(hash, none, DIGEST_SIZE) != 0;
}

static struct str giver_named(const struct event *event)
{
	switch (event->kind) {
	case EVENT_REFERRAL_RECEIVED:
		return event->data.referral_received.giver;
	case EVENT_GIVER_REGISTERED:
		return event->data.giver_registered.giver;
	case EVENT_GIVER_MOVED:
		return event->data.giver_moved.giver;
	case EVENT_GIVER_LEFT:
		return event->data.giver_left.giver;
	default:
		return (struct str){0};
	}
}

static struct str successor_named(const struct event *event)
{
	if (event->kind == EVENT_GIVER_REGISTERED)
		return event->data.giver_registered.successor;
	if (event->kind == EVENT_GIVER_LEFT)
		return event->data.giver_left.successor;
	return (struct str){0};
}

static void link_found(struct state *state, const struct event *event, uint32_t household)
{
	bool is_joined = event->found.match == MATCH_JOINED;
	struct link link = {
		.a = household,
		.seq = event->seq,
		.kind = is_joined ? LINK_JOINED : LINK_POSSIBLE,
	};

	if (!event->found.other)
		return;
	link.b = party_household(state, event->found.other);
	(void)state_add_link(state, link);
	if (is_joined)
		settle_link(state, link.a, link.b,
			    &(struct cause){.seq = event->seq, .is_silent = true});
}

/* A household, and a number it did not answer to before. */
static void add_household(struct state *state, uint32_t party, const uint8_t hash[DIGEST_SIZE])
{
	if (party == state->parties.count)
		(void)state_add_household(state);
	if (hash_is_set(hash) && !state_find_alias(state, hash))
		(void)state_add_alias(state, hash, party_household(state, party));
}

/* New households and givers get the next numbers, in this order: household, giver, successor. */
static void add_parties(struct state *state, const struct event *event)
{
	const struct resolution *found = &event->found;

	if (found->household)
		add_household(state, found->household, found->subject_hash);
	if (found->giver && found->giver == state->parties.count)
		(void)state_add_giver(state, giver_named(event));
	if (found->successor && found->successor == state->parties.count)
		(void)state_add_giver(state, successor_named(event));
}

/* --- facts ------------------------------------------------------------------------------------ */

/* What a later event would replace: type, source, key fields and, for some, the household. */
bool apply_key(const struct state *state, const struct event *event, uint32_t party,
	       uint64_t key[2])
{
	const struct event_info *info = event_info_find(event->kind);
	uint8_t salt[DIGEST_SIZE];
	struct buf bytes = {0};
	struct str parts[3];

	if (info->key == KEY_UNKEYED)
		return false;
	codec_encode(info->record, &event->data, 0, KEY, &bytes);
	write_uint(&bytes, event->kind);
	write_uint(&bytes, info->key == KEY_KEYED_IN_HOUSEHOLD ? party : 0);
	parts[0] = event->source;
	parts[1] = buf_str(&bytes);
	memcpy(salt, state->salt, sizeof(salt));
	key[0] = hash_short(salt, parts, 2);
	salt[0] ^= 1;
	key[1] = hash_short(salt, parts, 2);
	buf_done(&bytes);
	return true;
}

/* An old fact changes the state and writes to nobody: years of history can be fed. */
static bool is_old(const struct state *state, const struct event *event)
{
	return state->has_policy &&
	       event->accepted - event->time > (ms_t)state->policy.rules.old_fact * MS_DAY;
}

uint32_t apply_fact(struct state *state, const struct event *event, struct fact *fact,
		    uint32_t party)
{
	fact->seq = event->seq;
	fact->kind = (uint8_t)event->kind;
	fact->party = party;
	fact->source = names_add(&state->names, event->source);
	fact->day = time_paris_day(event->time);
	fact->accepted = state->today;
	fact->is_old = is_old(state, event);
	if (fact->is_old)
		import_note(state, event->seq);
	if (!apply_key(state, event, party, fact->key))
		fact->key[0] = fact->key[1] = 0;
	return state_add_fact(state, fact);
}

/* --- time ------------------------------------------------------------------------------------- */

static void set_time(struct state *state, ms_t now)
{
	if (now == state->now)
		return;
	state->now = now;
	state->today = time_paris_day(now);
}

/* Each timer is an occasion of its own: mails of two are never one. */
static void run_timers(struct state *state, ms_t until, const struct cause *cause)
{
	const struct heap_item *first;

	while ((first = heap_first(&state->timers)) && first->at_ms <= until) {
		struct heap_item timer = heap_pop(&state->timers);

		if (timer.at_ms > state->now)
			set_time(state, timer.at_ms);
		state->event_tasks = state->tasks.count;
		on_timer(state, (enum timer_kind)timer.kind, timer.id, cause);
	}
	set_time(state, until);
}

ms_t apply_next_timer(const struct state *state)
{
	const struct heap_item *first = heap_first(&state->timers);

	return first ? first->at_ms : MS_NONE;
}

static void ask_wanted_plan(struct state *state)
{
	if (state->plan_is_wanted)
		plan_ask(state);
	state->plan_is_wanted = false;
}

void apply_time(struct state *state, ms_t until, struct effects *effects)
{
	assert(until >= state->now);
	run_timers(state, until, &(struct cause){.seq = state->seq + 1, .effects = effects});
	ask_wanted_plan(state);
}

void apply(struct state *state, const struct event *event, struct effects *effects)
{
	struct cause passing = {.seq = event->seq, .effects = effects};
	struct cause cause = {
		.seq = event->seq,
		.is_silent = is_old(state, event),
		.effects = effects,
	};

	assert(event->seq == state->seq + 1);
	assert(event->accepted >= state->now);
	state->seq = event->seq;
	if (event->kind == EVENT_JOURNAL_BEGUN)
		set_time(state, event->accepted);
	run_timers(state, event->accepted, &passing);
	state->event_tasks = state->tasks.count;
	if (event_info_find(event->kind)->class != CLASS_SYSTEM)
		state_add_identity(state, event->source, event->id, event->seq);
	add_parties(state, event);
	if (event->found.match == MATCH_JOINED || event->found.match == MATCH_POSSIBLE)
		link_found(state, event, party_household(state, event->found.household));
	handlers[event->kind](state, event, &cause);
	ask_wanted_plan(state);
}
