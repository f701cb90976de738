#include "config/policy_file.h"

#include <stdio.h>
#include <stdlib.h>

#include "config/communes.h"
#include "config/policy_check.h"
#include "config/settings.h"

#define FIELD RECORD_MEMBER
#define RECORD(name, ...)                                                                          \
	struct name {                                                                              \
		bool is_set;                                                                       \
		__VA_ARGS__                                                                        \
	};
#include "config/policy_file.def"
#undef RECORD
#undef FIELD

#define FIELD FIELD_ROW
#define RECORD(name, ...) extern const struct record record_##name; RECORD_TABLE(name __VA_ARGS__)
#include "config/policy_file.def"
#undef RECORD
#undef FIELD

/* What holds where the file says nothing: SPEC, "policy" and "who is next". */
static const struct policy_rules default_rules = {
	.is_set = true,
	.critical_within = 15,
	.critical_after = 30,
	.urgent_within = 60,
	.supply_stale = 180,
	.fsl_window_months = 24,
	.fsl_repeat = 30,
	.fsl_urgent_from = 4,
	.vulnerable = 31,
	.carried_over = 120,
	.carry_over_weeks = 52,
	.closing = 90,
	.closing_within = 70,
	.reopening_months = 12,
	.no_show = 30,
	.reopen_months = 12,
	.visited_closes_after = 30,
	.old_fact = 7,
	.open_on_recurrence = SAID_NO,
	.open_on_cutoff = SAID_NO,
	.derogation = DEROGATION_AUTO,
};

static const struct policy_planning default_planning = {
	.is_set = true,
	.weeks = 3,
	.alsace_moselle = SAID_NO,
	.unrecorded_alarm = 3,
};

static const struct policy_outreach default_outreach = {
	.is_set = true,
	.suspend_above = 12,
	.resume_below = 8,
};

enum { DEFAULT_RETENTION_MONTHS = 24 };

struct reading {
	const char *path;
	struct arena *arena;
	struct complaints *complaints;
	struct settings *settings;
	struct file_policy file;
	struct policy *policy;
};

/* --- communes --------------------------------------------------------------------------------- */

static const char *beside(struct reading *reading, struct str name)
{
	const char *slash = strrchr(reading->path, '/');
	int folder = slash && name.data[0] != '/' ? (int)(slash - reading->path) + 1 : 0;
	struct buf path = {0};
	struct str copy;

	buf_printf(&path, "%.*s%.*s", folder, reading->path, (int)name.size, name.data);
	buf_add(&path, "", 1);
	copy = arena_copy(reading->arena, buf_str(&path));
	buf_done(&path);
	return copy.data;
}

static void read_communes(struct reading *reading)
{
	const struct file_communes *said = &reading->file.communes;
	struct communes_columns columns = {said->insee,	 said->name, said->sector,
					   said->canton, said->lat,  said->lon};
	struct communes_words words = {reading->file.sectors.count, {}};

	if (!said->is_set || !said->file.size)
		return;
	for (uint32_t i = 0; i < words.count; i++)
		words.word[i] =
			list_at(&reading->file.sectors, struct file_sector, i)->communes_where;
	communes_read(beside(reading, said->file), &columns, &words, reading->arena,
		      &reading->policy->communes, reading->complaints);
}

/* --- the rest --------------------------------------------------------------------------------- */

static int compare_openings(const void *first, const void *second)
{
	const struct policy_opening *a = first, *b = second;

	return a->from < b->from ? -1 : a->from > b->from;
}

/* Openings that touch are one. Those that overlap stay as they are, and are complained of. */
static void join_openings(struct list *openings)
{
	struct policy_opening *items = openings->items;
	uint32_t kept = 0;

	if (!openings->count)
		return;
	qsort(items, openings->count, sizeof(*items), compare_openings);
	for (uint32_t i = 1; i < openings->count; i++) {
		if (items[i].from == items[kept].to + 1)
			items[kept].to = items[i].to;
		else
			items[++kept] = items[i];
	}
	openings->count = kept + 1;
}

static void take_sectors(struct reading *reading)
{
	const struct list *said = &reading->file.sectors;
	struct list *sectors = &reading->policy->sectors;

	sectors->count = said->count;
	sectors->items =
		arena_new(reading->arena, (said->count + 1) * sizeof(struct policy_sector));
	for (uint32_t i = 0; i < said->count; i++) {
		const struct file_sector *from = list_at(said, struct file_sector, i);
		struct policy_sector *to = list_at(sectors, struct policy_sector, i);

		*to = (struct policy_sector){true, from->id, from->name, from->households,
					     from->openings};
		join_openings(&to->openings);
	}
}

static void on_report(void *context, const char *path, const char *what)
{
	struct reading *reading = context;

	complain(reading->complaints, reading->path, settings_line(reading->settings, path), path,
		 "%s", what);
}

static void set_defaults(struct file_policy *file)
{
	record_clear(&record_file_policy, file);
	file->rules = default_rules;
	file->planning = default_planning;
	file->outreach = default_outreach;
	file->retention_months = DEFAULT_RETENTION_MONTHS;
}

static void take_all(struct reading *reading)
{
	const struct file_policy *file = &reading->file;
	struct policy *policy = reading->policy;

	record_clear(&record_policy, policy);
	policy->department = file->department;
	policy->name = file->name;
	policy->coordinator = file->coordinator;
	policy->rules = file->rules;
	policy->planning = file->planning;
	policy->outreach = file->outreach;
	policy->retention_months = file->retention_months;
	policy->laws = file->laws;
	policy->pairs = file->pairs;
	take_sectors(reading);
	read_communes(reading);
	policy_check(policy, on_report, reading);
}

enum err policy_read(const char *path, struct arena *arena, struct policy *policy,
		     struct complaints *complaints)
{
	struct reading reading = {path, arena, complaints, NULL, {}, policy};
	uint32_t before = complaints->count;
	enum err err = settings_open(path, arena, complaints, &reading.settings);

	if (err)
		return err;
	set_defaults(&reading.file);
	settings_read(reading.settings, &record_file_policy, &reading.file);
	take_all(&reading);
	settings_close(&reading.settings);
	return complaints->count > before ? ERR_USAGE : ERR_OK;
}
