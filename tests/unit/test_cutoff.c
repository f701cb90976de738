/* The earliest legal cutoff: the worked examples, one by one, and what may never be. */
#include <jansson.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/lib/story.h"

enum { FACTS_MAX = 16, SUPPLIER = 1 };

struct example {
	struct policy policy;
	struct arena arena;
	struct fact facts[FACTS_MAX];
	struct standing standings[FACTS_MAX];
	uint32_t count;
};

static day_t day_of(const json_t *json, const char *name)
{
	const char *text = json_string_value(json_object_get(json, name));

	return text ? d(text) : DAY_NONE;
}

static struct fact *add(struct example *example, enum event_kind kind)
{
	struct fact *fact = &example->facts[example->count];

	*fact = (struct fact){.kind = (uint8_t)kind, .seq = example->count + 1};
	example->standings[example->count] =
		(struct standing){fact, example->count + 1, example->count + 1, fact->seq, 0, 0};
	example->count++;
	return fact;
}

static void add_notice(struct example *example, const json_t *json, uint32_t energy, uint8_t step)
{
	day_t issued_on = day_of(json, step == 1 ? "notice_1" : "notice_2");
	const json_t *days = json_object_get(json, "notice_days");

	if (issued_on == DAY_NONE)
		return;
	add(example, EVENT_SUPPLIER_NOTICE)->notice = (struct notice_fact){
		.supplier = SUPPLIER,
		.issued_on = issued_on,
		.notice_days = json_is_integer(days) ? (uint16_t)json_integer_value(days)
						     : NOTICE_DAYS_NONE,
		.energy = (uint8_t)energy,
		.step = step,
		.smart_meter =
			json_is_true(json_object_get(json, "smart_meter")) ? SAID_YES : SAID_NO,
	};
}

static void add_requests(struct example *example, const json_t *json, uint32_t energy)
{
	const json_t *list = json_object_get(json, "fsl"), *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		const char *outcome = json_string_value(json_object_get(item, "outcome"));

		add(example, EVENT_FSL_REQUEST_FILED)->request = (struct request_fact){
			.request = i + 1,
			.filed_on = day_of(item, "filed_on"),
			.energies = (uint8_t)(1u << (energy - 1)),
		};
		if (outcome)
			add(example, EVENT_FSL_DECIDED)->decision = (struct decision_fact){
				.request = i + 1,
				.decided_on = day_of(item, "decided_on"),
				.outcome = (uint8_t)words_find(&words_outcome, str_from(outcome)),
			};
	}
}

static day_t compute(struct example *example, const json_t *json)
{
	uint32_t energy = words_find(&words_energy,
				     str_from(json_string_value(json_object_get(json, "energy"))));
	struct horizon horizon = horizon_on(day_of(json, "today"));
	struct cutoff cutoff;

	example->count = 0;
	add_notice(example, json, energy, 1);
	add_notice(example, json, energy, 2);
	if (json_is_true(json_object_get(json, "energy_voucher")))
		add(example, EVENT_HOUSEHOLD_PROTECTION)->protection =
			(struct protection_fact){d("2024-01-01"), d("2027-12-31"), SAID_YES};
	if (day_of(json, "limited_on") != DAY_NONE)
		add(example, EVENT_SUPPLIER_LIMITED)->supply = (struct supply_fact){
			SUPPLIER, 0, day_of(json, "limited_on"), (uint8_t)energy};
	add_requests(example, json, energy);
	cutoff_compute(&example->policy, example->standings, example->count, SUPPLIER, energy,
		       &horizon, &cutoff);
	return cutoff.earliest;
}

/* Every worked example gives the date it should. */
static void test_worked_examples(void **unused)
{
	const char *file = getenv("VIGIE_CUTOFF_CASES");
	json_t *list = json_load_file(file ? file : "tests/replay/cutoff-cases.json", 0, NULL),
	       *item;
	struct example example = {.count = 0};
	char found[DAY_TEXT_SIZE], wanted[DAY_TEXT_SIZE];
	size_t i;

	(void)unused;
	assert_non_null(list);
	story_policy(&example.arena, &example.policy);
	json_array_foreach(list, i, item)
	{
		day_t expected = day_of(item, "earliest_cut"), earliest = compute(&example, item);

		if (earliest != expected)
			fail_msg("%s: %s instead of %s",
				 json_string_value(json_object_get(item, "name")),
				 earliest == DAY_NONE ? "none" : day_print(earliest, found),
				 expected == DAY_NONE ? "none" : day_print(expected, wanted));
	}
	assert_int_equal(i, 25);
	json_decref(list);
	arena_done(&example.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_worked_examples),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
