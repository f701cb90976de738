#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <msgpack.h>
#include <stdlib.h>

#include "proto/json.h"

/* Good events, from which each case makes a bad one by one change. */
static const char *const goods[] = {
	/* 0 */
	"{'specversion':'1.0','id':'e1','source':'urn:fsl:39','type':'fr.vigie.referral.received',"
	"'time':'2015-02-03T11:00:00Z','subject':'h1','data':{'form':'F-1','giver':'g1',"
	"'insee':'39198','reasons':['arrears','cold'],'energies':['gas'],'tenure':'social',"
	"'vulnerable':['infant'],'consent_on':'2015-02-02','person':{'name':'Jeanne Durand',"
	"'phone':'06 12 34 56 78','email':'jeanne@example.org','address':'3 rue X\\n39100 Dole',"
	"'persons':3}}}",
	/* 1 */
	"{'specversion':'1.0','id':'e1','source':'urn:edf','type':'fr.vigie.supplier.notice',"
	"'time':'2015-02-03T11:00:00+01:00','subject':'h1','subjectsource':'urn:fsl:39','data':{"
	"'supplier':'edf','energy':'electricity','step':1,'issued_on':'2015-02-01',"
	"'notice_days':20,'smart_meter':true,'debt_cents':12300,'debt_period':'janvier'}}",
	/* 2 */
	"{'specversion':'1.0','id':'e1','source':'urn:edf','type':'fr.vigie.supplier.limited',"
	"'time':'2015-02-03T11:00:00Z','subject':'h1','data':{'supplier':'edf','energy':"
	"'electricity','on':'2015-02-03','power_va':1000}}",
	/* 3 */
	"{'specversion':'1.0','id':'e1','source':'urn:fsl:39','type':"
	"'fr.vigie.household.protection','time':'2015-02-03T11:00:00Z','subject':'h1','data':{"
	"'energy_voucher':true,'valid_from':'2015-01-01','valid_to':'2016-01-01'}}",
	/* 4 */
	"{'specversion':'1.0','id':'e1','source':'urn:reg','type':'fr.vigie.giver.registered',"
	"'time':'2015-02-03T11:00:00Z','data':{'giver':'g1','kind':'workshop','structure':'CCAS',"
	"'cantons':['dole-1','dole-2'],'insee':['39198','2A004'],'since':'2015-01-01',"
	"'name':'M. X','email':'x@example.org'}}",
	/* 5 */
	"{'specversion':'1.0','id':'e1','source':'urn:coord','type':'fr.vigie.visit.moved',"
	"'time':'2015-02-03T11:00:00Z','data':{'visit':3,'day':'2015-03-01','half':'am'}}",
	/* 6 */
	"{'specversion':'1.0','id':'e1','source':'urn:coord','type':'fr.vigie.visit.confirmed',"
	"'time':'2015-02-03T11:00:00Z','data':{'visit':3,'day':'2015-03-01','half':'am'}}",
	/* 7 */
	"{'specversion':'1.0','id':'e1','source':'urn:coord','type':'fr.vigie.household.same_as',"
	"'time':'2015-02-03T11:00:00Z','subject':'h1','data':{'other':{'source':'urn:vigie',"
	"'subject':'4'}}}",
	/* 8 */
	"{'specversion':'1.0','id':'e1','source':'urn:coord','type':'fr.vigie.pair.unavailable',"
	"'time':'2015-02-03T11:00:00Z','data':{'pair':'p1','from':'2015-03-01',"
	"'to':'2015-03-01'}}",
	/* 9 */
	"{'specversion':'1.0','id':'e1','source':'urn:coord','type':'fr.vigie.privacy.erase',"
	"'time':'2015-02-03T11:00:00Z','subject':'h1','data':{}}",
	/* 10 */
	"{'specversion':'1.0','id':'e1','source':'urn:fsl:39','type':'fr.vigie.fsl.decided',"
	"'time':'2015-02-03T23:30:00Z','subject':'h1','data':{'request':'r1','decided_on':"
	"'2015-02-05','outcome':'granted','amount_cents':1}}",
	/* 11 */
	"{'specversion':'1.0','id':'e1','source':'urn:coord','type':'fr.vigie.household.not_same',"
	"'time':'2015-02-03T11:00:00Z','subject':'h1','subjectsource':'urn:fsl','data':{'other':"
	"{'source':'urn:fsl','subject':'4'}}}",
	/* 12 */
	"{'specversion':'1.0','id':'e1','source':'urn:fsl','type':'fr.vigie.event.retracted',"
	"'time':'2015-02-03T11:00:00Z','data':{'source':'urn:fsl','id':'e0','reason':'typo'}}",
};

