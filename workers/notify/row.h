/* Filling in a view: values of a row, and rows of its lists. A name has to be one of the row's place:
 * asserted. Texts are borrowed. */
#pragma once

#include "workers/notify/french.h"
#include "workers/notify/view.h"

void row_set(struct view_row *row, enum view_name name, struct str text);
void row_set_if(struct view_row *row, enum view_name name, bool is_true);
/* Of a case: digits alone. */
void row_set_number(struct view *view, struct view_row *row, enum view_name name, uint64_t number);
void row_set_weekday(struct view *view, struct view_row *row, enum view_name name, day_t day);
/* Nothing for DAY_NONE. */
void row_set_date(struct view *view, struct view_row *row, enum view_name name, day_t day);
/* "3 semaines"; nothing for less than one, or UINT_NONE. */
void row_set_wait(struct view *view, struct view_row *row, uint64_t weeks);
/* Half-day and hours; nothing of the day. */
void row_set_half(struct view *view, struct view_row *row, enum half half);

/* Makes room for `most` rows, and gives the next one, empty. */
void row_open_list(struct view *view, struct view_row *row, enum view_list_name name,
		   uint32_t most);
struct view_row *row_add(struct view_row *row, enum view_list_name name);

/* Hours of a half-day, which the calendar shares. */
struct row_hours {
	int from, to; /* full hours in Paris */
};
struct row_hours row_hours(enum half half);
