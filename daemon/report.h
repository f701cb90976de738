/* The report: what came of referrals, by year, sector and kind of giver. A function of the state alone;
 * docs/report.md says what each figure counts and which day puts it into a year. */
#pragma once

#include "daemon/state.h"

/* Counts, each in a cell of its year, sector and kind, and in the three cells of totals above it. */
enum report_count {
	REPORT_REFERRALS,
	REPORT_ANSWERED,
	REPORT_VISITS,
	REPORT_SECOND_VISITS,
	REPORT_DEFERRED,
	REPORT_CARRIED_OVER,
	REPORT_VISITED_AFTER_DEFERRAL,
	REPORT_LOST_AFTER_DEFERRAL,
	REPORT_WITHDRAWN,
	REPORT_NO_SHOWS,
	REPORT_QUIET_GIVERS,
	REPORT_ONWARD, /* one a word of words_onward, in their order */
	REPORT_COUNT_END = REPORT_ONWARD + ONWARD_END - 1
};

/* Spans of days, of which the median and the ninth tenth are told. */
enum report_span {
	REPORT_TO_VISIT,    /* from referral to first visit */
	REPORT_TO_ANSWER,   /* from referral to first answer */
	REPORT_TO_REFERRAL, /* from the opening of a sector to its first referral */
	REPORT_SPAN_END
};

struct report_days {
	uint32_t count; /* how many spans; 0: the other two say nothing */
	day_t median, ninety;
	bool is_hidden;
};

struct report_cell {
	uint32_t counts[REPORT_COUNT_END];
	bool hidden[REPORT_COUNT_END];
	struct report_days days[REPORT_SPAN_END];
};

/* Kinds are words of words_report_kind; sectors are positions in the policy plus 1, 0 for none, the last
 * one for all. */
enum { REPORT_YEAR_MIN = 1900, REPORT_YEAR_MAX = 2170 };

struct report {
	const struct policy *policy; /* of the state, borrowed */
	uint32_t sector_all;
	struct report_cell
		*years[REPORT_YEAR_MAX - REPORT_YEAR_MIN + 1]; /* NULL: nothing counted */
};

void report_make(const struct state *state, struct report *report);
void report_done(struct report *report);

/* Hides small counts, and what would give them away. */
void report_hide(struct report *report);

/* NULL for a year in which nothing is counted. */
struct report_cell *report_at(const struct report *report, int year, uint32_t sector,
			      uint32_t kind);

/* Households of a sector as the policy tells them, or of all sectors together; 0: unknown. */
uint64_t report_households(const struct report *report, uint32_t sector);
