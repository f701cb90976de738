extern "C" {
#include "workers/notify/mustache.h"
}

#include <algorithm>
#include <exception>
#include <kainjow/mustache.hpp>
#include <string>

struct mustache {
	kainjow::mustache::mustache text;
};

namespace
{

std::string trim(const std::string &text)
{
	size_t first = text.find_first_not_of(" \t\r\n");
	size_t last = text.find_last_not_of(" \t\r\n");

	return first == std::string::npos ? "" : text.substr(first, last - first + 1);
}

/* A line that holds nothing but a section's tag is no line of the mail. The library drops it where the
 * section is rendered, and leaves it empty where it is not: so these lines get a mark that no text has,
 * and go with it when all is rendered. */
constexpr char line_mark = '\x01';

bool is_lone_tag(const std::string &line)
{
	std::string text = trim(line);

	return text.size() > 4 && text.compare(0, 2, "{{") == 0 &&
	       text.find("}}") == text.size() - 2 &&
	       std::string("#^/!").find(text[2]) != std::string::npos;
}

std::string mark_lines(const std::string &text)
{
	std::string marked;

	for (size_t at = 0; at < text.size();) {
		size_t end = std::min(text.find('\n', at), text.size());
		std::string line = text.substr(at, end - at);

		marked += is_lone_tag(line) ? trim(line) + line_mark : line;
		if (end < text.size())
			marked += '\n';
		at = end + 1;
	}
	return marked;
}

std::string drop_marked(const std::string &text)
{
	std::string kept;

	for (size_t i = 0; i < text.size(); i++) {
		if (text[i] != line_mark)
			kept += text[i];
		else if (i + 1 < text.size() && text[i + 1] == '\n')
			i++;
	}
	return kept;
}

enum err parse(const std::string &text, bool escape_html, struct mustache **out)
{
	kainjow::mustache::mustache parsed(mark_lines(text));

	if (!parsed.is_valid())
		return ERR_USAGE;
	if (!escape_html)
		parsed.set_custom_escape([](const std::string &plain) { return plain; });
	*out = new mustache{std::move(parsed)};
	return ERR_OK;
}

kainjow::mustache::data tell_row(const struct mustache_row *row);

kainjow::mustache::data tell_value(const struct mustache_value *value)
{
	if (value->is_list) {
		kainjow::mustache::data list(kainjow::mustache::data::type::list);

		for (uint32_t i = 0; i < value->row_count; i++)
			list.push_back(tell_row(&value->rows[i]));
		return list;
	}
	if (value->text.size)
		return std::string(value->text.data, value->text.size);
	return false;
}

kainjow::mustache::data tell_row(const struct mustache_row *row)
{
	kainjow::mustache::data data;

	for (uint32_t i = 0; i < row->count; i++)
		data.set(row->values[i].name, tell_value(&row->values[i]));
	return data;
}

enum err render(struct mustache *mustache, const struct mustache_row *row, struct buf *out)
{
	std::string rendered = mustache->text.render(tell_row(row));

	if (!mustache->text.is_valid())
		return ERR_INTERNAL;
	rendered = drop_marked(rendered);
	buf_add(out, rendered.data(), rendered.size());
	return ERR_OK;
}

} // namespace

/* No exception leaves this file. */

enum err mustache_parse(struct str text, bool escape_html, struct mustache **mustache)
try {
	return parse(std::string(text.data, text.size), escape_html, mustache);
} catch (const std::exception &) {
	return ERR_USAGE;
}

void mustache_free(struct mustache **mustache)
{
	delete *mustache;
	*mustache = NULL;
}

enum err mustache_render(struct mustache *mustache, const struct mustache_row *row, struct buf *out)
try {
	return render(mustache, row, out);
} catch (const std::exception &) {
	return ERR_INTERNAL;
}
