#include "daemon/letter_parts.h"
#include "daemon/settle.h"

/* The number of the giver's own form. */
enum err letter_read_form(struct letter *letter, uint64_t referral, struct str *form)
{
	struct event event;
	enum err err;

	if (!referral)
		return ERR_OK;
	err = engine_read(letter->engine, referral, letter->arena, &event);
	if (err == ERR_ERASED)
		return ERR_OK; /* the form's number goes with the household */
	if (!err)
		*form = event.data.referral_received.form;
	return err;
}

const struct policy_sector *letter_sector_of(const struct state *state,
					     const struct case_record *record)
{
	return record->sector
		       ? list_at(&state->policy.sectors, struct policy_sector, record->sector - 1)
		       : NULL;
}

uint64_t letter_wait_in(const struct state *state, struct str sector)
{
	const struct sector_record *record = state_find_sector(state, sector);

	return record && record->weeks != WEEKS_NONE ? record->weeks : UINT_NONE;
}

static void describe_sector(const struct letter *letter, const struct mail *mail,
			    struct mail_item *item)
{
	const struct state *state = letter->state;
	const struct case_record *record = state_get(state, cases, mail->case_number);
	const struct policy_commune *commune = policy_find_commune(&state->policy, record->insee);
	const struct policy_sector *sector = letter_sector_of(state, record);
	const struct policy_opening *next;

	if (commune && mail->to == TO_PAIR)
		item->commune = commune->name;
	if (!sector)
		return;
	item->sector = sector->id;
	item->sector_name = sector->name;
	next = sector_opening_after(sector, state->today);
	if (mail->template == TEMPLATE_DEFERRED && next)
		item->reopens_on = next->from;
	if (mail->template == TEMPLATE_ACK)
		item->wait_weeks = letter_wait_in(state, sector->id);
}

static bool is_refused(const struct letter *letter, const struct case_record *record)
{
	struct portrait portrait;

	portrait_make(letter->state, record->household, letter->arena, &portrait);
	return portrait_is_refused(letter->state, &portrait);
}

/* A mail that waited may come when its case is in line again: then it says so. */
static void describe_deferral(const struct letter *letter, const struct mail *mail,
			      struct mail_item *item)
{
	const struct case_record *record = state_get(letter->state, cases, mail->case_number);

	if (item->state != CASE_STATE_DEFERRED || record->state == CASE_STATE_CLOSED)
		return;
	item->state = record->state;
	if (record->state != CASE_STATE_DEFERRED)
		return;
	if (!record->sector)
		item->deferral = DEFERRAL_NO_SECTOR;
	else if (is_refused(letter, record))
		item->deferral = DEFERRAL_REFUSED;
}

enum err letter_describe_case(struct letter *letter, const struct mail *mail,
			      struct mail_item *item)
{
	record_clear(&record_mail_item, item);
	item->is_set = true;
	item->template = mail->template;
	item->case_number = mail->case_number;
	item->state = mail->case_state;
	item->closing = mail->closing;
	describe_deferral(letter, mail, item);
	describe_sector(letter, mail, item);
	letter_describe_visit(letter, mail, &item->visit);
	return mail->to == TO_PAIR ? ERR_OK : letter_read_form(letter, mail->referral, &item->form);
}

enum err letter_write_case(struct letter *letter, const struct mail *mail)
{
	struct mail_body *body = letter->body;
	struct mail_item item;
	enum err err = letter_describe_case(letter, mail, &item);

	body->case_number = item.case_number;
	body->form = item.form;
	body->sector = item.sector;
	body->sector_name = item.sector_name;
	body->commune = item.commune;
	body->state = item.state;
	body->closing = item.closing;
	body->deferral = item.deferral;
	body->wait_weeks = item.wait_weeks;
	body->reopens_on = item.reopens_on;
	body->visit = item.visit;
	return err;
}

void letter_fill_case(const struct letter *letter, uint32_t number, struct mail_case *row)
{
	const struct case_record *record = state_get(letter->state, cases, number);
	const struct policy_sector *sector = letter_sector_of(letter->state, record);

	record_clear(&record_mail_case, row);
	row->is_set = true;
	row->case_number = number;
	row->state = record->state;
	if (sector)
		row->sector_name = sector->name;
}
