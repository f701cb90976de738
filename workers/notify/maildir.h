/* Delivery into a Maildir: for trials, rehearsals and mail systems that pick it up there. */
#pragma once

#include "base/err.h"
#include "base/str.h"

/* Makes the folder with tmp, new and cur where they are missing. */
enum err maildir_open(const char *path) must_use;

/* On disk under a name made of the message id, when it returns. A message that new or cur already
 * hold is not put there again: each Message-ID once. */
enum err maildir_deliver(const char *path, struct str message_id, struct str message) must_use;
