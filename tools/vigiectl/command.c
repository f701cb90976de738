#include "tools/vigiectl/command.h"

#include <stdio.h>
#include <stdlib.h>

#include "tools/vigiectl/preview.h"
#include "tools/vigiectl/print.h"
#include "tools/vigiectl/report.h"
#include "tools/vigiectl/special.h"

/* --- columns --- */

static const struct column queue_columns[] = {
	{"RANK", "rank", CELL_NUMBER},    {"CASE", "case", CELL_NUMBER},
	{"STATE", "state", CELL_URGENCY}, {"SECTOR", "sector", CELL_TEXT},
	{"TIER", "tier", CELL_URGENCY},   {"AS IF SINCE", "effective_date", CELL_TEXT},
	{"WHY", "why", CELL_TEXT},        {NULL},
};

const struct column visit_columns[] = {
	{"VISIT", "visit", CELL_NUMBER},
	{"CASE", "case", CELL_NUMBER},
	{"DAY", "day", CELL_TEXT},
	{"HALF", "half", CELL_TEXT},
	{"PAIR", "pair", CELL_TEXT},
	{"STATE", "state", CELL_URGENCY},
	{"SECTOR", "sector", CELL_TEXT},
	{"COMMUNE", "commune", CELL_TEXT},
	{NULL},
};

static const struct column suspect_columns[] = {
	{"SINCE", "since", CELL_TEXT},
	{"SOURCE", "source", CELL_TEXT},
	{"ID", "id", CELL_TEXT},
	{NULL},
};

static const struct column duplicate_columns[] = {
	{"HOUSEHOLD", "household", CELL_NUMBER}, {"CASE", "case", CELL_NUMBER},
	{"OTHER", "other", CELL_NUMBER},         {"OTHER CASE", "other_case", CELL_NUMBER},
	{"SINCE", "since", CELL_TEXT},           {NULL},
};

const struct column task_columns[] = {
	{"TASK", "task", CELL_NUMBER},         {"KIND", "kind", CELL_TEXT},
	{"TEMPLATE", "template", CELL_TEXT},   {"STATE", "state", CELL_URGENCY},
	{"ATTEMPT", "attempt", CELL_NUMBER},   {"DUE", "due", CELL_TEXT},
	{"CASE", "case", CELL_NUMBER},         {"TO", "to", CELL_TEXT},
	{"LAST CODE", "last_code", CELL_TEXT}, {NULL},
};

static const struct column pair_columns[] = {
	{"PAIR", "pair", CELL_TEXT},
	{"NAME", "name", CELL_TEXT},
	{"A WEEK", "visits_a_week", CELL_NUMBER},
	{"HALF-DAYS", "half_days", CELL_WORDS},
	{"SECTORS", "sectors", CELL_WORDS},
	{"CLOSED ONES", "closed_sectors", CELL_TEXT},
	{NULL},
};

static const struct column sector_columns[] = {
	{"SECTOR", "sector", CELL_TEXT},
	{"OPEN", "open", CELL_TEXT},
	{"FROM", "from", CELL_TEXT},
	{"TO", "to", CELL_TEXT},
	{"OPENS NEXT", "opens_next", CELL_TEXT},
	{"WEEKS", "wait_weeks", CELL_NUMBER},
	{"SUSPENDED", "suspended", CELL_TEXT},
	{"GIVERS", "givers", CELL_NUMBER},
	{"QUIET", "quiet", CELL_NUMBER},
	{"FIRST REFERRAL AFTER", "days_to_first_referral", CELL_NUMBER},
	{"CASES", "cases", CELL_DATA},
	{NULL},
};

static const struct column giver_columns[] = {
	{"GIVER", "giver", CELL_TEXT},
	{"STANDING", "standing", CELL_URGENCY},
	{"KIND", "kind", CELL_TEXT},
	{"STRUCTURE", "structure", CELL_TEXT},
	{"SECTORS", "sectors", CELL_WORDS},
	{"CASES", "cases", CELL_NUMBER},
	{"OPEN", "open_cases", CELL_NUMBER},
	{"VISITED", "visited", CELL_NUMBER},
	{"LAST REFERRAL", "last_referral", CELL_TEXT},
	{"LEFT ON", "left_on", CELL_TEXT},
	{"SUCCESSOR", "successor", CELL_TEXT},
	{NULL},
};

/* --- arguments that several commands have --- */

