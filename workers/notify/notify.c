#include "workers/notify/notify.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "proto/loop.h"
#include "workers/notify/compose.h"
#include "workers/notify/maildir.h"
#include "workers/notify/sent.h"
#include "workers/notify/smtp.h"

struct notify {
	const struct config *config;
	bool is_smtp;
	pthread_mutex_t composing; /* templates, GMime and libical work for one thread at a time */
	struct templates *templates;
	struct sent *sent; /* NULL when only checking */
};

/* One mail on its way. */
struct mail {
	const struct worker_task *task;
	struct arena arena;
	struct mail_body body;
	struct composed composed;
};

static enum err open_delivery(struct notify *notify, struct buf *complaints) must_use;
static enum err decode(struct mail *mail) must_use;
static enum err compose(struct notify *notify, struct mail *mail) must_use;
static void send_once(struct notify *notify, struct mail *mail, struct worker_answer *answer);
static void deliver(struct notify *notify, struct mail *mail, struct worker_answer *answer);
static enum sent_word put_into_maildir(struct notify *notify, struct mail *mail,
				       struct worker_answer *answer);
static enum sent_word give_to_server(struct notify *notify, struct mail *mail,
				     struct worker_answer *answer);
static bool is_safe_id(struct str message_id);

enum err notify_open(const struct config *config, bool check_only, struct notify **notify,
		     struct buf *complaints)
{
	struct notify *new = mem_new(sizeof(*new));
	enum err err;

	new->config = config;
	new->is_smtp = strcmp(config->mail_delivery, "smtp") == 0;
	pthread_mutex_init(&new->composing, NULL);
	compose_init();
	err = templates_open(config->mail_templates, &new->templates, complaints);
	if (!config->mail_from) {
		buf_printf(complaints, "%s: mail_from: missing, and no mail can go without it\n",
			   config->file);
		err = ERR_USAGE;
	}
	if (new->is_smtp && smtp_init(config) != ERR_OK) {
		buf_printf(complaints, "smtp_security: \"none\" is for a server on this machine, "
				       "and smtp_host is not\n");
		err = ERR_USAGE;
	}
	if (err == ERR_OK && !check_only)
		err = open_delivery(new, complaints);
	if (err != ERR_OK) {
		notify_close(&new);
		return err;
	}
	*notify = new;
	return ERR_OK;
}

static enum err open_delivery(struct notify *notify, struct buf *complaints)
{
	const struct config *config = notify->config;
	enum err err;

	if (!notify->is_smtp && maildir_open(config->mail_maildir) != ERR_OK) {
		buf_printf(complaints, "mail_maildir: %s cannot be made\n", config->mail_maildir);
		return ERR_IO;
	}
	err = sent_open(config->mail_journal, clock_wall_ms(), &notify->sent);
	if (err != ERR_OK)
		buf_printf(complaints, "mail_journal: %s %s\n", config->mail_journal,
			   err == ERR_BUSY ? "is in use by another vigie-notify"
					   : "cannot be read or written");
	return err;
}

void notify_close(struct notify **notify)
{
	struct notify *old = *notify;

	if (!old)
		return;
	sent_close(&old->sent);
	templates_close(&old->templates);
	if (old->is_smtp)
		smtp_done();
	pthread_mutex_destroy(&old->composing);
	mem_free(notify);
}

static void mail_done(struct mail *mail)
{
	arena_done(&mail->arena);
	composed_done(&mail->composed);
}

void notify_run(void *context, const struct worker_task *task, struct worker_answer *answer)
{
	scoped(mail_done) struct mail mail = {.task = task};
	struct notify *notify = context;
	enum err err = decode(&mail);

	if (err != ERR_OK) {
		worker_fail(answer, FAILURE_NEVER, "bad_body", "the mail's body is not as agreed");
		return;
	}
	err = compose(notify, &mail);
	if (err != ERR_OK) {
		worker_fail(answer, FAILURE_NEVER, "no_template", "no template makes this mail");
		return;
	}
	send_once(notify, &mail, answer);
}

static enum err decode(struct mail *mail)
{
	struct reader reader = reader_from(mail->task->body);
	struct fault fault;
	enum err err = codec_walk(mail->task->body, &fault);

