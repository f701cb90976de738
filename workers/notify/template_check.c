#include "workers/notify/template_check.h"

#include <stdarg.h>
#include <stdio.h>

#include "proto/text.h"
#include "proto/limits.h"

struct check {
	const char *path;
	struct str text;
	const struct template_rules *rules;
	struct complaints *complaints;
	struct template_position position;
	struct template_tag open[TEMPLATE_DEPTH_MAX]; /* sections, the outermost first */
	uint32_t depth;
	bool has_content;
};

static bool check_text(struct check *check);
static void move_to(struct check *check, size_t at);
static void read_tag(struct check *check);
static void check_tag(struct check *check, const struct template_tag *tag);
static void open_section(struct check *check, const struct template_tag *tag);
static void close_section(struct check *check, const struct template_tag *tag);
static void check_name(struct check *check, const struct template_tag *tag);
static void check_escaping(struct check *check, const struct template_tag *tag);
static void tell_unclosed(struct check *check, uint32_t from);
static void tell(struct check *check, const struct template_position *position, const char *format,
		 ...) printf_like(3, 4);

void template_check(const char *path, struct str text, const struct template_rules *rules,
		    struct complaints *complaints)
{
	struct check check = {.path = path,
			      .text = text,
			      .rules = rules,
			      .complaints = complaints,
			      .position = {0, 1, 1}};
	const char *tag;

	if (!check_text(&check))
		return;
	while ((tag = memmem(text.data + check.position.at, text.size - check.position.at, "{{",
			     2))) {
		move_to(&check, (size_t)(tag - text.data));
		read_tag(&check);
	}
	tell_unclosed(&check, 0);
	if (rules->is_layout && !check.has_content)
		tell(&check, &(struct template_position){0, 1, 1},
		     "{{{content}}} stands nowhere; the mail itself would not be shown");
}

/* Where the bytes themselves are wrong, tags mean little. */
static bool check_text(struct check *check)
{
	size_t good = utf8_valid_size(check->text);
	struct template_position start = check->position;

	if (check->text.size == 0)
		tell(check, &start, "the file is empty");
	if (check->text.size >= 3 && memcmp(check->text.data, "\xef\xbb\xbf", 3) == 0)
		tell(check, &start, "begins with a byte order mark; must be UTF-8 without one");
	for (size_t i = 0; i < good; i++) {
		unsigned char c = (unsigned char)check->text.data[i];

		if ((c >= ' ' && c != 0x7f) || c == '\n' || c == '\t')
			continue;
		move_to(check, i);
		tell(check, &check->position, "a control character (byte 0x%02x), no text", c);
	}
	if (good < check->text.size) {
		move_to(check, good);
		tell(check, &check->position, "no UTF-8 from here on (byte 0x%02x)",
		     (unsigned char)check->text.data[good]);
	}
	check->position = start;
	return check->text.size && good == check->text.size;
}

static void move_to(struct check *check, size_t at)
{
	struct template_position *position = &check->position;

	for (; position->at < at; position->at++) {
		unsigned char c = (unsigned char)check->text.data[position->at];

		if (c == '\n') {
			position->line++;
			position->column = 1;
		} else if ((c & 0xc0) != 0x80) {
			position->column++;
		}
	}
}

static struct str trim(struct str text)
{
	while (text.size && strchr(" \t\n", text.data[0]))
		text = (struct str){text.data + 1, text.size - 1};
	while (text.size && strchr(" \t\n", text.data[text.size - 1]))
		text.size--;
	return text;
}

