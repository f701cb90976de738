/* Handing one mail to a mail server: libcurl, behind one file. One recipient a transaction, so the
 * server's reply is about that recipient. */
#pragma once

#include "config/config.h"

enum smtp_outcome {
	SMTP_ACCEPTED,
	SMTP_LATER,
	SMTP_NEVER,
	SMTP_AMBIGUOUS, /* the mail had gone out whole, and no reply came */
};

struct smtp_reply {
	enum smtp_outcome outcome;
	long code; /* the server's last reply; 0: none */
	int error; /* libcurl's number, for the log */
};

/* Before any thread is made. ERR_USAGE when the configuration asks for no encryption and the server
 * is not on this machine. */
enum err smtp_init(const struct config *config) must_use;
void smtp_done(void);

/* From any thread. `message` has CRLF line ends. */
struct smtp_reply smtp_send(const struct config *config, const char *to, struct str message);
