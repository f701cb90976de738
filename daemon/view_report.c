#include "daemon/view_report.h"

#include <stdio.h>

#include "daemon/secrecy.h"
#include "daemon/view.h"

/* One row on its way to JSON. */
struct row {
	const struct report *report;
	int year;
	uint32_t sector, kind;
	const struct report_cell *cell;
	json_t *json;
	json_t *hidden; /* names of what is */
	bool is_telling;
};

/* --- values ----------------------------------------------------------------------------------- */

static void add(struct row *row, json_t *to, const char *prefix, const char *name, bool is_hidden,
		json_t *value)
{
	char whole[64];

	if (is_hidden) {
		json_decref(value);
		value = json_null();
		snprintf(whole, sizeof(whole), "%s%s", prefix, name);
		json_array_append_new(row->hidden, json_string(whole));
	}
	json_object_set_new(to, name, value);
}

static void add_count(struct row *row, const char *name, uint32_t what)
{
	const struct report_cell *cell = row->cell;

	row->is_telling |= !cell->hidden[what] && cell->counts[what];
	add(row, row->json, "", name, cell->hidden[what], json_integer(cell->counts[what]));
}

/* A number with decimals: so many times the whole, in 1/unit. Fifteen digits write it exactly. */
static json_t *ratio(uint64_t part, uint64_t scale, uint64_t whole, double unit)
{
	uint64_t units;

	if (!whole)
		return json_null();
	units = (part * scale + whole / 2) / whole;
	return json_real((double)units / unit);
}

/* Of what there is: by kind, of all kinds in that sector; by sector, of all sectors. */
static void add_share(struct row *row)
{
	bool is_by_kind = row->kind != REPORT_KIND_ALL;
	const struct report_cell *whole =
		report_at(row->report, row->year,
			  is_by_kind ? row->sector : row->report->sector_all, REPORT_KIND_ALL);
	bool is_hidden = row->cell->hidden[REPORT_REFERRALS] || whole->hidden[REPORT_REFERRALS];

	add(row, row->json, "", "share_percent", is_hidden,
	    ratio(row->cell->counts[REPORT_REFERRALS], 1000, whole->counts[REPORT_REFERRALS], 10));
}

static void add_rate(struct row *row)
{
	add(row, row->json, "", "visits_per_1000_households", row->cell->hidden[REPORT_VISITS],
	    ratio(row->cell->counts[REPORT_VISITS], 100000,
		  report_households(row->report, row->sector), 100));
}

static void add_span(struct row *row, enum report_span span, const char *median, const char *ninety)
{
	const struct report_days *days = &row->cell->days[span];

	add(row, row->json, "", median, days->is_hidden,
	    days->count ? json_integer(days->median) : json_null());
	if (ninety)
		add(row, row->json, "", ninety, days->is_hidden,
		    days->count ? json_integer(days->ninety) : json_null());
}

static void add_onward(struct row *row)
{
	json_t *onward = json_object();

	for (uint32_t word = 1; word < ONWARD_END; word++) {
		uint32_t what = REPORT_ONWARD + word - 1;

		row->is_telling |= !row->cell->hidden[what] && row->cell->counts[what];
		add(row, onward, "onward.", words_name(&words_onward, word),
		    row->cell->hidden[what], json_integer(row->cell->counts[what]));
	}
	json_object_set_new(row->json, "onward", onward);
}

/* --- rows ------------------------------------------------------------------------------------- */

static json_t *name_sector(const struct row *row)
{
	if (row->sector == row->report->sector_all)
		return json_string("all");
	if (!row->sector)
		return json_string("none");
	return view_text(policy_sector_at(row->report->policy, row->sector - 1)->id);
}

static void fill(struct row *row)
{
	json_object_set_new(row->json, "year", json_integer(row->year));
	json_object_set_new(row->json, "sector", name_sector(row));
	json_object_set_new(row->json, "kind", view_word(&words_report_kind, row->kind));
	add_count(row, "referrals", REPORT_REFERRALS);
	add_share(row);
	add_count(row, "visits", REPORT_VISITS);
	add_count(row, "second_visits", REPORT_SECOND_VISITS);
	add_rate(row);
	add_span(row, REPORT_TO_VISIT, "days_to_visit_median", "days_to_visit_90_percent");
	add_count(row, "deferred", REPORT_DEFERRED);
	add_count(row, "carried_over", REPORT_CARRIED_OVER);
	add_count(row, "visited_after_deferral", REPORT_VISITED_AFTER_DEFERRAL);
	add_count(row, "lost_after_deferral", REPORT_LOST_AFTER_DEFERRAL);
	add_count(row, "withdrawn", REPORT_WITHDRAWN);
	add_count(row, "no_shows", REPORT_NO_SHOWS);
	add_onward(row);
	add_count(row, "quiet_givers", REPORT_QUIET_GIVERS);
	add_count(row, "answered", REPORT_ANSWERED);
	add_span(row, REPORT_TO_ANSWER, "days_to_answer_median", "days_to_answer_90_percent");
	add_span(row, REPORT_TO_REFERRAL, "days_from_opening_to_referral", NULL);
}

static void add_row(const struct report *report, int year, uint32_t sector, uint32_t kind,
		    json_t *rows)
{
	struct row row = {
		.report = report,
		.year = year,
		.sector = sector,
		.kind = kind,
		.cell = report_at(report, year, sector, kind),
		.json = json_object(),
		.hidden = json_array(),
	};

	fill(&row);
	json_object_set_new(row.json, "hidden", row.hidden);
	if (row.is_telling)
		json_array_append(rows, row.json);
	json_decref(row.json);
}

/* Totals first, what belongs nowhere last. */
static void add_year(const struct report *report, const struct report_filter *filter, int year,
		     json_t *rows)
{
	for (uint32_t i = 0; i <= report->sector_all; i++) {
		uint32_t sector = i == 0 ? report->sector_all : i % report->sector_all;

		if (filter->is_sector && sector != filter->sector)
			continue;
		for (uint32_t k = 0; k < REPORT_KIND_ALL; k++) {
			uint32_t kind = k == 0 ? REPORT_KIND_ALL : k;

			if (!filter->kinds || filter->kinds & 1u << (kind - 1))
				add_row(report, year, sector, kind, rows);
		}
	}
}

json_t *view_report(const struct state *state, const struct report_filter *filter)
{
	json_t *rows = json_array();
	struct report report;

	report_make(state, &report);
	if (!filter->is_full)
		report_hide(&report);
	for (int year = REPORT_YEAR_MIN; year <= REPORT_YEAR_MAX; year++)
		if (report_at(&report, year, 0, REPORT_KIND_ALL) &&
		    (!filter->year || filter->year == year))
			add_year(&report, filter, year, rows);
	report_done(&report);
	return json_pack("{s:I, s:o, s:o, s:o}", "seq", (json_int_t)state->seq, "today",
			 view_day(state->today), "hidden_below",
			 filter->is_full ? json_null() : json_integer(SECRET_BELOW), "rows", rows);
}
