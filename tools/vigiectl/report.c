#include "tools/vigiectl/report.h"

#include <stdio.h>
#include <stdlib.h>

/* --- table ------------------------------------------------------------------------------------ */

static const struct column report_columns[] = {
	{"YEAR", "year", CELL_NUMBER},
	{"SECTOR", "sector", CELL_TEXT},
	{"KIND", "kind", CELL_TEXT},
	{"REFERRALS", "referrals", CELL_NUMBER},
	{"%", "share_percent", CELL_NUMBER},
	{"VISITS", "visits", CELL_NUMBER},
	{"PER 1000", "visits_per_1000_households", CELL_NUMBER},
	{"DAYS", "days_to_visit_median", CELL_NUMBER},
	{"90 %", "days_to_visit_90_percent", CELL_NUMBER},
	{"DEFERRED", "deferred", CELL_NUMBER},
	{"CARRIED", "carried_over", CELL_NUMBER},
	{"LOST", "lost_after_deferral", CELL_NUMBER},
	{"WITHDRAWN", "withdrawn", CELL_NUMBER},
	{"NO-SHOWS", "no_shows", CELL_NUMBER},
	{"ANSWER", "days_to_answer_median", CELL_NUMBER},
	{"QUIET", "quiet_givers", CELL_NUMBER},
	{"FIRST", "days_from_opening_to_referral", CELL_NUMBER},
	{NULL},
};

/* "onward.fsl" is in the object onward of the row. */
static json_t *owner_of(json_t *row, const char **name)
{
	const char *dot = strchr(*name, '.');
	json_t *owner;

	if (!dot)
		return row;
	owner = json_object_get(row, "onward");
	*name = dot + 1;
	return owner;
}

/* What is hidden says so, where else nothing would stand. */
static void mark_hidden(json_t *rows, const char *mark)
{
	json_t *row, *item;
	size_t at, i;

	json_array_foreach(rows, at, row)
	{
		json_array_foreach(json_object_get(row, "hidden"), i, item)
		{
			const char *name = json_string_value(item);
			json_t *owner = owner_of(row, &name);

			json_object_set_new(owner, name, json_string(mark));
		}
	}
}

static void print_table(const json_t *answer)
{
	json_t *rows = json_object_get(answer, "rows");
	bool is_hiding = json_is_integer(json_object_get(answer, "hidden_below"));

	mark_hidden(rows, "*");
	if (json_array_size(rows) == 0)
		puts("Nothing to report.");
	table_print(report_columns, rows);
	if (is_hiding)
		puts("* hidden: a count under 5, or one that would give it away; --full shows all");
}

/* --- CSV -------------------------------------------------------------------------------------- */

static const struct {
	const char *key, *heading;
} csv_columns[] = {
	{"year", "Année"},
	{"sector", "Unité territoriale"},
	{"kind", "Donneurs d’alerte"},
	{"referrals", "Signalements"},
	{"share_percent", "Part (%)"},
	{"visits", "Visites"},
	{"second_visits", "dont secondes visites"},
	{"visits_per_1000_households", "Visites pour 1 000 ménages"},
	{"days_to_visit_median", "Jours du signalement à la visite (médiane)"},
	{"days_to_visit_90_percent", "Jours du signalement à la visite (90 %)"},
	{"deferred", "Différés"},
	{"carried_over", "Reportés à la fermeture"},
	{"visited_after_deferral", "Visités après report"},
	{"lost_after_deferral", "Perdus après report"},
	{"withdrawn", "Désistements"},
	{"no_shows", "Absences à la visite"},
	{"onward.fsl", "Orientations : FSL"},
	{"onward.supplier_plan", "Orientations : échéancier fournisseur"},
	{"onward.energy_voucher", "Orientations : chèque énergie"},
	{"onward.renovation_aid", "Orientations : aide à la rénovation"},
	{"onward.landlord", "Orientations : bailleur"},
	{"onward.legal", "Orientations : droit"},
	{"onward.health", "Orientations : santé"},
	{"onward.budget_advice", "Orientations : conseil budgétaire"},
	{"answered", "Signalements avec réponse"},
	{"days_to_answer_median", "Jours jusqu’à la première réponse (médiane)"},
	{"days_to_answer_90_percent", "Jours jusqu’à la première réponse (90 %)"},
	{"quiet_givers", "Donneurs d’alerte silencieux"},
	{"days_from_opening_to_referral", "Jours de l’ouverture au premier signalement"},
};

