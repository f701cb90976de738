#include "daemon/post.h"

#include "daemon/tasks.h"
#include "daemon/timers.h"

/* --- mails as tasks ---------------------------------------------------------------------------- */

static uint32_t add_mail(struct state *state, struct mail mail)
{
	return tasks_add(state,
			 (struct task){.kind = TASK_KIND_MAIL, .mail = mail, .due = MS_NONE});
}

static void schedule(struct state *state, uint32_t number, ms_t at)
{
	struct task *task = state_get(state, tasks, number);

	if (at <= state->now) {
		tasks_make_ready(state, number);
		return;
	}
	if (task->state != TASK_STATE_SCHEDULED)
		tasks_move(state, number, TASK_STATE_SCHEDULED);
	task->due = at;
	timers_set(state, at, TIMER_TASK, number);
}

/* --- when mails may go --------------------------------------------------------------------------- */

static ms_t next_working(const struct state *state, ms_t at)
{
	bool alsace_moselle = state->policy.planning.alsace_moselle == SAID_YES;
	day_t day = time_paris_day(at);

	if (state->policy.mails.working_days != SAID_YES || day_is_working(day, alsace_moselle))
		return at;
	return time_at_paris(day_next_working(day, alsace_moselle), 0, 0);
}

/* The end of the quiet hours that `at` lies in, or `at` itself. */
static ms_t next_loud(const struct policy_mails *mails, ms_t at)
{
	day_t day = time_paris_day(at);
	ms_t from = time_at_paris(day, (int)mails->quiet_from, 0);
	ms_t to = time_at_paris(day, (int)mails->quiet_to, 0);

	if (mails->quiet_from < mails->quiet_to)
		return at >= from && at < to ? to : at;
	if (mails->quiet_from > mails->quiet_to && at < to)
		return to;
	if (mails->quiet_from > mails->quiet_to && at >= from)
		return time_at_paris(day + 1, (int)mails->quiet_to, 0);
	return at;
}

/* From a free day to the next working one, from quiet hours to their end, and again: the end of quiet
 * hours may lie on a free day. */
static ms_t allowed_from(const struct state *state, ms_t at)
{
	ms_t before;

	do {
		before = at;
		at = next_loud(&state->policy.mails, next_working(state, at));
	} while (at != before);
	return at;
}

static ms_t morning_of(const struct state *state, day_t day)
{
	return allowed_from(state, time_at_paris(day, MORNING_HOUR, 0));
}

static ms_t next_morning(const struct state *state, ms_t after)
{
	day_t day = time_paris_day(after);

	return morning_of(state, time_at_paris(day, MORNING_HOUR, 0) > after ? day : day + 1);
}

static ms_t next_monday(const struct state *state, ms_t after)
{
	day_t day = time_paris_day(after);
	day_t monday = day - day_weekday(day);

	return morning_of(state,
			  time_at_paris(monday, MORNING_HOUR, 0) > after ? monday : monday + 7);
}

/* --- digests --------------------------------------------------------------------------------------- */

void mail_add_part(struct state *state, struct mail *mail, struct mail part)
{
	uint32_t index, last = mail->parts;

	part.next = 0;
	index = state_add_part(state, part);
	while (last && state->parts.items[last].next)
		last = state->parts.items[last].next;
	if (last)
		state->parts.items[last].next = index;
	else
		mail->parts = index;
	mail->part_count++;
}

void mail_remove_part(struct state *state, uint32_t number, uint32_t part)
{
	struct mail *mail = &state_get(state, tasks, number)->mail;
	uint32_t *link = &mail->parts;

	while (*link != part)
		link = &state_get(state, parts, *link)->next;
	*link = state->parts.items[part].next;
	mail->part_count--;
	mail->giver = mail->parts ? state->parts.items[mail->parts].giver : 0;
}

static struct mail begin_digest(const struct mail *first)
{
	return (struct mail){
		.about = first->about,
		.to = first->to,
		.recipient = first->recipient,
		.giver = first->giver,
		.template = TEMPLATE_DIGEST,
		.is_counted = first->is_counted,
	};
}

