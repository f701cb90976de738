#include "daemon/io/verify.h"

#include <string.h>

#include "daemon/io/journal.h"

static enum err replay_turn(void *context, uint64_t first, uint32_t count, struct str record)
{
	struct engine *engine = context;
	struct str event;
	enum err err = ERR_OK;

	(void)first;
	for (uint32_t i = 0; i < count && !err; i++)
		err = journal_next_event(&record, &event) ? engine_replay(engine, event)
							  : ERR_CORRUPT;
	return err;
}

enum err verify_journal(struct core *core, struct verification *found)
{
	struct engine_ports none = {0};
	struct engine *engine = engine_new(&none);
	char live[DIGEST_TEXT_SIZE];
	uint64_t stopped;
	enum err err = journal_walk(core->journal, 1, replay_turn, engine, &stopped);

	found->seq = engine_state(engine)->seq;
	engine_digest(engine, found->digest);
	engine_digest(core->engine, live);
	found->is_equal = strcmp(live, found->digest) == 0;
	engine_free(&engine);
	return err;
}
