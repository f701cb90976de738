/* `vigiectl mail preview`: a mail as vigie-notify would write it, from a task of the core or from the
 * samples that stand for what a template may have to say. */
#pragma once

#include "tools/vigiectl/command.h"

/* Takes params. Returns the exit status. */
int special_mail_preview(const struct command *command, struct session *session, json_t *params);