	if (err == ERR_OK)
		err = codec_decode(&record_mail_body, &reader, "", 0, &mail->arena, &mail->body,
				   &fault);
	if (err == ERR_OK && !is_safe_id(mail->body.message_id))
		err = fault_set(&fault, ERR_INVALID_EVENT, "message_id", "no name for a file");
	if (err != ERR_OK)
		log_error("mail.bad_body", "task=%llu code=%s path=%s",
			  (unsigned long long)mail->task->id, err_name(fault.code), fault.path);
	return err;
}

/* It becomes half an address and the name of a file. */
static bool is_safe_id(struct str message_id)
{
	static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				   "-_+=.";

	for (size_t i = 0; i < message_id.size; i++) {
		if (!memchr(safe, message_id.data[i], sizeof(safe) - 1))
			return false;
	}
	return message_id.data[0] != '.';
}

static enum err compose(struct notify *notify, struct mail *mail)
{
	enum err err;

	pthread_mutex_lock(&notify->composing);
	err = compose_mail(notify->templates, notify->config, &mail->body, &mail->composed);
	pthread_mutex_unlock(&notify->composing);
	if (err != ERR_OK)
		log_error("mail.no_template", "task=%llu template=%u to_pair=%d",
			  (unsigned long long)mail->task->id, mail->body.template,
			  mail->body.to_pair == SAID_YES);
	return err;
}

static void send_once(struct notify *notify, struct mail *mail, struct worker_answer *answer)
{
	switch (sent_begin(notify->sent, mail->body.message_id, clock_wall_ms())) {
	case ERR_OK:
		deliver(notify, mail, answer);
		return;
	case ERR_CONFLICT:
		log_info("mail.sent_before", "task=%llu", (unsigned long long)mail->task->id);
		return;
	case ERR_BUSY:
		worker_fail(answer, FAILURE_LATER, "in_flight", "the same mail is being sent");
		return;
	default:
		worker_fail(answer, FAILURE_LATER, "sent_journal",
			    "the sent-journal is not writable");
		return;
	}
}

static void deliver(struct notify *notify, struct mail *mail, struct worker_answer *answer)
{
	enum sent_word outcome = notify->is_smtp ? give_to_server(notify, mail, answer)
						 : put_into_maildir(notify, mail, answer);

	/* A failure to write it was logged; what happened to the mail is true all the same. */
	if (sent_end(notify->sent, mail->body.message_id, outcome, clock_wall_ms()) != ERR_OK)
		return;
	log_info("mail.handed_over", "task=%llu attempt=%llu code=%s",
		 (unsigned long long)mail->task->id, (unsigned long long)mail->task->attempt,
		 answer->failure ? answer->code : "ok");
}

static enum sent_word put_into_maildir(struct notify *notify, struct mail *mail,
				       struct worker_answer *answer)
{
	enum err err = maildir_deliver(notify->config->mail_maildir, mail->body.message_id,
				       buf_str(&mail->composed.message));

	if (err == ERR_OK)
		return SENT_DELIVERED;
	worker_fail(answer, FAILURE_LATER, "maildir", "the Maildir is not writable");
	return SENT_LATER;
}

static enum sent_word give_to_server(struct notify *notify, struct mail *mail,
				     struct worker_answer *answer)
{
	scoped(mem_free) char *to = mem_copy(mail->body.to.email);
	struct smtp_reply reply = smtp_send(notify->config, to, buf_str(&mail->composed.message));
	char code[32];

	if (reply.outcome == SMTP_ACCEPTED)
		return SENT_DELIVERED;
	log_warn("mail.not_accepted", "task=%llu reply=%ld error=%d",
		 (unsigned long long)mail->task->id, reply.code, reply.error);
	if (reply.code >= 400)
		snprintf(code, sizeof(code), "smtp_%ld", reply.code);
	else
		snprintf(code, sizeof(code), "smtp_no_reply");
	/* The server's own words are left out: they like to quote the address. */
	if (reply.outcome == SMTP_NEVER) {
		worker_fail(answer, FAILURE_NEVER, code, "refused for good by the mail server");
		return SENT_NEVER;
	}
	worker_fail(answer, FAILURE_LATER, code, "not accepted by the mail server this time");
	return reply.outcome == SMTP_AMBIGUOUS ? SENT_AMBIGUOUS : SENT_LATER;
}
