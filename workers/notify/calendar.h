/* The pair's invitation: libical, behind one file. It says case number, commune and half-day, and no
 * more. */
#pragma once

#include "config/config.h"

enum calendar_method { CALENDAR_REQUEST, CALENDAR_CANCEL };

enum calendar_method calendar_method(const struct mail_body *body);

/* RFC 5545 text with CRLF. The UID stays the visit's own, so that a change or a cancellation finds
 * the entry made before. `body` has a visit. */
void calendar_print(const struct mail_body *body, const struct config *config, struct buf *out);
