/* All that the core knows, in one struct: facts, and the index of what was derived from them. Every
 * table counts from 1; number 0 means none. Nothing here is personal: names, addresses and phones are
 * in the journal, sealed, at the numbers of the events that told them. */
#pragma once

#include "base/heap.h"
#include "daemon/state/effect.h"
#include "daemon/state/giver.h"
#include "daemon/state/life.h"
#include "daemon/state/names.h"
#include "daemon/state/queue.h"

enum party_kind { PARTY_HOUSEHOLD = 1, PARTY_GIVER = 2 };

/* A household or a giver: they share one sequence of numbers, and with it the keys. */
struct party {
	uint8_t kind;
	bool is_erased;
	uint32_t index; /* in households or givers */
	uint32_t first_fact, last_fact, fact_count;
};

struct household {
	uint32_t party;
	uint32_t head; /* the household (index) that stands for all that are the same; its own */
	uint32_t next_member; /* of the same group, later number; 0: the last */
	uint32_t first_link;  /* links to others */

	/* derived; on the head of a group only */
	uint32_t open_case; /* number, or 0 */
	insee_t insee;
	day_t turns_on; /* its timer: the next day on which rules may change it; DAY_MAX: never */
};

enum link_kind { LINK_JOINED = 1, LINK_SAME, LINK_NOT_SAME, LINK_POSSIBLE };

/* What was said or found about two households being one. The latest that holds decides. */
struct link {
	uint32_t a, b;           /* indexes of households */
	uint32_t next_a, next_b; /* the next link of a, of b */
	uint64_t seq;
	uint8_t kind;
	bool is_void;
};

/* A number a household answers to. */
struct alias {
	uint8_t hash[DIGEST_SIZE];
	uint32_t household; /* index */
};

struct case_record {
	uint32_t opening;   /* fact that first opened it; 0 in a gap: never */
	uint32_t household; /* index of the head */
	uint32_t joined;    /* another case's number when a merge made it part of that one */
	bool is_gone;       /* what opened it was retracted: it never was */
	uint8_t state;      /* enum case_state */
	uint8_t tier, closing;
	bool is_eligible, is_closed_sector;
	uint32_t sector;                  /* position in the policy plus 1, or 0 */
	uint32_t visit;                   /* its active visit, or 0 */
	uint32_t first_visit, last_visit; /* all of them */
	uint32_t no_shows;
	bool wants_derogation; /* only the coordinator's word keeps it from being visited */
	bool has_stale_supply; /* a cut or limitation nobody spoke of for long */
	struct carry carry;
	insee_t insee;
	day_t first_date, effective_date, closed_on;
	uint64_t order_seq;
};

/* The four things that are said of an opening (network.c), and to whom. */
enum { NOTICE_COUNT = 4 };

/* What a sector's givers were told, and what they have to expect. Kept by name: the policy may list
 * its sectors in another order, or leave one out for a year. */
struct sector_record {
	uint32_t name;
	uint32_t weeks; /* the last forecast of the wait; WEEKS_NONE: none, or nobody visits */
	bool is_suspended;
	day_t told[NOTICE_COUNT]; /* the first or last day for which each notice went out last */
};
enum { WEEKS_NONE = UINT32_MAX };

/* Old facts that keep coming: what they brought is told when they have ended. */
struct import {
	uint64_t first, last; /* numbers of events; 0: none under way */
	ms_t due;             /* when it counts as ended, unless more comes */
};

/* Who said it and under which name: a fingerprint of source and id, checked against the journal when
 * it is met again. */
struct __attribute__((packed)) identity {
	uint64_t fingerprint;
	uint32_t seq;
};

struct task_list {
	uint32_t first, last, count;
};

/* A table that grows, from index 1. */
#define TABLE(type)                                                                                \
	struct {                                                                                   \
		type *items;                                                                       \
		uint32_t count, capacity; /* count includes the unused item 0 */                   \
	}

/* Adds a copy of `item` to a table and gives its number. */
#define table_add(table, item)                                                                     \
	({                                                                                         \
		MEM_ROOM((table).items, (table).count, (table).capacity);                          \
		(table).items[(table).count] = (item);                                             \
		(table).count++;                                                                   \
	})

struct state {
	uint64_t seq; /* of the last event applied */
	ms_t now;
	day_t today;
	bool is_rehearsal;
	uint8_t salt[DIGEST_SIZE]; /* of fingerprints; in the journal's first event */

	bool has_policy;
	uint64_t policy_seq;
	struct buf policy_bytes;
	struct arena policy_arena;
	struct policy policy;

