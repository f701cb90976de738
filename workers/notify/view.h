/* What a template may say: every name it can use, and nothing else. What a giver may not learn has
 * no name here, or one that only the pair's or the coordinator's templates may use; so no template,
 * not even one that a department wrote, can give it away. Texts are French. A name without value is
 * false in a section; a list is a section that stands once for each of its rows, and any_LIST is true
 * when it has some. */
#pragma once

#include "proto/message.h"

/* Where a name has a value: in the mail itself, or in the rows of lists. */
enum view_place {
	IN_MAIL = 1 << 0,
	IN_SECTOR = 1 << 1,
	IN_CASE = 1 << 2,
	IN_NEWS = 1 << 3, /* one of the mails that a digest stands for */
	IN_DAY = 1 << 4,
	IN_STOP = 1 << 5,
	IN_ALARM = 1 << 6,
};

/* ROW(name, for whom, where, what it holds) */
#define VIEW_TABLE(ROW)                                                                            \
	ROW(to_name, ALL, IN_MAIL, "name of whom the mail goes to")                                \
	ROW(instead_of, ALL, IN_MAIL, "the giver who has left, and in whose place this is read")   \
	ROW(service, ALL, IN_MAIL, "name of the service: mail_from_name of vigie.conf")            \
	ROW(coordinator_name, ALL, IN_MAIL, "name of the coordinator")                             \
	ROW(coordinator_email, ALL, IN_MAIL, "address of the coordinator")                         \
	ROW(for_pair, ALL, IN_MAIL, "true: a pair reads this")                                     \
	ROW(for_household, ALL, IN_MAIL, "true: a household that referred itself reads this")      \
	ROW(for_coordinator, ALL, IN_MAIL, "true: the coordinator reads this")                     \
	ROW(date, ALL, IN_MAIL, "day of the mail: mardi 10 mars 2015")                             \
	ROW(case, ALL, IN_MAIL | IN_CASE | IN_NEWS | IN_STOP, "number of the case")                \
	ROW(form, ALL, IN_MAIL | IN_CASE | IN_NEWS, "the giver's own number of the form")          \
	ROW(sector, ALL, IN_MAIL | IN_SECTOR | IN_CASE | IN_NEWS, "name of the sector")            \
	ROW(wait, ALL, IN_MAIL | IN_SECTOR | IN_NEWS,                                              \
	    "wait to expect: 3 semaines, une semaine; false when it will be soon")                 \
	ROW(reopens_on, ALL, IN_MAIL | IN_SECTOR | IN_NEWS,                                        \
	    "day the sector opens again: 10 mars 2015; false when nobody knows")                   \
	ROW(needs_contact, ALL, IN_MAIL | IN_NEWS, "true: no referral has brought consent yet")    \
	ROW(waiting, ALL, IN_MAIL | IN_NEWS, "true: the case is in the list")                      \
	ROW(deferred, ALL, IN_MAIL | IN_NEWS, "true: the case waits for its sector to open")       \
	ROW(no_sector, ALL, IN_MAIL | IN_NEWS, "true: deferred, since no sector has its commune")  \
	ROW(refused, ALL, IN_MAIL | IN_NEWS,                                                       \
	    "true: deferred, and the coordinator wants no visit before its sector opens")          \
	ROW(planned, ALL, IN_MAIL | IN_NEWS, "true: the case has a visit ahead")                   \
	ROW(visited, ALL, IN_MAIL | IN_NEWS, "true: the visit was made, the case is still open")   \
	ROW(closed, ALL, IN_MAIL | IN_NEWS, "true: the case is closed")                            \
	ROW(week, ALL, IN_MAIL | IN_NEWS, "the Monday of the visit's week: 9 mars 2015")           \
	ROW(visit_moved, ALL, IN_MAIL | IN_NEWS, "true: the visit takes place at another time")    \
	ROW(same_week, ALL, IN_MAIL | IN_NEWS,                                                     \
	    "true: at another time of the week that its reader was told")                          \
	ROW(visit_cancelled, ALL, IN_MAIL | IN_NEWS, "true: the visit is cancelled")               \
	ROW(visit_done, ALL, IN_MAIL | IN_NEWS, "true: the visit took place")                      \
	ROW(visit_failed, ALL, IN_MAIL | IN_NEWS, "true: the visit could not take place")          \
	ROW(second_visit, ALL, IN_MAIL | IN_NEWS, "true: a second visit will follow")              \
	ROW(closed_done, ALL, IN_MAIL | IN_NEWS,                                                   \
	    "true: closed, all is done; these five only without a visit told")                     \
	ROW(closed_ineligible, ALL, IN_MAIL | IN_NEWS, "true: closed, not for this service")       \
	ROW(closed_unreachable, ALL, IN_MAIL | IN_NEWS, "true: closed, nobody could be reached")   \
	ROW(closed_withdrawn, ALL, IN_MAIL | IN_NEWS, "true: closed, the request was withdrawn")   \
	ROW(closed_other, ALL, IN_MAIL | IN_NEWS, "true: closed for another reason")               \
	ROW(sector_label, ALL, IN_MAIL, "Secteur Dole, or: Secteurs Dole et Champagnole")          \
	ROW(several_sectors, ALL, IN_MAIL, "true: the mail is about more than one sector")         \
	ROW(opens_on, ALL, IN_MAIL | IN_SECTOR | IN_NEWS,                                          \
	    "first day of the opening: 1er janvier 2015; in the mail itself these dates, and the " \
	    "wait, are those that all its sectors share")                                          \
	ROW(closes_on, ALL, IN_MAIL | IN_SECTOR | IN_NEWS, "last day of the opening")              \
	ROW(results, ALL, IN_MAIL,                                                                 \
	    "what came of the reader's referrals: 4 visites faites et un dossier en attente")      \
	ROW(one_case, ALL, IN_MAIL, "true: there is one in cases")                                 \
	ROW(several_cases, ALL, IN_MAIL, "true: there are more than one in cases")                 \
	ROW(more_cases, ALL, IN_MAIL, "how many beyond those listed: 12 autres dossiers")          \
	ROW(news, ALL, IN_MAIL,                                                                    \
	    "digest: all that is new, as news.txt and news.html say it, for {{{news}}}")           \
	ROW(sector_announced, ALL, IN_NEWS, "true: the sector opens on opens_on")                  \
	ROW(sector_opened, ALL, IN_NEWS, "true: the sector has opened on opens_on")                \
	ROW(sector_closing, ALL, IN_NEWS, "true: the sector closes after closes_on")               \
	ROW(sector_closed, ALL, IN_NEWS, "true: the sector has closed after closes_on")            \
	ROW(outreach_suspended, ALL, IN_NEWS, "true: only urgent situations, please")              \
	ROW(outreach_resumed, ALL, IN_NEWS, "true: all situations again")                          \
	ROW(quiet, ALL, IN_NEWS, "true: nothing was referred since the sector opened")             \
	ROW(commune, PAIR, IN_MAIL | IN_NEWS | IN_STOP, "commune of the visit")                    \
	ROW(day, PAIR, IN_MAIL | IN_NEWS | IN_DAY, "day: mardi 10 mars 2015; in days, Mardi")      \
	ROW(half, PAIR, IN_MAIL | IN_NEWS | IN_STOP, "matin or après-midi")                        \
	ROW(hours, PAIR, IN_MAIL | IN_NEWS | IN_STOP, "9 h – 12 h or 14 h – 17 h")                 \
	ROW(pair_name, PAIR, IN_MAIL, "name of the pair")                                          \
	ROW(agenda_week, PAIR, IN_MAIL, "the Monday of the agenda's week: 9 mars 2015")            \
	ROW(visit_count, PAIR, IN_MAIL, "how many visits the agenda has: 4 visites")               \
	ROW(household, COORDINATOR, IN_MAIL,                                                       \
	    "number of a household whose water is off and that has no case")                       \
	ROW(water, COORDINATOR, IN_MAIL,                                                           \
	    "whose water is off: ménage n° 45 (coupure du 3 mars 2015, Régie des eaux, Dole)")     \
	ROW(alarm_count, COORDINATOR, IN_MAIL, "how many alarms: 3 points à regarder")             \
	ROW(alarm, COORDINATOR, IN_ALARM, "what it is: 2 doublons possibles")                      \
	ROW(remedy, COORDINATOR, IN_ALARM, "what to do about it, in a sentence")                   \
	ROW(about, COORDINATOR, IN_ALARM, "which they are: dossiers n° 12 et 15")                  \
	ROW(since, COORDINATOR, IN_ALARM, "day of the oldest: 10 mars 2015")                       \
	ROW(import_facts, COORDINATOR, IN_MAIL, "what a long import brought: 12 345 faits")        \
	ROW(import_households, COORDINATOR, IN_MAIL, "3 210 ménages")                              \
	ROW(import_cases, COORDINATOR, IN_MAIL, "450 dossiers")                                    \
	ROW(import_open, COORDINATOR, IN_MAIL, "37 encore ouverts")                                \
	ROW(import_no_sector, COORDINATOR, IN_MAIL, "2 dossiers sans secteur; false: none")        \
	ROW(import_duplicates, COORDINATOR, IN_MAIL, "2 doublons possibles; false: none")          \
	ROW(subject, LAYOUT, IN_MAIL, "the mail's subject")                                        \
	ROW(content, LAYOUT, IN_MAIL, "the mail itself, for {{{content}}}")

