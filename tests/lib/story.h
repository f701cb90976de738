/* Stories for tests: a small department, an engine in memory, and one line a thing that happens. Times
 * are noon in Paris of the day given; whatever is refused fails the test at once, unless it is the one
 * asked for by story_refused(). */
#pragma once

#include "daemon/memory_ports.h"

struct story {
	struct arena arena;
	struct memory_ports ports;
	struct engine *engine;
	struct policy policy;
	uint32_t last_id;
	struct verdict verdict; /* of the last thing told */
	bool refuses_mail;      /* every address does, for good */
	const char *told_on;    /* the day on which what is told happened; NULL: today */
};

/* Two sectors: "nord" (39001, 39002) open in all of 2015 and 2016, "sud" (39003) open in 2016 only.
 * One pair, "p1", Tuesday to Friday mornings and afternoons, four visits a week, closed sectors too.
 * The law and the rules are the Jura's. */
void story_policy(struct arena *arena, struct policy *policy);

void story_begin(struct story *story, const char *day);
void story_end(struct story *story);

day_t d(const char *day); /* "2015-02-03" */

/* The calendar goes to noon of that day, with every timer on the way; mails are delivered and plans
 * made at once. */
void story_goes_to(struct story *story, const char *day);

/* The same after an outage: all that was due meanwhile is found in one turn. */
void story_wakes_on(struct story *story, const char *day);

/* The story's policy, as it was changed, is applied. */
void story_applies(struct story *story);

/* Tells any event; source, id and time are filled in when they are missing. */
void story_tell(struct story *story, struct event *event);
/* The same, expected to be refused with this code and path. */
void story_refused(struct story *story, struct event *event, enum err code, const char *path);

/* What tests need most. `subject` NULL: none. Each returns the event's number. */
uint64_t story_referral(struct story *story, const char *form, const char *giver,
			const char *subject, const char *insee, const char *name,
			const char *phone);
uint64_t story_request(struct story *story, const char *subject, const char *request,
		       uint32_t energies, const char *filed_on);
uint64_t story_decision(struct story *story, const char *subject, const char *request,
			uint32_t outcome, const char *decided_on);
uint64_t story_notice(struct story *story, const char *subject, uint32_t energy, uint64_t step,
		      const char *issued_on);
uint64_t story_supply(struct story *story, enum event_kind kind, const char *subject,
		      uint32_t energy, const char *on);
uint64_t story_giver(struct story *story, const char *giver);
uint64_t story_visit(struct story *story, enum event_kind kind, uint32_t visit);
uint64_t story_move(struct story *story, uint32_t visit, day_t day, enum half half);
uint64_t story_absence(struct story *story, day_t from, day_t to); /* the pair's; inclusive */
uint64_t story_record(struct story *story, uint32_t visit, uint32_t result);
void story_withdraws(struct story *story, uint32_t case_number); /* the household does */
void story_retract(struct story *story, uint64_t seq);

const struct state *story_state(const struct story *story);
const struct case_record *story_case(const struct story *story, uint32_t number);
/* How many mails of a template were delivered. */
uint32_t story_mails(const struct story *story, uint32_t template);

/* The journal replayed gives the same digest, and so does a snapshot read back: asserted. */
void story_holds(struct story *story);
