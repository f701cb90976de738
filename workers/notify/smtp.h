/* Handing mails to a mail server: libcurl, behind one file. One recipient a transaction, so the
 * server's reply is about that recipient. Connections are kept for the next mail. */
#pragma once

#include "config/config.h"
#include "workers/notify/reply.h"

struct smtp;

/* Before any other thread is made. The config must outlive it. */
struct smtp *smtp_open(const struct config *config);
void smtp_close(struct smtp **smtp);

/* Gives up the connections that no mail is using. Never waits. */
void smtp_hang_up(struct smtp *smtp);

struct smtp_mail {
	const char *to;
	struct str message; /* with CRLF line ends */
	/* Called when the server has all but the end of the mail; where it returns false, the end is
	 * not said, and the server throws the mail away. */
	bool (*before_end)(void *context);
	void *context;
};

/* From any thread. How it went is also logged, with `task`, unless the mail left. */
enum mail_failure smtp_send(struct smtp *smtp, const struct smtp_mail *mail, uint64_t task);
