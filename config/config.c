#include "config/config.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>

#include "proto/message.h"
#include "config/document.h"

/* The tables of options.def: as structs, then as records and options. */

#define SECTION(title)

#define OPTION(type, name, min, max, words, flags, ...) C_##type(name, words)
#define OPTIONS(name, ...)                                                                         \
	struct name {                                                                              \
		bool is_set;                                                                       \
		__VA_ARGS__                                                                        \
	};
#include "config/options.def"
#undef OPTIONS
#undef OPTION
#undef SECTION

static const char *const word_mail_delivery[] = {NULL, "maildir", "smtp"};
static const struct words words_mail_delivery = {"mail_delivery", ARRAY_SIZE(word_mail_delivery),
						 word_mail_delivery};
static const char *const word_smtp_security[] = {NULL, "none", "starttls", "tls"};
static const struct words words_smtp_security = {"smtp_security", ARRAY_SIZE(word_smtp_security),
						 word_smtp_security};
enum { MAIL_DELIVERY_SMTP = 2 };
enum { SMTP_SECURITY_NONE = 1, SMTP_SECURITY_STARTTLS = 2, SMTPS_PORT = 465 };

#define OPTION_TABLES "config/options.def"
#include "config/option_tables.inc"

/* What options must agree on. */

static bool is_this_machine(struct str host)
{
	return str_is(host, "localhost") || str_is(host, "127.0.0.1") || str_is(host, "::1");
}

/* What may stand behind the @ of an address. */
static bool is_domain(struct str name)
{
	static const struct field address = {
		.name = "address", .type = FIELD_text, .flags = EMAIL, .min = 3, .max = 254};
	scoped(buf_done) struct buf text = {0};

	buf_printf(&text, "x@%.*s", (int)name.size, name.data);
	return text_is_good(&address, buf_str(&text));
}

static bool is_host(struct str name)
{
	struct in6_addr address;

	return is_domain(name) || inet_pton(AF_INET6, name.data, &address) == 1;
}

static void check_server(struct document *document, const struct settings *settings)
{
	if (settings->smtp_host.size && !is_host(settings->smtp_host))
		document_complain(document, "smtp_host",
				  "no name of a machine; must be one such as \"mail.exemple.fr\", "
				  "or an IP address, without port");
	if (settings->mail_domain.size && !is_domain(settings->mail_domain))
		document_complain(document, "mail_domain",
				  "no domain; must be one such as \"exemple.fr\"");
	if (settings->smtp_port == SMTPS_PORT && settings->smtp_security == SMTP_SECURITY_STARTTLS)
		document_complain(document, "smtp_security",
				  "\"starttls\" is not spoken at port 465; must be \"tls\" there");
	if (document_has(document, "smtp_ca_file") && settings->smtp_security == SMTP_SECURITY_NONE)
		document_complain(document, "smtp_ca_file",
				  "is of no use without encryption; smtp_security must be "
				  "\"starttls\" or \"tls\" with it");
}

static void check_mail(struct document *document, const struct settings *settings)
{
	bool has_user = document_has(document, "smtp_user");
	bool has_password = document_has(document, "smtp_password_file");

	if (settings->mail_delivery == MAIL_DELIVERY_SMTP) {
		if (!document_has(document, "mail_from"))
			document_complain(document, "mail_from",
					  "is missing; must be given for mail_delivery = \"smtp\"");
		if (settings->smtp_security == SMTP_SECURITY_NONE &&
		    !is_this_machine(settings->smtp_host))
			document_complain(document, "smtp_security",
					  "\"none\" is for a mail server on this machine; must be "
					  "\"starttls\" or \"tls\" for any other");
	}
	if (has_user && !has_password)
		document_complain(document, "smtp_password_file",
				  "is missing; must be given together with smtp_user");
	if (has_password && !has_user)
		document_complain(document, "smtp_user",
				  "is missing; must be given together with smtp_password_file");
}

