/* What a template may say: every name it can use, and nothing else. What a giver may not learn has
 * no name here, or one that only the pair's templates may use; so no template, not even one that a
 * department wrote, can give it away. Texts are French. A name without value is false in a section. */
#pragma once

#include "proto/message.h"

/* ROW(name, audience, what it holds) */
#define VIEW_TABLE(ROW)                                                                            \
	ROW(case, ALL, "number of the case")                                                       \
	ROW(form, ALL, "the giver's own number of the referral form")                              \
	ROW(sector, ALL, "name of the sector")                                                     \
	ROW(to_name, ALL, "name of whom the mail goes to")                                         \
	ROW(instead_of, ALL, "the giver who has left, and in whose place this is read")            \
	ROW(coordinator_name, ALL, "name of the coordinator")                                      \
	ROW(coordinator_email, ALL, "address of the coordinator")                                  \
	ROW(date, ALL, "day of the mail: mardi 10 mars 2015")                                      \
	ROW(wait, ALL, "wait to expect: 3 semaines, une semaine; false when it will be soon")      \
	ROW(reopens_on, ALL, "day the sector opens again; false when nobody knows")                \
	ROW(week, ALL, "the Monday of the visit's week: lundi 9 mars 2015")                        \
	ROW(waiting, ALL, "true: the case is in the list")                                         \
	ROW(deferred, ALL, "true: the case waits for its sector to open")                          \
	ROW(planned, ALL, "true: the case has a visit ahead")                                      \
	ROW(closed, ALL, "true: the case is closed")                                               \
	ROW(visit_cancelled, ALL, "true: the visit is cancelled; else it is to take place")        \
	ROW(visit_done, ALL, "true: the visit took place")                                         \
	ROW(visit_failed, ALL, "true: the visit could not take place")                             \
	ROW(second_visit, ALL, "true: a second visit will follow")                                 \
	ROW(closed_done, ALL, "true: closed, all is done; these five only without a visit told")   \
	ROW(closed_ineligible, ALL, "true: closed, not for this service")                          \
	ROW(closed_unreachable, ALL, "true: closed, nobody could be reached")                      \
	ROW(closed_withdrawn, ALL, "true: closed, the request was withdrawn")                      \
	ROW(closed_other, ALL, "true: closed for another reason")                                  \
	ROW(commune, PAIR, "commune of the visit")                                                 \
	ROW(day, PAIR, "day of the visit: mardi 10 mars 2015")                                     \
	ROW(half, PAIR, "matin or après-midi")                                                     \
	ROW(hours, PAIR, "9 h – 12 h or 14 h – 17 h")                                              \
	ROW(pair_name, PAIR, "name of the pair")                                                   \
	ROW(subject, LAYOUT, "the mail's subject")                                                 \
	ROW(content, LAYOUT, "the mail itself, for {{{content}}}")

enum view_name {
#define ROW(name, audience, holds) VIEW_##name,
	VIEW_TABLE(ROW)
#undef ROW
		VIEW_COUNT
};

enum view_audience { VIEW_FOR_ALL, VIEW_FOR_PAIR, VIEW_FOR_LAYOUT };

struct view {
	struct str value[VIEW_COUNT]; /* size 0: false */
	struct arena arena;
};

void view_init(struct view *view, const struct mail_body *body);
void view_done(struct view *view);

const char *view_name(enum view_name name);
/* May a template for these readers use the name? The layout knows what all know, and its own. */
bool view_has_name(enum view_audience audience, struct str name);

/* What the calendar shares with the view. */
struct view_hours {
	int from, to; /* full hours in Paris */
};
struct view_hours view_hours(enum half half);
