#include "daemon/io/control.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/io/acts.h"
#include "daemon/io/advance.h"
#include "daemon/io/questions.h"
#include "daemon/io/verify.h"

struct control {
	struct core *core;
	struct dispatch *dispatch;
	struct rpc_server *status, *control;
	struct advance *advance;
};

static void ask(struct control *control, struct rpc_call *call, const struct question_row *row,
		const json_t *params, bool may_tell)
{
	struct question question = {
		.core = control->core,
		.params = params,
		.uid = call->uid,
		.may_tell = may_tell,
	};

	if (rpc_check_params(params, row->params, &question.fault) || row->fn(&question)) {
		rpc_refuse(&call, &question.fault);
		return;
	}
	if (row->sockets & SOCKET_STATUS && strcmp(row->method, "status") == 0)
		json_object_set_new(question.answer, "workers", dispatch_view(control->dispatch));
	rpc_answer(&call, question.answer);
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
	const struct question_row *row = question_find(method);

	if (!row)
		refuse_unknown(call, "no such method here; orders go to the control socket");
	else if (!(row->sockets & SOCKET_STATUS))
		refuse_unknown(call, "this shows personal data: ask the control socket");
	else
		ask(context, call, row, params, false);
}

/* Reads the journal from its first event into a second state: long, and nothing else is done
 * meanwhile. */
static void verify(struct control *control, struct rpc_call *call, const json_t *params)
{
	struct verification found;
	struct fault fault = {0};
	enum err err;

	if (rpc_check_params(params, "", &fault)) {
		rpc_refuse(&call, &fault);
		return;
	}
	err = verify_journal(control->core, &found);
	if (err) {
		(void)fault_set(&fault, err == ERR_CORRUPT ? ERR_INTERNAL : err, "",
				"the journal does not hold from event %llu on",
				(unsigned long long)found.seq);
		rpc_refuse(&call, &fault);
		return;
	}
	rpc_answer(&call, json_pack("{s:I, s:s, s:b}", "events", (json_int_t)found.seq, "digest",
				    found.digest, "ok", found.is_equal));
}

static void on_control_call(void *context, struct rpc_call *call, const char *method,
			    const json_t *params)
{
	struct control *control = context;
	const struct question_row *row = question_find(method);

	if (row)
		ask(control, call, row, params, true);
	else if (strcmp(method, "clock.advance") == 0)
		advance_begin(control->advance, &call, params);
	else if (strcmp(method, "verify") == 0)
		verify(control, call, params);
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