/* "127.x.y.z:port" or "[::1]:port", as a whole. */
static bool is_loopback(const char *address)
{
	unsigned a, b, c, port;
	int end = 0;

	if (address[strspn(address, "0123456789.:[]")] != '\0')
		return false;
	if (sscanf(address, "127.%3u.%3u.%3u:%5u%n", &a, &b, &c, &port, &end) == 4)
		return address[end] == '\0' && a < 256 && b < 256 && c < 256 && port >= 1 &&
		       port <= UINT16_MAX;
	return sscanf(address, "[::1]:%5u%n", &port, &end) == 1 && address[end] == '\0' &&
	       port >= 1 && port <= UINT16_MAX;
}

static void check_tcp(struct document *document, const struct settings *settings)
{
	if (settings->intake_tcp.size && !is_loopback(settings->intake_tcp.data))
		document_complain(document, "intake_tcp",
				  "no loopback address with a port; must be one, such as "
				  "\"127.0.0.1:5570\", since TCP is in clear");
}

/* Two programs that listen at the same place would take it from each other. */
static void check_sockets(struct document *document, const struct settings *settings)
{
	const struct {
		const char *name;
		struct str path;
	} sockets[] = {
		{"gate_socket", settings->gate_socket},
		{"worker_socket", settings->worker_socket},
		{"status_socket", settings->status_socket},
		{"control_socket", settings->control_socket},
		{"intake_ipc", settings->intake_ipc},
	};

	for (size_t i = 0; i < ARRAY_SIZE(sockets); i++)
		for (size_t k = 0; k < i; k++)
			if (sockets[i].path.size && str_equal(sockets[i].path, sockets[k].path))
				document_complain(document, sockets[i].name,
						  "is the path of %s; each must have its own",
						  sockets[k].name);
}

/* "*", the text itself, or what begins as a rule that ends in ".*". */
static bool rule_allows(const char *rule, struct str text)
{
	size_t size = strlen(rule);

	if (strcmp(rule, "*") == 0 || str_is(text, rule))
		return true;
	return size > 2 && strcmp(rule + size - 2, ".*") == 0 && text.size >= size - 1 &&
	       memcmp(rule, text.data, size - 1) == 0;
}

static bool allows_any_type(const char *rule)
{
	for (uint32_t kind = 0; kind < EVENT_KIND_END; kind++) {
		const struct event_info *info = event_info_find(kind);

		if (info && info->class <= CLASS_COORDINATOR &&
		    rule_allows(rule, str_from(info->type)))
			return true;
	}
	return false;
}

static const char *rule_at(const struct list *rules, uint32_t index)
{
	return list_at(rules, struct rule_settings, index)->rule.data;
}

static void check_types(struct document *document, uint32_t sender, const struct list *types)
{
	for (uint32_t i = 0; i < types->count; i++) {
		char path[64];

		if (allows_any_type(rule_at(types, i)))
			continue;
		snprintf(path, sizeof(path), "senders[%u].types[%u]", sender, i);
		document_complain(document, path,
				  "no type that senders may send; must be one without fr.vigie., "
				  "such as \"fsl.decided\", \"fsl.*\" or \"*\"");
	}
}

