/* Looking back: the journal replayed up to a moment, and time passed to it, is the state of then. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>

#include "tests/lib/story.h"

static ms_t end_of(const char *day)
{
	return time_at_paris(d(day) + 1, 0, 0) - 1;
}

static struct str next_event(struct str *record)
{
	const unsigned char *at = (const unsigned char *)record->data;
	size_t size = (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];
	struct str event = {record->data + 4, size};

	assert_true(size + 4 <= record->size);
	*record = (struct str){event.data + size, record->size - 4 - size};
	return event;
}

/* The engine with all that was journaled through one day, at the end of that day or a later one. */
static struct engine *look_back(const struct story *story, const char *through, const char *day)
{
	struct engine_ports none = {0};
	struct engine *engine = engine_new(&none);
	struct str record = buf_str(&story->ports.bytes);
	enum err err = ERR_OK;

	while (record.size && !err)
		err = engine_replay_until(engine, next_event(&record), end_of(through));
	assert_true(!err || err == ERR_NOT_FOUND);
	engine_wait_until(engine, end_of(day));
	return engine;
}

static const struct case_record *case_of(const struct engine *engine, uint32_t number)
{
	return state_get(engine_state(engine), cases, number);
}

static void begin(struct story *story)
{
	story_begin(story, "2015-04-01");
	story_referral(story, "F1", "TS1", "H1", "39001", "Jean Dupont", "0384000001");
	story_referral(story, "F2", "TS1", "H2", "39001", "Anne Martin", "0384000002");
	(void)story_notice(story, "H2", ENERGY_ELECTRICITY, 1, "2015-04-01");
}

/* No event came for months, and yet rules turn on their days, as they did when time was journaled. */
static void test_days_without_any_event_are_told_as_they_were(void **unused)
{
	static const char *const days[] = {"2015-04-01", "2015-04-20", "2015-04-21",
					   "2015-05-20", "2015-06-05", "2015-06-06"};
	static const uint32_t tiers[] = {TIER_URGENT,   TIER_URGENT,   TIER_CRITICAL,
					 TIER_CRITICAL, TIER_CRITICAL, TIER_URGENT};
	struct story story;
	uint64_t before;

	(void)unused;
	begin(&story);
	before = story_state(&story)->seq;
	for (uint32_t i = 0; i < ARRAY_SIZE(days); i++) {
		struct engine *then = look_back(&story, "2015-04-01", days[i]);

		story_goes_to(&story, days[i]);
		assert_int_equal(engine_state(then)->today, d(days[i]));
		assert_int_equal(engine_state(then)->seq, before);
		assert_int_equal(case_of(then, 2)->tier, tiers[i]);
		for (uint32_t number = 1; number <= 2; number++) {
			assert_int_equal(case_of(then, number)->tier,
					 story_case(&story, number)->tier);
			assert_int_equal(queue_rank(&engine_state(then)->queue, number),
					 queue_rank(&story_state(&story)->queue, number));
		}
		engine_free(&then);
	}
	story_end(&story);
}

/* After an outage of the core the days it missed are told as those it lived. */
static void test_days_of_an_outage_are_told_as_they_were(void **unused)
{
	struct story story;
	struct engine *first, *last;

	(void)unused;
	begin(&story);
	story.ports.now = time_at_paris(d("2015-09-01"), 12, 0);
	story_giver(&story, "TS1");

	first = look_back(&story, "2015-04-20", "2015-04-20");
	last = look_back(&story, "2015-04-21", "2015-04-21");
	assert_int_equal(case_of(first, 2)->tier, TIER_URGENT);
	assert_int_equal(case_of(last, 2)->tier, TIER_CRITICAL);
	engine_free(&first);
	engine_free(&last);
	story_end(&story);
}

/* What was accepted in the last millisecond of a day belongs to it, and what came after does not. */
static void test_a_day_ends_with_its_last_millisecond(void **unused)
{
	struct story story;
	struct engine *engine;
	uint64_t last;

	(void)unused;
	story_begin(&story, "2015-04-01");
	story.ports.now = end_of("2015-04-02");
	story_referral(&story, "F1", "TS1", "H1", "39001", "Jean Dupont", "0384000001");
	last = story_state(&story)->seq;
	story.ports.now++;
	story_referral(&story, "F2", "TS1", "H2", "39001", "Anne Martin", "0384000002");

	engine = look_back(&story, "2015-04-02", "2015-04-02");
	assert_int_equal(engine_state(engine)->seq, last);
	assert_int_equal(engine_state(engine)->cases.count, 2);
	engine_free(&engine);
	story_end(&story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_days_without_any_event_are_told_as_they_were),
		cmocka_unit_test(test_days_of_an_outage_are_told_as_they_were),
		cmocka_unit_test(test_a_day_ends_with_its_last_millisecond),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
