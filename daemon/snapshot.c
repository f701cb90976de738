#include "daemon/snapshot.h"

#include "proto/hash.h"

/* One description serves both ways: a field is written or read by the same line. */
struct stream {
	snapshot_out_fn *out; /* writing */
	void *context;
	unsigned char buffer[1 << 16];
	size_t filled;
	const char *at, *end; /* reading */
	bool is_reading, is_broken;
};

static void flush(struct stream *stream)
{
	stream->out(stream->context, stream->buffer, stream->filled);
	stream->filled = 0;
}

static void write_piece(struct stream *stream, const void *bytes, size_t size)
{
	if (stream->filled + size > sizeof(stream->buffer))
		flush(stream);
	if (size > sizeof(stream->buffer)) {
		stream->out(stream->context, bytes, size);
		return;
	}
	memcpy(stream->buffer + stream->filled, bytes, size);
	stream->filled += size;
}

static const char *read_piece(struct stream *stream, size_t size)
{
	const char *at = stream->at;

	if (stream->is_broken || (size_t)(stream->end - stream->at) < size) {
		stream->is_broken = true;
		return NULL;
	}
	stream->at += size;
	return at;
}

/* An unsigned number of `size` bytes; what was read is returned. */
static uint64_t pass_number(struct stream *stream, uint64_t value, size_t size)
{
	unsigned char bytes[8];
	const char *read;

	if (!stream->is_reading) {
		for (size_t i = 0; i < size; i++)
			bytes[i] = (unsigned char)(value >> (8 * i));
		write_piece(stream, bytes, size);
		return value;
	}
	read = read_piece(stream, size);
	value = 0;
	for (size_t i = 0; read && i < size; i++)
		value |= (uint64_t)(unsigned char)read[i] << (8 * i);
	return value;
}

#define pass(stream, member)                                                                       \
	((member) = (typeof(member))pass_number(stream, (uint64_t)(member), sizeof(member)))

static void pass_block(struct stream *stream, uint8_t *bytes, size_t size)
{
	const char *read;

	if (!stream->is_reading)
		write_piece(stream, bytes, size);
	else if ((read = read_piece(stream, size)))
		memcpy(bytes, read, size);
}

/* Text of any length; borrowed when it was read. */
static struct str pass_text(struct stream *stream, struct str text)
{
	uint32_t size = (uint32_t)pass_number(stream, text.size, 4);

	if (!stream->is_reading) {
		write_piece(stream, text.data, text.size);
		return text;
	}
	text.data = read_piece(stream, size);
	text.size = text.data ? size : 0;
	return text;
}

/* --- one function an item --------------------------------------------------------------------- */

static void pass_party(struct stream *stream, struct party *party)
{
	pass(stream, party->kind);
	pass(stream, party->is_erased);
	pass(stream, party->index);
	pass(stream, party->first_fact);
	pass(stream, party->last_fact);
	pass(stream, party->fact_count);
}

static void pass_household(struct stream *stream, struct household *household)
{
	pass(stream, household->party);
	pass(stream, household->head);
	pass(stream, household->next_member);
	pass(stream, household->first_link);
	pass(stream, household->open_case);
	pass(stream, household->insee);
	pass(stream, household->turns_on);
}

static void pass_giver(struct stream *stream, struct giver *giver)
{
	pass(stream, giver->party);
	pass(stream, giver->id);
	pass(stream, giver->name_at);
	pass(stream, giver->email_at);
	pass(stream, giver->kind);
	pass(stream, giver->structure);
	pass(stream, giver->successor);
	pass(stream, giver->cantons);
	pass(stream, giver->communes);
	pass(stream, giver->canton_count);
	pass(stream, giver->commune_count);
	pass(stream, giver->pace);
	pass(stream, giver->left_on);
	pass(stream, giver->is_erased);
	pass(stream, giver->last_referral);
	pass(stream, giver->refused_at);
	pass(stream, giver->nudged_for);
}

static void pass_notice(struct stream *stream, struct notice_fact *notice)
{
	pass(stream, notice->supplier);
	pass(stream, notice->insee);
	pass(stream, notice->issued_on);
	pass(stream, notice->notice_days);
	pass(stream, notice->energy);
	pass(stream, notice->step);
	pass(stream, notice->smart_meter);
}

static void pass_visit_fact(struct stream *stream, struct visit_fact *visit)
{
	pass(stream, visit->visit);
	pass(stream, visit->day);
	pass(stream, visit->half);
	pass(stream, visit->by);
	pass(stream, visit->result);
	pass(stream, visit->second_visit);
	pass(stream, visit->onward);
}

