/* One line on a terminal that says how far the work is; nothing where there is no terminal. */
#pragma once

#include "base/base.h"

/* At most five times a second. */
void progress_show(const char *format, ...) printf_like(1, 2);

/* Takes the line away. */
void progress_end(void);
