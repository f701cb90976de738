#include "daemon/redirect.h"

#include <stdlib.h>

#include "daemon/post.h"
#include "daemon/routing.h"
#include "daemon/tasks.h"
#include "proto/mail_failure.h"

/* The day of the referral that a mail speaks of; what speaks of none was due before anybody left. */
static day_t referral_day(const struct state *state, const struct mail *mail)
{
	uint32_t fact = mail->referral ? state_find_fact(state, mail->referral) : 0;

	return fact ? state->facts.items[fact].day : DAY_MIN;
}

static bool says_the_same(const struct mail *other, const struct mail *mail,
			  const struct route *route)
{
	return other->about == mail->about && other->template == mail->template &&
	       other->case_number == mail->case_number && other->visit == mail->visit &&
	       other->to == route->to && other->recipient == route->recipient;
}

/* The task says it to that reader, by itself or as one of its parts. */
static bool tells(const struct state *state, const struct task *task, const struct mail *mail,
		  const struct route *route)
{
	if (task->kind != TASK_KIND_MAIL || task_state_is_void(task->state))
		return false;
	if (says_the_same(&task->mail, mail, route))
		return true;
	for (uint32_t at = task->mail.parts; at; at = state->parts.items[at].next)
		if (says_the_same(&state->parts.items[at], mail, route))
			return true;
	return false;
}

/* Does another task than that one say the same to that reader? Asked only when somebody left, so it may
 * take its time. */
static bool is_told(const struct state *state, uint32_t number, const struct mail *mail,
		    const struct route *route)
{
	for (uint32_t i = 1; i < state->tasks.count; i++)
		if (i != number && tells(state, &state->tasks.items[i], mail, route))
			return true;
	return false;
}

/* What concerns the network is for the giver itself, as long as it belongs to it. */
static bool is_nobodys(const struct state *state, const struct mail *mail)
{
	return !mail->case_number &&
	       giver_has_left(state, &state->givers.items[party_giver(state, mail->giver)]);
}

/* Those who read a mail now; nobody, when it is about a network that its giver has left. */
static void find_readers(const struct state *state, const struct mail *mail, struct routes *routes)
{
	if (!mail->giver)
		routes_add(routes, (struct route){mail->to, mail->recipient, false, false});
	else if (!is_nobodys(state, mail))
		routes_find(state, mail->giver, referral_day(state, mail), routes);
}

/* To each of the routes from the one at `first` on that does not hear it from another task. */
static void post_copies(struct state *state, uint32_t number, const struct mail *mail,
			const struct routes *routes, uint32_t first)
{
	for (uint32_t i = first; i < routes->count; i++)
		if (!is_told(state, number, mail, &routes->items[i]))
			route_post(state, *mail, &routes->items[i]);
}

/* The route that a mail is on already, when it still leads there. */
static const struct route *find_present(const struct routes *routes, const struct mail *mail)
{
	for (uint32_t i = 0; i < routes->count; i++)
		if (routes->items[i].to == mail->to &&
		    routes->items[i].recipient == mail->recipient)
			return &routes->items[i];
	return NULL;
}

/* To the first of those who read it now, and a copy to each of the others. */
static const struct route *divert(struct state *state, uint32_t number, const struct routes *routes)
{
	struct mail mail = state->tasks.items[number].mail;
	const struct route *first = &routes->items[0];

	if (is_told(state, number, &mail, first))
		tasks_move(state, number, TASK_STATE_CANCELLED);
	state->tasks.items[number].mail.to = (uint8_t)first->to;
	state->tasks.items[number].mail.recipient = first->recipient;
	post_copies(state, number, &mail, routes, 1);
	return first;
}

static void drop_nowhere(struct state *state, uint32_t number, const struct route *route)
{
	if (route->is_nowhere && !task_state_is_over(state->tasks.items[number].state))
		tasks_move(state, number, TASK_STATE_CANCELLED);
}

static bool readdress_mail(struct state *state, uint32_t number)
{
	const struct mail mail = state_get(state, tasks, number)->mail;
	struct routes routes = {0};
	bool has_reader = true;

	find_readers(state, &mail, &routes);
	if (!routes.count) {
		tasks_move(state, number, TASK_STATE_CANCELLED);
	} else {
		const struct route *route = find_present(&routes, &mail);

		if (!route)
			route = divert(state, number, &routes);
		drop_nowhere(state, number, route);
		has_reader = !route->is_held;
	}
	free(routes.items);
	return has_reader;
}

/* When the reader of the digest no longer reads this part, it goes to those who do. */
static void readdress_part(struct state *state, uint32_t number, uint32_t at, struct route *own)
{
	const struct mail part = *state_get(state, parts, at);
	struct routes routes = {0};
	const struct route *present;

	find_readers(state, &part, &routes);
	present = find_present(&routes, &part);
	if (present) {
		*own = *present;
	} else {
		mail_remove_part(state, number, at);
		post_copies(state, number, &part, &routes, 0);
	}
	free(routes.items);
}

/* The mails of a digest may have several readers by now: each goes to its own, and what is left stays. */
static bool readdress_digest(struct state *state, uint32_t number)
{
	struct route own = {0};
	uint32_t next;

	for (uint32_t at = state->tasks.items[number].mail.parts; at; at = next) {
		next = state->parts.items[at].next;
		readdress_part(state, number, at, &own);
	}
	if (!state->tasks.items[number].mail.parts)
		tasks_move(state, number, TASK_STATE_CANCELLED);
	else
		drop_nowhere(state, number, &own);
	return !own.is_held;
}