static void read_tag(struct check *check)
{
	const char *from = check->text.data + check->position.at;
	size_t left = check->text.size - check->position.at;
	bool is_raw = left > 2 && from[2] == '{';
	size_t begin = is_raw ? 3 : 2;
	const char *end = memmem(from + begin, left - begin, "}}}", begin);
	struct template_tag tag = {.position = check->position, .kind = is_raw ? '{' : '\0'};

	tag.name = end ? trim((struct str){from + begin, (size_t)(end - from) - begin})
		       : (struct str){0};
	if (!end || memmem(tag.name.data, tag.name.size, "{{", 2)) {
		tell(check, &tag.position, "a tag without its end; must be closed by %s",
		     is_raw ? "}}}" : "}}");
		move_to(check, check->position.at + begin);
		return;
	}
	if (!is_raw && tag.name.size && strchr("#^/&!>=", tag.name.data[0])) {
		tag.kind = tag.name.data[0];
		tag.name = trim((struct str){tag.name.data + 1, tag.name.size - 1});
	}
	move_to(check, (size_t)(end - check->text.data) + begin);
	check_tag(check, &tag);
}

static void check_tag(struct check *check, const struct template_tag *tag)
{
	switch (tag->kind) {
	case '!':
		break;
	case '>':
	case '=':
		tell(check, &tag->position, "neither partials nor other delimiters may be used");
		break;
	case '#':
	case '^':
		check_name(check, tag);
		open_section(check, tag);
		break;
	case '/':
		close_section(check, tag);
		break;
	default:
		check_name(check, tag);
		check_escaping(check, tag);
	}
}

static void open_section(struct check *check, const struct template_tag *tag)
{
	if (check->depth < TEMPLATE_DEPTH_MAX) {
		check->open[check->depth++] = *tag;
		return;
	}
	tell(check, &tag->position, "more than %d sections inside one another", TEMPLATE_DEPTH_MAX);
	check->depth = 0;
	move_to(check, check->text.size); /* what follows cannot be told apart */
}

/* One that closes an outer section leaves those inside it unclosed. */
static void close_section(struct check *check, const struct template_tag *tag)
{
	uint32_t depth = check->depth;
	scoped(buf_done) struct buf name = {0};

	while (depth && !str_equal(check->open[depth - 1].name, tag->name))
		depth--;
	if (depth) {
		tell_unclosed(check, depth);
		check->depth = depth - 1;
		return;
	}
	complain_quote(tag->name, &name);
	tell(check, &tag->position, "%.*s is closed and not open here", (int)name.size, name.data);
}

static void tell_unclosed(struct check *check, uint32_t from)
{
	for (uint32_t i = from; i < check->depth; i++) {
		const struct template_tag *tag = &check->open[i];
		scoped(buf_done) struct buf name = {0};

		complain_quote(tag->name, &name);
		tell(check, &tag->position, "the section %.*s is not closed", (int)name.size,
		     name.data);
	}
}

static void check_name(struct check *check, const struct template_tag *tag)
{
	const struct template_rules *rules = check->rules;
	scoped(buf_done) struct buf name = {0}, why_not = {0};

	if (rules->may_name(rules->context, tag->name, check->open, check->depth, &why_not))
		return;
	complain_quote(tag->name, &name);
	tell(check, &tag->position, "%.*s: %.*s", (int)name.size, name.data, (int)why_not.size,
	     why_not.data);
}

/* What others wrote must not become markup; only the mail itself and its news, which were escaped, are. */
static void check_escaping(struct check *check, const struct template_tag *tag)
{
	bool is_content = str_is(tag->name, "content");
	bool is_markup = is_content || str_is(tag->name, "news");
	bool is_raw = tag->kind != '\0';

	check->has_content |= is_content;
	if (!check->rules->is_html || is_raw == is_markup)
		return;
	if (is_markup)
		tell(check, &tag->position, "its markup would be shown; must be {{{%.*s}}}",
		     (int)tag->name.size, tag->name.data);
	else
		tell(check, &tag->position,
		     "would put what others wrote into the page as markup; must be {{%.*s}}",
		     (int)min_u64(tag->name.size, 60), tag->name.data);
}

static void tell(struct check *check, const struct template_position *position, const char *format,
		 ...)
{
	char sentence[512];
	va_list args;

	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	complain_place(check->complaints, check->path, position->line, position->column, "%s",
		       sentence);
}
