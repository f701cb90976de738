#include "daemon/policy_told.h"

#include <stdio.h>

struct telling {
	const struct state *state;
	const struct policy *policy; /* the new one */
	policy_report_fn *report;
	void *context;
};

/* What one template told of one day of a sector, to how many and when. */
struct told {
	uint32_t template, sector; /* name number */
	day_t day;
	uint32_t givers;
	day_t first, last; /* on which mails went out */
};

/* --- who was told ----------------------------------------------------------------------------- */

static bool tells(const struct mail *mail, const struct told *told)
{
	return mail->template == told->template && mail->sector == told->sector &&
	       mail->day == told->day;
}

/* Mails of several sectors and digests have parts, and a digest has such mails. */
static bool tells_in_part(const struct state *state, const struct mail *mail,
			  const struct told *told)
{
	if (tells(mail, told))
		return true;
	for (uint32_t at = mail->parts; at; at = state->parts.items[at].next)
		if (tells_in_part(state, &state->parts.items[at], told))
			return true;
	return false;
}

static void count_givers(const struct state *state, struct told *told)
{
	for (uint32_t i = 1; i < state->tasks.count; i++) {
		const struct task *task = &state->tasks.items[i];
		day_t day;

		if (task->kind != TASK_KIND_MAIL || task->state != TASK_STATE_DONE ||
		    task->mail.to != TO_GIVER || !tells_in_part(state, &task->mail, told))
			continue;
		day = time_paris_day(task->due);
		told->first = told->givers && told->first < day ? told->first : day;
		told->last = told->givers && told->last > day ? told->last : day;
		told->givers++;
	}
}

/* --- what would not hold ---------------------------------------------------------------------- */

static const char *what_of(uint32_t template)
{
	if (template == TEMPLATE_SECTOR_ANNOUNCED)
		return "opens on";
	return template == TEMPLATE_SECTOR_OPENED ? "is open since" : "is open until";
}

static void print_days(const struct told *told, struct buf *out)
{
	char first[DAY_WORDS_SIZE], last[DAY_WORDS_SIZE];

	if (told->first == told->last)
		buf_printf(out, "on %s", day_print_words(told->first, first));
	else
		buf_printf(out, "from %s to %s", day_print_words(told->first, first),
			   day_print_words(told->last, last));
}

static void report(const struct telling *telling, struct str sector, const struct told *told)
{
	uint32_t number = policy_sector_number(telling->policy, sector);
	scoped(buf_done) struct buf days = {0};
	char path[FAULT_PATH_MAX] = "sectors", what[FAULT_TEXT_MAX], day[DAY_WORDS_SIZE];

	if (number)
		snprintf(path, sizeof(path), "sectors[%u].openings", number - 1);
	print_days(told, &days);
	snprintf(what, sizeof(what), "%u %s told %.*s that %.*s %s %s; this policy says otherwise",
		 told->givers, told->givers == 1 ? "giver was" : "givers were", (int)days.size,
		 days.data, (int)sector.size, sector.data, what_of(told->template),
		 day_print_words(told->day, day));
	telling->report(telling->context, path, what);
}

static void look(const struct telling *telling, struct str sector, uint32_t template, day_t day)
{
	struct told told = {
		.template = template,
		.sector = names_find(&telling->state->names, sector),
		.day = day,
	};

	if (told.sector)
		count_givers(telling->state, &told);
	if (told.givers)
		report(telling, sector, &told);
}

static bool begins_on(const struct policy_sector *sector, day_t day)
{
	const struct policy_opening *opening = sector ? sector_opening_on(sector, day) : NULL;

	return opening && opening->from == day;
}

static bool ends_on(const struct policy_sector *sector, day_t day)
{
	const struct policy_opening *opening = sector ? sector_opening_on(sector, day) : NULL;

	return opening && opening->to == day;
}

static void look_at_opening(const struct telling *telling, struct str id,
			    const struct policy_opening *opening)
{
	const struct policy_sector *after = policy_find_sector(telling->policy, id);
	day_t today = telling->state->today;

	if (opening->to < today)
		return;
	if (opening->from > today && !begins_on(after, opening->from))
		look(telling, id, TEMPLATE_SECTOR_ANNOUNCED, opening->from);
	if (opening->from <= today && !(after && sector_opening_on(after, today)))
		look(telling, id, TEMPLATE_SECTOR_OPENED, opening->from);
	if (!ends_on(after, opening->to))
		look(telling, id, TEMPLATE_SECTOR_CLOSING, opening->to);
}

void policy_told(const struct state *state, const struct policy *policy,
		 policy_report_fn *report_fn, void *context)
{
	const struct telling telling = {state, policy, report_fn, context};
	uint32_t count = state->has_policy ? state->policy.sectors.count : 0;

	for (uint32_t i = 0; i < count; i++) {
		const struct policy_sector *sector = policy_sector_at(&state->policy, i);

		for (uint32_t at = 0; at < sector->openings.count; at++)
			look_at_opening(&telling, sector->id,
					list_at(&sector->openings, struct policy_opening, at));
	}
}
