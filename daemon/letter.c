#include "daemon/letter.h"

#include <stdio.h>

#include "daemon/letter_parts.h"
#include "proto/hash.h"

static enum err write_address(struct letter *letter, const struct mail *mail);

/* One row a template; the rest speak of a case. */
static enum err (*const writers[TEMPLATE_END])(struct letter *, const struct mail *) = {
	[TEMPLATE_SECTOR_ANNOUNCED] = letter_write_network,
	[TEMPLATE_SECTOR_OPENED] = letter_write_network,
	[TEMPLATE_SECTOR_CLOSING] = letter_write_network,
	[TEMPLATE_SECTOR_CLOSED] = letter_write_network,
	[TEMPLATE_OUTREACH_SUSPENDED] = letter_write_network,
	[TEMPLATE_OUTREACH_RESUMED] = letter_write_network,
	[TEMPLATE_QUIET] = letter_write_network,
	[TEMPLATE_WEEK_AGENDA] = letter_write_agenda,
	[TEMPLATE_COORDINATOR] = letter_write_coordinator,
	[TEMPLATE_DIGEST] = letter_write_digest,
};

enum err letter_write(struct engine *engine, uint32_t number, struct arena *arena,
		      struct mail_body *body)
{
	struct letter letter = {engine, engine_state(engine), arena, body};
	const struct task *task = state_get(letter.state, tasks, number);
	enum err err;

	record_clear(&record_mail_body, body);
	body->template = task->mail.template;
	body->message_id = letter_print_id(arena, letter.state, "mail", number);
	body->date = task->first_ready;
	err = write_address(&letter, &task->mail);
	if (err)
		return err;
	if (writers[task->mail.template])
		return writers[task->mail.template](&letter, &task->mail);
	return letter_write_case(&letter, &task->mail);
}

/* --- to whom ---------------------------------------------------------------------------------- */

struct str letter_print_id(struct arena *arena, const struct state *state, const char *what,
			   uint32_t number)
{
	struct str parts[1] = {{(const char *)&number, sizeof(number)}};
	char text[64];

	snprintf(text, sizeof(text), "%s-%u-%016llx", what, number,
		 (unsigned long long)hash_short(state->salt, parts, 1));
	return arena_copy(arena, str_from(text));
}

/* Name or address of a giver, as some event told it. */
static enum err read_giver(struct engine *engine, uint64_t at, struct arena *arena, bool is_email,
			   struct str *text)
{
	struct event event;
	enum err err = engine_read(engine, at, arena, &event);

	if (err)
		return err;
	if (event.kind == EVENT_GIVER_REGISTERED)
		*text = is_email ? event.data.giver_registered.email
				 : event.data.giver_registered.name;
	else
		*text = is_email ? event.data.giver_moved.email : event.data.giver_moved.name;
	return ERR_OK;
}

static enum err address_giver(struct engine *engine, uint32_t party, struct arena *arena,
			      struct mail_address *address)
{
	const struct state *state = engine_state(engine);
	const struct giver *giver = state_get(state, givers, party_giver(state, party));
	enum err err;

	if (!giver->email_at)
		return ERR_NOT_FOUND;
	address->id = names_get(&state->names, giver->id);
	err = read_giver(engine, giver->email_at, arena, true, &address->email);
	if (!err && giver->name_at)
		err = read_giver(engine, giver->name_at, arena, false, &address->name);
	return err;
}

static void address_coordinator(const struct state *state, struct mail_address *address)
{
	address->is_set = true;
	address->id = STR("coordinator");
	address->name = state->policy.coordinator.name;
	address->email = state->policy.coordinator.email;
}

static enum err write_address(struct letter *letter, const struct mail *mail)
{
	const struct state *state = letter->state;
	struct mail_body *body = letter->body;
	const struct policy_pair *pair;

	body->to.is_set = true;
	address_coordinator(state, &body->coordinator);
	switch (mail->to) {
	case TO_GIVER:
		if (mail->giver != mail->recipient)
			body->instead_of =
				names_get(&state->names,
					  state->givers.items[party_giver(state, mail->giver)].id);
		if (state->givers.items[party_giver(state, mail->recipient)].kind ==
		    GIVER_KIND_HOUSEHOLD)
			body->to_household = SAID_YES;
		return address_giver(letter->engine, mail->recipient, letter->arena, &body->to);
	case TO_PAIR:
		pair = policy_find_pair(&state->policy, names_get(&state->names, mail->recipient));
		if (!pair)
			return ERR_NOT_FOUND;
		body->to = (struct mail_address){true, pair->id, pair->name, pair->email};
		body->to_pair = SAID_YES;
		return ERR_OK;
	default:
		if (mail->giver)
			body->instead_of =
				names_get(&state->names,
					  state->givers.items[party_giver(state, mail->giver)].id);
		address_coordinator(state, &body->to);
		body->to_coordinator = SAID_YES;
		return ERR_OK;
	}
}
