#include "workers/notify/notify.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/log.h"
#include "proto/loop.h"
#include "workers/notify/compose.h"
#include "workers/notify/maildir.h"
#include "workers/notify/password.h"
#include "workers/notify/sent.h"
#include "workers/notify/smtp.h"

struct notify {
	const struct config *config;
	struct smtp *smtp;         /* NULL: into the Maildir */
	pthread_mutex_t composing; /* templates, GMime and libical work for one thread at a time */
	struct templates *templates;
	struct sent *sent; /* NULL when only checking */
};

/* One mail on its way. */
struct mail {
	struct notify *notify;
	const struct worker_task *task;
	struct arena arena;
	struct mail_body body;
	struct composed composed;
};

static void check_files(const struct config *config, struct complaints *complaints);
static void check_authorities(const struct config *config, struct complaints *complaints);
static bool is_folder(const char *path);
static void open_delivery(struct notify *notify, struct complaints *complaints);
static void open_journal(struct notify *notify, struct complaints *complaints);
static enum mail_failure decode(struct mail *mail);
static enum mail_failure compose(struct mail *mail);
static enum mail_failure send_once(struct mail *mail);
static enum mail_failure deliver(struct mail *mail);
static enum mail_failure put_into_maildir(struct mail *mail);
static enum mail_failure give_to_server(struct mail *mail);
static bool intend(void *context);
static enum sent_word word_for(enum mail_failure failure);
static bool is_safe_id(struct str message_id);

enum err notify_open(const struct config *config, bool check_only, struct notify **notify,
		     struct complaints *complaints)
{
	struct notify *new = mem_new(sizeof(*new));
	uint32_t mistakes = complaints->count;
	enum err err = ERR_OK;

	new->config = config;
	pthread_mutex_init(&new->composing, NULL);
	compose_init();
	check_files(config, complaints);
	if (is_folder(config->mail_templates))
		err = templates_open(config->mail_templates, &new->templates, complaints);
	if (err == ERR_OK && complaints->count == mistakes && !check_only)
		open_delivery(new, complaints);
	if (complaints->count > mistakes) {
		notify_close(&new);
		return ERR_USAGE;
	}
	*notify = new;
	return ERR_OK;
}

/* What the options lead to, as far as it is there to be looked at. */
static void check_files(const struct config *config, struct complaints *complaints)
{
	char password[PASSWORD_SIZE_MAX + 1];
	const char *wrong = NULL;

	if (!config->mail_from)
		config_complain(config, complaints, "mail_from",
				"is missing; no mail can go without it");
	if (!is_folder(config->mail_templates))
		config_complain(config, complaints, "mail_templates",
				"%s is no folder that can be read", config->mail_templates);
	if (strcmp(config->mail_delivery, "smtp") != 0)
		return;
	if (config->smtp_password_file)
		wrong = password_read(config->smtp_password_file, password);
	explicit_bzero(password, sizeof(password));
	if (wrong)
		config_complain(config, complaints, "smtp_password_file", "%s %s",
				config->smtp_password_file, wrong);
	if (config->smtp_ca_file)
		check_authorities(config, complaints);
}

static void check_authorities(const struct config *config, struct complaints *complaints)
{
	static const char mark[] = "-----BEGIN CERTIFICATE-----";
	FILE *file = fopen(config->smtp_ca_file, "re");
	char line[256];
	bool is_found = false;

	while (file && !is_found && fgets(line, sizeof(line), file))
		is_found = strncmp(line, mark, sizeof(mark) - 1) == 0;
	if (!is_found)
		config_complain(config, complaints, "smtp_ca_file",
				"%s %s; must be a file of certificates in PEM",
				config->smtp_ca_file,
				file ? "holds no certificate" : "cannot be read");
	if (file)
		fclose(file);
}

static bool is_folder(const char *path)
{
	struct stat stat_buf;

	return stat(path, &stat_buf) == 0 && S_ISDIR(stat_buf.st_mode);
}

static void open_delivery(struct notify *notify, struct complaints *complaints)
{
	const struct config *config = notify->config;

	if (strcmp(config->mail_delivery, "smtp") == 0)
		notify->smtp = smtp_open(config);
	else if (maildir_open(config->mail_maildir) != ERR_OK)
		config_complain(config, complaints, "mail_maildir", "%s cannot be made",
				config->mail_maildir);
	open_journal(notify, complaints);
}

static void open_journal(struct notify *notify, struct complaints *complaints)
{
	const struct config *config = notify->config;
	enum err err = sent_open(config->mail_journal, clock_wall_ms(), &notify->sent);

	if (err != ERR_OK)
		config_complain(config, complaints, "mail_journal", "%s %s", config->mail_journal,
				err == ERR_BUSY ? "is in use by another vigie-notify"
						: "cannot be read and written");
}

