#include "daemon/view_network.h"

#include "proto/json.h"

/* --- sectors -------------------------------------------------------------------------------------- */

static uint32_t count_givers(const struct state *state, uint32_t position, bool quiet_only)
{
	uint32_t count = 0;

	for (uint32_t i = 1; i < state->givers.count; i++) {
		sectors_t sectors = quiet_only                    ? network_quiet(state, i)
				    : state->givers.items[i].kind ? network_sectors(state, i)
								  : 0;

		count += (sectors >> position & 1) != 0;
	}
	return count;
}

static json_t *count_states(const struct state *state, uint32_t position)
{
	uint32_t counts[CASE_STATE_END] = {0}, open = queue_count(&state->queue);
	json_t *json = json_object();

	for (uint32_t rank = 1; rank <= open; rank++) {
		const struct case_record *record =
			&state->cases.items[queue_at(&state->queue, rank)];

		counts[record->state] += record->sector == position + 1;
	}
	for (uint32_t i = 1; i < CASE_STATE_CLOSED; i++)
		json_object_set_new(json, words_name(&words_case_state, i),
				    json_integer(counts[i]));
	return json;
}

/* From the first day of an opening to the first referral from the sector; -1: none yet. */
static int days_to_referral(const struct state *state, uint32_t position,
			    const struct policy_opening *opening)
{
	for (uint32_t i = 1; i < state->facts.count; i++) {
		const struct fact *fact = &state->facts.items[i];
		const struct policy_commune *commune;

		if (fact->kind != EVENT_REFERRAL_RECEIVED || fact->is_void || fact->is_replaced ||
		    fact->day < opening->from || fact->day > opening->to)
			continue;
		commune = policy_find_commune(&state->policy, fact->referral.insee);
		if (commune && commune->sector == position)
			return fact->day - opening->from;
	}
	return -1;
}

static void add_opening(const struct state *state, uint32_t position,
			const struct policy_sector *sector, json_t *json)
{
	const struct policy_opening *opening = sector_opening_on(sector, state->today);
	const struct policy_opening *next = sector_opening_after(sector, state->today);
	int days = opening ? days_to_referral(state, position, opening) : -1;

	json_object_set_new(json, "open", json_boolean(opening != NULL));
	json_object_set_new(json, "from", view_day(opening ? opening->from : DAY_NONE));
	json_object_set_new(json, "to", view_day(opening ? opening->to : DAY_NONE));
	json_object_set_new(json, "opens_next", view_day(next ? next->from : DAY_NONE));
	json_object_set_new(json, "days_to_first_referral",
			    days < 0 ? json_null() : json_integer(days));
}

json_t *view_sector_row(const struct state *state, uint32_t position)
{
	const struct policy_sector *sector = policy_sector_at(&state->policy, position);
	const struct sector_record *record = state_find_sector(state, sector->id);
	bool is_forecast = record && record->weeks != WEEKS_NONE;
	json_t *json = json_pack("{s:o, s:o}", "sector", view_text(sector->id), "name",
				 view_text(sector->name));

	add_opening(state, position, sector, json);
	json_object_set_new(json, "wait_weeks",
			    is_forecast ? json_integer(record->weeks) : json_null());
	json_object_set_new(json, "suspended", json_boolean(record && record->is_suspended));
	json_object_set_new(json, "cases", count_states(state, position));
	json_object_set_new(json, "givers", json_integer(count_givers(state, position, false)));
	json_object_set_new(json, "quiet", json_integer(count_givers(state, position, true)));
	return json;
}

/* --- givers --------------------------------------------------------------------------------------- */

bool giver_passes(const struct state *state, uint32_t index, const struct giver_filter *filter)
{
	const struct giver *giver = state_get(state, givers, index);

	return (!filter->sector || network_sectors(state, index) >> (filter->sector - 1) & 1) &&
	       (!filter->kind || giver->kind == filter->kind) &&
	       (!filter->is_quiet || network_quiet(state, index)) &&
	       (!filter->is_unknown || !giver->kind);
}