#define A40  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A200 A40 A40 A40 A40 A40

/* `at` is the member that is replaced, or taken away where `value` is NULL. */
struct wrong {
	int good;
	const char *at, *value;
	const char *path, *text; /* what the refusal begins with */
};

static const struct wrong wrongs[] = {
	/* the envelope */
	{0, "specversion", NULL, "specversion", "missing: expected a string"},
	{0, "specversion", "'0.3'", "specversion", "unknown version: expected 1.0"},
	{0, "specversion", "1.0", "specversion", "wrong type"},
	{0, "id", NULL, "id", "missing: expected a string of 1 to 128 bytes"},
	{0, "id", "''", "id", "out of bounds"},
	{0, "id", "'" A200 "'", "id", "out of bounds"},
	{0, "id", "17", "id", "wrong type"},
	{0, "id", "'a\\nb'", "id", "control character"},
	{0, "source", NULL, "source", "missing"},
	{0, "source", "''", "source", "out of bounds"},
	{0, "source", "null", "source", "wrong type"},
	{0, "type", NULL, "type", "missing"},
	{0, "type", "'referral.received'", "type", "unknown type"},
	{0, "type", "'fr.vigie.referral.receive'", "type", "unknown type"},
	{0, "type", "'fr.vigie.'", "type", "unknown type"},
	{0, "type", "'FR.VIGIE.referral.received'", "type", "unknown type"},
	{0, "time", NULL, "time", "missing: expected a time as RFC 3339"},
	{0, "time", "1423000000", "time", "wrong type"},
	{0, "time", "'2015-02-03'", "time", "no such time"},
	{0, "time", "'2015-02-30T11:00:00Z'", "time", "no such time"},
	{0, "time", "'2015-02-03T11:00:60Z'", "time", "no such time"},
	{0, "time", "'2015-02-03T11:00:00'", "time", "no such time"},
	{0, "time", "'1850-02-03T11:00:00Z'", "time", "no such time"},
	{0, "subject", "''", "subject", "out of bounds"},
	{0, "subject", "'" A200 "'", "subject", "out of bounds"},
	{0, "subject", "['h1']", "subject", "wrong type"},
	{1, "subject", NULL, "subjectsource", "there is no subject"},
	{2, "subject", NULL, "subject", "missing: this type is about a household"},
	{9, "subject", NULL, "subject", "missing: this type is about a household"},
	{4, "subject", "'h1'", "subject", "unexpected: events of this type are about no household"},
	{1, "subjectsource", "''", "subjectsource", "out of bounds"},
	{0, "datacontenttype", "5", "datacontenttype", "wrong type"},
	{0, "tracestate", "'x'", "tracestate", "unknown field"},
	{0, "Id", "'x'", "Id", "unknown field"},
	{0, "pr\u00e9nom", "'x'", "?", "unknown field"},
	{0, "data", NULL, "data", "missing: expected a map"},
	{0, "data", "[]", "data", "wrong type: expected a map"},
	{9, "data.why", "'x'", "data.why", "unknown field"},

	/* text */
	{0, "data.form", NULL, "data.form", "missing: expected a string of 1 to 64 bytes"},
	{0, "data.form", "''", "data.form", "out of bounds"},
	{0, "data.form", "'" A200 "'", "data.form", "out of bounds"},
	{0, "data.form", "true", "data.form", "wrong type"},
	{0, "data.form", "'a\\tb'", "data.form", "control character"},
	{0, "data.form", "'\\u007f'", "data.form", "control character"},
	{0, "data.form", "'abcdefgh\\u007f'", "data.form", "control character"},
	{0, "data.form", "'abcdefgh\\u007fabcdefgh'", "data.form", "control character"},
	{0, "data.form", "'abc\\u001fefghabcdefgh'", "data.form", "control character"},
	{0, "data.form", "'\u00e9abcdefghijkl\\u0000'", "data.form", "control character"},
	{0, "data.form", "'a\\u0085b'", "data.form", "control character"},
	{0, "data.form", "'a\\u2028b'", "data.form", "control character"},
	{0, "data.form", "'a\\u0000b'", "data.form", "control character"},
	{0, "data.person.address", "'a\\u0000b'", "data.person.address", "NUL character"},
	{0, "data.person.name", NULL, "data.person.name", "missing"},
	{0, "data.person.nom", "'x'", "data.person.nom", "unknown field"},
	{0, "data.person.a b", "'x'", "data.person.?", "unknown field"},
	{0, "data.person.", "'x'", "data.person.?", "unknown field"},
	{0, "data." A40 A40, "'x'", "data.?", "unknown field"},
	{0, "data.person", NULL, "data.person", "missing: expected a map"},
	{0, "data.person", "'Jeanne'", "data.person", "wrong type: expected a map"},

	/* numbers and flags */
	{0, "data.person.persons", "0", "data.person.persons",
	 "out of bounds: expected an integer from 1 to 99"},
	{0, "data.person.persons", "100", "data.person.persons", "out of bounds"},
	{0, "data.person.persons", "-1", "data.person.persons", "out of bounds"},
	{0, "data.person.persons", "3.0", "data.person.persons", "wrong type"},
	{0, "data.person.persons", "'3'", "data.person.persons", "wrong type"},
	{1, "data.step", "3", "data.step", "out of bounds"},
	{1, "data.step", NULL, "data.step", "missing"},
	{1, "data.debt_cents", "9223372036854775807", "data.debt_cents", "out of bounds"},
	{1, "data.smart_meter", "1", "data.smart_meter", "wrong type: expected true or false"},
	{1, "data.smart_meter", "null", "data.smart_meter", "wrong type"},
	{2, "data.power_va", NULL, "data.power_va", "missing"},
	{5, "data.visit", "0", "data.visit", "out of bounds"},
	{5, "data.visit", "4294967295", "data.visit", "out of bounds"},

	/* words */
	{0, "data.tenure", "'tenant'", "data.tenure",
	 "unknown word: expected one of owner, social, private, other"},
	{0, "data.tenure", "2", "data.tenure", "wrong type"},
	{0, "data.tenure", "''", "data.tenure", "unknown word"},
	{0, "data.reasons", NULL, "data.reasons",
	 "missing: expected an array of 1 to 7 of arrears"},
	{0, "data.reasons", "[]", "data.reasons", "out of bounds"},
	{0, "data.reasons", "'cold'", "data.reasons", "wrong type"},
	{0, "data.reasons", "['cold','cold']", "data.reasons[1]", "said twice"},
	{0, "data.reasons", "['cold','mould']", "data.reasons[1]", "unknown word"},
	{0, "data.energies", "['gas',5]", "data.energies[1]", "wrong type"},
	{1, "data.energy", "'nuclear'", "data.energy", "unknown word"},

	/* communes */
	{0, "data.insee", "'3919'", "data.insee", "no such code"},
	{0, "data.insee", "'391980'", "data.insee", "no such code"},
	{0, "data.insee", "'2a004'", "data.insee", "no such code"},
	{0, "data.insee", "'2C004'", "data.insee", "no such code"},
	{0, "data.insee", "'00100'", "data.insee", "no such code"},
	{0, "data.insee", "'96100'", "data.insee", "no such code"},
	{0, "data.insee", "'97010'", "data.insee", "no such code"},
	{0, "data.insee", "'97910'", "data.insee", "no such code"},
	{0, "data.insee", "39198", "data.insee", "wrong type"},
	{4, "data.insee", "['39198','39198']", "data.insee[1]", "said twice"},
	{4, "data.insee", "['39198','x']", "data.insee[1]", "no such code"},
	{4, "data.cantons", "['a','']", "data.cantons[1]", "out of bounds"},
	{4, "data.cantons", "['a','b','a']", "data.cantons[2]", "said twice"},
	{4, "data.cantons", "['a\\n']", "data.cantons[0]", "control character"},
	{4, "data.cantons", "[['a']]", "data.cantons[0]", "wrong type"},
	{4, "data.cantons",
	 "['1','2','3','4','5','6','7','8','9','10','11','12','13','14','15','16','17']",
	 "data.cantons", "out of bounds: expected an array of at most 16"},

	/* dates */
	{0, "data.consent_on", NULL, "data.consent_on", "missing: expected a date"},
	{0, "data.consent_on", "'2015-02-29'", "data.consent_on", "no such date"},
	{0, "data.consent_on", "'2015-2-2'", "data.consent_on", "no such date"},
	{0, "data.consent_on", "'1899-12-31'", "data.consent_on", "no such date"},
	{0, "data.consent_on", "20150202", "data.consent_on", "wrong type"},
	{0, "data.consent_on", "'2015-02-05'", "data.consent_on", "more than a day after"},
	{10, "data.decided_on", "'2015-02-06'", "data.decided_on", "more than a day after"},
	{4, "data.since", "'2015-02-05'", "data.since", "more than a day after"},

	/* addresses */
	{4, "data.email", "'x'", "data.email", "out of bounds: expected an e-mail address"},
	{4, "data.email", "'xxxx'", "data.email", "no such address"},
	{4, "data.email", "'a@b@c.fr'", "data.email", "no such address"},
	{4, "data.email", "'@example.org'", "data.email", "no such address"},
	{4, "data.email", "'x@'", "data.email", "out of bounds"},
	{4, "data.email", "'-x@example.org'", "data.email", "no such address"},
	{4, "data.email", "'x y@example.org'", "data.email", "no such address"},
	{4, "data.email", "'x\\ny@example.org'", "data.email", "no such address"},
	{4, "data.email", "'\\\"x\\\"@example.org'", "data.email", "no such address"},
	{4, "data.email", "'\u00e9@example.org'", "data.email", "no such address"},
	{4, "data.email", "'x@ex\u00e9mple.org'", "data.email", "no such address"},
	{4, "data.email", "'x@example..org'", "data.email", "no such address"},
	{4, "data.email", "'x@-example.org'", "data.email", "no such address"},
	{4, "data.email", "'.x@example.org'", "data.email", "no such address"},
	{4, "data.email", "'x.@example.org'", "data.email", "no such address"},
	{4, "data.email", "'" A40 A40 "@example.org'", "data.email", "no such address"},

	/* fields that must agree */
	{3, "data.valid_to", "'2014-12-31'", "data.valid_to", "before valid_from"},
	{8, "data.to", "'2015-02-28'", "data.to", "before from"},
	{5, "data.day", NULL, "data.day", "missing: a moved visit"},
	{5, "data.half", NULL, "data.half", "missing: a moved visit"},
	{6, "data.day", NULL, "data.day", "missing: day and half come together"},
	{6, "data.half", NULL, "data.half", "missing: day and half come together"},
	{7, "data.other", "{'source':'urn:coord','subject':'h1'}", "data.other",
	 "the subject itself"},
	{11, "data.other.subject", "'h1'", "data.other", "the subject itself"},
	{7, "data.other.source", NULL, "data.other.source", "missing"},
	{12, "data.reason", NULL, "data.reason", "missing"},
};