static void pass_giver_fact(struct stream *stream, struct giver_fact *giver)
{
	pass(stream, giver->structure);
	pass(stream, giver->successor);
	pass(stream, giver->places);
	pass(stream, giver->until);
	pass(stream, giver->kind);
	pass(stream, giver->canton_count);
	pass(stream, giver->commune_count);
	pass(stream, giver->pace);
	pass(stream, giver->has_name);
	pass(stream, giver->has_email);
}

static void pass_referral(struct stream *stream, struct referral_fact *referral)
{
	pass(stream, referral->giver);
	pass(stream, referral->previous);
	pass(stream, referral->insee);
	pass(stream, referral->reasons);
	pass(stream, referral->energies);
	pass(stream, referral->vulnerable);
	pass(stream, referral->tenure);
}

static void pass_said(struct stream *stream, struct fact *fact)
{
	switch (fact->kind) {
	case EVENT_REFERRAL_RECEIVED:
		pass_referral(stream, &fact->referral);
		return;
	case EVENT_REFERRAL_WITHDRAWN:
		pass(stream, fact->withdrawal.by);
		pass(stream, fact->withdrawal.reason);
		return;
	case EVENT_SUPPLIER_NOTICE:
		pass_notice(stream, &fact->notice);
		return;
	case EVENT_SUPPLIER_LIMITED:
	case EVENT_SUPPLIER_CUT:
	case EVENT_SUPPLIER_RESTORED:
		pass(stream, fact->supply.supplier);
		pass(stream, fact->supply.insee);
		pass(stream, fact->supply.on);
		pass(stream, fact->supply.energy);
		return;
	case EVENT_FSL_REQUEST_FILED:
		pass(stream, fact->request.request);
		pass(stream, fact->request.insee);
		pass(stream, fact->request.filed_on);
		pass(stream, fact->request.energies);
		return;
	case EVENT_FSL_DECIDED:
		pass(stream, fact->decision.request);
		pass(stream, fact->decision.decided_on);
		pass(stream, fact->decision.outcome);
		return;
	case EVENT_HOUSEHOLD_PROTECTION:
		pass(stream, fact->protection.valid_from);
		pass(stream, fact->protection.valid_to);
		pass(stream, fact->protection.energy_voucher);
		return;
	case EVENT_HOUSEHOLD_MOVED:
		pass(stream, fact->move.insee);
		pass(stream, fact->move.on);
		return;
	case EVENT_VISIT_CONFIRMED:
	case EVENT_VISIT_MOVED:
	case EVENT_VISIT_CANCELLED:
	case EVENT_VISIT_RECORDED:
		pass_visit_fact(stream, &fact->visit);
		return;
	case EVENT_DEROGATION_DECIDED:
		pass(stream, fact->derogation.until);
		pass(stream, fact->derogation.allow);
		return;
	case EVENT_CASE_CLOSED:
		pass(stream, fact->closing.reason);
		return;
	case EVENT_GIVER_REGISTERED:
	case EVENT_GIVER_MOVED:
	case EVENT_GIVER_LEFT:
		pass_giver_fact(stream, &fact->giver);
		return;
	case EVENT_PAIR_UNAVAILABLE:
		pass(stream, fact->absence.pair);
		pass(stream, fact->absence.from);
		pass(stream, fact->absence.to);
		return;
	default:
		stream->is_broken = true;
	}
}

static void pass_fact(struct stream *stream, struct fact *fact)
{
	pass(stream, fact->seq);
	pass(stream, fact->key[0]);
	pass(stream, fact->key[1]);
	pass(stream, fact->party);
	pass(stream, fact->next);
	pass(stream, fact->replaces);
	pass(stream, fact->source);
	pass(stream, fact->opened);
	pass(stream, fact->day);
	pass(stream, fact->accepted);
	pass(stream, fact->kind);
	pass(stream, fact->is_old);
	pass(stream, fact->is_void);
	pass(stream, fact->is_replaced);
	pass_said(stream, fact);
}

static void pass_link(struct stream *stream, struct link *link)
{
	pass(stream, link->a);
	pass(stream, link->b);
	pass(stream, link->next_a);
	pass(stream, link->next_b);
	pass(stream, link->seq);
	pass(stream, link->kind);
	pass(stream, link->is_void);
}

static void pass_alias(struct stream *stream, struct alias *alias)
{
	pass_block(stream, alias->hash, sizeof(alias->hash));
	pass(stream, alias->household);
}

