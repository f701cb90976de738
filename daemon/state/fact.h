/* Facts: what events said about a household, a giver or a pair, kept as they came. All that is known is derived from
 * facts; a correction hides an older fact, a retraction voids one, and neither removes
 * anything. Personal data stay in the journal, at the fact's number. */
#pragma once

#include "proto/message.h"

struct referral_fact {
	uint32_t giver;    /* party number */
	uint32_t previous; /* the referral of that giver that came before, void or not; 0: none */
	insee_t insee;
	uint8_t reasons, energies, vulnerable, tenure;
};

struct withdrawal_fact {
	uint8_t by, reason;
};

struct notice_fact {
	uint32_t supplier; /* name number */
	insee_t insee;
	day_t issued_on;
	uint16_t notice_days; /* NOTICE_DAYS_NONE: not said */
	uint8_t energy, step, smart_meter;
};
enum { NOTICE_DAYS_NONE = 0xffff };

struct supply_fact { /* limited, cut, restored */
	uint32_t supplier;
	insee_t insee;
	day_t on;
	uint8_t energy;
};

struct request_fact {
	uint64_t request; /* fingerprint of source and request number */
	insee_t insee;
	day_t filed_on;
	uint8_t energies;
};

struct decision_fact {
	uint64_t request;
	day_t decided_on;
	uint8_t outcome;
};

struct protection_fact {
	day_t valid_from, valid_to;
	uint8_t energy_voucher;
};

struct move_fact {
	insee_t insee;
	day_t on;
};

struct visit_fact { /* confirmed, moved, cancelled, recorded */
	uint32_t visit;
	day_t day; /* DAY_NONE: as planned */
	uint8_t half, by, result, second_visit, onward;
};

struct derogation_fact {
	day_t until;
	uint8_t allow;
};

struct closing_fact {
	uint8_t reason;
};

struct giver_fact {         /* registered, moved, left */
	uint32_t structure; /* name number, 0: not said */
	uint32_t successor; /* party number, 0: not said */
	uint32_t places; /* index of the first of its cantons (name numbers), then its communes */
	day_t until;     /* left only */
	uint8_t kind;    /* 0: not said */
	uint8_t canton_count, commune_count; /* 0: not said */
	uint8_t pace;                        /* enum pace, 0: not said */
	uint8_t has_name, has_email;
};

struct absence_fact {
	uint32_t pair; /* name number */
	day_t from, to;
};

struct fact {
	uint64_t seq;      /* number of the event that said it */
	uint64_t key[2];   /* fingerprint of what a later event would replace; zero: nothing */
	uint32_t party;    /* the household or giver it is about; 0: a pair */
	uint32_t next;     /* of the same party, later; 0: the last */
	uint32_t replaces; /* the older fact under the same key, or 0 */
	uint32_t source;   /* name number */
	uint32_t opened;   /* the case it opened, or 0; goes along to the version that holds */
	day_t day;         /* Paris day of the event's time */
	day_t accepted;    /* Paris day it was taken */
	uint8_t kind;      /* enum event_kind */
	bool is_old;       /* came long after it happened: it writes to nobody, raises no alarm */
	bool is_void;      /* retracted */
	bool is_replaced;  /* a later fact under the same key holds */
	union {
		struct referral_fact referral;
		struct withdrawal_fact withdrawal;
		struct notice_fact notice;
		struct supply_fact supply;
		struct request_fact request;
		struct decision_fact decision;
		struct protection_fact protection;
		struct move_fact move;
		struct visit_fact visit;
		struct derogation_fact derogation;
		struct closing_fact closing;
		struct giver_fact giver;
		struct absence_fact absence;
	};
};

/* A fact that holds, with its place in the order: those of the oldest valid fact under its key, since
 * a correction loses nobody's place. */
struct standing {
	const struct fact *fact; /* what holds now */
	uint32_t index;          /* of `fact` among the state's facts */
	uint32_t root;           /* index of the oldest valid one under the key */
	uint64_t seq;            /* place: number of the oldest valid one */
	day_t day, accepted;     /* of the oldest valid one */
};

/* Can a later event replace it? */
static inline bool fact_has_key(const struct fact *fact)
{
	return fact->key[0] || fact->key[1];
}

/* Such a fact goes with its visit, and the visit with its case. */
static inline bool fact_is_about_visit(const struct fact *fact)
{
	return fact->kind >= EVENT_VISIT_CONFIRMED && fact->kind <= EVENT_VISIT_RECORDED;
}

/* The commune this fact tells, and since when; 0 when it tells none. */
insee_t fact_commune(const struct standing *standing, day_t *since);
