/* policy.conf, its table of communes, and the policy as bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "config/policy_file.h"
#include "config/policy_remarks.h"
#include "tests/lib/files.h"

static const char good[] = "department = \"39\"; name = \"Jura\";\n" /* 1 */
			   "coordinator = { name = \"C\"; email = \"c@exemple.test\"; };\n"
			   "sectors = (\n"
			   "  { id = \"dole\"; name = \"Dole\";\n"
			   "    openings = (\n" /* 5 */
			   "      { from = \"2017-01-01\"; to = \"2017-12-31\"; },\n"
			   "      { from = \"2014-01-01\"; to = \"2014-12-31\"; },\n"
			   "      { from = \"2015-01-01\"; to = \"2015-06-30\"; } ); },\n"
			   "  { id = \"morez\"; name = \"Haut-Jura\";\n"
			   "    households = 23000; } );\n" /* 10 */
			   "communes = {\n"
			   "  file = \"communes.csv\";\n"
			   "  canton = \"canton\";\n"
			   "  lat = \"lat\"; lon = \"lon\"; };\n"
			   "pairs = (\n" /* 15 */
			   "  { id = \"p1\"; name = \"P\"; email = \"p@exemple.test\";\n"
			   "    half_days = [ \"tue.am\", \"fri.pm\" ];\n"
			   "    visits_a_week = 2;\n"
			   "    sectors = [ \"dole\" ];\n"
			   "    closed_sectors = false; },\n" /* 20 */
			   "  { id = \"p2\"; name = \"Q\"; email = \"q@exemple.test\";\n"
			   "    half_days = [ \"mon.am\" ]; visits_a_week = 1; } );\n"
			   "rules = {\n"
			   "  critical_within = 10;\n"
			   "  derogation = \"ask\"; };\n" /* 25 */
			   "outreach = {\n"
			   "  suspend_above = 20; };\n"
			   "laws = (\n"
			   "  { valid_from = \"2016-01-01\"; grace = 16; },\n"
			   "  { truce_from = \"10-15\"; } );\n"; /* 30 */

static const char good_communes[] = "insee,name,canton,lat,lon,sector\n"
				    "39470,Morez,3911,46.5222,6.0231,Haut-Jura\n"
				    "39198,Dole,3906,47.0931,5.4906,dole\n"
				    "39001,\"Abergement-la-Ronce\",,,,dole\n";

struct reading {
	struct arena arena;
	struct policy policy;
	struct complaints complaints;
};

static void reading_done(struct reading *reading)
{
	arena_done(&reading->arena);
	buf_done(&reading->complaints.text);
}

static enum err read_policy(struct reading *reading, const char *text, const char *communes)
{
	files_write("communes.csv", communes);
	return policy_read(files_write("policy.conf", text), &reading->arena, &reading->policy,
			   &reading->complaints);
}

static const struct policy_sector *sector_of(const struct policy *policy, const char *id)
{
	const struct policy_sector *sector = policy_find_sector(policy, str_from(id));

	assert_non_null(sector);
	return sector;
}

/* What is set is read, and what is not holds its default. */
static void test_what_is_set_is_read(void **unused)
{
	scoped(reading_done) struct reading reading = {0};
	const struct policy *policy = &reading.policy;
	const struct policy_pair *pair;

	(void)unused;

	assert_int_equal(read_policy(&reading, good, good_communes), ERR_OK);

	assert_true(str_is(policy->department, "39"));
	assert_true(str_is(policy->coordinator.email, "c@exemple.test"));
	assert_int_equal(sector_of(policy, "morez")->households, 23000);
	assert_int_equal(sector_of(policy, "dole")->households, UINT_NONE);
	assert_int_equal(sector_of(policy, "morez")->openings.count, 0);
	assert_int_equal(policy->rules.critical_within, 10);
	assert_int_equal(policy->rules.critical_after, 30);
	assert_int_equal(policy->rules.derogation, DEROGATION_ASK);
	assert_int_equal(policy->rules.open_on_cutoff, SAID_NO);
	assert_int_equal(policy->outreach.suspend_above, 20);
	assert_int_equal(policy->outreach.resume_below, 8);
	assert_int_equal(policy->planning.weeks, 3);
	assert_int_equal(policy->retention_months, 24);
	pair = policy_find_pair(policy, STR("p1"));
	assert_int_equal(pair->half_days, 1 << (HALF_DAY_TUE_AM - 1) | 1 << (HALF_DAY_FRI_PM - 1));
	assert_int_equal(pair->visits_a_week, 2);
	assert_int_equal(pair->closed_sectors, SAID_NO);
	assert_int_equal(policy_find_pair(policy, STR("p2"))->closed_sectors, SAID_YES);
	assert_null(policy_find_pair(policy, STR("p3")));
	assert_null(policy_find_sector(policy, STR("Dole")));
}

