#include "workers/notify/alarm_words.h"
#include "workers/notify/row.h"
#include "workers/notify/view_parts.h"

static void show_alarm(struct view *view, const struct mail_body *body,
		       const struct mail_alarm *alarm);
static struct str tell_about(struct view *view, const struct mail_alarm *alarm);
static struct str tell_water(struct view *view, const struct list *water, uint64_t total);
static void show_water(struct view *view, const struct list *water);
static void show_import(struct view *view, const struct mail_import *import);

void view_show_alarms(struct view *view, const struct mail_body *body)
{
	uint32_t count = body->alarms.count;

	if (count)
		row_set(&view->mail, VIEW_alarm_count,
			french_count(&view->arena, count, "un point à regarder",
				     "points à regarder"));
	row_open_list(view, &view->mail, VIEW_LIST_alarms, count);
	for (uint32_t i = 0; i < count; i++)
		show_alarm(view, body, list_at(&body->alarms, struct mail_alarm, i));
	if (body->water.count && !count)
		show_water(view, &body->water);
	if (body->import.is_set)
		show_import(view, &body->import);
}

static void show_alarm(struct view *view, const struct mail_body *body,
		       const struct mail_alarm *alarm)
{
	struct view_row *row = row_add(&view->mail, VIEW_LIST_alarms);
	const struct alarm_words *words = alarm_words(alarm->alarm);

	row_set(row, VIEW_alarm,
		french_capital(&view->arena,
			       french_count(&view->arena, alarm->count, words->one, words->many)));
	row_set(row, VIEW_remedy, str_from(words->remedy));
	row_set(row, VIEW_about,
		alarm->alarm == ALARM_WATER_CUT && body->water.count
			? tell_water(view, &body->water, alarm->count)
			: tell_about(view, alarm));
	row_set_date(view, row, VIEW_since, alarm->since);
}

/* "dossiers n° 12, 15 et 3 autres", "TS003" */
static struct str tell_about(struct view *view, const struct mail_alarm *alarm)
{
	static const char *const kinds[][2] = {
		[ABOUT_CASES] = {"dossier n°" NBSP, "dossiers n°" NBSP},
		[ABOUT_NAMES] = {"", ""},
		[ABOUT_TASKS] = {"tâche n°" NBSP, "tâches n°" NBSP},
	};
	const struct texts *about = &alarm->about;
	struct str items[SET_COUNT_MAX + 1], told;
	uint32_t count = about->count;
	struct buf text = {0};

	if (!count)
		return (struct str){0};
	for (uint32_t i = 0; i < count; i++)
		items[i] = about->item[i];
	if (alarm->count > count)
		items[count++] = french_count(&view->arena, alarm->count - about->count, "un autre",
					      "autres");
	told = french_list(&view->arena, items, count);
	buf_printf(&text, "%s%.*s", kinds[alarm_words(alarm->alarm)->about][count > 1],
		   (int)told.size, told.data);
	told = arena_copy(&view->arena, buf_str(&text));
	buf_done(&text);
	return told;
}

/* "ménage n° 45 (coupure du 3 mars 2015, Régie des eaux, Dole)": all that a mail may say of it. */
static struct str tell_one_water(struct view *view, const struct mail_water *water)
{
	bool has_case = water->case_number != UINT_NONE;
	struct str day = french_date(&view->arena, water->on), told;
	struct buf text = {0};

	buf_printf(&text, "%s n°" NBSP "%u (%s du %.*s, %.*s", has_case ? "dossier" : "ménage",
		   (uint32_t)(has_case ? water->case_number : water->household),
		   water->limited == SAID_YES ? "limitation" : "coupure", (int)day.size, day.data,
		   (int)water->supplier.size, water->supplier.data);
	if (water->commune.size)
		buf_printf(&text, ", %.*s", (int)water->commune.size, water->commune.data);
	buf_printf(&text, ")");
	told = arena_copy(&view->arena, buf_str(&text));
	buf_done(&text);
	return told;
}

static struct str tell_water(struct view *view, const struct list *water, uint64_t total)
{
	struct str items[SET_COUNT_MAX + 1];
	uint32_t count = water->count;

	for (uint32_t i = 0; i < count; i++)
		items[i] = tell_one_water(view, list_at(water, struct mail_water, i));
	if (total > count)
		items[count++] =
			french_count(&view->arena, total - water->count, "un autre", "autres");
	return french_list(&view->arena, items, count);
}

/* The mail that goes at once tells of one. */
static void show_water(struct view *view, const struct list *water)
{
	const struct mail_water *first = list_at(water, struct mail_water, 0);

	row_set(&view->mail, VIEW_water, tell_water(view, water, water->count));
	if (first->case_number == UINT_NONE)
		row_set_number(view, &view->mail, VIEW_household, first->household);
	else if (!view->mail.value[VIEW_case].size)
		row_set_number(view, &view->mail, VIEW_case, first->case_number);
}

/* What there is none of is not told. */
static void show_import(struct view *view, const struct mail_import *import)
{
	const struct {
		enum view_name name;
		uint64_t count;
		const char *one, *many;
	} told[] = {
		{VIEW_import_facts, import->facts, "un élément", "éléments"},
		{VIEW_import_households, import->households, "un ménage", "ménages"},
		{VIEW_import_cases, import->cases, "un dossier", "dossiers"},
		{VIEW_import_open, import->open, "un encore ouvert", "encore ouverts"},
		{VIEW_import_no_sector, import->no_sector, "un dossier sans secteur",
		 "dossiers sans secteur"},
		{VIEW_import_duplicates, import->duplicates, "un doublon possible",
		 "doublons possibles"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(told); i++)
		if (told[i].count)
			row_set(&view->mail, told[i].name,
				french_count(&view->arena, told[i].count, told[i].one,
					     told[i].many));
}
