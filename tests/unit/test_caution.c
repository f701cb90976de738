/* The core's ends, counted: each life here is a child process that begins to take events and ends as
 * the test wants. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/io/caution.h"
#include "daemon/memory_ports.h"
#include "tests/lib/files.h"

struct run {
	struct memory_ports ports;
	struct loop *loop;
	struct engine *engine;
	struct caution *caution;
};

typedef void run_fn(struct run *run);

static void begin(struct run *run, int64_t calm_after_ms)
{
	struct engine_ports ports = memory_ports_get(&run->ports);

	caution_open(files_folder(), &run->caution);
	ports.caution = caution_port(run->caution);
	run->loop = loop_new();
	run->engine = engine_new(&ports);
	caution_begin(run->caution, run->loop, run->engine, calm_after_ms);
}

static void end(struct run *run)
{
	caution_end(run->caution);
	caution_close(&run->caution);
	engine_free(&run->engine);
	loop_free(&run->loop);
}

/* As a program begins: cmocka catches signals for itself. */
static void begin_process(void)
{
	const int caught[] = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV};
	struct rlimit none = {0, 0};

	for (size_t i = 0; i < ARRAY_SIZE(caught); i++)
		(void)signal(caught[i], SIG_DFL);
	(void)setrlimit(RLIMIT_CORE, &none);
}

