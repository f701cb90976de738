/* Structs, numbers and names made from words.def, records.def, events.def and messages.def. */
#pragma once

#include "proto/record.h"

/* ENERGY_GAS, … and `extern const struct words words_energy`. */
#define WORD(NAME, VALUE, number, text) NAME##_##VALUE = number,
#define WORDS(NAME, name, ...)                                                                     \
	enum name { __VA_ARGS__ NAME##_END };                                                      \
	extern const struct words words_##name;
#include "proto/words.def"
#undef WORDS
#undef WORD

/* struct person, … and `extern const struct record record_person`. `is_set` is for records that are
 * fields: false when absent. */
#define FIELD RECORD_MEMBER
#define RECORD(name, ...)                                                                          \
	struct name {                                                                              \
		bool is_set;                                                                       \
		__VA_ARGS__                                                                        \
	};                                                                                         \
	extern const struct record record_##name;
#define MESSAGE(name, ...) RECORD(name, __VA_ARGS__)
#include "proto/records.def"
#include "proto/messages.def"
#undef MESSAGE
#undef RECORD

/* struct referral_received, … and record_referral_received: the event's data. */
#define EVENT(KIND, kind, number, type, class, subject, key, ...)                                  \
	struct kind {                                                                              \
		bool is_set;                                                                       \
		__VA_ARGS__                                                                        \
	};                                                                                         \
	extern const struct record record_##kind;
#include "proto/events.def"
#undef EVENT
#undef FIELD

enum event_kind {
#define EVENT(KIND, kind, number, ...) EVENT_##KIND = number,
#include "proto/events.def"
#undef EVENT
	EVENT_KIND_END = 128 /* numbers stay below */
};

enum event_class { CLASS_SENDER, CLASS_COORDINATOR, CLASS_OPERATOR, CLASS_SYSTEM };
enum event_subject { SUBJECT_REQUIRED, SUBJECT_ALLOWED, SUBJECT_REFUSED };
enum event_key { KEY_KEYED, KEY_KEYED_IN_HOUSEHOLD, KEY_UNKEYED };

/* One row of events.def. */
struct event_info {
	const char *type; /* without the prefix */
	enum event_class class;
	enum event_subject subject;
	enum event_key key;
	const struct record *record;
};

#define EVENT_TYPE_PREFIX "fr.vigie."

/* NULL for a number no row has. */
const struct event_info *event_info_find(uint32_t kind);
/* 0 for an unknown type; `type` with its prefix. */
enum event_kind event_kind_find(struct str type);

enum { EVENT_SCHEMA = 1, DIGEST_SIZE = 16, SEAL_NONCE_SIZE = 24 };

/* What the core found while checking. It is journaled with the event, so a replay needs no
 * keystore. Numbers are 0 where there is nothing to say. */
struct resolution {
	uint8_t subject_hash[DIGEST_SIZE]; /* keyed hash of (subjectsource, subject); zero: none */
	uint8_t other_hash[DIGEST_SIZE];   /* the same for same_as and not_same's `other` */
	uint32_t household;                /* whom the event is about */
	uint32_t other;                    /* the household of `other`, or the possible duplicate */
	uint32_t giver;                    /* the giver named by `giver` */
	uint32_t successor;                /* the giver named by `successor` */
	uint64_t target;                   /* event.retracted: the number of the void event */
	uint32_t match;                    /* enum match, for a referral or a new household */
	bool has_name, has_email;          /* of a giver's event: said, though sealed */
};

/* An event: what the sender said, and what the core added. All text is borrowed from the buffer or
 * arena it was decoded into. */
struct event {
	/* envelope */
	enum event_kind kind;
	struct str source, id;              /* together its identity */
	struct str subject, subject_source; /* subject_source: never absent when subject is set */
	ms_t time;                          /* when it happened */

	/* the core's part: zero until it is numbered */
	uint64_t seq;
	ms_t accepted; /* when it was taken; never going back along seq */
	uint32_t schema;
	uint8_t digest
		[DIGEST_SIZE]; /* keyed digest of the content, to tell a duplicate from a conflict */
	struct resolution found;
	struct str sealed; /* nonce and sealed personal fields with the subject; data NULL: none */

	union {
#define EVENT(KIND, kind, ...) struct kind kind;
#include "proto/events.def"
#undef EVENT
	} data;
};

/* Empty envelope, every field of the kind's data absent. */
void event_clear(struct event *event, enum event_kind kind);
/* All of it that its kind has: most kinds fill a third of the room. */
void event_copy(const struct event *event, struct event *copy);