static bool is_z85(struct str key)
{
	static const char others[] = ".-:+=^!/*?&<>()[]{}@%$#";

	for (size_t i = 0; i < key.size; i++) {
		char c = key.data[i];
		bool is_plain =
			(c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		if (!is_plain && !strchr(others, c))
			return false;
	}
	return true;
}

static bool has_mark(const struct document *document, uint32_t index, const char *option)
{
	char path[64];

	snprintf(path, sizeof(path), "senders[%u].%s", index, option);
	return document_has(document, path);
}

static void check_sender(struct document *document, uint32_t index,
			 const struct sender_settings *sender)
{
	char path[64];

	snprintf(path, sizeof(path), "senders[%u]", index);
	if (sender->is_set && !has_mark(document, index, "uid") &&
	    !has_mark(document, index, "key") && sender->loopback == SAID_NO)
		document_complain(document, path,
				  "nobody can be this sender; must have a uid, a key or loopback");
	snprintf(path, sizeof(path), "senders[%u].key", index);
	if (!is_z85(sender->key))
		document_complain(document, path,
				  "no CURVE key; must be 40 characters of the Z85 alphabet");
	check_types(document, index, &sender->types);
}

/* What one sender has, no other may have: it is how they are told apart. */
static void check_apart(struct document *document, uint32_t index,
			const struct sender_settings *sender, uint32_t earlier,
			const struct sender_settings *other)
{
	const struct {
		const char *option;
		bool is_same;
	} marks[] = {
		{"name", sender->name.size && str_equal(sender->name, other->name)},
		{"uid", sender->uid != SINT_NONE && sender->uid == other->uid},
		{"key", sender->key.size && str_equal(sender->key, other->key)},
		{"loopback", sender->loopback == SAID_YES && other->loopback == SAID_YES},
	};

	for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
		char path[64];

		snprintf(path, sizeof(path), "senders[%u].%s", index, marks[i].option);
		if (marks[i].is_same)
			document_complain(document, path,
					  "is that of senders[%u]; must be of one sender only",
					  earlier);
	}
}

static void check_senders(struct document *document, const struct list *senders)
{
	for (uint32_t i = 0; i < senders->count; i++) {
		const struct sender_settings *sender = list_at(senders, struct sender_settings, i);

		check_sender(document, i, sender);
		for (uint32_t k = 0; k < i; k++)
			check_apart(document, i, sender, k,
				    list_at(senders, struct sender_settings, k));
	}
}

static void check_all(struct document *document, const struct settings *settings)
{
	check_mail(document, settings);
	check_server(document, settings);
	check_tcp(document, settings);
	check_sockets(document, settings);
	check_senders(document, &settings->senders);
}

/* Into struct config. Its strings lie in an arena beside it. */

struct owned {
	struct config config;
	struct arena arena;
	uint32_t lines[ARRAY_SIZE(rows_settings)];
};

static void keep_rules(const struct list *rules, char *kept[SENDER_RULES_MAX + 1])
{
	for (uint32_t i = 0; i < rules->count; i++)
		kept[i] = (char *)rule_at(rules, i);
}

static void keep_sender(const struct sender_settings *settings, struct sender *sender)
{
	sender->name = (char *)settings->name.data;
	sender->key = (char *)settings->key.data;
	sender->uid = settings->uid == SINT_NONE ? -1 : settings->uid;
	sender->loopback = settings->loopback == SAID_YES;
	sender->rate = (uint32_t)settings->rate;
	keep_rules(&settings->sources, sender->sources);
	keep_rules(&settings->types, sender->types);
	keep_rules(&settings->subject_sources, sender->subject_sources);
}

static void keep_domain(struct config *config)
{
	char *at = config->mail_from ? strchr(config->mail_from, '@') : NULL;

	if (!config->mail_domain && at)
		config->mail_domain = at + 1;
}

static void keep_all(const struct settings *settings, struct config *config)
{
	/* Each option under its own name. */
#define KEEP_text(name, words) config->name = (char *)settings->name.data;
#define KEEP_uint(name, words) config->name = settings->name;
#define KEEP_word(name, words) config->name = (char *)words_name(&words_##words, settings->name);
#define KEEP_sint(name, words)
#define KEEP_flag(name, words)
#define KEEP_list(name, words)
#define KEEP_rule_settings(...)
#define KEEP_sender_settings(...)
#define KEEP_settings(...) __VA_ARGS__
#define SECTION(title)
#define OPTION(type, name, min, max, words, flags, ...) KEEP_##type(name, words)
#define OPTIONS(name, ...)                              KEEP_##name(__VA_ARGS__)
#include "config/options.def"
#undef OPTIONS
#undef OPTION
#undef SECTION
	keep_domain(config);
	for (uint32_t i = 0; i < settings->senders.count; i++)
		keep_sender(list_at(&settings->senders, struct sender_settings, i),
			    &config->senders[i]);
	config->sender_count = settings->senders.count;
}

