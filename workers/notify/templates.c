#include "workers/notify/templates.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "workers/notify/mustache.h"

enum { TEMPLATE_SIZE_MAX = 256 * 1024 };

enum part { PART_SUBJECT, PART_TEXT, PART_HTML, PART_COUNT };

static const char *const part_endings[] = {
	[PART_SUBJECT] = "subject", [PART_TEXT] = "txt", [PART_HTML] = "html"};

static const struct {
	const char *name;
	enum view_audience audience;
} mails[] = {
#define ROW(name, audience) {#name, VIEW_FOR_##audience},
	TEMPLATE_TABLE(ROW)
#undef ROW
};
enum { MAIL_COUNT = ARRAY_SIZE(mails) };

struct templates {
	struct mustache *mails[MAIL_COUNT][PART_COUNT];
	struct mustache *layouts[PART_COUNT]; /* a subject has none */
};

struct reading {
	const char *folder;
	struct buf *complaints;
	bool is_wrong;
};

static void read_template(struct reading *reading, const char *name, enum part part,
			  enum view_audience audience, struct mustache **mustache);
static enum err read_file(const char *path, struct buf *text) must_use;
static bool knows_name(const void *context, struct str name);
static enum err render_part(struct templates *templates, size_t mail, enum part part,
			    struct view *view, struct buf *out) must_use;
static enum err render(struct mustache *mustache, const struct view *view,
		       struct buf *out) must_use;
static bool find_mail(const struct mail_body *body, size_t *mail);
static void cut_line(struct buf *line);
static void join_blank_lines(struct buf *text);

enum err templates_open(const char *folder, struct templates **templates, struct buf *complaints)
{
	struct reading reading = {folder, complaints, false};
	struct templates *new = mem_new(sizeof(*new));

	for (size_t mail = 0; mail < MAIL_COUNT; mail++) {
		for (enum part part = 0; part < PART_COUNT; part++)
			read_template(&reading, mails[mail].name, part, mails[mail].audience,
				      &new->mails[mail][part]);
	}
	read_template(&reading, "layout", PART_TEXT, VIEW_FOR_LAYOUT, &new->layouts[PART_TEXT]);
	read_template(&reading, "layout", PART_HTML, VIEW_FOR_LAYOUT, &new->layouts[PART_HTML]);
	if (reading.is_wrong) {
		templates_close(&new);
		return ERR_USAGE;
	}
	*templates = new;
	return ERR_OK;
}

void templates_close(struct templates **templates)
{
	struct templates *old = *templates;

	if (!old)
		return;
	for (enum part part = 0; part < PART_COUNT; part++) {
		for (size_t mail = 0; mail < MAIL_COUNT; mail++)
			mustache_free(&old->mails[mail][part]);
		mustache_free(&old->layouts[part]);
	}
	mem_free(templates);
}

static void read_template(struct reading *reading, const char *name, enum part part,
			  enum view_audience audience, struct mustache **mustache)
{
	scoped(buf_done) struct buf text = {0};
	struct mustache_mistake mistake;
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s.%s", reading->folder, name, part_endings[part]);
	if (read_file(path, &text) != ERR_OK) {
		buf_printf(reading->complaints, "%s: cannot be read, or is longer than %d bytes\n",
			   path, TEMPLATE_SIZE_MAX);
		reading->is_wrong = true;
		return;
	}
	if (mustache_parse(buf_str(&text), part == PART_HTML, knows_name, &audience, mustache,
			   &mistake) != ERR_OK) {
		buf_printf(reading->complaints, "%s:%u: %s\n", path, mistake.line, mistake.text);
		reading->is_wrong = true;
	}
}

static bool knows_name(const void *context, struct str name)
{
	return view_has_name(*(const enum view_audience *)context, name);
}

static enum err read_file(const char *path, struct buf *text)
{
	FILE *file = fopen(path, "re");
	bool is_whole;
	size_t size;

	if (!file)
		return ERR_IO;
	size = fread(buf_room(text, TEMPLATE_SIZE_MAX), 1, TEMPLATE_SIZE_MAX, file);
	text->size = size;
	is_whole = size < TEMPLATE_SIZE_MAX && !ferror(file);
	fclose(file);
	return is_whole ? ERR_OK : ERR_IO;
}

enum err templates_render(struct templates *templates, const struct mail_body *body,
			  struct mail_text *out)
{
	scoped(view_done) struct view view;
	enum err err = ERR_OK;
	size_t mail;

	view_init(&view, body);
	if (!find_mail(body, &mail))
		return ERR_NOT_FOUND;
	err = render(templates->mails[mail][PART_SUBJECT], &view, &out->subject);
	if (err != ERR_OK)
		return err;
	cut_line(&out->subject);
	view.value[VIEW_subject] = buf_str(&out->subject);
	err = render_part(templates, mail, PART_TEXT, &view, &out->text);
	if (err != ERR_OK)
		return err;
	join_blank_lines(&out->text);
	return render_part(templates, mail, PART_HTML, &view, &out->html);
}

void mail_text_done(struct mail_text *text)
{
	buf_done(&text->subject);
	buf_done(&text->text);
	buf_done(&text->html);
}

static bool find_mail(const struct mail_body *body, size_t *mail)
{
	enum view_audience audience = body->to_pair == SAID_YES ? VIEW_FOR_PAIR : VIEW_FOR_ALL;
	char name[64];

	snprintf(name, sizeof(name), "%s%s", words_name(&words_template, body->template),
		 audience == VIEW_FOR_PAIR ? "_pair" : "");
	for (*mail = 0; *mail < MAIL_COUNT; ++*mail) {
		if (str_is(str_from(mails[*mail].name), name))
			return true;
	}
	return false;
}

static enum err render_part(struct templates *templates, size_t mail, enum part part,
			    struct view *view, struct buf *out)
{
	scoped(buf_done) struct buf content = {0};
	enum err err = render(templates->mails[mail][part], view, &content);

	if (err != ERR_OK)
		return err;
	view->value[VIEW_content] = buf_str(&content);
	err = render(templates->layouts[part], view, out);
	view->value[VIEW_content] = (struct str){0};
	return err;
}

static enum err render(struct mustache *mustache, const struct view *view, struct buf *out)
{
	struct mustache_value values[VIEW_COUNT];

	for (size_t i = 0; i < VIEW_COUNT; i++)
		values[i] = (struct mustache_value){view_name(i), view->value[i]};
	return mustache_render(mustache, values, VIEW_COUNT, out);
}

/* A subject is one line: what follows the first is dropped. */
static void cut_line(struct buf *line)
{
	const char *end = line->size ? memchr(line->data, '\n', line->size) : NULL;

	if (end)
		line->size = end - line->data;
	while (line->size && (unsigned char)line->data[line->size - 1] <= ' ')
		line->size--;
}

/* Sections that were left out leave blank lines behind: of several, one stays. */
static void join_blank_lines(struct buf *text)
{
	size_t kept = 0, newlines = 0;

	for (size_t i = 0; i < text->size; i++) {
		newlines = text->data[i] == '\n' ? newlines + 1 : 0;
		if (newlines <= 2)
			text->data[kept++] = text->data[i];
	}
	text->size = kept;
}