/* Gives what waits to whoever reads it now; what nobody needs any more is cancelled. False when its reader
 * has no address yet. */
static bool readdress(struct state *state, uint32_t number)
{
	const struct mail *mail = &state_get(state, tasks, number)->mail;

	if (mail->to == TO_PAIR)
		return true;
	return mail->template == TEMPLATE_DIGEST ? readdress_digest(state, number)
						 : readdress_mail(state, number);
}

/* Does it still wait, in that state? */
static bool is_waiting_in(const struct state *state, uint32_t number, uint32_t wanted)
{
	return state->tasks.items[number].state == wanted;
}

static bool is_for(const struct state *state, uint32_t task, uint32_t party)
{
	const struct mail *mail = &state->tasks.items[task].mail;

	return mail->recipient == party || mail->giver == party;
}

static bool is_notice(const struct mail *mail)
{
	return mail->template == TEMPLATE_SECTOR_ANNOUNCED ||
	       mail->template == TEMPLATE_SECTOR_OPENED ||
	       mail->template == TEMPLATE_SECTOR_CLOSING ||
	       mail->template == TEMPLATE_SECTOR_CLOSED;
}

/* Of a notice of several days, which are in their order, those that are still to come are left. */
static void forget_past_days(const struct state *state, struct mail *mail)
{
	while (is_notice(mail) && mail->day < state->today && mail->parts) {
		const struct mail *part = &state->parts.items[mail->parts];

		mail->sector = part->sector;
		mail->day = part->day;
		mail->parts = part->next;
		mail->part_count--;
	}
}

/* Held for so long that it expires now, or a notice of a day that has passed. */
static bool is_past(const struct state *state, const struct task *task)
{
	return task->due <= state->now || (is_notice(&task->mail) && task->mail.day < state->today);
}

/* The tasks of a list that are for a party. What is done to one may end others: the list itself would not
 * stand still. */
struct listed {
	uint32_t *items;
	uint32_t count, capacity;
};

static struct listed list_tasks(const struct state *state, const struct task_list *list,
				uint32_t party)
{
	struct listed listed = {0};

	for (uint32_t at = list->first; at; at = state->tasks.items[at].next) {
		if (!is_for(state, at, party))
			continue;
		MEM_ROOM(listed.items, listed.count, listed.capacity);
		listed.items[listed.count++] = at;
	}
	return listed;
}

static void release_one(struct state *state, uint32_t number)
{
	forget_past_days(state, &state->tasks.items[number].mail);
	if (is_past(state, &state->tasks.items[number]))
		tasks_move(state, number, TASK_STATE_EXPIRED);
	else if (readdress(state, number) && is_waiting_in(state, number, TASK_STATE_HELD))
		post_release(state, number);
}

static void release_held(struct state *state, uint32_t party)
{
	struct listed held = list_tasks(state, &state->held, party);

	for (uint32_t i = 0; i < held.count; i++)
		if (is_waiting_in(state, held.items[i], TASK_STATE_HELD))
			release_one(state, held.items[i]);
	free(held.items);
}

/* Mails that no worker has taken yet follow a giver who left. */
static void release_ready(struct state *state, uint32_t party)
{
	struct listed ready = list_tasks(state, &state->ready[TASK_KIND_MAIL], party);

	for (uint32_t i = 0; i < ready.count; i++) {
		uint32_t number = ready.items[i];

		if (is_waiting_in(state, number, TASK_STATE_READY) && !readdress(state, number) &&
		    is_waiting_in(state, number, TASK_STATE_READY))
			post_take_back(state, number);
	}
	free(ready.items);
}

/* There is a new address: what the old one refused goes there. */
static void release_refused(struct state *state, struct giver *giver)
{
	uint32_t code =
		names_find(&state->names, str_from(mail_failure_code(MAIL_RECIPIENT_REFUSED)));

	giver->refused_at = 0;
	for (uint32_t i = 1; code && i < state->tasks.count; i++) {
		const struct task *task = &state->tasks.items[i];

		if (task->state == TASK_STATE_BURIED && task->kind == TASK_KIND_MAIL &&
		    task->code == code && task->mail.to == TO_GIVER &&
		    task->mail.recipient == giver->party)
			tasks_kick(state, i);
	}
}

void redirect_giver(struct state *state, uint32_t index)
{
	struct giver *giver = state_get(state, givers, index);

	if (giver->refused_at && giver->refused_at != giver->email_at)
		release_refused(state, giver);
	release_held(state, giver->party);
	if (giver_has_left(state, giver))
		release_ready(state, giver->party);
}

void redirect_due(struct state *state, uint32_t task)
{
	bool has_reader = readdress(state, task);

	if (task_state_is_over(state->tasks.items[task].state))
		return;
	if (!has_reader)
		post_take_back(state, task);
	else if (is_waiting_in(state, task, TASK_STATE_SCHEDULED))
		post_due(state, task);
	else
		tasks_make_ready(state, task);
}

void redirect_refused(struct state *state, uint32_t number)
{
	const struct mail *mail = &state_get(state, tasks, number)->mail;
	struct giver *giver;

	if (mail->to != TO_GIVER)
		return;
	giver = state_get(state, givers, party_giver(state, mail->recipient));
	if (giver->email_at && giver->email_at < state->tasks.items[number].token)
		giver->refused_at = giver->email_at;
}
