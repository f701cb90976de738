#include "tools/sim/scenario.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "tools/sim/chart.h"
#include "tools/sim/lifetime.h"

struct comparison {
	const struct scenario_options *options;
	struct arena arena;
	struct scenario scenario;
	struct policy policies[SCENARIO_POLICIES_MAX], before;
	const char *names[SCENARIO_POLICIES_MAX];
	struct tally tallies[SCENARIO_POLICIES_MAX];
	char (*digests)[DIGEST_TEXT_SIZE]; /* by policy, then seed */
	day_t to;
};

/* --- reading ---------------------------------------------------------------------------------- */

static bool complain_all(struct complaints *complaints, bool is_good)
{
	fwrite(complaints->text.data, 1, complaints->text.size, stderr);
	buf_done(&complaints->text);
	return is_good;
}

static bool read_policy(struct comparison *comparison, const char *path, struct policy *policy)
{
	struct complaints complaints = {0};
	enum err err = policy_read(path, &comparison->arena, policy, &complaints);

	return complain_all(&complaints, !err);
}

static bool read_scenario(struct comparison *comparison)
{
	struct complaints complaints = {0};
	enum err err = scenario_read(comparison->options->file, &comparison->policies[0],
				     &comparison->arena, &comparison->scenario, &complaints);

	return complain_all(&complaints, !err);
}

/* "policy-2017-all.conf" → "policy-2017-all" */
static const char *name_policy(struct comparison *comparison, const char *path)
{
	const char *slash = strrchr(path, '/');
	struct str name = str_from(slash ? slash + 1 : path);
	char *copy;

	if (name.size > 5 && strcmp(name.data + name.size - 5, ".conf") == 0)
		name.size -= 5;
	copy = arena_new(&comparison->arena, name.size + 1);
	memcpy(copy, name.data, name.size);
	return copy;
}

/* Whatever is wrong in any of the files is told before one is given up. */
static bool read_all(struct comparison *comparison)
{
	const struct scenario_options *options = comparison->options;
	bool is_good = true;

	for (uint32_t i = 0; i < options->policy_count; i++) {
		is_good &=
			read_policy(comparison, options->policy_files[i], &comparison->policies[i]);
		comparison->names[i] = name_policy(comparison, options->policy_files[i]);
	}
	is_good = is_good && read_scenario(comparison);
	if (is_good && comparison->scenario.before.size)
		is_good = read_policy(comparison, comparison->scenario.before.data,
				      &comparison->before);
	if (!is_good)
		return false;
	comparison->to = day_add_months(comparison->scenario.from, 12 * (int)options->years) - 1;
	if (comparison->scenario.policies_from == DAY_NONE ||
	    comparison->scenario.policies_from <= comparison->to)
		return true;
	fprintf(stderr, "%s: policies_from lies after the last day; --years must reach it\n",
		options->file);
	return false;
}

/* --- living ----------------------------------------------------------------------------------- */

static void live_seed(struct comparison *comparison, uint64_t position)
{
	const struct scenario_options *options = comparison->options;
	struct arrivals arrivals;

	arrivals_make(&comparison->scenario, &comparison->policies[0], comparison->to,
		      options->first_seed + position, &arrivals);
	for (uint32_t i = 0; i < options->policy_count; i++) {
		struct lifetime_setup setup = {
			.scenario = &comparison->scenario,
			.before = comparison->scenario.before.size ? &comparison->before : NULL,
			.policy = &comparison->policies[i],
			.arrivals = &arrivals,
			.to = comparison->to,
		};

		lifetime_run(&setup, &comparison->tallies[i],
			     comparison->digests[i * options->seeds + position]);
	}
	arrivals_done(&arrivals);
}

static void live(struct comparison *comparison)
{
	const struct scenario_options *options = comparison->options;

	comparison->digests =
		mem_new(options->policy_count * options->seeds * sizeof(*comparison->digests));
	for (uint32_t i = 0; i < options->policy_count; i++)
		tally_init(&comparison->tallies[i], &comparison->policies[i],
			   comparison->scenario.from, comparison->to);
	for (uint64_t i = 0; i < options->seeds; i++)
		live_seed(comparison, i);
}

/* --- telling: a table ------------------------------------------------------------------------- */

enum { FIGURE_WIDTH = 9 };

static void print_tenths(uint64_t tenths, int width)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu.%llu", (unsigned long long)(tenths / 10),
		 (unsigned long long)(tenths % 10));
	printf("  %*s", width, text);
}

static void print_heading(int first_width)
{
	printf("%-*s", first_width, "");
	for (enum figure figure = 0; figure < FIGURE_END; figure++)
		if (figure_headings[figure])
			printf("  %*s", FIGURE_WIDTH, figure_headings[figure]);
	printf("  %*s\n", FIGURE_WIDTH, "PER 1000");
}

