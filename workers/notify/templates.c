#include "workers/notify/templates.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "workers/notify/fill.h"
#include "workers/notify/mustache.h"
#include "workers/notify/samples.h"

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

/* Which names have a value at a place of a template: those of the mail, and of the lists that are open. */
enum { SCOPE_DEPTH_MAX = 8 };
struct scope {
	enum view_audience audience;
	uint32_t visible[SCOPE_DEPTH_MAX];
	uint32_t depth;
};

struct reading {
	const char *folder;
	struct buf *complaints;
	bool is_wrong;
};

static void read_template(struct reading *reading, const char *name, enum part part,
			  enum view_audience audience, struct mustache **mustache);
static enum err read_file(const char *path, struct buf *text) must_use;
static bool knows_name(void *context, char sigil, struct str name);
static void check_samples(struct reading *reading, struct templates *templates);
static enum err render_part(struct templates *templates, size_t mail, enum part part,
			    struct view *view, struct buf *out) must_use;
static enum err render(struct mustache *mustache, struct view *view, struct buf *out) must_use;
static struct mustache_row tell_row(const struct view_row *row, struct arena *arena);
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
	if (!reading.is_wrong)
		check_samples(&reading, new);
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
	struct scope scope = {.audience = audience, .visible = {IN_MAIL}};
	struct mustache_mistake mistake;
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s.%s", reading->folder, name, part_endings[part]);
	if (read_file(path, &text) != ERR_OK) {
		buf_printf(reading->complaints, "%s: cannot be read, or is longer than %d bytes\n",
			   path, TEMPLATE_SIZE_MAX);
		reading->is_wrong = true;
		return;
	}
	if (mustache_parse(buf_str(&text), part == PART_HTML, knows_name, &scope, mustache,
			   &mistake) != ERR_OK) {
		buf_printf(reading->complaints, "%s:%u: %s\n", path, mistake.line, mistake.text);
		reading->is_wrong = true;
	}
}

static bool knows_name(void *context, char sigil, struct str name)
{
	struct scope *scope = context;
	const struct view_info *info = view_find(name);
	uint32_t visible = scope->visible[scope->depth];
	bool is_list = info && info->rows && str_is(name, info->name);

	if (!info || !view_is_for(info, scope->audience))
		return false;
	if (sigil == '/') {
		scope->depth -= is_list && scope->depth;
		return true;
	}
	if ((sigil == '#' || sigil == '^') && is_list && scope->depth + 1 < SCOPE_DEPTH_MAX)
		scope->visible[++scope->depth] = visible | (sigil == '#' ? info->rows : 0);
	return info->places & visible;
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

static bool has_words(const struct buf *text)
{
	for (size_t i = 0; i < text->size; i++)
		if ((unsigned char)text->data[i] > ' ')
			return true;
	return false;
}

/* Without the layout, which always has words. */
static void check_sample(struct reading *reading, struct templates *templates,
			 const struct sample *sample)
{
	scoped(arena_done) struct arena arena = {0};
	scoped(view_done) struct view view;
	struct mail_body body;
	size_t mail;

	sample_read(sample, &arena, &body);
	view_init(&view, &body, STR("SLIME"));
	if (!find_mail(&body, &mail))
		return;
	for (enum part part = 0; part < PART_COUNT; part++) {
		scoped(buf_done) struct buf text = {0};

		if (render(templates->mails[mail][part], &view, &text) == ERR_OK &&
		    has_words(&text))
			continue;
		buf_printf(reading->complaints, "%s/%s.%s: says nothing in the sample %s\n",
			   reading->folder, mails[mail].name, part_endings[part], sample->name);
		reading->is_wrong = true;
	}
}

/* A template that is well formed may still leave a mail without words. */
static void check_samples(struct reading *reading, struct templates *templates)
{
	for (uint32_t i = 0; i < sample_count(); i++)
		check_sample(reading, templates, sample_at(i));
}

enum err templates_render(struct templates *templates, const struct mail_body *body,
			  struct str service, struct mail_text *out)
{
	scoped(view_done) struct view view;
	enum err err = ERR_OK;
	size_t mail;

	view_init(&view, body, service);
	if (!find_mail(body, &mail))
		return ERR_NOT_FOUND;
	err = render(templates->mails[mail][PART_SUBJECT], &view, &out->subject);
	if (err != ERR_OK)
		return err;
	cut_line(&out->subject);
	view.mail.value[VIEW_subject] = buf_str(&out->subject);
	err = render_part(templates, mail, PART_TEXT, &view, &out->text);
	if (err != ERR_OK)
		return err;
	join_blank_lines(&out->text);
	fill_lines(&out->text);
	return render_part(templates, mail, PART_HTML, &view, &out->html);
}

void mail_text_done(struct mail_text *text)
{
	buf_done(&text->subject);
	buf_done(&text->text);
	buf_done(&text->html);
}

/* What a mail's files are called beyond the template's own word. */
static const char *suffix_of(const struct mail_body *body)
{
	if (body->to_pair == SAID_YES)
		return "_pair";
	if (body->template != TEMPLATE_COORDINATOR)
		return body->to_coordinator == SAID_YES ? "_coordinator" : "";
	if (body->case_number != UINT_NONE)
		return "_cut";
	return body->import.is_set ? "_import" : "_alarms";
}

/* The coordinator also reads what was due to givers who have left. */
static bool may_read(const struct mail_body *body, enum view_audience audience)
{
	if (body->to_pair == SAID_YES)
		return audience == VIEW_FOR_PAIR;
	return audience == VIEW_FOR_ALL ||
	       (audience == VIEW_FOR_COORDINATOR && body->to_coordinator == SAID_YES);
}

static bool find_mail(const struct mail_body *body, size_t *mail)
{
	const char *const suffixes[] = {suffix_of(body), ""};

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		char name[64];

		snprintf(name, sizeof(name), "%s%s", words_name(&words_template, body->template),
			 suffixes[i]);
		for (*mail = 0; *mail < MAIL_COUNT; ++*mail)
			if (str_is(str_from(mails[*mail].name), name) &&
			    may_read(body, mails[*mail].audience))
				return true;
	}
	return false;
}

