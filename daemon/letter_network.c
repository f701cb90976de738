#include "daemon/letter_parts.h"
#include "daemon/network.h"

/* The opening that a notice is about: it begins, ends, or has just ended on that day. */
static const struct policy_opening *opening_about(const struct policy_sector *sector, day_t day)
{
	const struct policy_opening *opening = sector_opening_on(sector, day);

	return opening ? opening : sector_opening_on(sector, day - 1);
}

/* A sector that left the policy since is left out, and so is what a mail has no room for. */
static void add_sector(struct letter *letter, const struct mail *part)
{
	const struct state *state = letter->state;
	const struct policy_sector *sector =
		policy_find_sector(&state->policy, names_get(&state->names, part->sector));
	const struct policy_opening *opening, *next;
	struct mail_sector *row;

	if (!sector || letter->body->sectors.count == POLICY_SECTORS_MAX)
		return;
	row = &((struct mail_sector *)letter->body->sectors.items)[letter->body->sectors.count++];
	record_clear(&record_mail_sector, row);
	row->is_set = true;
	row->sector = sector->id;
	row->sector_name = sector->name;
	row->wait_weeks = letter_wait_in(state, sector->id);
	opening = opening_about(sector, part->day);
	next = sector_opening_after(sector, opening ? opening->to : part->day);
	if (opening) {
		row->from = opening->from;
		row->to = opening->to;
	}
	if (next)
		row->reopens_on = next->from;
}

static uint32_t sector_number(const struct state *state, const struct mail *part)
{
	return policy_sector_number(&state->policy, names_get(&state->names, part->sector));
}

static bool is_about(const struct letter *letter, const struct mail *mail, uint32_t number)
{
	const struct state *state = letter->state;

	if (network_concerns(state, mail->template, number, sector_number(state, mail), mail->day))
		return true;
	for (uint32_t at = mail->parts; at; at = state->parts.items[at].next)
		if (network_concerns(state, mail->template, number,
				     sector_number(state, &state->parts.items[at]),
				     state->parts.items[at].day))
			return true;
	return false;
}

static enum err add_case(struct letter *letter, const struct network_case *its)
{
	struct list *cases = &letter->body->cases;
	struct mail_case *row;

	letter->body->cases_total++;
	if (cases->count == MAIL_CASES_MAX)
		return ERR_OK;
	row = &((struct mail_case *)cases->items)[cases->count++];
	letter_fill_case(letter, its->number, row);
	return letter_read_form(letter, letter->state->facts.items[its->referral].seq, &row->form);
}

static void count_result(const struct case_record *record, const struct state *state,
			 struct mail_results *results)
{
	results->referrals++;
	if (case_was_visited(state, record))
		results->visited++;
	else if (record->state == CASE_STATE_CLOSED)
		results->closed++;
	else
		results->open++;
}

/* The giver's cases that the mail is about, and what came of all. */
static enum err write_cases(struct letter *letter, const struct mail *mail)
{
	struct mail_body *body = letter->body;
	uint32_t giver = party_giver(letter->state, mail->giver), count;
	struct network_case *cases = network_cases(letter->state, giver, letter->arena, &count);

	body->cases.items = arena_new(letter->arena, MAIL_CASES_MAX * sizeof(struct mail_case));
	body->cases_total = 0;
	body->results = (struct mail_results){.is_set = true};
	for (uint32_t i = count; i-- > 0;) {
		enum err err = ERR_OK;

		count_result(&letter->state->cases.items[cases[i].number], letter->state,
			     &body->results);
		if (is_about(letter, mail, cases[i].number))
			err = add_case(letter, &cases[i]);
		if (err)
			return err;
	}
	return ERR_OK;
}

enum err letter_write_network(struct letter *letter, const struct mail *mail)
{
	struct list *sectors = &letter->body->sectors;

	sectors->items =
		arena_new(letter->arena, (mail->part_count + 1u) * sizeof(struct mail_sector));
	add_sector(letter, mail);
	for (uint32_t at = mail->parts; at; at = letter->state->parts.items[at].next)
		add_sector(letter, &letter->state->parts.items[at]);
	return write_cases(letter, mail);
}
