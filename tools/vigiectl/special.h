/* Commands that are more than one call, or none. Each takes params and returns the exit status. */
#pragma once

#include "tools/vigiectl/command.h"

int special_confirm(const struct command *command, struct session *session, json_t *params);
int special_kick(const struct command *command, struct session *session, json_t *params);
int special_erase(const struct command *command, struct session *session, json_t *params);
int special_policy_check(const struct command *command, struct session *session, json_t *params);
/* The file as the parameter `policy`: policy apply, policy diff. */
int special_policy_send(const struct command *command, struct session *session, json_t *params);