/* Openings are sorted, and those that touch are one. */
static void test_openings_are_sorted_and_merged(void **unused)
{
	scoped(reading_done) struct reading reading = {0};
	const struct policy_sector *dole;
	const struct policy_opening *opening;

	(void)unused;

	assert_int_equal(read_policy(&reading, good, good_communes), ERR_OK);
	dole = sector_of(&reading.policy, "dole");

	assert_int_equal(dole->openings.count, 2);
	opening = sector_opening_on(dole, day_from_ymd(2015, 1, 1));
	assert_int_equal(opening->from, day_from_ymd(2014, 1, 1));
	assert_int_equal(opening->to, day_from_ymd(2015, 6, 30));
	assert_ptr_equal(sector_opening_on(dole, day_from_ymd(2014, 1, 1)), opening);
	assert_ptr_equal(sector_opening_on(dole, day_from_ymd(2015, 6, 30)), opening);
	assert_null(sector_opening_on(dole, day_from_ymd(2013, 12, 31)));
	assert_null(sector_opening_on(dole, day_from_ymd(2015, 7, 1)));
	assert_ptr_equal(sector_opening_after(dole, day_from_ymd(2013, 12, 31)), opening);
	opening = sector_opening_after(dole, day_from_ymd(2014, 1, 1));
	assert_int_equal(opening->from, day_from_ymd(2017, 1, 1));
	assert_null(sector_opening_after(dole, day_from_ymd(2017, 1, 1)));
}

/* Communes are sorted by code; degrees become microdegrees without rounding; a sector is meant by its
 * id or its name. */
static void test_communes_are_sorted_and_exact(void **unused)
{
	static const char communes[] = "\xef\xbb\xbfsector,name,insee,lat,lon\r\n"
				       "Haut-Jura,\"Mor\"\"ez\",39470,46.5222,-6.000001\r\n"
				       "dole,Dole,39198,47,5.4906\r\n"
				       "Dole,Other,39001,,\r\n";
	scoped(mem_free) char *text = files_replace(good, "  canton = \"canton\";\n", "\n");
	scoped(reading_done) struct reading reading = {0};
	const struct policy_commune *commune;
	insee_t insee;

	(void)unused;

	assert_int_equal(read_policy(&reading, text, communes), ERR_OK);

	assert_int_equal(reading.policy.communes.count, 3);
	assert_true(insee_parse(STR("39470"), &insee));
	commune = policy_find_commune(&reading.policy, insee);
	assert_true(str_is(commune->name, "Mor\"ez"));
	assert_int_equal(commune->sector, 1);
	assert_int_equal(commune->lat, 46522200);
	assert_int_equal(commune->lon, -6000001);
	commune = list_at(&reading.policy.communes, struct policy_commune, 0);
	assert_int_equal(commune->sector, 0);
	assert_int_equal(commune->lat, SINT_NONE);
	assert_int_equal(commune[1].lat, 47000000);
	assert_true(insee_parse(STR("39002"), &insee));
	assert_null(policy_find_commune(&reading.policy, insee));
}

/* The law of a day is the latest that has begun; before the first, the first. */
static void test_the_law_of_a_day(void **unused)
{
	scoped(reading_done) struct reading reading = {0};
	const struct policy *policy = &reading.policy;
	(void)unused;

	assert_int_equal(read_policy(&reading, good, good_communes), ERR_OK);

	assert_int_equal(policy_law_on(policy, day_from_ymd(2015, 12, 31))->truce_from, 1015);
	assert_int_equal(policy_law_on(policy, day_from_ymd(2016, 1, 1))->grace, 16);
	assert_int_equal(policy_law_on(policy, day_from_ymd(2016, 1, 1))->truce_from, 1101);
	assert_int_equal(policy_law_on(policy, DAY_MIN)->grace, 15);
}

/* A pair serves its sectors, or all; closed ones only when it says so. */
static void test_a_pair_serves_its_sectors(void **unused)
{
	scoped(reading_done) struct reading reading = {0};
	const struct policy_pair *p1, *p2;

	(void)unused;
	assert_int_equal(read_policy(&reading, good, good_communes), ERR_OK);

	p1 = policy_find_pair(&reading.policy, STR("p1"));
	p2 = policy_find_pair(&reading.policy, STR("p2"));

	assert_true(pair_serves(p1, STR("dole"), false));
	assert_false(pair_serves(p1, STR("dole"), true));
	assert_false(pair_serves(p1, STR("morez"), false));
	assert_true(pair_serves(p2, STR("morez"), false));
	assert_true(pair_serves(p2, STR("morez"), true));
}

