/* The sent-journal: which mails have left, so that a task that comes back is not sent twice. One
 * append-only file of lines "SECONDS WORD MESSAGE-ID". Before a mail is handed over an intent is on
 * disk, and after it what came of it. An intent without outcome means that we ended in between:
 * nobody knows whether the mail left. It is then sent again under the same Message-ID, and the file
 * says `ambiguous`. Calls may come from any thread. */
#pragma once

#include "base/date.h"
#include "base/str.h"

/* Tasks live three days; a month is more than any of them needs. */
enum { SENT_KEEP_DAYS = 30 };

/* ROW(NAME, word in the file) */
#define SENT_TABLE(ROW)                                                                            \
	ROW(INTENT, "intent")       /* about to be handed over */                                  \
	ROW(DELIVERED, "delivered") /* the next server, or the Maildir, has it */                  \
	ROW(LATER, "later")         /* refused for now */                                          \
	ROW(NEVER, "never")         /* refused for good */                                         \
	ROW(AMBIGUOUS, "ambiguous") /* handed over, but nobody said that it arrived */

enum sent_word {
#define ROW(NAME, word) SENT_##NAME,
	SENT_TABLE(ROW)
#undef ROW
		SENT_WORD_COUNT
};

struct sent;

/* Makes folder and file where they are missing, drops what is older than SENT_KEEP_DAYS before `now`.
 * One process at a time: ERR_BUSY when another has the journal open. */
enum err sent_open(const char *folder, ms_t now, struct sent **sent) must_use;
void sent_close(struct sent **sent);

/* ERR_OK: the intent is on disk, send it. ERR_CONFLICT: it was delivered, don't. ERR_BUSY: it is
 * being sent this moment under another task. ERR_IO: the intent could not be written. */
enum err sent_begin(struct sent *sent, struct str message_id, ms_t now) must_use;
/* What came of it; on disk when it returns. */
enum err sent_end(struct sent *sent, struct str message_id, enum sent_word outcome,
		  ms_t now) must_use;
