/* Policy as data: what the department decides. policy_file.h reads it from policy.conf; as msgpack it
 * is the body of policy.applied. Communes are sorted by code, openings by day and merged where they
 * touch, laws by valid_from: policy_check() asserts as much of what was decoded. */
#pragma once

#include "proto/codec.h"

#define FIELD RECORD_MEMBER
#define RECORD(name, ...)                                                                          \
	struct name {                                                                              \
		bool is_set;                                                                       \
		__VA_ARGS__                                                                        \
	};                                                                                         \
	extern const struct record record_##name;
#include "config/policy.def"
#undef RECORD
#undef FIELD

/* Decodes and checks the whole: duplicates, unknown sectors of communes and pairs, order, openings
 * that end before they begin. Everything lies in `arena`. */
enum err policy_decode(struct str bytes, struct arena *arena, struct policy *policy,
		       struct fault *fault) must_use;
/* The form alone, borrowing from `bytes`: what was taken once holds, whatever is checked of a policy since. */
enum err policy_decode_form(struct str bytes, struct arena *arena, struct policy *policy,
			    struct fault *fault) must_use;
void policy_encode(const struct policy *policy, struct buf *out);

/* Told of each mistake: the option's path ("sectors[1].id") and a sentence. */
typedef void policy_report_fn(void *context, const char *path, const char *what);

/* The same, but every mistake is reported, and not only the first: false when there is any. Where the
 * bytes are no policy at all, that is the only one. */
bool policy_decode_all(struct str bytes, struct arena *arena, struct policy *policy,
		       policy_report_fn *report, void *context) must_use;

/* A policy_report_fn into a struct fault, which keeps the first: ERR_INVALID_EVENT at
 * "policy.sectors[1].id". */
void policy_report_first(void *fault, const char *path, const char *what);

/* NULL when the commune is in no sector. */
const struct policy_commune *policy_find_commune(const struct policy *policy, insee_t insee);
const struct policy_sector *policy_find_sector(const struct policy *policy, struct str id);
/* By its position, which must be one; and the position plus 1 of the one with that id, or 0. */
const struct policy_sector *policy_sector_at(const struct policy *policy, uint32_t position);
uint32_t policy_sector_number(const struct policy *policy, struct str id);
const struct policy_pair *policy_find_pair(const struct policy *policy, struct str id);

/* "dole, champagnole": the ids of all. */
void policy_print_sectors(const struct policy *policy, struct buf *out);
void policy_print_pairs(const struct policy *policy, struct buf *out);

/* The opening that holds `day`, or NULL. */
const struct policy_opening *sector_opening_on(const struct policy_sector *sector, day_t day);
/* The first opening that begins after `day`, or NULL. */
const struct policy_opening *sector_opening_after(const struct policy_sector *sector, day_t day);

/* The law in force on a day; before the first, the first. */
const struct policy_law *policy_law_on(const struct policy *policy, day_t day);
/* Does the day's month and day lie in the truce? It may run over the turn of the year. */
bool law_in_truce(const struct policy_law *law, day_t day);

/* Does this pair serve that sector while it is open (`closed` false) or closed? A pair without
 * sectors serves all. */
bool pair_serves(const struct policy_pair *pair, struct str sector, bool closed);
