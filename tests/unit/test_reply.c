/* What a mail server answers: which command got it, and what becomes of the mail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "workers/notify/reply.h"

static struct str line(const char *text)
{
	return str_from(text);
}

static void hear(struct reply *reply, const char *command, const char *answer)
{
	if (*command == '.')
		reply_expect_end(reply);
	else if (*command)
		reply_expect(reply, line(command));
	reply_read_line(reply, line(answer));
}

/* The last command and the reply to it: what follows. */
static const struct {
	const char *command, *answer;
	enum mail_failure failure;
} judged[] = {
	{"", "220 here\r\n", MAIL_NO_REPLY}, /* … and then nothing more */
	{"", "554 no\r\n", MAIL_SERVER_REFUSED},
	{"", "421 busy\r\n", MAIL_SERVER_LATER},
	{"", "HTTP/1.1 400 Bad Request\r\n", MAIL_NO_REPLY},
	{"", "55\r\n", MAIL_NO_REPLY},
	{"", "5554 no\r\n", MAIL_NO_REPLY},
	{"", "154 no\r\n", MAIL_NO_REPLY},
	{"", "654 no\r\n", MAIL_NO_REPLY},
	{"", "", MAIL_NO_REPLY},
	{"EHLO me\r\n", "550 no\r\n", MAIL_SERVER_REFUSED},
	{"HELO me\r\n", "550 no\r\n", MAIL_SERVER_REFUSED},
	{"STARTTLS\r\n", "502 what\r\n", MAIL_TLS_NOT_OFFERED},
	{"STARTTLS\r\n", "454 not now\r\n", MAIL_SERVER_LATER},
	{"AUTH PLAIN\r\n", "535 5.7.8 wrong\r\n", MAIL_LOGIN_REFUSED},
	{"AUTH PLAIN\r\n", "454 4.7.0 not now\r\n", MAIL_SERVER_LATER},
	{"MAIL FROM:<a@b>\r\n", "451 later\r\n", MAIL_SERVER_LATER},
	{"MAIL FROM:<a@b>\r\n", "550 5.1.1 no\r\n", MAIL_SENDER_REFUSED},
	{"MAIL FROM:<a@b>\r\n", "530 5.7.0 log in\r\n", MAIL_SENDER_REFUSED},
	{"RCPT TO:<a@b>\r\n", "250 fine\r\n", MAIL_NO_REPLY},
	{"RCPT TO:<a@b>\r\n", "450 4.2.1 busy\r\n", MAIL_RECIPIENT_LATER},
	{"RCPT TO:<a@b>\r\n", "421 4.7.0 closing\r\n", MAIL_SERVER_LATER},
	{"RCPT TO:<a@b>\r\n", "550\r\n", MAIL_RECIPIENT_REFUSED},
	{"RCPT TO:<a@b>\r\n", "550 no such user\r\n", MAIL_RECIPIENT_REFUSED},
	{"RCPT TO:<a@b>\r\n", "550 5.1.1 no such user\r\n", MAIL_RECIPIENT_REFUSED},
	{"RCPT TO:<a@b>\r\n", "550 5.4.1 no such user\r\n", MAIL_RECIPIENT_REFUSED},
	{"RCPT TO:<a@b>\r\n", "550 5.0.0 no\r\n", MAIL_RECIPIENT_REFUSED},
	{"RCPT TO:<a@b>\r\n", "553 5.1.3 bad\r\n", MAIL_RECIPIENT_REFUSED},
	{"RCPT TO:<a@b>\r\n", "550 4.7.1 of another class\r\n", MAIL_RECIPIENT_REFUSED},
	{"RCPT TO:<a@b>\r\n", "550 5.2.1 disabled\r\n", MAIL_RECIPIENT_REFUSED},
	{"RCPT TO:<a@b>\r\n", "550 5.2.2 full\r\n", MAIL_RECIPIENT_LATER},
	{"RCPT TO:<a@b>\r\n", "552 full\r\n", MAIL_RECIPIENT_LATER},
	{"RCPT TO:<a@b>\r\n", "554 5.7.1 relay access denied\r\n", MAIL_RELAY_REFUSED},
	{"RCPT TO:<a@b>\r\n", "550 5.7.26 not signed\r\n", MAIL_RELAY_REFUSED},
	{"RCPT TO:<a@b>\r\n", "550 5.3.2 system\r\n", MAIL_RELAY_REFUSED},
	{"RCPT TO:<a@b>\r\n", "530 log in\r\n", MAIL_RELAY_REFUSED},
	{"RCPT TO:<a@b>\r\n", "503 5.5.1 order\r\n", MAIL_RELAY_REFUSED},
	{"DATA\r\n", "451 later\r\n", MAIL_CONTENT_LATER},
	{"DATA\r\n", "554 no\r\n", MAIL_CONTENT_REFUSED},
	{"DATA\r\n", "354 go on\r\n", MAIL_NO_REPLY},
	{".", "", MAIL_NO_OUTCOME},
	{".", "250-half\r\n", MAIL_NO_OUTCOME},
	{".", "550-half\r\n", MAIL_NO_OUTCOME},
	{".", "250 taken\r\n", MAIL_LEFT},
	{".", "354 what\r\n", MAIL_NO_OUTCOME},
	{".", "421 closing\r\n", MAIL_SERVER_LATER},
	{".", "452 full\r\n", MAIL_CONTENT_LATER},
	{".", "550 5.7.1 no\r\n", MAIL_CONTENT_REFUSED},
};

