/* The file that holds the password for the mail server, in its first line. */
#pragma once

#include "base/base.h"

enum { PASSWORD_SIZE_MAX = 255 };

/* Returns NULL, or what is wrong with the file and what would be right. `password` then has the
 * password, else nothing; the caller wipes it. */
const char *password_read(const char *path, char password[PASSWORD_SIZE_MAX + 1]) must_use;
