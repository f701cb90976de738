#include "config/config.h"

#include <stdio.h>
#include <stdlib.h>

#include "config/settings.h"

/* --- the tables ------------------------------------------------------------------------------- */

/* One sender, as the file has it. */
struct sender_entry {
	bool is_set;
	struct str name, key;
	uint64_t uid, rate;
	enum answer loopback;
	struct texts sources, types, subject_sources;
};

/* The options, as the file has them. */
struct file_config {
	bool is_set;
#define T_path struct str
#define T_text struct str
#define T_uint uint64_t
#define OPTION(type, name, ...) T_##type name;
#include "config/options.def"
#undef OPTION
	struct list senders;
};

#define ROW(owner, name, type, flags, min, max, record)                                            \
	{#name, sizeof(#name) - 1, type, flags, offsetof(struct owner, name), min, max, NULL, record}

static const struct field sender_fields[] = {
	ROW(sender_entry, name, FIELD_text, LINE, 1, 64, NULL),
	ROW(sender_entry, key, FIELD_text, OPTIONAL | LINE, 40, 40, NULL),
	ROW(sender_entry, uid, FIELD_uint, OPTIONAL, 0, 4294967294, NULL),
	ROW(sender_entry, loopback, FIELD_flag, OPTIONAL, 0, 0, NULL),
	ROW(sender_entry, rate, FIELD_uint, OPTIONAL, 0, 1000000, NULL),
	ROW(sender_entry, sources, FIELD_texts, 0, 1, SET_COUNT_MAX, NULL),
	ROW(sender_entry, types, FIELD_texts, 0, 1, SET_COUNT_MAX, NULL),
	ROW(sender_entry, subject_sources, FIELD_texts, OPTIONAL, 0, SET_COUNT_MAX, NULL),
};

static const struct record record_sender_entry = {"sender", sizeof(struct sender_entry),
						  ARRAY_SIZE(sender_fields), sender_fields};

#define TYPE_path FIELD_text
#define TYPE_text FIELD_text
#define TYPE_uint FIELD_uint

static const struct field config_fields[] = {
#define OPTION(type, name, value, min, max, flags, help)                                           \
	ROW(file_config, name, TYPE_##type, (flags) | OPTIONAL, min, max, NULL),
#include "config/options.def"
#undef OPTION
	ROW(file_config, senders, FIELD_list, OPTIONAL, 0, SENDERS_MAX, &record_sender_entry),
};

static const struct record record_file_config = {"vigie.conf", sizeof(struct file_config),
						 ARRAY_SIZE(config_fields), config_fields};

/* Defaults, paths and help, in the order of the file. */
enum option_type { OPTION_path, OPTION_text, OPTION_uint };

static const struct option {
	const char *name;
	enum option_type type;
	const char *text;
	uint64_t number;
	uint64_t min, max;
	const char *help;
} options[] = {
#define DEFAULT_path(value) value, 0
#define DEFAULT_text(value) value, 0
#define DEFAULT_uint(value) NULL, value
#define OPTION(type, name, value, min, max, flags, help)                                           \
	{#name, OPTION_##type, DEFAULT_##type(value), min, max, help},
#include "config/options.def"
#undef OPTION
};

struct reading {
	const char *path;
	struct complaints *complaints;
	struct settings *settings;
	struct file_config file;
};

static void wrong(struct reading *reading, const char *path, const char *what)
{
	complain(reading->complaints, reading->path, settings_line(reading->settings, path), path,
		 "%s", what);
}

static void *option_at(struct reading *reading, size_t index)
{
	return (char *)&reading->file + config_fields[index].offset;
}

static void set_defaults(struct reading *reading)
{
	record_clear(&record_file_config, &reading->file);
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		if (options[i].type == OPTION_uint)
			*(uint64_t *)option_at(reading, i) = options[i].number;
		else
			*(struct str *)option_at(reading, i) = str_from(options[i].text);
	}
}

/* --- what options must agree on --------------------------------------------------------------- */

static void check_delivery(struct reading *reading)
{
	const struct file_config *file = &reading->file;
	bool is_local = str_is(file->smtp_host, "localhost") ||
			str_is(file->smtp_host, "127.0.0.1") || str_is(file->smtp_host, "::1");

	if (!str_is(file->mail_delivery, "maildir") && !str_is(file->mail_delivery, "smtp"))
		wrong(reading, "mail_delivery", "\"maildir\" or \"smtp\" is expected");
	if (!str_is(file->smtp_security, "none") && !str_is(file->smtp_security, "starttls") &&
	    !str_is(file->smtp_security, "tls"))
		wrong(reading, "smtp_security", "\"none\", \"starttls\" or \"tls\" is expected");
	if (str_is(file->mail_delivery, "smtp") && str_is(file->smtp_security, "none") && !is_local)
		wrong(reading, "smtp_security",
		      "\"none\" is for a mail server on this machine; \"starttls\" or \"tls\" is "
		      "expected");
}

/* 127.x.y.z:port or [::1]:port. */
static bool is_loopback(struct str address)
{
	const char *colon = memrchr(address.data, ':', address.size);
	size_t host = colon ? (size_t)(colon - address.data) : 0;
	unsigned a, b, c;
	char copy[64] = "", rest;

	if (!colon || address.size >= sizeof(copy) || host + 1 == address.size)
		return false;
	for (size_t i = host + 1; i < address.size; i++)
		if (address.data[i] < '0' || address.data[i] > '9')
			return false;
	memcpy(copy, address.data, host);
	if (strcmp(copy, "[::1]") == 0)
		return true;
	return sscanf(copy, "127.%3u.%3u.%3u%c", &a, &b, &c, &rest) == 3 && a < 256 && b < 256 &&
	       c < 256;
}

static void check_intake(struct reading *reading)
{
	if (reading->file.intake_tcp.size && !is_loopback(reading->file.intake_tcp))
		wrong(reading, "intake_tcp",
		      "only a loopback address is served in clear (127.0.0.0/8 or [::1], with a "
		      "port): \"127.0.0.1:5570\"");
}

static void check_sender(struct reading *reading, uint32_t index)
{
	const struct list *senders = &reading->file.senders;
	const struct sender_entry *sender = list_at(senders, struct sender_entry, index);
	bool has_uid = sender->uid != UINT_NONE, is_loop = sender->loopback == SAID_YES;
	char path[32];

	snprintf(path, sizeof(path), "senders[%u]", index);
	if (!has_uid && !is_loop && !sender->key.size)
		wrong(reading, path, "nobody can be this sender; uid, key or loopback is expected");
	for (uint32_t i = 0; i < index; i++) {
		const struct sender_entry *other = list_at(senders, struct sender_entry, i);

		if (str_equal(other->name, sender->name))
			wrong(reading, path, "another sender has this name");
		if (has_uid && other->uid == sender->uid)
			wrong(reading, path, "another sender has this uid");
		if (is_loop && other->loopback == SAID_YES)
			wrong(reading, path, "another sender stands for loopback");
	}
}

static void check_all(struct reading *reading)
{
	check_delivery(reading);
	check_intake(reading);
	for (uint32_t i = 0; i < reading->file.senders.count; i++)
		check_sender(reading, i);
}

/* --- into struct config ----------------------------------------------------------------------- */

static char *keep(struct str text)
{
	return text.size ? mem_copy(text) : NULL;
}

/* Paths begin at the file's own folder. */
static char *keep_path(const struct reading *reading, struct str path)
{
	const char *slash = strrchr(reading->path, '/');
	struct buf joined = {0};
	char *kept;

	if (!path.size || path.data[0] == '/' || !slash)
		return keep(path);
	buf_printf(&joined, "%.*s/%.*s", (int)(slash - reading->path), reading->path,
		   (int)path.size, path.data);
	kept = mem_copy(buf_str(&joined));
	buf_done(&joined);
	return kept;
}

static void keep_texts(const struct texts *texts, char *kept[SENDER_RULES_MAX + 1])
{
	for (uint32_t i = 0; i < texts->count; i++)
		kept[i] = mem_copy(texts->item[i]);
}

static void keep_sender(const struct sender_entry *entry, struct sender *sender)
{
	sender->name = keep(entry->name);
	sender->key = keep(entry->key);
	sender->uid = entry->uid == UINT_NONE ? -1 : (int64_t)entry->uid;
	sender->loopback = entry->loopback == SAID_YES;
	sender->rate = entry->rate == UINT_NONE ? 0 : (uint32_t)entry->rate;
	keep_texts(&entry->sources, sender->sources);
	keep_texts(&entry->types, sender->types);
	keep_texts(&entry->subject_sources, sender->subject_sources);
}

static char *mail_domain(const struct file_config *file)
{
	const char *at = file->mail_from.size ? memchr(file->mail_from.data, '@', file->mail_from.size)
					      : NULL;

	if (file->mail_domain.size || !at)
		return keep(file->mail_domain);
	return mem_copy((struct str){at + 1, (size_t)(file->mail_from.data + file->mail_from.size -
						      at - 1)});
}

static struct config *keep_all(const struct reading *reading)
{
	struct config *config = mem_new(sizeof(*config));
	const struct file_config *file = &reading->file;

	config->file = mem_copy(str_from(reading->path));
	config->state_dir = keep_path(reading, file->state_dir);
	config->policy_file = keep_path(reading, file->policy_file);
	config->key_file = keep_path(reading, file->key_file);
	config->gate_socket = keep_path(reading, file->gate_socket);
	config->worker_socket = keep_path(reading, file->worker_socket);
	config->status_socket = keep_path(reading, file->status_socket);
	config->control_socket = keep_path(reading, file->control_socket);
	config->intake_ipc = keep_path(reading, file->intake_ipc);
	config->intake_tcp = keep(file->intake_tcp);
	config->journal_size_max = file->journal_size_mib << 20;
	config->disk_free_min = file->disk_free_min_mib << 20;
	config->snapshot_every = file->snapshot_every;
	config->mail_delivery = keep(file->mail_delivery);
	config->mail_maildir = keep_path(reading, file->mail_maildir);
	config->mail_from = keep(file->mail_from);
	config->mail_from_name = keep(file->mail_from_name);
	config->mail_domain = mail_domain(file);
	config->mail_templates = keep_path(reading, file->mail_templates);
	config->mail_journal = keep_path(reading, file->mail_journal);
	config->smtp_host = keep(file->smtp_host);
	config->smtp_port = (uint32_t)file->smtp_port;
	config->smtp_security = keep(file->smtp_security);
	config->smtp_user = keep(file->smtp_user);
	config->smtp_password_file = keep_path(reading, file->smtp_password_file);
	config->smtp_ca_file = keep_path(reading, file->smtp_ca_file);
	for (uint32_t i = 0; i < file->senders.count; i++)
		keep_sender(list_at(&file->senders, struct sender_entry, i), &config->senders[i]);
	config->sender_count = file->senders.count;
	return config;
}

enum err config_load(const char *path, struct config **config, struct complaints *complaints)
{
	struct reading reading = {.path = path, .complaints = complaints};
	uint32_t before = complaints->count;
	struct arena arena = {0};
	enum err err = settings_open(path, &arena, complaints, &reading.settings);

	if (!err) {
		set_defaults(&reading);
		settings_read(reading.settings, &record_file_config, &reading.file);
		check_all(&reading);
		err = complaints->count > before ? ERR_USAGE : ERR_OK;
	}
	if (!err)
		*config = keep_all(&reading);
	settings_close(&reading.settings);
	arena_done(&arena);
	return err;
}

static void free_texts(char *texts[SENDER_RULES_MAX + 1])
{
	for (size_t i = 0; texts[i]; i++)
		free(texts[i]);
}

void config_free(struct config **config)
{
	struct config *old = *config;

	if (!old)
		return;
	char **texts[] = {&old->file,	       &old->state_dir,	     &old->policy_file,
			  &old->key_file,      &old->gate_socket,    &old->worker_socket,
			  &old->status_socket, &old->control_socket, &old->intake_ipc,
			  &old->intake_tcp,    &old->mail_delivery,  &old->mail_maildir,
			  &old->mail_from,     &old->mail_from_name, &old->mail_domain,
			  &old->mail_templates, &old->mail_journal,  &old->smtp_host,
			  &old->smtp_security, &old->smtp_user,	     &old->smtp_password_file,
			  &old->smtp_ca_file};
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		free(*texts[i]);
	for (uint32_t i = 0; i < old->sender_count; i++) {
		free(old->senders[i].name);
		free(old->senders[i].key);
		free_texts(old->senders[i].sources);
		free_texts(old->senders[i].types);
		free_texts(old->senders[i].subject_sources);
	}
	free(old);
	*config = NULL;
}

/* --- senders ---------------------------------------------------------------------------------- */

const struct sender *config_find_sender(const struct config *config, struct str name)
{
	for (uint32_t i = 0; i < config->sender_count; i++)
		if (str_is(name, config->senders[i].name))
			return &config->senders[i];
	return NULL;
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

static bool rules_allow(char *const rules[SENDER_RULES_MAX + 1], struct str text)
{
	for (size_t i = 0; rules[i]; i++)
		if (rule_allows(rules[i], text))
			return true;
	return false;
}

bool sender_owns(const struct sender *sender, struct str source)
{
	return rules_allow(sender->sources, source);
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
	    !rules_allow(sender->subject_sources, subject_source))
		return "subjectsource";
	return NULL;
}

/* --- the sample ------------------------------------------------------------------------------- */

static void print_option(const struct option *option, struct buf *out)
{
	bool has_default = option->type == OPTION_uint || option->text[0];

	if (option->help[0])
		buf_printf(out, "\n# %s", option->help);
	if (option->type == OPTION_uint)
		buf_printf(out, "%s (%llu to %llu)", option->help[0] ? "" : "\n# ",
			   (unsigned long long)option->min, (unsigned long long)option->max);
	buf_printf(out, "\n%s%s = ", has_default ? "" : "# ", option->name);
	if (option->type == OPTION_uint)
		buf_printf(out, "%llu;\n", (unsigned long long)option->number);
	else
		buf_printf(out, "\"%s\";\n", option->text);
}

void config_print_sample(struct buf *out)
{
	buf_printf(out, "# vigie.conf: where things are, who may send. What decides who is visited "
			"is in policy.conf.\n# Paths that are not absolute begin at this file's "
			"folder. What is left out holds the value below.\n");
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		print_option(&options[i], out);
	buf_printf(out,
		   "\n# Who may send: a uid of this machine (on ipc), or loopback = true for the one "
		   "sender that\n# TCP on loopback stands for; which sources, which types (without "
		   "fr.vigie., \"*\" or \"fsl.*\"),\n# whose numbers it may quote besides its own; "
		   "rate in events a second.\nsenders = (\n  { name = \"fsl\"; uid = 1001; sources = "
		   "[ \"urn:jura:fsl\" ]; types = [ \"fsl.*\" ];\n    subject_sources = [ ]; rate = "
		   "1000; }\n);\n");
}
