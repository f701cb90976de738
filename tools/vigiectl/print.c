#include "tools/vigiectl/print.h"

#include <stdio.h>

#include "tools/vigiectl/terminal.h"

/* --- pieces --- */

static long long number_of(const json_t *object, const char *key)
{
	return (long long)json_integer_value(json_object_get(object, key));
}

static void print_value(enum cell cell, const json_t *value)
{
	scoped(arena_done) struct arena arena = {0};

	terminal_print(STYLE_PLAIN, table_cell(&arena, cell, value));
}

static void print_heading(const char *heading)
{
	putchar('\n');
	terminal_print(STYLE_HEADING, str_from(heading));
	putchar('\n');
}

static void print_section(const char *heading, const struct column *columns, const json_t *rows)
{
	if (json_array_size(rows) == 0)
		return;
	print_heading(heading);
	table_print(columns, rows);
}

/* One line "label   value", left out where the answer says nothing. */
struct line {
	const char *label;
	const char *key;
	enum cell cell;
};

enum { LABEL_WIDTH = 14 };

static void print_lines(const struct line *lines, size_t count, const json_t *object)
{
	for (size_t i = 0; i < count; i++) {
		const json_t *value = json_object_get(object, lines[i].key);

		if (!value || json_is_null(value))
			continue;
		printf("%-*s", LABEL_WIDTH, lines[i].label);
		print_value(lines[i].cell, value);
		putchar('\n');
	}
}

/* --- status --- */

static const struct line status_lines[] = {
	{"Time", "now", CELL_TEXT},          {"Rehearsal", "rehearsal", CELL_TEXT},
	{"Draining", "draining", CELL_TEXT}, {"Last event", "seq", CELL_TEXT},
	{"Digest", "digest", CELL_TEXT},     {"Policy", "policy", CELL_DATA},
	{"Journal", "journal", CELL_DATA},   {"Intake", "intake", CELL_DATA},
};

/* An object's scalars, then one line for each object inside. */
static void print_counts(const char *heading, const json_t *counts)
{
	const char *key;
	json_t *value;

	if (!counts)
		return;
	print_heading(heading);
	json_object_foreach((json_t *)counts, key, value)
	{
		printf("%-*s", LABEL_WIDTH, key);
		print_value(json_is_object(value) ? CELL_DATA : CELL_TEXT, value);
		putchar('\n');
	}
}

static const struct column worker_columns[] = {
	{"NAME", "name", CELL_TEXT},
	{"KINDS", "kinds", CELL_WORDS},
	{"SLOTS", "slots", CELL_NUMBER},
	{"BUSY", "busy", CELL_NUMBER},
	{NULL},
};

static const struct column alarm_columns[] = {
	{"CODE", "code", CELL_TEXT},
	{"SINCE", "since", CELL_TEXT},
	{"COUNT", "count", CELL_NUMBER},
	{"ABOUT", "about", CELL_WORDS},
	{NULL},
};

void print_status(const json_t *answer)
{
	const json_t *workers = json_object_get(answer, "workers");

	print_lines(status_lines, ARRAY_SIZE(status_lines), answer);
	print_counts("Cases", json_object_get(answer, "cases"));
	print_counts("Tasks", json_object_get(answer, "tasks"));
	print_section("Workers", worker_columns, workers);
	if (json_is_array(workers) && json_array_size(workers) == 0) {
		print_heading("Workers");
		terminal_print(STYLE_ALARM, STR("none: no mail is sent and no plan is made"));
		putchar('\n');
	}
	print_section("Alarms", alarm_columns, json_object_get(answer, "alarms"));
}

void print_queue_total(const json_t *answer)
{
	printf("%zu of %lld cases, ", json_array_size(json_object_get(answer, "cases")),
	       number_of(answer, "total"));
	print_value(CELL_TEXT, json_object_get(answer, "today"));
	putchar('\n');
}

/* --- cases --- */

static const struct line case_lines[] = {
	{"As of", "on", CELL_TEXT},
	{"Rank", "rank", CELL_TEXT},
	{"State", "state", CELL_URGENCY},
	{"Sector", "sector", CELL_TEXT},
	{"Tier", "tier", CELL_URGENCY},
	{"First date", "first_date", CELL_TEXT},
	{"As if since", "effective_date", CELL_TEXT},
	{"Eligible", "eligible", CELL_TEXT},
	{"Closed", "closing", CELL_TEXT},
	{"Closed on", "closed_on", CELL_TEXT},
};

static const struct column reason_columns[] = {
	{"CODE", "code", CELL_URGENCY},
	{"DAYS", "days", CELL_NUMBER},
	{"SENTENCE", "sentence", CELL_TEXT},
	{NULL},
};

