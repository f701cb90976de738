/* vigiectl: the operators' command, for the coordinator too. */

#include "base/output.h"
#include "tools/vigiectl/arguments.h"

static int run(const struct command *command, struct session *session, json_t *params)
{
	return command->run ? command->run(command, session, params)
			    : command_run(command, session, params);
}

int main(int argc, char **argv)
{
	scoped(session_done) struct session session = {.config = "/etc/vigie/vigie.conf"};
	const struct command *command;
	json_t *params;

	output_check_at_exit("vigiectl", STATUS_REFUSED);
	command = arguments_parse(argc, argv, &session, &params);
	return command ? run(command, &session, params) : STATUS_OK;
}
