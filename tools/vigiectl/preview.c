#include "tools/vigiectl/preview.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "proto/json.h"
#include "tools/vigiectl/terminal.h"
#include "workers/notify/calendar.h"
#include "workers/notify/compose.h"
#include "workers/notify/samples.h"

/* What all mails of one call share. */
struct preview {
	const struct session *session;
	const char *template, *html, *all; /* options, or NULL */
	struct config *config;             /* NULL: there is none that can be read */
	struct config sender;              /* who writes, from the config or made up */
	struct templates *templates;
};

static int open_preview(struct preview *preview, const char *templates);
static void close_preview(struct preview *preview);
static int show_task(struct preview *preview, const struct command *command,
		     struct session *session, uint64_t task);
static int show_samples(struct preview *preview);
static int write_samples(struct preview *preview);
static int show_mail(struct preview *preview, const struct mail_body *body);
static void print_mail(const struct preview *preview, const struct mail_body *body,
		       const struct composed *composed);
static int write_file(const char *path, struct str text);

int special_mail_preview(const struct command *command, struct session *session, json_t *params)
{
	const json_t *task = json_object_get(params, "task");
	struct preview preview = {
		.session = session,
		.template = json_string_value(json_object_get(params, "template")),
		.html = json_string_value(json_object_get(params, "html")),
		.all = json_string_value(json_object_get(params, "all")),
	};
	int status;

	if ((task != NULL) + (preview.template != NULL) + (preview.all != NULL) != 1)
		return command_misused(command, params,
				       "TASK, --template or --all is expected, one of them");
	if (preview.all && preview.html)
		return command_misused(command, params,
				       "--all writes HTML too: --html is for one mail");

	status = open_preview(&preview, json_string_value(json_object_get(params, "templates")));
	if (!status && task)
		status = show_task(&preview, command, session, (uint64_t)json_integer_value(task));
	else if (!status)
		status = preview.all ? write_samples(&preview) : show_samples(&preview);
	close_preview(&preview);
	json_decref(params);
	return status;
}

/* --- what is needed --- */

/* Without a vigie.conf that says who writes, somebody of the samples does. */
static void choose_sender(struct preview *preview)
{
	static const struct config made_up = {.mail_from = "slime@exemple.test",
					      .mail_from_name = "SLIME",
					      .mail_domain = "exemple.test"};
	const struct config *config = preview->config;

	preview->sender = made_up;
	if (!config || !config->mail_from)
		return;
	preview->sender.mail_from = config->mail_from;
	preview->sender.mail_from_name = config->mail_from_name;
	preview->sender.mail_domain = config->mail_domain;
}

static int tell(const struct complaints *complaints, int status)
{
	fprintf(stderr, "%.*s", (int)complaints->text.size, complaints->text.data);
	return status;
}

static int open_preview(struct preview *preview, const char *templates)
{
	struct complaints complaints = {0};
	int status = STATUS_OK;

	if (config_load(preview->session->config, &preview->config, &complaints) != ERR_OK) {
		config_free(&preview->config);
		if (!templates)
			status = tell(&complaints, STATUS_USAGE);
	}
	buf_reset(&complaints.text);
	choose_sender(preview);
	compose_init();
	if (!templates && !status)
		templates = preview->config->mail_templates;
	if (!status && templates_open(templates, &preview->templates, &complaints) != ERR_OK)
		status = tell(&complaints, STATUS_REFUSED);
	buf_done(&complaints.text);
	return status;
}

static void close_preview(struct preview *preview)
{
	templates_close(&preview->templates);
	config_free(&preview->config);
}

/* --- a task of the core --- */

static int show_answer(struct preview *preview, const json_t *json)
{
	scoped(arena_done) struct arena arena = {0};
	struct mail_body body;
	struct fault fault;

	if (!json || record_from_json(&record_mail_body, json, "", &arena, &body, &fault)) {
		fputs("vigiectl: what the core tells of this mail is not as agreed\n", stderr);
		return STATUS_REFUSED;
	}
	return show_mail(preview, &body);
}

static int show_task(struct preview *preview, const struct command *command,
		     struct session *session, uint64_t task)
{
	json_t *answer;
	int status = session_call(session, command->socket, false, command->method,
				  json_pack("{s:I}", "task", (json_int_t)task), &answer);

	if (status)
		return status;
	status = show_answer(preview, json_object_get(answer, "body"));
	json_decref(answer);
	return status;
}

/* --- samples --- */

/* A template has a sample of its own name. HTML is written of one mail: then that one is meant. */
static bool is_wanted(const struct preview *preview, const struct sample *sample)
{
	if (strcmp(sample->name, preview->template) == 0)
		return true;
	return !preview->html && strcmp(sample->mail, preview->template) == 0;
}

static uint32_t count_wanted(const struct preview *preview)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < sample_count(); i++)
		count += is_wanted(preview, sample_at(i));
	return count;
}

