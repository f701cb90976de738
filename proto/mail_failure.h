/* Why a mail did not leave: the codes that a worker of kind mail answers in `failed`, one row each.
 * The core looks at `recipient_refused`, which marks the address; operators see them all. None is
 * ever renamed. What may be put right without touching the mail is `limited`, and costs the mail no attempt:
 * none is lost by a wrong password. */
#pragma once

#include "proto/message.h"

/* ROW(NAME, code, class, meaning) */
#define MAIL_FAILURE_TABLE(ROW)                                                                    \
	/* the mail itself */                                                                      \
	ROW(RECIPIENT_REFUSED, recipient_refused, NEVER,                                           \
	    "the server takes no mail for this address, today or later")                           \
	ROW(RECIPIENT_LATER, recipient_later, LATER,                                               \
	    "the server takes no mail for this address just now")                                  \
	ROW(CONTENT_REFUSED, content_refused, NEVER, "the server refused what the mail holds")     \
	ROW(CONTENT_LATER, content_later, LATER, "the server did not take the mail just now")      \
	ROW(BAD_ADDRESS, bad_address, NEVER,                                                       \
	    "no address that mail can be sent to, such as one with accents before the @")          \
	ROW(BAD_BODY, bad_body, NEVER, "the mail's body is not as agreed")                         \
	ROW(NO_TEMPLATE, no_template, NEVER, "no template makes this mail")                        \
	/* for the operator to put right */                                                        \
	ROW(SENDER_REFUSED, sender_refused, LIMITED, "the server takes no mail from mail_from")    \
	ROW(RELAY_REFUSED, relay_refused, LIMITED, "the server passes no mail on for us")          \
	ROW(LOGIN_REFUSED, login_refused, LIMITED, "the server refused smtp_user or its password") \
	ROW(LOGIN_NOT_OFFERED, login_not_offered, LIMITED,                                         \
	    "smtp_user is set, and the server offers no login that we know")                       \
	ROW(PASSWORD_FILE, password_file, LIMITED,                                                 \
	    "smtp_password_file cannot be read or holds no password")                              \
	ROW(TLS_NOT_OFFERED, tls_not_offered, LIMITED,                                             \
	    "smtp_security asks for STARTTLS, and the server does not offer it")                   \
	ROW(TLS_FAILED, tls_failed, LIMITED, "no encrypted connection came about")                 \
	ROW(CERTIFICATE_REFUSED, certificate_refused, LIMITED,                                     \
	    "the server's certificate does not show that it is smtp_host")                         \
	ROW(SERVER_REFUSED, server_refused, LIMITED, "the server does not talk to us")             \
	/* what passes */                                                                          \
	ROW(SERVER_LATER, server_later, LIMITED, "the server takes no mail just now")              \
	ROW(NO_CONNECTION, no_connection, LIMITED, "the server cannot be reached")                 \
	ROW(NO_REPLY, no_reply, LIMITED,                                                           \
	    "the server was lost, or spoke no SMTP, before it had the mail")                       \
	ROW(NO_OUTCOME, no_outcome, LATER,                                                         \
	    "the server was lost when it had the mail, which may have arrived")                    \
	ROW(IN_FLIGHT, in_flight, LATER, "the same mail is being sent under another task")         \
	/* on our side */                                                                          \
	ROW(SENT_JOURNAL, sent_journal, LIMITED,                                                   \
	    "mail_journal cannot be written, so nothing is sent")                                  \
	ROW(MAILDIR, maildir, LIMITED, "mail_maildir cannot be written")

enum mail_failure {
	MAIL_LEFT, /* no failure */
#define ROW(NAME, code, class, meaning) MAIL_##NAME,
	MAIL_FAILURE_TABLE(ROW)
#undef ROW
		MAIL_FAILURE_COUNT
};

/* What is told of each; not for MAIL_LEFT. */
const char *mail_failure_code(enum mail_failure failure);
enum failure mail_failure_class(enum mail_failure failure);
const char *mail_failure_meaning(enum mail_failure failure);
