/* vigied: the core. Options, wiring, run. */
#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/io/boot.h"
#include "daemon/io/caution.h"
#include "daemon/io/control.h"
#include "daemon/io/intake.h"
#include "daemon/io/journal.h"
#include "daemon/io/keystore.h"
#include "daemon/io/snapshots.h"
#include "daemon/io/verify.h"
#include "proto/hash.h"

const char *argp_program_version = "vigied 1.0.0";

enum { KEYS_FLUSH_MS = 60000, RENEWAL_HOUR = 3 };

enum option_key { OPTION_CHECK = 256, OPTION_VERIFY, OPTION_REHEARSE, OPTION_ACCEPT_CLOCK };

static const struct argp_option options[] = {
	{"config", 'c', "FILE", 0, "vigie.conf (default /etc/vigie/vigie.conf)", 0},
	{"check", OPTION_CHECK, NULL, 0,
	 "read the configuration and the policy, tell every mistake", 0},
	{"verify", OPTION_VERIFY, NULL, 0,
	 "replay the journal from its first event and compare digests", 0},
	{"rehearse", OPTION_REHEARSE, "DATE", 0,
	 "begin a rehearsal: a journal with a calendar of its own that starts on this day", 0},
	{"accept-clock", OPTION_ACCEPT_CLOCK, NULL, 0,
	 "begin although the machine's clock is far ahead of the journal: vigied was off so long",
	 0},
	{0},
};

struct arguments {
	const char *config;
	const char *rehearse;
	bool check, verify, accept_clock;
};

struct daemon {
	struct core core;
	struct dispatch *dispatch;
	struct intake *intake;
	struct control *control;
	struct timer *keys_flush, *drain;
	ms_t renewal_due; /* of the keys; 0: not known to be due */
};

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case 'c':
		arguments->config = value;
		return 0;
	case OPTION_CHECK:
		arguments->check = true;
		return 0;
	case OPTION_VERIFY:
		arguments->verify = true;
		return 0;
	case OPTION_REHEARSE:
		arguments->rehearse = value;
		return 0;
	case OPTION_ACCEPT_CLOCK:
		arguments->accept_clock = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* --- one-shot commands ------------------------------------------------------------------------ */