static void test_command_and_reply_decide(void **unused)
{
	for (size_t i = 0; i < ARRAY_SIZE(judged); i++) {
		struct reply reply = {0};

		hear(&reply, judged[i].command, judged[i].answer);

		if (reply_judge(&reply) != judged[i].failure)
			fail_msg("%s%s: %d", judged[i].command, judged[i].answer,
				 reply_judge(&reply));
	}
}

/* The core knows this one by its text; what an operator can put right is never for good, and costs the
 * mail nothing. */
static void test_only_the_mail_itself_is_refused_for_good(void **unused)
{
	assert_string_equal(mail_failure_code(MAIL_RECIPIENT_REFUSED), "recipient_refused");
	for (enum mail_failure i = MAIL_LEFT + 1; i < MAIL_FAILURE_COUNT; i++) {
		bool is_about_mail = i == MAIL_RECIPIENT_REFUSED || i == MAIL_CONTENT_REFUSED ||
				     i == MAIL_BAD_ADDRESS || i == MAIL_BAD_BODY ||
				     i == MAIL_NO_TEMPLATE;
		bool is_about_now = i == MAIL_RECIPIENT_LATER || i == MAIL_CONTENT_LATER ||
				    i == MAIL_NO_OUTCOME || i == MAIL_IN_FLIGHT;

		assert_int_equal(mail_failure_class(i), is_about_mail  ? FAILURE_NEVER
							: is_about_now ? FAILURE_LATER
								       : FAILURE_LIMITED);
		assert_true(strlen(mail_failure_code(i)) <= IDENT_SIZE_MAX);
		assert_true(strlen(mail_failure_meaning(i)) <= TEXT_SIZE_MAX);
	}
}

/* A reply counts until the next command is said, and after QUIT none does. */
static void test_each_command_awaits_its_own_reply(void **unused)
{
	struct reply reply = {0};

	hear(&reply, "RCPT TO:<a@b>\r\n", "550 5.1.1 no\r\n");
	reply_expect(&reply, line("DATA\r\n"));
	assert_int_equal(reply.code, 0);
	assert_int_equal(reply.subject, 0);
	assert_int_equal(reply_judge(&reply), MAIL_NO_REPLY);

	hear(&reply, "DATA\r\n", "554 5.6.0 no\r\n");
	hear(&reply, "QUIT\r\n", "221 bye\r\n");
	assert_int_equal(reply.code, 554);
	assert_int_equal(reply_judge(&reply), MAIL_CONTENT_REFUSED);
}

/* User and password are said as lines of their own; they may look like anything. */
static void test_lines_of_a_login_are_no_commands(void **unused)
{
	struct reply reply = {0};

	hear(&reply, "AUTH LOGIN\r\n", "334 VXNlcm5hbWU6\r\n");
	hear(&reply, "MAIL \r\n", "334 UGFzc3dvcmQ6\r\n");
	hear(&reply, "RCPT \r\n", "535 no\r\n");

	assert_int_equal(reply.to, SMTP_AUTH);
	assert_int_equal(reply_judge(&reply), MAIL_LOGIN_REFUSED);
}

/* What EHLO offers is what it offered last: not what was said before encryption. */
static void test_login_counts_only_where_it_was_offered_last(void **unused)
{
	struct reply reply = {0};

	hear(&reply, "EHLO me\r\n", "250-AUTH PLAIN\r\n");
	reply_read_line(&reply, line("250 STARTTLS\r\n"));
	assert_true(reply.offers_login);
	hear(&reply, "STARTTLS\r\n", "220 go\r\n");
	assert_true(reply.is_encrypted);
	hear(&reply, "EHLO me\r\n", "250 AUTHENTIC\r\n");

	assert_false(reply.offers_login);
}

/* Whatever comes, in whatever pieces, is read without harm. */
static void test_any_bytes_are_read(void **unused)
{
	struct reply reply = {0};
	unsigned char bytes[64];
	uint32_t seed = 1;

	for (uint32_t round = 0; round < 100000; round++) {
		size_t size = round % sizeof(bytes);

		for (size_t i = 0; i < size; i++) {
			seed = seed * 1664525 + 1013904223;
			bytes[i] = i < 4 ? (unsigned char)"2455 -.\r"[seed >> 29] : seed >> 24;
		}
		reply_expect(&reply, (struct str){(const char *)bytes, size});
		reply_read_line(&reply, (struct str){(const char *)bytes, size});
		assert_true(reply_judge(&reply) < MAIL_FAILURE_COUNT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_command_and_reply_decide),
		cmocka_unit_test(test_only_the_mail_itself_is_refused_for_good),
		cmocka_unit_test(test_each_command_awaits_its_own_reply),
		cmocka_unit_test(test_lines_of_a_login_are_no_commands),
		cmocka_unit_test(test_login_counts_only_where_it_was_offered_last),
		cmocka_unit_test(test_any_bytes_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
