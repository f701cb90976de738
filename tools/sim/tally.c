#include "tools/sim/tally.h"

#include <stdlib.h>

#define FIGURE(NAME, name, heading) name,
const char *const figure_names[FIGURE_END] = {FIGURES(FIGURE)};
#undef FIGURE
#define FIGURE(NAME, name, heading) heading,
const char *const figure_headings[FIGURE_END] = {FIGURES(FIGURE)};
#undef FIGURE

enum { KINDS = REPORT_KIND_END - 1 };

/* --- one figure ------------------------------------------------------------------------------- */

void spread_add(struct spread *spread, uint64_t value)
{
	if (!spread->count || value < spread->min)
		spread->min = value;
	if (!spread->count || value > spread->max)
		spread->max = value;
	spread->sum += value;
	spread->count++;
}

uint64_t spread_mean_tenths(const struct spread *spread)
{
	assert(spread->count);
	return (10 * spread->sum + spread->count / 2) / spread->count;
}

/* --- all of them ------------------------------------------------------------------------------ */

void tally_init(struct tally *tally, const struct policy *policy, day_t from, day_t to)
{
	uint32_t cells;

	*tally = (struct tally){
		.policy = policy,
		.first_year = day_to_ymd(from).year,
		.year_count = (uint32_t)(day_to_ymd(to).year - day_to_ymd(from).year) + 1,
		.sector_all = policy->sectors.count + 1,
		.first_monday = from + (7 - day_weekday(from)) % 7,
	};
	cells = tally->year_count * (tally->sector_all + 1) * KINDS * FIGURE_END;
	tally->cells = mem_new(cells * sizeof(*tally->cells));
	tally->notes = mem_new(cells * sizeof(*tally->notes));
	if (to >= tally->first_monday)
		tally->week_count = (uint32_t)(to - tally->first_monday) / 7 + 1;
	tally->weeks = mem_new(tally->week_count * sizeof(*tally->weeks));
}

void tally_done(struct tally *tally)
{
	free(tally->cells);
	free(tally->notes);
	free(tally->weeks);
	*tally = (struct tally){0};
}

static uint32_t index_of(const struct tally *tally, int year, uint32_t sector, uint32_t kind,
			 enum figure figure)
{
	uint32_t at = (uint32_t)(year - tally->first_year);

	assert(at < tally->year_count);
	assert(sector <= tally->sector_all);
	assert(kind && kind < REPORT_KIND_END);
	return ((at * (tally->sector_all + 1) + sector) * KINDS + kind - 1) * FIGURE_END + figure;
}

struct spread *tally_at(const struct tally *tally, int year, uint32_t sector, uint32_t kind,
			enum figure figure)
{
	return &tally->cells[index_of(tally, year, sector, kind, figure)];
}

bool tally_is_alike(const struct tally *a, const struct tally *b, int year)
{
	size_t size = (a->sector_all + 1) * KINDS * FIGURE_END * sizeof(*a->cells);

	return a->sector_all == b->sector_all &&
	       memcmp(tally_at(a, year, 0, 1, 0), tally_at(b, year, 0, 1, 0), size) == 0;
}

void tally_note(struct tally *tally, int year, uint32_t sector, uint32_t kind, enum figure figure)
{
	tally->notes[index_of(tally, year, sector, kind, figure)]++;
}

static const uint32_t counts[FIGURE_END] = {
	[FIGURE_REFERRALS] = REPORT_REFERRALS,
	[FIGURE_VISITS] = REPORT_VISITS,
	[FIGURE_DEFERRED] = REPORT_DEFERRED,
	[FIGURE_CARRIED_OVER] = REPORT_CARRIED_OVER,
	[FIGURE_VISITED_AFTER] = REPORT_VISITED_AFTER_DEFERRAL,
	[FIGURE_LOST] = REPORT_LOST_AFTER_DEFERRAL,
	[FIGURE_WITHDRAWN] = REPORT_WITHDRAWN,
	[FIGURE_NO_SHOWS] = REPORT_NO_SHOWS,
	[FIGURE_QUIET] = REPORT_QUIET_GIVERS,
};

static void tally_notes(struct tally *tally, int year, uint32_t sector, uint32_t kind)
{
	static const enum figure noted[] = {FIGURE_NOT_SENT, FIGURE_SUSPENDED};

	for (size_t i = 0; i < ARRAY_SIZE(noted); i++) {
		uint64_t *note = &tally->notes[index_of(tally, year, sector, kind, noted[i])];

		spread_add(tally_at(tally, year, sector, kind, noted[i]), *note);
		*note = 0;
	}
}

/* A median of nothing is none; a count of nothing is 0. The other figures come from elsewhere. */
static void tally_cell(struct tally *tally, int year, uint32_t sector, uint32_t kind,
		       const struct report_cell *cell)
{
	const struct report_days *visit = &cell->days[REPORT_TO_VISIT];
	const struct report_days *referral = &cell->days[REPORT_TO_REFERRAL];

	for (enum figure figure = 0; figure < FIGURE_END; figure++)
		if (counts[figure] || figure == FIGURE_REFERRALS)
			spread_add(tally_at(tally, year, sector, kind, figure),
				   cell->counts[counts[figure]]);
	if (visit->count) {
		spread_add(tally_at(tally, year, sector, kind, FIGURE_MEDIAN),
			   (uint64_t)visit->median);
		spread_add(tally_at(tally, year, sector, kind, FIGURE_NINETY),
			   (uint64_t)visit->ninety);
	}
	if (referral->count)
		spread_add(tally_at(tally, year, sector, kind, FIGURE_TO_REFERRAL),
			   (uint64_t)referral->median);
}

void tally_report(struct tally *tally, const struct report *report)
{
	static const struct report_cell nothing;

	assert(report->sector_all == tally->sector_all);
	for (uint32_t i = 0; i < tally->year_count; i++)
		for (uint32_t sector = 0; sector <= tally->sector_all; sector++)
			for (uint32_t kind = 1; kind < REPORT_KIND_END; kind++) {
				int year = tally->first_year + (int)i;
				const struct report_cell *cell =
					report_at(report, year, sector, kind);

				tally_cell(tally, year, sector, kind, cell ? cell : &nothing);
				tally_notes(tally, year, sector, kind);
			}
}
