/* Long questions: answered by a child (child.h), which has the state as it was when they were asked, so
 * that intake goes on meanwhile. What a child needs of the journal is read by the core, which alone
 * may, turn by turn between its own, and sent as fast as the child takes it. */
#pragma once

#include "daemon/io/core.h"
#include "daemon/io/rpc_server.h"

struct jobs;
struct jobs *jobs_new(struct core *core);
/* Ends what is at work; whoever waits for it is told that the core is stopping. */
void jobs_free(struct jobs **jobs);

/* What the child has of the core that made it. */
struct job_feed;

/* Runs in the child, and says what is answered: either `answer`, or `fault` with the code returned. */
typedef enum err job_fn(struct job_feed *feed, void *context, json_t **answer, struct fault *fault);

/* In the core, when the child has ended well: what it answered, NULL when it refused. */
typedef void job_end_fn(struct core *core, const json_t *answer);

/* Takes the call. `ended` may be NULL. `context` need not outlive it: the child has a copy. Refused (`busy`) when too many
 * are at work. */
void jobs_begin(struct jobs *jobs, struct rpc_call **call, job_fn *fn, void *context,
		job_end_fn *ended);

/* In the child, once: replays into the engine what the journal holds after its state, through event
 * `last` and the moment `until`. ERR_CORRUPT when it does not hold. */
enum err job_replay(struct job_feed *feed, struct engine *engine, uint64_t last,
		    ms_t until) must_use;
