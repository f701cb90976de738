#include "daemon/io/acts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/io/act_limits.h"
#include "daemon/io/act_remarks.h"
#include "daemon/io/policies.h"
#include "proto/hash.h"
#include "proto/json.h"

#define CONTROL_SOURCE "urn:vigie:control"

struct act_row {
	const char *method;
	const char *type;
	const char *subject; /* parameter that names the household, NULL: none */
	const char *subject_source;
};

static const struct act_row act_rows[] = {
	{"case.close", "case.closed", "case", "urn:vigie"},
	{"case.derogate", "derogation.decided", "case", "urn:vigie"},
	{"visit.confirm", "visit.confirmed", NULL, NULL},
	{"visit.move", "visit.moved", NULL, NULL},
	{"visit.cancel", "visit.cancelled", NULL, NULL},
	{"visit.record", "visit.recorded", NULL, NULL},
	{"pair.absent", "pair.unavailable", NULL, NULL},
	{"event.retract", "event.retracted", NULL, NULL},
	{"household.erase", "privacy.erase", "case", "urn:vigie"},
};

/* An event on its way: it lives until its verdict. */
struct act {
	struct core *core;
	struct arena arena;
	struct event event;
	struct rpc_call *call;
	const char *subject; /* the parameter that its subject came from, NULL: none */
	struct act_before before;
	json_t *remarks; /* those found before it was carried out, NULL: none */
};

static void act_free(struct act *act)
{
	json_decref(act->remarks);
	arena_done(&act->arena);
	free(act);
}

/* Who gives an order knows its parameters, not the fields of the event that it becomes. */
static void name_parameter(const struct act *act, struct fault *fault)
{
	size_t prefix = strlen("data.");

	if (strncmp(fault->path, "data.", prefix) == 0)
		memmove(fault->path, fault->path + prefix, strlen(fault->path + prefix) + 1);
	else if (act->subject && strcmp(fault->path, "subject") == 0)
		snprintf(fault->path, sizeof(fault->path), "%s", act->subject);
}

static void refuse(struct act *act, const struct fault *fault)
{
	struct fault told = *fault;

	name_parameter(act, &told);
	rpc_refuse(&act->call, &told);
	act_free(act);
}

static json_t *gather_remarks(const struct act *act)
{
	json_t *list = act_remarks(engine_state(act->core->engine), &act->event, &act->before);

	if (act->remarks)
		json_array_extend(list, act->remarks);
	return list;
}

static void on_verdict(void *context, const struct verdict *verdict)
{
	struct act *act = context;

	if (verdict->fault.code) {
		refuse(act, &verdict->fault);
		return;
	}
	rpc_answer(&act->call, json_pack("{s:I, s:s%, s:s%, s:o}", "seq", (json_int_t)verdict->seq,
					 "source", act->event.source.data, act->event.source.size,
					 "id", act->event.id.data, act->event.id.size, "remarks",
					 gather_remarks(act)));
	act_free(act);
}

/* Every order is an event of its own: a number nobody used before. */
static void new_id(char text[2 * 16 + 1])
{
	uint8_t bytes[16];

	random_bytes(bytes, sizeof(bytes));
	hash_hex(bytes, sizeof(bytes), text);
}

static void submit(struct core *core, struct act *act)
{
	engine_submit(core->engine, AUTHORITY_COORDINATOR, &act->event, on_verdict, act);
	turns_wake(core->turns);
}

/* --- acts by table ---------------------------------------------------------------------------- */

static json_t *envelope(const struct core *core, const char *type)
{
	char id[2 * 16 + 1], time[TIME_TEXT_SIZE];
	struct buf name = {0};
	json_t *json;

	new_id(id);
	buf_printf(&name, EVENT_TYPE_PREFIX "%s", type);
	json = json_pack("{s:s, s:s, s:s, s:s%, s:s}", "specversion", "1.0", "source",
			 CONTROL_SOURCE, "id", id, "type", name.data, name.size, "time",
			 time_print(engine_now(core->engine), time));
	buf_done(&name);
	return json;
}

