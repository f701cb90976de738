#include "workers/notify/mime.h"

#include <stdio.h>

#include <gmime/gmime.h>

#include "workers/notify/calendar.h"

static void set_headers(GMimeMessage *message, const struct mail_body *body,
			const struct config *config, const struct buf *subject);
static void add_address(InternetAddressList *list, struct str name, struct str email);
static char *copy_for_header(struct str text);
static GMimeObject *make_alternative(const struct mail_body *body, const struct mail_text *text,
				     const struct buf *calendar);
static GMimeObject *make_whole(const struct mail_body *body, GMimeObject *alternative,
			       const struct buf *calendar);
static GMimePart *make_calendar(const struct mail_body *body, const struct buf *calendar);
static GMimePart *make_part(const char *type, const char *subtype, const struct buf *text);
static void add_part(GMimeMultipart *multipart, GMimePart *part);
static void set_boundary(GMimeMultipart *multipart, const struct mail_body *body, char which);
static void print(GMimeMessage *message, struct buf *out);

void mime_init(void)
{
	g_mime_init();
}

void mime_print(const struct mail_body *body, const struct config *config,
		const struct mail_text *text, const struct buf *calendar, struct buf *out)
{
	GMimeMessage *message = g_mime_message_new(FALSE);
	GMimeObject *whole = make_alternative(body, text, calendar);

	set_headers(message, body, config, &text->subject);
	if (calendar->size)
		whole = make_whole(body, whole, calendar);
	g_mime_message_set_mime_part(message, whole);
	g_object_unref(whole);
	print(message, out);
	g_object_unref(message);
}

static void set_headers(GMimeMessage *message, const struct mail_body *body,
			const struct config *config, const struct buf *subject)
{
	scoped(mem_free) char *line = copy_for_header(buf_str(subject));
	GDateTime *date = g_date_time_new_from_unix_utc(body->date / MS_SECOND);
	char id[512];

	snprintf(id, sizeof(id), "%.*s@%s", (int)body->message_id.size, body->message_id.data,
		 config->mail_domain);
	add_address(g_mime_message_get_from(message), str_from(config->mail_from_name),
		    str_from(config->mail_from));
	add_address(g_mime_message_get_to(message), body->to.name, body->to.email);
	/* What a reader answers goes to a person, not to the machine. */
	add_address(g_mime_message_get_reply_to(message), body->coordinator.name,
		    body->coordinator.email);
	g_mime_message_set_subject(message, line, "utf-8");
	g_mime_message_set_date(message, date);
	g_mime_message_set_message_id(message, id);
	g_mime_object_set_header(GMIME_OBJECT(message), "Auto-Submitted", "auto-generated",
				 "utf-8");
	g_date_time_unref(date);
}

static void add_address(InternetAddressList *list, struct str name, struct str email)
{
	scoped(mem_free) char *name_text = name.size ? copy_for_header(name) : NULL;
	scoped(mem_free) char *email_text = mem_copy(email);
	InternetAddress *address = internet_address_mailbox_new(name_text, email_text);

	internet_address_set_charset(address, "utf-8");
	internet_address_list_add(list, address);
	g_object_unref(address);
}

/* "=?" would begin an encoded word (RFC 2047): a reader would decode what nobody encoded, down to line
 * ends and other headers. */
static char *copy_for_header(struct str text)
{
	char *copy = mem_copy(text);

	for (char *at = strstr(copy, "=?"); at; at = strstr(at, "=?"))
		*at = ' ';
	return copy;
}

/* The plain text first and the richest last, as readers choose the last one they can show. */
static GMimeObject *make_alternative(const struct mail_body *body, const struct mail_text *text,
				     const struct buf *calendar)
{
	GMimeMultipart *multipart = g_mime_multipart_new_with_subtype("alternative");

	set_boundary(multipart, body, 'a');
	add_part(multipart, make_part("text", "plain", &text->text));
	add_part(multipart, make_part("text", "html", &text->html));
	if (calendar->size && calendar_method(body) != CALENDAR_PUBLISH)
		add_part(multipart, make_calendar(body, calendar));
	return GMIME_OBJECT(multipart);
}

