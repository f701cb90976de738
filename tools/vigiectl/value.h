/* One word of the command line into one parameter. */
#pragma once

#include "tools/vigiectl/command.h"

/* A new reference, or NULL and the sentence that says what would be right. */
json_t *value_parse(const struct argument *argument, const char *text, struct buf *complaint);

/* What the value may be, for --help and completion: "cut critical urgent normal"; nothing where it may
 * be anything. */
void value_print_choices(const struct argument *argument, const char *separator, struct buf *out);
