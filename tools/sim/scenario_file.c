#include "tools/sim/scenario_file.h"

#include <stdio.h>

#include "config/document.h"

#define OPTION_TABLES "tools/sim/scenario.def"
#include "config/option_tables.inc"

/* --- what options must agree on --------------------------------------------------------------- */

/* "arrivals[2].sectors[0]" */
struct path {
	char text[FAULT_PATH_MAX];
};

static struct path path_of(const char *list, uint32_t index, const char *rest)
{
	struct path path;

	snprintf(path.text, sizeof(path.text), "%s[%u].%s", list, index, rest);
	return path;
}

static void check_sectors(struct document *document, const struct policy *policy, const char *list,
			  uint32_t index, const struct texts *sectors)
{
	for (uint32_t i = 0; i < sectors->count; i++) {
		char rest[32];

		if (policy_find_sector(policy, sectors->item[i]))
			continue;
		snprintf(rest, sizeof(rest), "sectors[%u]", i);
		document_complain(document, path_of(list, index, rest).text,
				  "the first policy has no such sector; must be the id of one");
	}
}

static void check_days(struct document *document, const char *list, uint32_t index, day_t from,
		       day_t to)
{
	if (from != DAY_NONE && to != DAY_NONE && to < from)
		document_complain(document, path_of(list, index, "to").text,
				  "lies before from; must be the same day or later");
}

static const struct season_settings *find_season(const struct scenario *scenario, struct str name)
{
	for (uint32_t i = 0; i < scenario->seasons.count; i++) {
		const struct season_settings *season =
			list_at(&scenario->seasons, struct season_settings, i);

		if (str_equal(season->name, name))
			return season;
	}
	return NULL;
}

static void check_streams(struct document *document, const struct policy *policy,
			  const struct scenario *scenario)
{
	for (uint32_t i = 0; i < scenario->arrivals.count; i++) {
		const struct stream_settings *stream =
			list_at(&scenario->arrivals, struct stream_settings, i);

		check_sectors(document, policy, "arrivals", i, &stream->sectors);
		check_days(document, "arrivals", i, stream->from, stream->to);
		if (stream->season.size && !find_season(scenario, stream->season))
			document_complain(document, path_of("arrivals", i, "season").text,
					  "there is no such season; must be the name of one of "
					  "seasons");
	}
}

static void check_seasons(struct document *document, const struct scenario *scenario)
{
	for (uint32_t i = 0; i < scenario->seasons.count; i++) {
		const struct season_settings *season =
			list_at(&scenario->seasons, struct season_settings, i);
		const struct season_settings *first = find_season(scenario, season->name);
		uint64_t year = 0;

		if (season->name.size && first != season)
			document_complain(document, path_of("seasons", i, "name").text,
					  "another season has this name; each must have its own");
		for (int month = 1; month <= 12; month++)
			year += scenario_season(scenario, season->name, month);
		if (season->name.size && first == season && !year)
			document_complain(document, path_of("seasons", i, "name").text,
					  "nothing comes in any month of it; one must be above 0");
	}
}

static void check_rest(struct document *document, const struct policy *policy,
		       const struct scenario *scenario)
{
	for (uint32_t i = 0; i < scenario->bursts.count; i++)
		check_sectors(document, policy, "bursts", i,
			      &list_at(&scenario->bursts, struct burst_settings, i)->sectors);
	for (uint32_t i = 0; i < scenario->absences.count; i++) {
		const struct absence_settings *absence =
			list_at(&scenario->absences, struct absence_settings, i);

		check_days(document, "absences", i, absence->from, absence->to);
	}
}

static void check_visits(struct document *document, const struct visit_settings *visits)
{
	uint64_t sum = visits->no_show + visits->declined + visits->moved_away + visits->unsafe;

	if (visits->is_set && visits->no_show <= 1000 && visits->declined <= 1000 &&
	    visits->moved_away <= 1000 && visits->unsafe <= 1000 && sum > 1000)
		document_complain(
			document, "visits",
			"no_show, declined, moved_away and unsafe are over 1000 together; "
			"must be at most 1000");
}

static void check_past(struct document *document, const struct scenario *scenario)
{
	bool has_before = document_has(document, "before");

	if (has_before != document_has(document, "policies_from"))
		document_complain(document, has_before ? "before" : "policies_from",
				  "stands alone; before and policies_from must be given together");
	if (scenario->from != DAY_NONE && scenario->policies_from != DAY_NONE &&
	    scenario->policies_from <= scenario->from)
		document_complain(document, "policies_from", "must lie after from");
}

/* --- reading ---------------------------------------------------------------------------------- */

enum err scenario_read(const char *path, const struct policy *policy, struct arena *arena,
		       struct scenario *scenario, struct complaints *complaints)
{
	uint32_t mistakes = complaints->count;
	struct document *document = document_open(path, complaints);
	struct scenario read;

	if (!document)
		return ERR_USAGE;
	document_fill(document, "", family, &record_scenario, arena, &read);
	check_past(document, &read);
	check_seasons(document, &read);
	check_streams(document, policy, &read);
	check_rest(document, policy, &read);
	check_visits(document, &read.visits);
	document_close(&document);
	if (complaints->count > mistakes)
		return ERR_USAGE;
	*scenario = read;
	return ERR_OK;
}

void scenario_print_sample(struct buf *out)
{
	buf_printf(out,
		   "# A scenario for vigie-sim: what policy does not decide. A line that begins "
		   "with #name = shows the\n# default, or an example where something must be "
		   "given.\n");
	options_print_sample(family, &record_scenario, out);
}

uint64_t scenario_season(const struct scenario *scenario, struct str name, int month)
{
	const struct season_settings *season = find_season(scenario, name);
	const uint64_t *months = season ? &season->january : NULL;

	assert(month >= 1 && month <= 12);
	return months ? months[month - 1] : 100;
}
