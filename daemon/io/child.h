/* A copy of the process, to work on the memory as it is now while the core goes on: a snapshot is
 * written by one, a long question answered by one. It never touches LMDB. */
#pragma once

#include <sys/types.h>

enum { CHILD_FD = 3 };

/* fork(). The child shares nothing that works: not the locks of journal and keystore, not the loop's
 * signals. Of the descriptors it keeps 0 to 2 and `kept` (-1: none), which is CHILD_FD there; it does
 * not outlive its parent, and ends by _exit(). */
pid_t child_fork(int kept);
