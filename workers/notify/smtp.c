#include "workers/notify/smtp.h"

#include <stdio.h>
#include <sys/socket.h>

#include <curl/curl.h>
#include <pthread.h>

#include "base/log.h"
#include "base/mem.h"
#include "workers/notify/password.h"

enum {
	KEPT_MAX = 32,         /* connections; as many as there can be slots */
	KEPT_SECONDS_MAX = 60, /* in all; a server that was changed is seen */
	QUIT_SECONDS_MAX = 5,  /* nothing hangs on its answer */
};

struct smtp {
	const struct config *config;
	pthread_mutex_t lock;
	CURL *kept[KEPT_MAX]; /* each with a connection, or without */
	uint32_t kept_count;
};

/* One mail on its way. */
struct conversation {
	struct smtp *smtp;
	const struct smtp_mail *mail;
	CURL *curl;
	struct str left; /* of the message */
	struct reply reply;
	enum mail_failure failure; /* why we ended it; MAIL_LEFT: we did not */
	CURLcode result;
};

static CURL *take_kept(struct smtp *smtp);
static void keep(struct smtp *smtp, CURL *curl);
static void hang_up(CURL *curl);
static enum mail_failure converse(struct conversation *conversation);
static bool was_hung_up(const struct conversation *conversation);
static void set_server(CURL *curl, const struct config *config);
static void set_security(CURL *curl, const struct config *config);
static void set_patience(CURL *curl, const struct config *config);
static void set_callbacks(CURL *curl, struct conversation *conversation);
static bool set_login(CURL *curl, const struct config *config);
static int on_said(CURL *curl, curl_infotype type, char *data, size_t size, void *context);
static size_t on_reply(char *data, size_t size, size_t count, void *context);
static bool lacks_login(const struct conversation *conversation);
static size_t give_message(char *to, size_t size, size_t count, void *context);
static enum mail_failure judge(const struct conversation *conversation);

struct smtp *smtp_open(const struct config *config)
{
	struct smtp *smtp = mem_new(sizeof(*smtp));
	CURLcode result = curl_global_init(CURL_GLOBAL_DEFAULT);

	assert(result == CURLE_OK);
	smtp->config = config;
	pthread_mutex_init(&smtp->lock, NULL);
	return smtp;
}

void smtp_close(struct smtp **smtp)
{
	struct smtp *old = *smtp;

	if (!old)
		return;
	smtp_hang_up(old);
	curl_global_cleanup();
	pthread_mutex_destroy(&old->lock);
	mem_free(smtp);
}

void smtp_hang_up(struct smtp *smtp)
{
	pthread_mutex_lock(&smtp->lock);
	while (smtp->kept_count)
		hang_up(smtp->kept[--smtp->kept_count]);
	pthread_mutex_unlock(&smtp->lock);
}

enum mail_failure smtp_send(struct smtp *smtp, const struct smtp_mail *mail, uint64_t task)
{
	struct conversation conversation = {.smtp = smtp, .mail = mail, .curl = take_kept(smtp)};
	enum mail_failure failure = converse(&conversation);
	const struct reply *reply = &conversation.reply;

	if (was_hung_up(&conversation)) {
		curl_easy_setopt(conversation.curl, CURLOPT_FRESH_CONNECT, 1L);
		failure = converse(&conversation);
	}
	keep(smtp, conversation.curl);
	if (failure != MAIL_LEFT)
		log_warn("mail.not_taken",
			 "task=%llu code=%s command=%s reply=%u status=%u.%u.%u error=%d",
			 (unsigned long long)task, mail_failure_code(failure),
			 smtp_command_name(reply->to), reply->code, reply->code / 100,
			 reply->subject, reply->detail, conversation.result);
	return failure;
}

static CURL *take_kept(struct smtp *smtp)
{
	CURL *curl = NULL;

	pthread_mutex_lock(&smtp->lock);
	if (smtp->kept_count)
		curl = smtp->kept[--smtp->kept_count];
	pthread_mutex_unlock(&smtp->lock);
	if (!curl)
		curl = curl_easy_init();
	assert(curl);
	return curl;
}

