#include "workers/notify/reply.h"

#include <stdio.h>

static void expect(struct reply *reply, enum smtp_command to);
static bool begins_with(struct str line, const char *word);
static uint32_t read_code(struct str line);
static void read_status(struct reply *reply, struct str text);
static enum mail_failure judge_refusal(const struct reply *reply);
static enum mail_failure judge_recipient(const struct reply *reply);

static const struct {
	const char *word, *name;
} commands[] = {
#define ROW(NAME, word, name) [SMTP_##NAME] = {word, name},
	SMTP_COMMAND_TABLE(ROW)
#undef ROW
};

const char *smtp_command_name(enum smtp_command command)
{
	assert(command < SMTP_COMMAND_COUNT);
	return commands[command].name;
}

void reply_expect(struct reply *reply, struct str line)
{
	bool is_answer = reply->to == SMTP_AUTH && reply->code / 100 == 3;

	if (begins_with(line, "QUIT"))
		reply->is_over = true;
	for (enum smtp_command i = 0; i < SMTP_COMMAND_COUNT && !is_answer; i++) {
		if (begins_with(line, commands[i].word))
			expect(reply, i);
	}
}

void reply_expect_end(struct reply *reply)
{
	expect(reply, SMTP_END);
}

static void expect(struct reply *reply, enum smtp_command to)
{
	if (to == SMTP_EHLO || to == SMTP_HELO)
		reply->offers_login = false;
	reply->to = to;
	reply->code = reply->subject = reply->detail = 0;
	reply->is_whole = false;
}

static bool begins_with(struct str line, const char *word)
{
	size_t size = strlen(word);

	return size && line.size > size && memcmp(line.data, word, size) == 0 &&
	       strchr(" \r\n", line.data[size]);
}

void reply_read_line(struct reply *reply, struct str line)
{
	uint32_t code = read_code(line);
	struct str text;

	if (!code || reply->is_over)
		return;
	reply->code = code;
	reply->is_whole = line.size == 3 || line.data[3] != '-';
	if (line.size <= 4)
		return;
	text = (struct str){line.data + 4, line.size - 4};
	read_status(reply, text);
	/* As libcurl reads it: what it does not see, it does not use. */
	if (reply->to == SMTP_EHLO && code == 250 && begins_with(text, "AUTH"))
		reply->offers_login = true;
	if (reply->to == SMTP_STARTTLS && code == 220)
		reply->is_encrypted = true;
}

/* "250 …", "250-…", or "250" alone; 0 when it is none. */
static uint32_t read_code(struct str line)
{
	uint32_t code = 0;

	if (line.size < 3)
		return 0;
	for (size_t i = 0; i < 3; i++) {
		if (line.data[i] < '0' || line.data[i] > '9')
			return 0;
		code = code * 10 + (line.data[i] - '0');
	}
	if (line.size > 3 && !(line.data[3] && strchr(" -\r\n", line.data[3])))
		return 0;
	return code >= 200 && code < 600 ? code : 0;
}

/* "5.1.1 …": a status is told only where its class is that of the code. */
static void read_status(struct reply *reply, struct str text)
{
	char copy[16];
	uint32_t class, subject, detail;

	snprintf(copy, sizeof(copy), "%.*s", (int)min_u64(text.size, sizeof(copy) - 1), text.data);
	if (sscanf(copy, "%1u.%3u.%3u", &class, &subject, &detail) != 3)
		return;
	if (class != reply->code / 100)
		return;
	reply->subject = subject;
	reply->detail = detail;
}

enum mail_failure reply_judge(const struct reply *reply)
{
	uint32_t class = reply->is_whole ? reply->code / 100 : 0;

	if (class == 5)
		return judge_refusal(reply);
	if (class == 4 && reply->code == 421)
		return MAIL_SERVER_LATER; /* it closes, whatever was asked */
	if (class == 4 && reply->to == SMTP_RCPT)
		return MAIL_RECIPIENT_LATER;
	if (class == 4)
		return reply->to >= SMTP_DATA ? MAIL_CONTENT_LATER : MAIL_SERVER_LATER;
	if (reply->to == SMTP_END)
		return class == 2 ? MAIL_LEFT : MAIL_NO_OUTCOME;
	return MAIL_NO_REPLY;
}

static enum mail_failure judge_refusal(const struct reply *reply)
{
	static const enum mail_failure refusals[] = {
		[SMTP_CONNECT] = MAIL_SERVER_REFUSED, [SMTP_EHLO] = MAIL_SERVER_REFUSED,
		[SMTP_HELO] = MAIL_SERVER_REFUSED,    [SMTP_STARTTLS] = MAIL_TLS_NOT_OFFERED,
		[SMTP_AUTH] = MAIL_LOGIN_REFUSED,     [SMTP_MAIL] = MAIL_SENDER_REFUSED,
		[SMTP_DATA] = MAIL_CONTENT_REFUSED,   [SMTP_END] = MAIL_CONTENT_REFUSED,
	};

	return reply->to == SMTP_RCPT ? judge_recipient(reply) : refusals[reply->to];
}

/* A refusal here is about the address, unless it says that it is about us (RFC 3463: 3 the server
 * itself, 5 the protocol, 7 what is allowed) or about a login; and a mailbox that is full (5.2.2, or
 * 552 as in RFC 5321 4.5.3.1.10) may be emptied. */
static enum mail_failure judge_recipient(const struct reply *reply)
{
	bool is_about_us = reply->subject == 3 || reply->subject == 5 || reply->subject == 7;
	bool is_full = reply->code == 552 || (reply->subject == 2 && reply->detail == 2);

	if (is_full)
		return MAIL_RECIPIENT_LATER;
	if (is_about_us || reply->code < 550)
		return MAIL_RELAY_REFUSED;
	return MAIL_RECIPIENT_REFUSED;
}