/* One mistake each: what is replaced in the good file, by what, and where it is complained of. */
static const struct {
	const char *old, *new, *complaint;
} mistakes[] = {
	{"department = \"39\"; ", "", "1: department: is missing; must be a text of 2 to 3 bytes"},
	{"\"39\"", "39", "1: department: is 39; must be a text of 2 to 3 bytes in one line"},
	{"name = \"Jura\"", "nam = \"Jura\"; name = \"Jura\"",
	 "1: nam: no option has this name here"},
	{"coordinator =", "retention_months = 0; coordinator =",
	 "2: retention_months: is 0; must be"},
	{"coordinator = { name = \"C\"; email = \"c@exemple.test\"; };", "",
	 "1: coordinator: is missing; must be a group { }"},
	{"c@exemple.test", "c@", "2: coordinator.email: is \"c@\"; must be an e-mail address"},
	{"coordinator = {", "coordinator = { phone = \"1\";",
	 "2: coordinator.phone: no option has"},
	{"id = \"dole\"; ", "", "4: sectors[0].id: is missing; must be a text of 1 to 64 bytes"},
	{"id = \"morez\"", "id = \"dole\"", "9: sectors[1].id: sectors[0] has this id already"},
	{"id = \"morez\"", "id = \"morez \"",
	 "9: sectors[1].id: begins or ends with a space; must not"},
	{"name = \"Dole\"", "name = \"Haut-Jura\"",
	 "9: sectors[1].name: sectors[0] has this name already; each must have its own"},
	{"name = \"Dole\"", "name = \"morez\"",
	 "4: sectors[0].name: is the id of sectors[1]; a commune's sector could be either"},
	{"households = 23000", "households = \"23000\"", "10: sectors[1].households: is \"23000\""},
	{"households = 23000", "households = 4294967297",
	 "10: sectors[1].households: 4294967297 is"},
	{"households", "houses",
	 "10: sectors[1].houses: no option has this name here; there are id"},
	{"2017-01-01", "2017-02-29",
	 "6: sectors[0].openings[0].from: is \"2017-02-29\"; must be a date"},
	{"2017-12-31", "31/12/2017",
	 "6: sectors[0].openings[0].to: is \"31/12/2017\"; must be a date"},
	{"2017-12-31", "2016-12-31", "6: sectors[0].openings[0].to: lies before from; must be"},
	{"2015-01-01", "2014-12-31", "8: sectors[0].openings[2].from: openings[1] is still open"},
	{"2015-06-30", "2017-01-01", "6: sectors[0].openings[0].from: openings[2] is still open"},
	{" to = \"2014-12-31\";", "", "7: sectors[0].openings[1].to: is missing; must be a date"},
	{"to = \"2014-12-31\"", "til = 1; to = \"2014-12-31\"",
	 "7: sectors[0].openings[1].til: no"},
	{"households = 23000", "openings = \"always\"",
	 "10: sectors[1].openings: is \"always\"; must"},
	{"\"communes.csv\"", "7", "12: communes.file: is 7; must be a path"},
	{"\"canton\";", "\"cantons\";",
	 "13: communes.canton: the communes' table has no such column"},
	{"\"lat\"", "\"latt\"",
	 "14: communes.lat: the communes' table has no such column; must be"},
	{"lat = \"lat\"; ", "", "11: communes: names one of lat and lon; must name both or none"},
	{"canton = \"canton\"", "cantons = \"canton\"", "13: communes.cantons: no option has this"},
	{"canton = \"canton\"", "sector = \"unit\"",
	 "13: communes.sector: the communes' table has no"},
	{"half_days = [ \"tue.am\", \"fri.pm\" ];", "",
	 "16: pairs[0].half_days: is missing; must be"},
	{"\"tue.am\"", "\"tue.morning\"",
	 "17: pairs[0].half_days[0]: is \"tue.morning\"; must be one"},
	{"\"tue.am\"", "\"sat.am\"",
	 "17: pairs[0].half_days[0]: is \"sat.am\"; must be one of \"mon.am\""},
	{"\"tue.am\"", "\"fri.pm\"", "17: pairs[0].half_days[1]: is there twice; once is enough"},
	{"visits_a_week = 2", "visits_a_week = 3",
	 "18: pairs[0].visits_a_week: more visits than the 2"},
	{"visits_a_week = 2", "visits_a_week = 11",
	 "18: pairs[0].visits_a_week: is 11; must be a whole"},
	{"visits_a_week = 2", "visits_a_week = 2.0",
	 "18: pairs[0].visits_a_week: is a decimal number"},
	{"[ \"dole\" ]", "[ \"Dole\" ]",
	 "19: pairs[0].sectors[0]: no sector has that id; it must be"},
	{"[ \"dole\" ]", "[ \"dole\", \"dole\" ]", "19: pairs[0].sectors[1]: is there twice"},
	{"[ \"dole\" ]", "\"dole\"",
	 "19: pairs[0].sectors: is \"dole\"; must be an array [ ] of 0 to"},
	{"closed_sectors = false", "closed_sectors = 0",
	 "20: pairs[0].closed_sectors: is 0; must be"},
	{"id = \"p2\"", "id = \"p1\"", "21: pairs[1].id: pairs[0] has this id already; each must"},
	{"id = \"p2\"", "id = \" p2\"", "21: pairs[1].id: begins or ends with a space; must not"},
	{"q@exemple.test", "q@exemple.test, r@exemple.test",
	 "21: pairs[1].email: is \"q@exemple.test,"},
	{"critical_within = 10", "critical_within = 366",
	 "24: rules.critical_within: is 366; must be a "
	 "whole number from 0 to 365 (days)"},
	{"critical_within = 10", "critical_within = \"10\"",
	 "24: rules.critical_within: is \"10\"; must"},
	{"critical_within", "critical_in", "24: rules.critical_in: no option has this name here"},
	{"critical_within", "fsl_urgent_from = 1; critical_within",
	 "24: rules.fsl_urgent_from: is 1"},
	{"critical_within", "open_on_cutoff = \"no\"; critical_within",
	 "24: rules.open_on_cutoff: is "},
	{"\"ask\"", "\"Ask\"",
	 "25: rules.derogation: is \"Ask\"; must be one of \"auto\", \"ask\", \"never\""},
	{"suspend_above = 20", "resume_below = 13",
	 "27: outreach.resume_below: it is above suspend"},
	{"rules = {", "planning = { weeks = 13; }; rules = {",
	 "23: planning.weeks: is 13; must be"},
	{"rules = {", "planning = ( ); rules = {",
	 "23: planning: is a list ( ); must be a group { }"},
	{"grace = 16", "grace = -1",
	 "29: laws[0].grace: is -1; must be a whole number from 0 to 365"},
	{"\"10-15\"", "\"10-32\"",
	 "30: laws[1].truce_from: is \"10-32\"; must be a day of the year as"},
	{"\"10-15\"", "1015",
	 "30: laws[1].truce_from: is 1015; must be a day of the year as \"MM-DD\""},
	{"\"10-15\"", "\"04-01\"", "30: laws[1].truce_to: the truce never ends; a day of the"},
	{"\"10-15\"", "\"03-01\"; truce_to = \"02-28\"",
	 "30: laws[1].truce_to: the truce never ends; a day of the year must lie outside"},
	{"truce_from = \"10-15\"", "valid_from = \"2016-01-01\"",
	 "30: laws[1].valid_from: laws[0] begins"},
	{"laws = (\n", "laws = ( { },\n",
	 "30: laws[2].valid_from: laws[0] begins then too; each must"},
	{"\"2016-01-01\"", "\"2016-13-01\"",
	 "29: laws[0].valid_from: is \"2016-13-01\"; must be a date"},
	{"sectors = (", "secteurs = (",
	 "3: secteurs: no option has this name here; there are department"},
	{"rules = {", "rules = { }; rules = {", "23: duplicate setting name; settings are written"},
	{"rules = {", "rules = ", "24: syntax error; settings are written name = value;"},
};