/* ROW(name, for whom, where, where the names of its rows are, what they are) */
#define VIEW_LIST_TABLE(ROW)                                                                       \
	ROW(sectors, ALL, IN_MAIL, IN_SECTOR, "sectors that the mail is about")                    \
	ROW(cases, ALL, IN_MAIL, IN_CASE, "the reader's cases that the mail is about")             \
	ROW(news_visits, ALL, IN_MAIL, IN_NEWS, "digest: visits confirmed, moved, cancelled")      \
	ROW(news_referrals, ALL, IN_MAIL, IN_NEWS, "digest: referrals taken")                      \
	ROW(news_outcomes, ALL, IN_MAIL, IN_NEWS, "digest: visits made, cases closed")             \
	ROW(news_sectors, ALL, IN_MAIL, IN_NEWS, "digest: sectors that open and close")            \
	ROW(days, PAIR, IN_MAIL, IN_DAY, "days of the agenda that have visits")                    \
	ROW(stops, PAIR, IN_DAY, IN_STOP, "visits of a day")                                       \
	ROW(alarms, COORDINATOR, IN_MAIL, IN_ALARM, "what has to be looked at")

enum view_name {
#define ROW(name, ...) VIEW_##name,
	VIEW_TABLE(ROW)
#undef ROW
		VIEW_COUNT
};

