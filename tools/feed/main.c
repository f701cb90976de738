#include "base/output.h"
#include "tools/feed/run.h"

static enum status run_mode(struct run *run)
{
	switch (run->options->mode) {
	case MODE_CHECK:
		return run_check(run);
	case MODE_PRINT:
		return run_print(run);
	case MODE_SEND:
		return run_send(run);
	case MODE_DRIVE:
		return run_drive(run);
	}
	return STATUS_USAGE;
}

/* Files to events: see docs/feed.md. */
int main(int argc, char **argv)
{
	struct options options;
	struct run run;
	enum status status;

	output_check_at_exit("vigie-feed", STATUS_REFUSED);
	options_read(&options, argc, argv);
	hash_init();
	status = run_prepare(&run, &options);
	if (!status) {
		status = run_mode(&run);
		status = run_conclude(&run, status);
	}
	run_done(&run);
	options_done(&options);
	return status;
}