static void assert_one_complaint(const struct complaints *complaints, const char *name,
				 const char *complaint, uint32_t most)
{
	if (!files_has_complaint(complaints, name, complaint))
		fail_msg("expected %s\nbut got %.*s", complaint, (int)complaints->text.size,
			 complaints->text.data);
	if (complaints->count > most)
		fail_msg("more than %s:\n%.*s", complaint, (int)complaints->text.size,
			 complaints->text.data);
}

/* Each mistake is told once, at its line, with its path, and the policy is left alone. */
static void test_each_mistake_is_told_where_it_is(void **unused)
{
	(void)unused;

	for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++) {
		scoped(reading_done) struct reading reading = {0};
		scoped(mem_free) char *text = files_replace(good, mistakes[i].old, mistakes[i].new);

		assert_int_equal(read_policy(&reading, text, good_communes), ERR_USAGE);

		assert_one_complaint(&reading.complaints, "policy.conf", mistakes[i].complaint,
				     strncmp(mistakes[i].new, "secteurs", 8) == 0 ? 2 : 1);
		assert_int_equal(reading.policy.sectors.count, 0);
	}
}

static const struct {
	const char *old, *new, *complaint;
} table_mistakes[] = {
	{"39470", "3947", "2: insee: no INSEE code; must be five characters"},
	{"39470", "25470", "2: insee: lies in another department; all communes must"},
	{"39198", "39470", "3: insee: line 2 has this commune already; each must be there once"},
	{"46.5222", "\"46,5222\"", "2: lat: no such place on Earth; must be decimal degrees"},
	{"46.5222", "46.52220001", "2: lat: no such place on Earth; must be decimal degrees"},
	{"46.5222", "90.000001", "2: lat: no such place on Earth; must be decimal degrees"},
	{"46.5222", "46.", "2: lat: no such place on Earth; must be decimal degrees"},
	{"46.5222", "", "2: lat: only one of lat and lon is there; must be both or none"},
	{"5.4906", "5.4.9", "3: lon: no such place on Earth; must be decimal degrees"},
	{",Haut-Jura", ",Haut Jura",
	 "2: sector: is \"Haut Jura\", which no sector has as id or name"},
	{",Haut-Jura", "", "2: sector: is \"\", which no sector has as id or name; must be"},
	{",Haut-Jura", ",\xff", "2: sector: is no clean text, which no sector has as id or name"},
	{"Morez", "", "2: name: "},
	{"Morez", "Mor\xe9", "2: name: "},
	{"Morez", "\"Mo\nrez\"", "2: name: "},
	{"Morez", "Mor\"ez",
	 "2: no table row; a cell with a quote or a comma in it must be quoted"},
	{",,,,dole\n", ",,,,\"dole\n", "4: a quoted cell never ends; must have a quote at its end"},
};

