#include "daemon/io/questions.h"

#include <string.h>

#include "daemon/io/asks.h"
#include "daemon/io/policies.h"

static const struct question_row rows[] = {
	{"status", SOCKET_STATUS | SOCKET_CONTROL, "digest", ask_status},
	{"queue.list", SOCKET_STATUS | SOCKET_CONTROL, "sector tier state limit on", ask_queue},
	{"case.explain", SOCKET_STATUS | SOCKET_CONTROL, "case on", ask_explain},
	{"case.show", SOCKET_CONTROL, "case", ask_show},
	{"household.show", SOCKET_CONTROL, "household", ask_household},
	{"visit.list", SOCKET_STATUS | SOCKET_CONTROL, "week from to pair state limit", ask_visits},
	{"visit.sheet", SOCKET_CONTROL, "pair week", ask_sheet},
	{"pair.list", SOCKET_CONTROL, "", ask_pairs},
	{"duplicate.list", SOCKET_CONTROL, "", ask_duplicates},
	{"sector.list", SOCKET_STATUS | SOCKET_CONTROL, "", ask_sectors},
	{"giver.list", SOCKET_STATUS | SOCKET_CONTROL, "sector kind quiet unknown limit",
	 ask_givers},
	{"giver.show", SOCKET_CONTROL, "giver", ask_giver},
	{"mail.preview", SOCKET_CONTROL, "task", ask_mail},
	{"event.suspects", SOCKET_CONTROL, "", ask_suspects},
	{"task.list", SOCKET_STATUS | SOCKET_CONTROL, "state kind limit", ask_tasks},
	{"verify", SOCKET_CONTROL | IS_LONG, "", ask_verify, ask_verify_ended},
	{"policy.check", SOCKET_CONTROL, "policy", ask_policy_check},
	{"policy.diff", SOCKET_CONTROL | IS_LONG, "policy limit", ask_policy_diff},
	{"report", SOCKET_STATUS | SOCKET_CONTROL, "year sector kind full", ask_report},
};

const struct question_row *questions_find(const char *method)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (strcmp(rows[i].method, method) == 0)
			return &rows[i];
	return NULL;
}
