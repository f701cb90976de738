/* The state as JSON, for those who ask: control.sock, status.sock and vigie-sim say things with the
 * same words. Every function returns a new reference. What `status.sock` may show holds rule codes and
 * numbers only; what opens sealed data says so in its name. */
#pragma once

#include <jansson.h>

#include "daemon/alarm.h"
#include "daemon/engine.h"
#include "daemon/tell.h"

json_t *view_day(day_t day); /* null for DAY_NONE */
json_t *view_time(ms_t time);
json_t *view_word(const struct words *words, uint32_t value); /* null for 0 */
json_t *view_text(struct str text);                           /* null when empty */

/* [{code, days}] and [{energy, supplier, earliest_cut, steps: [{rule, date}]}] of an open case. */
json_t *view_reasons(const struct rank *rank);
json_t *view_reason_tiers(const struct rank *rank); /* what each of them gives, or null */
json_t *view_cutoffs(const struct state *state, const struct rank *rank);

/* {code, days, tier, sentence}: one of the reasons of a portrait. */
json_t *view_told_reason(const struct state *state, const struct portrait *portrait,
			 const struct reason_given *reason);

/* One line of the list. */
json_t *view_case(const struct state *state, uint32_t number, bool with_sentence);

/* Why it stands where it does: reasons with sentences, cutoffs with their steps, who is before. */
json_t *view_explanation(const struct state *state, uint32_t number);

json_t *view_visit(const struct state *state, uint32_t number);
json_t *view_task(const struct state *state, uint32_t number);

/* Whom a mail task is for: a giver's or pair's identifier, or "coordinator". */
struct str view_recipient(const struct state *state, const struct mail *mail);

/* What needs somebody's attention: [{code, since, count}]. */
json_t *view_alarms(const struct state *state);

/* Opens sealed data: the look is to be logged by the caller. Source and subject of the household's
 * first number, null when it has none or is erased. */
void view_opened_subject(struct engine *engine, uint32_t household, json_t **source,
			 json_t **subject);
/* The latest name, phone, email, address and persons known of a household; null when erased. */
json_t *view_opened_household(struct engine *engine, uint32_t party); /* its number */
json_t *view_opened_person(struct engine *engine, uint32_t household);
/* A case with its household in full. */
json_t *view_opened_case(struct engine *engine, uint32_t number);