static const struct column cutoff_columns[] = {
	{"ENERGY", "energy", CELL_TEXT},
	{"SUPPLIER", "supplier", CELL_TEXT},
	{"EARLIEST CUT", "earliest_cut", CELL_TEXT},
	{"STEPS", "steps", CELL_STEPS},
	{NULL},
};

static void print_sentence(const json_t *answer)
{
	const json_t *sentence = json_object_get(answer, "sentence");

	if (!json_is_string(sentence))
		return;
	putchar('\n');
	print_value(CELL_TEXT, sentence);
	putchar('\n');
}

static void print_before(const json_t *before)
{
	if (!json_is_object(before))
		return;
	print_heading("Just before it");
	printf("case %lld: ", number_of(before, "case"));
	print_value(CELL_TEXT, json_object_get(before, "sentence"));
	putchar('\n');
}

void print_explanation(const json_t *answer)
{
	printf("%-*s%lld\n", LABEL_WIDTH, "Case", number_of(answer, "case"));
	print_lines(case_lines, ARRAY_SIZE(case_lines), answer);
	print_sentence(answer);
	print_section("Reasons", reason_columns, json_object_get(answer, "reasons"));
	print_section("Earliest legal cutoffs", cutoff_columns, json_object_get(answer, "cutoffs"));
	print_before(json_object_get(answer, "before"));
}

static const struct line household_lines[] = {
	{"Number", "household", CELL_TEXT},
	{"Source", "source", CELL_TEXT},
	{"Subject", "subject", CELL_TEXT},
};

static const struct line person_lines[] = {
	{"Name", "name", CELL_TEXT},       {"Phone", "phone", CELL_TEXT},
	{"E-mail", "email", CELL_TEXT},    {"Address", "address", CELL_TEXT},
	{"Persons", "persons", CELL_TEXT},
};

static const struct column fact_columns[] = {
	{"EVENT", "seq", CELL_NUMBER},
	{"DAY", "day", CELL_TEXT},
	{"TYPE", "type", CELL_TEXT},
	{"SOURCE", "source", CELL_TEXT},
	{"ID", "id", CELL_TEXT},
	{"DATA", "data", CELL_DATA},
	{NULL},
};

void print_case(const json_t *answer)
{
	print_explanation(answer);
	print_heading("Household");
	print_lines(household_lines, ARRAY_SIZE(household_lines), answer);
	print_lines(person_lines, ARRAY_SIZE(person_lines), json_object_get(answer, "person"));
	print_section("Facts", fact_columns, json_object_get(answer, "facts"));
	print_section("Visits", visit_columns, json_object_get(answer, "visits"));
	print_section("Mails", task_columns, json_object_get(answer, "mails"));
}

static const struct line known_household_lines[] = {
	{"Case", "case", CELL_TEXT},
	{"Commune", "commune", CELL_TEXT},
};

void print_household(const json_t *answer)
{
	print_lines(household_lines, ARRAY_SIZE(household_lines), answer);
	print_lines(known_household_lines, ARRAY_SIZE(known_household_lines), answer);
	print_lines(person_lines, ARRAY_SIZE(person_lines), json_object_get(answer, "person"));
	print_section("Facts", fact_columns, json_object_get(answer, "facts"));
	print_section("Visits", visit_columns, json_object_get(answer, "visits"));
}

/* --- givers --- */

static const struct line giver_lines[] = {
	{"Giver", "giver", CELL_TEXT},
	{"Standing", "standing", CELL_URGENCY},
	{"Kind", "kind", CELL_TEXT},
	{"Structure", "structure", CELL_TEXT},
	{"Sectors", "sectors", CELL_WORDS},
	{"Left on", "left_on", CELL_TEXT},
	{"Successor", "successor", CELL_TEXT},
	{"Pace", "pace", CELL_TEXT},
	{"Refused", "address_refused", CELL_TEXT},
	{"Cases", "cases", CELL_TEXT},
	{"Open", "open_cases", CELL_TEXT},
	{"Visited", "visited", CELL_TEXT},
	{"Last referral", "last_referral", CELL_TEXT},
};

static const struct column giver_fact_columns[] = {
	{"EVENT", "seq", CELL_NUMBER}, {"DAY", "day", CELL_TEXT},
	{"TYPE", "type", CELL_TEXT},   {"REPLACED", "replaced", CELL_TEXT},
	{"DATA", "data", CELL_DATA},   {NULL},
};