static void set_subject(json_t *event, json_t *data, const struct act_row *row)
{
	const json_t *value = json_object_get(data, row->subject);
	char text[32];

	snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(value));
	json_object_set_new(event, "subject", json_string(text));
	json_object_set_new(event, "subjectsource", json_string(row->subject_source));
	json_object_del(data, row->subject);
}

static void begin_row(struct core *core, struct act *act, const struct act_row *row,
		      const json_t *params)
{
	struct fault fault = {0};
	json_t *event, *data;
	enum err err;

	act->subject = row->subject;
	if (row->subject && !json_is_integer(json_object_get(params, row->subject))) {
		(void)fault_set(&fault, ERR_BAD_REQUEST, row->subject,
				"a whole number is expected: that of a case");
		refuse(act, &fault);
		return;
	}
	if (row->subject)
		act->before = act_look(
			engine_state(core->engine),
			(uint64_t)json_integer_value(json_object_get(params, row->subject)));
	event = envelope(core, row->type);
	data = json_copy((json_t *)params);
	if (row->subject)
		set_subject(event, data, row);
	if (strcmp(row->method, "visit.record") == 0 && !json_object_get(data, "second_visit"))
		json_object_set_new(data, "second_visit", json_false());
	json_object_set_new(event, "data", data);
	err = event_from_json(event, &act->arena, &act->event, &fault);
	json_decref(event);
	if (!err)
		err = act_check(engine_state(core->engine), &act->event, &fault);
	if (err)
		refuse(act, &fault);
	else
		submit(core, act);
}

/* --- acts of their own ------------------------------------------------------------------------ */

static void begin_settle(struct core *core, struct act *act, const json_t *params)
{
	json_int_t household = json_integer_value(json_object_get(params, "household"));
	json_int_t other = json_integer_value(json_object_get(params, "other"));
	json_t *same = json_object_get(params, "same");
	struct fault fault = {0};
	char first[32], second[32];
	json_t *event;
	enum err err;

	act->subject = "household";
	if (rpc_check_params(params, "household other same", &fault)) {
		refuse(act, &fault);
		return;
	}
	if (household <= 0 || other <= 0 || !json_is_boolean(same)) {
		(void)fault_set(&fault, ERR_BAD_REQUEST, "",
				"household, other (numbers) and same (true or false) are expected");
		refuse(act, &fault);
		return;
	}
	snprintf(first, sizeof(first), "%lld", (long long)household);
	snprintf(second, sizeof(second), "%lld", (long long)other);
	event = envelope(core, json_is_true(same) ? "household.same_as" : "household.not_same");
	json_object_set_new(event, "subject", json_string(first));
	json_object_set_new(event, "subjectsource", json_string("urn:vigie:household"));
	json_object_set_new(event, "data",
			    json_pack("{s:{s:s, s:s}}", "other", "source", "urn:vigie:household",
				      "subject", second));
	err = event_from_json(event, &act->arena, &act->event, &fault);
	json_decref(event);
	if (err)
		refuse(act, &fault);
	else
		submit(core, act);
}

static void fill_operator_event(struct core *core, struct act *act, enum event_kind kind)
{
	char id[2 * 16 + 1];

	new_id(id);
	event_clear(&act->event, kind);
	act->event.source = STR(CONTROL_SOURCE);
	act->event.id = arena_copy(&act->arena, str_from(id));
	act->event.time = engine_now(core->engine);
}

static void begin_policy(struct core *core, struct act *act, const json_t *params)
{
	struct fault fault = {0};
	struct policy policy;
	struct str bytes;

	if (rpc_check_params(params, "policy", &fault) ||
	    policy_parameter(params, &act->arena, &bytes, &fault)) {
		refuse(act, &fault);
		return;
	}
	if (!policy_decode(bytes, &act->arena, &policy, &fault))
		act->remarks = policy_told_remarks(engine_state(core->engine), &policy);
	fill_operator_event(core, act, EVENT_POLICY_APPLIED);
	act->event.data.policy_applied.policy = bytes;
	submit(core, act);
}

