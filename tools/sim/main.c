/* vigie-sim: the state machine on a virtual clock. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/hash.h"
#include "tools/sim/replay.h"

const char *argp_program_version = "vigie-sim 1.0.0";

static const struct argp_option options[] = {
	{"policy", 'p', "FILE", 0, "the department's policy.conf", 0},
	{"events", 'e', "FILE", 0, "CloudEvents, one JSON object a line; - for standard input", 0},
	{"until", 'u', "DATE", 0, "live through the end of this day (YYYY-MM-DD, Paris)", 0},
	{"json", 'j', NULL, 0, "print everything as JSON, not the list for people", 0},
	{0},
};

struct arguments {
	const char *command;
	struct replay_options replay;
};

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case 'p':
		arguments->replay.policy_file = value;
		return 0;
	case 'e':
		arguments->replay.events_file = value;
		return 0;
	case 'u':
		if (!day_parse(str_from(value), &arguments->replay.until))
			argp_error(state, "--until: no such day; YYYY-MM-DD is expected");
		return 0;
	case 'j':
		arguments->replay.is_json = true;
		return 0;
	case ARGP_KEY_ARG:
		if (arguments->command || strcmp(value, "replay") != 0)
			argp_error(state, "the only command is replay");
		arguments->command = value;
		return 0;
	case ARGP_KEY_END:
		if (!arguments->command || !arguments->replay.policy_file ||
		    !arguments->replay.events_file || arguments->replay.until == DAY_NONE)
			argp_error(state, "replay needs --policy, --events and --until");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int main(int argc, char **argv)
{
	static const struct argp argp = {
		options,
		parse,
		"replay",
		"Runs events through vigie's own rules on a virtual clock, and prints what came of "
		"them.\vExit status: 0; 1 when a line was refused (told on standard error, the "
		"rest "
		"is lived all the same); 2 when the command or the policy is wrong.",
		NULL,
		NULL,
		NULL};
	struct arguments arguments = {.replay = {.until = DAY_NONE}};

	argp_err_exit_status = 2;
	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	hash_init();
	return replay_run(&arguments.replay);
}
