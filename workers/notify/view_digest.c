#include <stdlib.h>

#include "workers/notify/row.h"
#include "workers/notify/view_parts.h"

/* Which list a mail's line stands in; of a mail about a sector also the name that says what it tells, and
 * the name of its day (VIEW_COUNT: it has none). */
static const struct {
	bool is_listed, is_of_sector;
	enum view_list_name list;
	enum view_name tells, day;
} places[TEMPLATE_END] = {
#define CASE(where)                                                                                \
	{                                                                                          \
		.is_listed = true, .list = VIEW_LIST_news_##where                                  \
	}
#define SECTOR(what, when)                                                                         \
	{                                                                                          \
		.is_listed = true, .list = VIEW_LIST_news_sectors, .is_of_sector = true,           \
		.tells = VIEW_##what, .day = VIEW_##when                                           \
	}
	[TEMPLATE_ACK] = CASE(referrals),
	[TEMPLATE_DEFERRED] = CASE(referrals),
	[TEMPLATE_VISIT_CONFIRMED] = CASE(visits),
	[TEMPLATE_VISIT_CHANGED] = CASE(visits),
	[TEMPLATE_OUTCOME] = CASE(outcomes),
	[TEMPLATE_SECTOR_ANNOUNCED] = SECTOR(sector_announced, opens_on),
	[TEMPLATE_SECTOR_OPENED] = SECTOR(sector_opened, opens_on),
	[TEMPLATE_SECTOR_CLOSING] = SECTOR(sector_closing, closes_on),
	[TEMPLATE_SECTOR_CLOSED] = SECTOR(sector_closed, closes_on),
	[TEMPLATE_OUTREACH_SUSPENDED] = SECTOR(outreach_suspended, COUNT),
	[TEMPLATE_OUTREACH_RESUMED] = SECTOR(outreach_resumed, COUNT),
	[TEMPLATE_QUIET] = SECTOR(quiet, opens_on),
#undef CASE
#undef SECTOR
};

struct items {
	struct mail_item *at;
	uint32_t count;
};

static bool is_of_visit(const struct mail_item *item)
{
	return places[item->template].is_listed &&
	       places[item->template].list == VIEW_LIST_news_visits && item->visit.is_set;
}

/* A visit that was moved or cancelled later in the same digest: the later line tells all. */
static bool is_overtaken(const struct items *items, uint32_t at)
{
	for (uint32_t i = at + 1; i < items->count && is_of_visit(&items->at[at]); i++)
		if (is_of_visit(&items->at[i]) &&
		    str_equal(items->at[i].visit.uid, items->at[at].visit.uid))
			return true;
	return false;
}

static int compare_visits(const void *first, const void *second)
{
	const struct mail_item *a = first, *b = second;

	if (a->visit.day != b->visit.day)
		return a->visit.day < b->visit.day ? -1 : 1;
	if (a->visit.half != b->visit.half)
		return a->visit.half < b->visit.half ? -1 : 1;
	return a->case_number < b->case_number ? -1 : a->case_number > b->case_number;
}

/* Those that are told, for a pair in the order of its visits. */
static struct items choose_items(struct view *view, const struct mail_body *body)
{
	struct mail_item *all = arena_new(&view->arena, (body->items.count + 1) * sizeof(*all));
	struct items items = {all, body->items.count};
	uint32_t kept = 0;

	for (uint32_t i = 0; i < items.count; i++)
		all[i] = *list_at(&body->items, struct mail_item, i);
	for (uint32_t i = 0; i < items.count; i++)
		if (places[all[i].template].is_listed && !is_overtaken(&items, i))
			all[kept++] = all[i];
	items.count = kept;
	if (body->to_pair == SAID_YES)
		qsort(all, kept, sizeof(*all), compare_visits);
	return items;
}

static void show_sector(struct view *view, struct view_row *row, const struct mail_item *item)
{
	day_t day = item->day;

	row_set(row, VIEW_sector, item->sector_name);
	row_set_if(row, places[item->template].tells, true);
	if (item->template == TEMPLATE_SECTOR_CLOSED && day != DAY_NONE)
		day--; /* it names the day after the last */
	if (places[item->template].day != VIEW_COUNT)
		row_set_date(view, row, places[item->template].day, day);
}

static void show_item(struct view *view, const struct mail_item *item, bool to_pair)
{
	struct view_row *row = row_add(&view->mail, places[item->template].list);

	if (places[item->template].is_of_sector)
		show_sector(view, row, item);
	else
		view_show_case(view, row, item, to_pair);
}

void view_show_digest(struct view *view, const struct mail_body *body)
{
	static const enum view_list_name lists[] = {VIEW_LIST_news_visits, VIEW_LIST_news_referrals,
						    VIEW_LIST_news_outcomes,
						    VIEW_LIST_news_sectors};
	struct items items = choose_items(view, body);

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		row_open_list(view, &view->mail, lists[i], items.count);
	for (uint32_t i = 0; i < items.count; i++)
		show_item(view, &items.at[i], body->to_pair == SAID_YES);
}
