#include "workers/notify/row.h"
#include "workers/notify/view_parts.h"

static const struct mail_stop *stop_at(const struct list *stops, uint32_t i)
{
	return list_at(stops, struct mail_stop, i);
}

/* The visits of one day, from the first one on; returns how many they are. */
static uint32_t show_day(struct view *view, const struct list *stops, uint32_t first)
{
	struct view_row *day = row_add(&view->mail, VIEW_LIST_days);
	day_t which = stop_at(stops, first)->day;
	uint32_t count = 0;

	row_set(day, VIEW_day, french_capital(&view->arena, french_weekday(&view->arena, which)));
	row_open_list(view, day, VIEW_LIST_stops, stops->count - first);
	for (; first + count < stops->count && stop_at(stops, first + count)->day == which;
	     count++) {
		const struct mail_stop *stop = stop_at(stops, first + count);
		struct view_row *row = row_add(day, VIEW_LIST_stops);

		row_set_number(view, row, VIEW_case, stop->case_number);
		row_set(row, VIEW_commune, stop->commune);
		row_set_half(view, row, stop->half);
	}
	return count;
}

/* The visits come in the order of their days. */
void view_show_agenda(struct view *view, const struct mail_body *body)
{
	const struct list *stops = &body->visits;

	if (body->template == TEMPLATE_WEEK_AGENDA)
		row_set_date(view, &view->mail, VIEW_agenda_week, body->day);
	if (stops->count)
		row_set(&view->mail, VIEW_visit_count,
			french_count(&view->arena, stops->count, "une visite", "visites"));
	row_open_list(view, &view->mail, VIEW_LIST_days, stops->count);
	for (uint32_t i = 0; i < stops->count;)
		i += show_day(view, stops, i);
}