static GMimePart *make_calendar(const struct mail_body *body, const struct buf *calendar)
{
	GMimePart *part = make_part("text", "calendar", calendar);

	g_mime_object_set_content_type_parameter(GMIME_OBJECT(part), "method",
						 calendar_method_name(calendar_method(body)));
	return part;
}

/* An invitation stands here once more, for readers that know no calendar. Several visits stand here only:
 * a reader that shows a calendar instead of the text would show the first of them. */
static GMimeObject *make_whole(const struct mail_body *body, GMimeObject *alternative,
			       const struct buf *calendar)
{
	GMimeMultipart *multipart = g_mime_multipart_new_with_subtype("mixed");
	bool is_one = calendar_method(body) != CALENDAR_PUBLISH;
	GMimePart *file =
		is_one ? make_part("application", "ics", calendar) : make_calendar(body, calendar);

	set_boundary(multipart, body, 'm');
	g_mime_multipart_add(multipart, alternative);
	g_object_unref(alternative);
	g_mime_object_set_disposition(GMIME_OBJECT(file), GMIME_DISPOSITION_ATTACHMENT);
	g_mime_part_set_filename(file, is_one ? "visite.ics" : "visites.ics");
	add_part(multipart, file);
	return GMIME_OBJECT(multipart);
}

/* As bytes, not through GMimeTextPart, which would choose a charset of its own. */
static GMimePart *make_part(const char *type, const char *subtype, const struct buf *text)
{
	GMimePart *part = g_mime_part_new_with_type(type, subtype);
	GMimeStream *stream = g_mime_stream_mem_new_with_buffer(text->data, text->size);
	GMimeDataWrapper *content =
		g_mime_data_wrapper_new_with_stream(stream, GMIME_CONTENT_ENCODING_DEFAULT);

	g_mime_object_set_content_type_parameter(GMIME_OBJECT(part), "charset", "utf-8");
	g_mime_part_set_content(part, content);
	g_mime_part_set_content_encoding(part, strcmp(type, "application") == 0 ||
							       strcmp(subtype, "calendar") == 0
						       ? GMIME_CONTENT_ENCODING_BASE64
						       : GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE);
	g_object_unref(content);
	g_object_unref(stream);
	return part;
}

static void add_part(GMimeMultipart *multipart, GMimePart *part)
{
	g_mime_multipart_add(multipart, GMIME_OBJECT(part));
	g_object_unref(part);
}

/* "=_" can stand in no text that is quoted-printable or base64. */
static void set_boundary(GMimeMultipart *multipart, const struct mail_body *body, char which)
{
	char boundary[64];
	uint64_t hash = 14695981039346656037u; /* FNV-1a */

	for (size_t i = 0; i < body->message_id.size; i++)
		hash = (hash ^ (unsigned char)body->message_id.data[i]) * 1099511628211u;
	snprintf(boundary, sizeof(boundary), "=_%c_%016llx", which, (unsigned long long)hash);
	g_mime_multipart_set_boundary(multipart, boundary);
}

static void print(GMimeMessage *message, struct buf *out)
{
	GMimeFormatOptions *options = g_mime_format_options_new();
	GMimeStream *stream = g_mime_stream_mem_new();
	GByteArray *bytes;

	g_mime_format_options_set_newline_format(options, GMIME_NEWLINE_FORMAT_DOS);
	g_mime_format_options_set_param_encoding_method(options,
							GMIME_PARAM_ENCODING_METHOD_RFC2231);
	g_mime_object_write_to_stream(GMIME_OBJECT(message), options, stream);
	bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
	buf_add(out, bytes->data, bytes->len);
	g_object_unref(stream);
	g_mime_format_options_free(options);
}