/* "no such template; there are: ack deferred …" */
static int refuse_name(void)
{
	const char *last = "";

	fputs("vigiectl mail preview: --template: no such template; there are:", stderr);
	for (uint32_t i = 0; i < sample_count(); i++) {
		const char *name = sample_at(i)->mail;

		if (strcmp(name, last) != 0)
			fprintf(stderr, " %s", name);
		last = name;
	}
	fputc('\n', stderr);
	return STATUS_USAGE;
}

static int show_sample(struct preview *preview, const struct sample *sample)
{
	scoped(arena_done) struct arena arena = {0};
	struct mail_body body;

	sample_read(sample, &arena, &body);
	if (!preview->session->as_json) {
		terminal_print(STYLE_HEADING, str_from(sample->name));
		puts("\n");
	}
	return show_mail(preview, &body);
}

static int show_samples(struct preview *preview)
{
	int worst = STATUS_OK;

	if (!count_wanted(preview))
		return refuse_name();
	for (uint32_t i = 0; i < sample_count(); i++) {
		int status;

		if (!is_wanted(preview, sample_at(i)))
			continue;
		status = show_sample(preview, sample_at(i));
		if (status > worst)
			worst = status;
	}
	return worst;
}

/* --- all samples into a folder --- */

static int write_part(const struct preview *preview, const char *name, const char *ending,
		      const struct buf *text)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s.%s", preview->all, name, ending);
	return write_file(path, buf_str(text));
}

static int write_sample(struct preview *preview, const struct sample *sample)
{
	scoped(composed_done) struct composed composed = {0};
	scoped(arena_done) struct arena arena = {0};
	struct mail_body body;
	int status;

	sample_read(sample, &arena, &body);
	if (compose_mail(preview->templates, &preview->sender, &body, &composed) != ERR_OK)
		return STATUS_REFUSED;
	status = write_part(preview, sample->name, "txt", &composed.text.text);
	if (!status)
		status = write_part(preview, sample->name, "html", &composed.text.html);
	if (!status)
		status = write_part(preview, sample->name, "eml", &composed.message);
	return status;
}

static int write_samples(struct preview *preview)
{
	int status = STATUS_OK;

	if (mkdir(preview->all, 0777) != 0 && errno != EEXIST) {
		fprintf(stderr, "vigiectl: %s: %s\n", preview->all, strerror(errno));
		return STATUS_REFUSED;
	}
	for (uint32_t i = 0; i < sample_count() && !status; i++)
		status = write_sample(preview, sample_at(i));
	if (!status)
		printf("%u mails, each as .txt, .html and .eml, are in %s\n", sample_count(),
		       preview->all);
	return status;
}

/* --- one mail --- */

static int show_mail(struct preview *preview, const struct mail_body *body)
{
	scoped(composed_done) struct composed composed = {0};

	if (preview->session->as_json) {
		json_t *json = record_to_json(&record_mail_body, body, 0);

		json_dumpf(json, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(json);
	}
	if (compose_mail(preview->templates, &preview->sender, body, &composed) != ERR_OK) {
		fputs("vigiectl: no template makes this mail for this reader\n", stderr);
		return STATUS_REFUSED;
	}
	if (!preview->session->as_json)
		print_mail(preview, body, &composed);
	return preview->html ? write_file(preview->html, buf_str(&composed.text.html)) : STATUS_OK;
}

static void print_line(const char *label, struct str name, struct str address)
{
	scoped(arena_done) struct arena arena = {0};

	name = terminal_clean(&arena, name);
	address = terminal_clean(&arena, address);
	printf("%-9s%.*s", label, (int)name.size, name.data);
	if (address.size)
		printf(name.size ? " <%.*s>" : "%.*s", (int)address.size, address.data);
	putchar('\n');
}

/* Line by line: what stands in a line must not command the terminal. */
static void print_text(struct str text)
{
	scoped(arena_done) struct arena arena = {0};

	while (text.size) {
		const char *end = memchr(text.data, '\n', text.size);
		size_t size = end ? (size_t)(end - text.data) : text.size;

		terminal_print(STYLE_PLAIN, terminal_clean(&arena, (struct str){text.data, size}));
		putchar('\n');
		size += end != NULL;
		text = (struct str){text.data + size, text.size - size};
	}
}

static void print_mail(const struct preview *preview, const struct mail_body *body,
		       const struct composed *composed)
{
	print_line("From", str_from(preview->sender.mail_from_name),
		   str_from(preview->sender.mail_from));
	print_line("To", body->to.name, body->to.email);
	print_line("Subject", buf_str(&composed->text.subject), (struct str){0});
	if (composed->calendar.size)
		print_line("Calendar", str_from(calendar_method_name(calendar_method(body))),
			   (struct str){0});
	putchar('\n');
	print_text(buf_str(&composed->text.text));
	putchar('\n');
}

static int write_file(const char *path, struct str text)
{
	FILE *file = fopen(path, "we");
	bool is_written = file && fwrite(text.data, 1, text.size, file) == text.size;

	if (file && fclose(file) != 0)
		is_written = false;
	if (!is_written)
		fprintf(stderr, "vigiectl: %s: %s\n", path, strerror(errno));
	return is_written ? STATUS_OK : STATUS_REFUSED;
}