static uint64_t households_of(const struct policy *policy, uint32_t sector)
{
	const struct report report = {.policy = policy, .sector_all = policy->sectors.count + 1};

	return report_households(&report, sector);
}

/* In hundredths of a visit for each thousand households; 0 where nobody knows how many there are. */
static uint64_t rate_of(const struct tally *tally, int year, uint32_t sector)
{
	uint64_t households = households_of(tally->policy, sector);
	const struct spread *visits = tally_at(tally, year, sector, REPORT_KIND_ALL, FIGURE_VISITS);

	if (!households || !visits->count)
		return 0;
	return visits->sum * 100000 / visits->count / households;
}

static void print_row(const struct tally *tally, int year, uint32_t sector, const char *name,
		      int width)
{
	uint64_t rate = rate_of(tally, year, sector);

	printf("%-*s", width, name);
	for (enum figure figure = 0; figure < FIGURE_END; figure++) {
		const struct spread *at = tally_at(tally, year, sector, REPORT_KIND_ALL, figure);

		if (!figure_headings[figure])
			continue;
		if (at->count)
			print_tenths(spread_mean_tenths(at), FIGURE_WIDTH);
		else
			printf("  %*s", FIGURE_WIDTH, "-");
	}
	printf("  %*llu.%02llu\n", FIGURE_WIDTH - 3, (unsigned long long)(rate / 100),
	       (unsigned long long)(rate % 100));
}

static const char *name_sector(const struct tally *tally, uint32_t sector, char text[65])
{
	struct str id;

	if (sector == tally->sector_all)
		return "all";
	if (!sector)
		return "none";
	id = policy_sector_at(tally->policy, sector - 1)->id;
	snprintf(text, 65, "%.*s", (int)id.size, id.data);
	return text;
}

/* Sectors in the order of the policy, all of them together last. Where a policy makes no difference yet,
 * the first one's figures are said to be its own. */
static void print_year(const struct comparison *comparison, int year, int width)
{
	for (uint32_t i = 0; i < comparison->options->policy_count; i++) {
		const struct tally *tally = &comparison->tallies[i];

		if (i && tally_is_alike(&comparison->tallies[0], tally, year)) {
			printf("%d  %s  as %s\n", year, comparison->names[i], comparison->names[0]);
			continue;
		}
		for (uint32_t sector = 1; sector <= tally->sector_all; sector++) {
			char line[256], text[65];

			snprintf(line, sizeof(line), "%d  %s  %s", year, comparison->names[i],
				 name_sector(tally, sector, text));
			print_row(tally, year, sector, line, width);
		}
	}
	printf("\n");
}

static int widest_name(const struct comparison *comparison)
{
	size_t widest = 0, sector_widest = 0;

	for (uint32_t i = 0; i < comparison->options->policy_count; i++) {
		const struct list *sectors = &comparison->policies[i].sectors;

		if (strlen(comparison->names[i]) > widest)
			widest = strlen(comparison->names[i]);
		for (uint32_t k = 0; k < sectors->count; k++) {
			size_t size = list_at(sectors, struct policy_sector, k)->id.size;

			sector_widest = size > sector_widest ? size : sector_widest;
		}
	}
	return (int)(widest + sector_widest + strlen("2014    "));
}

static void print_kinds(const struct comparison *comparison, int year)
{
	const struct tally *tally = &comparison->tallies[0];
	const struct spread *all =
		tally_at(tally, year, tally->sector_all, REPORT_KIND_ALL, FIGURE_REFERRALS);

	printf("%d referrals by kind:", year);
	for (uint32_t kind = 1; kind < REPORT_KIND_UNKNOWN; kind++) {
		const struct spread *its =
			tally_at(tally, year, tally->sector_all, kind, FIGURE_REFERRALS);

		if (its->sum)
			printf(" %s %llu %%", words_name(&words_report_kind, kind),
			       (unsigned long long)((200 * its->sum / all->sum + 1) / 2));
	}
	printf("\n");
}

static void print_table(const struct comparison *comparison)
{
	const struct tally *first = &comparison->tallies[0];
	int width = widest_name(comparison);

	printf("%s\nMeans of %llu seeds from %llu on. DAYS from referral to visit: median, and "
	       "what "
	       "nine in ten do not exceed.\nDEFERRED and CARRIED over in that year; VISITED or "
	       "LOST "
	       "of these, since. SUSPENDED: weeks of outreach.\n\n",
	       comparison->scenario.name.data, (unsigned long long)comparison->options->seeds,
	       (unsigned long long)comparison->options->first_seed);
	print_heading(width);
	for (uint32_t i = 0; i < first->year_count; i++)
		print_year(comparison, first->first_year + (int)i, width);
	for (uint32_t i = 0; i < first->year_count; i++)
		print_kinds(comparison, first->first_year + (int)i);
}

/* --- telling: JSON ---------------------------------------------------------------------------- */

