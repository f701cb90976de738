/* What came of one policy over all seeds: each figure by year, sector and kind of giver, and week by week
 * the wait that givers were told to expect. */
#pragma once

#include "daemon/report.h"

/* FIGURE(NAME, name in JSON, heading of its column or NULL) */
#define FIGURES(FIGURE)                                                                            \
	FIGURE(REFERRALS, "referrals", "REFERRALS")                                                \
	FIGURE(NOT_SENT, "not_sent", "NOT SENT")                                                   \
	FIGURE(VISITS, "visits", "VISITS")                                                         \
	FIGURE(MEDIAN, "days_to_visit_median", "DAYS")                                             \
	FIGURE(NINETY, "days_to_visit_90_percent", "90 %")                                         \
	FIGURE(DEFERRED, "deferred", "DEFERRED")                                                   \
	FIGURE(CARRIED_OVER, "carried_over", "CARRIED")                                            \
	FIGURE(VISITED_AFTER, "visited_after_deferral", "VISITED")                                 \
	FIGURE(LOST, "lost_after_deferral", "LOST")                                                \
	FIGURE(WITHDRAWN, "withdrawn", "WITHDRAWN")                                                \
	FIGURE(NO_SHOWS, "no_shows", NULL)                                                         \
	FIGURE(SUSPENDED, "suspended_weeks", "SUSPENDED")                                          \
	FIGURE(QUIET, "quiet_givers", NULL)                                                        \
	FIGURE(TO_REFERRAL, "days_from_opening_to_referral", NULL)

enum figure {
#define FIGURE(NAME, name, heading) FIGURE_##NAME,
	FIGURES(FIGURE)
#undef FIGURE
		FIGURE_END
};
extern const char *const figure_names[FIGURE_END], *const figure_headings[FIGURE_END];

/* Of the seeds in which there was something to say. */
struct spread {
	uint64_t sum, min, max;
	uint32_t count;
};
void spread_add(struct spread *spread, uint64_t value);
uint64_t spread_mean_tenths(const struct spread *spread); /* rounded; count must not be 0 */

struct tally {
	const struct policy *policy;
	int first_year;
	uint32_t year_count, sector_all;
	struct spread *cells; /* by year, sector, kind, figure */
	uint64_t *notes;      /* the same, of the seed that is lived */
	day_t first_monday;
	uint32_t week_count;
	struct spread *weeks; /* the longest forecast of an open sector, in weeks */
};

void tally_init(struct tally *tally, const struct policy *policy, day_t from, day_t to);
void tally_done(struct tally *tally);

/* Sectors and kinds as in struct report. */
struct spread *tally_at(const struct tally *tally, int year, uint32_t sector, uint32_t kind,
			enum figure figure);

/* Do two policies give the same figures for a year, sector by sector? */
bool tally_is_alike(const struct tally *a, const struct tally *b, int year);

/* Counts one in a cell, for figures that no report has. */
void tally_note(struct tally *tally, int year, uint32_t sector, uint32_t kind, enum figure figure);

/* A seed is over: its report, and what was noted. */
void tally_report(struct tally *tally, const struct report *report);
