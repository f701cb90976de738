#include "daemon/io/child.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/base.h"

static void keep_only(int kept)
{
	if (kept >= 0 && dup2(kept, CHILD_FD) != CHILD_FD)
		_exit(EXIT_FAILURE);
	(void)close_range(kept >= 0 ? CHILD_FD + 1 : CHILD_FD, ~0U, 0);
}

static void become_child(pid_t parent, int kept)
{
	sigset_t all;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_FAILURE);
	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	sigfillset(&all);
	(void)sigprocmask(SIG_UNBLOCK, &all, NULL);
	keep_only(kept);
}

pid_t child_fork(int kept)
{
	pid_t parent = getpid(), child;
	sigset_t all, before;

	sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, &before);
	child = fork();
	if (!child)
		become_child(parent, kept);
	else
		(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return child;
}
