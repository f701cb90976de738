/* The report for people: as a table, or as a CSV file that a French spreadsheet opens as it is. */
#pragma once

#include "tools/vigiectl/command.h"

int report_run(const struct command *command, struct session *session, json_t *params);
