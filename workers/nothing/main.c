/* vigie-nothing: a worker whose tasks are done as soon as they come. It shows what the queue itself
 * can carry. */
#include <argp.h>
#include <stdlib.h>

#include "workers/worker.h"

struct arguments {
	const char *socket;
	uint32_t slots;
	uint32_t kind;
};

static const struct argp_option options[] = {
	{"socket", 'w', "PATH", 0, "the core's socket for workers", 0},
	{"slots", 'n', "N", 0, "tasks at once (default 64)", 0},
	{"kind", 'k', "KIND", 0, "of tasks it takes (default \"nothing\"); for measuring only", 0},
	{0},
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
	struct arguments *arguments = state->input;
	int slots;

	switch (key) {
	case 'w':
		arguments->socket = value;
		return 0;
	case 'n':
		slots = atoi(value);
		if (slots < 1 || slots > WORKER_SLOTS_MAX)
			argp_error(state, "--slots: 1 to %d", WORKER_SLOTS_MAX);
		arguments->slots = slots;
		return 0;
	case 'k':
		arguments->kind = words_find(&words_task_kind, str_from(value));
		if (!arguments->kind)
			argp_error(state, "--kind: no task has this kind");
		return 0;
	case ARGP_KEY_END:
		if (!arguments->socket)
			argp_error(state, "--socket is missing");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void do_nothing(void *context, const struct worker_task *task, struct worker_answer *answer)
{
	(void)context, (void)task, (void)answer;
}

int main(int argc, char **argv)
{
	static const struct argp argp = {
		options, parse_option,
		NULL,    "Takes tasks of the kind \"nothing\" and does nothing.",
		NULL,    NULL,
		NULL};
	struct arguments arguments = {.slots = 64, .kind = TASK_KIND_NOTHING};

	argp_err_exit_status = 2;
	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	worker_run(&(struct worker_options){
		.socket = arguments.socket,
		.name = "nothing",
		.kinds = 1u << (arguments.kind - 1),
		.slots = arguments.slots,
		.in_loop = true,
		.handler = do_nothing,
	});
	return EXIT_SUCCESS;
}
