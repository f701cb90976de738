/* Files for a test, in a folder that ends with it. */
#pragma once

#include "config/complaints.h"

/* Makes the folder; cmocka's setup and teardown of a group. */
int files_setup(void **state);
int files_teardown(void **state);

/* Writes `text` as `name` in the folder, and returns its path (valid until the next call). */
const char *files_write(const char *name, const char *text);

/* `text` with its first `old` replaced; both must be there. free() it. */
char *files_replace(const char *text, const char *old, const char *new);

/* Is there a complaint about this file that goes on with `begin` ("7: senders[0].uid: ")? */
bool files_has_complaint(const struct complaints *complaints, const char *name, const char *begin);
