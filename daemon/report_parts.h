/* What report.c counts in and report_hide.c hides in: the cells of a year, row by row, a row a sector, the
 * last one for all. */
#pragma once

#include "daemon/report.h"

enum { KINDS = REPORT_KIND_END - 1 }; /* cells of a row; words begin at 1 */

uint32_t report_cell_count(const struct report *report); /* of a year */
