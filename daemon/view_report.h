/* The report as JSON: one row a year, sector and kind of giver, the totals among them as "all". */
#pragma once

#include <jansson.h>

#include "daemon/report.h"

struct report_filter {
	int year;       /* 0: any */
	bool is_sector; /* only `sector`, as in struct report */
	uint32_t sector;
	uint32_t kinds; /* a set of words_report_kind; 0: any */
	bool is_full;   /* small counts are shown */
};

/* Rows that tell nothing are left out: all hidden, or in full all zero. */
json_t *view_report(const struct state *state, const struct report_filter *filter);
