/* Another policy, tried on a copy: it foretells what applying it does, and changes nothing. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/policy_fit.h"
#include "daemon/snapshot.h"
#include "daemon/trial.h"
#include "daemon/view_trial.h"
#include "tests/lib/story.h"

struct trying {
	struct story story;
	struct policy policy; /* the candidate: a copy of the story's, to be changed */
	struct policy_sector sectors[2];
	struct buf bytes;
	struct state after;
	json_t *told;
};

/* Three cases: an infant's in the north, which is open; a cut and a plain one in the south, which is
 * not until 2016. Their visits are planned where they may be. */
static void begin(struct trying *trying)
{
	struct story *story = &trying->story;
	struct event event;

	*trying = (struct trying){0};
	story_begin(story, "2015-03-02");
	story_giver(story, "TS1");
	event_clear(&event, EVENT_REFERRAL_RECEIVED);
	event.subject = STR("H1");
	event.data.referral_received = (struct referral_received){
		.form = STR("F1"),
		.giver = STR("TS1"),
		.reasons = 1,
		.vulnerable = 1u << (VULNERABLE_INFANT - 1),
		.consent_on = d("2015-03-02"),
		.person = {.is_set = true, .name = STR("Jean Dupont"), .persons = UINT_NONE},
	};
	assert_true(insee_parse(STR("39001"), &event.data.referral_received.insee));
	story_tell(story, &event);
	story_referral(story, "F2", "TS1", "H2", "39003", "Anne Martin", "0384000002");
	story_referral(story, "F3", "TS1", "H3", "39003", "Luc Petit", "0384000003");
	(void)story_supply(story, EVENT_SUPPLIER_CUT, "H2", ENERGY_GAS, "2015-03-02");
	story_goes_to(story, "2015-03-03");

	trying->policy = story->policy;
	memcpy(trying->sectors, story->policy.sectors.items, sizeof(trying->sectors));
	trying->policy.sectors.items = trying->sectors;
}

static void try(struct trying *trying, uint64_t limit)
{
	policy_encode(&trying->policy, &trying->bytes);
	trial_policy(story_state(&trying->story), buf_str(&trying->bytes), trying->story.ports.now,
		     &trying->after);
	trying->told = view_trial(story_state(&trying->story), &trying->after, limit);
}

static void end(struct trying *trying)
{
	if (trying->told) {
		state_done(&trying->after);
		json_decref(trying->told);
	}
	buf_done(&trying->bytes);
	story_end(&trying->story);
}

/* In earnest: under the name that the trial gave it, so that the states can be compared. */
static void apply_in_earnest(struct trying *trying)
{
	struct event event;

	event_clear(&event, EVENT_POLICY_APPLIED);
	event.source = STR("urn:vigie:trial");
	event.id = STR("policy");
	event.time = trying->story.ports.now;
	event.data.policy_applied.policy = buf_str(&trying->bytes);
	engine_submit(trying->story.engine, AUTHORITY_COORDINATOR, &event, NULL, NULL);
	assert_int_equal(engine_turn(trying->story.engine), ERR_OK);
}

static json_int_t count_of(const struct trying *trying, const char *name)
{
	const json_t *count = json_object_get(json_object_get(trying->told, "summary"), name);

	assert_true(json_is_integer(count));
	return json_integer_value(count);
}

static const json_t *line_at(const struct trying *trying, size_t at)
{
	return json_array_get(json_object_get(trying->told, "cases"), at);
}

static json_int_t number_at(const json_t *line, const char *where, const char *name)
{
	const json_t *place = where ? json_object_get(line, where) : line;

	return json_integer_value(json_object_get(place, name));
}

static const json_t *option_at(const struct trying *trying, size_t at, const char *name)
{
	return json_object_get(json_array_get(json_object_get(trying->told, "options"), at), name);
}

/* --- the copy --------------------------------------------------------------------------------- */

