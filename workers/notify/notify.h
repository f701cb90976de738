/* One task of kind mail, from its body to its answer: decode, render, build, note, deliver. */
#pragma once

#include "config/config.h"
#include "workers/worker.h"

struct notify;

/* Everything a mail needs is opened and checked here, all mistakes at once. `check_only` touches
 * neither Maildir nor sent-journal. The config must outlive it. */
enum err notify_open(const struct config *config, bool check_only, struct notify **notify,
		     struct complaints *complaints) must_use;
void notify_close(struct notify **notify);

/* The context of both is a struct notify. A worker_fn, from any thread. */
void notify_run(void *context, const struct worker_task *task, struct worker_answer *answer);
/* No mail is in hand: what was kept for the next one is let go. */
void notify_idle(void *context);
