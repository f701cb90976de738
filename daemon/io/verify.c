#include "daemon/io/verify.h"

#include <string.h>

#include "base/log.h"
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

static void compare(const struct core *core, const struct engine *engine,
		    struct verification *found)
{
	char live[DIGEST_TEXT_SIZE];

	found->seq = engine_state(engine)->seq;
	engine_digest(engine, found->digest);
	engine_digest(core->engine, live);
	found->is_equal = strcmp(live, found->digest) == 0;
}

void verify_note(struct core *core, bool is_whole)
{
	if (is_whole == !core->is_damaged)
		return;
	core->is_damaged = !is_whole;
	core->damaged_since = time_paris_day(engine_now(core->engine));
	if (is_whole)
		log_info("journal.whole", "seq=%llu",
			 (unsigned long long)engine_state(core->engine)->seq);
	else
		log_error("journal.damaged", "seq=%llu",
			  (unsigned long long)engine_state(core->engine)->seq);
}

enum err verify_journal(struct core *core, struct verification *found)
{
	struct engine_ports none = {0};
	struct engine *engine = engine_new(&none);
	uint64_t stopped;
	enum err err = journal_walk(core->journal, 1, replay_turn, engine, &stopped);

	compare(core, engine, found);
	engine_free(&engine);
	return err;
}

enum err verify_feed(struct core *core, struct job_feed *feed, struct verification *found)
{
	struct engine_ports none = {0};
	struct engine *engine = engine_new(&none);
	enum err err = job_replay(feed, engine, engine_state(core->engine)->seq, INT64_MAX);

	compare(core, engine, found);
	engine_free(&engine);
	return err;
}
