/* Files for a test, in a folder that ends with it, below TMPDIR or else /tmp. */
#pragma once

#include "config/complaints.h"

/* Make and remove the folder, with all that is in it; cmocka's setup and teardown of a test or of a
 * group. */
int files_setup(void **state);
int files_teardown(void **state);

const char *files_folder(void);

/* The path of a name in the folder; the last four are valid. */
const char *files_path(const char *name);

/* Writes `text` as `name` in the folder, and returns its path. */
const char *files_write(const char *name, const char *text);

/* `text` with its first `old` replaced; both must be there. free() it. */
char *files_replace(const char *text, const char *old, const char *new);

/* Is there a complaint about this file that goes on with `begin` ("7: senders[0].uid: ")? */
bool files_has_complaint(const struct complaints *complaints, const char *name, const char *begin);
