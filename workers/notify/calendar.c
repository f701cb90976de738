#include "workers/notify/calendar.h"

#include <stdio.h>
#include <stdlib.h>

#include <libical/ical.h>

#include "workers/notify/view.h"

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

static icalcomponent *make_calendar(enum calendar_method method);
static icalcomponent *make_event(const struct mail_body *body, const struct config *config);
static void add_people(icalcomponent *event, const struct mail_body *body,
		       const struct config *config);
static void add_times(icalcomponent *event, const struct mail_body *body);
static void add_text(icalcomponent *event, const struct mail_body *body);

enum calendar_method calendar_method(const struct mail_body *body)
{
	return body->visit.state == VISIT_STATE_CANCELLED ? CALENDAR_CANCEL : CALENDAR_REQUEST;
}

void calendar_print(const struct mail_body *body, const struct config *config, struct buf *out)
{
	icalcomponent *calendar = make_calendar(calendar_method(body));
	char *text;

	icalcomponent_add_component(calendar, make_event(body, config));
	text = icalcomponent_as_ical_string_r(calendar);
	buf_add_str(out, str_from(text));
	free(text);
	icalcomponent_free(calendar);
}

static icalcomponent *make_calendar(enum calendar_method method)
{
	icalcomponent *calendar = icalcomponent_new(ICAL_VCALENDAR_COMPONENT);

	icalcomponent_add_property(calendar, icalproperty_new_version("2.0"));
	icalcomponent_add_property(calendar, icalproperty_new_prodid("-//vigie//notify//FR"));
	icalcomponent_add_property(
		calendar, icalproperty_new_method(method == CALENDAR_CANCEL ? ICAL_METHOD_CANCEL
									    : ICAL_METHOD_REQUEST));
	icalcomponent_add_component(calendar, icalparser_parse_string(paris_zone));
	return calendar;
}

static icalcomponent *make_event(const struct mail_body *body, const struct config *config)
{
	icalcomponent *event = icalcomponent_new(ICAL_VEVENT_COMPONENT);
	bool is_cancelled = calendar_method(body) == CALENDAR_CANCEL;
	scoped(buf_done) struct buf uid = {0};

	buf_printf(&uid, "%.*s@%s", (int)body->visit.uid.size, body->visit.uid.data,
		   config->mail_domain);
	buf_add(&uid, "", 1);
	icalcomponent_add_property(event, icalproperty_new_uid(uid.data));
	icalcomponent_add_property(event, icalproperty_new_sequence((int)body->visit.sequence));
	icalcomponent_add_property(event,
				   icalproperty_new_status(is_cancelled ? ICAL_STATUS_CANCELLED
									: ICAL_STATUS_CONFIRMED));
	add_times(event, body);
	add_people(event, body, config);
	add_text(event, body);
	return event;
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

static void add_times(icalcomponent *event, const struct mail_body *body)
{
	struct view_hours hours = view_hours(body->visit.half);
	icalproperty *start = icalproperty_new_dtstart(paris_time(body->visit.day, hours.from));
	icalproperty *end = icalproperty_new_dtend(paris_time(body->visit.day, hours.to));

	icalproperty_add_parameter(start, icalparameter_new_tzid("Europe/Paris"));
	icalproperty_add_parameter(end, icalparameter_new_tzid("Europe/Paris"));
	icalcomponent_add_property(
		event, icalproperty_new_dtstamp(icaltime_from_timet_with_zone(
			       body->date / MS_SECOND, 0, icaltimezone_get_utc_timezone())));
	icalcomponent_add_property(event, start);
	icalcomponent_add_property(event, end);
}

/* The invitation comes from the address the mail comes from: calendars refuse others. */
static void add_people(icalcomponent *event, const struct mail_body *body,
		       const struct config *config)
{
	scoped(buf_done) struct buf from = {0};
	scoped(buf_done) struct buf to = {0};
	icalproperty *attendee;

	buf_printf(&from, "mailto:%s", config->mail_from);
	buf_add(&from, "", 1);
	buf_printf(&to, "mailto:%.*s", (int)body->to.email.size, body->to.email.data);
	buf_add(&to, "", 1);
	attendee = icalproperty_new_attendee(to.data);
	icalproperty_add_parameter(attendee, icalparameter_new_role(ICAL_ROLE_REQPARTICIPANT));
	icalproperty_add_parameter(attendee, icalparameter_new_partstat(ICAL_PARTSTAT_ACCEPTED));
	icalproperty_add_parameter(attendee, icalparameter_new_rsvp(ICAL_RSVP_FALSE));
	icalcomponent_add_property(event, icalproperty_new_organizer(from.data));
	icalcomponent_add_property(event, attendee);
}

static void add_text(icalcomponent *event, const struct mail_body *body)
{
	char summary[64];

	snprintf(summary, sizeof(summary), "Visite, dossier n° %llu",
		 (unsigned long long)body->case_number);
	icalcomponent_add_property(event, icalproperty_new_summary(summary));
	icalcomponent_add_property(event, icalproperty_new_class(ICAL_CLASS_PRIVATE));
	icalcomponent_add_property(event, icalproperty_new_transp(ICAL_TRANSP_OPAQUE));
	if (body->commune.size) {
		scoped(mem_free) char *commune = mem_copy(body->commune);

		icalcomponent_add_property(event, icalproperty_new_location(commune));
	}
}
