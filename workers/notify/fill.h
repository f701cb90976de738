/* Plain text for readers whose programs break no lines: a template's line is a paragraph. */
#pragma once

#include "base/mem.h"

/* Breaks lines longer than FILL_WIDTH characters at their spaces, but never at a no-break space. A line
 * that begins with "- " or "1. " goes on under its text. */
enum { FILL_WIDTH = 74 };
void fill_lines(struct buf *text);
