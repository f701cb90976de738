/* One task of kind mail, from its body to its answer: decode, render, build, note, deliver. */
#pragma once

#include "config/config.h"
#include "workers/worker.h"

struct notify;

/* Everything a mail needs is opened and checked here; what is wrong is in `complaints`, a line each.
 * `check_only` touches neither Maildir nor sent-journal. */
enum err notify_open(const struct config *config, bool check_only, struct notify **notify,
		     struct buf *complaints) must_use;
void notify_close(struct notify **notify);

/* A worker_fn; the context is a struct notify. From any thread. */
void notify_run(void *context, const struct worker_task *task, struct worker_answer *answer);
