/* vigie-notify: the worker that writes and sends the mails. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/hash.h"
#include "workers/notify/notify.h"
#include "workers/notify/view.h"

enum { EXIT_WRONG = 1, EXIT_USAGE = 2, SLOTS_DEFAULT = 4, SLOTS_MAX = 32 };

struct arguments {
	const char *config;
	uint32_t slots;
	bool check_only, names_only;
};

static const struct argp_option options[] = {
	{"config", 'c', "FILE", 0, "configuration (default /etc/vigie/vigie.conf)", 0},
	{"check", 'k', NULL, 0, "check configuration and templates, send nothing", 0},
	{"names", 'N', NULL, 0, "tell what templates may name, and end", 0},
	{"slots", 'n', "N", 0, "mails at once (default 4)", 0},
	{0},
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
	struct arguments *arguments = state->input;
	int slots;

	switch (key) {
	case 'c':
		arguments->config = value;
		return 0;
	case 'k':
		arguments->check_only = true;
		return 0;
	case 'N':
		arguments->names_only = true;
		return 0;
	case 'n':
		slots = atoi(value);
		if (slots < 1 || slots > SLOTS_MAX)
			argp_error(state, "--slots: 1 to %d", SLOTS_MAX);
		arguments->slots = slots;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* `config` is set even when something else is wrong, so that it can be freed. */
static enum err open_all(const struct arguments *arguments, struct config **config,
			 struct notify **notify)
{
	struct complaints complaints = {0};
	enum err err = config_load(arguments->config, config, &complaints);

	if (err == ERR_OK)
		err = notify_open(*config, arguments->check_only, notify, &complaints);
	fprintf(stderr, "%.*s", (int)complaints.text.size,
		complaints.text.size ? complaints.text.data : "");
	buf_done(&complaints.text);
	return err;
}

static void work(const struct arguments *arguments, const struct config *config,
		 struct notify *notify)
{
	worker_run(&(struct worker_options){
		.socket = config->worker_socket,
		.name = "notify",
		.kinds = 1u << (TASK_KIND_MAIL - 1),
		.slots = arguments->slots,
		.handler = notify_run,
		.on_idle = notify_idle,
		.context = notify,
	});
}

static int print_names(void)
{
	scoped(buf_done) struct buf text = {0};

	view_print_names(&text);
	return fwrite(text.data, 1, text.size, stdout) == text.size ? EXIT_SUCCESS : EXIT_WRONG;
}

int main(int argc, char **argv)
{
	static const struct argp argp = {
		options, parse_option,
		NULL,    "Takes mails from the core, writes them and sends them.",
		NULL,    NULL,
		NULL};
	struct arguments arguments = {.config = "/etc/vigie/vigie.conf", .slots = SLOTS_DEFAULT};
	scoped(config_free) struct config *config = NULL;
	scoped(notify_close) struct notify *notify = NULL;

	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	if (arguments.names_only)
		return print_names();
	hash_init();
	if (open_all(&arguments, &config, &notify) != ERR_OK)
		return EXIT_WRONG;
	if (!arguments.check_only)
		work(&arguments, config, notify);
	return EXIT_SUCCESS;
}