static void digest_of(const struct state *state, uint8_t digest[32])
{
	snapshot_digest(state, digest);
}

static void test_a_trial_is_what_applying_gives_and_changes_nothing(void **unused)
{
	uint8_t before[32], since[32], foretold[32], applied[32];
	struct trying trying;

	(void)unused;
	begin(&trying);
	digest_of(story_state(&trying.story), before);
	trying.policy.rules.derogation = DEROGATION_NEVER;
	trying.policy.rules.vulnerable = 0;

	try(&trying, 10);
	digest_of(story_state(&trying.story), since);
	digest_of(&trying.after, foretold);
	apply_in_earnest(&trying);
	digest_of(story_state(&trying.story), applied);

	assert_memory_equal(before, since, 32);
	assert_memory_not_equal(before, foretold, 32);
	assert_memory_equal(foretold, applied, 32);
	end(&trying);
}

static void test_the_same_policy_changes_nothing(void **unused)
{
	struct trying trying;

	(void)unused;
	begin(&trying);

	try(&trying, 10);

	assert_int_equal(json_array_size(json_object_get(trying.told, "options")), 0);
	assert_int_equal(json_array_size(json_object_get(trying.told, "cases")), 0);
	assert_int_equal(json_array_size(json_object_get(trying.told, "visits")), 0);
	assert_int_equal(count_of(&trying, "changed"), 0);
	assert_int_equal(count_of(&trying, "moved"), 0);
	assert_int_equal(count_of(&trying, "open_before"), 3);
	assert_int_equal(count_of(&trying, "open_after"), 3);
	end(&trying);
}

/* --- who moves -------------------------------------------------------------------------------- */

/* Without derogation, the case that is cut off is put off like any of a closed sector, and the visit
 * planned for it is taken back. */
static void test_who_is_deferred_loses_the_visit(void **unused)
{
	struct trying trying;
	const json_t *line;

	(void)unused;
	begin(&trying);
	assert_int_equal(story_case(&trying.story, 2)->state, CASE_STATE_PLANNED);
	trying.policy.rules.derogation = DEROGATION_NEVER;

	try(&trying, 10);

	line = line_at(&trying, 0);
	assert_int_equal(json_array_size(json_object_get(trying.told, "cases")), 1);
	assert_int_equal(number_at(line, NULL, "case"), 2);
	assert_int_equal(number_at(line, NULL, "places"), 0);
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(line, "before"), "state")),
		"planned");
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(line, "after"), "state")),
		"deferred");
	assert_int_equal(count_of(&trying, "ineligible"), 1);
	assert_int_equal(count_of(&trying, "deferred"), 1);
	assert_int_equal(count_of(&trying, "visits_cancelled"), 1);
	assert_int_equal(json_array_size(json_object_get(trying.told, "visits")), 1);
	end(&trying);
}

/* Another number of days is one reason lost and one gained, though nobody changes places. */
static void test_reasons_gained_and_lost_are_told_with_their_days(void **unused)
{
	struct trying trying;
	const json_t *line, *gained, *lost;

	(void)unused;
	begin(&trying);
	trying.policy.rules.vulnerable = 40;

	try(&trying, 10);

	line = line_at(&trying, 0);
	gained = json_array_get(json_object_get(line, "gained"), 0);
	lost = json_array_get(json_object_get(line, "lost"), 0);
	assert_int_equal(number_at(line, NULL, "case"), 1);
	assert_int_equal(number_at(gained, NULL, "days"), 40);
	assert_int_equal(number_at(lost, NULL, "days"), 31);
	assert_string_equal(json_string_value(json_object_get(gained, "code")), "infant");
	assert_non_null(strstr(json_string_value(json_object_get(gained, "sentence")), "40 jours"));
	assert_non_null(strstr(json_string_value(json_object_get(lost, "sentence")), "31 jours"));
	end(&trying);
}

