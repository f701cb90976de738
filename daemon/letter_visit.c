#include "daemon/letter_parts.h"

/* --- what its reader was told before ---------------------------------------------------------- */

static bool is_told_before(const struct mail *told, const struct mail *mail)
{
	return told->visit == mail->visit && told->to == mail->to &&
	       told->recipient == mail->recipient && told->sequence < mail->sequence;
}

static const struct mail *later(const struct mail *last, const struct mail *told)
{
	return last && last->sequence >= told->sequence ? last : told;
}

/* The latest word of that visit before this mail, alone or in a digest; NULL: the first. */
static const struct mail *find_last_told(const struct state *state, const struct mail *mail)
{
	const struct mail *last = NULL;

	for (uint32_t i = 1; i < state->tasks.count; i++) {
		const struct task *task = &state->tasks.items[i];

		if (task->kind != TASK_KIND_MAIL || task_state_is_void(task->state) ||
		    task->state == TASK_STATE_BURIED || task->mail.recipient != mail->recipient)
			continue;
		if (is_told_before(&task->mail, mail))
			last = later(last, &task->mail);
		for (uint32_t at = task->mail.parts; at; at = state->parts.items[at].next)
			if (is_told_before(&state->parts.items[at], mail))
				last = later(last, &state->parts.items[at]);
	}
	return last;
}

/* Givers are told weeks only: is it the one that they know? */
static bool stays_in_week(const struct state *state, const struct mail *mail)
{
	const struct mail *last;

	if (mail->template != TEMPLATE_VISIT_CHANGED || mail->visit_state == VISIT_STATE_CANCELLED)
		return false;
	last = find_last_told(state, mail);
	return last && last->visit_state != VISIT_STATE_CANCELLED &&
	       last->day - day_weekday(last->day) == mail->day - day_weekday(mail->day);
}

/* --- the visit -------------------------------------------------------------------------------- */

void letter_describe_visit(const struct letter *letter, const struct mail *mail,
			   struct mail_visit *visit)
{
	const struct state *state = letter->state;
	const struct policy_pair *pair;

	if (!mail->visit)
		return;
	visit->is_set = true;
	visit->visit = mail->visit;
	visit->uid = letter_print_id(letter->arena, state, "visit", mail->visit);
	visit->sequence = mail->sequence;
	visit->day = mail->day;
	visit->half = mail->half;
	visit->state = mail->visit_state;
	visit->pair = names_get(&state->names, mail->pair);
	visit->second_visit = mail->second_visit ? SAID_YES : SAID_NO;
	visit->same_week = stays_in_week(state, mail) ? SAID_YES : UNSAID;
	pair = policy_find_pair(&state->policy, visit->pair);
	if (pair)
		visit->pair_name = pair->name;
}
