/* The person's end: colours, widths, and text that cannot command the terminal. */
#pragma once

#include "base/mem.h"

enum style { STYLE_PLAIN, STYLE_HEADING, STYLE_ALARM, STYLE_WARNING, STYLE_FAINT };

/* Colours only on a terminal, and not when NO_COLOR is set. */
void terminal_print(enum style style, struct str text);

/* Cells that the text takes on a terminal. */
size_t terminal_width(struct str text);

/* A copy in which control characters are spaces: what somebody wrote into a form must not move the
 * cursor of whoever reads it. */
struct str terminal_clean(struct arena *arena, struct str text);

/* A dot on stderr, when that is a terminal. */
bool terminal_dot(void);
