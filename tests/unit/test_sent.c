/* The sent-journal: what is on disk when, what a crash and a full disk leave, how it stays short. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "proto/limits.h"
#include "workers/notify/sent.h"

enum { NOW = 1700000000 }; /* seconds */

static char folder[128], path[160];

static ms_t at(int64_t seconds)
{
	return (NOW + seconds) * MS_SECOND;
}

static int make_folder(void **state)
{
	const char *place = getenv("TMPDIR");

	(void)state;
	/* In memory where there is such a folder: a sync costs nothing there. */
	if (!place || !*place)
		place = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	snprintf(folder, sizeof(folder), "%s/vigie-sent-XXXXXX", place);
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/sent.log", folder);
	return 0;
}

static int remove_folder(void **state)
{
	char more[192];

	(void)state;
	snprintf(more, sizeof(more), "%s.new", path);
	unlink(more);
	unlink(path);
	return rmdir(folder);
}

static struct sent *open_journal(int64_t seconds)
{
	struct sent *sent = NULL;

	assert_int_equal(sent_open(folder, at(seconds), &sent), ERR_OK);
	return sent;
}

/* Without the seconds: "intent a|delivered a|". */
static const char *read_journal(void)
{
	static char text[65536];
	FILE *file = fopen(path, "r");
	char word[64], id[64];
	size_t size = 0;

	assert_non_null(file);
	text[0] = '\0';
	while (fscanf(file, "%*d %63s %63s\n", word, id) == 2)
		size += snprintf(text + size, sizeof(text) - size, "%s %s|", word, id);
	assert_true(feof(file));
	fclose(file);
	return text;
}

