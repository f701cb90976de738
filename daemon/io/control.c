#include "daemon/io/control.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/io/acts.h"
#include "daemon/io/advance.h"
#include "daemon/io/history.h"
#include "daemon/io/caution.h"

struct control {
	struct core *core;
	struct dispatch *dispatch;
	struct rpc_server *status, *control;
	struct advance *advance;
	struct jobs *jobs;
};

static void answer(struct control *control, struct rpc_call *call, const struct question_row *row,
		   struct question *question)
{
	if (row->fn(question)) {
		rpc_refuse(&call, &question->fault);
		return;
	}
	if (row->flags & SOCKET_STATUS && strcmp(row->method, "status") == 0)
		json_object_set_new(question->answer, "workers", dispatch_view(control->dispatch));
	rpc_answer(&call, question->answer);
}

/* A question on its way to the child that answers it. */
struct asked {
	const struct question_row *row;
	struct question *question;
};

static enum err answer_in_child(struct job_feed *feed, void *context, json_t **answer,
				struct fault *fault)
{
	struct asked *asked = context;
	enum err err;

	asked->question->feed = feed;
	err = asked->row->fn(asked->question);
	*answer = asked->question->answer;
	*fault = asked->question->fault;
	return err;
}

static void ask(struct control *control, struct rpc_call *call, const struct question_row *row,
		const json_t *params, bool may_tell)
{
	struct question question = {
		.core = control->core,
		.params = params,
		.uid = call->uid,
		.may_tell = may_tell,
	};
	struct asked asked = {row, &question};

	if (rpc_check_params(params, row->params, &question.fault))
		rpc_refuse(&call, &question.fault);
	else if (json_object_get(params, "on"))
		history_ask(control->jobs, &call, row, &question);
	else if (row->flags & IS_LONG)
		jobs_begin(control->jobs, &call, answer_in_child, &asked, row->ended);
	else
		answer(control, call, row, &question);
}

static void refuse_unknown(struct rpc_call *call, const char *text)
{
	struct fault fault = {0};

	(void)fault_set(&fault, ERR_UNSUPPORTED, "method", "%s", text);
	rpc_refuse(&call, &fault);
}

static void on_status_call(void *context, struct rpc_call *call, const char *method,
			   const json_t *params)
{
	const struct question_row *row = questions_find(method);
	struct control *control = context;

	turns_settle(control->core->turns);
	if (!row)
		refuse_unknown(call, "no such method here; orders go to the control socket");
	else if (!(row->flags & SOCKET_STATUS))
		refuse_unknown(call, "this is not for readers: ask the control socket");
	else
		ask(control, call, row, params, false);
}

/* A suspect may come again. */
static void admit(struct control *control, struct rpc_call *call, const json_t *params)
{
	const json_t *source = json_object_get(params, "source");
	const json_t *id = json_object_get(params, "id");
	struct fault fault = {0};
	enum err err = rpc_check_params(params, "source id", &fault);

	if (!err && (!json_is_string(source) || !json_is_string(id)))
		err = fault_set(&fault, ERR_BAD_REQUEST, json_is_string(source) ? "id" : "source",
				"a string is expected: what event.suspects shows");
	if (!err)
		err = caution_admit(
			control->core->caution,
			(struct str){json_string_value(source), json_string_length(source)},
			(struct str){json_string_value(id), json_string_length(id)});
	if (err == ERR_NOT_FOUND)
		(void)fault_set(&fault, err, "id", "no suspect has this source and id");
	if (err == ERR_IO)
		(void)fault_set(&fault, ERR_INTERNAL, "", "it could not be written to disk");
	if (err)
		rpc_refuse(&call, &fault);
	else
		rpc_answer(&call, json_pack("{s:b}", "admitted", true));
}

static void on_control_call(void *context, struct rpc_call *call, const char *method,
			    const json_t *params)
{
	struct control *control = context;
	const struct question_row *row = questions_find(method);

	turns_settle(control->core->turns);
	if (row)
		ask(control, call, row, params, true);
	else if (strcmp(method, "clock.advance") == 0)
		advance_begin(control->advance, &call, params);
	else if (strcmp(method, "event.admit") == 0)
		admit(control, call, params);
	else if (!act_begin(control->core, &call, method, params))
		refuse_unknown(call, "no such method");
}

enum err control_open(struct core *core, struct dispatch *dispatch, struct control **opened)
{
	struct control *control = mem_new(sizeof(*control));
	enum err err;

	control->core = core;
	control->dispatch = dispatch;
	control->advance = advance_new(core);
	control->jobs = jobs_new(core);
	err = rpc_server_open(core->loop, core->config->status_socket, on_status_call, control,
			      &control->status);
	if (!err)
		err = rpc_server_open(core->loop, core->config->control_socket, on_control_call,
				      control, &control->control);
	if (err) {
		control_close(&control);
		return err;
	}
	*opened = control;
	return ERR_OK;
}

void control_close(struct control **control)
{
	struct control *old = *control;

	if (!old)
		return;
	jobs_free(&old->jobs); /* before the servers, through which it answers */
	rpc_server_close(&old->status);
	rpc_server_close(&old->control);
	advance_free(&old->advance);
	free(old);
	*control = NULL;
}

void control_after_turn(struct control *control)
{
	advance_step(control->advance);
}
