/* What mails say in French of days, numbers and lists. Texts lie in `arena`. */
#pragma once

#include "base/date.h"
#include "base/mem.h"

#define NBSP "\u00a0"

struct str french_weekday(struct arena *arena, day_t day); /* mardi 10 mars 2015 */
struct str french_date(struct arena *arena, day_t day);    /* 10 mars 2015 */

/* One as it is told, or the number and what there are so many of: "une semaine", "12 345 faits". */
struct str french_count(struct arena *arena, uint64_t number, const char *one, const char *many);

/* "Dole", "Dole et Champagnole", "Dole, Champagnole et Saint-Claude". */
struct str french_list(struct arena *arena, const struct str *items, uint32_t count);

/* With a capital, where the text begins with a small letter of ASCII. */
struct str french_capital(struct arena *arena, struct str text);
