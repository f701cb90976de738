#include "config/policy.h"

#include <stdio.h>

#include "config/policy_check.h"

#define FIELD             FIELD_ROW
#define RECORD(name, ...) RECORD_TABLE(name __VA_ARGS__)
#include "config/policy.def"
#undef RECORD
#undef FIELD

#define POLICY_PATH "policy"

void policy_report_first(void *context, const char *path, const char *what)
{
	struct fault *fault = context;
	char whole[FAULT_PATH_MAX + sizeof(POLICY_PATH)];

	if (fault->code != ERR_OK)
		return;
	snprintf(whole, sizeof(whole), POLICY_PATH "%s%s", *path ? "." : "", path);
	(void)fault_set(fault, ERR_INVALID_EVENT, whole, "%s", what);
}

enum err policy_decode_form(struct str bytes, struct arena *arena, struct policy *policy,
			    struct fault *fault)
{
	struct reader reader = reader_from(bytes);
	struct fault broken;

	if (codec_walk(bytes, &broken))
		return fault_set(fault, broken.code, POLICY_PATH, "%s", broken.text);
	return codec_decode(&record_policy, &reader, POLICY_PATH, 0, arena, policy, fault);
}

static void check_whole(const struct policy *policy, policy_report_fn *report, void *context)
{
	policy_check(policy, report, context);
	policy_check_order(policy, report, context);
}

enum err policy_decode(struct str bytes, struct arena *arena, struct policy *policy,
		       struct fault *fault)
{
	struct policy decoded;
	struct fault found = {.code = ERR_OK};

	if (!policy_decode_form(arena_copy(arena, bytes), arena, &decoded, &found))
		check_whole(&decoded, policy_report_first, &found);
	if (found.code) {
		*fault = found;
		return found.code;
	}
	*policy = decoded;
	return ERR_OK;
}

struct reporting {
	policy_report_fn *report;
	void *context;
	bool is_wrong;
};

static void pass_on(void *context, const char *path, const char *what)
{
	struct reporting *reporting = context;

	reporting->is_wrong = true;
	reporting->report(reporting->context, path, what);
}

/* "policy.sectors[1].id" → "sectors[1].id" */
static const char *path_inside(const char *path)
{
	size_t size = sizeof(POLICY_PATH) - 1;

	if (strncmp(path, POLICY_PATH, size) != 0)
		return path;
	return path[size] == '.' ? path + size + 1 : path + size;
}

bool policy_decode_all(struct str bytes, struct arena *arena, struct policy *policy,
		       policy_report_fn *report, void *context)
{
	struct reporting reporting = {report, context, false};
	struct fault found = {.code = ERR_OK};
	struct policy decoded;

	if (policy_decode_form(arena_copy(arena, bytes), arena, &decoded, &found))
		pass_on(&reporting, path_inside(found.path), found.text);
	else
		check_whole(&decoded, pass_on, &reporting);
	if (!reporting.is_wrong)
		*policy = decoded;
	return !reporting.is_wrong;
}

void policy_encode(const struct policy *policy, struct buf *out)
{
	codec_encode(&record_policy, policy, 0, 0, out);
}

const struct policy_commune *policy_find_commune(const struct policy *policy, insee_t insee)
{
	uint32_t first = 0, end = policy->communes.count;

	while (first < end) {
		uint32_t middle = first + (end - first) / 2;
		const struct policy_commune *commune =
			list_at(&policy->communes, struct policy_commune, middle);

		if (commune->insee == insee)
			return commune;
		if (commune->insee < insee)
			first = middle + 1;
		else
			end = middle;
	}
	return NULL;
}

const struct policy_sector *policy_find_sector(const struct policy *policy, struct str id)
{
	for (uint32_t i = 0; i < policy->sectors.count; i++) {
		const struct policy_sector *sector =
			list_at(&policy->sectors, struct policy_sector, i);

		if (str_equal(sector->id, id))
			return sector;
	}
	return NULL;
}

const struct policy_sector *policy_sector_at(const struct policy *policy, uint32_t position)
{
	assert(position < policy->sectors.count);
	return list_at(&policy->sectors, struct policy_sector, position);
}

uint32_t policy_sector_number(const struct policy *policy, struct str id)
{
	const struct policy_sector *sector = policy_find_sector(policy, id);

	return sector ? (uint32_t)(sector - policy_sector_at(policy, 0)) + 1 : 0;
}

const struct policy_pair *policy_find_pair(const struct policy *policy, struct str id)
{
	for (uint32_t i = 0; i < policy->pairs.count; i++) {
		const struct policy_pair *pair = list_at(&policy->pairs, struct policy_pair, i);

		if (str_equal(pair->id, id))
			return pair;
	}
	return NULL;
}

static void print_id(uint32_t position, struct str id, struct buf *out)
{
	buf_printf(out, "%s", position ? ", " : "");
	buf_add_str(out, id);
}

void policy_print_sectors(const struct policy *policy, struct buf *out)
{
	for (uint32_t i = 0; i < policy->sectors.count; i++)
		print_id(i, policy_sector_at(policy, i)->id, out);
}

void policy_print_pairs(const struct policy *policy, struct buf *out)
{
	for (uint32_t i = 0; i < policy->pairs.count; i++)
		print_id(i, list_at(&policy->pairs, struct policy_pair, i)->id, out);
}

const struct policy_opening *sector_opening_on(const struct policy_sector *sector, day_t day)
{
	for (uint32_t i = 0; i < sector->openings.count; i++) {
		const struct policy_opening *opening =
			list_at(&sector->openings, struct policy_opening, i);

		if (opening->from <= day && day <= opening->to)
			return opening;
	}
	return NULL;
}

const struct policy_opening *sector_opening_after(const struct policy_sector *sector, day_t day)
{
	for (uint32_t i = 0; i < sector->openings.count; i++) {
		const struct policy_opening *opening =
			list_at(&sector->openings, struct policy_opening, i);

		if (opening->from > day)
			return opening;
	}
	return NULL;
}

/* The first law without a day has DAY_NONE, which lies before every day. */
const struct policy_law *policy_law_on(const struct policy *policy, day_t day)
{
	const struct policy_law *law = list_at(&policy->laws, struct policy_law, 0);

	assert(policy->laws.count > 0);
	for (uint32_t i = 1; i < policy->laws.count; i++) {
		const struct policy_law *later = list_at(&policy->laws, struct policy_law, i);

		if (later->valid_from <= day)
			law = later;
	}
	return law;
}

bool law_in_truce(const struct policy_law *law, day_t day)
{
	struct ymd date = day_to_ymd(day);
	uint64_t at = (uint64_t)(date.month * 100 + date.day);

	if (law->truce_from <= law->truce_to)
		return law->truce_from <= at && at <= law->truce_to;
	return at >= law->truce_from || at <= law->truce_to;
}

bool pair_serves(const struct policy_pair *pair, struct str sector, bool closed)
{
	if (closed && pair->closed_sectors != SAID_YES)
		return false;
	if (pair->sectors.count == 0)
		return true;
	for (uint32_t i = 0; i < pair->sectors.count; i++)
		if (str_equal(pair->sectors.item[i], sector))
			return true;
	return false;
}
