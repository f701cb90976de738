#include "config/policy_check.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

struct check {
	const struct policy *policy;
	policy_report_fn *report;
	void *context;
};

static void report(const struct check *check, const char *path, const char *format, ...)
	printf_like(3, 4);

static void report(const struct check *check, const char *path, const char *format, ...)
{
	char what[FAULT_TEXT_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	check->report(check->context, path, what);
}

/* "laws[3].truce_from" */
struct path {
	char text[FAULT_PATH_MAX];
};

static struct path path_of(const char *format, ...) printf_like(1, 2);

static struct path path_of(const char *format, ...)
{
	struct path path;
	va_list args;

	va_start(args, format);
	vsnprintf(path.text, sizeof(path.text), format, args);
	va_end(args);
	return path;
}

bool month_day_is_real(uint64_t month_day)
{
	enum { ANY_LEAP_YEAR = 2016 };

	return month_day <= 1231 && ymd_is_real(ANY_LEAP_YEAR, month_day / 100, month_day % 100);
}

/* A space that nobody sees would make another id of it. */
static void check_id(const struct check *check, const char *path, struct str id)
{
	if (id.size && (id.data[0] == ' ' || id.data[id.size - 1] == ' '))
		report(check, path, "begins or ends with a space; must not");
}

/* The communes' table means a sector by its id or its name: no word may mean two of them. */
static void check_name(const struct check *check, uint32_t index)
{
	const struct list *sectors = &check->policy->sectors;
	struct str name = list_at(sectors, struct policy_sector, index)->name;

	for (uint32_t k = 0; k < sectors->count && name.size; k++) {
		const struct policy_sector *other = list_at(sectors, struct policy_sector, k);

		if (k < index && str_equal(other->name, name))
			report(check, path_of("sectors[%u].name", index).text,
			       "sectors[%u] has this name already; each must have its own", k);
		else if (k != index && str_equal(other->id, name))
			report(check, path_of("sectors[%u].name", index).text,
			       "is the id of sectors[%u]; a commune's sector could be either", k);
	}
}

static void check_sector(const struct check *check, uint32_t index)
{
	const struct list *sectors = &check->policy->sectors;
	struct str id = list_at(sectors, struct policy_sector, index)->id;

	check_id(check, path_of("sectors[%u].id", index).text, id);
	check_name(check, index);
	for (uint32_t k = 0; k < index && id.size; k++)
		if (str_equal(list_at(sectors, struct policy_sector, k)->id, id))
			report(check, path_of("sectors[%u].id", index).text,
			       "sectors[%u] has this id already; each must have its own", k);
}

bool policy_sectors_are_known(const struct policy *policy)
{
	for (uint32_t i = 0; i < policy->sectors.count; i++)
		if (list_at(&policy->sectors, struct policy_sector, i)->id.size == 0)
			return false;
	return policy->sectors.count > 0;
}

static void check_commune(const struct check *check, uint32_t index)
{
	const struct policy_commune *commune =
		list_at(&check->policy->communes, struct policy_commune, index);
	char department[DEPARTMENT_TEXT_SIZE];

	if (policy_sectors_are_known(check->policy) &&
	    commune->sector >= check->policy->sectors.count)
		report(check, path_of("communes[%u].sector", index).text,
		       "there are only %u sectors; it must be one of them, counted from 0",
		       check->policy->sectors.count);
	if ((commune->lat == SINT_NONE) != (commune->lon == SINT_NONE))
		report(check, path_of("communes[%u].lat", index).text,
		       "it needs both lat and lon, or neither");
	if (check->policy->department.size &&
	    !str_is(check->policy->department, insee_department(commune->insee, department)))
		report(check, path_of("communes[%u].insee", index).text,
		       "the commune lies in department %s; all must lie in the policy's",
		       department);
}

static void check_pair_sectors(const struct check *check, uint32_t index,
			       const struct policy_pair *pair)
{
	if (!policy_sectors_are_known(check->policy))
		return;
	for (uint32_t i = 0; i < pair->sectors.count; i++)
		if (!policy_find_sector(check->policy, pair->sectors.item[i]))
			report(check, path_of("pairs[%u].sectors[%u]", index, i).text,
			       "no sector has that id; it must be one of those in sectors");
}

static void check_pair(const struct check *check, uint32_t index)
{
	const struct list *pairs = &check->policy->pairs;
	const struct policy_pair *pair = list_at(pairs, struct policy_pair, index);
	uint32_t half_days = (uint32_t)__builtin_popcount(pair->half_days);

	check_id(check, path_of("pairs[%u].id", index).text, pair->id);
	check_pair_sectors(check, index, pair);
	for (uint32_t k = 0; k < index && pair->id.size; k++)
		if (str_equal(list_at(pairs, struct policy_pair, k)->id, pair->id))
			report(check, path_of("pairs[%u].id", index).text,
			       "pairs[%u] has this id already; each must have its own", k);
	if (pair->visits_a_week != UINT_NONE && half_days && pair->visits_a_week > half_days)
		report(check, path_of("pairs[%u].visits_a_week", index).text,
		       "more visits than the %u half-days offered; one fits in each", half_days);
}

static void check_truce_day(const struct check *check, uint32_t law, const char *name,
			    uint64_t month_day)
{
	if (month_day != UINT_NONE && !month_day_is_real(month_day))
		report(check, path_of("laws[%u].%s", law, name).text,
		       "no year has that day; it must be month*100+day");
}

/* Is there a day outside the truce in every year? */
static bool truce_ends(const struct policy_law *law)
{
	enum { ANY_COMMON_YEAR = 2015 };
	day_t end = day_from_ymd(ANY_COMMON_YEAR + 1, 1, 1);

	for (day_t day = day_from_ymd(ANY_COMMON_YEAR, 1, 1); day < end; day++)
		if (!law_in_truce(law, day))
			return true;
	return false;
}

static void check_law(const struct check *check, uint32_t index)
{
	const struct policy_law *law = list_at(&check->policy->laws, struct policy_law, index);

	check_truce_day(check, index, "truce_from", law->truce_from);
	check_truce_day(check, index, "truce_to", law->truce_to);
	if (law->truce_from != UINT_NONE && law->truce_to != UINT_NONE && !truce_ends(law))
		report(check, path_of("laws[%u].truce_to", index).text,
		       "the truce never ends; a day of the year must lie outside");
}

static void check_outreach(const struct check *check)
{
	const struct policy_outreach *outreach = &check->policy->outreach;

	if (outreach->suspend_above == UINT_NONE || outreach->resume_below == UINT_NONE)
		return;
	if (outreach->resume_below > outreach->suspend_above)
		report(check, "outreach.resume_below",
		       "it is above suspend_above, which is %" PRIu64 "; it must not be",
		       outreach->suspend_above);
}

void policy_check(const struct policy *policy, policy_report_fn *report_fn, void *context)
{
	const struct check check = {policy, report_fn, context};

	check_outreach(&check);
	for (uint32_t i = 0; i < policy->sectors.count; i++)
		check_sector(&check, i);
	for (uint32_t i = 0; i < policy->laws.count; i++)
		check_law(&check, i);
	for (uint32_t i = 0; i < policy->communes.count; i++)
		check_commune(&check, i);
	for (uint32_t i = 0; i < policy->pairs.count; i++)
		check_pair(&check, i);
}

/* Order. */

static void check_openings(const struct check *check, uint32_t sector, const struct list *openings)
{
	const struct policy_opening *before = NULL;

	for (uint32_t i = 0; i < openings->count; i++) {
		const struct policy_opening *opening = list_at(openings, struct policy_opening, i);
		struct path path = path_of("sectors[%u].openings[%u]", sector, i);

		if (opening->to < opening->from)
			report(check, path.text,
			       "it ends before it begins; to must be from or later");
		else if (before && opening->from <= before->to + 1)
			report(check, path.text,
			       "it does not begin after the one before it, with a closed day "
			       "between; openings must be in order, and one where they touch");
		before = opening;
	}
}

static void check_order_of_communes(const struct check *check)
{
	const struct list *communes = &check->policy->communes;

	for (uint32_t i = 1; i < communes->count; i++) {
		const struct policy_commune *commune = list_at(communes, struct policy_commune, i);

		if (commune->insee <= commune[-1].insee)
			report(check, path_of("communes[%u].insee", i).text,
			       "communes must be sorted by code, each there once");
	}
}

static void check_order_of_laws(const struct check *check)
{
	const struct list *laws = &check->policy->laws;

	for (uint32_t i = 1; i < laws->count; i++) {
		const struct policy_law *law = list_at(laws, struct policy_law, i);

		if (law->valid_from <= law[-1].valid_from)
			report(check, path_of("laws[%u].valid_from", i).text,
			       "laws must be sorted by their first day, no two alike; only the "
			       "first may be without one");
	}
}

void policy_check_order(const struct policy *policy, policy_report_fn *report_fn, void *context)
{
	const struct check check = {policy, report_fn, context};

	for (uint32_t i = 0; i < policy->sectors.count; i++)
		check_openings(&check, i,
			       &list_at(&policy->sectors, struct policy_sector, i)->openings);
	check_order_of_communes(&check);
	check_order_of_laws(&check);
}
