#include "workers/notify/view.h"

#include <stdarg.h>
#include <stdio.h>

#define NBSP "\u00a0"

static void show_mail(struct view *view, const struct mail_body *body);
static void show_case(struct view *view, const struct mail_body *body);
static void show_visit(struct view *view, const struct mail_visit *visit);
static void show_visit_to_pair(struct view *view, const struct mail_body *body);
static void show_closing(struct view *view, const struct mail_body *body);
static void set(struct view *view, enum view_name name, struct str text);
static void set_if(struct view *view, enum view_name name, bool is_true);
static void set_format(struct view *view, enum view_name name, const char *format, ...)
	printf_like(3, 4);
static void set_day(struct view *view, enum view_name name, day_t day);

static const struct {
	const char *name;
	enum view_audience audience;
} names[] = {
#define ROW(name, audience, holds) [VIEW_##name] = {#name, VIEW_FOR_##audience},
	VIEW_TABLE(ROW)
#undef ROW
};

void view_init(struct view *view, const struct mail_body *body)
{
	*view = (struct view){0};
	show_mail(view, body);
	show_case(view, body);
	if (body->visit.is_set)
		show_visit(view, &body->visit);
	if (body->visit.is_set && body->to_pair == SAID_YES)
		show_visit_to_pair(view, body);
	if (!view->value[VIEW_visit_done].size && !view->value[VIEW_visit_failed].size)
		show_closing(view, body);
}

void view_done(struct view *view)
{
	arena_done(&view->arena);
}

const char *view_name(enum view_name name)
{
	return names[name].name;
}

bool view_has_name(enum view_audience audience, struct str name)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (str_is(name, names[i].name))
			return names[i].audience == VIEW_FOR_ALL || names[i].audience == audience;
	}
	return false;
}

struct view_hours view_hours(enum half half)
{
	return half == HALF_AM ? (struct view_hours){9, 12} : (struct view_hours){14, 17};
}

static void show_mail(struct view *view, const struct mail_body *body)
{
	set(view, VIEW_to_name, body->to.name);
	set(view, VIEW_instead_of, body->instead_of);
	set(view, VIEW_coordinator_name, body->coordinator.name);
	set(view, VIEW_coordinator_email, body->coordinator.email);
	set_day(view, VIEW_date, time_paris_day(body->date));
}

static void show_case(struct view *view, const struct mail_body *body)
{
	set_format(view, VIEW_case, "%llu", (unsigned long long)body->case_number);
	set(view, VIEW_form, body->form);
	set(view, VIEW_sector, body->sector_name.size ? body->sector_name : body->sector);
	set_if(view, VIEW_waiting, body->state == CASE_STATE_WAITING);
	set_if(view, VIEW_deferred, body->state == CASE_STATE_DEFERRED);
	set_if(view, VIEW_planned, body->state == CASE_STATE_PLANNED);
	set_if(view, VIEW_closed, body->state == CASE_STATE_CLOSED);
	if (body->wait_weeks == 1)
		set(view, VIEW_wait, STR("une semaine"));
	else if (body->wait_weeks != UINT_NONE && body->wait_weeks > 1)
		set_format(view, VIEW_wait, "%llu" NBSP "semaines",
			   (unsigned long long)body->wait_weeks);
	if (body->reopens_on != DAY_NONE)
		set_day(view, VIEW_reopens_on, body->reopens_on);
}

/* Why a visit failed is not told: whether the household refused, moved away or was not safe to visit
 * is nothing a mail should carry. */
static void show_visit(struct view *view, const struct mail_visit *visit)
{
	bool is_failed =
		visit->state == VISIT_STATE_NO_SHOW || visit->state == VISIT_STATE_DECLINED ||
		visit->state == VISIT_STATE_MOVED_AWAY || visit->state == VISIT_STATE_UNSAFE;

	set_day(view, VIEW_week, visit->day - day_weekday(visit->day));
	set_if(view, VIEW_visit_cancelled, visit->state == VISIT_STATE_CANCELLED);
	set_if(view, VIEW_visit_done, visit->state == VISIT_STATE_DONE);
	set_if(view, VIEW_visit_failed, is_failed);
	set_if(view, VIEW_second_visit, visit->second_visit == SAID_YES);
}

static void show_visit_to_pair(struct view *view, const struct mail_body *body)
{
	const struct mail_visit *visit = &body->visit;
	struct view_hours hours = view_hours(visit->half);

	set(view, VIEW_commune, body->commune);
	set_day(view, VIEW_day, visit->day);
	set(view, VIEW_half, visit->half == HALF_AM ? STR("matin") : STR("après-midi"));
	set_format(view, VIEW_hours, "%d" NBSP "h – %d" NBSP "h", hours.from, hours.to);
	set(view, VIEW_pair_name, visit->pair_name.size ? visit->pair_name : visit->pair);
}

static void show_closing(struct view *view, const struct mail_body *body)
{
	static const enum view_name told[] = {
		[CLOSING_DONE] = VIEW_closed_done,
		[CLOSING_INELIGIBLE] = VIEW_closed_ineligible,
		[CLOSING_UNREACHABLE] = VIEW_closed_unreachable,
		[CLOSING_WITHDRAWN] = VIEW_closed_withdrawn,
		[CLOSING_MOVED_AWAY] = VIEW_closed_other,
		[CLOSING_ERASED] = VIEW_closed_other,
	};

	if (body->state != CASE_STATE_CLOSED)
		return;
	set_if(view, body->closing ? told[body->closing] : VIEW_closed_other, true);
}

static void set(struct view *view, enum view_name name, struct str text)
{
	view->value[name] = text.size ? arena_copy(&view->arena, text) : (struct str){0};
}

static void set_if(struct view *view, enum view_name name, bool is_true)
{
	view->value[name] = is_true ? STR("1") : (struct str){0};
}

static void set_format(struct view *view, enum view_name name, const char *format, ...)
{
	char text[64];
	va_list arguments;
	int size;

	va_start(arguments, format);
	size = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	assert(size > 0 && (size_t)size < sizeof(text));
	set(view, name, (struct str){text, size});
}

static void set_day(struct view *view, enum view_name name, day_t day)
{
	static const char *const weekdays[] = {"lundi",    "mardi",  "mercredi", "jeudi",
					       "vendredi", "samedi", "dimanche"};
	static const char *const months[] = {"janvier",   "février", "mars",     "avril",
					     "mai",       "juin",    "juillet",  "août",
					     "septembre", "octobre", "novembre", "décembre"};
	struct ymd date = day_to_ymd(day);

	set_format(view, name, "%s %d%s %s %d", weekdays[day_weekday(day)], date.day,
		   date.day == 1 ? "er" : "", months[date.month - 1], date.year);
}
