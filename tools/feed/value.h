/* Values out of text: one cell's text becomes one field of an event. */
#pragma once

#include "tools/feed/mapping.h"

/* Puts what the text says into the field of `object`, the record that holds it. Empty text, or one
 * of the cell's blank words, leaves it absent. NULL when it is well, else what is wrong, in one
 * sentence without its full stop that lives in `arena` or for ever. */
const char *value_set(const struct cell *cell, struct str text, struct arena *arena, void *object);

/* One of our own values, as a mapping writes it, with no words between. */
const char *value_set_own(const struct cell *cell, struct str text, struct arena *arena,
			  void *object);

/* After value_set_own() on an empty record: NULL, or how the value lies outside the field's bounds. */
const char *value_out_of_bounds(const struct cell *cell, struct arena *arena, const void *object);

/* A date with or without an hour, in the cell's forms; a bare date is 12:00 in Paris. */
const char *value_time(const struct cell *cell, struct str text, struct arena *arena, ms_t *time);

/* NULL when the form of a date can be used, else what is wrong with it. */
const char *date_form_check(struct str form);
