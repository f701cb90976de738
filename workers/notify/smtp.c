#include "workers/notify/smtp.h"

#include <stdio.h>
#include <stdlib.h>

#include <curl/curl.h>

enum {
	CONNECT_SECONDS_MAX = 15,
	SEND_SECONDS_MAX = 120,
	PASSWORD_SIZE_MAX = 256,
};

struct upload {
	struct str left;
};

static bool is_loopback(const char *host);
static void set_server(CURL *curl, const struct config *config, char *url, size_t url_size);
static void set_login(CURL *curl, const struct config *config);
static bool read_password(const char *path, char *password);
static size_t give_message(char *to, size_t size, size_t count, void *context);
static enum smtp_outcome judge(CURLcode result, long code, const struct upload *upload);

enum err smtp_init(const struct config *config)
{
	if (strcmp(config->smtp_security, "none") == 0 && !is_loopback(config->smtp_host))
		return ERR_USAGE;
	return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? ERR_OK : ERR_INTERNAL;
}

void smtp_done(void)
{
	curl_global_cleanup();
}

struct smtp_reply smtp_send(const struct config *config, const char *to, struct str message)
{
	struct curl_slist *recipients = curl_slist_append(NULL, to);
	struct upload upload = {message};
	struct smtp_reply reply = {0};
	CURL *curl = curl_easy_init();
	char url[512];
	CURLcode result;

	assert(curl && recipients);
	set_server(curl, config, url, sizeof(url));
	set_login(curl, config);
	curl_easy_setopt(curl, CURLOPT_MAIL_FROM, config->mail_from);
	curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, recipients);
	curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(curl, CURLOPT_READFUNCTION, give_message);
	curl_easy_setopt(curl, CURLOPT_READDATA, &upload);
	result = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &reply.code);
	reply.error = result;
	reply.outcome = judge(result, reply.code, &upload);
	curl_slist_free_all(recipients);
	curl_easy_cleanup(curl);
	return reply;
}

static bool is_loopback(const char *host)
{
	return strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 ||
	       strncmp(host, "127.", 4) == 0;
}

static void set_server(CURL *curl, const struct config *config, char *url, size_t url_size)
{
	bool is_tls = strcmp(config->smtp_security, "tls") == 0;
	bool is_plain = strcmp(config->smtp_security, "none") == 0;
	bool is_ipv6 = strchr(config->smtp_host, ':') != NULL;

	/* The path is the name we give ourselves in EHLO. */
	snprintf(url, url_size, "%s://%s%s%s:%u/%s", is_tls ? "smtps" : "smtp", is_ipv6 ? "[" : "",
		 config->smtp_host, is_ipv6 ? "]" : "", config->smtp_port, config->mail_domain);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(curl, CURLOPT_USE_SSL, is_plain ? CURLUSESSL_NONE : CURLUSESSL_ALL);
	if (config->smtp_ca_file)
		curl_easy_setopt(curl, CURLOPT_CAINFO, config->smtp_ca_file);
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS_MAX);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)SEND_SECONDS_MAX);
}

/* The password is read anew each time: it may be changed while we run. A file that cannot be read
 * shows as a login that the server refuses. */
static void set_login(CURL *curl, const struct config *config)
{
	char password[PASSWORD_SIZE_MAX];

	if (!config->smtp_user)
		return;
	curl_easy_setopt(curl, CURLOPT_USERNAME, config->smtp_user);
	if (config->smtp_password_file && read_password(config->smtp_password_file, password))
		curl_easy_setopt(curl, CURLOPT_PASSWORD, password);
	explicit_bzero(password, sizeof(password));
}

static bool read_password(const char *path, char *password)
{
	FILE *file = fopen(path, "re");
	bool is_read;

	if (!file)
		return false;
	is_read = fgets(password, PASSWORD_SIZE_MAX, file) != NULL;
	fclose(file);
	if (is_read)
		password[strcspn(password, "\r\n")] = '\0';
	return is_read;
}

static size_t give_message(char *to, size_t size, size_t count, void *context)
{
	struct upload *upload = context;
	size_t given = min_u64(size * count, upload->left.size);

	memcpy(to, upload->left.data, given);
	upload->left = (struct str){upload->left.data + given, upload->left.size - given};
	return given;
}

/* 5xx replies that blame us or our login, and not the recipient. */
static bool is_login_code(long code)
{
	return code == 530 || code == 534 || code == 535 || code == 538;
}

/* The reply code decides. libcurl keeps the last one: 354 or none after the whole mail had gone out
 * means that the reply that counts never came. */
static enum smtp_outcome judge(CURLcode result, long code, const struct upload *upload)
{
	if (result == CURLE_OK)
		return SMTP_ACCEPTED;
	if (result == CURLE_LOGIN_DENIED || is_login_code(code))
		return SMTP_LATER;
	if (code >= 500 && code <= 599)
		return SMTP_NEVER;
	if (code >= 400 && code <= 499)
		return SMTP_LATER;
	return upload->left.size == 0 ? SMTP_AMBIGUOUS : SMTP_LATER;
}
