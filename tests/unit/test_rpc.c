#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/rpc.h"

/* A request that was written is read back with its number, method and params. */
static void test_request_comes_back(void **unused)
{
	scoped(buf_done) struct buf frame = {0};
	struct fault fault = {0};
	struct rpc rpc;

	(void)unused;
	rpc_begin_request(&frame, 4000000000, "publish");
	write_array(&frame, 1);
	write_array(&frame, 0);

	assert_int_equal(rpc_parse(buf_str(&frame), &rpc, &fault), ERR_OK);

	assert_int_equal(rpc.type, RPC_REQUEST);
	assert_int_equal(rpc.msgid, 4000000000);
	assert_true(str_is(rpc.method, "publish"));
	assert_int_equal(rpc.params.size, 2);
}

/* A notification has no number and no answer. */
static void test_notification_comes_back(void **unused)
{
	scoped(buf_done) struct buf frame = {0};
	struct fault fault = {0};
	struct rpc rpc;

	(void)unused;
	rpc_begin_notification(&frame, "heartbeat");
	write_array(&frame, 0);

	assert_int_equal(rpc_parse(buf_str(&frame), &rpc, &fault), ERR_OK);

	assert_int_equal(rpc.type, RPC_NOTIFICATION);
	assert_true(str_is(rpc.method, "heartbeat"));
}

/* An answer gives its result, and no error. */
static void test_answer_comes_back(void **unused)
{
	scoped(buf_done) struct buf frame = {0};
	struct fault fault = {0};
	struct reader reader;
	uint64_t result;
	struct rpc rpc;

	(void)unused;
	rpc_begin_answer(&frame, 7);
	write_uint(&frame, 42);

	assert_int_equal(rpc_parse(buf_str(&frame), &rpc, &fault), ERR_OK);

	assert_int_equal(rpc.type, RPC_ANSWER);
	assert_int_equal(rpc.msgid, 7);
	assert_int_equal(rpc.error.code, ERR_OK);
	reader = reader_from(rpc.result);
	assert_true(read_uint(&reader, &result));
	assert_int_equal(result, 42);
}

/* A refusal keeps its code, path, text and delay. */
static void test_error_comes_back(void **unused)
{
	scoped(buf_done) struct buf frame = {0};
	struct fault busy = {
		.code = ERR_BUSY, .retry_after_ms = 250, .path = "data.on", .text = "not now"};
	struct fault fault = {0};
	struct rpc rpc;

	(void)unused;
	rpc_error(&frame, 9, &busy);

	assert_int_equal(rpc_parse(buf_str(&frame), &rpc, &fault), ERR_OK);

	assert_int_equal(rpc.error.code, ERR_BUSY);
	assert_int_equal(rpc.error.retry_after_ms, 250);
	assert_string_equal(rpc.error.path, "data.on");
	assert_string_equal(rpc.error.text, "not now");
}

/* A code of a later version is an internal error to us, not success. */
static void test_unknown_code_is_still_an_error(void **unused)
{
	static const char *const codes[] = {"brand_new", "ok", ""};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		scoped(buf_done) struct buf frame = {0};
		struct fault fault = {0};
		struct rpc rpc;

		write_array(&frame, 4);
		write_uint(&frame, RPC_ANSWER);
		write_uint(&frame, 1);
		write_map(&frame, 2);
		write_text(&frame, "code");
		write_text(&frame, codes[i]);
		write_text(&frame, "hint");
		write_array(&frame, 0);
		write_nil(&frame);

		assert_int_equal(rpc_parse(buf_str(&frame), &rpc, &fault), ERR_OK);

		assert_int_equal(rpc.error.code, ERR_INTERNAL);
	}
}

/* What is no message is refused with a sentence; the number is known where it could be read. */
static void test_bad_messages_are_refused(void **unused)
{
	static const struct {
		struct str bytes;
		enum err code;
		uint32_t msgid;
	} cases[] = {
		{STR(""), ERR_BAD_FRAME, 0},
		{STR("\xc0"), ERR_BAD_REQUEST, 0},
		{STR("\x90"), ERR_BAD_REQUEST, 0},
		{STR("\x94\x03\x05\xa1x\x90"), ERR_BAD_REQUEST, 0},
		{STR("\x94\xff\x05\xa1x\x90"), ERR_BAD_REQUEST, 0},
		{STR("\x93\x00\x05\xa1x"), ERR_BAD_REQUEST, 5},
		{STR("\x95\x00\x05\xa1x\x90\xc0"), ERR_BAD_REQUEST, 5},
		{STR("\x94\x00\x05\x01\x90"), ERR_BAD_REQUEST, 5},
		{STR("\x94\x00\x05\xa1x\x80"), ERR_BAD_REQUEST, 5},
		{STR("\x94\x00\xa1y\xa1x\x90"), ERR_BAD_REQUEST, 0},
		{STR("\x94\x00\xcf\x00\x00\x00\x01\x00\x00\x00\x00\xa1x\x90"), ERR_BAD_REQUEST, 0},
		{STR("\x94\x01\x05\xa1x\x90"), ERR_BAD_REQUEST, 5},
		{STR("\x94\x00\x05\xa1x\x90\x90"), ERR_BAD_FRAME, 0},
		{STR("\x94\x00\x05\xa1x"), ERR_BAD_FRAME, 0},
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fault fault = {0};
		struct rpc rpc;

		assert_int_equal(rpc_parse(cases[i].bytes, &rpc, &fault), cases[i].code);

		assert_int_equal(rpc.msgid, cases[i].msgid);
		assert_true(fault.text[0] != '\0');
	}
}

/* Params of [map] are decoded by their table; anything else is a bad request. */
static void test_params_are_one_map(void **unused)
{
	static const struct {
		struct str bytes;
		enum err code;
	} cases[] = {
		{STR("\x94\x00\x01\xa1x\x91\x82\xa2id\x05\xa5token\x06"), ERR_OK},
		{STR("\x94\x00\x01\xa1x\x90"), ERR_BAD_REQUEST},
		{STR("\x94\x00\x01\xa1x\x91\x05"), ERR_BAD_REQUEST},
		{STR("\x94\x00\x01\xa1x\x92\x80\x80"), ERR_BAD_REQUEST},
		{STR("\x94\x00\x01\xa1x\x91\x81\xa2id\x05"), ERR_INVALID_EVENT},
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(arena_done) struct arena arena = {0};
		struct worker_lease lease;
		struct fault fault = {0};
		struct rpc rpc;

		assert_int_equal(rpc_parse(cases[i].bytes, &rpc, &fault), ERR_OK);

		assert_int_equal(rpc_params(&rpc, &record_worker_lease, &arena, &lease, &fault),
				 cases[i].code);
		if (cases[i].code == ERR_OK)
			assert_int_equal(lease.token, 6);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request_comes_back),
		cmocka_unit_test(test_notification_comes_back),
		cmocka_unit_test(test_answer_comes_back),
		cmocka_unit_test(test_error_comes_back),
		cmocka_unit_test(test_unknown_code_is_still_an_error),
		cmocka_unit_test(test_bad_messages_are_refused),
		cmocka_unit_test(test_params_are_one_map),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
