/* Questions about tasks: the list, and what a mail says. */
#include "daemon/io/asks.h"

#include "daemon/letter.h"
#include "daemon/view.h"
#include "proto/json.h"

enum err ask_tasks(struct question *question)
{
	const struct state *state = question_state(question);
	uint32_t wanted, kind;
	uint64_t limit;
	json_t *tasks;

	if (!question_get_word(question, "state", &words_task_state, &wanted) ||
	    !question_get_word(question, "kind", &words_task_kind, &kind) ||
	    !question_get_limit(question, &limit))
		return question->fault.code;
	tasks = json_array();
	for (uint32_t i = state->tasks.count; i-- > 1 && json_array_size(tasks) < limit;) {
		const struct task *task = &state->tasks.items[i];

		if ((!wanted || task->state == wanted) && (!kind || task->kind == kind))
			json_array_append_new(tasks, view_task(state, i));
	}
	question->answer = json_pack("{s:I, s:o}", "seq", (json_int_t)state->seq, "tasks", tasks);
	return ERR_OK;
}

/* What a worker would be told of a mail now. It names its reader, as no other list does. */
enum err ask_mail(struct question *question)
{
	const struct state *state = question_state(question);
	scoped(arena_done) struct arena arena = {0};
	struct mail_body body;
	uint64_t number;
	enum err err;

	if (!question_get_number(question, "task", 1, UINT32_MAX, 0, &number))
		return question->fault.code;
	if (!number)
		return question_wrong(question, "task", "missing: the number of a task");
	if (number >= state->tasks.count || state->tasks.items[number].kind != TASK_KIND_MAIL)
		return fault_set(&question->fault, ERR_NOT_FOUND, "task", "%s",
				 number < state->tasks.count ? "this task is no mail"
							     : "no task has this number");
	err = letter_write(question->core->engine, (uint32_t)number, &arena, &body);
	if (err)
		return fault_set(&question->fault, err, "task", "%s",
				 err == ERR_ERASED ? "its reader asked to be forgotten"
						   : "its reader has no address now");
	if (question_log_look(question, "mail.preview", "task", number))
		return question->fault.code;
	question->answer = json_pack("{s:I, s:o}", "seq", (json_int_t)state->seq, "body",
				     record_to_json(&record_mail_body, &body, 0));
	return ERR_OK;
}