/* One case falls, the one behind it only makes room. */
static void test_who_is_only_pushed_is_told_last_and_as_such(void **unused)
{
	struct trying trying;
	const json_t *first, *second;

	(void)unused;
	begin(&trying);
	story_goes_to(&trying.story, "2015-03-10");
	for (int i = 0; i < 2; i++) {
		uint32_t visit = story_case(&trying.story, 1)->visit;

		(void)story_visit(&trying.story, EVENT_VISIT_CONFIRMED, visit);
		story_goes_to(&trying.story, i ? "2015-03-24" : "2015-03-17");
		(void)story_record(&trying.story, visit, RESULT_NO_SHOW);
		story_goes_to(&trying.story, i ? "2015-03-25" : "2015-03-18");
	}
	assert_int_equal(queue_rank(&story_state(&trying.story)->queue, 1), 3);
	trying.policy.rules.no_show = 0;

	try(&trying, 10);

	first = line_at(&trying, 0);
	second = line_at(&trying, 1);
	assert_int_equal(number_at(first, NULL, "case"), 1);
	assert_int_equal(number_at(first, NULL, "places"), 1);
	assert_false(json_is_true(json_object_get(first, "shifted")));
	assert_int_equal(number_at(second, NULL, "case"), 3);
	assert_int_equal(number_at(second, NULL, "places"), -1);
	assert_true(json_is_true(json_object_get(second, "shifted")));
	assert_int_equal(count_of(&trying, "changed"), 1);
	assert_int_equal(count_of(&trying, "shifted"), 1);
	assert_int_equal(count_of(&trying, "moved"), 2);
	end(&trying);
}

/* A notice opens a case where the policy says so: it has no place before. */
static void test_a_case_that_opens_has_no_place_before(void **unused)
{
	struct trying trying;
	const json_t *line;

	(void)unused;
	begin(&trying);
	(void)story_notice(&trying.story, "H9", ENERGY_GAS, 1, "2015-03-03");
	trying.policy.rules.open_on_cutoff = SAID_YES;

	try(&trying, 10);

	line = line_at(&trying, 0);
	assert_int_equal(number_at(line, NULL, "case"), 4);
	assert_true(json_is_null(json_object_get(line, "before")));
	assert_true(json_is_null(json_object_get(line, "places")));
	assert_int_equal(json_array_size(json_object_get(line, "gained")), 1);
	assert_int_equal(count_of(&trying, "opened"), 1);
	assert_int_equal(count_of(&trying, "open_after"), 4);
	end(&trying);
}

/* A visited case closes at once where nothing is waited for: it has no place after, but a reason. */
static void test_a_case_that_closes_has_no_place_after(void **unused)
{
	struct trying trying;
	uint32_t visit;
	const json_t *line;

	(void)unused;
	begin(&trying);
	visit = story_case(&trying.story, 1)->visit;
	(void)story_visit(&trying.story, EVENT_VISIT_CONFIRMED, visit);
	(void)story_record(&trying.story, visit, RESULT_DONE);
	story_goes_to(&trying.story, "2015-03-20");
	assert_int_equal(story_case(&trying.story, 1)->state, CASE_STATE_VISITED);
	trying.policy.rules.visited_closes_after = 2;

	try(&trying, 10);

	line = line_at(&trying, 0);
	assert_int_equal(number_at(line, NULL, "case"), 1);
	assert_true(json_is_null(json_object_get(line, "after")));
	assert_string_equal(json_string_value(json_object_get(line, "closing")), "done");
	assert_int_equal(count_of(&trying, "closed"), 1);
	assert_int_equal(count_of(&trying, "open_after"), 2);
	end(&trying);
}