static void pass_visit(struct stream *stream, struct visit *visit)
{
	pass(stream, visit->case_number);
	pass(stream, visit->next);
	pass(stream, visit->first_fact);
	pass(stream, visit->last_fact);
	pass(stream, visit->placed);
	pass(stream, visit->lifted);
	pass(stream, visit->sequence_base);
	pass(stream, visit->plan_pair);
	pass(stream, visit->plan_day);
	pass(stream, visit->plan_half);
	pass(stream, visit->is_cancelled);
	pass(stream, visit->state);
	pass(stream, visit->half);
	pass(stream, visit->is_pinned);
	pass(stream, visit->was_confirmed);
	pass(stream, visit->pair);
	pass(stream, visit->day);
	pass(stream, visit->sequence);
}

static void pass_case(struct stream *stream, struct case_record *record)
{
	pass(stream, record->opening);
	pass(stream, record->household);
	pass(stream, record->joined);
	pass(stream, record->is_gone);
	pass(stream, record->state);
	pass(stream, record->tier);
	pass(stream, record->closing);
	pass(stream, record->is_eligible);
	pass(stream, record->is_closed_sector);
	pass(stream, record->sector);
	pass(stream, record->visit);
	pass(stream, record->first_visit);
	pass(stream, record->last_visit);
	pass(stream, record->no_shows);
	pass(stream, record->wants_derogation);
	pass(stream, record->has_stale_supply);
	pass(stream, record->carry.closing);
	pass(stream, record->carry.sector);
	pass(stream, record->insee);
	pass(stream, record->first_date);
	pass(stream, record->effective_date);
	pass(stream, record->closed_on);
	pass(stream, record->order_seq);
}

static void pass_mail(struct stream *stream, struct mail *mail)
{
	pass(stream, mail->about);
	pass(stream, mail->referral);
	pass(stream, mail->case_number);
	pass(stream, mail->sector);
	pass(stream, mail->parts);
	pass(stream, mail->next);
	pass(stream, mail->part_count);
	pass(stream, mail->giver);
	pass(stream, mail->recipient);
	pass(stream, mail->visit);
	pass(stream, mail->day);
	pass(stream, mail->pair);
	pass(stream, mail->sequence);
	pass(stream, mail->half);
	pass(stream, mail->visit_state);
	pass(stream, mail->template);
	pass(stream, mail->to);
	pass(stream, mail->case_state);
	pass(stream, mail->closing);
	pass(stream, mail->second_visit);
	pass(stream, mail->is_counted);
}

static void pass_task(struct stream *stream, struct task *task)
{
	pass(stream, task->kind);
	pass(stream, task->state);
	pass(stream, task->attempts);
	pass(stream, task->spared);
	pass(stream, task->deaths);
	pass(stream, task->has_started);
	pass(stream, task->token);
	pass(stream, task->first_ready);
	pass(stream, task->due);
	pass(stream, task->next);
	pass(stream, task->previous);
	pass(stream, task->code);
	pass_mail(stream, &task->mail);
}

static void pass_identity(struct stream *stream, struct identity *identity)
{
	identity->fingerprint = pass_number(stream, identity->fingerprint, 8);
	identity->seq = (uint32_t)pass_number(stream, identity->seq, 4);
}

static void pass_place(struct stream *stream, uint32_t *place)
{
	pass(stream, *place);
}

static void pass_sector(struct stream *stream, struct sector_record *sector)
{
	pass(stream, sector->name);
	pass(stream, sector->weeks);
	pass(stream, sector->is_suspended);
	for (int i = 0; i < NOTICE_COUNT; i++)
		pass(stream, sector->told[i]);
}

static void pass_mailbox(struct stream *stream, struct mailbox *box)
{
	pass(stream, box->recipient);
	pass(stream, box->to);
	pass(stream, box->count);
	pass(stream, box->day);
	pass(stream, box->digest);
}

/* --- the whole -------------------------------------------------------------------------------- */

/* A table: its count, then its items from 1 on. A count that the bytes left cannot hold is refused
 * before memory is taken. */
#define pass_table(stream, table, pass_item)                                                       \
	do {                                                                                       \
		uint32_t count_ = (uint32_t)pass_number(stream, (table).count, 4);                 \
                                                                                                   \
		if ((stream)->is_reading)                                                          \
			stretch(stream, &(table).items, &(table).count, &(table).capacity,         \
				sizeof(*(table).items), count_);                                   \
		for (uint32_t i_ = 1; i_ < (table).count; i_++)                                    \
			pass_item(stream, &(table).items[i_]);                                     \
	} while (0)

static void stretch(struct stream *stream, void *items, uint32_t *count, uint32_t *capacity,
		    size_t item_size, uint32_t wanted)
{
	void **at = items;

	if (!wanted || wanted > (size_t)(stream->end - stream->at) + 1)
		stream->is_broken = true;
	if (stream->is_broken)
		return;
	*at = mem_grow(*at, item_size * wanted);
	memset(*at, 0, item_size * wanted);
	*count = *capacity = wanted;
}

