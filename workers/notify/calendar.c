#include "workers/notify/calendar.h"

#include <stdio.h>
#include <stdlib.h>

#include <libical/ical.h>

#include "workers/notify/row.h"

/* Ours, and constant: the rule of the European Union, as base/date.h has it. libical's own zone comes
 * from the system's files and carries a century of history. */
static const char paris_zone[] = "BEGIN:VTIMEZONE\r\n"
				 "TZID:Europe/Paris\r\n"
				 "BEGIN:DAYLIGHT\r\n"
				 "TZOFFSETFROM:+0100\r\n"
				 "TZOFFSETTO:+0200\r\n"
				 "TZNAME:CEST\r\n"
				 "DTSTART:19960331T020000\r\n"
				 "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\r\n"
				 "END:DAYLIGHT\r\n"
				 "BEGIN:STANDARD\r\n"
				 "TZOFFSETFROM:+0200\r\n"
				 "TZOFFSETTO:+0100\r\n"
				 "TZNAME:CET\r\n"
				 "DTSTART:19961027T030000\r\n"
				 "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r\n"
				 "END:STANDARD\r\n"
				 "END:VTIMEZONE\r\n";

static const struct {
	const char *name;
	icalproperty_method method;
} methods[] = {
	[CALENDAR_REQUEST] = {"REQUEST", ICAL_METHOD_REQUEST},
	[CALENDAR_CANCEL] = {"CANCEL", ICAL_METHOD_CANCEL},
	[CALENDAR_PUBLISH] = {"PUBLISH", ICAL_METHOD_PUBLISH},
};

/* What all entries of one calendar share. */
struct calendar {
	const struct mail_body *body;
	const struct config *config;
	enum calendar_method method;
	icalcomponent *component;
};

/* One visit, from whichever part of the body tells it. */
struct entry {
	struct str uid, commune;
	uint64_t sequence, case_number;
	day_t day;
	enum half half;
	bool is_cancelled;
};

struct entries {
	struct entry *items;
	uint32_t count;
};

static void find_entries(const struct mail_body *body, struct arena *arena,
			 struct entries *entries);
static void begin_calendar(struct calendar *calendar);
static void add_entry(const struct calendar *calendar, const struct entry *entry);
static void add_times(icalcomponent *event, const struct entry *entry, ms_t date);
static void add_people(icalcomponent *event, const struct calendar *calendar);
static void add_text(icalcomponent *event, const struct entry *entry);

enum calendar_method calendar_method(const struct mail_body *body)
{
	if (!body->visit.is_set)
		return CALENDAR_PUBLISH;
	return body->visit.state == VISIT_STATE_CANCELLED ? CALENDAR_CANCEL : CALENDAR_REQUEST;
}

const char *calendar_method_name(enum calendar_method method)
{
	return methods[method].name;
}

void calendar_print(const struct mail_body *body, const struct config *config, struct buf *out)
{
	struct calendar calendar = {body, config, calendar_method(body), NULL};
	scoped(arena_done) struct arena arena = {0};
	struct entries entries = {0};
	char *text;

	if (body->to_pair != SAID_YES)
		return;
	find_entries(body, &arena, &entries);
	if (!entries.count)
		return;
	begin_calendar(&calendar);
	for (uint32_t i = 0; i < entries.count; i++)
		add_entry(&calendar, &entries.items[i]);
	text = icalcomponent_as_ical_string_r(calendar.component);
	buf_add_str(out, str_from(text));
	free(text);
	icalcomponent_free(calendar.component);
}

/* Of one visit the latest word holds, wherever the mail says it. */
static void note_entry(struct entries *entries, const struct entry *entry)
{
	uint32_t at = 0;

	while (at < entries->count && !str_equal(entries->items[at].uid, entry->uid))
		at++;
	if (at == entries->count)
		entries->items[entries->count++] = *entry;
	else if (entry->sequence >= entries->items[at].sequence)
		entries->items[at] = *entry;
}

static void note_visit(struct entries *entries, const struct mail_visit *visit,
		       uint64_t case_number, struct str commune)
{
	if (visit->is_set)
		note_entry(entries, &(struct entry){
					    .uid = visit->uid,
					    .commune = commune,
					    .sequence = visit->sequence,
					    .case_number = case_number,
					    .day = visit->day,
					    .half = visit->half,
					    .is_cancelled = visit->state == VISIT_STATE_CANCELLED,
				    });
}

static void find_entries(const struct mail_body *body, struct arena *arena, struct entries *entries)
{
	uint32_t most = 1 + body->items.count + body->visits.count;

	entries->items = arena_new(arena, most * sizeof(struct entry));
	note_visit(entries, &body->visit, body->case_number, body->commune);
	for (uint32_t i = 0; i < body->items.count; i++) {
		const struct mail_item *item = list_at(&body->items, struct mail_item, i);

		note_visit(entries, &item->visit, item->case_number, item->commune);
	}
	for (uint32_t i = 0; i < body->visits.count; i++) {
		const struct mail_stop *stop = list_at(&body->visits, struct mail_stop, i);

		note_entry(entries, &(struct entry){
					    .uid = stop->uid,
					    .commune = stop->commune,
					    .sequence = stop->sequence,
					    .case_number = stop->case_number,
					    .day = stop->day,
					    .half = stop->half,
				    });
	}
}