const char *templates_name(const struct mail_body *body)
{
	size_t mail;

	return find_mail(body, &mail) ? mails[mail].name : NULL;
}

static enum err render_part(struct templates *templates, size_t mail, enum part part,
			    struct view *view, struct buf *out)
{
	scoped(buf_done) struct buf content = {0};
	enum err err = render(templates->mails[mail][part], view, &content);

	if (err != ERR_OK)
		return err;
	view->mail.value[VIEW_content] = buf_str(&content);
	err = render(templates->layouts[part], view, out);
	view->mail.value[VIEW_content] = (struct str){0};
	return err;
}

static enum err render(struct mustache *mustache, struct view *view, struct buf *out)
{
	struct mustache_row row = tell_row(&view->mail, &view->arena);

	return mustache_render(mustache, &row, out);
}

static struct mustache_value tell_list(const char *name, const struct view_list *list,
				       struct arena *arena)
{
	struct mustache_row *rows = arena_new(arena, list->count * sizeof(*rows));

	for (uint32_t i = 0; i < list->count; i++)
		rows[i] = tell_row(&list->rows[i], arena);
	return (struct mustache_value){name, .is_list = true, .rows = rows,
				       .row_count = list->count};
}

/* All names of the row's place, those without a value too: no row shows what stands around it. */
static struct mustache_row tell_row(const struct view_row *row, struct arena *arena)
{
	struct mustache_value *values =
		arena_new(arena, (VIEW_COUNT + 2 * VIEW_LIST_COUNT) * sizeof(*values));
	uint32_t count = 0;

	for (size_t i = 0; i < VIEW_COUNT; i++)
		if (view_info(i)->places & row->place)
			values[count++] =
				(struct mustache_value){view_info(i)->name, row->value[i]};
	for (size_t i = 0; i < VIEW_LIST_COUNT; i++) {
		if (!(view_list_info(i)->places & row->place))
			continue;
		values[count++] = tell_list(view_list_info(i)->name, &row->list[i], arena);
		values[count++] = (struct mustache_value){
			view_list_info(i)->any, row->list[i].count ? STR("1") : (struct str){0}};
	}
	return (struct mustache_row){values, count};
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