/* A sector whose communes were taken out is not another sector: its cases lie in none. */
static void test_a_case_that_loses_its_sector_is_told(void **unused)
{
	struct trying trying;
	const json_t *line;

	(void)unused;
	begin(&trying);
	trying.policy.communes.count = 2;

	try(&trying, 10);

	line = line_at(&trying, 0);
	assert_int_equal(count_of(&trying, "changed"), 2);
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(line, "before"), "sector")),
		"sud");
	assert_true(json_is_null(json_object_get(json_object_get(line, "after"), "sector")));
	assert_string_equal(json_string_value(option_at(&trying, 0, "option")), "communes[39003]");
	assert_true(json_is_null(option_at(&trying, 0, "new")));
	end(&trying);
}

/* A list is cut, what is counted is not. */
static void test_a_limit_cuts_the_list_alone(void **unused)
{
	struct trying trying;

	(void)unused;
	begin(&trying);
	trying.policy.rules.derogation = DEROGATION_NEVER;
	trying.policy.rules.vulnerable = 0;

	try(&trying, 1);

	assert_int_equal(json_array_size(json_object_get(trying.told, "cases")), 1);
	assert_int_equal(json_integer_value(json_object_get(trying.told, "total")), 2);
	assert_int_equal(count_of(&trying, "changed"), 2);
	end(&trying);
}

/* --- options ---------------------------------------------------------------------------------- */

static void test_options_are_told_old_and_new_by_their_names(void **unused)
{
	struct policy_opening later = {true, d("2015-03-02"), d("2016-12-31")};
	struct trying trying;

	(void)unused;
	begin(&trying);
	trying.policy.rules.derogation = DEROGATION_ASK;
	trying.sectors[1].openings = (struct list){1, &later};

	try(&trying, 10);

	assert_int_equal(json_array_size(json_object_get(trying.told, "options")), 2);
	assert_string_equal(json_string_value(option_at(&trying, 0, "option")), "rules.derogation");
	assert_string_equal(json_string_value(option_at(&trying, 0, "old")), "auto");
	assert_string_equal(json_string_value(option_at(&trying, 0, "new")), "ask");
	assert_string_equal(json_string_value(option_at(&trying, 1, "option")),
			    "sectors[sud].openings");
	assert_int_equal(json_array_size(option_at(&trying, 1, "old")), 1);
	assert_string_equal(json_string_value(json_object_get(
				    json_array_get(option_at(&trying, 1, "new"), 0), "from")),
			    "2015-03-02");
	end(&trying);
}

/* Sectors in another order are the same sectors, and communes lie where they lay. */
static void test_order_alone_is_no_change(void **unused)
{
	struct trying trying;
	struct policy_sector first;
	struct policy_commune communes[3];

	(void)unused;
	begin(&trying);
	first = trying.sectors[0];
	trying.sectors[0] = trying.sectors[1];
	trying.sectors[1] = first;
	memcpy(communes, trying.policy.communes.items, sizeof(communes));
	for (uint32_t i = 0; i < 3; i++)
		communes[i].sector = 1 - communes[i].sector;
	trying.policy.communes.items = communes;

	try(&trying, 10);

	assert_int_equal(json_array_size(json_object_get(trying.told, "options")), 0);
	assert_int_equal(count_of(&trying, "changed"), 0);
	end(&trying);
}

/* --- what must stay --------------------------------------------------------------------------- */

struct mistakes {
	char paths[4][32];
	char texts[4][FAULT_TEXT_MAX];
	uint32_t count;
};

static void note(void *context, const char *path, const char *what)
{
	struct mistakes *mistakes = context;

	assert_true(mistakes->count < ARRAY_SIZE(mistakes->paths));
	snprintf(mistakes->paths[mistakes->count], sizeof(mistakes->paths[0]), "%s", path);
	snprintf(mistakes->texts[mistakes->count++], sizeof(mistakes->texts[0]), "%s", what);
}

