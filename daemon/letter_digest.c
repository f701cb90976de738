#include "daemon/letter_parts.h"

/* A mail about a sector, in one line. */
static void add_sector_item(struct letter *letter, const struct mail *part)
{
	const struct state *state = letter->state;
	const struct policy_sector *sector =
		policy_find_sector(&state->policy, names_get(&state->names, part->sector));
	struct list *items = &letter->body->items;
	struct mail_item *item;

	if (!sector || items->count == MAIL_ITEMS_MAX)
		return;
	item = &((struct mail_item *)items->items)[items->count++];
	record_clear(&record_mail_item, item);
	item->is_set = true;
	item->template = part->template;
	item->sector = sector->id;
	item->sector_name = sector->name;
	item->day = part->day;
}

static enum err add_item(struct letter *letter, const struct mail *part)
{
	const struct state *state = letter->state;
	struct list *items = &letter->body->items;

	if (part->case_number && items->count < MAIL_ITEMS_MAX)
		return letter_describe_case(letter, part,
					    &((struct mail_item *)items->items)[items->count++]);
	if (part->template == TEMPLATE_WEEK_AGENDA)
		return letter_write_agenda(letter, part);
	if (part->template == TEMPLATE_COORDINATOR)
		return letter_write_coordinator(letter, part);
	if (part->sector)
		add_sector_item(letter, part);
	for (uint32_t at = part->parts; at; at = state->parts.items[at].next)
		add_sector_item(letter, &state->parts.items[at]);
	return ERR_OK;
}

enum err letter_write_digest(struct letter *letter, const struct mail *mail)
{
	const struct state *state = letter->state;
	enum err err = ERR_OK;

	letter->body->items.items =
		arena_new(letter->arena, MAIL_ITEMS_MAX * sizeof(struct mail_item));
	for (uint32_t at = mail->parts; at && !err; at = state->parts.items[at].next)
		err = add_item(letter, &state->parts.items[at]);
	return err;
}