static uint32_t open_digest(struct state *state, const struct mail *first, ms_t at)
{
	uint32_t number = add_mail(state, begin_digest(first));

	state_mailbox(state, first->to, first->recipient)->digest = number;
	schedule(state, number, at);
	return number;
}

/* The digest in which the mails of a reader are gathered, or 0: what has gone out, is held or was given up
 * takes no more. */
static uint32_t find_gathering(struct state *state, const struct mail *mail)
{
	uint32_t digest = state_mailbox(state, mail->to, mail->recipient)->digest;

	return digest && state->tasks.items[digest].state == TASK_STATE_SCHEDULED ? digest : 0;
}

static void gather(struct state *state, struct mail mail, ms_t at)
{
	uint32_t digest = find_gathering(state, &mail);

	if (!digest || state->tasks.items[digest].mail.part_count == MAIL_ITEMS_MAX)
		digest = open_digest(state, &mail, at);
	mail_add_part(state, &state->tasks.items[digest].mail, mail);
}

/* How often this mail's reader wants to be written to. What concerns the network has its day, and is
 * always written at once. */
static uint32_t pace_of(const struct state *state, const struct mail *mail)
{
	if (mail->to != TO_GIVER || !mail->case_number)
		return PACE_EACH;
	return state->givers.items[party_giver(state, mail->recipient)].pace;
}

/* May one more mail go to this recipient on the day of `at`? Then it is counted. */
static bool count_mail(struct state *state, struct mail *mail, ms_t at)
{
	struct mailbox *box = state_mailbox(state, mail->to, mail->recipient);
	day_t day = time_paris_day(at);

	if (box->day != day) {
		box->day = day;
		box->count = 0;
	}
	mail->is_counted = box->count < state->policy.mails.a_day;
	box->count += mail->is_counted;
	return mail->is_counted;
}

/* --- two mails of one event ------------------------------------------------------------------------ */

/* The template by which a mail speaks; of a digest, that of its first mail. */
static uint32_t template_of(const struct state *state, const struct mail *mail)
{
	return mail->template == TEMPLATE_DIGEST ? state->parts.items[mail->parts].template
						 : mail->template;
}

uint32_t post_find_twin(const struct state *state, const struct mail *mail)
{
	for (uint32_t i = state->event_tasks; i < state->tasks.count; i++) {
		const struct task *task = &state->tasks.items[i];

		if (task->kind == TASK_KIND_MAIL && !task_state_is_over(task->state) &&
		    task->mail.about == mail->about && task->mail.to == mail->to &&
		    task->mail.recipient == mail->recipient &&
		    task->mail.part_count < MAIL_ITEMS_MAX &&
		    template_of(state, &task->mail) == mail->template)
			return i;
	}
	return 0;
}

/* One mail that says both. */
static void join(struct state *state, uint32_t twin, struct mail mail)
{
	struct mail *its = &state_get(state, tasks, twin)->mail;

	if (its->template != TEMPLATE_DIGEST) {
		struct mail first = *its;

		*its = begin_digest(&first);
		mail_add_part(state, its, first);
	}
	mail_add_part(state, its, mail);
}

/* --- posting --------------------------------------------------------------------------------------- */

/* Does a mail announce a visit? */
static bool is_of_visit(const struct mail *mail)
{
	return mail->template == TEMPLATE_VISIT_CONFIRMED ||
	       mail->template == TEMPLATE_VISIT_CHANGED;
}

/* What the digest that is still gathering says of the visit that a mail is about: a part, or 0. */
static uint32_t find_gathered(const struct state *state, uint32_t digest, const struct mail *mail)
{
	uint32_t at = digest ? state->tasks.items[digest].mail.parts : 0;

	while (at && !(is_of_visit(&state->parts.items[at]) &&
		       state->parts.items[at].visit == mail->visit))
		at = state->parts.items[at].next;
	return at;
}

/* The visit might be over before the digest, or what was told of it already is no longer true. */
static bool is_pressing(struct state *state, const struct mail *mail, ms_t digest_at)
{
	uint32_t digest = find_gathering(state, mail);

	if (!is_of_visit(mail))
		return false;
	return mail->day <= time_paris_day(digest_at) ||
	       (mail->template == TEMPLATE_VISIT_CHANGED && !find_gathered(state, digest, mail));
}