static void pass_names(struct stream *stream, struct names *names)
{
	uint32_t count = (uint32_t)pass_number(stream, names->count, 4);

	for (uint32_t i = 1; i <= count && !stream->is_broken; i++) {
		struct str name = pass_text(stream, stream->is_reading ? (struct str){0}
								       : names_get(names, i));

		if (stream->is_reading && names_add(names, name) != i)
			stream->is_broken = true;
	}
}

static void pass_policy(struct stream *stream, struct state *state)
{
	struct str bytes;

	pass(stream, state->has_policy);
	pass(stream, state->policy_seq);
	bytes = pass_text(stream, buf_str(&state->policy_bytes));
	if (stream->is_reading && !stream->is_broken && state->has_policy)
		state_load_policy(state, bytes);
}

static void pass_tasks(struct stream *stream, struct state *state)
{
	for (size_t i = 0; i < ARRAY_SIZE(state->ready); i++) {
		pass(stream, state->ready[i].first);
		pass(stream, state->ready[i].last);
		pass(stream, state->ready[i].count);
	}
	pass(stream, state->held.first);
	pass(stream, state->held.last);
	pass(stream, state->held.count);
	pass(stream, state->plan_task);
	pass(stream, state->plan_due);
}

static void pass_network(struct stream *stream, struct state *state)
{
	pass(stream, state->import.first);
	pass(stream, state->import.last);
	pass(stream, state->import.due);
	for (int i = 0; i < ALARM_END; i++)
		pass(stream, state->told_alarms[i]);
	pass(stream, state->forecast_at);
	pass_table(stream, state->places, pass_place);
	pass_table(stream, state->sectors, pass_sector);
	pass_table(stream, state->mailboxes, pass_mailbox);
	pass_table(stream, state->parts, pass_mail);
}

static void pass_head(struct stream *stream, uint64_t *seq, ms_t *now)
{
	uint32_t version = SNAPSHOT_VERSION;

	if (pass(stream, version) != SNAPSHOT_VERSION)
		stream->is_broken = true;
	pass(stream, *seq);
	pass(stream, *now);
}

static void pass_state(struct stream *stream, struct state *state)
{
	pass_head(stream, &state->seq, &state->now);
	pass(stream, state->today);
	pass(stream, state->is_rehearsal);
	pass_block(stream, state->salt, sizeof(state->salt));
	pass_names(stream, &state->names);
	pass_policy(stream, state);
	pass_tasks(stream, state);
	pass(stream, state->first_absence);
	pass(stream, state->last_absence);
	pass_table(stream, state->parties, pass_party);
	pass_table(stream, state->households, pass_household);
	pass_table(stream, state->givers, pass_giver);
	pass_table(stream, state->facts, pass_fact);
	pass_table(stream, state->links, pass_link);
	pass_table(stream, state->aliases, pass_alias);
	pass_table(stream, state->visits, pass_visit);
	pass_table(stream, state->cases, pass_case);
	pass_table(stream, state->tasks, pass_task);
	pass_table(stream, state->identities, pass_identity);
	pass_network(stream, state);
}

void snapshot_write(const struct state *state, snapshot_out_fn *out, void *context)
{
	struct stream *stream = mem_new(sizeof(*stream));

	stream->out = out;
	stream->context = context;
	pass_state(stream, (struct state *)state); /* writing leaves it as it is */
	flush(stream);
	mem_free(&stream);
}

enum err snapshot_read(struct str bytes, struct state *state)
{
	struct stream *stream = mem_new(sizeof(*stream));
	bool is_whole;

	stream->is_reading = true;
	stream->at = bytes.data;
	stream->end = bytes.data + bytes.size;
	pass_state(stream, state);
	is_whole = !stream->is_broken && stream->at == stream->end;
	mem_free(&stream);
	if (!is_whole)
		return ERR_CORRUPT;
	state_rebuild(state);
	return ERR_OK;
}

ms_t snapshot_time(struct str bytes)
{
	struct stream *stream = mem_new(sizeof(*stream));
	uint64_t seq = 0;
	ms_t now = 0;
	bool is_broken;

	stream->is_reading = true;
	stream->at = bytes.data;
	stream->end = bytes.data + bytes.size;
	pass_head(stream, &seq, &now);
	is_broken = stream->is_broken;
	mem_free(&stream);
	return is_broken ? INT64_MAX : now;
}

static void add_to_digest(void *context, const void *bytes, size_t size)
{
	digest_add(context, bytes, size);
}

void snapshot_digest(const struct state *state, uint8_t digest[32])
{
	struct digest sum;

	digest_begin(&sum);
	snapshot_write(state, add_to_digest, &sum);
	digest_end(&sum, digest);
}
