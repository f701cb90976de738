#include "workers/notify/templates.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/limits.h"
#include "workers/notify/fill.h"
#include "workers/notify/mustache.h"
#include "workers/notify/samples.h"
#include "workers/notify/template_check.h"

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
	struct mustache *news[PART_COUNT];    /* nor these */
};

/* One file: which it is, and who may read what it says. */
struct reading {
	const char *folder;
	struct complaints *complaints;
	const char *name;
	enum part part;
	enum view_audience audience;
};

static struct mustache *read_template(const struct reading *reading);
static bool read_file(const char *path, struct buf *text, struct complaints *complaints);
static void drop_returns(struct buf *text);
static bool may_name(const void *context, struct str name, const struct template_tag *open,
		     uint32_t depth, struct buf *why_not);
static void print_lists(uint32_t places, struct buf *out);
static void check_samples(const struct reading *reading, struct templates *templates);
static enum err render_mail(struct templates *templates, size_t mail, enum part part,
			    struct view *view, struct buf *out) must_use;
static enum err render_part(struct templates *templates, size_t mail, enum part part,
			    struct view *view, struct buf *out) must_use;
static enum err render(struct mustache *mustache, struct view *view, struct buf *out) must_use;
static struct mustache_row tell_row(const struct view_row *row, struct arena *arena);
static bool find_mail(const struct mail_body *body, size_t *mail);
static void cut_line(struct buf *line);
static void join_blank_lines(struct buf *text);

enum err templates_open(const char *folder, struct templates **templates,
			struct complaints *complaints)
{
	struct reading reading = {.folder = folder, .complaints = complaints};
	struct templates *new = mem_new(sizeof(*new));
	uint32_t mistakes = complaints->count;

	for (reading.part = 0; reading.part < PART_COUNT; reading.part++) {
		for (size_t mail = 0; mail < MAIL_COUNT; mail++) {
			reading.name = mails[mail].name;
			reading.audience = mails[mail].audience;
			new->mails[mail][reading.part] = read_template(&reading);
		}
		if (reading.part == PART_SUBJECT)
			continue;
		reading.name = "layout";
		reading.audience = VIEW_FOR_LAYOUT;
		new->layouts[reading.part] = read_template(&reading);
		reading.name = "news";
		reading.audience = VIEW_FOR_ALL;
		new->news[reading.part] = read_template(&reading);
	}
	if (complaints->count == mistakes)
		check_samples(&reading, new);
	if (complaints->count > mistakes) {
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
		mustache_free(&old->news[part]);
	}
	mem_free(templates);
}

/* NULL, with a complaint, when something is wrong with it. */
static struct mustache *read_template(const struct reading *reading)
{
	const struct template_rules rules = {.may_name = may_name,
					     .context = reading,
					     .is_html = reading->part == PART_HTML,
					     .is_layout = reading->audience == VIEW_FOR_LAYOUT};
	uint32_t mistakes = reading->complaints->count;
	scoped(buf_done) struct buf text = {0};
	struct mustache *mustache = NULL;
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s.%s", reading->folder, reading->name,
		 part_endings[reading->part]);
	if (!read_file(path, &text, reading->complaints))
		return NULL;
	drop_returns(&text);
	template_check(path, buf_str(&text), &rules, reading->complaints);
	if (reading->complaints->count > mistakes)
		return NULL;
	if (mustache_parse(buf_str(&text), rules.is_html, &mustache) != ERR_OK)
		complain_place(reading->complaints, path, 1, 1, "no template that can be read");
	return mustache;
}