static void test_what_is_in_use_must_stay_and_all_of_it_is_told(void **unused)
{
	struct mistakes mistakes = {0};
	struct policy_pair pair;
	struct trying trying;

	(void)unused;
	begin(&trying);
	(void)story_visit(&trying.story, EVENT_VISIT_CONFIRMED,
			  story_case(&trying.story, 1)->visit);
	trying.policy.department = STR("21");
	trying.sectors[1].id = STR("midi");
	pair = *list_at(&trying.policy.pairs, struct policy_pair, 0);
	pair.id = STR("p2");
	trying.policy.pairs = (struct list){1, &pair};

	policy_fit(story_state(&trying.story), &trying.policy, note, &mistakes);

	assert_int_equal(mistakes.count, 3);
	assert_string_equal(mistakes.paths[0], "department");
	assert_string_equal(mistakes.paths[1], "sectors");
	assert_non_null(strstr(mistakes.texts[1], "\"sud\" is in use (cases: 2, open: 2)"));
	assert_string_equal(mistakes.paths[2], "pairs");
	assert_non_null(strstr(mistakes.texts[2], "\"p1\""));
	end(&trying);
}

/* A pair whose visits are only planned may go, and so may a sector nobody was ever referred from. */
static void test_what_nobody_uses_may_go(void **unused)
{
	struct mistakes mistakes = {0};
	struct policy_pair pair;
	struct story story;
	struct policy policy;

	(void)unused;
	story_begin(&story, "2015-03-02");
	story_referral(&story, "F1", "TS1", "H1", "39001", "Jean Dupont", "0384000001");
	story_goes_to(&story, "2015-03-03");
	assert_int_equal(story_case(&story, 1)->state, CASE_STATE_PLANNED);
	policy = story.policy;
	policy.sectors.count = 1;
	pair = *list_at(&policy.pairs, struct policy_pair, 0);
	pair.id = STR("p2");
	policy.pairs = (struct list){1, &pair};

	policy_fit(story_state(&story), &policy, note, &mistakes);

	assert_int_equal(mistakes.count, 0);
	story_end(&story);
}

/* The case of an erased household has no facts any more; its sector follows its commune. */
static void test_an_erased_case_keeps_its_sector_when_their_order_changes(void **unused)
{
	struct trying trying;
	struct policy_commune communes[3];
	struct event event;

	(void)unused;
	begin(&trying);
	event_clear(&event, EVENT_PRIVACY_ERASE);
	event.subject = STR("H3");
	story_tell(&trying.story, &event);
	assert_int_equal(story_case(&trying.story, 3)->sector, 2);
	trying.sectors[0] = trying.sectors[1];
	memcpy(communes, trying.policy.communes.items, sizeof(communes));
	communes[0] = communes[2];
	communes[0].sector = 0;
	trying.policy.sectors.count = 1;
	trying.policy.communes = (struct list){1, communes};

	try(&trying, 10);

	assert_int_equal(trying.after.cases.items[3].sector, 1);
	end(&trying);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_trial_is_what_applying_gives_and_changes_nothing),
		cmocka_unit_test(test_the_same_policy_changes_nothing),
		cmocka_unit_test(test_who_is_deferred_loses_the_visit),
		cmocka_unit_test(test_reasons_gained_and_lost_are_told_with_their_days),
		cmocka_unit_test(test_who_is_only_pushed_is_told_last_and_as_such),
		cmocka_unit_test(test_a_case_that_opens_has_no_place_before),
		cmocka_unit_test(test_a_case_that_closes_has_no_place_after),
		cmocka_unit_test(test_a_case_that_loses_its_sector_is_told),
		cmocka_unit_test(test_a_limit_cuts_the_list_alone),
		cmocka_unit_test(test_options_are_told_old_and_new_by_their_names),
		cmocka_unit_test(test_order_alone_is_no_change),
		cmocka_unit_test(test_what_is_in_use_must_stay_and_all_of_it_is_told),
		cmocka_unit_test(test_what_nobody_uses_may_go),
		cmocka_unit_test(test_an_erased_case_keeps_its_sector_when_their_order_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