static json_t *view_sectors(const struct state *state, sectors_t sectors)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < state->policy.sectors.count; i++)
		if (sectors >> i & 1)
			json_array_append_new(list,
					      view_text(policy_sector_at(&state->policy, i)->id));
	return list;
}

/* What a person would call its standing in the network. */
static const char *standing_of(const struct state *state, uint32_t index)
{
	const struct giver *giver = state_get(state, givers, index);

	if (giver->is_erased)
		return "erased";
	if (!giver->kind)
		return "unknown";
	if (giver_has_left(state, giver))
		return "left";
	return network_quiet(state, index) ? "quiet" : "active";
}

static struct str id_of(const struct state *state, uint32_t party)
{
	return names_get(&state->names, state->givers.items[party_giver(state, party)].id);
}

static void add_referrals(const struct state *state, uint32_t index, json_t *json)
{
	struct arena arena = {0};
	uint32_t count, open = 0, visited = 0;
	const struct network_case *cases = network_cases(state, index, &arena, &count);
	uint32_t last = state->givers.items[index].last_referral;

	while (last && (state->facts.items[last].is_void || state->facts.items[last].is_replaced))
		last = state->facts.items[last].referral.previous;
	for (uint32_t i = 0; i < count; i++) {
		const struct case_record *record = &state->cases.items[cases[i].number];

		open += record->state != CASE_STATE_CLOSED;
		visited += case_was_visited(state, record);
	}
	json_object_set_new(json, "cases", json_integer(count));
	json_object_set_new(json, "open_cases", json_integer(open));
	json_object_set_new(json, "visited", json_integer(visited));
	json_object_set_new(json, "last_referral",
			    view_day(last ? state->facts.items[last].day : DAY_NONE));
	arena_done(&arena);
}

json_t *view_giver(const struct state *state, uint32_t index)
{
	const struct giver *giver = state_get(state, givers, index);
	bool is_refused = giver->email_at && giver->refused_at == giver->email_at;
	json_t *json = json_pack(
		"{s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "giver",
		view_text(names_get(&state->names, giver->id)), "standing",
		standing_of(state, index), "kind", view_word(&words_giver_kind, giver->kind),
		"structure", view_text(names_get(&state->names, giver->structure)), "sectors",
		view_sectors(state, network_sectors(state, index)), "left_on",
		view_day(giver->left_on), "successor",
		giver->successor ? view_text(id_of(state, giver->successor)) : json_null(), "pace",
		view_word(&words_pace, giver->pace), "address_refused", is_refused);

	add_referrals(state, index, json);
	return json;
}

static json_t *view_giver_history(struct engine *engine, const struct giver *giver)
{
	const struct state *state = engine_state(engine);
	json_t *list = json_array();
	struct arena arena = {0};

	for (uint32_t at = state->parties.items[giver->party].first_fact; at;
	     at = state->facts.items[at].next) {
		const struct fact *fact = &state->facts.items[at];
		struct event event;

		if (fact->is_void || engine_read(engine, fact->seq, &arena, &event))
			continue;
		json_array_append_new(list,
				      json_pack("{s:I, s:o, s:s, s:b, s:o}", "seq",
						(json_int_t)fact->seq, "day", view_day(fact->day),
						"type", event_info_find(event.kind)->type,
						"replaced", fact->is_replaced, "data",
						record_to_json(event_info_find(event.kind)->record,
							       &event.data, 0)));
	}
	arena_done(&arena);
	return list;
}

static json_t *view_giver_cases(const struct state *state, uint32_t index)
{
	json_t *list = json_array();
	struct arena arena = {0};
	uint32_t count;
	const struct network_case *cases = network_cases(state, index, &arena, &count);

	for (uint32_t i = count; i-- > 0;)
		json_array_append_new(list, view_case(state, cases[i].number, false));
	arena_done(&arena);
	return list;
}

json_t *view_opened_giver(struct engine *engine, uint32_t index)
{
	const struct state *state = engine_state(engine);
	json_t *json = view_giver(state, index);

	json_object_set_new(json, "history",
			    view_giver_history(engine, &state->givers.items[index]));
	json_object_set_new(json, "case_list", view_giver_cases(state, index));
	return json;
}
