/* What a mail server answers, line by line, and what follows from it: which command got the reply
 * decides as much as its number. Knows nothing of connections. */
#pragma once

#include "base/str.h"
#include "proto/mail_failure.h"

/* ROW(NAME, first word of the command, how logs call it) */
#define SMTP_COMMAND_TABLE(ROW)                                                                    \
	ROW(CONNECT, "", "connect") /* nothing said yet: the greeting */                           \
	ROW(EHLO, "EHLO", "hello")                                                                 \
	ROW(HELO, "HELO", "hello")                                                                 \
	ROW(STARTTLS, "STARTTLS", "starttls")                                                      \
	ROW(AUTH, "AUTH", "auth")                                                                  \
	ROW(MAIL, "MAIL", "mail")                                                                  \
	ROW(RCPT, "RCPT", "rcpt")                                                                  \
	ROW(DATA, "DATA", "data")                                                                  \
	ROW(END, "", "end") /* the final dot: from here on the mail may be the server's */

enum smtp_command {
#define ROW(NAME, word, name) SMTP_##NAME,
	SMTP_COMMAND_TABLE(ROW)
#undef ROW
		SMTP_COMMAND_COUNT
};

/* Of one conversation, the reply to the last command. A zeroed struct is its beginning. */
struct reply {
	enum smtp_command to;
	uint32_t code;            /* 0: none yet */
	uint32_t subject, detail; /* of the status 5.SUBJECT.DETAIL (RFC 3463); 0: not told */
	bool is_whole;            /* its last line has come */
	bool offers_login;        /* so said the last EHLO */
	bool is_encrypted;        /* STARTTLS was granted */
	bool is_over;             /* QUIT was said: nothing counts any more */
};

const char *smtp_command_name(enum smtp_command command);

/* A command is said, `line` being its text: the reply to it is what counts now. What answers the
 * server's question in a login is no command. */
void reply_expect(struct reply *reply, struct str line);
/* The mail's end is about to be said. */
void reply_expect_end(struct reply *reply);

/* One line as it came; what is no SMTP is passed over. */
void reply_read_line(struct reply *reply, struct str line);

/* The conversation broke off, or went to its end: what came of the mail? */
enum mail_failure reply_judge(const struct reply *reply);
