/* The sent-journal: which mails have left, so that a task that comes back is not sent twice. One
 * file of lines "SECONDS WORD MESSAGE-ID", appended to. Before a mail can be anybody else's its
 * intent is on disk, and after that what came of it. An intent without outcome means that we ended
 * in between: nobody knows whether the mail left. It is then sent again under the same Message-ID,
 * and the file says so. What never came as far as an intent leaves no line. Calls may come from any
 * thread.
 *
 * The file is written anew at start and whenever it has grown enough: one line a mail, without those
 * older than SENT_KEEP_DAYS. */
#pragma once

#include "base/date.h"
#include "base/str.h"

/* ROW(NAME, word in the file) */
#define SENT_TABLE(ROW)                                                                            \
	ROW(INTENT, "intent")       /* about to be handed over */                                  \
	ROW(DELIVERED, "delivered") /* the next server, or the Maildir, has it */                  \
	ROW(LATER, "later")         /* refused for now */                                          \
	ROW(NEVER, "never")         /* refused for good */                                         \
	ROW(AMBIGUOUS, "ambiguous") /* handed over, but nobody said that it arrived */             \
	ROW(COPIED, "copied")       /* delivered after it was ambiguous: there may be two */

enum sent_word {
#define ROW(NAME, word) SENT_##NAME,
	SENT_TABLE(ROW)
#undef ROW
		SENT_WORD_COUNT
};

struct sent;

/* Makes folder and file where they are missing. One process at a time: ERR_BUSY when another has the
 * journal open. */
enum err sent_open(const char *folder, ms_t now, struct sent **sent) must_use;
void sent_close(struct sent **sent);

/* ERR_OK: send it, and end it by sent_end(). ERR_CONFLICT: it was delivered, don't. ERR_BUSY: it is
 * being sent this moment under another task. */
enum err sent_begin(struct sent *sent, struct str message_id) must_use;
/* The mail is about to be handed over: when this is ERR_OK, the intent is on disk. Otherwise it
 * must not be. */
enum err sent_intend(struct sent *sent, struct str message_id, ms_t now) must_use;
/* What came of it, which is on disk when it returns. SENT_COPIED where the outcome is DELIVERED and
 * the mail had been ambiguous, else the outcome. When it cannot be written it holds for this process,
 * and the mail is ambiguous for the next. */
enum sent_word sent_end(struct sent *sent, struct str message_id, enum sent_word outcome, ms_t now);