#define NEEDED (IS_POSITIONAL | IS_REQUIRED)
#define CASE                                                                                       \
	{                                                                                          \
		"case", ARGUMENT_NUMBER, NEEDED, "number of the case"                              \
	}
#define VISIT                                                                                      \
	{                                                                                          \
		"visit", ARGUMENT_NUMBER, NEEDED, "number of the visit"                            \
	}
#define LIMIT                                                                                      \
	{                                                                                          \
		"limit", ARGUMENT_LIMIT, 0, "at most so many lines (50)"                           \
	}
#define ON                                                                                         \
	{                                                                                          \
		"on", ARGUMENT_DAY, MAKES_LONG, "as it was at the end of this day"                 \
	}
#define BY                                                                                         \
	{                                                                                          \
		"by", ARGUMENT_WORD, 0, "who wanted it", &words_canceller                          \
	}
#define HALF_OF_DAY(flags)                                                                         \
	{                                                                                          \
		"half", ARGUMENT_WORD, flags, "morning or afternoon", &words_half                  \
	}

/* --- the commands --- */

const struct command commands[] = {
	{
		.words = "status",
		.method = "status",
		.socket = SOCKET_READS,
		.help = "How the core is, what is waiting, and what needs attention.",
		.arguments =
			{
				{"digest", ARGUMENT_FLAG, 0,
				 "the digest of the whole state too, which takes a while"},
			},
		.print = print_status,
	},
	{
		.words = "queue list",
		.method = "queue.list",
		.socket = SOCKET_ACTS,
		.help = "The open cases in their order, each with the reason for its place.",
		.arguments =
			{
				{"sector", ARGUMENT_TEXT, 0, "only this sector"},
				{"tier", ARGUMENT_WORD, 0, "only this tier", &words_tier},
				{"state", ARGUMENT_WORD, 0, "only this state", &words_case_state},
				LIMIT,
				ON,
			},
		.list = "cases",
		.columns = queue_columns,
		.print = print_queue_total,
	},
	{
		.words = "case explain",
		.method = "case.explain",
		.socket = SOCKET_ACTS,
		.help = "Why a case stands where it does, and before whom.",
		.arguments = {CASE, ON},
		.print = print_explanation,
	},
	{
		.words = "case show",
		.method = "case.show",
		.socket = SOCKET_ACTS,
		.help = "All that is known of a case, persons and facts included. The look is "
			"logged.",
		.arguments = {CASE},
		.print = print_case,
	},
	{
		.words = "case close",
		.method = "case.close",
		.socket = SOCKET_ACTS,
		.help = "Close a case.",
		.arguments =
			{
				CASE,
				{"reason", ARGUMENT_WORD, NEEDED, "why", &words_closing_said},
			},
		.print = print_event,
	},
	{
		.words = "case derogate",
		.method = "case.derogate",
		.socket = SOCKET_ACTS,
		.help = "Allow a visit in a closed sector, or deny it, through a day.",
		.arguments =
			{
				CASE,
				{"allow",
				 ARGUMENT_ANSWER,
				 NEEDED,
				 "which of both",
				 NULL,
				 {"deny", "allow"}},
				{"until", ARGUMENT_DAY, IS_REQUIRED,
				 "last day on which this holds"},
			},
		.print = print_event,
	},
	{
		.words = "visit list",
		.method = "visit.list",
		.socket = SOCKET_READS,
		.help = "Visits: planned, confirmed, and what came of them.",
		.arguments =
			{
				{"week", ARGUMENT_WEEK, 0, "only this week"},
				{"from", ARGUMENT_DAY, 0, "from this day on"},
				{"to", ARGUMENT_DAY, 0, "up to this day, included"},
				{"pair", ARGUMENT_TEXT, 0, "only this pair"},
				{"state", ARGUMENT_WORD, 0, "only this state", &words_visit_state},
				LIMIT,
			},
		.list = "visits",
		.columns = visit_columns,
	},
	{
		.words = "visit confirm",
		.method = "visit.confirm",
		.socket = SOCKET_ACTS,
		.help = "Confirm a planned visit, or with --week and --all every planned visit of "
			"a "
			"week.",
		.arguments =
			{
				{"visit", ARGUMENT_NUMBER, IS_POSITIONAL, "number of the visit"},
				{"day", ARGUMENT_DAY, 0, "on this day instead"},
				HALF_OF_DAY(0),
				{"week", ARGUMENT_WEEK, 0, "the week whose visits are confirmed"},
				{"all", ARGUMENT_FLAG, 0, "all of them, for certain"},
			},
		.print = print_event,
		.run = special_confirm,
	},
	{
		.words = "visit move",
		.method = "visit.move",
		.socket = SOCKET_ACTS,
		.help = "Move a visit to another day or half-day.",
		.arguments =
			{
				VISIT,
				{"day", ARGUMENT_DAY, NEEDED, "the new day"},
				HALF_OF_DAY(NEEDED),
				BY,
			},
		.print = print_event,
	},
	{
		.words = "visit cancel",
		.method = "visit.cancel",
		.socket = SOCKET_ACTS,
		.help = "Cancel a visit; the case waits again.",
		.arguments =
			{
				VISIT,
				{"by", ARGUMENT_WORD, IS_REQUIRED, "who wanted it",
				 &words_canceller},
			},
		.print = print_event,
	},
	{
		.words = "visit record",
		.method = "visit.record",
		.socket = SOCKET_ACTS,
		.help = "Record what came of a visit.",
		.arguments =
			{
				VISIT,
				{"result", ARGUMENT_WORD, NEEDED, "how it went", &words_result},
				{"second_visit", ARGUMENT_FLAG, 0, "another visit is needed"},
				{"onward", ARGUMENT_WORDS, 0, "where the household is sent on to",
				 &words_onward},
			},
		.print = print_event,
	},
	{
		.words = "visit sheet",
		.method = "visit.sheet",
		.socket = SOCKET_ACTS,
		.help = "Names, phones and addresses of a pair's confirmed visits. The look is "
			"logged.",
		.arguments =
			{
				{"pair", ARGUMENT_TEXT, NEEDED, "the pair"},
				{"week", ARGUMENT_WEEK, NEEDED, "the week"},
			},
		.print = print_sheet,
	},
	{
		.words = "pair list",
		.method = "pair.list",
		.socket = SOCKET_ACTS,
		.help = "The pairs: when they visit, how often, and when they are away.",
		.list = "pairs",
		.columns = pair_columns,
		.print = print_absences,
	},
	{
		.words = "pair absent",
		.method = "pair.absent",
		.socket = SOCKET_ACTS,
		.help = "Say that a pair is away; nothing is planned for it then.",
		.arguments =
			{
				{"pair", ARGUMENT_TEXT, NEEDED, "the pair"},
				{"from", ARGUMENT_DAY, NEEDED, "first day"},
				{"to", ARGUMENT_DAY, NEEDED, "last day"},
			},
		.print = print_event,
	},
	{
		.words = "sector list",
		.method = "sector.list",
		.socket = SOCKET_READS,
		.help = "The sectors: open or closed, the wait to expect, their cases and givers.",
		.list = "sectors",
		.columns = sector_columns,
	},
	{
		.words = "giver list",
		.method = "giver.list",
		.socket = SOCKET_READS,
		.help = "The alert givers, what came of their referrals, and who has fallen "
			"silent.",
		.arguments =
			{
				{"sector", ARGUMENT_TEXT, 0, "only those of this sector"},
				{"kind", ARGUMENT_WORD, 0, "only this kind", &words_giver_kind},
				{"quiet", ARGUMENT_FLAG, 0, "only those who have fallen silent"},
				{"unknown", ARGUMENT_FLAG, 0, "only those nobody registered"},
				LIMIT,
			},
		.list = "givers",
		.columns = giver_columns,
	},
	{
		.words = "giver show",
		.method = "giver.show",
		.socket = SOCKET_ACTS,
		.help = "All that was said of a giver, and its cases. The look is logged.",
		.arguments = {{"giver", ARGUMENT_TEXT, NEEDED, "identifier of the giver"}},
		.print = print_giver,
	},
	{
		.words = "household show",
		.method = "household.show",
		.socket = SOCKET_ACTS,
		.help = "All that is known of a household, which may have no case. The look is "
			"logged.",
		.arguments = {{"household", ARGUMENT_NUMBER, NEEDED, "number of the household"}},
		.print = print_household,
	},
	{
		.words = "duplicate list",
		.method = "duplicate.list",
		.socket = SOCKET_ACTS,
		.help = "Households that may be the same and that nobody has settled.",
		.list = "duplicates",
		.columns = duplicate_columns,
	},
	{
		.words = "duplicate settle",
		.method = "duplicate.settle",
		.socket = SOCKET_ACTS,
		.help = "Say that two households are the same, or that they are not.",
		.arguments =
			{
				{"household", ARGUMENT_NUMBER, NEEDED, "number of the one"},
				{"other", ARGUMENT_NUMBER, NEEDED, "number of the other"},
				{"same",
				 ARGUMENT_ANSWER,
				 NEEDED,
				 "which of both",
				 NULL,
				 {"different", "same"}},
			},
		.print = print_event,
	},
	{
		.words = "event retract",
		.method = "event.retract",
		.socket = SOCKET_ACTS,
		.help = "Make a fact void: all that followed from it is derived anew.",
		.arguments =
			{
				{"source", ARGUMENT_TEXT, NEEDED, "the event's source"},
				{"id", ARGUMENT_TEXT, NEEDED, "the event's id"},
				{"reason", ARGUMENT_TEXT, NEEDED, "why"},
			},
		.print = print_final_event,
	},
	{
		.words = "event suspects",
		.method = "event.suspects",
		.socket = SOCKET_ACTS,
		.help = "Events that ended the core when it tried them, and that it refuses since.",
		.list = "events",
		.columns = suspect_columns,
	},
	{
		.words = "event admit",
		.method = "event.admit",
		.socket = SOCKET_ACTS,
		.help = "Let a suspect come again, after the program was mended.",
		.arguments =
			{
				{"source", ARGUMENT_TEXT, NEEDED, "the event's source"},
				{"id", ARGUMENT_TEXT, NEEDED, "the event's id"},
			},
		.print = print_admitted,
	},
	{
		.words = "household erase",
		.method = "household.erase",
		.socket = SOCKET_ACTS,
		.help = "Forget the household of a case for good. This cannot be undone.",
		.arguments =
			{
				CASE,
				{"forever", ARGUMENT_FLAG, IS_REQUIRED, "says that you mean it"},
			},
		.print = print_final_event,
		.run = special_erase,
	},
	{
		.words = "task list",
		.method = "task.list",
		.socket = SOCKET_READS,
		.help = "Mails and plans that the core has asked for, latest first.",
		.arguments =
			{
				{"state", ARGUMENT_WORD, 0, "only this state", &words_task_state},
				{"kind", ARGUMENT_WORD, 0, "only this kind", &words_task_kind},
				LIMIT,
			},
		.list = "tasks",
		.columns = task_columns,
	},
	{
		.words = "task kick",
		.method = "task.kick",
		.socket = SOCKET_ACTS,
		.help = "Try a task again that was given up or waits for its next try; or all of "
			"them.",
		.arguments =
			{
				{"task", ARGUMENT_NUMBER, IS_POSITIONAL, "number of the task"},
				{"buried", ARGUMENT_FLAG, 0, "all buried tasks"},
				{"retrying", ARGUMENT_FLAG, 0, "all that wait for their next try"},
			},
		.print = print_kicked,
		.run = special_kick,
	},
	{
		.words = "report",
		.method = "report",
		.socket = SOCKET_READS,
		.help = "What came of referrals, by year, sector and kind of giver. Small counts "
			"are hidden.",
		.arguments =
			{
				{"year", ARGUMENT_NUMBER, 0, "only this year"},
				{"sector", ARGUMENT_TEXT, 0,
				 "only this sector, or all: the totals, or none"},
				{"kind", ARGUMENT_WORDS, 0, "only these kinds of givers",
				 &words_report_kind},
				{"full", ARGUMENT_FLAG, 0,
				 "small counts too; asks the control socket"},
				{"csv", ARGUMENT_FLAG, 0, "as a file for a French spreadsheet"},
			},
		.run = report_run,
	},
	{
		.words = "mail preview",
		.method = "mail.preview",
		.socket = SOCKET_ACTS,
		.help = "Show the mail of a task as it would go out now; the look is logged. Or "
			"samples of what a template may have to say; no core is asked then.",
		.arguments =
			{
				{"task", ARGUMENT_NUMBER, IS_POSITIONAL,
				 "number of the mail's task"},
				{"template", ARGUMENT_TEXT, 0, "samples of it, or one by its name"},
				{"all", ARGUMENT_FILE, 0,
				 "write every sample into this folder instead"},
				{"templates", ARGUMENT_FILE, 0,
				 "the folder with the templates; else that of vigie.conf"},
				{"html", ARGUMENT_FILE, 0, "write the HTML into this file as well"},
			},
		.run = special_mail_preview,
	},
	{
		.words = "policy check",
		.method = "policy.check",
		.socket = SOCKET_ACTS,
		.help = "Read a policy file and tell all its mistakes, and what the core would "
			"refuse in it. Nothing is applied.",
		.arguments =
			{
				{"file", ARGUMENT_FILE, NEEDED, "policy.conf"},
				{"file_only", ARGUMENT_FLAG, 0, "no core is asked"},
			},
		.run = special_policy_check,
	},
	{
		.words = "policy diff",
		.method = "policy.diff",
		.socket = SOCKET_ACTS,
		.help = "Who would move in the list, by how many places and why. Nothing is "
			"applied.",
		.arguments = {{"file", ARGUMENT_FILE, NEEDED, "policy.conf"}, LIMIT},
		.is_long = true,
		.print = print_policy_diff,
		.run = special_policy_send,
	},
	{
		.words = "policy apply",
		.method = "policy.apply",
		.socket = SOCKET_ACTS,
		.help = "Check a policy file and make it the one in force.",
		.arguments = {{"file", ARGUMENT_FILE, NEEDED, "policy.conf"}},
		.print = print_final_event,
		.run = special_policy_send,
	},
	{
		.words = "verify",
		.method = "verify",
		.socket = SOCKET_ACTS,
		.help = "Replay the whole journal and compare it with the state in memory.",
		.is_long = true,
		.verdict = "ok",
		.print = print_verification,
	},
	{
		.words = "clock advance",
		.method = "clock.advance",
		.socket = SOCKET_ACTS,
		.help = "Move the calendar of a rehearsal forward.",
		.arguments = {{"to", ARGUMENT_MOMENT, NEEDED, "a day, to its end, or a time"}},
		.is_long = true,
		.print = print_clock,
	},
	{NULL},
};