/* Nothing of this mail stays but the connection. */
static void keep(struct smtp *smtp, CURL *curl)
{
	curl_easy_reset(curl);
	pthread_mutex_lock(&smtp->lock);
	if (smtp->kept_count < KEPT_MAX) {
		smtp->kept[smtp->kept_count++] = curl;
		curl = NULL;
	}
	pthread_mutex_unlock(&smtp->lock);
	if (curl)
		hang_up(curl);
}

/* The library says QUIT and would wait for the answer, in its own time. */
static void hang_up(CURL *curl)
{
	curl_socket_t fd;

	if (curl_easy_getinfo(curl, CURLINFO_ACTIVESOCKET, &fd) == CURLE_OK &&
	    fd != CURL_SOCKET_BAD)
		shutdown(fd, SHUT_RD);
	curl_easy_cleanup(curl);
}

static enum mail_failure converse(struct conversation *conversation)
{
	const struct config *config = conversation->smtp->config;
	struct curl_slist *recipients = curl_slist_append(NULL, conversation->mail->to);
	CURL *curl = conversation->curl;

	assert(recipients);
	conversation->left = conversation->mail->message;
	conversation->reply = (struct reply){0};
	conversation->failure = MAIL_LEFT;
	set_server(curl, config);
	set_security(curl, config);
	set_patience(curl, config);
	set_callbacks(curl, conversation);
	curl_easy_setopt(curl, CURLOPT_MAIL_FROM, config->mail_from);
	curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, recipients);
	if (set_login(curl, config))
		conversation->result = curl_easy_perform(curl);
	else
		conversation->failure = MAIL_PASSWORD_FILE;
	curl_slist_free_all(recipients);
	return judge(conversation);
}

/* A kept connection that the server had given up meanwhile says nothing about this mail, which is not
 * beyond its envelope. */
static bool was_hung_up(const struct conversation *conversation)
{
	const struct reply *reply = &conversation->reply;
	long connections = 0;

	curl_easy_getinfo(conversation->curl, CURLINFO_NUM_CONNECTS, &connections);
	if (conversation->result == CURLE_OK || conversation->result == CURLE_OPERATION_TIMEDOUT)
		return false;
	return connections == 0 && reply->to <= SMTP_MAIL &&
	       (reply->code == 0 || reply->code == 421);
}

static void set_server(CURL *curl, const struct config *config)
{
	bool is_tls = strcmp(config->smtp_security, "tls") == 0;
	bool is_ipv6 = strchr(config->smtp_host, ':') != NULL;
	char url[512];

	/* The path is the name we give ourselves in EHLO. */
	snprintf(url, sizeof(url), "%s://%s%s%s:%u/%s", is_tls ? "smtps" : "smtp",
		 is_ipv6 ? "[" : "", config->smtp_host, is_ipv6 ? "]" : "", config->smtp_port,
		 config->mail_domain);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
}

/* An authority that is named is the only one: the system's folder of them must not count beside it. */
static void set_security(CURL *curl, const struct config *config)
{
	bool is_plain = strcmp(config->smtp_security, "none") == 0;

	curl_easy_setopt(curl, CURLOPT_USE_SSL, is_plain ? CURLUSESSL_NONE : CURLUSESSL_ALL);
	curl_easy_setopt(curl, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
	if (config->smtp_ca_file) {
		curl_easy_setopt(curl, CURLOPT_CAINFO, config->smtp_ca_file);
		curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
	}
}

/* As long for each reply as the configuration says, and not for ever in all. */
static void set_patience(CURL *curl, const struct config *config)
{
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)config->smtp_timeout);
	curl_easy_setopt(curl, CURLOPT_SERVER_RESPONSE_TIMEOUT, (long)config->smtp_timeout);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, 2L * config->smtp_timeout);
	curl_easy_setopt(curl, CURLOPT_MAXLIFETIME_CONN, (long)KEPT_SECONDS_MAX);
	curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
}

