/* vigie-sim: the state machine on a virtual clock. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/output.h"
#include "proto/hash.h"
#include "tools/sim/replay.h"
#include "tools/sim/scenario.h"
#include "tools/sim/scenario_file.h"

const char *argp_program_version = "vigie-sim 1.0.0";

enum { KEY_YEARS = 256, KEY_SEEDS, KEY_FIRST_SEED, KEY_SVG };
enum { YEARS_MAX = 50, SEEDS_MAX = 10000 };

static const struct argp_option options[] = {
	{"policy", 'p', "FILE", 0, "the department's policy.conf; scenario compares up to eight",
	 0},
	{"json", 'j', NULL, 0, "print everything as JSON, not tables for people", 0},
	{NULL, 0, NULL, 0, "replay:", 1},
	{"events", 'e', "FILE", 0, "CloudEvents, one JSON object a line; - for standard input", 1},
	{"until", 'u', "DATE", 0, "live through the end of this day (YYYY-MM-DD, Paris)", 1},
	{NULL, 0, NULL, 0, "scenario:", 2},
	{"years", KEY_YEARS, "N", 0, "live so many years (4)", 2},
	{"seeds", KEY_SEEDS, "N", 0, "so many times, each with other luck (20)", 2},
	{"first-seed", KEY_FIRST_SEED, "N", 0, "the first seed (1); the others follow it", 2},
	{"svg", KEY_SVG, "FILE", 0, "draw the wait through the years", 2},
	{0},
};

enum command { COMMAND_NONE, COMMAND_REPLAY, COMMAND_SCENARIO, COMMAND_SAMPLE };

static const char *const command_words[] = {[COMMAND_REPLAY] = "replay",
					    [COMMAND_SCENARIO] = "scenario",
					    [COMMAND_SAMPLE] = "scenario-sample"};

/* Which commands an option says something to. */
enum { TO_REPLAY = 1 << COMMAND_REPLAY, TO_SCENARIO = 1 << COMMAND_SCENARIO };

static const struct {
	const char *name;
	int key;
	uint32_t commands;
} belongings[] = {
	{"policy", 'p', TO_REPLAY | TO_SCENARIO},
	{"json", 'j', TO_REPLAY | TO_SCENARIO},
	{"events", 'e', TO_REPLAY},
	{"until", 'u', TO_REPLAY},
	{"years", KEY_YEARS, TO_SCENARIO},
	{"seeds", KEY_SEEDS, TO_SCENARIO},
	{"first-seed", KEY_FIRST_SEED, TO_SCENARIO},
	{"svg", KEY_SVG, TO_SCENARIO},
};

struct arguments {
	enum command command;
	bool is_given[ARRAY_SIZE(belongings)];
	struct replay_options replay;
	struct scenario_options scenario;
};

static void take_policy(struct arguments *arguments, const char *value, struct argp_state *state)
{
	struct scenario_options *scenario = &arguments->scenario;

	if (scenario->policy_count == SCENARIO_POLICIES_MAX)
		argp_error(state, "--policy: at most %d", SCENARIO_POLICIES_MAX);
	scenario->policy_files[scenario->policy_count++] = value;
	arguments->replay.policy_file = value;
}

static uint64_t take_number(const char *name, const char *value, uint64_t most,
			    struct argp_state *state)
{
	char *end;
	unsigned long long number;

	errno = 0;
	number = strtoull(value, &end, 10);
	if (errno || *value < '0' || *value > '9' || *end || number < 1 || number > most)
		argp_error(state, "--%s: a whole number from 1 to %llu is expected", name,
			   (unsigned long long)most);
	return number;
}

static void take_word(struct arguments *arguments, const char *word, struct argp_state *state)
{
	if (arguments->command == COMMAND_SCENARIO && !arguments->scenario.file) {
		arguments->scenario.file = word;
		return;
	}
	if (arguments->command)
		argp_error(state, "one argument too many: \"%s\"", word);
	for (enum command command = COMMAND_REPLAY; command <= COMMAND_SAMPLE; command++)
		if (strcmp(command_words[command], word) == 0)
			arguments->command = command;
	if (!arguments->command)
		argp_error(state, "no such command; there are replay, scenario, scenario-sample");
}