static json_t *parse(const char *text)
{
	char *copy = strdup(text);
	json_t *json;

	for (char *at = copy; *at; at++) {
		if (*at == '\'')
			*at = '"';
	}
	json = json_loads(copy, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	if (!json)
		fail_msg("no JSON in the test itself: %s", copy);
	free(copy);
	return json;
}

static void change(json_t *json, const char *at, const char *value)
{
	const char *dot = strchr(at, '.');
	char name[128] = "";

	if (dot) {
		memcpy(name, at, (size_t)(dot - at));
		change(json_object_get(json, name), dot + 1, value);
	} else if (value) {
		json_object_set_new(json, at, parse(value));
	} else {
		assert_int_equal(json_object_del(json, at), 0);
	}
}

/* Independent of json.c: msgpack as another program would write it. */
static void pack(msgpack_packer *to, const json_t *json)
{
	const char *name;
	json_t *value;
	size_t i;

	switch (json_typeof(json)) {
	case JSON_OBJECT:
		msgpack_pack_map(to, json_object_size(json));
		json_object_foreach((json_t *)json, name, value)
		{
			msgpack_pack_str_with_body(to, name, strlen(name));
			pack(to, value);
		}
		break;
	case JSON_ARRAY:
		msgpack_pack_array(to, json_array_size(json));
		json_array_foreach(json, i, value) pack(to, value);
		break;
	case JSON_STRING:
		msgpack_pack_str_with_body(to, json_string_value(json), json_string_length(json));
		break;
	case JSON_INTEGER:
		msgpack_pack_int64(to, json_integer_value(json));
		break;
	case JSON_REAL:
		msgpack_pack_float(to, (float)json_real_value(json));
		break;
	case JSON_NULL:
		msgpack_pack_nil(to);
		break;
	case JSON_TRUE:
		msgpack_pack_true(to);
		break;
	case JSON_FALSE:
		msgpack_pack_false(to);
		break;
	}
}

/* Both ways in; their refusals must be the same. */
static enum err decode_both(const json_t *json, struct arena *arena, struct event *event,
			    struct fault *fault)
{
	struct fault other = {0};
	msgpack_sbuffer bytes;
	msgpack_packer packer;
	struct event from_msgpack;
	struct str borrowed;
	char *line = json_dumps(json, JSON_COMPACT);
	enum err err, err_other;

	msgpack_sbuffer_init(&bytes);
	msgpack_packer_init(&packer, &bytes, msgpack_sbuffer_write);
	pack(&packer, json);
	borrowed = arena_copy(arena, (struct str){bytes.data, bytes.size});
	err_other = codec_walk(borrowed, &other);
	if (!err_other)
		err_other = event_decode(borrowed, arena, &from_msgpack, &other);
	err = event_from_json_line(str_from(line), arena, event, fault);

	assert_int_equal(err, err_other);
	assert_int_equal(fault->code, other.code);
	assert_string_equal(fault->path, other.path);
	assert_string_equal(fault->text, other.text);
	if (!err) {
		struct buf one = {0}, two = {0};

		event_content(event, &one);
		event_content(&from_msgpack, &two);
		assert_true(str_equal(buf_str(&one), buf_str(&two)));
		buf_done(&one);
		buf_done(&two);
	}
	msgpack_sbuffer_destroy(&bytes);
	free(line);
	return err;
}

/* The good events are good: otherwise the cases below would prove nothing. */
static void test_good_events_are_taken(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(goods); i++) {
		scoped(arena_done) struct arena arena = {0};
		struct fault fault = {0};
		struct event event;
		json_t *json = parse(goods[i]);

		if (decode_both(json, &arena, &event, &fault))
			fail_msg("good %zu: %s: %s", i, fault.path, fault.text);
		if (event_check(&event, &fault))
			fail_msg("good %zu, checked: %s: %s", i, fault.path, fault.text);
		json_decref(json);
	}
}