/* A pipe would make who reads it wait for ever. */
static FILE *open_regular(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat status;
	int error;

	if (fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
		return fdopen(fd, "r");
	error = fd >= 0 ? EINVAL : errno;
	if (fd >= 0)
		close(fd);
	errno = error;
	return NULL;
}

static bool read_file(const char *path, struct buf *text, struct complaints *complaints)
{
	FILE *file = open_regular(path);
	bool is_read = file != NULL;

	if (is_read) {
		text->size = fread(buf_room(text, TEMPLATE_SIZE_MAX + 1), 1, TEMPLATE_SIZE_MAX + 1,
				   file);
		is_read = !ferror(file);
	}
	if (!is_read)
		complain_place(complaints, path, 1, 1, "cannot be read: %s",
			       errno == EINVAL ? "it is no regular file" : strerror(errno));
	else if (text->size > TEMPLATE_SIZE_MAX)
		complain_place(complaints, path, 1, 1, "is too large; at most %d bytes",
			       TEMPLATE_SIZE_MAX);
	if (file)
		fclose(file);
	return is_read && text->size <= TEMPLATE_SIZE_MAX;
}

/* A file written elsewhere may end its lines with CR LF. */
static void drop_returns(struct buf *text)
{
	size_t kept = 0;

	for (size_t i = 0; i < text->size; i++) {
		if (text->data[i] != '\r' || i + 1 == text->size || text->data[i + 1] != '\n')
			text->data[kept++] = text->data[i];
	}
	text->size = kept;
}

/* A name has a value in the mail itself, or in the rows of a list that is open around it. */
static bool may_name(const void *context, struct str name, const struct template_tag *open,
		     uint32_t depth, struct buf *why_not)
{
	static const char *const readers[] = {[VIEW_FOR_PAIR] = "the mails to a pair",
					      [VIEW_FOR_COORDINATOR] = "the coordinator's mails",
					      [VIEW_FOR_LAYOUT] = "the layout"};
	const struct reading *reading = context;
	const struct view_info *info = view_find(name);
	uint32_t visible = IN_MAIL;

	for (uint32_t i = 0; i < depth; i++) {
		const struct view_info *section = view_find(open[i].name);

		if (open[i].kind == '#' && section && str_is(open[i].name, section->name))
			visible |= section->rows;
	}
	if (info == view_info(VIEW_news) && strcmp(reading->name, "news") == 0) {
		buf_printf(why_not, "is what this file says itself");
	} else if (!info) {
		buf_printf(why_not, "no such name; vigie-notify --names tells them");
	} else if (!view_is_for(info, reading->audience)) {
		buf_printf(why_not, "is for %s only", readers[info->audience]);
	} else if (!(info->places & visible)) {
		buf_printf(why_not, "says nothing here; must stand inside ");
		print_lists(info->places, why_not);
	}
	return why_not->size == 0;
}

static void print_lists(uint32_t places, struct buf *out)
{
	const char *comma = "";

	for (size_t i = 0; i < VIEW_LIST_COUNT; i++) {
		const struct view_info *list = view_list_info(i);

		if (!(list->rows & places))
			continue;
		buf_printf(out, "%s{{#%s}}", comma, list->name);
		comma = " or ";
	}
}

static bool has_words(const struct buf *text)
{
	for (size_t i = 0; i < text->size; i++)
		if ((unsigned char)text->data[i] > ' ')
			return true;
	return false;
}

/* Where `text` has words that stand on another line than its first ones: that line, else 0. */
static uint32_t find_other_line(struct str text)
{
	uint32_t line = 1, first = 0;

	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] == '\n')
			line++;
		else if ((unsigned char)text.data[i] > ' ' && first == 0)
			first = line;
		else if ((unsigned char)text.data[i] > ' ' && line != first)
			return line;
	}
	return 0;
}

/* What is no mail: words are missing, or a subject has too many lines. */
static void check_words(const struct reading *reading, const char *path, enum part part,
			const struct buf *text, const struct sample *sample)
{
	uint32_t line = part == PART_SUBJECT ? find_other_line(buf_str(text)) : 0;

	if (!has_words(text))
		complain_place(reading->complaints, path, 1, 1, "says nothing in the sample %s",
			       sample->name);
	else if (line)
		complain_place(reading->complaints, path, line, 1,
			       "a subject is one line: this would be dropped (in the sample %s)",
			       sample->name);
}

/* Without the layout, which always has words. */
static void check_sample(const struct reading *reading, struct templates *templates,
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
		char path[4096];

		if (render_mail(templates, mail, part, &view, &text) != ERR_OK)
			buf_reset(&text);
		snprintf(path, sizeof(path), "%s/%s.%s", reading->folder, mails[mail].name,
			 part_endings[part]);
		check_words(reading, path, part, &text, sample);
	}
}

/* A template that is well formed may still leave a mail without words. */
static void check_samples(const struct reading *reading, struct templates *templates)
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
	if (body->water.count && !body->alarms.count)
		return "_water";
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

/* What is shared is rendered first, and put where the mail wants it. */
static enum err render_mail(struct templates *templates, size_t mail, enum part part,
			    struct view *view, struct buf *out)
{
	scoped(buf_done) struct buf news = {0};
	enum err err = ERR_OK;

	if (part != PART_SUBJECT)
		err = render(templates->news[part], view, &news);
	if (err != ERR_OK)
		return err;
	view->mail.value[VIEW_news] = has_words(&news) ? buf_str(&news) : (struct str){0};
	err = render(templates->mails[mail][part], view, out);
	view->mail.value[VIEW_news] = (struct str){0};
	return err;
}

static enum err render_part(struct templates *templates, size_t mail, enum part part,
			    struct view *view, struct buf *out)
{
	scoped(buf_done) struct buf content = {0};
	enum err err = render_mail(templates, mail, part, view, &content);

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

/* A subject is one line, the first that has words: what follows is dropped. */
static void cut_line(struct buf *line)
{
	size_t blank = 0;
	const char *end;

	while (blank < line->size && (unsigned char)line->data[blank] <= ' ')
		blank++;
	line->size -= blank;
	if (line->size)
		memmove(line->data, line->data + blank, line->size);
	end = line->size ? memchr(line->data, '\n', line->size) : NULL;

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
