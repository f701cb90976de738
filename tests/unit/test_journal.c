#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <lmdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "daemon/io/journal.h"
#include "tests/lib/files.h"

#define SIZE_MAX_TEST (UINT64_C(1) << 30)

static enum err open_it(struct journal **journal, struct fault *fault)
{
	struct journal_options options = {.path = files_path("journal"), .size_max = SIZE_MAX_TEST};

	return journal_open(&options, journal, fault);
}

static struct journal *open_well(void)
{
	struct journal *journal = NULL;
	struct fault fault = {0};

	if (open_it(&journal, &fault) != ERR_OK)
		fail_msg("%s", fault.text);
	return journal;
}

/* An event that says its number, with a length of its own. */
static struct str event_text(uint64_t seq, char text[512])
{
	int size = snprintf(text, 512, "event %llu ", (unsigned long long)seq);

	memset(text + size, 'a' + seq % 26, 300);
	return (struct str){text, size + seq % 300};
}

static void record_add(struct buf *record, struct str event)
{
	const uint8_t length[] = {event.size >> 24, event.size >> 16, event.size >> 8, event.size};

	buf_add(record, length, sizeof(length));
	buf_add_str(record, event);
}

/* Adds one turn after the last; now here, now in the journal's thread: nobody can tell afterwards. */
static enum err append_turn(struct journal *journal, uint32_t count)
{
	scoped(buf_done) struct buf record = {0};
	uint64_t first = journal_last_seq(journal) + 1;
	char text[512];

	for (uint32_t i = 0; i < count; i++)
		record_add(&record, event_text(first + i, text));
	if (first % 2)
		return journal_append(journal, first, count, buf_str(&record));
	journal_begin(journal, first, count, buf_str(&record));
	assert_int_equal(journal_last_seq(journal), first - 1);
	return journal_settle(journal);
}

struct seen {
	uint64_t next;
	uint32_t turns;
	enum err answer;
};

static enum err see_turn(void *context, uint64_t first, uint32_t count, struct str record)
{
	struct seen *seen = context;
	struct str event;
	char text[512];

	if (seen->next)
		assert_int_equal(first, seen->next);
	for (uint32_t i = 0; i < count; i++) {
		assert_true(journal_next_event(&record, &event));
		assert_true(str_equal(event, event_text(first + i, text)));
	}
	assert_int_equal(record.size, 0);
	seen->next = first + count;
	seen->turns++;
	return seen->answer;
}