static void set_callbacks(CURL *curl, struct conversation *conversation)
{
	curl_easy_setopt(curl, CURLOPT_VERBOSE, 1L); /* nothing is printed: on_said() takes it */
	curl_easy_setopt(curl, CURLOPT_DEBUGFUNCTION, on_said);
	curl_easy_setopt(curl, CURLOPT_DEBUGDATA, conversation);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_reply);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, conversation);
	curl_easy_setopt(curl, CURLOPT_READFUNCTION, give_message);
	curl_easy_setopt(curl, CURLOPT_READDATA, conversation);
}

/* The password is read anew each time: it may be changed while we run. */
static bool set_login(CURL *curl, const struct config *config)
{
	char password[PASSWORD_SIZE_MAX + 1];
	bool is_read;

	if (!config->smtp_user)
		return true;
	is_read = password_read(config->smtp_password_file, password) == NULL;
	if (is_read) {
		curl_easy_setopt(curl, CURLOPT_USERNAME, config->smtp_user);
		curl_easy_setopt(curl, CURLOPT_PASSWORD, password);
	}
	explicit_bzero(password, sizeof(password));
	return is_read;
}

/* What the library says to the server passes here; only the first word of it is looked at. */
static int on_said(CURL *curl, curl_infotype type, char *data, size_t size, void *context)
{
	struct conversation *conversation = context;
	uint32_t patience = conversation->smtp->config->smtp_timeout;

	if (type != CURLINFO_HEADER_OUT)
		return 0;
	reply_expect(&conversation->reply, (struct str){data, size});
	if (conversation->reply.is_over)
		curl_easy_setopt(curl, CURLOPT_SERVER_RESPONSE_TIMEOUT,
				 (long)min_u64(QUIT_SECONDS_MAX, patience));
	return 0;
}

static size_t on_reply(char *data, size_t size, size_t count, void *context)
{
	struct conversation *conversation = context;

	reply_read_line(&conversation->reply, (struct str){data, size * count});
	if (lacks_login(conversation))
		conversation->failure = MAIL_LOGIN_NOT_OFFERED;
	return conversation->failure == MAIL_LEFT ? size * count : 0;
}

/* The library goes on without a login where the server offers none; then we end it. */
static bool lacks_login(const struct conversation *conversation)
{
	const struct config *config = conversation->smtp->config;
	const struct reply *reply = &conversation->reply;
	bool is_hello = reply->to == SMTP_EHLO || reply->to == SMTP_HELO;
	bool is_ready = reply->is_encrypted || strcmp(config->smtp_security, "starttls") != 0;

	return config->smtp_user && is_hello && is_ready && reply->is_whole &&
	       reply->code / 100 == 2 && !reply->offers_login;
}

static size_t give_message(char *to, size_t size, size_t count, void *context)
{
	struct conversation *conversation = context;
	size_t given = min_u64(size * count, conversation->left.size);

	if (given == 0) {
		if (!conversation->mail->before_end(conversation->mail->context)) {
			conversation->failure = MAIL_SENT_JOURNAL;
			return CURL_READFUNC_ABORT;
		}
		reply_expect_end(&conversation->reply);
		return 0;
	}
	memcpy(to, conversation->left.data, given);
	conversation->left.data += given;
	conversation->left.size -= given;
	return given;
}

/* What the library found by itself; for all else the server's reply decides. */
static enum mail_failure judge(const struct conversation *conversation)
{
	if (conversation->failure != MAIL_LEFT)
		return conversation->failure;
	switch (conversation->result) {
	case CURLE_OK:
		return MAIL_LEFT;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
		return MAIL_NO_CONNECTION;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
		return MAIL_CERTIFICATE_REFUSED;
	case CURLE_SSL_CONNECT_ERROR:
		return MAIL_TLS_FAILED;
	default:
		break;
	}
	if (conversation->result == CURLE_USE_SSL_FAILED && conversation->reply.code / 100 == 2)
		return MAIL_TLS_NOT_OFFERED;
	if (conversation->result == CURLE_LOGIN_DENIED && conversation->reply.code / 100 == 2)
		return MAIL_LOGIN_NOT_OFFERED;
	return reply_judge(&conversation->reply);
}
