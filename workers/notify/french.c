#include "workers/notify/french.h"

#include <stdio.h>

static const char *const weekdays[] = {"lundi",    "mardi",  "mercredi", "jeudi",
				       "vendredi", "samedi", "dimanche"};
static const char *const months[] = {"janvier",   "février", "mars",     "avril",
				     "mai",       "juin",    "juillet",  "août",
				     "septembre", "octobre", "novembre", "décembre"};

static struct str take(struct arena *arena, struct buf *text)
{
	struct str kept = arena_copy(arena, buf_str(text));

	buf_done(text);
	return kept;
}

static void print_date(struct buf *out, day_t day)
{
	struct ymd date = day_to_ymd(day);

	buf_printf(out, "%d%s %s %d", date.day, date.day == 1 ? "er" : "", months[date.month - 1],
		   date.year);
}

struct str french_weekday(struct arena *arena, day_t day)
{
	struct buf text = {0};

	buf_printf(&text, "%s ", weekdays[day_weekday(day)]);
	print_date(&text, day);
	return take(arena, &text);
}

struct str french_date(struct arena *arena, day_t day)
{
	struct buf text = {0};

	print_date(&text, day);
	return take(arena, &text);
}

struct str french_count(struct arena *arena, uint64_t number, const char *one, const char *many)
{
	struct buf text = {0};
	char digits[24];
	size_t size = (size_t)snprintf(digits, sizeof(digits), "%llu", (unsigned long long)number);

	if (number == 1)
		return arena_copy(arena, str_from(one));
	for (size_t i = 0; i < size; i++)
		buf_printf(&text, "%s%c", i && (size - i) % 3 == 0 ? NBSP : "", digits[i]);
	buf_printf(&text, NBSP "%s", many);
	return take(arena, &text);
}

struct str french_list(struct arena *arena, const struct str *items, uint32_t count)
{
	struct buf text = {0};

	for (uint32_t i = 0; i < count; i++) {
		if (i)
			buf_printf(&text, i + 1 == count ? " et " : ", ");
		buf_add_str(&text, items[i]);
	}
	return take(arena, &text);
}

struct str french_capital(struct arena *arena, struct str text)
{
	struct buf copy = {0};

	if (text.size && text.data[0] >= 'a' && text.data[0] <= 'z') {
		buf_printf(&copy, "%c", text.data[0] - 'a' + 'A');
		text = (struct str){text.data + 1, text.size - 1};
	}
	buf_add_str(&copy, text);
	return take(arena, &copy);
}
