/* Answers for people that are more than a list. */
#pragma once

#include <jansson.h>

#include "tools/vigiectl/table.h"

extern const struct column visit_columns[], task_columns[]; /* command.c */

void print_status(const json_t *answer);
void print_queue_total(const json_t *answer);
void print_explanation(const json_t *answer);
void print_case(const json_t *answer);
void print_household(const json_t *answer);
void print_giver(const json_t *answer);
void print_sheet(const json_t *answer);
void print_policy_diff(const json_t *answer); /* print_policy.c */
void print_remarks(const json_t *remarks);
void print_absences(const json_t *answer);
void print_event(const json_t *answer); /* with how to take it back */
void print_final_event(const json_t *answer);
void print_kicked(const json_t *answer);
void print_admitted(const json_t *answer);
void print_verification(const json_t *answer);
void print_clock(const json_t *answer);