/* Mistakes in the communes' table are told with its own lines. */
static void test_mistakes_of_the_table_are_told_with_its_lines(void **unused)
{
	(void)unused;

	for (size_t i = 0; i < ARRAY_SIZE(table_mistakes); i++) {
		scoped(reading_done) struct reading reading = {0};
		scoped(mem_free) char *table =
			files_replace(good_communes, table_mistakes[i].old, table_mistakes[i].new);
		assert_int_equal(read_policy(&reading, good, table), ERR_USAGE);

		assert_one_complaint(&reading.complaints, "communes.csv",
				     table_mistakes[i].complaint, 1);
	}
}

/* A table that is not there, or holds no row, is a mistake; a word that is no sector is told once. */
static void test_a_missing_table_is_told(void **unused)
{
	scoped(mem_free) char *text = files_replace(good, "communes.csv", "nowhere.csv");
	scoped(reading_done) struct reading reading = {0}, empty = {0}, repeated = {0};

	(void)unused;

	assert_int_equal(read_policy(&reading, text, good_communes), ERR_USAGE);
	assert_int_equal(read_policy(&empty, good, "insee,name,canton,lat,lon,sector\n"),
			 ERR_USAGE);
	assert_int_equal(
		read_policy(&repeated, good,
			    "insee,name,canton,lat,lon,sector\n39001,A,,,,x\n39002,B,,,,x\n"),
		ERR_USAGE);

	assert_one_complaint(&reading.complaints, "nowhere.csv", " it cannot be read: ", 1);
	assert_one_complaint(&empty.complaints, "communes.csv", "1: there is no commune", 1);
	assert_one_complaint(&repeated.complaints, "communes.csv", "2: sector: is \"x\"", 1);
}

/* What a policy says that is seldom meant: what is replaced in the good file, and all its remarks. */
static const struct {
	const char *old, *new, *remarks;
} seldom_meant[] = {
	{"Jura", "Jura", "sectors[1]: it never opens: its cases are put off\n"},
	{"23000;", "23000; openings = ( { from = \"2016-01-01\"; to = \"2016-12-31\"; } );", ""},
	{"visits_a_week = 1", "visits_a_week = 0",
	 "sectors[0]: no pair visits it while it is closed, though rules let its cases be eligible "
	 "then (derogation, carry_over_weeks)\n"
	 "sectors[1]: it never opens: its cases are put off\n"
	 "sectors[1]: no pair visits it while it is closed, though rules let its cases be eligible "
	 "then (derogation, carry_over_weeks)\n"
	 "pairs[1]: with 0 visits a week it visits nobody\n"},
	{"visits_a_week = 1; } );\nrules = {\n  critical_within = 10;\n  derogation = \"ask\"",
	 "visits_a_week = 1; closed_sectors = false; } );\n"
	 "rules = {\n  carry_over_weeks = 0;\n  derogation = \"never\"",
	 "sectors[1]: it never opens: its cases are put off\n"},
	{"    households = 23000; } );",
	 "    openings = ( { from = \"2016-01-01\"; to = \"2016-12-31\"; } ); },\n"
	 "  { id = \"over\"; name = \"Over\"; } );",
	 "sectors[2]: no commune lies in it, which is right for a sector that is over\n"},
	{"half_days = [ \"mon.am\" ];", "half_days = [ \"mon.am\" ]; sectors = [ \"morez\" ];",
	 "sectors[0]: no pair visits it while it is closed, though rules let its cases be eligible "
	 "then (derogation, carry_over_weeks)\n"
	 "sectors[1]: it never opens: its cases are put off\n"},
	{"visits_a_week = 1; } );\nrules = {\n  critical_within = 10;\n  derogation = \"ask\"",
	 "visits_a_week = 1; sectors = [ \"dole\" ]; } );\nrules = {\n  derogation = \"never\"",
	 "sectors[1]: it never opens: its cases are put off\n"
	 "sectors[1]: no pair visits it while it is closed, though rules let its cases be eligible "
	 "then (derogation, carry_over_weeks)\n"},
};