static void keep_lines(const struct document *document, struct owned *owned)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows_settings); i++)
		owned->lines[i] = document_line(document, rows_settings[i].name);
}

static struct str keep_file(const char *path, struct arena *arena)
{
	return arena_copy(arena, (struct str){path, strlen(path) + 1});
}

enum err config_load(const char *path, struct config **config, struct complaints *complaints)
{
	uint32_t mistakes = complaints->count;
	struct document *document = document_open(path, complaints);
	struct owned *owned = mem_new(sizeof(*owned));
	struct config *read = &owned->config;
	struct settings settings;

	if (document) {
		document_fill(document, "", family, &record_settings, &owned->arena, &settings);
		check_all(document, &settings);
		keep_lines(document, owned);
		document_close(&document);
	}
	if (complaints->count > mistakes) {
		config_free(&read);
		return ERR_USAGE;
	}
	read->file = (char *)keep_file(path, &owned->arena).data;
	keep_all(&settings, read);
	*config = read;
	return ERR_OK;
}

/* The config is the first member of what owns it. */
void config_free(struct config **config)
{
	struct owned *owned = (struct owned *)*config;

	if (!owned)
		return;
	arena_done(&owned->arena);
	mem_free(config);
}

void config_complain(const struct config *config, struct complaints *complaints, const char *option,
		     const char *format, ...)
{
	const struct owned *owned = (const struct owned *)config;
	char sentence[512];
	va_list args;
	size_t row = 0;

	while (row < ARRAY_SIZE(rows_settings) && strcmp(rows_settings[row].name, option) != 0)
		row++;
	assert(row < ARRAY_SIZE(rows_settings));
	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	complain(complaints, config->file, owned->lines[row], option, "%s", sentence);
}

/* Senders. */

const struct sender *config_find_sender(const struct config *config, struct str name)
{
	for (uint32_t i = 0; i < config->sender_count; i++)
		if (str_is(name, config->senders[i].name))
			return &config->senders[i];
	return NULL;
}

static bool rules_allow(char *const rules[SENDER_RULES_MAX + 1], struct str text)
{
	for (size_t i = 0; rules[i]; i++)
		if (rule_allows(rules[i], text))
			return true;
	return false;
}

static bool names_allow(char *const rules[SENDER_RULES_MAX + 1], struct str text)
{
	for (size_t i = 0; rules[i]; i++)
		if (strcmp(rules[i], "*") == 0 || str_is(text, rules[i]))
			return true;
	return false;
}

bool sender_names(const struct sender *sender, struct str type)
{
	for (size_t i = 0; sender->types[i]; i++)
		if (strcmp(sender->types[i], "*") != 0 && rule_allows(sender->types[i], type))
			return true;
	return false;
}

bool sender_owns(const struct sender *sender, struct str source)
{
	return names_allow(sender->sources, source);
}

/* Its own numbers a sender may always quote. */
const char *sender_refuses(const struct sender *sender, struct str source, struct str type,
			   struct str subject_source)
{
	if (!sender_owns(sender, source))
		return "source";
	if (!rules_allow(sender->types, type))
		return "type";
	if (subject_source.size && !str_equal(subject_source, source) &&
	    !names_allow(sender->subject_sources, subject_source))
		return "subjectsource";
	return NULL;
}

void config_print_sample(struct buf *out)
{
	buf_printf(out,
		   "# vigie.conf: where things are, how large they may grow, who may send. What "
		   "decides who is visited\n# is in policy.conf. A line that begins with #name "
		   "= shows the default, or an example of what may be\n# left out or must be "
		   "given.\n");
	options_print_sample(family, &record_settings, out);
}