/* --- looking up --- */

static bool names(const struct command *command, char *const *words, int count)
{
	size_t at = 0;

	for (int i = 0; i < count; i++) {
		size_t size = strlen(words[i]);

		if (i > 0 && command->words[at++] != ' ')
			return false;
		if (strncmp(command->words + at, words[i], size) != 0)
			return false;
		at += size;
	}
	return command->words[at] == '\0';
}

const struct command *command_find(char *const *words, int count, int *used)
{
	for (*used = 1; *used <= count && *used <= 2; ++*used) {
		for (const struct command *command = commands; command->words; command++) {
			if (names(command, words, *used))
				return command;
		}
	}
	return NULL;
}

uint32_t command_argument_count(const struct command *command)
{
	uint32_t count = 0;

	while (command->arguments[count].name)
		count++;
	return count;
}

/* --- running --- */

int command_misused(const struct command *command, json_t *params, const char *text)
{
	fprintf(stderr, "vigiectl %s: %s\nTry `vigiectl %s --help' for more information.\n",
		command->words, text, command->words);
	json_decref(params);
	return STATUS_USAGE;
}

/* Nothing printed could be taken for nothing asked. What is printed below a list counts its lines. */
static void show_list(const struct command *command, const json_t *answer)
{
	const json_t *rows = json_object_get(answer, command->list);

	if (json_array_size(rows) == 0 && !command->print)
		puts("none");
	table_print(command->columns, rows);
}

static void show(const struct command *command, const struct session *session, const json_t *answer)
{
	if (session->as_json) {
		json_dumpf(answer, stdout,
			   JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
		putchar('\n');
		return;
	}
	if (command->list)
		show_list(command, answer);
	if (command->print)
		command->print(answer);
}

static bool takes_long(const struct command *command, const json_t *params)
{
	for (const struct argument *argument = command->arguments; argument->name; argument++)
		if (argument->flags & MAKES_LONG && json_object_get(params, argument->name))
			return true;
	return command->is_long;
}

int command_run(const struct command *command, struct session *session, json_t *params)
{
	json_t *answer;
	int status = session_call(session, command->socket, takes_long(command, params),
				  command->method, params, &answer);

	if (status)
		return status;
	show(command, session, answer);
	if (command->verdict && !json_is_true(json_object_get(answer, command->verdict)))
		status = STATUS_REFUSED;
	json_decref(answer);
	return status;
}
