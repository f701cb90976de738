/* The gate's two parts that need no socket: the head of a frame, and who may send how much. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "daemon/gate/access.h"
#include "daemon/gate/head.h"
#include "proto/limits.h"

/* [0, 300, "publish", [[nil, nil, nil]]] */
#define PUBLISH "\x94\x00\xcd\x01\x2c\xa7publish\x91\x93\xc0\xc0\xc0"

static struct head peek(const char *bytes, size_t size)
{
	return head_peek((struct str){bytes, size});
}
#define PEEK(literal) peek(literal, sizeof(literal) - 1)

/* A publish request tells its number and how many events it brings. */
static void test_a_publish_request_tells_number_and_events(void **unused)
{
	struct head head;

	(void)unused;
	head = PEEK(PUBLISH);

	assert_int_equal(head.msgid, 300);
	assert_int_equal(head.events, 3);
	assert_false(head.is_notification);
}

/* Numbers and strings written wider than need be mean the same. */
static void test_wide_forms_mean_the_same(void **unused)
{
	struct head head;

	(void)unused;
	head = PEEK("\xdc\x00\x04\xcc\x00\xce\x00\x00\x01\x2c\xd9\x07publish\xdd\x00\x00\x00\x01"
		    "\xdc\x01\x00");

	assert_int_equal(head.msgid, 300);
	assert_int_equal(head.events, 256);
}

/* However many events are claimed, no more are counted than a request may bring; none count one. */
static void test_claimed_events_are_bounded(void **unused)
{
	struct head many, none;

	(void)unused;
	many = PEEK("\x94\x00\x01\xa7publish\x91\xdd\xff\xff\xff\xff");
	none = PEEK("\x94\x00\x01\xa7publish\x91\x90");

	assert_int_equal(many.events, REQUEST_EVENTS_MAX);
	assert_int_equal(none.events, 1);
}

/* Other methods, notifications and nonsense count one, and only requests have a number. */
static void test_everything_else_counts_one(void **unused)
{
	struct head status, notification, answer, wide;

	(void)unused;
	status = PEEK("\x94\x00\x07\xa6status\x91\x93\x01\x02\x03");
	notification = PEEK("\x93\x02\xa7publish\x91\x93\x01\x02\x03");
	answer = PEEK("\x94\x01\x07\xc0\xc0");
	wide = PEEK("\x94\x00\xcf\x00\x00\x00\x01\x00\x00\x00\x00\xa7publish\x91\x93");

	assert_int_equal(status.events, 1);
	assert_int_equal(status.msgid, 7);
	assert_int_equal(notification.events, 1);
	assert_true(notification.is_notification);
	assert_int_equal(answer.msgid, 0);
	assert_int_equal(wide.msgid, 0);
}

/* A frame that lies so that the byte after it cannot be read. */
static char *guarded(const char *bytes, size_t size)
{
	static char *page;
	size_t page_size = (size_t)sysconf(_SC_PAGESIZE);

	if (!page) {
		page = mmap(NULL, 2 * page_size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		assert_ptr_not_equal(page, MAP_FAILED);
		assert_int_equal(mprotect(page + page_size, page_size, PROT_NONE), 0);
	}
	memcpy(page + page_size - size, bytes, size);
	return page + page_size - size;
}

/* No byte behind the frame is read, wherever it is cut off and whatever length it claims. */
static void test_a_frame_cut_off_is_not_read_beyond(void **unused)
{
	static const char *const frames[] = {
		"\x94\x01\xcd\x01\x2c\xa7publish\x91\xdd\x01\x01\x01\x01",
		"\xdd\x01\x01\x01\x04\xcf\x01\x01\x01\x01\x01\x01\x01\x01",
		"\x93\x02\xdb\x7f\xff\xff\xff",
	};
	char frame[32];

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(frames); i++) {
		size_t size = strlen(frames[i]);

		memcpy(frame, frames[i], size);
		for (int type = 0; type <= 2; type++)
			for (size_t cut = 0; cut <= size; cut++) {
				frame[1] = i == 1 ? frame[1] : (char)type;
				assert_in_range(peek(guarded(frame, cut), cut).events, 1,
						REQUEST_EVENTS_MAX);
			}
	}
	assert_int_equal(peek(guarded("\x94\x00\x05\xdb\x7f\xff\xff\xff", 8), 8).events, 1);
}

/* Any bytes at all are a head. */
static void test_any_bytes_have_a_head(void **unused)
{
	char frame[24];

	(void)unused;
	srand(20);
	for (int round = 0; round < 200000; round++) {
		size_t size = (size_t)(rand() % (int)sizeof(frame));

		for (size_t i = 0; i < size; i++)
			frame[i] = (char)rand();
		if (size > 1 && round % 2)
			memcpy(frame, "\x94\x00", 2);
		assert_in_range(peek(guarded(frame, size), size).events, 1, REQUEST_EVENTS_MAX);
	}
}

static struct config config = {
	.senders = {{.name = "a", .uid = 7, .rate = 10},
		    {.name = "b", .uid = -1, .loopback = true}},
	.sender_count = 2,
};
static struct access access_table;

