#include "workers/notify/row.h"

void row_set(struct view_row *row, enum view_name name, struct str text)
{
	assert(view_info(name)->places & row->place);
	row->value[name] = text;
}

void row_set_if(struct view_row *row, enum view_name name, bool is_true)
{
	row_set(row, name, is_true ? STR("1") : (struct str){0});
}

void row_set_number(struct view *view, struct view_row *row, enum view_name name, uint64_t number)
{
	struct buf text = {0};

	buf_printf(&text, "%llu", (unsigned long long)number);
	row_set(row, name, arena_copy(&view->arena, buf_str(&text)));
	buf_done(&text);
}

void row_set_weekday(struct view *view, struct view_row *row, enum view_name name, day_t day)
{
	row_set(row, name, french_weekday(&view->arena, day));
}

void row_set_date(struct view *view, struct view_row *row, enum view_name name, day_t day)
{
	if (day != DAY_NONE)
		row_set(row, name, french_date(&view->arena, day));
}

void row_set_wait(struct view *view, struct view_row *row, uint64_t weeks)
{
	if (weeks != UINT_NONE && weeks > 0)
		row_set(row, VIEW_wait,
			french_count(&view->arena, weeks, "une semaine", "semaines"));
}

struct row_hours row_hours(enum half half)
{
	return half == HALF_AM ? (struct row_hours){9, 12} : (struct row_hours){14, 17};
}

void row_set_half(struct view *view, struct view_row *row, enum half half)
{
	struct row_hours hours = row_hours(half);
	struct buf text = {0};

	buf_printf(&text, "%d" NBSP "h" NBSP "à" NBSP "%d" NBSP "h", hours.from, hours.to);
	row_set(row, VIEW_half, half == HALF_AM ? STR("matin") : STR("après-midi"));
	row_set(row, VIEW_hours, arena_copy(&view->arena, buf_str(&text)));
	buf_done(&text);
}

void row_open_list(struct view *view, struct view_row *row, enum view_list_name name, uint32_t most)
{
	assert(view_list_info(name)->places & row->place);
	row->list[name] = (struct view_list){
		.rows = arena_new(&view->arena, most * sizeof(struct view_row)),
		.capacity = most,
	};
}

struct view_row *row_add(struct view_row *row, enum view_list_name name)
{
	struct view_list *list = &row->list[name];
	struct view_row *next;

	assert(list->count < list->capacity);
	next = &list->rows[list->count++];
	next->place = view_list_info(name)->rows;
	return next;
}
