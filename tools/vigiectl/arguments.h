/* The command line, by the table of commands. Ends the process with a sentence and STATUS_USAGE when
 * something is wrong with it, and with STATUS_OK after --help. */
#pragma once

#include "tools/vigiectl/command.h"

/* `session` is filled in; `params` is a new object. NULL for a command when there is nothing to do any
 * more (--completion). */
const struct command *arguments_parse(int argc, char **argv, struct session *session,
				      json_t **params);
