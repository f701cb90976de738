#include "workers/notify/row.h"
#include "workers/notify/view_parts.h"

static void show_state(struct view_row *row, const struct mail_item *item)
{
	row_set_if(row, VIEW_needs_contact, item->state == CASE_STATE_NEEDS_CONTACT);
	row_set_if(row, VIEW_waiting, item->state == CASE_STATE_WAITING);
	row_set_if(row, VIEW_deferred, item->state == CASE_STATE_DEFERRED);
	row_set_if(row, VIEW_no_sector, item->deferral == DEFERRAL_NO_SECTOR);
	row_set_if(row, VIEW_refused, item->deferral == DEFERRAL_REFUSED);
	row_set_if(row, VIEW_planned, item->state == CASE_STATE_PLANNED);
	row_set_if(row, VIEW_visited, item->state == CASE_STATE_VISITED);
	row_set_if(row, VIEW_closed, item->state == CASE_STATE_CLOSED);
}

/* Why a visit failed is not told: whether the household refused, moved away or was not safe to visit
 * is nothing a mail should carry. */
static void show_visit(struct view *view, struct view_row *row, const struct mail_item *item)
{
	const struct mail_visit *visit = &item->visit;
	bool is_cancelled = visit->state == VISIT_STATE_CANCELLED;

	row_set_date(view, row, VIEW_week, visit->day - day_weekday(visit->day));
	row_set_if(row, VIEW_visit_moved,
		   item->template == TEMPLATE_VISIT_CHANGED && !is_cancelled);
	row_set_if(row, VIEW_same_week, !is_cancelled && visit->same_week == SAID_YES);
	row_set_if(row, VIEW_visit_cancelled, is_cancelled);
	row_set_if(row, VIEW_visit_done, visit->state == VISIT_STATE_DONE);
	row_set_if(row, VIEW_visit_failed,
		   visit->state == VISIT_STATE_NO_SHOW || visit->state == VISIT_STATE_DECLINED ||
			   visit->state == VISIT_STATE_MOVED_AWAY ||
			   visit->state == VISIT_STATE_UNSAFE);
	row_set_if(row, VIEW_second_visit, visit->second_visit == SAID_YES);
}

static void show_visit_to_pair(struct view *view, struct view_row *row,
			       const struct mail_item *item)
{
	const struct mail_visit *visit = &item->visit;

	row_set(row, VIEW_commune, item->commune);
	row_set_weekday(view, row, VIEW_day, visit->day);
	row_set_half(view, row, visit->half);
	if (row->place == IN_MAIL)
		row_set(row, VIEW_pair_name,
			visit->pair_name.size ? visit->pair_name : visit->pair);
}

static void show_closing(struct view_row *row, const struct mail_item *item)
{
	static const enum view_name told[] = {
		[CLOSING_DONE] = VIEW_closed_done,
		[CLOSING_INELIGIBLE] = VIEW_closed_ineligible,
		[CLOSING_UNREACHABLE] = VIEW_closed_unreachable,
		[CLOSING_WITHDRAWN] = VIEW_closed_withdrawn,
		[CLOSING_MOVED_AWAY] = VIEW_closed_other,
		[CLOSING_ERASED] = VIEW_closed_other,
	};

	if (item->state != CASE_STATE_CLOSED || row->value[VIEW_visit_done].size ||
	    row->value[VIEW_visit_failed].size)
		return;
	row_set_if(row, item->closing ? told[item->closing] : VIEW_closed_other, true);
}

void view_show_case(struct view *view, struct view_row *row, const struct mail_item *item,
		    bool to_pair)
{
	if (item->case_number == UINT_NONE)
		return;
	row_set_number(view, row, VIEW_case, item->case_number);
	row_set(row, VIEW_form, item->form);
	row_set(row, VIEW_sector, item->sector_name.size ? item->sector_name : item->sector);
	row_set_wait(view, row, item->wait_weeks);
	row_set_date(view, row, VIEW_reopens_on, item->reopens_on);
	show_state(row, item);
	if (item->visit.is_set)
		show_visit(view, row, item);
	if (item->visit.is_set && to_pair)
		show_visit_to_pair(view, row, item);
	show_closing(row, item);
}
