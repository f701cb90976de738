/* The pair's visits for its calendar: libical, behind one file. It says case number, commune and
 * half-day, and no more. */
#pragma once

#include "config/config.h"

/* One visit is an invitation, or takes one back; an agenda or a digest publishes all that it tells. */
enum calendar_method { CALENDAR_REQUEST, CALENDAR_CANCEL, CALENDAR_PUBLISH };

enum calendar_method calendar_method(const struct mail_body *body);
const char *calendar_method_name(enum calendar_method method);

/* RFC 5545 text with CRLF; nothing where the mail has no visit for a pair. The UID is the visit's own, so
 * that a change or a cancellation finds the entry made before. */
void calendar_print(const struct mail_body *body, const struct config *config, struct buf *out);