static void begin_kick(struct core *core, struct act *act, const json_t *params)
{
	const json_t *task = json_object_get(params, "task");
	struct fault fault = {0};

	if (!rpc_check_params(params, "task state", &fault) &&
	    (!json_is_integer(task) || json_integer_value(task) <= 0))
		(void)fault_set(&fault, ERR_BAD_REQUEST, "task",
				"the number of a task is expected, or state: \"buried\" for all of "
				"them");
	if (fault.code) {
		refuse(act, &fault);
		return;
	}
	fill_operator_event(core, act, EVENT_TASK_KICKED);
	act->event.data.task_kicked.task = (uint64_t)json_integer_value(task);
	submit(core, act);
}

/* --- kicking many ----------------------------------------------------------------------------- */

struct kick_all {
	struct rpc_call *call;
	uint32_t left, kicked;
};

struct kick_one {
	struct act act;
	struct kick_all *all;
};

static void on_kicked(void *context, const struct verdict *verdict)
{
	struct kick_one *one = context;
	struct kick_all *all = one->all;

	all->kicked += !verdict->fault.code;
	arena_done(&one->act.arena);
	free(one);
	if (--all->left)
		return;
	rpc_answer(&all->call, json_pack("{s:i}", "kicked", (int)all->kicked));
	free(all);
}

static enum err read_kicked(const json_t *params, uint32_t *state, struct fault *fault)
{
	const char *word = json_string_value(json_object_get(params, "state"));

	if (word && strcmp(word, "buried") == 0)
		*state = TASK_STATE_BURIED;
	else if (word && strcmp(word, "retrying") == 0)
		*state = TASK_STATE_RETRYING;
	else
		return fault_set(fault, ERR_BAD_REQUEST, "state",
				 "only all that are \"buried\" or \"retrying\" can be kicked "
				 "together");
	return rpc_check_params(params, "state", fault);
}

static void kick_all(struct core *core, struct rpc_call **call, const json_t *params)
{
	const struct state *state = engine_state(core->engine);
	struct fault fault = {0};
	struct kick_all *all;
	uint32_t kicked = 0;

	if (read_kicked(params, &kicked, &fault)) {
		rpc_refuse(call, &fault);
		return;
	}
	if (!state->task_states[kicked]) {
		rpc_answer(call, json_pack("{s:i}", "kicked", 0));
		return;
	}
	all = mem_new(sizeof(*all));
	all->call = *call;
	*call = NULL;
	for (uint32_t i = 1; i < state->tasks.count; i++) {
		struct kick_one *one;

		if (state->tasks.items[i].state != kicked)
			continue;
		one = mem_new(sizeof(*one));
		one->all = all;
		all->left++;
		fill_operator_event(core, &one->act, EVENT_TASK_KICKED);
		one->act.event.data.task_kicked.task = i;
		engine_submit(core->engine, AUTHORITY_COORDINATOR, &one->act.event, on_kicked, one);
	}
	turns_wake(core->turns);
}

/* --- the whole -------------------------------------------------------------------------------- */

static const struct act_row *find_row(const char *method)
{
	for (size_t i = 0; i < ARRAY_SIZE(act_rows); i++)
		if (strcmp(act_rows[i].method, method) == 0)
			return &act_rows[i];
	return NULL;
}

bool act_begin(struct core *core, struct rpc_call **call, const char *method, const json_t *params)
{
	const struct act_row *row = find_row(method);
	bool is_kick = strcmp(method, "task.kick") == 0;
	bool is_settle = strcmp(method, "duplicate.settle") == 0;
	bool is_policy = strcmp(method, "policy.apply") == 0;
	struct act *act;

	if (!row && !is_kick && !is_settle && !is_policy)
		return false;
	if (is_kick && json_object_get(params, "state")) {
		kick_all(core, call, params);
		return true;
	}
	act = mem_new(sizeof(*act));
	act->core = core;
	act->call = *call;
	*call = NULL;
	if (row)
		begin_row(core, act, row, params);
	else if (is_settle)
		begin_settle(core, act, params);
	else if (is_policy)
		begin_policy(core, act, params);
	else
		begin_kick(core, act, params);
	return true;
}