/* The signal a life ends by, 0 when it comes to its own end. */
static int live(run_fn *fn, int64_t calm_after_ms)
{
	pid_t child = fork();
	int status;

	if (!child) {
		struct run run = {0};

		begin_process();
		begin(&run, calm_after_ms);
		fn(&run);
		end(&run);
		_exit(EXIT_SUCCESS);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

static void note(struct run *run, const char *id)
{
	struct caution_port port = caution_port(run->caution);

	port.note(port.context, STR("urn:test"), str_from(id));
}

static void end_by_assertion(struct run *run)
{
	(void)run;
	abort();
}

static void end_by_a_bad_address(struct run *run)
{
	(void)run;
	(void)raise(SIGSEGV);
}

/* Deeper than any stack is. */
static uint64_t fill_the_stack(volatile char *before, uint64_t depth)
{
	volatile char more[4096];

	more[0] = *before;
	return depth ? fill_the_stack(more, depth - 1) + more[0] : 0;
}

static void end_by_recursion(struct run *run)
{
	volatile char first = 1;

	(void)run;
	(void)fill_the_stack(&first, UINT64_MAX);
}

static void be_killed(struct run *run)
{
	note(run, "killed");
	(void)raise(SIGKILL);
}

static void end_at_work(struct run *run)
{
	note(run, "fine");
	note(run, "poison");
	abort();
}

static void end_after_work(struct run *run)
{
	struct caution_port port = caution_port(run->caution);

	note(run, "fine");
	port.let_go(port.context);
	abort();
}

static void end_well(struct run *run)
{
	(void)run;
}

static void stop(void *context)
{
	struct run *run = context;

	loop_stop(run->loop);
}

/* Long enough for what is due at once. */
static void live_on(struct run *run)
{
	struct timer *timer = timer_new(run->loop, stop, run);

	timer_set(timer, 0);
	loop_run(run->loop, stop, NULL, run);
	timer_free(&timer);
	abort();
}

/* What the next life finds. */
static uint32_t ends_found(void)
{
	uint32_t head[3]; /* the magic, then the count */
	FILE *file = fopen(files_path("ends"), "r");

	assert_non_null(file);
	assert_int_equal(fread(head, sizeof(head), 1, file), 1);
	fclose(file);
	return head[2];
}

static uint32_t suspects_found(void)
{
	struct caution *caution = NULL;
	uint32_t count;

	caution_open(files_folder(), &caution);
	count = (uint32_t)json_array_size(caution_suspects(caution));
	caution_close(&caution);
	return count;
}

/* Ends of the core's own making are counted, whatever makes them; each still ends it the same way. */
static void test_own_ends_are_counted(void **unused)
{
	(void)unused;
	assert_int_equal(live(end_by_assertion, CALM_AFTER_MS), SIGABRT);
	assert_int_equal(ends_found(), 1);
	assert_int_equal(live(end_by_a_bad_address, CALM_AFTER_MS), SIGSEGV);
	assert_int_equal(ends_found(), 2);
	assert_int_equal(live(end_by_recursion, CALM_AFTER_MS), SIGSEGV);
	assert_int_equal(ends_found(), 3);
}

/* Who is killed says nothing of what he was at. */
static void test_a_kill_is_not_counted(void **unused)
{
	(void)unused;
	assert_int_equal(live(be_killed, CALM_AFTER_MS), SIGKILL);

	assert_int_equal(ends_found(), 0);
	assert_int_equal(live(end_well, CALM_AFTER_MS), 0);
	assert_int_equal(suspects_found(), 0);
}

static void test_a_clean_end_forgets(void **unused)
{
	(void)unused;
	assert_int_equal(live(end_by_assertion, CALM_AFTER_MS), SIGABRT);
	assert_int_equal(live(end_by_assertion, CALM_AFTER_MS), SIGABRT);

	assert_int_equal(live(end_well, CALM_AFTER_MS), 0);

	assert_int_equal(ends_found(), 0);
}

/* A life that was long enough is a new beginning: its own end is the first. */
static void test_a_long_life_forgets(void **unused)
{
	(void)unused;
	assert_int_equal(live(end_by_assertion, CALM_AFTER_MS), SIGABRT);
	assert_int_equal(live(end_by_assertion, CALM_AFTER_MS), SIGABRT);

	assert_int_equal(live(live_on, 0), SIGABRT);

	assert_int_equal(ends_found(), 1);
}

/* The identity at work is given up, also in lives to come, and no other; until it is admitted. */
static void test_what_was_at_work_is_a_suspect(void **unused)
{
	struct caution *caution = NULL;
	struct caution_port port;

	(void)unused;
	assert_int_equal(live(end_at_work, CALM_AFTER_MS), SIGABRT);
	assert_int_equal(live(end_well, CALM_AFTER_MS), 0);
	assert_int_equal(live(end_well, CALM_AFTER_MS), 0);

	caution_open(files_folder(), &caution);
	port = caution_port(caution);
	assert_int_equal(json_array_size(caution_suspects(caution)), 1);
	assert_true(port.is_suspect(port.context, STR("urn:test"), STR("poison")));
	assert_false(port.is_suspect(port.context, STR("urn:test"), STR("fine")));
	assert_false(port.is_suspect(port.context, STR("urn:other"), STR("poison")));
	assert_int_equal(caution_admit(caution, STR("urn:test"), STR("fine")), ERR_NOT_FOUND);
	assert_int_equal(caution_admit(caution, STR("urn:test"), STR("poison")), ERR_OK);
	assert_false(port.is_suspect(port.context, STR("urn:test"), STR("poison")));
	caution_close(&caution);
	assert_int_equal(suspects_found(), 0);
}

/* What was tried and let go is not what ended the core. */
static void test_what_was_let_go_is_not_given_up(void **unused)
{
	(void)unused;
	assert_int_equal(live(end_after_work, CALM_AFTER_MS), SIGABRT);
	assert_int_equal(live(end_well, CALM_AFTER_MS), 0);

	assert_int_equal(suspects_found(), 0);
}

/* Files that were damaged keep nobody from starting. */
static void test_damaged_files_are_taken_for_nothing(void **unused)
{
	(void)unused;
	files_write("ends", "neither long enough nor ours");
	files_write("suspects.json", "[{\"source\":");

	assert_int_equal(live(end_at_work, CALM_AFTER_MS), SIGABRT);

	assert_int_equal(ends_found(), 1);
	assert_int_equal(live(end_well, CALM_AFTER_MS), 0);
	assert_int_equal(suspects_found(), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, files_setup, files_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_own_ends_are_counted),
		TEST(test_a_kill_is_not_counted),
		TEST(test_a_clean_end_forgets),
		TEST(test_a_long_life_forgets),
		TEST(test_what_was_at_work_is_a_suspect),
		TEST(test_what_was_let_go_is_not_given_up),
		TEST(test_damaged_files_are_taken_for_nothing),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