/* A new journal is empty, and for its owner only. */
static void test_new_journal_is_empty_and_private(void **unused)
{
	scoped(journal_close) struct journal *journal = open_well();
	struct str event;
	struct stat status;

	(void)unused;
	assert_int_equal(journal_last_seq(journal), 0);
	assert_int_equal(journal_read(journal, 1, &event), ERR_NOT_FOUND);
	assert_int_equal(journal_read(journal, 0, &event), ERR_NOT_FOUND);
	assert_int_equal(stat(files_path("journal"), &status), 0);
	assert_int_equal(status.st_mode & 07777, 0700);
	assert_int_equal(stat(files_path("journal/data.mdb"), &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	assert_int_equal(access(files_path("journal.new"), F_OK), -1);
}

/* What was appended is read back, by number and in order, also after it is opened again. */
static void test_turns_are_read_back(void **unused)
{
	scoped(journal_close) struct journal *journal = open_well();
	struct seen seen = {0};
	uint64_t stopped;

	(void)unused;
	for (uint32_t count = 1; count <= 40; count++)
		assert_int_equal(append_turn(journal, count), ERR_OK);
	journal_close(&journal);
	journal = open_well();

	assert_int_equal(journal_last_seq(journal), 820);
	for (uint64_t seq = 1; seq <= 820; seq++) {
		struct str event;
		char text[512];

		assert_int_equal(journal_read(journal, seq, &event), ERR_OK);
		assert_true(str_equal(event, event_text(seq, text)));
	}
	struct str event;
	assert_int_equal(journal_read(journal, 821, &event), ERR_NOT_FOUND);
	assert_int_equal(journal_walk(journal, 1, see_turn, &seen, &stopped), ERR_OK);
	assert_int_equal(seen.turns, 40);
	assert_int_equal(stopped, 821);
}

/* A walk may begin inside a turn, and then gives the whole of it; it may begin after the end. */
static void test_walk_begins_where_asked(void **unused)
{
	scoped(journal_close) struct journal *journal = open_well();
	struct seen seen = {0};
	uint64_t stopped;

	(void)unused;
	for (int turn = 0; turn < 10; turn++)
		assert_int_equal(append_turn(journal, 10), ERR_OK);

	assert_int_equal(journal_walk(journal, 55, see_turn, &seen, &stopped), ERR_OK);
	assert_int_equal(seen.turns, 5);
	assert_int_equal(journal_walk(journal, 101, see_turn, &seen, &stopped), ERR_OK);
	assert_int_equal(seen.turns, 5);
	assert_int_equal(stopped, 101);
}

/* Whoever is given the turns may say stop. */
static void test_walk_ends_when_told(void **unused)
{
	scoped(journal_close) struct journal *journal = open_well();
	struct seen seen = {.answer = ERR_BUSY};
	uint64_t stopped;

	(void)unused;
	assert_int_equal(append_turn(journal, 3), ERR_OK);
	assert_int_equal(append_turn(journal, 3), ERR_OK);

	assert_int_equal(journal_walk(journal, 1, see_turn, &seen, &stopped), ERR_BUSY);
	assert_int_equal(seen.turns, 1);
	assert_int_equal(stopped, 4);
}

/* Large turns lie on pages of their own. */
static void test_large_turn_is_read_back(void **unused)
{
	scoped(journal_close) struct journal *journal = open_well();
	scoped(buf_done) struct buf record = {0};
	scoped(mem_free) char *large = mem_new(4 << 20);
	struct str event;
	uint64_t stopped;
	char text[512];

	(void)unused;
	memset(large, 'x', 4 << 20);
	record_add(&record, event_text(1, text));
	record_add(&record, (struct str){large, 4 << 20});
	record_add(&record, (struct str){large, 0});
	assert_int_equal(journal_append(journal, 1, 3, buf_str(&record)), ERR_OK);

	assert_int_equal(journal_read(journal, 2, &event), ERR_OK);
	assert_true(str_equal(event, (struct str){large, 4 << 20}));
	assert_int_equal(journal_read(journal, 3, &event), ERR_OK);
	assert_int_equal(event.size, 0);
	struct seen seen = {0};
	(void)seen;
	assert_int_equal(journal_chain_at(journal, 3, (uint8_t[CHAIN_SIZE]){0}), ERR_OK);
	assert_int_equal(journal_walk(journal, 4, see_turn, &seen, &stopped), ERR_OK);
}

/* The chain after a turn can be asked for, and only where a turn ends. */
static void test_chain_is_told_at_the_end_of_a_turn(void **unused)
{
	scoped(journal_close) struct journal *journal = open_well();
	uint8_t chain[CHAIN_SIZE], last[CHAIN_SIZE], zero[CHAIN_SIZE] = {0};

	(void)unused;
	assert_int_equal(append_turn(journal, 4), ERR_OK);
	journal_last_chain(journal, last);
	assert_int_equal(append_turn(journal, 4), ERR_OK);

	assert_int_equal(journal_chain_at(journal, 0, chain), ERR_OK);
	assert_memory_equal(chain, zero, CHAIN_SIZE);
	assert_int_equal(journal_chain_at(journal, 4, chain), ERR_OK);
	assert_memory_equal(chain, last, CHAIN_SIZE);
	assert_int_equal(journal_chain_at(journal, 3, chain), ERR_NOT_FOUND);
	assert_int_equal(journal_chain_at(journal, 9, chain), ERR_NOT_FOUND);
}

enum damage { FLIP, DROP, MOVE };

/* Changes the turn that begins at `first` behind the journal's back. */
static void damage_turn(uint64_t first, enum damage damage, size_t at)
{
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi table;
	MDB_val key = {sizeof(first), &first}, value;

	assert_int_equal(mdb_env_create(&env), 0);
	mdb_env_set_mapsize(env, SIZE_MAX_TEST);
	mdb_env_set_maxdbs(env, 4);
	assert_int_equal(mdb_env_open(env, files_path("journal"), 0, 0600), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, "turns", MDB_INTEGERKEY, &table), 0);
	assert_int_equal(mdb_get(txn, table, &key, &value), 0);

	scoped(mem_free) char *copy = mem_copy((struct str){value.mv_data, value.mv_size});
	value.mv_data = copy;
	copy[at % value.mv_size] ^= damage == FLIP;
	if (damage != FLIP)
		assert_int_equal(mdb_del(txn, table, &key, NULL), 0);
	first += damage == MOVE;
	if (damage != DROP)
		assert_int_equal(mdb_put(txn, table, &key, &value, 0), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
}

static void make_ten_turns_of_ten(void)
{
	scoped(journal_close) struct journal *journal = open_well();

	for (int turn = 0; turn < 10; turn++)
		assert_int_equal(append_turn(journal, 10), ERR_OK);
}

static void assert_walk_stops_at(uint64_t from, uint64_t expected)
{
	scoped(journal_close) struct journal *journal = open_well();
	struct seen seen = {0};
	uint64_t stopped;

	assert_int_equal(journal_walk(journal, from, see_turn, &seen, &stopped), ERR_CORRUPT);
	assert_int_equal(stopped, expected);
}

/* One bit anywhere in a turn (its chain, its count, its lengths, its events) is noticed. */
static void test_flipped_bit_breaks_the_chain(void **unused)
{
	static const size_t places[] = {0, 31, 32, 35, 36, 39, 40, 100, 700};

	(void)unused;
	make_ten_turns_of_ten();
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		damage_turn(41, FLIP, places[i]);
		assert_walk_stops_at(1, 41);
		assert_walk_stops_at(45, 41);
		damage_turn(41, FLIP, places[i]);
	}
	scoped(journal_close) struct journal *journal = open_well();
	struct seen seen = {0};
	uint64_t stopped;
	assert_int_equal(journal_walk(journal, 1, see_turn, &seen, &stopped), ERR_OK);
}

/* A turn that is gone leaves a hole. */
static void test_dropped_turn_is_noticed(void **unused)
{
	(void)unused;
	make_ten_turns_of_ten();
	damage_turn(41, DROP, 0);
	assert_walk_stops_at(1, 41);
}

/* A turn under another number does not fit. */
static void test_moved_turn_is_noticed(void **unused)
{
	(void)unused;
	make_ten_turns_of_ten();
	damage_turn(41, MOVE, 0);
	assert_walk_stops_at(1, 41);
}

/* A reader does not run over the end of a turn whose lengths lie. */
static void test_lying_length_is_corrupt(void **unused)
{
	struct str event;

	(void)unused;
	make_ten_turns_of_ten();
	damage_turn(41, FLIP, 36);

	scoped(journal_close) struct journal *journal = open_well();
	assert_int_equal(journal_read(journal, 45, &event), ERR_CORRUPT);
	assert_int_equal(journal_read(journal, 31, &event), ERR_OK);
}

/* A second process that wants the journal is told that it is taken. */
static void test_second_opener_is_refused(void **unused)
{
	scoped(journal_close) struct journal *journal = open_well();
	int status;
	pid_t pid;

	(void)unused;
	(void)journal;
	pid = fork();
	if (pid == 0) {
		struct journal *second = NULL;
		struct fault fault = {0};
		enum err err = open_it(&second, &fault);

		_exit(err == ERR_BUSY && strstr(fault.text, "in use") ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* A folder without its data is not quietly begun anew. */
static void test_folder_without_data_is_refused(void **unused)
{
	struct journal *journal = NULL;
	struct fault fault = {0};

	(void)unused;
	make_ten_turns_of_ten();
	assert_int_equal(unlink(files_path("journal/data.mdb")), 0);

	assert_int_equal(open_it(&journal, &fault), ERR_CORRUPT);
	assert_non_null(strstr(fault.text, "missing"));
}

/* What an earlier start left half made is made again. */
static void test_half_made_journal_is_made_again(void **unused)
{
	(void)unused;
	assert_int_equal(mkdir(files_path("journal.new"), 0700), 0);
	FILE *file = fopen(files_path("journal.new/data.mdb"), "w");
	assert_non_null(file);
	fputs("half", file);
	fclose(file);

	scoped(journal_close) struct journal *journal = open_well();
	assert_int_equal(append_turn(journal, 1), ERR_OK);
}

/* The descriptor of the database does not reach programs that are executed. */
static void test_descriptors_are_not_inherited(void **unused)
{
	scoped(journal_close) struct journal *journal = open_well();
	char command[400];

	(void)unused;
	(void)journal;
	snprintf(command, sizeof(command),
		 "! ls -l /proc/self/fd | grep -e '%s/journal/data' -e '%s/journal.lock'",
		 files_folder(), files_folder());
	assert_int_equal(system(command), 0);
}

/* Appends turns of any size as fast as it can, telling the last number after each. */
static void append_until_killed(int told)
{
	struct journal *journal = open_well();

	for (uint32_t turn = getpid();; turn = turn * 1103515245 + 12345) {
		uint64_t last;

		if (append_turn(journal, 1 + turn % 30) != ERR_OK)
			_exit(1);
		last = journal_last_seq(journal);
		if (write(told, &last, sizeof(last)) != sizeof(last))
			_exit(1);
	}
}

static uint64_t last_told(int fd)
{
	uint64_t last = 0, told;

	while (read(fd, &told, sizeof(told)) == sizeof(told))
		last = told;
	return last;
}

/* Fifty times killed at any moment: all that was acknowledged is there, and the chain holds. */
static void test_acknowledged_turns_survive_kill(void **unused)
{
	uint64_t acknowledged = 0;

	(void)unused;
	srand(1);
	for (int round = 0; round < 50; round++) {
		int told[2], status;
		pid_t pid;

		assert_int_equal(pipe(told), 0);
		fcntl(told[1], F_SETPIPE_SZ, 1 << 20);
		pid = fork();
		if (pid == 0)
			append_until_killed(told[1]);
		close(told[1]);
		usleep(500 + rand() % 40000);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		acknowledged = max_u64(acknowledged, last_told(told[0]));
		close(told[0]);

		scoped(journal_close) struct journal *journal = open_well();
		struct seen seen = {0};
		uint64_t stopped;
		assert_true(journal_last_seq(journal) >= acknowledged);
		assert_int_equal(journal_walk(journal, 1, see_turn, &seen, &stopped), ERR_OK);
	}
	assert_true(acknowledged > 100);
}

/* Fills a small disk until an append fails; returns the last number that was acknowledged. */
static uint64_t fill_disk(void)
{
	scoped(journal_close) struct journal *journal = open_well();
	enum err err = ERR_OK;

	while (err == ERR_OK)
		err = append_turn(journal, 200);
	assert_int_not_equal(err, ERR_CORRUPT);
	return journal_last_seq(journal);
}

/* A full disk is an error that loses nothing. */
static void test_full_disk_is_an_error_not_a_loss(void **unused)
{
	struct seen seen = {0};
	uint64_t stopped, last;

	(void)unused;
	if (mount("tmpfs", files_folder(), "tmpfs", 0, "size=2m") != 0) {
		print_message("skipped: no right to mount a small disk\n");
		skip();
	}
	last = fill_disk();
	assert_true(last > 1000);

	struct journal *journal = open_well();
	assert_int_equal(journal_last_seq(journal), last);
	assert_int_equal(journal_walk(journal, 1, see_turn, &seen, &stopped), ERR_OK);
	assert_false(journal_has_room(journal, 1000));
	journal_close(&journal);
	assert_int_equal(umount2(files_folder(), MNT_DETACH), 0);
}

/* A full map refuses, and asking for room tells it before. */
static void test_full_map_is_told_before(void **unused)
{
	struct journal_options options = {.path = files_path("journal"), .size_max = 8 << 20};
	scoped(journal_close) struct journal *journal = NULL;
	enum err err = ERR_OK;

	(void)unused;
	assert_int_equal(journal_open(&options, &journal, NULL), ERR_OK);
	assert_true(journal_has_room(journal, 1 << 20));
	while (err == ERR_OK && journal_has_room(journal, 100000))
		err = append_turn(journal, 200);
	assert_int_equal(err, ERR_OK);
	while (err == ERR_OK)
		err = append_turn(journal, 200);
	assert_int_equal(err, ERR_STORAGE_FULL);
}

/* Free disk below what is configured refuses intake. */
static void test_low_disk_has_no_room(void **unused)
{
	struct journal_options options = {.path = files_path("journal"),
					  .size_max = SIZE_MAX_TEST,
					  .disk_free_min = UINT64_C(1) << 60};
	scoped(journal_close) struct journal *journal = NULL;

	(void)unused;
	assert_int_equal(journal_open(&options, &journal, NULL), ERR_OK);
	assert_false(journal_has_room(journal, 1));
}

/* A copy is a journal of its own with the same content, for its owner only. */
static void test_copy_is_complete_and_private(void **unused)
{
	struct seen seen = {0};
	struct stat status;
	uint64_t stopped;

	(void)unused;
	make_ten_turns_of_ten();
	struct journal *journal = open_well();
	assert_int_equal(journal_copy(journal, files_path("copy")), ERR_OK);
	assert_int_equal(journal_copy(journal, files_path("copy")), ERR_IO);
	journal_close(&journal);

	assert_int_equal(stat(files_path("copy/data.mdb"), &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	struct journal_options options = {.path = files_path("copy"), .size_max = SIZE_MAX_TEST};
	assert_int_equal(journal_open(&options, &journal, NULL), ERR_OK);
	assert_int_equal(journal_walk(journal, 1, see_turn, &seen, &stopped), ERR_OK);
	assert_int_equal(stopped, 101);
	journal_close(&journal);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, files_setup, files_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_new_journal_is_empty_and_private),
		TEST(test_turns_are_read_back),
		TEST(test_walk_begins_where_asked),
		TEST(test_walk_ends_when_told),
		TEST(test_large_turn_is_read_back),
		TEST(test_chain_is_told_at_the_end_of_a_turn),
		TEST(test_flipped_bit_breaks_the_chain),
		TEST(test_dropped_turn_is_noticed),
		TEST(test_moved_turn_is_noticed),
		TEST(test_lying_length_is_corrupt),
		TEST(test_second_opener_is_refused),
		TEST(test_folder_without_data_is_refused),
		TEST(test_half_made_journal_is_made_again),
		TEST(test_descriptors_are_not_inherited),
		TEST(test_acknowledged_turns_survive_kill),
		TEST(test_full_disk_is_an_error_not_a_loss),
		TEST(test_full_map_is_told_before),
		TEST(test_low_disk_has_no_room),
		TEST(test_copy_is_complete_and_private),
	};

	hash_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