static int check(const struct config *config)
{
	struct complaints complaints = {0};
	struct arena arena = {0};
	struct policy policy;
	enum err err = policy_read(config->policy_file, &arena, &policy, &complaints);

	fwrite(complaints.text.data, 1, complaints.text.size, stderr);
	if (!err)
		printf("%s and %s: no mistake\n", config->file, config->policy_file);
	buf_done(&complaints.text);
	arena_done(&arena);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int verify(struct core *core)
{
	struct verification found;
	enum err err = verify_journal(core, &found);

	if (err) {
		fprintf(stderr, "vigied: the journal does not hold after event %llu: %s\n",
			(unsigned long long)found.seq, err_meaning(err));
		return EXIT_FAILURE;
	}
	printf("%llu events, digest %s: %s\n", (unsigned long long)found.seq, found.digest,
	       found.is_equal ? "the journal and the state agree"
			      : "the state differs from its journal");
	return found.is_equal ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* --- running ---------------------------------------------------------------------------------- */

/* The next 03:00 in Paris. */
static ms_t next_renewal(ms_t now)
{
	day_t today = time_paris_day(now);
	ms_t at = time_at_paris(today, RENEWAL_HOUR, 0);

	return at > now ? at : time_at_paris(today + 1, RENEWAL_HOUR, 0);
}

/* In the night after an erasure, or as soon as the core is awake again, what is left is written anew under
 * a new key, so that no remnant of a destroyed one can ever be opened. A rehearsal's nights are those of
 * its calendar. */
static void renew_keys(struct daemon *daemon)
{
	struct core *core = &daemon->core;
	ms_t now = engine_now(core->engine);
	enum err err;

	if (!keystore_is_stale(core->keystore))
		return;
	if (!daemon->renewal_due)
		daemon->renewal_due = next_renewal(now);
	if (now < daemon->renewal_due)
		return;
	daemon->renewal_due = 0;
	err = keystore_renew(core->keystore);
	if (!err || err == ERR_IO) /* then again in the next night */
		return;
	fprintf(stderr, "vigied: the new keys could not be put in place of the old ones; the next "
			"start does it\n");
	_Exit(EXIT_FAILURE);
}

static void after_turn(void *context)
{
	struct daemon *daemon = context;

	boot_after_turn(&daemon->core);
	renew_keys(daemon);
	if (daemon->dispatch)
		dispatch_wake(daemon->dispatch);
	if (daemon->control)
		control_after_turn(daemon->control);
}

static void flush_keys(void *context)
{
	struct daemon *daemon = context;

	if (keystore_flush(daemon->core.keystore)) {
		log_error("keys.flush", "seq=%llu",
			  (unsigned long long)engine_state(daemon->core.engine)->seq);
		_Exit(EXIT_FAILURE);
	}
	renew_keys(daemon);
	timer_set(daemon->keys_flush, KEYS_FLUSH_MS);
}

static void stop(void *context)
{
	struct daemon *daemon = context;

	loop_stop(daemon->core.loop);
}

/* Nothing more is taken; what was submitted is made durable and answered, then the loop ends. */
static void drain(void *context)
{
	struct daemon *daemon = context;

	log_info("daemon.draining", "pending=%u", engine_pending(daemon->core.engine));
	daemon->core.is_draining = true;
	turns_flush(daemon->core.turns);
	engine_refuse(daemon->core.engine, ERR_DRAINING, 1000);
	daemon->drain = timer_new(daemon->core.loop, stop, daemon);
	timer_set(daemon->drain, 200); /* answers leave */
}

static enum err open_sockets(struct daemon *daemon)
{
	struct core *core = &daemon->core;
	enum err err;

	if ((err = dispatch_open(core, &daemon->dispatch)) ||
	    (err = intake_open(core, &daemon->intake)) ||
	    (err = control_open(core, daemon->dispatch, &daemon->control)))
		fprintf(stderr,
			"vigied: a socket cannot be opened (%s): is another vigied running, "
			"does the folder exist?\n",
			err_name(err));
	return err;
}

static int serve(struct daemon *daemon)
{
	struct core *core = &daemon->core;

	core->turns =
		turns_new(core->loop, core->engine, journal_fd(core->journal), after_turn, daemon);
	if (open_sockets(daemon))
		return EXIT_FAILURE;
	daemon->keys_flush = timer_new(core->loop, flush_keys, daemon);
	timer_set(daemon->keys_flush, KEYS_FLUSH_MS);
	caution_begin(core->caution, core->loop, core->engine, CALM_AFTER_MS);
	loop_run(core->loop, drain, NULL, daemon);
	turns_settle(core->turns);
	snapshots_write_last(core);

	control_close(&daemon->control);
	intake_close(&daemon->intake);
	dispatch_close(&daemon->dispatch);
	timer_free(&daemon->keys_flush);
	timer_free(&daemon->drain);
	turns_free(&core->turns);
	caution_end(core->caution);
	return EXIT_SUCCESS;
}

/* No core file, no ptrace: keys are in memory. */
static void keep_memory_private(void)
{
	struct rlimit none = {0, 0};

	umask(0077);
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0);
}

/* LMDB maps its files: what the disk cannot give, or lies beyond the end, comes as a signal. */
static void on_bus_error(int number)
{
	static const char told[] = "vigied: a file in state_dir cannot be read: it is damaged, or "
				   "its disk fails; restore journal and keys from one backup\n";

	(void)number;
	(void)!write(STDERR_FILENO, told, sizeof(told) - 1);
	_exit(EXIT_FAILURE);
}

static int run(const struct arguments *arguments, const struct config *config)
{
	struct daemon daemon = {.core = {.config = config}};
	/* no time passes while a journal is verified */
	struct boot boot = {arguments->rehearse, arguments->accept_clock || arguments->verify};
	int status = EXIT_FAILURE;

	daemon.core.loop = loop_new();
	if (!boot_open(&daemon.core, &boot))
		status = arguments->verify ? verify(&daemon.core) : serve(&daemon);
	boot_close(&daemon.core);
	loop_free(&daemon.core.loop);
	return status;
}

/* Pages of garbage can end whoever reads them by any signal: a child reads, and its end is told here. */
static int run_guarded(const struct arguments *arguments, const struct config *config)
{
	pid_t child = fork();
	int status;

	if (!child) {
		(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
		exit(run(arguments, config));
	}
	if (child < 0 || waitpid(child, &status, 0) != child) {
		fprintf(stderr, "vigied: no process could be made to verify the journal: %s\n",
			strerror(errno));
		return EXIT_FAILURE;
	}
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	fprintf(stderr,
		"vigied: whoever read the journal was ended (%s): it or its keys are damaged; "
		"restore both from the same backup\n",
		strsignal(WTERMSIG(status)));
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	static const struct argp argp = {options,
					 parse,
					 NULL,
					 "The core of vigie: keeps every event, decides who is "
					 "visited next, gives tasks to workers.",
					 NULL,
					 NULL,
					 NULL};
	struct arguments arguments = {.config = "/etc/vigie/vigie.conf"};
	struct complaints complaints = {0};
	scoped(config_free) struct config *config = NULL;
	enum err err;

	argp_err_exit_status = 2;
	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	hash_init();
	keep_memory_private();
	(void)signal(SIGBUS, on_bus_error);
	err = config_load(arguments.config, &config, &complaints);
	fwrite(complaints.text.data, 1, complaints.text.size, stderr);
	buf_done(&complaints.text);
	if (err)
		return 2;
	if (arguments.check)
		return check(config);
	return arguments.verify ? run_guarded(&arguments, config) : run(&arguments, config);
}