	struct names names;
	TABLE(struct party) parties;
	TABLE(struct household) households;
	TABLE(struct giver) givers;
	TABLE(struct fact) facts;
	TABLE(struct link) links;
	TABLE(struct alias) aliases;
	TABLE(struct visit) visits;
	TABLE(struct case_record) cases;
	TABLE(struct task) tasks;
	TABLE(struct identity) identities;
	TABLE(uint32_t) places; /* of givers: name numbers of cantons, codes of communes */
	TABLE(struct sector_record) sectors;
	TABLE(struct mailbox) mailboxes;
	TABLE(struct mail) parts;
	TABLE(uint32_t) water_cuts; /* facts: cuts and limitations of water; rebuilt */
	struct import import;
	uint32_t told_alarms[ALARM_END]; /* how many of each the coordinator was told of last */
	ms_t forecast_at;                /* when the wait was forecast last */
	uint32_t first_absence, last_absence; /* facts about pairs */

	struct task_list ready[TASK_KIND_END];
	struct task_list held;
	uint32_t plan_task;  /* the plan that is being made, or 0 */
	bool plan_is_wanted; /* a cut appeared in this event: ask before it ends */
	ms_t plan_due;       /* when the next plan is asked for; MS_NONE: no policy yet */

	uint32_t event_tasks; /* the tasks of the event or timer at work begin here */

	/* indexes, rebuilt from the above */
	struct map alias_index;    /* first 8 bytes of the hash → alias */
	struct map giver_index;    /* name number of the id → giver */
	struct map key_index;      /* fact key → the latest fact under it */
	struct map identity_index; /* fingerprint → seq */
	struct queue queue;
	struct heap timers;
	struct map mailbox_index;      /* recipient and kind → mailbox */
	TABLE(uint32_t) active_visits; /* planned or confirmed and held by a case, ascending */
	uint32_t task_states[TASK_STATE_END]; /* how many tasks are in each state */
};

void state_init(struct state *state);
void state_done(struct state *state);

#define state_get(state, table, number)                                                            \
	(assert((number) > 0 && (number) < (state)->table.count), &(state)->table.items[number])

/* Builds the indexes again from the tables, after these were read from a snapshot. */
void state_rebuild(struct state *state);

/* New items at the end of a table; their number is returned. */
uint32_t state_add_household(struct state *state);
uint32_t state_add_giver(struct state *state, struct str id);
uint32_t state_add_fact(struct state *state, const struct fact *fact);
uint32_t state_add_link(struct state *state, struct link link);
uint32_t state_add_alias(struct state *state, const uint8_t hash[DIGEST_SIZE], uint32_t household);
uint32_t state_add_visit(struct state *state, struct visit visit); /* of visit.case_number */
uint32_t state_add_case(struct state *state, struct case_record record);
uint32_t state_add_place(struct state *state, uint32_t place);
uint32_t state_add_part(struct state *state, struct mail part);

/* 0 when there is none. */
uint32_t state_find_alias(const struct state *state, const uint8_t hash[DIGEST_SIZE]); /* index of a
											  household */
uint32_t state_find_giver(const struct state *state, struct str id);                   /* index */
uint32_t state_find_fact(const struct state *state, uint64_t seq);
uint32_t state_find_key(const struct state *state, const uint64_t key[2]); /* the latest fact */

void state_add_identity(struct state *state, struct str source, struct str id, uint64_t seq);
/* An identity's fingerprint, which is expected to be looked for next. */
uint64_t state_identity(const struct state *state, struct str source, struct str id);
/* The next event whose identity has that fingerprint; begin with a zeroed cursor. */
bool state_next_identity(const struct state *state, uint64_t identity, struct map_cursor *cursor,
			 uint32_t *seq);

/* The household index of a party number that must be one. */
uint32_t party_household(const struct state *state, uint32_t party);
uint32_t party_giver(const struct state *state, uint32_t party);
/* The head of the group a household (index) belongs to. */
uint32_t household_head(const struct state *state, uint32_t household);
bool household_is_erased(const struct state *state, uint32_t household);
/* The case that number leads to now: itself, or the one it was merged into; 0 when it never was. */
uint32_t case_resolve(const struct state *state, uint32_t number);

/* Was a visit of this case held? */
bool case_was_visited(const struct state *state, const struct case_record *record);

/* Facts of the whole group, standing or not. */
uint32_t state_count_facts(const struct state *state, uint32_t head);

/* The record of a sector of the policy, by its name; made when there is none. */
struct sector_record *state_sector(struct state *state, struct str id);
const struct sector_record *state_find_sector(const struct state *state,
					      struct str id); /* or NULL */
/* The mailbox of a recipient, made when there is none. */
struct mailbox *state_mailbox(struct state *state, uint32_t to, uint32_t recipient);

/* One of its cantons, of its communes. */
struct str giver_canton(const struct state *state, const struct giver *giver, uint32_t position);
insee_t giver_commune(const struct state *state, const struct giver *giver, uint32_t position);

/* Has a giver left, as of today? */
bool giver_has_left(const struct state *state, const struct giver *giver);

/* Opens or reads the policy again from its bytes, which must hold. */
void state_load_policy(struct state *state, struct str bytes);
