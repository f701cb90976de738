#include "workers/notify/view.h"

#include "workers/notify/row.h"
#include "workers/notify/view_parts.h"

static void show_people(struct view *view, const struct mail_body *body);
static struct mail_item case_of(const struct mail_body *body);

static const struct view_info names[] = {
#define ROW(name, audience, places, holds)                                                         \
	[VIEW_##name] = {#name, NULL, holds, VIEW_FOR_##audience, places, 0},
	VIEW_TABLE(ROW)
#undef ROW
};

static const struct view_info lists[] = {
#define ROW(name, audience, places, rows, holds)                                                   \
	[VIEW_LIST_##name] = {#name, "any_" #name, holds, VIEW_FOR_##audience, places, rows},
	VIEW_LIST_TABLE(ROW)
#undef ROW
};

void view_init(struct view *view, const struct mail_body *body, struct str service)
{
	struct mail_item about = case_of(body);

	*view = (struct view){.mail.place = IN_MAIL};
	row_set(&view->mail, VIEW_service, service);
	show_people(view, body);
	row_set_if(&view->mail, VIEW_for_pair, body->to_pair == SAID_YES);
	row_set_if(&view->mail, VIEW_for_household, body->to_household == SAID_YES);
	row_set_if(&view->mail, VIEW_for_coordinator, body->to_coordinator == SAID_YES);
	row_set_weekday(view, &view->mail, VIEW_date, time_paris_day(body->date));
	view_show_case(view, &view->mail, &about, body->to_pair == SAID_YES);
	view_show_network(view, body);
	view_show_digest(view, body);
	if (body->to_pair == SAID_YES)
		view_show_agenda(view, body);
	if (body->to_coordinator == SAID_YES)
		view_show_alarms(view, body);
}

void view_done(struct view *view)
{
	arena_done(&view->arena);
}

const struct view_info *view_info(enum view_name name)
{
	return &names[name];
}

const struct view_info *view_list_info(enum view_list_name name)
{
	return &lists[name];
}

const struct view_info *view_find(struct str name)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (str_is(name, names[i].name))
			return &names[i];
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		if (str_is(name, lists[i].name) || str_is(name, lists[i].any))
			return &lists[i];
	return NULL;
}

bool view_is_for(const struct view_info *info, enum view_audience audience)
{
	return info->audience == VIEW_FOR_ALL || info->audience == audience;
}

static void print_name(const struct view_info *info, bool is_any, struct buf *out)
{
	static const char *const readers[] = {[VIEW_FOR_ALL] = "all",
					      [VIEW_FOR_PAIR] = "pair",
					      [VIEW_FOR_COORDINATOR] = "coordinator",
					      [VIEW_FOR_LAYOUT] = "layout"};
	scoped(buf_done) struct buf places = {0};

	if (info->places & IN_MAIL)
		buf_printf(&places, " mail");
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		if (lists[i].rows & info->places)
			buf_printf(&places, " %s", lists[i].name);
	}
	buf_printf(out, "%-18s %-11s %s%s (in:%.*s)\n", is_any ? info->any : info->name,
		   readers[info->audience], is_any ? "true: there is some of " : "",
		   is_any ? info->name : info->holds, (int)places.size, places.data);
}

void view_print_names(struct buf *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		print_name(&names[i], false, out);
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		print_name(&lists[i], false, out);
		print_name(&lists[i], true, out);
	}
}

static void show_people(struct view *view, const struct mail_body *body)
{
	row_set(&view->mail, VIEW_to_name, body->to.name);
	row_set(&view->mail, VIEW_instead_of, body->instead_of);
	row_set(&view->mail, VIEW_coordinator_name, body->coordinator.name);
	row_set(&view->mail, VIEW_coordinator_email, body->coordinator.email);
}

/* A mail about a case says what one line of a digest says. */
static struct mail_item case_of(const struct mail_body *body)
{
	return (struct mail_item){
		.is_set = true,
		.template = body->template,
		.case_number = body->case_number,
		.form = body->form,
		.sector = body->sector,
		.sector_name = body->sector_name,
		.commune = body->commune,
		.state = body->state,
		.closing = body->closing,
		.deferral = body->deferral,
		.wait_weeks = body->wait_weeks,
		.reopens_on = body->reopens_on,
		.day = body->day,
		.visit = body->visit,
	};
}