static json_t *tell_spread(const struct spread *spread)
{
	if (!spread->count)
		return json_null();
	return json_pack("{s:f, s:I, s:I}", "mean", (double)spread_mean_tenths(spread) / 10, "min",
			 (json_int_t)spread->min, "max", (json_int_t)spread->max);
}

static json_t *tell_row(const struct tally *tally, int year, uint32_t sector, uint32_t kind)
{
	char text[65];
	json_t *row = json_pack("{s:i, s:s, s:s}", "year", year, "sector",
				name_sector(tally, sector, text), "kind",
				words_name(&words_report_kind, kind));

	for (enum figure figure = 0; figure < FIGURE_END; figure++)
		json_object_set_new(row, figure_names[figure],
				    tell_spread(tally_at(tally, year, sector, kind, figure)));
	return row;
}

static bool is_telling(const struct tally *tally, int year, uint32_t sector, uint32_t kind)
{
	for (enum figure figure = 0; figure < FIGURE_END; figure++)
		if (tally_at(tally, year, sector, kind, figure)->max)
			return true;
	return false;
}

static json_t *tell_rows(const struct tally *tally)
{
	json_t *rows = json_array();

	for (uint32_t i = 0; i < tally->year_count; i++)
		for (uint32_t sector = 0; sector <= tally->sector_all; sector++)
			for (uint32_t kind = 1; kind < REPORT_KIND_END; kind++) {
				int year = tally->first_year + (int)i;

				if (is_telling(tally, year, sector, kind))
					json_array_append_new(rows,
							      tell_row(tally, year, sector, kind));
			}
	return rows;
}

static json_t *tell_weeks(const struct tally *tally)
{
	json_t *weeks = json_array();

	for (uint32_t i = 0; i < tally->week_count; i++) {
		char day[DAY_TEXT_SIZE];

		json_array_append_new(weeks,
				      json_pack("{s:s, s:o}", "day",
						day_print(tally->first_monday + 7 * (day_t)i, day),
						"forecast_weeks", tell_spread(&tally->weeks[i])));
	}
	return weeks;
}

static json_t *tell_policy(const struct comparison *comparison, uint32_t position)
{
	const struct scenario_options *options = comparison->options;
	json_t *digests = json_array();

	for (uint64_t i = 0; i < options->seeds; i++)
		json_array_append_new(
			digests, json_string(comparison->digests[position * options->seeds + i]));
	return json_pack("{s:s, s:o, s:o, s:o}", "policy", comparison->names[position], "rows",
			 tell_rows(&comparison->tallies[position]), "wait",
			 tell_weeks(&comparison->tallies[position]), "digests", digests);
}

static void print_json(const struct comparison *comparison)
{
	const struct scenario_options *options = comparison->options;
	json_t *policies = json_array(), *json;

	for (uint32_t i = 0; i < options->policy_count; i++)
		json_array_append_new(policies, tell_policy(comparison, i));
	json = json_pack("{s:s, s:I, s:I, s:I, s:o}", "scenario", comparison->scenario.name.data,
			 "years", (json_int_t)options->years, "seeds", (json_int_t)options->seeds,
			 "first_seed", (json_int_t)options->first_seed, "policies", policies);
	json_dumpf(json, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(15));
	printf("\n");
	json_decref(json);
}

/* --- telling: a picture ----------------------------------------------------------------------- */

static bool write_chart(const struct comparison *comparison)
{
	const struct scenario_options *options = comparison->options;
	const struct chart chart = {comparison->scenario.name.data, comparison->names,
				    comparison->tallies, options->policy_count, options->seeds};
	scoped(buf_done) struct buf svg = {0};
	FILE *file = fopen(options->svg_file, "we");
	bool is_written = file != NULL;

	chart_write(&chart, &svg);
	if (file) {
		is_written = fwrite(svg.data, 1, svg.size, file) == svg.size;
		is_written = fclose(file) == 0 && is_written;
	}
	if (!is_written)
		fprintf(stderr, "vigie-sim: %s: %s\n", options->svg_file, strerror(errno));
	return is_written;
}

/* --- the whole -------------------------------------------------------------------------------- */

static int run(struct comparison *comparison)
{
	if (!read_all(comparison))
		return 2;
	live(comparison);
	if (comparison->options->is_json)
		print_json(comparison);
	else
		print_table(comparison);
	return comparison->options->svg_file && !write_chart(comparison) ? 2 : 0;
}

int scenario_run(const struct scenario_options *options)
{
	struct comparison *comparison = mem_new(sizeof(*comparison));
	int status;

	comparison->options = options;
	status = run(comparison);
	for (uint32_t i = 0; i < options->policy_count; i++)
		tally_done(&comparison->tallies[i]);
	free(comparison->digests);
	arena_done(&comparison->arena);
	free(comparison);
	return status;
}
