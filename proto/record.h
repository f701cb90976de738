/* Records: structs described by tables. One table gives the struct, its names on the wire, its
 * bounds, its check, its msgpack and its JSON (codec.h, json.h).
 *
 * A table is a list of rows FIELD(type, name, min, max, words, flags). `type` is one of:
 *
 *   type    in C               on the wire            bounds are            absent is
 *   flag    enum answer        true or false          -                     UNSAID
 *   uint    uint64_t           integer                least and most value  UINT_NONE
 *   sint    int64_t            integer                least and most value  SINT_NONE
 *   day     day_t              "YYYY-MM-DD"           -                     DAY_NONE
 *   time    ms_t               RFC 3339               -                     MS_NONE
 *   text    struct str         string, UTF-8          bytes                 size 0
 *   bytes   struct str         binary                 bytes                 data NULL
 *   insee   insee_t            "39198", "2A004"       -                     0
 *   word    uint32_t           one word of `words`    -                     0
 *   set     uint32_t           array of words         count                 0
 *   texts   struct texts       array of strings       count; each 1..64 B   count 0
 *   insees  struct insees      array of communes      count                 count 0
 *   record  struct <words>     map                    -                     .is_set false
 *   list    struct list        array of maps          count                 count 0
 *
 * For record and list, `words` names the record. Sets, texts and insees hold no value twice. */
#pragma once

#include "base/date.h"
#include "base/mem.h"
#include "proto/limits.h"

enum answer { UNSAID, SAID_NO, SAID_YES };

#define UINT_NONE UINT64_MAX
#define SINT_NONE INT64_MIN

/* A commune's INSEE code, five characters 0-9 A-Z read in base 36; 0 is none. */
typedef uint32_t insee_t;
enum { INSEE_TEXT_SIZE = 6, DEPARTMENT_TEXT_SIZE = 4 };
bool insee_parse(struct str text, insee_t *insee) must_use;
const char *insee_print(insee_t insee, char text[INSEE_TEXT_SIZE]);
/* "39", "2A", "974": the department a commune lies in. */
const char *insee_department(insee_t insee, char text[DEPARTMENT_TEXT_SIZE]);

struct texts {
	uint32_t count;
	struct str item[SET_COUNT_MAX];
};

struct insees {
	uint32_t count;
	insee_t item[SET_COUNT_MAX];
};

/* An array of records in an arena: list_at(&plan->visits, struct planned_visit, i). */
struct list {
	uint32_t count;
	void *items;
};
#define list_at(list, type, index) (&((type *)(list)->items)[index])

/* Words: what an enumeration is called on the wire. Bit n-1 of a set stands for word n; word 0 is
 * "absent". */
struct words {
	const char *name; /* of the enumeration, as PROTOCOL.md calls it */
	uint32_t count;   /* including the unused word 0 */
	const char *const *word;
};
const char *words_name(const struct words *words, uint32_t value); /* NULL when out of range */
uint32_t words_find(const struct words *words, struct str text);   /* 0 when unknown */
void words_print(const struct words *words, struct buf *out);      /* "am, pm": all of them */

enum field_type {
	FIELD_flag,
	FIELD_uint,
	FIELD_sint,
	FIELD_day,
	FIELD_time,
	FIELD_text,
	FIELD_bytes,
	FIELD_insee,
	FIELD_word,
	FIELD_set,
	FIELD_texts,
	FIELD_insees,
	FIELD_record,
	FIELD_list,
};

enum field_flags {
	OPTIONAL = 1 << 0,
	PERSONAL = 1 << 1, /* sealed before it is journaled, never used by a rule */
	KEY = 1 << 2,      /* part of what a later event replaces */
	PAST = 1 << 3,     /* a day that may not lie more than one day after the event's time */
	LINE = 1 << 4,     /* text without control characters: names, addresses, identifiers */
	EMAIL = 1 << 5,    /* an address that can be written into a mail header */
};

struct record;

struct field {
	const char *name;
	uint32_t name_size;
	enum field_type type;
	uint32_t flags;
	size_t offset;
	uint64_t min, max; /* for sint: as int64_t */
	const struct words *words;
	const struct record *record; /* of record and list */
};

struct record {
	const char *name;
	size_t size;
	uint32_t count;
	const struct field *fields;
};

/* Sets every field to absent. A record that is decoded begins this way. */
void record_clear(const struct record *record, void *object);
bool field_is_absent(const struct field *field, const void *object);