static void add_remark(void *context, const char *path, const char *what)
{
	buf_printf(context, "%s: %s\n", path, what);
}

static void test_what_is_seldom_meant_is_told(void **unused)
{
	(void)unused;

	for (size_t i = 0; i < ARRAY_SIZE(seldom_meant); i++) {
		scoped(reading_done) struct reading reading = {0};
		scoped(buf_done) struct buf remarks = {0};
		scoped(mem_free) char *text =
			files_replace(good, seldom_meant[i].old, seldom_meant[i].new);

		assert_int_equal(read_policy(&reading, text, good_communes), ERR_OK);

		policy_remark(&reading.policy, add_remark, &remarks);
		buf_add(&remarks, "", 1);

		assert_string_equal(remarks.data, seldom_meant[i].remarks);
	}
}

/* A policy goes into bytes and back, and the same policy always gives the same bytes. */
static void test_a_policy_goes_into_bytes_and_back(void **unused)
{
	scoped(reading_done) struct reading reading = {0};
	scoped(buf_done) struct buf bytes = {0}, again = {0};
	struct policy decoded;
	struct fault fault;

	(void)unused;
	assert_int_equal(policy_read("config/jura/policy.conf", &reading.arena, &reading.policy,
				     &reading.complaints),
			 ERR_OK);

	policy_encode(&reading.policy, &bytes);
	assert_int_equal(policy_decode(buf_str(&bytes), &reading.arena, &decoded, &fault), ERR_OK);
	policy_encode(&decoded, &again);

	assert_true(str_equal(buf_str(&bytes), buf_str(&again)));
	for (size_t size = 0; size < bytes.size; size += 1 + size / 50)
		assert_int_not_equal(policy_decode((struct str){bytes.data, size}, &reading.arena,
						   &decoded, &fault),
				     ERR_OK);
}

/* One thing each that was never written by a file, and the path it is refused with. */
static void spoil_order_of_communes(struct policy *policy)
{
	struct policy_commune *communes = policy->communes.items, first = communes[0];

	communes[0] = communes[1];
	communes[1] = first;
}

static void spoil_repeat_commune(struct policy *policy)
{
	struct policy_commune *communes = policy->communes.items;

	communes[1].insee = communes[0].insee;
}

static void spoil_sector_of_commune(struct policy *policy)
{
	list_at(&policy->communes, struct policy_commune, 2)->sector = policy->sectors.count;
}

static void spoil_longitude(struct policy *policy)
{
	list_at(&policy->communes, struct policy_commune, 1)->lon = SINT_NONE;
}

static void spoil_department(struct policy *policy)
{
	policy->department = STR("2A");
}

static void spoil_order_of_openings(struct policy *policy)
{
	struct policy_opening *openings =
		list_at(&policy->sectors, struct policy_sector, 0)->openings.items;
	struct policy_opening first = openings[0];

	openings[0] = openings[1];
	openings[1] = first;
}

static void spoil_touching_openings(struct policy *policy)
{
	struct policy_opening *openings =
		list_at(&policy->sectors, struct policy_sector, 0)->openings.items;

	openings[1].from = openings[0].to + 1;
}

static void spoil_end_of_opening(struct policy *policy)
{
	struct policy_opening *openings =
		list_at(&policy->sectors, struct policy_sector, 0)->openings.items;

	openings[0].to = openings[0].from - 1;
}

static void spoil_sector_id(struct policy *policy)
{
	list_at(&policy->sectors, struct policy_sector, 1)->id = STR("dole");
}

static void spoil_pair_id(struct policy *policy)
{
	list_at(&policy->pairs, struct policy_pair, 1)->id = STR("p1");
}

static void spoil_pair_sector(struct policy *policy)
{
	list_at(&policy->pairs, struct policy_pair, 0)->sectors.item[0] = STR("nowhere");
}

static void spoil_visits(struct policy *policy)
{
	list_at(&policy->pairs, struct policy_pair, 0)->visits_a_week = 3;
}