/* Every mistake has one code, path and sentence, whichever way it came in. */
static void test_mistakes_are_told_alike(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(wrongs); i++) {
		const struct wrong *wrong = &wrongs[i];
		scoped(arena_done) struct arena arena = {0};
		struct fault fault = {0};
		struct event event;
		json_t *json = parse(goods[wrong->good]);

		change(json, wrong->at, wrong->value);

		if (!decode_both(json, &arena, &event, &fault))
			fail_msg("case %zu (%s) was taken", i, wrong->at);
		assert_int_equal(fault.code, ERR_INVALID_EVENT);
		assert_string_equal(fault.path, wrong->path);
		if (strncmp(fault.text, wrong->text, strlen(wrong->text)) != 0)
			fail_msg("case %zu (%s): %s", i, wrong->at, fault.text);
		json_decref(json);
	}
	assert_true(ARRAY_SIZE(wrongs) >= 60);
}

/* A refusal never quotes what was sent: it may be personal. */
static void test_refusals_quote_nothing(void **unused)
{
	static const char *const places[] = {
		"id",
		"source",
		"type",
		"time",
		"subject",
		"data.form",
		"data.tenure",
		"data.insee",
		"data.consent_on",
		"data.reasons",
		"data.person",
		"data.person.persons",
		"data.person.name",
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		scoped(arena_done) struct arena arena = {0};
		struct fault fault = {0};
		struct event event;
		json_t *json = parse(goods[0]);

		change(json, places[i], "'Secret\\nSecret\\u0001'");

		assert_int_not_equal(decode_both(json, &arena, &event, &fault), ERR_OK);
		assert_null(strstr(fault.text, "Secret"));
		assert_null(strstr(fault.path, "Secret"));
		json_decref(json);
	}
}