enum view_list_name {
#define ROW(name, ...) VIEW_LIST_##name,
	VIEW_LIST_TABLE(ROW)
#undef ROW
		VIEW_LIST_COUNT
};

/* The layout knows what all know, and its own. */
enum view_audience { VIEW_FOR_ALL, VIEW_FOR_PAIR, VIEW_FOR_COORDINATOR, VIEW_FOR_LAYOUT };

struct view_list {
	struct view_row *rows;
	uint32_t count, capacity;
};

struct view_row {
	enum view_place place;
	struct str value[VIEW_COUNT]; /* size 0: false */
	struct view_list list[VIEW_LIST_COUNT];
};

struct view {
	struct view_row mail;
	struct arena arena;
};

/* `service` is the name of the service that writes. */
void view_init(struct view *view, const struct mail_body *body, struct str service);
void view_done(struct view *view);

/* What the table says of a name, or of a list. */
struct view_info {
	const char *name;
	const char *any; /* of a list: the name that says whether it has rows; else NULL */
	const char *holds;
	enum view_audience audience;
	uint32_t places; /* where it has a value */
	uint32_t rows;   /* of a list: where its rows' names have one; else 0 */
};
const struct view_info *view_info(enum view_name name);
const struct view_info *view_list_info(enum view_list_name name);
/* NULL: there is none. */
const struct view_info *view_find(struct str name);
/* One line a name: which, for whom, where, what it holds. */
void view_print_names(struct buf *out);

/* May a template for these readers use it? */
bool view_is_for(const struct view_info *info, enum view_audience audience);
