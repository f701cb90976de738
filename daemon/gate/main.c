/* vigie-gate: the intake for senders. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/log.h"
#include "daemon/gate/gate.h"

enum { EXIT_REFUSED = 1, EXIT_USAGE = 2 };

struct arguments {
	const char *config;
	bool check;
};

static const struct argp_option options[] = {
	{"config", 'c', "FILE", 0, "read FILE instead of /etc/vigie/vigie.conf", 0},
	{"check", 'C', NULL, 0, "check the configuration and leave", 0},
	{0},
};

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case 'c':
		arguments->config = argument;
		return 0;
	case 'C':
		arguments->check = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_usage(state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse_option,
	.doc = "Takes alert givers' events in over ZeroMQ and hands them to vigied.",
};

static bool read_config(const char *path, struct config **config)
{
	struct complaints complaints = {0};
	enum err err = config_load(path, config, &complaints);

	if (complaints.text.size > 0)
		fwrite(complaints.text.data, 1, complaints.text.size, stderr);
	buf_done(&complaints.text);
	return err == ERR_OK;
}

/* libzmq ends the process when an ipc:// listener runs out of descriptors: take all we may. */
static void raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		log_warn("gate.descriptors", "wanted=%lu", (unsigned long)limit.rlim_max);
}

static void on_stop(void *context)
{
	gate_stop(context);
}

static int run(const struct config *config)
{
	struct gate *gate = NULL;
	struct loop *loop = loop_new();
	enum err err = gate_open(loop, config, &gate);

	if (err == ERR_OK)
		loop_run(loop, on_stop, NULL, gate);
	gate_close(&gate);
	loop_free(&loop);
	if (err == ERR_USAGE)
		return EXIT_USAGE;
	return err == ERR_OK ? EXIT_SUCCESS : EXIT_REFUSED;
}

int main(int argc, char **argv)
{
	struct arguments arguments = {.config = "/etc/vigie/vigie.conf"};
	scoped(config_free) struct config *config = NULL;

	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	if (!read_config(arguments.config, &config))
		return EXIT_USAGE;
	if (arguments.check)
		return EXIT_SUCCESS;
	raise_descriptors();
	return run(config);
}
