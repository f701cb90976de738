#include "daemon/report_parts.h"

#include "base/mem.h"
#include "daemon/secrecy.h"

/* One count of one year. True when something was hidden that was not before. */
static bool hide_count(struct report_cell *cells, uint32_t rows, uint32_t what, uint32_t *counts,
		       bool *hidden)
{
	struct secrecy secrecy = {counts, hidden, rows, KINDS};
	uint32_t cell_total = rows * KINDS;
	bool is_changed = false;

	for (uint32_t i = 0; i < cell_total; i++) {
		counts[i] = cells[i].counts[what];
		hidden[i] = cells[i].hidden[what];
	}
	secrecy_hide(&secrecy);
	for (uint32_t i = 0; i < cell_total; i++) {
		is_changed |= hidden[i] != cells[i].hidden[what];
		cells[i].hidden[what] = hidden[i];
	}
	return is_changed;
}

/* Those put off that were visited and those that were lost: who knows one count of an old year knows the
 * other, so both are hidden together. */
static void tie_put_off(struct report_cell *cells, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		bool *hidden = cells[i].hidden;
		bool either =
			hidden[REPORT_VISITED_AFTER_DEFERRAL] || hidden[REPORT_LOST_AFTER_DEFERRAL];

		hidden[REPORT_VISITED_AFTER_DEFERRAL] = either;
		hidden[REPORT_LOST_AFTER_DEFERRAL] = either;
	}
}

/* A median of few is nearly their own days. */
static void hide_days(struct report_cell *cell)
{
	static const uint32_t base[REPORT_SPAN_END] = {
		[REPORT_TO_VISIT] = REPORT_VISITS,
		[REPORT_TO_ANSWER] = REPORT_ANSWERED,
		[REPORT_TO_REFERRAL] = REPORT_REFERRALS,
	};

	for (uint32_t span = 0; span < REPORT_SPAN_END; span++)
		cell->days[span].is_hidden =
			cell->hidden[base[span]] ||
			(span != REPORT_TO_REFERRAL && cell->days[span].count < SECRET_BELOW);
}

static void hide_year(struct report_cell *cells, uint32_t rows, uint32_t *counts, bool *hidden)
{
	uint32_t cell_total = rows * KINDS;
	bool is_changed = true;

	while (is_changed) {
		is_changed = false;
		for (uint32_t what = 0; what < REPORT_COUNT_END; what++)
			is_changed |= hide_count(cells, rows, what, counts, hidden);
		tie_put_off(cells, cell_total);
	}
	for (uint32_t i = 0; i < cell_total; i++)
		hide_days(&cells[i]);
}

void report_hide(struct report *report)
{
	uint32_t *counts = mem_new(report_cell_count(report) * sizeof(*counts));
	bool *hidden = mem_new(report_cell_count(report) * sizeof(*hidden));

	for (size_t i = 0; i < ARRAY_SIZE(report->years); i++)
		if (report->years[i])
			hide_year(report->years[i], report->sector_all + 1, counts, hidden);
	mem_free(&counts);
	mem_free(&hidden);
}