static void write_journal(const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void send(struct sent *sent, const char *id, enum sent_word outcome, int64_t seconds)
{
	assert_int_equal(sent_begin(sent, str_from(id)), ERR_OK);
	assert_int_equal(sent_intend(sent, str_from(id), at(seconds)), ERR_OK);
	sent_end(sent, str_from(id), outcome, at(seconds));
}

/* Each mail's life, as lines. */
static void test_intent_comes_before_and_outcome_after(void **unused)
{
	struct sent *sent = open_journal(0);

	assert_int_equal(sent_begin(sent, STR("a")), ERR_OK);
	assert_string_equal(read_journal(), "");
	assert_int_equal(sent_intend(sent, STR("a"), at(1)), ERR_OK);
	assert_string_equal(read_journal(), "intent a|");
	assert_int_equal(sent_end(sent, STR("a"), SENT_DELIVERED, at(2)), SENT_DELIVERED);
	assert_string_equal(read_journal(), "intent a|delivered a|");

	sent_close(&sent);
}

/* What failed before it could be anybody else's has no line, not even after the next start. */
static void test_no_intent_no_line(void **unused)
{
	struct sent *sent = open_journal(0);

	assert_int_equal(sent_begin(sent, STR("a")), ERR_OK);
	assert_int_equal(sent_end(sent, STR("a"), SENT_LATER, at(1)), SENT_LATER);
	assert_string_equal(read_journal(), "");
	sent_close(&sent);
	sent = open_journal(2);

	assert_string_equal(read_journal(), "");
	assert_int_equal(sent_begin(sent, STR("a")), ERR_OK);
	sent_end(sent, STR("a"), SENT_LATER, at(3));
	sent_close(&sent);
}

static void test_delivered_is_never_sent_again(void **unused)
{
	struct sent *sent = open_journal(0);

	send(sent, "a", SENT_DELIVERED, 1);
	assert_int_equal(sent_begin(sent, STR("a")), ERR_CONFLICT);
	sent_close(&sent);
	sent = open_journal(2);

	assert_int_equal(sent_begin(sent, STR("a")), ERR_CONFLICT);
	assert_int_equal(sent_begin(sent, STR("b")), ERR_OK);
	assert_int_equal(sent_begin(sent, STR("b")), ERR_BUSY);
	sent_end(sent, STR("b"), SENT_LATER, at(3));
	sent_close(&sent);
}

/* An intent alone is ambiguous, stays so through whatever fails, and its delivery says that it may
 * be a copy. */
static void test_intent_alone_is_ambiguous_until_delivered(void **unused)
{
	struct sent *sent;

	write_journal("1700000000 intent a\n");
	sent = open_journal(1);
	assert_string_equal(read_journal(), "ambiguous a|");

	send(sent, "a", SENT_LATER, 2);
	assert_string_equal(read_journal(), "ambiguous a|intent a|ambiguous a|");
	sent_close(&sent);
	sent = open_journal(3);
	assert_int_equal(sent_begin(sent, STR("a")), ERR_OK);
	assert_int_equal(sent_intend(sent, STR("a"), at(4)), ERR_OK);
	assert_int_equal(sent_end(sent, STR("a"), SENT_DELIVERED, at(4)), SENT_COPIED);

	assert_string_equal(read_journal(), "ambiguous a|intent a|copied a|");
	assert_int_equal(sent_begin(sent, STR("a")), ERR_CONFLICT);
	sent_close(&sent);
}

static void test_one_process_at_a_time(void **unused)
{
	struct sent *sent = open_journal(0), *second = NULL;

	assert_int_equal(sent_open(folder, at(0), &second), ERR_BUSY);

	assert_null(second);
	sent_close(&sent);
}

/* What a person or a crash left in it is passed over; what is whole counts. */
static void test_lines_that_are_none_are_passed_over(void **unused)
{
	struct sent *sent;

	write_journal("1700000000 delivered a\n"
		      "\n"
		      "what is this\n"
		      "1700000000 flown b\n"
		      "1700000000 delivered c and more\n"
		      "\xff\xfe\n"
		      "1700000000 delivered d\n"
		      "1700000000 delivered e");
	sent = open_journal(1);

	assert_string_equal(read_journal(), "delivered a|delivered d|");
	sent_close(&sent);
}

/* The file is written anew when it has grown, without what is too old; what is in hand stays. */
static void test_the_journal_stays_short(void **unused)
{
	enum { MAILS = 5 * SENT_LINES_SPARE };
	const int64_t step = 2 * SENT_KEEP_DAYS * 86400 / MAILS;
	struct sent *sent = open_journal(0);
	off_t size_max = 0;
	struct stat stat_buf;
	char id[32];

	assert_int_equal(sent_begin(sent, STR("held")), ERR_OK);
	assert_int_equal(sent_intend(sent, STR("held"), at(0)), ERR_OK);
	for (uint32_t i = 0; i < MAILS; i++) {
		snprintf(id, sizeof(id), "mail-%05u", i);
		send(sent, id, SENT_DELIVERED, i * step);
		assert_int_equal(stat(path, &stat_buf), 0);
		size_max = stat_buf.st_size > size_max ? stat_buf.st_size : size_max;
	}

	/* Half of them are young enough, and twice their number it may grow to. */
	assert_true(size_max < (off_t)(2 * MAILS / 2 + SENT_LINES_SPARE) * 32);
	assert_int_equal(sent_begin(sent, str_from(id)), ERR_CONFLICT);
	assert_int_equal(sent_begin(sent, STR("held")), ERR_BUSY);
	assert_int_equal(sent_end(sent, STR("held"), SENT_DELIVERED, at(MAILS * step)),
			 SENT_DELIVERED);
	sent_close(&sent);
	sent = open_journal(MAILS * step);
	assert_int_equal(sent_begin(sent, STR("held")), ERR_CONFLICT);
	assert_int_equal(sent_begin(sent, STR("mail-00000")), ERR_OK);
	sent_end(sent, STR("mail-00000"), SENT_LATER, at(MAILS * step));
	sent_close(&sent);
}

/* From here on the file may not be longer than this: what goes beyond is cut off. */
static void limit_files(rlim_t size)
{
	struct rlimit limit = {size, RLIM_INFINITY};

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* Of a full disk's half a line nothing is left when there is room again. */
static void test_half_a_line_spoils_nothing(void **unused)
{
	struct sent *sent = open_journal(0);

	send(sent, "a", SENT_DELIVERED, 1);
	assert_int_equal(sent_begin(sent, STR("b")), ERR_OK);
	limit_files(50);
	assert_int_equal(sent_intend(sent, STR("b"), at(2)), ERR_IO);
	limit_files(10); /* not even room to write it anew */
	assert_int_equal(sent_intend(sent, STR("b"), at(3)), ERR_IO);
	limit_files(RLIM_INFINITY);

	assert_int_equal(sent_intend(sent, STR("b"), at(4)), ERR_OK);

	assert_string_equal(read_journal(), "delivered a|intent b|");
	sent_end(sent, STR("b"), SENT_DELIVERED, at(5));
	sent_close(&sent);
}

/* An outcome that found no room holds for this process, and is on disk with the next mail. */
static void test_an_outcome_without_room_is_not_forgotten(void **unused)
{
	struct sent *sent = open_journal(0);

	assert_int_equal(sent_begin(sent, STR("a")), ERR_OK);
	assert_int_equal(sent_intend(sent, STR("a"), at(1)), ERR_OK);
	limit_files(25);
	assert_int_equal(sent_end(sent, STR("a"), SENT_DELIVERED, at(2)), SENT_DELIVERED);
	limit_files(RLIM_INFINITY);
	assert_int_equal(sent_begin(sent, STR("a")), ERR_CONFLICT);

	send(sent, "b", SENT_DELIVERED, 3);

	assert_string_equal(read_journal(), "delivered a|intent b|delivered b|");
	sent_close(&sent);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
		TEST(test_intent_comes_before_and_outcome_after),
		TEST(test_no_intent_no_line),
		TEST(test_delivered_is_never_sent_again),
		TEST(test_intent_alone_is_ambiguous_until_delivered),
		TEST(test_one_process_at_a_time),
		TEST(test_lines_that_are_none_are_passed_over),
		TEST(test_the_journal_stays_short),
		TEST(test_half_a_line_spoils_nothing),
		TEST(test_an_outcome_without_room_is_not_forgotten),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