static void spoil_order_of_laws(struct policy *policy)
{
	list_at(&policy->laws, struct policy_law, 1)->valid_from = DAY_NONE;
}

static void spoil_truce(struct policy *policy)
{
	list_at(&policy->laws, struct policy_law, 0)->truce_to = 431;
}

static void spoil_outreach(struct policy *policy)
{
	policy->outreach.resume_below = policy->outreach.suspend_above + 1;
}

static void spoil_bound(struct policy *policy)
{
	policy->rules.old_fact = 4000;
}

static const struct {
	void (*spoil)(struct policy *policy);
	const char *path;
} spoils[] = {
	{spoil_order_of_communes, "policy.communes[1].insee"},
	{spoil_repeat_commune, "policy.communes[1].insee"},
	{spoil_sector_of_commune, "policy.communes[2].sector"},
	{spoil_longitude, "policy.communes[1].lat"},
	{spoil_department, "policy.communes[0].insee"},
	{spoil_order_of_openings, "policy.sectors[0].openings[1]"},
	{spoil_touching_openings, "policy.sectors[0].openings[1]"},
	{spoil_end_of_opening, "policy.sectors[0].openings[0]"},
	{spoil_sector_id, "policy.sectors[1].id"},
	{spoil_pair_id, "policy.pairs[1].id"},
	{spoil_pair_sector, "policy.pairs[0].sectors[0]"},
	{spoil_visits, "policy.pairs[0].visits_a_week"},
	{spoil_order_of_laws, "policy.laws[1].valid_from"},
	{spoil_truce, "policy.laws[0].truce_to"},
	{spoil_outreach, "policy.outreach.resume_below"},
	{spoil_bound, "policy.rules.old_fact"},
};

/* Bytes whose parts don't agree are refused, each with the path of what is wrong; but what was taken by an
 * earlier program, which saw nothing wrong in it, can be read for ever. */
static void test_bytes_that_do_not_hold_together_are_refused(void **unused)
{
	(void)unused;

	for (size_t i = 0; i < ARRAY_SIZE(spoils); i++) {
		scoped(reading_done) struct reading reading = {0};
		scoped(buf_done) struct buf bytes = {0};
		struct policy decoded = {.retention_months = 7};
		struct fault fault = {0};

		assert_int_equal(read_policy(&reading, good, good_communes), ERR_OK);
		list_at(&reading.policy.communes, struct policy_commune, 0)->lat = 1;
		list_at(&reading.policy.communes, struct policy_commune, 0)->lon = 1;
		spoils[i].spoil(&reading.policy);
		policy_encode(&reading.policy, &bytes);

		assert_int_equal(policy_decode(buf_str(&bytes), &reading.arena, &decoded, &fault),
				 ERR_INVALID_EVENT);

		assert_string_equal(fault.path, spoils[i].path);
		assert_int_equal(decoded.retention_months, 7);
		if (spoils[i].spoil != spoil_bound) /* bounds belong to the form */
			assert_int_equal(policy_decode_form(buf_str(&bytes), &reading.arena,
							    &decoded, &fault),
					 ERR_OK);
	}
}

static uint32_t count_communes(const struct policy *policy, uint64_t sector)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < policy->communes.count; i++)
		count += list_at(&policy->communes, struct policy_commune, i)->sector == sector;
	return count;
}

/* The Jura's policy: its units and years, its 492 communes each in a unit, one pair, the law. */
static void test_the_jura_is_as_it_was(void **unused)
{
	static const struct {
		const char *id;
		bool open[4]; /* 2014 to 2017 */
	} units[] = {
		{"dole", {true, true, false, true}},
		{"champagnole", {true, true, false, true}},
		{"lons-le-saunier", {true, false, true, false}},
		{"saint-claude", {true, false, true, false}},
	};
	scoped(reading_done) struct reading reading = {0};
	const struct policy *policy = &reading.policy;
	const struct policy_law *law;
	uint64_t households = 0;
	uint32_t communes = 0;

	(void)unused;

	assert_int_equal(policy_read("config/jura/policy.conf", &reading.arena, &reading.policy,
				     &reading.complaints),
			 ERR_OK);

	assert_int_equal(policy->sectors.count, ARRAY_SIZE(units));
	for (uint32_t i = 0; i < ARRAY_SIZE(units); i++) {
		const struct policy_sector *sector = sector_of(policy, units[i].id);

		for (int year = 0; year < 4; year++) {
			day_t first = day_from_ymd(2014 + year, 1, 1);
			day_t last = day_from_ymd(2014 + year, 12, 31);

			assert_int_equal(sector_opening_on(sector, first) != NULL,
					 units[i].open[year]);
			assert_int_equal(sector_opening_on(sector, last) != NULL,
					 units[i].open[year]);
		}
		households += sector->households;
		communes += count_communes(policy, i);
		assert_in_range(count_communes(policy, i), 50, 250);
	}
	assert_int_equal(households, 116653);
	assert_int_equal(communes, 492);
	assert_int_equal(policy->communes.count, 492);
	assert_int_equal(policy->pairs.count, 1);
	assert_int_equal(list_at(&policy->pairs, struct policy_pair, 0)->visits_a_week, 4);
	assert_true(pair_serves(list_at(&policy->pairs, struct policy_pair, 0), STR("dole"), true));
	assert_int_equal(policy->laws.count, 1);
	law = policy_law_on(policy, day_from_ymd(2015, 1, 1));
	assert_int_equal(law->valid_from, DAY_NONE);
	assert_int_equal(law->grace, 15);
	assert_int_equal(law->grace_protected, 30);
	assert_int_equal(law->final_notice, 20);
	assert_int_equal(law->reduced_power, 60);
	assert_int_equal(law->fsl_months, 2);
	assert_int_equal(law->truce_from, 1101);
	assert_int_equal(law->truce_to, 331);
	assert_int_equal(law->stale, 180);
}

