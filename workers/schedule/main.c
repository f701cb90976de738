/* vigie-schedule: a worker that makes the plans of visits. Also tells a year's public holidays, as
 * the plans know them. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/config.h"
#include "workers/schedule/plan.h"
#include "workers/worker.h"

enum { EXIT_USAGE = 2, YEAR_MIN = 1900, YEAR_MAX = 2169 };

enum { OPTION_HOLIDAYS = 256, OPTION_ALSACE_MOSELLE };

struct arguments {
	const char *config;
	const char *socket;
	int holidays_year; /* 0: work */
	bool alsace_moselle;
};

static void print_holidays(int year, bool alsace_moselle);
static int work(const struct arguments *arguments);
static const struct argp argp;

int main(int argc, char **argv)
{
	struct arguments arguments = {.config = "/etc/vigie/vigie.conf"};

	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	if (arguments.holidays_year == 0)
		return work(&arguments);

	print_holidays(arguments.holidays_year, arguments.alsace_moselle);
	return EXIT_SUCCESS;
}

/* --- the command line --- */

static const struct argp_option options[] = {
	{"config", 'c', "FILE", 0, "vigie.conf (default /etc/vigie/vigie.conf)", 0},
	{"socket", 'w', "PATH", 0, "the core's socket for workers, instead of a vigie.conf", 0},
	{"holidays", OPTION_HOLIDAYS, "YEAR", 0, "print the public holidays of a year and end", 1},
	{"alsace-moselle", OPTION_ALSACE_MOSELLE, NULL, 0,
	 "with --holidays: those of Moselle, Bas-Rhin and Haut-Rhin", 1},
	{0},
};

static int parse_year(const char *value, struct argp_state *state)
{
	char *end;
	long year = strtol(value, &end, 10);

	if (end == value || *end || year < YEAR_MIN || year > YEAR_MAX)
		argp_error(state, "--holidays: a year from %d to %d is expected", YEAR_MIN,
			   YEAR_MAX);
	return (int)year;
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case 'c':
		arguments->config = value;
		return 0;
	case 'w':
		arguments->socket = value;
		return 0;
	case OPTION_HOLIDAYS:
		arguments->holidays_year = parse_year(value, state);
		return 0;
	case OPTION_ALSACE_MOSELLE:
		arguments->alsace_moselle = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	options, parse_option,
	NULL,    "Makes plans of visits for vigie: takes tasks of the kind \"plan\" from the core.",
	NULL,    NULL,
	NULL};

/* --- holidays --- */

/* One date a line. */
static void print_holidays(int year, bool alsace_moselle)
{
	char text[DAY_TEXT_SIZE];
	day_t end = day_from_ymd(year + 1, 1, 1);

	for (day_t day = day_from_ymd(year, 1, 1); day < end; day++) {
		if (day_is_holiday(day, alsace_moselle))
			puts(day_print(day, text));
	}
}

/* --- plans --- */

static enum err read_request(struct str body, struct arena *arena, struct plan_request *request,
			     struct fault *fault)
{
	struct reader reader = reader_from(body);
	enum err err = codec_walk(body, fault);

	if (err)
		return err;
	return codec_decode(&record_plan_request, &reader, "", 0, arena, request, fault);
}

/* A request that isn't sound will not become so: the core is told never to send it again. */
static void run_task(void *context, const struct worker_task *task, struct worker_answer *answer)
{
	scoped(arena_done) struct arena arena = {0};
	struct plan_request request;
	struct plan_answer plan;
	struct fault fault = {0};

	(void)context;
	if (read_request(task->body, &arena, &request, &fault)) {
		worker_fail(answer, FAILURE_NEVER, "bad_plan_request", "%s: %s", fault.path,
			    fault.text);
		return;
	}
	plan_make(&request, &arena, &plan);
	codec_encode(&record_plan_answer, &plan, 0, 0, &answer->result);
}

static void work_on(const char *socket)
{
	worker_run(&(struct worker_options){
		.socket = socket,
		.name = "schedule",
		.kinds = 1u << (TASK_KIND_PLAN - 1),
		.slots = 1, /* plans are asked for one after the other */
		.in_loop = true,
		.handler = run_task,
	});
}

static int work(const struct arguments *arguments)
{
	scoped(config_free) struct config *config = NULL;
	struct complaints complaints = {0};

	if (arguments->socket) {
		work_on(arguments->socket);
		return EXIT_SUCCESS;
	}
	if (config_load(arguments->config, &config, &complaints)) {
		fprintf(stderr, "%.*s", (int)complaints.text.size, complaints.text.data);
		buf_done(&complaints.text);
		return EXIT_USAGE;
	}
	work_on(config->worker_socket);
	return EXIT_SUCCESS;
}