static struct account *account_of(const char *address)
{
	access_init(&access_table, &config, 0);
	return access_find_uid(&access_table, address);
}

/* Only the uid that the kernel tells, in its whole form, finds a sender. */
static void test_only_a_known_uid_finds_a_sender(void **unused)
{
	(void)unused;
	assert_string_equal(account_of("localhost:7:0:1234")->sender->name, "a");

	assert_null(account_of("localhost:8:7:7"));
	assert_null(account_of("localhost:70:0:1"));
	assert_null(account_of("localhost:-1:0:1"));
	assert_null(account_of("localhost:4294967295:0:1"));
	assert_null(account_of("localhost:7"));
	assert_null(account_of("localhost::7:1"));
	assert_null(account_of("127.0.0.1"));
	assert_null(account_of(""));
	assert_null(account_of(NULL));
}

/* The wait that is told is exact: a millisecond earlier is too early. */
static void test_the_wait_told_is_exact(void **unused)
{
	struct account *account = account_of("localhost:7:0:1");
	struct fault fault;

	(void)unused;
	assert_int_equal(account_admit(account, 1, 10, 0, &fault), ERR_OK);

	assert_int_equal(account_admit(account, 1, 3, 50, &fault), ERR_BUSY);
	assert_int_equal(fault.retry_after_ms, 250);
	assert_int_equal(account_admit(account, 1, 3, 299, &fault), ERR_BUSY);
	assert_int_equal(account_admit(account, 1, 3, 300, &fault), ERR_OK);
}

/* A refused request takes nothing of the allowance and is not counted as on its way. */
static void test_a_refused_request_costs_nothing(void **unused)
{
	struct account *account = account_of("localhost:7:0:1");
	struct fault fault;

	(void)unused;
	assert_int_equal(account_admit(account, 5, 9, 0, &fault), ERR_OK);
	assert_int_equal(account_admit(account, 5, 2, 0, &fault), ERR_BUSY);

	assert_int_equal(account->inflight_size, 5);
	assert_int_equal(account_admit(account, 5, 1, 0, &fault), ERR_OK);
}

/* A debt is paid off by time alone, however long it was not looked at. */
static void test_a_debt_is_paid_off(void **unused)
{
	struct account *account = account_of("localhost:7:0:1");
	struct fault fault;

	(void)unused;
	assert_int_equal(account_admit(account, 1, 500, 0, &fault), ERR_OK);

	assert_int_equal(account_admit(account, 1, 1, 1000, &fault), ERR_BUSY);
	assert_int_equal(fault.retry_after_ms, 48100);
	assert_int_equal(account_admit(account, 1, 1, 49099, &fault), ERR_BUSY);
	assert_int_equal(account_admit(account, 1, 1, 49100, &fault), ERR_OK);
}

/* Bytes and requests on their way are bounded, and room comes back. */
static void test_what_is_on_its_way_is_bounded(void **unused)
{
	struct account *account;
	struct fault fault;

	(void)unused;
	access_init(&access_table, &config, 0);
	account = access_find_loopback(&access_table);
	for (int i = 0; i < 4; i++)
		assert_int_equal(account_admit(account, FRAME_SIZE_MAX, 1, 0, &fault), ERR_OK);

	assert_int_equal(account_admit(account, 1, 1, 0, &fault), ERR_BUSY);
	account_settle(account, FRAME_SIZE_MAX);
	assert_int_equal(account_admit(account, FRAME_SIZE_MAX, 1, 0, &fault), ERR_OK);
}

/* Without CURVE, loopback is all that may be bound. */
static void test_only_loopback_is_loopback(void **unused)
{
	static const char *const yes[] = {"127.0.0.1:5570", "127.9.9.9:1", "[::1]:5570"};
	static const char *const no[] = {"0.0.0.0:5570", "*:5570",    "192.0.2.1:1", "[::]:1",
					 "localhost:1",  "127.0.0.1", "127.1:1",     "",
					 ":1",           "[::1]"};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
		assert_true(address_is_loopback(yes[i]));
	for (size_t i = 0; i < ARRAY_SIZE(no); i++)
		assert_false(address_is_loopback(no[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_publish_request_tells_number_and_events),
		cmocka_unit_test(test_wide_forms_mean_the_same),
		cmocka_unit_test(test_claimed_events_are_bounded),
		cmocka_unit_test(test_everything_else_counts_one),
		cmocka_unit_test(test_a_frame_cut_off_is_not_read_beyond),
		cmocka_unit_test(test_any_bytes_have_a_head),
		cmocka_unit_test(test_only_a_known_uid_finds_a_sender),
		cmocka_unit_test(test_the_wait_told_is_exact),
		cmocka_unit_test(test_a_refused_request_costs_nothing),
		cmocka_unit_test(test_a_debt_is_paid_off),
		cmocka_unit_test(test_what_is_on_its_way_is_bounded),
		cmocka_unit_test(test_only_loopback_is_loopback),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