static const char *const csv_kinds[REPORT_KIND_END] = {
	[REPORT_KIND_DEPARTMENT_SOCIAL_WORKER] = "travailleurs sociaux du département",
	[REPORT_KIND_PARTNER_SOCIAL_WORKER] = "travailleurs sociaux partenaires",
	[REPORT_KIND_PARTNER_STRUCTURE] = "structures partenaires",
	[REPORT_KIND_WORKSHOP] = "ateliers",
	[REPORT_KIND_SUPPLIER] = "fournisseurs",
	[REPORT_KIND_HOUSEHOLD] = "ménages",
	[REPORT_KIND_UNKNOWN] = "inconnus",
	[REPORT_KIND_ALL] = "tous",
};

static void print_quoted(const char *text)
{
	if (!strpbrk(text, ";\"\r\n")) {
		fputs(text, stdout);
		return;
	}
	putchar('"');
	for (; *text; text++)
		printf(*text == '"' ? "\"\"" : "%c", *text);
	putchar('"');
}

/* Words in French, decimals behind a comma. */
static void print_text(const char *key, const char *text)
{
	uint32_t kind = words_find(&words_report_kind, str_from(text));

	if (strcmp(key, "kind") == 0 && kind)
		fputs(csv_kinds[kind], stdout);
	else if (strcmp(key, "sector") == 0 && strcmp(text, "all") == 0)
		fputs("toutes", stdout);
	else if (strcmp(key, "sector") == 0 && strcmp(text, "none") == 0)
		fputs("aucune", stdout);
	else
		print_quoted(text);
}

static void print_real(double value)
{
	char text[32];
	char *point;

	snprintf(text, sizeof(text), "%.15g", value);
	point = strchr(text, '.');
	if (point)
		*point = ',';
	fputs(text, stdout);
}

static void print_field(const char *key, json_t *row)
{
	const char *name = key;
	const json_t *owner = owner_of(row, &name);
	const json_t *value = json_object_get(owner, name);

	if (json_is_string(value))
		print_text(key, json_string_value(value));
	else if (json_is_integer(value))
		printf("%lld", (long long)json_integer_value(value));
	else if (json_is_real(value))
		print_real(json_real_value(value));
}

/* The mark in front tells spreadsheets that accents are UTF-8. */
static void print_csv(const json_t *answer)
{
	json_t *row, *rows = json_object_get(answer, "rows");
	size_t at;

	mark_hidden(rows, "secret");
	fputs("\xef\xbb\xbf", stdout);
	for (size_t i = 0; i < ARRAY_SIZE(csv_columns); i++)
		printf("%s%s", i ? ";" : "", csv_columns[i].heading);
	fputs("\r\n", stdout);
	json_array_foreach(rows, at, row)
	{
		for (size_t i = 0; i < ARRAY_SIZE(csv_columns); i++) {
			fputs(i ? ";" : "", stdout);
			print_field(csv_columns[i].key, row);
		}
		fputs("\r\n", stdout);
	}
}

/* --- the whole -------------------------------------------------------------------------------- */

/* Small counts are for those who may act. */
int report_run(const struct command *command, struct session *session, json_t *params)
{
	bool is_csv = json_object_get(params, "csv");
	bool is_full = json_object_get(params, "full");
	struct command asked = *command;

	json_object_del(params, "csv");
	if (is_csv && session->as_json) {
		fputs("vigiectl report: --csv or --json, one of both\n", stderr);
		json_decref(params);
		return STATUS_USAGE;
	}
	asked.socket = is_full ? SOCKET_ACTS : SOCKET_READS;
	asked.print = is_csv ? print_csv : print_table;
	return command_run(&asked, session, params);
}