/* When the digest goes out that a giver's pace asks for; MS_NONE: it asks for none, or the mail must not
 * wait for it. */
static ms_t paced_until(struct state *state, const struct mail *mail)
{
	uint32_t pace = pace_of(state, mail);
	ms_t until;

	if (pace != PACE_DAILY && pace != PACE_WEEKLY)
		return MS_NONE;
	until = pace == PACE_DAILY ? next_morning(state, state->now)
				   : next_monday(state, state->now);
	return is_pressing(state, mail, until) ? MS_NONE : until;
}

/* What a digest would say of a visit is left out when the last word about it goes before. */
static void drop_overtaken(struct state *state, const struct mail *mail)
{
	uint32_t digest = find_gathering(state, mail), part;

	if (!digest || !is_of_visit(mail))
		return;
	while ((part = find_gathered(state, digest, mail)))
		mail_remove_part(state, digest, part);
	if (!state->tasks.items[digest].mail.parts)
		tasks_move(state, digest, TASK_STATE_CANCELLED);
}

/* Where a mail has to wait for others: until when; MS_NONE: it goes by itself at `at`. */
static ms_t gathered_until(struct state *state, struct mail *mail, ms_t at)
{
	ms_t until = paced_until(state, mail);

	mail->is_counted = false;
	if (until != MS_NONE)
		return until;
	if (count_mail(state, mail, at)) {
		drop_overtaken(state, mail);
		return MS_NONE;
	}
	return next_morning(state, time_at_paris(time_paris_day(at) + 1, 0, 0));
}

void post_mail(struct state *state, struct mail mail)
{
	ms_t at = allowed_from(state, state->now), until;
	uint32_t twin = post_find_twin(state, &mail);

	if (twin) {
		join(state, twin, mail);
		return;
	}
	until = gathered_until(state, &mail, at);
	if (until == MS_NONE)
		schedule(state, add_mail(state, mail), at);
	else
		gather(state, mail, until);
}

void post_at_once(struct state *state, struct mail mail)
{
	tasks_make_ready(state, add_mail(state, mail));
}

static void hold(struct state *state, uint32_t number)
{
	struct task *task = state_get(state, tasks, number);

	tasks_move(state, number, TASK_STATE_HELD);
	task->due = time_at_paris(state->today + MAIL_HELD_DAYS + 1, 0, 0); /* inclusive */
	timers_set(state, task->due, TIMER_TASK, number);
}

void post_hold(struct state *state, struct mail mail)
{
	uint32_t twin = post_find_twin(state, &mail);

	if (twin)
		join(state, twin, mail);
	else
		hold(state, add_mail(state, mail));
}

void post_take_back(struct state *state, uint32_t task)
{
	hold(state, task);
}

/* A digest counts as one mail of the day on which it goes out, if it was not counted ahead. */
void post_due(struct state *state, uint32_t number)
{
	struct task *task = state_get(state, tasks, number);

	if (task->mail.template == TEMPLATE_DIGEST) {
		if (!task->mail.is_counted)
			(void)count_mail(state, &task->mail, state->now);
		if (task->mail.part_count == 1)
			task->mail = state->parts.items[task->mail.parts];
	}
	tasks_make_ready(state, number);
}

static void go_out(struct state *state, uint32_t number, ms_t at)
{
	if (at <= state->now)
		post_due(state, number);
	else
		schedule(state, number, at);
}

/* What is gathered leaves its own task, which is over; a digest waits as it is. */
void post_release(struct state *state, uint32_t number)
{
	struct mail *mail = &state_get(state, tasks, number)->mail;
	ms_t at = allowed_from(state, state->now);
	ms_t until = gathered_until(state, mail, at);

	if (until == MS_NONE || mail->template == TEMPLATE_DIGEST) {
		go_out(state, number, until == MS_NONE ? at : until);
		return;
	}
	tasks_move(state, number, TASK_STATE_CANCELLED);
	gather(state, *mail, until);
}
