#include "workers/notify/row.h"
#include "workers/notify/view_parts.h"

static void show_sectors(struct view *view, const struct list *sectors);
static void label_sectors(struct view *view, const struct list *sectors);
static void share_days(struct view *view, const struct list *sectors);
static void show_cases(struct view *view, const struct mail_body *body);
static void show_results(struct view *view, const struct mail_results *results);

void view_show_network(struct view *view, const struct mail_body *body)
{
	show_sectors(view, &body->sectors);
	label_sectors(view, &body->sectors);
	share_days(view, &body->sectors);
	show_cases(view, body);
	if (body->results.is_set)
		show_results(view, &body->results);
}

static const struct mail_sector *sector_at(const struct list *sectors, uint32_t i)
{
	return list_at(sectors, struct mail_sector, i);
}

static void show_sectors(struct view *view, const struct list *sectors)
{
	row_open_list(view, &view->mail, VIEW_LIST_sectors, sectors->count);
	for (uint32_t i = 0; i < sectors->count; i++) {
		const struct mail_sector *sector = sector_at(sectors, i);
		struct view_row *row = row_add(&view->mail, VIEW_LIST_sectors);

		row_set(row, VIEW_sector, sector->sector_name);
		row_set_date(view, row, VIEW_opens_on, sector->from);
		row_set_date(view, row, VIEW_closes_on, sector->to);
		row_set_date(view, row, VIEW_reopens_on, sector->reopens_on);
		row_set_wait(view, row, sector->wait_weeks);
	}
}

/* A sector may be there with several openings: its name is told once. */
static uint32_t list_names(const struct list *sectors, struct str *names)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < sectors->count; i++) {
		struct str name = sector_at(sectors, i)->sector_name;
		uint32_t at = 0;

		while (at < count && !str_equal(names[at], name))
			at++;
		if (at == count)
			names[count++] = name;
	}
	return count;
}

/* A name alone, as a label: "du", "de" and "d’" would need to know what it means. A sector that has left
 * the policy meanwhile has no name any more. */
static void label_sectors(struct view *view, const struct list *sectors)
{
	struct str *names = arena_new(&view->arena, (sectors->count + 1) * sizeof(*names));
	uint32_t count = list_names(sectors, names);
	struct buf label = {0};

	if (count) {
		buf_printf(&label, count > 1 ? "Secteurs " : "Secteur ");
		buf_add_str(&label, french_list(&view->arena, names, count));
	} else {
		buf_printf(&label, "Votre secteur");
	}
	row_set(&view->mail, VIEW_sector_label, arena_copy(&view->arena, buf_str(&label)));
	row_set_if(&view->mail, VIEW_several_sectors, sectors->count > 1);
	buf_done(&label);
}

/* What holds for each of the sectors is told once, of the mail. */
static void share_days(struct view *view, const struct list *sectors)
{
	static const enum view_name shared[] = {VIEW_opens_on, VIEW_closes_on, VIEW_reopens_on,
						VIEW_wait};
	const struct view_list *list = &view->mail.list[VIEW_LIST_sectors];

	for (size_t i = 0; sectors->count && i < ARRAY_SIZE(shared); i++) {
		struct str first = list->rows[0].value[shared[i]];
		bool is_shared = true;

		for (uint32_t j = 1; j < list->count; j++)
			is_shared = is_shared && str_equal(list->rows[j].value[shared[i]], first);
		if (is_shared)
			row_set(&view->mail, shared[i], first);
	}
}

static void show_cases(struct view *view, const struct mail_body *body)
{
	uint64_t total = body->cases_total == UINT_NONE ? body->cases.count : body->cases_total;
	uint32_t count = body->cases.count;

	row_open_list(view, &view->mail, VIEW_LIST_cases, count);
	for (uint32_t i = 0; i < count; i++) {
		const struct mail_case *its = list_at(&body->cases, struct mail_case, i);
		struct view_row *row = row_add(&view->mail, VIEW_LIST_cases);

		row_set_number(view, row, VIEW_case, its->case_number);
		row_set(row, VIEW_form, its->form);
		if (body->sectors.count > 1)
			row_set(row, VIEW_sector, its->sector_name);
	}
	row_set_if(&view->mail, VIEW_one_case, total == 1);
	row_set_if(&view->mail, VIEW_several_cases, total > 1);
	if (total > count)
		row_set(&view->mail, VIEW_more_cases,
			french_count(&view->arena, total - count, "un autre dossier",
				     "autres dossiers"));
}

/* "4 visites faites, un dossier en attente et un dossier clos sans visite" */
static void show_results(struct view *view, const struct mail_results *results)
{
	struct str told[3];
	uint32_t count = 0;

	if (results->visited)
		told[count++] = french_count(&view->arena, results->visited, "une visite faite",
					     "visites faites");
	if (results->open)
		told[count++] = french_count(&view->arena, results->open, "un dossier en attente",
					     "dossiers en attente");
	if (results->closed)
		told[count++] =
			french_count(&view->arena, results->closed, "un dossier clos sans visite",
				     "dossiers clos sans visite");
	row_set(&view->mail, VIEW_results, french_list(&view->arena, told, count));
}
