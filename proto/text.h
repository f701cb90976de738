/* What is right as text. */
#pragma once

#include "base/str.h"

bool utf8_is_valid(struct str text);
size_t utf8_valid_size(struct str text); /* of what stands before the first byte that is not */

/* Below space, DEL, U+0080 to U+009F, and the line and paragraph separators. */
bool text_has_control(struct str text);
/* One that a mail server takes: a dot-string of RFC 5321, and a domain of letters, digits and hyphens. */
bool text_is_email(struct str text);