/* Used by the tables' expansions. */
#define C_flag(name, words)   enum answer name;
#define C_uint(name, words)   uint64_t name;
#define C_sint(name, words)   int64_t name;
#define C_day(name, words)    day_t name;
#define C_time(name, words)   ms_t name;
#define C_text(name, words)   struct str name;
#define C_bytes(name, words)  struct str name;
#define C_insee(name, words)  insee_t name;
#define C_word(name, words)   uint32_t name;
#define C_set(name, words)    uint32_t name;
#define C_texts(name, words)  struct texts name;
#define C_insees(name, words) struct insees name;
#define C_record(name, words) struct words name;
#define C_list(name, words)   struct list name;

#define RECORD_MEMBER(type, name, min, max, words, flags) C_##type(name, words)

/* The table behind a record, in the one file that defines it (message.c, config/policy.c):
 *
 *   #define FIELD FIELD_ROW
 *   #define RECORD(name, ...) RECORD_TABLE(name __VA_ARGS__)
 *   #include "config/policy.def"
 *
 * A row needs the name of its struct, which FIELD is not told: so FIELD_ROW only makes a list of
 * rows in parentheses, and RECORD_TABLE goes through it with the name in hand. */
#define FIELD_ROW(type, name, min, max, words, flags) , (type, name, min, max, words, flags)

#define RECORD_TABLE(owner, ...)                                                                   \
	static const struct field fields_##owner[] = {                                             \
		__VA_OPT__(RECORD_ROWS(RECORD_ROW_FIRST(owner, __VA_ARGS__))){NULL}};              \
	const struct record record_##owner = {#owner, sizeof(struct owner),                        \
					      ARRAY_SIZE(fields_##owner) - 1, fields_##owner};

/* One step writes a row and leaves a call of the next, which the following scan of the preprocessor
 * carries out: 64 scans, so 64 fields at most, as many as the decoder keeps count of. */
#define RECORD_ROW_FIRST(owner, row, ...)                                                          \
	RECORD_ROW(owner, RECORD_ROW_OPEN row)                                                     \
	__VA_OPT__(RECORD_ROW_NEXT RECORD_ROW_NOTHING()()(owner, __VA_ARGS__))
#define RECORD_ROW_NEXT() RECORD_ROW_FIRST
#define RECORD_ROW_NOTHING()
#define RECORD_ROW_OPEN(...) __VA_ARGS__
#define RECORD_ROW(...)      RECORD_ROW_WRITE(__VA_ARGS__)
#define RECORD_ROW_WRITE(owner, type, name, min, max, words, flags)                                \
	{                                                                                          \
		#name,                                                                             \
		sizeof(#name) - 1,                                                                 \
		FIELD_##type,                                                                      \
		flags,                                                                             \
		offsetof(struct owner, name),                                                      \
		min,                                                                               \
		max,                                                                               \
		WORDS_##type(words),                                                               \
		RECORD_##type(words)},
#define RECORD_ROWS(...)   RECORD_ROWS_4(RECORD_ROWS_4(RECORD_ROWS_4(RECORD_ROWS_4(__VA_ARGS__))))
#define RECORD_ROWS_4(...) RECORD_ROWS_3(RECORD_ROWS_3(RECORD_ROWS_3(RECORD_ROWS_3(__VA_ARGS__))))
#define RECORD_ROWS_3(...) RECORD_ROWS_2(RECORD_ROWS_2(RECORD_ROWS_2(RECORD_ROWS_2(__VA_ARGS__))))
#define RECORD_ROWS_2(...) __VA_ARGS__

#define WORDS_flag(words)   NULL
#define WORDS_uint(words)   NULL
#define WORDS_sint(words)   NULL
#define WORDS_day(words)    NULL
#define WORDS_time(words)   NULL
#define WORDS_text(words)   NULL
#define WORDS_bytes(words)  NULL
#define WORDS_insee(words)  NULL
#define WORDS_word(words)   &words_##words
#define WORDS_set(words)    &words_##words
#define WORDS_texts(words)  NULL
#define WORDS_insees(words) NULL
#define WORDS_record(words) NULL
#define WORDS_list(words)   NULL

#define RECORD_flag(words)   NULL
#define RECORD_uint(words)   NULL
#define RECORD_sint(words)   NULL
#define RECORD_day(words)    NULL
#define RECORD_time(words)   NULL
#define RECORD_text(words)   NULL
#define RECORD_bytes(words)  NULL
#define RECORD_insee(words)  NULL
#define RECORD_word(words)   NULL
#define RECORD_set(words)    NULL
#define RECORD_texts(words)  NULL
#define RECORD_insees(words) NULL
#define RECORD_record(words) &record_##words
#define RECORD_list(words)   &record_##words