static const struct column giver_case_columns[] = {
	{"CASE", "case", CELL_NUMBER},
	{"STATE", "state", CELL_URGENCY},
	{"SECTOR", "sector", CELL_TEXT},
	{"TIER", "tier", CELL_URGENCY},
	{"SINCE", "first_date", CELL_TEXT},
	{"CLOSED", "closing", CELL_TEXT},
	{NULL},
};

void print_giver(const json_t *answer)
{
	print_lines(giver_lines, ARRAY_SIZE(giver_lines), answer);
	print_section("What was said", giver_fact_columns, json_object_get(answer, "history"));
	print_section("Cases", giver_case_columns, json_object_get(answer, "case_list"));
}

/* --- visits --- */

static const struct column sheet_columns[] = {
	{"DAY", "day", CELL_TEXT},
	{"HALF", "half", CELL_TEXT},
	{"CASE", "case", CELL_NUMBER},
	{"NAME", "name", CELL_TEXT},
	{"PERSONS", "persons", CELL_NUMBER},
	{"PHONE", "phone", CELL_TEXT},
	{"COMMUNE", "commune", CELL_TEXT},
	{"ADDRESS", "address", CELL_TEXT},
	{NULL},
};

void print_sheet(const json_t *answer)
{
	const json_t *visits = json_object_get(answer, "visits");

	print_value(CELL_TEXT, json_object_get(answer, "pair"));
	printf(", week ");
	print_value(CELL_TEXT, json_object_get(answer, "week"));
	printf(json_array_size(visits) ? "\n" : ": no confirmed visit\n");
	table_print(sheet_columns, visits);
}

/* --- pairs --- */

static const struct column absence_columns[] = {
	{"PAIR", "pair", CELL_TEXT},     {"FROM", "from", CELL_TEXT}, {"TO", "to", CELL_TEXT},
	{"SOURCE", "source", CELL_TEXT}, {"ID", "id", CELL_TEXT},     {NULL},
};

/* Of all pairs together, each with its pair. */
void print_absences(const json_t *answer)
{
	json_t *pair, *absence, *rows = json_array();
	size_t at, at_absence;

	json_array_foreach(json_object_get(answer, "pairs"), at, pair)
	{
		json_array_foreach(json_object_get(pair, "absences"), at_absence, absence)
		{
			json_t *row = json_copy(absence);

			json_object_set(row, "pair", json_object_get(pair, "pair"));
			json_array_append_new(rows, row);
		}
	}
	print_section("Away", absence_columns, rows);
	if (json_array_size(rows))
		puts("To take one back: vigiectl event retract SOURCE ID REASON");
	json_decref(rows);
}

/* --- acts --- */

void print_remarks(const json_t *remarks)
{
	size_t at;
	json_t *remark;

	json_array_foreach((json_t *)remarks, at, remark)
	{
		printf("remark: ");
		print_value(CELL_TEXT, json_object_get(remark, "text"));
		putchar('\n');
	}
}

/* As the order that does it is written. */
static void print_way_back(const json_t *answer)
{
	const json_t *source = json_object_get(answer, "source");
	const json_t *id = json_object_get(answer, "id");

	if (!source || !id)
		return;
	printf("to take it back: vigiectl event retract ");
	print_value(CELL_TEXT, source);
	putchar(' ');
	print_value(CELL_TEXT, id);
	printf(" REASON\n");
}

void print_event(const json_t *answer)
{
	print_final_event(answer);
	print_way_back(answer);
}

void print_final_event(const json_t *answer)
{
	printf("done: event %lld\n", number_of(answer, "seq"));
	print_remarks(json_object_get(answer, "remarks"));
}

void print_kicked(const json_t *answer)
{
	const json_t *kicked = json_object_get(answer, "kicked");

	if (!kicked) {
		print_final_event(answer);
		return;
	}
	printf("%lld kicked\n", (long long)json_integer_value(kicked));
}

void print_admitted(const json_t *answer)
{
	(void)answer;
	puts("admitted: it is tried when it is sent again");
}

void print_verification(const json_t *answer)
{
	bool is_equal = json_is_true(json_object_get(answer, "ok"));

	terminal_print(is_equal ? STYLE_HEADING : STYLE_ALARM,
		       is_equal ? STR("The journal gives this very state")
				: STR("The journal gives ANOTHER state"));
	printf(": %lld events, digest ", number_of(answer, "events"));
	print_value(CELL_TEXT, json_object_get(answer, "digest"));
	putchar('\n');
}

void print_clock(const json_t *answer)
{
	printf("It is now ");
	print_value(CELL_TEXT, json_object_get(answer, "now"));
	putchar('\n');
}
