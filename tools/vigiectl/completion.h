/* The completion for bash, from the table of commands. */
#pragma once

void completion_print(void);