/* Lines that are no JSON are bad frames, told with their column, and quote nothing either. */
static void test_bad_lines_tell_the_column(void **unused)
{
	static const struct {
		const char *line, *text;
	} cases[] = {
		{"", "malformed: "},
		{"{\"id\": Secret}", "malformed: this is no JSON, at column "},
		{"{\"id\": 1", "malformed: the line ends too early, at column "},
		{"{\"id\":1,\"id\":2}", "malformed: a map has the same key twice, at column "},
		{"{\"id\":\"\xff\"}", "malformed: a string is not valid UTF-8, at column "},
		{"{} Secret", "malformed: something follows the object, at column "},
		{"[[[[[[[[[1]]]]]]]]]", "malformed: maps and arrays are nested too deep"},
		{"{\"n\":99999999999999999999}", "malformed: a number is too large, at column "},
		{"{\"a\\u0000\":1}", "malformed: a NUL character in a key, at column "},
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(arena_done) struct arena arena = {0};
		struct fault fault = {0};
		struct event event;

		assert_int_equal(
			event_from_json_line(str_from(cases[i].line), &arena, &event, &fault),
			ERR_BAD_FRAME);
		assert_null(strstr(fault.text, "Secret"));
		if (strncmp(fault.text, cases[i].text, strlen(cases[i].text)) != 0)
			fail_msg("case %zu: %s", i, fault.text);
	}
}