void notify_close(struct notify **notify)
{
	struct notify *old = *notify;

	if (!old)
		return;
	sent_close(&old->sent);
	templates_close(&old->templates);
	smtp_close(&old->smtp);
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
	scoped(mail_done) struct mail mail = {.notify = context, .task = task};
	enum mail_failure failure = decode(&mail);

	if (failure == MAIL_LEFT)
		failure = compose(&mail);
	if (failure == MAIL_LEFT)
		failure = send_once(&mail);
	if (failure != MAIL_LEFT)
		worker_fail(answer, mail_failure_class(failure), mail_failure_code(failure), "%s",
			    mail_failure_meaning(failure));
}

void notify_idle(void *context)
{
	struct notify *notify = context;

	if (notify->smtp)
		smtp_hang_up(notify->smtp);
}

static enum mail_failure decode(struct mail *mail)
{
	struct reader reader = reader_from(mail->task->body);
	struct fault fault;
	enum err err = codec_walk(mail->task->body, &fault);

	if (err == ERR_OK)
		err = codec_decode(&record_mail_body, &reader, "", 0, &mail->arena, &mail->body,
				   &fault);
	if (err == ERR_OK && !is_safe_id(mail->body.message_id))
		err = fault_set(&fault, ERR_INVALID_EVENT, "message_id", "no name for a file");
	if (err == ERR_OK)
		return MAIL_LEFT;
	log_error("mail.bad_body", "task=%llu code=%s path=%s", (unsigned long long)mail->task->id,
		  err_name(fault.code), fault.path);
	return strcmp(fault.path, "to.email") == 0 ? MAIL_BAD_ADDRESS : MAIL_BAD_BODY;
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

static enum mail_failure compose(struct mail *mail)
{
	struct notify *notify = mail->notify;
	enum err err;

	pthread_mutex_lock(&notify->composing);
	err = compose_mail(notify->templates, notify->config, &mail->body, &mail->composed);
	pthread_mutex_unlock(&notify->composing);
	if (err == ERR_OK)
		return MAIL_LEFT;
	log_error("mail.no_template", "task=%llu template=%u to_pair=%d",
		  (unsigned long long)mail->task->id, mail->body.template,
		  mail->body.to_pair == SAID_YES);
	return MAIL_NO_TEMPLATE;
}

static enum mail_failure send_once(struct mail *mail)
{
	switch (sent_begin(mail->notify->sent, mail->body.message_id)) {
	case ERR_OK:
		return deliver(mail);
	case ERR_CONFLICT:
		log_info("mail.sent_before", "task=%llu", (unsigned long long)mail->task->id);
		return MAIL_LEFT;
	default:
		return MAIL_IN_FLIGHT;
	}
}

static enum mail_failure deliver(struct mail *mail)
{
	struct notify *notify = mail->notify;
	enum mail_failure failure = notify->smtp ? give_to_server(mail) : put_into_maildir(mail);
	enum sent_word word =
		sent_end(notify->sent, mail->body.message_id, word_for(failure), clock_wall_ms());

	if (word == SENT_COPIED)
		log_warn("mail.copied", "task=%llu", (unsigned long long)mail->task->id);
	log_info("mail.handed_over", "task=%llu attempt=%llu code=%s",
		 (unsigned long long)mail->task->id, (unsigned long long)mail->task->attempt,
		 failure == MAIL_LEFT ? "ok" : mail_failure_code(failure));
	return failure;
}

static enum mail_failure put_into_maildir(struct mail *mail)
{
	if (!intend(mail))
		return MAIL_SENT_JOURNAL;
	if (maildir_deliver(mail->notify->config->mail_maildir, mail->body.message_id,
			    buf_str(&mail->composed.message)) != ERR_OK)
		return MAIL_MAILDIR;
	return MAIL_LEFT;
}

static enum mail_failure give_to_server(struct mail *mail)
{
	scoped(mem_free) char *to = mem_copy(mail->body.to.email);
	struct smtp_mail letter = {
		.to = to,
		.message = buf_str(&mail->composed.message),
		.before_end = intend,
		.context = mail,
	};

	return smtp_send(mail->notify->smtp, &letter, mail->task->id);
}

/* From here on the mail may be gone. */
static bool intend(void *context)
{
	struct mail *mail = context;

	return sent_intend(mail->notify->sent, mail->body.message_id, clock_wall_ms()) == ERR_OK;
}

static enum sent_word word_for(enum mail_failure failure)
{
	if (failure == MAIL_LEFT)
		return SENT_DELIVERED;
	if (failure == MAIL_NO_OUTCOME)
		return SENT_AMBIGUOUS;
	return mail_failure_class(failure) == FAILURE_NEVER ? SENT_NEVER : SENT_LATER;
}
