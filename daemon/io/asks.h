/* The questions, one function each, grouped by what they are about: ask_*.c. Those about a policy that is
 * not in force are in policies.h. */
#pragma once

#include "daemon/io/question.h"

question_fn ask_status, ask_suspects, ask_verify;
job_end_fn ask_verify_ended;
question_fn ask_queue, ask_explain, ask_show, ask_household, ask_duplicates;
question_fn ask_visits, ask_sheet;
question_fn ask_pairs;
question_fn ask_sectors, ask_givers, ask_giver;
question_fn ask_tasks, ask_mail;
question_fn ask_report;