/* The rules' defaults are those of the specification. */
static void test_the_rules_have_their_defaults(void **unused)
{
	scoped(reading_done) struct reading reading = {0};
	const struct policy_rules *rules = &reading.policy.rules;

	(void)unused;

	assert_int_equal(policy_read("config/jura/policy.conf", &reading.arena, &reading.policy,
				     &reading.complaints),
			 ERR_OK);

	assert_int_equal(rules->critical_within, 15);
	assert_int_equal(rules->critical_after, 30);
	assert_int_equal(rules->urgent_within, 60);
	assert_int_equal(rules->supply_stale, 180);
	assert_int_equal(rules->fsl_window_months, 24);
	assert_int_equal(rules->fsl_repeat, 30);
	assert_int_equal(rules->fsl_urgent_from, 4);
	assert_int_equal(rules->vulnerable, 31);
	assert_int_equal(rules->carried_over, 120);
	assert_int_equal(rules->carry_over_weeks, 52);
	assert_int_equal(rules->closing, 90);
	assert_int_equal(rules->closing_within, 70);
	assert_int_equal(rules->reopening_months, 12);
	assert_int_equal(rules->no_show, 30);
	assert_int_equal(rules->reopen_months, 12);
	assert_int_equal(rules->visited_closes_after, 30);
	assert_int_equal(rules->old_fact, 7);
	assert_int_equal(rules->open_on_recurrence, SAID_NO);
	assert_int_equal(rules->open_on_cutoff, SAID_NO);
	assert_int_equal(rules->derogation, DEROGATION_AUTO);
	assert_int_equal(reading.policy.planning.unrecorded_alarm, 3);
	assert_int_equal(reading.policy.planning.alsace_moselle, SAID_NO);
	assert_int_equal(reading.policy.outreach.suspend_above, 12);
	assert_int_equal(reading.policy.outreach.resume_below, 8);
}

/* The sample in the repository is the one the table makes. */
static void test_the_sample_is_what_the_table_says(void **unused)
{
	scoped(buf_done) struct buf sample = {0}, committed = {0};
	FILE *file = fopen("config/policy.sample.conf", "r");

	(void)unused;
	assert_non_null(file);
	committed.size = fread(buf_room(&committed, 65536), 1, 65536, file);
	fclose(file);

	policy_print_sample(&sample);

	assert_true(str_equal(buf_str(&sample), buf_str(&committed)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_set_is_read),
		cmocka_unit_test(test_openings_are_sorted_and_merged),
		cmocka_unit_test(test_communes_are_sorted_and_exact),
		cmocka_unit_test(test_the_law_of_a_day),
		cmocka_unit_test(test_a_pair_serves_its_sectors),
		cmocka_unit_test(test_each_mistake_is_told_where_it_is),
		cmocka_unit_test(test_mistakes_of_the_table_are_told_with_its_lines),
		cmocka_unit_test(test_a_missing_table_is_told),
		cmocka_unit_test(test_what_is_seldom_meant_is_told),
		cmocka_unit_test(test_a_policy_goes_into_bytes_and_back),
		cmocka_unit_test(test_bytes_that_do_not_hold_together_are_refused),
		cmocka_unit_test(test_the_jura_is_as_it_was),
		cmocka_unit_test(test_the_rules_have_their_defaults),
		cmocka_unit_test(test_the_sample_is_what_the_table_says),
	};

	return cmocka_run_group_tests(tests, files_setup, files_teardown);
}
