#include "daemon/io/policies.h"

#include "config/policy_remarks.h"
#include "daemon/policy_fit.h"
#include "daemon/policy_told.h"
#include "daemon/trial.h"
#include "daemon/view_trial.h"
#include "proto/hash.h"

enum err policy_parameter(const json_t *params, struct arena *arena, struct str *bytes,
			  struct fault *fault)
{
	const json_t *text = json_object_get(params, "policy");

	if (json_is_string(text) &&
	    base64_decode((struct str){json_string_value(text), json_string_length(text)}, arena,
			  bytes))
		return ERR_OK;
	return fault_set(fault, ERR_BAD_REQUEST, "policy",
			 "the encoded policy in base64 is expected; vigiectl policy apply, check "
			 "and diff make it from the file");
}

static void add_line(void *context, const char *path, const char *what)
{
	json_array_append_new(context, json_pack("{s:s, s:s}", "path", path, "text", what));
}

json_t *policy_told_remarks(const struct state *state, const struct policy *policy)
{
	json_t *remarks = json_array();

	policy_told(state, policy, add_line, remarks);
	return remarks;
}

/* --- policy.check ----------------------------------------------------------------------------- */

enum err ask_policy_check(struct question *question)
{
	const struct state *state = engine_state(question->core->engine);
	json_t *mistakes = json_array(), *remarks = json_array();
	struct arena arena = {0};
	struct policy policy;
	struct str bytes = {0};

	if (policy_parameter(question->params, &arena, &bytes, &question->fault)) {
		arena_done(&arena);
		json_decref(mistakes);
		json_decref(remarks);
		return question->fault.code;
	}
	if (policy_decode_all(bytes, &arena, &policy, add_line, mistakes)) {
		policy_fit(state, &policy, add_line, mistakes);
		policy_remark(&policy, add_line, remarks);
	}
	question->answer =
		json_pack("{s:I, s:b, s:o, s:o}", "seq", (json_int_t)state->seq, "ok",
			  json_array_size(mistakes) == 0, "mistakes", mistakes, "remarks", remarks);
	arena_done(&arena);
	return ERR_OK;
}

/* --- policy.diff ------------------------------------------------------------------------------ */

/* Refused as policy.apply would refuse it. */
static enum err check_whole(const struct state *state, struct str bytes, struct arena *arena,
			    struct fault *fault)
{
	struct policy policy;
	enum err err = policy_decode(bytes, arena, &policy, fault);

	if (err)
		return err;
	policy_fit(state, &policy, policy_report_first, fault);
	return fault->code;
}

enum err ask_policy_diff(struct question *question)
{
	struct core *core = question->core;
	const struct state *before = engine_state(core->engine);
	struct arena arena = {0};
	struct state after;
	struct str bytes = {0};
	uint64_t limit;

	if (!question_get_limit(question, &limit) ||
	    policy_parameter(question->params, &arena, &bytes, &question->fault) ||
	    check_whole(before, bytes, &arena, &question->fault)) {
		arena_done(&arena);
		return question->fault.code;
	}
	trial_policy(before, bytes, engine_now(core->engine), &after);
	question->answer = view_trial(before, &after, limit);
	json_object_set_new(question->answer, "remarks",
			    policy_told_remarks(before, &after.policy));
	state_done(&after);
	arena_done(&arena);
	return ERR_OK;
}