static void begin_calendar(struct calendar *calendar)
{
	icalcomponent *component = icalcomponent_new(ICAL_VCALENDAR_COMPONENT);

	icalcomponent_add_property(component, icalproperty_new_version("2.0"));
	icalcomponent_add_property(component, icalproperty_new_prodid("-//vigie//notify//FR"));
	icalcomponent_add_property(component,
				   icalproperty_new_method(methods[calendar->method].method));
	icalcomponent_add_component(component, icalparser_parse_string(paris_zone));
	calendar->component = component;
}

static void add_entry(const struct calendar *calendar, const struct entry *entry)
{
	icalcomponent *event = icalcomponent_new(ICAL_VEVENT_COMPONENT);
	scoped(buf_done) struct buf uid = {0};

	buf_printf(&uid, "%.*s@%s", (int)entry->uid.size, entry->uid.data,
		   calendar->config->mail_domain);
	buf_add(&uid, "", 1);
	icalcomponent_add_property(event, icalproperty_new_uid(uid.data));
	icalcomponent_add_property(event, icalproperty_new_sequence((int)entry->sequence));
	icalcomponent_add_property(event, icalproperty_new_status(entry->is_cancelled
									  ? ICAL_STATUS_CANCELLED
									  : ICAL_STATUS_CONFIRMED));
	add_times(event, entry, calendar->body->date);
	add_people(event, calendar);
	add_text(event, entry);
	icalcomponent_add_component(calendar->component, event);
}

static struct icaltimetype paris_time(day_t day, int hour)
{
	struct ymd date = day_to_ymd(day);
	struct icaltimetype time = icaltime_null_time();

	time.year = date.year;
	time.month = date.month;
	time.day = date.day;
	time.hour = hour;
	return time;
}

static void add_times(icalcomponent *event, const struct entry *entry, ms_t date)
{
	struct row_hours hours = row_hours(entry->half);
	icalproperty *start = icalproperty_new_dtstart(paris_time(entry->day, hours.from));
	icalproperty *end = icalproperty_new_dtend(paris_time(entry->day, hours.to));

	icalproperty_add_parameter(start, icalparameter_new_tzid("Europe/Paris"));
	icalproperty_add_parameter(end, icalparameter_new_tzid("Europe/Paris"));
	icalcomponent_add_property(event,
				   icalproperty_new_dtstamp(icaltime_from_timet_with_zone(
					   date / MS_SECOND, 0, icaltimezone_get_utc_timezone())));
	icalcomponent_add_property(event, start);
	icalcomponent_add_property(event, end);
}

/* The invitation comes from the address the mail comes from: calendars refuse others. What is published
 * has an organizer but nobody invited (RFC 5546, 3.2.1). */
static void add_people(icalcomponent *event, const struct calendar *calendar)
{
	const struct mail_address *pair = &calendar->body->to;
	scoped(buf_done) struct buf from = {0};
	scoped(buf_done) struct buf to = {0};
	icalproperty *attendee;

	buf_printf(&from, "mailto:%s", calendar->config->mail_from);
	buf_add(&from, "", 1);
	icalcomponent_add_property(event, icalproperty_new_organizer(from.data));
	if (calendar->method == CALENDAR_PUBLISH)
		return;
	buf_printf(&to, "mailto:%.*s", (int)pair->email.size, pair->email.data);
	buf_add(&to, "", 1);
	attendee = icalproperty_new_attendee(to.data);
	icalproperty_add_parameter(attendee, icalparameter_new_role(ICAL_ROLE_REQPARTICIPANT));
	icalproperty_add_parameter(attendee, icalparameter_new_partstat(ICAL_PARTSTAT_ACCEPTED));
	icalproperty_add_parameter(attendee, icalparameter_new_rsvp(ICAL_RSVP_FALSE));
	icalcomponent_add_property(event, attendee);
}

static void add_text(icalcomponent *event, const struct entry *entry)
{
	char summary[64];

	snprintf(summary, sizeof(summary), "Visite, dossier n°" NBSP "%llu",
		 (unsigned long long)entry->case_number);
	icalcomponent_add_property(event, icalproperty_new_summary(summary));
	icalcomponent_add_property(event, icalproperty_new_class(ICAL_CLASS_PRIVATE));
	icalcomponent_add_property(event, icalproperty_new_transp(ICAL_TRANSP_OPAQUE));
	if (entry->commune.size) {
		scoped(mem_free) char *commune = mem_copy(entry->commune);

		icalcomponent_add_property(event, icalproperty_new_location(commune));
	}
}