static void note_option(struct arguments *arguments, int key)
{
	for (size_t i = 0; i < ARRAY_SIZE(belongings); i++)
		if (belongings[i].key == key)
			arguments->is_given[i] = true;
}

static void check_belonging(const struct arguments *arguments, struct argp_state *state)
{
	for (size_t i = 0; arguments->command && i < ARRAY_SIZE(belongings); i++)
		if (arguments->is_given[i] && !(belongings[i].commands & 1u << arguments->command))
			argp_error(state, "--%s says nothing to %s", belongings[i].name,
				   command_words[arguments->command]);
}

static void check(const struct arguments *arguments, struct argp_state *state)
{
	const struct replay_options *replay = &arguments->replay;

	check_belonging(arguments, state);
	switch (arguments->command) {
	case COMMAND_REPLAY:
		if (!replay->policy_file || !replay->events_file || replay->until == DAY_NONE)
			argp_error(state, "replay needs --policy, --events and --until");
		if (arguments->scenario.policy_count > 1)
			argp_error(state, "replay takes one --policy");
		return;
	case COMMAND_SCENARIO:
		if (!arguments->scenario.policy_count || !arguments->scenario.file)
			argp_error(state, "scenario needs --policy and a scenario FILE");
		return;
	case COMMAND_SAMPLE:
		return;
	default:
		argp_error(state, "a command is expected: replay, scenario or scenario-sample");
	}
}

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	note_option(arguments, key);
	switch (key) {
	case 'p':
		take_policy(arguments, value, state);
		return 0;
	case 'e':
		arguments->replay.events_file = value;
		return 0;
	case 'u':
		if (!day_parse(str_from(value), &arguments->replay.until))
			argp_error(state, "--until: no such day; YYYY-MM-DD is expected");
		return 0;
	case 'j':
		arguments->replay.is_json = arguments->scenario.is_json = true;
		return 0;
	case KEY_YEARS:
		arguments->scenario.years = take_number("years", value, YEARS_MAX, state);
		return 0;
	case KEY_SEEDS:
		arguments->scenario.seeds = take_number("seeds", value, SEEDS_MAX, state);
		return 0;
	case KEY_FIRST_SEED:
		arguments->scenario.first_seed =
			take_number("first-seed", value, UINT32_MAX, state);
		return 0;
	case KEY_SVG:
		arguments->scenario.svg_file = value;
		return 0;
	case ARGP_KEY_ARG:
		take_word(arguments, value, state);
		return 0;
	case ARGP_KEY_END:
		check(arguments, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const char help[] =
	"The rules of vigie on a virtual clock.\v"
	"replay runs events of a file through the rules, and prints what came of them.\n\n"
	"scenario lives years of a scenario file under each policy, on the same arrivals, and "
	"prints "
	"their figures side by side: means over all seeds. docs/scenario.md tells what a scenario "
	"holds and what is simulated; scenario-sample prints every option of such a file.\n\n"
	"Exit status: 0; 1 when replay refused a line (told on standard error, the rest is lived "
	"all "
	"the same); 2 when the command or a file is wrong.";

static int print_sample(void)
{
	scoped(buf_done) struct buf sample = {0};

	scenario_print_sample(&sample);
	fwrite(sample.data, 1, sample.size, stdout);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct argp argp = {
		options, parse, "replay\nscenario FILE\nscenario-sample", help, NULL, NULL, NULL};
	struct arguments arguments = {
		.replay = {.until = DAY_NONE},
		.scenario = {.years = 4, .seeds = 20, .first_seed = 1},
	};

	output_check_at_exit("vigie-sim", 2);
	argp_err_exit_status = 2;
	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	hash_init();
	switch (arguments.command) {
	case COMMAND_REPLAY:
		return replay_run(&arguments.replay);
	case COMMAND_SCENARIO:
		return scenario_run(&arguments.scenario);
	default:
		return print_sample();
	}
}