/* A line that is JSON but no map is an event that is wrong, as it is in msgpack. */
static void test_what_is_no_map_is_no_event(void **unused)
{
	static const char *const lines[] = {"[]", "5", "'x'", "null", "true"};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		scoped(arena_done) struct arena arena = {0};
		struct fault fault = {0};
		struct event event;
		json_t *json = parse(lines[i]);
		char *text = json_dumps(json, JSON_ENCODE_ANY);

		assert_int_equal(event_from_json_line(str_from(text), &arena, &event, &fault),
				 ERR_INVALID_EVENT);
		assert_string_equal(fault.text, "wrong type: expected a map");
		free(text);
		json_decref(json);
	}
}

/* An event that is written as JSON and read again is the same event. */
static void test_json_comes_back(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(goods); i++) {
		scoped(arena_done) struct arena arena = {0};
		scoped(buf_done) struct buf one = {0}, two = {0};
		struct fault fault = {0};
		struct event event, back;
		json_t *json = parse(goods[i]), *again;

		assert_int_equal(event_from_json(json, &arena, &event, &fault), ERR_OK);
		again = event_to_json(&event);
		assert_int_equal(event_from_json(again, &arena, &back, &fault), ERR_OK);

		event_content(&event, &one);
		event_content(&back, &two);
		assert_true(str_equal(buf_str(&one), buf_str(&two)));
		json_decref(json);
		json_decref(again);
	}
}

/* Personal fields can be left out of what is shown. */
static void test_flags_leave_fields_out(void **unused)
{
	scoped(arena_done) struct arena arena = {0};
	struct fault fault = {0};
	struct event event;
	json_t *json = parse(goods[0]), *shown;

	(void)unused;
	assert_int_equal(event_from_json(json, &arena, &event, &fault), ERR_OK);

	shown = record_to_json(&record_referral_received, &event.data, PERSONAL);

	assert_null(json_object_get(shown, "person"));
	assert_string_equal(json_string_value(json_object_get(shown, "form")), "F-1");
	json_decref(json);
	json_decref(shown);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_events_are_taken),
		cmocka_unit_test(test_mistakes_are_told_alike),
		cmocka_unit_test(test_refusals_quote_nothing),
		cmocka_unit_test(test_bad_lines_tell_the_column),
		cmocka_unit_test(test_what_is_no_map_is_no_event),
		cmocka_unit_test(test_json_comes_back),
		cmocka_unit_test(test_flags_leave_fields_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
